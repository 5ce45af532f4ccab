//! The form by which somebody selects what they need, and the export that comes of it.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::list::{allowance, usage};
use crate::base::date::begin_ms;
use crate::base::ids::IdKind;
use crate::base::number::separated;
use crate::export::file::{FILES, Format};
use crate::export::job::ask::{Ask, AskError};
use crate::export::source::{Filter, GatherError, Part, Selection};
use crate::http::api::Query;
use crate::http::api::ids::unknown_dataset;
use crate::http::auth::entity_ids;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::http::web::dataset::{Shown, has_objects, shown_of};
use crate::http::web::form::{self, Field, Fields, mistake_of};
use crate::http::web::layout::{Tab, sentence};
use crate::http::web::upload::{Lines, SentWithList};
use crate::http::web::visitor::Member;

/// The largest sample.
const SAMPLE_OBJECTS_MAX: u64 = 1_000_000;

/// Of which dataset.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Of {
    dataset: String,
}

/// `GET /exports/new?dataset=SLUG`.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    member: Member,
    Query(Of { dataset }): Query<Of>,
) -> Result<Response, Problem> {
    page(&gateway, &member, &dataset, &Fields::default(), &[]).await
}

async fn page(
    gateway: &Gateway,
    member: &Member,
    slug: &str,
    said: &Fields,
    mistakes: &[(&str, String)],
) -> Result<Response, Problem> {
    let entities = entity_ids(&member.signed_in().requester);
    let (now_ms, name) = (gateway.clock.now_ms(), slug.to_owned());
    let look = gateway.store.look(move |tx| -> Result<Shown, Problem> {
        let row = tx.dataset_visible_to(&name, Some(&entities), now_ms)?;
        Ok(shown_of(tx, row.ok_or_else(|| unknown_dataset(&name))?)?)
    });
    let dataset = look.await?;
    let usage = usage(gateway, member).await?;
    let none = nothing_of(gateway, &dataset).await?;
    let content = html! {
        h1 { "Select from " (dataset.row.title) }
        (allowance(&usage))
        @match none {
            Some(why) => p class="notice" { (why) },
            None => {
                (form::mistakes(mistakes))
                (draw(gateway, member, &dataset, said, mistakes))
            }
        }
    };
    let mut response = member.0.page(Tab::Exports, "Select", content);
    if !mistakes.is_empty() {
        *response.status_mut() = problem::BAD_REQUEST.status;
    }
    Ok(response)
}

/// Why nothing of a dataset can be selected, if so.
async fn nothing_of(gateway: &Gateway, dataset: &Shown) -> Result<Option<String>, Problem> {
    let release = dataset.row.supply.current_release().filter(|_| has_objects(dataset));
    let Some(release) = release.map(str::to_owned) else {
        return Ok(Some("There are no Tweets or Users in it that could be handed out.".into()));
    };
    let workshop = gateway.workshop.clone();
    let looked = tokio::task::spawn_blocking(move || workshop.has_objects(&release)).await;
    match looked.map_err(|bug| Problem::internal(&bug))? {
        Ok(()) => Ok(None),
        Err(AskError::Invalid(why)) => Ok(Some(sentence(&why))),
        Err(error) => Err(error.into()),
    }
}

