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
