//! The log of a store: signed, copied, proven, exported, erased from, rolled back.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{log as sliced, origin};
use crate::audit::files::CHECKPOINTS;
use crate::audit::head::Comparison;
use crate::audit::receipt::{ReceiptFault, Shown, text, verify as shows};
use crate::audit::{
    ActorName, AttemptName, Checkpoint, Content, ExportError, Leaf, LogFiles, LogFolder, LogPlaces,
    LogSource, Notary, NotaryError, Receipt, SourceError, append, export, faults, head, log, name,
    published, receipt, verify,
};
use crate::base::commitment::{Commitment, PartyKind};
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{Actor, EntityId};
use crate::store::tests::fresh;
use crate::store::{EntityRow, Party, Store, StoreError, Tx};

/// A store with a notary, and places for copies.
struct Rig {
    dir: TempDir,
    store: Store,
    notary: Notary,
}

impl Rig {
    /// On a database file, which can be restored from a backup.
    fn on_file() -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("test.sqlite")).unwrap();
        Rig::on(dir, store)
    }

    fn on(dir: TempDir, store: Store) -> Rig {
        let notary = Notary::new(places(dir.path()));
        Rig { dir, store, notary }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.write_blocking(work).unwrap()
    }

    /// Writes so many leaves.
    fn grow(&self, count: i64) {
        self.grow_as("ada", count);
    }

    /// As [`Rig::grow`], of somebody else's doing.
    fn grow_as(&self, account: &'static str, count: i64) {
        self.write(move |tx| {
            for exemption in 0..count {
                let entity = Commitment([7; 32]);
                let actor = ActorName::Local(account.into());
                append(tx, 5, &Leaf::ExemptionRefused { exemption, entity, actor })?;
            }
            Ok(())
        });
    }

    fn checkpoint(&self) -> Checkpoint {
        self.notary.checkpoint(&self.store, 9).unwrap()
    }

    fn entries(&self) -> Vec<Vec<u8>> {
        let rows = self.store.read(|tx| tx.journal_from(1, 1_000_000)).unwrap();
        rows.into_iter().map(|row| row.leaf.into_bytes()).collect()
    }

    #[track_caller]
    fn whole(&self) {
        assert_eq!(self.store.read(faults).unwrap(), Vec::<String>::new());
    }

    /// The store as it is now, to be restored later: nothing is being written.
    fn backup(&self) -> Store {
        let path = self.path("backup.sqlite");
        for ending in ["", "-wal"] {
            let from = self.path(&format!("test.sqlite{ending}"));
            std::fs::copy(from, self.path(&format!("backup.sqlite{ending}"))).unwrap();
        }
        Store::open(&path).unwrap()
    }
}

/// Runs `test` on a new store of each engine.
fn on_every_engine(test: impl Fn(Rig)) {
    fresh::on_every_engine(|fresh| test(Rig::on(tempfile::tempdir().unwrap(), fresh.open())));
}

fn places(dir: &Path) -> LogPlaces {
    LogPlaces {
        origin: None,
        origin_default: origin("example.org/log"),
        key_file: dir.join("audit.key"),
        copies: vec![dir.join("copy-1"), dir.join("copy-2")],
    }
}

/// The files of a store, as an export gets them.
struct Shelf<'a>(&'a Store);

impl LogSource for Shelf<'_> {
    fn files(&self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, SourceError> {
        Ok(self.0.read(|tx| published::files(tx, names))?)
    }

    fn checkpoint_sizes(&self, size: u64) -> Result<Vec<u64>, SourceError> {
        Ok(self.0.read(|tx| published::checkpoint_sizes(tx, size))?)
    }
}

fn exported(rig: &Rig) -> LogFolder {
    let folder = rig.path("export");
    export(&Shelf(&rig.store), &folder).unwrap();
    LogFolder(folder)
}

