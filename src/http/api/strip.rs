//! A body for its IDs: `POST /v1/strip`.
//!
//! Whatever can be refused is refused before a byte of the body is read: a client that asks first
//! (`Expect: 100-continue`) is then never told to go on. The body is stripped as it arrives and
//! its IDs are spooled; only when all are counted is the ledger asked, for exactly so many.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::Body as _;
use serde::Deserialize;

use super::Query;
use super::ids::{CONTENT_TYPE, HYDRANT_DELIVERY, may_download, printable};
use crate::base::ids::IdKind;
use crate::base::steady::{self, Blocks, More, NoPiece};
use crate::config::StripBounds;
use crate::deliver::{Asker, Begun, Unbegun};
use crate::directory::Requester;
use crate::http::auth::{Presented, note_use};
use crate::http::body::PassageBody;
use crate::http::problem::{self, Problem};
use crate::http::refusal;
use crate::http::socket::TcpWire;
use crate::http::state::Gateway;
use crate::store::StoreError;
use crate::transit::Without;
use crate::transit::{self, Damage, Distinct, Parcels, Pipe, Report, Scope, StripError, Wish};

const RECORDS: HeaderName = HeaderName::from_static("hydrant-records");
const RECORDS_DAMAGED: HeaderName = HeaderName::from_static("hydrant-records-damaged");

/// What is wanted of a body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Wanted {
    /// Which kind of IDs.
    ids: Option<String>,
    /// How far from each record they are looked for.
    scope: Option<String>,
    /// Whether each ID is handed out once only.
    #[serde(default)]
    distinct: bool,
    /// Whether the first damaged record refuses the whole body.
    #[serde(default)]
    strict: bool,
}

/// `POST /v1/strip`: the IDs of a body, charged to the requester.
pub(in crate::http) async fn strip(
    State(gateway): State<Gateway>,
    Extension(wire): Extension<Arc<TcpWire>>,
    request: Request,
) -> Response {
    let (mut parts, mut body) = request.into_parts();
    let answer = answer(&gateway, &mut parts, Arc::clone(&wire), &mut body).await;
    let mut response = answer.into_response();
    if !body.is_end_stream() {
        // Whoever still sends has to hear the answer before the connection is torn down.
        wire.linger_on_close();
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn answer(
    gateway: &Gateway,
    parts: &mut Parts,
    wire: Arc<TcpWire>,
    body: &mut Body,
) -> Result<Response, Problem> {
    let presented = Presented::from_request_parts(parts, gateway).await?;
    let Query(wanted) = Query::<Wanted>::from_request_parts(parts, gateway).await?;
    let mut wish = wanted.wish(gateway)?;
    let kind = wish.kind;
    let now_ms = gateway.clock.now_ms();
    let profile = gateway.profile.clone();
    let look = gateway.store.look(move |tx| {
        let requester = presented.requester(tx, now_ms)?;
        may_download(tx, &profile, &requester, now_ms)?;
        Ok::<_, Problem>(requester)
    });
    let requester = look.await?;
    note_use(gateway, &requester, now_ms);
    let bytes_max = gateway.strips.bounds.body_bytes_max;
    if body.size_hint().lower() > bytes_max {
        return Err(too_large(bytes_max));
    }
    let Requester { person, by, .. } = requester;
    let denied = |denied| refusal::problem(gateway, denied, &requester, None, kind);
    gateway.ledger.inquire(person, Some(by), kind, None).await.map_err(denied)?;
    wish.without = gateway.without(kind).await?;
    let (pipe, stripping) = transit::strip_body(wish, gateway.strips.place()?);
    receive(gateway, body, pipe).await?;
    let stripped = stripping.await.map_err(|panic| Problem::internal(&panic))?;
    let stripped = stripped.map_err(unstripped)?;
    let report = stripped.report().clone();
    let asker = Asker { person, credential: Some(by), kind };
    let begun = gateway.deliverer.begin_body(asker, Parcels::of_body(stripped), wire).await;
    match begun {
        Ok(begun) => answered(begun, kind, &report),
        Err(Unbegun::Denied(refused)) => Err(denied(refused)),
        Err(Unbegun::Source(error)) => Err(unstripped(error)),
    }
}

impl Wanted {
    fn wish(&self, gateway: &Gateway) -> Result<Wish, Problem> {
        let bad = |detail: &str| Problem::new(&problem::BAD_REQUEST, detail);
        let kind = self.ids.as_deref().and_then(IdKind::from_word);
        let kind = kind.ok_or_else(|| bad("say which IDs: ids=tweet, ids=user or ids=dm"))?;
        let scope = match &self.scope {
            Some(word) => Scope::from_word(word)
                .ok_or_else(|| bad("scope must be own, embedded or referenced"))?,
            None => Scope::Own,
        };
        Ok(Wish {
            without: Without { version: 0, removed: None },
            kind,
            scope,
            distinct: if self.distinct { Distinct::KeepFirst } else { Distinct::KeepAll },
            damage: if self.strict { Damage::Refuse } else { Damage::Report },
            spool_folder: gateway.strips.spool_folder.clone(),
        })
    }
}

/// Sends the body into the pipe as it arrives, within its bounds. The pipe is ended only if all
/// of it has arrived; should nobody read any more, the strip itself says why.
async fn receive(gateway: &Gateway, body: &mut Body, pipe: Pipe) -> Result<(), Problem> {
    let StripBounds { body_bytes_max, idle_max, .. } = gateway.strips.bounds;
    let mut arriving = Arriving { body, rest_bytes: body_bytes_max };
    loop {
        let piece = steady::piece(idle_max, &mut arriving).await.map_err(|error| match error {
            NoPiece::TooSlow => {
                let seconds = idle_max.as_secs();
                let detail =
                    format!("the next 64 KiB of the body did not come in {seconds} seconds");
                Problem::new(&problem::TOO_SLOW, detail)
            }
            NoPiece::Failed(NotArrived::TooLarge) => too_large(body_bytes_max),
            NoPiece::Failed(NotArrived::Broken(error)) => {
                let detail = format!("the body broke off: {error}");
                Problem::new(&problem::BAD_REQUEST, detail)
            }
        })?;
        for block in piece.blocks {
            if pipe.send(block).await.is_err() {
                return Ok(());
            }
        }
        if piece.more == More::Ended {
            pipe.end().await;
            return Ok(());
        }
    }
}

/// A body as a source of bytes.
struct Arriving<'a> {
    body: &'a mut Body,
    /// How much more there may be.
    rest_bytes: u64,
}

/// Why a body does not arrive.
enum NotArrived {
    TooLarge,
    Broken(axum::Error),
}

impl Blocks for Arriving<'_> {
    type Error = NotArrived;

    async fn block(&mut self) -> Result<Option<Bytes>, NotArrived> {
        loop {
            let poll = poll_fn(|context| Pin::new(&mut *self.body).poll_frame(context));
            let frame = poll.await.transpose().map_err(NotArrived::Broken)?;
            let Some(frame) = frame else { return Ok(None) };
            // Trailers say nothing that matters here.
            let Ok(data) = frame.into_data() else { continue };
            let rest_bytes = self.rest_bytes.checked_sub(data.len() as u64);
            self.rest_bytes = rest_bytes.ok_or(NotArrived::TooLarge)?;
            return Ok(Some(data));
        }
    }
}

