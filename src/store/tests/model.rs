//! Random changes of meters and what stands behind them, against a model in memory that knows
//! nothing of SQL: four maps, and the rules that the schema states.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::fresh::{Engine, Fresh};
use crate::base::commitment::Commitment;
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{EntityId, PersonId};
use crate::policy::{Basis, Level, Recipient};
use crate::store::{MeterRow, OpenChargeRow, Store, StoreError, Tx};

const METERS: i64 = 3;
const DELIVERIES: usize = 3;

/// One change. Meters, deliveries and people are numbers from 0.
#[derive(Clone, Debug)]
enum Change {
    Set { meter: i64, level: Level },
    Lower { meter: i64, live_ids: u64, held_ids: u64 },
    BucketAdd { meter: i64, minute: i64, person: i64, ids: u64 },
    BucketsRemove { meter: i64, newest_left: i64 },
    HoldSet { delivery: usize, meter: i64, ids: u64, expires_ms: i64 },
    HoldsRemoveExpired { meter: i64, now_ms: i64 },
    HoldsTake { delivery: usize },
    Open { delivery: usize, attempt: u32, meter: i64, person: i64, ids: u64 },
    Take { delivery: usize, attempt: u32 },
    Start,
}

fn change() -> impl Strategy<Value = Change> {
    let (meter, delivery) = (0..METERS, 0..DELIVERIES);
    let level = (proptest::option::of(0..100_u64), 0..120_u64, 0..60_u64)
        .prop_map(|(ceiling_ids, live_ids, held_ids)| Level { ceiling_ids, live_ids, held_ids });
    prop_oneof![
        4 => (meter.clone(), level).prop_map(|(meter, level)| Change::Set { meter, level }),
        2 => (meter.clone(), 0..40_u64, 0..20_u64).prop_map(|(meter, live_ids, held_ids)| {
            Change::Lower { meter, live_ids, held_ids }
        }),
        4 => (meter.clone(), 0..4_i64, 0..2_i64, 0..9_u64).prop_map(
            |(meter, minute, person, ids)| Change::BucketAdd { meter, minute, person, ids }
        ),
        1 => (meter.clone(), 0..4_i64)
            .prop_map(|(meter, newest_left)| Change::BucketsRemove { meter, newest_left }),
        4 => (delivery.clone(), meter.clone(), 0..9_u64, 0..5_i64).prop_map(
            |(delivery, meter, ids, expires_ms)| {
                Change::HoldSet { delivery, meter, ids, expires_ms }
            }
        ),
        1 => (meter.clone(), 0..5_i64)
            .prop_map(|(meter, now_ms)| Change::HoldsRemoveExpired { meter, now_ms }),
        1 => delivery.clone().prop_map(|delivery| Change::HoldsTake { delivery }),
        5 => (delivery.clone(), 0..3_u32, meter, 0..2_i64, 0..9_u64).prop_map(
            |(delivery, attempt, meter, person, ids)| {
                Change::Open { delivery, attempt, meter, person, ids }
            }
        ),
        3 => (delivery, 0..3_u32)
            .prop_map(|(delivery, attempt)| Change::Take { delivery, attempt }),
        1 => Just(Change::Start),
    ]
}

/// What a change gives back; the database's refusal has no text here.
type Gave = Result<Vec<(i64, u64)>, ()>;

/// The rows, as they must be.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    levels: BTreeMap<i64, Level>,
    /// By meter, minute and person.
    buckets: BTreeMap<(i64, i64, i64), u64>,
    /// By delivery and meter: IDs and when they expire.
    holds: BTreeMap<(usize, i64), (u64, i64)>,
    /// By delivery, attempt and meter: start of the gateway, and IDs.
    open: BTreeMap<(usize, u32, i64), (u32, u64)>,
    starts: u32,
}

impl Model {
    fn new() -> Model {
        let empty = Level { ceiling_ids: None, live_ids: 0, held_ids: 0 };
        Model { levels: (0..METERS).map(|meter| (meter, empty)).collect(), ..Model::default() }
    }

