//! Who people are elsewhere: identities at OpenID providers, by which they sign in, and what these
//! assert of affiliation. How a provider is asked and believed is not known here.
//!
//! # The story
//!
//! A provider proves that a browser belongs to one of its subjects, and nothing else: not who that
//! is here, and never what they may receive. Three things can come of a proof.
//!
//! * The identity is linked to a person: they sign in, as by a link that was mailed.
//! * It is linked to nobody. The proof is kept for the browser that brought it, for an hour. Once
//!   its owner has signed in there in another way, they link it on their account page, by a button
//!   that says which identity it is.
//! * They are new: the proof goes along with their registration. If the address is confirmed in the
//!   same browser, it is linked to the person that an operator makes of it.
//!
//! A verified mail address in the proof links nothing by itself. Whoever runs a provider, or gets
//! it to vouch for an address that was somebody's once, would be that person here; and so would
//! whoever registers there with an address that a careless provider calls verified. So the holder
//! of an address has to show it to *this* gateway, which only its letters can make sure of. Nor
//! does a registration link what was proved in another browser than the one that confirmed its
//! address: otherwise a stranger could register with somebody's address and wait until they
//! confirm it unawares.

use serde::{Deserialize, Serialize};

use super::person::{self, NAME_CHARS_MAX};
use super::secret::Secret;
use super::sign_in::{self, Browser};
use super::token::TokenHash;
use super::words::Status;
use super::{DirectoryError, letter, mail, text};
use crate::audit::{self, Leaf, name};
use crate::base::date::DAY_MS;
use crate::base::party::{Actor, PersonId};
use crate::store::{
    IdentityProofRow, IdentityRow, PersonRow, RegistrationRow, ShownIdentity, StoreError, Tx,
};

/// How long a proof is of use to the browser that brought it, in milliseconds.
const PROOF_MS: i64 = 3_600_000;
/// Longest subject (OpenID Connect Core, 2).
const SUBJECT_CHARS_MAX: usize = 255;
/// Longest affiliation, and how many are kept.
const AFFILIATION_CHARS_MAX: usize = 200;
const AFFILIATIONS_MAX: usize = 20;
/// How many identities one person may have.
const IDENTITIES_MAX: usize = 20;

/// Who somebody is at a provider, as it was proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    issuer: String,
    subject: String,
    name: Option<String>,
    mail: Option<String>,
    affiliations: Vec<String>,
}

/// What is kept of what a provider says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    #[serde(default)]
    affiliations: Vec<String>,
}

/// What an identity says of somebody, for whoever decides about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Affiliation {
    /// Which provider says so.
    pub issuer: String,
    /// What they are there, such as `member@example.org`.
    pub values: Vec<String>,
    /// When it said so last, in milliseconds UTC.
    #[serde(skip)]
    pub asserted_ms: i64,
}

/// What came of a proof.
#[derive(Debug)]
pub enum Entered {
    /// The person whose identity it is, with the secret of the cookie of their new session.
    SignedIn(PersonId, Secret),
    /// Nobody here has that identity; the proof is kept for the browser.
    Unlinked,
}

