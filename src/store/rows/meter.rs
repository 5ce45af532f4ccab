//! The rows of meters and of the buckets of settled charges; when a bucket leaves is `policy`'s.

use std::ops::ControlFlow;

use crate::base::commitment::Commitment;
use crate::base::party::PersonId;
use crate::policy::{Level, Recipient, Unit};
use crate::store::value::{Row, values};
use crate::store::{Party, StoreError, Tx};

/// The meter of one recipient for one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterRow {
    /// Its row number.
    pub id: i64,
    /// How full it is, and how full it may be.
    pub level: Level,
    /// How the audit log names the recipient in all leaves about this meter.
    pub commitment: Commitment,
}

/// What all people of one recipient were handed in one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketRow {
    /// Minutes since 1970.
    pub minute: i64,
    /// How many IDs, or objects.
    pub ids: u64,
}

const SELECT: &str = "
    SELECT id, ceiling_ids, live_ids, held_ids, commitment FROM meters
    WHERE recipient = ?1 AND unit = ?2";
const SELECT_ALL: &str = "
    SELECT id, ceiling_ids, live_ids, held_ids, commitment, recipient, unit FROM meters
    ORDER BY id";
const INSERT: &str = "
    INSERT INTO meters (recipient, unit, ceiling_ids, live_ids, held_ids, commitment)
    VALUES (?1, ?2, NULL, 0, 0, ?3)
    RETURNING id, ceiling_ids, live_ids, held_ids, commitment";
const UPDATE: &str = "
    UPDATE meters SET ceiling_ids = ?2, live_ids = ?3, held_ids = ?4 WHERE id = ?1";
const LOWER: &str = "
    UPDATE meters SET live_ids = live_ids - ?2, held_ids = held_ids - ?3 WHERE id = ?1";
const SUM_LEFT: &str = "
    SELECT CAST(coalesce(sum(ids), 0) AS BIGINT) FROM buckets WHERE meter_id = ?1 AND minute <= ?2";
const DELETE_LEFT: &str = "DELETE FROM buckets WHERE meter_id = ?1 AND minute <= ?2";
const ADD_TO_BUCKET: &str = "
    INSERT INTO buckets (meter_id, minute, person_id, ids) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (meter_id, minute, person_id) DO UPDATE SET ids = buckets.ids + ?4";
// Every bucket of a person is put forward by as much, so none meets another; but a key is not
// changed row by row where rows in between still have the old one.
const TAKE_SINCE: &str = "
    DELETE FROM buckets WHERE minute >= ?1 RETURNING meter_id, minute, person_id, ids";
const DELETE_BUCKET: &str = "
    DELETE FROM buckets WHERE meter_id = ?1 AND minute = ?2 AND person_id = ?3 AND ids = ?4";
const LOWER_BUCKET: &str = "
    UPDATE buckets SET ids = ids - ?4 WHERE meter_id = ?1 AND minute = ?2 AND person_id = ?3";
const SELECT_BUCKETS: &str = "
    SELECT minute, CAST(sum(ids) AS BIGINT) FROM buckets WHERE meter_id = ?1 AND minute > ?2
    GROUP BY minute ORDER BY minute";
// Rows whose sum differs from what their meter says; there are none, or the ledger is damaged.
const SELECT_UNBALANCED: &str = "
    SELECT recipient || '/' || unit FROM meters m
    WHERE live_ids <> (SELECT coalesce(sum(ids), 0) FROM buckets b WHERE b.meter_id = m.id)
                    + (SELECT coalesce(sum(CASE WHEN c.id IS NULL THEN o.ids
                                                ELSE c.newest * c.weight END), 0)
                       FROM open_charges o LEFT JOIN seen_charges c ON c.id = o.seen_charge_id
                       WHERE o.meter_id = m.id)
       OR held_ids <> (SELECT coalesce(sum(ids), 0) FROM holds h WHERE h.meter_id = m.id)";

