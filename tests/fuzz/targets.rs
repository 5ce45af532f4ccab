//! What must hold for any bytes that are stripped: one row of [`TARGETS`] for each decoder and for
//! each lane of extractors. The fuzzer and a test with a fixed seed run the same.

use std::io;

use hydrant::base::ids::{DmId, Id, TweetId, UserId};
use hydrant::pipeline::{Bounds, Found, KindSet, Outlet, Scope, Source, Strip, Unwatched, format};

/// Something that reads bytes of strangers.
pub struct Target {
    /// What it is called, and which seeds it takes.
    pub name: &'static str,
    /// The format that is forced; none: it is told.
    format: Option<&'static str>,
}

const fn told(name: &'static str) -> Target {
    Target { name, format: None }
}

const fn forced(name: &'static str, format: &'static str) -> Target {
    Target { name, format: Some(format) }
}

/// Every decoder, then every lane.
pub static TARGETS: &[Target] = &[
    told("gzip"),
    told("bzip2"),
    told("zstd"),
    told("xz"),
    told("zip"),
    told("tar"),
    told("warc"),
    told("parquet"),
    told("utf-16"),
    told("any"),
    forced("json", "v1-tweet"),
    forced("table", "tool-csv"),
    forced("list", "id-list"),
    forced("compliance", "compliance"),
];

/// All that came out, by kind, in order.
#[derive(Debug, Default, PartialEq)]
pub struct Out {
    tweets: Vec<u64>,
    users: Vec<u64>,
    dms: Vec<u64>,
    /// What the report says, or why there is none.
    said: String,
}

impl Outlet for Out {
    fn tweets(&mut self, found: &[Found<TweetId>]) -> io::Result<()> {
        self.tweets.extend(found.iter().map(|found| found.id.value()));
        Ok(())
    }

    fn users(&mut self, found: &[Found<UserId>]) -> io::Result<()> {
        self.users.extend(found.iter().map(|found| found.id.value()));
        Ok(())
    }

    fn dms(&mut self, found: &[Found<DmId>]) -> io::Result<()> {
        self.dms.extend(found.iter().map(|found| found.id.value()));
        Ok(())
    }
}

impl Out {
    /// All IDs of each kind.
    pub fn ids(&self) -> [&[u64]; 3] {
        [&self.tweets, &self.users, &self.dms]
    }
}

/// Strips `bytes` with so many threads.
pub fn out(target: &Target, bytes: &[u8], threads: usize) -> Out {
    let strip = Strip {
        format: target.format.and_then(format),
        declared: Some(hydrant::base::ids::IdKind::Tweet),
        scope: Scope::Referenced,
        // What may be read from a disk alone is spooled, so that it is read at all.
        bounds: Bounds { spool_bytes_max: 1 << 24, ..Bounds::NARROW },
        threads,
        ..Strip::of(KindSet::ALL)
    };
    let source = Source::Bytes { name: "bytes".to_owned(), bytes: bytes.to_vec().into() };
    let mut out = Out::default();
    out.said = match strip.run(&[source], &mut out, &Unwatched) {
        Ok(tally) => serde_json::to_string(&tally).expect("a tally is plain"),
        Err(error) => error.to_string(),
    };
    out
}

/// Nothing panics, and the same comes out of any number of threads, in the same order and with the
/// same report.
pub fn survives(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("there is no target {name}"));
    let alone = out(target, bytes, 1);
    let together = out(target, bytes, 3);
    assert_eq!(alone, together, "one thread, and three");
}
