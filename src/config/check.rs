//! From what was said to settings that hold, or to every mistake at once.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Uri};
use ipnet::IpNet;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;

use super::named::UPSTREAMS;
use super::raw::{Effective, Origin, Raw};
use super::table::{BETWEEN, setting};
use super::upstream::{self, Reach, Upstream};
use super::{
    Audit, Environment, Export, Log, LogFormat, Privacy, Server, Session, Settings, SettingsError,
    Share, StripBounds,
};
use crate::policy::{Count, Profile};
use crate::store::Place;

/// A year in seconds.
const YEAR: usize = 365 * 24 * 60 * 60;

impl Raw {
    /// The settings, if all of them are right.
    ///
    /// # Errors
    /// [`SettingsError`] with every mistake.
    pub fn check(self) -> Result<Settings, SettingsError> {
        let mut checker = Checker { mistakes: self.mistakes.clone(), raw: &self };
        let settings = checker.settings();
        let mistakes = checker.mistakes;
        if mistakes.is_empty() { Ok(settings) } else { Err(SettingsError { mistakes }) }
    }
}

impl Raw {
    /// The profile that `name` names, as the setting `policy.profile` would: a built-in one, or
    /// that of a file; it counts as `policy.count` says.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn profile_named(&self, name: &str) -> Result<Profile, Vec<String>> {
        let mut profile = profile_named(name)?;
        let mut checker = Checker { mistakes: Vec::new(), raw: self };
        profile.count = checker.count().unwrap_or(profile.count);
        if checker.mistakes.is_empty() { Ok(profile) } else { Err(checker.mistakes) }
    }
}

struct Checker<'a> {
    raw: &'a Raw,
    mistakes: Vec<String>,
}

