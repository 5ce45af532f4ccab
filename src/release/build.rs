//! Building a release: strips the sources into a draft and publishes it when it is whole.
//! How a draft becomes a release in one step is told in `draft.rs`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::blocks;
use super::draft::{Draft, Published};
use super::error::ReleaseError;
use super::manifest::{FORMAT, MANIFEST_NAME, Manifest, Private, SourceEntry};
use super::open::Release;
use super::verify::digest_of;
use super::writer::{ColumnWriter, PrivateWriter};
use crate::base::ids::{DmId, Id, IdKind, TweetId, UserId};
use crate::pipeline::{
    Columns, Damage, Found, KindSet, Outlet, Scope, Source, Strip, Tally, Watch, cores,
};

/// What a release is to hold.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Which kinds of IDs; one column each.
    pub ids: KindSet,
    /// How far the IDs are looked for.
    pub scope: Scope,
    /// Whether the first damaged record ends the build.
    pub damage: Damage,
    /// Whether the sources are made ready for objects.
    pub objects: Objects,
    /// The time that `release.json` names, in milliseconds UTC.
    pub now_ms: i64,
}

/// Whether the records of sources can be read at once wherever they lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Objects {
    /// As the sources happen to be: plain files can.
    #[default]
    AsTheyLie,
    /// All can: blocks of packed sources are found, and what has none is packed anew.
    AtHand,
}

/// What was built.
#[derive(Debug)]
pub struct Built {
    /// The release, open for reading.
    pub release: std::sync::Arc<Release>,
    /// The report of the strip.
    pub tally: Tally,
    /// Whether a release of the same content was there already, and was kept.
    pub reused: bool,
}

/// Strips `sources` into a release in the folder `releases`.
///
/// Nothing is visible before everything is on the disk. The sources are read a second time, beside
/// the strip, for their SHA-256.
///
/// # Errors
/// [`ReleaseError::Source`] for a source that is no file or that changed meanwhile,
/// [`ReleaseError::Pipeline`] if they cannot be stripped, [`ReleaseError::NoIds`] if that gave
/// nothing, otherwise what the disk refused.
pub fn build(
    sources: &[PathBuf],
    spec: &Spec,
    releases: &Path,
    watch: &dyn Watch,
) -> Result<Built, ReleaseError> {
    assert!(!spec.ids.is_empty(), "a release has at least one column");
    let given = sources;
    let sources: Vec<PathBuf> =
        sources.iter().map(|path| whole_path(path)).collect::<Result<_, _>>()?;
    let draft = Draft::begin(releases)?;
    let mut columns =
        Writers::create(draft.path(), spec.ids).map_err(ReleaseError::io(draft.path()))?;
    let (entries, tally) = std::thread::scope(|scope| {
        let digests = scope.spawn(|| describe(&sources));
        let tally = strip(&sources, spec, draft.path(), &mut columns, watch);
        let entries = digests.join().expect("computing a digest does not panic");
        Ok::<_, ReleaseError>((entries?, tally?))
    })?;
    let mut entries = entries;
    check_unchanged(&sources, &entries)?;
    if tally.ids.iter().all(|(_, ids)| ids.found == 0) {
        let names: Vec<String> = given.iter().map(|path| path.display().to_string()).collect();
        return Err(ReleaseError::NoIds { sources: names.join(", "), tally: Box::new(tally) });
    }
    if spec.objects == Objects::AtHand {
        let tallies = &tally.sources;
        for (number, (entry, tally)) in entries.iter_mut().zip(tallies).enumerate() {
            blocks::find(draft.path(), number, entry, &tally.encodings)?;
        }
        check_unchanged(&sources, &entries)?;
    }
    let manifest = columns.finish(draft.path(), spec, entries, &tally)?;
    let id = manifest.release;
    let reused = draft.publish(&id, spec.objects)? == Published::Reused;
    Ok(Built { release: Release::open(&releases.join(&id))?, tally, reused })
}

fn strip(
    sources: &[PathBuf],
    spec: &Spec,
    spool_folder: &Path,
    outlet: &mut dyn Outlet,
    watch: &dyn Watch,
) -> Result<Tally, ReleaseError> {
    let sources: Vec<Source> = sources.iter().cloned().map(Source::File).collect();
    let strip = Strip {
        scope: spec.scope,
        damage: spec.damage,
        columns: Columns::WithPlaces,
        spool_folder: spool_folder.to_owned(),
        threads: cores(),
        ..Strip::of(spec.ids)
    };
    Ok(strip.run(&sources, outlet, watch)?)
}

/// The path by which the source is found from any folder.
fn whole_path(path: &Path) -> Result<PathBuf, ReleaseError> {
    let refused = |what: &str| ReleaseError::Source { path: path.to_owned(), what: what.into() };
    if path == Path::new("-") {
        return Err(refused(
            "a release says what it was built from, so standard input cannot be one; \
             name a file, or use `hydrant strip`",
        ));
    }
    let whole = fs::canonicalize(path).map_err(ReleaseError::io(path))?;
    if !whole.is_file() {
        return Err(refused("is no file; name the files that hold the records"));
    }
    Ok(whole)
}

