//! The ledger on a store of its own with a clock that stands still; tests lie beside by topic, and
//! run on every engine of the store.

#![allow(clippy::duplicate_mod, reason = "the same tests run on every engine")]

mod faults;
mod on_postgres;
mod on_sqlite;
mod simulation;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use tempfile::TempDir;

use super::filter::{Filters, Instead};
use super::profile::{self, SwitchError};
use super::{
    Chunk, Delivery, Denied, Granted, Ledger, Order, Ordered, Outcome, Usage, Values, usage, verify,
};
use crate::base::clock::Clock;
use crate::base::delivery::DeliveryId;
use crate::base::gaps::Gaps;
use crate::base::ids::IdKind;
use crate::base::party::{
    Actor, Credential, DownloadId, EntityId, KeyId, PersonId, SessionId, ShareId,
};
use crate::policy::{Profile, Refusal};
use crate::store::tests::fresh::{Engine, Fresh};
use crate::store::{
    ApplicationRow, DataFolder, DeliveryRow, DownloadRow, EntityRow, ExemptionRow, FolderLock,
    JournalRow, KeyRow, MembershipRow, PermissionRow, PersonRow, SessionRow, ShareRow, Store,
    StoreError, Tx,
};

/// Where the clock stands at first: the beginning of a minute.
const START_MS: i64 = 1_700_000_040_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// How long a charge counts that is settled at the beginning of a minute.
const CHARGED_MS: i64 = 30 * DAY_MS + HOUR_MS + MINUTE_MS;

/// An engine that the tests run on.
trait On {
    const ENGINE: Engine;
    /// How many random cases are tried.
    const CASES: u32;
}

/// Where a store that fails is needed, it is a file.
type Rig = RigOn<on_sqlite::OnSqlite>;

/// A ledger with everything that it stands on.
struct RigOn<E: On> {
    ledger: Ledger,
    clock: Clock,
    store: Store,
    lock: FolderLock,
    runtime: tokio::runtime::Runtime,
    _dir: TempDir,
    _fresh: Option<Fresh>,
    engine: std::marker::PhantomData<E>,
}

/// A folder in memory, if this machine has such: the disk is not what is tested here.
fn memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A built-in profile that asks nobody for documents: whom it asks is a test of its own.
fn without_documents(name: &str) -> Profile {
    Profile { documents: Vec::new(), ..Profile::built_in(name).unwrap() }
}

/// The numbers of 2020, but 1,000 Tweet IDs for an entity, in chunks of 10 to 40.
fn small_profile() -> Profile {
    Profile {
        tweet_ids_max: 1_000,
        chunk_ids_small_min: 10,
        chunk_ids_small_max: 40,
        chunk_ids_large: 500,
        ..without_documents("twitter-2020-03")
    }
}

impl<E: On> RigOn<E> {
    const CASES: u32 = E::CASES;

    fn new() -> RigOn<E> {
        RigOn::with_profile(small_profile())
    }

    fn with_profile(profile: Profile) -> RigOn<E> {
        let fresh = Fresh::new(E::ENGINE);
        let store = fresh.open();
        let mut rig = RigOn::on(memory(), store, Clock::manual(START_MS), profile);
        rig._fresh = Some(fresh);
        rig
    }

