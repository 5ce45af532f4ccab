//! The rows of answers of OpenID providers that were taken, and of what they say of somebody who
//! is nobody here yet; whose identity is linked stands in `identity`.

use crate::base::party::PersonId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// What a browser has shown of who somebody is at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProofRow {
    /// SHA-256 of the secret in the browser's cookie.
    pub hash: [u8; 32],
    /// Who it is, as long as nobody has made use of it.
    pub shown: Option<ShownIdentity>,
    /// When it was shown, in milliseconds UTC.
    pub proved_ms: i64,
    /// From when on it is of no use to its browser, in milliseconds UTC.
    pub expires_ms: i64,
}

/// Who somebody is at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownIdentity {
    /// The provider.
    pub issuer: String,
    /// Whom it means by it, in its own words.
    pub subject: String,
    /// What it says of affiliation, as JSON.
    pub claims: String,
    /// What it calls them.
    pub name: Option<String>,
    /// Their mail address as the provider has verified it, normalised.
    pub mail: Option<String>,
}

const INSERT: &str = "
    INSERT INTO identity_proofs (hash, issuer, subject, claims, name, mail, proved_ms, expires_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (hash) DO NOTHING";
const SELECT: &str = "
    SELECT hash, issuer, subject, claims, name, mail, proved_ms, expires_ms
    FROM identity_proofs WHERE hash = ?1";
const UPDATE_EXPIRES: &str = "UPDATE identity_proofs SET expires_ms = ?2 WHERE hash = ?1";
const CLEAR: &str = "
    UPDATE identity_proofs
    SET issuer = NULL, subject = NULL, claims = NULL, name = NULL, mail = NULL WHERE hash = ?1";
// A proof that belongs to a registration waits with it for an operator.
const DELETE_EXPIRED: &str = "
    DELETE FROM identity_proofs WHERE expires_ms < ?1 AND NOT EXISTS (
        SELECT 1 FROM registrations r WHERE r.proof_hash = identity_proofs.hash)";
const DELETE_OF_PERSON: &str = "
    DELETE FROM identity_proofs WHERE mail = ?2
        OR hash IN (SELECT proof_hash FROM registrations WHERE mail = ?2)
        OR EXISTS (SELECT 1 FROM identities i
                   WHERE i.person_id = ?1 AND i.issuer = identity_proofs.issuer
                     AND i.subject = identity_proofs.subject)";

impl Tx<'_> {
    /// Adds a proof; returns whether there was none of that hash.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn identity_proof_insert(&self, row: &IdentityProofRow) -> Result<bool, StoreError> {
        let shown = row.shown.as_ref();
        let values = values![
            &row.hash,
            shown.map(|shown| shown.issuer.as_str()),
            shown.map(|shown| shown.subject.as_str()),
            shown.map(|shown| shown.claims.as_str()),
            shown.and_then(|shown| shown.name.as_deref()),
            shown.and_then(|shown| shown.mail.as_deref()),
            row.proved_ms,
            row.expires_ms
        ];
        Ok(self.change(INSERT, values)? == 1)
    }

    /// The proof of that hash.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn identity_proof(&self, hash: &[u8; 32]) -> Result<Option<IdentityProofRow>, StoreError> {
        self.row(SELECT, values![hash], proof)
    }

    /// Lets a proof be of use until another instant.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn identity_proof_set_expires(
        &self,
        hash: &[u8; 32],
        expires_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(UPDATE_EXPIRES, values![hash, expires_ms])
    }

    /// Forgets who a proof was about; that it was taken stays known until it expires.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn identity_proof_clear(&self, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.write(CLEAR, values![hash])
    }

    /// Removes the proofs that expired before that instant and belong to no registration; returns
    /// how many.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn identity_proofs_remove_expired(&self, before_ms: i64) -> Result<u64, StoreError> {
        self.change(DELETE_EXPIRED, values![before_ms])
    }

    /// Removes the proofs that are about `person`, whose normalised mail address is `mail`; before
    /// their identities and registrations are.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn identity_proofs_remove_of(
        &self,
        person: PersonId,
        mail: &str,
    ) -> Result<(), StoreError> {
        self.write(DELETE_OF_PERSON, values![person, mail])
    }
}

fn proof(row: &Row<'_>) -> Result<IdentityProofRow, StoreError> {
    let who: Option<(String, String, String)> = match (row.get(1)?, row.get(2)?, row.get(3)?) {
        (Some(issuer), Some(subject), Some(claims)) => Some((issuer, subject, claims)),
        _ => None,
    };
    let (name, mail) = (row.get(4)?, row.get(5)?);
    Ok(IdentityProofRow {
        hash: row.get(0)?,
        shown: who.map(|(issuer, subject, claims)| ShownIdentity {
            issuer,
            subject,
            claims,
            name,
            mail,
        }),
        proved_ms: row.get(6)?,
        expires_ms: row.get(7)?,
    })
}
