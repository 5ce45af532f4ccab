//! Peer-review links in the world of one seed: each is a recipient of its own, which hands out so
//! many IDs in all its life and nothing after its exemption ended. What goes out to whom else is
//! not here.

use super::world::World;
use crate::base::ids::IdKind;
use crate::base::party::{Credential, EntityId, PersonId};
use crate::ledger::tests::{HOUR_MS, START_MS, order_of};
use crate::ledger::{Chunk, Denied, Granted, usage};
use crate::policy::Refusal;
use crate::store::{ExemptionRow, ShareRow};

/// Whoever opens a link has numbers from here on, and the link has the same one as an entity.
const FIRST: usize = 100;
/// How many IDs a link hands out.
const IDS_MAX: u64 = 900;

/// A link.
struct Link {
    share: ShareRow,
    exemption: ExemptionRow,
    is_revoked: bool,
}

/// The links of a world, and the institution that they are made for.
pub(super) struct Links {
    entity: EntityId,
    maker: PersonId,
    /// The last is the newest; the others have ended.
    links: Vec<Link>,
}

impl Links {
    pub(super) fn new(entity: EntityId, maker: PersonId) -> Links {
        Links { entity, maker, links: Vec::new() }
    }

    /// Whether somebody is whoever opens a link.
    pub(super) fn opens_one(person: usize) -> bool {
        person >= FIRST
    }
}

impl World {
    /// Somebody begins a download at the newest link; where there is none, one is made first.
    pub(super) fn admit_at_link(&mut self, at: usize) -> String {
        // Whoever makes a link tries until it is there.
        self.gateways.iter().for_each(|gateway| gateway.plan.clear());
        if self.links.links.last().is_none_or(|link| link.is_revoked) {
            self.make_link();
        }
        let person = FIRST + self.links.links.len() - 1;
        let share = self.links.links[person - FIRST].share.id;
        let download = self.rig.download(share);
        let first = self.chance.below(500);
        let ids = 1 + self.chance.below(400);
        let mut wanted = order_of(self.links.maker, 1, first..first + ids);
        wanted.credential = Some(Credential::Link(download));
        self.seen.opened_links += 1;
        let admitted = self.rig.wait(self.gateways[at].ledger.admit(wanted));
        match admitted {
            Ok((delivery, granted)) => {
                self.gateways[at].deliveries.push((person, delivery));
                self.grant_at_link(at, person, granted)
            }
            Err(denied) => self.denied(at, person, &denied),
        }
    }

    fn make_link(&mut self) {
        let lasts_ms = self.chance.below(20 * HOUR_MS as u64) as i64 + 1;
        let Links { entity, maker, .. } = self.links;
        let until_ms = self.ledger_ms() + lasts_ms;
        let exemption = self.rig.exempt(entity, until_ms.max(START_MS + 1));
        let share = self.rig.share(entity, maker, exemption.id, 1_000, IDS_MAX);
        self.links.links.push(Link { share, exemption, is_revoked: false });
    }

    pub(super) fn grant_at_link(
        &mut self,
        at: usize,
        person: usize,
        granted: Granted<Chunk>,
    ) -> String {
        let ordinals = granted.chunk().ordinals.clone();
        let told = format!("link {person} is granted {ordinals:?}");
        let number = self.truth.hand(person, &[person].into(), ordinals);
        self.gateways[at].chunks.push((number, granted));
        self.seen.granted_at_links += 1;
        assert!(!self.is_link_over(person), "{told}, and what entitles it is over");
        let handed = self.truth.handed_over(person, i64::MIN);
        assert!(handed <= IDS_MAX, "{told}, and has handed out {handed} of {IDS_MAX} IDs");
        told
    }

    /// Whether a denial is one that a link may get.
    pub(super) fn denied_at_link(&mut self, person: usize, denied: &Denied) {
        match denied {
            Denied::Refused(Refusal::LinkEnded { .. }) => {
                assert!(self.is_link_over(person), "link {person} is open: {denied}");
                self.seen.ended_links += 1;
                self.links.links[person - FIRST].is_revoked = true;
            }
            Denied::Refused(Refusal::NotNow { .. }) => {
                self.seen.full_links += 1;
                // What it has handed out never comes back, so another one is made.
                let left = IDS_MAX - self.truth.handed_over(person, i64::MIN);
                if left < 50 {
                    self.revoke_link(person);
                }
            }
            other => panic!("a link is not denied so: {other}"),
        }
    }

    /// An operator ends the exemption of the newest link.
    pub(super) fn end_link(&mut self) -> String {
        let Some(newest) = self.links.links.len().checked_sub(1) else { return "idle".into() };
        self.gateways.iter().for_each(|gateway| gateway.plan.clear());
        self.revoke_link(FIRST + newest);
        format!("the exemption of link {} ends", FIRST + newest)
    }

    fn revoke_link(&mut self, person: usize) {
        let link = &mut self.links.links[person - FIRST];
        link.is_revoked = true;
        let exemption = link.exemption.clone();
        self.gateways.iter().for_each(|gateway| gateway.plan.clear());
        self.rig.revoke(exemption);
    }

    fn is_link_over(&self, person: usize) -> bool {
        let link = &self.links.links[person - FIRST];
        link.is_revoked || link.exemption.until_ms <= self.ledger_ms()
    }

    /// What a link has handed out counts as long as it lives, and nothing else does.
    pub(super) fn check_links(&self) {
        let profile = self.rig.ledger.profile();
        for (number, link) in self.links.links.iter().enumerate() {
            let look = self
                .rig
                .store
                .read(|tx| usage(tx, profile, &self.rig.clock, link.share.id, IdKind::Tweet));
            let usage = look.unwrap();
            let live = usage.used_ids + usage.open_ids;
            let handed = self.truth.handed_over(FIRST + number, i64::MIN);
            assert!(live >= handed, "link {number}: {live} live, {handed} handed out");
            assert!(live <= IDS_MAX, "link {number}: {live} live of {IDS_MAX}");
            if self.is_undisturbed {
                assert_eq!(live, handed, "link {number}");
            }
        }
    }
}
