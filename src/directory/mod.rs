//! Who may receive: entities, their people, how they register and sign in, the keys they hold,
//! the documents they accepted and the exemptions of academic institutions; not how much (that is
//! `ledger`) and not by which address or command (that is `http` and `cli`).
//!
//! Every function takes the caller's transaction and the time. Every change also takes the actor
//! and writes a leaf of the audit log in the same transaction: what cannot be recorded is undone.

pub mod attestation;
pub mod dataset;
pub mod document;
pub mod duplicate;
pub mod entity;
pub mod erasure;
pub mod exemption;
pub mod identity;
pub mod invitation;
pub mod join;
pub mod key;
pub mod letter;
mod mail;
pub mod membership;
pub mod merge;
pub mod notice;
pub mod permission;
pub mod person;
pub mod registration;
mod requester;
pub mod retention;
mod ror;
mod secret;
pub mod session;
pub mod share;
pub mod sign_in;
pub mod staff;
mod text;
mod token;
pub mod use_case;
pub mod words;

pub use requester::{AuthError, EntityRef, Requester, authenticate, authenticate_session};
pub use secret::Secret;
pub(crate) use text::line;
pub use token::{BadToken, Token, TokenHash};

use crate::base::nearest::nearest;
use crate::store::StoreError;

/// Why the directory did not do what it was asked. The text is for the one who asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DirectoryError {
    /// What was named is not there.
    #[error("{0}")]
    NotFound(String),
    /// It would contradict what is there.
    #[error("{0}")]
    Conflict(String),
    /// What was said makes no sense by itself.
    #[error("{0}")]
    Invalid(String),
    /// It is not for the one who asks.
    #[error("{0}")]
    Forbidden(String),
    /// The store could not say or keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The error for a name that is not there: suggests what was probably meant, or else where the
/// known ones are listed.
fn not_found<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
    listing: &str,
) -> DirectoryError {
    DirectoryError::NotFound(match nearest(name, known) {
        Some(near) => format!("there is no {what} `{name}`; did you mean `{near}`?"),
        None => format!("there is no {what} `{name}`; `{listing}` shows them"),
    })
}

#[cfg(test)]
mod tests;
