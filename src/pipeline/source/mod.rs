//! Where bytes come from: files, standard input, memory, a pipe. Not what they mean.

mod found;
mod pipe;

use std::fs::File;
use std::io;
use std::path::PathBuf;

use bytes::{Buf, Bytes};

use super::bystander;
use super::decode::{Opened, Stream};
pub use found::{Files, NotFound, files_at, sources_at};
pub use pipe::{Gone, Pipe, Piped, pipe};

/// One input of a strip.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// A file that was found in a folder, and may be none of data.
    Found(PathBuf),
    /// Standard input.
    Stdin,
    /// Bytes in memory, under a name for the report.
    Bytes {
        /// What the report calls it.
        name: String,
        /// The bytes.
        bytes: Bytes,
    },
    /// Bytes that arrive while they are read; they can be read once.
    Piped(Piped),
}

impl Source {
    /// What the report calls it: the path as given, `-` for standard input.
    pub fn name(&self) -> String {
        match self {
            Source::File(path) | Source::Found(path) => path.display().to_string(),
            Source::Stdin => "-".to_owned(),
            Source::Bytes { name, .. } => name.clone(),
            Source::Piped(piped) => piped.name().to_owned(),
        }
    }

    /// Whether it was found in a folder and has a name of files that hold no records.
    pub(crate) fn holds_no_records(&self) -> bool {
        matches!(self, Source::Found(path) if bystander::is_one(&path.to_string_lossy()))
    }

    /// Its length in bytes, where that is known before reading.
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Source::File(path) | Source::Found(path) => {
                std::fs::metadata(path).ok().filter(|file| file.is_file()).map(|file| file.len())
            }
            Source::Stdin | Source::Piped(_) => None,
            Source::Bytes { bytes, .. } => Some(bytes.len() as u64),
        }
    }

    /// Opens it for one reading from the start.
    pub(crate) fn open(&self) -> io::Result<Opened<'static>> {
        let stream: Stream<'static> = match self {
            Source::File(path) | Source::Found(path) => {
                let file = File::open(path)?;
                let kind = file.metadata()?;
                if kind.is_dir() {
                    return Err(io::Error::new(
                        io::ErrorKind::IsADirectory,
                        "this is a folder; name the files in it",
                    ));
                }
                let on_disk = kind.is_file().then(|| file.try_clone()).transpose()?;
                return Ok(Opened { stream: Box::new(file), file: on_disk });
            }
            Source::Stdin => Box::new(io::stdin()),
            Source::Bytes { bytes, .. } => Box::new(bytes.clone().reader()),
            Source::Piped(piped) => piped.open()?,
        };
        Ok(Opened { stream, file: None })
    }
}
