//! The front page: what this is, and the datasets that the visitor may know of.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::dataset::{Shown, shown_of};
use super::layout::Tab;
use super::visitor::Visitor;
use crate::base::number::separated;
use crate::http::auth::entity_ids;
use crate::http::problem::Problem;
use crate::http::state::Gateway;

/// `GET /`.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let now_ms = gateway.clock.now_ms();
    let entities = visitor.person.as_ref().map(|person| entity_ids(&person.requester));
    let look = gateway.store.look(move |tx| -> Result<Vec<Shown>, Problem> {
        let mut visible = tx.datasets_visible(entities.as_deref(), now_ms)?;
        visible.sort_by(|one, other| one.title.cmp(&other.title));
        visible.into_iter().map(|row| Ok(shown_of(tx, row)?)).collect()
    });
    let datasets = look.await?;
    let content = html! {
        h1 { "Datasets, as IDs" }
        p class="lead" {
            "Full " (visitor.profile.word) "s stay where they are; what you receive are their IDs, "
            "which you hydrate yourself. Every entity may receive up to "
            strong { (separated(visitor.profile.tweet_ids_max)) } " " (visitor.profile.word)
            " IDs in any " (visitor.profile.window.length_ms / 86_400_000) " days; "
            "registered academic research may receive more."
        }
        @if visitor.person.is_none() {
            p class="row" {
                a class="button" href="/sign-in" { "Sign in" }
                a class="button quiet" href="/register" { "Register" }
            }
        }
        h2 { @if visitor.person.is_some() { "Datasets for you" } @else { "Public datasets" } }
        @if datasets.is_empty() {
            p class="faint" { (nothing(&visitor)) }
        } @else {
            ul class="cards" { @for dataset in &datasets { (card(dataset)) } }
        }
    };
    Ok(visitor.page(Tab::Datasets, "Datasets", content))
}

fn nothing(visitor: &Visitor) -> &'static str {
    match visitor.person {
        Some(_) => "There is no dataset for you yet.",
        None => "There is no public dataset. Others are shown to people who have signed in.",
    }
}

fn card(dataset: &Shown) -> Markup {
    html! {
        li class="card" {
            h3 { a href={ "/datasets/" (dataset.row.slug) } { (dataset.row.title) } }
            p class="faint" {
                @if dataset.columns.is_empty() { "Stripped in flight, so nobody has counted it." }
                @for (kind, ids) in &dataset.columns {
                    (separated(*ids)) " " (kind.title()) " IDs "
                }
            }
            span class="tag" { (dataset.row.visibility.word()) }
        }
    }
}
