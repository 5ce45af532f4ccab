//! The IDs of one kind on their way out: spooled until the deletes are known, or at once.
//!
//! Spooled, the end goes through the spool once and leaves out what was deleted or was there
//! before. While the sets fit in memory they are hash sets. Beyond that, IDs with their ordinals
//! are sorted on disk, which puts equal IDs side by side; the ordinals to leave out, sorted again,
//! then meet the spool in its order. Streamed, IDs go out at once and are spooled all the same:
//! only so can a delete that comes too late be told.

use std::io;
use std::path::{Path, PathBuf};

use hashbrown::HashSet;

use super::sort::{Sorted, Sorter};
use super::spool::Spool;
use crate::base::ids::{Id, UserId};
use crate::pipeline::found::{Found, Outgoing, Outlet, Place};
use crate::pipeline::wants::{Columns, Distinct, Order};

/// Bytes that an ID takes in a hash set, with its empty slots.
const SET_BYTES: usize = 20;

/// IDs handed out at a time.
const BATCH: usize = 8 * 1024;

/// How IDs of one kind are sieved.
pub(crate) struct Sieve<I: Id> {
    order: Order,
    distinct: Distinct,
    row_bytes: usize,
    memory_bytes_max: usize,
    folder: PathBuf,
    spool: Spool,
    deletes: Spool,
    /// Deletes so far, where they already count.
    deleted: HashSet<u64>,
    batch: Vec<Found<I>>,
    sieved: Sieved,
}

/// What the sieve kept back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sieved {
    /// IDs left out because of a delete.
    pub(crate) removed: u64,
    /// IDs left out because they were there before.
    pub(crate) duplicates: u64,
    /// IDs that were out when their delete came.
    pub(crate) late: u64,
    /// IDs that went out.
    pub(crate) handed_out: u64,
}

impl<I: Id> Sieve<I> {
    pub(crate) fn new(
        order: Order,
        distinct: Distinct,
        columns: Columns,
        memory_bytes_max: usize,
        folder: &Path,
    ) -> Sieve<I> {
        let row_bytes = match (columns, order) {
            (Columns::WithPlaces, Order::Spooled) => ROW_BYTES,
            _ => 8,
        };
        Sieve {
            order,
            distinct,
            row_bytes,
            memory_bytes_max: memory_bytes_max / 2,
            folder: folder.to_owned(),
            spool: Spool::new(row_bytes, memory_bytes_max / 2 / row_bytes * row_bytes, folder),
            deletes: Spool::new(8, memory_bytes_max / 8, folder),
            deleted: HashSet::new(),
            batch: Vec::new(),
            sieved: Sieved::default(),
        }
    }
}

impl<I: Outgoing> Sieve<I> {
    /// Takes IDs in input order, with the deletes that came among them: each an ID and how many
    /// of `found` stood before it.
    pub(crate) fn take(
        &mut self,
        found: &[Found<I>],
        deleted: impl Iterator<Item = (usize, u64)>,
        outlet: &mut dyn Outlet,
    ) -> io::Result<()> {
        if self.order == Order::Spooled {
            for row in found {
                self.push(row)?;
            }
            for (_, id) in deleted {
                self.deletes.push(&id.to_le_bytes())?;
            }
            return Ok(());
        }
        let mut rest = 0;
        for (after, id) in deleted {
            self.stream(&found[rest..after], outlet)?;
            rest = after;
            if self.deleted.len() * SET_BYTES > self.memory_bytes_max {
                return Err(io::Error::other(TooManyDeletes));
            }
            self.deleted.insert(id);
        }
        self.stream(&found[rest..], outlet)
    }

    fn push(&mut self, found: &Found<I>) -> io::Result<()> {
        if self.row_bytes == 8 {
            self.spool.push(&found.id.value().to_le_bytes())
        } else {
            self.spool.push(&row_of(found))
        }
    }

    /// Hands out at once what was not deleted before.
    fn stream(&mut self, found: &[Found<I>], outlet: &mut dyn Outlet) -> io::Result<()> {
        self.batch.clear();
        for row in found {
            if self.deleted.contains(&row.id.value()) {
                self.sieved.removed += 1;
            } else {
                self.spool.push(&row.id.value().to_le_bytes())?;
                self.batch.push(*row);
            }
        }
        self.sieved.handed_out += self.batch.len() as u64;
        if self.batch.is_empty() { Ok(()) } else { I::hand(outlet, &self.batch) }
    }

    /// Hands out what is left once everything was read.
    pub(crate) fn finish(self, outlet: &mut dyn Outlet) -> io::Result<Sieved> {
        if self.order == Order::Streamed {
            return self.count_late();
        }
        let half = (self.memory_bytes_max / 2 / SET_BYTES) as u64;
        let seen = if self.distinct == Distinct::KeepFirst { self.spool.rows() } else { 0 };
        if self.deletes.rows() <= half && seen <= half {
            self.finish_by_sets(outlet)
        } else {
            self.finish_by_sorting(outlet)
        }
    }

    fn count_late(mut self) -> io::Result<Sieved> {
        let (deleted, sieved) = (&self.deleted, &mut self.sieved);
        if !deleted.is_empty() {
            self.spool.for_each(|_, row| {
                sieved.late += u64::from(deleted.contains(&id_of(row)));
                Ok(())
            })?;
        }
        Ok(self.sieved)
    }

