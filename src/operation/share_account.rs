//! The account of a link's use for an editor: numbers and days, as a text to read and as a table.
//! It is made of the answer about the link, and names nobody unless the link does.

use serde_json::Value;

/// What the account is called, without its ending; it names nobody.
pub const ACCOUNT_NAME: &str = "link-account";

/// The account as CSV: a row for each day (UTC), and one for all of them.
pub fn account_csv(share: &Value) -> String {
    let mut csv = String::from("day,downloads,ids\r\n");
    for day in days(share) {
        csv += &format!("{},{},{}\r\n", word(day, "day"), day["downloads"], day["ids"]);
    }
    csv + &format!("all,{},{}\r\n", share["downloads"], share["ids_used"])
}

/// The account as a text.
pub fn account_text(share: &Value) -> String {
    let mut text = String::from("Account of a link for peer review\n\n");
    let mut line = |name: &str, value: &str| text += &format!("{name:<22}{value}\n");
    line("Purpose", word(share, "purpose"));
    if share["face"] == "named" || share["published"].is_string() {
        line("Dataset", word(share, "title"));
        line("Institution", word(share, "entity"));
    }
    line("What it hands out", &format!("{} {} IDs a download", share["count"], kind(share)));
    line("Release (SHA-256)", release(share));
    line("Made", word(share, "created"));
    line("Good until", word(share, "expires"));
    line("State", word(share, "state"));
    for (name, field) in [("Revoked", "revoked"), ("Page with names since", "published")] {
        if let Some(time) = share[field].as_str() {
            line(name, time);
        }
    }
    line("Downloads", &format!("{} of at most {}", share["downloads"], share["downloads_max"]));
    line("IDs handed out", &format!("{} of at most {}", share["ids_used"], share["ids_max"]));
    if let Some(note) = share["note"].as_str().filter(|note| !note.is_empty()) {
        line("Note", note);
    }
    text += "\nDay (UTC)    Downloads         IDs\n";
    for day in days(share) {
        let (downloads, ids) = (day["downloads"].to_string(), day["ids"].to_string());
        text += &format!("{:<13}{downloads:>9}{ids:>12}\n", word(day, "day"));
    }
    text + "\nWho downloaded is not known: a link asks nobody who they are.\n"
}

fn days(share: &Value) -> &[Value] {
    share["days"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn word<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn kind(share: &Value) -> &str {
    if share["ids"] == "user" { "User" } else { "Tweet" }
}

/// A release is named by what is in it: where a link is blind, that could be looked up.
fn release(share: &Value) -> &str {
    if share["face"] == "named" || share["published"].is_string() {
        word(share, "release")
    } else {
        "not told, the link is blind"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_account_adds_up_and_names_nobody_unless_the_link_does() {
        let mut share = json!({
            "label": "LABEL", "maker": "MAKER", "entity": "ENTITY", "dataset": "SLUG",
            "title": "TITLE", "release": "RELEASE", "ids": "tweet", "count": 10,
            "purpose": "peer-review", "face": "blind", "note": "two reviewers",
            "state": "open", "created": "2027-01-01T00:00:00Z", "expires": "2027-03-01T00:00:00Z",
            "revoked": null, "published": null, "downloads": 2, "downloads_max": 5,
            "ids_used": 20, "ids_max": 50,
            "days": [{ "day": "2027-01-02", "downloads": 2, "ids": 20 }],
        });
        assert_eq!(account_csv(&share), "day,downloads,ids\r\n2027-01-02,2,20\r\nall,2,20\r\n");
        let text = account_text(&share);
        for secret in ["LABEL", "MAKER", "ENTITY", "SLUG", "TITLE", "RELEASE"] {
            assert!(!text.contains(secret), "{secret} stands in\n{text}");
        }
        assert!(text.contains("two reviewers") && text.contains("2 of at most 5"), "{text}");
        share["face"] = "named".into();
        assert!(account_text(&share).contains("TITLE"));
    }
}
