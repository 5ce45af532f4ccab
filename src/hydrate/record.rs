//! What the store keeps of hydrations, stops and compliance jobs, and the leaves of the audit log
//! about them; how much may be asked for is `budget`'s business.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::budget::{self, Allotment};
use super::outcome::{Account, Outcome};
use crate::audit::{self, Leaf, name};
use crate::base::date::rfc3339;
use crate::base::ids::IdKind;
use crate::base::month::Month;
use crate::base::party::Actor;
use crate::policy::UpstreamNumbers;
use crate::store::{ComplianceJobRow, CredentialRow, HydrationRow, StoreError, Tx};

/// A hydration that begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// Its number, a UUID.
    pub id: String,
    /// What is fetched.
    pub kind: IdKind,
    /// The name of the credential that asks.
    pub credential: String,
    /// The path of the archive.
    pub archive: String,
    /// How many IDs are asked for.
    pub ids: u64,
}

/// How far a hydration is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Its number.
    pub id: String,
    /// Whether it goes on.
    pub state: State,
    /// Why it is paused.
    pub why: Option<String>,
    /// What became of the IDs so far.
    pub account: Account,
}

/// Whether a hydration goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It does, or its process was killed.
    Running,
    /// It waits for somebody to start it again.
    Paused,
    /// Every ID has an outcome.
    Done,
}

/// What the platform said that stops a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopNote {
    /// Which one.
    pub credential: String,
    /// What it said.
    pub word: StopWord,
    /// The day on which the credential's month begins.
    pub period_day: u32,
}

/// Why the platform stops a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopWord {
    /// The month's cap is reached: nothing is asked until the month ends.
    UsageCap,
    /// It does not know who asks.
    Unauthenticated,
    /// It forbids what is asked.
    Forbidden,
}

/// How far a compliance job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobNote {
    /// The platform's number.
    pub id: String,
    /// What its IDs are.
    pub kind: IdKind,
    /// The name of the credential that asks.
    pub credential: String,
    /// What it is called.
    pub name: String,
    /// How many IDs it is about; `None`: as was known before.
    pub ids: Option<u64>,
    /// `created`, `uploaded`, or what the platform says.
    pub state: String,
    /// The file of its result with its SHA-256 in hexadecimal; `None`: as was known before.
    pub result: Option<(String, String)>,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Paused => "paused",
            State::Done => "done",
        }
    }
}

impl StopWord {
    /// The word of the store.
    pub(super) fn word(self) -> &'static str {
        match self {
            StopWord::UsageCap => "usage-cap",
            StopWord::Unauthenticated => "unauthenticated",
            StopWord::Forbidden => "forbidden",
        }
    }
}

/// Enters a hydration. One that is there already was entered by a process that died before it
/// heard of it, and stays as it is.
pub(super) fn begin(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    begin: &Begin,
) -> Result<Value, StoreError> {
    if tx.hydration_by_id(&begin.id)?.is_none() {
        tx.hydration_insert(&HydrationRow {
            id: begin.id.clone(),
            kind: begin.kind.word().to_owned(),
            credential: begin.credential.clone(),
            archive: begin.archive.clone(),
            ids: begin.ids,
            state: State::Running.word().to_owned(),
            why: None,
            outcomes: Account::default().counts(),
            started_ms: now_ms,
            started_by: actor.to_string(),
            changed_ms: now_ms,
        })?;
        let leaf = Leaf::HydrationBegun {
            hydration: begin.id.clone(),
            kind: begin.kind,
            ids: begin.ids,
            credential: begin.credential.clone(),
            actor: name::of_actor(tx, actor)?,
        };
        audit::append(tx, now_ms, &leaf)?;
    }
    Ok(Value::Null)
}

/// Notes how far a hydration is; its end is a leaf.
pub(super) fn note(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    note: &Note,
) -> Result<Value, StoreError> {
    let Some(mut row) = tx.hydration_by_id(&note.id)? else {
        // The store was put back to a time before it began; the archive tells the rest.
        return Ok(Value::Null);
    };
    let was_done = row.state == State::Done.word();
    row.state = note.state.word().to_owned();
    row.why = note.why.clone();
    row.outcomes = note.account.counts();
    row.changed_ms = now_ms;
    tx.hydration_update(&row)?;
    if note.state == State::Done && !was_done {
        let leaf = Leaf::HydrationEnded {
            hydration: row.id,
            ids: row.ids,
            found: note.account.of(Outcome::Found),
            actor: name::of_actor(tx, actor)?,
        };
        audit::append(tx, now_ms, &leaf)?;
    }
    Ok(Value::Null)
}

