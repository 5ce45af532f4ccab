//! The data folder: what lies where in it, and the lock that proves that nobody else is in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Why the data folder could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process holds the folder.
    #[error(
        "the data folder {} is in use by {holder}; stop it first, or choose another folder \
         with --data", folder.display()
    )]
    Held {
        /// The folder.
        folder: PathBuf,
        /// Who holds it, in the holder's own words.
        holder: String,
    },
    /// The folder does not exist.
    #[error(
        "there is no data folder {}; `hydrant serve` or any command that adds something makes it, \
         and --data names another", folder.display()
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// The file system refused.
    #[error("cannot use {}", path.display())]
    Io {
        /// The path in question.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A data folder that may or may not be in use.
#[derive(Clone, Debug)]
pub struct DataFolder {
    path: PathBuf,
    releases: PathBuf,
}

/// The exclusive lock on a data folder.
///
/// The kernel gives it up when its holder dies, however it dies: whoever gets it knows that no
/// predecessor is alive, and may settle what the predecessor left open.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl DataFolder {
    /// The folder at `path`, made with its subfolders if it is not there.
    ///
    /// # Errors
    /// [`FolderError::Io`] if it cannot be made.
    pub fn create(path: &Path) -> Result<DataFolder, FolderError> {
        let folder = DataFolder::named(path);
        for needed in [path, &folder.releases(), &folder.spools()] {
            make_private_folder(needed)
                .map_err(|source| FolderError::Io { path: needed.to_owned(), source })?;
        }
        Ok(folder)
    }

    /// The folder at `path`, which has to be there.
    ///
    /// # Errors
    /// [`FolderError::Missing`] if it is not.
    pub fn existing(path: &Path) -> Result<DataFolder, FolderError> {
        if !path.is_dir() {
            return Err(FolderError::Missing { folder: path.to_owned() });
        }
        DataFolder::create(path)
    }

    /// The folder at `path`, whether it is there or not: for where things are in it.
    pub fn named(path: &Path) -> DataFolder {
        DataFolder { path: path.to_owned(), releases: path.join("releases") }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.path.join("hydrant.sqlite")
    }

    /// The key that signs the audit log in the data folder at `path`, if the settings name no
    /// other place.
    pub fn audit_key_in(path: &Path) -> PathBuf {
        path.join("audit.key")
    }

    /// Where releases lie, one folder each.
    pub fn releases(&self) -> PathBuf {
        self.releases.clone()
    }

    /// The same folder with its releases at `path`, which is made if it is not there.
    ///
    /// # Errors
    /// [`FolderError::Io`] if it cannot be made.
    pub fn with_releases(self, path: &Path) -> Result<DataFolder, FolderError> {
        make_private_folder(path)
            .map_err(|source| FolderError::Io { path: path.to_owned(), source })?;
        Ok(DataFolder { releases: path.to_owned(), ..self })
    }

    /// Where IDs wait that outgrow memory, in files without names.
    pub fn spools(&self) -> PathBuf {
        self.path.join("spools")
    }

    /// Where files of full objects are kept, if the settings name no other place.
    pub fn exports(&self) -> PathBuf {
        self.path.join("exports")
    }

    /// The socket through which commands reach a running gateway.
    pub fn control_socket(&self) -> PathBuf {
        self.path.join("control.sock")
    }

    /// Takes the folder for this process alone. `holder` is what another process will be told,
    /// for instance `hydrant serve (process 4711) on 127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`FolderError::Held`] if another process has it, [`FolderError::Io`] otherwise.
    pub fn lock(&self, holder: &str) -> Result<FolderLock, FolderError> {
        let path = self.path.join("lock");
        let failed = |source| FolderError::Io { path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(failed)?;
                if holder.is_empty() {
                    holder.push_str("another hydrant");
                }
                return Err(FolderError::Held { folder: self.path.clone(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
        file.write_all(holder.as_bytes()).map_err(failed)?;
        Ok(FolderLock { _file: file })
    }
}

fn make_private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_and_told_who_is_first() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(&dir.path().join("data")).unwrap();
        let first = folder.lock("hydrant serve (process 1) on 127.0.0.1:1").unwrap();
        let refused = folder.lock("me").unwrap_err().to_string();
        assert!(refused.contains("hydrant serve (process 1) on 127.0.0.1:1"), "{refused}");
        drop(first);
        folder.lock("me").unwrap();
    }
}
