//! `hydrant dataset`: builds releases, enters datasets, and shows both. The release is built here,
//! whether a gateway runs or not; only its registration goes through the gateway.

use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use super::progress::Bar;
use super::reach::operate;
use super::show::{self, Column, count, date, text};
use super::{Common, Done, strip_report};
use crate::base::date::{NotADate, begin_ms};
use crate::base::ids::IdKind;
use crate::directory::dataset::{self, BuiltRelease, Embargo, Plan};
use crate::operation::Operation;
use crate::pipeline::{Damage, Files, KindSet, Scope, files_at};
use crate::release::{self, Built, Objects, Release, ReleaseError, Spec};
use crate::store::{DataFolder, Visibility};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Build a release from sources and enter it as a dataset
    Add(Add),
    /// List all datasets
    List,
    /// Show a dataset with its releases and what the current one was built from
    Show {
        /// The dataset
        slug: String,
        /// Also read every byte of the current release and check it
        #[arg(long)]
        verify: bool,
    },
    /// Change its title, who sees it, or its embargo
    Edit(Edit),
    /// Hide a dataset from everybody, for good
    Retire {
        /// The dataset
        slug: String,
    },
    /// Build a new release of a dataset, which is served from then on
    Refresh {
        /// The dataset
        slug: String,
        /// The files, folders and patterns that hold the records [default: the files of the
        /// current release]
        #[arg(value_name = "SOURCE")]
        sources: Vec<PathBuf>,
        /// Make every record quick to reach for exports of objects: find the blocks of packed
        /// sources, and pack what has none into seekable zstd beside the release
        #[arg(long)]
        objects: bool,
        /// Fail at the first damaged record
        #[arg(long)]
        strict: bool,
    },
}

#[derive(clap::Args)]
pub(crate) struct Add {
    /// Its short name in URLs: lower-case letters, digits and hyphens
    slug: String,
    /// The files that hold the records, in every format that `hydrant strip` reads; of a folder
    /// all files in it and below, of a pattern in quotes all that fit
    #[arg(value_name = "SOURCE", required_unless_present = "upstream")]
    sources: Vec<PathBuf>,
    /// Its name for people
    #[arg(long)]
    title: String,
    /// Which kinds of IDs to hand out, with commas between
    #[arg(long, value_name = "KINDS", value_delimiter = ',', default_value = "tweet",
          value_parser = kind_parser())]
    ids: Vec<IdKind>,
    /// How far from each record to look: itself, full objects inside it, all that it names
    #[arg(long, default_value = "own", value_parser = scope_parser())]
    scope: Scope,
    /// Copy the IDs into a release, or strip an upstream anew for each download
    #[arg(long, default_value = "index", value_parser = ["index", "stream"],
          requires_if("stream", "upstream"))]
    mode: String,
    /// With --mode stream: the upstream, by its name in the settings
    #[arg(long, value_name = "NAME", conflicts_with_all = ["sources", "strict"])]
    upstream: Option<String>,
    /// Who sees it [default: signed-in, or entities where some are named]
    #[arg(long, value_parser = visibility_parser())]
    visibility: Option<Visibility>,
    /// An entity that sees it; may be given several times
    #[arg(long = "entity", value_name = "SLUG")]
    entities: Vec<String>,
    /// Hide it from everybody until that day begins in UTC, like 2027-06-30
    #[arg(long, value_name = "DATE", value_parser = embargo)]
    embargo: Option<i64>,
    /// Make every record quick to reach for exports of objects: find the blocks of packed sources,
    /// and pack what has none into seekable zstd beside the release
    #[arg(long, conflicts_with = "upstream")]
    objects: bool,
    /// Fail at the first damaged record
    #[arg(long)]
    strict: bool,
}

