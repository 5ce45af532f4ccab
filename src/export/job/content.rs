//! What is in a file, for removals: of each object the IDs whose removal it must not survive. The
//! list stands beside a file that is kept, and stays as long as somebody may have copies of it.

use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

use crate::base::gaps::united;
use crate::base::ids::{Id, IdKind};
use crate::export::object::Object;
use crate::removal::Known;
use crate::store::{StoreError, Tx};

/// The IDs whose removal an object must not survive: of Tweets itself and what it repeats, of users
/// who wrote these. 0 is nobody's ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Names {
    tweets: [u64; 2],
    users: [u64; 2],
}

/// The bytes of an object in the list.
const NAMES_BYTES: usize = 4 * size_of::<u64>();

impl Names {
    pub(super) fn of(object: &Object) -> Names {
        match object {
            Object::User(user) => Names { tweets: [0, 0], users: [user.id.value(), 0] },
            Object::Tweet(tweet) => {
                let original = tweet.retweet_of.as_ref();
                let repeated = original.map_or(0, |original| original.id.value());
                let repeated_of = original.map_or(0, |original| original.author.id.value());
                Names {
                    tweets: [tweet.id.value(), repeated],
                    users: [tweet.author.id.value(), repeated_of],
                }
            }
        }
    }
}

/// Which objects are removed, in their order, within a look.
///
/// # Errors
/// [`StoreError`] of the look.
pub(super) fn removed_among(
    tx: &Tx<'_>,
    known: &Known,
    objects: &[Names],
) -> Result<Vec<bool>, StoreError> {
    let tweets: Vec<u64> = objects.iter().flat_map(|names| names.tweets).collect();
    let users: Vec<u64> = objects.iter().flat_map(|names| names.users).collect();
    let tweets = known.removed_in(tx, IdKind::Tweet, &tweets)?;
    let users = known.removed_in(tx, IdKind::User, &users)?;
    let (tweets, users) = (tweets.chunks(2), users.chunks(2));
    Ok(tweets.zip(users).map(|(tweets, users)| [tweets, users].concat().contains(&true)).collect())
}

/// What is in a file, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Content(Vec<Names>);

impl Content {
    /// Adds the next object.
    pub(super) fn add(&mut self, names: Names) {
        self.0.push(names);
    }

    /// The numbers, from 0, of the objects that are removed, within a look.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub(super) fn gone(&self, tx: &Tx<'_>, known: &Known) -> Result<Vec<Range<u64>>, StoreError> {
        let removed = removed_among(tx, known, &self.0)?;
        let numbered = (0..).zip(removed);
        let gone = numbered.filter(|(_, removed)| *removed).map(|(number, _)| number..number + 1);
        Ok(united(gone.collect()))
    }

    /// Writes the list to a new file at `path`.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let numbers = self.0.iter().flat_map(|names| [names.tweets, names.users].concat());
        let mut bytes = Vec::with_capacity(size_of::<u64>() + NAMES_BYTES * self.0.len());
        bytes.extend((self.0.len() as u64).to_le_bytes());
        bytes.extend(numbers.flat_map(u64::to_le_bytes));
        let mut file = super::cabinet::new_file(path)?;
        file.write_all(&bytes)?;
        file.sync_all()
    }

    /// Reads what [`Content::write`] wrote.
    pub(super) fn read(path: &Path) -> io::Result<Content> {
        let bytes = fs::read(path)?;
        let (numbers, rest) = bytes.as_chunks::<8>();
        let numbers: Vec<u64> = numbers.iter().map(|number| u64::from_le_bytes(*number)).collect();
        let (objects, cut) = numbers.get(1..).unwrap_or_default().as_chunks::<4>();
        // A list that was cut would say "clean" of what is missing.
        if !(rest.is_empty() && cut.is_empty()) || numbers.first() != Some(&(objects.len() as u64))
        {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the list is damaged"));
        }
        let names = |&[tweet, repeated, user, repeated_of]: &[u64; 4]| Names {
            tweets: [tweet, repeated],
            users: [user, repeated_of],
        };
        Ok(Content(objects.iter().map(names).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_what_is_in_a_file_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("1.1.ids");
        let tweet = Names { tweets: [9, 3], users: [7, 8] };
        let content = Content(vec![tweet, Names { tweets: [0, 0], users: [9, 0] }]);
        content.write(&path).unwrap();
        assert_eq!(Content::read(&path).unwrap(), content);
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            Content::read(&path).unwrap_err();
        }
    }
}
