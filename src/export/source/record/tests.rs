//! Tests of records of each form: what becomes of them, and why some become nothing.

use serde_json::{Value, json};

use super::*;
use crate::base::ids::Id;
use crate::export::object::Object;

const TWEET: u64 = 1_500_000_000_001_000_003;
const OTHER: u64 = 1_500_000_000_002_000_006;
const USER: u64 = 1_400_000_000_000_999_983;

fn tweet_of(record: &Value, id: u64) -> Result<TweetObject, LeftOut> {
    let text = record.to_string();
    let id = TweetId::from_value(id).unwrap();
    understand(text.as_bytes())?.tweet(id).unwrap_or(Err(LeftOut::NotInSource))
}

fn user_of(record: &Value, id: u64) -> Result<UserObject, LeftOut> {
    let text = record.to_string();
    let id = UserId::from_value(id).unwrap();
    understand(text.as_bytes())?.user(id).unwrap_or(Err(LeftOut::NotInSource))
}

/// The record with other values in places such as `user/protected`.
fn with(record: &Value, changes: &[(&str, Value)]) -> Value {
    let mut changed = record.clone();
    for (place, value) in changes {
        let mut at = &mut changed;
        for key in place.split('/') {
            at = match key.parse::<usize>() {
                Ok(index) => &mut at[index],
                Err(_) => &mut at[key],
            };
        }
        *at = value.clone();
    }
    changed
}

fn v1_user(id: u64) -> Value {
    json!({
        "id": id, "id_str": id.to_string(), "name": "Made Up", "screen_name": "made_up",
        "description": "in the harbour", "location": null, "url": "https://t.co/a",
        "entities": { "url": { "urls": [{ "url": "https://t.co/a",
            "expanded_url": "https://harbour.example" }] } },
        "created_at": "Thu Apr 06 15:24:15 +0000 2017", "followers_count": 3, "friends_count": 4,
        "statuses_count": 5, "listed_count": 6, "verified": false, "protected": false,
    })
}

fn v1_tweet(id: u64) -> Value {
    json!({
        "created_at": "Sun Mar 06 01:02:03 +0000 2022", "id": id, "id_str": id.to_string(),
        "text": "Fish &amp; chips #tea https://t.co/b https://t.co/c", "truncated": false,
        "source": "<a href=\"https://pen.example\" rel=\"nofollow\">Pen</a>",
        "in_reply_to_status_id": null, "in_reply_to_status_id_str": null,
        "user": v1_user(USER), "is_quote_status": false, "retweet_count": 7, "favorite_count": 8,
        "reply_count": 9, "quote_count": 10, "lang": "en",
        "entities": {
            "hashtags": [{ "text": "tea", "indices": [17, 21] }],
            "urls": [{ "url": "https://t.co/b", "expanded_url": "https://harbour.example/b" }],
            "media": [{ "media_url_https": "https://pbs.example/1.jpg" }] },
        "extended_entities": { "media": [{ "media_url_https": "https://pbs.example/1.jpg" },
            { "media_url": "http://pbs.example/2.jpg" }] },
    })
}

fn v2_tweet(id: u64) -> Value {
    json!({
        "id": id.to_string(), "text": "Fish &amp; chips #tea https://t.co/b https://t.co/c",
        "author_id": USER.to_string(), "created_at": "2022-03-06T01:02:03.000Z", "lang": "en",
        "edit_history_tweet_ids": [id.to_string()], "source": "Pen",
        "public_metrics": { "retweet_count": 7, "like_count": 8, "reply_count": 9,
            "quote_count": 10 },
        "attachments": { "media_keys": ["3_1", "7_2"] },
        "entities": { "hashtags": [{ "tag": "tea" }], "urls": [
            { "url": "https://t.co/b", "expanded_url": "https://harbour.example/b" },
            { "url": "https://t.co/c", "media_key": "3_1",
              "expanded_url": "https://twitter.com/made_up/status/1/photo/1" }] },
    })
}

fn v2_user(id: u64) -> Value {
    json!({
        "id": id.to_string(), "name": "Made Up", "username": "made_up",
        "description": "in the harbour", "url": "https://t.co/a", "verified": false,
        "entities": { "url": { "urls": [{ "url": "https://t.co/a",
            "expanded_url": "https://harbour.example" }] } },
        "created_at": "2017-04-06T15:24:15.000Z", "protected": false,
        "public_metrics": { "followers_count": 3, "following_count": 4, "tweet_count": 5,
            "listed_count": 6 },
    })
}