#[test]
fn a_checkpoint_is_signed_when_the_log_has_grown_and_extends_all_before() {
    on_every_engine(|rig| {
        rig.notary.open(&rig.store).unwrap();
        let mut sizes = Vec::new();
        for count in [1, 254, 1, 1, 700, 3_000] {
            rig.grow(count);
            let signed = rig.checkpoint();
            assert_eq!(signed, rig.checkpoint(), "the log has not grown");
            assert_eq!(signed.head, super::head(&rig.entries(), rig.entries().len()));
            sizes.push(signed.head.size);
        }
        let rows = rig.store.read(|tx| tx.checkpoints_after(0, 99)).unwrap();
        assert_eq!(rows.iter().map(|row| row.size).collect::<Vec<_>>(), sizes);
        rig.whole();
        let now = rig.store.read(log::head).unwrap();
        for row in rows {
            let before = crate::audit::Head { size: row.size, root: row.root };
            assert!(rig.store.read(|tx| log::tiles(tx).extends(&before, &now)).unwrap());
        }
    });
}

#[test]
fn an_export_is_what_the_specification_wants_and_later_ones_add_what_is_new() {
    on_every_engine(|rig| {
        let mut sizes = Vec::new();
        for (count, entries_new) in [(5, 5), (250, 250), (1, 1), (300, 300), (0, 0), (70, 70)] {
            rig.grow(count);
            rig.checkpoint();
            sizes.push(rig.entries().len());
            sizes.dedup();
            let folder = rig.path("export");
            let done = export(&Shelf(&rig.store), &folder).unwrap();
            assert_eq!(done.entries_new, entries_new);
            let entries = rig.entries();
            let whole = verify(&LogFolder(folder.clone()), None, &[]).unwrap();
            assert_eq!(whole.head, super::head(&entries, entries.len()));
            assert_eq!(whole.checkpoints, sizes.len() as u64);
            // What a log sliced by hand has is there, byte by byte, but for another key.
            for (name, bytes) in sliced(&entries, &[]) {
                let found = LogFolder(folder.clone()).read(&name).unwrap();
                assert!(name == "verifier-key" || found == Some(bytes), "{name}");
            }
        }
    });
}

#[test]
fn a_partial_tile_goes_when_its_full_tile_comes() {
    on_every_engine(|rig| {
        for count in [200, 20, 100] {
            rig.grow(count);
            rig.checkpoint();
            exported(&rig);
        }
        let mut names = exported(&rig).names().unwrap();
        names.retain(|name| !name.starts_with(CHECKPOINTS));
        names.sort();
        let expected = [
            "tile/0/000",
            "tile/0/001.p/64",
            "tile/1/000.p/1",
            "tile/entries/000",
            "tile/entries/001.p/64",
        ];
        assert_eq!(names, expected);
    });
}

#[test]
fn an_export_into_the_folder_of_another_log_is_refused() {
    let (rig, other) = (Rig::on_file(), Rig::on_file());
    for rig in [&rig, &other] {
        rig.grow(10);
        rig.checkpoint();
    }
    let LogFolder(folder) = exported(&other);
    let refused = export(&Shelf(&rig.store), &folder).unwrap_err();
    assert!(matches!(refused, ExportError::Foreign { .. }), "{refused}");

    // A log that its own operator cut, or changed, does not continue what is in the folder.
    let LogFolder(folder) = exported(&rig);
    let earlier = rig.backup();
    rig.grow(5);
    rig.checkpoint();
    exported(&rig);
    let without_copies = Notary::new(LogPlaces { copies: vec![], ..places(rig.dir.path()) });
    let refused = export(&Shelf(&earlier), &folder).unwrap_err();
    assert!(matches!(refused, ExportError::Forked { folder_size: 15, .. }), "{refused}");
    let grown = Rig { store: earlier, notary: without_copies, ..rig };
    grown.grow_as("eve", 9);
    grown.checkpoint();
    let refused = export(&Shelf(&grown.store), &folder).unwrap_err();
    assert!(matches!(refused, ExportError::Forked { folder_size: 15, .. }), "{refused}");
}