fn describe(sources: &[PathBuf]) -> Result<Vec<SourceEntry>, ReleaseError> {
    sources.iter().map(|path| describe_one(path).map_err(ReleaseError::io(path))).collect()
}

fn describe_one(path: &Path) -> io::Result<SourceEntry> {
    let mut file = File::open(path)?;
    let modified_ms = modified_ms(&file.metadata()?)?;
    let (bytes, sha256) = digest_of(&mut file)?;
    let name = path.display().to_string();
    Ok(SourceEntry { name, bytes, sha256, modified_ms, blocks: None })
}

fn modified_ms(file: &fs::Metadata) -> io::Result<i64> {
    let since_epoch = file.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// A source that grows while it is read would be described by a digest of other bytes than those
/// that were stripped.
fn check_unchanged(sources: &[PathBuf], entries: &[SourceEntry]) -> Result<(), ReleaseError> {
    for (path, entry) in sources.iter().zip(entries) {
        let file = fs::metadata(path).map_err(ReleaseError::io(path))?;
        let modified_ms = modified_ms(&file).map_err(ReleaseError::io(path))?;
        if (file.len(), modified_ms) != (entry.bytes, entry.modified_ms) {
            let what = "was changed while it was read; try again when nothing writes to it";
            return Err(ReleaseError::Source { path: path.clone(), what: what.into() });
        }
    }
    Ok(())
}

/// Writes all columns of a release.
struct Writers {
    columns: Vec<ColumnWriter>,
    authors: Option<PrivateWriter>,
    places: Vec<PrivateWriter>,
}

impl Writers {
    fn create(folder: &Path, ids: KindSet) -> io::Result<Writers> {
        let mut writers = Writers { columns: Vec::new(), authors: None, places: Vec::new() };
        for kind in ids.iter() {
            writers.columns.push(ColumnWriter::create(folder, kind)?);
            writers.places.push(PrivateWriter::create(folder, kind, Private::Places)?);
        }
        if ids.contains(IdKind::Tweet) {
            let authors = PrivateWriter::create(folder, IdKind::Tweet, Private::Authors)?;
            writers.authors = Some(authors);
        }
        Ok(writers)
    }

    fn push<I: Id>(&mut self, found: &[Found<I>]) -> io::Result<()> {
        let column = self.columns.iter_mut().zip(&mut self.places);
        let (column, places) = column
            .into_iter()
            .find(|(column, _)| column.kind() == I::KIND)
            .expect("the pipeline hands out only kinds that were asked for");
        for found in found {
            column.push(found.id)?;
            places.push_place(found.place)?;
        }
        Ok(())
    }

    /// Writes what is left, `release.json` last, and waits until all of it is on the disk.
    fn finish(
        self,
        folder: &Path,
        spec: &Spec,
        sources: Vec<SourceEntry>,
        tally: &Tally,
    ) -> Result<Manifest, ReleaseError> {
        let columns = self.columns.into_iter().map(|column| column.finish(folder));
        let columns: Vec<_> =
            columns.collect::<io::Result<_>>().map_err(ReleaseError::io(folder))?;
        let private = self.authors.into_iter().chain(self.places);
        let private: Vec<_> = private
            .filter_map(|column| column.finish(folder).transpose())
            .collect::<io::Result<_>>()
            .map_err(ReleaseError::io(folder))?;
        let report = serde_json::to_value(tally).expect("a tally has only keys that JSON knows");
        let mut manifest = Manifest {
            format: FORMAT,
            release: String::new(),
            scope: spec.scope.word().to_owned(),
            built_ms: spec.now_ms,
            columns,
            private,
            sources,
            report,
        };
        manifest.release = manifest.content_id();
        let path = folder.join(MANIFEST_NAME);
        write_manifest(&path, &manifest).map_err(ReleaseError::io(&path))?;
        Ok(manifest)
    }
}

pub(super) fn write_manifest(path: &Path, manifest: &Manifest) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(manifest)?;
    text.push(b'\n');
    let mut file = File::create_new(path)?;
    file.write_all(&text)?;
    file.sync_all()
}

impl Outlet for Writers {
    fn tweets(&mut self, found: &[Found<TweetId>]) -> io::Result<()> {
        let authors = self.authors.as_mut().expect("Tweet IDs were asked for");
        for found in found {
            authors.push_author(found.author)?;
        }
        self.push(found)
    }

    fn users(&mut self, found: &[Found<UserId>]) -> io::Result<()> {
        self.push(found)
    }

    fn dms(&mut self, found: &[Found<DmId>]) -> io::Result<()> {
        self.push(found)
    }
}
