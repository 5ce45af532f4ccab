//! The settings of hydration, and of the credentials by which the platform knows this gateway: what
//! they are, and the platform's rules about them. What is asked for with them is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Uri};

use super::Environment;
use super::check::{large, number, seconds};
use super::named::CREDENTIALS;
use super::raw::Raw;
use super::table::{Setting, setting};
use super::upstream::{self, Reach};
use crate::base::month::MONTH_DAYS;
use crate::policy::{AccessLevel, Profile};

/// The settings `hydrate.*`.
pub static HYDRATE_SETTINGS: &[Setting] = &[
    Setting {
        key: "hydrate.allow_private",
        about: "Whether the platform's address may lie in a private network or on this machine, \
                and the files of compliance jobs with it: for tests.",
        default: "false",
        right: "true or false",
    },
    Setting {
        key: "hydrate.answer_bytes_max",
        about: "How many bytes one answer of the platform may have: 100 objects with all they \
                refer to.",
        default: "33554432",
        right: "a whole number from 1024 to 1073741824",
    },
    Setting {
        key: "hydrate.answer_seconds_max",
        about: "How long one answer may take, from the request to its last byte.",
        default: "60",
        right: "a whole number from 1 to 3600",
    },
    Setting {
        key: "hydrate.attempts_max",
        about: "How often a request is sent in all that fails by a fault of the platform or the \
                network. Each counts against the month's budget.",
        default: "5",
        right: "a whole number from 1 to 20",
    },
    Setting {
        key: "hydrate.connect_seconds_max",
        about: "How long finding the platform's address and connecting may take.",
        default: "10",
        right: "a whole number from 1 to 300",
    },
    Setting {
        key: "hydrate.expansions",
        about: "What a Tweet brings along, as the platform names it; without blanks.",
        default: "author_id,in_reply_to_user_id,referenced_tweets.id,\
                  referenced_tweets.id.author_id,\
                  entities.mentions.username,attachments.media_keys,attachments.poll_ids,\
                  geo.place_id",
        right: FIELDS,
    },
    Setting {
        key: "hydrate.media_fields",
        about: "The fields of media.",
        default: "alt_text,duration_ms,height,media_key,preview_image_url,public_metrics,type,url,\
                  variants,width",
        right: FIELDS,
    },
    Setting {
        key: "hydrate.place_fields",
        about: "The fields of places.",
        default: "contained_within,country,country_code,full_name,geo,id,name,place_type",
        right: FIELDS,
    },
    Setting {
        key: "hydrate.poll_fields",
        about: "The fields of polls.",
        default: "duration_minutes,end_datetime,id,options,voting_status",
        right: FIELDS,
    },
    Setting {
        key: "hydrate.tweet_fields",
        about: "The fields of Tweets: all that need no consent of their author.",
        default: "attachments,author_id,context_annotations,conversation_id,created_at,\
                  edit_history_tweet_ids,entities,geo,id,in_reply_to_user_id,lang,\
                  possibly_sensitive,public_metrics,referenced_tweets,reply_settings,source,text,\
                  withheld",
        right: FIELDS,
    },
    Setting {
        key: "hydrate.url",
        about: "Where the platform's interface is.",
        default: "https://api.twitter.com",
        right: "an address like https://api.twitter.com, without a path",
    },
    Setting {
        key: "hydrate.user_expansions",
        about: "What a User brings along that is looked up by its ID.",
        default: "pinned_tweet_id",
        right: FIELDS,
    },
    Setting {
        key: "hydrate.user_fields",
        about: "The fields of Users.",
        default: "created_at,description,entities,id,location,name,pinned_tweet_id,\
                  profile_image_url,protected,public_metrics,url,username,verified,withheld",
        right: FIELDS,
    },
];

const FIELDS: &str = "names with commas between, like created_at,text";

/// The settings of one credential; their keys stand behind `hydrate.credentials.NAME.`.
pub static CREDENTIAL_SETTINGS: &[Setting] = &[
    Setting {
        key: "bearer_token",
        about: "The bearer token of the application; better in a file. Without one and without a \
                file there is no credential of this name.",
        default: "",
        right: "a token, or nothing",
    },
    Setting {
        key: "bearer_token_file",
        about: "A file whose first line is the bearer token.",
        default: "",
        right: "the path of a file that holds one line",
    },
    Setting {
        key: "environment",
        about: "What the platform knows this application as: dev, staging or prod. A gateway \
                whose own environment is prod takes those of prod only.",
        default: "dev",
        right: "dev, staging or prod",
    },
    Setting {
        key: "level",
        about: "The access that the platform gave it: essential, elevated, academic, or a number \
                of Tweets a month. What each may have stands in the profile.",
        default: "essential",
        right: "essential, elevated, academic, or a whole number of Tweets a month",
    },
    Setting {
        key: "period_day",
        about: "The day of the month on which the platform begins to count anew, as its dashboard \
                says; the last one where a month is shorter.",
        default: "1",
        right: "a whole number from 1 to 31",
    },
    Setting {
        key: "use_case",
        about: "The use case that the platform approved for it. Two applications for one use case \
                are there for its environments, never to get round a limit.",
        default: "research",
        right: "one line",
    },
];

