//! The form by which somebody makes a peer-review link: what it asks, and what was said.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::form::{self, Field, Fields};
use super::visitor::Member;
use crate::base::date::end_ms;

/// A dataset that a link can be made of.
pub(super) struct Choice {
    pub(super) slug: String,
    pub(super) title: String,
}

/// What somebody typed, as they typed it.
#[derive(Default)]
pub(super) struct Said {
    label: String,
    dataset: String,
    ids: String,
    purpose: String,
    face: String,
    until: String,
    downloads: String,
    ids_max: String,
    offset: String,
    limit: String,
    passphrase: String,
    note: String,
}

impl Said {
    pub(super) fn read(fields: &Fields) -> Said {
        Said {
            label: fields.text("label"),
            dataset: fields.text("dataset"),
            ids: fields.text("ids"),
            purpose: fields.text("purpose"),
            face: fields.text("face"),
            until: fields.text("until"),
            downloads: fields.text("downloads_max"),
            ids_max: fields.text("ids_max"),
            offset: fields.text("offset"),
            limit: fields.text("limit"),
            passphrase: fields.text("passphrase"),
            note: fields.text("note"),
        }
    }

    /// The members of the operation, or what is wrong by the field.
    pub(super) fn members(
        &self,
        mail: &str,
    ) -> Result<Map<String, Value>, Vec<(&'static str, String)>> {
        let mut mistakes = Vec::new();
        if self.label.is_empty() {
            mistakes.push(("label", "Give it a name of your own.".to_owned()));
        }
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        for (name, value) in [
            ("operation", "share-add"),
            ("mail", mail),
            ("label", &self.label),
            ("dataset", &self.dataset),
            ("ids", &self.ids),
            ("purpose", &self.purpose),
            ("face", &self.face),
        ] {
            put(name, json!(value));
        }
        for (name, value) in [("passphrase", &self.passphrase), ("note", &self.note)] {
            if !value.is_empty() {
                put(name, json!(value));
            }
        }
        if !self.until.is_empty() {
            match end_ms(&self.until) {
                Ok(until_ms) => drop(put("until_ms", json!(until_ms))),
                Err(_) => mistakes.push(("until", "Name a day, as 2027-03-31.".to_owned())),
            }
        }
        for (name, value) in [
            ("downloads_max", &self.downloads),
            ("ids_max", &self.ids_max),
            ("offset", &self.offset),
            ("limit", &self.limit),
        ] {
            match value.parse::<u64>() {
                _ if value.is_empty() => {}
                Ok(number) => drop(put(name, json!(number))),
                Err(_) => mistakes.push((name, "Give a whole number, or nothing.".to_owned())),
            }
        }
        if mistakes.is_empty() { Ok(members) } else { Err(mistakes) }
    }
}

/// A choice among few words.
fn select(name: &str, label: &str, said: &str, choices: &[(&str, &str)]) -> Markup {
    html! {
        div class="field" {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @for (word, words) in choices {
                    option value=(word) selected[*word == said] { (words) }
                }
            }
        }
    }
}

/// The form, with what was said and the mistakes in it.
pub(super) fn draw(
    member: &Member,
    datasets: &[Choice],
    usual: [u32; 3],
    said: &Said,
    mistakes: &[(&str, String)],
) -> Markup {
    let [days, days_max, downloads] = usual;
    let field = |name, label, hint, value, kind| {
        let mistake = form::mistake_of(mistakes, name);
        Field { name, label, hint, value, kind, autocomplete: "off", mistake }.draw()
    };
    let choices: Vec<(&str, &str)> =
        datasets.iter().map(|choice| (choice.slug.as_str(), choice.title.as_str())).collect();
    let until_hint = format!("Empty: {days} days from now. At most {days_max} days.");
    let downloads_hint = format!("Empty: {downloads}.");
    html! {
        (form::mistakes(mistakes))
        form class="card stack" method="post" action="/shares" {
            (form::token(&member.0))
            (field("label", "Your name for it", "Reviewers do not see it.", &said.label, "text"))
            (select("dataset", "Dataset", &said.dataset, &choices))
            div class="row" {
                (select("ids", "IDs", &said.ids, &[("tweet", "Tweet IDs"), ("user", "User IDs")]))
                (select("purpose", "What it is for", &said.purpose,
                    &[("peer-review", "Peer review"), ("replication", "Replication")]))
                (select("face", "What it shows of you", &said.face,
                    &[("blind", "Nothing (blind)"), ("named", "Your names (named)")]))
            }
            (field("until", "Last day (optional)", &until_hint, &said.until, "optional"))
            (field("downloads_max", "Downloads at most (optional)", &downloads_hint,
                &said.downloads, "optional"))
            details {
                summary { "More: a part of the dataset, a limit of IDs, a passphrase, a note" }
                (field("offset", "First ID (optional)",
                    "Counted from 0; empty: from the beginning.", &said.offset, "optional"))
                (field("limit", "How many IDs (optional)", "Empty: to the end.", &said.limit,
                    "optional"))
                (field("ids_max", "IDs at most, all downloads together (optional)",
                    "Empty: as many as those downloads have.", &said.ids_max, "optional"))
                (field("passphrase", "Passphrase (optional)",
                    "At least 8 characters. It is not shown again: keep it.", &said.passphrase,
                    "optional"))
                (field("note", "Note for the editor (optional)",
                    "It stands in the account of use. Reviewers do not see it.", &said.note,
                    "optional"))
            }
            button type="submit" { "Make the link" }
        }
    }
}
