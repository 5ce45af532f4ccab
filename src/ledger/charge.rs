//! One charge inside a transaction: whose meters, how full they are, whether it fits, and the rows
//! that it writes. Which part of an order is charged is decided by `admit.rs`.

use std::ops::Range;

use super::Shared;
use super::distinct::{self, Expired, Sifted};
use super::grant::{Attempt, Chunk, Content};
use super::values::Elements;
use crate::audit::{self, Charge, Leaf, RecipientName};
use crate::base::commitment::Commitment;
use crate::base::ids::IdKind;
use crate::base::party::{Credential, KeyId, PersonId};
use crate::policy::decision::{Wanted, parts};
use crate::policy::window::{fits_at_ms, minute_of};
use crate::policy::{
    ChunkSize, Count, CredentialEnd, Entitlement, Profile, Recipient, Refusal, Return, Unit,
    Verdict, Window, document,
};
use crate::store::{
    Charged, Door, EntityStandingRow, MeterRow, OpenChargeRow, StandingRow, StoreError, Tx,
};

/// What a transaction of the ledger works with.
pub(super) struct Desk<'a> {
    pub(super) tx: &'a Tx<'a>,
    pub(super) shared: &'a Shared,
    /// Ledger time, read under the lock.
    pub(super) now_ms: i64,
}

/// Who may receive, and whom it is charged to.
pub(super) struct Permit {
    /// How leaves name the person; `None`: nobody knows who asks.
    pub(super) person: Option<Commitment>,
    /// In the ascending order of recipients.
    pub(super) entitled: Vec<Entitled>,
}

/// Whom something is charged to, and how much they may have.
#[derive(Clone, Copy)]
pub(super) struct Entitled {
    pub(super) charged: Charged,
    /// How much may be live; `None`: as much as there is.
    pub(super) ceiling_ids: Option<u64>,
}

/// A recipient whose meter is locked and up to date.
pub(super) struct Charging {
    pub(super) charged: Charged,
    pub(super) unit: Unit,
    pub(super) meter: MeterRow,
    /// What is held for the delivery that asks.
    pub(super) hold_ids: u64,
    /// Whether more is to leave the window than one transaction has time for.
    pub(super) is_leaving: bool,
    /// What is about to be charged.
    pub(super) weighed: Weighed,
}

/// What is about to be charged to a meter.
pub(super) enum Weighed {
    /// So many, each of which counts.
    Each(u64),
    /// Elements that count once.
    Once(Sifted),
}

impl Weighed {
    /// How much the charge adds to what is live; at most, as long as something is not proven.
    pub(super) fn fresh_max(&self) -> u64 {
        match self {
            Weighed::Each(ids) => *ids,
            Weighed::Once(sifted) => sifted.fresh_max(),
        }
    }
}

