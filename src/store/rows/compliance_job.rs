//! The rows of batch compliance jobs: which lists of IDs the platform was given, and where its
//! answers lie; what follows from an answer is not known here.

use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComplianceJobRow {
    /// The number that the platform gave it.
    pub id: String,
    /// `tweet` or `user`.
    pub kind: String,
    /// The name of the credential that asks.
    pub credential: String,
    /// What it was called.
    pub name: String,
    /// How many IDs it is about.
    pub ids: u64,
    /// `created`, `uploaded`, or what the platform says.
    pub state: String,
    /// When it was created, in milliseconds UTC.
    pub created_ms: i64,
    /// Who created it.
    pub created_by: String,
    /// When it was heard of last, in milliseconds UTC.
    pub changed_ms: i64,
    /// The file of its result, if that was fetched.
    pub result: Option<String>,
    /// The SHA-256 of that file.
    pub result_sha256: Option<[u8; 32]>,
}

const PUT: &str = "
    INSERT INTO compliance_jobs
        (id, kind, credential, name, ids, state, created_ms, created_by, changed_ms, result,
         result_sha256)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (id) DO UPDATE SET
        ids = ?5, state = ?6, changed_ms = ?9, result = ?10, result_sha256 = ?11";
const SELECT_BY_ID: &str = "
    SELECT id, kind, credential, name, ids, state, created_ms, created_by, changed_ms, result,
           result_sha256
    FROM compliance_jobs WHERE id = ?1";
const SELECT_ALL: &str = "
    SELECT id, kind, credential, name, ids, state, created_ms, created_by, changed_ms, result,
           result_sha256
    FROM compliance_jobs ORDER BY created_ms DESC, id DESC";

impl Tx<'_> {
    /// Adds a job; of one that is there it notes how far it is.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn compliance_job_put(&self, row: &ComplianceJobRow) -> Result<(), StoreError> {
        let values = values![
            &row.id,
            &row.kind,
            &row.credential,
            &row.name,
            row.ids,
            &row.state,
            row.created_ms,
            &row.created_by,
            row.changed_ms,
            &row.result,
            row.result_sha256.as_ref()
        ];
        self.change(PUT, values).map(drop)
    }

    /// The job of that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn compliance_job_by_id(&self, id: &str) -> Result<Option<ComplianceJobRow>, StoreError> {
        self.row(SELECT_BY_ID, values![id], job)
    }

    /// All jobs, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn compliance_jobs(&self) -> Result<Vec<ComplianceJobRow>, StoreError> {
        self.rows(SELECT_ALL, values![], job)
    }
}

fn job(row: &Row<'_>) -> Result<ComplianceJobRow, StoreError> {
    Ok(ComplianceJobRow {
        id: row.get(0)?,
        kind: row.get(1)?,
        credential: row.get(2)?,
        name: row.get(3)?,
        ids: row.get(4)?,
        state: row.get(5)?,
        created_ms: row.get(6)?,
        created_by: row.get(7)?,
        changed_ms: row.get(8)?,
        result: row.get(9)?,
        result_sha256: row.get(10)?,
    })
}
