//! Erasing a person: nothing that tells who they were stays, and nothing that they were charged
//! is forgotten.
//!
//! # The story
//!
//! A person's row keeps its number, because the meters name it. In the place of the address stands
//! a hash of it under a key of this database, so that whoever enters the same address again, meets
//! the same row with its live charges: erasing resets nothing. Once nothing of it counts any more,
//! the hash goes too ([`super::retention`]). The journal cannot be changed; it names people by
//! salted commitments, and the salt is erased here.
//!
//! A table that keeps something of a person is cleared in [`erase`]; where texts of others may name
//! them stands in `store/rows/erasure.rs`.

use hmac::{Hmac, KeyInit, Mac};
use rand::TryRng;
use rand::rngs::SysRng;
use sha2::Sha256;

use super::entity::REASON_CHARS_MAX;
use super::words::Status;
use super::{DirectoryError, key, mail, membership, person, share, sign_in, text};
use crate::audit::{self, Leaf, name};
use crate::base::party::Actor;
use crate::store::{Party, PersonRow, StoreError, Tx};

/// What stands where something was erased.
pub const ERASED: &str = "(erased)";
/// Why the files of objects end that were made for somebody.
const FILES_GONE: &str = "its person was erased";
/// What the mail of an erased person begins with; no address has a colon there.
const PREFIX: &str = "erased:";
/// The name of the key in the table of secrets.
const SECRET: &str = "erased-mail";
/// A shorter name is a word of many texts that are not about its bearer.
const NAME_CHARS_MIN: usize = 3;
/// The word of the log for somebody who does not run the gateway any more.
const NO_RANK: &str = "none";

/// Erases the person with that address: name, address, what they showed, how they called their
/// keys, their place in texts of others. Their keys are void, they belong nowhere, and a delivery
/// under way stops at its next chunk. What was charged stays charged.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Invalid`] for the reason.
pub fn erase(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    mail: &str,
    reason: &str,
) -> Result<PersonRow, DirectoryError> {
    let reason = text::line("the reason", reason, REASON_CHARS_MAX)?;
    let mut row = person::find(tx, mail)?;
    for key in tx.keys()?.into_iter().filter(|key| key.person == row.id) {
        if key.revoked_ms.is_none() {
            key::revoke(tx, now_ms, actor, key.id)?;
        }
    }
    share::revoke_all(tx, now_ms, actor, row.id)?;
    tx.export_files_purge_of(row.id, FILES_GONE, now_ms)?;
    tx.exports_forget_of(row.id)?;
    if tx.staff_dismiss(row.id)? {
        let (person, actor) = (name::of_person(tx, row.id)?, name::of_actor(tx, actor)?);
        let rank = NO_RANK.to_owned();
        audit::append(tx, now_ms, &Leaf::StaffAppointed { person, rank, actor })?;
    }
    for entity in tx.memberships_of_person(row.id)? {
        membership::leave(tx, now_ms, actor, row.id, entity.entity)?;
    }
    tx.joins_remove_of_person(row.id)?;
    tx.invitations_remove_to(&row.mail)?;
    sign_in::forget(tx, &row)?;
    tx.texts_clear(row.id, ERASED)?;
    let words = [row.mail.clone(), row.name.clone()];
    row.mail = remembered_mail(tx, &row.mail)?;
    row.name = ERASED.to_owned();
    row.status = Status::Erased.word().to_owned();
    row.status_reason = Some(reason);
    row.erased_ms = Some(now_ms);
    tx.person_update(&row)?;
    let (name, by) = (name::of_person(tx, row.id)?, name::of_actor(tx, actor)?);
    let leaf = Leaf::PersonErased { person: name, actor: by };
    audit::append_decision(tx, now_ms, &leaf, row.status_reason.as_deref())?;
    for word in words.iter().filter(|word| word.chars().count() >= NAME_CHARS_MIN) {
        tx.texts_replace(word, |text| without(text, word))?;
    }
    tx.deliveries_forget_erased()?;
    name::erase(tx, now_ms, actor, Party::Person(row.id))?;
    Ok(row)
}

