//! What has been gathered for a file, on the disk: one record for each ordinal, so that nothing is
//! looked up twice, whatever happens to the process. What a gateway writes is read by the next.
//!
//! A record is its length, the CRC-32 of its text, and the text: JSON of an ordinal and what was
//! found there. What a dying process left behind its last whole record is cut off.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::base::ids::Id;
use crate::export::cover::LeftOut;
use crate::export::object::Object;

/// What was found at an ordinal.
pub(super) type Found = Result<Object, LeftOut>;

/// Length and checksum.
const HEAD_BYTES: usize = 8;

/// More than any object has; a longer record is damage.
const RECORD_BYTES_MAX: u32 = 16 << 20;

/// How many records are written before the disk is waited for.
const UNSYNCED_MAX: u32 = 4_096;

/// A spool that is being filled.
pub(super) struct Spool {
    out: BufWriter<File>,
    at_byte: u64,
    unsynced: u32,
    index: Index,
}

/// Where the records of a spool lie, and what they say in short.
#[derive(Default)]
pub(super) struct Index {
    /// By ordinal.
    found: BTreeMap<u64, Short>,
}

/// What one record says, in short.
#[derive(Clone, Copy)]
struct Short {
    /// The order of the file that is made: kind, then ID. `None`: there is no object.
    order: Option<(u8, u64)>,
    why: Option<LeftOut>,
    /// Where its text lies.
    at_byte: u64,
    bytes: u32,
}

impl Short {
    fn of(found: &Found, at_byte: u64, bytes: u32) -> Short {
        let order = found.as_ref().ok().map(|object| match object {
            Object::Tweet(tweet) => (0, tweet.id.value()),
            Object::User(user) => (1, user.id.value()),
        });
        Short { order, why: found.as_ref().err().copied(), at_byte, bytes }
    }
}

impl Spool {
    /// A new spool at `path`, with every whole record of an earlier one.
    pub(super) fn begin(path: &Path, earlier: Option<&Path>) -> io::Result<Spool> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(path)?;
        let out = BufWriter::with_capacity(1 << 18, file);
        let mut spool = Spool { out, at_byte: 0, unsynced: 0, index: Index::default() };
        if let Some(earlier) = earlier {
            let mut records = BufReader::with_capacity(1 << 18, File::open(earlier)?);
            while let Some((ordinal, found)) = record(&mut records)? {
                spool.put(ordinal, &found)?;
            }
            spool.sync()?;
        }
        Ok(spool)
    }

    /// The last ordinal that has been looked up: ordinals are gathered in their order.
    pub(super) fn last(&self) -> Option<u64> {
        self.index.found.last_key_value().map(|(ordinal, _)| *ordinal)
    }

    /// How many ordinals have been looked up.
    pub(super) fn ordinals(&self) -> u64 {
        self.index.found.len() as u64
    }

    /// How many objects there are.
    pub(super) fn objects(&self) -> u64 {
        self.index.found.values().filter(|short| short.order.is_some()).count() as u64
    }

    /// Why how many ordinals have no object.
    pub(super) fn left_out(&self) -> BTreeMap<LeftOut, u64> {
        let mut counts = BTreeMap::new();
        for why in self.index.found.values().filter_map(|short| short.why) {
            *counts.entry(why).or_default() += 1;
        }
        counts
    }

    /// Keeps what was found at an ordinal.
    pub(super) fn put(&mut self, ordinal: u64, found: &Found) -> io::Result<()> {
        let text = serde_json::to_vec(&(ordinal, found)).map_err(io::Error::other)?;
        let bytes = u32::try_from(text.len()).ok().filter(|bytes| *bytes <= RECORD_BYTES_MAX);
        let bytes = bytes.ok_or_else(|| io::Error::other("an object is larger than 16 MiB"))?;
        self.out.write_all(&bytes.to_le_bytes())?;
        self.out.write_all(&crc32fast::hash(&text).to_le_bytes())?;
        self.out.write_all(&text)?;
        let at_byte = self.at_byte + HEAD_BYTES as u64;
        self.index.found.insert(ordinal, Short::of(found, at_byte, bytes));
        self.at_byte = at_byte + u64::from(bytes);
        self.unsynced += 1;
        if self.unsynced >= UNSYNCED_MAX {
            self.sync()?;
        }
        Ok(())
    }

    /// Ends when everything so far is on the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_data()?;
        self.unsynced = 0;
        Ok(())
    }

    /// All of it, for reading.
    pub(super) fn finish(mut self) -> io::Result<Gathered> {
        self.sync()?;
        let Spool { out, index, .. } = self;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        let mut order: Vec<Short> = index.found.values().copied().collect();
        order.sort_unstable_by_key(|short| short.order);
        Ok(Gathered { file, shorts: order })
    }
}

