//! The rule as arithmetic: numbers of a profile, the trailing window, ledger time, decisions.
//!
//! Everything here is a pure function of its arguments: no store, no clock, no HTTP. What is
//! decided is written down and carried out by `ledger`.

pub mod access_level;
pub mod decision;
pub mod document;
pub mod link;
pub mod profile;
pub mod time;
pub mod title;
pub mod window;

pub use access_level::{AccessLevel, Lookups, UpstreamNumbers};
pub use decision::{Basis, CredentialEnd, Level, Part, Recipient, Refusal, Unit, Verdict};
pub use document::Document;
pub use link::LinkEnd;
pub use profile::{ChunkSize, Count, ExemptionRule, Profile, ProfileError};
pub use time::LedgerTime;
pub use title::{Entitlement, Exempted, Permitted, Titles};
pub use window::{Return, Window};
