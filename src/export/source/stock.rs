//! The sources of a release as objects are read from them: whether it has any records, how each
//! source is read at a place, and whether it is as it was.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroU64;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{Advice, fadvise};

use super::GatherError;
use super::record::FORMS;
use crate::base::ids::IdKind;
use crate::pipeline::{BlockReader, Blocks, Place, Replay};
use crate::release::{Authors, Column, Places, Release, ReleaseError, SourceEntry};

/// The mark that some texts begin with, which places do not count.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// How far apart two records may lie for one read to fetch both.
const NEAR_BYTES: u64 = 16 << 10;

/// How many bytes one read fetches at most, a longer record apart.
const READ_BYTES_MAX: u64 = 1 << 20;

/// How many records the disk is told of before they are read: as many as it can work on at once.
const ANNOUNCED: usize = 64;

/// Where the objects of a dataset come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// From the operator's own records.
    Own,
    /// There are bare IDs only: from the platform.
    Upstream,
}

/// A release with its sources.
#[derive(Debug)]
pub struct Stock {
    release: Arc<Release>,
    authors: Option<Authors>,
    pub(super) sources: Vec<Origin>,
}

/// A source, as it is found now.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) path: PathBuf,
    /// Whether it is there, and is as it was when the release was built.
    pub(super) is_as_built: bool,
    pub(super) way: Way,
}

/// How a record is read at its place.
#[derive(Debug)]
pub(super) enum Way {
    /// It stands in the file as it is, so many bytes behind its place.
    Plain { file: File, mark_bytes: u64 },
    /// It stands in blocks of this file, which has them for that.
    Blocks { file: File, blocks: Blocks, mark_bytes: u64 },
    /// The source has to be decoded from its beginning.
    Pass,
    /// The source is not there.
    Gone,
}

impl Stock {
    /// Finds the sources of a release.
    ///
    /// # Errors
    /// [`GatherError::Release`] if a private column of it is damaged. A source that is gone or
    /// changed is no error: its records are left out.
    pub fn open(release: Arc<Release>) -> Result<Stock, GatherError> {
        let authors = release.authors()?;
        let manifest = release.manifest();
        let encodings = |index: usize| &manifest.report["sources"][index]["encodings"];
        let sources = manifest.sources.iter().enumerate();
        let sources = sources
            .map(|(index, entry)| {
                let packed = encodings(index).as_array().is_none_or(|list| !list.is_empty());
                Origin::find(entry, packed, release.blocks(index)?)
            })
            .collect::<Result<_, ReleaseError>>()?;
        Ok(Stock { release, authors, sources })
    }

    /// The release.
    pub fn release(&self) -> &Arc<Release> {
        &self.release
    }

    /// Where objects of this release come from.
    pub fn supply(&self) -> Supply {
        let sources = self.release.manifest().report["sources"].as_array();
        let mut formats =
            sources.into_iter().flatten().filter_map(|one| one["formats"].as_object());
        let is_own = formats.any(|formats| formats.keys().any(|one| FORMS.contains(&one.as_str())));
        if is_own { Supply::Own } else { Supply::Upstream }
    }

    pub(super) fn column(&self, kind: IdKind) -> Result<&Column, GatherError> {
        self.release
            .column(kind)
            .ok_or_else(|| GatherError::Unfit(format!("the dataset has no {} IDs", kind.title())))
    }

    pub(super) fn authors(&self) -> Option<&Authors> {
        self.authors.as_ref()
    }

    pub(super) fn places(&self, kind: IdKind) -> Result<Option<Places>, GatherError> {
        Ok(self.release.places(kind)?)
    }

    /// The sources that are not as they were when the release was built.
    pub(super) fn changed(&self) -> Vec<PathBuf> {
        let changed = self.sources.iter().filter(|source| !source.is_as_built);
        changed.map(|source| source.path.clone()).collect()
    }
}