#[test]
fn copies_follow_the_newest_checkpoint_and_a_failing_one_is_told() {
    on_every_engine(|rig| {
        let copy = |name| std::fs::read_to_string(rig.path(name)).unwrap();
        let failed = || {
            let failed = rig.notary.safekeeping(&rig.store).unwrap().failed;
            failed.iter().map(|copy| copy.path.clone()).collect::<Vec<_>>()
        };
        for _ in 0..2 {
            rig.grow(3);
            let note = rig.checkpoint().note;
            assert_eq!((copy("copy-1"), copy("copy-2")), (note.clone(), note));
            assert_eq!(failed(), Vec::<PathBuf>::new());
        }
        // Something else lies there, or nothing can: it is left alone, and said.
        std::fs::write(rig.path("copy-1"), "a letter").unwrap();
        std::fs::remove_file(rig.path("copy-2")).unwrap();
        std::fs::create_dir(rig.path("copy-2")).unwrap();
        rig.grow(1);
        let signed = rig.checkpoint();
        assert_eq!(signed.head.size, 7);
        assert_eq!(copy("copy-1"), "a letter");
        assert_eq!(failed(), [rig.path("copy-1"), rig.path("copy-2")]);
        std::fs::remove_file(rig.path("copy-1")).unwrap();
        std::fs::remove_dir(rig.path("copy-2")).unwrap();
        // The log has not grown, but the copies are missing.
        assert_eq!(rig.checkpoint(), signed);
        assert_eq!((copy("copy-1"), copy("copy-2")), (signed.note.clone(), signed.note));
        assert_eq!(failed(), Vec::<PathBuf>::new());
    });
}

#[test]
fn a_store_that_is_older_than_a_copy_knows_signs_nothing() {
    let rig = Rig::on_file();
    rig.grow(10);
    rig.checkpoint();
    let restored = rig.backup();
    rig.grow(10);
    let newest = rig.checkpoint();
    let copied = std::fs::read_to_string(rig.path("copy-1")).unwrap();

    // The next start on the restored backup.
    let rig = Rig { notary: Notary::new(places(rig.dir.path())), store: restored, ..rig };
    let refused = rig.notary.open(&rig.store).unwrap_err();
    assert!(matches!(&refused, NotaryError::Behind { log_size: 10, .. }), "{refused}");
    let copies = places(rig.dir.path()).copies;
    let key = super::super::SigningKey::read(&rig.path("audit.key")).unwrap().unwrap();
    let (known, compared) = rig
        .store
        .read(|tx| {
            let known = head::newest_known(tx, key.verifier(), &copies)?;
            let compared = head::compare(tx, &known)?;
            Ok::<_, StoreError>((known, compared))
        })
        .unwrap();
    let largest = known.newest().unwrap().clone();
    assert_eq!((largest.head, known.heads.len()), (newest.head, 3));
    assert_eq!(compared, Comparison::Behind { known: largest, log_size: 10 });

    // It goes on nevertheless, beyond what the copies know, with other leaves.
    rig.grow_as("eve", 15);
    let refused = rig.notary.checkpoint(&rig.store, 9).unwrap_err();
    assert!(matches!(&refused, NotaryError::Forked { .. }), "{refused}");
    let signed = rig.store.read(|tx| tx.checkpoint_newest()).unwrap().unwrap();
    assert_eq!(signed.size, 10, "nothing was signed");
    assert_eq!(std::fs::read_to_string(rig.path("copy-1")).unwrap(), copied, "nor copied");
}

