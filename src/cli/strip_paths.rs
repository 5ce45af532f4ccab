//! The files that `hydrant strip` is given, looked at before any of them is opened: none is read
//! and written both, none takes two outputs, and each folder is there.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::pipeline::Source;

/// Something that is written: its flag, and where it goes.
pub(super) struct Written<'a> {
    /// The flag that names another file.
    pub(super) flag: &'static str,
    /// The file; none is stdout.
    pub(super) path: Option<&'a Path>,
}

/// What makes two names the same file. Devices and pipes have none of it: many may use them.
#[derive(PartialEq, Eq)]
enum Identity {
    /// A file that is there, under whatever name.
    There { device: u64, inode: u64 },
    /// A file that is not there yet.
    New(PathBuf),
}

/// What is wrong with the names, for the usage: a file that is read and written, or written twice.
pub(super) fn clash(sources: &[Source], written: &[Written<'_>]) -> Option<String> {
    let read: Vec<_> = sources.iter().filter_map(of_source).collect();
    let mut before: Vec<(Identity, &'static str)> = Vec::new();
    for Written { flag, path } in written {
        let identity = path.map_or_else(|| of_open(io::stdout().as_fd()), of_path);
        let Some(identity) = identity else { continue };
        let name = path.map_or_else(|| "stdout".into(), |path| path.display().to_string());
        if let Some((_, source)) = read.iter().find(|(other, _)| *other == identity) {
            let name = if path.is_some() { &name } else { source };
            return Some(format!("{name} is both read and written; name another file with {flag}"));
        }
        if let Some((_, other)) = before.iter().find(|(other, _)| *other == identity) {
            return Some(format!(
                "{name} would be written by both {other} and {flag}; name another file with {flag}"
            ));
        }
        before.push((identity, flag));
    }
    None
}

/// The folder of `path`.
///
/// # Errors
/// If there is none.
pub(super) fn folder(path: &Path) -> anyhow::Result<&Path> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    anyhow::ensure!(folder.exists(), "the folder {} does not exist", folder.display());
    Ok(folder)
}

fn of_source(source: &Source) -> Option<(Identity, String)> {
    let identity = match source {
        Source::File(path) | Source::Found(path) => of_path(path),
        Source::Stdin => of_open(io::stdin().as_fd()),
        Source::Bytes { .. } | Source::Piped(_) => None,
    };
    let name = match source {
        Source::Stdin => "stdin".to_owned(),
        other => other.name(),
    };
    Some((identity?, name))
}

fn of_path(path: &Path) -> Option<Identity> {
    if let Ok(there) = path.metadata() {
        return of_metadata(&there);
    }
    let folder = folder(path).ok()?.canonicalize().ok()?;
    Some(Identity::New(folder.join(path.file_name()?)))
}

fn of_open(stream: BorrowedFd<'_>) -> Option<Identity> {
    of_metadata(&File::from(stream.try_clone_to_owned().ok()?).metadata().ok()?)
}

fn of_metadata(there: &Metadata) -> Option<Identity> {
    there.is_file().then(|| Identity::There { device: there.dev(), inode: there.ino() })
}
