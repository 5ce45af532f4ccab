//! The command line: one file a command, and the only room that prints.
//!
//! Data goes to stdout, messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage,
//! 3 done, but some records were damaged or suspect.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod audit;
mod common;
mod compliance;
mod config;
mod dataset;
mod deliveries;
mod demo;
mod demo_data;
mod document;
mod command_books;
mod entity;
mod exemption;
mod export;
mod identity;
mod hydrate;
mod hydrate_show;
mod id_input;
mod instance;
mod invitation;
mod join;
mod key;
mod ledger;
mod migrate;
mod permission;
mod person;
mod policy;
mod progress;
mod reach;
mod registration;
mod removal;
mod report;
mod serve;
mod session;
mod share;
mod show;
mod signing;
mod strip;
mod strip_paths;
mod strip_report;
mod strip_target;
mod strip_writer;
mod upkeep;
mod usage;
mod use_case;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

pub(crate) use self::common::{
    Common, existing_folder, folder, notary, place, releases, start_log,
};

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
    Serve(serve::Arguments),
    Strip(strip::Arguments),
    Demo(demo::Arguments),
    /// Build releases of IDs and enter them as datasets
    #[command(subcommand)]
    Dataset(dataset::Command),
    /// Put lists of what must no longer be distributed in force
    #[command(subcommand)]
    Removal(removal::Command),
    /// Check and show the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Enter and look at entities, the organisations that are metered
    #[command(subcommand)]
    Entity(entity::Command),
    /// Enter and look at people, who belong to entities
    #[command(subcommand)]
    Person(person::Command),
    /// Decide about people who registered
    #[command(subcommand)]
    Registration(registration::Command),
    /// Look at the browsers in which people have signed in, and end their sessions
    #[command(subcommand)]
    Session(session::Command),
    /// Issue and revoke API keys
    #[command(subcommand)]
    Key(key::Command),
    /// Apply for academic exemptions and decide about them
    #[command(subcommand)]
    Exemption(exemption::Command),
    /// Enter written permissions of the platform, which raise a ceiling while they are valid
    #[command(subcommand)]
    Permission(permission::Command),
    /// Make links for reviewers, look at what they were used for, and end them
    #[command(subcommand)]
    Share(share::Command),
    /// Look at the files of full objects that people asked for, and end one
    #[command(subcommand)]
    Export(export::Command),
    /// Look at the documents that everybody accepts, and publish new versions
    #[command(subcommand)]
    Document(document::Command),
    /// Look at the numbers in force, and change them
    #[command(subcommand)]
    Policy(policy::Command),
    /// Sign, export and verify the audit log, and print receipts
    #[command(subcommand)]
    Audit(audit::Command),
    /// Look at the ledger as a whole, and thaw it
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// List the gateways on one database, and end one that never returns
    #[command(subcommand)]
    Instance(instance::Command),
    Hydrate(hydrate::Arguments),
    /// Ask the platform in batches which IDs are gone
    #[command(subcommand)]
    Compliance(compliance::Command),
    Migrate(migrate::Arguments),
    /// Show who received what, the newest first
    Deliveries(deliveries::Arguments),
    /// Tell what went to an entity under which basis, as a table, CSV or PDF
    Report(report::Arguments),
    /// Show what an entity has used, what is left, and when how much returns
    Usage(usage::Arguments),
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
        // Whoever reads has read enough, as in `hydrant key list | head -1`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hydrant: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<Done> {
    let common = &arguments.common;
    match arguments.command {
        Command::Strip(arguments) => strip::run(common, &arguments),
        Command::Demo(arguments) => demo::run(common, arguments),
        Command::Dataset(command) => dataset::run(common, command),
        Command::Removal(command) => removal::run(common, command),
        Command::Config(command) => config::run(common, command),
        Command::Entity(command) => entity::run(common, command),
        Command::Person(command) => person::run(common, command),
        Command::Registration(command) => registration::run(common, command),
        Command::Session(command) => session::run(common, command),
        Command::Key(command) => key::run(common, command),
        Command::Exemption(command) => exemption::run(common, command),
        Command::Permission(command) => permission::run(common, command),
        Command::Share(command) => share::run(common, command),
        Command::Export(command) => export::run(common, command),
        Command::Document(command) => document::run(common, command),
        Command::Policy(command) => policy::run(common, command),
        Command::Audit(command) => audit::run(common, command),
        Command::Ledger(command) => ledger::run(common, command),
        Command::Deliveries(arguments) => deliveries::run(common, arguments),
        Command::Report(arguments) => report::run(common, arguments),
        Command::Usage(arguments) => usage::run(common, arguments),
        Command::Instance(command) => instance::run(common, command),
        Command::Migrate(arguments) => migrate::run(common, arguments),
        Command::Hydrate(arguments) => hydrate::run(common, arguments),
        Command::Compliance(command) => compliance::run(common, command),
        Command::Serve(arguments) => serve::run(common, arguments),
    }
}

/// Ends the program as the parser of the command line does: with usage, and exit code 2.
fn wrong_usage(message: &str) -> ! {
    Arguments::command().error(ErrorKind::ArgumentConflict, message).exit()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let cause = cause.downcast_ref::<std::io::Error>();
        cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
