//! IDs that must not be handed out although they were found: who knows them, and how they leave a
//! batch. Why they must not is not known here.

use std::fmt;
use std::io;

use super::extract::Deleted;
use super::found::Found;
use crate::base::ids::{Id, IdKind};

/// Knows which IDs must not be handed out.
pub trait Removed: fmt::Debug + Send + Sync {
    /// Sets in `gone` what must not be handed out: for each of `ids`, with its author where the
    /// record of a Tweet tells one.
    ///
    /// # Errors
    /// What the system said: then nobody knows, and nothing goes out.
    fn mark(
        &self,
        kind: IdKind,
        ids: &[u64],
        authors: &[Option<u64>],
        gone: &mut [bool],
    ) -> io::Result<()>;
}

/// Takes removed IDs out of batches; its lists are used again for each.
#[derive(Default)]
pub(super) struct Strike {
    ids: Vec<u64>,
    authors: Vec<Option<u64>>,
    gone: Vec<bool>,
}

impl Strike {
    /// Takes out of `found` what is removed, and returns how much that was. Deletes that came
    /// among them keep their places.
    pub(super) fn out<I: Id>(
        &mut self,
        removed: &dyn Removed,
        found: &mut Vec<Found<I>>,
        deleted: &mut [Deleted],
    ) -> io::Result<u64> {
        if found.is_empty() {
            return Ok(0);
        }
        self.ids.clear();
        self.ids.extend(found.iter().map(|row| row.id.value()));
        self.authors.clear();
        self.authors.extend(found.iter().map(|row| row.author.map(Id::value)));
        self.gone.clear();
        self.gone.resize(found.len(), false);
        removed.mark(I::KIND, &self.ids, &self.authors, &mut self.gone)?;
        let count = self.gone.iter().filter(|gone| **gone).count();
        if count > 0 {
            let gone = &self.gone;
            for notice in deleted.iter_mut().filter(|notice| notice.kind == I::KIND) {
                notice.after -= gone[..notice.after].iter().filter(|gone| **gone).count();
            }
            let mut gone = self.gone.iter();
            found.retain(|_| gone.next() == Some(&false));
        }
        Ok(count as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::TweetId;

    /// Removes every ID that 3 divides.
    #[derive(Debug)]
    struct Thirds;

    impl Removed for Thirds {
        fn mark(
            &self,
            _: IdKind,
            ids: &[u64],
            _: &[Option<u64>],
            gone: &mut [bool],
        ) -> io::Result<()> {
            gone.iter_mut().zip(ids).for_each(|(gone, id)| *gone = id % 3 == 0);
            Ok(())
        }
    }

    #[test]
    fn a_delete_stays_between_the_ids_between_which_it_came() {
        let row = |id| Found {
            id: TweetId::from_value(id).unwrap(),
            author: None,
            place: crate::pipeline::Place::default(),
        };
        let mut found: Vec<Found<TweetId>> = (1..=7).map(row).collect();
        let notice = |kind, after| Deleted { kind, id: 1, after };
        let mut deleted = [
            notice(IdKind::Tweet, 0),
            notice(IdKind::Tweet, 3),
            notice(IdKind::Dm, 6),
            notice(IdKind::Tweet, 7),
        ];
        assert_eq!(Strike::default().out(&Thirds, &mut found, &mut deleted).unwrap(), 2);
        let left: Vec<u64> = found.iter().map(|row| row.id.value()).collect();
        assert_eq!(left, [1, 2, 4, 5, 7]);
        assert_eq!(deleted.map(|notice| notice.after), [0, 2, 6, 5]);
    }
}
