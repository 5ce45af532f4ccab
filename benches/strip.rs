//! What it costs to strip made-up tweets to their IDs, beside what others take for the same, and
//! whether all give the same answer.
//!
//! The answer: in memory, one thread strips v1.1 lines, every record checked to its end, 4 times as
//! fast as serde_json skips them and 1.5 times as fast as simdjson, rows of a table at 1 GB/s, and
//! a list at 2 GB/s; the program strips a cached file 40 times as fast as jq, and packed ones as
//! fast as their codec alone, bzip2 by as many threads at once. The ceilings are a count of lines:
//! `memchr` in memory, `wc -l` on the file.
//!
//! Rounds go through all rivals in turn, so that a busy machine is busy for each; the medians are
//! compared. In memory the time of the processor counts, else the time that passes. A rival that
//! is not found is named: `benches/rivals/install` installs all. `HYDRANT_BENCH_MB` sets the size
//! (256), `HYDRANT_BENCH_ROUNDS` the rounds (5).
//!
//! `cargo bench --bench strip`

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hydrant::base::ids::{DmId, Id, IdKind, TweetId, UserId};
use hydrant::demo;
use hydrant::pipeline::{Found, KindSet, Outlet, Source, Strip, Unwatched};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// How many IDs, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Answer {
    ids: u64,
    sum: u64,
}

impl Answer {
    fn add(&mut self, id: u64) {
        self.ids += 1;
        self.sum = self.sum.wrapping_add(id);
    }

    /// The answer in an output with one ID a line.
    fn of_lines(text: &[u8]) -> Answer {
        let mut answer = Answer::default();
        for line in text.split(|byte| *byte == b'\n') {
            let digits = line.iter().filter(|byte| byte.is_ascii_digit());
            let id = digits.fold(0_u64, |id, digit| id * 10 + u64::from(digit - b'0'));
            if id > 0 {
                answer.add(id);
            }
        }
        answer
    }
}

impl Outlet for Answer {
    fn tweets(&mut self, found: &[Found<TweetId>]) -> io::Result<()> {
        found.iter().for_each(|found| self.add(found.id.value()));
        Ok(())
    }

    fn users(&mut self, _found: &[Found<UserId>]) -> io::Result<()> {
        Ok(())
    }

    fn dms(&mut self, _found: &[Found<DmId>]) -> io::Result<()> {
        Ok(())
    }
}

/// Times of one contender in each round.
struct Row {
    name: String,
    seconds: Vec<f64>,
}

impl Row {
    fn median(&self) -> f64 {
        let mut seconds = self.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    }
}

/// Contenders over the same bytes, the first one ours.
struct Table {
    title: String,
    bytes: u64,
    rows: Vec<Row>,
}

impl Table {
    fn new(title: &str, bytes: u64) -> Table {
        Table { title: title.to_owned(), bytes, rows: Vec::new() }
    }

    fn add(&mut self, name: &str, seconds: f64) {
        match self.rows.iter_mut().find(|row| row.name == name) {
            Some(row) => row.seconds.push(seconds),
            None => self.rows.push(Row { name: name.to_owned(), seconds: vec![seconds] }),
        }
    }

    fn print(&self) {
        println!("\n{} ({} MB)", self.title, self.bytes / 1_000_000);
        let ours = self.rows[0].median();
        for row in &self.rows {
            let median = row.median();
            let rate = self.bytes as f64 / median / 1e9;
            println!("  {:<34} {rate:>8.3} GB/s   ours is {:>6.2} x", row.name, median / ours);
        }
    }
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow)]
    id_str: &'a str,
}

fn by_serde_json(text: &[u8]) -> Answer {
    let mut answer = Answer::default();
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text) {
        let typed: Typed<'_> = serde_json::from_slice(&text[start..end]).unwrap();
        answer.add(typed.id_str.parse().unwrap());
        start = end + 1;
    }
    answer
}

fn by_us(text: &Bytes, threads: usize) -> Answer {
    let mut answer = Answer::default();
    let source = Source::Bytes { name: "memory".to_owned(), bytes: text.clone() };
    let strip = Strip { threads, ..Strip::of(KindSet::only(IdKind::Tweet)) };
    let tally = strip.run(&[source], &mut answer, &Unwatched).unwrap();
    assert!(tally.is_clean(), "made-up records are sound");
    answer
}

fn processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap())
}

