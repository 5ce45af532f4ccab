//! Which hosts this gateway answers for: a name that somebody else points here is not one of them.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{self, Problem};
use super::review;
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
    /// Where links are opened, if not under the gateway's own names: the whole address and its
    /// host.
    links_at: Option<(String, String)>,
}

/// What a host is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It is served there.
    Here,
    /// Nothing is there: links are opened under a name of their own, and nothing else is.
    Nowhere,
    /// The host is not this gateway's.
    Elsewhere,
}

/// What the addresses of links begin with.
const LINKS: &str = "/s/";

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
        Hosts { names, any_address, tls_name, links_at: None }
    }

    /// The same, where links are opened at `url`, if that is said.
    pub(crate) fn with_links_at(mut self, url: Option<&str>) -> Hosts {
        let host = url.and_then(authority).map(str::to_ascii_lowercase);
        let other = host.filter(|host| !self.names.contains(host));
        self.links_at = url.map(str::to_owned).zip(other);
        self
    }

    /// What the address of a link begins with for whoever sends these fields.
    pub(crate) fn links_origin(&self, headers: &HeaderMap) -> String {
        match &self.links_at {
            Some((url, _)) => url.clone(),
            None => self.origin_of(headers),
        }
    }

    /// Whether reviewers see another name than the gateway's own.
    pub(crate) fn hides_its_name(&self) -> bool {
        self.links_at.is_some()
    }

    fn place(&self, host: &str, path: &str) -> Place {
        let is_link = path.starts_with(LINKS);
        match &self.links_at {
            _ if path == LINKS => Place::Nowhere,
            Some((_, links_host)) if host.eq_ignore_ascii_case(links_host) => match is_link {
                true => Place::Here,
                false => Place::Nowhere,
            },
            // Whoever suspects a gateway could try the link there.
            Some(_) if is_link && self.answers_for(host) => Place::Nowhere,
            _ if self.answers_for(host) => Place::Here,
            _ => Place::Elsewhere,
        }
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
    match gateway.hosts.place(host, request.uri().path()) {
        Place::Here => next.run(request).await,
        Place::Nowhere => review::nothing_here(request.headers()),
        Place::Elsewhere => {
            let detail = "the Host field names a host that is not this gateway's";
            Problem::new(&problem::MISDIRECTED, detail).into_response()
        }
    }
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
    fn links_are_opened_under_their_own_name_alone_and_nothing_else_is_there() {
        let listen = "127.0.0.1:8080".parse().unwrap();
        let own = Hosts::new(listen, Some("https://ids.library.example"));
        let links = own.clone().with_links_at(Some("https://review.example"));
        let same = own.clone().with_links_at(Some("https://ids.library.example"));
        for (hosts, host, path, expected) in [
            (&own, "ids.library.example", "/s/x", Place::Here),
            (&own, "review.example", "/s/x", Place::Elsewhere),
            (&links, "Review.Example", "/s/x", Place::Here),
            (&links, "review.example", "/", Place::Nowhere),
            (&links, "review.example", "/s/", Place::Nowhere),
            (&links, "review.example", "/v1/datasets", Place::Nowhere),
            (&links, "ids.library.example", "/s/x", Place::Nowhere),
            (&links, "127.0.0.1:8080", "/s/x", Place::Nowhere),
            (&links, "ids.library.example", "/", Place::Here),
            (&links, "evil.example", "/s/x", Place::Elsewhere),
            (&same, "ids.library.example", "/s/x", Place::Here),
        ] {
            assert_eq!(hosts.place(host, path), expected, "{host}{path}");
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
