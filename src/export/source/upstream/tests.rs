//! Objects from a platform on loopback: broken off at any moment, called again, and nothing is asked
//! for twice; what the platform says of the others is counted.

use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::base::clock::Clock;
use crate::base::ids::Id;
use crate::base::party::Actor;
use crate::config::{Flag, Hydrate, Raw};
use crate::export::source::{Part, Selection, Supply};
use crate::hydrate::tests::platform::{Fate, Moment, Platform as Loopback};
use crate::hydrate::{
    Account, HydrateError, Listing, Patience, Platform, Stop, StoreBooks, Watcher,
};
use crate::pipeline::{Damage, KindSet, Scope, Unwatched};
use crate::policy::Profile;
use crate::release::{Objects, Spec, build};
use crate::store::Store;

const NOW_MS: i64 = 1_800_000_000_000;

/// The first ID of the list, and how many it has.
const FIRST: u64 = 1_500_000_000_000_000_000;
const IDS: u64 = 450;

struct Quiet;

impl Watcher for Quiet {
    fn progress(&self, _asked: u64, _account: &Account) {}
    fn waits(&self, _until_ms: i64, _why: &str) {}
    fn fails(&self, _why: &str) {}
}

/// Knows one ID as removed.
#[derive(Debug)]
struct Gone(Option<u64>);

impl Removed for Gone {
    fn mark(&self, _: IdKind, ids: &[u64], _: &[Option<u64>], gone: &mut [bool]) -> io::Result<()> {
        gone.iter_mut().zip(ids).for_each(|(gone, id)| *gone = Some(*id) == self.0);
        Ok(())
    }
}

#[derive(Default)]
struct Taken(Vec<(u64, Result<Object, LeftOut>)>);

impl Sink for Taken {
    fn take(&mut self, ordinal: u64, object: Result<Object, LeftOut>) -> io::Result<()> {
        self.0.push((ordinal, object));
        Ok(())
    }
}

impl Taken {
    fn tweets(&self) -> Vec<u64> {
        let objects = self.0.iter().filter_map(|(_, object)| object.as_ref().ok());
        let id = |object: &Object| match object {
            Object::Tweet(tweet) => tweet.id.value(),
            Object::User(user) => user.id.value(),
        };
        objects.map(id).collect()
    }
}

/// A dataset of bare IDs, with books and a platform.
struct Desk {
    dir: TempDir,
    stock: Stock,
    loopback: Loopback,
    books: StoreBooks,
    settings: Arc<Hydrate>,
}

impl Desk {
    fn new() -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let list: String = (FIRST..FIRST + IDS).map(|id| format!("{id}\n")).collect();
        std::fs::write(at("ids.txt"), list).unwrap();
        std::fs::create_dir(at("releases")).unwrap();
        let spec = Spec {
            ids: KindSet::only(IdKind::Tweet),
            scope: Scope::Own,
            damage: Damage::Refuse,
            objects: Objects::AsTheyLie,
            now_ms: 1,
        };
        let built = build(&[at("ids.txt")], &spec, &at("releases"), &Unwatched).unwrap();
        let loopback = Loopback::start_at(Arc::new(|| NOW_MS));
        std::fs::write(at("own.toml"), loopback.settings("elevated")).unwrap();
        let raw = Raw::read(Some(&at("own.toml")), [], Vec::<Flag>::new());
        let books = StoreBooks {
            store: Store::open(&at("books.sqlite")).unwrap(),
            clock: Clock::manual(NOW_MS),
            profile: Arc::new(Profile::built_in("twitter-2020-03").unwrap()),
            actor: Actor::Local("ada".into()),
        };
        let stock = Stock::open(built.release).unwrap();
        assert_eq!(stock.supply(), Supply::Upstream);
        let settings = raw.check().unwrap().hydrate;
        Desk { dir, stock, loopback, books, settings }
    }

    /// Gathers until `end` ends, or to the end.
    fn gather(
        &self,
        request: &Request<'_>,
        gone: &Gone,
        end: impl Future<Output = ()>,
    ) -> Option<Result<(Gathered, Taken), GatherError>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut platform = Platform::connect(&self.settings, None).await.unwrap();
            let mut errand = Errand {
                platform: &mut platform,
                books: &self.books,
                clock: &self.books.clock,
                numbers: &self.books.profile.upstream,
                patience: Patience::UntilReset,
                stop: &Stop::new(),
                watcher: &Quiet,
                listing: Listing::Unlisted,
            };
            let target = self.dir.path().join("batch");
            let mut came = Taken::default();
            let gathering = gather(&self.stock, request, gone, &target, &mut errand, &mut came);
            let done = tokio::select! {
                gathered = gathering => gathered,
                () = end => return None,
            };
            Some(done.map(|gathered| (gathered, came)))
        })
    }

    fn asked(&self) -> Vec<u64> {
        self.loopback.asked().iter().flat_map(|asked| asked.ids.clone()).collect()
    }

    /// The caller has kept what came.
    fn end_batch(&self) {
        std::fs::remove_dir_all(self.dir.path().join("batch")).unwrap();
    }
}