/// How full objects are fetched from the platform.
#[derive(Clone, Debug)]
pub struct Hydrate {
    /// Where its interface is.
    pub url: Uri,
    /// Which addresses it may have.
    pub reach: Reach,
    /// What an object has.
    pub fields: Fields,
    /// How long connecting may take.
    pub connect_max: Duration,
    /// How long an answer may take.
    pub answer_max: Duration,
    /// How many bytes an answer may have.
    pub answer_bytes_max: u64,
    /// How often a request is sent that fails.
    pub attempts_max: u32,
    /// The credentials by name.
    pub credentials: BTreeMap<String, Arc<Credential>>,
}

/// What an object has, as the platform names it: names with commas between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// What a Tweet brings along.
    pub expansions: String,
    /// What a User brings along.
    pub user_expansions: String,
    /// Of Tweets.
    pub tweet: String,
    /// Of Users.
    pub user: String,
    /// Of media.
    pub media: String,
    /// Of places.
    pub place: String,
    /// Of polls.
    pub poll: String,
}

/// By what the platform knows an application.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its name in the settings.
    pub label: String,
    /// Which environment it is for.
    pub environment: Environment,
    /// Which access it has.
    pub level: AccessLevel,
    /// What it was approved for.
    pub use_case: String,
    /// The day of the month on which its budget begins anew.
    pub period_day: u32,
    /// The value of the header field that it is shown by.
    pub bearer: HeaderValue,
}

impl fmt::Debug for Credential {
    // Without the token.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Credential").field("label", &self.label).finish_non_exhaustive()
    }
}

/// Tells what is wrong with a setting, by its key.
type Mistake<'a> = &'a mut dyn FnMut(&str, &str);

/// The settings of hydration in an instance for `environment`; what is wrong is told by key.
pub(super) fn read(
    raw: &Raw,
    environment: Environment,
    profile: &Profile,
    mistake: Mistake<'_>,
) -> Arc<Hydrate> {
    let private = take(raw, mistake, "hydrate.allow_private", |text| text.parse::<bool>().ok());
    let reach = if private { Reach::Private } else { Reach::Public };
    let url = take(raw, mistake, "hydrate.url", base_url);
    if let Some(literal) = upstream::literal(&url)
        && !reach.allows(literal)
    {
        let clause = "lies in a private network, which hydrate.allow_private = true would allow";
        mistake("hydrate.url", clause);
    }
    if url.scheme_str() == Some("http") && reach == Reach::Public {
        mistake("hydrate.url", "would send tokens in the clear: https is needed");
    }
    let mut fields = |name: &str| take(raw, mistake, &format!("hydrate.{name}"), field_names);
    let fields = Fields {
        expansions: fields("expansions"),
        user_expansions: fields("user_expansions"),
        tweet: fields("tweet_fields"),
        user: fields("user_fields"),
        media: fields("media_fields"),
        place: fields("place_fields"),
        poll: fields("poll_fields"),
    };
    let mut credentials = BTreeMap::new();
    for name in raw.names(&CREDENTIALS) {
        let read = credential(raw, mistake, &name);
        credentials.extend(read.map(|credential| (name, Arc::new(credential))));
    }
    judge(&credentials, environment, profile, mistake);
    Arc::new(Hydrate {
        url,
        reach,
        fields,
        connect_max: take(raw, mistake, "hydrate.connect_seconds_max", |text| {
            seconds(text, 1, 300)
        }),
        answer_max: take(raw, mistake, "hydrate.answer_seconds_max", |text| {
            seconds(text, 1, 3_600)
        }),
        answer_bytes_max: take(raw, mistake, "hydrate.answer_bytes_max", |text| {
            large(text, 1 << 30).filter(|bytes| *bytes >= 1_024)
        }),
        attempts_max: take(raw, mistake, "hydrate.attempts_max", |text| {
            number(text, 1, 20).and_then(|attempts| attempts.try_into().ok())
        }),
        credentials,
    })
}

