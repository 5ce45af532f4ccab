//! From a provider's answer to a proof of who somebody is there, with every check on the way.

use std::borrow::Cow;
use std::sync::Arc;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod,
    CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthType, AuthorizationCode, ClaimsVerificationError,
    Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IdToken, IdTokenClaims, IdTokenFields, IdTokenVerifier, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, SignatureVerificationError, StandardErrorResponse, StandardTokenResponse, TokenResponse,
    UserInfoClaims, UserInfoError,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::attempt::Attempt;
use super::caller::{CallError, told};
use super::discovery::Metadata;
use super::{Provider, ProviderError};
use crate::directory::identity::Proof;

/// By how much the clock of a provider may differ, in milliseconds.
const CLOCKS_DIFFER_MS: i64 = 60_000;

/// The signatures that count: those that only the provider can make.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What a provider claims that no standard names, such as affiliation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Further {
    #[serde(flatten)]
    claims: Map<String, Value>,
}

impl AdditionalClaims for Further {}

type Token =
    IdToken<Further, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

type Tokens = StandardTokenResponse<
    IdTokenFields<
        Further,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type Failure = StandardErrorResponse<CoreErrorResponseType>;

type Asking = Client<
    Further,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    Failure,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What a browser brings back from a provider, beside the state.
#[derive(Debug, Default)]
pub struct Answer {
    /// What can be changed for a token.
    pub code: Option<String>,
    /// The name of the provider that answers.
    pub issuer: Option<String>,
    /// Why it does not say.
    pub error: Option<String>,
}

impl Provider {
    /// The address at the provider to which the browser of `attempt` is sent; it comes back to
    /// `redirect`.
    ///
    /// # Errors
    /// [`ProviderError`] if the provider cannot be used now.
    pub async fn address(
        &self,
        attempt: &Attempt,
        redirect: &str,
    ) -> Result<String, ProviderError> {
        let metadata = self.discovery.metadata(self.clock.now_ms()).await?;
        let client = self.asking(&metadata);
        let (state, nonce) = (attempt.state.clone(), attempt.nonce.clone());
        let verifier = PkceCodeVerifier::new(attempt.verifier.clone());
        let scopes = self.settings.scopes.iter().filter(|scope| *scope != "openid");
        let request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(scopes.map(|scope| Scope::new(scope.clone())))
            .set_redirect_uri(Cow::Owned(redirect_url(redirect)?))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        Ok(request.url().0.into())
    }