fn answered(begun: Begun, kind: IdKind, report: &Report) -> Result<Response, Problem> {
    let mut response = match begun {
        Begun::Passage(passage) => {
            let id = printable(&passage.delivery_id().to_string());
            let mut response = Body::new(PassageBody::new(passage)).into_response();
            response.headers_mut().insert(HYDRANT_DELIVERY, id);
            response
        }
        // An empty answer would look as if the body had none.
        Begun::Nothing(report) if report.damaged > 0 => {
            let detail = format!("no {} ID was found, and something is damaged", kind.title());
            return Err(Problem::new(&problem::UNREADABLE, detail).with("report", report.whole));
        }
        Begun::Nothing(_) => Body::empty().into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    let file = format!("attachment; filename=\"{kind}-ids.txt\"");
    headers.insert(header::CONTENT_DISPOSITION, printable(&file));
    headers.insert(RECORDS, report.records.into());
    headers.insert(RECORDS_DAMAGED, report.damaged.into());
    Ok(response)
}

fn too_large(bytes_max: u64) -> Problem {
    let detail = format!("a body has at most {bytes_max} bytes here");
    Problem::new(&problem::TOO_LARGE, detail).with("bytes_max", bytes_max)
}

/// The problem for a body that could not be stripped.
fn unstripped(error: StripError) -> Problem {
    match error {
        StripError::Bound(_) => {
            let advice = "Unpack it, or pack it with a smaller window, and send it again.";
            Problem::new(&problem::TOO_LARGE, format!("the body: {error}")).with_advice(advice)
        }
        StripError::Damaged { line, byte, reason, .. } => {
            Problem::new(&problem::DAMAGED, format!("the body, {error}"))
                .with("line", line)
                .with("byte", byte)
                .with("reason", reason)
        }
        StripError::Container | StripError::Source(_) => {
            Problem::new(&problem::UNREADABLE, format!("the body: {error}"))
        }
        StripError::Spool(error) if error.kind() == io::ErrorKind::StorageFull => {
            Problem::unavailable(&error)
        }
        // Nobody could tell which IDs are removed.
        StripError::Spool(error) if error.get_ref().is_some_and(|e| e.is::<StoreError>()) => {
            Problem::unavailable(&error)
        }
        StripError::Spool(error) => Problem::internal(&error),
    }
}
