//! Between finding and handing out: deletes and duplicates, exact in bounded memory.
//! Knows IDs and ordinals, nothing of records.

mod sieve;
mod sort;
mod spool;

use std::fs::File;
use std::io;
use std::path::Path;

pub(crate) use sieve::{Sieve, Sieved};
pub(crate) use spool::Spool;

/// An unnamed file that is gone when it is closed.
fn unnamed_file(folder: &Path) -> io::Result<File> {
    tempfile::tempfile_in(folder)
}
