//! What a store holds, so that two can be compared: counts and digests of rows, sums of meters, the
//! end of the journal.

use std::ops::ControlFlow;

use sha2::{Digest, Sha256};

use super::table::Table;
use crate::store::StoreError;
use crate::store::tx::{Connection, Take, Tx};
use crate::store::value::{Cell, Row, values};

/// How many rows are asked of a server at once.
const ROWS_PER_FETCH: usize = 2_000;

const SELECT_METERS: &str = "
    SELECT m.recipient || '/' || m.unit, m.live_ids, m.held_ids,
           (SELECT CAST(coalesce(sum(b.ids), 0) AS BIGINT) FROM buckets b WHERE b.meter_id = m.id),
           (SELECT CAST(coalesce(sum(o.ids), 0) AS BIGINT) FROM open_charges o
            WHERE o.meter_id = m.id)
    FROM meters m ORDER BY m.id";
const SELECT_HEAD: &str = "SELECT sequence, leaf FROM journal ORDER BY sequence DESC LIMIT 1";

/// What a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Each table, by name.
    pub tables: Vec<TableTotals>,
    /// Each meter, in the order of their rows.
    pub meters: Vec<MeterTotals>,
    /// The end of the journal; `None`: it is empty.
    pub journal: Option<JournalHead>,
}

/// The rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableTotals {
    /// The table.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// The SHA-256 of all of them in the order of the primary key.
    pub sha256: [u8; 32],
}

/// How full a meter is, and what that is the sum of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterTotals {
    /// The recipient and the unit, as in `entity:7/tweet`.
    pub name: String,
    /// What is live, in IDs.
    pub live_ids: u64,
    /// What is held, in IDs.
    pub held_ids: u64,
    /// What of the live is settled, in IDs.
    pub settled_ids: u64,
    /// What of the live is open, in IDs.
    pub open_ids: u64,
}

/// The end of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalHead {
    /// The last leaf's number.
    pub sequence: u64,
    /// The SHA-256 of the last leaf.
    pub sha256: [u8; 32],
}

impl Totals {
    /// The first thing that is not the same in `other`.
    pub(super) fn difference(&self, other: &Totals) -> Option<String> {
        let tables = self.tables.iter().zip(&other.tables);
        if let Some((sent, arrived)) = tables.into_iter().find(|(a, b)| a != b) {
            let (name, sent_rows, rows) = (&sent.name, sent.rows, arrived.rows);
            return Some(format!("the table {name}, {sent_rows} rows against {rows}"));
        }
        let meters = self.meters.iter().zip(&other.meters);
        if let Some((sent, _)) = meters.into_iter().find(|(a, b)| a != b) {
            return Some(format!("the meter {}", sent.name));
        }
        (self != other).then(|| "the end of the journal, or the number of meters".to_owned())
    }
}

/// What a database file holds.
pub(super) fn of(
    connection: &dyn Connection,
    tables: &[Table],
    select: impl Fn(&Table) -> String,
) -> Result<Totals, StoreError> {
    whole(connection, tables, |table, take| connection.each(&select(table), &[], take))
}

/// What a server's database holds; rows are fetched in parts, however many there are.
pub(super) fn of_server(
    connection: &dyn Connection,
    tables: &[Table],
) -> Result<Totals, StoreError> {
    whole(connection, tables, |table, take| {
        let (cursor, select) = (format!("rows_of_{}", table.name), table.select_from_server());
        connection.script(&format!("DECLARE {cursor} NO SCROLL CURSOR FOR {select}"))?;
        let fetch = format!("FETCH {ROWS_PER_FETCH} FROM {cursor}");
        loop {
            let mut rows = 0;
            connection.each(&fetch, &[], &mut |row| {
                rows += 1;
                take(row)
            })?;
            if rows < ROWS_PER_FETCH {
                break;
            }
        }
        connection.script(&format!("CLOSE {cursor}"))
    })
}

fn whole(
    connection: &dyn Connection,
    tables: &[Table],
    each: impl Fn(&Table, Take<'_>) -> Result<(), StoreError>,
) -> Result<Totals, StoreError> {
    let tables = tables.iter().map(|table| {
        let (mut rows, mut digest) = (0, Sha256::new());
        each(table, &mut |row| {
            rows += 1;
            (0..table.columns()).try_for_each(|column| {
                add(&mut digest, row.0.cell(column)?);
                Ok::<(), StoreError>(())
            })?;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(TableTotals { name: table.name.clone(), rows, sha256: digest.finalize().into() })
    });
    let tables = tables.collect::<Result<_, StoreError>>()?;
    let tx = Tx { connection };
    let journal = tx.row(SELECT_HEAD, values![], |row| {
        let leaf: String = row.get(1)?;
        Ok(JournalHead { sequence: row.get(0)?, sha256: Sha256::digest(leaf).into() })
    })?;
    Ok(Totals { tables, meters: tx.rows(SELECT_METERS, values![], meter)?, journal })
}

fn meter(row: &Row<'_>) -> Result<MeterTotals, StoreError> {
    Ok(MeterTotals {
        name: row.get(0)?,
        live_ids: row.get(1)?,
        held_ids: row.get(2)?,
        settled_ids: row.get(3)?,
        open_ids: row.get(4)?,
    })
}

/// Adds a cell so that no two different rows give the same bytes.
fn add(digest: &mut Sha256, cell: Cell<'_>) {
    let (kind, bytes) = match &cell {
        Cell::Null => (0_u8, &[][..]),
        Cell::Number(number) => {
            digest.update([1]);
            return digest.update(number.to_be_bytes());
        }
        Cell::Text(text) => (2, text.as_bytes()),
        Cell::Bytes(bytes) => (3, *bytes),
    };
    digest.update([kind]);
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}
