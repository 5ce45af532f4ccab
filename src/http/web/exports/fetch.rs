//! Having a file made, confirming that it is wanted, fetching it, and giving it up.
//!
//! A file is fetched by a form of its own: it names how many objects there are, and its token is
//! good for fetching this file in this session once. The token is not kept anywhere: it is a keyed
//! hash of the file's number and of how often it was fetched, and fetching it counts one on, in the
//! transaction that charges it.

use std::fs::File;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use hmac::{Hmac, KeyInit, Mac};
use maud::html;
use sha2::Sha256;

use super::list::usage;
use super::number;
use super::one::{left_out, state_words};
use crate::base::date::minute;
use crate::base::number::separated;
use crate::base::party::{EntityId, PersonId};
use crate::deliver::Kept;
use crate::export::file::media_type;
use crate::export::job::ask::own_file;
use crate::export::job::{Cabinet, CabinetError};
use crate::http::api::Segment;
use crate::http::api::ids::{HYDRANT_DELIVERY, printable, unknown_dataset};
use crate::http::auth::entity_ids;
use crate::http::body::PassageBody;
use crate::http::problem::{self, Problem};
use crate::http::refusal;
use crate::http::socket::TcpWire;
use crate::http::state::Gateway;
use crate::http::web::form::{self, SentByMember};
use crate::http::web::layout::Tab;
use crate::http::web::visitor::{Member, SignedIn};
use crate::ledger::Denied;
use crate::ledger::objects::{self, FileOrder};
use crate::store::{DatasetRow, ExportFileRow, ExportRow, StoreError, Tx};

/// The field with the token that is good for one time.
const ONCE: &str = "once";
/// The field that names the count.
const OBJECTS: &str = "objects";

/// A file of somebody, with what it is of.
struct Found {
    file: ExportFileRow,
    export: ExportRow,
    dataset: DatasetRow,
}

impl Found {
    /// The file of that number, if it is of whoever asks and they still see its dataset.
    fn find(tx: &Tx<'_>, signed_in: &Asker, id: i64) -> Result<Found, Problem> {
        let file = own_file(tx, signed_in.person, id)?;
        let export = tx.export(file.export)?;
        let export = export.ok_or_else(|| unknown_dataset("of this export"))?;
        let slug = tx.dataset_by_id(export.dataset)?.map(|dataset| dataset.slug);
        let slug = slug.unwrap_or_default();
        let seen = tx.dataset_visible_to(&slug, Some(&signed_in.entities), signed_in.now_ms)?;
        Ok(Found { file, export, dataset: seen.ok_or_else(|| unknown_dataset(&slug))? })
    }

    /// Whether there is a file that can be fetched at that time.
    fn is_kept(&self, now_ms: i64) -> bool {
        self.file.state.is_kept() && self.file.kept_until_ms.is_some_and(|until| now_ms < until)
    }

    /// What it is called when it is saved.
    fn name(&self) -> String {
        let extension = self.file.extension.as_deref().unwrap_or("bin");
        format!("{}-export-{}-{}.{extension}", self.dataset.slug, self.export.id, self.file.part)
    }
}

/// Who asks, as looks need it.
struct Asker {
    person: PersonId,
    entities: Vec<EntityId>,
    now_ms: i64,
}

fn asker(gateway: &Gateway, signed_in: &SignedIn) -> Asker {
    let requester = &signed_in.requester;
    let now_ms = gateway.clock.now_ms();
    Asker { person: requester.person, entities: entity_ids(requester), now_ms }
}

/// What the form of a file carries that is fetched for the next time.
fn token(signed_in: &SignedIn, file: &ExportFileRow) -> String {
    let key = &signed_in.session.form_key;
    let mut hash = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    hash.update(format!("export-file/{}/{}", file.id, file.fetches).as_bytes());
    hex::encode(&hash.finalize().into_bytes()[..16])
}

