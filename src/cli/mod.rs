//! The command line: one file a command, and the only room that prints.
//!
//! Data goes to stdout, messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage,
//! 3 done, but some records were damaged or suspect.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A metered gateway for datasets of tweets: strips them to IDs and keeps the limit.
#[derive(Parser)]
#[command(name = "hydrant", version, propagate_version = true, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(clap::Args)]
pub(crate) struct Common {
    /// The settings file [default: hydrant.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The data folder [default: hydrant-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print JSON for programs instead of tables for people
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Read the time from this file instead of the machine's clocks
    #[cfg(feature = "simulated-clock")]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) clock: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {}

/// How a command ended that did not fail.
pub(crate) enum Done {
    /// Everything was in order.
    Clean,
    /// The work is done, but some records were damaged or suspect.
    WithDamage,
}

/// Parses the command line, runs the command, reports a failure on stderr.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(Done::Clean) => ExitCode::SUCCESS,
        Ok(Done::WithDamage) => ExitCode::from(3),
        Err(error) => {
            eprintln!("hydrant: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<Done> {
    let _common = arguments.common;
    match arguments.command {}
}
