//! `hydrant audit`: signs, exports and verifies the audit log, and gives receipts.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Subcommand;
use serde_json::{Value, json};

use super::reach::operate;
use super::show::{self, Column, count, date, text};
use super::{Common, Done};
use crate::audit::{
    Entry, LogFolder, LogSource, SourceError, VerifierKey, Whole, export, receipt, verify,
};
use crate::base::date::rfc3339;
use crate::base::delivery::DeliveryId;
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Verify an exported log or a receipt; needs no database
    Verify {
        /// The folder of the log, or the file of the receipt
        path: PathBuf,
        /// The log's verifier key, or a file with it; without one, a log's own is believed
        #[arg(long, value_name = "FILE|KEY")]
        key: Option<String>,
        /// A checkpoint or receipt that was kept from earlier, which the log has to continue;
        /// may be given several times
        #[arg(long, value_name = "FILE")]
        kept: Vec<PathBuf>,
    },
    /// Export the log, or what is new of it, into a folder
    Export {
        /// The folder; it is made if it is not there
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
    },
    /// Sign the head of the log as it is now, and print the checkpoint
    Checkpoint,
    /// List why things were decided; with --json also the salts that show that the log holds it
    Reasons,
    /// Print the receipt of a delivery
    Receipt {
        /// The delivery, as `Hydrant-Delivery` or `hydrant deliveries --json` names it
        delivery: DeliveryId,
    },
}

const WHOLE: &[Column] = &[
    text("log", "origin"),
    text("verifier key", "verifier_key"),
    count("entries", "size", ""),
    text("root", "root"),
    count("checkpoints", "checkpoints", ""),
    date("newest entry", "newest"),
];

const RECEIPT: &[Column] = &[
    text("log", "origin"),
    text("delivery", "delivery"),
    count("chunks", "chunks", ""),
    count("IDs", "ids", ""),
    count("chunks given back", "released_chunks", ""),
];

const REASONS: &[Column] = &[
    text("entry", "entry"),
    date("decided", "at"),
    text("decision", "decision"),
    text("reason", "reason"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Verify { path, key, kept } => {
            let key = key.as_deref().map(verifier_key).transpose()?;
            if path.is_dir() {
                verify_log(common, &path, key.as_ref(), &kept)
            } else {
                verify_receipt(common, &path, key.as_ref())
            }
        }
        Command::Export { output } => export_log(common, &output),
        Command::Checkpoint => checkpoint(common),
        Command::Reasons => reasons(common),
        Command::Receipt { delivery } => {
            let answer = operate(common, Operation::AuditReceipt { delivery })?;
            if common.json {
                show::json(&answer)?
            } else {
                print(&answer["receipt"])?
            }
            Ok(Done::Clean)
        }
    }
}

fn reasons(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::AuditReasons)?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("nothing was decided with a reason yet");
    } else {
        show::table(show::list(&answer), REASONS)?;
    }
    Ok(Done::Clean)
}