/// The row of whoever had that address and was erased, as long as it is remembered.
///
/// # Errors
/// [`DirectoryError::Invalid`] if it is no address.
pub fn remembered(tx: &Tx<'_>, mail: &str) -> Result<Option<PersonRow>, DirectoryError> {
    let mail = mail::normalised(mail)?;
    match tx.secret(SECRET)? {
        None => Ok(None),
        Some(secret) => Ok(tx.person_by_mail(&hashed(&secret, &mail))?),
    }
}

/// Forgets even the hash of an erased person's address.
///
/// # Errors
/// [`StoreError`] of the change.
pub(super) fn forget(tx: &Tx<'_>, mut row: PersonRow) -> Result<(), StoreError> {
    row.mail = format!("{PREFIX}{}", row.id.0);
    tx.person_update(&row)
}

/// Whether an address of an erased person is remembered in that row.
pub(super) fn is_remembered(row: &PersonRow) -> bool {
    row.erased_ms.is_some() && row.mail != format!("{PREFIX}{}", row.id.0)
}

/// What stands in the place of an address.
fn remembered_mail(tx: &Tx<'_>, mail: &str) -> Result<String, StoreError> {
    let secret = match tx.secret(SECRET)? {
        Some(secret) => secret,
        None => {
            let mut secret = [0; 32];
            SysRng.try_fill_bytes(&mut secret).expect("the system has random numbers");
            tx.secret_insert(SECRET, &secret)?;
            secret
        }
    };
    Ok(hashed(&secret, mail))
}

fn hashed(secret: &[u8; 32], mail: &str) -> String {
    let mut hash = Hmac::<Sha256>::new_from_slice(secret).expect("a key may have any length");
    hash.update(mail.as_bytes());
    format!("{PREFIX}{}", hex::encode(hash.finalize().into_bytes()))
}

/// `text` without `word`, in whichever case it is written there; `None` if it is not in it. Within
/// a longer word it is not meant.
fn without(text: &str, word: &str) -> Option<String> {
    let same = |a: char, b: char| a == b || a.to_lowercase().eq(b.to_lowercase());
    let (chars, wanted): (Vec<char>, Vec<char>) = (text.chars().collect(), word.chars().collect());
    let is_letter = |place: Option<&char>| place.is_some_and(|char| char.is_alphanumeric());
    let (mut kept, mut place, mut has_changed) = (String::new(), 0, false);
    while place < chars.len() {
        let end = place + wanted.len();
        let is_here = end <= chars.len()
            && chars[place..end].iter().zip(&wanted).all(|(&a, &b)| same(a, b))
            && !is_letter(place.checked_sub(1).and_then(|before| chars.get(before)))
            && !is_letter(chars.get(end));
        if is_here {
            kept.push_str(ERASED);
            (place, has_changed) = (end, true);
        } else {
            kept.push(chars[place]);
            place += 1;
        }
    }
    has_changed.then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_taken_out_of_a_text_and_left_within_longer_words() {
        for (text, word, expected) in [
            ("form of Ada Lovelace, binder 7", "Ada Lovelace", Some("form of (erased), binder 7")),
            ("ADA; ada, Adas", "Ada", Some("(erased); (erased), Adas")),
            ("ask ada@example.org!", "ada@example.org", Some("ask (erased)!")),
            ("Müller said JÜRGEN", "Jürgen", Some("Müller said (erased)")),
            ("Canada", "Ada", None),
            ("", "Ada", None),
        ] {
            assert_eq!(without(text, word).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_hash_tells_nothing_without_its_key() {
        let hash = hashed(&[7; 32], "ada@example.org");
        assert_eq!(hash, hashed(&[7; 32], "ada@example.org"));
        assert_ne!(hash, hashed(&[8; 32], "ada@example.org"));
        assert_ne!(hash, hashed(&[7; 32], "eda@example.org"));
        assert_eq!(hash.len(), PREFIX.len() + 64);
    }
}
