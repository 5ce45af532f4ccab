//! The settings: read from the settings file, the environment and flags, checked as a whole.
//!
//! The story: [`Raw::read`] gathers texts, each with the place it came from; a later place wins
//! (file, environment, flag). [`Raw::check`] turns them into [`Settings`], or into one error that
//! holds every mistake, so that nobody has to start the gateway once for each. What settings
//! there are stands in one table, [`SETTINGS`], from which the example file, `config show` and
//! the messages follow.

mod check;
mod hydrate;
mod mail;
mod provider;
mod named;
mod raw;
mod table;
mod upstream;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use hydrate::{CREDENTIAL_SETTINGS, Credential, Fields, HYDRATE_SETTINGS, Hydrate};
use ipnet::IpNet;
pub use mail::{Mail, MailSecurity};
pub use provider::{PROVIDER_SETTINGS, Provider};
pub use raw::{Effective, Flag, Origin, Raw};
pub use table::{SETTINGS, Setting, example};
pub use upstream::{Reach, UPSTREAM_SETTINGS, Upstream};

use crate::base::origin::LogOrigin;
use crate::policy::Profile;
use crate::store::Place;

/// Everything that can be set, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How the audit log is signed and kept safe.
    pub audit: Audit,
    /// How the gateway listens.
    pub server: Server,
    /// Where everything is kept that is this gateway's own.
    pub data_folder: PathBuf,
    /// Where releases are, if not in the data folder.
    pub releases: Option<PathBuf>,
    /// Where the database is, if not in the data folder.
    pub store: Option<Place>,
    /// The name of this gateway among those on one database.
    pub instance: String,
    /// The numbers that are wanted; in force are those that the store says.
    pub profile: Arc<Profile>,
    /// How many days before its end somebody is reminded of an exemption.
    pub reminder_days: u32,
    /// What this instance is for.
    pub environment: Environment,
    /// How files of full objects are made and kept.
    pub export: Export,
    /// How full objects are fetched from the platform.
    pub hydrate: Arc<Hydrate>,
    /// What is logged.
    pub log: Log,
    /// How letters leave, if they do.
    pub mail: Option<Mail>,
    /// How long somebody stays signed in.
    pub session: Session,
    /// How long what is personal is kept.
    pub privacy: Privacy,
    /// How peer-review links are reached.
    pub share: Share,
    /// The bounds of what is stripped for a request.
    pub strip: StripBounds,
    /// Where datasets come from that are stripped in flight, by name.
    pub upstreams: BTreeMap<String, Arc<Upstream>>,
    /// The OpenID providers by which people may sign in, by name.
    pub providers: BTreeMap<String, Arc<Provider>>,
}

/// How long what is personal is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privacy {
    /// How many days after its end a delivery tells who asked; 0: for ever.
    pub delivery_days: u32,
    /// How many days an invitation waits, and a proposal is kept that has ended.
    pub invitation_days: u32,
}

/// How files of full objects are made and kept.
#[derive(Clone, Debug)]
pub struct Export {
    /// Where they lie, if not in the data folder.
    pub folder: Option<PathBuf>,
    /// Where the fonts of PDF files are.
    pub fonts: PathBuf,
    /// How many objects a PDF file holds at most; more come as a zip of such files.
    pub pdf_objects_max: u64,
    /// For how many hours one is kept, from the moment in which it is made.
    pub keep_hours: u32,
    /// How many objects one has at most; what the profile lets a person have in a day may be less.
    pub file_objects_max: u64,
    /// How many hours ago removals have to have been imported last; 0: it does not matter.
    pub compliance_age_hours: u32,
    /// The credential that asks for objects of datasets of bare IDs, if anybody does.
    pub credential: Option<String>,
    /// How many bytes a list of IDs may have that somebody uploads.
    pub upload_bytes_max: u64,
}

/// How peer-review links are reached.
#[derive(Clone, Debug)]
pub struct Share {
    /// The address under which they are opened, without a slash at its end; `None` if it is the
    /// gateway's own.
    pub public_url: Option<String>,
}

/// The bounds of what is stripped for a request.
#[derive(Clone, Copy, Debug)]
pub struct StripBounds {
    /// How many bytes a body may have.
    pub body_bytes_max: u64,
    /// How long a client may take for the next piece of a body.
    pub idle_max: Duration,
    /// How many bodies and upstreams may be stripped at once.
    pub running_max: usize,
}

/// How long somebody stays signed in.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Without use.
    pub idle_max: Duration,
    /// In all.
    pub whole_max: Duration,
}

/// How the audit log is signed and kept safe.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The files that get a copy of each checkpoint.
    pub checkpoint_copies: Vec<PathBuf>,
    /// How long the log grows until its head is signed.
    pub checkpoint_interval: Duration,
    /// The file of the key that signs; `None`: in the data folder.
    pub key_file: Option<PathBuf>,
    /// The log's name; `None`: the one that its key has.
    pub origin: Option<LogOrigin>,
}

/// How the gateway listens and how long it waits.
#[derive(Clone, Debug)]
pub struct Server {
    /// Address and port.
    pub listen: SocketAddr,
    /// The address under which people reach the gateway, without a slash at its end; `None` if it
    /// is the one that it listens on.
    pub public_url: Option<String>,
    /// Whom people may ask, as pages say it; empty: nobody in particular.
    pub contact: String,
    /// How many connections may be open at once.
    pub connections_max: usize,
    /// How long a client may take for a request's header, from the connection's first moment.
    pub header_max: Duration,
    /// How long a client may take without accepting a single byte.
    pub idle_max: Duration,
    /// The proxies whose word for who asked is believed where strangers are slowed down.
    pub trusted_proxies: Vec<IpNet>,
    /// How long requests under way are waited for when the gateway stops.
    pub shutdown_max: Duration,
}

/// What an instance is for; upstream credentials of one must not serve another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Somebody's own.
    Dev,
    /// For trying things before they go out.
    Staging,
    /// For people.
    Prod,
}

impl Environment {
    /// The environment that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<Environment> {
        let all = [Environment::Dev, Environment::Staging, Environment::Prod];
        all.into_iter().find(|environment| environment.word() == word)
    }

    /// The word of the settings.
    pub fn word(self) -> &'static str {
        match self {
            Environment::Dev => "dev",
            Environment::Staging => "staging",
            Environment::Prod => "prod",
        }
    }
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A level, or levels by module, as `tracing-subscriber` reads them.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// What is wrong with the settings, all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings have {} to correct:\n{}", counted(mistakes.len()), listed(mistakes))]
pub struct SettingsError {
    /// Each names the key, the value, the place and what would be right.
    pub mistakes: Vec<String>,
}

fn counted(mistakes: usize) -> String {
    if mistakes == 1 { "1 mistake".into() } else { format!("{mistakes} mistakes") }
}

fn listed(mistakes: &[String]) -> String {
    mistakes.iter().map(|mistake| format!("  - {mistake}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
