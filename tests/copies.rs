//! What people are told who fetched files of full objects, when something in these is removed:
//! while a file is kept, and long after.

mod harness;

use harness::asker::{Asker, HOUR_MS, NOW_MS, bench};
use harness::mail::MailServer;
use harness::{Bench, Gateway, tweet_ids, wait_until};
use serde_json::json;

/// Puts removals in force: of `tweet` or `user`, by their numbers.
fn remove(bench: &Bench, kind: &str, ids: &[u64]) {
    let list = bench.path("gone.txt");
    std::fs::write(&list, ids.iter().map(|id| format!("{id}\n")).collect::<String>()).unwrap();
    let list = list.to_str().unwrap();
    bench.done(&["removal", "import", list, "--kind", kind, "--reason", "deleted"]);
}

/// The next letter that is not about signing in.
fn letter(mail: &MailServer) -> String {
    loop {
        let letter = mail.next();
        if letter["subject"].as_str().unwrap().contains("file") {
            assert_eq!(letter["to"][0], "ada@acme.example", "{letter}");
            return letter["text"].as_str().unwrap().replace('\n', " ");
        }
    }
}

/// Which objects a page says that are to be deleted, by its last cells.
fn told(ada: &mut Asker<'_>) -> String {
    ada.page("/account").split("Which</th>").nth(1).unwrap_or_default().to_owned()
}

fn mailing() -> (Bench, MailServer) {
    let (mut bench, mail) = (bench(30, 100), MailServer::start());
    bench.set("HYDRANT__MAIL__URL", &mail.url());
    bench.set("HYDRANT__MAIL__FROM", "hydrant@example.org");
    (bench, mail)
}

fn fetched(ada: &mut Asker<'_>) -> String {
    let export = ada.select(&[]);
    let file = ada.make(&export);
    assert_eq!(ada.fetch(&file).status, 200);
    export
}

#[test]
fn whoever_fetched_a_file_is_told_what_to_delete_from_it_for_as_long_as_they_are_known() {
    let (bench, mail) = mailing();
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    fetched(&mut ada);
    assert!(!ada.page("/account").contains("What you should delete"));
    let ids: Vec<u64> = tweet_ids(1, 30).collect();
    // While it is kept: by the author of the eighth, and the tenth to twelfth themselves.
    remove(&bench, "user", &[1_007]);
    let first = letter(&mail);
    assert!(first.contains("can no longer be fetched"), "{first}");
    assert!(first.contains("Delete these of its objects") && first.contains("no. 8."), "{first}");
    assert!(told(&mut ada).contains("<td>8</td>"), "{}", told(&mut ada));
    // When it is gone.
    remove(&bench, "tweet", &ids[9..12]);
    let second = letter(&mail);
    assert!(second.contains("file 1 of export 1: no. 8, 10 to 12"), "{second}");
    assert!(told(&mut ada).contains("<td>8, 10 to 12</td>"), "{}", told(&mut ada));

    // Programs and the operator read the same, without an ID.
    let feed = ada.browser.get(&gateway, "/v1/removals").json();
    assert_eq!(feed["files"][0]["objects"], json!([[8, 8], [10, 12]]), "{feed}");
    let holders = bench.json(&["removal", "holders"]);
    let row = &holders["holders"][0];
    assert_eq!((&row["person"], &row["lines"]), (&json!("ada@acme.example"), &json!(4)), "{row}");
    assert_eq!(row["file"], 1);
    assert!(!holders.to_string().contains(&ids[9].to_string()));

    // What comes back is no longer asked for.
    bench.done(&["removal", "revert", "1", "--reason", "it was an error"]);
    wait_until("it is found out", || told(&mut ada).contains("<td>10 to 12</td>"));
}

#[test]
fn a_copy_of_a_file_that_was_kept_long_enough_is_held_against_removals_after_a_restart() {
    let (bench, mail) = mailing();
    let gateway = bench.serve();
    fetched(&mut Asker::new(&bench, &gateway));
    drop(gateway);
    bench.set_clock(NOW_MS + 100 * HOUR_MS);
    let lies = |ending: &str| {
        let names = std::fs::read_dir(bench.data().join("exports")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(ending)).count()
    };
    let gateway: Gateway = bench.serve();
    wait_until("the file is gone", || lies(".file") == 0);
    assert_eq!(lies(".ids"), 1, "what it held is known");
    let ids: Vec<u64> = tweet_ids(1, 30).collect();
    remove(&bench, "tweet", &[ids[29], ids[0]]);
    let told = letter(&mail);
    assert!(told.contains("file 1 of export 1: no. 1, 30"), "{told}");
    // What hits nothing in it is nobody's business.
    remove(&bench, "tweet", &tweet_ids(9, 1).collect::<Vec<_>>());
    // Who is erased is told nothing more, and what they had is forgotten.
    bench.done(&["person", "erase", "ada@acme.example", "--reason", "asked for it"]);
    drop(gateway);
    let _gateway = bench.serve();
    wait_until("what was in it is forgotten", || lies(".ids") == 0);
    assert!(mail.is_idle());
}
