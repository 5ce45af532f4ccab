//! hydrant: a gateway that hands out datasets of tweets as metered IDs.

pub mod audit;
pub mod base;
pub mod cli;
pub mod config;
pub mod deliver;
pub mod demo;
pub mod directory;
pub mod http;
pub mod ledger;
pub mod operation;
pub mod pipeline;
pub mod policy;
pub mod release;
pub mod store;
pub mod telemetry;
