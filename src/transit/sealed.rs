//! A parcel of IDs as text that nobody gets at without a grant for exactly these bytes.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::base::ids::{IdKind, parse_digits};
use crate::ledger::{Chunk, Content, Granted, Parcel, Values};
use crate::pipeline::encode::txt;

/// IDs, one a line, that wait for their grant.
#[derive(Debug)]
pub struct Sealed {
    kind: IdKind,
    lines: Lines,
    ids: u64,
    sha256: [u8; 32],
}

/// The IDs of a parcel, one a line, and the ordinal of the first.
#[derive(Clone, Debug)]
struct Lines {
    first: u64,
    text: Bytes,
}

impl Values for Lines {
    fn read(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
        let skipped = usize::try_from(ordinals.start - self.first).map_err(io::Error::other)?;
        let wanted = usize::try_from(ordinals.end - ordinals.start).map_err(io::Error::other)?;
        let lines = self.text.split(|byte| *byte == b'\n').skip(skipped).take(wanted);
        lines.map(|line| parse_digits(line).map_err(io::Error::other)).collect()
    }
}

impl Sealed {
    /// Seals these IDs, at least one, of which the first has that ordinal.
    pub(super) fn new(kind: IdKind, first: u64, ids: &[u64]) -> Sealed {
        let mut text = Vec::with_capacity(ids.len() * 20);
        ids.iter().for_each(|&id| txt::push(&mut text, id));
        Sealed::of(kind, Lines { first, text: text.into() }, ids.len() as u64)
    }

    fn of(kind: IdKind, lines: Lines, ids: u64) -> Sealed {
        assert!(ids > 0, "a parcel holds at least one ID");
        let sha256 = Sha256::digest(&lines.text).into();
        Sealed { kind, lines, ids, sha256 }
    }

    /// How many IDs there are.
    pub fn ids(&self) -> u64 {
        self.ids
    }

    /// What the ledger has to grant.
    pub fn parcel(&self) -> Parcel {
        let values = Arc::new(self.lines.clone());
        Parcel { ids: self.ids, sha256: self.sha256, values }
    }

    /// Two parcels: the first `ids` IDs and the others; neither may be empty.
    pub fn split(self, ids: u64) -> (Sealed, Sealed) {
        let Lines { first, text } = self.lines;
        assert!((1..self.ids).contains(&ids), "both parts of a parcel hold IDs");
        let last = usize::try_from(ids).expect("a parcel is in memory") - 1;
        let end = memchr::memchr_iter(b'\n', &text).nth(last).expect("one ID a line") + 1;
        let before = Lines { first, text: text.slice(..end) };
        let after = Lines { first: first + ids, text: text.slice(end..) };
        (Sealed::of(self.kind, before, ids), Sealed::of(self.kind, after, self.ids - ids))
    }

    /// The text.
    ///
    /// # Panics
    /// If the grant is for another text: only our bug asks for what was not charged.
    pub fn unseal(self, granted: &Granted<Chunk>) -> Bytes {
        let chunk = granted.chunk();
        assert_eq!(
            (chunk.kind, chunk.ids(), &chunk.content),
            (self.kind, self.ids, &Content::Sha256(self.sha256)),
            "a grant for one parcel was shown to another"
        );
        self.lines.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_is_split_between_ids() {
        let ids = [20, 1_610_000_000_000_000_000, 21];
        for first in [1, 2] {
            let (one, other) = Sealed::new(IdKind::Tweet, 7, &ids).split(first);
            let (before, after) = ids.split_at(usize::try_from(first).unwrap());
            for (part, ordinal, ids) in [(one, 7, before), (other, 7 + first, after)] {
                let whole = Sealed::new(IdKind::Tweet, ordinal, ids);
                assert_eq!((part.ids(), part.sha256), (whole.ids(), whole.sha256));
                let end = ordinal + part.ids();
                assert_eq!(part.parcel().values.read(ordinal..end).unwrap(), ids);
                assert_eq!(part.parcel().values.read(end - 1..end).unwrap(), ids[ids.len() - 1..]);
            }
        }
    }
}