    /// Who somebody is at the provider, by what the browser of `attempt` brought back to
    /// `redirect`.
    ///
    /// # Errors
    /// [`ProviderError`] if that is not proved.
    pub async fn proof(
        &self,
        attempt: &Attempt,
        redirect: &str,
        answer: Answer,
    ) -> Result<Proof, ProviderError> {
        let metadata = self.discovery.metadata(self.clock.now_ms()).await?;
        self.check_sender(&metadata, &answer)?;
        if let Some(error) = answer.error {
            return Err(ProviderError::Refused(word(&error)));
        }
        let code = answer.code.filter(|code| !code.is_empty());
        let code = code.ok_or_else(|| ProviderError::Refused("it sends no code".into()))?;
        let client = self.asking(&metadata);
        let caller = self.discovery.caller()?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| ProviderError::Unusable(error.to_string()))?
            .set_redirect_uri(Cow::Owned(redirect_url(redirect)?))
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()))
            .request_async(caller)
            .await?;
        let token = tokens
            .id_token()
            .ok_or_else(|| ProviderError::Untrue("it comes without an ID token".into()))?;
        let claims = self.checked(&metadata, token, &tokens, attempt).await?;
        let more = match client.user_info_url() {
            None => None,
            Some(_) => {
                let subject = Some(claims.subject().clone());
                let request = client.user_info(tokens.access_token().clone(), subject);
                let request =
                    request.map_err(|error| ProviderError::Unusable(error.to_string()))?;
                Some(request.request_async(caller).await?)
            }
        };
        self.proved(&claims, more.as_ref())
    }

    fn asking(&self, metadata: &Metadata) -> Asking {
        let secret = self.settings.client_secret.clone().map(ClientSecret::new);
        let client_id = ClientId::new(self.settings.client_id.clone());
        let client = Asking::from_provider_metadata(metadata.clone(), client_id, secret);
        match metadata.token_endpoint_auth_methods_supported() {
            Some(known)
                if !known.contains(&CoreClientAuthMethod::ClientSecretBasic)
                    && known.contains(&CoreClientAuthMethod::ClientSecretPost) =>
            {
                client.set_auth_type(AuthType::RequestBody)
            }
            _ => client,
        }
    }

    /// That it was this provider that sent the browser back, where it tells. That another one's
    /// answers do not get here its own address sees to, which is registered with this one alone.
    fn check_sender(&self, metadata: &Metadata, answer: &Answer) -> Result<(), ProviderError> {
        let further = metadata.additional_metadata();
        match &answer.issuer {
            Some(issuer) if *issuer == self.settings.issuer => Ok(()),
            Some(_) => Err(ProviderError::Untrue("it is of another provider".into())),
            None if further.authorization_response_iss_parameter_supported => {
                Err(ProviderError::Untrue("it does not name its provider".into()))
            }
            None => Ok(()),
        }
    }

    /// The claims of an ID token, if it is what it has to be. A key that is not known is asked for
    /// once: the provider may have changed it.
    async fn checked(
        &self,
        metadata: &Arc<Metadata>,
        token: &Token,
        tokens: &Tokens,
        attempt: &Attempt,
    ) -> Result<IdTokenClaims<Further, CoreGenderClaim>, ProviderError> {
        let verifier = self.verifier(metadata, attempt);
        let nonce = Nonce::new(attempt.nonce.clone());
        let (verifier, claims) = match token.claims(&verifier, &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let other = self.discovery.with_other_keys(self.clock.now_ms()).await?;
                let verifier = self.verifier(&other, attempt);
                let claims = token.claims(&verifier, &nonce);
                (verifier, claims)
            }
            claims => (verifier, claims),
        };
        let claims = claims.map_err(|error| ProviderError::Untrue(told(&error)))?;
        let untrue = |why: &str| Err(ProviderError::Untrue(why.to_owned()));
        if let Some(party) = claims.authorized_party()
            && party.as_str() != self.settings.client_id
        {
            return untrue("it was made for another client");
        }
        if let Some(expected) = claims.access_token_hash() {
            let of_token = token.signing_alg().and_then(|algorithm| {
                let key = token.signing_key(&verifier)?;
                Ok(AccessTokenHash::from_token(tokens.access_token(), algorithm, key))
            });
            match of_token {
                Ok(Ok(hash)) if hash == *expected => {}
                _ => return untrue("it belongs to another access token"),
            }
        }
        Ok(claims.clone())
    }

    fn verifier(
        &self,
        metadata: &Metadata,
        attempt: &Attempt,
    ) -> IdTokenVerifier<'static, CoreJsonWebKey> {
        let (clock, began_ms) = (self.clock.clone(), attempt.began_ms);
        // Without the secret: with it, the library would take signatures that anybody can make who
        // knows it.
        IdTokenVerifier::new_public_client(
            ClientId::new(self.settings.client_id.clone()),
            metadata.issuer().clone(),
            metadata.jwks().clone(),
        )
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn({
            let clock = clock.clone();
            move || time(clock.now_ms() - CLOCKS_DIFFER_MS)
        })
        .set_issue_time_verifier_fn(move |issued| {
            // Nothing that was made before somebody asked answers them, whatever its nonce.
            let issued_ms = issued.timestamp_millis();
            let earliest_ms = began_ms - CLOCKS_DIFFER_MS;
            match (earliest_ms..=clock.now_ms() + CLOCKS_DIFFER_MS).contains(&issued_ms) {
                true => Ok(()),
                false => Err("it was not made between the question and now".to_owned()),
            }
        })
    }

    /// What is proved, by the ID token and what the provider says besides of the same subject.
    fn proved(
        &self,
        claims: &IdTokenClaims<Further, CoreGenderClaim>,
        more: Option<&UserInfoClaims<Further, CoreGenderClaim>>,
    ) -> Result<Proof, ProviderError> {
        let of_token = (claims.email(), claims.email_verified());
        let of_more = more.map(|more| (more.email(), more.email_verified()));
        // An address and whether it is verified count only together, from one place.
        let mail = [of_more, Some(of_token)].into_iter().flatten().find_map(|said| match said {
            (Some(mail), Some(true)) => Some(mail.as_str()),
            _ => None,
        });
        let name = more.and_then(|more| more.name()).or(claims.name());
        let name = name.and_then(|name| name.get(None)).map(|name| name.as_str());
        let further = |further: &Further| self.affiliations(&further.claims);
        let mut affiliations = further(claims.additional_claims());
        if affiliations.is_empty() {
            affiliations = more.map(|more| further(more.additional_claims())).unwrap_or_default();
        }
        Proof::new(&self.settings.issuer, claims.subject(), name, mail, &affiliations)
            .map_err(|error| ProviderError::Untrue(error.to_string()))
    }

    /// One text or a list of them.
    fn affiliations(&self, claims: &Map<String, Value>) -> Vec<String> {
        let said = self.settings.affiliation_claim.as_ref().and_then(|name| claims.get(name));
        let texts = match said {
            Some(Value::Array(texts)) => texts.as_slice(),
            Some(text) => std::slice::from_ref(text),
            None => &[],
        };
        texts.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

fn redirect_url(text: &str) -> Result<RedirectUrl, ProviderError> {
    RedirectUrl::new(text.to_owned()).map_err(|error| ProviderError::Unusable(error.to_string()))
}

fn time(time_ms: i64) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp_millis(time_ms).unwrap_or_default()
}

/// The code of an error, as far as it is one (RFC 6749, 4.1.2.1): it comes from a browser.
fn word(text: &str) -> String {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    match text.len() <= 40 && text.bytes().all(fits) {
        true => text.to_owned(),
        false => "it names an error that is none".to_owned(),
    }
}

impl From<RequestTokenError<CallError, Failure>> for ProviderError {
    fn from(error: RequestTokenError<CallError, Failure>) -> ProviderError {
        match error {
            RequestTokenError::Request(error) => error.into(),
            RequestTokenError::ServerResponse(said) => {
                ProviderError::Refused(word(said.error().as_ref()))
            }
            RequestTokenError::Parse(error, _) => ProviderError::Untrue(told(&error)),
            RequestTokenError::Other(error) => ProviderError::Unusable(error),
        }
    }
}

impl From<UserInfoError<CallError>> for ProviderError {
    fn from(error: UserInfoError<CallError>) -> ProviderError {
        match error {
            UserInfoError::Request(error) => error.into(),
            UserInfoError::ClaimsVerification(error) => ProviderError::Untrue(told(&error)),
            error => ProviderError::Unusable(told(&error)),
        }
    }
}
