//! The settings of OpenID providers, each of which has a name, as they are read; how one is asked
//! is `oidc`'s business.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::http::Uri;

use super::named::PROVIDERS;
use super::raw::{Origin, Raw};
use super::table::Setting;
use super::upstream::{Reach, literal};

/// The settings of one provider; their keys stand behind `sign_in.providers.NAME.`.
pub static PROVIDER_SETTINGS: &[Setting] = &[
    Setting {
        key: "issuer",
        about: "An OpenID Connect provider by which people may sign in: its issuer, exactly as it \
                calls itself, such as https://orcid.org. It says who somebody is, never what they \
                may receive. Register the address SERVER/sign-in/with/NAME/callback there, with \
                server.public_url for SERVER and the name of this section. Empty: there is none of \
                this name.",
        default: "",
        right: "an address like https://orcid.org, as the provider itself writes it",
    },
    Setting {
        key: "title",
        about: "What its button says. Empty: the name of this section.",
        default: "",
        right: "one line of at most 60 characters",
    },
    Setting {
        key: "client_id",
        about: "What the provider calls this gateway.",
        default: "",
        right: "one line",
    },
    Setting {
        key: "client_secret_file",
        about: "A file whose first line is the secret that the provider gave for it. Empty: none, \
                where the provider is content with PKCE.",
        default: "",
        right: "the path of a file that holds one line",
    },
    Setting {
        key: "scopes",
        about: "What is asked of it besides openid, with blanks between. ORCID knows none of \
                these: leave it empty there.",
        default: "email profile",
        right: "words of ASCII with blanks between",
    },
    Setting {
        key: "affiliation_claim",
        about: "The claim in which it asserts what somebody is at which institution; operators see \
                it beside an application for an exemption. Also voperson_external_affiliation is \
                usual.",
        default: "eduperson_scoped_affiliation",
        right: "the name of a claim",
    },
    Setting {
        key: "allow_private",
        about: "Whether its addresses may lie in a private network, or on this machine.",
        default: "false",
        right: "true or false",
    },
];

/// An OpenID provider, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name in the settings, and in addresses.
    pub name: String,
    /// What people read on its button.
    pub title: String,
    /// What it calls itself.
    pub issuer: String,
    /// What it calls this gateway.
    pub client_id: String,
    /// What it gave for that.
    pub client_secret: Option<String>,
    /// What is asked of it besides `openid`.
    pub scopes: Vec<String>,
    /// Where it asserts affiliation, if it does.
    pub affiliation_claim: Option<String>,
    /// Which addresses it may have.
    pub reach: Reach,
}