/// Why a proof leads nowhere.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IdentityError {
    /// The same answer came before.
    #[error("this answer of the provider was used already; begin again")]
    Used,
    /// There is no proof for this browser, or it is too old.
    #[error("what you showed at the provider is too old; begin again")]
    Gone,
    /// The identity is another person's.
    #[error("that identity belongs to another person here")]
    Elsewhere,
    /// The person has enough.
    #[error("{IDENTITIES_MAX} identities are the most; unlink one first")]
    TooMany,
    /// The person may not do anything.
    #[error("your access is suspended; ask your operator why")]
    Suspended,
    /// The store could not say or keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Proof {
    /// What a provider has proved, of which only that is kept which can be shown. `mail` is one
    /// that the provider has verified.
    ///
    /// # Errors
    /// [`DirectoryError::Invalid`] if the subject cannot be one.
    pub fn new(
        issuer: &str,
        subject: &str,
        name: Option<&str>,
        mail: Option<&str>,
        affiliations: &[String],
    ) -> Result<Proof, DirectoryError> {
        let checked = text::line("the subject", subject, SUBJECT_CHARS_MAX)?;
        if checked != subject {
            // Trimmed, it would be another one.
            let message = "the subject has blanks round it";
            return Err(DirectoryError::Invalid(message.into()));
        }
        let affiliations = affiliations.iter();
        let affiliations = affiliations
            .filter_map(|said| text::line("the affiliation", said, AFFILIATION_CHARS_MAX).ok());
        Ok(Proof {
            issuer: issuer.to_owned(),
            subject: checked,
            name: name.and_then(|name| text::line("the name", name, NAME_CHARS_MAX).ok()),
            mail: mail.and_then(|mail| mail::normalised(mail).ok()),
            affiliations: affiliations.take(AFFILIATIONS_MAX).collect(),
        })
    }

    fn claims(&self) -> String {
        let claims = Claims { affiliations: self.affiliations.clone() };
        serde_json::to_string(&claims).expect("texts can be written as JSON")
    }
}

/// Takes a proof of whoever wants to sign in: begins a session of the person whose identity it is,
/// or keeps it for the browser whose cookie has that hash.
///
/// # Errors
/// [`IdentityError`]; then nothing changes.
pub fn enter(
    tx: &Tx<'_>,
    now_ms: i64,
    hash: &TokenHash,
    proof: Proof,
    browser: Browser,
) -> Result<Entered, IdentityError> {
    let Some(row) = tx.identity(&proof.issuer, &proof.subject)? else {
        keep(tx, now_ms, hash, Some(proof))?;
        return Ok(Entered::Unlinked);
    };
    let person = tx.person_by_id(row.person)?.ok_or(IdentityError::Gone)?;
    if Status::of_row(&person.status) != Status::Active {
        return Err(IdentityError::Suspended);
    }
    keep(tx, now_ms, hash, None)?;
    let issuer = proof.issuer.clone();
    note_use(tx, now_ms, row, &proof)?;
    let (_, secret) = sign_in::enter_by(tx, now_ms, &person, browser, Some(issuer))?;
    Ok(Entered::SignedIn(person.id, secret))
}

/// Takes a proof of a person who has signed in and wants to link it. It is only kept: they link it
/// once they have seen which identity it is, because a provider may know their browser as somebody
/// else's.
///
/// # Errors
/// [`IdentityError`]; then nothing changes.
pub fn show(
    tx: &Tx<'_>,
    now_ms: i64,
    hash: &TokenHash,
    proof: Proof,
    person: PersonId,
) -> Result<(), IdentityError> {
    match tx.identity(&proof.issuer, &proof.subject)? {
        None => keep(tx, now_ms, hash, Some(proof)),
        Some(row) if row.person == person => {
            keep(tx, now_ms, hash, None)?;
            Ok(note_use(tx, now_ms, row, &proof)?)
        }
        Some(_) => Err(IdentityError::Elsewhere),
    }
}

/// Notes that an answer was taken, with what it says if that is still of use.
fn keep(
    tx: &Tx<'_>,
    now_ms: i64,
    hash: &TokenHash,
    proof: Option<Proof>,
) -> Result<(), IdentityError> {
    tx.identity_proofs_remove_expired(now_ms)?;
    let shown = proof.map(|proof| ShownIdentity {
        claims: proof.claims(),
        issuer: proof.issuer,
        subject: proof.subject,
        name: proof.name,
        mail: proof.mail,
    });
    let row =
        IdentityProofRow { hash: hash.0, shown, proved_ms: now_ms, expires_ms: now_ms + PROOF_MS };
    match tx.identity_proof_insert(&row)? {
        true => Ok(()),
        false => Err(IdentityError::Used),
    }
}

/// What the provider says now takes the place of what it said before.
fn note_use(tx: &Tx<'_>, now_ms: i64, row: IdentityRow, proof: &Proof) -> Result<(), StoreError> {
    tx.identity_link(&IdentityRow { claims: proof.claims(), seen_ms: now_ms, ..row })
}

