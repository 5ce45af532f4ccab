//! Which hosts this gateway answers for: a name that somebody else points here is not one of them.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{self, Problem};
use super::state::Gateway;

/// The hosts of a gateway, as `Host` fields name them.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    names: Vec<String>,
    /// Set when the gateway listens on every address and no public name is known: then any
    /// literal address of the machine will do, but no name.
    any_address: bool,
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
        Hosts { names, any_address: listen.ip().is_unspecified() && public_url.is_none() }
    }

    fn answers_for(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let literal = host.parse::<SocketAddr>().is_ok() || host.parse::<IpAddr>().is_ok();
        self.names.contains(&host) || (self.any_address && literal)
    }
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
}
