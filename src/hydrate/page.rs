//! A page of objects: which of those that were asked for it has, each with all it refers to on one
//! line, and what it says of the others. That it is a page was found out before.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::outcome::Outcome;
use crate::base::ids::{IdKind, parse_digits};

/// What a page says of the IDs that were asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Understood {
    /// JSON lines, one object each, in the order of the IDs.
    pub(super) lines: Vec<u8>,
    /// What became of each ID, in their order.
    pub(super) outcomes: Vec<Outcome>,
}

/// Whether an object can be the answer to a request for objects: a proxy's page may be JSON too.
pub(super) fn is_page(body: &Value) -> bool {
    ["data", "errors"].iter().any(|key| body.get(key).is_some())
}

/// Understands a page as the answer to a request for `ids`.
pub(super) fn understand(page: &Value, kind: IdKind, ids: &[u64]) -> Understood {
    let objects: HashMap<u64, &Value> =
        list(&page["data"]).filter_map(|object| Some((id_of(&object["id"])?, object))).collect();
    let reasons = reasons(page);
    let includes = Includes::of(&page["includes"]);
    let mut understood = Understood::default();
    for id in ids {
        let outcome = match (objects.get(id), reasons.get(id)) {
            (Some(object), _) => {
                let line = includes.line(object);
                serde_json::to_writer(&mut understood.lines, &line).expect("what was JSON is JSON");
                understood.lines.push(b'\n');
                of_object(object, kind)
            }
            (None, Some(reason)) => *reason,
            (None, None) => Outcome::Unknown,
        };
        understood.outcomes.push(outcome);
    }
    understood
}

/// `data` of a page is a list, or one object where one was asked for.
fn list(data: &Value) -> impl Iterator<Item = &Value> {
    let one = data.is_object().then_some(data);
    data.as_array().map_or(&[][..], Vec::as_slice).iter().chain(one)
}

fn id_of(value: &Value) -> Option<u64> {
    parse_digits(value.as_str()?.as_bytes()).ok()
}

/// What the errors of a page say of IDs that were asked for. Others are about what the objects
/// refer to: a deleted tweet that was replied to, a suspended account that is mentioned.
fn reasons(page: &Value) -> HashMap<u64, Outcome> {
    let errors = list(&page["errors"]).filter(|error| error["parameter"] == "ids");
    errors
        .filter_map(|error| {
            let id = id_of(&error["resource_id"]).or_else(|| id_of(&error["value"]))?;
            Some((id, of_error(error)))
        })
        .collect()
}

/// The platform's words are not what one would think: a suspended User comes as `Forbidden` of the
/// type `resource-not-found`, and the Tweet of a suspended one as `Authorization Error`.
fn of_error(error: &Value) -> Outcome {
    let text = |key: &str| error[key].as_str().unwrap_or_default();
    let kind = text("type").rsplit('/').next().unwrap_or_default();
    if text("detail").to_ascii_lowercase().contains("suspended") {
        Outcome::Suspended
    } else if kind == "not-authorized-for-resource" || text("title") == "Authorization Error" {
        Outcome::Protected
    } else if kind == "resource-unavailable" {
        Outcome::Withheld
    } else if kind == "resource-not-found" || text("title") == "Not Found Error" {
        Outcome::Deleted
    } else {
        Outcome::Unknown
    }
}

fn of_object(object: &Value, kind: IdKind) -> Outcome {
    if object.get("withheld").is_some_and(|withheld| !withheld.is_null()) {
        Outcome::Withheld
    } else if kind == IdKind::User && object["protected"] == true {
        Outcome::Protected
    } else {
        Outcome::Found
    }
}

/// What a page carries beside its objects, found by what refers to it.
struct Includes<'a> {
    lists: Vec<(&'a str, &'a [Value])>,
    /// Where each stands that has one of these as `id`, `media_key` or `username`.
    places: HashMap<&'a str, (usize, usize)>,
}

