//! A parcel of IDs as text that nobody gets at without a grant for exactly these bytes.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::base::ids::IdKind;
use crate::ledger::{Chunk, Content, Granted, Parcel};
use crate::pipeline::encode::txt;

/// IDs, one a line, that wait for their grant.
#[derive(Debug)]
pub struct Sealed {
    kind: IdKind,
    text: Bytes,
    parcel: Parcel,
}

impl Sealed {
    /// Seals these IDs; at least one.
    pub(super) fn new(kind: IdKind, ids: &[u64]) -> Sealed {
        assert!(!ids.is_empty(), "a parcel holds at least one ID");
        let mut text = Vec::with_capacity(ids.len() * 20);
        ids.iter().for_each(|&id| txt::push(&mut text, id));
        let parcel = Parcel { ids: ids.len() as u64, sha256: Sha256::digest(&text).into() };
        Sealed { kind, text: text.into(), parcel }
    }

    /// What the ledger has to grant.
    pub fn parcel(&self) -> Parcel {
        self.parcel
    }

    /// Two parcels: the first `ids` IDs and the others; neither may be empty.
    pub fn split(self, ids: u64) -> (Sealed, Sealed) {
        assert!((1..self.parcel.ids).contains(&ids), "both parts of a parcel hold IDs");
        let last = usize::try_from(ids).expect("a parcel is in memory") - 1;
        let end = memchr::memchr_iter(b'\n', &self.text).nth(last).expect("one ID a line") + 1;
        let part = |text: Bytes, ids| {
            let sha256 = Sha256::digest(&text).into();
            Sealed { kind: self.kind, text, parcel: Parcel { ids, sha256 } }
        };
        let rest_ids = self.parcel.ids - ids;
        (part(self.text.slice(..end), ids), part(self.text.slice(end..), rest_ids))
    }

    /// The text.
    ///
    /// # Panics
    /// If the grant is for another text: only our bug asks for what was not charged.
    pub fn unseal(self, granted: &Granted<Chunk>) -> Bytes {
        let chunk = granted.chunk();
        let Parcel { ids, sha256 } = self.parcel;
        assert_eq!(
            (chunk.kind, chunk.ids(), &chunk.content),
            (self.kind, ids, &Content::Sha256(sha256)),
            "a grant for one parcel was shown to another"
        );
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_is_split_between_ids() {
        let ids = [20, 1_610_000_000_000_000_000, 21];
        for first in [1, 2] {
            let (one, other) = Sealed::new(IdKind::Tweet, &ids).split(first);
            let (before, after) = ids.split_at(usize::try_from(first).unwrap());
            for (part, ids) in [(one, before), (other, after)] {
                assert_eq!(part.parcel(), Sealed::new(IdKind::Tweet, ids).parcel());
            }
        }
    }
}
