//! What a reviewer does who opens a link: read its page, accept the terms, go where it leads.

use serde_json::Value;

use super::{Answer, Gateway};

/// The path of a link's page.
pub fn page_of(share: &Value) -> String {
    format!("/s/{}", share["token"].as_str().unwrap())
}

/// What accepting the documents says in the form of a page.
pub fn terms(page: &Answer) -> String {
    let accepted = page.text().split("value=\"").skip(1).map(|rest| rest.split('"').next());
    let accepted = accepted.flatten().filter(|value| value.contains('@'));
    accepted.map(|value| format!("accept={}&", value.replace('@', "%40"))).collect()
}

pub const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
pub const HTML: (&str, &str) = ("Accept", "text/html,application/xhtml+xml");

/// Accepts the terms of the link at `page`, and returns the address of the download.
#[track_caller]
pub fn begun(gateway: &Gateway, page: &str) -> String {
    let said = terms(&gateway.ask("GET", page, &[], b""));
    let answer = gateway.ask("POST", &format!("{page}/downloads"), &[FORM], said.as_bytes());
    assert_eq!(answer.status, 303, "{} {}", answer.head, answer.text());
    answer.field("location").unwrap().to_owned()
}
