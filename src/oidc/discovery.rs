//! What a provider says of itself: its addresses and keys, asked when they are needed and kept for
//! a while.

use std::sync::{Arc, OnceLock};

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, DiscoveryError, IssuerUrl, ProviderMetadata};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::ProviderError;
use super::caller::{CallError, Caller, told};
use crate::config;

/// How long what a provider says of itself is believed, in milliseconds.
const KNOWN_MS: i64 = 3_600_000;
/// How long a provider that has failed is not asked again, in milliseconds: who waits for one that
/// does not answer, waits long enough.
const FAILED_MS: i64 = 10_000;
/// How long after it was asked it is not asked for other keys, in milliseconds: a token can name
/// any.
const KEYS_MS: i64 = 60_000;

/// What a provider says of itself.
pub(super) type Metadata = ProviderMetadata<
    Further,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What it says that the library does not know.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Further {
    /// Whether each of its answers names it (RFC 9207).
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Further {}

/// A provider's word, once it was asked.
pub(super) struct Discovery {
    settings: Arc<config::Provider>,
    caller: OnceLock<Caller>,
    /// Held while it is asked, so that it is asked once.
    heard: Mutex<Option<Heard>>,
}

struct Heard {
    at_ms: i64,
    said: Result<Arc<Metadata>, ProviderError>,
}

impl Discovery {
    pub(super) fn new(settings: &Arc<config::Provider>) -> Discovery {
        let settings = Arc::clone(settings);
        Discovery { settings, caller: OnceLock::new(), heard: Mutex::default() }
    }

    /// Who asks it.
    pub(super) fn caller(&self) -> Result<&Caller, ProviderError> {
        if let Some(caller) = self.caller.get() {
            return Ok(caller);
        }
        let caller = Caller::new(self.settings.reach)?;
        Ok(self.caller.get_or_init(|| caller))
    }

    /// What it says of itself, which may be an hour old.
    pub(super) async fn metadata(&self, now_ms: i64) -> Result<Arc<Metadata>, ProviderError> {
        self.metadata_since(now_ms, KNOWN_MS).await
    }

    /// The same after a token has come whose key is not among those that are known.
    pub(super) async fn with_other_keys(
        &self,
        now_ms: i64,
    ) -> Result<Arc<Metadata>, ProviderError> {
        self.metadata_since(now_ms, KEYS_MS).await
    }

    async fn metadata_since(
        &self,
        now_ms: i64,
        known_ms: i64,
    ) -> Result<Arc<Metadata>, ProviderError> {
        let mut heard = self.heard.lock().await;
        if let Some(Heard { at_ms, said }) = &*heard {
            let good_ms = if said.is_ok() { known_ms } else { FAILED_MS };
            if (0..good_ms).contains(&(now_ms - at_ms)) {
                return said.clone();
            }
        }
        let said = self.ask().await.map(Arc::new);
        *heard = Some(Heard { at_ms: now_ms, said: said.clone() });
        said
    }

    async fn ask(&self) -> Result<Metadata, ProviderError> {
        let unusable = |why: String| ProviderError::Unusable(why);
        let issuer = IssuerUrl::new(self.settings.issuer.clone())
            .map_err(|error| unusable(error.to_string()))?;
        let caller = self.caller()?;
        let metadata = Metadata::discover_async(issuer, caller).await?;
        // Whatever else is asked goes through the caller; this is where browsers are sent.
        if !caller.allows(metadata.authorization_endpoint().url()) {
            return Err(unusable("it sends browsers to an address that is none over TLS".into()));
        }
        if metadata.token_endpoint().is_none() {
            return Err(unusable("it has no address at which codes are changed for tokens".into()));
        }
        Ok(metadata)
    }
}

impl From<CallError> for ProviderError {
    fn from(error: CallError) -> ProviderError {
        match error {
            CallError::Slow => ProviderError::Slow,
            error => ProviderError::Unusable(error.to_string()),
        }
    }
}

impl From<DiscoveryError<CallError>> for ProviderError {
    fn from(error: DiscoveryError<CallError>) -> ProviderError {
        match error {
            DiscoveryError::Request(error) => error.into(),
            error => ProviderError::Unusable(told(&error)),
        }
    }
}
