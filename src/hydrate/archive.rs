//! An archive that grows by whole pieces: plain lines, or packed as its name says, each piece a
//! member or frame of its own, so that what was cut off at the end of one can be read.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// How hard zstd tries: its own default.
const ZSTD_LEVEL: i32 = 3;

/// How an archive is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// An archive at a path.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    path: PathBuf,
    packing: Packing,
}

impl Archive {
    /// The archive at `path`, packed as the ending of its name says.
    pub(super) fn at(path: &Path) -> Archive {
        let packing = match path.extension().and_then(|ending| ending.to_str()) {
            Some("gz") => Packing::Gzip,
            Some("zst") => Packing::Zstd,
            _ => Packing::Plain,
        };
        Archive { path: path.to_owned(), packing }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the archive, empty; one that is there is never written over.
    pub(super) fn create(&self) -> io::Result<()> {
        File::create_new(&self.path)?.sync_all()?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Cuts the archive to its first `bytes` bytes, appends `lines`, and says how long it is now.
    /// It is durable.
    pub(super) fn append_at(&self, bytes: u64, lines: &[u8]) -> io::Result<u64> {
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        if file.metadata()?.len() < bytes {
            let message = format!("it is shorter than the {bytes} bytes that were written to it");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        file.set_len(bytes)?;
        file.seek(SeekFrom::Start(bytes))?;
        let packed = if lines.is_empty() { Vec::new() } else { self.packed(lines)? };
        file.write_all(&packed)?;
        file.sync_all()?;
        Ok(bytes + packed.len() as u64)
    }

    fn packed(&self, lines: &[u8]) -> io::Result<Vec<u8>> {
        match self.packing {
            Packing::Plain => Ok(lines.to_vec()),
            Packing::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(lines)?;
                encoder.finish()
            }
            Packing::Zstd => zstd::encode_all(lines, ZSTD_LEVEL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_beyond_the_known_length_is_written_over_and_the_rest_reads_as_one() {
        for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] {
            let dir = tempfile::tempdir().unwrap();
            let archive = Archive::at(&dir.path().join(name));
            archive.create().unwrap();
            archive.create().unwrap_err();
            let first = archive.append_at(0, b"one\n").unwrap();
            archive.append_at(first, b"lost, because nobody noted it\n").unwrap();
            let second = archive.append_at(first, b"two\n").unwrap();
            assert_eq!(archive.append_at(second, b"").unwrap(), second);
            assert_eq!(archive.path().metadata().unwrap().len(), second);
            let file = File::open(archive.path()).unwrap();
            let mut reader: Box<dyn Read> = match name.rsplit('.').next() {
                Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(file)),
                Some("zst") => Box::new(zstd::Decoder::new(file).unwrap()),
                _ => Box::new(file),
            };
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            assert_eq!(text, "one\ntwo\n", "{name}");
            archive.append_at(second + 1, b"three\n").unwrap_err();
        }
    }
}
