//! What an import, or its reversal, changes: which IDs are removed then and are not now, and the
//! other way round. Where they stand in releases is found by `scan`.

use super::event::{Event, is_removed};
use super::{KINDS, RemovalError};
use crate::base::ids::IdKind;
use crate::store::{RemovalEventRow, Store};

/// How many IDs are looked at together.
const BATCH_IDS: usize = 4_096;

/// How many rows of an import are read together.
const PAGE_ROWS: u32 = 16_384;

/// IDs whose state changes; all lists ascend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Of Tweets.
    pub tweets: Turned,
    /// Of users.
    pub users: Turned,
}

/// IDs of one kind whose state changes; both lists ascend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turned {
    /// What is removed then and is not now.
    pub removed: Vec<u64>,
    /// What is removed now and is not then.
    pub restored: Vec<u64>,
}

impl Turned {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.restored.is_empty()
    }

    fn note(&mut self, element: u64, now: bool, then: bool) {
        match (now, then) {
            (false, true) => self.removed.push(element),
            (true, false) => self.restored.push(element),
            _ => {}
        }
    }
}

impl Change {
    /// Of one kind.
    ///
    /// # Panics
    /// For DMs, which no list removes.
    pub fn of(&self, kind: IdKind) -> &Turned {
        match kind {
            IdKind::Tweet => &self.tweets,
            IdKind::User => &self.users,
            IdKind::Dm => panic!("no list removes a DM"),
        }
    }

    fn of_mut(&mut self, kind: IdKind) -> &mut Turned {
        match kind {
            IdKind::Tweet => &mut self.tweets,
            IdKind::User => &mut self.users,
            IdKind::Dm => panic!("no list removes a DM"),
        }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.tweets.is_empty() && self.users.is_empty()
    }

    /// What `events`, in the order of their IDs, change if they come on top of what is in force.
    ///
    /// # Errors
    /// [`RemovalError::Store`].
    pub fn of_import(store: &Store, events: &[Event], now_ms: i64) -> Result<Change, RemovalError> {
        let mut change = Change::default();
        for kind in KINDS {
            let rows = events.iter().filter(|event| event.kind == kind);
            let rows: Vec<RemovalEventRow> = rows.map(|event| event.row(now_ms)).collect();
            each_batch(&rows, |elements, mine| {
                let others = store.read(|tx| tx.removal_events_about(kind, elements, None))?;
                turn(change.of_mut(kind), elements, others, mine, Added::Then);
                Ok(())
            })?;
        }
        Ok(change)
    }

    /// What changes if an import counts no longer.
    ///
    /// # Errors
    /// [`RemovalError::Store`].
    pub fn of_reversal(store: &Store, import: i64) -> Result<Change, RemovalError> {
        let mut change = Change::default();
        for kind in KINDS {
            let page =
                |after| store.read(|tx| tx.removal_events_of(import, kind, after, PAGE_ROWS));
            pages(page, |rows| {
                each_batch(rows, |elements, mine| {
                    let except = Some(import);
                    let others =
                        store.read(|tx| tx.removal_events_about(kind, elements, except))?;
                    turn(change.of_mut(kind), elements, others, mine, Added::Now);
                    Ok(())
                })
            })?;
        }
        Ok(change)
    }

    /// All that is removed now, as if nothing had been before: what a new release has to be
    /// scanned for.
    ///
    /// # Errors
    /// [`RemovalError::Store`].
    pub fn of_everything(store: &Store) -> Result<Change, RemovalError> {
        let mut change = Change::default();
        for kind in KINDS {
            let page = |after| store.read(|tx| tx.removal_events_after(kind, after, PAGE_ROWS));
            pages(page, |rows| {
                for said in rows.chunk_by(|one, other| one.element == other.element) {
                    change.of_mut(kind).note(said[0].element, false, is_removed(said));
                }
                Ok(())
            })?;
        }
        Ok(change)
    }
}

/// When the events in question are added to all others.
#[derive(Clone, Copy)]
enum Added {
    Now,
    Then,
}

/// Notes for each of `elements` whether `mine` on top of `others` makes a difference.
fn turn(
    turned: &mut Turned,
    elements: &[u64],
    mut others: Vec<RemovalEventRow>,
    mine: &[RemovalEventRow],
    added: Added,
) {
    others.sort_unstable();
    let of = |rows: &[RemovalEventRow], element: u64| {
        let from = rows.partition_point(|row| row.element < element);
        let rows = &rows[from..];
        rows[..rows.partition_point(|row| row.element == element)].to_vec()
    };
    for &element in elements {
        let mut said = of(&others, element);
        let without = is_removed(&said);
        said.extend(of(mine, element));
        let with = is_removed(&said);
        let (now, then) = match added {
            Added::Now => (with, without),
            Added::Then => (without, with),
        };
        turned.note(element, now, then);
    }
}

/// Hands over rows in pieces of whole IDs, each with its IDs.
fn each_batch(
    rows: &[RemovalEventRow],
    mut take: impl FnMut(&[u64], &[RemovalEventRow]) -> Result<(), RemovalError>,
) -> Result<(), RemovalError> {
    let mut rest = rows;
    while !rest.is_empty() {
        let mut elements: Vec<u64> = Vec::with_capacity(BATCH_IDS);
        let mut taken = 0;
        for row in rest {
            if elements.last() != Some(&row.element) {
                if elements.len() == BATCH_IDS {
                    break;
                }
                elements.push(row.element);
            }
            taken += 1;
        }
        take(&elements, &rest[..taken])?;
        rest = &rest[taken..];
    }
    Ok(())
}

/// Hands over all rows page by page; the rows of one ID are in one page.
fn pages<E>(
    page: impl Fn(Option<u64>) -> Result<Vec<RemovalEventRow>, E>,
    mut take: impl FnMut(&[RemovalEventRow]) -> Result<(), RemovalError>,
) -> Result<(), RemovalError>
where
    RemovalError: From<E>,
{
    let mut after = None;
    loop {
        let mut rows = page(after)?;
        let Some(last) = rows.last().map(|row| row.element) else { return Ok(()) };
        if rows.len() == PAGE_ROWS as usize {
            // The last ID may have more rows: it comes first on the next page.
            rows.retain(|row| row.element != last);
            assert!(!rows.is_empty(), "no ID is on thousands of lists at once");
        }
        take(&rows)?;
        after = rows.last().map(|row| row.element);
    }
}
