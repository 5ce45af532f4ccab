//! How long it takes until 50,000 objects are gathered that lie scattered in a source of 10 GB, and
//! how much memory that takes.
//!
//! The answer: within 10 s and 300 MiB, whether the source is plain, packed in small members as
//! bgzip does, or a single gzip that was packed anew for objects. The rival is reading the plain
//! file once from its beginning to its end with a count of its lines: what a program would do that
//! does not know where records lie; a packed one would have to be decoded besides. By default the
//! source has 1 GB, with the same number of objects; `HYDRANT_BENCH_BYTES=10000000000` makes it the
//! whole size, which takes 20 GB of a temporary folder.
//!
//! `cargo bench --bench export_sources`

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use hydrant::base::ids::IdKind;
use hydrant::demo::Maker;
use hydrant::export::cover::LeftOut;
use hydrant::export::object::Object;
use hydrant::export::source::{Part, Request, Selection, Sink, Stock, gather};
use hydrant::pipeline::{Damage, KindSet, Removed, Scope, Unwatched};
use hydrant::release::{Objects, Spec, build};

const OBJECTS: u64 = 50_000;
const TIME_MAX: Duration = Duration::from_secs(10);
const RESIDENT_BYTES_MAX: u64 = 300 << 20;

/// How long a member is before it is packed, as bgzip has them.
const MEMBER_BYTES: usize = 65_280;

#[derive(Debug)]
struct Nothing;

impl Removed for Nothing {
    fn mark(&self, _: IdKind, _: &[u64], _: &[Option<u64>], gone: &mut [bool]) -> io::Result<()> {
        gone.fill(false);
        Ok(())
    }
}

/// Writes objects as lines, as a spool does.
struct Spool(BufWriter<File>);

impl Sink for Spool {
    fn take(&mut self, _: u64, object: Result<Object, LeftOut>) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, &object.ok())?;
        self.0.write_all(b"\n")
    }
}

fn main() {
    let bytes = std::env::var("HYDRANT_BENCH_BYTES");
    let bytes: u64 = bytes.map_or(1_000_000_000, |bytes| bytes.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let plain = at("tweets.jsonl");
    make(&plain, bytes);
    let begun = Instant::now();
    let lines = count_lines(&plain);
    println!("a source of {bytes} bytes; counting its {lines} lines: {:.2?}", begun.elapsed());
    measure(folder.path(), "plain", &plain, Objects::AsTheyLie);
    let (members, whole) = (at("members.gz"), at("whole.gz"));
    pack(&plain, &members, MEMBER_BYTES);
    pack(&plain, &whole, usize::MAX);
    std::fs::remove_file(&plain).unwrap();
    measure(folder.path(), "in members of 64 KiB", &members, Objects::AtHand);
    measure(folder.path(), "one gzip, packed anew", &whole, Objects::AtHand);
}

/// Gathers objects by chance out of a release of that source.
fn measure(folder: &Path, name: &str, source: &Path, objects: Objects) {
    let releases = folder.join(name.replace(' ', "-"));
    std::fs::create_dir(&releases).unwrap();
    let spec = Spec {
        ids: KindSet::only(IdKind::Tweet),
        scope: Scope::Own,
        damage: Damage::Refuse,
        objects,
        now_ms: 1,
    };
    let begun = Instant::now();
    let release = build(&[source.to_owned()], &spec, &releases, &Unwatched).unwrap().release;
    let built = begun.elapsed();
    let part = Part::Sample { objects: OBJECTS, seed: 1 };
    let selection = Selection { part, ..Selection::all() };
    let request = Request { selection: &selection, listed: &[], from: 0, objects_max: OBJECTS };
    forget_peak();
    let begun = Instant::now();
    let stock = Stock::open(release).unwrap();
    let mut spool = Spool(BufWriter::new(File::create(releases.join("spool")).unwrap()));
    let gathered = gather(&stock, &request, &Nothing, &mut spool).unwrap();
    spool.0.flush().unwrap();
    let (taken, peak) = (begun.elapsed(), peak_bytes());
    println!(
        "{name}: {} objects in {taken:.2?}, {} MiB resident at most (built in {built:.1?})",
        gathered.objects,
        peak >> 20
    );
    let left_out: u64 = gathered.left_out.iter().map(|(_, count)| count).sum();
    assert_eq!(gathered.objects + left_out, OBJECTS, "each has an object or a reason");
    assert!(taken <= TIME_MAX, "{taken:.2?} instead of {TIME_MAX:.2?} at most");
    assert!(peak <= RESIDENT_BYTES_MAX, "{peak} bytes of memory");
    std::fs::remove_dir_all(&releases).unwrap();
}

/// Writes made-up Tweets until there are so many bytes.
fn make(path: &Path, bytes: u64) {
    let mut maker = Maker::new(1);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    let (mut line, mut written) = (Vec::new(), 0);
    while written < bytes {
        line.clear();
        maker.v1_line(&mut line);
        out.write_all(&line).unwrap();
        written += line.len() as u64;
    }
    out.flush().unwrap();
}

fn count_lines(path: &Path) -> usize {
    let (mut file, mut buffer) = (File::open(path).unwrap(), vec![0; 1 << 20]);
    let mut lines = 0;
    loop {
        let read = file.read(&mut buffer).unwrap();
        if read == 0 {
            return lines;
        }
        lines += memchr::memchr_iter(b'\n', &buffer[..read]).count();
    }
}

/// Packs a file in members of so many bytes.
fn pack(source: &Path, target: &Path, member_bytes: usize) {
    let (mut file, mut out) = (File::open(source).unwrap(), File::create(target).unwrap());
    loop {
        let mut member =
            flate2::write::GzEncoder::new(BufWriter::new(&mut out), flate2::Compression::fast());
        let limit = u64::try_from(member_bytes).unwrap();
        let copied = io::copy(&mut (&mut file).take(limit), &mut member).unwrap();
        member.finish().unwrap().flush().unwrap();
        if copied < limit {
            return;
        }
    }
}

/// Lets the peak of memory begin anew.
fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}
