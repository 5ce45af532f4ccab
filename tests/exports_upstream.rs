//! Files of full objects of a dataset that holds bare IDs: the platform is asked for them, if the
//! operator lends a credential, and otherwise the page says why there are none.

mod harness;

use std::sync::Arc;

use harness::asker::{Asker, NOW_MS, ids_in, unzipped};
use harness::platform::{Fate, Platform};
use harness::{Bench, tweet_ids};
use serde_json::Value;

const COUNT: u64 = 250;

/// A gateway's folder with a dataset of bare IDs, and Ada, who belongs to a company.
fn bench() -> Bench {
    let bench = Bench::with_clock(NOW_MS);
    bench.dataset("birds", 1, COUNT);
    bench.person_of("acme", "ada@acme.example");
    bench
}

#[test]
fn objects_of_bare_ids_come_from_the_platform_once_for_each_id() {
    let bench = bench();
    let clock = bench.path("clock");
    let platform = Platform::start_at(Arc::new(move || {
        std::fs::read_to_string(&clock).unwrap().trim().parse().unwrap()
    }));
    let settings = format!("{}\n[export]\ncredential = \"main\"\n", platform.settings("elevated"));
    bench.settings(&settings);
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    let export = ada.select(&[]);
    let file = ada.make(&export);
    let fetched = ada.fetch(&file);
    assert_eq!(fetched.status, 200, "{}", fetched.text());
    let found: Vec<u64> = tweet_ids(1, COUNT).filter(|id| Fate::of(*id) == Fate::Found).collect();
    assert_eq!(ids_in(&fetched.body), found);
    let mut asked: Vec<u64> = platform.asked().into_iter().flat_map(|asked| asked.ids).collect();
    asked.sort_unstable();
    assert_eq!(asked, tweet_ids(1, COUNT).collect::<Vec<_>>(), "each once");
    let cover = unzipped(&fetched.body, "cover.txt");
    let gone = COUNT - found.len() as u64;
    assert!(cover.contains("left out") || cover.contains("Left out"), "{gone} of {cover}");
    let spent: Value = bench.json(&["hydrate", "budget"]);
    assert!(spent.to_string().contains(&COUNT.to_string()), "{spent}");
    // Having it again asks nobody.
    assert_eq!(ada.fetch(&file).status, 200);
    assert_eq!(platform.asked().len(), 3);
}

#[test]
fn without_a_credential_the_page_says_why_there_is_nothing() {
    let bench = bench();
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    let page = ada.page("/exports/new?dataset=birds");
    assert!(page.contains("holds bare IDs"), "{page}");
    assert!(!page.contains("Count and plan"), "{page}");
}