/// The next whole record; `None` where there is none.
fn record(records: &mut impl Read) -> io::Result<Option<(u64, Found)>> {
    let mut head = [0; HEAD_BYTES];
    if !filled(records, &mut head)? {
        return Ok(None);
    }
    let [length, sum] = [&head[..4], &head[4..]]
        .map(|part| u32::from_le_bytes(part.try_into().expect("a head has two of four bytes")));
    if length > RECORD_BYTES_MAX {
        return Ok(None);
    }
    let mut text = vec![0; length as usize];
    if !filled(records, &mut text)? || crc32fast::hash(&text) != sum {
        return Ok(None);
    }
    Ok(serde_json::from_slice(&text).ok())
}

/// Fills `buffer`; `false` if there was less.
fn filled(records: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match records.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Everything that was gathered, in the order of a file: Tweets, then Users, each by their IDs.
pub(super) struct Gathered {
    file: File,
    shorts: Vec<Short>,
}

impl Gathered {
    /// The objects, one by one.
    pub(super) fn objects(&self) -> impl Iterator<Item = io::Result<Object>> {
        let objects = self.shorts.iter().filter(|short| short.order.is_some());
        objects.map(|short| self.object(short))
    }

    fn object(&self, short: &Short) -> io::Result<Object> {
        let mut text = vec![0; short.bytes as usize];
        self.file.read_exact_at(&mut text, short.at_byte)?;
        let (_, found): (u64, Found) = serde_json::from_slice(&text)?;
        found.map_err(|_| io::Error::other("a record of the spool has changed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::UserId;
    use crate::export::object::{UserCounts, UserObject};

    fn user(id: u64) -> Object {
        Object::User(Box::new(UserObject {
            id: UserId::from_value(id).unwrap(),
            username: format!("user_{id}"),
            name: "Ünï 🐟".into(),
            description: None,
            location: None,
            url: None,
            created_ms: None,
            counts: UserCounts::default(),
            verified: None,
        }))
    }

    fn ids(gathered: &Gathered) -> Vec<u64> {
        let id = |object: io::Result<Object>| match object.unwrap() {
            Object::User(user) => user.id.value(),
            Object::Tweet(tweet) => tweet.id.value(),
        };
        gathered.objects().map(id).collect()
    }

    #[test]
    fn objects_come_in_the_order_of_their_ids_and_what_is_left_out_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::begin(&dir.path().join("1"), None).unwrap();
        assert_eq!(spool.last(), None);
        for (ordinal, found) in
            [(0, Err(LeftOut::Protected)), (2, Ok(user(30))), (4, Ok(user(7))), (9, Ok(user(8)))]
        {
            spool.put(ordinal, &found).unwrap();
            assert_eq!(spool.last(), Some(ordinal));
        }
        assert_eq!((spool.ordinals(), spool.objects()), (4, 3));
        assert_eq!(spool.left_out(), [(LeftOut::Protected, 1)].into());
        let gathered = spool.finish().unwrap();
        assert_eq!(ids(&gathered), [7, 8, 30]);
    }

    #[test]
    fn a_successor_goes_on_behind_the_last_whole_record_wherever_it_was_cut() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("1"), dir.path().join("2"));
        let mut spool = Spool::begin(&first, None).unwrap();
        let mut ends = vec![0];
        for ordinal in 0..5 {
            spool.put(ordinal, &Ok(user(ordinal + 1))).unwrap();
            ends.push(spool.at_byte);
        }
        drop(spool.finish().unwrap());
        let whole = std::fs::read(&first).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(&first, &whole[..cut]).unwrap();
            let spool = Spool::begin(&second, Some(&first)).unwrap();
            let expected = ends[1..].iter().filter(|end| **end <= cut as u64).count() as u64;
            assert_eq!(spool.ordinals(), expected, "cut at {cut}");
        }
        let mut flipped = whole;
        let byte = ends[2] as usize + HEAD_BYTES + 3;
        flipped[byte] ^= 1;
        std::fs::write(&first, &flipped).unwrap();
        assert_eq!(Spool::begin(&second, Some(&first)).unwrap().ordinals(), 2);
    }
}
