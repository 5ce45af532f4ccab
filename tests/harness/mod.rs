//! The real binary on a data folder of its own: commands, a running gateway, raw HTTP.

#![allow(dead_code, reason = "each test binary uses a part of the harness")]

pub mod asker;
pub mod browser;
pub mod forger;
pub mod mail;
pub mod provider;
pub mod platform;
pub mod review;
pub mod upstream;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hydrant::base::ids::{Id, TweetId};
use serde_json::Value;

pub mod database;
pub mod proxy;
pub mod server;

/// How long anything here may take before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The first of the made-up Tweet IDs: a snowflake of 2023.
const FIRST_TWEET: u64 = 1_610_000_000_000_000_000;

/// The made-up Tweet IDs of a dataset: different from those of other `series`.
pub fn tweet_ids(series: u64, count: u64) -> impl Iterator<Item = u64> + Clone {
    (0..count).map(move |n| FIRST_TWEET + (series << 40) + n * 4_194_305)
}

/// When the tweet of that ID was made, as v1.1 writes it: an ID and its record tell the same time.
pub fn made_at(id: u64) -> String {
    let made_ms = TweetId::from_value(id).unwrap().created_ms().unwrap();
    let made = jiff::Timestamp::from_millisecond(made_ms).unwrap();
    made.strftime("%a %b %d %H:%M:%S %z %Y").to_string()
}

/// The text that a download of such IDs has.
pub fn id_text(series: u64, count: u64) -> String {
    tweet_ids(series, count).map(|id| format!("{id}\n")).collect()
}

