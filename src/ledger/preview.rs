//! What an order whose IDs count once needs to know before its transaction: which IDs come next,
//! and how many of all of them are new to each recipient. It is read beside the writer, which has
//! better things to do.
//!
//! How many are new decides what is held, which is no right: others may be charged meanwhile. What
//! each chunk is charged is found out in its own transaction.

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashSet;

use super::admit::Further;
use super::charge::{Desk, Entitled};
use super::delivery::Order;
use super::values::{Elements, Values};
use super::{Denied, Ledger, Shared, clock};
use crate::base::gaps::Gaps;
use crate::policy::Recipient;
use crate::store::Tx;

/// How many IDs are looked at together.
const PIECE_IDS: u64 = 65_536;

/// From how many IDs on it is worth it to build a filter for a recipient.
const FILTER_IDS_MIN: u64 = 65_536;

/// How many new IDs are told from their repetitions; where more are allowed, further ones count
/// each time.
const FRESH_IDS_MAX: u64 = 1 << 22;

/// What is known of an order beforehand; nothing, if its IDs count each time.
#[derive(Debug, Default)]
pub(super) struct Preview {
    /// The IDs of the next chunk, if that is a small one.
    pub(super) next: Option<Elements>,
    /// How many of the order's IDs are new to each recipient; not more than tell that they never
    /// fit.
    fresh_ids: Vec<(Recipient, u64)>,
}

impl Preview {
    /// How many of the order's IDs are new to `recipient`, if that was asked.
    pub(super) fn fresh_ids(&self, recipient: Recipient) -> Option<u64> {
        let found = self.fresh_ids.iter().find(|(known, _)| *known == recipient);
        found.map(|(_, fresh_ids)| *fresh_ids)
    }
}

impl Ledger {
    /// Looks at an order that is about to be admitted.
    pub(super) async fn preview(&self, order: &Order) -> Result<Preview, Denied> {
        let Some(values) = order.values.clone().filter(|_| self.0.profile.counts_once(order.kind))
        else {
            return Ok(Preview::default());
        };
        let ledger = self.clone();
        let order = order.clone();
        // Each takes memory and time of its own, and there are not many processors.
        let turn = self.0.previews.acquire().await.expect("it is never closed");
        let seen = self.0.store.look(move |tx| look(tx, &ledger.0, &order, &*values)).await;
        drop(turn);
        seen
    }

    /// Looks at the next chunk of a delivery.
    pub(super) async fn preview_next(&self, further: &Further) -> Result<Preview, Denied> {
        let profile = &self.0.profile;
        let Some(values) = further.values.clone().filter(|_| profile.counts_once(further.kind))
        else {
            return Ok(Preview::default());
        };
        let ids = further.ordered.small_chunk_ids(profile, further.attempt.number);
        let next = further.ordered.cut(ids);
        let wanted = further.ordered.gaps().ids_kept(&next);
        let reading = tokio::task::spawn_blocking(move || elements(&*values, next, wanted));
        let next = reading.await.map_err(|panic| unread(std::io::Error::other(panic)))??;
        Ok(Preview { next: Some(next), fresh_ids: Vec::new() })
    }
}

/// The first `ids` of `ordinals`, or all of them.
fn first(ordinals: &Range<u64>, ids: u64) -> Range<u64> {
    ordinals.start..ordinals.end.min(ordinals.start + ids)
}

fn elements(values: &dyn Values, ordinals: Range<u64>, wanted: u64) -> Result<Elements, Denied> {
    let read = values.read(ordinals).map_err(unread)?;
    assert_eq!(
        read.len() as u64,
        wanted,
        "an order has as many IDs as ordinals that are not left out"
    );
    Ok(Elements::of(read))
}

fn unread(error: std::io::Error) -> Denied {
    Denied::Unread(Arc::new(error))
}

/// The new IDs of one recipient, as far as they are counted.
struct Counter {
    recipient: Recipient,
    meter_id: i64,
    ceiling_ids: u64,
    newest_left: i64,
    fresh: HashSet<u64>,
    beyond: u64,
}