/// Seconds of this thread's processor, and what came out.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begin = processor();
    let out = work();
    ((processor() - begin).as_secs_f64(), out)
}

/// Seconds until a program has ended, and what it wrote.
fn run(program: &Path, arguments: &[&str]) -> (f64, Vec<u8>) {
    let begin = Instant::now();
    let mut command = Command::new(program);
    let output = command.args(arguments).stderr(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{} {arguments:?}", program.display());
    (begin.elapsed().as_secs_f64(), output.stdout)
}

/// Seconds until a program that writes to nowhere has ended.
fn run_silently(program: &Path, arguments: &[&str]) -> f64 {
    let begin = Instant::now();
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{} {arguments:?}", program.display());
    begin.elapsed().as_secs_f64()
}

/// Where a rival is, if it is installed.
fn rival(name: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/rivals/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = [own].into_iter().chain(std::env::split_paths(&path)).map(|at| at.join(name));
    let found = found.into_iter().find(|at| at.is_file());
    if found.is_none() {
        println!("not found: {name} (benches/rivals/install)");
    }
    found
}

struct Bench {
    rounds: u64,
    bytes: u64,
    folder: tempfile::TempDir,
    hydrant: PathBuf,
}

impl Bench {
    /// A file that holds `text`.
    fn file(&self, name: &str, text: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn v1(&self) -> (Bytes, String) {
        let mut text = Vec::new();
        demo::write_v1(self.bytes / 4_600, 7, &mut text).unwrap();
        let path = self.file("v1.jsonl", &text);
        (text.into(), path)
    }

    fn in_memory(&self, text: &Bytes, path: &str) {
        let title = "v1.1 lines in memory, one thread, time of its processor";
        let mut table = Table::new(title, text.len() as u64);
        let simdjson = rival("simdjson");
        for _ in 0..self.rounds {
            let (seconds, ours) = timed(|| by_us(text, 1));
            table.add("hydrant", seconds);
            let (seconds, theirs) = timed(|| by_serde_json(text));
            table.add("serde_json, typed skip", seconds);
            assert_eq!(ours, theirs);
            if let Some(simdjson) = &simdjson {
                let (_, out) = run(simdjson, &[path, "1"]);
                let out = String::from_utf8(out).unwrap();
                let words: Vec<&str> = out.split_whitespace().collect();
                table.add("simdjson On-Demand, a stream", words[0].parse().unwrap());
                table.add("simdjson On-Demand, line by line", words[1].parse().unwrap());
                assert_eq!(words[2], (2 * ours.ids).to_string(), "simdjson gives the same");
                assert_eq!(words[3], ours.sum.wrapping_mul(2).to_string(), "the same sum");
            }
            let (seconds, _) = timed(|| memchr::memchr_iter(b'\n', text).count());
            table.add("memchr, a count of lines", seconds);
        }
        table.print();
    }

    /// The program over a file, beside rivals that write one ID a line.
    fn program(&self, title: &str, path: &str, rivals: &[(&str, PathBuf, Vec<&str>)]) {
        let bytes = std::fs::metadata(path).unwrap().len();
        let mut table = Table::new(title, bytes);
        for _ in 0..self.rounds {
            let (seconds, out) = run(&self.hydrant, &["strip", "--threads", "2", path]);
            let ours = Answer::of_lines(&out);
            table.add("hydrant, two threads", seconds);
            let (seconds, out) = run(&self.hydrant, &["strip", "--threads", "1", path]);
            assert_eq!(Answer::of_lines(&out), ours);
            table.add("hydrant, one thread", seconds);
            for (name, program, arguments) in rivals {
                let (seconds, out) = run(program, arguments);
                assert_eq!(Answer::of_lines(&out), ours, "{name}");
                table.add(name, seconds);
            }
            if let Some(wc) = rival("wc") {
                table.add("wc -l", run_silently(&wc, &["-l", path]));
            }
        }
        table.print();
    }

    /// Rows or lines in memory, beside a count of their lines.
    fn lane_in_memory(&self, name: &str, text: &Bytes) {
        let title = format!("{name} in memory, one thread, time of its processor");
        let mut table = Table::new(&title, text.len() as u64);
        let mut told = None;
        for _ in 0..self.rounds {
            let (seconds, ours) = timed(|| by_us(text, 1));
            assert_eq!(*told.get_or_insert(ours), ours);
            table.add("hydrant", seconds);
            let (seconds, _) = timed(|| memchr::memchr_iter(b'\n', text).count());
            table.add("memchr, a count of lines", seconds);
        }
        table.print();
    }

    /// The program over a file packed by each codec, beside the codec alone; rates are of what is
    /// unpacked.
    fn packed(&self, name: &str, path: &str) {
        let bytes = std::fs::metadata(path).unwrap().len();
        let (_, plain) = run(&self.hydrant, &["strip", path]);
        for (codec, ending) in [("gzip", "gz"), ("zstd", "zst"), ("bzip2", "bz2")] {
            let Some(program) = rival(codec) else { continue };
            run_silently(&program, &["-k", "-f", "-q", path]);
            let packed = format!("{path}.{ending}");
            let mut table = Table::new(&format!("{name} packed by {codec}"), bytes);
            for _ in 0..self.rounds {
                for (row, threads) in [("hydrant, two threads", "2"), ("hydrant, one thread", "1")]
                {
                    let (seconds, out) =
                        run(&self.hydrant, &["strip", "--threads", threads, &packed]);
                    assert!(out == plain, "{packed} gives the same");
                    table.add(row, seconds);
                }
                table.add(&format!("{codec} -dc"), run_silently(&program, &["-dc", &packed]));
            }
            table.print();
        }
    }
}

/// A list of IDs, and a table with them, as tools write it.
fn lists(bytes: u64) -> [(&'static str, Vec<u8>); 2] {
    let ids = |count: u64| (0..count).map(|number| 1_500_000_000_000_000_000 + number * 1_000_003);
    let list: String = ids(bytes / 20).map(|id| format!("{id}\n")).collect();
    let row = |id| format!("{id},2022-03-06 00:00:00,\"made up, with \"\"quotes\"\"\",7,en\n");
    let rows: String = ids(bytes / 67).map(row).collect();
    let table = "id,created_at,text,user_id,lang\n".to_owned() + &rows;
    [("a list of IDs", list.into()), ("CSV", table.into())]
}

fn main() {
    let bench = Bench {
        rounds: setting("HYDRANT_BENCH_ROUNDS", 5),
        bytes: setting("HYDRANT_BENCH_MB", 256) * 1_000_000,
        folder: tempfile::tempdir().unwrap(),
        hydrant: env!("CARGO_BIN_EXE_hydrant").into(),
    };
    let (text, path) = bench.v1();
    bench.in_memory(&text, &path);
    let mut rivals = Vec::new();
    if let Some(jq) = rival("jq") {
        rivals.push(("jq -r .id_str", jq, vec!["-r", ".id_str", &path]));
    }
    let query = format!(
        "import duckdb; print('\\n'.join(row[0] for row in duckdb.sql(\"SELECT id_str FROM \
         read_ndjson('{path}', columns={{id_str: 'VARCHAR'}})\").fetchall()))"
    );
    if rival("twarc2").is_some()
        && let Some(python) = rival("python3")
    {
        rivals.push(("DuckDB", python, vec!["-c", &query]));
    }
    bench.program("the program over v1.1 lines, a cached file", &path, &rivals);
    bench.packed("v1.1 lines", &path);
    let mut pages = Vec::new();
    demo::write_v2_pages(bench.bytes / 2_000 / 100, 100, 7, &mut pages).unwrap();
    let pages = bench.file("pages.jsonl", &pages);
    let mut rivals = Vec::new();
    if let Some(twarc2) = rival("twarc2") {
        rivals.push((
            "twarc2 dehydrate",
            twarc2,
            vec!["--log", "/dev/null", "--bearer-token", "none", "dehydrate", &pages, "-"],
        ));
    }
    bench.program("the program over v2 pages, a cached file", &pages, &rivals);
    bench.packed("v2 pages", &pages);
    let mut flat = Vec::new();
    demo::write_v2_flat(bench.bytes / 2_000, 7, &mut flat).unwrap();
    let flat = bench.file("flat.jsonl", &flat);
    bench.program("the program over v2 flattened, a cached file", &flat, &[]);
    bench.packed("v2 flattened", &flat);
    for (name, text) in lists(bench.bytes / 4) {
        let path = bench.file(name, &text);
        bench.lane_in_memory(name, &text.into());
        bench.program(&format!("the program over {name}, a cached file"), &path, &[]);
        bench.packed(name, &path);
    }
}
