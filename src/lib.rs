//! hydrant: a gateway that hands out datasets of tweets as metered IDs.
//!
//! # Bird's eye view
//!
//! Somebody holds full tweets and may hand out their IDs only, so many to each organisation in any
//! 30 days. hydrant stands between: it strips a dataset to its IDs once, serves them as often as
//! somebody may have them, and keeps a ledger of what went to whom.
//!
//! There are two planes, and they meet in one place.
//!
//! * The **data plane** turns bytes into IDs and IDs into bytes: [`pipeline`] strips any file, and
//!   [`release`] keeps the result on disk in the very form in which it is sent. No SQL, no HTTP,
//!   no clock.
//! * The **control plane** decides who may take how much: [`policy`] is the arithmetic of the rule,
//!   [`ledger`] the protocol that keeps it, [`directory`] the people, [`audit`] the record,
//!   [`store`] the only room with SQL.
//! * They meet in [`deliver`]: a chunk is granted, read, sent and accounted for. Whoever reads one
//!   file reads this one.
//!
//! # Words
//!
//! entity: the organisation that is metered. person: a human of one or more entities. requester:
//! whoever makes a request. recipient: what a delivery is charged to. delivery: IDs handed to a
//! requester. hold: the part of an allowance that is kept for a delivery under way. window: the
//! trailing 30 days. profile: the set of numbers in force. exemption: a reviewed academic
//! registration. link: what reviewers open without an account, a recipient of its own. dataset: a
//! named collection; release: one version of it, which never changes.
//! An ID has an *ordinal*, its place in a release, counted from 0. removal: an ID or user that must
//! no longer be distributed. view: a release without what is removed.
//!
//! # Code map, from the ground up
//!
//! | room | what is found there |
//! |---|---|
//! | [`base`] | IDs as types, parties, the only clock |
//! | [`policy`] | profile, window, ledger time, decisions: pure functions |
//! | [`store`] | SQLite or PostgreSQL: one writer that groups commits, readers beside it |
//! | [`pipeline`] | source → decode → extract → filter → encode, and the tally of it all |
//! | [`audit`] | the journal's leaves, the tree over them, its signed heads, receipts, a verifier |
//! | [`ledger`] | admit, open, settle, release; the only maker of [`ledger::Granted`] |
//! | [`directory`] | entities, people, keys, documents, exemptions, peer-review links |
//! | [`release`] | a version of a dataset on disk: build, open, views, verify |
//! | [`removal`] | what must no longer be distributed: lists, what they change, who holds it |
//! | [`transit`] | IDs that stand in no release: of a request's body, of an upstream |
//! | [`demo`] | made-up tweets |
//! | [`config`] | settings: one table, all mistakes at once |
//! | [`upstream`] | where datasets come from that are stripped in flight |
//! | `oidc` | asking OpenID providers who somebody is, and believing only what is proved |
//! | [`hydrate`] | full objects and compliance jobs from the platform, and their budgets |
//! | [`export`] | full objects for people, as files: CSV, XLSX, PDF |
//! | [`mail`] | letters that leave by SMTP |
//! | [`operation`] | what an operator may ask for, whoever carries it out |
//! | [`deliver`] | where both planes meet |
//! | [`http`] | the edge towards researchers, and the control socket |
//! | [`cli`] | the edge towards operators; the only room that prints |
//! | [`telemetry`] | the log |
//!
//! # What holds everywhere
//!
//! * No ID leaves without a durable charge: the reader of a release takes a
//!   [`ledger::Granted`], and only a confirmed commit makes one.
//! * An open charge counts in full until somebody proves that it left, or that nothing of it did.
//! * When in doubt the answer is no: a store, clock or profile that cannot be asked grants nothing.
//! * Nothing in memory grants anything. A cache may say where bytes lie, never who may have them.
//! * No number of the policy is a constant: numbers stand in `schema/profiles`.
//! * Nothing that decides comes from the client.
//! * Arrows between rooms point one way; `tests/house.rs` holds the table.

pub mod base;
pub mod policy;
pub mod store;
pub mod pipeline;
pub mod audit;
pub mod ledger;
pub mod directory;
pub mod release;
pub mod removal;
pub mod transit;
pub mod demo;
pub mod config;
pub mod upstream;
#[cfg(feature = "oidc")]
pub mod oidc;
pub mod hydrate;
pub mod export;
pub mod mail;
pub mod operation;
pub mod deliver;
pub mod http;
pub mod cli;
pub mod telemetry;
