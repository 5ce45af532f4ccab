//! Sections that hold several tables of the same settings, each under a name: which there are, and
//! how a key names a setting of one.

use super::hydrate::CREDENTIAL_SETTINGS;
use super::provider::PROVIDER_SETTINGS;
use super::table::Setting;
use super::upstream::UPSTREAM_SETTINGS;

/// A section of named tables.
pub(super) struct Named {
    /// What stands before the names: `upstreams`.
    pub(super) section: &'static str,
    /// The name of the table in the example file.
    pub(super) example: &'static str,
    /// The settings of each table.
    pub(super) settings: &'static [Setting],
}

/// Where datasets come from that are stripped in flight.
pub(super) static UPSTREAMS: Named =
    Named { section: "upstreams", example: "archive", settings: UPSTREAM_SETTINGS };

/// By which the platform knows this gateway.
pub(super) static CREDENTIALS: Named =
    Named { section: "hydrate.credentials", example: "main", settings: CREDENTIAL_SETTINGS };

/// By whom people may sign in.
pub(super) static PROVIDERS: Named =
    Named { section: "sign_in.providers", example: "orcid", settings: PROVIDER_SETTINGS };

/// All of them, in the order of the example file.
pub(super) static NAMED: [&Named; 3] = [&PROVIDERS, &UPSTREAMS, &CREDENTIALS];

impl Named {
    /// The key of a setting of the table `name`.
    pub(super) fn key(&self, name: &str, last: &str) -> String {
        format!("{}.{name}.{last}", self.section)
    }

    /// The name and the last part of a key such as `upstreams.archive.url`.
    pub(super) fn split<'a>(&self, key: &'a str) -> Option<(&'a str, &'a str)> {
        key.strip_prefix(self.section)?.strip_prefix('.')?.rsplit_once('.')
    }

    /// The name and the setting of a key, if it is right.
    pub(super) fn parse<'a>(&self, key: &'a str) -> Option<(&'a str, &'static Setting)> {
        let (name, last) = self.split(key)?;
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if name.is_empty() || !name.bytes().all(plain) {
            return None;
        }
        Some((name, self.settings.iter().find(|setting| setting.key == last)?))
    }
}
