//! The platform's v2 interface on loopback: lookups with rate limits, a monthly cap and partial
//! errors, and compliance jobs with their files on another host. It remembers what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::upstream::Behaviour;

const TWEETS: &str = include_str!("../data/platform/tweets.json");
const USERS: &str = include_str!("../data/platform/users.json");
const PROBLEMS: &str = include_str!("../data/platform/problems.json");
const JOB: &str = include_str!("../data/platform/compliance-job.json");

/// What a token has to be.
pub const TOKEN: &str = "AAAAmade-up%2Ftoken";

/// What becomes of an ID, told by its last digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Found,
    Deleted,
    Protected,
    Suspended,
    Withheld,
    /// It is neither among the objects nor among the errors.
    Missing,
}

impl Fate {
    pub fn of(id: u64) -> Fate {
        match id % 20 {
            1 => Fate::Deleted,
            2 => Fate::Protected,
            3 => Fate::Suspended,
            4 => Fate::Withheld,
            5 => Fate::Missing,
            _ => Fate::Found,
        }
    }

    /// The outcome that a hydration has to tell.
    pub fn outcome(self) -> &'static str {
        match self {
            Fate::Found => "found",
            Fate::Deleted => "deleted",
            Fate::Protected => "protected",
            Fate::Suspended => "suspended",
            Fate::Withheld => "withheld",
            Fate::Missing => "unknown",
        }
    }

    /// Whether its object comes, as that of a `kind`.
    pub fn has_object(self, kind: &str) -> bool {
        matches!(self, Fate::Found | Fate::Withheld) || kind == "user" && self == Fate::Protected
    }
}

/// What the platform does instead of answering.
#[derive(Clone)]
pub enum Fault {
    /// It answers with that status and that text of `problems.json`, or of one's own.
    Says(u16, String),
    /// It does something to the connection.
    Does(Behaviour),
}

/// A fault by its name in `problems.json`.
pub fn problem(status: u16, name: &str) -> Fault {
    let problems: Value = serde_json::from_str(PROBLEMS).unwrap();
    assert!(problems[name].is_object(), "{name}");
    Fault::Says(status, problems[name].to_string())
}

/// One request that came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub head: String,
    pub ids: Vec<u64>,
    pub status: u16,
    /// Whether all bytes of a page were written.
    pub whole: bool,
}

/// Where in the course of an answer something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Before,
    Middle,
    After,
}

type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;
type Ambush = Box<dyn FnMut(Moment) + Send>;

#[derive(Default)]
struct State {
    faults: VecDeque<Fault>,
    asked: Vec<Asked>,
    /// Requests a window, and its length in milliseconds.
    limit: Option<(u64, i64)>,
    window_begin_ms: i64,
    window_requests: u64,
    /// Tweets that may still be had this month.
    cap: Option<u64>,
    ambush: Option<Ambush>,
    jobs: BTreeMap<String, Job>,
    /// The heads of all requests to the host of files.
    storage: Vec<String>,
    /// What the addresses of files begin with, if it is not that host.
    storage_elsewhere: Option<String>,
}

struct Job {
    page: Value,
    list: Option<String>,
    looks: u32,
}

/// The server; it runs until the test's process ends.
pub struct Platform {
    pub address: SocketAddr,
    storage: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Platform {
    /// One whose clock is the machine's.
    pub fn start() -> Platform {
        Platform::start_at(Arc::new(|| jiff::Timestamp::now().as_millisecond()))
    }

    /// One with a clock of its own, in milliseconds UTC.
    pub fn start_at(clock: Clock) -> Platform {
        let (api, files) = (listener(), listener());
        let platform = Platform {
            address: api.local_addr().unwrap(),
            storage: files.local_addr().unwrap(),
            state: Arc::default(),
        };
        let (state, storage) = (platform.state.clone(), platform.storage);
        serve(api, move |stream, head, body| answer(&state, &clock, storage, stream, head, body));
        let state = platform.state.clone();
        serve(files, move |stream, head, body| store(&state, stream, head, body));
        platform
    }

    /// Settings of a gateway that asks it with one credential, `main`.
    pub fn settings(&self, level: &str) -> String {
        format!("{}{}", self.base_settings(), credential("main", TOKEN, level, "dev", "study"))
    }

    /// Settings without a credential.
    pub fn base_settings(&self) -> String {
        format!(
            "[hydrate]\nurl = \"http://localhost:{}\"\nallow_private = true\nattempts_max = 3\n\
             answer_seconds_max = 2\nanswer_bytes_max = 1048576\n",
            self.address.port()
        )
    }

    /// So many requests may come in each window of so many milliseconds.
    pub fn limits(&self, requests: u64, window_ms: i64) {
        self.state().limit = Some((requests, window_ms));
    }

    /// So many Tweets may be had until somebody says otherwise.
    pub fn caps(&self, tweets: Option<u64>) {
        self.state().cap = tweets;
    }

    /// Does that instead of answering the next requests, one after the other.
    pub fn faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.extend(faults);
    }