/// Who the browser whose cookie has that hash has shown to be, if that is still of use.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn shown(
    tx: &Tx<'_>,
    now_ms: i64,
    hash: &TokenHash,
) -> Result<Option<ShownIdentity>, StoreError> {
    Ok(live(tx, now_ms, hash)?.and_then(|row| row.shown))
}

fn live(
    tx: &Tx<'_>,
    now_ms: i64,
    hash: &TokenHash,
) -> Result<Option<IdentityProofRow>, StoreError> {
    Ok(tx.identity_proof(&hash.0)?.filter(|row| now_ms < row.expires_ms && row.shown.is_some()))
}

/// Links to `person`, who has signed in, what their browser has shown, and tells them by mail.
///
/// # Errors
/// [`IdentityError`]; then nothing changes.
pub fn link(
    tx: &Tx<'_>,
    now_ms: i64,
    hash: &TokenHash,
    person: &PersonRow,
) -> Result<IdentityRow, IdentityError> {
    let row = live(tx, now_ms, hash)?.ok_or(IdentityError::Gone)?;
    let row = attach(tx, now_ms, &Actor::Person(person.id), row, person.id)?;
    let text = format!(
        "From now on you can also sign in by your account at {}.\n\n\
         If that was not you, sign in, unlink it on your account page, and end the sessions that \
         you do not know.",
        row.issuer
    );
    letter::notice(tx, now_ms, &person.mail, "Another way to sign in", &text)?;
    Ok(row)
}

/// Links an identity whose proof holds to `person`; the proof has served.
fn attach(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    proof: IdentityProofRow,
    person: PersonId,
) -> Result<IdentityRow, IdentityError> {
    let shown = proof.shown.ok_or(IdentityError::Gone)?;
    if tx.identity(&shown.issuer, &shown.subject)?.is_some() {
        return Err(IdentityError::Elsewhere);
    }
    if tx.identities_of(person)?.len() >= IDENTITIES_MAX {
        return Err(IdentityError::TooMany);
    }
    let row = IdentityRow {
        issuer: shown.issuer,
        subject: shown.subject,
        person,
        claims: shown.claims,
        linked_ms: now_ms,
        seen_ms: proof.proved_ms,
    };
    tx.identity_link(&row)?;
    tx.identity_proof_clear(&proof.hash)?;
    let leaf = Leaf::IdentityLinked {
        person: name::of_person(tx, person)?,
        issuer: row.issuer.clone(),
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok(row)
}

/// Forgets what a browser has shown.
///
/// # Errors
/// [`StoreError`] of the change.
pub fn forget(tx: &Tx<'_>, hash: &TokenHash) -> Result<(), StoreError> {
    tx.identity_proof_clear(&hash.0)
}

/// Lets a registration have the proof of the browser that sent it, as long as it may be confirmed;
/// returns the proof's hash, if there is one.
pub(super) fn send_along(
    tx: &Tx<'_>,
    now_ms: i64,
    hash: &TokenHash,
) -> Result<Option<[u8; 32]>, StoreError> {
    if live(tx, now_ms, hash)?.is_none() {
        return Ok(None);
    }
    tx.identity_proof_set_expires(&hash.0, now_ms + DAY_MS)?;
    Ok(Some(hash.0))
}

/// Whom `registration` would be elsewhere, if the browser whose cookie has that hash confirms its
/// address.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn sent_along(
    tx: &Tx<'_>,
    now_ms: i64,
    registration: &RegistrationRow,
    hash: Option<&TokenHash>,
) -> Result<Option<ShownIdentity>, StoreError> {
    match hash {
        Some(hash) if registration.proof_hash == Some(hash.0) => shown(tx, now_ms, hash),
        _ => Ok(None),
    }
}