fn v2_page(tweet: Value) -> Value {
    json!({
        "data": [v2_tweet(7), tweet], "meta": { "result_count": 2 },
        "includes": {
            "users": [v2_user(USER)], "tweets": [v2_tweet(OTHER)],
            "media": [{ "media_key": "3_1", "type": "photo", "url": "https://pbs.example/1.jpg" },
                { "media_key": "7_2", "type": "video",
                  "preview_image_url": "http://pbs.example/2.jpg" }] },
    })
}

fn activity(id: u64) -> Value {
    json!({
        "objectType": "activity", "verb": "post", "id": format!("tag:search.twitter.com,2005:{id}"),
        "postedTime": "2022-03-06T01:02:03.000Z", "twitter_lang": "en",
        "body": "Fish &amp; chips #tea https://t.co/b https://t.co/c",
        "actor": {
            "objectType": "person", "id": format!("id:twitter.com:{USER}"),
            "displayName": "Made Up", "preferredUsername": "made_up", "summary": "in the harbour",
            "links": [{ "href": null, "rel": "me" }, { "href": "https://harbour.example" }],
            "postedTime": "2017-04-06T15:24:15.000Z", "followersCount": 3, "friendsCount": 4,
            "statusesCount": 5, "listedCount": 6, "verified": false },
        "object": { "objectType": "note", "id": format!("object:search.twitter.com,2005:{id}"),
            "summary": "Fish &amp; chips" },
        "generator": { "displayName": "Pen" }, "retweetCount": 7, "favoritesCount": 8,
        "twitter_entities": {
            "hashtags": [{ "text": "tea" }],
            "urls": [{ "url": "https://t.co/b", "expanded_url": "https://harbour.example/b" }] },
        "twitter_extended_entities": { "media": [
            { "media_url_https": "https://pbs.example/1.jpg" },
            { "media_url": "http://pbs.example/2.jpg" }] },
    })
}

/// What all of the records above are made of.
fn expected_tweet() -> TweetObject {
    serde_json::from_value(json!({
        "id": TWEET.to_string(),
        "author": { "id": USER.to_string(), "username": "made_up", "name": "Made Up" },
        "created_ms": 1_646_528_523_000_i64,
        "text": "Fish & chips #tea https://t.co/b https://t.co/c",
        "lang": "en", "reply_to": null, "quote_of": null, "retweet_of": null,
        "counts": { "replies": 9, "retweets": 7, "quotes": 10, "likes": 8 },
        "hashtags": ["tea"], "urls": ["https://harbour.example/b"],
        "media": ["https://pbs.example/1.jpg", "http://pbs.example/2.jpg"], "source": "Pen",
    }))
    .unwrap()
}

fn expected_user() -> UserObject {
    serde_json::from_value(json!({
        "id": USER.to_string(), "username": "made_up", "name": "Made Up",
        "description": "in the harbour", "location": null, "url": "https://harbour.example",
        "created_ms": 1_491_492_255_000_i64,
        "counts": { "followers": 3, "following": 4, "tweets": 5, "listed": 6 }, "verified": false,
    }))
    .unwrap()
}

#[test]
fn every_form_gives_the_same_object() {
    let flat = with(
        &v2_tweet(TWEET),
        &[
            ("author", v2_user(USER)),
            ("attachments/media", v2_page(Value::Null)["includes"]["media"].clone()),
        ],
    );
    let flat = with(&flat, &[("attachments/media_keys", Value::Null)]);
    let mut of_gnip = expected_tweet();
    (of_gnip.counts.replies, of_gnip.counts.quotes) = (None, None);
    let stream = json!({ "data": v2_tweet(TWEET), "includes": v2_page(Value::Null)["includes"],
        "matching_rules": [{ "id": "1500000000092000276" }] });
    for (form, record, expected) in [
        ("v1", v1_tweet(TWEET), expected_tweet()),
        ("v1 page", json!({ "statuses": [v1_tweet(7), v1_tweet(TWEET)] }), expected_tweet()),
        ("v2 page", v2_page(v2_tweet(TWEET)), expected_tweet()),
        ("v2 stream", stream, expected_tweet()),
        ("v2 flat", flat, expected_tweet()),
        ("GNIP", activity(TWEET), of_gnip.clone()),
        ("GNIP page", json!({ "results": [activity(7), activity(TWEET)] }), of_gnip),
        ("for a user", json!({ "for_user": 7, "message": v1_tweet(TWEET) }), expected_tweet()),
    ] {
        assert_eq!(tweet_of(&record, TWEET), Ok(expected), "{form}");
        assert_eq!(tweet_of(&record, 8), Err(LeftOut::NotInSource), "{form}");
        assert_eq!(user_of(&record, USER), Ok(expected_user()), "{form}");
        assert_eq!(user_of(&record, 8), Err(LeftOut::NotInSource), "{form}");
    }
    assert_eq!(user_of(&v2_user(USER), USER), Ok(expected_user()));
    let page = json!({ "data": [v2_user(7), v2_user(USER)] });
    assert_eq!(user_of(&page, USER), Ok(expected_user()));
}