impl<'a> Includes<'a> {
    fn of(includes: &'a Value) -> Includes<'a> {
        let mut found = Includes { lists: Vec::new(), places: HashMap::new() };
        for (name, objects) in includes.as_object().into_iter().flatten() {
            let objects = objects.as_array().map_or(&[][..], Vec::as_slice);
            for (number, object) in objects.iter().enumerate() {
                let names = ["id", "media_key", "username"].map(|key| object[key].as_str());
                for name in names.into_iter().flatten() {
                    found.places.insert(name, (found.lists.len(), number));
                }
            }
            found.lists.push((name, objects));
        }
        found
    }

    /// The object with all of the page that it refers to, and what that refers to: a page of its
    /// own, which every reader of pages reads.
    fn line(&self, object: &'a Value) -> Value {
        let mut wanted = HashSet::new();
        let mut waiting = vec![object];
        while let Some(value) = waiting.pop() {
            match value {
                Value::String(text) => {
                    if let Some(&place) = self.places.get(text.as_str())
                        && wanted.insert(place)
                    {
                        waiting.push(&self.lists[place.0].1[place.1]);
                    }
                }
                Value::Array(parts) => waiting.extend(parts),
                Value::Object(members) => waiting.extend(members.values()),
                _ => {}
            }
        }
        let mut line = Map::new();
        line.insert("data".into(), object.clone());
        let mut includes = Map::new();
        for (number, (name, objects)) in self.lists.iter().enumerate() {
            let kept = objects.iter().enumerate();
            let kept = kept.filter(|(place, _)| wanted.contains(&(number, *place)));
            let kept: Vec<Value> = kept.map(|(_, object)| object.clone()).collect();
            if !kept.is_empty() {
                includes.insert((*name).to_owned(), kept.into());
            }
        }
        if !includes.is_empty() {
            line.insert("includes".into(), includes.into());
        }
        line.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWEETS: &str = include_str!("../../tests/data/platform/tweets.json");
    const USERS: &str = include_str!("../../tests/data/platform/users.json");

    fn understood(page: &str, kind: IdKind, ids: &[u64]) -> (Vec<Value>, Vec<Outcome>) {
        let page = serde_json::from_str(page).unwrap();
        assert!(is_page(&page));
        let Understood { lines, outcomes } = understand(&page, kind, ids);
        let lines = String::from_utf8(lines).unwrap();
        (lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), outcomes)
    }

    #[test]
    fn each_tweet_has_what_it_refers_to_and_each_other_id_its_reason() {
        use Outcome::{Deleted, Found, Protected, Suspended, Unknown, Withheld};
        let ids = [
            1_500_000_000_001_000_003,
            1_500_000_000_002_000_006,
            1_500_000_000_011_000_033,
            1_500_000_000_012_000_036,
            1_500_000_000_013_000_039,
            1_500_000_000_014_000_042,
            1_500_000_000_015_000_045,
            1_500_000_000_016_000_048,
        ];
        let (lines, outcomes) = understood(TWEETS, IdKind::Tweet, &ids);
        assert_eq!(
            outcomes,
            [Found, Withheld, Deleted, Protected, Suspended, Unknown, Unknown, Withheld]
        );
        assert_eq!(lines.len(), 2);
        let names = |line: &Value, list: &str, key: &str| {
            let list = line["includes"][list].as_array().into_iter().flatten();
            list.map(|object| object[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        // Its author, who is mentioned, and the author of what it quotes; not somebody else's.
        assert_eq!(names(&lines[0], "users", "username"), ["made_up_1", "made_up_3", "made_up_4"]);
        assert_eq!(names(&lines[0], "tweets", "id"), ["1500000000003000009"]);
        assert_eq!(names(&lines[0], "media", "media_key"), ["3_1500000000096000288"]);
        assert_eq!(names(&lines[0], "places", "id"), ["01a9a39529b27f36"]);
        assert_eq!(names(&lines[1], "users", "username"), ["made_up_2"]);
        assert!(lines[1]["includes"].get("tweets").is_none());
        assert!(lines.iter().all(|line| line.get("errors").is_none()));
    }

    #[test]
    fn a_user_may_be_there_and_protected_all_the_same() {
        use Outcome::{Deleted, Found, Protected, Suspended, Unknown};
        let ids = [
            1_400_000_000_000_999_983,
            1_400_000_000_001_999_966,
            1_400_000_000_002_999_949,
            1_400_000_000_003_999_932,
            7,
        ];
        let (lines, outcomes) = understood(USERS, IdKind::User, &ids);
        assert_eq!(outcomes, [Found, Protected, Suspended, Deleted, Unknown]);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["includes"]["tweets"][0]["id"], "1500000000001000003");
    }

    #[test]
    fn what_nobody_asked_for_is_not_kept() {
        let page = "{\"data\":{\"id\":\"20\",\"text\":\"just made up\"},\"errors\":[\
                    {\"parameter\":\"ids\",\"value\":\"x\"},{\"value\":\"21\"},7]}";
        let (lines, outcomes) = understood(page, IdKind::Tweet, &[20, 21]);
        assert_eq!(lines.len(), 1);
        assert_eq!(outcomes, [Outcome::Found, Outcome::Unknown]);
        let (lines, outcomes) = understood(page, IdKind::Tweet, &[22]);
        assert_eq!((lines.len(), outcomes), (0, vec![Outcome::Unknown]));
        assert!(!is_page(&serde_json::json!({ "message": "maintenance" })));
    }
}
