//! Do the ledger's rows agree with each other and with the journal? What to do if not is not here.

use std::collections::BTreeMap;

use super::clock::time_ms;
use crate::audit::{AttemptName, Entry, Leaf, RecipientName};
use crate::base::clock::Clock;
use crate::base::ids::IdKind;
use crate::policy::Profile;
use crate::policy::window::minute_of;
use crate::store::{StoreError, Tx};

/// How many rows of the journal are looked at together.
const ROWS_MAX: u32 = 10_000;

/// Everything that does not agree, one clause each; nothing, if the ledger is whole.
///
/// Each meter must be the sum of its rows, and what is live the sum of what the journal says was
/// opened and neither released nor out of the window. The whole journal is read: this is for
/// `doctor` and for tests.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn verify(tx: &Tx<'_>, profile: &Profile, clock: &Clock) -> Result<Vec<String>, StoreError> {
    let mut faults: Vec<String> = tx
        .meters_unbalanced()?
        .into_iter()
        .map(|name| format!("the meter {name} is not the sum of its rows"))
        .collect();
    let newest_left = profile.window.newest_left(time_ms(tx, clock)?);
    let mut replayed = replay(tx, newest_left, &mut faults)?;
    for (recipient, kind, meter) in tx.meters()? {
        // The meter keeps the name that its leaves have, even when the recipient's is erased.
        let name = RecipientName::Entity(meter.commitment);
        let replayed_ids = replayed.remove(&(name, kind)).unwrap_or(0);
        let live_ids = meter.level.live_ids - tx.buckets_left(meter.id, newest_left)?;
        if live_ids != replayed_ids {
            faults.push(format!(
                "{recipient}/{kind} has {live_ids} live IDs, by the journal {replayed_ids}"
            ));
        }
    }
    replayed.retain(|_, ids| *ids > 0);
    for ((recipient, kind), ids) in replayed {
        faults.push(format!("{recipient} has no meter, by the journal {ids} live IDs/{kind}"));
    }
    Ok(faults)
}

/// What is charged by the journal, for each attempt that is open.
type Charged = Vec<(RecipientName, IdKind, u64)>;

/// What was settled by the journal at each meter it ever names, by the minute.
type Buckets = BTreeMap<(RecipientName, IdKind), BTreeMap<i64, u64>>;

/// What is live by the journal at each meter it ever names.
fn replay(
    tx: &Tx<'_>,
    newest_left: i64,
    faults: &mut Vec<String>,
) -> Result<BTreeMap<(RecipientName, IdKind), u64>, StoreError> {
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
    let mut live: BTreeMap<(RecipientName, IdKind), u64> = BTreeMap::new();
    for (meter, minutes) in buckets {
        let ids = minutes.range(newest_left + 1..).map(|(_, ids)| ids).sum();
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
            let charged = charges.into_iter().map(|charge| (charge.recipient, kind, ids));
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
