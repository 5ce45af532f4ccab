//! The platform's interface over the wire: one request, one whole answer, within bounds. What an
//! answer says is `reply`'s business, when the next may be sent `run`'s.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Method, Response, Url};

use super::error::HydrateError;
use super::reply::{Limit, Reply};
use crate::base::clock::Clock;
use crate::base::ids::IdKind;
use crate::config::{Credential, Hydrate};
use crate::upstream::{self, UpstreamError};

/// The body of a request.
type Json = serde_json::Value;

/// The platform, as one credential meets it.
#[derive(Debug)]
pub struct Platform {
    settings: Arc<Hydrate>,
    credential: Arc<Credential>,
    base: Url,
    client: Client,
}

impl Platform {
    /// The platform of the settings, asked with the credential of that name. Nothing is sent yet.
    ///
    /// # Errors
    /// [`HydrateError::Unfit`] if there is no such credential, [`HydrateError::Platform`] if the
    /// address cannot be used.
    pub async fn connect(
        settings: &Arc<Hydrate>,
        credential: Option<&str>,
    ) -> Result<Platform, HydrateError> {
        let credential = choose(settings, credential)?;
        let base = Url::parse(&settings.url.to_string()).expect("the settings were checked");
        let client = upstream::client(&base, settings.reach, settings.connect_max).await?;
        Ok(Platform { settings: Arc::clone(settings), credential, base, client })
    }

    /// Finds the platform's address anew; what is there stays if there is none.
    pub(super) async fn renew(&mut self) {
        let Hydrate { reach, connect_max, .. } = *self.settings;
        if let Ok(client) = upstream::client(&self.base, reach, connect_max).await {
            self.client = client;
        }
    }

    /// Who asks.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// What the settings say.
    pub fn settings(&self) -> &Hydrate {
        &self.settings
    }

    /// Asks for objects by their IDs.
    pub(super) async fn look_up(
        &self,
        kind: IdKind,
        ids: &[u64],
        clock: &Clock,
    ) -> Result<Reply, String> {
        let fields = &self.settings.fields;
        let (path, expansions) = match kind {
            IdKind::User => ("/2/users", &fields.user_expansions),
            _ => ("/2/tweets", &fields.expansions),
        };
        let ids = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let query = [
            ("ids", &ids),
            ("expansions", expansions),
            ("tweet.fields", &fields.tweet),
            ("user.fields", &fields.user),
            ("media.fields", &fields.media),
            ("place.fields", &fields.place),
            ("poll.fields", &fields.poll),
        ];
        // User lookups know no media, places and polls.
        let query = query.into_iter().filter(|(key, value)| {
            let is_of_tweets = ["media.fields", "place.fields", "poll.fields"].contains(key);
            !value.is_empty() && (kind == IdKind::Tweet || !is_of_tweets)
        });
        let query: Vec<(&str, &str)> = query.map(|(key, value)| (key, value.as_str())).collect();
        self.ask(Method::GET, path, &query, None, clock).await
    }

    /// Sends one request and reads its answer to the end.
    ///
    /// # Errors
    /// Why there is no whole answer, as a clause; it may pass.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Json>,
        clock: &Clock,
    ) -> Result<Reply, String> {
        let mut url = self.base.clone();
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self
            .client
            .request(method, url)
            .header(AUTHORIZATION, &self.credential.bearer)
            .header(ACCEPT_ENCODING, "identity");
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let answered = async {
            let response = request.send().await.map_err(unreachable)?;
            let limit = Limit::read(response.headers(), clock.now_ms());
            let status = response.status().as_u16();
            let body = whole(response, self.settings.answer_bytes_max).await?;
            Ok(Reply { status, limit, body })
        };
        within(self.settings.answer_max, answered).await
    }
}

/// The credential of that name; the only one, if nobody names any.
fn choose(settings: &Hydrate, name: Option<&str>) -> Result<Arc<Credential>, HydrateError> {
    let known = settings.credentials.keys().cloned().collect::<Vec<_>>().join(", ");
    match name {
        Some(name) => settings.credentials.get(name).cloned().ok_or_else(|| {
            let known = if known.is_empty() { "there are none" } else { &known };
            HydrateError::Unfit(format!("there is no credential `{name}` in the settings: {known}"))
        }),
        None => match settings.credentials.len() {
            1 => Ok(Arc::clone(settings.credentials.values().next().expect("there is one"))),
            0 => Err(HydrateError::Unfit(
                "there is no credential in the settings: [hydrate.credentials.main] with \
                 bearer_token_file makes one"
                    .to_owned(),
            )),
            _ => Err(HydrateError::Unfit(format!(
                "there are several credentials ({known}): choose one with --credential"
            ))),
        },
    }
}

/// Ends a work that takes too long.
pub(super) async fn within<T>(
    time_max: Duration,
    work: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let slow = || format!("it took longer than {} seconds", time_max.as_secs());
    tokio::time::timeout(time_max, work).await.unwrap_or_else(|_| Err(slow()))
}

/// Reads an answer that may have so many bytes, and that ends where it says.
async fn whole(mut response: Response, bytes_max: u64) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    let large = || format!("its answer has more than {bytes_max} bytes");
    if response.content_length().is_some_and(|length| length > bytes_max) {
        return Err(large());
    }
    while let Some(block) = next(&mut response).await? {
        if (body.len() + block.len()) as u64 > bytes_max {
            return Err(large());
        }
        body.extend_from_slice(&block);
    }
    Ok(body)
}

/// The next bytes of an answer; `None` at its end.
pub(super) async fn next(response: &mut Response) -> Result<Option<Bytes>, String> {
    let block = response.chunk().await;
    block.map_err(|error| because("its answer broke off", error))
}

/// Why a request could not be sent, in a clause.
pub(super) fn unreachable(error: reqwest::Error) -> String {
    let what = if error.is_timeout() { "it took no connection" } else { "it did not answer" };
    because(what, error)
}

/// A clause with the innermost cause, without the address: that holds IDs, or is signed.
fn because(what: &str, error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    format!("{what} ({cause})")
}

/// Finds the address of a foreign host that an answer of the platform named, for one request.
pub(super) async fn foreign(settings: &Hydrate, url: &Url) -> Result<Client, UpstreamError> {
    upstream::client(url, settings.reach, settings.connect_max).await
}
