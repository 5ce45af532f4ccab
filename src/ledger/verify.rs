//! Do the ledger's rows agree with each other and with the journal? What to do if not is not here.

use std::collections::BTreeMap;

use super::clock::time_ms;
use crate::audit::{AttemptName, Entry, Leaf, RecipientName};
use crate::base::clock::Clock;
use crate::base::commitment::Commitment;
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

/// Whom an attempt that is open is charged to, by the journal.
struct Charged {
    person: Option<Commitment>,
    recipients: Vec<RecipientName>,
    kind: IdKind,
    ids: u64,
}

/// A meter, as the journal names it.
type Meter = (RecipientName, IdKind);

/// What was settled by the journal at each meter it ever names, by minute and person.
type Buckets = BTreeMap<Meter, BTreeMap<(i64, Option<Commitment>), u64>>;

/// What is live by the journal at each meter it ever names.
fn replay(
    tx: &Tx<'_>,
    newest_left: i64,
    faults: &mut Vec<String>,
) -> Result<BTreeMap<Meter, u64>, StoreError> {
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
    let mut live: BTreeMap<Meter, u64> = BTreeMap::new();
    for (meter, minutes) in buckets {
        let ids = minutes.range((newest_left + 1, None)..).map(|(_, ids)| ids).sum();
        live.insert(meter, ids);
    }
    for charged in open.into_values() {
        for recipient in charged.recipients {
            *live.entry((recipient, charged.kind)).or_default() += charged.ids;
        }
    }
    Ok(live)
}

/// Lets one entry of the journal happen again.
fn play(entry: Entry, open: &mut BTreeMap<AttemptName, Charged>, buckets: &mut Buckets) {
    let minute = minute_of(entry.at_ms);
    match entry.leaf {
        Leaf::Opened { delivery, attempt, person, kind, ids, charges, .. } => {
            let recipients = charges.into_iter().map(|charge| charge.recipient).collect();
            let charged = Charged { person: Some(person), recipients, kind, ids };
            open.insert(AttemptName(delivery, attempt), charged);
        }
        Leaf::Settled { attempts } => {
            for charged in attempts.iter().filter_map(|attempt| open.remove(attempt)) {
                for recipient in charged.recipients {
                    let minutes = buckets.entry((recipient, charged.kind)).or_default();
                    *minutes.entry((minute, charged.person)).or_default() += charged.ids;
                }
            }
        }
        Leaf::Released { attempt } => drop(open.remove(&attempt)),
        Leaf::LedgerTimeLeapt { since, by } => {
            for minutes in buckets.values_mut() {
                for ((minute, person), ids) in minutes.split_off(&(since, None)) {
                    *minutes.entry((minute + by, person)).or_default() += ids;
                }
            }
        }
        Leaf::Carried { target, sources, person, kind, .. } => {
            carry(target, &sources, person, kind, open, buckets);
        }
        Leaf::PhantomCharged { recipient, kind, ids } => {
            let minutes = buckets.entry((recipient, kind)).or_default();
            *minutes.entry((minute, None)).or_default() += ids;
        }
        _ => {}
    }
}

/// Lets the charges of `person`, or of everybody, at `sources` count at `target` as well: for each
/// person and minute the largest number is the right one.
fn carry(
    target: RecipientName,
    sources: &[RecipientName],
    person: Option<Commitment>,
    kind: IdKind,
    open: &mut BTreeMap<AttemptName, Charged>,
    buckets: &mut Buckets,
) {
    for source in sources {
        let there = buckets.get(&(*source, kind)).cloned().unwrap_or_default();
        let minutes = buckets.entry((target, kind)).or_default();
        for (place, ids) in there {
            if person.is_none() || place.1 == person {
                let known = minutes.entry(place).or_default();
                *known = ids.max(*known);
            }
        }
    }
    for charged in open.values_mut().filter(|charged| charged.kind == kind) {
        let is_meant = person.is_none() || charged.person == person;
        let is_there = sources.iter().any(|source| charged.recipients.contains(source));
        if is_meant && is_there && !charged.recipients.contains(&target) {
            charged.recipients.push(target);
        }
    }
}
