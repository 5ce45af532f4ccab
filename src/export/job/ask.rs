//! Asking for files: what somebody selects becomes an export with a plan, and each file of the plan
//! is asked for by hand. Who is a person in a browser is made sure of at the edge.

use std::sync::Arc;

use super::cabinet::CabinetError;
use super::maker::Workshop;
use super::plan::{NoPlan, plan};
use crate::base::date::minute;
use crate::base::party::{EntityId, PersonId};
use crate::export::file::Format;
use crate::export::source::{self, GatherError, Request, Selection, Stock};
use crate::ledger::{self, Usage};
use crate::policy::{Level, Unit, Window};
use crate::release::{Release, ReleaseError};
use crate::store::{DatasetRow, ExportFileRow, ExportRow, FileState, StoreError, Supply, Tx};

/// What is said of a dataset without records, where nobody asks the platform.
pub(super) const BARE_IDS: &str = "this dataset holds bare IDs: there are no objects of it here";

/// What somebody selects.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Who.
    pub person: PersonId,
    /// Their entities, which say what they see.
    pub entities: Vec<EntityId>,
    /// The dataset's short name.
    pub slug: String,
    /// What of it.
    pub selection: Selection,
    /// The IDs that they listed, if they did, ascending, each once.
    pub listed: Vec<u64>,
    /// In which format.
    pub format: Format,
}

