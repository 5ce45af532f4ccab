//! The file of a download: its bytes, whole or in ranges, charged to the link as they go out.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::facts::{self, unknown};
use super::neutral::{
    CHANGED, CLOSED, NO_SUCH_BYTES, NOT_ACCEPTED, NOT_FOUND, OTHER_TAG, Refused, SLOWLY, SPENT,
};
use crate::base::party::{Credential, DownloadId};
use crate::directory::Secret;
use crate::http::api::Segment;
use crate::http::api::ids::{
    self, ATTEMPTS_MAX, CONTENT_RANGE_UNIT, CONTENT_TYPE, Part, printable,
};
use crate::http::api::selection::Selection;
use crate::http::body::PassageBody;
use crate::http::listener::Peer;
use crate::http::problem::Problem;
use crate::http::range::{EntityTag, Validated, Wanted};
use crate::http::socket::TcpWire;
use crate::http::state::Gateway;
use crate::ledger::{Denied, Order, Ordered, link_ceiling};
use crate::policy::{LinkEnd, Profile, Refusal};
use crate::release::View;
use crate::store::{ShareRow, StoreError, Tx};

/// When to come back while removals come into force, in milliseconds.
const SOON_MS: i64 = 1_000;

/// What an address of a download leads to.
struct Asked {
    download: DownloadId,
    share: ShareRow,
    selection: Selection,
    /// The tag that the answer has: it tells nothing of the selection to whoever has no key.
    tag: EntityTag,
}

/// A download with its link and the version of the view in force, or why nothing is handed out.
type Opened = Result<(DownloadId, ShareRow, i64), Refused>;

/// `HEAD /s/downloads/{secret}`: nothing is charged.
pub(super) async fn describe(
    State(gateway): State<Gateway>,
    peer: Option<Extension<Peer>>,
    Segment(secret): Segment,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let asked = ask(&gateway, &secret, facts::asker(&gateway, peer, &headers)).await?;
    let status = match asked.wanted(&headers) {
        Wanted::NotModified => StatusCode::NOT_MODIFIED,
        Wanted::PreconditionFailed => return Err(Refused::new(&OTHER_TAG)),
        Wanted::Whole | Wanted::Part { .. } | Wanted::NotSatisfiable => StatusCode::OK,
    };
    let mut response = (status, Body::empty()).into_response();
    asked.describe_in(response.headers_mut());
    if status == StatusCode::OK {
        response.headers_mut().insert(header::CONTENT_LENGTH, asked.selection.length().into());
    }
    Ok(response)
}

/// `GET /s/downloads/{secret}`.
pub(super) async fn deliver(
    State(gateway): State<Gateway>,
    peer: Option<Extension<Peer>>,
    Segment(secret): Segment,
    Extension(wire): Extension<Arc<TcpWire>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let asker = facts::asker(&gateway, peer, &headers);
    for _ in 0..ATTEMPTS_MAX {
        let asked = ask(&gateway, &secret, asker).await?;
        if let Some(response) = send(&gateway, asked, Arc::clone(&wire), &headers).await? {
            return Ok(response);
        }
    }
    Err(Refused::new(&SLOWLY).retry_in(SOON_MS))
}