    fn finish_by_sets(mut self, outlet: &mut dyn Outlet) -> io::Result<Sieved> {
        let mut deleted = HashSet::new();
        self.deletes.for_each(|_, row| {
            deleted.insert(id_of(row));
            Ok(())
        })?;
        let distinct = self.distinct;
        let mut seen = HashSet::new();
        self.hand_out(outlet, |_, id| {
            if deleted.contains(&id) {
                return Ok(Verdict::Removed);
            }
            let again = distinct == Distinct::KeepFirst && !seen.insert(id);
            Ok(if again { Verdict::Duplicate } else { Verdict::Out })
        })
    }

    fn finish_by_sorting(mut self, outlet: &mut dyn Outlet) -> io::Result<Sieved> {
        let mut dropped = self.dropped()?;
        let mut next = dropped.next()?;
        self.hand_out(outlet, |ordinal, _| {
            let Some((at, why)) = next.filter(|(at, _)| *at == ordinal) else {
                return Ok(Verdict::Out);
            };
            assert_eq!(at, ordinal, "dropped ordinals come in the spool's order");
            next = dropped.next()?;
            Ok(if why == REMOVED { Verdict::Removed } else { Verdict::Duplicate })
        })
    }

    /// The ordinals to leave out, each with its reason, sorted.
    fn dropped(&mut self) -> io::Result<Sorted> {
        let quarter = self.memory_bytes_max / 4;
        let mut ids = Sorter::new(2 * quarter, &self.folder);
        self.spool.for_each(|ordinal, row| ids.push((id_of(row), ordinal)))?;
        let mut deletes = Sorter::new(quarter, &self.folder);
        self.deletes.for_each(|ordinal, row| deletes.push((id_of(row), ordinal)))?;
        let (mut ids, mut deletes) = (ids.sorted()?, deletes.sorted()?);
        let mut dropped = Sorter::new(quarter, &self.folder);
        let mut deleted = deletes.next()?;
        let mut last = None;
        while let Some((id, ordinal)) = ids.next()? {
            while deleted.is_some_and(|(deleted, _)| deleted < id) {
                deleted = deletes.next()?;
            }
            if deleted.is_some_and(|(deleted, _)| deleted == id) {
                dropped.push((ordinal, REMOVED))?;
            } else if self.distinct == Distinct::KeepFirst && last == Some(id) {
                dropped.push((ordinal, DUPLICATE))?;
            }
            last = Some(id);
        }
        dropped.sorted()
    }

    /// Goes through the spool and hands out what the verdict lets out.
    fn hand_out(
        mut self,
        outlet: &mut dyn Outlet,
        mut verdict: impl FnMut(u64, u64) -> io::Result<Verdict>,
    ) -> io::Result<Sieved> {
        let (batch, sieved) = (&mut self.batch, &mut self.sieved);
        self.spool.for_each(|ordinal, row| {
            match verdict(ordinal, id_of(row))? {
                Verdict::Removed => sieved.removed += 1,
                Verdict::Duplicate => sieved.duplicates += 1,
                Verdict::Out => {
                    batch.push(found_of(row));
                    sieved.handed_out += 1;
                }
            }
            if batch.len() == BATCH {
                I::hand(outlet, batch)?;
                batch.clear();
            }
            Ok(())
        })?;
        if !batch.is_empty() {
            I::hand(outlet, batch)?;
        }
        Ok(self.sieved)
    }
}

/// Whether an ID goes out.
enum Verdict {
    Out,
    Removed,
    Duplicate,
}

const REMOVED: u64 = 0;
const DUPLICATE: u64 = 1;

/// More deletes than memory holds, where they must be held.
#[derive(Debug, thiserror::Error)]
#[error("too many deletes to hold while streaming; strip without streaming")]
struct TooManyDeletes;

/// Bytes of a row with author and place.
const ROW_BYTES: usize = 32;

/// No author: no ID has this value.
const NO_AUTHOR: u64 = u64::MAX;

fn row_of<I: Id>(found: &Found<I>) -> [u8; ROW_BYTES] {
    let mut row = [0; ROW_BYTES];
    let author = found.author.map_or(NO_AUTHOR, Id::value);
    row[..8].copy_from_slice(&found.id.value().to_le_bytes());
    row[8..16].copy_from_slice(&author.to_le_bytes());
    row[16..24].copy_from_slice(&found.place.offset.to_le_bytes());
    row[24..28].copy_from_slice(&found.place.source.to_le_bytes());
    row[28..].copy_from_slice(&found.place.length.to_le_bytes());
    row
}

fn id_of(row: &[u8]) -> u64 {
    u64::from_le_bytes(row[..8].try_into().expect("a row begins with the 8 bytes of its ID"))
}

fn found_of<I: Id>(row: &[u8]) -> Found<I> {
    let id = I::from_value(id_of(row)).expect("only IDs are spooled");
    if row.len() < ROW_BYTES {
        return Found { id, author: None, place: Place::default() };
    }
    let number = |at: usize| u64::from_le_bytes(row[at..at + 8].try_into().expect("8 bytes"));
    let short = |at: usize| u32::from_le_bytes(row[at..at + 4].try_into().expect("4 bytes"));
    let place = Place { offset: number(16), source: short(24), length: short(28) };
    Found { id, author: UserId::from_value(number(8)).ok(), place }
}

#[cfg(test)]
mod tests;