/// A data folder with what the tests put into it.
pub struct Bench {
    folder: tempfile::TempDir,
    clock: Option<PathBuf>,
    /// What its commands and gateways find in their environment.
    variables: Vec<(&'static str, String)>,
}

/// How a command ended, with what it printed.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Bench {
    pub fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap(), clock: None, variables: Vec::new() }
    }

    /// A bench whose store is the PostgreSQL database at `url`.
    pub fn on(url: &str) -> Bench {
        let mut bench = Bench::new();
        bench.set("HYDRANT__STORE__URL", url);
        bench.set("HYDRANT__INSTANCE", "one");
        bench
    }

    /// A bench with a data folder of its own that shares store and releases with this one, for
    /// another gateway.
    pub fn beside(&self, instance: &str) -> Bench {
        let mut bench = Bench { clock: self.clock.clone(), ..Bench::new() };
        bench.variables = self.variables.clone();
        bench.set("HYDRANT__DATA__URL", self.data().join("releases").to_str().unwrap());
        bench.set("HYDRANT__AUDIT__KEY_FILE", self.data().join("audit.key").to_str().unwrap());
        bench.set("HYDRANT__INSTANCE", instance);
        bench
    }

    /// Sets a variable of the environment of all that starts from now on.
    pub fn set(&mut self, variable: &'static str, value: &str) {
        self.variables.retain(|(name, _)| *name != variable);
        self.variables.push((variable, value.to_owned()));
    }

    /// An own profile with so many Tweet IDs for an entity, from now on.
    pub fn set_ceiling(&mut self, tweet_ids_max: u64) {
        let built_in = include_str!("../../schema/profiles/twitter-2020-03.toml");
        let lines = built_in.lines().map(|line| match line.split(' ').next() {
            Some("name") => "name = \"own\"".to_owned(),
            Some("tweet_ids_max") => format!("tweet_ids_max = {tweet_ids_max}"),
            _ => line.to_owned(),
        });
        let path = self.path("own.toml");
        std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
        self.set("HYDRANT__POLICY__PROFILE", path.to_str().unwrap());
    }

    /// A bench whose commands and gateways read the time from a file.
    pub fn with_clock(now_ms: i64) -> Bench {
        let mut bench = Bench::new();
        bench.clock = Some(bench.folder.path().join("clock"));
        bench.set_clock(now_ms);
        bench
    }

    pub fn set_clock(&self, now_ms: i64) {
        let path = self.clock.as_ref().expect("the bench has a clock");
        // Renamed into place: nobody reads half a number.
        let next = path.with_extension("next");
        std::fs::write(&next, now_ms.to_string()).unwrap();
        std::fs::rename(next, path).unwrap();
    }

    /// Writes the settings file that commands and gateways find where they start.
    pub fn settings(&self, text: &str) {
        std::fs::write(self.path("hydrant.toml"), text).unwrap();
    }

    /// Settings under which an entity may have only so many Tweet IDs.
    pub fn few_ids(&self, ids: u64) -> String {
        let profile = include_str!("../../schema/profiles/twitter-2020-03.toml");
        let name = "name = \"twitter-2020-03\"";
        let own = profile.replace(name, "name = \"few\"").replace("1_500_000", &ids.to_string());
        assert!(own.contains("name = \"few\""));
        std::fs::write(self.path("few.toml"), own).unwrap();
        "[policy]\nprofile = \"./few.toml\"\n".to_owned()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hydrant"));
        command.args(arguments).arg("--data").arg(self.data());
        if let Some(clock) = &self.clock {
            command.arg("--clock").arg(clock);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, whatever that is.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments).output().unwrap())
    }

    /// Runs a command that has to succeed.
    #[track_caller]
    pub fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}\n{}{}", ended.stdout, ended.stderr);
        ended.stdout
    }

    /// Runs a command with `--json` that has to succeed.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let text = self.done(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// An entity with that slug.
    pub fn entity(&self, slug: &str, sector: &str) {
        let add = ["entity", "add", slug, "--name", slug, "--sector", sector];
        // A made-up identifier with check digits that fit.
        let ror: &[&str] = if sector == "academic" { &["--ror", "0demnrs73"] } else { &[] };
        self.done(&[&add[..], ror].concat());
    }

    /// A person of those entities who has accepted everything, and a key of theirs.
    pub fn person(&self, mail: &str, entities: &[&str]) -> String {
        let mut arguments = vec!["person", "add", mail, "--name", "Ada Example"];
        for entity in entities {
            arguments.extend(["--entity", entity]);
        }
        self.done(&arguments);
        let accept = ["person", "accept", mail, "--documents", "all", "--evidence", "signed paper"];
        self.done(&accept);
        self.key(mail)
    }

    /// The key of a person of a new company.
    pub fn person_of(&self, slug: &str, mail: &str) -> String {
        self.entity(slug, "commercial");
        self.person(mail, &[slug])
    }

    /// One more key for a person.
    pub fn key(&self, mail: &str) -> String {
        self.done(&["key", "issue", mail]).trim().to_owned()
    }

    /// A dataset of so many made-up Tweet IDs, from an ID list.
    pub fn dataset(&self, slug: &str, series: u64, count: u64) {
        let list = self.path(&format!("{slug}.txt"));
        std::fs::write(&list, id_text(series, count)).unwrap();
        let list = list.to_str().unwrap();
        let add = ["dataset", "add", slug, list, "--title", "Made up", "--ids", "tweet"];
        self.done(&[&add[..], &["--visibility", "signed-in"]].concat());
    }

    /// Copies the database, of which no gateway is running, as a backup would.
    pub fn back_up(&self, backup: &Path) {
        copy_database(&self.data().join("hydrant.sqlite"), backup);
    }

    /// Puts a copy of the database in the place of the newest one.
    pub fn restore(&self, backup: &Path) {
        copy_database(backup, &self.data().join("hydrant.sqlite"));
    }

    /// An approved exemption of an academic entity, until that date.
    pub fn exempt(&self, slug: &str, mail: &str, until: &str) -> String {
        let purpose = "a study of made-up tweets";
        let apply = ["exemption", "apply", slug, "--person", mail, "--purpose", purpose];
        let signed = ["--role", "professor", "--non-commercial", "--signed-by", "Ada Example"];
        let applied = self.json(&[&apply[..], &signed, &["--until", until]].concat());
        let id = applied["id"].as_str().unwrap();
        self.done(&["exemption", "approve", id, "--reason", "letter seen"]);
        id.to_owned()
    }

    pub fn serve(&self) -> Gateway {
        self.serve_with(&[])
    }

    pub fn serve_with(&self, arguments: &[&str]) -> Gateway {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        Gateway::start(self.command(&arguments))
    }

    /// What an entity has used of its Tweet IDs, as `usage` prints it.
    pub fn usage(&self, slug: &str) -> Value {
        self.json(&["usage", slug])
    }
}