impl Desk<'_> {
    pub(super) fn profile(&self) -> &Profile {
        &self.shared.profile
    }

    /// Everybody that is charged when `person` receives; or why they may not.
    pub(super) fn permit(
        &self,
        person: PersonId,
        credential: Option<Credential>,
        kind: IdKind,
    ) -> Result<Result<Permit, Refusal>, StoreError> {
        if let Some(Credential::Link(download)) = credential {
            return self.permit_link(download, kind);
        }
        let standing = self.tx.standing(person, credential)?;
        let Some(standing) = standing.filter(|standing| standing.person_is_active) else {
            return Ok(Err(Refusal::PersonSuspended));
        };
        if let Some(credential) = credential
            && let Some(how) = self.end_of(&standing)
        {
            return Ok(Err(match credential {
                Credential::Key(_) => Refusal::KeyEnded { how },
                Credential::Session(_) => Refusal::SessionEnded { how },
                Credential::Link(_) => unreachable!("a link's standing is its own"),
            }));
        }
        let mut entitled = Vec::new();
        for entity in self.tx.standing_entities(person, self.now_ms)? {
            let EntityStandingRow { entity, door, use_case, titles } = entity;
            match door {
                Door::Open => {}
                Door::Unreviewed => return Ok(Err(Refusal::EntityUnreviewed { entity })),
                Door::Shut => return Ok(Err(Refusal::EntitySuspended { entity })),
            }
            let recipient = Recipient::Entity(entity);
            let Entitlement { basis, ceiling_ids, .. } = self.profile().entitlement(kind, &titles);
            entitled
                .push(Entitled { charged: Charged { recipient, basis, use_case }, ceiling_ids });
        }
        if entitled.is_empty() {
            return Ok(Err(Refusal::NoEntity));
        }
        Ok(Ok(Permit { person: Some(standing.commitment), entitled }))
    }

    /// How the credential that `standing` is about came to its end, if it did.
    fn end_of(&self, standing: &StandingRow) -> Option<CredentialEnd> {
        match standing.credential_until_ms {
            None => Some(CredentialEnd::Unknown),
            Some(_) if standing.credential_is_revoked => Some(CredentialEnd::Revoked),
            Some(until_ms) if until_ms <= self.now_ms => Some(CredentialEnd::Expired),
            Some(_) => None,
        }
    }

    /// As [`Desk::permit`], of somebody who begins something: they have to have accepted the
    /// documents. A version that comes into force later stops nobody in the middle.
    pub(super) fn permit_to_begin(
        &self,
        person: PersonId,
        credential: Option<Credential>,
        kind: IdKind,
    ) -> Result<Result<Permit, Refusal>, StoreError> {
        if let Some(Credential::Link(download)) = credential {
            return self.permit_link_to_begin(download, kind);
        }
        let permit = match self.permit(person, credential, kind)? {
            Ok(permit) => permit,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let standing = self.tx.documents_standing(Some(person), self.now_ms)?;
        let documents = document::in_force(&self.profile().documents, &standing.published);
        let missing = document::missing(documents, &standing.accepted);
        if missing.is_empty() {
            Ok(Ok(permit))
        } else {
            Ok(Err(Refusal::DocumentsMissing { missing }))
        }
    }

    /// Brings the meter of who is `entitled` up to date: what has left the window falls out,
    /// expired holds fall out, and the ceiling is the one that it is entitled to now.
    pub(super) fn lock(
        &self,
        entitled: Entitled,
        unit: impl Into<Unit>,
    ) -> Result<Charging, StoreError> {
        let unit = unit.into();
        let Desk { tx, now_ms, .. } = *self;
        let profile = self.profile();
        let Entitled { charged, ceiling_ids } = entitled;
        let found = tx.meter(charged.recipient, unit)?;
        let mut meter = found;
        meter.level.ceiling_ids = ceiling_ids;
        let recipient = charged.recipient;
        let mut newest_left = profile.window_at(recipient, unit).newest_left(now_ms);
        let mut left_ids = tx.buckets_left(meter.id, newest_left)?;
        let mut is_leaving = false;
        let counts_once = profile.count == Count::Distinct || unit == Unit::Objects;
        let may_be_a_set = counts_once && !matches!(recipient, Recipient::Link(_));
        if left_ids > 0 || may_be_a_set {
            let expired = distinct::expire(tx, &mut meter, newest_left)?;
            Expired { newest_left, is_leaving } = expired;
            left_ids = tx.buckets_left(meter.id, newest_left)?;
        }
        if left_ids > 0 {
            tx.buckets_remove(meter.id, newest_left)?;
            meter.level.live_ids -= left_ids;
        }
        if meter.level.held_ids > 0 {
            let expired_ids = tx.holds_expired(meter.id, now_ms)?;
            if expired_ids > 0 {
                tx.holds_remove_expired(meter.id, now_ms)?;
                meter.level.held_ids -= expired_ids;
            }
        }
        // Written before the charge, so that the trigger measures the charge alone.
        if meter != found {
            tx.meter_set(&meter)?;
        }
        Ok(Charging { charged, unit, meter, hold_ids: 0, is_leaving, weighed: Weighed::Each(0) })
    }

    /// Looks at what is about to be charged: `each` counts, or `once`, if it is known what they are
    /// and they count once there.
    pub(super) fn weigh(
        &self,
        charging: &mut Charging,
        each: u64,
        once: Option<&Elements>,
    ) -> Result<(), StoreError> {
        let meter = charging.meter;
        let ceiling_ids = match charging.unit {
            // The limit of a link is one of deliveries, whatever the profile counts.
            Unit::Ids(_) if matches!(charging.charged.recipient, Recipient::Link(_)) => None,
            Unit::Ids(kind) if self.profile().counts_once(kind) => meter.level.ceiling_ids,
            _ => None,
        };
        charging.weighed = match (ceiling_ids, once) {
            (None, _) | (_, None) => Weighed::Each(each),
            (Some(ceiling_ids), Some(once)) => {
                let filters = &self.shared.filters;
                assert!(!once.as_slice().is_empty(), "what counts once was looked at beforehand");
                if !filters.knows(meter.id) && !self.tx.seen_any(meter.id)? {
                    filters.begin(meter.id, ceiling_ids);
                }
                Weighed::Once(Sifted::of(self.tx, filters, meter.id, once, 1)?)
            }
        };
        Ok(())
    }

    /// Why `wanted` does not fit the meter of `charging`, if it does not. `ordinals` are what is
    /// left of the order, for a plan of parts.
    pub(super) fn refusal(
        &self,
        charging: &Charging,
        wanted: Wanted,
        ordinals: &Range<u64>,
    ) -> Result<Option<Refusal>, StoreError> {
        let level = charging.meter.level;
        let verdict = level.verdict(wanted);
        let recipient = charging.charged.recipient;
        let ceiling_ids = level.ceiling_ids.unwrap_or(u64::MAX);
        let requested_ids = wanted.from_hold_ids + wanted.fresh_ids;
        Ok(Some(match verdict {
            Verdict::Fits => return Ok(None),
            Verdict::NotNow { excess_ids } => {
                let (fits_at_ms, retry_at_ms) = self.times(charging, wanted, excess_ids)?;
                let remaining_ids = level.remaining_ids().unwrap_or(u64::MAX);
                Refusal::NotNow {
                    recipient,
                    requested_ids,
                    remaining_ids,
                    ceiling_ids,
                    fits_at_ms,
                    retry_at_ms,
                }
            }
            Verdict::Over { excess_ids } => {
                let (fits_at_ms, retry_at_ms) = self.times(charging, wanted, excess_ids)?;
                let live_ids = level.live_ids;
                Refusal::Over {
                    recipient,
                    requested_ids,
                    live_ids,
                    ceiling_ids,
                    fits_at_ms,
                    retry_at_ms,
                }
            }
            Verdict::Never if matches!(recipient, Recipient::Link(_)) => {
                // Nothing of a link ever comes back, so there is no plan.
                Refusal::Never { recipient, requested_ids, ceiling_ids, parts: Vec::new() }
            }
            Verdict::Never => {
                let all_ids = level.live_ids + level.held_ids;
                let empty_at_ms = match all_ids {
                    0 => self.now_ms,
                    _ => self.times(charging, wanted, all_ids)?.0,
                };
                let window = self.window(charging);
                let parts = parts(ordinals.clone(), level, window, self.now_ms, empty_at_ms);
                let requested_ids = ordinals.end - ordinals.start;
                Refusal::Never { recipient, requested_ids, ceiling_ids, parts }
            }
        }))
    }

    /// Looks up what filters said is new, and returns whether they said so of anything.
    pub(super) fn prove(&self, chargings: &mut [Charging]) -> Result<bool, StoreError> {
        let mut has_changed = false;
        for charging in chargings {
            if let Weighed::Once(sifted) = &mut charging.weighed {
                has_changed |= sifted.prove(self.tx, charging.meter.id)?;
            }
        }
        Ok(has_changed)
    }

    fn window(&self, charging: &Charging) -> Window {
        self.profile().window_at(charging.charged.recipient, charging.unit)
    }

    /// When `excess_ids` have come back: if all that is open or held were settled now, and if
    /// every hold ran out.
    fn times(
        &self,
        charging: &Charging,
        wanted: Wanted,
        excess_ids: u64,
    ) -> Result<(i64, i64), StoreError> {
        let (meter, window) = (&charging.meter, self.window(charging));
        let mut returns = Vec::new();
        let mut settled_ids = 0;
        self.tx.buckets(meter.id, window.newest_left(self.now_ms), |bucket| {
            returns.push(Return { at_ms: window.leaves_ms(bucket.minute), ids: bucket.ids });
            settled_ids += bucket.ids;
            settled_ids < excess_ids
        })?;
        // What is not settled leaves after all that is: it matters only if that is not enough,
        // and then every bucket has been seen.
        let at_ms = window.leaves_ms(minute_of(self.now_ms));
        let open_ids = meter.level.live_ids - settled_ids;
        // An asker that lives on its own hold gains nothing from the end of holds.
        let holds = if wanted.fresh_ids == 0 {
            Vec::new()
        } else {
            self.tx.holds_of_meter(meter.id, self.now_ms)?
        };
        let mut if_holds_end = returns.clone();
        if_holds_end.extend(holds);
        if_holds_end.push(Return { at_ms, ids: open_ids });
        if_holds_end.sort_by_key(|part| part.at_ms);
        returns.push(Return { at_ms, ids: open_ids + meter.level.held_ids });
        let enough = "no more is asked to come back than is there";
        let fits_at = fits_at_ms(excess_ids, &returns).expect(enough);
        let retry_at = fits_at_ms(excess_ids, &if_holds_end).expect(enough);
        Ok((fits_at, retry_at.min(fits_at)))
    }
}

