//! The two transactions that grant: the admission of an order with its first chunk, and each
//! further chunk.

use std::ops::Range;
use std::sync::Arc;

use super::charge::{Charging, Desk, Opening, Permit, Weighed, chunk_size};
use super::delivery::{Delivery, Order, Ordered};
use super::grant::{Attempt, Chunk, Content, Unclaimed};
use super::preview::Preview;
use super::values::Values;
use super::{Ledger, clock};
use crate::audit::{self, Leaf, name};
use crate::base::commitment::Commitment;
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{Credential, PersonId};
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
    /// Other lines are left out by now than those that were asked without.
    Changed,
    /// They would say no as it is, but more is to leave the window than there was time for: it is
    /// worth asking again at once.
    Leaving,
}

/// What a further chunk needs to know of its delivery.
#[derive(Clone)]
pub(super) struct Further {
    pub(super) attempt: Attempt,
    pub(super) person: PersonId,
    pub(super) credential: Option<Credential>,
    pub(super) kind: IdKind,
    /// What is not charged yet.
    pub(super) ordered: Ordered,
    /// What the IDs are, if somebody can tell.
    pub(super) values: Option<Arc<dyn Values>>,
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
    let asked = Asked::of(order);
    if !order.ordered.is_current(tx, order.kind)? {
        return Ok(Err(Withheld::Changed));
    }
    let (person_name, mut chargings) = match lock_all(&desk, &asked, None)? {
        Ok(locked) => locked,
        Err(withheld) => return refuse(&desk, &asked, withheld),
    };
    let Order { person, credential, kind, ref ordered, .. } = *order;
    let size = chunk_size(&chargings);
    let attempt = Attempt { delivery: DeliveryId::new(desk.now_ms), number: 0 };
    let chunk = ordered.chunk(kind, desk.profile(), size, 0);
    for charging in &mut chargings {
        desk.weigh(charging, chunk.ids(), preview.next.as_ref())?;
    }
    let asked_ids = asked.ids;
    let all_fresh_ids = |charging: &Charging| match &charging.weighed {
        Weighed::Each(_) => asked_ids,
        Weighed::Once(_) => preview.fresh_ids(charging.charged.recipient).unwrap_or(asked_ids),
    };
    let wanted = |charging: &Charging| {
        let fresh_ids = all_fresh_ids(charging).max(charging.weighed.fresh_max());
        Wanted { from_hold_ids: 0, fresh_ids }
    };
    if let Some(withheld) = withheld(&desk, &mut chargings, wanted, &asked.ordinals)? {
        return refuse(&desk, &asked, withheld);
    }
    let dataset = ordered.dataset();
    let key = credential.and_then(Credential::key);
    let opening = Opening { attempt, person, person_name, key, dataset, chunk: &chunk };
    desk.charge(&opening, &mut chargings, |charging, fresh_ids| {
        let rest_ids = all_fresh_ids(charging).saturating_sub(fresh_ids);
        charging.meter.level.ceiling_ids.map_or(0, |_| rest_ids)
    })?;
    let recipients: Vec<Charged> = chargings.iter().map(|charging| charging.charged).collect();
    let download = credential.and_then(Credential::download);
    if let Some(download) = download {
        tx.download_begin(download, desk.now_ms)?;
    }
    tx.delivery_add(&NewDelivery {
        id: attempt.delivery,
        person: download.is_none().then_some(person),
        key,
        download,
        dataset,
        release: match &chunk.content {
            Content::Release(release) => Some(release),
            Content::Sha256(_) => None,
        },
        unit: kind.into(),
        view: ordered.view(),
        view_version: ordered.gaps().version(),
        first: asked.ordinals.start,
        end: ordered.end(),
        granted_ids: chunk.ids(),
        recipients: &recipients,
        profile: &desk.profile().name,
        started_ms: desk.now_ms,
        incarnation: ledger.incarnation(),
    })?;
    let mut rest = ordered.clone();
    rest.pass(&chunk);
    let delivery = Delivery {
        ledger: ledger.clone(),
        further: Further {
            attempt: Attempt { number: 1, ..attempt },
            person,
            credential,
            kind,
            ordered: rest,
            values: order.values.clone(),
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
/// What ends a right is looked up anew: a revoked key, a suspended person or entity, an exemption
/// or a permission that has ended bite here.
pub(super) fn open(
    tx: &Tx<'_>,
    ledger: &Ledger,
    further: &Further,
    preview: &Preview,
) -> Result<Result<Opened, Withheld>, StoreError> {
    let desk = Desk { tx, shared: &ledger.0, now_ms: clock::now_ms(tx, ledger)? };
    let Further { attempt, person, credential, kind, ref ordered, .. } = *further;
    let (dataset, ordinals) = (ordered.dataset(), ordered.ordinals());
    let asked = Asked { person, credential, kind, dataset, ordinals, ids: ordered.ids() };
    if !ordered.is_current(tx, kind)? {
        return Ok(Err(Withheld::Changed));
    }
    let (person_name, mut chargings) = match lock_all(&desk, &asked, Some(attempt.delivery))? {
        Ok(locked) => locked,
        Err(withheld) => return refuse(&desk, &asked, withheld),
    };
    let size = chunk_size(&chargings);
    let chunk = ordered.chunk(kind, desk.profile(), size, attempt.number);
    let ids = chunk.ids();
    for charging in &mut chargings {
        desk.weigh(charging, ids, preview.next.as_ref())?;
    }
    // A hold that has run out, or is too small because a chunk was given back, is no right: what
    // it does not cover has to fit like any newcomer's.
    let wanted = |charging: &Charging| {
        let all_ids = charging.weighed.fresh_max();
        let from_hold_ids = charging.hold_ids.min(all_ids);
        Wanted { from_hold_ids, fresh_ids: all_ids - from_hold_ids }
    };
    if let Some(withheld) = withheld(&desk, &mut chargings, wanted, &asked.ordinals)? {
        return refuse(&desk, &asked, withheld);
    }
    let key = credential.and_then(Credential::key);
    let opening = Opening { attempt, person, person_name, key, dataset, chunk: &chunk };
    desk.charge(&opening, &mut chargings, |charging, fresh_ids| {
        let rest_ids = charging.hold_ids.saturating_sub(fresh_ids);
        charging.meter.level.ceiling_ids.map_or(0, |_| rest_ids)
    })?;
    tx.delivery_grant(attempt.delivery, ids)?;
    let mut recipients = further.recipients.clone();
    recipients.extend(chargings.iter().map(|charging| charging.charged));
    recipients.sort_unstable();
    recipients.dedup();
    if recipients != further.recipients {
        tx.delivery_set_recipients(attempt.delivery, &recipients)?;
    }
    let unclaimed = Unclaimed::new(ledger, chunk, attempt);
    Ok(Ok(Opened { unclaimed, has_ceiling: size == ChunkSize::Small, recipients }))
}

/// What somebody asks for in one transaction.
pub(super) struct Asked {
    pub(super) person: PersonId,
    pub(super) credential: Option<Credential>,
    pub(super) kind: IdKind,
    /// Of which dataset; a body belongs to none.
    pub(super) dataset: Option<i64>,
    pub(super) ordinals: Range<u64>,
    /// How many IDs those are without what is left out.
    pub(super) ids: u64,
}

impl Asked {
    fn of(order: &Order) -> Asked {
        Asked {
            person: order.person,
            credential: order.credential,
            kind: order.kind,
            dataset: order.ordered.dataset(),
            ordinals: order.ordered.ordinals(),
            ids: order.ordered.ids(),
        }
    }
}

/// Whether a single ID would fit; a refusal is written down.
pub(super) fn inquire(desk: &Desk<'_>, asked: &Asked) -> Result<Result<(), Withheld>, StoreError> {
    let mut chargings = match lock_all(desk, asked, None)? {
        Ok((_, chargings)) => chargings,
        Err(withheld) => return refuse(desk, asked, withheld),
    };
    // Where an ID counts once, the one that is asked for may be one that the recipient has.
    let fresh_ids = if desk.profile().counts_once(asked.kind) { 0 } else { 1 };
    let wanted = |_: &Charging| Wanted { from_hold_ids: 0, fresh_ids };
    match withheld(desk, &mut chargings, wanted, &asked.ordinals)? {
        Some(withheld) => refuse(desk, asked, withheld),
        None => Ok(Ok(())),
    }
}

/// How leaves name the person, if anybody knows who asks, and everybody who is charged.
type Locked = (Option<Commitment>, Vec<Charging>);

/// Locks the meters of everybody who is charged, in ascending order; also how leaves name the
/// person.
fn lock_all(
    desk: &Desk<'_>,
    asked: &Asked,
    delivery: Option<DeliveryId>,
) -> Result<Result<Locked, Withheld>, StoreError> {
    let Asked { person, credential, kind, .. } = *asked;
    let permit = match delivery {
        None => desk.permit_to_begin(person, credential, kind)?,
        Some(_) => desk.permit(person, credential, kind)?,
    };
    let Permit { person, entitled } = match permit {
        Ok(permit) => permit,
        Err(refusal) => return Ok(Err(Withheld::Refused(refusal))),
    };
    let mut chargings = Vec::with_capacity(entitled.len());
    for entitled in entitled {
        let mut charging = desk.lock(entitled, kind)?;
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
    asked: &Asked,
    withheld: Withheld,
) -> Result<Result<T, Withheld>, StoreError> {
    let Withheld::Refused(refusal) = &withheld else { return Ok(Err(withheld)) };
    let why = refusal.word();
    if desk.shared.is_first_of_minute(asked.person, asked.kind.into(), why, desk.now_ms) {
        let download = asked.credential.and_then(Credential::download);
        let (person, link) = match download {
            Some(download) => (None, desk.tx.download(download)?.map(|row| row.share)),
            None => (Some(name::of_person(desk.tx, asked.person)?), None),
        };
        let leaf = Leaf::Refused {
            person,
            link,
            key: asked.credential.and_then(Credential::key),
            kind: asked.kind,
            dataset: asked.dataset,
            first: asked.ordinals.start,
            ids: asked.ids,
            why: why.to_owned(),
        };
        audit::append(desk.tx, desk.now_ms, &leaf)?;
    }
    Ok(Err(withheld))
}
