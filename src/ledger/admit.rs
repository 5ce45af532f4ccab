//! The two transactions that grant: the admission of an order with its first chunk, and each
//! further chunk.

use std::ops::Range;
use std::sync::Arc;

use super::charge::{Charging, Desk, Opening, Permit, Weighed, chunk_size};
use super::delivery::{Delivery, Order};
use super::grant::{Attempt, Chunk, Unclaimed};
use super::preview::Preview;
use super::values::Values;
use super::{Ledger, clock};
use crate::audit::{self, Leaf, name};
use crate::base::commitment::Commitment;
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{KeyId, PersonId};
use crate::policy::decision::Wanted;
use crate::policy::{ChunkSize, Refusal};
use crate::store::{Charged, NewDelivery, StoreError, Tx};

/// What a transaction has granted; nobody has it yet.
pub(super) struct Opened {
    pub(super) unclaimed: Unclaimed<Chunk>,
    pub(super) has_ceiling: bool,
    /// Who is charged for this chunk.
    pub(super) recipients: Vec<Charged>,
}

/// Why a transaction has granted nothing; what it wrote stays.
#[derive(Debug)]
pub(super) enum Withheld {
    /// The rules say no.
    Refused(Refusal),
    /// They would say no as it is, but more is to leave the window than there was time for: it is
    /// worth asking again at once.
    Leaving,
}

/// What a further chunk needs to know of its delivery.
#[derive(Clone)]
pub(super) struct Further {
    pub(super) attempt: Attempt,
    pub(super) person: PersonId,
    pub(super) key: Option<KeyId>,
    pub(super) kind: IdKind,
    pub(super) dataset: i64,
    pub(super) release: Arc<str>,
    /// What is not charged yet.
    pub(super) rest: Range<u64>,
    pub(super) values: Arc<dyn Values>,
    /// Who has been charged so far, on which basis.
    pub(super) recipients: Vec<Charged>,
}

/// Admits `order` and charges its first chunk.
pub(super) fn admit(
    tx: &Tx<'_>,
    ledger: &Ledger,
    order: &Order,
    preview: &Preview,
) -> Result<Result<(Delivery, Opened), Withheld>, StoreError> {
    let desk = Desk { tx, shared: &ledger.0, now_ms: clock::now_ms(tx, ledger)? };
    let (person_name, mut chargings) = match lock_all(&desk, order, None)? {
        Ok(locked) => locked,
        Err(refusal) => return refuse(&desk, order, refusal),
    };
    let requested_ids = order.ordinals.end - order.ordinals.start;
    let size = chunk_size(&chargings);
    let ids = desk.profile().chunk_ids(size, 0).min(requested_ids);
    for charging in &mut chargings {
        desk.weigh(charging, ids, &preview.next)?;
    }
    let all_fresh_ids = |charging: &Charging| match &charging.weighed {
        Weighed::Each(_) => requested_ids,
        Weighed::Once(_) => preview.fresh_ids(charging.charged.recipient).unwrap_or(requested_ids),
    };
    let wanted = |charging: &Charging| {
        let fresh_ids = all_fresh_ids(charging).max(charging.weighed.fresh_max());
        Wanted { from_hold_ids: 0, fresh_ids }
    };
    if let Some(withheld) = withheld(&desk, &mut chargings, wanted, &order.ordinals)? {
        return refuse(&desk, order, withheld);
    }
    let attempt = Attempt { delivery: DeliveryId::new(desk.now_ms), number: 0 };
    let first = order.ordinals.start..order.ordinals.start + ids;
    let opening = Opening {
        attempt,
        person: order.person,
        person_name,
        key: order.key,
        kind: order.kind,
        dataset: order.dataset,
        release: &order.release,
        ordinals: first.clone(),
    };
    desk.charge(&opening, &mut chargings, |charging, fresh_ids| {
        let rest_ids = all_fresh_ids(charging).saturating_sub(fresh_ids);
        charging.meter.level.ceiling_ids.map_or(0, |_| rest_ids)
    })?;
    let recipients: Vec<Charged> = chargings.iter().map(|charging| charging.charged).collect();
    tx.delivery_add(&NewDelivery {
        id: attempt.delivery,
        person: order.person,
        key: order.key,
        dataset: order.dataset,
        release: &order.release,
        kind: order.kind,
        view: &order.view,
        first: order.ordinals.start,
        end: order.ordinals.end,
        granted_ids: ids,
        recipients: &recipients,
        profile: &desk.profile().name,
        started_ms: desk.now_ms,
        incarnation: ledger.incarnation(),
    })?;
    let chunk =
        Chunk { kind: order.kind, release: Arc::clone(&order.release), ordinals: first.clone() };
    let delivery = Delivery {
        ledger: ledger.clone(),
        further: Further {
            attempt: Attempt { number: 1, ..attempt },
            person: order.person,
            key: order.key,
            kind: order.kind,
            dataset: order.dataset,
            release: Arc::clone(&order.release),
            rest: first.end..order.ordinals.end,
            values: Arc::clone(&order.values),
            recipients: recipients.clone(),
        },
        has_ceiling: size == ChunkSize::Small,
        ended: false,
    };
    let unclaimed = Unclaimed::new(ledger, chunk, attempt);
    let opened = Opened { unclaimed, has_ceiling: size == ChunkSize::Small, recipients };
    Ok(Ok((delivery, opened)))
}

