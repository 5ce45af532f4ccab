//! Applying for an academic exemption.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::form::{self, Field, Fields, SentByMember};
use super::layout::{Tab, sentence};
use super::table::Head::Words;
use super::table::table;
use super::visitor::Member;
use crate::base::date::{DAY_MS, end_ms, minute, until};
use crate::base::party::Actor;
use crate::directory::DirectoryError;
use crate::directory::attestation::CURRENT;
use crate::directory::exemption::{self, Apply};
use crate::directory::words::Sector;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::policy::ExemptionRule;
use crate::store::{EntityRow, ExemptionRow};

/// What the page shows of the applicant.
struct Shown {
    /// The academic entities that they belong to.
    academic: Vec<EntityRow>,
    exemptions: Vec<(String, ExemptionRow)>,
}

/// What stands in the form.
#[derive(Default)]
struct Said {
    slug: String,
    role: String,
    purpose: String,
    reference: String,
    until: String,
    ceiling: String,
    signed_by: String,
}

/// `GET /exemptions/apply`.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    member: Member,
) -> Result<Response, Problem> {
    page(&gateway, &member, &Said::default(), &[], html! {}).await
}

async fn page(
    gateway: &Gateway,
    member: &Member,
    said: &Said,
    mistakes: &[(&str, String)],
    news: Markup,
) -> Result<Response, Problem> {
    let shown = shown(gateway, member).await?;
    let days_max = gateway.profile.exemption_days_max;
    let needs_figure = gateway.profile.exemption == ExemptionRule::RegisteredAndPermitted;
    let (ceiling_label, ceiling_kind) = match needs_figure {
        true => ("How many IDs you need in any window", "text"),
        false => ("How many IDs you need in any window (optional)", "optional"),
    };
    let field = |name, label, hint, value, kind| {
        let mistake = form::mistake_of(mistakes, name);
        Field { name, label, hint, value, kind, autocomplete: "off", mistake }.draw()
    };
    let content = html! {
        h1 { "Academic exemption" }
        p class="lead" {
            "Academic researchers may receive more IDs than the ceiling if they do so on behalf of "
            "an academic institution and for non-commercial research alone. An operator decides."
        }
        (news)
        (earlier(&shown))
        @if shown.academic.is_empty() {
            div class="notice" { p {
                "You belong to no academic entity, and only such a one can be exempt. Ask your "
                "operator if that is wrong."
            } }
        } @else {
            (form::mistakes(mistakes))
            form class="stack" method="post" action="/exemptions/apply" novalidate {
                (form::token(&member.0))
                div class="field" {
                    label for="entity" { "Institution" }
                    select id="entity" name="entity" {
                        @for row in &shown.academic {
                            option value=(row.slug) selected[row.slug == said.slug] { (row.name) }
                        }
                    }
                }
                (field("role", "What you are there", "Professor, doctoral student, librarian.",
                    &said.role, "text"))
                (Field {
                    name: "purpose",
                    label: "The research it is for",
                    hint: "What you study, and why the ceiling does not suffice.",
                    value: &said.purpose,
                    kind: "text",
                    autocomplete: "off",
                    mistake: form::mistake_of(mistakes, "purpose"),
                }.draw())
                (Field {
                    name: "until",
                    label: "Last day",
                    hint: &format!("At most {days_max} days from now, as 2027-03-31."),
                    value: &said.until,
                    kind: "date",
                    autocomplete: "off",
                    mistake: form::mistake_of(mistakes, "until"),
                }.draw())
                (field("reference", "What supports it (optional)",
                    "A letter, a grant, a page of the institution.", &said.reference, "optional"))
                (field("ceiling", ceiling_label, "A whole number.", &said.ceiling, ceiling_kind))
                (signature(mistakes, said))
                button type="submit" { "Apply" }
            }
        }
    };
    Ok(member.0.page(Tab::Exemption, "Academic exemption", content))
}

fn signature(mistakes: &[(&str, String)], said: &Said) -> Markup {
    let mistake = form::mistake_of(mistakes, "attest");
    html! {
        div class="notice" { p { (CURRENT.text) } }
        div class="field check" {
            @if let Some(mistake) = mistake { p class="wrong" id="attest-wrong" { (mistake) } }
            input type="checkbox" id="attest" name="attest" value="yes"
                aria-invalid=[mistake.map(|_| "true")]
                aria-describedby=[mistake.map(|_| "attest-wrong")];
            label for="attest" {
                "The research is not commercial, and I attest what stands above."
            }
        }
        (Field {
            name: "signed_by",
            label: "Your full name, as a signature",
            hint: "",
            value: &said.signed_by,
            kind: "text",
            autocomplete: "name",
            mistake: form::mistake_of(mistakes, "signed_by"),
        }.draw())
    }
}

