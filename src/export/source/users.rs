//! Which Users a selection gives, and the record of each that tells the newest about them.
//!
//! The accounts are those that wrote the selected Tweets, as the private column of authors tells;
//! of an account's Tweets the one with the highest ID is the newest, because IDs grow with time. A
//! release without Tweets has User IDs of its own; there the last record of an account counts.
//! Accounts are taken in the order of their IDs, of which memory holds one batch.

use std::io;

use hashbrown::{HashMap, HashSet};

use super::candidates::each_of_block;
use super::selection::{Part, mixed};
use super::stock::Stock;
use super::{GatherError, Request};
use crate::base::ids::{Id, IdKind, TweetId};
use crate::release::{Authors, Column};

/// How many accounts are kept exactly while they are counted.
const COUNTED: usize = 4_096;

/// An account, and the ordinal of the record that tells the newest about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UserRow {
    pub(super) user: u64,
    pub(super) ordinal: u64,
}

/// The accounts of one batch.
pub(super) struct Users {
    /// In the order of their ordinals.
    pub(super) rows: Vec<UserRow>,
    /// The kind of the column whose ordinals these are.
    pub(super) column: IdKind,
    /// Where the next batch begins.
    pub(super) next: Option<u64>,
}

impl Users {
    pub(super) fn find(stock: &Stock, request: &Request<'_>) -> Result<Users, GatherError> {
        let mentions = Mentions::of(stock, request)?;
        let batch = usize::try_from(request.objects_max).unwrap_or(usize::MAX);
        let (limit, seed) = match request.selection.part {
            Part::Sample { objects, seed } => {
                (usize::try_from(objects).unwrap_or(batch), Some(seed))
            }
            // One more tells whether there is a next batch.
            _ => (batch.saturating_add(1), None),
        };
        let key = |user: u64| seed.map_or(user, |seed| mixed(user ^ mixed(seed)));
        let mut smallest = Smallest::new(limit, key);
        mentions.each(|user, rank, ordinal| {
            if seed.is_some() || user >= request.from {
                smallest.note(user, rank, ordinal);
            }
        })?;
        let mut rows = smallest.finish();
        rows.retain(|row| row.user >= request.from);
        rows.sort_unstable_by_key(|row| row.user);
        let next = rows.get(batch).map(|row| row.user);
        rows.truncate(batch);
        rows.sort_unstable_by_key(|row| row.ordinal);
        Ok(Users { rows, column: mentions.column.kind(), next })
    }

    /// How many accounts the selection has, about where they are many; of a list, which.
    pub(super) fn count(
        stock: &Stock,
        request: &Request<'_>,
    ) -> Result<(u64, HashSet<u64>), GatherError> {
        let mentions = Mentions::of(stock, request)?;
        let mut smallest = Smallest::new(COUNTED, mixed);
        let mut listed = HashSet::new();
        mentions.each(|user, rank, ordinal| {
            if mentions.listed.is_some() {
                listed.insert(user);
            } else {
                smallest.note(user, rank, ordinal);
            }
        })?;
        if mentions.listed.is_some() {
            return Ok((listed.len() as u64, listed));
        }
        let rows = smallest.finish();
        let count = match rows.iter().map(|row| mixed(row.user)).max() {
            // So many lie below the largest: that tells how dense they are.
            Some(largest) if rows.len() == COUNTED => {
                let density = (COUNTED as f64 - 1.0) / largest as f64;
                (density * u64::MAX as f64) as u64
            }
            _ => rows.len() as u64,
        };
        Ok((count, listed))
    }
}

/// Where accounts are named.
struct Mentions<'a> {
    column: &'a Column,
    authors: Option<&'a Authors>,
    between: (i64, i64),
    listed: Option<HashSet<u64>>,
}