/// Who a registration whose address is confirmed is elsewhere.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn of_registration(
    tx: &Tx<'_>,
    registration: &RegistrationRow,
) -> Result<Option<ShownIdentity>, StoreError> {
    let row = registration.proof_hash.map(|hash| tx.identity_proof(&hash)).transpose()?;
    Ok(row.flatten().and_then(|row| row.shown))
}

/// Links what came along with a registration to the person that was made of it. What somebody else
/// has linked meanwhile stays theirs.
pub(super) fn settle(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    registration: &RegistrationRow,
    person: PersonId,
) -> Result<(), StoreError> {
    let row = registration.proof_hash.map(|hash| tx.identity_proof(&hash)).transpose()?;
    let Some(row) = row.flatten() else { return Ok(()) };
    match attach(tx, now_ms, actor, row, person) {
        Err(IdentityError::Store(error)) => Err(error),
        _ => Ok(()),
    }
}

/// Identities of a person that are to go.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unlink {
    /// The person's mail address.
    pub mail: String,
    /// The provider.
    pub issuer: String,
    /// Whom it means; `None`: all at this provider.
    #[serde(default)]
    pub subject: Option<String>,
}

/// Takes identities of a person away. Who signed in by them stays signed in.
///
/// # Errors
/// [`DirectoryError::NotFound`] if they have none such.
pub fn unlink(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Unlink,
) -> Result<PersonRow, DirectoryError> {
    let Unlink { mail, issuer, subject } = request;
    let person = person::find(tx, mail)?;
    let mut rows = tx.identities_of(person.id)?;
    rows.retain(|row| {
        row.issuer == *issuer && subject.as_ref().is_none_or(|subject| row.subject == *subject)
    });
    if rows.is_empty() {
        let mail = &person.mail;
        let message = format!(
            "`{mail}` has no such identity at {issuer}; `hydrant person identities {mail}` shows \
             those that they have"
        );
        return Err(DirectoryError::NotFound(message));
    }
    for row in rows {
        tx.identity_unlink(&row.issuer, &row.subject)?;
        let leaf = Leaf::IdentityUnlinked {
            person: name::of_person(tx, person.id)?,
            issuer: row.issuer,
            actor: name::of_actor(tx, actor)?,
        };
        audit::append(tx, now_ms, &leaf)?;
    }
    Ok(person)
}

/// What the identities of `person` say of affiliation; those that say nothing are not among them.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn affiliations_of(tx: &Tx<'_>, person: PersonId) -> Result<Vec<Affiliation>, StoreError> {
    let said = tx.identities_of(person)?.into_iter().map(|row| Affiliation {
        values: affiliations_in(&row.claims),
        issuer: row.issuer,
        asserted_ms: row.seen_ms,
    });
    Ok(said.filter(|said| !said.values.is_empty()).collect())
}

/// The affiliations in claims that are kept; those of a newer program that cannot be read are none.
pub fn affiliations_in(claims: &str) -> Vec<String> {
    serde_json::from_str::<Claims>(claims).unwrap_or_default().affiliations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_shown_is_kept_of_a_proof() {
        let many: Vec<String> = (0..30).map(|number| format!("member@{number}.example")).collect();
        let proof = |subject: &str, name: &str, mail: &str| {
            Proof::new("https://id.example", subject, Some(name), Some(mail), &many)
        };
        let good = proof("0000-0001", " Ada Quill ", "Ada@Orrin.Example").unwrap();
        assert_eq!(good.name.as_deref(), Some("Ada Quill"));
        assert_eq!(good.mail.as_deref(), Some("ada@orrin.example"));
        assert_eq!(affiliations_in(&good.claims()).len(), AFFILIATIONS_MAX);
        let odd = proof("x", "a\u{202e}b", "nobody").unwrap();
        assert_eq!((odd.name, odd.mail), (None, None));
        for subject in ["", " x", "x\ny", &"x".repeat(256)] {
            assert!(proof(subject, "Ada", "a@b.example").is_err(), "{subject:?}");
        }
        assert_eq!(affiliations_in("[1]"), Vec::<String>::new());
    }
}