/// `POST /exports/files/{id}/make`.
pub(super) async fn make(
    State(gateway): State<Gateway>,
    Segment(id): Segment,
    SentByMember { member, .. }: SentByMember,
) -> Result<Response, Problem> {
    let (id, asker) = (number(&id)?, asker(&gateway, member.signed_in()));
    let person = asker.person;
    let look = gateway.store.look(move |tx| Found::find(tx, &asker, id));
    let export = look.await?.export.id;
    let workshop = gateway.workshop.clone();
    let asked = tokio::task::spawn_blocking(move || workshop.ask_for_file(person, id)).await;
    asked.map_err(|bug| Problem::internal(&bug))??;
    Ok(Redirect::to(&format!("/exports/{export}")).into_response())
}

/// `POST /exports/files/{id}/cancel`.
pub(super) async fn cancel(
    State(gateway): State<Gateway>,
    Segment(id): Segment,
    SentByMember { member, .. }: SentByMember,
) -> Result<Response, Problem> {
    let (id, person) = (number(&id)?, member.signed_in().requester.person);
    let now_ms = gateway.clock.now_ms();
    let cancelled = gateway.store.write(move |tx| -> Result<i64, Problem> {
        let file = own_file(tx, person, id)?;
        tx.export_file_cancel(id, None, now_ms)?;
        Ok(file.export)
    });
    let export = cancelled.await?;
    Ok(Redirect::to(&format!("/exports/{export}")).into_response())
}

/// `GET /exports/files/{id}`: what is about to be fetched, and the form that does it.
pub(super) async fn confirm(
    State(gateway): State<Gateway>,
    member: Member,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    let (id, asker) = (number(&id)?, asker(&gateway, member.signed_in()));
    let found = gateway.store.look(move |tx| Found::find(tx, &asker, id)).await?;
    let (export, file) = (&found.export, &found.file);
    if !found.is_kept(gateway.clock.now_ms()) {
        return Ok(Redirect::to(&format!("/exports/{}", export.id)).into_response());
    }
    let usage = usage(&gateway, &member).await?;
    let left = usage.remaining_ids.unwrap_or(0);
    let count = separated(file.objects);
    let content = html! {
        h1 { "Fetch " (count) " objects" }
        p class="lead" { "File " (file.part) " of your export of " (found.dataset.title) "." }
        dl class="card" {
            dt { "File" } dd { code class="token" { (found.name()) } }
            dt { "Objects" } dd { (count) }
            dt { "Bytes" } dd { (separated(file.bytes)) }
            dt { "Left out" } dd { (left_out(file)) }
            @if let Some(until_ms) = file.kept_until_ms {
                dt { "Kept until" } dd { (minute(until_ms)) }
            }
            @if file.fetches > 0 { dt { "Fetched" } dd { (file.fetches) " times so far" } }
        }
        p {
            "Fetching it counts " strong { (count) } " objects, all at its first byte; there is "
            "room for " (separated(left)) " now. As long as they count, fetching the same file "
            "again counts nothing more and only moves the date."
        }
        p {
            "It is for you alone: third parties may have the IDs only. Delete what is removed "
            "within 24 hours; you are told when something in this file is."
        }
        form method="post" action={ "/exports/files/" (file.id) } {
            (form::token(&member.0))
            input type="hidden" name=(ONCE) value=(token(member.signed_in(), file));
            input type="hidden" name=(OBJECTS) value=(file.objects);
            button type="submit" { "Fetch these " (count) " objects" }
        }
        p { a href={ "/exports/" (export.id) } { "Back to the export" } }
    };
    Ok(member.0.page(Tab::Exports, "Fetch a file", content))
}

