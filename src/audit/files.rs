//! The files of an exported log: their names, and where they are read from. What has to be in them
//! is `verify.rs`'s business.

use std::io;
use std::path::{Path, PathBuf};

/// The newest checkpoint.
pub const CHECKPOINT: &str = "checkpoint";
/// Where all checkpoints lie, by size.
pub const CHECKPOINTS: &str = "checkpoints/";
/// The key that checks checkpoints, on one line.
pub const VERIFIER_KEY: &str = "verifier-key";

/// Where the files of a log are read from.
pub trait LogFiles {
    /// The names of all files below `tile/` and `checkpoints/`.
    ///
    /// # Errors
    /// What the system says.
    fn names(&self) -> io::Result<Vec<String>>;

    /// The bytes of a file; `None`: there is no such file.
    ///
    /// # Errors
    /// What the system says.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
}

/// A log in a folder.
#[derive(Clone, Debug)]
pub struct LogFolder(pub PathBuf);

impl LogFiles for LogFolder {
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for top in ["tile", "checkpoints"] {
            gather(&self.0, top, &mut names)?;
        }
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.0.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            // A folder in the place of a file, or a file in that of a folder, is no such file.
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | IsADirectory | NotADirectory)
}

fn gather(root: &Path, folder: &str, names: &mut Vec<String>) -> io::Result<()> {
    let entries = match std::fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if is_absence(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        // What is being written begins with a dot, and so does what a killed export left lying.
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // A name that is no text is no name of the log's, and fails as one.
        let name = format!("{folder}/{}", name.to_string_lossy());
        if entry.file_type()?.is_dir() {
            gather(root, &name, names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}