/// Why there is no export, or no file of one.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It is not there for this person.
    #[error("{0}")]
    NotFound(&'static str),
    /// It cannot be selected like this.
    #[error("{0}")]
    Invalid(String),
    /// It contradicts what is there.
    #[error("{0}")]
    Conflict(String),
    /// The selection does not fit, or nobody can tell what it is.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// There is no plan.
    #[error(transparent)]
    NoPlan(#[from] NoPlan),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The release cannot be read.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The disk failed.
    #[error(transparent)]
    Disk(#[from] CabinetError),
}

/// Whether removals were imported lately enough.
pub(super) fn is_compliant(newest_ms: Option<i64>, age_ms: i64, now_ms: i64) -> bool {
    newest_ms.is_some_and(|newest_ms| now_ms - newest_ms <= age_ms)
}

/// What is said if they were not.
pub(super) fn stale(newest_ms: Option<i64>) -> String {
    let last = match newest_ms {
        Some(newest_ms) => format!("were last imported {}", minute(newest_ms)),
        None => "were never imported".to_owned(),
    };
    format!("removals {last}, and the operator wants newer ones before objects are handed out")
}

impl Workshop {
    /// Makes an export of what is selected, with a plan of its files; returns its number. Waits for
    /// the disk.
    ///
    /// # Errors
    /// [`AskError`]; then nothing was made.
    pub fn ask(&self, ask: &Ask) -> Result<i64, AskError> {
        let now_ms = self.now_ms();
        let (dataset, release) = self.seen(ask, now_ms)?;
        let stock = self.stock(&release)?;
        let request = Request {
            selection: &ask.selection,
            listed: &ask.listed,
            from: 0,
            objects_max: u64::MAX,
        };
        let counted = source::count(&stock, &request, self.cabinet.known())?;
        // Less than foreseen ends the plan early, more adds to it.
        let foreseen = counted.about.unwrap_or(counted.ids).clamp(counted.ids.min(1), counted.ids);
        let usage = self.usage(ask.person)?;
        let level = Level {
            ceiling_ids: usage.ceiling_ids,
            live_ids: usage.used_ids + usage.open_ids,
            held_ids: 0,
        };
        let window = Window { length_ms: usage.window_ms, grace_ms: usage.grace_ms };
        let files_max = self.rules.file_objects_max;
        let planned = plan(foreseen, level, window, files_max, usage.at_ms)?;
        let row = ExportRow {
            id: 0,
            person: ask.person,
            dataset: dataset.id,
            release,
            kind: ask.selection.kind,
            selection: serde_json::to_string(&ask.selection).expect("a selection is plain"),
            format: ask.format.kind().word.to_owned(),
            ids: counted.ids,
            asked_ms: now_ms,
        };
        let id = self.store().write_blocking(move |tx| -> Result<i64, StoreError> {
            let id = tx.export_insert(&row)?;
            for (part, file) in (1..).zip(planned) {
                tx.export_file_insert(&ExportFileRow {
                    part,
                    objects_max: file.objects_max,
                    from: (part == 1).then_some(0),
                    planned_ms: file.at_ms,
                    ..ExportFileRow::planned(id, row.person, now_ms)
                })?;
            }
            Ok(id)
        })?;
        if !ask.listed.is_empty() {
            self.cabinet.keep_list(id, &ask.listed)?;
        }
        Ok(id)
    }

    /// Whether there are objects of a release, here or at the platform; the error says why not.
    /// Waits for the disk.
    ///
    /// # Errors
    /// [`AskError::Invalid`] if there are none, else whatever keeps anybody from finding out.
    pub fn has_objects(&self, release: &str) -> Result<(), AskError> {
        self.stock(release).map(drop)
    }

    fn stock(&self, release: &str) -> Result<Stock, AskError> {
        let stock = Stock::open(Release::open(&self.releases.join(release))?)?;
        if stock.supply() == source::Supply::Upstream && self.asker.is_none() {
            return Err(AskError::Invalid(BARE_IDS.into()));
        }
        Ok(stock)
    }

    /// The dataset that is asked for, and its release, if that person sees it.
    fn seen(&self, ask: &Ask, now_ms: i64) -> Result<(DatasetRow, String), AskError> {
        let unknown = AskError::NotFound("there is no such dataset, or you do not see it");
        let found = self
            .store()
            .read(|tx| tx.dataset_visible_to(&ask.slug, Some(&ask.entities), now_ms))?;
        let row = found.ok_or(unknown)?;
        let Supply::Releases { .. } = &row.supply else {
            let clause = "this dataset is stripped in flight: nobody has its objects here";
            return Err(AskError::Invalid(clause.into()));
        };
        let release = row.supply.current_release().map(str::to_owned);
        let release = release.ok_or(AskError::NotFound("this dataset has no release yet"))?;
        Ok((row, release))
    }

    /// How much of their allowance of objects somebody has used.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn usage(&self, person: PersonId) -> Result<Usage, StoreError> {
        let clock = self.cabinet.clock().clone();
        let profile = Arc::clone(&self.profile);
        self.store().read(|tx| ledger::usage(tx, &profile, &clock, person, Unit::Objects))
    }

    /// Has a file made that is planned, or one like it made again that has ended; returns its
    /// number. Waits for the disk.
    ///
    /// # Errors
    /// [`AskError`]; then nothing is made.
    pub fn ask_for_file(&self, person: PersonId, file: i64) -> Result<i64, AskError> {
        let now_ms = self.now_ms();
        let age_ms = self.rules.compliance_age_ms;
        let asked = self.store().write_blocking(move |tx| -> Result<i64, AskError> {
            let row = own_file(tx, person, file)?;
            if let Some(other) = tx.export_file_under_way(person)? {
                let clause = match other.id == file {
                    true => "this file is being made already".to_owned(),
                    false => "another file of yours is being made; one at a time".to_owned(),
                };
                return Err(AskError::Conflict(clause));
            }
            if let Some(age_ms) = age_ms {
                let newest_ms = tx.removal_newest_ms()?;
                if !is_compliant(newest_ms, age_ms, now_ms) {
                    return Err(AskError::Conflict(stale(newest_ms)));
                }
            }
            if row.state.is_kept() {
                return Err(AskError::Conflict("this file is made and can be fetched".into()));
            }
            if row.from.is_none() {
                let clause = "the file before it comes first: this one begins where that one ends";
                return Err(AskError::Conflict(clause.into()));
            }
            if row.state == FileState::Planned {
                tx.export_file_ask(file, now_ms)?;
                return Ok(file);
            }
            let again = ExportFileRow {
                part: row.part,
                objects_max: row.objects_max,
                from: row.from,
                state: FileState::Asked,
                ..ExportFileRow::planned(row.export, person, now_ms)
            };
            Ok(tx.export_file_insert(&again)?)
        });
        let asked = asked?;
        self.bell.notify_one();
        Ok(asked)
    }
}

/// The file of that number, if it is that person's.
///
/// # Errors
/// [`AskError::NotFound`] if not.
pub fn own_file(tx: &Tx<'_>, person: PersonId, file: i64) -> Result<ExportFileRow, AskError> {
    let row = tx.export_file(file)?.filter(|row| row.person == person);
    row.ok_or(AskError::NotFound("there is no such file of yours"))
}