impl Tx<'_> {
    /// The meter of `recipient` for `unit`, if it was ever charged.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn meter_find(
        &self,
        recipient: Recipient,
        unit: impl Into<Unit>,
    ) -> Result<Option<MeterRow>, StoreError> {
        self.row(SELECT, values![&recipient.to_string(), unit.into().word()], meter)
    }

    /// The meter of `recipient` for `unit`; an empty one if there was none.
    ///
    /// # Errors
    /// [`StoreError`] of the look or the change.
    pub fn meter(
        &self,
        recipient: Recipient,
        unit: impl Into<Unit>,
    ) -> Result<MeterRow, StoreError> {
        let unit = unit.into();
        if let Some(found) = self.meter_find(recipient, unit)? {
            return Ok(found);
        }
        // A recipient without a row of its own (in tests), and a link, which leaves name by its
        // number, has a name that commits to nothing.
        let party = Party::of(recipient).map(|party| self.commitment(party)).transpose()?;
        let commitment = party.flatten().unwrap_or_else(Commitment::to_nobody);
        let name = recipient.to_string();
        let made = self.row(INSERT, values![&name, unit.word(), &commitment.0], meter)?;
        Ok(made.expect("what is inserted is returned"))
    }

    /// All meters, each with its recipient and its unit.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn meters(&self) -> Result<Vec<(Recipient, Unit, MeterRow)>, StoreError> {
        self.rows(SELECT_ALL, values![], |row| {
            let (recipient, word): (String, String) = (row.get(5)?, row.get(6)?);
            let damaged = || StoreError::Damaged(format!("the meter {recipient}/{word}").into());
            let unit = Unit::from_word(&word).ok_or_else(damaged)?;
            let recipient = Recipient::try_from(recipient.clone()).map_err(|_| damaged())?;
            Ok((recipient, unit, meter(row)?))
        })
    }

    /// Writes how full a meter is.
    ///
    /// # Errors
    /// [`StoreError`] of the change; that it would rise above its ceiling is one.
    pub fn meter_set(&self, meter: &MeterRow) -> Result<(), StoreError> {
        let Level { ceiling_ids, live_ids, held_ids } = meter.level;
        self.write(UPDATE, values![meter.id, ceiling_ids, live_ids, held_ids])
    }

    /// Takes IDs off what is live and off what is held.
    ///
    /// # Errors
    /// [`StoreError`] of the change; that more is taken off than there is is one.
    pub fn meter_lower(
        &self,
        meter_id: i64,
        live_ids: u64,
        held_ids: u64,
    ) -> Result<(), StoreError> {
        self.write(LOWER, values![meter_id, live_ids, held_ids])
    }

    /// How many IDs are in buckets up to `newest_left`, that minute included.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn buckets_left(&self, meter_id: i64, newest_left: i64) -> Result<u64, StoreError> {
        self.one(SUM_LEFT, values![meter_id, newest_left])
    }

    /// Removes the buckets up to `newest_left`, that minute included. Their IDs are still live:
    /// the caller takes them off its meter.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn buckets_remove(&self, meter_id: i64, newest_left: i64) -> Result<(), StoreError> {
        self.write(DELETE_LEFT, values![meter_id, newest_left])
    }

    /// Adds settled IDs to the bucket of `minute`.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn bucket_add(
        &self,
        meter_id: i64,
        minute: i64,
        person: PersonId,
        ids: u64,
    ) -> Result<(), StoreError> {
        self.write(ADD_TO_BUCKET, values![meter_id, minute, person, ids])
    }

    /// Puts everything that is settled from minute `since` on forward by `minutes`: it leaves as
    /// much later.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn buckets_put_forward(&self, since: i64, minutes: i64) -> Result<(), StoreError> {
        let taken = self.rows(TAKE_SINCE, values![since], |row| {
            let bucket: (i64, i64, PersonId) = (row.get(0)?, row.get(1)?, PersonId(row.get(2)?));
            Ok((bucket, row.get(3)?))
        })?;
        for ((meter_id, minute, person), ids) in taken {
            self.bucket_add(meter_id, minute + minutes, person, ids)?;
        }
        self.seen_charges_put_forward(since, minutes)
    }

    /// Takes IDs off the bucket of `minute`; one that is empty then is removed.
    ///
    /// # Errors
    /// [`StoreError`] of the change; that more is taken off than there is is one.
    pub fn bucket_lower(
        &self,
        meter_id: i64,
        minute: i64,
        person: PersonId,
        ids: u64,
    ) -> Result<(), StoreError> {
        let values = values![meter_id, minute, person, ids];
        if ids == 0 || self.change(DELETE_BUCKET, values)? == 1 {
            return Ok(());
        }
        match self.change(LOWER_BUCKET, values)? {
            1 => Ok(()),
            _ => Err(StoreError::Damaged("a bucket that was settled is not there".into())),
        }
    }

    /// The buckets after minute `newest_left`, oldest first, all people together, as far as
    /// `more` says that it wants more.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn buckets(
        &self,
        meter_id: i64,
        newest_left: i64,
        mut more: impl FnMut(BucketRow) -> bool,
    ) -> Result<(), StoreError> {
        self.each(SELECT_BUCKETS, values![meter_id, newest_left], |row| {
            let wants_more = more(BucketRow { minute: row.get(0)?, ids: row.get(1)? });
            Ok(if wants_more { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })
    }

    /// The meters, as `recipient/unit`, whose numbers are not the sums of their rows.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn meters_unbalanced(&self) -> Result<Vec<String>, StoreError> {
        self.rows(SELECT_UNBALANCED, values![], |row| row.get(0))
    }
}