/// `POST /exports/files/{id}`: charges the file and hands it over.
pub(super) async fn fetch(
    State(gateway): State<Gateway>,
    Segment(id): Segment,
    Extension(wire): Extension<Arc<TcpWire>>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let (id, asker) = (number(&id)?, asker(&gateway, member.signed_in()));
    let found = gateway.store.look(move |tx| Found::find(tx, &asker, id)).await?;
    let signed_in = member.signed_in();
    if !found.is_kept(gateway.clock.now_ms()) {
        return Err(gone(&found.file));
    }
    let is_meant = fields.text(ONCE) == token(signed_in, &found.file)
        && fields.text(OBJECTS) == found.file.objects.to_string();
    if !is_meant {
        let detail = "the form was for another file, another session, or fetching it before";
        return Err(Problem::new(&problem::CONFIRMATION_USED, detail));
    }
    let kept = look_at(&gateway, &found.file).await?;
    let order = FileOrder {
        person: found.file.person,
        session: signed_in.session.id,
        file: objects::File { number: found.file.id as u64, objects: found.file.objects },
        dataset: found.export.dataset,
        release: found.export.release.as_str().into(),
        removals: kept.removals,
        fetches: found.file.fetches,
    };
    let length = found.file.bytes;
    let passage = match gateway.deliverer.begin_file(order, Arc::new(kept), wire).await {
        Ok(passage) => passage,
        Err(Denied::Changed) => return Err(changed(&gateway, id).await?),
        Err(denied) => {
            return Err(refusal::problem_of_file(&gateway, denied, &signed_in.requester));
        }
    };
    let delivery = passage.delivery_id().to_string();
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    let extension = found.file.extension.as_deref().unwrap_or_default();
    let name = format!("attachment; filename=\"{}\"", found.name());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(extension)));
    headers.insert(header::CONTENT_DISPOSITION, printable(&name));
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(HYDRANT_DELIVERY, printable(&delivery));
    *response.body_mut() = Body::new(PassageBody::new(Box::new(passage)));
    Ok(response)
}

/// A file that is kept, on its way.
#[derive(Debug)]
struct OnItsWay {
    cabinet: Cabinet,
    number: i64,
    bytes: File,
    length: u64,
    removals: i64,
}

impl Kept for OnItsWay {
    fn bytes(&self) -> &File {
        &self.bytes
    }

    fn length(&self) -> u64 {
        self.length
    }

    fn may_go_on(&self) -> Result<bool, StoreError> {
        self.cabinet.may_go_on(self.number)
    }
}

/// Holds a file against the removals in force and opens its bytes.
async fn look_at(gateway: &Gateway, row: &ExportFileRow) -> Result<OnItsWay, Problem> {
    let (cabinet, row) = (gateway.workshop.cabinet.clone(), row.clone());
    let looked = tokio::task::spawn_blocking(move || -> Result<OnItsWay, Problem> {
        let unknown = |error: CabinetError| Problem::unavailable(&error);
        if !cabinet.check(&row).map_err(unknown)? {
            return Err(gone(&row));
        }
        let bytes = cabinet.bytes(&row).map_err(unknown)?;
        let bytes = bytes.ok_or_else(|| Problem::internal(&"a kept file is not as it was made"))?;
        let removals = cabinet.store().read(|tx| tx.export_file(row.id))?;
        let removals = removals.map_or(row.removals, |row| row.removals);
        Ok(OnItsWay { cabinet, number: row.id, bytes, length: row.bytes, removals })
    });
    looked.await.map_err(|bug| Problem::internal(&bug))?
}

/// Why the ledger found another file than the one that was confirmed.
async fn changed(gateway: &Gateway, id: i64) -> Result<Problem, Problem> {
    let row = gateway.store.look(move |tx| tx.export_file(id));
    let row: Option<ExportFileRow> = row.await.map_err(|error: StoreError| Problem::from(error))?;
    Ok(match row {
        Some(row) if row.state.is_kept() => {
            let detail = "it was fetched, or removals came into force, since the page was shown";
            Problem::new(&problem::CONFIRMATION_USED, detail)
        }
        Some(row) => gone(&row),
        None => Problem::new(&problem::NOT_FOUND, "there is no such file of yours"),
    })
}

fn gone(row: &ExportFileRow) -> Problem {
    let why = match (&row.reason, row.state.is_kept()) {
        (Some(reason), _) => reason.as_str(),
        (None, true) => "it was kept long enough",
        (None, false) => state_words(row.state),
    };
    Problem::new(&problem::FILE_GONE, format!("this file can no longer be fetched: {why}"))
}
