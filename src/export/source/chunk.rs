//! A chunk of a request on its way: what is wanted with its places, and what the records there
//! give.

use std::ops::Range;

use super::record::{Holds, understand};
use super::stock::{Origin, Pass, Way, read_plain};
use crate::base::ids::{Id, IdKind, TweetId, UserId};
use crate::export::cover::LeftOut;
use crate::export::object::Object;
use crate::pipeline::{BlockReader, Place};

/// An object that is wanted, and where its record lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) ordinal: u64,
    pub(super) id: u64,
    pub(super) place: Place,
}

/// What became of one of them.
#[derive(Debug)]
pub(super) struct Came {
    pub(super) wanted: Wanted,
    pub(super) object: Result<Object, LeftOut>,
}

/// What the records of one source give; places ascend. A source that has to be decoded from its
/// beginning goes on where `pass` is.
pub(super) fn read(
    origin: &Origin,
    pass: &mut Option<Pass>,
    kind: IdKind,
    wanted: &[Wanted],
) -> Vec<Came> {
    // A page gives many objects, and is read and understood once for all of them.
    let (mut places, mut groups): (Vec<Place>, Vec<Range<usize>>) = Default::default();
    for group in wanted.chunk_by(|one, next| one.place == next.place) {
        let begin = groups.last().map_or(0, |group| group.end);
        places.push(group[0].place);
        groups.push(begin..begin + group.len());
    }
    let mut came = Vec::with_capacity(wanted.len());
    let mut take = |place: usize, record: Option<&[u8]>| {
        let record = record.filter(|record| !record.is_empty());
        let understood = record.map_or(Err(LeftOut::NotInSource), understand);
        // Where the source is another by now, nothing that lies there was ever this record.
        let understood = understood.map_err(|reason| match reason {
            LeftOut::Damaged if !origin.is_as_built => LeftOut::NotInSource,
            reason => reason,
        });
        for wanted in &wanted[groups[place].clone()] {
            let object = match &understood {
                Ok(record) => object(&**record, kind, wanted.id),
                Err(reason) => Err(*reason),
            };
            came.push(Came { wanted: *wanted, object });
        }
    };
    match &origin.way {
        Way::Plain { file, mark_bytes } => read_plain(file, *mark_bytes, &places, take),
        Way::Blocks { file, blocks, mark_bytes } => {
            let (mut reader, mut record) = (BlockReader::new(file, blocks), Vec::new());
            for (index, Place { offset, length, .. }) in places.iter().enumerate() {
                let read = reader.read(offset + mark_bytes, *length as usize, &mut record);
                take(index, read.is_ok().then_some(&record[..]));
            }
        }
        Way::Pass => {
            if pass.is_none() {
                *pass = Pass::begin(origin.path.clone()).ok();
            }
            for (index, place) in places.iter().enumerate() {
                take(index, pass.as_mut().and_then(|pass| pass.read(*place)));
            }
        }
        Way::Gone => (0..places.len()).for_each(|place| take(place, None)),
    }
    came
}

/// The object of that very ID in a record.
pub(super) fn object(record: &dyn Holds, kind: IdKind, id: u64) -> Result<Object, LeftOut> {
    let held = match kind {
        IdKind::User => {
            let user = UserId::from_value(id).ok().and_then(|id| record.user(id));
            user.map(|user| user.map(|user| Object::User(Box::new(user))))
        }
        _ => {
            let tweet = TweetId::from_value(id).ok().and_then(|id| record.tweet(id));
            tweet.map(|tweet| tweet.map(|tweet| Object::Tweet(Box::new(tweet))))
        }
    };
    held.unwrap_or(Err(LeftOut::NotInSource))
}