impl Counter {
    fn fresh_ids(&self) -> u64 {
        self.fresh.len() as u64 + self.beyond
    }

    /// Whether it is known that they never fit.
    fn is_enough(&self) -> bool {
        self.fresh_ids() > self.ceiling_ids
    }

    fn count(&mut self, tx: &Tx<'_>, elements: &Elements) -> Result<(), Denied> {
        let mut seen = tx.seen_staying(self.meter_id, elements.as_slice(), self.newest_left)?;
        seen.sort_unstable_by_key(|row| row.element);
        let is_new =
            |element: &&u64| seen.binary_search_by_key(*element, |row| row.element).is_err();
        let new = elements.as_slice().iter().filter(is_new);
        if self.fresh.len() as u64 > FRESH_IDS_MAX {
            self.beyond += new.count() as u64;
        } else {
            self.fresh.extend(new);
        }
        Ok(())
    }
}

fn look(
    tx: &Tx<'_>,
    shared: &Shared,
    order: &Order,
    values: &dyn Values,
) -> Result<Preview, Denied> {
    let now_ms = clock::time_ms(tx, &shared.clock)?;
    let desk = Desk { tx, shared, now_ms };
    let ids = order.ordered.small_chunk_ids(&shared.profile, 0);
    let ordinals = order.ordered.ordinals();
    let gaps = order.ordered.gaps();
    let next = order.ordered.cut(ids);
    let wanted = gaps.ids_kept(&next);
    let next = elements(values, next, wanted)?;
    let permit = desk.permit(order.person, order.credential, order.kind)?;
    // Who may not receive learns so from the transaction.
    let entitled = permit.map_or_else(|_| Vec::new(), |permit| permit.entitled);
    let mut counters = Vec::new();
    let mut preview = Preview { next: Some(next), fresh_ids: Vec::new() };
    let requested_ids = order.ordered.ids();
    for Entitled { charged, ceiling_ids } in entitled {
        let recipient = charged.recipient;
        let Some(ceiling_ids) = ceiling_ids else { continue };
        if matches!(recipient, Recipient::Link(_)) {
            // Each ID counts there each time.
            continue;
        }
        let meter = tx.meter_find(recipient, order.kind)?;
        let is_empty = meter.map_or(Ok(true), |meter| tx.seen_any(meter.id).map(|any| !any))?;
        let live_ids = meter.map_or(0, |meter| meter.level.live_ids + meter.level.held_ids);
        if is_empty && live_ids + requested_ids <= ceiling_ids {
            // All of it fits even if no ID comes twice.
            preview.fresh_ids.push((recipient, requested_ids));
            continue;
        }
        // A meter that was never charged has no elements under any number.
        let meter_id = meter.map_or(0, |meter| meter.id);
        if requested_ids >= FILTER_IDS_MIN && !is_empty {
            shared.filters.build(tx, meter_id, ceiling_ids)?;
        }
        let newest_left = shared.profile.window.newest_left(now_ms);
        let fresh = HashSet::new();
        counters.push(Counter { recipient, meter_id, ceiling_ids, newest_left, fresh, beyond: 0 });
    }
    count_all(tx, values, &gaps, ordinals, &mut counters)?;
    preview.fresh_ids.extend(counters.iter().map(|one| (one.recipient, one.fresh_ids())));
    Ok(preview)
}

fn count_all(
    tx: &Tx<'_>,
    values: &dyn Values,
    gaps: &Gaps,
    mut rest: Range<u64>,
    counters: &mut [Counter],
) -> Result<(), Denied> {
    while !rest.is_empty() && !counters.iter().all(Counter::is_enough) {
        let piece = first(&rest, PIECE_IDS);
        rest.start = piece.end;
        let wanted = gaps.ids_kept(&piece);
        let elements = elements(values, piece, wanted)?;
        for counter in counters.iter_mut().filter(|counter| !counter.is_enough()) {
            counter.count(tx, &elements)?;
        }
    }
    Ok(())
}
