//! Do the ledger's rows agree with each other and with the journal? What to do if not is not here.

use std::collections::BTreeMap;

use super::clock::time_ms;
use crate::audit::{AttemptName, Leaf};
use crate::base::clock::Clock;
use crate::base::ids::IdKind;
use crate::policy::window::minute_of;
use crate::policy::{Profile, Recipient};
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
    for ((recipient, kind), replayed_ids) in replay(tx, newest_left, &mut faults)? {
        let known = Recipient::try_from(recipient.clone()).ok();
        let meter = known.map(|recipient| tx.meter_find(recipient, kind)).transpose()?.flatten();
        let live_ids = match meter {
            Some(meter) => meter.level.live_ids - tx.buckets_left(meter.id, newest_left)?,
            None => 0,
        };
        if live_ids != replayed_ids {
            faults.push(format!(
                "{recipient}/{kind} has {live_ids} live IDs, by the journal {replayed_ids}"
            ));
        }
    }
    Ok(faults)
}

/// What is charged by the journal, for each attempt that is open.
type Charged = Vec<(String, IdKind, u64)>;

/// What is live by the journal at each meter it ever names.
fn replay(
    tx: &Tx<'_>,
    newest_left: i64,
    faults: &mut Vec<String>,
) -> Result<BTreeMap<(String, IdKind), u64>, StoreError> {
    let mut open: BTreeMap<AttemptName, Charged> = BTreeMap::new();
    let mut live: BTreeMap<(String, IdKind), u64> = BTreeMap::new();
    let mut settle = |charged: Charged, counts: bool| {
        for (recipient, kind, ids) in charged {
            *live.entry((recipient, kind)).or_default() += if counts { ids } else { 0 };
        }
    };
    let mut next = 1;
    loop {
        let rows = tx.journal_from(next, ROWS_MAX)?;
        let Some(last) = rows.last() else { break };
        next = last.sequence + 1;
        for row in rows {
            let counts = minute_of(row.at_ms) > newest_left;
            match serde_json::from_str(&row.leaf) {
                Ok(Leaf::Opened { delivery, attempt, kind, ids, charges, .. }) => {
                    let charged = charges.into_iter().map(|charge| (charge.recipient, kind, ids));
                    open.insert(AttemptName(delivery, attempt), charged.collect());
                }
                Ok(Leaf::Settled { attempts }) => {
                    for attempt in attempts {
                        settle(open.remove(&attempt).unwrap_or_default(), counts);
                    }
                }
                Ok(Leaf::Released { attempt }) => {
                    settle(open.remove(&attempt).unwrap_or_default(), false);
                }
                Ok(_) => {}
                Err(_) => faults.push(format!("leaf {} of the journal is damaged", row.sequence)),
            }
        }
    }
    for charged in open.into_values() {
        settle(charged, true);
    }
    Ok(live)
}
