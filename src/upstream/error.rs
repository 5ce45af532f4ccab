//! What can be wrong with an upstream; how a requester is told is not said here.

use std::io;

/// What is wrong with an upstream.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// Nobody knows its host.
    #[error("its host cannot be found")]
    Unresolved(#[source] io::Error),
    /// Its host lies where the settings do not let it be.
    #[error(
        "its host has an address in a private network, which its setting allow_private would allow"
    )]
    Private,
    /// There is no connection to it.
    #[error("it cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// Certificates cannot be checked on this machine.
    #[error("its certificate cannot be checked on this machine")]
    Unverifiable(#[source] rustls::Error),
    /// It took too long.
    #[error("it is too slow: it {0}")]
    Slow(&'static str),
    /// It points elsewhere.
    #[error("it points to another address, which is not followed (status {0})")]
    Redirected(u16),
    /// It answers with something else than its content.
    #[error("it answers with status {0}")]
    Refused(u16),
    /// Nobody could tell whether its answer is whole.
    #[error("it tells neither the length nor the digest of its content")]
    Unbounded,
    /// It sends more than it may.
    #[error("it has more than {bytes_max} bytes, the bound in its settings")]
    TooLarge {
        /// The bound.
        bytes_max: u64,
    },
    /// Its answer ends before its end.
    #[error("its answer breaks off")]
    BrokenOff(#[source] reqwest::Error),
    /// Its content is not what it should be.
    #[error("its content has another digest than it should")]
    WrongDigest,
}

impl UpstreamError {
    /// Whether time is what it wants.
    pub fn is_slow(&self) -> bool {
        matches!(self, UpstreamError::Slow(_))
    }
}