impl<'a> Mentions<'a> {
    fn of(stock: &'a Stock, request: &Request<'_>) -> Result<Mentions<'a>, GatherError> {
        let part = &request.selection.part;
        let tweets = stock.release().column(IdKind::Tweet);
        let (column, authors) = match (tweets, stock.authors()) {
            (Some(tweets), Some(authors)) => (tweets, Some(authors)),
            _ => (stock.column(IdKind::User)?, None),
        };
        if authors.is_none() && matches!(part, Part::Between { .. }) {
            return Err(GatherError::Unfit(
                "a time chooses Users by their Tweets, and of these the dataset tells no authors"
                    .to_owned(),
            ));
        }
        let listed = matches!(part, Part::Listed { .. });
        let listed = listed.then(|| request.listed.iter().copied().collect());
        Ok(Mentions { column, authors, between: part.between(), listed })
    }

    /// Hands each mention to `take`: the account, how new the mention is, and its ordinal.
    fn each(&self, mut take: impl FnMut(u64, u64, u64)) -> Result<(), GatherError> {
        self.walk(&mut take).map_err(GatherError::Read)
    }

    fn walk(&self, take: &mut impl FnMut(u64, u64, u64)) -> io::Result<()> {
        let (mut next, mut text) = (0, Vec::new());
        let (mut found, mut authors) = (Vec::new(), Vec::new());
        let (from_ms, until_ms) = self.between;
        let is_wanted =
            |user: u64| self.listed.as_ref().is_none_or(|listed| listed.contains(&user));
        while next < self.column.ids() {
            found.clear();
            let end = each_of_block(self.column, next, &mut text, |_, id| found.push(id))?;
            match self.authors {
                Some(column) => column.read(&(next..end), &mut authors)?,
                None => authors.clone_from(&found),
            }
            for (place, (id, user)) in found.iter().zip(&authors).enumerate() {
                let ordinal = next + place as u64;
                let rank = if self.authors.is_some() { *id } else { ordinal };
                let made_ms = TweetId::from_value(*id).ok().and_then(TweetId::created_ms);
                let is_in_time = self.authors.is_none()
                    || self.between == Part::All.between()
                    || made_ms.is_some_and(|made_ms| (from_ms..until_ms).contains(&made_ms));
                if *user != Authors::UNKNOWN && is_in_time && is_wanted(*user) {
                    take(*user, rank, ordinal);
                }
            }
            next = end;
        }
        Ok(())
    }
}

/// The accounts with the smallest keys, each with its newest mention.
struct Smallest<K> {
    limit: usize,
    key: K,
    /// No account with a larger key is among them.
    ceiling: u64,
    newest: HashMap<u64, (u64, u64)>,
}

impl<K: Fn(u64) -> u64> Smallest<K> {
    fn new(limit: usize, key: K) -> Smallest<K> {
        Smallest { limit, key, ceiling: u64::MAX, newest: HashMap::new() }
    }

    fn note(&mut self, user: u64, rank: u64, ordinal: u64) {
        if (self.key)(user) > self.ceiling {
            return;
        }
        let newest = self.newest.entry(user).or_insert((rank, ordinal));
        *newest = (*newest).max((rank, ordinal));
        if self.newest.len() >= self.limit.saturating_mul(2).max(1_024) {
            self.prune();
        }
    }

    /// Drops all but the smallest.
    fn prune(&mut self) {
        if self.newest.len() <= self.limit {
            return;
        }
        let mut keys: Vec<u64> = self.newest.keys().map(|user| (self.key)(*user)).collect();
        let (_, largest, _) = keys.select_nth_unstable(self.limit - 1);
        self.ceiling = *largest;
        let (key, ceiling) = (&self.key, self.ceiling);
        self.newest.retain(|user, _| key(*user) <= ceiling);
    }

    fn finish(mut self) -> Vec<UserRow> {
        if self.limit == 0 {
            return Vec::new();
        }
        self.prune();
        let rows = self.newest.into_iter();
        rows.map(|(user, (_, ordinal))| UserRow { user, ordinal }).collect()
    }
}