    /// Calls this in the course of every answer from now on.
    pub fn ambushes(&self, ambush: Option<Ambush>) {
        self.state().ambush = ambush;
    }

    /// Names files of compliance jobs under another address.
    pub fn stores_at(&self, origin: &str) {
        self.state().storage_elsewhere = Some(origin.to_owned());
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// How many faults nobody has met yet.
    pub fn faults_left(&self) -> usize {
        self.state().faults.len()
    }

    /// The heads of all requests to the host of files.
    pub fn storage_heads(&self) -> Vec<String> {
        self.state().storage.clone()
    }

    /// The list that was uploaded for a job.
    pub fn list(&self, job: &str) -> Option<String> {
        self.state().jobs.get(job)?.list.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// A credential of the settings.
pub fn credential(
    name: &str,
    token: &str,
    level: &str,
    environment: &str,
    use_case: &str,
) -> String {
    format!(
        "[hydrate.credentials.{name}]\nbearer_token = \"{token}\"\nlevel = \"{level}\"\n\
         environment = \"{environment}\"\nuse_case = \"{use_case}\"\n"
    )
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn serve(
    listener: TcpListener,
    behave: impl Fn(&mut TcpStream, String, Vec<u8>) -> io::Result<()> + Send + Sync + 'static,
) {
    let behave = Arc::new(behave);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let behave = behave.clone();
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                // Whoever was killed does not send to the end, and does not read.
                let Ok((head, body)) = request(&mut stream) else { return };
                let _ = behave(&mut stream, head, body);
            });
        }
    });
}

