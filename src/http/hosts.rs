//! Which hosts this gateway answers for: a name that somebody else points here is not one of them.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{self, Problem};
use super::state::Gateway;

/// By which way a request came, as its host tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// By the published name, over TLS.
    Tls,
    /// From this machine itself, so that TLS would keep nobody out.
    Loopback,
    /// Over a network without TLS, where nobody may sign in.
    Plain,
}

/// The hosts of a gateway, as `Host` fields name them.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    names: Vec<String>,
    /// Set when the gateway listens on every address and no public name is known: then any
    /// literal address of the machine will do, but no name.
    any_address: bool,
    /// The published name, if it is reached over TLS.
    tls_name: Option<String>,
}

impl Hosts {
    /// The hosts of a gateway that listens on `listen` and is published as `public_url`, if it is.
    pub(crate) fn new(listen: SocketAddr, public_url: Option<&str>) -> Hosts {
        let port = listen.port();
        let mut names = vec![listen.to_string(), format!("localhost:{port}")];
        if port == 80 {
            names.extend([listen.ip().to_string(), "localhost".to_owned()]);
        }
        if let Some(authority) = public_url.and_then(authority) {
            names.push(authority.to_ascii_lowercase());
        }
        let tls_name = public_url.filter(|url| url.starts_with("https://")).and_then(authority);
        let tls_name = tls_name.map(str::to_ascii_lowercase);
        let any_address = listen.ip().is_unspecified() && public_url.is_none();
        Hosts { names, any_address, tls_name }
    }

    /// By which way a request with these fields came.
    pub(crate) fn door_of(&self, headers: &HeaderMap) -> Door {
        let host = host_of(headers);
        if self.tls_name.as_ref().is_some_and(|name| *name == host) {
            return Door::Tls;
        }
        let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        let address: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
        match name == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            true => Door::Loopback,
            false => Door::Plain,
        }
    }

    /// Under which address a browser sees the gateway that sends these fields.
    pub(crate) fn origin_of(&self, headers: &HeaderMap) -> String {
        let scheme = if self.door_of(headers) == Door::Tls { "https" } else { "http" };
        format!("{scheme}://{}", host_of(headers))
    }

    /// Whether a page of this gateway's own sent a request with these fields. A browser says from
    /// where it sends what changes something; `null` is nowhere that is known.
    pub(crate) fn is_own_page(&self, headers: &HeaderMap) -> bool {
        let own = self.origin_of(headers);
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (Some(origin), None) => origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()),
            (None, _) => headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin"),
            _ => false,
        }
    }

    fn answers_for(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let literal = host.parse::<SocketAddr>().is_ok() || host.parse::<IpAddr>().is_ok();
        self.names.contains(&host) || (self.any_address && literal)
    }
}

/// The host that a request names, in lower case.
fn host_of(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.unwrap_or_default().to_ascii_lowercase()
}

/// The part of an address between `://` and the path.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', '?', '#']).next()
}

/// Answers 421 to requests for other hosts, and 400 to those that name none or two.
pub(crate) async fn check(
    State(gateway): State<Gateway>,
    request: Request,
    next: Next,
) -> Response {
    let mut named = request.headers().get_all(header::HOST).iter();
    let host = match (named.next().and_then(|host| host.to_str().ok()), named.next()) {
        (Some(host), None) => host,
        _ => {
            let detail = "the request must name one host";
            return Problem::new(&problem::BAD_REQUEST, detail).into_response();
        }
    };
    if !gateway.hosts.answers_for(host) {
        let detail = "the Host field names a host that is not this gateway's";
        return Problem::new(&problem::MISDIRECTED, detail).into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_answers_for_its_own_names_only() {
        let local = Hosts::new("127.0.0.1:8080".parse().unwrap(), None);
        let public =
            Hosts::new("127.0.0.1:8080".parse().unwrap(), Some("https://ids.library.example/x"));
        let open = Hosts::new("0.0.0.0:8080".parse().unwrap(), None);
        for (hosts, host, expected) in [
            (&local, "127.0.0.1:8080", true),
            (&local, "LocalHost:8080", true),
            (&local, "127.0.0.1", false),
            (&local, "evil.example", false),
            (&public, "ids.library.example", true),
            (&public, "ids.library.example:444", false),
            (&open, "192.0.2.7:8080", true),
            (&open, "evil.example:8080", false),
        ] {
            assert_eq!(hosts.answers_for(host), expected, "{host}");
        }
    }

    #[test]
    fn a_form_counts_that_comes_from_the_very_origin_that_it_goes_to() {
        let listen = "127.0.0.1:8080".parse().unwrap();
        let hosts = Hosts::new(listen, Some("https://ids.library.example"));
        for (host, field, value, door, expected) in [
            ("127.0.0.1:8080", "origin", "http://127.0.0.1:8080", Door::Loopback, true),
            ("127.0.0.1:8080", "origin", "http://127.0.0.1:8081", Door::Loopback, false),
            ("127.0.0.1:8080", "origin", "null", Door::Loopback, false),
            ("localhost:8080", "sec-fetch-site", "same-origin", Door::Loopback, true),
            ("localhost:8080", "sec-fetch-site", "same-site", Door::Loopback, false),
            ("localhost:8080", "x-other", "same-origin", Door::Loopback, false),
            ("ids.library.example", "origin", "https://ids.library.example", Door::Tls, true),
            ("ids.library.example", "origin", "http://ids.library.example", Door::Tls, false),
            ("ids.library.example", "origin", "https://evil.example", Door::Tls, false),
            ("192.0.2.7:8080", "origin", "http://192.0.2.7:8080", Door::Plain, true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            headers.insert(field, value.parse().unwrap());
            assert_eq!(hosts.door_of(&headers), door, "{host}");
            assert_eq!(hosts.is_own_page(&headers), expected, "{host} {field}: {value}");
        }
    }
}
