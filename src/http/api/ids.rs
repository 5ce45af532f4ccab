//! The IDs themselves: `/v1/datasets/{slug}/tweet-ids`, `user-ids` and `dm-ids`.
//!
//! What is asked is first turned into a [`Selection`], the representation with its length and tag;
//! then conditions and ranges decide which of its bytes are wanted; only then is the ledger asked.
//! HEAD, 304 and every refusal stop before that and cost nothing.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use base64::Engine;
use serde::Deserialize;

use super::selection::{Resumed, Selection};
use super::stream::Streaming;
use super::{Query, Segment, documents};
use crate::base::ids::IdKind;
use crate::directory::words::Scope;
use crate::directory::{self, Requester};
use crate::http::auth::{Presented, entity_ids, note_use};
use crate::http::body::PassageBody;
use crate::http::problem::{self, Problem};
use crate::http::range::{self, Conditions, EntityTag, Validated, Wanted};
use crate::http::refusal;
use crate::http::socket::TcpWire;
use crate::http::state::Gateway;
use crate::ledger::{Denied, Order, Ordered};
use crate::policy::Profile;
use crate::release::View;
use crate::store::{DatasetRow, DeliveryRow, StoreError, Tx};

pub(in crate::http) const CONTENT_RANGE_UNIT: &str = "bytes";
/// What IDs are, one a line.
pub(in crate::http) const CONTENT_TYPE: &str = "text/plain; charset=us-ascii";
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
pub(in crate::http) const HYDRANT_DELIVERY: HeaderName =
    HeaderName::from_static("hydrant-delivery");
const HYDRANT_RELEASE: HeaderName = HeaderName::from_static("hydrant-release");

/// The route of one kind of ID.
pub(in crate::http) fn route(kind: IdKind) -> MethodRouter<Gateway> {
    get(
        move |State(gateway): State<Gateway>,
              presented: Presented,
              Segment(slug): Segment,
              Query(query): Query<Part>,
              Extension(wire): Extension<Arc<TcpWire>>,
              version: Version,
              headers: HeaderMap| async move {
            for _ in 0..ATTEMPTS_MAX {
                match ask(&gateway, kind, presented.clone(), slug.clone(), query.clone()).await? {
                    Asked::Release(asked) => {
                        match asked.deliver(&gateway, Arc::clone(&wire), &headers).await {
                            Ok(response) => return Ok(response),
                            Err(Undelivered::Problem(problem)) => return Err(problem),
                            Err(Undelivered::Changed) => {}
                        }
                    }
                    Asked::Stream(asked) => {
                        return asked.deliver(&gateway, wire, version, &headers).await;
                    }
                }
            }
            Err(changing())
        },
    )
    .head(
        move |State(gateway): State<Gateway>,
              presented: Presented,
              Segment(slug): Segment,
              Query(query): Query<Part>,
              headers: HeaderMap| async move {
            match ask(&gateway, kind, presented, slug, query).await? {
                Asked::Release(asked) => asked.describe(&headers),
                Asked::Stream(asked) => Ok(asked.describe()),
            }
        },
    )
}

/// How often a request is looked at anew because removals come into force under its hands.
pub(in crate::http) const ATTEMPTS_MAX: usize = 3;

/// Why nothing is delivered.
enum Undelivered {
    /// The requester is told.
    Problem(Problem),
    /// Another view is in force than the one that was looked at.
    Changed,
}

impl From<Problem> for Undelivered {
    fn from(problem: Problem) -> Undelivered {
        Undelivered::Problem(problem)
    }
}

/// What the query selects of a column.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Part {
    /// Which release; the current one if none is named.
    pub(in crate::http) release: Option<String>,
    /// The ordinal of the first ID, counted from 0.
    pub(in crate::http) offset: Option<u64>,
    /// How many IDs at most: of so many ordinals those that are not left out.
    pub(in crate::http) limit: Option<u64>,
}

/// What a requester may be told before anything is charged.
enum Asked {
    /// Of a release, whose bytes are all known.
    Release(Selected),
    /// Of a source that is stripped in flight.
    Stream(Streaming),
}

/// A part of a release.
struct Selected {
    requester: Requester,
    dataset: DatasetRow,
    kind: IdKind,
    selection: Selection,
    /// Whether the request names the release itself, so that no view can be confused.
    names_release: bool,
}

/// Everything that the store knows of a request.
struct Seen {
    requester: Requester,
    dataset: DatasetRow,
    /// The release, where the dataset has some, and the version of its view.
    release: Option<(String, i64)>,
}

