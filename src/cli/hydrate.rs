//! `hydrant hydrate`: fetches full objects from the platform into the operator's own archive, and
//! goes on where it was broken off; its tables are in `hydrate_show`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use indicatif::{ProgressBar, ProgressStyle};

use super::command_books::{self, CommandBooks};
use super::hydrate_show::{self, Forecast};
use super::id_input::{self, Input};
use super::show::separated;
use super::{Common, Done, strip_paths};
use crate::base::date::minute;
use crate::base::ids::IdKind;
use crate::config::Settings;
use crate::hydrate::{
    Account, Begin, Books, Errand, HydrateError, Listing, Outcome, Patience, Platform, Step, Stop,
    Watcher, Workplace, run as fetch_all,
};
use crate::pipeline::Damage;

/// Fetch full Tweets or Users from the platform into your own archive
///
/// The IDs are read as `hydrant strip` reads them; each is asked for once. The archive has JSON
/// lines, one object each with all that it refers to; it is packed if its name ends in .gz or .zst.
/// Whenever it stops, the same command goes on where it was. Exit status: 0 every ID has an
/// outcome, 1 stopped or failed, 2 wrong usage, 3 done, but some of what was read was no ID.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// What has the IDs; `-` is stdin [default: those of a hydration that was begun, or stdin]
    #[arg(value_name = "IDS")]
    files: Vec<PathBuf>,
    /// What the IDs are of
    #[arg(long, value_name = "KIND", default_value = "tweet", value_parser = kind_words())]
    kind: String,
    /// The archive; as long as not everything is in it, ARCHIVE.hydrating stands beside it
    #[arg(long, short, value_name = "ARCHIVE", required = true)]
    output: Option<PathBuf>,
    /// The credential of the settings to ask with [default: the only one]
    #[arg(long, value_name = "NAME")]
    credential: Option<String>,
    /// Where to write what became of each ID [default: ARCHIVE.account.csv]
    #[arg(long, value_name = "FILE")]
    account: Option<PathBuf>,
    /// Wait for the next month where nothing is left of this one, instead of stopping
    #[arg(long)]
    wait: bool,
    /// Fail at the first value that is no ID
    #[arg(long)]
    strict: bool,
    /// Only tell how many requests it takes, how much of the budget, and how long
    #[arg(long)]
    dry_run: bool,
}

#[derive(Subcommand)]
enum Command {
    /// List the hydrations and how far each is
    List {
        /// How many at most
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        rows_max: u32,
    },
    /// Show what is spent and left of each credential's month
    Budget,
}

/// The kinds of which there are objects.
pub(super) fn kind_words() -> PossibleValuesParser {
    PossibleValuesParser::new([IdKind::Tweet.word(), IdKind::User.word()])
}

/// Runs the command.
pub(super) fn run(common: &Common, arguments: Arguments) -> anyhow::Result<Done> {
    match &arguments.command {
        Some(Command::List { rows_max }) => hydrate_show::list(common, *rows_max),
        Some(Command::Budget) => hydrate_show::budget(common),
        None => hydrate(common, &arguments),
    }
}

fn hydrate(common: &Common, arguments: &Arguments) -> anyhow::Result<Done> {
    let settings = common.settings(None)?;
    let archive = arguments.output.as_deref().expect("the parser requires it");
    strip_paths::folder(archive)?;
    let kind = IdKind::from_word(&arguments.kind).expect("the parser knows the kinds");
    let input = input(arguments, archive, kind)?;
    let stop = Stop::new();
    let done = command_books::run(&stop, async {
        let credential = arguments.credential.as_deref();
        let mut platform = Platform::connect(&settings.hydrate, credential).await?;
        if arguments.dry_run {
            let ids = match &input {
                Some(input) => input.ids(),
                None => {
                    let place = Workplace::go_on(archive)?;
                    place.plan().ids - place.asked()
                }
            };
            let numbers = &settings.profile.upstream;
            let forecast = Forecast { kind, ids, numbers, settings: &settings };
            return hydrate_show::forecast(common, &forecast, platform.credential()).await;
        }
        let place = place(common, archive, kind, input.as_ref(), &platform).await?;
        work(common, arguments, &settings, &mut platform, place, &stop).await
    })?;
    let is_clean = input.as_ref().is_none_or(Input::is_clean);
    Ok(if is_clean { done } else { Done::WithDamage })
}

