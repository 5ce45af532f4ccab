//! What `hydrant hydrate` prints: the account of a hydration, a forecast, the list, the budgets.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::command_books::CommandBooks;
use super::reach::operate;
use super::show::{self, Column, count, date, separated, text};
use super::{Common, Done};
use crate::base::ids::IdKind;
use crate::config::{Credential, Settings};
use crate::hydrate::{Account, Allotment, Books, IDS_PER_REQUEST, Outcome, Plan, Step};
use crate::operation::Operation;
use crate::policy::UpstreamNumbers;

const MINUTE_MS: i64 = 60_000;

const ACCOUNT: &[Column] =
    &[text("outcome", "outcome"), count("ids", "ids", ""), text("which means", "says")];

const HYDRATIONS: &[Column] = &[
    text("archive", "archive"),
    text("kind", "kind"),
    text("state", "state"),
    count("ids", "ids", ""),
    count("asked", "asked", ""),
    count("found", "found", ""),
    text("credential", "credential"),
    date("started", "started"),
    date("changed", "changed"),
    text("why", "why"),
];

const BUDGETS: &[Column] = &[
    text("credential", "credential"),
    text("environment", "environment"),
    text("level", "level"),
    count("budget", "budget", "none"),
    count("spent", "spent", ""),
    count("left", "left", "no limit"),
    count("users", "users", ""),
    count("requests", "requests", ""),
    date("month ends", "until"),
    text("stopped by", "stop"),
    date("stopped", "stopped"),
    text("use case", "use_case"),
];

const FORECAST: &[Column] = &[
    count("ids", "ids", ""),
    count("requests", "requests", ""),
    text("credential", "credential"),
    count("budget left", "left", "no limit"),
    count("beyond this month", "beyond", ""),
    date("month ends", "until"),
    count("requests a window", "requests_max", ""),
    text("known from", "known_from"),
    count("minutes", "minutes", ""),
];

/// Prints what became of the IDs.
pub(super) fn account(
    common: &Common,
    archive: &Path,
    file: &Path,
    plan: &Plan,
    account: &Account,
) -> anyhow::Result<()> {
    if common.json {
        let outcomes = Outcome::ALL.map(|one| (one.word().to_owned(), account.of(one).into()));
        return show::json(&json!({
            "id": plan.id,
            "kind": plan.kind,
            "ids": plan.ids,
            "archive": archive.display().to_string(),
            "account": file.display().to_string(),
            "outcomes": Map::from_iter(outcomes),
        }));
    }
    let row =
        |one: Outcome| json!({ "outcome": one.word(), "ids": account.of(one), "says": one.says() });
    show::table(&Outcome::ALL.map(row), ACCOUNT)?;
    eprintln!("{} has the objects, {} each ID", archive.display(), file.display());
    Ok(())
}

/// Prints all hydrations.
pub(super) fn list(common: &Common, rows_max: u32) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::Upstream(Step::Hydrations { rows_max }))?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("nothing was hydrated yet; `hydrant hydrate` begins");
    } else {
        show::table(show::list(&answer), HYDRATIONS)?;
    }
    Ok(Done::Clean)
}

/// Prints how each credential stands in its month.
pub(super) fn budget(common: &Common) -> anyhow::Result<Done> {
    let settings = common.settings(None)?;
    let credentials = &settings.hydrate.credentials;
    if credentials.is_empty() {
        anyhow::bail!(
            "there is no credential in the settings: [hydrate.credentials.main] with \
             bearer_token_file makes one"
        );
    }
    let allotments = credentials.values().map(|credential| Allotment::of(credential)).collect();
    let mut answer = operate(common, Operation::Upstream(Step::Budgets { allotments }))?;
    for row in answer.as_array_mut().into_iter().flatten() {
        let credential = &credentials[show::field(row, "credential")];
        row["environment"] = credential.environment.word().into();
        row["use_case"] = credential.use_case.clone().into();
    }
    if common.json {
        show::json(&answer)?;
    } else {
        show::table(show::list(&answer), BUDGETS)?;
    }
    Ok(Done::Clean)
}

/// What a hydration would take.
pub(super) struct Forecast<'a> {
    /// What is asked for.
    pub(super) kind: IdKind,
    /// How much is left to ask for.
    pub(super) ids: u64,
    /// What the documentation says.
    pub(super) numbers: &'a UpstreamNumbers,
    /// Where the books are.
    pub(super) settings: &'a Settings,
}

/// Prints what a hydration would take of requests, of the budget and of time.
pub(super) async fn forecast(
    common: &Common,
    forecast: &Forecast<'_>,
    credential: &Credential,
) -> anyhow::Result<Done> {
    let allotments = vec![Allotment::of(credential)];
    let Forecast { kind, ids, numbers, settings } = *forecast;
    // Before the first request there is perhaps no store to ask.
    let is_there = settings.store.is_some() || settings.data_folder.is_dir();
    let standing = match is_there {
        true => CommandBooks(common).ask(Step::Budgets { allotments }).await?[0].clone(),
        false => Value::Null,
    };
    let budget = numbers.budget(credential.level, kind);
    let left = budget.map(|budget| standing["left"].as_u64().unwrap_or(budget));
    let told = match kind {
        IdKind::User => standing["users_requests"].as_u64(),
        _ => standing["tweets_requests"].as_u64(),
    };
    let requests = ids.div_ceil(IDS_PER_REQUEST);
    let requests_max = told.unwrap_or(numbers.requests_max).max(1);
    let windows = requests.saturating_sub(1) / requests_max;
    let window_minutes = numbers.requests_window_ms / MINUTE_MS;
    let minutes = windows.saturating_mul(u64::try_from(window_minutes).unwrap_or_default());
    let shown = json!({
        "kind": kind,
        "ids": ids,
        "requests": requests,
        "credential": credential.label,
        "left": left,
        "beyond": left.map(|left| ids.saturating_sub(left)),
        "until": standing["until"],
        "requests_max": requests_max,
        "known_from": if told.is_some() { "the platform's answers" } else { "its documentation" },
        "minutes": minutes,
    });
    if common.json {
        show::json(&shown)?;
    } else {
        show::record(&shown, FORECAST)?;
        if let Some(beyond) = shown["beyond"].as_u64().filter(|beyond| *beyond > 0) {
            eprintln!(
                "{} IDs are more than is left of this month: it stops there, and goes on later",
                separated(beyond)
            );
        }
    }
    Ok(Done::Clean)
}
