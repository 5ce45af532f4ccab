//! Which Tweets of a release a selection may give: their ordinals, ascending, with their IDs. What
//! their records hold is not known yet.

use std::io;

use hashbrown::HashSet;

use super::selection::{Chance, Part};
use super::{GatherError, Request};
use crate::base::ids::{Id, TweetId, parse_digits};
use crate::release::Column;

/// How many candidates are looked at together.
pub(super) const CHUNK: usize = 512;

/// A Tweet that may be wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) ordinal: u64,
    pub(super) id: u64,
}

/// Goes through the candidates of a request, chunk by chunk.
pub(super) struct Candidates<'a> {
    column: &'a Column,
    way: Way,
    /// The first ordinal that was not looked at.
    next: u64,
}

/// How candidates are found.
enum Way {
    /// Each is one.
    Each,
    /// Those whose ID passes, block by block.
    Scan { passes: Passes, block: Vec<Candidate>, text: Vec<u8> },
    /// These ordinals, ascending.
    These(Vec<u64>),
}

/// Which IDs pass.
enum Passes {
    /// Those of a time, in milliseconds, and those that tell no time.
    Between(i64, i64),
    Listed(HashSet<u64>),
}

impl Passes {
    fn holds(&self, id: u64) -> bool {
        match self {
            Passes::Between(from_ms, until_ms) => {
                let made_ms = TweetId::from_value(id).ok().and_then(TweetId::created_ms);
                made_ms.is_none_or(|made_ms| (*from_ms..*until_ms).contains(&made_ms))
            }
            Passes::Listed(ids) => ids.contains(&id),
        }
    }
}

impl<'a> Candidates<'a> {
    pub(super) fn of(column: &'a Column, request: &Request<'_>) -> Candidates<'a> {
        let scan = |passes| Way::Scan { passes, block: Vec::new(), text: Vec::new() };
        let way = match &request.selection.part {
            Part::All => Way::Each,
            part @ Part::Between { .. } => {
                let (from_ms, until_ms) = part.between();
                scan(Passes::Between(from_ms, until_ms))
            }
            Part::Listed { .. } => scan(Passes::Listed(request.listed.iter().copied().collect())),
            Part::Sample { objects, seed } => {
                let count = (*objects).min(column.ids());
                let mut ordinals = Chance::of(*seed).numbers(count, column.ids());
                ordinals.retain(|ordinal| *ordinal >= request.from);
                Way::These(ordinals)
            }
        };
        Candidates { column, way, next: request.from.min(column.ids()) }
    }

    /// The next candidates; none at the end.
    pub(super) fn next(&mut self) -> Result<Vec<Candidate>, GatherError> {
        self.next_chunk().map_err(GatherError::Read)
    }

    /// How many candidates there are, and a few of them by chance, ascending.
    pub(super) fn survey(self, few: usize) -> Result<(u64, Vec<Candidate>), GatherError> {
        self.surveyed(few).map_err(GatherError::Read)
    }

    fn surveyed(mut self, few: usize) -> io::Result<(u64, Vec<Candidate>)> {
        let (column, mut chance) = (self.column, Chance::of(self.next));
        let mut chosen = Vec::new();
        let count = match &mut self.way {
            Way::Each => {
                let count = column.ids() - self.next;
                let ordinals = chance.numbers((few as u64).min(count), count);
                chosen.extend(ordinals.iter().map(|ordinal| self.next + ordinal));
                count
            }
            Way::These(ordinals) => {
                let count = ordinals.len() as u64;
                let places = chance.numbers((few as u64).min(count), count);
                chosen.extend(places.iter().map(|place| ordinals[*place as usize]));
                count
            }
            Way::Scan { passes, text, .. } => {
                let (mut count, mut next) = (0, self.next);
                while next < column.ids() {
                    next = each_of_block(column, next, text, |ordinal, id| {
                        if !passes.holds(id) {
                            return;
                        }
                        count += 1;
                        // Each one so far is among the chosen with the same chance.
                        if chosen.len() < few {
                            chosen.push(ordinal);
                        } else if let Some(one) = chosen.get_mut(chance.below(count) as usize) {
                            *one = ordinal;
                        }
                    })?;
                }
                chosen.sort_unstable();
                count
            }
        };
        let mut ids = Vec::new();
        column.pick(&chosen, &mut ids)?;
        let chosen = chosen.into_iter().zip(ids);
        Ok((count, chosen.map(|(ordinal, id)| Candidate { ordinal, id }).collect()))
    }

    fn next_chunk(&mut self) -> io::Result<Vec<Candidate>> {
        let (column, ids) = (self.column, self.column.ids());
        let ordinals: Vec<u64> = match &mut self.way {
            Way::Each => (self.next..ids.min(self.next + CHUNK as u64)).collect(),
            Way::These(ordinals) => ordinals.drain(..CHUNK.min(ordinals.len())).collect(),
            Way::Scan { passes, block, text } => {
                while block.is_empty() && self.next < ids {
                    self.next = scan(column, self.next, passes, block, text)?;
                }
                // The last come first out, so they stand in descending order.
                let rest = block.len().saturating_sub(CHUNK);
                return Ok(block.drain(rest..).rev().collect());
            }
        };
        self.next = ordinals.last().map_or(ids, |last| last + 1);
        let mut picked = Vec::new();
        column.pick(&ordinals, &mut picked)?;
        let picked = ordinals.into_iter().zip(picked);
        Ok(picked.map(|(ordinal, id)| Candidate { ordinal, id }).collect())
    }
}

/// Looks through the block that holds ordinal `from`, from there on; returns where it ends.
fn scan(
    column: &Column,
    from: u64,
    passes: &Passes,
    found: &mut Vec<Candidate>,
    text: &mut Vec<u8>,
) -> io::Result<u64> {
    let end = each_of_block(column, from, text, |ordinal, id| {
        if passes.holds(id) {
            found.push(Candidate { ordinal, id });
        }
    })?;
    found.reverse();
    Ok(end)
}

/// Hands the IDs of the block that holds ordinal `from` to `take`, from there on; returns the
/// ordinal behind the block.
pub(super) fn each_of_block(
    column: &Column,
    from: u64,
    text: &mut Vec<u8>,
    mut take: impl FnMut(u64, u64),
) -> io::Result<u64> {
    let index = usize::try_from(from / crate::release::BLOCK_IDS).map_err(io::Error::other)?;
    let (ordinals, _) = column.read_block(index, text)?;
    let mut lines = text.split(|byte| *byte == b'\n');
    for ordinal in ordinals.clone() {
        let id = lines.next().and_then(|line| parse_digits(line).ok());
        let id = id.ok_or_else(|| column.damaged_block(index))?;
        if ordinal >= from {
            take(ordinal, id);
        }
    }
    Ok(ordinals.end)
}
