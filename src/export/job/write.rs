//! From what was gathered to a file that can be fetched: without what is removed, with its cover
//! sheet, and in one transaction with the version of the removals that it is clean of.

use std::collections::BTreeMap;
use std::io;

use super::content::{Content, Names, removed_among};
use super::maker::{Batch, Course, NotMade, Workshop, selection_of};
use crate::base::number::separated;
use crate::export::cover::{Cover, LeftOut, Platform};
use crate::export::file::{self, Format};
use crate::export::object::Object;
use crate::policy::Profile;
use crate::store::{ExportFileRow, ExportRow, MadeFile, StoreError, Tx};

/// How many objects are held against the removals at once.
const OBJECTS_AT_ONCE: usize = 1_024;

/// What is told of a file that has no objects.
const NOTHING: &str = "nothing of what is selected can be handed out; the counts say why";

/// What is told of a planned file that is not needed.
const NOTHING_LEFT: &str = "nothing is left for it: less could be handed out than was foreseen";

impl Workshop {
    /// Writes a file of what was gathered and is not removed, and lets it be fetched; `false` if
    /// more was removed meanwhile.
    pub(super) fn write(
        &self,
        export: &ExportRow,
        row: &ExportFileRow,
        batch: &Batch,
        course: &Course,
    ) -> Result<bool, NotMade> {
        let version = self.cabinet.known().version()?;
        let gathered = &batch.gathered;
        let sorted = self.sort_out(batch, course)?;
        let left_out: Vec<(LeftOut, u64)> = sorted.left_out.into_iter().collect();
        let left_out_text = serde_json::to_string(&left_out).expect("counts are plain");
        let objects = sorted.tweets + sorted.users;
        if objects == 0 {
            let (id, attempt, now_ms) = (row.id, row.attempt, self.now_ms());
            let (row, next) = (row.clone(), batch.next);
            let failed = self.store().write_blocking(move |tx| -> Result<bool, StoreError> {
                follow(tx, &row, next, now_ms)?;
                tx.export_file_fail(id, attempt, NOTHING, &left_out_text, now_ms)
            })?;
            return if failed { Ok(true) } else { Err(NotMade::GivenUp) };
        }
        let mut cover = self.cover(export, row)?;
        (cover.tweets, cover.users, cover.left_out) = (sorted.tweets, sorted.users, left_out);
        let mut out = self.cabinet.begin(row.id, row.attempt)?;
        let format = Format::from_word(&export.format);
        let format = format.ok_or_else(|| NotMade::Cannot("nobody knows its format".into()))?;
        let mut kept = sorted.gone.iter();
        let mut objects_kept = gathered.objects().filter(|_| kept.next() == Some(&false));
        let mut wanted = std::iter::from_fn(|| {
            if course.is_given_up() {
                Some(Err(io::Error::other("given up")))
            } else {
                objects_kept.next()
            }
        });
        let written =
            file::write(&self.options, format, &cover, &mut wanted, &mut out, &mut |_| {});
        course.check()?;
        let extension = written?.container.extension;
        let content = &sorted.content;
        let (bytes, sha256) = self.cabinet.keep(row.id, row.attempt, &out, content)?;
        let (id, attempt, made_ms) = (row.id, row.attempt, cover.made_ms);
        let kept_until_ms = self.now_ms().saturating_add(self.rules.keep_ms);
        let (row, next) = (row.clone(), batch.next);
        let made = self.store().write_blocking(move |tx| -> Result<Option<bool>, StoreError> {
            if tx.removal_version()? != version {
                return Ok(None);
            }
            follow(tx, &row, next, made_ms)?;
            tx.export_file_made(&MadeFile {
                id,
                attempt,
                next,
                objects,
                bytes,
                sha256: &sha256,
                extension,
                left_out: &left_out_text,
                removals: version,
                made_ms,
                kept_until_ms,
            })
            .map(Some)
        })?;
        match made {
            None => Ok(false),
            Some(true) => Ok(true),
            Some(false) => Err(NotMade::GivenUp),
        }
    }

    /// Holds everything that was gathered against the removals in force.
    fn sort_out(&self, batch: &Batch, course: &Course) -> Result<Sorted, NotMade> {
        let mut sorted = Sorted { left_out: batch.left_out.clone(), ..Sorted::default() };
        let mut objects = batch.gathered.objects();
        loop {
            course.check()?;
            let some: Vec<Object> =
                objects.by_ref().take(OBJECTS_AT_ONCE).collect::<Result<_, _>>()?;
            if some.is_empty() {
                return Ok(sorted);
            }
            let names: Vec<Names> = some.iter().map(Names::of).collect();
            let known = self.cabinet.known();
            let gone = self.store().read(|tx| removed_among(tx, known, &names))?;
            for ((object, names), gone) in some.iter().zip(names).zip(&gone) {
                match (gone, object) {
                    (true, _) => *sorted.left_out.entry(LeftOut::Removed).or_default() += 1,
                    (false, Object::Tweet(_)) => sorted.tweets += 1,
                    (false, Object::User(_)) => sorted.users += 1,
                }
                if !gone {
                    sorted.content.add(names);
                }
            }
            sorted.gone.extend(gone);
        }
    }