    /// A ledger on a store that is open already.
    fn on(dir: TempDir, store: Store, clock: Clock, profile: Profile) -> RigOn<E> {
        let lock = DataFolder::create(dir.path()).unwrap().lock("a test").unwrap();
        let ledger = Ledger::start(&lock, store.clone(), clock.clone(), Arc::new(profile)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let engine = std::marker::PhantomData;
        RigOn { ledger, clock, store, lock, runtime, _dir: dir, _fresh: None, engine }
    }

    /// A ledger whose filters say something else.
    fn with_filter(profile: Profile, instead: Instead) -> RigOn<E> {
        let mut rig = RigOn::with_profile(profile);
        rig.replace_filters(instead);
        rig
    }

    fn replace_filters(&mut self, instead: Instead) {
        let shared = Arc::get_mut(&mut self.ledger.0).expect("nobody else has the ledger yet");
        shared.filters = Filters::replaced(instead);
    }

    /// What a new gateway on the same folder would start.
    fn restart(&mut self) -> Ledger {
        self.restart_with(Profile::clone(self.ledger.profile()))
    }

    fn restart_with(&mut self, profile: Profile) -> Ledger {
        self.put_in_force(&profile);
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let next = Ledger::start(&self.lock, store, clock, Arc::new(profile)).unwrap();
        std::mem::replace(&mut self.ledger, next)
    }

    /// What an operator does before a gateway starts with other numbers.
    fn put_in_force(&self, profile: &Profile) {
        // Windows of minutes, which no file can name, are in force from the first start on.
        if profile == self.ledger.profile().as_ref() {
            return;
        }
        match self.switch(profile) {
            Ok(()) | Err(SwitchError::Same(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Puts a profile in force. Where a gateway is known to be alive, as ours is, that is refused;
    /// then it is done all the same, as if ours were cut off.
    fn switch(&self, profile: &Profile) -> Result<(), SwitchError> {
        let (profile, clock) = (profile.clone(), self.clock.clone());
        let operator = Actor::Local("operator".into());
        let reason = "a new policy";
        self.store.write_blocking(move |tx| {
            match profile::switch(tx, &clock, &operator, reason, &profile) {
                Err(SwitchError::Running(names)) => {
                    assert_eq!((names.len(), E::ENGINE), (1, Engine::Postgres));
                    let now_ms = clock.now_ms();
                    Ok(profile::put(tx, now_ms, &profile, Some(&operator), Some(reason))?)
                }
                other => other,
            }
        })
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.write_blocking(work).unwrap()
    }

    fn entity(&self) -> EntityId {
        self.write(|tx| {
            tx.entity_insert(&EntityRow {
                id: EntityId(0),
                slug: format!("entity-{}", tx.entities()?.len()),
                name: "An Entity".into(),
                sector: "academic".into(),
                ror: None,
                status: "active".into(),
                status_reason: None,
                created_ms: START_MS,
                use_case: None,
                merged_into: None,
                reviewed_ms: None,
            })
        })
    }

    fn person(&self, entities: &[EntityId]) -> PersonId {
        let entities = entities.to_owned();
        self.write(move |tx| {
            let person = tx.person_insert(&PersonRow {
                id: PersonId(0),
                mail: format!("{}@example.org", tx.people()?.len()),
                name: "A Person".into(),
                status: "active".into(),
                status_reason: None,
                created_ms: START_MS,
                erased_ms: None,
            })?;
            for entity in entities {
                let (role, from_ms) = ("member".to_owned(), START_MS);
                tx.membership_insert(&MembershipRow { person, entity, role, from_ms })?;
            }
            Ok(person)
        })
    }

    fn key(&self, person: PersonId, expires_ms: i64) -> KeyId {
        self.write(move |tx| {
            tx.key_insert(&KeyRow {
                id: KeyId(0),
                person,
                hash: [tx.keys()?.len() as u8; 32],
                label: String::new(),
                scope: "download".into(),
                created_ms: START_MS,
                expires_ms,
                revoked_ms: None,
                last_used_ms: None,
                reactivated_ms: None,
                successor: None,
            })
        })
    }

    fn session(&self, person: PersonId, until_ms: i64) -> SessionId {
        self.write(move |tx| {
            tx.session_insert(&SessionRow {
                id: SessionId(0),
                person,
                hash: [tx.sessions()?.len() as u8; 32],
                previous_hash: None,
                form_key: [0; 32],
                label: String::new(),
                created_ms: START_MS,
                seen_ms: START_MS,
                rotated_ms: START_MS,
                until_ms,
                end_ms: until_ms,
                revoked_ms: None,
            })
        })
    }

    /// An exemption of `entity` that is in force until `until_ms`.
    fn exempt(&self, entity: EntityId, until_ms: i64) -> ExemptionRow {
        self.exempt_up_to(entity, until_ms, None)
    }

    /// An exemption of `entity` for so many IDs.
    fn exempt_up_to(
        &self,
        entity: EntityId,
        until_ms: i64,
        ceiling_ids: Option<u64>,
    ) -> ExemptionRow {
        let person = self.person(&[]);
        self.write(move |tx| {
            let mut row = ExemptionRow {
                id: 0,
                entity,
                person,
                purpose: "peer review".into(),
                status: "applied".into(),
                applied_ms: START_MS,
                decided_ms: None,
                decided_by: None,
                reason: None,
                from_ms: None,
                until_ms,
                revoked_ms: None,
                revoked_by: None,
                revoked_reason: None,
                conditions: None,
                ceiling_ids,
                application: ApplicationRow::default(),
            };
            row.id = tx.exemption_insert(&row)?;
            row.status = "approved".into();
            row.from_ms = Some(START_MS);
            tx.exemption_decide(&row)?;
            Ok(row)
        })
    }

    fn revoke(&self, exemption: ExemptionRow) {
        let revoked = ExemptionRow { status: "revoked".into(), ..exemption };
        self.write(move |tx| tx.exemption_decide(&revoked));
    }

    /// A permission of `entity` that is valid until `until_ms`; returns its number.
    fn permit(
        &self,
        entity: EntityId,
        until_ms: i64,
        ceiling_ids: Option<u64>,
        exemption: Option<i64>,
    ) -> i64 {
        self.write(move |tx| {
            tx.permission_insert(&PermissionRow {
                id: 0,
                entity,
                exemption,
                issuer: "the platform".into(),
                reference: "letter 1".into(),
                issued_on: "2023-11-01".into(),
                from_ms: START_MS,
                until_ms,
                ceiling_ids,
                document_sha256: [7; 32],
                reason: "a test".into(),
                entered_ms: START_MS,
                entered_by: "local:operator".into(),
                revoked_ms: None,
                revoked_by: None,
                revoked_reason: None,
            })
        })
    }

    fn withdraw(&self, permission: i64) {
        self.write(move |tx| tx.permission_revoke(permission, START_MS, "local:operator", "why"));
    }

    /// A link that `maker` made on behalf of `entity`, under that exemption.
    fn share(
        &self,
        entity: EntityId,
        maker: PersonId,
        exemption: i64,
        downloads_max: u32,
        ids_max: u64,
    ) -> ShareRow {
        self.write(move |tx| {
            let number = tx.shares(None)?.len() as u8;
            let mut row = ShareRow {
                id: ShareId(0),
                hash: [number; 32],
                person: maker,
                entity,
                exemption,
                dataset: 1,
                release: "0".repeat(64),
                kind: IdKind::Tweet,
                first: 0,
                end: 1_000_000,
                purpose: "peer-review".into(),
                face: "blind".into(),
                label: String::new(),
                note: String::new(),
                passphrase: None,
                attempts: 0,
                attempt_after_ms: 0,
                tag_key: [0; 32],
                downloads_max,
                ids_max,
                created_ms: START_MS,
                expires_ms: START_MS + 90 * DAY_MS,
                revoked_ms: None,
                published_ms: None,
            };
            row.id = tx.share_insert(&row)?;
            Ok(row)
        })
    }

    /// A download that begins at that link just now.
    fn download(&self, share: ShareId) -> DownloadId {
        let now_ms = self.clock.now_ms();
        self.write(move |tx| {
            let others = tx.downloads_begun_count(share)? + tx.downloads_waiting_count(share)?;
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&others.to_be_bytes());
            hash[8..16].copy_from_slice(&share.0.to_be_bytes());
            tx.download_insert(&DownloadRow {
                id: DownloadId(0),
                share,
                hash,
                documents: Vec::new(),
                accepted_ms: now_ms,
                until_ms: now_ms + DAY_MS,
                begun_ms: None,
            })
        })
    }

    fn admit(&self, order: Order) -> Result<(Delivery, Granted<Chunk>), Refusal> {
        self.wait(self.ledger.admit(order)).map_err(refusal)
    }

    fn open(&self, delivery: &mut Delivery) -> Result<Option<Granted<Chunk>>, Refusal> {
        self.wait(self.ledger.open(delivery)).map_err(refusal)
    }

    fn flush(&self) {
        self.wait(self.ledger.flush()).unwrap();
    }

    /// Hands over the whole order, and returns how many IDs went out and what stopped it.
    fn deliver(&self, order: Order) -> (u64, Result<(), Refusal>) {
        let (mut delivery, first) = match self.admit(order) {
            Ok(admitted) => admitted,
            Err(refusal) => return (0, Err(refusal)),
        };
        let mut sent = first.chunk().ids();
        self.ledger.settle(first);
        let result = loop {
            match self.open(&mut delivery) {
                Ok(Some(granted)) => {
                    sent += granted.chunk().ids();
                    self.ledger.settle(granted);
                }
                Ok(None) => break Ok(()),
                Err(refusal) => break Err(refusal),
            }
        };
        let outcome = match &result {
            Ok(()) => Outcome::Complete,
            Err(refusal) => Outcome::Broken { reason: refusal.to_string() },
        };
        self.ledger.end(delivery, outcome);
        self.flush();
        (sent, result)
    }

    fn usage(&self, entity: EntityId) -> Usage {
        self.usage_of(entity, IdKind::Tweet)
    }

    fn usage_of(&self, entity: EntityId, kind: IdKind) -> Usage {
        let profile = Arc::clone(self.ledger.profile());
        self.store.read(|tx| usage(tx, &profile, &self.clock, entity, kind)).unwrap()
    }

    /// (used, open, held) of Tweet IDs.
    fn counts(&self, entity: EntityId) -> (u64, u64, u64) {
        let usage = self.usage(entity);
        (usage.used_ids, usage.open_ids, usage.held_ids)
    }

    fn row(&self, id: DeliveryId) -> DeliveryRow {
        self.store.read(|tx| tx.delivery(id)).unwrap().unwrap()
    }

    fn journal(&self) -> Vec<JournalRow> {
        self.store.read(|tx| tx.journal_from(1, 1_000_000)).unwrap()
    }

    /// Asserts that rows, meters and journal agree.
    fn verify(&self) {
        let profile = self.ledger.profile();
        let faults = self.store.read(|tx| verify(tx, profile, &self.clock)).unwrap();
        assert_eq!(faults, Vec::<String>::new());
    }
}

fn refusal(denied: Denied) -> Refusal {
    match denied {
        Denied::Refused(refusal) => refusal,
        Denied::Changed => panic!("the view changed"),
        Denied::Unavailable(error) => panic!("the store failed: {error}"),
        Denied::Unread(error) => panic!("the IDs could not be read: {error}"),
    }
}

/// An order of the first `ids` Tweet IDs of some release.
fn order(person: PersonId, ids: u64) -> Order {
    order_of(person, 1, 0..ids)
}

/// An order of these Tweet IDs of some release of a dataset.
fn order_of(person: PersonId, dataset: i64, ordinals: Range<u64>) -> Order {
    let (release, view) = ("0".repeat(64).into(), format!("view of {dataset}"));
    let ordered = Ordered::Release { dataset, release, ordinals, view, gaps: Gaps::none() };
    let values: Option<Arc<dyn Values>> = Some(Arc::new(From(1)));
    Order { person, credential: None, kind: IdKind::Tweet, ordered, values }
}

/// A release whose IDs go up one by one, from that one on.
#[derive(Debug)]
struct From(u64);

impl Values for From {
    fn read(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
        Ok(ordinals.map(|ordinal| self.0 + ordinal).collect())
    }
}
