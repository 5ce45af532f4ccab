//! Who runs the gateway: appointing and dismissing operators and auditors.

use super::words::Rank;
use super::{DirectoryError, person};
use crate::audit::{self, Leaf, name};
use crate::base::party::{Actor, PersonId};
use crate::store::{PersonRow, StoreError, Tx};

/// The word of the log for somebody who was dismissed.
const NO_RANK: &str = "none";

/// The rank of `person`, if they have one. A word of a newer program is none that this one may
/// honour.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn rank_of(tx: &Tx<'_>, person: PersonId) -> Result<Option<Rank>, StoreError> {
    Ok(tx.staff_rank(person)?.as_deref().and_then(Rank::from_word))
}

/// Gives the person with that mail address a rank, in place of the one that they may have; `None`
/// dismisses them.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if it is so already.
pub fn appoint(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    mail: &str,
    rank: Option<Rank>,
) -> Result<PersonRow, DirectoryError> {
    let person = person::find(tx, mail)?;
    let word = rank.map_or(NO_RANK, Rank::word);
    if tx.staff_rank(person.id)?.as_deref().unwrap_or(NO_RANK) == word {
        let mail = person.mail;
        let message = match rank {
            Some(rank) => format!("`{mail}` is {rank} already"),
            None => format!("`{mail}` does not run the gateway; there is nothing to take away"),
        };
        return Err(DirectoryError::Conflict(message));
    }
    match rank {
        Some(rank) => tx.staff_appoint(person.id, rank.word(), now_ms, &actor.to_string())?,
        None => {
            tx.staff_dismiss(person.id)?;
        }
    }
    // Whoever holds the secret of a session shall not come into a rank by it.
    tx.sessions_outdate(person.id)?;
    let leaf = Leaf::StaffAppointed {
        person: name::of_person(tx, person.id)?,
        rank: word.to_owned(),
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok(person)
}