async fn ask(
    gateway: &Gateway,
    kind: IdKind,
    presented: Presented,
    slug: String,
    query: Part,
) -> Result<Asked, Problem> {
    let now_ms = gateway.clock.now_ms();
    let named = query.release.clone();
    let names_release = named.is_some();
    let profile = gateway.profile.clone();
    let look = move |tx: &Tx<'_>| see(tx, &profile, kind, &presented, &slug, named, now_ms);
    let seen = gateway.store.look(look).await?;
    note_use(gateway, &seen.requester, now_ms);
    let Seen { requester, dataset, release } = seen;
    let Some((release, version)) = release else {
        let offset = query.offset.unwrap_or(0);
        if query.limit.is_some() {
            let detail = "this dataset is stripped in flight: it takes offset, but no limit";
            return Err(Problem::new(&problem::BAD_REQUEST, detail));
        }
        return Ok(Asked::Stream(Streaming { requester, dataset, kind, offset }));
    };
    let gaps = gateway.gaps(&release, kind, version).await?;
    let gateway = gateway.clone();
    let selection = tokio::task::spawn_blocking(move || {
        let release = gateway.shelf.release(&release);
        let release = release.map_err(|error| Problem::internal(&error))?;
        let view = View::of(release, kind, gaps);
        Selection::cut(view.expect("the store knows which columns a release has"), &query)
    });
    let selection = selection.await.map_err(|panic| Problem::internal(&panic))??;
    Ok(Asked::Release(Selected { requester, dataset, kind, selection, names_release }))
}

fn see(
    tx: &Tx<'_>,
    profile: &Profile,
    kind: IdKind,
    presented: &Presented,
    slug: &str,
    named: Option<String>,
    now_ms: i64,
) -> Result<Seen, Problem> {
    let requester = presented.requester(tx, now_ms)?;
    let entities = entity_ids(&requester);
    let dataset = tx.dataset_visible_to(slug, Some(&entities), now_ms)?;
    let dataset = dataset.ok_or_else(|| unknown_dataset(slug))?;
    let release = named.or_else(|| dataset.supply.current_release().map(str::to_owned));
    let has_kind = match &release {
        Some(release) => {
            let row = tx.release(dataset.id, release)?;
            let row = row.ok_or_else(|| {
                let detail = format!("the dataset {slug} has no such release");
                Problem::new(&problem::NOT_FOUND, detail)
            })?;
            row.ids(kind).is_some()
        }
        None => dataset.ids.contains(&kind),
    };
    if !has_kind {
        let detail = format!("the dataset {slug} has no {} IDs", kind.title());
        return Err(Problem::new(&problem::NOT_FOUND, detail));
    }
    may_download(tx, profile, &requester, now_ms)?;
    let viewed = |release: String| Ok((tx.view_version(&release, kind)?, release));
    let viewed: Option<(i64, String)> =
        release.map(viewed).transpose().map_err(|e: StoreError| e)?;
    let release = viewed.map(|(version, release)| (release, version));
    Ok(Seen { requester, dataset, release })
}

/// The answer for a dataset that is not there, or hidden from this requester: they look the same.
pub(in crate::http) fn unknown_dataset(slug: &str) -> Problem {
    Problem::new(&problem::NOT_FOUND, format!("there is no dataset {slug:?}"))
}

/// Whether the requester may receive anything at all; how much is the ledger's question. That the
/// documents are accepted the ledger asks again: here it is said early, and of `HEAD` too.
pub(super) fn may_download(
    tx: &Tx<'_>,
    profile: &Profile,
    requester: &Requester,
    now_ms: i64,
) -> Result<(), Problem> {
    if requester.scope != Scope::Download {
        let detail = "this key may read the catalogue only; ask the operator for a download key";
        return Err(Problem::new(&problem::NOT_ALLOWED, detail));
    }
    let missing = directory::document::missing(tx, &profile.documents, now_ms, requester.person)?;
    if missing.is_empty() { Ok(()) } else { Err(documents::not_accepted(&missing)) }
}

/// What the fields of a request want of a representation with that tag and length.
pub(in crate::http) fn wanted(headers: &HeaderMap, tag: &EntityTag, length: u64) -> Wanted {
    // Several lines are one list; what is not text is there all the same, and fits nothing.
    let field = |name| {
        let lines = headers.get_all(name).iter();
        let lines: Vec<_> =
            lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    };
    let (range, if_range) = (field(header::RANGE), field(header::IF_RANGE));
    let (if_match, if_none_match) = (field(header::IF_MATCH), field(header::IF_NONE_MATCH));
    let conditions = Conditions {
        range: range.as_deref(),
        if_range: if_range.as_deref(),
        if_match: if_match.as_deref(),
        if_none_match: if_none_match.as_deref(),
    };
    range::decide(conditions, tag, length)
}

