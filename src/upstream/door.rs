//! The way out to a server of somebody else's: a client that connects to the addresses that were
//! looked at, and to no others. What is asked of it is not said here.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Url, redirect, retry};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt;

use super::{UpstreamError, address};
use crate::config::Reach;

/// A client for the host of `url`, which is resolved now and never again: no proxy, no redirect,
/// and nothing is sent twice.
///
/// # Errors
/// [`UpstreamError`]: the host has no address, or one where `reach` does not let it be.
///
/// # Panics
/// If `url` has no host or is neither http nor https.
pub async fn client(
    url: &Url,
    reach: Reach,
    connect_max: Duration,
) -> Result<Client, UpstreamError> {
    let addresses = address::addresses(url, reach, connect_max).await?;
    let host = url.host_str().unwrap_or_default();
    builder(connect_max)?
        .resolve_to_addrs(host, &addresses)
        .build()
        .map_err(|error| UpstreamError::Unreachable(error.without_url()))
}

/// How every client of ours asks: no proxy, no redirect, and nothing is sent twice. Which addresses
/// it may reach, its maker says.
///
/// # Errors
/// [`UpstreamError::Unverifiable`] if this machine has no certificates to check others by.
pub fn builder(connect_max: Duration) -> Result<ClientBuilder, UpstreamError> {
    Ok(Client::builder()
        .tls_backend_preconfigured(tls()?)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .http1_only()
        .connect_timeout(connect_max)
        .user_agent(concat!("hydrant/", env!("CARGO_PKG_VERSION"))))
}

/// How certificates are checked: as this machine checks them. It is read once.
///
/// # Errors
/// [`UpstreamError::Unverifiable`] if this machine has none to check others by.
fn tls() -> Result<ClientConfig, UpstreamError> {
    static READ: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(read) = READ.get() {
        return Ok(read.clone());
    }
    let read = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(UpstreamError::Unverifiable)?
        .with_no_client_auth();
    Ok(READ.get_or_init(|| read).clone())
}