#[test]
fn the_long_text_is_found_wherever_it_stands() {
    let long = "a long one &lt;3 ".repeat(30);
    let extended = json!({ "full_text": long, "entities": { "hashtags": [{ "text": "long" }] } });
    let cut = [("truncated", true.into()), ("text", "a long one… https://t.co/x".into())];
    let compatible = with(&v1_tweet(TWEET), &cut);
    let shown = long.replace("&lt;", "<");
    for (form, record) in [
        ("compatible", with(&compatible, &[("extended_tweet", extended.clone())])),
        ("extended", with(&v1_tweet(TWEET), &[("full_text", long.clone().into())])),
        ("note", v2_page(with(&v2_tweet(TWEET), &[("note_tweet", json!({ "text": long }))]))),
        ("GNIP", with(&activity(TWEET), &[("long_object", json!({ "body": long }))])),
    ] {
        assert_eq!(tweet_of(&record, TWEET).unwrap().text, shown, "{form}");
    }
    let record = with(&compatible, &[("extended_tweet", extended)]);
    assert_eq!(tweet_of(&record, TWEET).unwrap().hashtags, ["long"]);
    let beginning = format!("{}… https://t.co/abc", "a long one ".repeat(24));
    let note = json!({ "text": beginning, "created_at": "2023-06-01T00:00:00.000Z" });
    for (form, record) in [
        ("compatible", compatible),
        (
            "note",
            v2_page(with(
                &v2_tweet(TWEET),
                &[("text", note["text"].clone()), ("created_at", note["created_at"].clone())],
            )),
        ),
        ("GNIP", with(&activity(TWEET), &[("body", beginning.clone().into())])),
    ] {
        assert_eq!(tweet_of(&record, TWEET), Err(LeftOut::Truncated), "{form}");
    }
}

#[test]
fn a_retweet_shows_the_text_of_the_original_and_both_people() {
    let rt = "RT @made_up: Fish &amp; ch…";
    let by = |record: &Value, place: &str| {
        with(record, &[(place, json!("7")), ("text", rt.into()), ("truncated", true.into())])
    };
    let mut v1 = by(&v1_tweet(TWEET), "user/id_str");
    v1["retweeted_status"] = v1_tweet(OTHER);
    v1["quoted_status_id_str"] = "9".into();
    let mut v2 = with(&v2_tweet(TWEET), &[("text", rt.into()), ("author_id", "7".into())]);
    v2["referenced_tweets"] = json!([{ "type": "retweeted", "id": OTHER.to_string() }]);
    let mut page = v2_page(v2.clone());
    page["includes"]["users"] = json!([v2_user(USER), v2_user(7)]);
    let mut share = with(&activity(TWEET), &[("verb", "share".into()), ("body", rt.into())]);
    share["actor"]["id"] = "id:twitter.com:7".into();
    share["object"] = activity(OTHER);
    for (form, record) in [("v1", &v1), ("v2", &page), ("GNIP", &share)] {
        let tweet = tweet_of(record, TWEET).unwrap();
        assert_eq!(tweet.text, expected_tweet().text, "{form}");
        assert_eq!((tweet.author.id.value(), tweet.form()), (7, "retweet"), "{form}");
        assert_eq!((tweet.quote_of, tweet.hashtags.len()), (None, 1), "{form}");
        let original = tweet.retweet_of.unwrap();
        assert_eq!((original.id.value(), original.author.id.value()), (OTHER, USER), "{form}");
        // What is carried is all there as well, for wider scopes.
        let carried = tweet_of(record, OTHER).unwrap();
        assert_eq!((carried.text, carried.author.id.value()), (tweet.text, USER), "{form}");
        assert_eq!(user_of(record, USER).unwrap(), expected_user(), "{form}");
    }
    // Without the original only a part of the text is there.
    page["includes"]["tweets"] = json!([]);
    assert_eq!(tweet_of(&page, TWEET), Err(LeftOut::Truncated));
}