fn meter(row: &Row<'_>) -> Result<MeterRow, StoreError> {
    Ok(MeterRow {
        id: row.get(0)?,
        level: Level { ceiling_ids: row.get(1)?, live_ids: row.get(2)?, held_ids: row.get(3)? },
        commitment: Commitment(row.get(4)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::IdKind;
    use crate::base::party::EntityId;
    use crate::store::tests::fresh::{Fresh, on_every_engine};

    /// Runs raw SQL on a meter with ceiling 100, of which 60 are live and 30 held.
    fn after(fresh: &Fresh, change: &'static str) -> Result<Level, StoreError> {
        fresh.open().write_blocking(move |tx| {
            let recipient = Recipient::Entity(EntityId(7));
            let meter = tx.meter(recipient, IdKind::Tweet)?;
            let level = Level { ceiling_ids: Some(100), live_ids: 60, held_ids: 30 };
            tx.meter_set(&MeterRow { level, ..meter })?;
            tx.connection.script(change)?;
            let level = tx.meter(recipient, IdKind::Tweet)?.level;
            // So that the next change finds what this one found.
            tx.connection.script("DELETE FROM meters")?;
            Ok(level)
        })
    }

    #[test]
    fn the_database_itself_refuses_to_rise_above_a_ceiling() {
        on_every_engine(|fresh| {
            for change in [
                "UPDATE meters SET live_ids = 71",
                "UPDATE meters SET held_ids = 41",
                "UPDATE meters SET live_ids = 101, held_ids = 0",
                "UPDATE meters SET live_ids = 61, ceiling_ids = 90",
                "UPDATE meters SET ceiling_ids = 50;
                 UPDATE meters SET live_ids = 61, held_ids = 29",
                "UPDATE meters SET live_ids = -1",
                "UPDATE meters SET held_ids = held_ids - 31",
                "INSERT INTO meters (recipient, unit, live_ids, held_ids) VALUES ('x', 'y', 1, 0)",
            ] {
                let refused = after(fresh, change);
                assert!(matches!(refused, Err(StoreError::Database(_))), "{change}: {refused:?}");
            }
        });
    }

    #[test]
    fn what_rises_below_the_ceiling_or_falls_above_it_is_allowed() {
        on_every_engine(|fresh| {
            for change in [
                "UPDATE meters SET live_ids = 70",
                "UPDATE meters SET live_ids = 90, held_ids = 0",
                "UPDATE meters SET live_ids = 70, held_ids = 30",
                "UPDATE meters SET ceiling_ids = 50",
                "UPDATE meters SET ceiling_ids = 50; UPDATE meters SET held_ids = 0",
                "UPDATE meters SET ceiling_ids = 70; UPDATE meters SET live_ids = 70, held_ids = 0",
                "UPDATE meters SET ceiling_ids = NULL; UPDATE meters SET live_ids = 1000",
            ] {
                let allowed = after(fresh, change);
                assert!(allowed.is_ok(), "{change}: {allowed:?}");
            }
        });
    }
}
