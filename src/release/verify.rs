//! Checking a release to its last byte: every digest, offset, line and length is computed anew.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::column::Column;
use super::error::ReleaseError;
use super::manifest::{ColumnEntry, FileEntry, Manifest, PrivateEntry};
use super::open::Release;
use super::table::{BLOCK_BYTES_MAX, Table};
use super::writer::equal_line_bytes;
use crate::base::ids::parse_digits;

/// How many bytes of a private column are read at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Checks the release in `folder`; it has to have the name of its ID.
///
/// # Errors
/// [`ReleaseError::Damaged`] with the first file that is not what was built and what is wrong,
/// otherwise as [`Release::open`].
pub fn verify(folder: &Path) -> Result<(), ReleaseError> {
    let release = Release::open(folder)?;
    let name = folder.file_name().and_then(|name| name.to_str());
    if name != Some(release.id()) {
        return Err(ReleaseError::damaged(folder, format!("it holds release {}", release.id())));
    }
    let Manifest { columns, private, sources, .. } = release.manifest();
    for (entry, column) in columns.iter().zip(release.columns()) {
        let path = folder.join(&entry.file);
        verify_text(&path, column)?;
    }
    for entry in private {
        verify_private(&folder.join(&entry.file), entry, columns)?;
    }
    for entry in sources.iter().filter_map(|source| source.blocks.as_ref()) {
        for FileEntry { file, bytes, sha256 } in entry.copy.iter().chain([&entry.table]) {
            verify_file(&folder.join(file), *bytes, sha256)?;
        }
    }
    Ok(())
}

fn verify_text(path: &Path, column: &Column) -> Result<(), ReleaseError> {
    let mut file = File::open(path).map_err(ReleaseError::io(path))?;
    let table = column.table();
    let mut bytes = Vec::with_capacity(BLOCK_BYTES_MAX);
    let mut digest = Sha256::new();
    for index in 0..table.blocks.len() {
        let length = table.end_of(index) - table.blocks[index].offset;
        bytes.clear();
        (&mut file).take(length).read_to_end(&mut bytes).map_err(ReleaseError::io(path))?;
        verify_block(table, index, &bytes).map_err(|what| {
            let offset = table.blocks[index].offset;
            ReleaseError::damaged(path, format!("the block at byte {offset} {what}"))
        })?;
        digest.update(&bytes);
    }
    if digest.finalize().as_slice() != table.sha256 {
        return Err(ReleaseError::damaged(path, "its SHA-256 is not the one of its table"));
    }
    Ok(())
}

fn verify_block(table: &Table, index: usize, bytes: &[u8]) -> Result<(), String> {
    let block = &table.blocks[index];
    if Sha256::digest(bytes).as_slice() != block.sha256 {
        return Err("does not have the SHA-256 of its table".into());
    }
    let ids = table.ids_of(index);
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let valid = lines.filter(|line| line.strip_suffix(b"\n").is_some_and(is_plain_id)).count();
    if valid as u64 != ids {
        return Err(format!("has {valid} lines that are IDs instead of {ids}"));
    }
    if block.line_bytes != equal_line_bytes(bytes, ids) {
        return Err(format!("has lines of another length than {} bytes", block.line_bytes));
    }
    Ok(())
}

/// Whether the line is an ID as this program writes them: without leading zeros.
fn is_plain_id(line: &[u8]) -> bool {
    parse_digits(line).is_ok() && (line.len() == 1 || line[0] != b'0')
}

fn verify_private(
    path: &Path,
    entry: &PrivateEntry,
    columns: &[ColumnEntry],
) -> Result<(), ReleaseError> {
    let column = columns.iter().find(|column| column.kind == entry.kind);
    let ids = column.map_or(0, |column| column.ids);
    verify_file(path, ids * entry.holds.record_bytes(), &entry.sha256)
}

fn verify_file(path: &Path, expected: u64, digest: &[u8; 32]) -> Result<(), ReleaseError> {
    let mut file = File::open(path).map_err(ReleaseError::io(path))?;
    let (bytes, sha256) = digest_of(&mut file).map_err(ReleaseError::io(path))?;
    if bytes != expected {
        let what = format!("it has {bytes} bytes instead of {expected}");
        return Err(ReleaseError::damaged(path, what));
    }
    if sha256 != *digest {
        return Err(ReleaseError::damaged(path, "its SHA-256 is not the one in release.json"));
    }
    Ok(())
}

/// Reads to the end, and returns how many bytes there were and their SHA-256.
pub(super) fn digest_of(reader: &mut impl Read) -> std::io::Result<(u64, [u8; 32])> {
    let mut buffer = vec![0; PIECE_BYTES];
    let mut digest = Sha256::new();
    let mut bytes = 0;
    loop {
        let length = reader.read(&mut buffer)?;
        if length == 0 {
            return Ok((bytes, digest.finalize().into()));
        }
        digest.update(&buffer[..length]);
        bytes += length as u64;
    }
}
