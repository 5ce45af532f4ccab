//! What a request selects of a release: a stretch of a view of one column, as a representation with
//! its length and tag. Who may have it, and what is charged, is not decided here.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::ids::Part;
use crate::base::gaps::Gaps;
use crate::base::ids::IdKind;
use crate::deliver::Stretch;
use crate::http::problem::{self, Problem};
use crate::http::range::EntityTag;
use crate::release::View;

/// A representation: a stretch of a view, with its tag.
#[derive(Clone)]
pub(in crate::http) struct Selection {
    pub(in crate::http) view: View,
    pub(in crate::http) ordinals: Range<u64>,
    /// The bytes of the view.
    pub(in crate::http) bytes: Range<u64>,
    pub(in crate::http) tag: EntityTag,
}

/// Where a download of an earlier view goes on.
pub(in crate::http) struct Resumed {
    /// The ordinal of the first ID that is not whole in what there is of it.
    pub(in crate::http) offset: u64,
    /// How many bytes of it are whole lines.
    pub(in crate::http) keep_bytes: Option<u64>,
}

impl Selection {
    /// Cuts what is selected out of a view. Reads the disk.
    pub(in crate::http) fn cut(view: View, query: &Part) -> Result<Selection, Problem> {
        let ids = view.column().ids();
        let offset = query.offset.unwrap_or(0);
        if offset > ids || query.limit == Some(0) {
            let detail =
                format!("offset must be at most {ids}, the number of IDs, and limit at least 1");
            return Err(Problem::new(&problem::BAD_REQUEST, detail));
        }
        let end = query.limit.map_or(ids, |limit| offset.saturating_add(limit).min(ids));
        let place = |ordinal| view.byte_of(ordinal).map_err(|error| Problem::internal(&error));
        let bytes = place(offset)?..place(end)?;
        let tag = tag(view.release(), view.column().kind(), view.gaps(), &(offset..end));
        Ok(Selection { ordinals: offset..end, bytes, tag, view })
    }

    pub(in crate::http) fn length(&self) -> u64 {
        self.bytes.end - self.bytes.start
    }

    /// Whether it is every line of the column, so that the column's digest is its own.
    pub(in crate::http) fn is_whole_column(&self) -> bool {
        self.ordinals == (0..self.view.column().ids()) && self.view.gaps().is_empty()
    }

    /// The stretch that carries the bytes `from..until` of the representation: rounded outwards
    /// to whole IDs, each of which is charged. Reads the disk.
    pub(in crate::http) fn stretch(&self, from: u64, until: u64) -> io::Result<Stretch> {
        let bytes = self.bytes.start + from..self.bytes.start + until;
        let ordinals = if bytes == self.bytes {
            self.ordinals.clone()
        } else {
            let view = &self.view;
            view.ordinal_at(bytes.start)?..view.ordinal_at(bytes.end - 1)? + 1
        };
        Ok(Stretch { view: self.view.clone(), ordinals, bytes })
    }

    /// Where somebody goes on who has the first `has_bytes` of the same selection of the view that
    /// left out `then`; `None` if it was shorter. Reads the disk.
    pub(in crate::http) fn resumed(
        &self,
        then: Gaps,
        has_bytes: u64,
    ) -> io::Result<Option<Resumed>> {
        let begin =
            then.view_byte(self.ordinals.start, self.view.column().byte_of(self.ordinals.start)?);
        let at = then.column_byte(begin + has_bytes);
        if at >= self.view.column().bytes() {
            return Ok(None);
        }
        let offset = self.view.column().ordinal_at(at)?;
        let line = then.view_byte(offset, self.view.column().byte_of(offset)?);
        Ok(Some(Resumed { offset, keep_bytes: Some(line - begin) }))
    }
}

/// The tag of a selection: of what is named and left out, not of what is in it, so that it tells
/// nothing. Views that leave out the same have the same, whenever they came into force.
fn tag(release: &Arc<str>, kind: IdKind, gaps: &Gaps, ordinals: &Range<u64>) -> EntityTag {
    let mut named = format!("{release}/{kind}/{}/{}", ordinals.start, ordinals.end);
    if !gaps.is_empty() {
        named += &format!("/{}", gaps.name());
    }
    let digest = Sha256::digest(named);
    EntityTag::new(digest[..16].iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::gaps::Run;

    #[test]
    fn a_tag_names_the_view_and_the_selection() {
        let (none, run) =
            (Gaps::none(), |first| Run { first, ids: 1, byte: 20 * first, bytes: 20 });
        let (one, other) = (Gaps::of(1, [run(3)]), Gaps::of(1, [run(4)]));
        let tags = [
            tag(&"r1".into(), IdKind::Tweet, &none, &(0..10)),
            tag(&"r2".into(), IdKind::Tweet, &none, &(0..10)),
            tag(&"r1".into(), IdKind::User, &none, &(0..10)),
            tag(&"r1".into(), IdKind::Tweet, &none, &(1..10)),
            tag(&"r1".into(), IdKind::Tweet, &none, &(0..9)),
            tag(&"r1".into(), IdKind::Tweet, &one, &(0..10)),
            tag(&"r1".into(), IdKind::Tweet, &other, &(0..10)),
        ];
        let all: Vec<_> = tags.iter().map(EntityTag::quoted).collect();
        for (n, one) in all.iter().enumerate() {
            assert!(!all[n + 1..].contains(one), "{one}");
        }
        let again = tag(&"r1".into(), IdKind::Tweet, &Gaps::of(9, [run(3)]), &(0..10));
        assert_eq!(again.quoted(), tags[5].quoted(), "the same bytes at another time");
    }
}
