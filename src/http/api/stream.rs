//! The IDs of a dataset that is stripped in flight: nobody knows how many there are, so the answer
//! tells no length, and each chunk is charged before it goes out.
//!
//! The first chunk is sent only when the next one is whole: until then the upstream may still fail
//! with a status of its own, and nothing is charged. Afterwards a failure or a refusal breaks the
//! connection, and the delivery says how many IDs went out: with `?offset=` the rest can be had,
//! as long as the upstream still has the same content.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Version, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::ids::{CONTENT_TYPE, HYDRANT_DELIVERY, printable};
use crate::base::ids::IdKind;
use crate::config::Upstream;
use crate::deliver::{Asker, Begun, Streamed, Unbegun};
use crate::directory::Requester;
use crate::http::body::PassageBody;
use crate::http::problem::{self, Problem};
use crate::http::refusal;
use crate::http::socket::TcpWire;
use crate::http::state::Gateway;
use crate::store::{DatasetRow, Supply};
use crate::transit::Without;
use crate::transit::{self, Damage, Distinct, Feed, Scope, StripError, Wish};
use crate::upstream::{self, Answer, UpstreamError};

/// What is asked of a dataset that is stripped in flight.
pub(super) struct Streaming {
    pub(super) requester: Requester,
    pub(super) dataset: DatasetRow,
    pub(super) kind: IdKind,
    /// How many IDs of its beginning the requester has.
    pub(super) offset: u64,
}

impl Streaming {
    /// `HEAD`: what a GET would begin with, without asking anybody.
    pub(super) fn describe(self) -> Response {
        let mut response = Body::empty().into_response();
        self.describe_in(response.headers_mut());
        // A GET tells no length.
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response
    }

    /// `GET`: the IDs, as they are found.
    pub(super) async fn deliver(
        self,
        gateway: &Gateway,
        wire: Arc<TcpWire>,
        version: Version,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        if version < Version::HTTP_11 {
            let detail = "a dataset that is stripped in flight takes HTTP/1.1: without it an \
                          answer that breaks off would look whole";
            return Err(Problem::new(&problem::BAD_REQUEST, detail));
        }
        refuse_range(headers)?;
        let upstream = self.upstream(gateway)?;
        let Requester { person, by, .. } = self.requester;
        let (dataset, kind) = (self.dataset.id, self.kind);
        let inquiry = gateway.ledger.inquire(person, Some(by), kind, Some(dataset)).await;
        inquiry.map_err(|denied| self.denied(gateway, denied))?;
        let place = gateway.strips.place()?;
        let answer = upstream::open(&upstream).await;
        let answer = answer.map_err(|error| failed(&upstream.name, &error))?;
        let without = gateway.without(kind).await?;
        let view = self.view(answer.validator(), without.version);
        self.check_view(gateway, &view).await?;
        let ids_max = gateway.deliverer.first_parcel_ids_max();
        let wish = self.wish(gateway, without);
        let (feed, parcels) = transit::stream(&upstream.name, wish, self.offset, ids_max, place);
        tokio::spawn(pour(answer, feed));
        let asker = Asker { person, credential: Some(by), kind };
        let streamed = Streamed { dataset, view };
        let begun = gateway.deliverer.begin_stream(asker, streamed, parcels, wire).await;
        let mut response = match begun {
            Ok(Begun::Passage(passage)) => {
                let id = printable(&passage.delivery_id().to_string());
                let mut response = Body::new(PassageBody::new(passage)).into_response();
                response.headers_mut().insert(HYDRANT_DELIVERY, id);
                response
            }
            Ok(Begun::Nothing(report)) if report.damaged > 0 => {
                return Err(nothing_known(&upstream.name, self.kind));
            }
            Ok(Begun::Nothing(_)) => Body::empty().into_response(),
            Err(Unbegun::Denied(denied)) => return Err(self.denied(gateway, denied)),
            Err(Unbegun::Source(error)) => return Err(unstripped(&upstream.name, &error)),
        };
        self.describe_in(response.headers_mut());
        Ok(response)
    }

    fn upstream(&self, gateway: &Gateway) -> Result<Arc<Upstream>, Problem> {
        let Supply::Upstream(name) = &self.dataset.supply else {
            unreachable!("a dataset with releases is not stripped in flight")
        };
        let upstream = gateway.strips.upstreams.get(name).cloned();
        upstream.ok_or_else(|| {
            let cause = format!("the settings have no upstream `{name}`");
            Problem::internal(&cause)
        })
    }

    fn wish(&self, gateway: &Gateway, without: Without) -> Wish {
        Wish {
            without,
            kind: self.kind,
            scope: Scope::from_word(&self.dataset.scope).unwrap_or_default(),
            distinct: Distinct::KeepAll,
            damage: Damage::Report,
            spool_folder: gateway.strips.spool_folder.clone(),
        }
    }