/// Notes what stops a credential, and until when.
pub(super) fn note_stop(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    note: &StopNote,
) -> Result<Value, StoreError> {
    let StopNote { credential, word, period_day } = note;
    let until_ms = (*word == StopWord::UsageCap).then(|| Month::around(now_ms, *period_day).end_ms);
    let before = tx.upstream_credential(credential)?.unwrap_or_default();
    tx.upstream_credential_put(&CredentialRow {
        credential: credential.clone(),
        stop: Some(word.word().to_owned()),
        stop_ms: Some(now_ms),
        stop_until_ms: until_ms,
        ..before
    })?;
    let leaf = Leaf::UpstreamStopped {
        credential: credential.clone(),
        why: word.word().to_owned(),
        until_ms,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok(json!({ "until_ms": until_ms }))
}

/// Notes how many requests of a kind a window has, as the platform's header said.
pub(super) fn note_limit(
    tx: &Tx<'_>,
    credential: &str,
    kind: IdKind,
    requests: u64,
) -> Result<(), StoreError> {
    let before = tx.upstream_credential(credential)?.unwrap_or_default();
    let mut row = CredentialRow { credential: credential.to_owned(), ..before.clone() };
    match kind {
        IdKind::User => row.users_requests = Some(requests),
        _ => row.tweets_requests = Some(requests),
    }
    if row != before { tx.upstream_credential_put(&row) } else { Ok(()) }
}

/// The newest hydrations.
pub(super) fn hydrations(tx: &Tx<'_>, rows_max: u32) -> Result<Value, StoreError> {
    Ok(tx.hydrations(rows_max)?.iter().map(hydration).collect())
}

fn hydration(row: &HydrationRow) -> Value {
    let account = Account::from(row.outcomes);
    let mut shown = json!({
        "id": row.id,
        "kind": row.kind,
        "credential": row.credential,
        "archive": row.archive,
        "ids": row.ids,
        "asked": account.ids(),
        "state": row.state,
        "why": row.why,
        "started": rfc3339(row.started_ms),
        "started_by": row.started_by,
        "changed": rfc3339(row.changed_ms),
    });
    for outcome in Outcome::ALL {
        shown[outcome.word()] = account.of(outcome).into();
    }
    shown
}

/// How each of these credentials stands in its month.
pub(super) fn budgets(
    tx: &Tx<'_>,
    now_ms: i64,
    numbers: &UpstreamNumbers,
    allotments: &[Allotment],
) -> Result<Value, StoreError> {
    allotments
        .iter()
        .map(|allotment| {
            let standing = budget::standing(tx, now_ms, numbers, allotment)?;
            let said = tx.upstream_credential(&allotment.credential)?.unwrap_or_default();
            let budget = numbers.budget(allotment.level, IdKind::Tweet);
            Ok(json!({
                "credential": allotment.credential,
                "level": allotment.level.word(),
                "budget": budget,
                "spent": standing.spent.tweets,
                "left": standing.left,
                "users": standing.spent.users,
                "requests": standing.spent.requests,
                "from": rfc3339(standing.month.begin_ms),
                "until": rfc3339(standing.month.end_ms),
                "stop": said.stop,
                "stopped": said.stop_ms.map(rfc3339),
                "capped_until": standing.capped_until_ms.map(rfc3339),
                "tweets_requests": said.tweets_requests,
                "users_requests": said.users_requests,
            }))
        })
        .collect()
}

/// Notes how far a compliance job is; each new state is a leaf.
pub(super) fn note_job(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    note: &JobNote,
) -> Result<Value, StoreError> {
    let before = tx.compliance_job_by_id(&note.id)?;
    let known = before.as_ref();
    let mut row = ComplianceJobRow {
        id: note.id.clone(),
        kind: note.kind.word().to_owned(),
        credential: note.credential.clone(),
        name: note.name.clone(),
        ids: note.ids.or(known.map(|row| row.ids)).unwrap_or_default(),
        state: note.state.clone(),
        created_ms: known.map_or(now_ms, |row| row.created_ms),
        created_by: known.map_or_else(|| actor.to_string(), |row| row.created_by.clone()),
        changed_ms: now_ms,
        result: known.and_then(|row| row.result.clone()),
        result_sha256: known.and_then(|row| row.result_sha256),
    };
    if let Some((path, sha256)) = &note.result {
        let mut digest = [0; 32];
        row.result_sha256 = hex::decode_to_slice(sha256, &mut digest).is_ok().then_some(digest);
        row.result = Some(path.clone());
    }
    tx.compliance_job_put(&row)?;
    let is_news = known
        .is_none_or(|known| (&known.state, known.result_sha256) != (&row.state, row.result_sha256));
    if is_news {
        let leaf = Leaf::ComplianceJobNoted {
            job: row.id.clone(),
            kind: note.kind,
            ids: row.ids,
            state: row.state.clone(),
            result: row.result_sha256.map(hex::encode),
            actor: name::of_actor(tx, actor)?,
        };
        audit::append(tx, now_ms, &leaf)?;
    }
    Ok(job(&row))
}

/// All compliance jobs, the newest first.
pub(super) fn jobs(tx: &Tx<'_>) -> Result<Value, StoreError> {
    Ok(tx.compliance_jobs()?.iter().map(job).collect())
}

fn job(row: &ComplianceJobRow) -> Value {
    json!({
        "id": row.id,
        "kind": row.kind,
        "credential": row.credential,
        "name": row.name,
        "ids": row.ids,
        "state": row.state,
        "created": rfc3339(row.created_ms),
        "created_by": row.created_by,
        "changed": rfc3339(row.changed_ms),
        "result": row.result,
        "result_sha256": row.result_sha256.map(hex::encode),
    })
}
