//! The rows of what a recipient has been handed, where an element counts once; which elements
//! those are, and what a reference is good for, is `ledger`'s business.

use crate::base::party::PersonId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// A charge of elements that count once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenChargeRow {
    /// Its row number; newer charges have higher ones.
    pub id: i64,
    /// The meter.
    pub meter_id: i64,
    /// Who asked.
    pub person: PersonId,
    /// In whose bucket it is, in minutes since 1970; `None` while it is open.
    pub minute: Option<i64>,
    /// What each element counts.
    pub weight: u64,
    /// How many elements have their newest reference here.
    pub newest: u64,
    /// How many elements have one here and a newer one elsewhere.
    pub older: u64,
}

/// An element and the charge that has a reference to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenRow {
    /// The charge.
    pub charge: i64,
    /// The element.
    pub element: u64,
}

/// Elements that are to count from a later minute on than they are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenLaterRow {
    /// The bucket that they are counted in; `None` while their newest charge is open.
    pub counted: Option<(i64, PersonId)>,
    /// The bucket of the charge that was settled last of all that refer to them.
    pub last: (i64, PersonId),
    /// How much they count.
    pub ids: u64,
}

/// Bytes of an element in a charge's list.
const ELEMENT_BYTES: usize = 8;

macro_rules! select_charge {
    ($rest:literal) => {
        concat!("SELECT id, meter_id, person_id, minute, weight, newest, older ", $rest)
    };
}
const INSERT_CHARGE: &str = "
    INSERT INTO seen_charges
        (meter_id, person_id, minute, weight, newest, older, charged, elements)
    VALUES (?1, ?2, NULL, ?3, ?4, 0, ?4, ?5)
    RETURNING id";
const SELECT_CHARGE: &str = select_charge!("FROM seen_charges WHERE id = ?1");
const SELECT_OLDEST: &str = select_charge!(
    "FROM seen_charges WHERE meter_id = ?1 AND minute <= ?2 ORDER BY minute, id LIMIT 1"
);
const SELECT_ELEMENTS: &str = "SELECT elements FROM seen_charges WHERE id = ?1";
const SETTLE_CHARGE: &str = "UPDATE seen_charges SET minute = ?2 WHERE id = ?1";
const PUT_FORWARD: &str = "UPDATE seen_charges SET minute = minute + ?2 WHERE minute >= ?1";
const COUNT_CHARGE: &str = "UPDATE seen_charges SET newest = ?2, older = ?3 WHERE id = ?1";
const EMPTY_CHARGE: &str = "
    UPDATE seen_charges SET newest = 0, older = 0, elements = ?2 WHERE id = ?1";
const SUM_SUPERSEDED: &str = "
    SELECT minute, CAST(sum((charged - newest) * weight) AS BIGINT) FROM seen_charges
    WHERE meter_id = ?1 AND person_id = ?2 AND minute > ?3
    GROUP BY minute";
// Of two that were settled in the same minute, one is as good as the other.
const SUM_LATER: &str = "
    SELECT n.minute, n.person_id, o.minute, o.person_id, CAST(sum(n.weight) AS BIGINT)
    FROM seen_older r
    JOIN seen_charges o ON o.id = r.charge_id
    JOIN seen_newest s ON s.meter_id = r.meter_id AND s.element = r.element
    JOIN seen_charges n ON n.id = s.charge_id
    WHERE r.meter_id = ?1 AND o.minute > ?2 AND (n.minute IS NULL OR n.minute < o.minute)
      AND NOT EXISTS (
        SELECT 1 FROM seen_older x JOIN seen_charges c ON c.id = x.charge_id
        WHERE x.meter_id = r.meter_id AND x.element = r.element
          AND (c.minute > o.minute OR (c.minute = o.minute AND c.id > o.id)))
    GROUP BY n.minute, n.person_id, o.minute, o.person_id";
const DELETE_CHARGE: &str = "DELETE FROM seen_charges WHERE id = ?1";
const ANY_OF_METER: &str = "SELECT EXISTS (SELECT 1 FROM seen_newest WHERE meter_id = ?1)";
const ANY_OLDER: &str = "SELECT EXISTS (SELECT 1 FROM seen_older WHERE meter_id = ?1)";
const SELECT_OF_METER: &str = "SELECT element FROM seen_newest WHERE meter_id = ?1";
const SELECT_NEWEST: &str = "
    SELECT n.charge_id, n.element FROM rarray(?2) AS l CROSS JOIN seen_newest AS n
    WHERE n.meter_id = ?1 AND n.element = l.value";
