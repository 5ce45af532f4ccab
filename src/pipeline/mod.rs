//! The data plane: bytes to IDs to bytes, `source → decode → extract → filter → encode`.
//!
//! Synchronous, no SQL, no HTTP, no clock. [`Strip`] is the whole of it. No stage knows another:
//! `run` and `reader` alone know them all. A thread reads and decodes, with some to unpack beside
//! it where the compression allows; a `crew` extracts, or the caller's thread if there is none; the
//! caller's filters. A few buffers go round between them, so memory does not grow with the input.

mod blocks;
mod bounds;
mod buffer;
mod bystander;
mod crew;
mod decode;
pub mod encode;
mod extract;
mod filter;
mod found;
mod id_spool;
mod lines;
mod reader;
mod reading;
mod reason;
mod removed;
mod replay;
mod run;
mod sample;
mod source;
mod tally;
mod turns;
mod wants;

pub use blocks::{BlockReader, Blocks, Packing};
pub use bounds::{BOUNDS, Bound, Bounds, NotABound};
pub use crew::cores;
pub use decode::{CODECS, Codec};
pub(crate) use extract::list_id;
pub use extract::{FORMATS, Format, format};
pub use found::{Found, Outlet, Place, Rejected, Unwatched, Watch};
pub use id_spool::IdSpool;
pub use lines::{Line, TakeLine, lines};
pub use reason::{Gravity, Reason};
pub use removed::Removed;
pub use replay::Replay;
pub use source::{Files, Gone, NotFound, Pipe, Piped, Source, files_at, pipe, sources_at};
pub use tally::{IdTally, ReasonPlace, ReasonTally, SourceTally, Tally, Written};
pub use wants::{Columns, Damage, Distinct, KindSet, Order, Scope};

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::ids::IdKind;

/// The memory that a strip uses for its spools where nothing else is said, in bytes.
pub const MEMORY_BYTES_MAX: usize = 24 << 20;

/// What a strip is to do: a dataset of full tweets in, its IDs out.
#[derive(Clone, Debug)]
pub struct Strip {
    /// The kinds of IDs that are wanted.
    pub ids: KindSet,
    /// How far from a record they are looked for.
    pub scope: Scope,
    /// The only format of all sources; told from content if absent.
    pub format: Option<&'static Format>,
    /// The kind of bare lists, which tell none.
    pub declared: Option<IdKind>,
    /// When IDs are handed out.
    pub order: Order,
    /// What becomes of an ID that was there before.
    pub distinct: Distinct,
    /// What a damaged record does.
    pub damage: Damage,
    /// The time of the strip in milliseconds UTC, after which no ID can be; none: nobody knows.
    pub now_ms: Option<i64>,
    /// Who knows which IDs must not be handed out; nobody: all may be.
    pub removed: Option<Arc<dyn Removed>>,
    /// Which columns go with each ID.
    pub columns: Columns,
    /// Where spools go that outgrow memory, as files without names.
    pub spool_folder: PathBuf,
    /// The memory for spools, in bytes; buffers and the codec's window come on top.
    pub memory_bytes_max: usize,
    /// How much of a source it puts up with.
    pub bounds: Bounds,
    /// How many threads extract, and how many unpack: blocks that can be unpacked beside each
    /// other, and up to four small files before their turn. What comes out is the same for any
    /// number. Each holds some blocks of half a mebibyte, and one that unpacks up to 12 MiB, or
    /// the codec's window. One: the caller's own.
    pub threads: usize,
}

impl Strip {
    /// A strip of `ids` as people expect it: own scope, formats told, deletes honoured.
    pub fn of(ids: KindSet) -> Strip {
        Strip {
            ids,
            scope: Scope::Own,
            format: None,
            declared: ids.single(),
            order: Order::Spooled,
            distinct: Distinct::KeepAll,
            damage: Damage::Report,
            now_ms: None,
            removed: None,
            columns: Columns::IdsOnly,
            spool_folder: std::env::temp_dir(),
            memory_bytes_max: MEMORY_BYTES_MAX,
            bounds: Bounds::WIDE,
            threads: 1,
        }
    }

    /// Reads all `sources` in order and hands their IDs to `outlet`.
    ///
    /// # Errors
    /// [`PipelineError`] says which, and at which source. Damaged records are no error, but are
    /// in the tally, unless the strip refuses them.
    ///
    /// # Panics
    /// If nothing is wanted, or distinct IDs of a stream are.
    pub fn run(
        &self,
        sources: &[Source],
        outlet: &mut dyn Outlet,
        watch: &dyn Watch,
    ) -> Result<Tally, PipelineError> {
        assert!(!self.ids.is_empty(), "a strip wants IDs of at least one kind");
        assert!(
            self.order == Order::Spooled || self.distinct == Distinct::KeepAll,
            "distinct IDs need the spool: only the end tells what came before"
        );
        run::run(self, sources, outlet, watch)
    }
}

/// Why a strip failed.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// A source cannot be opened.
    #[error("cannot open {name}")]
    Open {
        /// The source's name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A source cannot be read to its end.
    #[error("cannot read {name} on from byte {byte}")]
    Read {
        /// The source's name.
        name: String,
        /// How far it was read, in bytes.
        byte: u64,
        /// What the system said.
        source: io::Error,
    },
    /// A source passes a bound of decompression.
    #[error("will not read {name} any further: {bound}")]
    Bound {
        /// The source's name.
        name: String,
        /// Which bound.
        bound: String,
    },
    /// A bare list, and several kinds are wanted.
    #[error(
        "{name} is a bare list of numbers, which may be Tweet, User or DM IDs: \
         ask for exactly one kind to say which"
    )]
    KindUndeclared {
        /// The source's name.
        name: String,
    },
    /// A damaged record, and the strip refuses damage.
    #[error("{name}, line {line}, byte {byte}: {}", reason.says())]
    Damaged {
        /// The source's name.
        name: String,
        /// Line of the decoded source, from 1.
        line: u64,
        /// Byte of the decoded source, from 0.
        byte: u64,
        /// Why.
        reason: Reason,
    },
    /// IDs cannot be written or spooled.
    #[error("cannot write IDs out")]
    Write {
        /// What the system said.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests;
