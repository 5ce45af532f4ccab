//! A delivery under way: what was ordered, and how far it has come.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Ledger;
use super::admit::Further;
use super::grant::{Chunk, Content};
use super::queue::Step;
use super::values::Values;
use crate::base::delivery::DeliveryId;
use crate::base::gaps::Gaps;
use crate::base::ids::IdKind;
use crate::base::party::{Credential, PersonId};
use crate::policy::{ChunkSize, Profile};
use crate::store::{StoreError, Tx};

/// What a requester asks for. Whom it is charged to is not said here: the ledger looks up the
/// person's entities itself, in each transaction anew.
#[derive(Clone, Debug)]
pub struct Order {
    /// Who asks; of a link, who made it.
    pub person: PersonId,
    /// By which key, session or link, whose end is the end of the delivery.
    pub credential: Option<Credential>,
    /// Which kind of ID.
    pub kind: IdKind,
    /// Which IDs.
    pub ordered: Ordered,
    /// What those IDs are; asked only where an ID counts once. Where nobody can tell, each counts
    /// each time.
    pub values: Option<Arc<dyn Values>>,
}

/// Which IDs are ordered, and what is known of them beforehand.
#[derive(Clone, Debug)]
pub enum Ordered {
    /// IDs of an immutable release, which stands for them: the ledger cuts their chunks itself.
    Release {
        /// Of which dataset.
        dataset: i64,
        /// Of which of its releases.
        release: Arc<str>,
        /// Which of the release's IDs; at least one that is not left out.
        ordinals: Range<u64>,
        /// Which representation they are a part of, so that a resumed range can be compared.
        view: String,
        /// What is left out of the release. No chunk is granted once that is not in force.
        gaps: Arc<Gaps>,
    },
    /// IDs of a request's body, all counted: they are admitted together and held for.
    Body {
        /// Which of the body's IDs are left; at least those of the parcel.
        ordinals: Range<u64>,
        /// The version of the removals without which they were spooled.
        removals: i64,
        /// The first of them.
        next: Parcel,
    },
    /// IDs of a source that is stripped in flight. Nobody knows how many there are, so nothing is
    /// held, and each parcel must fit by itself.
    Stream {
        /// Of which dataset.
        dataset: i64,
        /// Which view of the source they are counted in, so that a resumed one can be compared.
        view: String,
        /// The version of the removals that its IDs are without.
        removals: i64,
        /// The ordinal of the parcel's first ID.
        first: u64,
        /// The parcel.
        next: Parcel,
    },
}

/// IDs that no release stands for: so many, and the digest of their text, one a line.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// How many; at least one.
    pub ids: u64,
    /// The SHA-256 of the bytes that are sent for them.
    pub sha256: [u8; 32],
    /// What they are, by their ordinals in the body or stream; asked only where an ID counts once.
    pub values: Arc<dyn Values>,
}

impl Ordered {
    /// Of which dataset; a body belongs to none.
    pub(super) fn dataset(&self) -> Option<i64> {
        match self {
            Ordered::Release { dataset, .. } | Ordered::Stream { dataset, .. } => Some(*dataset),
            Ordered::Body { .. } => None,
        }
    }

    /// The ordinals that are asked for now, as far as they are known.
    pub(super) fn ordinals(&self) -> Range<u64> {
        match self {
            Ordered::Release { ordinals, .. } | Ordered::Body { ordinals, .. } => ordinals.clone(),
            Ordered::Stream { first, next, .. } => *first..*first + next.ids,
        }
    }

    /// Where the ordinals end for good, if that is known.
    pub(super) fn end(&self) -> Option<u64> {
        match self {
            Ordered::Release { ordinals, .. } | Ordered::Body { ordinals, .. } => {
                Some(ordinals.end)
            }
            Ordered::Stream { .. } => None,
        }
    }

    /// Which view the ordinals count in; empty where there is only one.
    pub(super) fn view(&self) -> &str {
        match self {
            Ordered::Release { view, .. } | Ordered::Stream { view, .. } => view,
            Ordered::Body { .. } => "",
        }
    }

    /// What is left out of it.
    pub(super) fn gaps(&self) -> Arc<Gaps> {
        match self {
            Ordered::Release { gaps, .. } => Arc::clone(gaps),
            Ordered::Body { .. } | Ordered::Stream { .. } => Gaps::none(),
        }
    }

    /// How many IDs are asked for now, as far as they are known.
    pub(super) fn ids(&self) -> u64 {
        self.gaps().ids_kept(&self.ordinals())
    }

    /// The first part of what is asked for now, of about that many IDs and at least one.
    pub(super) fn cut(&self, ids: u64) -> Range<u64> {
        self.gaps().cut(&self.ordinals(), ids)
    }

