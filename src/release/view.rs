//! A view of a column: its lines without those that are left out, byte for byte as they are sent.
//! Which are left out is told by its gaps; why, and since when, is not known here.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::column::Column;
use super::open::Release;
use crate::base::gaps::Gaps;
use crate::base::ids::IdKind;
use crate::ledger::{Chunk, Granted};

/// A column of a release without what is left out of it. Clones share it.
#[derive(Clone, Debug)]
pub struct View {
    release: Arc<Release>,
    kind: IdKind,
    gaps: Arc<Gaps>,
}

impl View {
    /// The IDs of `kind` of a release without `gaps`; `None` if the release has no such column.
    pub fn of(release: Arc<Release>, kind: IdKind, gaps: Arc<Gaps>) -> Option<View> {
        release.column(kind)?;
        Some(View { release, kind, gaps })
    }

    /// The column that it is a view of.
    pub fn column(&self) -> &Column {
        self.release.column(self.kind).expect("a view is of a column that is there")
    }

    /// The release.
    pub fn release(&self) -> &Arc<str> {
        self.release.id()
    }

    /// What is left out.
    pub fn gaps(&self) -> &Arc<Gaps> {
        &self.gaps
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> u64 {
        self.column().bytes() - self.gaps.bytes()
    }

    /// Where the line of an ordinal begins, or would begin if it were not left out; for
    /// `ordinal == column().ids()` where the view ends.
    ///
    /// # Errors
    /// As [`Column::byte_of`].
    ///
    /// # Panics
    /// For an ordinal beyond the end.
    pub fn byte_of(&self, ordinal: u64) -> io::Result<u64> {
        Ok(self.gaps.view_byte(ordinal, self.column().byte_of(ordinal)?))
    }

    /// The ordinal of the ID whose line holds that byte of the view.
    ///
    /// # Errors
    /// As [`Column::byte_of`].
    ///
    /// # Panics
    /// For a byte beyond the end.
    pub fn ordinal_at(&self, byte: u64) -> io::Result<u64> {
        self.column().ordinal_at(self.gaps.column_byte(byte))
    }

    /// Reads bytes of what was granted, from byte `at_byte` of the view on, and returns how many.
    /// It stops at the end of the grant; 0 means that nothing is left of it.
    ///
    /// # Errors
    /// As [`Column::byte_of`].
    ///
    /// # Panics
    /// If the grant is for another view, or does not reach `at_byte`: only our bug asks for what
    /// was not charged.
    pub fn read(
        &self,
        granted: &Granted<Chunk>,
        at_byte: u64,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        self.read_chunk(granted.chunk(), at_byte, buffer)
    }

    fn read_chunk(&self, chunk: &Chunk, at_byte: u64, buffer: &mut [u8]) -> io::Result<usize> {
        assert_eq!(
            (chunk.gaps.version(), chunk.gaps.name()),
            (self.gaps.version(), self.gaps.name()),
            "a grant for one view was shown to another"
        );
        if self.gaps.is_empty() {
            return self.column().read_chunk(chunk, at_byte, buffer);
        }
        let end = self.column().byte_of(chunk.ordinals.end)?;
        let mut filled = 0;
        while filled < buffer.len() {
            let at = at_byte + filled as u64;
            let stretch = self.gaps.stretch_from(at);
            let room = buffer.len() - filled;
            let length = usize::try_from(stretch.end - stretch.start).unwrap_or(usize::MAX);
            let part = &mut buffer[filled..filled + length.min(room)];
            // Behind the grant's last line may lie a gap, and behind that what was not granted.
            if stretch.start >= end {
                break;
            }
            let read = self.column().read_chunk(chunk, stretch.start, part)?;
            filled += read;
            if read < length.min(room) {
                break;
            }
        }
        Ok(filled)
    }

    /// The IDs with those ordinals that are not left out, as numbers, for the ledger: it charges
    /// an ID that counts once by what it is. What is read here is never sent.
    ///
    /// # Errors
    /// As [`Column::byte_of`].
    ///
    /// # Panics
    /// For ordinals beyond the end.
    pub fn values_for_ledger(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
        let first = ordinals.start;
        let values = self.column().values_for_ledger(ordinals)?;
        if self.gaps.is_empty() {
            return Ok(values);
        }
        let kept = (first..).zip(values).filter(|(ordinal, _)| !self.gaps.holds(*ordinal));
        Ok(kept.map(|(_, value)| value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::gaps::Gathering;
    use crate::ledger::Content;
    use crate::pipeline::{Damage, KindSet, Scope, Unwatched};
    use crate::release::{Objects, Spec, build};

    /// A release of these IDs, and the view of it without every ordinal that `gone` names.
    fn view_without(ids: &[u64], gone: &[u64]) -> (tempfile::TempDir, View) {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list.txt");
        let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
        std::fs::write(&list, text).unwrap();
        let kinds = KindSet::only(IdKind::Tweet);
        let (scope, damage, objects) = (Scope::Own, Damage::Refuse, Objects::AsTheyLie);
        let spec = Spec { ids: kinds, scope, damage, objects, now_ms: 1 };
        let releases = folder.path().join("releases");
        std::fs::create_dir(&releases).unwrap();
        let release = build(&[list], &spec, &releases, &Unwatched).unwrap().release;
        let (mut gathering, mut at) = (Gathering::default(), 0);
        for (ordinal, id) in (0..).zip(ids) {
            let bytes = id.to_string().len() as u64 + 1;
            if gone.contains(&ordinal) {
                gathering.push(ordinal, at, bytes);
            }
            at += bytes;
        }
        let gaps = Arc::new(Gaps::of(3, gathering.runs()));
        (folder, View::of(release, IdKind::Tweet, gaps).unwrap())
    }

    fn chunk(view: &View, ordinals: Range<u64>) -> Chunk {
        let content = Content::Release(Arc::clone(view.release()));
        Chunk { kind: IdKind::Tweet, content, ordinals, gaps: Arc::clone(view.gaps()) }
    }

    /// All bytes of a chunk, read in pieces of that size.
    fn read(view: &View, ordinals: Range<u64>, piece_bytes: usize) -> Vec<u8> {
        let mut at = view.byte_of(ordinals.start).unwrap();
        let (chunk, mut bytes) = (chunk(view, ordinals), Vec::new());
        loop {
            let mut buffer = vec![0; piece_bytes];
            let length = view.read_chunk(&chunk, at, &mut buffer).unwrap();
            if length == 0 {
                return bytes;
            }
            bytes.extend_from_slice(&buffer[..length]);
            at += length as u64;
        }
    }

    #[test]
    fn a_view_is_its_lines_without_the_removed_ones_for_every_part_and_piece() {
        // Lines of different lengths, as IDs of different years have.
        let ids: Vec<u64> = (0..12).map(|n| 10_u64.pow(n % 5) + u64::from(n)).collect();
        for gone in [&[][..], &[0], &[11], &[0, 1, 5, 6, 7, 11], &[2, 4, 6, 8], &[3]] {
            let (_folder, view) = view_without(&ids, gone);
            for (from, to) in (0..12).flat_map(|from| (from..=12).map(move |to| (from, to))) {
                let lines = (from..to).filter(|ordinal| !gone.contains(ordinal));
                let text: String = lines.map(|n| format!("{}\n", ids[n as usize])).collect();
                let (start, end) = (view.byte_of(from).unwrap(), view.byte_of(to).unwrap());
                assert_eq!(end - start, text.len() as u64, "{gone:?} {from}..{to}");
                if text.is_empty() {
                    continue;
                }
                for piece_bytes in [1, 3, 1_000] {
                    let read = read(&view, from..to, piece_bytes);
                    assert_eq!(String::from_utf8(read).unwrap(), text, "{gone:?} {from}..{to}");
                }
                let values = view.values_for_ledger(from..to).unwrap();
                assert_eq!(values.len(), text.lines().count());
            }
            let kept = (0..12).filter(|ordinal| !gone.contains(ordinal));
            let starts = kept.map(|ordinal| (ordinal, view.byte_of(ordinal).unwrap()));
            for (ordinal, byte) in starts {
                assert_eq!(view.ordinal_at(byte).unwrap(), ordinal);
            }
        }
    }

    #[test]
    fn a_grant_for_one_view_is_no_right_to_another() {
        let (_folder, view) = view_without(&[20, 21, 22], &[1]);
        let other = Chunk { gaps: Gaps::none(), ..chunk(&view, 0..3) };
        let read = std::panic::AssertUnwindSafe(|| view.read_chunk(&other, 0, &mut [0; 8]));
        assert!(std::panic::catch_unwind(read).is_err());
        // Behind a gap at the end of the grant lies what nobody was charged for.
        assert_eq!(read_all(&view, 0..2), b"20\n");
    }

    fn read_all(view: &View, ordinals: Range<u64>) -> Vec<u8> {
        read(view, ordinals, 64)
    }
}