/// The value of a setting, or after telling what is wrong with it its default.
fn take<T>(raw: &Raw, mistake: Mistake<'_>, key: &str, parse: impl Fn(&str) -> Option<T>) -> T {
    if let Some(value) = parse(&raw.effective_of(key).value) {
        return value;
    }
    let setting = setting(key).expect("the program asks for settings of the table only");
    mistake(key, &format!("needs {}", setting.right));
    parse(setting.default).expect("a test takes every default")
}

/// `None` if nothing opens it: then there is none of this name.
fn credential(raw: &Raw, mistake: Mistake<'_>, name: &str) -> Option<Credential> {
    let key = |last| CREDENTIALS.key(name, last);
    let environment = take(raw, mistake, &key("environment"), Environment::from_word);
    let level = take(raw, mistake, &key("level"), AccessLevel::from_word);
    let period_day = take(raw, mistake, &key("period_day"), |text| {
        text.parse().ok().filter(|day| MONTH_DAYS.contains(day))
    });
    let use_case = take(raw, mistake, &key("use_case"), |text| {
        let text = text.trim();
        let is_line = !text.is_empty() && !text.contains(|char: char| char.is_control());
        (is_line && text.len() <= 200).then(|| text.to_owned())
    });
    let token = token(raw, mistake, name)?;
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).ok();
    let Some(mut bearer) = bearer.filter(|_| token.bytes().all(|byte| byte.is_ascii_graphic()))
    else {
        mistake(&key("bearer_token"), "is no token: it holds what no header field can carry");
        return None;
    };
    bearer.set_sensitive(true);
    let label = name.to_owned();
    Some(Credential { label, environment, level, use_case, period_day, bearer })
}

/// The token of a credential; `None` if it has none, or if that was told.
fn token(raw: &Raw, mistake: Mistake<'_>, name: &str) -> Option<String> {
    let key = |last| CREDENTIALS.key(name, last);
    let said = raw.effective_of(&key("bearer_token")).value;
    let file = raw.effective_of(&key("bearer_token_file")).value;
    match (said.is_empty(), file.is_empty()) {
        (_, true) => Some(said).filter(|token| !token.is_empty()),
        (false, false) => {
            mistake(&key("bearer_token_file"), "bearer_token is set too, and only one can hold");
            None
        }
        (true, false) => match std::fs::read_to_string(&file) {
            Ok(text) if !text.trim().is_empty() => {
                Some(text.lines().next().unwrap_or_default().trim().to_owned())
            }
            Ok(_) => {
                mistake(&key("bearer_token_file"), "the file is empty");
                None
            }
            Err(error) => {
                mistake(&key("bearer_token_file"), &format!("the file cannot be read: {error}"));
                None
            }
        },
    }
}

/// Holds the credentials against the platform's rules.
fn judge(
    credentials: &BTreeMap<String, Arc<Credential>>,
    instance: Environment,
    profile: &Profile,
    mistake: Mistake<'_>,
) {
    let mut tokens = BTreeSet::new();
    for (name, credential) in credentials {
        let Credential { environment, use_case, level, .. } = &**credential;
        let key = |last| CREDENTIALS.key(name, last);
        if instance == Environment::Prod && *environment != Environment::Prod {
            let word = environment.word();
            let clause = format!(
                "this gateway has environment = \"prod\", which does not use credentials of {word}"
            );
            mistake(&key("environment"), &clause);
        }
        if !tokens.insert(credential.bearer.as_bytes()) {
            mistake(&key("use_case"), "another credential has the same token");
        }
        let earlier = credentials
            .iter()
            .take_while(|(other, _)| *other != name)
            .filter(|(_, other)| other.use_case == *use_case);
        let earlier_prod = earlier.clone().find(|(_, other)| {
            (other.environment, *environment) == (Environment::Prod, Environment::Prod)
        });
        if let Some((other, _)) = earlier_prod {
            let clause = format!("{other} is a production credential for that use case already");
            mistake(&key("use_case"), &clause);
        }
        let environments_max = profile.upstream.environments_max(*level);
        if earlier.count() as u64 >= environments_max {
            let clause = format!(
                "its use case has more than {environments_max} environment{}, the most with that \
                 access",
                if environments_max == 1 { "" } else { "s" }
            );
            mistake(&key("level"), &clause);
        }
    }
}

/// Scheme, host and perhaps a port: the paths are the platform's.
fn base_url(text: &str) -> Option<Uri> {
    let url = upstream::url(text)??;
    let is_bare = url.path() == "/" && url.query().is_none();
    is_bare.then_some(url)
}

fn field_names(text: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(plain);
    (text.is_empty() || text.split(',').all(is_name)).then(|| text.to_owned())
}