/// Charges the next chunk of a delivery.
///
/// What ends a permission is looked up anew: a revoked key, a suspended person or entity, an
/// exemption that has ended bite here.
pub(super) fn open(
    tx: &Tx<'_>,
    ledger: &Ledger,
    further: &Further,
    preview: &Preview,
) -> Result<Result<Opened, Withheld>, StoreError> {
    let desk = Desk { tx, shared: &ledger.0, now_ms: clock::now_ms(tx, ledger)? };
    let order = further.as_order();
    let (person_name, mut chargings) =
        match lock_all(&desk, &order, Some(further.attempt.delivery))? {
            Ok(locked) => locked,
            Err(refusal) => return refuse(&desk, &order, refusal),
        };
    let size = chunk_size(&chargings);
    let rest = &further.rest;
    let most = desk.profile().chunk_ids(size, further.attempt.number);
    let ids = most.min(rest.end - rest.start);
    for charging in &mut chargings {
        desk.weigh(charging, ids, &preview.next)?;
    }
    // A hold that has run out, or is too small because a chunk was given back, is no right: what
    // it does not cover has to fit like any newcomer's.
    let wanted = |charging: &Charging| {
        let all_ids = charging.weighed.fresh_max();
        let from_hold_ids = charging.hold_ids.min(all_ids);
        Wanted { from_hold_ids, fresh_ids: all_ids - from_hold_ids }
    };
    if let Some(withheld) = withheld(&desk, &mut chargings, wanted, rest)? {
        return refuse(&desk, &order, withheld);
    }
    let chunk = Chunk {
        kind: further.kind,
        release: Arc::clone(&further.release),
        ordinals: rest.start..rest.start + ids,
    };
    let opening = Opening {
        attempt: further.attempt,
        person: further.person,
        person_name,
        key: further.key,
        kind: further.kind,
        dataset: further.dataset,
        release: &further.release,
        ordinals: chunk.ordinals.clone(),
    };
    desk.charge(&opening, &mut chargings, |charging, fresh_ids| {
        let rest_ids = charging.hold_ids.saturating_sub(fresh_ids);
        charging.meter.level.ceiling_ids.map_or(0, |_| rest_ids)
    })?;
    tx.delivery_grant(further.attempt.delivery, ids)?;
    let mut recipients = further.recipients.clone();
    recipients.extend(chargings.iter().map(|charging| charging.charged));
    recipients.sort_unstable();
    recipients.dedup();
    if recipients != further.recipients {
        tx.delivery_set_recipients(further.attempt.delivery, &recipients)?;
    }
    let unclaimed = Unclaimed::new(ledger, chunk, further.attempt);
    Ok(Ok(Opened { unclaimed, has_ceiling: size == ChunkSize::Small, recipients }))
}

