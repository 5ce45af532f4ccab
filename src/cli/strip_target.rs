//! Where the IDs of `hydrant strip` go: stdout, or a file that appears under its name only when it
//! is complete.
//!
//! Until then the file has no name at all where the system can do that: whatever ends the program,
//! nothing is left behind. Elsewhere it has a hidden name beside its own.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::strip_paths;

/// How hidden names begin.
const HIDDEN: &str = ".hydrant-";

/// Where IDs go.
pub(super) enum Target {
    Stdout,
    /// Something that is there and is no file, such as `/dev/null` or a named pipe.
    Special(PathBuf),
    File {
        path: PathBuf,
        file: Beginning,
    },
}

/// A file that is not complete.
pub(super) enum Beginning {
    Nameless(File),
    Hidden(tempfile::NamedTempFile),
}

impl Target {
    /// What is at `path`, or will be; stdout if there is none.
    ///
    /// # Errors
    /// If no file can be made beside it.
    pub(super) fn create(path: Option<&Path>) -> anyhow::Result<Target> {
        let Some(path) = path else { return Ok(Target::Stdout) };
        if path.metadata().is_ok_and(|there| !there.is_file()) {
            return Ok(Target::Special(path.to_owned()));
        }
        // A link stays a link: what it points to is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = strip_paths::folder(&path)?;
        let file = Beginning::within(folder)
            .with_context(|| format!("cannot create a file beside {}", path.display()))?;
        Ok(Target::File { path, file })
    }

    /// What to write to.
    ///
    /// # Errors
    /// What the system said when it was opened.
    pub(super) fn out(&self) -> anyhow::Result<Box<dyn Write>> {
        Ok(match self {
            Target::Stdout => Box::new(io::stdout()),
            Target::Special(path) => Box::new(open_special(path)?),
            Target::File { file, .. } => Box::new(file.file().try_clone()?),
        })
    }

    /// Gives the complete file its name, in the place of what is there.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn keep(self) -> anyhow::Result<()> {
        let Target::File { path, file } = self else { return Ok(()) };
        let kept = file.file().sync_all().and_then(|()| file.keep(&path));
        kept.with_context(|| format!("cannot write {}", path.display()))
    }
}

fn open_special(path: &Path) -> anyhow::Result<File> {
    let file = File::options().write(true).open(path);
    file.with_context(|| format!("cannot write to {}", path.display()))
}

impl Beginning {
    fn within(folder: &Path) -> io::Result<Beginning> {
        if let Some(file) = nameless(folder) {
            return Ok(Beginning::Nameless(file));
        }
        tempfile::Builder::new()
            .prefix(HIDDEN)
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map(Beginning::Hidden)
    }

    fn file(&self) -> &File {
        match self {
            Beginning::Nameless(file) => file,
            Beginning::Hidden(file) => file.as_file(),
        }
    }

    fn keep(self, path: &Path) -> io::Result<()> {
        match self {
            Beginning::Nameless(file) => name(&file, path),
            Beginning::Hidden(file) => {
                file.persist(path).map(drop).map_err(|refused| refused.error)
            }
        }
    }
}

/// A file without a name; none if the system cannot make one and name it later.
#[cfg(target_os = "linux")]
fn nameless(folder: &Path) -> Option<File> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(folder, flags, Mode::from_raw_mode(0o666)).ok()?);
    path_of(&file).symlink_metadata().is_ok().then_some(file)
}

#[cfg(not(target_os = "linux"))]
fn nameless(_folder: &Path) -> Option<File> {
    None
}

/// Where the system shows an open file.
fn path_of(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// Names a file that has no name. Only a name replaces another at once, so it gets a hidden one
/// first, for a moment.
fn name(file: &File, path: &Path) -> io::Result<()> {
    let hidden = path.with_file_name(format!("{HIDDEN}{}", uuid::Uuid::now_v7()));
    rustix::fs::linkat(CWD, path_of(file), CWD, &hidden, AtFlags::SYMLINK_FOLLOW)?;
    std::fs::rename(&hidden, path).inspect_err(|_| {
        // It is complete, but not where it was asked for.
        let _ = std::fs::remove_file(&hidden);
    })
}
