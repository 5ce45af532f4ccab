//! The IDs of one kind that a strip found, kept and counted until somebody may have them.

use std::io;
use std::path::Path;

use super::filter::Spool;
use super::found::{Found, Outlet};
use crate::base::ids::{DmId, Id, IdKind, TweetId, UserId};

/// Bytes of an ID in the spool.
const ID_BYTES: usize = 8;

/// Takes the IDs of one kind, 8 bytes each, into memory and beyond it into a file without a name.
#[derive(Debug)]
pub struct IdSpool {
    kind: IdKind,
    spool: Spool,
    text_bytes: u64,
}

impl IdSpool {
    /// An empty spool for IDs of `kind`, which uses about `memory_bytes_max` bytes of memory and
    /// what else it needs in `folder`.
    pub fn new(kind: IdKind, memory_bytes_max: usize, folder: &Path) -> IdSpool {
        IdSpool { kind, spool: Spool::new(ID_BYTES, memory_bytes_max, folder), text_bytes: 0 }
    }

    /// Which kind of IDs it takes.
    pub fn kind(&self) -> IdKind {
        self.kind
    }

    /// How many IDs there are.
    pub fn ids(&self) -> u64 {
        self.spool.rows()
    }

    /// How many bytes they take as text, one a line.
    pub fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// The IDs from ordinal `first` on, `ids` of them.
    ///
    /// # Errors
    /// What the system said of the file.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn read(&self, first: u64, ids: u64) -> io::Result<Vec<u64>> {
        let mut rows = Vec::new();
        self.spool.read(first, ids, &mut rows)?;
        let (rows, rest) = rows.as_chunks::<ID_BYTES>();
        assert!(rest.is_empty(), "an ID has 8 bytes");
        Ok(rows.iter().map(|row| u64::from_le_bytes(*row)).collect())
    }

    fn take<I: Id>(&mut self, kind: IdKind, found: &[Found<I>]) -> io::Result<()> {
        assert_eq!(kind, self.kind, "a strip hands out what it was asked for");
        for row in found {
            let id = row.id.value();
            self.spool.push(&id.to_le_bytes())?;
            self.text_bytes += u64::from(id.checked_ilog10().unwrap_or(0)) + 2;
        }
        Ok(())
    }
}

impl Outlet for IdSpool {
    fn tweets(&mut self, found: &[Found<TweetId>]) -> io::Result<()> {
        self.take(IdKind::Tweet, found)
    }

    fn users(&mut self, found: &[Found<UserId>]) -> io::Result<()> {
        self.take(IdKind::User, found)
    }

    fn dms(&mut self, found: &[Found<DmId>]) -> io::Result<()> {
        self.take(IdKind::Dm, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Place;

    #[test]
    fn ids_come_back_by_ordinal_from_memory_and_from_disk() {
        let folder = tempfile::tempdir().unwrap();
        let ids: Vec<u64> = (0..1_000).chain([u64::MAX >> 1]).collect();
        let found: Vec<Found<TweetId>> = ids
            .iter()
            .map(|&id| TweetId::from_value(id).unwrap())
            .map(|id| Found { id, author: None, place: Place::default() })
            .collect();
        for memory_bytes_max in [8, 4_000, 1 << 20] {
            let mut spool = IdSpool::new(IdKind::Tweet, memory_bytes_max, folder.path());
            found.chunks(7).for_each(|found| spool.tweets(found).unwrap());
            assert_eq!(spool.ids(), 1_001);
            let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
            assert_eq!(spool.text_bytes(), text.len() as u64);
            for (first, count) in [(0, 1_001), (0, 0), (499, 3), (500, 501), (1_000, 1), (1_001, 0)]
            {
                let expected = &ids[first..first + count];
                assert_eq!(spool.read(first as u64, count as u64).unwrap(), expected);
            }
        }
    }
}
