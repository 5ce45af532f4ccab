//! What is read next: candidates without what is removed, each with the place of its record.

use hashbrown::HashSet;

use super::candidates::{CHUNK, Candidate, Candidates};
use super::chunk::{Came, Wanted};
use super::stock::Stock;
use super::users::{UserRow, Users};
use super::{GatherError, Request};
use crate::base::ids::{Id, IdKind, UserId};
use crate::export::cover::LeftOut;
use crate::pipeline::{Place, Removed};
use crate::release::{Authors, Places};

/// What is read together: of one source, in the order of the places.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Which source; its index in the release.
    pub(super) source: usize,
    pub(super) wanted: Vec<Wanted>,
    /// What is known without reading.
    pub(super) decided: Vec<Came>,
}

/// Goes through what is wanted.
pub(super) struct Feed<'a> {
    kind: IdKind,
    rows: Rows<'a>,
    /// `None`: the sources told of none.
    places: Option<Places>,
    sources: usize,
    authors: Option<&'a Authors>,
    removed: &'a dyn Removed,
}

enum Rows<'a> {
    Tweets(Candidates<'a>),
    These(std::vec::IntoIter<Candidate>),
    Users { rows: std::vec::IntoIter<UserRow>, next: Option<u64> },
}

impl<'a> Feed<'a> {
    pub(super) fn of(
        stock: &'a Stock,
        request: &Request<'_>,
        removed: &'a dyn Removed,
    ) -> Result<Feed<'a>, GatherError> {
        let kind = request.selection.kind;
        let (rows, column) = match kind {
            IdKind::User => {
                let Users { rows, column, next } = Users::find(stock, request)?;
                (Rows::Users { rows: rows.into_iter(), next }, column)
            }
            _ => (Rows::Tweets(Candidates::of(stock.column(kind)?, request)), kind),
        };
        Feed::with(stock, request, removed, rows, column)
    }

    /// Only these Tweets, which ascend.
    pub(super) fn of_these(
        stock: &'a Stock,
        request: &Request<'_>,
        removed: &'a dyn Removed,
        these: Vec<Candidate>,
    ) -> Result<Feed<'a>, GatherError> {
        Feed::with(stock, request, removed, Rows::These(these.into_iter()), IdKind::Tweet)
    }

    fn with(
        stock: &'a Stock,
        request: &Request<'_>,
        removed: &'a dyn Removed,
        rows: Rows<'a>,
        column: IdKind,
    ) -> Result<Feed<'a>, GatherError> {
        let kind = request.selection.kind;
        let places = stock.places(column)?;
        let authors = stock.authors();
        Ok(Feed { kind, rows, places, sources: stock.sources.len(), authors, removed })
    }

    /// Where the batch after this one begins, if `last` is the ordinal that this one ends with;
    /// `None`: nothing is left.
    pub(super) fn next_after(&self, last: Option<u64>) -> Option<u64> {
        match &self.rows {
            Rows::Tweets(_) | Rows::These(_) => last.map(|last| last + 1),
            Rows::Users { next, .. } => *next,
        }
    }

    /// The next chunk, by sources; nothing at the end. What `given` holds is not given again.
    pub(super) fn next(&mut self, given: &HashSet<u64>) -> Result<Vec<Load>, GatherError> {
        let chunk = self.candidates(given)?;
        if chunk.is_empty() { Ok(Vec::new()) } else { self.loads(&chunk) }
    }

    /// The next candidates, each with whether it is removed; none at the end.
    pub(super) fn next_bare(
        &mut self,
        given: &HashSet<u64>,
    ) -> Result<Vec<(Candidate, bool)>, GatherError> {
        let chunk = self.candidates(given)?;
        let gone = self.gone(&chunk).map_err(GatherError::Read)?;
        Ok(chunk.into_iter().zip(gone).collect())
    }

    fn candidates(&mut self, given: &HashSet<u64>) -> Result<Vec<Candidate>, GatherError> {
        loop {
            let mut chunk = match &mut self.rows {
                Rows::Tweets(candidates) => candidates.next()?,
                Rows::These(these) => these.take(CHUNK).collect(),
                Rows::Users { rows, .. } => {
                    let rows = rows.take(CHUNK);
                    rows.map(|row| Candidate { ordinal: row.ordinal, id: row.user }).collect()
                }
            };
            let is_end = chunk.is_empty();
            chunk.retain(|candidate| !given.contains(&candidate.id));
            if is_end || !chunk.is_empty() {
                return Ok(chunk);
            }
        }
    }

    fn loads(&self, chunk: &[Candidate]) -> Result<Vec<Load>, GatherError> {
        let ordinals: Vec<u64> = chunk.iter().map(|candidate| candidate.ordinal).collect();
        let gone = self.gone(chunk).map_err(GatherError::Read)?;
        let mut places = vec![Place::default(); chunk.len()];
        if let Some(column) = &self.places {
            column.read(&ordinals, &mut places).map_err(GatherError::Read)?;
        }
        let mut loads: Vec<Load> = vec![Load::default()];
        for ((candidate, place), gone) in chunk.iter().zip(places).zip(gone) {
            let wanted = Wanted { ordinal: candidate.ordinal, id: candidate.id, place };
            let source = usize::try_from(place.source).unwrap_or(usize::MAX);
            let load = loads.last_mut().expect("there is one from the start");
            let reason = match gone {
                true => Some(LeftOut::Removed),
                false if place.length == 0 || source >= self.sources => Some(LeftOut::NotInSource),
                false => None,
            };
            if let Some(reason) = reason {
                load.decided.push(Came { wanted, object: Err(reason) });
            } else if load.wanted.is_empty() || load.source == source {
                load.source = source;
                load.wanted.push(wanted);
            } else {
                loads.push(Load { source, wanted: vec![wanted], decided: Vec::new() });
            }
        }
        Ok(loads)
    }

    /// Which of the candidates are removed, as far as IDs and the column of authors tell.
    fn gone(&self, chunk: &[Candidate]) -> std::io::Result<Vec<bool>> {
        let ordinals: Vec<u64> = chunk.iter().map(|candidate| candidate.ordinal).collect();
        let ids: Vec<u64> = chunk.iter().map(|candidate| candidate.id).collect();
        let mut authors = vec![None; ids.len()];
        if let Some(column) = self.authors.filter(|_| self.kind == IdKind::Tweet) {
            let (mut read, mut at) = (Vec::new(), 0);
            for near in ordinals.chunk_by(|one, next| next - one <= CHUNK as u64) {
                let first = near[0];
                column.read(&(first..near[near.len() - 1] + 1), &mut read)?;
                for ordinal in near {
                    let author = read[(ordinal - first) as usize];
                    authors[at] = UserId::from_value(author).ok().map(Id::value);
                    at += 1;
                }
            }
        }
        let mut gone = vec![false; ids.len()];
        self.removed.mark(self.kind, &ids, &authors, &mut gone)?;
        Ok(gone)
    }
}