/// Makes `target` the database `source`, with what is not in its main file yet: a process may end
/// before it has taken everything into that.
fn copy_database(source: &Path, target: &Path) {
    let beside = |path: &Path, ending| PathBuf::from(format!("{}{ending}", path.display()));
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(target, ending));
    }
    std::fs::copy(source, target).unwrap();
    if beside(source, "-wal").exists() {
        std::fs::copy(beside(source, "-wal"), beside(target, "-wal")).unwrap();
    }
}

pub fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A gateway under way; it is killed when the test ends without having stopped it.
pub struct Gateway {
    child: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
}

impl Gateway {
    pub fn start(mut command: Command) -> Gateway {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        // The log must not fill its pipe; it is shown if the gateway does not come up.
        let log: Arc<Mutex<String>> = Arc::default();
        let lines = Arc::clone(&log);
        let reading = std::thread::spawn(move || {
            let mut line = Vec::new();
            while stderr.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                lines.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().and_then(|text| text.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            let _ = reading.join();
            panic!("the gateway did not start: {line}{}", log.lock().unwrap());
        };
        std::thread::spawn(move || {
            let _ = io::copy(&mut stdout, &mut io::sink());
        });
        Gateway { child, address, log }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, while others may still be talking to it.
    pub fn kill_now(&self) {
        self.signal("KILL");
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Asks the gateway to end and waits until it has.
    pub fn stop(self) -> i32 {
        self.signal("TERM");
        self.wait()
    }

    /// Waits until the gateway has ended, and gives its exit code.
    pub fn wait(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A `GET` to its end.
    pub fn get(&self, path: &str, key: &str) -> Answer {
        self.ask("GET", path, &[("Authorization", &format!("Bearer {key}"))], b"")
    }

    /// A `GET` with more fields.
    pub fn get_with(&self, path: &str, key: &str, fields: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {key}");
        let fields = [&[("Authorization", bearer.as_str())], fields].concat();
        self.ask("GET", path, &fields, b"")
    }

    pub fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.send(method, path, fields, body);
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&bytes)
    }

    /// Sends a request and leaves its answer unread.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &[u8],
    ) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        self.send_on(stream, method, path, fields, body).unwrap()
    }

    /// Sends a `GET` to a gateway that may be gone, and leaves its answer unread.
    pub fn try_send(&self, path: &str, fields: &[(&str, &str)]) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        self.send_on(stream, "GET", path, fields, b"")
    }

    fn send_on(
        &self,
        mut stream: TcpStream,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<TcpStream> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("Host: {}\r\n", self.address);
        }
        if !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in fields {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        stream.write_all(body)?;
        Ok(stream)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer with every byte of it.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn parse(bytes: &[u8]) -> Answer {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head in {} bytes", bytes.len()));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error} in {} {}", self.head, String::from_utf8_lossy(&self.body))
        })
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The `type` of a problem, without its path.
    #[track_caller]
    pub fn problem(&self) -> String {
        let body = self.json();
        body["type"].as_str().unwrap().trim_start_matches("/problems/").to_owned()
    }
}

/// The meter of Tweet IDs in what `usage` says of an entity.
pub fn tweets(usage: &Value) -> Value {
    let meters = usage["meters"].as_array().unwrap();
    meters.iter().find(|meter| meter["kind"] == "tweet").unwrap().clone()
}

/// The day so many days from now, as commands take it.
pub fn day_after_days(days: i64) -> String {
    let span = jiff::Span::new().hours(24 * days);
    (jiff::Timestamp::now() + span).strftime("%Y-%m-%d").to_string()
}

/// Waits until `condition` holds; the test fails if it never does.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let mut rest = PATIENCE;
    let step = Duration::from_millis(20);
    while !condition() {
        rest = rest.checked_sub(step).unwrap_or_else(|| panic!("waited in vain: {what}"));
        std::thread::sleep(step);
    }
}

pub fn resident_bytes_max(pid: u32) -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    let status = status.unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