impl Selected {
    /// `HEAD`: what a GET would answer, without asking the ledger.
    fn describe(self, headers: &HeaderMap) -> Result<Response, Problem> {
        let answer = match self.wanted(headers) {
            Wanted::NotModified => StatusCode::NOT_MODIFIED,
            Wanted::PreconditionFailed => return Err(precondition_failed()),
            // A range says nothing in a HEAD request (RFC 9110, section 14.2).
            Wanted::Whole | Wanted::Part { .. } | Wanted::NotSatisfiable => StatusCode::OK,
        };
        let mut response = (answer, Body::empty()).into_response();
        self.describe_in(response.headers_mut());
        if answer == StatusCode::OK {
            response.headers_mut().insert(header::CONTENT_LENGTH, self.selection.length().into());
        }
        Ok(response)
    }

    /// `GET`: the bytes that are wanted, once the ledger has granted them.
    async fn deliver(
        self,
        gateway: &Gateway,
        wire: Arc<TcpWire>,
        headers: &HeaderMap,
    ) -> Result<Response, Undelivered> {
        let length = self.selection.length();
        let (status, part) = match self.wanted(headers) {
            Wanted::Whole => (StatusCode::OK, 0..length),
            Wanted::Part { from, until, validated } => {
                self.check_view(gateway, from, validated).await?;
                (StatusCode::PARTIAL_CONTENT, from..until)
            }
            Wanted::NotModified => {
                let mut response = StatusCode::NOT_MODIFIED.into_response();
                self.describe_in(response.headers_mut());
                return Ok(response);
            }
            Wanted::PreconditionFailed => return Err(precondition_failed().into()),
            Wanted::NotSatisfiable => {
                let detail = "ask for one range of bytes, such as bytes=0-999";
                return Err(Problem::new(&problem::RANGE_NOT_SATISFIABLE, detail)
                    .with_header(header::CONTENT_RANGE, &format!("bytes */{length}"))
                    .into());
            }
        };
        let mut response = status.into_response();
        self.describe_in(response.headers_mut());
        if status == StatusCode::PARTIAL_CONTENT {
            let last = part.end - 1;
            let range = format!("{CONTENT_RANGE_UNIT} {}-{last}/{length}", part.start);
            response.headers_mut().insert(header::CONTENT_RANGE, printable(&range));
        }
        if part.is_empty() {
            // Nothing is there, or nothing is left: nothing goes out, so nothing is charged.
            return Ok(response);
        }
        let Selected { requester, dataset, kind, selection, .. } = self;
        let view = selection.tag.opaque().to_owned();
        let stretch = tokio::task::spawn_blocking({
            let part = part.clone();
            move || selection.stretch(part.start, part.end)
        });
        let stretch = stretch.await.map_err(|panic| Problem::internal(&panic))?;
        let stretch = stretch.map_err(|error| Problem::internal(&error))?;
        let order = Order {
            person: requester.person,
            credential: Some(requester.by),
            kind,
            ordered: Ordered::Release {
                dataset: dataset.id,
                release: Arc::clone(stretch.view.release()),
                ordinals: stretch.ordinals.clone(),
                view,
                gaps: Arc::clone(stretch.view.gaps()),
            },
            values: Some(Arc::new(stretch.clone())),
        };
        let begun = gateway.deliverer.begin(order, stretch, wire).await;
        let passage = match begun {
            Ok(passage) => passage,
            Err(Denied::Changed) => return Err(Undelivered::Changed),
            Err(denied) => {
                let slug = Some(dataset.slug.as_str());
                return Err(refusal::problem(gateway, denied, &requester, slug, kind).into());
            }
        };
        let id = printable(&passage.delivery_id().to_string());
        response.headers_mut().insert(HYDRANT_DELIVERY, id);
        *response.body_mut() = Body::new(PassageBody::new(Box::new(passage)));
        Ok(response)
    }

    fn wanted(&self, headers: &HeaderMap) -> Wanted {
        wanted(headers, &self.selection.tag, self.selection.length())
    }

