//! `hydrant report`: what went to an entity under which basis.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::reach::operate;
use super::show::{self, Column, count, date, text};
use super::{Common, Done};
use crate::base::date::{begin_ms, end_ms};
use crate::export::file::Options;
use crate::export::report;
use crate::operation::Operation;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The entity
    slug: String,
    /// Only what began on this day or later, in UTC, like 2027-01-01; or a time with its zone
    #[arg(long, value_name = "DATE", value_parser = begin_ms)]
    from: Option<i64>,
    /// Only what began on this day or earlier, in UTC, like 2027-06-30; or before a time
    #[arg(long, value_name = "DATE", value_parser = end_ms)]
    until: Option<i64>,
    /// What the report is printed as
    #[arg(long = "as", value_name = "FORM", value_enum, default_value = "table")]
    form: Form,
    /// Write it to this new file, not to stdout
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Form {
    /// For people at a terminal
    Table,
    /// For programs
    Json,
    /// A row for each delivery
    Csv,
    /// Pages to send and print
    Pdf,
}

const COLUMNS: &[Column] = &[
    date("started", "started"),
    text("person", "person"),
    text("link", "link"),
    text("dataset", "dataset"),
    text("IDs", "ids"),
    count("charged", "charged", ""),
    text("basis", "basis"),
    text("use case", "use_case"),
    text("profile", "profile"),
    text("state", "state"),
    text("delivery", "delivery"),
];

pub(crate) fn run(common: &Common, arguments: Arguments) -> anyhow::Result<Done> {
    let Arguments { slug, from, until, form, output } = arguments;
    let form = if common.json { Form::Json } else { form };
    if form == Form::Pdf && output.is_none() && std::io::stdout().is_terminal() {
        bail!("a terminal shows no PDF: name a file with --output, or send it on");
    }
    if form == Form::Table && output.is_some() {
        bail!("a table is for the terminal: --as csv, pdf or json can be written to a file");
    }
    let answer = operate(common, Operation::Report { slug, from_ms: from, until_ms: until })?;
    let bytes = match form {
        Form::Table => {
            table(&answer)?;
            return Ok(Done::Clean);
        }
        Form::Json => format!("{answer:#}\n").into_bytes(),
        Form::Csv => report::csv(&answer).into_bytes(),
        Form::Pdf => {
            let fonts = common.settings(None)?.export.fonts;
            report::pdf(&answer, &Options { fonts, ..Options::default() })?
        }
    };
    match output {
        None => std::io::stdout().lock().write_all(&bytes)?,
        Some(path) => {
            let named = || format!("cannot write {}", path.display());
            let file = OpenOptions::new().write(true).create_new(true).open(&path);
            file.and_then(|mut file| file.write_all(&bytes)).with_context(named)?;
        }
    }
    Ok(Done::Clean)
}

fn table(answer: &Value) -> anyhow::Result<()> {
    let deliveries = show::list(&answer["deliveries"]);
    if deliveries.is_empty() {
        eprintln!(
            "nothing was delivered to {}: {}",
            show::field(answer, "name"),
            report::span(answer)
        );
        return Ok(());
    }
    show::table(deliveries, COLUMNS)?;
    for sum in report::sums(answer) {
        show::print(&sum)?;
    }
    Ok(())
}