const SELECT_STAYING: &str = "
    SELECT n.charge_id, n.element FROM rarray(?2) AS l CROSS JOIN seen_newest AS n
    WHERE n.meter_id = ?1 AND n.element = l.value
      AND n.charge_id NOT IN (SELECT id FROM seen_charges WHERE meter_id = ?1 AND minute <= ?3)";
const SELECT_OLDER: &str = "
    SELECT max(o.charge_id), o.element FROM rarray(?2) AS l CROSS JOIN seen_older AS o
    WHERE o.meter_id = ?1 AND o.element = l.value
    GROUP BY o.element";
const INSERT_NEWEST: &str = "
    INSERT INTO seen_newest (meter_id, element, charge_id)
    SELECT CAST(?1 AS BIGINT), l.value, CAST(?2 AS BIGINT) FROM rarray(?3) AS l
    WHERE TRUE ON CONFLICT (meter_id, element) DO NOTHING";
const MOVE_NEWEST: &str = "
    UPDATE seen_newest SET charge_id = ?2
    WHERE meter_id = ?1 AND element IN (SELECT value FROM rarray(?3))";
const DELETE_NEWEST: &str = "
    DELETE FROM seen_newest WHERE meter_id = ?1 AND element IN (SELECT value FROM rarray(?2))";
const INSERT_OLDER: &str = "
    INSERT INTO seen_older (meter_id, element, charge_id)
    SELECT CAST(?1 AS BIGINT), l.value, CAST(?2 AS BIGINT) FROM rarray(?3) AS l";
const DELETE_OLDER: &str = "
    DELETE FROM seen_older
    WHERE meter_id = ?1 AND charge_id = ?2 AND element IN (SELECT value FROM rarray(?3))";
// Settled references that leave no later than that minute, to elements that have a newer one. The
// sign keeps the key from being asked for each element and each such charge.
const DELETE_OLDER_UNTIL: &str = "
    DELETE FROM seen_older
    WHERE meter_id = ?1 AND element IN (SELECT value FROM rarray(?2))
      AND +charge_id IN (SELECT id FROM seen_charges WHERE meter_id = ?1 AND minute <= ?3)
    RETURNING charge_id, element";
// Charges that do not say how many references they have, and references without their charge.
const SELECT_MISCOUNTED: &str = "
    WITH n AS (SELECT charge_id, count(*) AS found FROM seen_newest GROUP BY charge_id),
         o AS (SELECT charge_id, count(*) AS found FROM seen_older GROUP BY charge_id)
    SELECT c.meter_id FROM seen_charges c
    LEFT JOIN n ON n.charge_id = c.id LEFT JOIN o ON o.charge_id = c.id
    WHERE c.newest <> coalesce(n.found, 0) OR c.older <> coalesce(o.found, 0)
    UNION
    SELECT meter_id FROM seen_newest WHERE charge_id NOT IN (SELECT id FROM seen_charges)
    UNION
    SELECT meter_id FROM seen_older WHERE charge_id NOT IN (SELECT id FROM seen_charges)
    UNION
    SELECT o.meter_id FROM seen_older o LEFT JOIN seen_newest n
        ON n.meter_id = o.meter_id AND n.element = o.element
    WHERE n.charge_id IS NULL OR n.charge_id <= o.charge_id";
const SUM_STAYING: &str = "
    SELECT CAST(coalesce(sum(newest * weight), 0) AS BIGINT) FROM seen_charges
    WHERE meter_id = ?1 AND (minute IS NULL OR minute > ?2)";