/// The bytes that are wanted, once the ledger has granted them; `None`: another view is in force
/// than the one that was looked at.
async fn send(
    gateway: &Gateway,
    asked: Asked,
    wire: Arc<TcpWire>,
    headers: &HeaderMap,
) -> Result<Option<Response>, Refused> {
    let length = asked.selection.length();
    let (status, part) = match asked.wanted(headers) {
        Wanted::Whole => (StatusCode::OK, 0..length),
        Wanted::Part { from, until, validated } => {
            if validated == Validated::No && from > 0 {
                asked.check_view(gateway, from).await?;
            }
            (StatusCode::PARTIAL_CONTENT, from..until)
        }
        Wanted::NotModified => {
            let mut response = StatusCode::NOT_MODIFIED.into_response();
            asked.describe_in(response.headers_mut());
            return Ok(Some(response));
        }
        Wanted::PreconditionFailed => return Err(Refused::new(&OTHER_TAG)),
        Wanted::NotSatisfiable => {
            let range = format!("bytes */{length}");
            return Err(Refused::new(&NO_SUCH_BYTES).with(header::CONTENT_RANGE, range));
        }
    };
    let mut response = status.into_response();
    asked.describe_in(response.headers_mut());
    if status == StatusCode::PARTIAL_CONTENT {
        let (first, last) = (part.start, part.end - 1);
        let range = printable(&format!("{CONTENT_RANGE_UNIT} {first}-{last}/{length}"));
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    if part.is_empty() {
        return Ok(Some(response));
    }
    let Asked { download, share, selection, .. } = asked;
    let view = selection.tag.opaque().to_owned();
    let stretch = tokio::task::spawn_blocking(move || selection.stretch(part.start, part.end));
    let stretch = stretch.await.map_err(|panic| Problem::internal(&panic))?;
    let stretch = stretch.map_err(|error| Problem::internal(&error))?;
    let order = Order {
        person: share.person,
        credential: Some(Credential::Link(download)),
        kind: share.kind,
        ordered: Ordered::Release {
            dataset: share.dataset,
            release: Arc::clone(stretch.view.release()),
            ordinals: stretch.ordinals.clone(),
            view,
            gaps: Arc::clone(stretch.view.gaps()),
        },
        values: None,
    };
    let begun = gateway.deliverer.begin(order, stretch, wire).await;
    let passage = match begun {
        Ok(passage) => passage,
        Err(Denied::Changed) => return Ok(None),
        Err(denied) => return Err(refused(gateway, denied)),
    };
    *response.body_mut() = Body::new(PassageBody::new(Box::new(passage)));
    Ok(Some(response))
}

async fn ask(gateway: &Gateway, secret: &str, asker: Option<IpAddr>) -> Result<Asked, Refused> {
    let Some(secret) = Secret::parse(secret) else { return Err(unknown(gateway, asker)) };
    let (profile, now_ms) = (gateway.profile.clone(), gateway.clock.now_ms());
    let hash = secret.hash().0;
    let found = gateway.store.look(move |tx| find(tx, &profile, &hash, now_ms)).await?;
    let (download, share, version) = found.unwrap_or_else(|| Err(unknown(gateway, asker)))?;
    let gaps = gateway.gaps(&share.release, share.kind, version).await?;
    let part =
        Part { release: None, offset: Some(share.first), limit: Some(share.end - share.first) };
    let (shelf, release, kind) = (gateway.clone(), share.release.clone(), share.kind);
    let cut = tokio::task::spawn_blocking(move || {
        let release = shelf.shelf.release(&release).map_err(|error| Problem::internal(&error))?;
        let view = View::of(release, kind, gaps);
        Selection::cut(view.expect("the store knows which columns a release has"), &part)
    });
    let selection = cut.await.map_err(|panic| Problem::internal(&panic))??;
    let tag = tag(&share.tag_key, &selection);
    Ok(Asked { download, share, selection, tag })
}

/// `None`: no download has that secret.
fn find(
    tx: &Tx<'_>,
    profile: &Profile,
    hash: &[u8; 32],
    now_ms: i64,
) -> Result<Option<Opened>, StoreError> {
    let Some(row) = tx.download_by_hash(hash)? else { return Ok(None) };
    let Some(share) = tx.share(row.share)? else { return Ok(None) };
    let standing = link_ceiling(tx, profile, share.id, share.kind, now_ms)?;
    let is_over = standing.is_err() || row.until_ms <= now_ms;
    let is_seen = facts::dataset(tx, &share, now_ms)?.is_some();
    Ok(Some(match is_over || !is_seen {
        true => Err(Refused::new(&CLOSED)),
        false => {
            let version = tx.view_version(&share.release, share.kind)?;
            Ok((row.id, share, version))
        }
    }))
}

/// The tag of a selection for one link: with another key it is another one.
fn tag(key: &[u8; 32], selection: &Selection) -> EntityTag {
    let mut hash = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    hash.update(selection.tag.opaque().as_bytes());
    EntityTag::new(hex::encode(&hash.finalize().into_bytes()[..16]))
}

impl Asked {
    fn wanted(&self, headers: &HeaderMap) -> Wanted {
        ids::wanted(headers, &self.tag, self.selection.length())
    }

    /// Refuses a range that would be glued to the beginning of something else: what this download
    /// was sent last that held the ID before the range.
    async fn check_view(&self, gateway: &Gateway, from: u64) -> Result<(), Refused> {
        let before = self.selection.stretch(from - 1, from);
        let before = before.map_err(|error| Problem::internal(&error))?.ordinals.start;
        let download = self.download;
        let look = gateway.store.look(move |tx| tx.delivery_latest_of_download(download, before));
        let earlier: Result<_, StoreError> = look.await;
        match earlier? {
            Some(earlier) if earlier.view == self.selection.tag.opaque() => Ok(()),
            _ => Err(Refused::new(&CHANGED)),
        }
    }

    /// All that is said of the bytes.
    fn describe_in(&self, headers: &mut HeaderMap) {
        let file = format!("attachment; filename=\"{}-ids.txt\"", self.share.kind);
        headers.insert(header::ETAG, printable(&self.tag.quoted()));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static(CONTENT_RANGE_UNIT));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        headers.insert(header::CONTENT_DISPOSITION, printable(&file));
    }
}

/// What a reviewer is told of what the ledger answered.
fn refused(gateway: &Gateway, denied: Denied) -> Refused {
    let refusal = match denied {
        Denied::Refused(refusal) => refusal,
        Denied::Unavailable(error) => return error.into(),
        Denied::Unread(error) => return Problem::internal(&error).into(),
        Denied::Changed => unreachable!("it is looked at anew"),
    };
    match refusal {
        Refusal::LinkEnded { how: LinkEnd::Unknown } => Refused::new(&NOT_FOUND),
        Refusal::LinkEnded { .. } => Refused::new(&CLOSED),
        Refusal::DocumentsMissing { .. } => Refused::new(&NOT_ACCEPTED),
        // Other downloads hold what is left, and may give it back.
        Refusal::NotNow { retry_at_ms, .. }
            if retry_at_ms <= gateway.clock.now_ms() + gateway.profile.hold_ms =>
        {
            Refused::new(&SLOWLY).retry_in(retry_at_ms - gateway.clock.now_ms())
        }
        _ => Refused::new(&SPENT),
    }
}
