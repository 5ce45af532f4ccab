//! The files of the log, as they follow from the store: what an export fetches, by name. How they
//! are put into a folder is `export.rs`.

use super::files::{CHECKPOINT, CHECKPOINTS, VERIFIER_KEY};
use super::tile::{TILE_WIDTH, TileKind, TileName, parse_number_path, push_entry};
use crate::store::{StoreError, Tx};

/// How many bytes of files are given at once: more than one file only up to here.
const BYTES_MAX: usize = 4 << 20;

/// How many sizes of checkpoints are given at once.
const SIZES_MAX: u32 = 10_000;

/// The bytes of files of the log: those of the first names, one at least, as many as fit in a few
/// megabytes; `None` stands for a file that the log does not have.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn files(tx: &Tx<'_>, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
    let mut files = Vec::new();
    let mut bytes = 0;
    for name in names {
        let file = file(tx, name)?;
        bytes += file.as_ref().map_or(0, Vec::len);
        files.push(file);
        if bytes > BYTES_MAX {
            break;
        }
    }
    Ok(files)
}

/// The sizes at which the log was signed when it had more than `size` leaves, the smallest first:
/// as many as are given at once.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn checkpoint_sizes(tx: &Tx<'_>, size: u64) -> Result<Vec<u64>, StoreError> {
    Ok(tx.checkpoints_after(size, SIZES_MAX)?.iter().map(|checkpoint| checkpoint.size).collect())
}

fn file(tx: &Tx<'_>, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    match name {
        CHECKPOINT => Ok(tx.checkpoint_newest()?.map(|newest| newest.note.into_bytes())),
        VERIFIER_KEY => {
            let key = tx.audit_log()?.verifier_key;
            Ok(key.map(|key| format!("{key}\n").into_bytes()))
        }
        _ => {
            let size = name.strip_prefix(CHECKPOINTS).and_then(parse_number_path);
            match (size, TileName::parse(name)) {
                (Some(size), _) => signed_at(tx, size),
                (None, Some(name)) => tile(tx, &name),
                (None, None) => Ok(None),
            }
        }
    }
}

fn signed_at(tx: &Tx<'_>, size: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(before) = size.checked_sub(1) else { return Ok(None) };
    let next = tx.checkpoints_after(before, 1)?.pop();
    Ok(next.filter(|next| next.size == size).map(|next| next.note.into_bytes()))
}

fn tile(tx: &Tx<'_>, name: &TileName) -> Result<Option<Vec<u8>>, StoreError> {
    let level = match name.kind {
        TileKind::Hashes(level) => level,
        TileKind::Entries => return bundle(tx, name),
    };
    let hashes = tx.tile(level, name.number)?;
    let width = name.width * size_of::<super::Hash>();
    Ok(hashes.filter(|hashes| hashes.len() >= width).map(|hashes| hashes[..width].to_vec()))
}

fn bundle(tx: &Tx<'_>, name: &TileName) -> Result<Option<Vec<u8>>, StoreError> {
    let first = name.number.checked_mul(TILE_WIDTH as u64).map(|before| before + 1);
    let Some(first) = first.filter(|first| i64::try_from(*first).is_ok()) else { return Ok(None) };
    let rows = tx.journal_from(first, name.width as u32)?;
    if rows.len() < name.width {
        return Ok(None);
    }
    let mut bundle = Vec::new();
    rows.iter().for_each(|row| push_entry(&mut bundle, row.leaf.as_bytes()));
    Ok(Some(bundle))
}
