//! How much a selection gives, before anybody is charged: what there is at most, and an estimate of
//! what of it may be shown.

use hashbrown::HashSet;

use super::candidates::{Candidate, Candidates, each_of_block};
use super::feed::Feed;
use super::gather::gathered_of;
use super::selection::Part;
use super::stock::{Stock, Supply, Way};
use super::users::Users;
use super::{GatherError, Request};
use crate::base::ids::IdKind;
use crate::pipeline::Removed;

/// How many records are looked at for an estimate.
const LOOKED_AT: usize = 400;

/// How much a selection gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How many IDs it has, of which each gives an object at most. Of Users it is about so many
    /// where they are more than 4,096.
    pub ids: u64,
    /// About how many objects that gives, told by 400 records; `None`: nobody can tell without
    /// reading all.
    pub about: Option<u64>,
    /// What stands in the list and not in the dataset, ascending.
    pub unknown: Vec<u64>,
}

/// Counts what a selection gives from `request.from` on.
///
/// # Errors
/// [`GatherError`], as for gathering.
pub fn count(
    stock: &Stock,
    request: &Request<'_>,
    removed: &dyn Removed,
) -> Result<Counted, GatherError> {
    request.selection.check()?;
    let is_listed = matches!(request.selection.part, Part::Listed { .. });
    if request.selection.kind == IdKind::User {
        let (ids, found) = Users::count(stock, request)?;
        let ids = match request.selection.part {
            Part::Sample { objects, .. } => ids.min(objects),
            _ => ids,
        };
        let unknown = if is_listed { missing(request.listed, &found) } else { Vec::new() };
        return Ok(Counted { ids, about: None, unknown });
    }
    let column = stock.column(request.selection.kind)?;
    let (ids, few) = Candidates::of(column, request).survey(LOOKED_AT)?;
    let is_pass = stock.sources.iter().any(|source| matches!(source.way, Way::Pass));
    let about = match stock.supply() {
        Supply::Own if !is_pass => Some(about(stock, request, removed, ids, &few)?),
        _ => None,
    };
    let mut unknown = Vec::new();
    if is_listed {
        let wanted: HashSet<u64> = request.listed.iter().copied().collect();
        let (mut found, mut next, mut text) = (HashSet::new(), 0, Vec::new());
        while next < column.ids() {
            let take = |_, id| {
                if wanted.contains(&id) {
                    found.insert(id);
                }
            };
            next = each_of_block(column, next, &mut text, take).map_err(GatherError::Read)?;
        }
        unknown = missing(request.listed, &found);
    }
    Ok(Counted { ids, about, unknown })
}

fn missing(listed: &[u64], found: &HashSet<u64>) -> Vec<u64> {
    listed.iter().copied().filter(|id| !found.contains(id)).collect()
}

/// About how many objects `ids` candidates give, of which `few` were chosen by chance.
fn about(
    stock: &Stock,
    request: &Request<'_>,
    removed: &dyn Removed,
    ids: u64,
    few: &[Candidate],
) -> Result<u64, GatherError> {
    if few.is_empty() {
        return Ok(0);
    }
    let feed = Feed::of_these(stock, request, removed, few.to_vec())?;
    let found = gathered_of(stock, request, removed, feed)?;
    Ok((u128::from(ids) * u128::from(found) / few.len() as u128) as u64)
}