/// The key in a file, or the text itself.
fn verifier_key(said: &str) -> anyhow::Result<VerifierKey> {
    let text = match std::fs::read_to_string(said) {
        Ok(text) => text.trim_end().to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => said.to_owned(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {said}")),
    };
    text.parse().with_context(|| format!("{said} is no file and no verifier key"))
}

fn verify_log(
    common: &Common,
    folder: &Path,
    key: Option<&VerifierKey>,
    kept: &[PathBuf],
) -> anyhow::Result<Done> {
    let mut notes = Vec::new();
    for path in kept {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.display().to_string();
        // Each proof of a receipt has a checkpoint of its own.
        match String::from_utf8(bytes.clone()).ok().and_then(|text| receipt::parse(&text).ok()) {
            Some(proofs) => notes.extend(
                proofs.into_iter().map(|proof| (name.clone(), proof.checkpoint.into_bytes())),
            ),
            None => notes.push((name, bytes)),
        }
    }
    let whole = verify(&LogFolder(folder.to_owned()), key, &notes)
        .with_context(|| format!("the log in {} is not whole", folder.display()))?;
    let answer = described(&whole);
    if common.json {
        show::json(&answer)?;
    } else {
        show::record(&answer, WHOLE)?;
        if key.is_none() {
            eprintln!(
                "the log is whole under the key that lies beside it; whoever got that key \
                 elsewhere gives it with --key"
            );
        }
    }
    Ok(Done::Clean)
}

fn described(whole: &Whole) -> Value {
    let newest = Entry::parse(&whole.newest_entry).map(|entry| rfc3339(entry.at_ms));
    json!({
        "origin": whole.key.origin(),
        "verifier_key": whole.key.to_string(),
        "size": whole.head.size,
        "root": BASE64_STANDARD.encode(whole.head.root),
        "checkpoints": whole.checkpoints,
        "newest": newest,
    })
}

fn verify_receipt(common: &Common, path: &Path, key: Option<&VerifierKey>) -> anyhow::Result<Done> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let Some(key) = key else {
        bail!("a receipt is verified with the log's verifier key: give it with --key");
    };
    let shown = receipt::verify(&text, key)
        .with_context(|| format!("the receipt {} shows nothing", path.display()))?;
    let answer = json!({
        "origin": key.origin(),
        "delivery": shown.delivery.to_string(),
        "chunks": shown.chunks,
        "ids": shown.ids,
        "released_chunks": shown.released_chunks,
        "log_size": shown.log_size,
    });
    if common.json {
        show::json(&answer)?
    } else {
        show::record(&answer, RECEIPT)?
    }
    Ok(Done::Clean)
}

fn checkpoint(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::AuditCheckpoint)?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    print(&answer["note"])?;
    let copies = show::list(&answer["copies"]);
    for copy in copies.iter().filter(|copy| copy["failure"].is_string()) {
        let (path, failure) = (show::field(copy, "path"), show::field(copy, "failure"));
        eprintln!("the copy {path} fails: {failure}");
    }
    if copies.is_empty() {
        eprintln!("no copy of it is kept elsewhere: `audit.checkpoint_copies` names places");
    }
    Ok(Done::Clean)
}

/// Prints a text that ends its own lines.
fn print(text: &Value) -> anyhow::Result<()> {
    show::print(text.as_str().unwrap_or_default().trim_end())
}

fn export_log(common: &Common, folder: &Path) -> anyhow::Result<Done> {
    operate(common, Operation::AuditCheckpoint)?;
    let exported = export(&Reach { common }, folder)?;
    let answer = json!({
        "origin": exported.key.origin(),
        "verifier_key": exported.key.to_string(),
        "size": exported.head.size,
        "entries_new": exported.entries_new,
    });
    if common.json {
        show::json(&answer)?;
    } else {
        eprintln!(
            "{} has the log with {} entries, {} of them new; its verifier key is {}",
            folder.display(),
            exported.head.size,
            exported.entries_new,
            exported.key
        );
    }
    Ok(Done::Clean)
}

/// The log of the data folder, through the gateway if one runs.
struct Reach<'a> {
    common: &'a Common,
}

impl LogSource for Reach<'_> {
    fn files(&self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, SourceError> {
        let answer = operate(self.common, Operation::AuditFiles { names: names.to_vec() })?;
        let file = |file: &Value| -> Result<Option<Vec<u8>>, SourceError> {
            Ok(file.as_str().map(|text| BASE64_STANDARD.decode(text)).transpose()?)
        };
        show::list(&answer["files"]).iter().map(file).collect()
    }

    fn checkpoint_sizes(&self, size: u64) -> Result<Vec<u64>, SourceError> {
        let answer = operate(self.common, Operation::AuditCheckpointSizes { after: size })?;
        Ok(show::list(&answer["sizes"]).iter().filter_map(Value::as_u64).collect())
    }
}