fn request(selection: &Selection) -> Request<'_> {
    Request { selection, listed: &[], from: 0, objects_max: 250 }
}

#[test]
fn the_platform_is_asked_for_what_nobody_has_here() {
    let desk = Desk::new();
    let (all, gone) = (Selection::all(), Gone(Some(FIRST + 10)));
    let mut request = request(&all);
    let mut came = Vec::new();
    let mut left_out = std::collections::BTreeMap::new();
    for batch in 0..2 {
        let done = desk.gather(&request, &gone, std::future::pending()).unwrap().unwrap();
        let (gathered, sink) = done;
        assert_eq!(gathered.objects, sink.tweets().len() as u64);
        came.extend(sink.tweets());
        for (reason, count) in gathered.left_out {
            *left_out.entry(reason).or_insert(0) += count;
        }
        desk.end_batch();
        match gathered.next {
            Some(next) => request.from = next,
            None => assert_eq!(batch, 1),
        }
    }
    let with_fate = |fate| {
        let wanted = (FIRST..FIRST + IDS).filter(|id| *id != FIRST + 10);
        wanted.filter(move |id| Fate::of(*id) == fate)
    };
    assert_eq!(came, with_fate(Fate::Found).collect::<Vec<_>>());
    let counts: Vec<(LeftOut, usize)> = [
        (LeftOut::Protected, Fate::Protected),
        (LeftOut::Withheld, Fate::Withheld),
        (LeftOut::Gone, Fate::Deleted),
        (LeftOut::Suspended, Fate::Suspended),
        (LeftOut::UnknownUpstream, Fate::Missing),
    ]
    .map(|(reason, fate)| (reason, with_fate(fate).count()))
    .into_iter()
    .chain([(LeftOut::Removed, 1)])
    .collect();
    for (reason, count) in counts {
        assert_eq!(left_out.remove(&reason), Some(count as u64), "{reason:?}");
    }
    assert_eq!(left_out.len(), 0);
    // Each was asked for once, and what is removed never.
    assert_eq!(
        desk.asked(),
        (FIRST..FIRST + IDS).filter(|id| *id != FIRST + 10).collect::<Vec<_>>()
    );
}

#[test]
fn whoever_is_broken_off_asks_nothing_twice_and_keeps_the_batch() {
    let desk = Desk::new();
    let all = Selection::all();
    let request = Request { objects_max: 450, ..request(&all) };
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
    assert!(desk.gather(&request, &Gone(None), end).is_none());
    desk.loopback.ambushes(None);
    // Meanwhile one of them was removed: it is not shown, and the batch is what it was.
    let removed = FIRST + 6;
    let gone = Gone(Some(removed));
    let mut first = None;
    for _ in 0..2 {
        // The second time nothing at all is asked for: the answers are here still.
        let done = desk.gather(&request, &gone, std::future::pending()).unwrap().unwrap();
        let (gathered, sink) = done;
        let expected = (FIRST..FIRST + IDS).filter(|id| Fate::of(*id) == Fate::Found);
        assert_eq!(sink.tweets(), expected.filter(|id| *id != removed).collect::<Vec<_>>());
        assert_eq!(gathered.next, None);
        let asked = desk.asked();
        assert!(asked.len() as u64 <= IDS + 100, "{}", asked.len());
        assert_eq!(*first.get_or_insert(asked.len()), asked.len());
    }
}

#[test]
fn a_budget_that_is_spent_ends_it_and_filters_have_nothing_to_look_at() {
    let desk = Desk::new();
    let mut words = Selection::all();
    words.filter.lang = Some("en".into());
    let refused = desk.gather(&request(&words), &Gone(None), std::future::pending()).unwrap();
    assert!(matches!(refused, Err(GatherError::Unfit(_))));
    desk.loopback.caps(Some(120));
    let all = Selection::all();
    let stopped = desk.gather(&request(&all), &Gone(None), std::future::pending()).unwrap();
    let stopped = stopped.map(|_| ()).unwrap_err();
    assert!(matches!(stopped, GatherError::Platform(HydrateError::Stopped(_))), "{stopped}");
    let listed = Selection { part: Part::Listed { ids: 1 }, ..Selection::all() };
    let request = Request { listed: &[7], ..request(&listed) };
    let other = Desk::new();
    let (gathered, _) =
        other.gather(&request, &Gone(None), std::future::pending()).unwrap().unwrap();
    assert_eq!((gathered.objects, other.asked().len()), (0, 0));
}