impl Origin {
    fn find(
        entry: &SourceEntry,
        packed: bool,
        blocks: Option<(PathBuf, Blocks)>,
    ) -> Result<Origin, ReleaseError> {
        let path = PathBuf::from(&entry.name);
        if let Some((copy, blocks)) = blocks.as_ref().filter(|(copy, _)| *copy != path) {
            // A copy of ours stands by itself: what became of the source does not matter.
            let file = File::open(copy).map_err(ReleaseError::io(copy))?;
            let way = Way::Blocks { file, blocks: blocks.clone(), mark_bytes: 0 };
            return Ok(Origin { path, is_as_built: true, way });
        }
        let found = File::open(&path).and_then(|file| Ok((file.metadata()?, file)));
        let Ok((about, file)) = found else {
            return Ok(Origin { path, is_as_built: false, way: Way::Gone });
        };
        let modified_ms = about.mtime() * 1_000 + about.mtime_nsec() / 1_000_000;
        let is_as_built = (about.len(), modified_ms) == (entry.bytes, entry.modified_ms);
        let mark = |head: &[u8]| if head == MARK { MARK.len() as u64 } else { 0 };
        let mut head = Vec::new();
        let way = match blocks {
            Some((_, blocks)) => {
                let read = BlockReader::new(&file, &blocks).read(0, MARK.len(), &mut head);
                let mark_bytes = read.map_or(0, |()| mark(&head));
                Way::Blocks { file, blocks, mark_bytes }
            }
            None if packed => Way::Pass,
            None => {
                head.resize(MARK.len(), 0);
                let read = file.read_exact_at(&mut head, 0);
                let mark_bytes = read.map_or(0, |()| mark(&head));
                Way::Plain { file, mark_bytes }
            }
        };
        Ok(Origin { path, is_as_built, way })
    }
}

/// Reads records of one plain source at ascending places; what does not lie there is `None`.
pub(super) fn read_plain(
    file: &File,
    mark_bytes: u64,
    places: &[Place],
    mut take: impl FnMut(usize, Option<&[u8]>),
) {
    let mut bytes = Vec::new();
    let (mut at, mut announced) = (0, 0);
    while at < places.len() {
        for place in &places[announced..places.len().min(at + ANNOUNCED)] {
            announce(file, place.offset + mark_bytes, place.length);
            announced += 1;
        }
        let begin = places[at].offset;
        let mut end = begin + u64::from(places[at].length);
        let mut count = 1;
        while let Some(next) = places.get(at + count) {
            let next_end = next.offset + u64::from(next.length);
            if next.offset > end + NEAR_BYTES || next_end > begin + READ_BYTES_MAX {
                break;
            }
            end = end.max(next_end);
            count += 1;
        }
        bytes.resize((end - begin) as usize, 0);
        let filled = read_up_to(file, &mut bytes, begin + mark_bytes).unwrap_or(0);
        for (index, place) in places.iter().enumerate().skip(at).take(count) {
            let from = (place.offset - begin) as usize;
            take(index, bytes[..filled].get(from..from + place.length as usize));
        }
        at += count;
    }
}

/// Lets the disk begin to fetch what is read soon. A system that does not heed it reads later.
fn announce(file: &File, at: u64, bytes: u32) {
    if let Some(bytes) = NonZeroU64::new(bytes.into()) {
        let _ = fadvise(file, at, Some(bytes), Advice::WillNeed);
    }
}

/// Fills the buffer as far as the file reaches.
fn read_up_to(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A source that is decoded from its beginning, once, while places ascend.
pub(super) struct Pass {
    decoded: Replay,
    /// How far it is decoded.
    at: u64,
    /// The record that was read last, whose place may come again.
    last: (u64, Vec<u8>),
}

impl Pass {
    pub(super) fn begin(path: PathBuf) -> io::Result<Pass> {
        Ok(Pass { decoded: Replay::open(path)?, at: 0, last: (0, Vec::new()) })
    }

    /// The record at a place, if the source reaches so far and is whole up to there.
    pub(super) fn read(&mut self, place: Place) -> Option<&[u8]> {
        let length = place.length as usize;
        if place.offset < self.at {
            return (self.last.0 == place.offset && self.last.1.len() == length)
                .then_some(&self.last.1[..]);
        }
        let skip = place.offset - self.at;
        let skipped = io::copy(&mut (&mut self.decoded).take(skip), &mut io::sink()).ok()?;
        self.at += skipped;
        if skipped < skip {
            return None;
        }
        self.last.1.clear();
        let wanted = length as u64;
        (&mut self.decoded).take(wanted).read_to_end(&mut self.last.1).ok()?;
        self.last.0 = self.at;
        self.at += self.last.1.len() as u64;
        (self.last.1.len() == length).then_some(&self.last.1[..])
    }
}
