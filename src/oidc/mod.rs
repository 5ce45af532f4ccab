//! OpenID Connect: asking a provider who somebody is, and believing only what it has proved. Who
//! that is here, and what they may receive, is not known here.
//!
//! # The story
//!
//! A browser that wants to sign in gets a secret in a cookie ([`Attempt`]) and is sent to the
//! provider with three texts that are made of this secret: a state, a nonce, and the challenge of a
//! verifier (PKCE). The gateway remembers nothing: whichever gateway gets the answer makes the same
//! texts of the same cookie. An answer counts only
//!
//! * with the state of the browser that brings it, so that nobody signs somebody else's browser in;
//! * at the address of the provider that was asked, with its name where it tells it (RFC 9207), so
//!   that no provider gets the code of another one;
//! * with a code that this provider changes for an ID token, of which the verifier shows that this
//!   browser asked for it;
//! * with a token of this very issuer, for this very client, with that nonce, in its time, and
//!   signed with a key that the provider publishes. A signature with a shared secret is none: the
//!   "secret" may be public, or be the public key itself.
//!
//! Where a provider is comes from the settings alone, and what it says of its addresses from there.
//! Nothing follows a redirect, every answer has a bound and a time, and private networks are out of
//! reach unless the settings say otherwise. A provider that fails stops nothing but itself.

mod attempt;
mod caller;
mod discovery;
mod exchange;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use attempt::{ATTEMPT_MS, Attempt, AttemptError, Purpose};
pub use exchange::Answer;

use discovery::Discovery;

use crate::base::clock::Clock;
use crate::config;

/// Why a provider has proved nothing. The texts are for the log, and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer, or not with what could be used.
    #[error("the provider cannot be used: {0}")]
    Unusable(String),
    /// It does not answer in time.
    #[error("the provider does not answer in time")]
    Slow,
    /// It does not want to say, or takes the code for wrong or used.
    #[error("the provider refuses: {0}")]
    Refused(String),
    /// What it said does not prove anything.
    #[error("the answer of the provider proves nothing: {0}")]
    Untrue(String),
}

/// The providers of the settings.
pub struct Providers(BTreeMap<String, Provider>);

/// One provider, with what is known of it.
pub struct Provider {
    settings: Arc<config::Provider>,
    discovery: Discovery,
    clock: Clock,
}

impl Providers {
    /// Those providers; none is asked for anything yet.
    pub fn new(settings: BTreeMap<String, Arc<config::Provider>>, clock: &Clock) -> Providers {
        let provider = |settings: Arc<config::Provider>| Provider {
            discovery: Discovery::new(&settings),
            settings,
            clock: clock.clone(),
        };
        Providers(settings.into_iter().map(|(name, one)| (name, provider(one))).collect())
    }

    /// The provider of that name.
    pub fn get(&self, name: &str) -> Option<&Provider> {
        self.0.get(name)
    }
}

impl Provider {
    /// How the settings describe it.
    pub fn settings(&self) -> &config::Provider {
        &self.settings
    }
}