/// A chunk that is about to be charged to everybody in `chargings`.
pub(super) struct Opening<'a> {
    pub(super) attempt: Attempt,
    pub(super) person: PersonId,
    /// How leaves name the person; `None`: nobody knows who asks.
    pub(super) person_name: Option<Commitment>,
    pub(super) key: Option<KeyId>,
    /// Of which dataset; a body belongs to none.
    pub(super) dataset: Option<i64>,
    pub(super) chunk: &'a Chunk,
}

/// Which view of its release a chunk is of, if something is left out of that.
fn view_of(chunk: &Chunk) -> Option<audit::View> {
    let gaps = &chunk.gaps;
    (!gaps.is_empty()).then(|| audit::View { version: gaps.version(), end: chunk.ordinals.end })
}

/// Which size of chunk suits all of them.
pub(super) fn chunk_size(chargings: &[Charging]) -> ChunkSize {
    if chargings.iter().any(|charging| charging.meter.level.ceiling_ids.is_some()) {
        ChunkSize::Small
    } else {
        ChunkSize::Large
    }
}

impl Desk<'_> {
    /// Writes the charge of one chunk: every meter, the open charges, and the leaf.
    /// `hold_after` says what is held for the delivery afterwards, for each recipient and how much
    /// the charge adds to what is live there.
    pub(super) fn charge(
        &self,
        opening: &Opening<'_>,
        chargings: &mut [Charging],
        hold_after: impl Fn(&Charging, u64) -> u64,
    ) -> Result<(), StoreError> {
        let Attempt { delivery, number } = opening.attempt;
        let ids = opening.chunk.ids();
        let mut charges = Vec::with_capacity(chargings.len());
        for charging in chargings {
            let (attempt, person) = (opening.attempt, opening.person);
            charges.push(self.charge_one(charging, attempt, person, ids, &hold_after)?);
        }
        let leaf = Leaf::Opened {
            delivery,
            attempt: number,
            person: opening.person_name,
            key: opening.key,
            kind: opening.chunk.kind,
            dataset: opening.dataset,
            content: match &opening.chunk.content {
                Content::Release(release) => audit::Content::Release(release.to_string()),
                Content::Sha256(digest) => audit::Content::Sha256(hex::encode(digest)),
            },
            first: opening.chunk.ordinals.start,
            ids,
            view: view_of(opening.chunk),
            charges,
            profile: self.profile().name.clone(),
        };
        audit::append(self.tx, self.now_ms, &leaf)?;
        Ok(())
    }

    /// Writes what one attempt charges to one meter, of which `granted` may be sent, and returns
    /// what its leaf says of it.
    pub(super) fn charge_one(
        &self,
        charging: &mut Charging,
        attempt: Attempt,
        person: PersonId,
        granted: u64,
        hold_after: impl Fn(&Charging, u64) -> u64,
    ) -> Result<Charge, StoreError> {
        let meter_id = charging.meter.id;
        let (fresh, seen_charge) = match &mut charging.weighed {
            Weighed::Each(ids) => (*ids, None),
            Weighed::Once(sifted) => {
                let filters = &self.shared.filters;
                let opened = distinct::open(self.tx, filters, meter_id, person, sifted)?;
                (opened.fresh, Some(opened.charge))
            }
        };
        let hold_ids = hold_after(charging, fresh);
        let level = &mut charging.meter.level;
        level.live_ids += fresh;
        level.held_ids = level.held_ids - charging.hold_ids + hold_ids;
        assert!(!level.is_over(), "a charge that was found to fit fits");
        let Attempt { delivery, number } = attempt;
        if charging.hold_ids > 0 || hold_ids > 0 {
            let expires_ms = self.now_ms + self.profile().hold_ms;
            self.tx.hold_set(delivery, meter_id, hold_ids, expires_ms)?;
        }
        self.tx.meter_set(&charging.meter)?;
        let row = OpenChargeRow {
            delivery,
            attempt: number,
            meter_id,
            person,
            ids: granted,
            seen_charge,
        };
        let Charged { recipient, basis, use_case } = charging.charged;
        self.tx.open_charge_add(&row, self.shared.incarnation(), basis)?;
        Ok(Charge {
            recipient: RecipientName::of(recipient, charging.meter.commitment),
            basis: basis.to_string(),
            use_case,
            fresh_ids: seen_charge.map(|_| fresh),
            live_ids: charging.meter.level.live_ids,
        })
    }
}