fn earlier(shown: &Shown) -> Markup {
    html! {
        @if !shown.exemptions.is_empty() {
            (table(
                Some("Your applications"),
                &[
                    Words("Institution"), Words("Applied"), Words("State"), Words("Until"),
                    Words("Reason"),
                ],
                html! {
                    @for (entity, row) in &shown.exemptions {
                        tr {
                            td { (entity) }
                            td { (minute(row.applied_ms)) }
                            td { span class="tag" { (row.status) } }
                            td { (until(row.until_ms)) }
                            td class="break" {
                                (row.revoked_reason.as_ref().or(row.reason.as_ref())
                                    .map_or("", String::as_str))
                            }
                        }
                    }
                },
            ))
        }
    }
}

async fn shown(gateway: &Gateway, member: &Member) -> Result<Shown, Problem> {
    let requester = member.signed_in().requester.clone();
    let look = gateway.store.look(move |tx| -> Result<Shown, Problem> {
        let mut shown = Shown { academic: Vec::new(), exemptions: Vec::new() };
        for entity in &requester.entities {
            let Some(row) = tx.entity_by_id(entity.id)? else { continue };
            if row.sector == Sector::Academic.word() {
                shown.academic.push(row);
            }
        }
        for row in tx.exemptions()? {
            if row.person == requester.person {
                let entity = tx.entity_by_id(row.entity)?.map(|entity| entity.name);
                shown.exemptions.push((entity.unwrap_or_default(), row));
            }
        }
        Ok(shown)
    });
    look.await
}

/// `POST /exemptions/apply`.
pub(in crate::http) async fn apply(
    State(gateway): State<Gateway>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let said = Said {
        slug: fields.text("entity"),
        role: fields.text("role"),
        purpose: fields.text("purpose"),
        reference: fields.text("reference"),
        until: fields.text("until"),
        ceiling: fields.text("ceiling"),
        signed_by: fields.text("signed_by"),
    };
    let mistakes = match checked(&said, &fields) {
        Ok(until_ms) => match enter(&gateway, &member, &said, until_ms).await {
            Ok(()) => {
                let news = html! {
                    div class="notice good" role="status" {
                        p { "Your application is entered. An operator looks at it." }
                    }
                };
                return page(&gateway, &member, &Said::default(), &[], news).await;
            }
            Err(DirectoryError::Store(error)) => return Err(error.into()),
            Err(error) => vec![(place_of(&error), sentence(&error.to_string()))],
        },
        Err(mistakes) => mistakes,
    };
    let mut response = page(&gateway, &member, &said, &mistakes, html! {}).await?;
    *response.status_mut() = problem::BAD_REQUEST.status;
    Ok(response)
}

async fn enter(
    gateway: &Gateway,
    member: &Member,
    said: &Said,
    until_ms: i64,
) -> Result<(), DirectoryError> {
    let request = Apply {
        slug: said.slug.clone(),
        mail: member.signed_in().person.mail.clone(),
        role: said.role.clone(),
        purpose: said.purpose.clone(),
        // Whoever has not ticked it does not come here.
        non_commercial: true,
        attestation: CURRENT.version.to_owned(),
        signed_by: said.signed_by.clone(),
        reference: Some(said.reference.clone()).filter(|reference| !reference.is_empty()),
        from_ms: None,
        until_ms,
        ceiling_ids: said.ceiling.parse().ok(),
    };
    let actor = Actor::Person(member.signed_in().requester.person);
    let (now_ms, profile) = (gateway.clock.now_ms(), gateway.profile.clone());
    let write = gateway
        .store
        .write(move |tx| exemption::apply(tx, now_ms, &actor, &profile, &request).map(drop));
    write.await
}

/// The end that was asked for, or what is wrong by the field.
fn checked(said: &Said, fields: &Fields) -> Result<i64, Vec<(&'static str, String)>> {
    let mut mistakes = Vec::new();
    if said.purpose.is_empty() {
        mistakes.push(("purpose", "Say what research it is for.".to_owned()));
    }
    for (name, value) in [("role", &said.role), ("signed_by", &said.signed_by)] {
        if value.is_empty() {
            mistakes.push((name, "This is needed.".to_owned()));
        }
    }
    if !said.ceiling.is_empty() && said.ceiling.parse::<u64>().is_err() {
        mistakes.push(("ceiling", "Give a whole number, as 3000000.".to_owned()));
    }
    let until_ms = end_ms(&said.until).unwrap_or_else(|_| {
        mistakes.push(("until", "Name a day, as 2027-03-31.".to_owned()));
        DAY_MS
    });
    if fields.text("attest") != "yes" {
        mistakes.push(("attest", "Without this nobody can be exempt.".to_owned()));
    }
    if mistakes.is_empty() { Ok(until_ms) } else { Err(mistakes) }
}

/// The field that a refusal of the directory is about.
fn place_of(error: &DirectoryError) -> &'static str {
    match error {
        DirectoryError::Invalid(text) if text.contains("purpose") => "purpose",
        DirectoryError::Invalid(_) => "until",
        _ => "entity",
    }
}
