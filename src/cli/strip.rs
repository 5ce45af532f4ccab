//! `hydrant strip`: full tweets in, IDs out, and a report of what fell out and why.
//! IDs go to stdout or a file; the report goes to stderr, for people or with `--json`.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::builder::PossibleValuesParser;

use super::progress::Bar;
use super::strip_paths::{self, Written};
use super::strip_report;
use super::strip_target::Target;
use super::strip_writer::Writer;
use super::{Common, Done};
use crate::base::ids::IdKind;
use crate::pipeline::encode::{OUTPUTS, PACKINGS, Packing, output};
use crate::pipeline::{
    BOUNDS, Bounds, Damage, Distinct, FORMATS, KindSet, Order, PipelineError, Removed, Scope,
    Source, Strip, Tally, Unwatched, cores, format, sources_at,
};
use crate::removal::{self, Listed};

/// Strip datasets of full tweets to their IDs
///
/// Reads JSON lines, response pages, arrays, Activity Streams, DM events, account archives, CSV,
/// Parquet and ID lists, plain, packed by gzip, bzip2, zstd or xz, and in zip, tar or WARC files,
/// and tells which by their content. The IDs go to stdout, a report to stderr. Exit status:
/// 0 clean, 1 failed, 2 wrong usage, 3 done, but some records were damaged or are suspect.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// What to read: files, folders, patterns; `-` is stdin [default: stdin]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Which kind of IDs; a bare list of numbers is taken to be of this kind
    #[arg(long, value_name = "KIND", default_value = "tweet", value_parser = ids_words())]
    ids: String,
    /// How far from each record to look: itself, full objects inside it, all that it names
    #[arg(long, value_name = "SCOPE", default_value = "own", value_parser = scope_words())]
    scope: String,
    /// The form of the output
    #[arg(long = "as", value_name = "FORM", default_value = "txt", value_parser = output_words())]
    form: String,
    /// Pack the output [default: as the name of the file after --output says: .gz, .zst]
    #[arg(long, value_name = "HOW", value_parser = packing_words())]
    pack: Option<String>,
    /// Write each ID once, where it stands first
    #[arg(long, conflicts_with = "stream")]
    distinct: bool,
    /// Write at once instead of at the end: a delete then counts only for what comes after it
    #[arg(long)]
    stream: bool,
    /// Leave out what this list removes, as `hydrant removal import` reads it
    #[arg(long, value_name = "FILE")]
    removals: Option<PathBuf>,
    /// Take everything for this format instead of telling it from content
    #[arg(long, value_name = "NAME", value_parser = format_words())]
    format: Option<String>,
    /// Fail at the first damaged record, and if IDs of a column look rounded
    #[arg(long)]
    strict: bool,
    /// Set a bound on what a source may take, such as `swelling=2000`
    #[arg(long = "bound", value_name = "NAME=VALUE", long_help = bounds_help())]
    bounds: Vec<String>,
    /// Write the report as JSON; `-` is stdout, if the IDs go elsewhere
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the place and the reason of each record that was not used, never its text
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// How many threads look for IDs and unpack; the same comes out for any number [default: one
    /// a core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Where to write; only a complete result replaces the file [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn bounds_help() -> String {
    let mut help =
        "Set a bound on what a source may take. The bounds, with their defaults:\n".to_owned();
    for bound in BOUNDS {
        help += &format!("- {}={}: {}\n", bound.name, (bound.get)(&Bounds::WIDE), bound.says);
    }
    help
}

fn ids_words() -> PossibleValuesParser {
    PossibleValuesParser::new(IdKind::ALL.map(IdKind::word))
}

fn scope_words() -> PossibleValuesParser {
    PossibleValuesParser::new(Scope::ALL.map(Scope::word))
}

fn output_words() -> PossibleValuesParser {
    PossibleValuesParser::new(OUTPUTS.iter().map(|output| output.name))
}

fn packing_words() -> PossibleValuesParser {
    PossibleValuesParser::new(PACKINGS.iter().map(|packing| packing.name))
}

fn format_words() -> PossibleValuesParser {
    PossibleValuesParser::new(
        FORMATS
            .iter()
            .map(|format| clap::builder::PossibleValue::new(format.name).help(format.says)),
    )
}

