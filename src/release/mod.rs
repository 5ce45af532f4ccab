//! A release: one immutable version of a dataset on disk, as `schema/release.md` describes it.
//! Found here: building, opening, reading and checking one. Not found here: who may read it, and
//! how much; a [`View`] gives its bytes only for what the ledger has granted.

mod authors;
mod blocks;
mod build;
mod column;
mod draft;
mod error;
mod manifest;
mod open;
mod places;
mod table;
#[cfg(test)]
mod tests;
mod verify;
mod view;
mod writer;

pub use authors::Authors;
pub use build::{Built, Objects, Spec, build};
pub use column::Column;
pub use error::ReleaseError;
pub use manifest::{
    BlocksEntry, ColumnEntry, FORMAT, FileEntry, Manifest, Private, PrivateEntry, SourceEntry,
};
pub use open::Release;
pub use places::Places;
pub use table::{BLOCK_BYTES_MAX, BLOCK_IDS};
pub use verify::verify;
pub use view::View;