    fn apply(&mut self, change: &Change) -> Gave {
        match *change {
            Change::Set { meter, level } => self.set(meter, level),
            Change::Lower { meter, live_ids, held_ids } => {
                let old = self.levels[&meter];
                let live_ids = old.live_ids.checked_sub(live_ids).ok_or(())?;
                let held_ids = old.held_ids.checked_sub(held_ids).ok_or(())?;
                self.set(meter, Level { live_ids, held_ids, ..old })
            }
            Change::BucketAdd { ids: 0, .. } | Change::Open { ids: 0, .. } => Err(()),
            Change::BucketAdd { meter, minute, person, ids } => {
                *self.buckets.entry((meter, minute, person)).or_default() += ids;
                Ok(Vec::new())
            }
            Change::BucketsRemove { meter, newest_left } => {
                self.buckets.retain(|key, _| key.0 != meter || key.1 > newest_left);
                Ok(Vec::new())
            }
            Change::HoldSet { delivery, meter, ids, expires_ms } => {
                self.holds.insert((delivery, meter), (ids, expires_ms));
                self.holds.retain(|_, hold| hold.0 > 0);
                Ok(Vec::new())
            }
            Change::HoldsRemoveExpired { meter, now_ms } => {
                self.holds.retain(|key, hold| key.1 != meter || hold.1 > now_ms);
                Ok(Vec::new())
            }
            Change::HoldsTake { delivery } => {
                let of = |key: &(usize, i64)| key.0 == delivery;
                let taken = self.holds.iter().filter(|(key, _)| of(key));
                let taken = taken.map(|(key, hold)| (key.1, hold.0)).collect();
                self.holds.retain(|key, _| !of(key));
                Ok(taken)
            }
            Change::Open { delivery, attempt, meter, ids, .. } => {
                let starts = self.starts;
                let before = self.open.insert((delivery, attempt, meter), (starts, ids));
                if before.is_some() { Err(()) } else { Ok(Vec::new()) }
            }
            Change::Take { delivery, attempt } => {
                let starts = self.starts;
                Ok(self.take_open(|key, charge| {
                    key.0 == delivery && key.1 == attempt && charge.0 == starts
                }))
            }
            Change::Start => {
                self.starts += 1;
                let starts = self.starts;
                Ok(self.take_open(|_, charge| charge.0 < starts))
            }
        }
    }

    fn set(&mut self, meter: i64, new: Level) -> Gave {
        let old = self.levels[&meter];
        let ceiling_ids = new.ceiling_ids.unwrap_or(u64::MAX);
        let all = |level: Level| level.live_ids + level.held_ids;
        let live_rises = new.live_ids > old.live_ids && new.live_ids > ceiling_ids;
        if live_rises || all(new) > all(old) && all(new) > ceiling_ids {
            return Err(());
        }
        self.levels.insert(meter, new);
        Ok(Vec::new())
    }

    fn take_open(
        &mut self,
        which: impl Fn(&(usize, u32, i64), &(u32, u64)) -> bool,
    ) -> Vec<(i64, u64)> {
        let taken = self.open.iter().filter(|(key, charge)| which(key, charge));
        let taken = taken.map(|(key, charge)| (key.2, charge.1)).collect();
        self.open.retain(|key, charge| !which(key, charge));
        taken
    }
}

/// The store under test, with the row numbers of what the model counts from 0.
struct World {
    store: Store,
    meters: Vec<i64>,
    deliveries: Vec<DeliveryId>,
    starts: Vec<i64>,
}

impl World {
    fn new(fresh: &Fresh) -> World {
        let store = fresh.open();
        let (meters, start) = store
            .write_blocking(|tx| -> Result<_, StoreError> {
                let meter = |number| {
                    tx.meter(Recipient::Entity(EntityId(number)), IdKind::Tweet).map(|row| row.id)
                };
                let meters = (0..METERS).map(meter).collect::<Result<_, _>>()?;
                Ok((meters, tx.incarnation_begin(1)?))
            })
            .unwrap();
        let deliveries = (0..DELIVERIES).map(|_| DeliveryId::new(1)).collect();
        World { store, meters, deliveries, starts: vec![start] }
    }

    /// Does all of `changes` in one work, which fails with the first that is refused.
    fn apply(&mut self, changes: &[Change]) -> Result<Vec<Vec<(i64, u64)>>, ()> {
        let changes = changes.to_vec();
        let (meters, deliveries) = (self.meters.clone(), self.deliveries.clone());
        let mut starts = self.starts.clone();
        let applied = self.store.write_blocking(move |tx| -> Result<_, StoreError> {
            let mut gave = Vec::new();
            for change in &changes {
                gave.push(apply(tx, change, &meters, &deliveries, &mut starts)?);
            }
            Ok((gave, starts))
        });
        let (gave, starts) = applied.map_err(drop)?;
        self.starts = starts;
        Ok(gave)
    }

    /// The rows as the store has them, by every way of looking at them.
    fn look(&self) -> Model {
        let read = |tx: &Tx<'_>| -> Result<Model, StoreError> {
            let mut model = Model { starts: self.starts.len() as u32 - 1, ..Model::default() };
            for (meter, &id) in (0..).zip(&self.meters) {
                let recipient = Recipient::Entity(EntityId(meter));
                let found = tx.meter_find(recipient, IdKind::Tweet)?.unwrap();
                model.levels.insert(meter, found.level);
                for (number, &delivery) in self.deliveries.iter().enumerate() {
                    let ids = tx.hold(delivery, id)?;
                    if ids > 0 {
                        model.holds.insert((number, meter), (ids, 0));
                    }
                }
                // All people of a minute together, as the store tells them.
                tx.buckets(id, -1, |bucket| {
                    model.buckets.insert((meter, bucket.minute, 0), bucket.ids);
                    true
                })?;
            }
            Ok(model)
        };
        self.store.read(read).unwrap()
    }

    fn sums(&self, meter: i64, at: i64) -> (u64, u64, u64) {
        let id = self.meters[meter as usize];
        let read = |tx: &Tx<'_>| -> Result<_, StoreError> {
            let later = tx.holds_of_meter(id, at)?.iter().map(|hold| hold.ids).sum();
            Ok((tx.buckets_left(id, at)?, tx.holds_expired(id, at)?, later))
        };
        self.store.read(read).unwrap()
    }
}

