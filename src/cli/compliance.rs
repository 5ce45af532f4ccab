//! `hydrant compliance`: has the platform say which of many IDs are gone, and brings its answer,
//! which removals are imported from.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::command_books::{self, CommandBooks};
use super::id_input;
use super::reach::operate;
use super::removal::{self, Import};
use super::show::{self, Column, count, date, separated, text};
use super::{Common, Done, strip_paths};
use crate::base::ids::IdKind;
use crate::config::Settings;
use crate::hydrate::{Job, Jobs, Platform, Step, Stop};
use crate::operation::Operation;
use crate::pipeline::Damage;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create a job and upload the IDs that it is about
    ///
    /// The platform has one job at a time. The IDs are read as `hydrant strip` reads them.
    Create {
        /// What has the IDs; `-` is stdin [default: stdin]
        #[arg(value_name = "IDS")]
        files: Vec<PathBuf>,
        /// What the IDs are of
        #[arg(long, value_name = "KIND", default_value = "tweet",
              value_parser = super::hydrate::kind_words())]
        kind: String,
        /// What to call the job
        #[arg(long, value_name = "NAME", default_value = "hydrant")]
        name: String,
        /// The credential of the settings to ask with [default: the only one]
        #[arg(long, value_name = "NAME")]
        credential: Option<String>,
    },
    /// Upload the IDs of a job that was created, if that failed
    Upload {
        /// The job's number
        job: String,
        /// What has the IDs; `-` is stdin [default: stdin]
        #[arg(value_name = "IDS")]
        files: Vec<PathBuf>,
    },
    /// List the jobs that were created here
    List {
        /// Ask the platform how those stand that have not ended
        #[arg(long)]
        refresh: bool,
    },
    /// Download the result of a job
    Fetch {
        /// The job's number
        job: String,
        /// Where to write the result
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        /// Wait until the job has ended
        #[arg(long)]
        wait: bool,
        /// Then put it in force as `hydrant removal import` does, for this reason
        #[arg(long, value_name = "REASON")]
        import: Option<String>,
    },
}

const JOBS: &[Column] = &[
    text("job", "id"),
    text("name", "name"),
    text("kind", "kind"),
    count("ids", "ids", ""),
    text("state", "state"),
    date("created", "created"),
    text("by", "created_by"),
    text("credential", "credential"),
    text("result", "result"),
];

/// The states in which a job changes no more.
const ENDED: [&str; 3] = ["complete", "expired", "failed"];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    let settings = common.settings(None)?;
    match command {
        Command::Create { files, kind, name, credential } => {
            let kind = IdKind::from_word(&kind).expect("the parser knows the kinds");
            create(common, &settings, &files, kind, &name, credential.as_deref())
        }
        Command::Upload { job, files } => upload(common, &settings, &job, &files),
        Command::List { refresh } => {
            if refresh {
                look_at_all(common, &settings)?;
            }
            list(common)
        }
        Command::Fetch { job, output, wait, import: reason } => {
            let patience = if wait { Patience::UntilItHasEnded } else { Patience::None };
            let fetched = fetch(common, &settings, &job, &output, patience)?;
            match reason {
                None => fetched.tell(common),
                Some(reason) => removal::import(common, fetched.import_for(reason)),
            }
        }
    }
}

/// Whether a job is waited for.
#[derive(Clone, Copy)]
enum Patience {
    None,
    UntilItHasEnded,
}

/// A list of IDs as the platform takes it: one a line.
struct List {
    file: tempfile::NamedTempFile,
    ids: u64,
    done: Done,
}

impl List {
    fn read(files: &[PathBuf], kind: IdKind) -> anyhow::Result<List> {
        let input = id_input::read(files, kind, Damage::Report)?;
        if input.ids() == 0 {
            bail!("there is no ID to ask about");
        }
        let mut out = BufWriter::new(tempfile::NamedTempFile::new()?);
        for id in input.iter() {
            writeln!(out, "{}", id?)?;
        }
        let file = out.into_inner().context("cannot write the list of IDs")?;
        let done = if input.is_clean() { Done::Clean } else { Done::WithDamage };
        Ok(List { file, ids: input.ids(), done })
    }
}

