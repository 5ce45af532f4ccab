//! The judge of the protocol, who sees what arrives and what may still arrive, and what is asked of
//! every state.

use stateright::Property;

use crate::design::{WindowStarts, promise};
use crate::ledger::{ENTITIES, NOT_BEGUN, PEOPLE, Waiting, each, leaves_at};
use crate::protocol::Protocol;
use crate::state::{At, Chunk, Phase, State, Stream};

impl Protocol {
    /// What the people of an entity received within the window.
    fn received(&self, state: &State, entity: usize) -> u8 {
        let of_it = |person: &usize| state.store.members[*person] & (1 << entity) != 0;
        (0..PEOPLE).filter(of_it).map(|person| state.received[person].sum()).sum()
    }

    /// What may still arrive at the people of an entity.
    fn on_the_way(&self, state: &State, entity: usize) -> u8 {
        let of_it = |person: u8| state.store.members[usize::from(person)] & (1 << entity) != 0;
        let mut ids = 0;
        for (stream, under_way) in (0..).zip(&state.streams) {
            let may_arrive = |chunk: &&Chunk| match chunk.at {
                At::Granted => under_way.phase == Phase::Sending,
                At::Kernel => true,
                At::Left => false,
            };
            if of_it(self.person(stream)) {
                ids += under_way.chunks.iter().filter(may_arrive).count();
            }
        }
        ids += state.strays.iter().filter(|stray| of_it(stray.person)).count();
        u8::try_from(ids).expect("there are few")
    }

    pub fn look_at_grant(&self, state: &mut State, stream: u8) {
        for entity in each(state.store.members[usize::from(self.person(stream))]) {
            let all = self.received(state, entity) + self.on_the_way(state, entity);
            state.slips.granted_too_much |= all > self.scope.ceiling;
            let live = state.store.meters[entity].live;
            state.slips.granted_over |= live > self.scope.ceiling;
            let is_link = self.scope.links & (1 << entity) != 0;
            state.slips.granted_after_end |= is_link && state.store.is_ended;
            let of_links = |link: usize| state.store.meters[link].live;
            let together: u8 = each(self.scope.links).map(of_links).sum();
            state.slips.granted_over |= is_link && together > self.scope.ceiling;
        }
    }

    fn keeps_limit(&self, state: &State) -> bool {
        (0..ENTITIES).all(|entity| self.received(state, entity) <= self.scope.ceiling)
    }

    fn covers_what_arrives(&self, state: &State) -> bool {
        // A ledger that is known to be behind is frozen until that is made good.
        let leaves_at = leaves_at(&self.design, &self.scope);
        state.store.is_behind
            || (0..ENTITIES).all(|entity| {
                let meter = &state.store.meters[entity];
                let is_link = self.scope.links & (1 << entity) != 0;
                let counts = if is_link { meter.live } else { meter.counts(leaves_at) };
                counts >= self.received(state, entity) + self.on_the_way(state, entity)
            })
    }

    /// Whether each open charge has somebody who will settle or release it: a stream, a step that
    /// waits, or a successor.
    fn knows_whose_each_is(&self, state: &State) -> bool {
        state.store.opens.iter().all(|open| {
            let process = &state.gateways[usize::from(open.gateway)];
            let named = [Waiting::Settle(open.attempt), Waiting::Release(open.attempt)];
            let mut chunks = state.streams.iter().flat_map(|stream| &stream.chunks);
            !process.is_up
                || process.incarnation == NOT_BEGUN
                || chunks.any(|chunk| chunk.attempt == Some(open.attempt))
                || process.waiting.iter().any(|step| named.contains(step))
        })
    }

    fn refuses_somebody(&self, state: &State) -> bool {
        let refuses = |stream: u8| {
            let mut after = state.clone();
            after.streams[usize::from(stream)].phase == Phase::Idle
                && self.admit(&mut after, stream, 1).is_some()
                && after.streams[usize::from(stream)].phase == Phase::Idle
        };
        refuses(0) || refuses(1)
    }
}

fn settles(state: &State) -> bool {
    state.store.meters.iter().flat_map(|meter| &meter.buckets).any(|bucket| bucket.sum() > 0)
}

