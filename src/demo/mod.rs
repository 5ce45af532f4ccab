//! Made-up tweets for the demo, the tests and the benches: as rich as real ones, and invented to
//! the last word. The same seed makes the same bytes. What the demo does with them is in
//! `cli/demo.rs`.

pub(crate) mod chance;
mod content;
mod json;
mod people;
mod tweets;
mod v1;
mod v2;
mod words;

pub use tweets::{MadeUp, Maker, stream, write_v1, write_v2_flat, write_v2_pages};
