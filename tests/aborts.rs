//! What a download costs too much that its client breaks off.

#![allow(clippy::print_stdout, reason = "the figure is worth seeing, not the bound alone")]

mod harness;

use std::io::Read;

use harness::{Bench, wait_until};

/// The IDs of the download; each line has 20 bytes.
const IDS: u64 = 60_000;

/// How many downloads break off, each after more IDs than the one before.
const ABORTS: u64 = 24;

/// How many IDs may be charged in vain for each, on average.
const OVER_IDS_MEAN_MAX: u64 = 10_000;

#[test]
fn a_download_that_breaks_off_is_charged_little_too_much() {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    bench.dataset("walks", 1, IDS);
    let gateway = bench.serve();
    let bearer = format!("Bearer {key}");
    let tweets = || harness::tweets(&gateway.get("/v1/usage", &key).json()["entities"][0]);
    let number = |name: &str| tweets()[name].as_u64().unwrap();
    let mut over_ids = Vec::new();
    for wanted_ids in (0..ABORTS).map(|abort| abort * IDS / ABORTS) {
        let before_ids = number("used");
        let path = "/v1/datasets/walks/tweet-ids";
        let mut stream = gateway.send("GET", path, &[("Authorization", &bearer)], b"");
        let mut bytes = Vec::new();
        let head_end = loop {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            bytes.push(byte[0]);
            if bytes.ends_with(b"\r\n\r\n") {
                break bytes.len();
            }
        };
        assert!(bytes.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&bytes));
        (&mut stream).take(wanted_ids * 20).read_to_end(&mut bytes).unwrap();
        // What is still unread is thrown away with the connection.
        drop(stream);
        wait_until("the delivery is over", || (number("open"), number("held")) == (0, 0));
        let received_ids = (bytes.len() - head_end).div_ceil(20) as u64;
        let charged_ids = number("used") - before_ids;
        over_ids.push(charged_ids.checked_sub(received_ids).expect("an ID left uncharged"));
    }
    let mean_ids = over_ids.iter().sum::<u64>() / ABORTS;
    println!("charged too much for each download: {mean_ids} IDs on average, of {over_ids:?}");
    assert!(mean_ids <= OVER_IDS_MEAN_MAX, "{mean_ids} on average, of {over_ids:?}");
}
