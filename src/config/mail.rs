//! How letters leave: the settings `mail.*` as they are read; what letters say is not here.

use std::net::IpAddr;

use axum::http::Uri;
use lettre::message::Mailbox;

use super::raw::Raw;

/// The server that takes letters, and in whose name they go out.
#[derive(Clone)]
pub struct Mail {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others.
    pub security: MailSecurity,
    /// Who logs in, and with which password.
    pub login: Option<(String, String)>,
    /// The address that letters come from.
    pub from: Mailbox,
}

/// How a connection to a server of mail is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte.
    Tls,
    /// TLS once both have said so; without it nothing is sent.
    StartTls,
    /// Not at all: the server is on this machine.
    None,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password is nobody's business.
        write!(out, "Mail({}:{}, {:?}, {})", self.host, self.port, self.security, self.from)
    }
}

/// What `mail.url` says.
#[derive(Debug, PartialEq, Eq)]
struct Relay {
    host: String,
    port: u16,
    security: MailSecurity,
    user: Option<String>,
}

/// The mail of the settings, if there is any; what is wrong is told by key.
pub(super) fn read(raw: &Raw, mistake: &mut dyn FnMut(&str, &str)) -> Option<Mail> {
    let value = |key: &str| raw.effective_of(key).value;
    let (url, from) = (value("mail.url"), value("mail.from"));
    let password_file = value("mail.password_file");
    if url.is_empty() {
        for (key, value) in [("mail.from", &from), ("mail.password_file", &password_file)] {
            if !value.is_empty() {
                mistake(key, "is of no use without mail.url");
            }
        }
        return None;
    }
    let relay = relay(&url);
    if relay.is_none() {
        mistake(
            "mail.url",
            "needs smtps://user@host:465, smtp://user@host:587, or smtp://127.0.0.1:25; the \
             password stands in mail.password_file",
        );
    }
    let from: Option<Mailbox> = from.parse().ok();
    if from.is_none() {
        mistake("mail.from", "needs an address like \"hydrant <hydrant@example.org>\"");
    }
    let password = match password_file.as_str() {
        "" => None,
        path => match std::fs::read_to_string(path) {
            Ok(text) => Some(text.lines().next().unwrap_or_default().to_owned()),
            Err(error) => {
                mistake("mail.password_file", &format!("the file cannot be read: {error}"));
                return None;
            }
        },
    };
    let (relay, from) = (relay?, from?);
    let login = match (relay.user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        (Some(_), None) => {
            mistake("mail.url", "names a user, whose password mail.password_file has to hold");
            return None;
        }
        (None, Some(_)) => {
            mistake("mail.password_file", "needs a user in mail.url, like smtps://user@host");
            return None;
        }
    };
    Some(Mail { host: relay.host, port: relay.port, security: relay.security, login, from })
}

fn relay(url: &str) -> Option<Relay> {
    let parsed: Uri = url.parse().ok()?;
    let authority = parsed.authority()?;
    let user = authority.as_str().rsplit_once('@').map(|(user, _)| user.to_owned());
    // A password among the settings would be shown with them.
    let is_bare = parsed.path().trim_matches('/').is_empty() && parsed.query().is_none();
    if !is_bare || user.as_ref().is_some_and(|user| user.is_empty() || user.contains(':')) {
        return None;
    }
    let host = authority.host().trim_matches(['[', ']']).to_owned();
    let is_here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let (security, port) = match parsed.scheme_str()? {
        "smtps" => (MailSecurity::Tls, 465),
        "smtp" if is_here => (MailSecurity::None, 25),
        "smtp" => (MailSecurity::StartTls, 587),
        _ => return None,
    };
    (!host.is_empty()).then(|| Relay {
        host,
        port: authority.port_u16().unwrap_or(port),
        security,
        user,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_goes_out_unprotected_to_this_machine_only() {
        use MailSecurity::{StartTls, Tls};
        for (url, expected) in [
            ("smtps://u@mail.example.org", Some(("mail.example.org", 465, Tls, Some("u")))),
            ("smtp://mail.example.org", Some(("mail.example.org", 587, StartTls, None))),
            ("smtp://127.0.0.1:2525", Some(("127.0.0.1", 2525, MailSecurity::None, None))),
            ("smtp://[::1]:2525/", Some(("::1", 2525, MailSecurity::None, None))),
            ("smtp://u:secret@mail.example.org", None),
            ("http://mail.example.org", None),
            ("smtp://mail.example.org/inbox", None),
            ("mail.example.org", None),
        ] {
            let found = relay(url);
            let found = found.as_ref().map(|relay| {
                (relay.host.as_str(), relay.port, relay.security, relay.user.as_deref())
            });
            assert_eq!(found, expected, "{url}");
        }
    }
}
