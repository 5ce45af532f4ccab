//! Small files outside the database that are whole or not there: what is written to them stands
//! in `copy.rs`, `export.rs` and `key.rs`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells apart the unfinished files of this process.
static UNFINISHED: AtomicU64 = AtomicU64::new(0);

/// Writes `bytes` to `path` so that whoever reads it, now or after a loss of power, sees them all
/// or what was there before.
///
/// # Errors
/// What the system says; then the file is as it was.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, File::sync_all)?;
    sync_folder_of(path)
}

/// As [`write`], but it is durable only once the caller has the whole file system written out.
///
/// # Errors
/// As [`write`].
pub(super) fn write_later(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, |_| Ok(()))
}

/// Writes `bytes` to a new file at `path` that only its owner may read; durable, and never over a
/// file that is there.
///
/// # Errors
/// What the system says, [`io::ErrorKind::AlreadyExists`] among it.
pub(super) fn create_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = unfinished(path)?;
    let finished = || {
        fill(&unfinished, 0o600, bytes)?.sync_all()?;
        // Unlike a renaming, this fails if there is such a file.
        std::fs::hard_link(&unfinished, path)
    };
    let finished = finished();
    let _ = std::fs::remove_file(&unfinished);
    finished?;
    sync_folder_of(path)
}

fn replace(path: &Path, bytes: &[u8], settle: fn(&File) -> io::Result<()>) -> io::Result<()> {
    let unfinished = unfinished(path)?;
    let finished = || {
        settle(&fill(&unfinished, 0o666, bytes)?)?;
        std::fs::rename(&unfinished, path)
    };
    finished().inspect_err(|_| {
        // The failure is told already; what is left lying says nothing.
        let _ = std::fs::remove_file(&unfinished);
    })
}

/// A name beside `path` that nobody else uses.
fn unfinished(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let number = UNFINISHED.fetch_add(1, Ordering::Relaxed);
    Ok(path.with_file_name(format!(".{name}.{}.{number}", std::process::id())))
}

fn fill(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// Makes durable that the file at `path` is in its folder.
///
/// # Errors
/// What the system says.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_lying() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head");
        for text in ["first", "second"] {
            write(&path, text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        write(&dir.path().join("missing/head"), b"x").unwrap_err();
        std::fs::create_dir(dir.path().join("folder")).unwrap();
        write(&dir.path().join("folder"), b"x").unwrap_err();
        let names = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(names, 2, "the file and the folder");
    }
}
