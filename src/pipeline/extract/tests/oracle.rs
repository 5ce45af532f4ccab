//! The oracle: what each JSON format holds, by a full parse, slow and obvious. It shares nothing
//! with the extractors but the documentation of the formats.

use serde_json::Value;

use crate::base::ids::{IdKind, parse_digits};
use crate::pipeline::wants::Scope;

/// IDs that a record may give, in no order: kind, how far from the record, value.
pub(super) type Ids = Vec<(IdKind, Scope, u64)>;

use IdKind::{Dm, Tweet, User};
use Scope::{Embedded, Own, Referenced};

/// The ID in a value: digits in quotes, or a whole number.
fn id(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => parse_digits(text.as_bytes()).ok(),
        Value::Number(number) => number.as_u64().filter(|id| i64::try_from(*id).is_ok()),
        _ => None,
    }
}

/// `id_str`, or `id`.
fn of_pair(object: &Value, number: &str, text: &str) -> Option<u64> {
    id(&object[text]).or_else(|| id(&object[number]).filter(|_| object[text].is_null()))
}

fn end_of(value: &Value, tags: &[&str]) -> Option<u64> {
    let text = value.as_str()?;
    let rest = tags.iter().find_map(|tag| text.strip_prefix(tag))?;
    parse_digits(rest.as_bytes()).ok()
}

fn of_link(value: &Value) -> Option<u64> {
    let text = value.as_str()?;
    let (_, rest) = text.split_once("/status/").or_else(|| text.split_once("/statuses/"))?;
    let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    parse_digits(digits.as_bytes()).ok()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Everything that a record of whatever format may give.
pub(super) fn ids_of(record: &Value) -> Ids {
    let mut ids = Ids::new();
    if let Value::Array(records) = record {
        ids.extend(records.iter().flat_map(ids_of));
        return ids;
    }
    let has = |key: &str| record.get(key).is_some();
    if has("for_user") && record["message"].is_object() {
        return ids_of(&record["message"]);
    }
    let scraped_type = record["_type"].as_str().unwrap_or_default();
    if scraped_type.ends_with(".Tweet") {
        scraped(record, Own, &mut ids);
    } else if scraped_type.ends_with(".User") {
        push(&mut ids, User, Own, of_pair(record, "id", "id_str"));
    } else if has("rest_id") || record["data"].is_object() && !record["data"]["id"].is_string() {
        graphql(record, &mut ids);
    } else if has("verb") {
        activity(record, Own, &mut ids);
    } else if has("recipient") || has("recipient_id") {
        old_message(record, &mut ids);
    } else if record["direct_message"].is_object() {
        old_message(&record["direct_message"], &mut ids);
    } else if has("event_type") || has("data") || has("author_id") || has("username") {
        for object in list(&record["data"]) {
            v2(object, Own, &mut ids);
        }
        v2(if record["data"].is_object() { &record["data"] } else { record }, Own, &mut ids);
        for name in ["tweets", "users"] {
            for object in list(&record["includes"][name]) {
                v2(object, Embedded, &mut ids);
            }
        }
    } else if has("events") || has("event") || has("message_create") {
        for event in list(&record["events"]).iter().chain([&record["event"], record]) {
            message_event(event, &mut ids);
        }
    } else if has("statuses") || has("results") {
        for element in list(&record["statuses"]).iter().chain(list(&record["results"])) {
            ids.extend(ids_of(element));
        }
    } else if has("user") || has("full_text") {
        v1(record, Own, &mut ids);
    } else {
        archive(record, &mut ids);
    }
    ids
}

fn push(ids: &mut Ids, kind: IdKind, scope: Scope, id: Option<u64>) {
    ids.extend(id.map(|id| (kind, scope, id)));
}

fn v1(tweet: &Value, scope: Scope, ids: &mut Ids) {
    push(ids, Tweet, scope, of_pair(tweet, "id", "id_str"));
    push(ids, User, scope, of_pair(&tweet["user"], "id", "id_str"));
    for name in ["retweeted_status", "quoted_status"] {
        if tweet[name].is_object() {
            v1(&tweet[name], Embedded, ids);
        }
    }
    for (kind, number) in [
        (Tweet, "in_reply_to_status_id"),
        (Tweet, "quoted_status_id"),
        (User, "in_reply_to_user_id"),
    ] {
        push(ids, kind, Referenced, of_pair(tweet, number, &format!("{number}_str")));
    }
    for edit in list(&tweet["edit_history"]["edit_tweet_ids"]) {
        push(ids, Tweet, Referenced, id(edit));
    }
    for media in list(&tweet["entities"]["media"]) {
        push(ids, Tweet, Referenced, of_pair(media, "source_status_id", "source_status_id_str"));
    }
}

fn v2(object: &Value, scope: Scope, ids: &mut Ids) {
    if object.get("event_type").is_some() {
        let own = id(&object["id"]).or_else(|| id(&object["dm_event_id"]));
        push(ids, Dm, scope, own);
        push(ids, User, scope, id(&object["sender_id"]));
        for person in list(&object["participant_ids"]) {
            push(ids, User, scope, id(person));
        }
    } else if object.get("text").is_some() {
        push(ids, Tweet, scope, id(&object["id"]));
        push(ids, User, scope, id(&object["author_id"]));
    } else if object.get("username").is_some() {
        push(ids, User, scope, id(&object["id"]));
    }
    for other in list(&object["referenced_tweets"]) {
        let scope = if other.get("text").is_some() { Embedded } else { Referenced };
        push(ids, Tweet, scope, id(&other["id"]));
        push(ids, User, scope, id(&other["author_id"]));
    }
    for edit in list(&object["edit_history_tweet_ids"]) {
        push(ids, Tweet, Referenced, id(edit));
    }
    push(ids, User, Referenced, id(&object["in_reply_to_user_id"]));
}

fn activity(activity: &Value, scope: Scope, ids: &mut Ids) {
    const TAGS: &[&str] = &["tag:search.twitter.com,2005:", "tag:search.x.com,2005:"];
    const OBJECTS: &[&str] = &["object:search.twitter.com,2005:", "object:search.x.com,2005:"];
    if activity["verb"] == "delete" {
        return;
    }
    let own = end_of(&activity["id"], TAGS).or_else(|| end_of(&activity["id"], OBJECTS));
    push(ids, Tweet, scope, own);
    push(ids, User, scope, end_of(&activity["actor"]["id"], &["id:twitter.com:", "id:x.com:"]));
    if activity["verb"] == "share" {
        self::activity(&activity["object"], Embedded, ids);
    }
    if activity["twitter_quoted_status"].is_object() {
        self::activity(&activity["twitter_quoted_status"], Embedded, ids);
    }
    push(ids, Tweet, Referenced, of_link(&activity["inReplyTo"]["link"]));
}

fn old_message(message: &Value, ids: &mut Ids) {
    push(ids, Dm, Own, of_pair(message, "id", "id_str"));
    for person in ["sender", "recipient"] {
        let named = of_pair(message, &format!("{person}_id"), &format!("{person}_id_str"));
        push(ids, User, Own, named.or_else(|| of_pair(&message[person], "id", "id_str")));
    }
}

fn message_event(event: &Value, ids: &mut Ids) {
    let created = &event["message_create"];
    if event["type"] == "message_create" && created.is_object() {
        push(ids, Dm, Own, id(&event["id"]));
        push(ids, User, Own, id(&created["sender_id"]));
        push(ids, User, Own, id(&created["target"]["recipient_id"]));
    }
}

fn scraped(tweet: &Value, scope: Scope, ids: &mut Ids) {
    let text = ["id_str", "id.str"].iter().find_map(|name| id(&tweet[*name]));
    push(ids, Tweet, scope, of_link(&tweet["url"]).or(text).or_else(|| id(&tweet["id"])));
    push(ids, User, scope, of_pair(&tweet["user"], "id", "id_str"));
    for name in ["retweetedTweet", "quotedTweet"] {
        let carried = &tweet[name];
        if carried["user"].is_object() {
            scraped(carried, Embedded, ids);
        } else {
            push(ids, Tweet, Referenced, of_pair(carried, "id", "id_str"));
        }
    }
    push(ids, Tweet, Referenced, id(&tweet["inReplyToTweetId"]));
    push(ids, User, Referenced, of_pair(&tweet["inReplyToUser"], "id", "id_str"));
}

/// Goes through everything; a carried tweet is embedded.
fn graphql(value: &Value, ids: &mut Ids) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| graphql(value, ids)),
        Value::Object(members) => {
            let name = value["__typename"].as_str();
            let legacy = &value["legacy"];
            let is_tweet =
                name == Some("Tweet") || name.is_none() && legacy["full_text"].is_string();
            if matches!(name, Some("TweetTombstone" | "TweetUnavailable")) {
            } else if id(&value["rest_id"]).is_some() && is_tweet {
                graphql_tweet(value, Own, ids);
            } else if id(&value["rest_id"]).is_some() && name == Some("User") {
                push(ids, User, Own, id(&value["rest_id"]));
            } else {
                members.values().for_each(|value| graphql(value, ids));
            }
        }
        _ => {}
    }
}

