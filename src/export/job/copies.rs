//! The copies that people have of files they fetched and that are no longer kept: held against
//! every later removal, told by letter what is to be deleted from them.
//!
//! Whoever fetched a file was told in the letter that withdrew it, if it was still kept when the
//! removal came ([`super::cabinet`]); everything later is told here, once.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use super::cabinet::{Cabinet, CabinetError};
use super::content::Content;
use crate::base::gaps::without;
use crate::base::number::from_one;
use crate::base::party::PersonId;
use crate::directory::letter;
use crate::directory::words::Status;
use crate::store::{ExportCopyRow, StoreError, Tx};

/// The subject of the letter.
const SUBJECT: &str = "Objects in files that you fetched must be deleted";

/// How many ranges of numbers a letter names.
const RANGES_MAX: usize = 50;

/// What was found of a copy.
struct Found {
    row: ExportCopyRow,
    /// Its objects that are removed.
    gone: Vec<Range<u64>>,
    /// By which version of the removals.
    version: i64,
}

impl Cabinet {
    /// Holds every copy against the removals in force, if it was not, and writes a letter to each
    /// person who has something to delete that they were not told of; returns how many letters.
    ///
    /// # Errors
    /// The first [`CabinetError`]; the other copies are held against them all the same.
    pub fn check_copies(&self) -> Result<u64, CabinetError> {
        let rows = self.store().read(|tx| {
            tx.removal_version().and_then(|version| tx.export_copies_unchecked(version))
        })?;
        let mut found: BTreeMap<PersonId, Vec<Found>> = BTreeMap::new();
        let mut failed = None;
        for row in rows {
            match self.look_into(row) {
                Ok(Some(copy)) => found.entry(copy.row.person).or_default().push(copy),
                Ok(None) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let mut letters = 0;
        for (person, copies) in found {
            let now_ms = self.clock().now_ms();
            let told = self.store().write_blocking(move |tx| tell(tx, person, &copies, now_ms))?;
            letters += u64::from(told);
        }
        failed.map_or(Ok(letters), Err)
    }

    /// Finds out what of a copy is removed; `None`: another gateway knows what is in it.
    fn look_into(&self, row: ExportCopyRow) -> Result<Option<Found>, CabinetError> {
        let path = self.content_path(row.file, row.attempt);
        let content = match Content::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.maker_elsewhere(row.instance.as_deref())?.is_some() {
                    return Ok(None);
                }
                // Once for each version of the removals.
                tracing::error!(
                    file = row.file,
                    path = %path.display(),
                    "nobody can tell what is in a file that was fetched: its list is gone"
                );
                let version = self.store().read(|tx| tx.removal_version())?;
                return Ok(Some(Found { gone: row.gone.clone(), row, version }));
            }
            Err(source) => return Err(CabinetError::Disk { path, source }),
        };
        let (version, gone) = self.store().read(|tx| -> Result<_, StoreError> {
            Ok((tx.removal_version()?, content.gone(tx, self.known())?))
        })?;
        Ok(Some(Found { row, gone, version }))
    }
}

/// Notes what was found of somebody's copies, and writes the letter if there is something new to
/// tell.
fn tell(tx: &Tx<'_>, person: PersonId, copies: &[Found], now_ms: i64) -> Result<bool, StoreError> {
    let mut lines = Vec::new();
    for Found { row, gone, version } in copies {
        let is_noted = tx.export_copy_held_against(row.file, gone, *version)?;
        let new = without(gone.iter().cloned(), row.gone.iter().cloned());
        // Else another gateway was faster, or it was told before.
        if is_noted && new.into_iter().next().is_some() {
            lines.push(line(tx, row, gone)?);
        }
    }
    let person = tx.person_by_id(person)?;
    let person = person.filter(|row| Status::of_row(&row.status) == Status::Active);
    let (Some(person), false) = (person, lines.is_empty()) else { return Ok(false) };
    let text = format!(
        "Some of what is in files that you fetched was deleted, protected, suspended or withheld \
         since then, and must not be kept or passed on:\n\n{}\n\nDelete these objects from every \
         copy of the file, and everything that you made of them, within 24 hours. Their numbers \
         count the objects of a file in its order; your account's page lists all of them.",
        lines.join("\n")
    );
    letter::notice(tx, now_ms, &person.mail, SUBJECT, &text)?;
    Ok(true)
}

fn line(tx: &Tx<'_>, row: &ExportCopyRow, gone: &[Range<u64>]) -> Result<String, StoreError> {
    let dataset = tx.dataset_by_id(row.dataset)?;
    let title = dataset.map_or_else(|| "a dataset".to_owned(), |dataset| dataset.title);
    Ok(format!("* “{title}”, file {} of export {}: {}", row.part, row.export, objects(gone)))
}

/// Which objects of a file, for a letter.
pub(super) fn objects(gone: &[Range<u64>]) -> String {
    let named = from_one(&gone[..gone.len().min(RANGES_MAX)]);
    match gone.len().saturating_sub(RANGES_MAX) {
        0 => format!("no. {named}"),
        _ => format!("no. {named}, and more"),
    }
}
