//! Why a source could not be stripped to its end; what that means for a request is not said here.

use std::io;

use crate::pipeline::PipelineError;

/// Why a source could not be stripped to its end.
#[derive(Debug, thiserror::Error)]
pub enum StripError {
    /// It broke off; the cause is what whoever fed it said.
    #[error("{0}")]
    Source(io::Error),
    /// It passes a bound of decompression.
    #[error("it is read no further: {0}")]
    Bound(String),
    /// Its compressed data is damaged, so that nothing behind that place can be read.
    #[error("its compressed data is broken or ends early")]
    Container,
    /// A record is damaged, and none may be.
    #[error("line {line}, byte {byte}: {says}")]
    Damaged {
        /// Line of the decoded source, from 1.
        line: u64,
        /// Byte of the decoded source, from 0.
        byte: u64,
        /// The word for the reason.
        reason: &'static str,
        /// The reason, for people.
        says: &'static str,
    },
    /// The IDs could not be spooled, for instance because the disk is full.
    #[error("its IDs cannot be spooled: {0}")]
    Spool(io::Error),
}

impl From<PipelineError> for StripError {
    fn from(error: PipelineError) -> StripError {
        match error {
            PipelineError::Open { source, .. } | PipelineError::Read { source, .. } => {
                StripError::Source(source)
            }
            PipelineError::Bound { bound, .. } => StripError::Bound(bound),
            PipelineError::Damaged { line, byte, reason, .. } => {
                StripError::Damaged { line, byte, reason: reason.slug(), says: reason.says() }
            }
            PipelineError::Write { source } => StripError::Spool(source),
            PipelineError::KindUndeclared { .. } => {
                unreachable!("a wish is for one kind, which a bare list then has")
            }
        }
    }
}
