//! The gateway's cookies: what they are called, how they are read and set. Whose session one
//! is, `auth` finds out.
//!
//! Over TLS their names begin with `__Host-`: then a browser takes them from this very host alone,
//! never from a neighbour, and sends them nowhere else. On this machine without TLS they cannot.

use axum::http::{HeaderMap, HeaderValue, header};

use super::hosts::Door;
use crate::directory::Secret;

/// One of the cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The secret of a session.
    Session,
    /// What forms must repeat as long as nobody has signed in.
    Form,
    /// What shows that this browser was sent to a provider, and what it has shown there.
    Proof,
}

impl Cookie {
    fn name(self, door: Door) -> Option<&'static str> {
        match (self, door) {
            (Cookie::Session, Door::Tls) => Some("__Host-hydrant"),
            (Cookie::Session, Door::Loopback) => Some("hydrant-session"),
            (Cookie::Form, Door::Tls) => Some("__Host-hydrant-form"),
            (Cookie::Form, Door::Loopback) => Some("hydrant-form"),
            (Cookie::Proof, Door::Tls) => Some("__Host-hydrant-proof"),
            (Cookie::Proof, Door::Loopback) => Some("hydrant-proof"),
            // Whoever listens on the way would have it.
            (_, Door::Plain) => None,
        }
    }

    /// The secret that a request brings in this cookie. Two cookies of one name are none: one of
    /// them is somebody else's.
    pub(crate) fn read(self, headers: &HeaderMap, door: Door) -> Option<Secret> {
        let name = self.name(door)?;
        let fields = headers.get_all(header::COOKIE).iter();
        let mut found = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(named, _)| *named == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Secret::parse(value),
            _ => None,
        }
    }

    /// The field that puts `secret` into this cookie; `None` where no cookie may be set.
    pub(crate) fn set(self, door: Door, secret: &Secret) -> Option<HeaderValue> {
        let more = match self {
            // The server knows better how long each use of it is good.
            Cookie::Proof => "; Max-Age=86400",
            Cookie::Session | Cookie::Form => "",
        };
        self.field(door, secret.reveal(), more)
    }

    /// The field that takes this cookie away.
    pub(crate) fn clear(self, door: Door) -> Option<HeaderValue> {
        self.field(door, "", "; Max-Age=0")
    }

    fn field(self, door: Door, value: &str, more: &str) -> Option<HeaderValue> {
        let name = self.name(door)?;
        let secure = if door == Door::Tls { "; Secure" } else { "" };
        let field = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}");
        let mut field = HeaderValue::from_str(&field).expect("letters, digits and signs of ours");
        field.set_sensitive(true);
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_as_it_was_set_and_two_of_one_name_are_none() {
        let secret = Secret::generate();
        for door in [Door::Tls, Door::Loopback] {
            let set = Cookie::Session.set(door, &secret).unwrap();
            let set = set.to_str().unwrap();
            assert_eq!(set.contains("; Secure"), door == Door::Tls, "{set}");
            let pair = set.split(';').next().unwrap();
            let read = |cookies: &str, cookie: Cookie| {
                let mut headers = HeaderMap::new();
                headers.insert(header::COOKIE, cookies.parse().unwrap());
                cookie.read(&headers, door).map(|secret| secret.reveal().to_owned())
            };
            let expected = Some(secret.reveal().to_owned());
            assert_eq!(read(&format!("a=b; {pair}"), Cookie::Session), expected);
            assert_eq!(read(&format!("{pair}; {pair}"), Cookie::Session), None);
            assert_eq!(read(pair, Cookie::Form), None);
        }
        assert!(Cookie::Session.set(Door::Plain, &secret).is_none());
    }
}
