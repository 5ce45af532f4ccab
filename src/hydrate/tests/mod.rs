//! Objects for a caller inside the program, such as an export: broken off at any moment, called
//! again, and nothing is asked for twice.

#[allow(dead_code, reason = "only a part of the platform is needed here")]
#[path = "../../../tests/harness/platform.rs"]
pub(crate) mod platform;
#[allow(dead_code, reason = "only a part of it is needed here")]
#[path = "../../../tests/harness/upstream.rs"]
pub(crate) mod upstream;

use std::path::Path;
use std::sync::Arc;

use platform::{Fate, Moment, Platform as Loopback, TOKEN};
use tempfile::TempDir;

use super::*;
use crate::base::clock::Clock;
use crate::base::ids::IdKind;
use crate::base::party::Actor;
use crate::config::{Flag, Hydrate, Raw};
use crate::policy::Profile;
use crate::store::Store;

const NOW_MS: i64 = 1_800_000_000_000;

struct Quiet;

impl Watcher for Quiet {
    fn progress(&self, _asked: u64, _account: &Account) {}
    fn waits(&self, _until_ms: i64, _why: &str) {}
    fn fails(&self, _why: &str) {}
}

/// A caller with books and a platform.
struct Desk {
    dir: TempDir,
    loopback: Loopback,
    books: StoreBooks,
    settings: Arc<Hydrate>,
}

impl Desk {
    fn new() -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let loopback = Loopback::start_at(Arc::new(|| NOW_MS));
        let file = dir.path().join("own.toml");
        std::fs::write(&file, loopback.settings("elevated")).unwrap();
        let raw = Raw::read(Some(&file), [], Vec::<Flag>::new());
        let books = StoreBooks {
            store: Store::open(&dir.path().join("books.sqlite")).unwrap(),
            clock: Clock::manual(NOW_MS),
            profile: Arc::new(Profile::built_in("twitter-2020-03").unwrap()),
            actor: Actor::Local("ada".into()),
        };
        Desk { dir, loopback, books, settings: raw.check().unwrap().hydrate }
    }

    fn order(&self, ids: impl IntoIterator<Item = u64>) -> Order {
        let target = self.dir.path().join("objects.jsonl");
        Order { kind: IdKind::Tweet, ids: ids.into_iter().collect(), target }
    }

    /// Fetches until `end` ends, or to the end.
    fn fetch(
        &self,
        order: &Order,
        stop: &Stop,
        end: impl Future<Output = ()>,
    ) -> Option<Result<Fetched, HydrateError>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut platform = Platform::connect(&self.settings, None).await.unwrap();
            let mut errand = Errand {
                platform: &mut platform,
                books: &self.books,
                clock: &self.books.clock,
                numbers: &self.books.profile.upstream,
                patience: Patience::UntilReset,
                stop,
                watcher: &Quiet,
                listing: Listing::Unlisted,
            };
            tokio::select! {
                fetched = fetch(order, &mut errand) => Some(fetched),
                () = end => None,
            }
        })
    }

    fn asked(&self) -> Vec<u64> {
        self.loopback.asked().iter().flat_map(|asked| asked.ids.clone()).collect()
    }
}

fn is_empty(folder: &Path) -> bool {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("objects")).count() == 0
}

#[test]
fn what_is_ordered_comes_with_an_account_and_leaves_nothing_behind() {
    let desk = Desk::new();
    let ids: Vec<u64> = (1_000..1_250).collect();
    // Twice in the order is once in the answer.
    let order = desk.order(ids.iter().copied().chain([1_000]));
    let fetched = desk.fetch(&order, &Stop::new(), std::future::pending()).unwrap().unwrap();
    assert_eq!(desk.asked(), ids);
    assert!(desk.loopback.asked()[0].head.contains(TOKEN));
    let told = fetched.outcomes().unwrap();
    let expected = |id: &u64| (*id, Fate::of(*id).outcome());
    let words: Vec<_> = told.iter().map(|(id, outcome)| (*id, outcome.word())).collect();
    assert_eq!(words, ids.iter().map(expected).collect::<Vec<_>>());
    assert_eq!(fetched.account().ids(), 250);
    let lines = std::fs::read_to_string(fetched.lines()).unwrap();
    let objects = ids.iter().filter(|id| Fate::of(**id).has_object("tweet")).count();
    assert_eq!(lines.lines().count(), objects);
    fetched.remove().unwrap();
    assert!(is_empty(desk.dir.path()));
}

#[test]
fn a_caller_that_is_broken_off_goes_on_and_asks_nothing_twice() {
    let desk = Desk::new();
    let ids: Vec<u64> = (1_000..1_500).collect();
    let order = desk.order(ids.clone());
    // Dropped after the second answer came whole, wherever it is by then.
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut answers = 0;
    desk.loopback.ambushes(Some(Box::new(move |moment| {
        answers += u32::from(moment == Moment::Before);
        if answers == 3 {
            let _ = tell.send(());
        }
    })));
    let end = async move {
        told.recv().await;
    };
    assert!(desk.fetch(&order, &Stop::new(), end).is_none());
    desk.loopback.ambushes(None);
    // Another order must not mix into it.
    let other = desk.fetch(&desk.order(1_000..1_400), &Stop::new(), std::future::pending());
    assert!(other.unwrap().unwrap_err().to_string().contains("500 other IDs"));
    // Asked to stop, it says so and has lost nothing either.
    let stop = Stop::new();
    stop.ask();
    let stopped = desk.fetch(&order, &stop, std::future::pending()).unwrap().unwrap_err();
    assert!(matches!(stopped, HydrateError::Stopped(Stopped::Asked)), "{stopped}");
    let fetched = desk.fetch(&order, &Stop::new(), std::future::pending()).unwrap().unwrap();
    assert_eq!(fetched.account().ids(), 500);
    // Only the request that was under way was sent again.
    let asked = desk.asked();
    let again: Vec<&u64> =
        ids.iter().filter(|id| asked.iter().filter(|one| one == id).count() > 1).collect();
    assert!(again.len() <= 100 && again.iter().all(|id| **id >= 1_200), "{}", again.len());
    assert!(ids.iter().all(|id| asked.contains(id)));
    fetched.remove().unwrap();
    assert!(is_empty(desk.dir.path()));
}