fn graphql_tweet(tweet: &Value, scope: Scope, ids: &mut Ids) {
    let legacy = &tweet["legacy"];
    push(ids, Tweet, scope, id(&tweet["rest_id"]));
    let author = id(&tweet["core"]["user_results"]["result"]["rest_id"]);
    push(ids, User, scope, author.or_else(|| id(&legacy["user_id_str"])));
    for carried in [&legacy["retweeted_status_result"], &tweet["quoted_status_result"]] {
        let result = &carried["result"];
        let inner = if result["tweet"].is_object() { &result["tweet"] } else { result };
        if inner["legacy"].is_object() {
            graphql_tweet(inner, Embedded, ids);
        }
    }
    for (kind, name) in [
        (Tweet, "in_reply_to_status_id_str"),
        (Tweet, "quoted_status_id_str"),
        (User, "in_reply_to_user_id_str"),
    ] {
        push(ids, kind, Referenced, id(&legacy[name]));
    }
    for edit in list(&tweet["edit_control"]["edit_tweet_ids"]) {
        push(ids, Tweet, Referenced, id(edit));
    }
}

fn archive(record: &Value, ids: &mut Ids) {
    let tweet = &record["tweet"];
    if tweet.is_object() && tweet["deleted_at"].is_null() {
        v1(tweet, Own, ids);
    }
    push(ids, Tweet, Own, id(&record["like"]["tweetId"]));
    for name in ["follower", "following", "account"] {
        push(ids, User, Own, id(&record[name]["accountId"]));
    }
    for event in list(&record["dmConversation"]["messages"]) {
        let message = &event["messageCreate"];
        push(ids, Dm, Own, id(&message["id"]));
        push(ids, User, Referenced, id(&message["senderId"]));
        push(ids, User, Referenced, id(&message["recipientId"]));
    }
}