fn apply(
    tx: &Tx<'_>,
    change: &Change,
    meters: &[i64],
    deliveries: &[DeliveryId],
    starts: &mut Vec<i64>,
) -> Result<Vec<(i64, u64)>, StoreError> {
    let id = |meter: i64| meters[meter as usize];
    let number = |id: i64| meters.iter().position(|meter| *meter == id).unwrap() as i64;
    let by_number = |charges: Vec<OpenChargeRow>| {
        let of = |charge: &OpenChargeRow| (number(charge.meter_id), charge.ids);
        let mut taken: Vec<_> = charges.iter().map(of).collect();
        taken.sort_unstable();
        taken
    };
    let start = *starts.last().unwrap();
    match *change {
        Change::Set { meter, level } => {
            let commitment = Commitment([0; 32]);
            tx.meter_set(&MeterRow { id: id(meter), level, commitment })?;
        }
        Change::Lower { meter, live_ids, held_ids } => {
            tx.meter_lower(id(meter), live_ids, held_ids)?;
        }
        Change::BucketAdd { meter, minute, person, ids } => {
            tx.bucket_add(id(meter), minute, PersonId(person), ids)?;
        }
        Change::BucketsRemove { meter, newest_left } => {
            tx.buckets_remove(id(meter), newest_left)?
        }
        Change::HoldSet { delivery, meter, ids, expires_ms } => {
            tx.hold_set(deliveries[delivery], id(meter), ids, expires_ms)?;
        }
        Change::HoldsRemoveExpired { meter, now_ms } => {
            tx.holds_remove_expired(id(meter), now_ms)?;
        }
        Change::HoldsTake { delivery } => {
            let taken = tx.holds_take(deliveries[delivery])?;
            let mut taken: Vec<_> =
                taken.into_iter().map(|(meter, ids)| (number(meter), ids)).collect();
            taken.sort_unstable();
            return Ok(taken);
        }
        Change::Open { delivery, attempt, meter, person, ids } => {
            let (delivery, meter_id) = (deliveries[delivery], id(meter));
            let person = PersonId(person);
            let row = OpenChargeRow { delivery, attempt, meter_id, person, ids, seen_charge: None };
            tx.open_charge_add(&row, start, Basis::Limit)?;
        }
        Change::Take { delivery, attempt } => {
            return Ok(by_number(tx.open_charges_take(deliveries[delivery], attempt, start)?));
        }
        Change::Start => {
            let next = tx.incarnation_begin(1)?;
            starts.push(next);
            return Ok(by_number(tx.open_charges_take_before(next)?));
        }
    }
    Ok(Vec::new())
}

/// What the store does not tell apart: when a hold ends, whose a bucket is, which charges are open.
fn as_told(model: &Model) -> Model {
    let mut told = Model { open: BTreeMap::new(), buckets: BTreeMap::new(), ..model.clone() };
    for (&(meter, minute, _), ids) in &model.buckets {
        *told.buckets.entry((meter, minute, 0)).or_default() += ids;
    }
    told.holds.values_mut().for_each(|hold| hold.1 = 0);
    told
}

fn check(engine: Engine, works: &[Vec<Change>]) -> Result<(), TestCaseError> {
    let fresh = Fresh::new(engine);
    let (mut world, mut model) = (World::new(&fresh), Model::new());
    for changes in works {
        let before = model.clone();
        let expected: Result<Vec<_>, ()> = changes
            .iter()
            .map(|change| model.apply(change))
            .map(|gave| {
                gave.map(|mut gave| {
                    gave.sort_unstable();
                    gave
                })
            })
            .collect();
        if expected.is_err() {
            model = before;
        }
        prop_assert_eq!(world.apply(changes), expected, "{:?}", changes);
        prop_assert_eq!(world.look(), as_told(&model), "after {:?}", changes);
    }
    for meter in 0..METERS {
        for at in 0..5 {
            let of = |key: &(i64, i64, i64)| key.0 == meter && key.1 <= at;
            let left = model.buckets.iter().filter(|(key, _)| of(key)).map(|(_, ids)| ids).sum();
            let holds = model.holds.iter().filter(|(key, _)| key.1 == meter);
            let (expired, later): (Vec<_>, Vec<_>) = holds.partition(|(_, hold)| hold.1 <= at);
            let sum = |holds: Vec<(_, &(u64, i64))>| holds.iter().map(|(_, hold)| hold.0).sum();
            prop_assert_eq!(world.sums(meter, at), (left, sum(expired), sum(later)));
        }
    }
    Ok(())
}

fn works() -> impl Strategy<Value = Vec<Vec<Change>>> {
    proptest::collection::vec(proptest::collection::vec(change(), 1..4), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..crate::base::cases::remembered() })]

    #[test]
    fn a_database_file_does_what_the_model_does(works in works()) {
        check(Engine::Sqlite, &works)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..crate::base::cases::remembered() })]

    #[test]
    fn postgresql_does_what_the_model_does(works in works()) {
        check(Engine::Postgres, &works)?;
    }
}
