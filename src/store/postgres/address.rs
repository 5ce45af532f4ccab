//! Where a PostgreSQL database is, and under which name a gateway works on it; how it is used is
//! not here.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use tokio_postgres::config::{Config, Host, SslMode, TargetSessionAttrs};

/// The URL of a database, checked, and the name of the gateway that works on it.
#[derive(Clone)]
pub struct Address {
    pub(super) config: Box<Config>,
    /// The gateway's name; `None` for a command, which only looks and enters.
    pub(super) instance: Option<String>,
}

/// Why a text is no address of a database.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotAnAddress {
    /// It is not written like one.
    #[error("it is not like `postgres://user:password@host:5432/database?sslmode=require`: {0}")]
    Unreadable(String),
    /// It names no server.
    #[error("it names no host: write `postgres://user@host/database`")]
    NoHost,
}

impl Address {
    /// Reads a URL, `postgres://user:password@host:port/database`.
    ///
    /// Without `sslmode` TLS is required, unless the server is on this machine.
    ///
    /// # Errors
    /// [`NotAnAddress`].
    pub fn parse(url: &str) -> Result<Address, NotAnAddress> {
        let unreadable = |error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            NotAnAddress::Unreadable(cause.unwrap_or_else(|| error.to_string()))
        };
        let mut config = Config::from_str(url).map_err(unreadable)?;
        if config.get_hosts().is_empty() {
            return Err(NotAnAddress::NoHost);
        }
        if config.get_hosts().len() > 1 && !url.contains("target_session_attrs=") {
            // Whichever is the primary just now.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if !url.contains("sslmode=") {
            let is_here = config.get_hosts().iter().all(is_this_machine);
            config.ssl_mode(if is_here { SslMode::Disable } else { SslMode::Require });
        }
        Ok(Address { config: Box::new(config), instance: None })
    }

    /// The same database, for the gateway of that name.
    #[must_use]
    pub fn for_instance(mut self, name: &str) -> Address {
        self.instance = Some(name.to_owned());
        self
    }
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

/// Without the password.
impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("postgres://")?;
        for (place, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) => write!(out, "{comma}{name}")?,
                Host::Unix(path) => write!(out, "{comma}{}", path.display())?,
            }
            if let Some(port) = self.config.get_ports().get(place) {
                write!(out, ":{port}")?;
            }
        }
        write!(out, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let address = Address::parse("postgres://ada:secret@db.example:5433/hydrant").unwrap();
        assert_eq!(address.to_string(), "postgres://db.example:5433/hydrant");
        assert!(!format!("{address:?}").contains("secret"));
    }

    #[test]
    fn tls_is_required_unless_the_server_is_here_or_the_url_says_otherwise() {
        for (url, expected) in [
            ("postgres://ada@db.example/h", SslMode::Require),
            ("postgres://ada@db.example/h?sslmode=disable", SslMode::Disable),
            ("postgres://ada@127.0.0.1/h", SslMode::Disable),
            ("postgres://ada@localhost/h", SslMode::Disable),
            ("postgres://ada@127.0.0.1,db.example/h", SslMode::Require),
            ("postgres:///h?host=/run/postgresql", SslMode::Disable),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.config.get_ssl_mode(), expected, "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_told_what_one_looks_like() {
        for url in ["postgres://ada@host/h?sslmod=x", "postgres://host:port/h", "postgres:///h"] {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(error.contains("postgres://user"), "{error}");
        }
    }
}
