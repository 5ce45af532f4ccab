//! Forms: taking one that a page of ours sent, and drawing fields with their mistakes beside them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::visitor::{Member, Visitor};
use crate::http::form::whole;
use crate::http::listener::Peer;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;

/// The field that shows that a page of ours made the form.
const TOKEN: &str = "form";

/// A form that a page of ours sent, and who sent it.
pub(in crate::http) struct Sent {
    pub(super) visitor: Visitor,
    pub(super) fields: Fields,
    /// From which address it came.
    origin: Option<IpAddr>,
}

/// A form of somebody who has signed in; others are led to where they can.
pub(in crate::http) struct SentByMember {
    pub(super) member: Member,
    pub(super) fields: Fields,
}

/// What stands in the fields of a form, by their names.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, Vec<String>>);

impl Fields {
    /// What stands in the field of that name, without the space round it; of several the first.
    pub(super) fn text(&self, name: &str) -> String {
        let first = self.0.get(name).and_then(|values| values.first());
        first.map(|value| value.trim().to_owned()).unwrap_or_default()
    }

    /// Adds what stands in a field.
    pub(super) fn put(&mut self, name: String, value: String) {
        self.0.entry(name).or_default().push(value);
    }

    /// All that stand in fields of that name, such as boxes that are ticked.
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Fields {
    /// The whole number in the field of that name, in which digits may be set apart; `None`: it is
    /// empty.
    ///
    /// # Errors
    /// What would have been right, where `label` names the field.
    pub(super) fn whole_number(&self, name: &str, label: &str) -> Result<Option<u64>, String> {
        match self.text(name).replace([',', ' '], "").as_str() {
            "" => Ok(None),
            number => number
                .parse()
                .map(Some)
                .map_err(|_| format!("{label} is `{number}`; give a whole number, as 3,000,000")),
        }
    }
}

impl Sent {
    /// Makes sure that strangers do not send too much.
    ///
    /// # Errors
    /// 429 if they do.
    pub(super) fn slow_down(&self, gateway: &Gateway) -> Result<(), Problem> {
        match self.origin {
            Some(address) => gateway.pace.take(address, gateway.clock.now_ms()),
            None => Ok(()),
        }
    }
}

impl FromRequest<Gateway> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Sent, Problem> {
        if !gateway.hosts.is_own_page(request.headers()) {
            let detail = "the form was not sent by a page of this gateway";
            return Err(Problem::new(&problem::CROSS_SITE, detail));
        }
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, gateway).await?;
        let kind = parts.headers.get(header::CONTENT_TYPE);
        if kind
            .is_none_or(|kind| !kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"))
        {
            return Err(Problem::new(&problem::BAD_REQUEST, "the body is no form"));
        }
        let fields = fields(body).await?;
        check_token(&visitor, &fields)?;
        let peer = parts.extensions.get::<Peer>();
        let origin = peer.map(|Peer(address)| gateway.pace.origin(*address, &parts.headers));
        Ok(Sent { visitor, fields, origin })
    }
}

impl FromRequest<Gateway> for SentByMember {
    type Rejection = Response;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<SentByMember, Response> {
        let (mut parts, body) = request.into_parts();
        // First of all, so that whoever is signed out meanwhile is told where to sign in.
        let own = gateway.hosts.is_own_page(&parts.headers);
        if own {
            Member::from_request_parts(&mut parts, gateway).await?;
        }
        let sent = Sent::from_request(Request::from_parts(parts, body), gateway).await;
        let Sent { visitor, fields, .. } = sent.map_err(IntoResponse::into_response)?;
        Ok(SentByMember {
            member: Member::of(visitor).map_err(IntoResponse::into_response)?,
            fields,
        })
    }
}

/// Makes sure that a page which was made for `visitor` has the form.
///
/// # Errors
/// 403 if not.
pub(super) fn check_token(visitor: &Visitor, fields: &Fields) -> Result<(), Problem> {
    match visitor.made_form(&fields.text(TOKEN)) {
        true => Ok(()),
        false => {
            let detail = "the form is of another session, or its page was open for too long";
            Err(Problem::new(&problem::CROSS_SITE, detail))
        }
    }
}

async fn fields(body: Body) -> Result<Fields, Problem> {
    let bytes = whole(body).await?;
    let mut fields = Fields::default();
    for (name, value) in form_urlencoded::parse(&bytes) {
        fields.put(name.into_owned(), value.into_owned());
    }
    Ok(fields)
}

/// The hidden field that every form of `visitor` carries.
pub(super) fn token(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name=(TOKEN) value=(visitor.form_token()); }
}

/// A form that is nothing but a button.
pub(super) fn button(
    visitor: &Visitor,
    action: &str,
    class: &str,
    label: &str,
    of: &str,
) -> Markup {
    html! {
        form method="post" action=(action) {
            (token(visitor))
            button type="submit" class=(class) aria-label=[(!of.is_empty()).then(|| {
                format!("{label} {of}")
            })] { (label) }
        }
    }
}

/// One field of a form, as it is drawn.
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    pub(super) hint: &'a str,
    pub(super) value: &'a str,
    /// `text`, `email`, `date`; `long` is a text of several lines, `optional` one that may be
    /// empty.
    pub(super) kind: &'a str,
    /// What a browser may fill in by itself, as HTML names it.
    pub(super) autocomplete: &'a str,
    /// What is wrong with the value.
    pub(super) mistake: Option<&'a str>,
}

impl Field<'_> {
    /// The field with its label, its hint and its mistake, which point to each other.
    pub(super) fn draw(&self) -> Markup {
        let Field { name, label, hint, value, kind, autocomplete, mistake } = *self;
        let (hint_id, wrong_id) = (format!("{name}-hint"), format!("{name}-wrong"));
        let shown_kind = if kind == "optional" { "text" } else { kind };
        let described = match (hint.is_empty(), mistake) {
            (true, None) => None,
            (false, None) => Some(hint_id.clone()),
            (true, Some(_)) => Some(wrong_id.clone()),
            (false, Some(_)) => Some(format!("{hint_id} {wrong_id}")),
        };
        let invalid = mistake.map(|_| "true");
        let autocomplete = (!autocomplete.is_empty()).then_some(autocomplete);
        html! {
            div class="field" {
                label for=(name) { (label) }
                @if !hint.is_empty() { p class="hint" id=(hint_id) { (hint) } }
                @if let Some(mistake) = mistake { p class="wrong" id=(wrong_id) { (mistake) } }
                @if kind == "long" {
                    textarea id=(name) name=(name) required aria-describedby=[described]
                        aria-invalid=[invalid] { (value) }
                } @else {
                    input id=(name) name=(name) type=(shown_kind) value=(value)
                         required[kind != "optional"]
                        autocomplete=[autocomplete] aria-describedby=[described]
                        aria-invalid=[invalid];
                }
            }
        }
    }
}

/// The summary at the top of a form with mistakes: each leads to its field.
pub(super) fn mistakes(mistakes: &[(&str, String)]) -> Markup {
    html! {
        @if !mistakes.is_empty() {
            div class="notice bad" role="alert" {
                h2 { "Please correct this" }
                ul {
                    @for (name, mistake) in mistakes {
                        li { a href={ "#" (name) } { (mistake) } }
                    }
                }
            }
        }
    }
}

/// The mistake of a field, if it has one.
pub(super) fn mistake_of<'a>(mistakes: &'a [(&str, String)], name: &str) -> Option<&'a str> {
    mistakes.iter().find(|(of, _)| *of == name).map(|(_, mistake)| mistake.as_str())
}