/// Runs the command.
pub(super) fn run(common: &Common, arguments: &Arguments) -> anyhow::Result<Done> {
    let to_stdout = arguments.output.as_deref().is_none_or(is_dash);
    if to_stdout && arguments.report.as_deref().is_some_and(is_dash) {
        super::wrong_usage(
            "the report cannot go to stdout together with the IDs: name a file with --output",
        );
    }
    let sources = sources(&arguments.files)?;
    let bounds = arguments.bounds.iter().try_fold(Bounds::WIDE, |bounds, text| bounds.with(text));
    let bounds = bounds.unwrap_or_else(|error| super::wrong_usage(&error.to_string()));
    check_paths(arguments, &sources)?;
    let kind = IdKind::from_word(&arguments.ids).expect("the parser knows the kinds");
    let removals = removals(arguments, kind)?;
    let target = Target::create(file(arguments.output.as_deref()))?;
    let rejects = arguments.rejects.as_deref().map(create).transpose()?;
    let form = output(&arguments.form).expect("the parser knows the forms");
    let packing = packing(arguments);
    let writer = Writer::new(target.out()?, form, packing, kind, rejects);
    let mut writer = writer.context("cannot write IDs out")?;
    if arguments.stream {
        writer.flush_each_batch();
    }
    let bar = Bar::over(&sources);
    let now_ms = Some(common.clock().now_ms());
    let strip = Strip { removed: removals.removed, now_ms, bounds, ..strip(arguments, kind) };
    let stripped = strip.run(&sources, &mut writer, &bar);
    bar.clear();
    let written = match stripped.map(|tally| writer.finish().map(|written| (tally, written))) {
        Ok(Ok((tally, written))) => Tally { written: Some(written), ..tally },
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Done::Clean),
        Ok(Err(error)) => return Err(error).context("cannot write IDs out"),
        Err(PipelineError::Write { source }) if source.kind() == io::ErrorKind::BrokenPipe => {
            return Ok(Done::Clean);
        }
        Err(error) => return Err(error.into()),
    };
    target.keep()?;
    tell(common, arguments, &written)?;
    let is_clean = written.is_clean() && !removals.is_damaged;
    Ok(if is_clean { Done::Clean } else { Done::WithDamage })
}

/// How the output is packed: as it was asked for, or as the name of its file says.
fn packing(arguments: &Arguments) -> &'static Packing {
    let named = arguments.pack.as_deref().and_then(Packing::named);
    named.unwrap_or_else(|| {
        let name = file(arguments.output.as_deref()).map(Path::to_string_lossy);
        Packing::of_file(&name.unwrap_or_default())
    })
}

/// The file that is written; none if it is stdout.
fn file(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| !is_dash(path))
}

fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}

/// Looks at all files before any is opened: an input must never be what is written.
fn check_paths(arguments: &Arguments, sources: &[Source]) -> anyhow::Result<()> {
    let mut written = vec![Written { flag: "-o", path: file(arguments.output.as_deref()) }];
    if let Some(path) = &arguments.rejects {
        written.push(Written { flag: "--rejects", path: Some(path) });
    }
    if arguments.report.is_some() {
        written.push(Written { flag: "--report", path: file(arguments.report.as_deref()) });
    }
    if let Some(message) = strip_paths::clash(sources, &written) {
        super::wrong_usage(&message);
    }
    written.iter().filter_map(|written| written.path).try_for_each(|path| {
        strip_paths::folder(path)?;
        Ok(())
    })
}

fn sources(files: &[PathBuf]) -> anyhow::Result<Vec<Source>> {
    if files.is_empty() {
        if io::stdin().is_terminal() {
            super::wrong_usage("name the files to read, or give one on stdin");
        }
        return Ok(vec![Source::Stdin]);
    }
    let mut sources = Vec::new();
    for file in files {
        match is_dash(file) {
            true => sources.push(Source::Stdin),
            false => sources.extend(sources_at(file)?),
        }
    }
    Ok(sources)
}

fn strip(arguments: &Arguments, kind: IdKind) -> Strip {
    Strip {
        scope: Scope::from_word(&arguments.scope).expect("the parser knows the scopes"),
        format: arguments.format.as_deref().and_then(format),
        order: if arguments.stream { Order::Streamed } else { Order::Spooled },
        distinct: if arguments.distinct { Distinct::KeepFirst } else { Distinct::KeepAll },
        damage: if arguments.strict { Damage::Refuse } else { Damage::Report },
        threads: arguments.threads.map_or_else(cores, NonZeroUsize::get),
        ..Strip::of(KindSet::only(kind))
    }
}

/// What a list removes, and whether a line of it is damaged.
struct Removals {
    removed: Option<Arc<dyn Removed>>,
    is_damaged: bool,
}

fn removals(arguments: &Arguments, kind: IdKind) -> anyhow::Result<Removals> {
    let Some(path) = &arguments.removals else {
        return Ok(Removals { removed: None, is_damaged: false });
    };
    // A list that does not tell its kind is of the IDs that are wanted.
    let list = removal::read(std::slice::from_ref(path), Some(kind), &Unwatched)?;
    for place in &list.report.places {
        let removal::Damage { file, line, byte, says } = place;
        eprintln!("damaged: {file}, line {line}, byte {byte}: {says}");
    }
    let removed: Arc<dyn Removed> = Arc::new(Listed::of(&list));
    Ok(Removals { removed: Some(removed), is_damaged: list.report.damaged > 0 })
}

fn create(path: &Path) -> anyhow::Result<File> {
    File::create(path).with_context(|| format!("cannot create {}", path.display()))
}

/// Hands the report to whoever asked for it.
fn tell(common: &Common, arguments: &Arguments, tally: &Tally) -> anyhow::Result<()> {
    if let Some(path) = &arguments.report {
        let mut out: Box<dyn Write> = match is_dash(path) {
            true => Box::new(io::stdout().lock()),
            false => Box::new(BufWriter::new(create(path)?)),
        };
        serde_json::to_writer_pretty(&mut out, tally)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out))
            .and_then(|()| out.flush())
            .with_context(|| format!("cannot write the report to {}", path.display()))?;
    }
    if common.json {
        eprintln!("{}", serde_json::to_string(tally)?);
    } else {
        eprint!("{}", strip_report::for_people(tally));
    }
    Ok(())
}
