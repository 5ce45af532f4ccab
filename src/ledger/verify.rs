//! Do the ledger's rows agree with each other and with the journal? What to do if not is not here.

use std::collections::BTreeMap;

use super::clock::time_ms;
use crate::audit::{AttemptName, Entry, Leaf, RecipientName};
use crate::base::clock::Clock;
use crate::policy::window::minute_of;
use crate::policy::{Profile, Unit};
use crate::store::{StoreError, Tx};

/// How many rows of the journal are looked at together.
const ROWS_MAX: u32 = 10_000;

/// Everything that does not agree, one clause each; nothing, if the ledger is whole.
///
/// Each meter must be the sum of its rows. What is live must be what the journal says was opened
/// and neither released nor out of the window, where it counts each time, together with all
/// elements that a reference keeps, where they count once: the journal lists no IDs. The whole
/// journal is read: this is for `doctor` and for tests.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn verify(tx: &Tx<'_>, profile: &Profile, clock: &Clock) -> Result<Vec<String>, StoreError> {
    let mut faults: Vec<String> = tx
        .meters_unbalanced()?
        .into_iter()
        .map(|name| format!("the meter {name} is not the sum of its rows"))
        .collect();
    let miscounted = tx.seen_miscounted()?.into_iter();
    faults.extend(miscounted.map(|meter| {
        format!("the charges of meter {meter} do not have the references that they count")
    }));
    let now_ms = time_ms(tx, clock)?;
    let newest_left = |name: RecipientName, unit| match name {
        RecipientName::Link(share) => profile.window_at(share.into(), unit).newest_left(now_ms),
        _ => profile.window_of(unit).newest_left(now_ms),
    };
    let mut replayed = replay(tx, newest_left, &mut faults)?;
    for (recipient, unit, meter) in tx.meters()? {
        // The meter keeps the name that its leaves have, even when the recipient's is erased.
        let name = RecipientName::of(recipient, meter.commitment);
        let newest_left = newest_left(name, unit);
        let live_ids = meter.level.live_ids - tx.buckets_left(meter.id, newest_left)?;
        let each_ids = replayed.remove(&(name, unit)).unwrap_or(0);
        let once_ids = tx.seen_counted(meter.id, newest_left)?;
        if live_ids != each_ids + once_ids {
            faults.push(format!(
                "{recipient}/{} has {live_ids} live IDs, by the journal {each_ids} that count \
                 each time, and {once_ids} that count once",
                unit.word()
            ));
        }
    }
    replayed.retain(|_, ids| *ids > 0);
    for ((recipient, unit), ids) in replayed {
        let unit = unit.word();
        faults.push(format!("{recipient} has no meter, by the journal {ids} live IDs/{unit}"));
    }
    Ok(faults)
}

/// What is charged by the journal, for each attempt that is open.
type Charged = Vec<(RecipientName, Unit, u64)>;

/// What was settled by the journal at each meter it ever names, by the minute.
type Buckets = BTreeMap<(RecipientName, Unit), BTreeMap<i64, u64>>;

/// What is live by the journal and counts each time, at each meter it ever names.
fn replay(
    tx: &Tx<'_>,
    newest_left: impl Fn(RecipientName, Unit) -> i64,
    faults: &mut Vec<String>,
) -> Result<BTreeMap<(RecipientName, Unit), u64>, StoreError> {
    let mut open: BTreeMap<AttemptName, Charged> = BTreeMap::new();
    let mut buckets = Buckets::new();
    let mut next = 1;
    loop {
        let rows = tx.journal_from(next, ROWS_MAX)?;
        let Some(last) = rows.last() else { break };
        next = last.sequence + 1;
        for row in rows {
            let entry = Entry::parse(row.leaf.as_bytes()).filter(|entry| entry.at_ms == row.at_ms);
            match entry {
                Some(entry) => play(entry, &mut open, &mut buckets),
                None => faults.push(format!("leaf {} of the journal is damaged", row.sequence)),
            }
        }
    }
    let mut live: BTreeMap<(RecipientName, Unit), u64> = BTreeMap::new();
    for (meter, minutes) in buckets {
        let ids = minutes.range(newest_left(meter.0, meter.1) + 1..).map(|(_, ids)| ids).sum();
        live.insert(meter, ids);
    }
    for (recipient, kind, ids) in open.into_values().flatten() {
        *live.entry((recipient, kind)).or_default() += ids;
    }
    Ok(live)
}

/// Lets one entry of the journal happen again.
fn play(entry: Entry, open: &mut BTreeMap<AttemptName, Charged>, buckets: &mut Buckets) {
    match entry.leaf {
        Leaf::Opened { delivery, attempt, kind, ids, charges, .. } => {
            let each = charges.into_iter().filter(|charge| charge.fresh_ids.is_none());
            let charged = each.map(|charge| (charge.recipient, kind.into(), ids));
            open.insert(AttemptName(delivery, attempt), charged.collect());
        }
        Leaf::Settled { attempts } => {
            let minute = minute_of(entry.at_ms);
            for (recipient, kind, ids) in
                attempts.iter().filter_map(|attempt| open.remove(attempt)).flatten()
            {
                let minutes = buckets.entry((recipient, kind)).or_default();
                *minutes.entry(minute).or_default() += ids;
            }
        }
        Leaf::Released { attempt } => drop(open.remove(&attempt)),
        Leaf::Carried { target, kind, settled, open: attempts, .. } => {
            let unit = Unit::from(kind);
            let minutes = buckets.entry((target, unit)).or_default();
            for (minute, ids) in settled {
                *minutes.entry(minute).or_default() += ids;
            }
            for (attempt, ids) in attempts {
                open.entry(attempt).or_default().push((target, unit, ids));
            }
        }
        Leaf::PhantomCharged { recipient, kind, ids } => {
            let minutes = buckets.entry((recipient, kind)).or_default();
            *minutes.entry(minute_of(entry.at_ms)).or_default() += ids;
        }
        Leaf::LedgerTimeLeapt { since, by } => {
            for minutes in buckets.values_mut() {
                let late = minutes.split_off(&since);
                for (minute, ids) in late {
                    *minutes.entry(minute + by).or_default() += ids;
                }
            }
        }
        _ => {}
    }
}
