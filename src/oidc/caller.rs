//! How providers are asked over HTTP: within a time and a bound, without redirects, and at
//! addresses only that the settings allow.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use openidconnect::http::Response;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url};

use crate::config::Reach;
use crate::upstream::builder;

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long one question may take in all.
const CALL_MAX: Duration = Duration::from_secs(10);
/// How long an answer may be: keys and claims are small.
const ANSWER_BYTES_MAX: usize = 512 * 1024;

/// Why a question got no answer. None of its texts holds what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CallError {
    #[error("it does not answer in time")]
    Slow,
    #[error("its answer is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
    #[error("its address {0} is none over TLS, or lies where the settings do not allow")]
    OutOfReach(String),
    #[error("{0}")]
    Failed(String),
}

/// Who asks one provider.
pub(super) struct Caller {
    client: Client,
    reach: Reach,
}

impl Caller {
    /// One that reaches such addresses.
    ///
    /// # Errors
    /// [`CallError::Failed`] if this machine has no certificates to check others by.
    pub(super) fn new(reach: Reach) -> Result<Caller, CallError> {
        let failed = |error: &dyn std::error::Error| CallError::Failed(told(error));
        let client = builder(CONNECT_MAX)
            .map_err(|error| failed(&error))?
            .dns_resolver(Guarded(reach))
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Caller { client, reach })
    }

    /// Whether a browser may be sent to that address, or a question be asked there, as far as one
    /// sees without looking its host up.
    pub(super) fn allows(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        let is_here = host == "localhost" || literal.is_some_and(|address| address.is_loopback());
        let is_kept_from_others = match url.scheme() {
            "https" => true,
            "http" => is_here,
            _ => false,
        };
        is_kept_from_others && literal.is_none_or(|address| self.reach.allows(address))
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, CallError> {
        tokio::time::timeout(CALL_MAX, self.answer(request)).await.unwrap_or(Err(CallError::Slow))
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, CallError> {
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        if !self.allows(request.url()) {
            let origin = request.url().origin().ascii_serialization();
            return Err(CallError::OutOfReach(origin));
        }
        let mut response = self.client.execute(request).await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            if body.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(CallError::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        let mut answer = Response::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Caller {
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, CallError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

/// Looks names up, and finds no address that is out of reach.
struct Guarded(Reach);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            // One that leads inwards is enough: a name that has both kinds is up to something.
            if found.iter().any(|address| !reach.allows(address.ip())) {
                return Err(CallError::OutOfReach(name.as_str().to_owned()).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// An address in a failure may hold what was asked.
fn failed(error: reqwest::Error) -> CallError {
    match error.is_timeout() {
        true => CallError::Slow,
        false => CallError::Failed(told(&error.without_url())),
    }
}

/// An error with what it came from, which the library keeps apart.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_without_tls_or_in_a_private_network() {
        for (address, from_outside, from_inside) in [
            ("https://id.example/token", true, true),
            ("http://id.example/token", false, false),
            ("https://10.0.0.1/token", false, true),
            ("https://169.254.169.254/latest", false, true),
            ("https://[::ffff:127.0.0.1]/x", false, true),
            ("https://0x7f.1/x", false, true),
            ("http://127.0.0.1:9/x", false, true),
            ("http://10.0.0.1/x", false, false),
            ("javascript:alert(1)", false, false),
            ("file:///etc/passwd", false, false),
        ] {
            let url = Url::parse(address).unwrap();
            for (reach, expected) in [(Reach::Public, from_outside), (Reach::Private, from_inside)]
            {
                assert_eq!(Caller::new(reach).unwrap().allows(&url), expected, "{address}");
            }
        }
    }
}