impl Further {
    /// What is left, as if it were ordered now.
    fn as_order(&self) -> Order {
        Order {
            person: self.person,
            key: self.key,
            kind: self.kind,
            dataset: self.dataset,
            release: Arc::clone(&self.release),
            ordinals: self.rest.clone(),
            view: String::new(),
            values: Arc::clone(&self.values),
        }
    }
}

/// Locks the meters of everybody who is charged, in ascending order; also how leaves name the
/// person.
fn lock_all(
    desk: &Desk<'_>,
    order: &Order,
    delivery: Option<DeliveryId>,
) -> Result<Result<(Commitment, Vec<Charging>), Withheld>, StoreError> {
    let Permit { person, all_charged } = match desk.permit(order.person, order.key, order.kind)? {
        Ok(permit) => permit,
        Err(refusal) => return Ok(Err(Withheld::Refused(refusal))),
    };
    let mut chargings = Vec::with_capacity(all_charged.len());
    for charged in all_charged {
        let mut charging = desk.lock(charged, order.kind)?;
        if let Some(delivery) = delivery.filter(|_| charging.meter.level.held_ids > 0) {
            charging.hold_ids = desk.tx.hold(delivery, charging.meter.id)?;
        }
        chargings.push(charging);
    }
    Ok(Ok((person, chargings)))
}

/// Why what is `wanted` is withheld, if any meter refuses. No meter refuses on a filter's word.
pub(super) fn withheld(
    desk: &Desk<'_>,
    chargings: &mut [Charging],
    wanted: impl Fn(&Charging) -> Wanted,
    ordinals: &Range<u64>,
) -> Result<Option<Withheld>, StoreError> {
    let mut refusal = gravest(desk, chargings, &wanted, ordinals)?;
    if refusal.is_some() && desk.prove(chargings)? {
        refusal = gravest(desk, chargings, &wanted, ordinals)?;
    }
    let is_leaving = chargings.iter().any(|charging| charging.is_leaving);
    Ok(refusal.map(|refusal| match is_leaving {
        true => Withheld::Leaving,
        false => Withheld::Refused(refusal),
    }))
}

/// The refusal of the meter that has the last word, if any refuses.
fn gravest(
    desk: &Desk<'_>,
    chargings: &[Charging],
    wanted: impl Fn(&Charging) -> Wanted,
    ordinals: &Range<u64>,
) -> Result<Option<Refusal>, StoreError> {
    let mut gravest: Option<Refusal> = None;
    for charging in chargings {
        if let Some(refusal) = desk.refusal(charging, wanted(charging), ordinals)? {
            gravest = Some(match gravest {
                Some(other) => other.graver(refusal),
                None => refusal,
            });
        }
    }
    Ok(gravest)
}

/// Writes a refusal down, and hands it on as the transaction's result: what fell out of the meters
/// meanwhile stays out.
fn refuse<T>(
    desk: &Desk<'_>,
    order: &Order,
    withheld: Withheld,
) -> Result<Result<T, Withheld>, StoreError> {
    let Withheld::Refused(refusal) = &withheld else { return Ok(Err(withheld)) };
    let why = refusal.word();
    if desk.shared.is_first_of_minute(order.person, order.kind.into(), why, desk.now_ms) {
        let leaf = Leaf::Refused {
            person: name::of_person(desk.tx, order.person)?,
            key: order.key,
            kind: order.kind,
            dataset: order.dataset,
            first: order.ordinals.start,
            ids: order.ordinals.end - order.ordinals.start,
            why: why.to_owned(),
        };
        audit::append(desk.tx, desk.now_ms, &leaf)?;
    }
    Ok(Err(withheld))
}