    /// Refuses a range that would be glued to the beginning of something else.
    ///
    /// `curl -C -` and `wget -c` send no validator. What they have is what this requester was sent
    /// last that held the ID before the range; if that was another view, the bytes would not fit.
    async fn check_view(
        &self,
        gateway: &Gateway,
        from: u64,
        validated: Validated,
    ) -> Result<(), Problem> {
        // A release of which nothing was ever left out has one view only.
        let is_only_view = self.names_release && self.selection.view.gaps().version() == 0;
        if validated == Validated::Yes || from == 0 || is_only_view {
            return Ok(());
        }
        let place = self.selection.bytes.start + from;
        let ordinal_at =
            |byte| self.selection.view.ordinal_at(byte).map_err(|error| Problem::internal(&error));
        let (person, dataset, kind) = (self.requester.person, self.dataset.id, self.kind);
        let before = ordinal_at(place - 1)?;
        let look = gateway.store.look(move |tx| tx.delivery_latest(person, dataset, kind, before));
        let earlier: Result<_, StoreError> = look.await;
        let earlier = earlier?;
        if earlier.as_ref().is_some_and(|earlier| earlier.view == self.selection.tag.opaque()) {
            return Ok(());
        }
        // What the same bytes were in an earlier view of this release is told by the newest
        // delivery of it, whichever IDs that was to hold.
        let release = Arc::clone(self.selection.view.release());
        let look =
            gateway.store.look(move |tx| tx.delivery_latest_of(person, dataset, kind, &release));
        let of_release: Result<_, StoreError> = look.await;
        if let Some(then) = of_release?
            && then.view_version != self.selection.view.gaps().version()
        {
            let resumed = self.resumed(gateway, then.view_version, from).await?;
            return Err(self.view_changed(REMOVALS_CHANGED, resumed, Some(&then)));
        }
        let detail = match &earlier {
            Some(_) => {
                "your latest download of what lies before these bytes was of another view, so they \
                 would not continue it"
            }
            None => "there is no earlier download of yours that these bytes could continue",
        };
        let resumed = Some(Resumed { offset: ordinal_at(place)?, keep_bytes: None });
        Err(self.view_changed(detail, resumed, earlier.as_ref()))
    }

    /// Where a download of an earlier view of this release goes on that has so many bytes; `None`
    /// if nobody knows any more what that view was.
    async fn resumed(
        &self,
        gateway: &Gateway,
        version: i64,
        has_bytes: u64,
    ) -> Result<Option<Resumed>, Problem> {
        let (release, kind) = (Arc::clone(self.selection.view.release()), self.kind);
        let then = gateway.store.look(move |tx| tx.view_then(&release, kind, version));
        let then: Result<_, StoreError> = then.await;
        let Some(then) = then? else { return Ok(None) };
        let selection = self.selection.clone();
        let found = tokio::task::spawn_blocking(move || selection.resumed(then, has_bytes)).await;
        let found = found.map_err(|panic| Problem::internal(&panic))?;
        found.map_err(|error| Problem::internal(&error))
    }

    fn view_changed(
        &self,
        detail: &str,
        resumed: Option<Resumed>,
        earlier: Option<&DeliveryRow>,
    ) -> Problem {
        let release: &str = self.selection.view.release();
        let base =
            format!("/v1/datasets/{}/{}-ids?release={release}", self.dataset.slug, self.kind);
        let problem = Problem::new(&problem::VIEW_CHANGED, detail).with("release", release);
        let problem = match resumed {
            Some(Resumed { offset, keep_bytes }) => problem
                .with("offset", offset)
                .with("keep_bytes", keep_bytes)
                .with("continue", format!("{base}&offset={offset}")),
            None => problem.with("continue", base),
        };
        problem.with("earlier_release", earlier.map(|earlier| earlier.release.clone()))
    }

    /// The fields that GET, HEAD and 304 share.
    fn describe_in(&self, headers: &mut HeaderMap) {
        let Selection { view, tag, .. } = &self.selection;
        headers.insert(header::ETAG, printable(&tag.quoted()));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static(CONTENT_RANGE_UNIT));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        // A slug is made of letters, digits and hyphens: it needs no quoting.
        let file = format!("attachment; filename=\"{}-{}-ids.txt\"", self.dataset.slug, self.kind);
        headers.insert(header::CONTENT_DISPOSITION, printable(&file));
        headers.insert(HYDRANT_RELEASE, printable(view.release()));
        if self.selection.is_whole_column() {
            let digest = view.column().sha256();
            let digest = base64::engine::general_purpose::STANDARD.encode(digest);
            headers.insert(REPR_DIGEST, printable(&format!("sha-256=:{digest}:")));
        }
    }
}

/// What is said to somebody whose download broke off because of removals.
const REMOVALS_CHANGED: &str = "IDs were removed from this dataset, or came back to it, since your \
     latest download of what lies before these bytes, so these bytes would not continue it";

fn changing() -> Problem {
    Problem::unavailable(&"removals come into force faster than this can be put together")
        .with_header(header::RETRY_AFTER, "1")
}

fn precondition_failed() -> Problem {
    Problem::new(&problem::PRECONDITION_FAILED, "the tag is not the present one")
}

pub(in crate::http) fn printable(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a field of our own is made of printable ASCII")
}