#[derive(clap::Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Changes {
    /// Its name for people
    #[arg(long)]
    title: Option<String>,
    /// Who sees it
    #[arg(long, value_parser = visibility_parser())]
    visibility: Option<Visibility>,
    /// An entity that sees it, in place of those that do; may be given several times
    #[arg(long = "entity", value_name = "SLUG")]
    entities: Option<Vec<String>>,
    /// Hide it from everybody until that day begins in UTC, like 2027-06-30
    #[arg(long, value_name = "DATE", value_parser = embargo)]
    embargo: Option<i64>,
    /// Take its embargo away
    #[arg(long, conflicts_with = "embargo")]
    no_embargo: bool,
}

#[derive(clap::Args)]
pub(crate) struct Edit {
    /// The dataset
    slug: String,
    #[command(flatten)]
    changes: Changes,
}

fn kind_parser() -> impl TypedValueParser<Value = IdKind> {
    PossibleValuesParser::new(IdKind::ALL.map(IdKind::word))
        .map(|word| IdKind::from_word(&word).expect("the parser takes these words only"))
}

fn scope_parser() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.map(Scope::word))
        .map(|word| Scope::from_word(&word).expect("the parser takes these words only"))
}

fn visibility_parser() -> impl TypedValueParser<Value = Visibility> {
    PossibleValuesParser::new(Visibility::ALL.map(Visibility::word))
        .map(|word| Visibility::from_word(&word).expect("the parser takes these words only"))
}

fn embargo(text: &str) -> Result<i64, NotADate> {
    begin_ms(text)
}

const COLUMNS: &[Column] = &[
    text("slug", "slug"),
    text("title", "title"),
    text("seen by", "seen_by"),
    count("Tweet IDs", "tweet", ""),
    count("User IDs", "user", ""),
    count("DM IDs", "dm", ""),
    date("since", "created"),
];

const FIELDS: &[Column] = &[
    text("Slug", "slug"),
    text("Title", "title"),
    text("IDs", "ids"),
    text("Scope", "scope"),
    text("Seen by", "seen_by"),
    date("Embargo until", "embargo"),
    date("Entered", "created"),
];

const STREAM_FIELDS: &[Column] = &[
    text("Slug", "slug"),
    text("Title", "title"),
    text("IDs", "ids"),
    text("Scope", "scope"),
    text("Upstream", "upstream"),
    text("Seen by", "seen_by"),
    date("Embargo until", "embargo"),
    date("Entered", "created"),
];

const RELEASES: &[Column] = &[
    text("release", "id"),
    text("", "current"),
    count("Tweet IDs", "tweet", ""),
    count("User IDs", "user", ""),
    count("DM IDs", "dm", ""),
    date("since", "created"),
];

const SOURCES: &[Column] = &[text("source", "name"), count("bytes", "bytes", "")];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Add(arguments) => add(common, arguments),
        Command::List => list(common),
        Command::Show { slug, verify } => one(common, slug, verify),
        Command::Edit(Edit { slug, changes }) => edit(common, slug, changes),
        Command::Retire { slug } => {
            let answer = operate(common, Operation::DatasetRetire { slug })?;
            changed(common, &answer, "is retired, and nobody sees it any more")
        }
        Command::Refresh { slug, sources, objects, strict } => {
            let objects = if objects { Objects::AtHand } else { Objects::AsTheyLie };
            refresh(common, slug, sources, objects, strict)
        }
    }
}

fn add(common: &Common, arguments: Add) -> anyhow::Result<Done> {
    if arguments.upstream.is_none() && arguments.mode == "stream" {
        bail!(
            "a dataset that is stripped in flight has no source of its own but an upstream: name \
             one of the settings with --upstream NAME, and not files"
        );
    }
    if arguments.upstream.is_some() && arguments.mode != "stream" {
        bail!("a dataset with an upstream is stripped in flight: say --mode stream");
    }
    let named = !arguments.entities.is_empty();
    let default = if named { Visibility::Entities } else { Visibility::SignedIn };
    let plan = Plan {
        slug: arguments.slug,
        title: arguments.title,
        ids: arguments.ids,
        scope: arguments.scope.word().to_owned(),
        visibility: arguments.visibility.unwrap_or(default),
        entities: arguments.entities,
        embargo_ms: arguments.embargo,
        upstream: arguments.upstream,
    };
    if let Some(upstream) = &plan.upstream {
        return add_stream(common, upstream, plan.clone());
    }
    let folder = super::folder(&common.settings(None)?)?;
    operate(common, Operation::DatasetCheck(plan.clone()))?;
    let ids = plan.ids.iter().copied().collect();
    let objects = if arguments.objects { Objects::AtHand } else { Objects::AsTheyLie };
    let spec = spec(common, ids, arguments.scope, objects, arguments.strict);
    let built = build(common, &folder, &arguments.sources, &spec)?;
    let release = for_directory(&built);
    let answer = operate(common, Operation::DatasetRegister { plan, release })?;
    tell(common, &built, answer, "is entered")
}