    /// The name of what the ordinals count in; empty if nobody could tell it from another. They
    /// count what is not removed.
    fn view(&self, validator: Option<&str>, removals: i64) -> String {
        let Some(validator) = validator else { return String::new() };
        let mut named = format!("{validator}/{}/{}", self.dataset.scope, self.kind);
        if removals > 0 && self.kind != IdKind::Dm {
            named += &format!("/{removals}");
        }
        hex::encode(&Sha256::digest(named)[..16])
    }

    /// Refuses to go on from an offset in something else than what came before it.
    async fn check_view(&self, gateway: &Gateway, view: &str) -> Result<(), Problem> {
        let Some(before) = self.offset.checked_sub(1) else { return Ok(()) };
        let (person, dataset, kind) = (self.requester.person, self.dataset.id, self.kind);
        let look = gateway.store.look(move |tx| tx.delivery_latest(person, dataset, kind, before));
        let earlier = look.await?;
        let detail = match &earlier {
            _ if view.is_empty() => {
                "the source does not tell its version, so nobody knows whether it is the same"
            }
            Some(earlier) if earlier.view == view => return Ok(()),
            Some(_) => {
                "the source, or what is left out of it, has changed since your latest download of \
                 what lies before"
            }
            None => "there is no earlier download of yours that reaches so far",
        };
        let from_start = format!("/v1/datasets/{}/{kind}-ids", self.dataset.slug);
        Err(Problem::new(&problem::VIEW_CHANGED, detail)
            .with_advice("Start again without an offset.")
            .with("offset", self.offset)
            .with("continue", from_start))
    }

    fn denied(&self, gateway: &Gateway, denied: crate::ledger::Denied) -> Problem {
        let slug = Some(self.dataset.slug.as_str());
        refusal::problem(gateway, denied, &self.requester, slug, self.kind)
    }

    fn describe_in(&self, headers: &mut HeaderMap) {
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        let file = format!("attachment; filename=\"{}-{}-ids.txt\"", self.dataset.slug, self.kind);
        headers.insert(header::CONTENT_DISPOSITION, printable(&file));
    }
}

/// Refuses to hand out, and charge, everything to somebody who asked for the rest.
fn refuse_range(headers: &HeaderMap) -> Result<(), Problem> {
    let wants_rest = headers.get_all(header::RANGE).iter().any(|range| {
        let range = range.to_str().unwrap_or_default().trim().to_ascii_lowercase();
        range.starts_with("bytes") && range != "bytes=0-"
    });
    if !wants_rest {
        return Ok(());
    }
    let detail = "this dataset is stripped in flight and has no ranges of bytes";
    Err(Problem::new(&problem::RANGE_NOT_SATISFIABLE, detail)
        .with_advice("Ask for what is missing with ?offset=N, where N is how many IDs you have.")
        .with_header(header::ACCEPT_RANGES, "none"))
}

/// Sends what the upstream answers to be stripped, as long as somebody wants it.
async fn pour(mut answer: Answer, mut feed: Feed) {
    loop {
        let next = tokio::select! {
            next = answer.next() => next,
            () = feed.gone() => return,
        };
        match next {
            Ok(Some(bytes)) => {
                if feed.send(bytes).await.is_err() {
                    return;
                }
            }
            Ok(None) => return feed.end().await,
            Err(error) => return feed.fail(io::Error::other(error)).await,
        }
    }
}

/// The problem for an upstream. What it is in particular is for the operator: the cause goes to
/// the log, once, here.
fn failed(upstream: &str, error: &UpstreamError) -> Problem {
    tracing::error!(upstream, error = error as &dyn std::error::Error, "an upstream fails");
    let kind = if error.is_slow() { &problem::UPSTREAM_SLOW } else { &problem::UPSTREAM_FAILED };
    Problem::new(kind, format!("the source of this dataset fails: {error}"))
}

/// The problem for a source that could not be stripped.
fn unstripped(upstream: &str, error: &StripError) -> Problem {
    if let StripError::Source(cause) = error
        && let Some(error) = cause.get_ref().and_then(|inner| inner.downcast_ref())
    {
        return failed(upstream, error);
    }
    match error {
        StripError::Spool(error) => Problem::unavailable(error),
        error => {
            tracing::error!(upstream, %error, "an upstream cannot be stripped");
            let detail = format!("the source of this dataset cannot be read: {error}");
            Problem::new(&problem::UPSTREAM_FAILED, detail)
        }
    }
}

fn nothing_known(upstream: &str, kind: IdKind) -> Problem {
    tracing::error!(upstream, "an upstream has no ID, and something in it is damaged");
    let detail = format!(
        "the source of this dataset has no {} ID, and something in it is damaged",
        kind.title()
    );
    Problem::new(&problem::UPSTREAM_FAILED, detail)
}
