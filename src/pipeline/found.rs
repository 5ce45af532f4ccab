//! An ID on its way out of the pipeline, where it was found, and who takes it.

use std::io;

use crate::base::ids::{DmId, Id, TweetId, UserId};

/// An ID that was found in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<I: Id> {
    /// The ID.
    pub id: I,
    /// Who wrote it, where the record tells; only for tweets, only if columns were asked for.
    pub author: Option<UserId>,
    /// Where its record stands; all zero unless columns were asked for.
    pub place: Place,
}

/// Where a record stands in its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Index into the list of sources.
    pub source: u32,
    /// First byte of the record in the decoded source (decompressed, without BOM, as UTF-8; the
    /// files of an archive one behind the other).
    pub offset: u64,
    /// Bytes of the record; 0 if unknown.
    pub length: u32,
}

/// A record, or a value in one, that was not used because it is damaged or of unknown shape.
#[derive(Clone, Copy, Debug)]
pub struct Rejected<'a> {
    /// The name of the source.
    pub source: &'a str,
    /// Line of the decoded source, counted from 1.
    pub line: u64,
    /// Byte of the decoded source, counted from 0.
    pub byte: u64,
    /// Why.
    pub reason: super::Reason,
}

/// Takes what a strip hands out: batches, in input order per kind, after deletes and duplicates.
pub trait Outlet {
    /// Takes Tweet IDs.
    ///
    /// # Errors
    /// Whatever ends the strip; a full disk, a reader that went away.
    fn tweets(&mut self, found: &[Found<TweetId>]) -> io::Result<()>;

    /// Takes User IDs.
    ///
    /// # Errors
    /// As [`Outlet::tweets`].
    fn users(&mut self, found: &[Found<UserId>]) -> io::Result<()>;

    /// Takes DM IDs.
    ///
    /// # Errors
    /// As [`Outlet::tweets`].
    fn dms(&mut self, found: &[Found<DmId>]) -> io::Result<()>;

    /// Is told of each record that was not used; by default nobody listens, the tally counts.
    ///
    /// # Errors
    /// As [`Outlet::tweets`].
    fn rejected(&mut self, rejected: &Rejected<'_>) -> io::Result<()> {
        let _ = rejected;
        Ok(())
    }
}

/// Watches a strip at work, for progress bars.
pub trait Watch: Sync {
    /// Bytes read from the sources (still encoded) and records so far.
    fn progress(&self, bytes_read: u64, records: u64);
}

/// Nobody watches.
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&self, _bytes_read: u64, _records: u64) {}
}

/// An ID type that knows its method of an [`Outlet`]: lets one filter serve all kinds.
pub(crate) trait Outgoing: Id {
    /// Hands `found` to the method of this kind.
    fn hand(outlet: &mut dyn Outlet, found: &[Found<Self>]) -> io::Result<()>;
}

impl Outgoing for TweetId {
    fn hand(outlet: &mut dyn Outlet, found: &[Found<Self>]) -> io::Result<()> {
        outlet.tweets(found)
    }
}

impl Outgoing for UserId {
    fn hand(outlet: &mut dyn Outlet, found: &[Found<Self>]) -> io::Result<()> {
        outlet.users(found)
    }
}

impl Outgoing for DmId {
    fn hand(outlet: &mut dyn Outlet, found: &[Found<Self>]) -> io::Result<()> {
        outlet.dms(found)
    }
}
