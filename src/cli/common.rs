//! What every command takes, and what it becomes: settings and a clock.

use std::path::PathBuf;

use crate::audit::{LogPlaces, Notary};
use crate::base::clock::Clock;
use crate::config::{Flag, LogFormat, Raw, Settings, SettingsError};
use crate::store::{DataFolder, FolderError, Place};
use crate::telemetry;

/// The flags of every command.
#[derive(clap::Args)]
pub(crate) struct Common {
    /// The settings file [default: hydrant.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The data folder [default: hydrant-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print JSON for programs instead of tables for people
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Read the time from this file instead of the machine's clocks
    #[cfg(feature = "simulated-clock")]
    #[arg(long, global = true, value_name = "FILE")]
    clock: Option<PathBuf>,
}

impl Common {
    /// The settings of file, environment and flags as they stand; `listen` is the flag `--listen`
    /// of the commands that have it.
    pub(crate) fn raw_settings(&self, listen: Option<String>) -> Raw {
        let data = self.data.as_ref().map(|data| Flag {
            name: "--data",
            key: "data.folder",
            value: data.display().to_string(),
        });
        let listen = listen.map(|value| Flag { name: "--listen", key: "server.listen", value });
        let flags = data.into_iter().chain(listen).collect();
        // Not `vars`, which panics at a variable of somebody else's that is not UTF-8.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Raw::read(self.config.as_deref(), variables, flags)
    }

    /// The settings, checked.
    pub(crate) fn settings(&self, listen: Option<String>) -> Result<Settings, SettingsError> {
        self.raw_settings(listen).check()
    }

    /// The clock of the command.
    pub(crate) fn clock(&self) -> Clock {
        #[cfg(feature = "simulated-clock")]
        if let Some(path) = &self.clock {
            return Clock::simulated(path);
        }
        Clock::system()
    }
}

/// The data folder, made if it is not there.
pub(crate) fn folder(settings: &Settings) -> Result<DataFolder, FolderError> {
    with_releases(settings, DataFolder::create(&settings.data_folder)?)
}

/// The data folder, which has to be there.
pub(crate) fn existing_folder(settings: &Settings) -> Result<DataFolder, FolderError> {
    with_releases(settings, DataFolder::existing(&settings.data_folder)?)
}

fn with_releases(settings: &Settings, folder: DataFolder) -> Result<DataFolder, FolderError> {
    match &settings.releases {
        Some(path) => folder.with_releases(path),
        None => Ok(folder),
    }
}

/// Where releases lie, whether anything is there or not.
pub(crate) fn releases(settings: &Settings) -> PathBuf {
    let own = || DataFolder::named(&settings.data_folder).releases();
    settings.releases.clone().unwrap_or_else(own)
}

/// Where the database is.
pub(crate) fn place(settings: &Settings, folder: &DataFolder) -> Place {
    settings.store.clone().unwrap_or_else(|| Place::File(folder.database()))
}

/// Who signs the audit log; nothing is read or made yet.
pub(crate) fn notary(settings: &Settings) -> Notary {
    let address = settings.server.public_url.as_deref().unwrap_or_default();
    let host = address.rsplit("//").next().filter(|host| !host.is_empty());
    let origin_default = format!("{}/log", host.unwrap_or("hydrant.invalid")).parse();
    let audit = &settings.audit;
    Notary::new(LogPlaces {
        origin: audit.origin.clone(),
        origin_default: origin_default.expect("the host of a checked address has no blank or plus"),
        key_file: audit
            .key_file
            .clone()
            .unwrap_or_else(|| DataFolder::audit_key_in(&settings.data_folder)),
        copies: audit.checkpoint_copies.clone(),
    })
}

/// Starts the log as the settings want it.
pub(crate) fn start_log(settings: &Settings) {
    match settings.log.format {
        LogFormat::Text => telemetry::start_text(&settings.log.level),
        LogFormat::Json => telemetry::start_json(&settings.log.level),
    }
}