#[test]
fn a_log_goes_on_under_its_own_key_and_name_only() {
    on_every_engine(|rig| {
        rig.grow(1);
        rig.checkpoint();
        let places = places(rig.dir.path());
        let again = |places: LogPlaces| Notary::new(places).open(&rig.store);
        again(places.clone()).unwrap();
        again(LogPlaces { origin_default: origin("example.com/log"), ..places.clone() }).unwrap();
        again(LogPlaces { origin: Some(origin("example.org/log")), ..places.clone() }).unwrap();
        let refused =
            again(LogPlaces { origin: Some(origin("example.com/log")), ..places.clone() });
        assert!(matches!(refused, Err(NotaryError::OtherOrigin { .. })), "{refused:?}");
        let refused = again(LogPlaces { key_file: rig.path("no.key"), ..places.clone() });
        assert!(matches!(refused, Err(NotaryError::KeyMissing { .. })), "{refused:?}");
        assert!(!rig.path("no.key").exists(), "no other key is made");
        super::super::SigningKey::create(&rig.path("other.key"), &origin("example.org/log"))
            .unwrap();
        let refused = again(LogPlaces { key_file: rig.path("other.key"), ..places });
        assert!(matches!(refused, Err(NotaryError::OtherKey { .. })), "{refused:?}");
    });
}

pub(super) fn opened(delivery: DeliveryId, attempt: u32, person: Commitment) -> Leaf {
    Leaf::Opened {
        delivery,
        attempt,
        person: Some(person),
        key: None,
        kind: IdKind::Tweet,
        dataset: Some(1),
        content: Content::Release("a".repeat(64)),
        first: 0,
        ids: 100,
        view: None,
        charges: Vec::new(),
        profile: "twitter-2020-03".into(),
    }
}

#[test]
fn a_receipt_proves_every_leaf_of_its_delivery_and_shows_no_other() {
    on_every_engine(|rig| {
        let [mine, other, late] = [1, 2, 3].map(DeliveryId::new);
        let person = Commitment([7; 32]);
        rig.grow(300);
        rig.write(move |tx| {
            for attempt in 0..3 {
                append(tx, 5, &opened(mine, attempt, person))?;
                append(tx, 5, &opened(other, attempt, person))?;
            }
            let settled = [AttemptName(mine, 0), AttemptName(other, 0)].to_vec();
            append(tx, 6, &Leaf::Settled { attempts: settled })?;
            append(tx, 6, &Leaf::Released { attempt: AttemptName(mine, 2) })
        });
        let look = |delivery| rig.store.read(move |tx| receipt(tx, delivery)).unwrap();
        rig.notary.open(&rig.store).unwrap();
        assert_eq!(look(mine), Receipt::NotYet);
        rig.checkpoint();
        rig.grow(300);
        rig.checkpoint();
        rig.write(move |tx| append(tx, 7, &opened(late, 0, person)));
        assert_eq!((look(late), look(DeliveryId::new(4))), (Receipt::NotYet, Receipt::Unknown));
        let Receipt::Ready(proofs) = look(mine) else { panic!("it is below a checkpoint") };
        let kept = text(&proofs);
        assert!(!kept.contains(&other.to_string()));
        let key = rig.notary.safekeeping(&rig.store).unwrap().verifier_key;
        let shown = shows(&kept, &key);
        let expected =
            Shown { delivery: mine, chunks: 3, ids: 300, released_chunks: 1, log_size: 608 };
        assert_eq!(shown, Ok(expected));

        // A proof of another delivery among them, and one that is not the log's.
        let Receipt::Ready(others) = look(other) else { panic!("it is below a checkpoint") };
        let mixed = text(&[&proofs[..], &others[..1]].concat());
        let fault = shows(&mixed, &key);
        assert_eq!(fault, Err(ReceiptFault::Foreign { proof: 5 }));
        let mut forged = proofs;
        forged[1].entry = forged[0].entry.clone();
        let fault = shows(&text(&forged), &key);
        assert_eq!(fault, Err(ReceiptFault::Inclusion { proof: 2 }));
    });
}