impl fmt::Debug for Provider {
    // The secret is nobody's business.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Provider").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The providers that have an issuer; what is wrong is told by key.
pub(super) fn read(
    raw: &Raw,
    mistake: &mut dyn FnMut(&str, &str),
) -> BTreeMap<String, Arc<Provider>> {
    let mut providers: BTreeMap<String, Arc<Provider>> = BTreeMap::new();
    for name in raw.names(&PROVIDERS) {
        let Some(provider) = read_one(raw, &name, mistake) else { continue };
        if let Some(other) = providers.values().find(|other| other.issuer == provider.issuer) {
            let clause =
                format!("is the issuer of {} already", PROVIDERS.key(&other.name, "issuer"));
            mistake(&PROVIDERS.key(&name, "issuer"), &clause);
        }
        if cfg!(not(feature = "oidc")) {
            let clause = "is of no use: this program was built without the feature `oidc`";
            mistake(&PROVIDERS.key(&name, "issuer"), clause);
        }
        providers.insert(name, Arc::new(provider));
    }
    providers
}

fn read_one(raw: &Raw, name: &str, mistake: &mut dyn FnMut(&str, &str)) -> Option<Provider> {
    let said = |last: &str| raw.effective_of(&PROVIDERS.key(name, last));
    let value = |last: &str| said(last).value;
    let mut wrong = |last: &str| {
        let setting = PROVIDER_SETTINGS.iter().find(|setting| setting.key == last);
        let right = setting.map_or("", |setting| setting.right);
        mistake(&PROVIDERS.key(name, last), &format!("needs {right}"));
    };
    let (address, is_said) = (value("issuer"), said("issuer").origin != Origin::Default);
    let found = issuer(&address);
    if !address.is_empty() && found.is_none() {
        wrong("issuer");
    }
    let title = value("title").trim().to_owned();
    if title.chars().count() > 60 || title.contains(char::is_control) {
        wrong("title");
    }
    let scopes: Vec<String> = value("scopes").split_whitespace().map(str::to_owned).collect();
    let is_scope = |scope: &String| {
        scope.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
    };
    if !scopes.iter().all(is_scope) {
        wrong("scopes");
    }
    let claim = value("affiliation_claim").trim().to_owned();
    if claim.contains(|char: char| char.is_control() || char.is_whitespace()) {
        wrong("affiliation_claim");
    }
    let private = value("allow_private").parse::<bool>();
    if private.is_err() {
        wrong("allow_private");
    }
    let client_secret = match value("client_secret_file").as_str() {
        "" => None,
        path => {
            let line = std::fs::read_to_string(path).ok();
            let line = line.and_then(|text| text.lines().next().map(str::to_owned));
            let line = line.filter(|line| !line.is_empty());
            if line.is_none() {
                wrong("client_secret_file");
            }
            line
        }
    };
    if address.is_empty() && is_said {
        // It is switched off.
        return None;
    }
    let client_id = value("client_id").trim().to_owned();
    if client_id.is_empty() || client_id.contains(char::is_control) {
        wrong("client_id");
    }
    if address.is_empty() {
        mistake(&PROVIDERS.key(name, "issuer"), "a provider needs an issuer");
    }
    let reach = if private == Ok(true) { Reach::Private } else { Reach::Public };
    if let Some(Issuer { literal: Some(literal) }) = &found
        && !reach.allows(*literal)
    {
        let clause = "lies in a private network, which allow_private = true would allow";
        mistake(&PROVIDERS.key(name, "issuer"), clause);
    }
    found?;
    Some(Provider {
        name: name.to_owned(),
        title: if title.is_empty() { name.to_owned() } else { title },
        issuer: address,
        client_id,
        client_secret,
        scopes,
        affiliation_claim: (!claim.is_empty()).then_some(claim),
        reach,
    })
}

/// What is known of an issuer before it is asked.
struct Issuer {
    /// The address that its host is, if it is one and no name.
    literal: Option<IpAddr>,
}

/// Without TLS anybody on the way could say who somebody is: only on this machine nobody is.
fn issuer(text: &str) -> Option<Issuer> {
    let url: Uri = text.parse().ok()?;
    let host = url.host().filter(|host| !host.is_empty())?;
    let literal = literal(&url);
    let is_here = host == "localhost" || literal.is_some_and(|address| address.is_loopback());
    let scheme_fits = match url.scheme_str() {
        Some("https") => true,
        Some("http") => is_here,
        _ => false,
    };
    let is_bare = url.query().is_none() && !text.contains(['#', '@']);
    (scheme_fits && is_bare).then_some(Issuer { literal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_speaks_tls_unless_it_is_on_this_machine() {
        for (text, expected) in [
            ("https://orcid.org", true),
            ("https://login.example.edu/realms/uni", true),
            ("http://127.0.0.1:9000", true),
            ("http://localhost:9000/", true),
            ("http://[::1]:9000", true),
            ("http://orcid.org", false),
            ("http://10.0.0.1", false),
            ("https://me@orcid.org", false),
            ("https://orcid.org/?a=b", false),
            ("https://orcid.org/#a", false),
            ("ftp://orcid.org", false),
            ("orcid.org", false),
        ] {
            assert_eq!(issuer(text).is_some(), expected, "{text}");
        }
    }
}