/// Asks the platform with a credential.
fn with_jobs<T>(
    common: &Common,
    settings: &Settings,
    credential: Option<&str>,
    work: impl AsyncFnOnce(Jobs<'_, CommandBooks<'_>>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let stop = Stop::new();
    let (books, clock) = (CommandBooks(common), common.clock());
    command_books::run(&stop, async {
        let platform = Platform::connect(&settings.hydrate, credential).await?;
        work(Jobs { platform: &platform, books: &books, clock: &clock, stop: &stop }).await
    })
}

fn create(
    common: &Common,
    settings: &Settings,
    files: &[PathBuf],
    kind: IdKind,
    name: &str,
    credential: Option<&str>,
) -> anyhow::Result<Done> {
    let list = List::read(files, kind)?;
    let job = with_jobs(common, settings, credential, async |jobs| {
        let job = jobs.create(kind, name, list.ids).await?;
        let uploaded = jobs.upload(&job, list.file.path(), list.ids).await;
        let next = format!("`hydrant compliance upload {}` tries the upload again", job.id);
        uploaded.context(next)?;
        Ok(job)
    })?;
    uploaded(common, &job, list)
}

fn upload(
    common: &Common,
    settings: &Settings,
    number: &str,
    files: &[PathBuf],
) -> anyhow::Result<Done> {
    let known = known(common, number)?;
    let kind = IdKind::from_word(show::field(&known, "kind")).context("the job has no kind")?;
    let list = List::read(files, kind)?;
    let credential = Some(show::field(&known, "credential"));
    let job = with_jobs(common, settings, credential, async |jobs| {
        let job = jobs.look(number).await?;
        jobs.upload(&job, list.file.path(), list.ids).await?;
        Ok(job)
    })?;
    uploaded(common, &job, list)
}

fn uploaded(common: &Common, job: &Job, list: List) -> anyhow::Result<Done> {
    if common.json {
        show::json(&json!({ "id": job.id, "kind": job.kind, "ids": list.ids }))?;
    } else {
        show::print(&job.id)?;
        eprintln!(
            "{} IDs are uploaded; `hydrant compliance fetch {} --wait --output FILE` brings the \
             result",
            separated(list.ids),
            job.id
        );
    }
    Ok(list.done)
}

/// What is known here of a job.
fn known(common: &Common, number: &str) -> anyhow::Result<Value> {
    let jobs = operate(common, Operation::Upstream(Step::Jobs))?;
    let found = show::list(&jobs).iter().find(|job| show::field(job, "id") == number).cloned();
    found.with_context(|| {
        format!("no job {number} was created here; `hydrant compliance list` shows them")
    })
}

/// Asks the platform how the jobs stand that have not ended.
fn look_at_all(common: &Common, settings: &Settings) -> anyhow::Result<()> {
    let known = operate(common, Operation::Upstream(Step::Jobs))?;
    for job in show::list(&known) {
        if ENDED.contains(&show::field(job, "state")) {
            continue;
        }
        let credential = Some(show::field(job, "credential"));
        with_jobs(common, settings, credential, async |jobs| {
            Ok(jobs.look(show::field(job, "id")).await?)
        })?;
    }
    Ok(())
}

fn list(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::Upstream(Step::Jobs))?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("no compliance job was created yet; `hydrant compliance create` does");
    } else {
        show::table(show::list(&answer), JOBS)?;
    }
    Ok(Done::Clean)
}

/// A result that was downloaded.
struct Fetched {
    job: Job,
    output: PathBuf,
    sha256: String,
}

impl Fetched {
    fn tell(&self, common: &Common) -> anyhow::Result<Done> {
        let Fetched { job, output, sha256 } = self;
        if common.json {
            show::json(&json!({
                "id": job.id,
                "kind": job.kind,
                "result": output.display().to_string(),
                "sha256": sha256,
            }))?;
        } else {
            eprintln!(
                "{} has the result: who is gone, of kind {}; `hydrant removal import` puts it in \
                 force",
                output.display(),
                job.kind
            );
        }
        Ok(Done::Clean)
    }

    fn import_for(self, reason: String) -> Import {
        Import { files: vec![self.output], kind: Some(self.job.kind), reason, dry_run: false }
    }
}

fn fetch(
    common: &Common,
    settings: &Settings,
    number: &str,
    output: &Path,
    patience: Patience,
) -> anyhow::Result<Fetched> {
    strip_paths::folder(output)?;
    let known = known(common, number)?;
    let output = std::path::absolute(output)?;
    let told = |job: &Job| eprintln!("the job {} is {}", job.id, job.status);
    let credential = Some(show::field(&known, "credential"));
    let (job, sha256) = with_jobs(common, settings, credential, async |jobs| {
        let job = match patience {
            Patience::UntilItHasEnded => jobs.wait(number, &told).await?,
            Patience::None => jobs.look(number).await?,
        };
        let sha256 = jobs.download(&job, &output).await?;
        Ok((job, sha256))
    })?;
    Ok(Fetched { job, output, sha256 })
}