impl Tx<'_> {
    /// Enters an open charge of `elements`, which are ascending and have their newest reference in
    /// it, and returns its number. The references are the caller's to write.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn seen_charge_add(
        &self,
        meter_id: i64,
        person: PersonId,
        weight: u64,
        elements: &[u64],
    ) -> Result<i64, StoreError> {
        let list: Vec<u8> = elements.iter().flat_map(|element| element.to_be_bytes()).collect();
        let newest = elements.len() as u64;
        self.one(INSERT_CHARGE, values![meter_id, person, weight, newest, list.as_slice()])
    }

    /// The charge with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look; that there is none is one.
    pub fn seen_charge(&self, id: i64) -> Result<SeenChargeRow, StoreError> {
        self.row(SELECT_CHARGE, values![id], charge)?
            .ok_or_else(|| StoreError::Damaged("a charge that is referred to is not there".into()))
    }

    /// The oldest charge of a meter whose minute is `newest_left` or before.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn seen_charge_oldest(
        &self,
        meter_id: i64,
        newest_left: i64,
    ) -> Result<Option<SeenChargeRow>, StoreError> {
        self.row(SELECT_OLDEST, values![meter_id, newest_left], charge)
    }

    /// All elements that a charge was opened with, ascending.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn seen_charge_elements(&self, id: i64) -> Result<Vec<u64>, StoreError> {
        let list: Vec<u8> = self.one(SELECT_ELEMENTS, values![id])?;
        let (elements, rest) = list.as_chunks::<ELEMENT_BYTES>();
        if !rest.is_empty() {
            return Err(StoreError::Damaged("the list of a charge's elements".into()));
        }
        Ok(elements.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect())
    }

    /// Writes in whose minute's bucket a charge is from now on.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn seen_charge_settle(&self, id: i64, minute: i64) -> Result<(), StoreError> {
        self.write(SETTLE_CHARGE, values![id, minute])?;
        Ok(())
    }

    /// Puts every charge that is settled from minute `since` on forward by `minutes`.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn seen_charges_put_forward(&self, since: i64, minutes: i64) -> Result<(), StoreError> {
        self.write(PUT_FORWARD, values![since, minutes])?;
        Ok(())
    }

    /// Writes how many references of either kind a charge has.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn seen_charge_count(&self, row: &SeenChargeRow) -> Result<(), StoreError> {
        self.write(COUNT_CHARGE, values![row.id, row.newest, row.older])?;
        Ok(())
    }

    /// Writes that a settled charge has no references any more; it stays, to tell what its person
    /// was handed.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn seen_charge_empty(&self, id: i64) -> Result<(), StoreError> {
        let none: &[u8] = &[];
        self.change(EMPTY_CHARGE, values![id, none])?;
        Ok(())
    }

    /// What `person` was handed after minute `newest_left`, by the minute in which it was settled,
    /// beyond what is counted with those charges: it is counted with later ones, perhaps of others.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn seen_superseded(
        &self,
        meter_id: i64,
        person: PersonId,
        newest_left: i64,
    ) -> Result<Vec<(i64, u64)>, StoreError> {
        let values = values![meter_id, person, newest_left];
        self.rows(SUM_SUPERSEDED, values, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// What is counted with an open charge, or in an earlier minute, although another charge of it
    /// was settled after minute `newest_left` and later: when the newest charge is given back or
    /// has left its window, it counts with that one.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn seen_later(
        &self,
        meter_id: i64,
        newest_left: i64,
    ) -> Result<Vec<SeenLaterRow>, StoreError> {
        self.rows(SUM_LATER, values![meter_id, newest_left], |row| {
            let minute: Option<i64> = row.get(0)?;
            let person = PersonId(row.get(1)?);
            Ok(SeenLaterRow {
                counted: minute.map(|minute| (minute, person)),
                last: (row.get(2)?, PersonId(row.get(3)?)),
                ids: row.get(4)?,
            })
        })
    }

    /// Removes a charge that has no references any more.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn seen_charge_remove(&self, id: i64) -> Result<(), StoreError> {
        self.write(DELETE_CHARGE, values![id])?;
        Ok(())
    }

    /// Whether the recipient of a meter has any element.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn seen_any(&self, meter_id: i64) -> Result<bool, StoreError> {
        self.one(ANY_OF_METER, values![meter_id])
    }

    /// Hands over every element of a meter.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn seen_each(&self, meter_id: i64, mut take: impl FnMut(u64)) -> Result<(), StoreError> {
        self.each(SELECT_OF_METER, values![meter_id], |row| {
            take(row.get(0)?);
            Ok(std::ops::ControlFlow::Continue(()))
        })
    }

    /// Those of `elements` that the recipient has, with their newest references.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn seen_of(&self, meter_id: i64, elements: &[u64]) -> Result<Vec<SeenRow>, StoreError> {
        self.rows(SELECT_NEWEST, values![meter_id, elements], reference)
    }

    /// As [`Tx::seen_of`], without those that are counted in minute `newest_left` or before.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn seen_staying(
        &self,
        meter_id: i64,
        elements: &[u64],
        newest_left: i64,
    ) -> Result<Vec<SeenRow>, StoreError> {
        self.rows(SELECT_STAYING, values![meter_id, elements, newest_left], reference)
    }

    /// Writes that `charge` has the newest reference to each of `elements` that the recipient does
    /// not have yet, and returns how many those are.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn seen_add(
        &self,
        meter_id: i64,
        charge: i64,
        elements: &[u64],
    ) -> Result<u64, StoreError> {
        self.change(INSERT_NEWEST, values![meter_id, charge, elements])
    }

    /// Writes that `charge` has the newest reference to each of `elements`, which the recipient
    /// has; what was the newest is the caller's to keep.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn seen_move(
        &self,
        meter_id: i64,
        charge: i64,
        elements: &[u64],
    ) -> Result<(), StoreError> {
        self.write(MOVE_NEWEST, values![meter_id, charge, elements])?;
        Ok(())
    }

    /// Removes `elements` from what the recipient has.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn seen_remove(&self, meter_id: i64, elements: &[u64]) -> Result<(), StoreError> {
        self.write(DELETE_NEWEST, values![meter_id, elements])?;
        Ok(())
    }

    /// Keeps the references of `charge` to `elements` as older ones.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn seen_older_add(
        &self,
        meter_id: i64,
        charge: i64,
        elements: &[u64],
    ) -> Result<(), StoreError> {
        self.write(INSERT_OLDER, values![meter_id, charge, elements])?;
        Ok(())
    }

    /// The newest of the older references to each of `elements` that has one.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn seen_older_of(
        &self,
        meter_id: i64,
        elements: &[u64],
    ) -> Result<Vec<SeenRow>, StoreError> {
        // Most meters have none at all, and one look tells.
        if !self.one(ANY_OLDER, values![meter_id])? {
            return Ok(Vec::new());
        }
        self.rows(SELECT_OLDER, values![meter_id, elements], reference)
    }

    /// Removes the older references of `charge` to `elements`.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn seen_older_remove(
        &self,
        meter_id: i64,
        charge: i64,
        elements: &[u64],
    ) -> Result<(), StoreError> {
        self.write(DELETE_OLDER, values![meter_id, charge, elements])?;
        Ok(())
    }

    /// Removes the older references to `elements` whose charges were settled in `minute` or
    /// before, and returns them.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn seen_older_remove_until(
        &self,
        meter_id: i64,
        elements: &[u64],
        minute: i64,
    ) -> Result<Vec<SeenRow>, StoreError> {
        if !self.one(ANY_OLDER, values![meter_id])? {
            return Ok(Vec::new());
        }
        self.rows(DELETE_OLDER_UNTIL, values![meter_id, elements, minute], reference)
    }

    /// How much all elements of a meter count together, without those that are counted in minute
    /// `newest_left` or before.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn seen_counted(&self, meter_id: i64, newest_left: i64) -> Result<u64, StoreError> {
        self.one(SUM_STAYING, values![meter_id, newest_left])
    }

    /// The meters whose references and charges do not agree.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn seen_miscounted(&self) -> Result<Vec<i64>, StoreError> {
        self.rows(SELECT_MISCOUNTED, values![], |row| row.get(0))
    }
}

fn charge(row: &Row<'_>) -> Result<SeenChargeRow, StoreError> {
    Ok(SeenChargeRow {
        id: row.get(0)?,
        meter_id: row.get(1)?,
        person: PersonId(row.get(2)?),
        minute: row.get(3)?,
        weight: row.get(4)?,
        newest: row.get(5)?,
        older: row.get(6)?,
    })
}

fn reference(row: &Row<'_>) -> Result<SeenRow, StoreError> {
    Ok(SeenRow { charge: row.get(0)?, element: row.get(1)? })
}