impl Checker<'_> {
    fn settings(&mut self) -> Settings {
        let profile = Arc::new(self.profile_with_count());
        let environment = self.take("environment", Environment::from_word);
        Settings {
            audit: Audit {
                checkpoint_copies: self.take("audit.checkpoint_copies", paths),
                checkpoint_interval: self
                    .take("audit.checkpoint_seconds", |text| seconds(text, 1, 3_600)),
                key_file: self.take("audit.key_file", |text| {
                    let path = (!text.is_empty()).then(|| PathBuf::from(text));
                    (!text.contains('\0')).then_some(path)
                }),
                origin: self.take("audit.origin", |text| match text {
                    "" => Some(None),
                    _ => text.parse().ok().map(Some),
                }),
            },
            server: Server {
                listen: self.take("server.listen", |text| text.parse().ok()),
                public_url: self.take("server.public_url", public_url),
                contact: self.take("server.contact", |text| {
                    let is_line = !text.contains(|char: char| char.is_control());
                    is_line.then(|| text.trim().to_owned())
                }),
                connections_max: self
                    .take("server.connections_max", |text| number(text, 1, 65_536)),
                header_max: self.take("server.header_seconds_max", |text| seconds(text, 1, 300)),
                idle_max: self.take("server.idle_seconds_max", |text| seconds(text, 1, 3_600)),
                trusted_proxies: self.take("server.trusted_proxies", networks),
                shutdown_max: self
                    .take("server.shutdown_seconds_max", |text| seconds(text, 0, 3_600)),
            },
            data_folder: self.take("data.folder", |text| {
                (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text))
            }),
            releases: self.take("data.url", |text| match text {
                "" => Some(None),
                _ if text.contains("://") || text.contains('\0') => None,
                _ => Some(Some(PathBuf::from(text))),
            }),
            store: self.store(),
            instance: self.take("instance", instance),
            export: Export {
                folder: self.take("export.folder", |text| match text {
                    "" => Some(None),
                    _ => (!text.contains('\0')).then(|| Some(PathBuf::from(text))),
                }),
                fonts: self.take("export.fonts", |text| {
                    let is_path = !text.is_empty() && !text.contains('\0');
                    is_path.then(|| PathBuf::from(text))
                }),
                pdf_objects_max: self.take("export.pdf_objects_max", |text| large(text, 1_000_000)),
                keep_hours: self.take("export.keep_hours", |text| days(text, 1, 8_760)),
                file_objects_max: self
                    .take("export.file_objects_max", |text| large(text, 1_000_000)),
                compliance_age_hours: self
                    .take("export.compliance_age_hours", |text| days(text, 0, 8_760)),
                credential: self.take("export.credential", |text| {
                    let name = text.trim();
                    (!name.contains(char::is_whitespace))
                        .then(|| (!name.is_empty()).then(|| name.to_owned()))
                }),
                upload_bytes_max: self.take("export.upload_bytes_max", |text| large(text, 1 << 30)),
            },
            hydrate: super::hydrate::read(self.raw, environment, &profile, &mut |key, clause| {
                let said = self.raw.effective_of(key);
                self.mistakes.push(told(&said, clause));
            }),
            profile,
            reminder_days: self.take("policy.reminder_days", |text| {
                number(text, 1, 90).and_then(|days| days.try_into().ok())
            }),
            environment,
            privacy: Privacy {
                delivery_days: self.take("privacy.delivery_days", |text| days(text, 0, 36_500)),
                invitation_days: self.take("privacy.invitation_days", |text| days(text, 1, 3_650)),
            },
            log: Log {
                level: self.take("log.level", log_level),
                format: self.take("log.format", |text| match text {
                    "text" => Some(LogFormat::Text),
                    "json" => Some(LogFormat::Json),
                    _ => None,
                }),
            },
            mail: super::mail::read(self.raw, &mut |key, clause| {
                let said = self.raw.effective_of(key);
                self.mistakes.push(told(&said, clause));
            }),
            session: Session {
                idle_max: self.take("session.idle_seconds_max", |text| seconds(text, 60, YEAR)),
                whole_max: self.take("session.seconds_max", |text| seconds(text, 60, YEAR)),
            },
            share: Share { public_url: self.take("share.public_url", public_url) },
            strip: StripBounds {
                body_bytes_max: self.take("strip.body_bytes_max", |text| large(text, 1 << 40)),
                idle_max: self.take("strip.idle_seconds_max", |text| seconds(text, 1, 3_600)),
                running_max: self.take("strip.running_max", |text| number(text, 1, 256)),
            },
            upstreams: self.upstreams(),
            providers: super::provider::read(self.raw, &mut |key, clause| {
                let said = self.raw.effective_of(key);
                self.mistakes.push(told(&said, clause));
            }),
        }
    }

    /// The upstreams that have an address.
    fn upstreams(&mut self) -> BTreeMap<String, Arc<Upstream>> {
        let mut upstreams = BTreeMap::new();
        for name in self.raw.names(&UPSTREAMS) {
            let upstream = self.upstream(&name);
            upstreams.extend(upstream.map(|upstream| (name, Arc::new(upstream))));
        }
        upstreams
    }

    fn upstream(&mut self, name: &str) -> Option<Upstream> {
        let key = |last| UPSTREAMS.key(name, last);
        let address = self.raw.effective_of(&key("url"));
        if address.origin == Origin::Default {
            self.mistake(&address, "an upstream needs an address");
        }
        let url = self.take(&key("url"), upstream::url);
        let private = self.take(&key("allow_private"), |text| text.parse::<bool>().ok());
        let reach = if private { Reach::Private } else { Reach::Public };
        if let Some(literal) = url.as_ref().and_then(upstream::literal)
            && !reach.allows(literal)
        {
            let clause = "lies in a private network, which allow_private = true would allow";
            self.mistake(&address, clause);
        }
        let header = self.take(&key("secret_header"), |text| text.parse::<HeaderName>().ok());
        let value = self.take(&key("secret_file"), secret);
        let upstream = Upstream {
            name: name.to_owned(),
            sha256: self.take(&key("sha256"), sha256),
            reach,
            bytes_max: self.take(&key("bytes_max"), |text| large(text, 1 << 50)),
            connect_max: self.take(&key("connect_seconds_max"), |text| seconds(text, 1, 300)),
            first_byte_max: self
                .take(&key("first_byte_seconds_max"), |text| seconds(text, 1, 3_600)),
            idle_max: self.take(&key("idle_seconds_max"), |text| seconds(text, 1, 3_600)),
            secret: value.map(|value| (header, value)),
            url: url?,
        };
        Some(upstream)
    }

    /// The value of the setting `key`; if `parse` takes it for wrong, notes the mistake and goes
    /// on with the default, so that the other mistakes are found too.
    fn take<T>(&mut self, key: &str, parse: impl Fn(&str) -> Option<T>) -> T {
        let said = self.raw.effective_of(key);
        if let Some(value) = parse(&said.value) {
            return value;
        }
        let setting = setting(key).expect("what was said of a setting is said of the table's");
        self.mistake(&said, &format!("needs {}", setting.right));
        parse(setting.default).expect("a test takes every default")
    }

    /// Where the database is said to be, in the settings or in the file that they name.
    fn store(&mut self) -> Option<Place> {
        let said = self.raw.effective_of("store.url");
        let file = self.raw.effective_of("store.url_file");
        let text = match (said.value.as_str(), file.value.as_str()) {
            ("", "") => return None,
            (text, "") => text.to_owned(),
            ("", path) => match std::fs::read_to_string(path) {
                Ok(text) => text.lines().next().unwrap_or_default().trim().to_owned(),
                Err(error) => {
                    self.mistake(&file, &format!("the file cannot be read: {error}"));
                    return None;
                }
            },
            _ => {
                self.mistake(&file, "store.url is set too, and only one of the two can hold");
                return None;
            }
        };
        let said = if file.value.is_empty() { said } else { file };
        Place::parse(&text).map_err(|error| self.mistake(&said, &error.to_string())).ok()
    }

    fn profile_with_count(&mut self) -> Profile {
        let mut profile = self.profile();
        profile.count = self.count().unwrap_or(profile.count);
        profile
    }

    /// How IDs are counted, whatever the profile says; `None`: as it says.
    fn count(&mut self) -> Option<Count> {
        self.take("policy.count", |text| match text {
            "" => Some(None),
            word => Count::from_word(word).map(Some),
        })
    }

    fn profile(&mut self) -> Profile {
        let said = self.raw.effective_of("policy.profile");
        match profile_named(&said.value) {
            Ok(profile) => profile,
            Err(mistakes) => {
                mistakes.iter().for_each(|mistake| self.mistake(&said, mistake));
                let default = setting("policy.profile").expect("the table has it").default;
                Profile::built_in(default).expect("the default profile is built in")
            }
        }
    }

    fn mistake(&mut self, said: &Effective, clause: &str) {
        self.mistakes.push(told(said, clause));
    }
}

