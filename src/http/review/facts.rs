//! What may be said of a link: looked up by the token that opens it, and put into named fields, of
//! which only [`Names`] tells of its maker.

use std::net::IpAddr;

use axum::Extension;
use axum::http::HeaderMap;

use super::neutral::{CLOSED, NOT_FOUND, Refused, SLOWLY};
use crate::base::date::{DAY_MS, day};
use crate::base::ids::IdKind;
use crate::directory::share::{LinkToken, download};
use crate::directory::words::{Face, Purpose};
use crate::http::listener::Peer;
use crate::http::state::Gateway;
use crate::ledger::link_ceiling;
use crate::policy::{Document, LinkEnd, Profile};
use crate::store::{DatasetRow, ShareRow, StoreError, Tx, Visibility};

/// All that a page may show.
pub(super) struct Facts {
    /// What the link is opened for.
    pub(super) purpose: Purpose,
    /// Which kind of ID.
    pub(super) kind: IdKind,
    /// How many of them a download has, without what must no longer be distributed.
    pub(super) ids: u64,
    /// The version of the view in force.
    view_version: i64,
    /// The last day on which it is open, in UTC.
    pub(super) last_day: String,
    /// Whether a passphrase has to be said.
    pub(super) asks_passphrase: bool,
    /// What has to be accepted, each with an address only if that is the platform's.
    pub(super) documents: Vec<Term>,
    /// Who made it, where it shows that.
    pub(super) names: Option<Names>,
}

/// A document that has to be accepted.
pub(super) struct Term {
    pub(super) title: &'static str,
    /// What accepting it says in the form: name, `@`, version.
    pub(super) value: String,
    pub(super) version: String,
    pub(super) url: Option<String>,
}

/// Who made a link.
pub(super) struct Names {
    pub(super) person: String,
    pub(super) entity: String,
    pub(super) dataset: String,
    /// The dataset's address within the gateway, if everybody may see it.
    pub(super) path: Option<String>,
}

/// A link that was found, as far as anybody who opens it may see it.
pub(super) enum Found {
    /// It hands out.
    Open(Box<(ShareRow, Facts)>),
    /// The review is over: only its names are left.
    Published(Names),
}

/// From which address somebody asks, so that guesses are counted; it is kept nowhere.
pub(super) fn asker(
    gateway: &Gateway,
    peer: Option<Extension<Peer>>,
    headers: &HeaderMap,
) -> Option<IpAddr> {
    peer.map(|Extension(Peer(address))| gateway.pace.origin(address, headers))
}

/// The link that `token` opens. Tries that open nothing are counted, and slowed down.
///
/// # Errors
/// 404 for every token that opens nothing; 410 for a link that is over, however that came.
pub(super) async fn find(
    gateway: &Gateway,
    token: &str,
    asker: Option<IpAddr>,
) -> Result<Found, Refused> {
    let (profile, now_ms) = (gateway.profile.clone(), gateway.clock.now_ms());
    let found = match LinkToken::parse(token) {
        Some(token) => {
            let look = gateway.store.look(move |tx| look(tx, &profile, &token, now_ms));
            look.await?
        }
        None => None,
    };
    let mut found = found.unwrap_or_else(|| Err(unknown(gateway, asker)))?;
    if let Found::Open(open) = &mut found {
        let (row, facts) = &mut **open;
        let gaps = gateway.gaps(&row.release, row.kind, facts.view_version).await?;
        facts.ids = gaps.ids_kept(&(row.first..row.end));
    }
    Ok(found)
}

/// The refusal of an address that opens nothing.
pub(super) fn unknown(gateway: &Gateway, asker: Option<IpAddr>) -> Refused {
    let Some(address) = asker else { return Refused::new(&NOT_FOUND) };
    match gateway.guesses.take(address, gateway.clock.now_ms()) {
        Ok(()) => Refused::new(&NOT_FOUND),
        Err(_) => Refused::new(&SLOWLY).retry_in(DAY_MS / 1_440),
    }
}

/// `None`: there is no such link.
fn look(
    tx: &Tx<'_>,
    profile: &Profile,
    token: &LinkToken,
    now_ms: i64,
) -> Result<Option<Result<Found, Refused>>, StoreError> {
    let Some(row) = tx.share_by_hash(&token.hash().0)? else { return Ok(None) };
    let closed = Ok(Some(Err(Refused::new(&CLOSED))));
    match link_ceiling(tx, profile, row.id, row.kind, now_ms)? {
        Ok(_) => {}
        Err(LinkEnd::Published) => {
            let names = names(tx, &row, now_ms)?;
            return Ok(names.map(|names| Ok(Found::Published(names))));
        }
        Err(_) => return closed,
    }
    if dataset(tx, &row, now_ms)?.is_none() {
        return closed;
    }
    let names = match Face::from_word(&row.face) {
        Some(Face::Named) => names(tx, &row, now_ms)?,
        _ => None,
    };
    let facts = Facts {
        purpose: Purpose::from_word(&row.purpose).unwrap_or(Purpose::PeerReview),
        kind: row.kind,
        ids: row.end - row.first,
        view_version: tx.view_version(&row.release, row.kind)?,
        last_day: day(row.expires_ms - 1),
        asks_passphrase: row.passphrase.is_some(),
        documents: terms(tx, profile, now_ms)?,
        names,
    };
    Ok(Some(Ok(Found::Open(Box::new((row, facts))))))
}

/// The dataset of a link, as long as the entity sees it on whose behalf the link was made.
pub(super) fn dataset(
    tx: &Tx<'_>,
    row: &ShareRow,
    now_ms: i64,
) -> Result<Option<DatasetRow>, StoreError> {
    let Some(dataset) = tx.dataset_by_id(row.dataset)? else { return Ok(None) };
    tx.dataset_visible_to(&dataset.slug, Some(&[row.entity]), now_ms)
}

fn names(tx: &Tx<'_>, row: &ShareRow, now_ms: i64) -> Result<Option<Names>, StoreError> {
    let person = tx.person_by_id(row.person)?.filter(|person| person.erased_ms.is_none());
    let (entity, dataset) = (tx.entity_by_id(row.entity)?, dataset(tx, row, now_ms)?);
    let (Some(person), Some(entity), Some(dataset)) = (person, entity, dataset) else {
        return Ok(None);
    };
    let is_public = dataset.visibility == Visibility::Public;
    Ok(Some(Names {
        person: person.name,
        entity: entity.name,
        path: is_public.then(|| format!("/datasets/{}", dataset.slug)),
        dataset: dataset.title,
    }))
}

fn terms(tx: &Tx<'_>, profile: &Profile, now_ms: i64) -> Result<Vec<Term>, StoreError> {
    let host = |url: &str| url.split('/').nth(2).map(str::to_ascii_lowercase);
    let platforms: Vec<_> =
        profile.documents.iter().filter_map(|document| host(&document.url)).collect();
    let term = |Document { name, title, version, url }: Document| Term {
        title,
        value: format!("{name}@{version}"),
        // An operator may have published a version at an address of their own, which would say
        // whose gateway this is.
        url: host(&url).is_some_and(|host| platforms.contains(&host)).then_some(url),
        version,
    };
    Ok(download::documents(tx, profile, now_ms)?.into_iter().map(term).collect())
}

/// What the addresses of links begin with for whoever sends these fields.
pub(super) fn origin(gateway: &Gateway, headers: &HeaderMap) -> String {
    gateway.hosts.links_origin(headers)
}