fn draw(
    gateway: &Gateway,
    member: &Member,
    dataset: &Shown,
    said: &Fields,
    mistakes: &[(&str, String)],
) -> Markup {
    let field = |name, label, hint, kind| {
        let value = said.text(name);
        let mistake = mistake_of(mistakes, name);
        Field { name, label, hint, value: &value, kind, autocomplete: "", mistake }.draw()
    };
    let kinds = kinds(dataset);
    let chosen = said.text("kind");
    let is_chosen =
        |place: usize, kind: &IdKind| chosen == kind.word() || chosen.is_empty() && place == 0;
    let word = &gateway.profile.word;
    let part = Some(said.text("part")).filter(|part| !part.is_empty());
    let part = part.unwrap_or_else(|| "all".to_owned());
    html! {
        form method="post" action="/exports" enctype="multipart/form-data" {
            (form::token(&member.0))
            input type="hidden" name="dataset" value=(dataset.row.slug);
            fieldset {
                legend { "What" }
                @for (place, (kind, label)) in kinds.iter().enumerate() {
                    p {
                        label {
                            input type="radio" name="kind" value=(kind.word())
                                checked[is_chosen(place, kind)];
                            " " (label)
                        }
                    }
                }
            }
            fieldset {
                legend { "Which part" }
                (choice("part", "all", "All", &part))
                (choice("part", "between", "Those of a time", &part))
                (field("from", "From", "A day, as 2021-03-01 (UTC)", "optional"))
                (field("until", "Before", "A day that is not included itself", "optional"))
                (choice("part", "sample", "A sample", &part))
                (field("sample", "How many", "As 1,000", "optional"))
                (field("seed", "Seed", "A number: the same one gives the same sample", "optional"))
                (choice("part", "listed", "Those of a list", &part))
                div class="field" {
                    label for="ids" { "IDs" }
                    p class="hint" id="ids-hint" { "One a line; of a table the first column" }
                    @if let Some(mistake) = mistake_of(mistakes, "ids") {
                        p class="wrong" id="ids-wrong" { (mistake) }
                    }
                    textarea id="ids" name="ids" aria-describedby="ids-hint" { (said.text("ids")) }
                }
                div class="field" {
                    label for="file" { "Or a file of IDs" }
                    p class="hint" id="file-hint" {
                        "At most " (separated(gateway.upload_bytes_max)) " bytes"
                    }
                    input id="file" name="file" type="file" aria-describedby="file-hint";
                }
            }
            fieldset {
                legend { "Which of these " (word) "s" }
                p class="hint" {
                    "All that is given must hold. Leave it empty for every " (word) "."
                }
                (field("words", "With the text", "In whatever case", "optional"))
                (field("hashtag", "With the hashtag", "Without the #", "optional"))
                (field("lang", "In the language", "As en", "optional"))
                (field("author", "By", "A name without the @, or a user ID", "optional"))
            }
            fieldset {
                legend { "As what" }
                @for (place, kind) in FILES.iter().enumerate() {
                    p {
                        label {
                            input type="radio" name="format" value=(kind.word)
                                checked[said.text("format") == kind.word
                                    || said.text("format").is_empty() && place == 0];
                            " " (kind.says)
                        }
                    }
                }
            }
            button type="submit" { "Count and plan" }
            p class="faint" { "Nothing is made and nothing counts before you say so." }
        }
    }
}

/// What may be selected of a dataset, and what people are told that it is.
fn kinds(dataset: &Shown) -> Vec<(IdKind, String)> {
    let count = |kind| dataset.columns.iter().find(|(of, ids)| *of == kind && *ids > 0);
    match (count(IdKind::Tweet), count(IdKind::User)) {
        (Some((_, tweets)), _) => vec![
            (IdKind::Tweet, format!("Tweets, {} in all", separated(*tweets))),
            (IdKind::User, "Users: those who wrote them".to_owned()),
        ],
        (None, Some((_, users))) => {
            vec![(IdKind::User, format!("Users, {} in all", separated(*users)))]
        }
        (None, None) => Vec::new(),
    }
}

/// One of several choices.
fn choice(name: &str, value: &str, label: &str, chosen: &str) -> Markup {
    html! {
        p {
            label {
                input type="radio" name=(name) value=(value) checked[chosen == value];
                " " (label)
            }
        }
    }
}