fn told(said: &Effective, clause: &str) -> String {
    let Effective { key, origin, .. } = said;
    format!("{key} = {:?} ({origin}): {clause}", said.shown())
}

/// Networks with commas between; an address is a network of one.
fn networks(text: &str) -> Option<Vec<IpNet>> {
    let parts = text.split(',').map(str::trim).filter(|_| !text.trim().is_empty());
    parts
        .map(|part| part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(IpNet::from)).ok())
        .collect()
}

/// The paths of a list. None may be empty: a file that is named by mistake would get no copy.
fn paths(text: &str) -> Option<Vec<PathBuf>> {
    let parts = text.split(BETWEEN).filter(|_| !text.is_empty());
    parts
        .map(|part| (!part.is_empty() && !part.contains('\0')).then(|| PathBuf::from(part)))
        .collect()
}

/// The built-in profile of that name, or that of the file at that path.
fn profile_named(name: &str) -> Result<Profile, Vec<String>> {
    if let Some(profile) = Profile::built_in(name) {
        return Ok(profile);
    }
    if name.contains('/') || name.ends_with(".toml") {
        return read_profile(Path::new(name));
    }
    let known = Profile::built_in_names().collect::<Vec<_>>().join(", ");
    Err(vec![format!("needs one of {known}, or the path of a profile's file")])
}

fn read_profile(path: &Path) -> Result<Profile, Vec<String>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| vec![format!("the file cannot be read: {error}")])?;
    Profile::parse(&text).map_err(|error| error.mistakes)
}

/// The name of this gateway; the machine's, if nobody gave it one.
fn instance(text: &str) -> Option<String> {
    const CHARS_MAX: usize = 63;
    if text.is_empty() {
        let machine = rustix::system::uname();
        let name = machine.nodename().to_string_lossy().into_owned();
        return Some(if name.is_empty() { "hydrant".to_owned() } else { name });
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    (text.len() <= CHARS_MAX && text.chars().all(fits)).then(|| text.to_owned())
}

pub(super) fn number(text: &str, min: usize, max: usize) -> Option<usize> {
    text.parse().ok().filter(|number| (min..=max).contains(number))
}

fn days(text: &str, min: u32, max: u32) -> Option<u32> {
    text.parse().ok().filter(|days| (min..=max).contains(days))
}

pub(super) fn large(text: &str, max: u64) -> Option<u64> {
    text.parse().ok().filter(|number| (1..=max).contains(number))
}

/// `None`: not right; `Some(None)`: right, and there is none.
fn sha256(text: &str) -> Option<Option<[u8; 32]>> {
    if text.is_empty() {
        return Some(None);
    }
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).ok()?;
    Some(Some(digest))
}

/// The secret in a file: one line, which a header field can carry.
fn secret(path: &str) -> Option<Option<HeaderValue>> {
    if path.is_empty() {
        return Some(None);
    }
    let text = std::fs::read_to_string(path).ok()?;
    let mut value = HeaderValue::from_str(text.trim_end_matches(['\r', '\n'])).ok()?;
    value.set_sensitive(true);
    (!value.is_empty()).then_some(Some(value))
}

pub(super) fn seconds(text: &str, min: usize, max: usize) -> Option<Duration> {
    number(text, min, max).map(|seconds| Duration::from_secs(seconds as u64))
}

/// The library takes any word for a module's name, also a mistyped level: so each part has to be
/// a level, or to end with one.
fn log_level(text: &str) -> Option<String> {
    let is_level = |part: &str| {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        !level.is_empty() && level.parse::<LevelFilter>().is_ok()
    };
    let usable = text.split(',').all(is_level) && text.parse::<Targets>().is_ok();
    usable.then(|| text.to_owned())
}

/// `None`: not right; `Some(None)`: right, and there is none.
fn public_url(text: &str) -> Option<Option<String>> {
    if text.is_empty() {
        return Some(None);
    }
    let text = text.strip_suffix('/').unwrap_or(text);
    let url: Uri = text.parse().ok()?;
    let scheme_fits = matches!(url.scheme_str(), Some("http" | "https"));
    let bare = url.path() == "/" && url.query().is_none() && !text.contains(['#', '@']);
    (scheme_fits && bare && !text.ends_with('/')).then(|| Some(text.to_owned()))
}
