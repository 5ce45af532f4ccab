//! The rows of every table, one noun a file, with the statements that read and write them. A
//! statement is written once and understood by every engine; what is put together from them is
//! decided by `ledger` and `directory`.

pub(super) mod checkpoint;
pub(super) mod carry;
pub(super) mod commitment;
pub(super) mod dataset;
pub(super) mod delivery;
pub(super) mod document;
pub(super) mod download;
pub(super) mod entity;
pub(super) mod entity_mark;
pub(super) mod erasure;
pub(super) mod exemption;
pub(super) mod freeze;
pub(super) mod hold;
pub(super) mod instance;
pub(super) mod identity;
pub(super) mod invitation;
pub(super) mod join;
pub(super) mod journal;
pub(super) mod key;
pub(super) mod letter;
pub(super) mod ledger_clock;
pub(super) mod membership;
pub(super) mod meter;
pub(super) mod notice;
pub(super) mod open_charge;
pub(super) mod permission;
pub(super) mod person;
pub(super) mod profile;
pub(super) mod reason;
pub(super) mod registration;
pub(super) mod release;
pub(super) mod request;
pub(super) mod secret;
pub(super) mod seen;
pub(super) mod session;
pub(super) mod share;
pub(super) mod sign_in_link;
pub(super) mod staff;
pub(super) mod standing;
pub(super) mod tile;
pub(super) mod use_case;
