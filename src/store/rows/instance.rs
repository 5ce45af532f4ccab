//! The rows of gateways' starts, told by instance; when one starts or ends is `ledger`'s business.

use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// A gateway among those on one database, by its newest start. Times are milliseconds UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRow {
    /// Its name.
    pub name: String,
    /// When it started last.
    pub started_ms: i64,
    /// When it was retired; `None`: it was not.
    pub retired_ms: Option<i64>,
    /// Who retired it.
    pub retired_by: Option<String>,
    /// Why.
    pub retired_reason: Option<String>,
    /// How many IDs are charged by it and not settled.
    pub open_ids: u64,
    /// How many deliveries it has under way.
    pub deliveries: u64,
}

const SELECT_ALL: &str = "
    SELECT i.instance, i.started_ms, i.ended_ms, i.retired_by, i.retired_reason,
           (SELECT CAST(coalesce(sum(o.ids), 0) AS BIGINT) FROM open_charges o
            WHERE o.incarnation_id IN (SELECT j.id FROM incarnations j
                                       WHERE j.instance = i.instance)),
           (SELECT count(*) FROM deliveries d
            WHERE d.state = 'running'
              AND d.incarnation_id IN (SELECT j.id FROM incarnations j
                                       WHERE j.instance = i.instance))
    FROM incarnations i
    WHERE i.id = (SELECT max(j.id) FROM incarnations j WHERE j.instance = i.instance)
    ORDER BY i.instance";
const RETIRE: &str = "
    UPDATE incarnations SET ended_ms = ?2, retired_by = ?3, retired_reason = ?4 WHERE id = ?1";

impl Tx<'_> {
    /// Every instance that ever started, by name.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn instances(&self) -> Result<Vec<InstanceRow>, StoreError> {
        self.rows(SELECT_ALL, values![], instance)
    }

    /// Notes that a start of a gateway is over and that no other of its name follows.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn incarnation_retire(
        &self,
        incarnation: i64,
        now_ms: i64,
        actor: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.write(RETIRE, values![incarnation, now_ms, actor, reason])
    }
}

fn instance(row: &Row<'_>) -> Result<InstanceRow, StoreError> {
    Ok(InstanceRow {
        name: row.get(0)?,
        started_ms: row.get(1)?,
        retired_ms: row.get(2)?,
        retired_by: row.get(3)?,
        retired_reason: row.get(4)?,
        open_ids: row.get(5)?,
        deliveries: row.get(6)?,
    })
}
