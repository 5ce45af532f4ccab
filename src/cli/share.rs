//! `hydrant share`: makes peer-review links, looks at them and ends them.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use super::reach::operate;
use super::show::{self, Column, count, date, text};
use super::{Common, Done};
use crate::base::date::{end_ms, length_ms};
use crate::base::ids::IdKind;
use crate::base::party::ShareId;
use crate::directory::share::{LinkToken, Make, Passphrase};
use crate::directory::words::{Face, Purpose};
use crate::operation::{Operation, account_csv, account_text};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a link by which reviewers see and download IDs without an account
    ///
    /// The link alone is printed, this once. Whoever makes it belongs to an institution whose
    /// academic exemption is in force; when that ends, the link hands out nothing.
    Create(Box<Create>),
    /// List the links, all or those of one person
    List {
        /// Only those that the person with this mail address made
        #[arg(long, value_name = "MAIL")]
        person: Option<String>,
    },
    /// Show one link, and what it was used for, in numbers and days
    Show {
        /// The link's number, as `hydrant share list` shows it
        #[arg(value_parser = number)]
        id: ShareId,
    },
    /// End a link; downloads under way stop
    Revoke {
        /// The link's number, as `hydrant share list` shows it
        #[arg(value_parser = number)]
        id: ShareId,
    },
    /// Let a link live longer, under the exemption that is in force now
    Extend {
        /// The link's number, as `hydrant share list` shows it
        #[arg(value_parser = number)]
        id: ShareId,
        /// The last day, in UTC, like 2027-06-30; or a time with its zone
        #[arg(long, value_name = "DATE", value_parser = end_ms)]
        until: i64,
    },
    /// Make a link a page with names, which hands out nothing any more
    Publish {
        /// The link's number, as `hydrant share list` shows it
        #[arg(value_parser = number)]
        id: ShareId,
    },
    /// Print the account of a link's use for an editor; it names nobody unless the link does
    Export {
        /// The link's number, as `hydrant share list` shows it
        #[arg(value_parser = number)]
        id: ShareId,
        /// A text to read, or a table
        #[arg(long = "as", value_parser = ["txt", "csv"], default_value = "txt")]
        form: String,
    },
}

#[derive(clap::Args)]
pub(crate) struct Create {
    /// The dataset, which has releases
    dataset: String,
    /// The mail address of who makes it
    #[arg(long, value_name = "MAIL")]
    person: String,
    /// What its maker calls it; reviewers do not see it
    #[arg(long)]
    label: String,
    /// On behalf of which institution, if the person belongs to several
    #[arg(long, value_name = "SLUG")]
    entity: Option<String>,
    /// Which kind of ID
    #[arg(long, default_value = "tweet", value_parser = kind_parser())]
    ids: IdKind,
    /// Which release [default: the present one]
    #[arg(long)]
    release: Option<String>,
    /// The first ID, counted from 0
    #[arg(long, value_name = "N")]
    offset: Option<u64>,
    /// How many IDs at most
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// What it is opened for
    #[arg(long, default_value = "peer-review", value_parser = purpose_parser())]
    purpose: Purpose,
    /// Show the names of its maker, the institution and the dataset
    #[arg(long)]
    named: bool,
    /// The last day, in UTC, like 2027-06-30 [default: as the profile says]
    #[arg(long, value_name = "DATE", value_parser = end_ms, conflicts_with = "lasts")]
    until: Option<i64>,
    /// How long it lives, like 60d
    #[arg(long = "for", value_name = "LENGTH", value_parser = length_ms)]
    lasts: Option<i64>,
    /// How many downloads may begin [default: as the profile says]
    #[arg(long, value_name = "N")]
    downloads: Option<u32>,
    /// How many IDs it may hand out, all downloads together
    #[arg(long, value_name = "N")]
    ids_max: Option<u64>,
    /// A file whose first line is a passphrase that reviewers have to say
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// What the editor is told in the account of use
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

fn kind_parser() -> impl TypedValueParser<Value = IdKind> {
    PossibleValuesParser::new(["tweet", "user"])
        .map(|word| IdKind::from_word(&word).expect("the parser takes these words only"))
}

fn purpose_parser() -> impl TypedValueParser<Value = Purpose> {
    PossibleValuesParser::new(Purpose::WORDS)
        .map(|word| Purpose::from_word(&word).expect("the parser takes these words only"))
}

fn number(text: &str) -> Result<ShareId, String> {
    let number = text.parse().map(ShareId);
    number.map_err(|_| format!("`{text}` is no link number; `hydrant share list` shows them"))
}

const COLUMNS: &[Column] = &[
    text("id", "id"),
    text("maker", "maker"),
    text("label", "label"),
    text("dataset", "dataset"),
    text("face", "face"),
    text("state", "state"),
    date("expires", "expires"),
    count("downloads", "downloads", "0"),
    count("IDs", "ids_used", "0"),
];

const FIELDS: &[Column] = &[
    text("Link", "id"),
    text("Maker", "maker"),
    text("Institution", "entity"),
    text("Exemption", "exemption"),
    text("Label", "label"),
    text("Dataset", "dataset"),
    text("Release", "release"),
    text("Purpose", "purpose"),
    text("Face", "face"),
    text("State", "state"),
    text("Why", "state_reason"),
    date("Made", "created"),
    date("Expires", "expires"),
    count("IDs a download", "count", ""),
    count("Downloads", "downloads", "0"),
    count("At most", "downloads_max", ""),
    count("IDs handed out", "ids_used", "0"),
    count("At most", "ids_max", ""),
    text("Note", "note"),
];

const DAYS: &[Column] =
    &[text("day", "day"), count("downloads", "downloads", "0"), count("IDs", "ids", "0")];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Create(create) => make(common, *create),
        Command::List { person } => list(common, person),
        Command::Show { id } => one(common, id),
        Command::Revoke { id } => {
            change(common, Operation::ShareRevoke { share: id }, "hands out nothing any more")
        }
        Command::Extend { id, until } => {
            let operation = Operation::ShareExtend { share: id, until_ms: until };
            change(common, operation, "lives longer")
        }
        Command::Publish { id } => {
            change(common, Operation::SharePublish { share: id }, "is a page with names")
        }
        Command::Export { id, form } => {
            let answer = operate(common, Operation::ShareShow { share: id })?;
            let account = if form == "csv" { account_csv(&answer) } else { account_text(&answer) };
            show::print(account.trim_end())?;
            Ok(Done::Clean)
        }
    }
}

