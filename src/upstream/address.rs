//! The addresses of an upstream: found once, and each looked at before anybody connects.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::Url;

use super::UpstreamError;
use crate::config::Reach;

/// The addresses to which a connection may go; at least one.
pub(super) async fn addresses(
    url: &Url,
    reach: Reach,
    connect_max: Duration,
) -> Result<Vec<SocketAddr>, UpstreamError> {
    let host = url.host_str().expect("the settings take addresses with a host only");
    let port = url.port_or_known_default().expect("http and https have ports");
    // The library reads every spelling of an address, such as 0x7f.1, and writes the plain one.
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let found: Vec<SocketAddr> = match literal {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => {
            let looked_up = tokio::net::lookup_host((host, port));
            let looked_up = tokio::time::timeout(connect_max, looked_up).await;
            let looked_up =
                looked_up.map_err(|_| UpstreamError::Slow("does not find its host in time"))?;
            looked_up.map_err(UpstreamError::Unresolved)?.collect()
        }
    };
    // One that leads inwards is enough: a name that has both kinds is up to something.
    if found.iter().any(|address| !reach.allows(address.ip())) {
        return Err(UpstreamError::Private);
    }
    if found.is_empty() {
        let error = std::io::Error::other("the name has no address");
        return Err(UpstreamError::Unresolved(error));
    }
    Ok(found)
}