/// Enters a dataset that is stripped in flight: nothing is built, and nobody asks the upstream.
fn add_stream(common: &Common, upstream: &str, plan: Plan) -> anyhow::Result<Done> {
    let settings = common.settings(None)?;
    if !settings.upstreams.contains_key(upstream) {
        let known: Vec<&str> = settings.upstreams.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        bail!(
            "the settings have no upstream `{upstream}`; known: {known}. Give it an address as \
             upstreams.{upstream}.url"
        );
    }
    DataFolder::create(&settings.data_folder)?;
    let answer = operate(common, Operation::DatasetRegisterStream(plan))?;
    if common.json {
        show::json(&answer)?;
    } else {
        let slug = show::field(&answer, "slug");
        eprintln!("dataset `{slug}` is entered: it is stripped in flight from `{upstream}`");
    }
    Ok(Done::Clean)
}

fn refresh(
    common: &Common,
    slug: String,
    sources: Vec<PathBuf>,
    objects: Objects,
    strict: bool,
) -> anyhow::Result<Done> {
    let dataset = operate(common, Operation::DatasetShow { slug: slug.clone() })?;
    let folder = super::existing_folder(&common.settings(None)?)?;
    let sources = if sources.is_empty() { sources_of(&folder, &dataset)? } else { sources };
    let words = show::list(&dataset["ids"]).iter().filter_map(Value::as_str);
    let ids = words.filter_map(IdKind::from_word).collect();
    let scope = Scope::from_word(show::field(&dataset, "scope")).unwrap_or_default();
    let built = build(common, &folder, &sources, &spec(common, ids, scope, objects, strict))?;
    let release = for_directory(&built);
    let answer = operate(common, Operation::DatasetRefresh { slug, release })?;
    tell(common, &built, answer, "has this release")
}

fn spec(common: &Common, ids: KindSet, scope: Scope, objects: Objects, strict: bool) -> Spec {
    let damage = if strict { Damage::Refuse } else { Damage::Report };
    Spec { ids, scope, damage, objects, now_ms: common.clock().now_ms() }
}

fn build(
    common: &Common,
    folder: &DataFolder,
    sources: &[PathBuf],
    spec: &Spec,
) -> anyhow::Result<Built> {
    let Files { of_records, passed_over } = files_at(sources)?;
    if of_records.is_empty() {
        bail!("there is no file of records among what is named");
    }
    let bar = Bar::over_files(&of_records);
    let built = release::build(&of_records, spec, &folder.releases(), &bar);
    bar.clear();
    for path in passed_over {
        eprintln!("passed over, as no file of records: {}", path.display());
    }
    if let Err(ReleaseError::NoIds { tally, .. }) = &built {
        match common.json {
            true => eprintln!("{}", json!(tally)),
            false => eprint!("{}", strip_report::for_people(tally)),
        }
    }
    Ok(built?)
}

pub(super) fn for_directory(built: &Built) -> BuiltRelease {
    let columns = built.release.columns().iter();
    let counts = columns.map(|column| (column.kind(), column.ids())).collect();
    BuiltRelease { id: built.release.id().to_string(), counts }
}

