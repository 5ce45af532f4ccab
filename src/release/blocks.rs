//! What lets records be read in the middle of packed sources: the table of the blocks that a source
//! has, or a copy of it that has some. How blocks are found and read is told in `pipeline`.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::ReleaseError;
use super::manifest::{BlocksEntry, FileEntry, SourceEntry};
use crate::pipeline::{Blocks, Packing, Replay};

/// Finds the blocks of a source, or packs it anew into `folder`; a source that is not packed needs
/// none. Everything is on the disk afterwards.
pub(super) fn find(
    folder: &Path,
    number: usize,
    entry: &mut SourceEntry,
    encodings: &[&'static str],
) -> Result<(), ReleaseError> {
    let path = Path::new(&entry.name);
    let Some(first) = encodings.first() else { return Ok(()) };
    let packing = Packing::from_word(first).filter(|_| encodings.len() == 1);
    let found = match packing {
        None => None,
        Some(packing) => File::open(path)
            .and_then(|file| Blocks::find(file, packing))
            .map_err(ReleaseError::io(path))?,
    };
    let (blocks, copy) = match found {
        Some(blocks) => (blocks, None),
        None => {
            let name = format!("source-{number}.zst");
            let copied = copy(path, &folder.join(&name)).map_err(ReleaseError::io(path))?;
            let (blocks, bytes, sha256) = copied;
            (blocks, Some(FileEntry { file: name, bytes, sha256 }))
        }
    };
    let (name, table) = (format!("source-{number}.blocks"), blocks.encode());
    let path = folder.join(&name);
    let written = File::create_new(&path).and_then(|mut file| {
        file.write_all(&table)?;
        file.sync_all()
    });
    written.map_err(ReleaseError::io(&path))?;
    let (bytes, sha256) = (table.len() as u64, Sha256::digest(&table).into());
    let table = FileEntry { file: name, bytes, sha256 };
    entry.blocks = Some(BlocksEntry { packing: blocks.packing().word().to_owned(), copy, table });
    Ok(())
}

/// Packs the decoded source into `target`, as far as it can be decoded: a strip reads no further.
fn copy(source: &Path, target: &Path) -> io::Result<(Blocks, u64, [u8; 32])> {
    let mut input = Whole(Replay::open(source.to_owned())?);
    let mut output = Digesting { file: File::create_new(target)?, bytes: 0, digest: Sha256::new() };
    let blocks = Blocks::pack(&mut input, &mut output)?;
    output.file.sync_all()?;
    Ok((blocks, output.bytes, output.digest.finalize().into()))
}

/// A source that ends where it is damaged.
struct Whole(Replay);

impl io::Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Ok(0),
            read => read,
        }
    }
}

/// Computes the digest of what is written.
struct Digesting {
    file: File,
    bytes: u64,
    digest: Sha256,
}

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