    /// What the file says of itself, but for its counts.
    fn cover(&self, export: &ExportRow, row: &ExportFileRow) -> Result<Cover, NotMade> {
        let made_ms = self.now_ms();
        let known = self.store().read(|tx| -> Result<_, StoreError> {
            let dataset = tx.dataset_by_id(export.dataset)?;
            let person = tx.person_by_id(export.person)?;
            let mut entities = Vec::new();
            for membership in tx.memberships_of_person(export.person)? {
                let entity = tx.entity_by_id(membership.entity)?;
                entities.extend(entity.map(|entity| entity.name));
            }
            let accepted = tx.acceptances_of(export.person)?;
            Ok((dataset, person, entities, accepted, tx.removal_newest_ms()?))
        })?;
        let (dataset, person, entities, accepted, compliance_ms) = known;
        let gone = |what: &str| NotMade::Cannot(format!("its {what} is not there any more"));
        let dataset = dataset.ok_or_else(|| gone("dataset"))?;
        let person = person.ok_or_else(|| gone("person"))?;
        let selection = selection_of(export)?;
        let mut documents: Vec<String> = accepted
            .iter()
            .map(|row| format!("{} (version {})", row.document, row.version))
            .collect();
        documents.sort_unstable();
        documents.dedup();
        let profile = &self.profile;
        Ok(Cover {
            title: dataset.title,
            dataset: dataset.slug,
            release: export.release.clone(),
            selection: format!("{}; file {} of the export", selection.in_words(), row.part),
            person: format!("{} <{}>", person.name, person.mail),
            entity: entities.join(", "),
            made_ms,
            zone: "UTC".to_owned(),
            profile: profile.name.clone(),
            platform: platform(profile),
            tweets: 0,
            users: 0,
            left_out: Vec::new(),
            compliance_ms,
            terms: terms(profile, &documents),
        })
    }
}

/// Lets the next planned file begin where this one ends, or ends what is planned if nothing is
/// left.
fn follow(
    tx: &Tx<'_>,
    row: &ExportFileRow,
    next: Option<u64>,
    now_ms: i64,
) -> Result<(), StoreError> {
    match next {
        None => tx.export_files_end_after(row.export, row.part, NOTHING_LEFT, now_ms).map(drop),
        Some(next) if tx.export_file_follow(row.export, row.part + 1, next)? => Ok(()),
        // More was left out than anybody could foresee, or that part was asked for already.
        Some(next) => {
            let files = tx.export_files_of(row.export)?;
            if files.iter().any(|file| file.part > row.part) {
                return Ok(());
            }
            let another = ExportFileRow {
                part: row.part + 1,
                objects_max: row.objects_max,
                from: Some(next),
                ..ExportFileRow::planned(row.export, row.person, now_ms)
            };
            tx.export_file_insert(&another).map(drop)
        }
    }
}

/// What was gathered, held against the removals in force.
#[derive(Default)]
struct Sorted {
    /// Which of the objects are removed, in their order.
    gone: Vec<bool>,
    content: Content,
    left_out: BTreeMap<LeftOut, u64>,
    tweets: u64,
    users: u64,
}

/// What the platform of a profile is called, and where its pages are.
fn platform(profile: &Profile) -> Platform {
    let (name, permalink_base) = match profile.word.as_str() {
        "Post" => ("X", "https://x.com"),
        _ => ("Twitter", "https://twitter.com"),
    };
    let (name, permalink_base) = (name.to_owned(), permalink_base.to_owned());
    Platform { name, word: profile.word.clone(), permalink_base }
}

/// The terms under which a file is handed out, a paragraph each.
fn terms(profile: &Profile, documents: &[String]) -> Vec<String> {
    let word = &profile.word;
    let max = separated(profile.objects_per_person_max);
    let mut terms = vec![
        format!(
            "Handed out to one person, by hand, as a part of at most {max} public {word} and User \
             objects a day (profile {}). It is not to be passed on: third parties may have the IDs \
             only.",
            profile.name
        ),
        format!(
            "What its author or the platform deletes, withholds or protects has to go from every \
             copy of this file within 24 hours. A {word} is shown whole and unaltered, with its \
             author, its time and the link to it."
        ),
    ];
    if !documents.is_empty() {
        terms.push(format!("Accepted: {}.", documents.join(", ")));
    }
    terms
}