fn tell(common: &Common, built: &Built, mut answer: Value, done: &str) -> anyhow::Result<Done> {
    if common.json {
        answer["reused"] = built.reused.into();
        answer["report"] = json!(built.tally);
        show::json(&answer)?;
    } else {
        eprint!("{}", strip_report::for_people(&built.tally));
        let slug = show::field(&answer, "slug");
        let same = if built.reused { ", whose content was there already" } else { "" };
        eprintln!("dataset `{slug}` {done}: {}{same}", built.release.id());
    }
    Ok(if built.tally.is_clean() { Done::Clean } else { Done::WithDamage })
}

fn edit(common: &Common, slug: String, changes: Changes) -> anyhow::Result<Done> {
    let Changes { title, visibility, entities, embargo, no_embargo } = changes;
    // Who names entities means that these see it, and nobody else.
    let visibility = visibility.or(entities.as_ref().map(|_| Visibility::Entities));
    let embargo = match no_embargo {
        true => Some(Embargo::None),
        false => embargo.map(Embargo::UntilMs),
    };
    let request = dataset::Edit { slug, title, visibility, entities, embargo };
    let answer = operate(common, Operation::DatasetEdit(request))?;
    changed(common, &answer, "is changed")
}

fn changed(common: &Common, answer: &Value, done: &str) -> anyhow::Result<Done> {
    match common.json {
        true => show::json(answer)?,
        false => eprintln!("`{}` {done}", show::field(answer, "slug")),
    }
    Ok(Done::Clean)
}

fn list(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::DatasetList)?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("there are no datasets yet; `hydrant dataset add` enters one");
    } else {
        let rows: Vec<Value> = show::list(&answer).iter().map(flat).collect();
        show::table(&rows, COLUMNS)?;
    }
    Ok(Done::Clean)
}

fn one(common: &Common, slug: String, verify: bool) -> anyhow::Result<Done> {
    let mut answer = operate(common, Operation::DatasetShow { slug })?;
    if !answer["upstream"].is_null() {
        match common.json {
            true => show::json(&answer)?,
            false => show::record(&flat(&answer), STREAM_FIELDS)?,
        }
        return Ok(Done::Clean);
    }
    let folder = super::existing_folder(&common.settings(None)?)?;
    let release = current(&folder, &answer)?;
    if verify {
        release::verify(&release_folder(&folder, &answer))?;
    }
    let manifest = json!(release.manifest());
    if common.json {
        answer["manifest"] = manifest;
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    show::record(&flat(&answer), FIELDS)?;
    show::print("")?;
    let rows = show::list(&answer["releases"]).iter();
    let rows: Vec<Value> = rows.map(|row| release_row(row, release.id())).collect();
    show::table(&rows, RELEASES)?;
    show::print("")?;
    show::table(show::list(&manifest["sources"]), SOURCES)?;
    if verify {
        eprintln!("every byte of the current release is as it was built");
    }
    Ok(Done::Clean)
}

/// The dataset with what people read about its current release.
fn flat(dataset: &Value) -> Value {
    let mut row = dataset.clone();
    for kind in IdKind::ALL {
        row[kind.word()] = dataset["release"]["counts"][kind.word()].clone();
    }
    row["seen_by"] = match show::list(&dataset["entities"]) {
        [] => dataset["visibility"].clone(),
        entities => entities.into(),
    };
    row
}

fn release_row(release: &Value, current: &str) -> Value {
    let mut row = release.clone();
    for kind in IdKind::ALL {
        row[kind.word()] = release["counts"][kind.word()].clone();
    }
    if show::field(release, "id") == current {
        row["current"] = "current".into();
    }
    row
}

fn release_folder(folder: &DataFolder, dataset: &Value) -> PathBuf {
    folder.releases().join(show::field(&dataset["release"], "id"))
}

fn current(folder: &DataFolder, dataset: &Value) -> anyhow::Result<std::sync::Arc<Release>> {
    Ok(Release::open(&release_folder(folder, dataset))?)
}

fn sources_of(folder: &DataFolder, dataset: &Value) -> anyhow::Result<Vec<PathBuf>> {
    let release = current(folder, dataset)?;
    let sources = release.manifest().sources.iter();
    Ok(sources.map(|source| PathBuf::from(&source.name)).collect())
}