    /// Whether nothing more was removed, and nothing restored, since what is asked for was put
    /// together. One look, in the transaction that would grant it.
    pub(super) fn is_current(&self, tx: &Tx<'_>, kind: IdKind) -> Result<bool, StoreError> {
        Ok(match self {
            _ if kind == IdKind::Dm => true,
            Ordered::Release { release, gaps, .. } => {
                tx.view_version(release, kind)? == gaps.version()
            }
            Ordered::Body { removals, .. } | Ordered::Stream { removals, .. } => {
                tx.removal_version()? == *removals
            }
        })
    }

    /// How many IDs the chunk with that number has, if it is a small one.
    pub(super) fn small_chunk_ids(&self, profile: &Profile, number: u32) -> u64 {
        match self {
            Ordered::Release { .. } => profile.chunk_ids(ChunkSize::Small, number),
            Ordered::Body { next, .. } | Ordered::Stream { next, .. } => next.ids,
        }
    }

    /// The chunk with that number: the ledger cuts it in the size that suits the recipients, or it
    /// is the parcel.
    ///
    /// # Panics
    /// If a parcel is empty, or larger than parcels or what is left may be.
    pub(super) fn chunk(
        &self,
        kind: IdKind,
        profile: &Profile,
        size: ChunkSize,
        number: u32,
    ) -> Chunk {
        let asked = self.ordinals();
        let (ordinals, content) = match self {
            Ordered::Release { release, .. } => {
                let ordinals = self.cut(profile.chunk_ids(size, number));
                (ordinals, Content::Release(Arc::clone(release)))
            }
            Ordered::Body { next, .. } | Ordered::Stream { next, .. } => {
                let ids_max = profile.chunk_ids(ChunkSize::Small, number);
                assert!((1..=ids_max).contains(&next.ids), "a parcel has the size of a chunk");
                (asked.start..asked.start + next.ids, Content::Sha256(next.sha256))
            }
        };
        assert!(ordinals.end <= asked.end, "no more is charged than was asked for");
        Chunk { kind, content, ordinals, gaps: self.gaps() }
    }

    /// What is left behind a chunk.
    pub(super) fn pass(&mut self, chunk: &Chunk) {
        match self {
            Ordered::Release { ordinals, .. } | Ordered::Body { ordinals, .. } => {
                ordinals.start = chunk.ordinals.end;
            }
            Ordered::Stream { first, next, .. } => {
                *first = chunk.ordinals.end;
                next.ids = 0;
            }
        }
    }

    /// Puts the parcel in that is asked for next.
    ///
    /// # Panics
    /// For a release, whose chunks the ledger cuts.
    pub(super) fn ask_for(&mut self, parcel: Parcel) {
        match self {
            Ordered::Release { .. } => panic!("the chunks of a release are no parcels"),
            Ordered::Body { next, .. } | Ordered::Stream { next, .. } => *next = parcel,
        }
    }
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was handed over.
    Complete,
    /// Not everything was.
    Broken {
        /// Why, for people.
        reason: String,
    },
}

/// A delivery under way. It ends by [`Ledger::end`]; one that is dropped ends as broken.
#[must_use = "a delivery that is dropped is broken"]
pub struct Delivery {
    pub(super) ledger: Ledger,
    pub(super) further: Further,
    pub(super) has_ceiling: bool,
    pub(super) ended: bool,
}

impl Delivery {
    /// Its number, which the answer names.
    pub fn id(&self) -> DeliveryId {
        self.further.attempt.delivery
    }

    /// Whether somebody who is charged has a ceiling, as of the newest chunk: then chunks are
    /// small, and the socket's buffers should be.
    pub fn has_ceiling(&self) -> bool {
        self.has_ceiling
    }

    /// Which ordinals are admitted and have no charge yet; those of a stream are admitted parcel by
    /// parcel.
    pub fn rest(&self) -> Range<u64> {
        self.further.ordered.ordinals()
    }

    /// How many IDs the next parcel of this delivery may have at most.
    ///
    /// Parcels are always small, also without a ceiling: they wait in memory, and their commits
    /// are not what holds a strip up.
    pub fn parcel_ids_max(&self) -> u64 {
        self.ledger.profile().chunk_ids(ChunkSize::Small, self.further.attempt.number)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Delivery")
            .field("id", &self.id())
            .field("ordered", &self.further.ordered)
            .finish()
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if !self.ended {
            let outcome = Outcome::Broken { reason: "the connection ended".into() };
            self.ledger.push(Step::End { delivery: self.id(), outcome });
        }
    }
}