/// `POST /exports`: plans an export, and shows the plan.
pub(super) async fn ask(
    State(gateway): State<Gateway>,
    SentWithList { member, fields, list }: SentWithList,
) -> Result<Response, Problem> {
    let slug = fields.text("dataset");
    let (asked, listed) = match read(&fields, list) {
        Ok(asked) => asked,
        Err(mistakes) => return page(&gateway, &member, &slug, &fields, &mistakes).await,
    };
    let requester = &member.signed_in().requester;
    let ask = Ask {
        person: requester.person,
        entities: entity_ids(requester),
        slug: slug.clone(),
        selection: asked.selection,
        listed,
        format: asked.format,
    };
    let workshop = gateway.workshop.clone();
    let made = tokio::task::spawn_blocking(move || workshop.ask(&ask)).await;
    match made.map_err(|bug| Problem::internal(&bug))? {
        Ok(id) => Ok(Redirect::to(&format!("/exports/{id}")).into_response()),
        Err(
            error @ (AskError::Invalid(_)
            | AskError::NoPlan(_)
            | AskError::Gather(GatherError::Unfit(_))),
        ) => {
            let mistakes = [("from", sentence(&error.to_string()))];
            page(&gateway, &member, &slug, &fields, &mistakes).await
        }
        Err(error) => Err(error.into()),
    }
}

/// What the form says.
struct Asked {
    selection: Selection,
    format: Format,
}

type Mistakes = Vec<(&'static str, String)>;

/// Reads the form: what is asked for, and the IDs that are listed, ascending.
fn read(fields: &Fields, list: Option<Lines>) -> Result<(Asked, Vec<u64>), Mistakes> {
    let mut mistakes = Vec::new();
    let kind = IdKind::from_word(&fields.text("kind")).filter(|kind| *kind != IdKind::Dm);
    if kind.is_none() {
        mistakes.push(("kind", "Choose what is to be selected".into()));
    }
    let format = Format::from_word(&fields.text("format"));
    if format.is_none() {
        mistakes.push(("format", "Choose a format".into()));
    }
    let (part, listed) = part(fields, list, &mut mistakes);
    let text = |name| Some(fields.text(name)).filter(|text| !text.is_empty());
    let filter = Filter {
        words: text("words").into_iter().collect(),
        hashtag: text("hashtag"),
        lang: text("lang"),
        author: text("author"),
    };
    match (kind, format) {
        (Some(kind), Some(format)) if mistakes.is_empty() => {
            Ok((Asked { selection: Selection { kind, part, filter }, format }, listed))
        }
        _ => Err(mistakes),
    }
}

/// Which part is asked for, and the IDs that are listed.
fn part(fields: &Fields, list: Option<Lines>, mistakes: &mut Mistakes) -> (Part, Vec<u64>) {
    let mut time = |name: &'static str, label| match fields.text(name).as_str() {
        "" => None,
        text => begin_ms(text)
            .map_err(|error| mistakes.push((name, format!("{label} is `{text}`: {error}"))))
            .ok(),
    };
    match fields.text("part").as_str() {
        "between" => {
            let (from_ms, until_ms) = (time("from", "From"), time("until", "Before"));
            if from_ms.or(until_ms).is_none() {
                mistakes.push(("from", "Say from when, or before when".into()));
            }
            (Part::Between { from_ms, until_ms }, Vec::new())
        }
        "sample" => {
            let mut whole = |name: &'static str, label| {
                let number = fields.whole_number(name, label);
                number.map_err(|mistake| mistakes.push((name, mistake))).ok().flatten()
            };
            let (objects, seed) = (whole("sample", "The sample"), whole("seed", "The seed"));
            let objects = objects.unwrap_or(0);
            if !(1..=SAMPLE_OBJECTS_MAX).contains(&objects) {
                let max = separated(SAMPLE_OBJECTS_MAX);
                mistakes.push(("sample", format!("Give a number from 1 to {max}")));
            }
            (Part::Sample { objects, seed: seed.unwrap_or(1) }, Vec::new())
        }
        "listed" => {
            let Lines { ids: mut listed, wrong, .. } =
                list.unwrap_or_else(|| Lines::of(&fields.text("ids")));
            if let Some((line, text)) = wrong {
                mistakes.push(("ids", format!("Line {line} of the list is `{text}`: no ID")));
            }
            listed.sort_unstable();
            listed.dedup();
            if listed.is_empty() {
                mistakes.push(("ids", "There is no ID in the list".into()));
            }
            (Part::Listed { ids: listed.len() as u64 }, listed)
        }
        _ => (Part::All, Vec::new()),
    }
}
