//! IDs that stand in no release: stripped from a request's body or from an upstream, on their way
//! through. Where the bytes come from and where the IDs go is not said here.
//!
//! The story: whoever has the bytes sends them into a pipe. A thread of its own strips them. The
//! IDs of a body are spooled, because only its end tells how many there are and which are deleted;
//! those of a stream are handed on at once, as far as somebody takes them. Either way they leave
//! this room as [`Sealed`] parcels: texts that are opened with a grant for exactly these bytes.

mod body;
mod error;
mod parcels;
mod report;
mod sealed;
mod stream;

pub use body::{Body, Stripping, strip_body};
pub use error::StripError;
pub use parcels::Parcels;
pub use report::Report;
pub use sealed::Sealed;
pub use stream::{Feed, stream};

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::ids::IdKind;
use crate::pipeline::{Bounds, KindSet, Order, Strip};
pub use crate::pipeline::{Damage, Distinct, Gone, Pipe, Removed, Scope};

/// The memory of one strip for its spools, in bytes: many may run at once.
const MEMORY_BYTES_MAX: usize = 8 << 20;

/// What is wanted of a source.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Which kind of IDs.
    pub kind: IdKind,
    /// How far from each record they are looked for.
    pub scope: Scope,
    /// What becomes of an ID that was there before; a stream keeps all.
    pub distinct: Distinct,
    /// What a damaged record does.
    pub damage: Damage,
    /// Which IDs must not be handed out.
    pub without: Without,
    /// Where spools go that outgrow memory, as files without names.
    pub spool_folder: PathBuf,
}

/// Which IDs must not be handed out.
#[derive(Clone, Debug)]
pub struct Without {
    /// The version of the removals that they are at least of; what comes later is noticed when
    /// the IDs are charged.
    pub version: i64,
    /// Who knows them; nobody: there are none.
    pub removed: Option<Arc<dyn Removed>>,
}

impl Wish {
    fn strip(&self, order: Order) -> Strip {
        Strip {
            scope: self.scope,
            order,
            distinct: self.distinct,
            damage: self.damage,
            removed: self.without.removed.clone(),
            spool_folder: self.spool_folder.clone(),
            memory_bytes_max: MEMORY_BYTES_MAX,
            bounds: Bounds::NARROW,
            ..Strip::of(KindSet::only(self.kind))
        }
    }
}

#[cfg(test)]
mod tests;