#[test]
fn what_may_not_be_shown_is_left_out_with_its_reason() {
    let v1 = v1_tweet(TWEET);
    let retweet = with(&v1, &[("retweeted_status", v1_tweet(OTHER))]);
    let page = v2_page(v2_tweet(TWEET));
    let post = activity(TWEET);
    let cases = [
        (&v1, "user/protected", json!(true), LeftOut::Protected),
        (&v1, "withheld_copyright", json!(true), LeftOut::Withheld),
        (&v1, "withheld_in_countries", json!(["XX"]), LeftOut::Withheld),
        (&v1, "user/withheld_in_countries", json!(["XX"]), LeftOut::Withheld),
        (&v1, "user/name", json!(""), LeftOut::AuthorUnknown),
        (&v1, "user/screen_name", json!(null), LeftOut::AuthorUnknown),
        (&v1, "edit_history", json!({ "edit_tweet_ids": ["1", "2"] }), LeftOut::Superseded),
        (&retweet, "retweeted_status/user/protected", json!(true), LeftOut::Protected),
        (&retweet, "retweeted_status/withheld_in_countries", json!(["XX"]), LeftOut::Withheld),
        (&retweet, "retweeted_status/truncated", json!(true), LeftOut::Truncated),
        (&page, "includes/users/0/protected", json!(true), LeftOut::Protected),
        (&page, "includes/users", json!([]), LeftOut::AuthorUnknown),
        (&page, "data/1/withheld", json!({ "country_codes": ["XX"] }), LeftOut::Withheld),
        (&page, "data/1/edit_history_tweet_ids", json!(["1", "2"]), LeftOut::Superseded),
        (&post, "actor/preferredUsername", json!(null), LeftOut::AuthorUnknown),
        (&post, "withheld_in_countries", json!(["XX"]), LeftOut::Withheld),
        (&post, "body", json!(null), LeftOut::Damaged),
    ];
    for (record, place, value, reason) in cases {
        assert!(tweet_of(record, TWEET).is_ok(), "{place}");
        assert_eq!(tweet_of(&with(record, &[(place, value)]), TWEET), Err(reason), "{place}");
    }
    let user = with(&v2_user(USER), &[("protected", true.into())]);
    assert_eq!(user_of(&user, USER), Err(LeftOut::Protected));
    let first = with(&v1, &[("id", 20.into()), ("id_str", "20".into()), ("created_at", 7.into())]);
    assert_eq!(tweet_of(&first, 20), Err(LeftOut::TimeUnknown));
    // A snowflake tells its time, a record without one does not have to.
    let timeless = with(&v1, &[("created_at", Value::Null)]);
    let told = TweetId::from_value(TWEET).unwrap().created_ms().unwrap();
    assert_eq!(tweet_of(&timeless, TWEET).unwrap().created_ms, told);
}

#[test]
fn replies_and_quotes_name_the_other_tweet() {
    let v1 = with(
        &v1_tweet(TWEET),
        &[("in_reply_to_status_id_str", "7".into()), ("quoted_status_id_str", "8".into())],
    );
    let v2 = with(
        &v2_tweet(TWEET),
        &[(
            "referenced_tweets",
            json!([
                { "type": "replied_to", "id": "7" }, { "type": "quoted", "id": "8" },
            ]),
        )],
    );
    let mut post = with(
        &activity(TWEET),
        &[(
            "inReplyTo",
            json!({
                "link": "http://twitter.com/made_up/statuses/7",
            }),
        )],
    );
    post["twitter_quoted_status"] = activity(8);
    for record in [v1, v2_page(v2), post] {
        let tweet = tweet_of(&record, TWEET).unwrap();
        let named = [tweet.reply_to, tweet.quote_of].map(|id| id.unwrap().value());
        assert_eq!(named, [7, 8]);
    }
}

#[test]
fn what_is_no_record_is_damaged_and_what_is_another_is_not_in_the_source() {
    let understood = |text: &str| understand(text.as_bytes()).map(|_| ());
    for text in ["{", "{\"text\":\"a\",\"text\":\"b\"}"] {
        assert_eq!(understood(text), Err(LeftOut::Damaged), "{text}");
    }
    for text in ["", "7", "1500000000001000003\n", "1500000000001000003,made up\n", "[]"] {
        assert_eq!(understood(text), Err(LeftOut::NotInSource), "{text}");
    }
    assert_eq!(understood("{\"delete\":{\"status\":{\"id\":7}}}"), Err(LeftOut::NotInSource));
    let cut = v1_tweet(TWEET).to_string();
    assert_eq!(understood(&cut[..cut.len() - 1]), Err(LeftOut::Damaged));
}

#[test]
fn an_object_comes_back_from_a_spool_as_it_was() {
    let object = Object::Tweet(Box::new(expected_tweet()));
    let text = serde_json::to_string(&object).unwrap();
    assert_eq!(serde_json::from_str::<Object>(&text).unwrap(), object);
}
