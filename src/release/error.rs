//! Why a release could not be built, opened or believed.

use std::io;
use std::path::{Path, PathBuf};

use crate::pipeline::{PipelineError, Tally};

/// Why a release could not be built, opened or believed.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The file system refused.
    #[error("cannot use {}", path.display())]
    Io {
        /// The path in question.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of the release is not what was built.
    #[error(
        "the release is damaged: {}: {what}; move its folder away and build it again with \
         `hydrant dataset refresh`", path.display()
    )]
    Damaged {
        /// The file in question.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The release was built by a newer hydrant.
    #[error(
        "{} has format {found}, and this hydrant knows {known} at most: use the hydrant that \
         wrote it, or a newer one", path.display()
    )]
    Newer {
        /// The release's `release.json`.
        path: PathBuf,
        /// The format that it says.
        found: u32,
        /// The newest format that this program knows.
        known: u32,
    },
    /// A source was not what it had to be.
    #[error("{}: {what}", path.display())]
    Source {
        /// The source's path.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// The sources hold no ID of the kinds that were asked for.
    #[error("no IDs were found in {sources}; nothing was entered")]
    NoIds {
        /// The sources' paths, as they were given.
        sources: String,
        /// The report of the strip, which says why.
        tally: Box<Tally>,
    },
    /// The sources could not be stripped.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

impl ReleaseError {
    /// Names the path of what the system refused.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> ReleaseError {
        move |source| ReleaseError::Io { path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> ReleaseError {
        ReleaseError::Damaged { path: path.to_owned(), what: what.into() }
    }
}
