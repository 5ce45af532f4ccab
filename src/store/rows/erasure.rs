//! Where texts in people's words stand, so that somebody's name can be taken out of all of them;
//! which words those are is decided by `directory`.
//!
//! A table that keeps words of its own about people gets its columns into [`TEXTS`].

use crate::base::party::PersonId;
use crate::store::value::values;
use crate::store::{StoreError, Tx};

/// How the texts of one column are found that may hold something, and how one is replaced.
struct Text {
    select: &'static str,
    update: &'static str,
}

macro_rules! texts {
    ($($table:literal: $($column:literal),+;)*) => {
        &[$($(Text {
            select: concat!(
                "SELECT DISTINCT ", $column, " FROM ", $table,
                " WHERE lower(", $column, ") LIKE ?1"
            ),
            update: concat!(
                "UPDATE ", $table, " SET ", $column, " = ?2 WHERE ", $column, " = ?1"
            ),
        },)+)*]
    };
}

/// Every column that holds somebody's words.
const TEXTS: &[Text] = texts! {
    "acceptances": "evidence";
    "entities": "status_reason";
    "exemptions": "purpose", "reason", "revoked_reason", "role", "signed_by", "reference",
        "conditions";
    "freezes": "reason";
    "incarnations": "retired_reason";
    "joins": "person_evidence", "entity_evidence", "reason";
    "keys": "label";
    "letters": "text";
    "people": "status_reason";
    "permissions": "issuer", "reference", "reason", "revoked_reason";
    "profiles": "reason";
    "registrations": "organisation", "purpose", "reason";
    "removal_imports": "name", "reason", "report", "reverted_reason";
    "requests": "answer";
    "shares": "label", "note";
    "use_cases": "purpose", "reason";
};

/// Reasons, which the log commits to: where a name was taken out of one, nothing shows any more
/// what the log holds of it.
const REASONS: Text = Text {
    select: "SELECT DISTINCT reason FROM reasons WHERE lower(reason) LIKE ?1",
    update: "UPDATE reasons SET reason = ?2, salt = NULL WHERE reason = ?1",
};

// What somebody showed or said themselves goes as a whole. Whoever comes back accepts anew.
const DELETE_ACCEPTANCES: &str = "DELETE FROM acceptances WHERE person_id = ?1";
const CLEAR_LABELS: &str = "UPDATE keys SET label = ?2 WHERE person_id = ?1";
const CLEAR_SIGNATURES: &str = "
    UPDATE exemptions SET role = ?2, signed_by = ?2 WHERE person_id = ?1 AND signed_by IS NOT NULL";
const DELETE_NOTICES: &str = "DELETE FROM notices WHERE person_id = ?1";
const HAS_LIVE: &str = "
    WITH own AS (
        SELECT id FROM meters WHERE recipient IN (
            SELECT 'entity:' || entity_id FROM memberships WHERE person_id = ?1
            UNION ALL SELECT 'person:' || id FROM people WHERE id = ?1))
    SELECT EXISTS (SELECT 1 FROM open_charges WHERE person_id = ?1)
        OR EXISTS (SELECT 1 FROM own JOIN buckets b ON b.meter_id = own.id
                   WHERE b.person_id = ?1 AND b.minute > ?2)
        OR EXISTS (SELECT 1 FROM own JOIN seen_charges s ON s.meter_id = own.id
                   WHERE s.person_id = ?1 AND (s.minute IS NULL OR s.minute > ?2))";
const LEAVES_NAMING: &str = "
    SELECT leaf FROM journal WHERE leaf LIKE ?1 ORDER BY sequence";

impl Tx<'_> {
    /// Puts what `replaced` makes of a text in its place, wherever one holds `needle`, in
    /// whichever case; `None`: the text stays.
    ///
    /// # Errors
    /// [`StoreError`] of the looks or the changes.
    pub fn texts_replace(
        &self,
        needle: &str,
        replaced: impl Fn(&str) -> Option<String>,
    ) -> Result<(), StoreError> {
        // What LIKE takes for its own signs only finds more, and that is looked at closely. So do
        // letters of which an engine may not know the lower case.
        let any = |char: char| if char.is_ascii() { char.to_ascii_lowercase() } else { '_' };
        let pattern = format!("%{}%", needle.chars().map(any).collect::<String>());
        for Text { select, update } in TEXTS.iter().chain([&REASONS]) {
            let found = self.rows(select, values![&pattern], |row| row.get::<String>(0))?;
            for text in found {
                if let Some(new) = replaced(&text) {
                    self.write(update, values![&text, &new])?;
                }
            }
        }
        Ok(())
    }

    /// Removes what a person accepted and showed and what they were to be told, and puts `word` in
    /// the place of what they call their keys and of what they signed with.
    ///
    /// # Errors
    /// [`StoreError`] of the changes.
    pub fn texts_clear(&self, person: PersonId, word: &str) -> Result<(), StoreError> {
        self.write(DELETE_ACCEPTANCES, values![person])?;
        self.write(DELETE_NOTICES, values![person])?;
        self.write(CLEAR_SIGNATURES, values![person, word])?;
        self.shares_clear_texts(person, word)?;
        self.write(CLEAR_LABELS, values![person, word])
    }

    /// Whether anything that a person received still counts, where what was settled up to the
    /// minute `newest_left` does not.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn person_has_live(&self, person: PersonId, newest_left: i64) -> Result<bool, StoreError> {
        self.one(HAS_LIVE, values![person, newest_left])
    }

    /// The leaves of the journal that name `commitment`, oldest first. The whole journal is read.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn leaves_naming(&self, commitment: &str) -> Result<Vec<String>, StoreError> {
        self.rows(LEAVES_NAMING, values![&format!("%{commitment}%")], |row| row.get(0))
    }
}
