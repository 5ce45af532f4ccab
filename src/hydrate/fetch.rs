//! Objects for somebody who wants them now, such as an export: the same loop and the same folder,
//! in a file that its caller removes.

use std::path::{Path, PathBuf};

use super::books::Books;
use super::error::HydrateError;
use super::outcome::{Account, Outcome};
use super::run::{Errand, run};
use super::workplace::Workplace;
use crate::base::ids::IdKind;

/// Which objects are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Which kind.
    pub kind: IdKind,
    /// Which ones; one that stands here twice is fetched once.
    pub ids: Vec<u64>,
    /// Where to write: JSON lines, each a page of one object with all it refers to; packed if the
    /// name ends in `.gz` or `.zst`. The folder beside it, under the same name and `.hydrating`,
    /// is worked in.
    pub target: PathBuf,
}

/// What was fetched.
#[derive(Debug)]
pub struct Fetched {
    place: Workplace,
}

/// Fetches what is ordered, or goes on where an earlier call for the same target was broken off.
///
/// The caller keeps target and folder until it has used what came, so that it may call this again
/// after any crash and nothing is asked for twice, and then calls [`Fetched::remove`].
///
/// # Errors
/// [`HydrateError`], as [`run`]; [`HydrateError::Unfit`] if the target was begun for another
/// order.
pub async fn fetch<B: Books>(
    order: &Order,
    errand: &mut Errand<'_, B>,
) -> Result<Fetched, HydrateError> {
    let mut seen = hashbrown::HashSet::new();
    let ids = order.ids.iter().copied().filter(|id| seen.insert(*id)).map(Ok);
    let mut place = if Workplace::is_begun(&order.target) {
        let place = Workplace::go_on(&order.target)?;
        place.require(ids)?;
        place
    } else {
        let credential = errand.platform.credential().label.clone();
        Workplace::begin(&order.target, order.kind, &credential, ids)?
    };
    if place.plan().kind != order.kind {
        let message = format!("{} was begun for objects of another kind", order.target.display());
        return Err(HydrateError::Unfit(message));
    }
    run(&mut place, errand).await?;
    Ok(Fetched { place })
}

impl Fetched {
    /// The file with the objects, one a line.
    pub fn lines(&self) -> &Path {
        self.place.archive()
    }

    /// How often what happened.
    pub fn account(&self) -> Account {
        self.place.account()
    }

    /// What became of each ID, in the order in which they were asked for.
    ///
    /// # Errors
    /// [`HydrateError::File`].
    pub fn outcomes(&self) -> Result<Vec<(u64, Outcome)>, HydrateError> {
        let mut outcomes = Vec::new();
        self.place.each(|id, outcome| {
            outcomes.push((id, outcome));
            Ok(())
        })?;
        Ok(outcomes)
    }

    /// Removes the file and the folder.
    ///
    /// # Errors
    /// [`HydrateError::File`].
    pub fn remove(self) -> Result<(), HydrateError> {
        let path = self.place.archive().to_owned();
        // The folder last: as long as it is there, the file is known to be one of these.
        std::fs::remove_file(&path).map_err(HydrateError::file(path))?;
        self.place.remove()
    }
}