fn request(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut body = vec![0; field(&head, "content-length").map_or(0, |text| text.parse().unwrap())];
    stream.read_exact(&mut body)?;
    Ok((head, body))
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The path of a request and its query.
fn target(head: &str) -> (&str, BTreeMap<String, String>) {
    let target = head.split(' ').nth(1).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (path, form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

fn answer(
    state: &Mutex<State>,
    clock: &Clock,
    storage: SocketAddr,
    stream: &mut TcpStream,
    head: String,
    body: Vec<u8>,
) -> io::Result<()> {
    let (path, query) = target(&head);
    let ids = query.get("ids").map_or("", String::as_str).split(',');
    let ids: Vec<u64> = ids.filter_map(|id| id.parse().ok()).collect();
    let (fault, mut ambush) = {
        let mut state = state.lock().unwrap();
        (state.faults.pop_front(), state.ambush.take())
    };
    let mut happens = |moment| {
        if let Some(ambush) = &mut ambush {
            ambush(moment);
        }
    };
    happens(Moment::Before);
    let now_ms = clock();
    let is_known = field(&head, "authorization") == Some(&format!("Bearer {TOKEN}"));
    let limits = limit_fields(&mut state.lock().unwrap(), now_ms);
    let (status, text) = match (fault, is_known, &limits) {
        (Some(Fault::Does(behave)), ..) => {
            note(state, Asked { head, ids, status: 0, whole: false });
            return behave(stream);
        }
        (Some(Fault::Says(status, text)), ..) => (status, text),
        (None, false, _) => said(problem(401, "code-32")),
        (None, true, Limits { is_over: true, .. }) => said(problem(429, "too-many-requests")),
        (None, true, _) if path.starts_with("/2/compliance/jobs") => {
            jobs(&mut state.lock().unwrap(), storage, path, &body)
        }
        (None, true, _) => lookup(&mut state.lock().unwrap(), path, &ids),
    };
    let date = jiff::Timestamp::from_millisecond(now_ms).unwrap();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT");
    let head_sent = format!(
        "HTTP/1.1 {status} Whatever\r\nContent-Type: application/json; charset=utf-8\r\n\
         Date: {date}\r\nConnection: close\r\n{}Content-Length: {}\r\n\r\n",
        limits.fields,
        text.len()
    );
    let bytes = [head_sent.as_bytes(), text.as_bytes()].concat();
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut asked = Asked { head, ids, status, whole: false };
    let mut sent = stream.write_all(first);
    happens(Moment::Middle);
    sent = sent.and_then(|()| stream.write_all(second));
    asked.whole = sent.is_ok() && status == 200;
    note(state, asked);
    happens(Moment::After);
    let mut state = state.lock().unwrap();
    state.ambush = state.ambush.take().or(ambush);
    sent
}

fn note(state: &Mutex<State>, asked: Asked) {
    state.lock().unwrap().asked.push(asked);
}

fn said(fault: Fault) -> (u16, String) {
    let Fault::Says(status, text) = fault else { panic!("a problem is said") };
    (status, text)
}

struct Limits {
    fields: String,
    is_over: bool,
}

/// Counts a request.
fn limit_fields(state: &mut State, now_ms: i64) -> Limits {
    let Some((requests, window_ms)) = state.limit else {
        return Limits { fields: String::new(), is_over: false };
    };
    if now_ms >= state.window_begin_ms + window_ms {
        state.window_begin_ms = now_ms;
        state.window_requests = 0;
    }
    let is_over = state.window_requests >= requests;
    state.window_requests += u64::from(!is_over);
    let fields = format!(
        "x-rate-limit-limit: {requests}\r\nx-rate-limit-remaining: {}\r\n\
         x-rate-limit-reset: {}\r\n",
        requests - state.window_requests,
        (state.window_begin_ms + window_ms).div_euclid(1_000)
    );
    Limits { fields, is_over }
}

fn lookup(state: &mut State, path: &str, ids: &[u64]) -> (u16, String) {
    let kind = match path {
        "/2/tweets" => "tweet",
        "/2/users" => "user",
        _ => return (404, "{\"title\":\"Not Found\"}".to_owned()),
    };
    if ids.is_empty() || ids.len() > 100 {
        let message = "The number of values in the `ids` query parameter list is not 1 to 100";
        let error = json!({ "errors": [{ "message": message }], "title": "Invalid Request" });
        return (400, error.to_string());
    }
    let found = ids.iter().filter(|id| Fate::of(**id).has_object(kind)).count() as u64;
    if kind == "tweet"
        && let Some(cap) = &mut state.cap
    {
        match cap.checked_sub(found) {
            Some(left) => *cap = left,
            None => return said(problem(429, "usage-cap")),
        }
    }
    (200, page(kind, ids).to_string())
}

/// A page as the platform would send it, made of the recorded ones.
pub fn page(kind: &str, ids: &[u64]) -> Value {
    let recorded: Value =
        serde_json::from_str(if kind == "user" { USERS } else { TWEETS }).unwrap();
    let (mut data, mut errors) = (Vec::new(), Vec::new());
    for id in ids {
        let text = id.to_string();
        let fate = Fate::of(*id);
        if fate.has_object(kind) {
            let mut object = recorded["data"][0].clone();
            object["id"] = text.clone().into();
            if kind == "user" {
                object["username"] = format!("made_up_{id}").into();
                object["protected"] = (fate == Fate::Protected).into();
            } else {
                object["edit_history_tweet_ids"] = json!([text]);
                // A Tweet's ID tells when it was made.
                let made_ms = 1_288_834_974_657 + (id >> 22);
                let made = jiff::Timestamp::from_millisecond(made_ms.cast_signed()).unwrap();
                object["created_at"] = made.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string().into();
            }
            if fate == Fate::Withheld {
                object["withheld"] = json!({ "copyright": false, "country_codes": ["DE"] });
            }
            data.push(object);
            // It refers to something that is gone, which is nobody's outcome.
            let about = recorded["errors"].as_array().unwrap();
            errors.extend(about.iter().find(|error| error["parameter"] != "ids").cloned());
            continue;
        }
        let wanted = match fate {
            Fate::Deleted => "Could not find",
            Fate::Protected => "not authorized",
            Fate::Suspended => "has been suspended",
            _ => continue,
        };
        let all = recorded["errors"].as_array().unwrap().iter();
        let mut error = all
            .filter(|error| error["parameter"] == "ids")
            .find(|error| error["detail"].as_str().unwrap().contains(wanted))
            .unwrap()
            .clone();
        error["value"] = text.clone().into();
        error["resource_id"] = text.clone().into();
        error["detail"] = format!("{wanted}: [{text}].").into();
        errors.push(error);
    }
    let mut page = serde_json::Map::new();
    if !data.is_empty() {
        page.insert("data".into(), data.into());
        page.insert("includes".into(), recorded["includes"].clone());
    }
    if !errors.is_empty() || page.is_empty() {
        page.insert("errors".into(), errors.into());
    }
    page.into()
}

fn jobs(state: &mut State, storage: SocketAddr, path: &str, body: &[u8]) -> (u16, String) {
    let number = path.trim_start_matches("/2/compliance/jobs").trim_start_matches('/');
    if number.is_empty() {
        let wanted: Value = serde_json::from_slice(body).unwrap();
        let is_busy = |job: &Job| {
            ["created", "in_progress"].contains(&job.page["data"]["status"].as_str().unwrap())
        };
        if state.jobs.values().any(is_busy) {
            let error = json!({ "title": "ConflictingJob", "detail": "a job is under way" });
            return (409, error.to_string());
        }
        let id = (1_372_966_999_991_541_762 + state.jobs.len() as u64).to_string();
        let origin = state.storage_elsewhere.clone().unwrap_or_else(|| format!("http://{storage}"));
        let mut page: Value = serde_json::from_str(JOB).unwrap();
        page["data"]["id"] = id.clone().into();
        page["data"]["type"] = wanted["type"].clone();
        page["data"]["name"] = wanted["name"].clone();
        page["data"]["upload_url"] = format!("{origin}/up/{id}?signature=u").into();
        page["data"]["download_url"] = format!("{origin}/down/{id}?signature=d").into();
        let text = page.to_string();
        state.jobs.insert(id, Job { page, list: None, looks: 0 });
        return (200, text);
    }
    let Some(job) = state.jobs.get_mut(number) else {
        return (404, "{\"title\":\"Not Found Error\"}".to_owned());
    };
    if job.list.is_some() {
        let status = if job.looks == 0 { "in_progress" } else { "complete" };
        job.page["data"]["status"] = status.into();
        job.looks += 1;
    }
    (200, job.page.to_string())
}

/// The host of files: takes lists, gives results.
fn store(
    state: &Mutex<State>,
    stream: &mut TcpStream,
    head: String,
    body: Vec<u8>,
) -> io::Result<()> {
    let mut state = state.lock().unwrap();
    let (path, query) = target(&head);
    let (way, number) = path.trim_start_matches('/').split_once('/').unwrap();
    let signature = query.get("signature").map(String::as_str);
    let job = state.jobs.get_mut(number);
    let (status, text) = match (way, signature, job) {
        ("up", Some("u"), Some(job)) if head.starts_with("PUT ") => {
            job.list = Some(String::from_utf8(body).unwrap());
            (200, String::new())
        }
        ("down", Some("d"), Some(job)) if head.starts_with("GET ") => {
            (200, result(job.list.as_deref().unwrap_or_default()))
        }
        _ => (403, "<Error>SignatureDoesNotMatch</Error>".to_owned()),
    };
    state.storage.push(head);
    write!(
        stream,
        "HTTP/1.1 {status} Whatever\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    )
}

/// A result as the platform writes it, with a blank line first.
pub fn result(list: &str) -> String {
    let mut text = "\n".to_owned();
    for id in list.lines() {
        let reason = match Fate::of(id.parse().unwrap()) {
            Fate::Deleted => "deleted",
            Fate::Protected => "protected",
            Fate::Suspended => "suspended",
            _ => continue,
        };
        let line = json!({
            "id": id,
            "action": "delete",
            "created_at": "2022-03-05T05:32:56.000Z",
            "redacted_at": "2022-04-01T00:00:00.000Z",
            "reason": reason,
        });
        text += &format!("{line}\n");
    }
    text
}