impl Protocol {
    pub fn promises(&self) -> Vec<Property<Protocol>> {
        let mut promises = vec![
            Property::always(promise::COVERED, Protocol::covers_what_arrives),
            Property::always(promise::FITS, |_, state: &State| !state.slips.granted_too_much),
            Property::always(promise::OVER, |_, state: &State| !state.slips.granted_over),
            Property::always(promise::OWNED, Protocol::knows_whose_each_is),
            Property::always(promise::BALANCED, |_, state: &State| state.store.is_balanced()),
        ];
        if self.scope.links != 0 {
            promises.push(Property::always(promise::ENDED, |_, state: &State| {
                !state.slips.granted_after_end
            }));
        }
        if self.design.window_starts == WindowStarts::WhenSettled {
            promises.push(Property::always(promise::CHARGED, |_, state: &State| {
                !state.slips.sent_uncharged
            }));
        }
        // What is brought along may be too much together: then only grants can be judged.
        if self.scope.joins == 0 && self.scope.merges == 0 {
            promises.push(Property::always(promise::LIMIT, Protocol::keeps_limit));
        }
        promises
    }

    pub fn happenings(&self) -> Vec<Property<Protocol>> {
        let mut happenings = vec![
            Property::sometimes("a chunk is granted", |_, state: &State| {
                state.streams.iter().flat_map(|s| &s.chunks).any(|c| c.at == At::Granted)
            }),
            Property::sometimes("an order is refused", Protocol::refuses_somebody),
            Property::sometimes("a charge is settled", |_, state: &State| settles(state)),
            Property::sometimes("a charge is released", |_, state: &State| {
                let mut waiting = state.gateways.iter().flat_map(|process| &process.waiting);
                waiting.any(|step| matches!(step, Waiting::Release(_)))
            }),
            Property::sometimes("a successor has settled", |_, state: &State| {
                state.store.incarnations[0] > NOT_BEGUN + 1
                    && settles(state)
                    && state.store.opens.is_empty()
            }),
            Property::sometimes(
                "an ID arrives after its charge was settled",
                |model, state: &State| {
                    !state.strays.is_empty() && state.store.opens.is_empty() && {
                        let kept = state.store.meters[0].buckets[0];
                        kept.younger_than(model.scope.grace) < kept.sum()
                    }
                },
            ),
        ];
        if self.scope.links == 0 {
            happenings.push(Property::sometimes(
                "a charge has left its window",
                |model, state: &State| {
                    state.store.meters[0].counts(leaves_at(&model.design, &model.scope))
                        < state.store.meters[0].live
                },
            ));
        } else {
            happenings.push(Property::sometimes(
                "a link ends in the middle of a stream",
                |_, state: &State| {
                    let is_open =
                        |stream: &Stream| stream.phase == Phase::Sending && stream.rest > 0;
                    state.store.is_ended && state.streams.iter().any(is_open)
                },
            ));
            happenings.push(Property::sometimes(
                "all of a link arrives, later than its first window",
                |model, state: &State| {
                    let old = state.received[0].sum()
                        - state.received[0].younger_than(model.scope.window);
                    old > 0 && state.received[0].sum() == model.scope.ceiling
                },
            ));
        }
        if self.scope.order > 1 {
            happenings.push(Property::sometimes("a hold runs out", |model, state: &State| {
                state.store.holds.iter().any(|hold| hold.age >= model.scope.hold)
            }));
        }
        if self.scope.joins > 0 {
            happenings.push(Property::sometimes("an entity is over", |model, state: &State| {
                state.store.meters[0].live > model.scope.ceiling
            }));
        }
        if self.scope.merges > 0 {
            happenings.push(Property::sometimes(
                "a merge meets what is open",
                |_, state: &State| {
                    let of_both = state.store.opens.iter().any(|open| open.entities == 0b11);
                    of_both && state.store.members == [1, 1]
                },
            ));
        }
        if self.scope.restores > 0 {
            happenings.push(Property::sometimes("a ledger is frozen", |_, state: &State| {
                state.store.is_frozen
            }));
            happenings.push(Property::sometimes("a ledger has thawed", |model, state: &State| {
                state.store.meters[0].live > model.scope.ceiling && !state.store.is_frozen
            }));
        }
        happenings
    }
}