#[test]
fn a_name_that_is_erased_leads_nowhere_and_every_proof_holds() {
    on_every_engine(|rig| {
        let entity = rig.write(|tx| {
            tx.entity_insert(&EntityRow {
                id: EntityId(0),
                slug: "acme".into(),
                name: "Acme".into(),
                sector: "commercial".into(),
                ror: None,
                status: "active".into(),
                status_reason: None,
                created_ms: 5,
                use_case: None,
                merged_into: None,
                reviewed_ms: None,
            })
        });
        let party = Party::Entity(entity);
        let known = rig.store.read(|tx| name::of_entity(tx, entity)).unwrap();
        let salt = rig.store.read(|tx| tx.commitments()).unwrap()[0].salt.unwrap();
        assert_eq!(known, Commitment::to(PartyKind::Entity, &salt, "acme"));
        let delivery = DeliveryId::new(1);
        rig.write(move |tx| append(tx, 5, &opened(delivery, 0, known)));
        let kept = rig.checkpoint();
        let who = |commitment| rig.store.read(|tx| tx.party_by_commitment(commitment)).unwrap();
        assert_eq!(who(known), Some(party));

        rig.write(move |tx| name::erase(tx, 6, &Actor::Local("ada".into()), party));
        assert_eq!(who(known), None);
        let later = rig.store.read(|tx| name::of_entity(tx, entity)).unwrap();
        assert!(later != known && who(later) == Some(party));
        assert_eq!(rig.store.read(|tx| tx.commitments()).unwrap()[0].salt, None);

        rig.checkpoint();
        rig.whole();
        let Receipt::Ready(proofs) = rig.store.read(|tx| receipt(tx, delivery)).unwrap() else {
            panic!("it is below a checkpoint")
        };
        let key = rig.notary.safekeeping(&rig.store).unwrap().verifier_key;
        shows(&text(&proofs), &key).unwrap();
        let whole = verify(&exported(&rig), None, &[("kept".into(), kept.note.into_bytes())]);
        assert_eq!(whole.unwrap().head.size, 2);
    });
}

#[test]
fn the_database_itself_refuses_to_change_what_was_signed() {
    on_every_engine(|rig| {
        rig.grow(300);
        rig.checkpoint();
        let tile = rig.store.read(|tx| tx.tile(0, 1)).unwrap().unwrap();
        let mut flipped = tile.clone();
        flipped[5] ^= 1;
        let newest = rig.store.read(|tx| tx.checkpoint_newest()).unwrap().unwrap();
        type Change = Box<dyn FnOnce(&Tx<'_>) -> Result<(), StoreError> + Send>;
        let changes: Vec<Change> = vec![
            Box::new(move |tx| tx.tile_set(0, 1, &flipped)),
            Box::new(move |tx| tx.tile_set(0, 1, &tile[..32])),
            Box::new(|tx| tx.tile_set(0, 2, &[7; 31])),
            Box::new(move |tx| tx.checkpoint_add(&newest)),
            Box::new(|tx| tx.audit_log_set_size(299)),
            Box::new(|tx| tx.audit_log_set_key("example.org/log+00000000+AAAA")),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let refused = rig.store.write_blocking(change);
            assert!(matches!(refused, Err(StoreError::Database(_))), "{number}: {refused:?}");
        }
        rig.whole();
    });
}

#[test]
fn several_notaries_sign_one_log_and_each_head_extends_all_before() {
    on_every_engine(|rig| {
        rig.grow(1);
        rig.checkpoint();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let notary = Notary::new(places(rig.dir.path()));
                    for _ in 0..10 {
                        rig.grow(70);
                        notary.checkpoint(&rig.store, 9).unwrap();
                    }
                });
            }
        });
        let newest = rig.checkpoint();
        assert_eq!(newest.head.size, 1 + 3 * 10 * 70);
        rig.whole();
        for name in ["copy-1", "copy-2"] {
            assert_eq!(std::fs::read_to_string(rig.path(name)).unwrap(), newest.note);
        }
        verify(&exported(&rig), None, &[]).unwrap();
    });
}