fn make(common: &Common, create: Create) -> anyhow::Result<Done> {
    let settings = common.settings(None)?;
    let passphrase = create.passphrase_file.map(|path| {
        let text = std::fs::read_to_string(&path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::Ok(Passphrase(text.lines().next().unwrap_or_default().to_owned()))
    });
    let request = Make {
        mail: create.person,
        entity: create.entity,
        dataset: create.dataset,
        ids: create.ids,
        release: create.release,
        offset: create.offset,
        limit: create.limit,
        purpose: create.purpose,
        face: if create.named { Face::Named } else { Face::Blind },
        until_ms: create.until.or(create.lasts.map(|lasts| common.clock().now_ms() + lasts)),
        downloads_max: create.downloads,
        ids_max: create.ids_max,
        passphrase: passphrase.transpose()?,
        note: create.note,
        label: create.label,
    };
    let mut answer = operate(common, Operation::ShareAdd(request))?;
    let own = settings.server.public_url;
    let origin = settings.share.public_url.clone().or(own);
    let origin = origin.unwrap_or_else(|| format!("http://{}", settings.server.listen));
    let url = format!("{origin}/s/{}", show::field(&answer, "token"));
    answer["url"] = json!(url);
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    show::print(&url)?;
    told(&answer, settings.share.public_url.is_some());
    Ok(Done::Clean)
}

fn told(answer: &Value, hides_its_name: bool) {
    eprintln!(
        "link {} hands out {} IDs a download, good {}; it is shown only this once. To be typed, \
         its end is {}",
        show::field(answer, "id"),
        answer["count"],
        show::until(show::field(answer, "expires")),
        LinkToken::grouped(show::field(answer, "token")),
    );
    if answer["face"] == "blind" && !hides_its_name {
        eprintln!("reviewers see the host in it; share.public_url sets a neutral one");
    }
}

fn list(common: &Common, person: Option<String>) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::ShareList { mail: person })?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("there are no links yet; `hydrant share create` makes one");
    } else {
        show::table(show::list(&answer), COLUMNS)?;
    }
    Ok(Done::Clean)
}

fn one(common: &Common, share: ShareId) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::ShareShow { share })?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    show::record(&answer, FIELDS)?;
    let days = show::list(&answer["days"]);
    if days.is_empty() {
        eprintln!("nobody has downloaded anything yet");
    } else {
        show::table(days, DAYS)?;
    }
    Ok(Done::Clean)
}

fn change(common: &Common, operation: Operation, done: &str) -> anyhow::Result<Done> {
    let answer = operate(common, operation)?;
    if common.json {
        show::json(&answer)?;
    } else {
        eprintln!(
            "link {} of `{}` {done}",
            show::field(&answer, "id"),
            show::field(&answer, "maker")
        );
    }
    Ok(Done::Clean)
}