/// The IDs that the command is given; `None`: those of the hydration that was begun.
fn input(arguments: &Arguments, archive: &Path, kind: IdKind) -> anyhow::Result<Option<Input>> {
    if arguments.files.is_empty() && Workplace::is_begun(archive) {
        return Ok(None);
    }
    let damage = if arguments.strict { Damage::Refuse } else { Damage::Report };
    id_input::read(&arguments.files, kind, damage).map(Some)
}

/// The place of the hydration: begun now, or taken up.
async fn place(
    common: &Common,
    archive: &Path,
    kind: IdKind,
    input: Option<&Input>,
    platform: &Platform,
) -> Result<Workplace, HydrateError> {
    let credential = &platform.credential().label;
    let place = if Workplace::is_begun(archive) {
        let place = Workplace::go_on(archive)?;
        if let Some(input) = input {
            place.require(input.iter())?;
        }
        place
    } else {
        let input = input.expect("what was not begun has input");
        Workplace::begin(archive, kind, credential, input.iter())?
    };
    if place.plan().kind != kind {
        let message = format!(
            "{} is being filled with {}s: give --kind {}",
            archive.display(),
            place.plan().kind.title(),
            place.plan().kind
        );
        return Err(HydrateError::Unfit(message));
    }
    // Absolute, so that whoever reads the list finds it.
    let path = std::path::absolute(archive).unwrap_or_else(|_| archive.to_owned());
    let begin = Begin {
        id: place.plan().id.clone(),
        kind,
        credential: place.plan().credential.clone(),
        archive: path.display().to_string(),
        ids: place.plan().ids,
    };
    CommandBooks(common).ask(Step::Begin(begin)).await?;
    Ok(place)
}

async fn work(
    common: &Common,
    arguments: &Arguments,
    settings: &Settings,
    platform: &mut Platform,
    mut place: Workplace,
    stop: &Stop,
) -> anyhow::Result<Done> {
    let archive = place.archive().to_owned();
    let books = CommandBooks(common);
    let bar = Bar::new(place.plan().ids, place.asked());
    let patience = if arguments.wait { Patience::UntilNextMonth } else { Patience::UntilReset };
    let mut errand = Errand {
        platform,
        books: &books,
        clock: &common.clock(),
        numbers: &settings.profile.upstream,
        patience,
        stop,
        watcher: &bar,
        listing: Listing::Listed,
    };
    let fetched = fetch_all(&mut place, &mut errand).await;
    bar.clear();
    let account = fetched.with_context(|| {
        format!(
            "{} of {} IDs have an outcome, and `hydrant hydrate --output {}` goes on",
            separated(place.asked()),
            separated(place.plan().ids),
            archive.display()
        )
    })?;
    let file = arguments.account.clone().unwrap_or_else(|| {
        let mut name = archive.clone().into_os_string();
        name.push(".account.csv");
        name.into()
    });
    place.write_account(&file)?;
    hydrate_show::account(common, &archive, &file, place.plan(), &account)?;
    place.remove()?;
    Ok(Done::Clean)
}

/// Shows how far it is: a bar on a terminal, else a line for what one should know.
struct Bar(ProgressBar);

impl Bar {
    fn new(ids: u64, asked: u64) -> Bar {
        let is_seen = std::io::stderr().is_terminal();
        let bar = if is_seen { ProgressBar::new(ids) } else { ProgressBar::hidden() };
        let template = "{bar:30} {human_pos} of {human_len} IDs, {msg}";
        bar.set_style(ProgressStyle::with_template(template).expect("it is well-formed"));
        bar.set_position(asked);
        Bar(bar)
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }

    fn tell(&self, text: &str) {
        if self.0.is_hidden() {
            eprintln!("{text}");
        } else {
            self.0.println(text);
        }
    }
}

impl Watcher for Bar {
    fn progress(&self, asked: u64, account: &Account) {
        if !self.0.is_hidden() {
            self.0.set_position(asked);
            self.0.set_message(format!("{} found", separated(account.of(Outcome::Found))));
        }
    }

    fn waits(&self, until_ms: i64, why: &str) {
        self.tell(&format!("waits until {}: {why}", minute(until_ms)));
    }

    fn fails(&self, why: &str) {
        self.tell(&format!("tries again: {why}"));
    }
}
