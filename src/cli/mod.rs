//! The command line: one file a command, and the only room that prints.
//!
//! Data goes to stdout, messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage,
//! 3 done, but some records were damaged or suspect.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod common;
mod strip;
mod strip_report;
mod strip_writer;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

pub(crate) use self::common::{Common, start_log};

/// A metered gateway for datasets of tweets: strips them to IDs and keeps the limit.
#[derive(Parser)]
#[command(name = "hydrant", version, propagate_version = true, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Strip(strip::Arguments),
}

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
    let common = arguments.common;
    match arguments.command {
        Command::Strip(arguments) => strip::run(&common, &arguments),
    }
}

/// Ends the program as the parser of the command line does: with usage, and exit code 2.
fn wrong_usage(message: &str) -> ! {
    Arguments::command().error(ErrorKind::ArgumentConflict, message).exit()
}
