//! What the extractors bring in: IDs with their kind and how far from the record they stood,
//! deletes, and reasons. Filters by kind and scope at the door; knows nothing of formats.

use hashbrown::HashSet;

use super::id::Pair;
use crate::base::ids::{DmId, ID_MAX, Id, IdKind, TweetId, UserId};
use crate::pipeline::found::{Found, Place};
use crate::pipeline::reason::Reason;
use crate::pipeline::wants::{Columns, KindSet, Scope};

/// How many IDs a harvest holds before it should be emptied.
const FULL: usize = 16 * 1024;

/// A delete notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deleted {
    /// The kind of what was deleted.
    pub(crate) kind: IdKind,
    /// Its ID.
    pub(crate) id: u64,
    /// How many IDs of this kind this harvest held when the notice came.
    pub(crate) after: usize,
}

/// A reason and the byte of the decoded source at which it was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flag {
    /// Why.
    pub(crate) reason: Reason,
    /// Where.
    pub(crate) byte: u64,
}

/// What was brought in since it was last emptied.
pub(crate) struct Harvest {
    kinds: KindSet,
    scope: Scope,
    columns: Columns,
    wants_authors: bool,
    place: Place,
    /// IDs of this record, so that a wider scope names each one once; empty in the own scope.
    named: HashSet<(IdKind, u64)>,
    /// How many tweets, users, DMs, flags and deletes there were before the current record.
    marks: [usize; 5],
    /// The highest ID that there can be.
    id_max: u64,
    /// Whether the current record held what nobody asked for.
    other_kind: bool,
    pub(crate) tweets: Vec<Found<TweetId>>,
    pub(crate) users: Vec<Found<UserId>>,
    pub(crate) dms: Vec<Found<DmId>>,
    pub(crate) deleted: Vec<Deleted>,
    pub(crate) flags: Vec<Flag>,
    pub(crate) records: u64,
}

impl Harvest {
    pub(crate) fn new(kinds: KindSet, scope: Scope, columns: Columns) -> Harvest {
        Harvest {
            kinds,
            scope,
            columns,
            wants_authors: columns == Columns::WithPlaces,
            place: Place::default(),
            named: HashSet::new(),
            marks: [0; 5],
            id_max: ID_MAX,
            other_kind: false,
            tweets: Vec::new(),
            users: Vec::new(),
            dms: Vec::new(),
            deleted: Vec::new(),
            flags: Vec::new(),
            records: 0,
        }
    }

    /// An empty one that looks for the same, in the same source.
    pub(crate) fn empty_like(&self) -> Harvest {
        let Harvest { kinds, scope, columns, wants_authors, place, id_max, .. } = *self;
        Harvest { wants_authors, place, id_max, ..Harvest::new(kinds, scope, columns) }
    }

    /// Forgets everything: it was taken away.
    pub(crate) fn clear(&mut self) {
        self.tweets.clear();
        self.users.clear();
        self.dms.clear();
        self.deleted.clear();
        self.flags.clear();
        self.records = 0;
    }

    /// Moves all places so many bytes back: other files stand before this one in its source.
    pub(crate) fn stand_behind(&mut self, bytes: u64) {
        self.tweets.iter_mut().for_each(|found| found.place.offset += bytes);
        self.users.iter_mut().for_each(|found| found.place.offset += bytes);
        self.dms.iter_mut().for_each(|found| found.place.offset += bytes);
    }

    /// Whether it should be emptied before more is read.
    pub(crate) fn is_full(&self) -> bool {
        self.ids() + self.deleted.len() + self.flags.len() >= FULL
    }

    fn ids(&self) -> usize {
        self.tweets.len() + self.users.len() + self.dms.len()
    }

    /// Begins a record at `offset` of the decoded source.
    #[inline]
    pub(crate) fn begin(&mut self, offset: u64, length: usize) {
        self.records += 1;
        self.place.offset = offset;
        self.place.length = u32::try_from(length).unwrap_or(0);
        self.marks = [
            self.tweets.len(),
            self.users.len(),
            self.dms.len(),
            self.flags.len(),
            self.deleted.len(),
        ];
        self.other_kind = false;
        if self.scope > Scope::Own {
            self.named.clear();
        }
    }

    /// Whether the current record brought in an ID.
    fn gave(&self) -> bool {
        self.ids() > self.marks[0] + self.marks[1] + self.marks[2]
    }

    /// Ends the record: notes if all it held were IDs that nobody asked for.
    #[inline]
    pub(crate) fn end(&mut self) {
        if self.other_kind && !self.gave() && self.flags.len() == self.marks[3] {
            self.flag(Reason::OtherKind);
        }
    }

    /// Takes back all that the current record brought in: it is not to be believed.
    pub(crate) fn take_back(&mut self) {
        let [tweets, users, dms, flags, deleted] = self.marks;
        self.tweets.truncate(tweets);
        self.users.truncate(users);
        self.dms.truncate(dms);
        self.flags.truncate(flags);
        self.deleted.truncate(deleted);
    }

    /// Notes that the current record holds something that is no ID of ours.
    pub(crate) fn hold_other_kind(&mut self) {
        self.other_kind = true;
    }

    /// The kind of all IDs that are wanted, if it is one.
    pub(crate) fn only_kind(&self) -> Option<IdKind> {
        self.kinds.single()
    }

    /// Also looks for the authors of tweets, whichever columns are wanted.
    pub(crate) fn look_for_authors(&mut self) {
        self.wants_authors = true;
    }

    /// Takes no ID that is higher than this one.
    pub(crate) fn set_id_max(&mut self, id_max: u64) {
        self.id_max = id_max;
    }

    /// Sets the source that places name.
    pub(crate) fn set_source(&mut self, source: u32) {
        self.place.source = source;
    }

    /// Whether IDs of `kind` are worth looking for at `scope`.
    #[inline]
    pub(crate) fn wants(&self, kind: IdKind, scope: Scope) -> bool {
        self.scope >= scope && self.kinds.contains(kind)
    }

    /// Whether anything at `scope` is worth looking for.
    #[inline]
    pub(crate) fn reaches(&self, scope: Scope) -> bool {
        self.scope >= scope
    }

    /// Whether the author of a tweet is worth looking for.
    #[inline]
    pub(crate) fn wants_authors(&self) -> bool {
        self.wants_authors
    }

    /// Brings in an ID of `kind`; its own ID and whether it was rescued are in `pair`.
    #[inline]
    pub(crate) fn id(
        &mut self,
        kind: IdKind,
        scope: Scope,
        pair: Result<Pair, Reason>,
        author: Option<u64>,
    ) {
        if scope == Scope::Own && !self.kinds.contains(kind) {
            self.other_kind = true;
        }
        if !self.wants(kind, scope) {
            return;
        }
        match pair {
            Ok(Pair::Absent) => {}
            Ok(Pair::Agreed(id)) => self.push(kind, scope, id, author),
            Ok(Pair::Rescued(id)) => {
                self.push(kind, scope, id, author);
                self.flag(Reason::Rescued);
            }
            Err(reason) => self.flag(reason),
        }
    }

    #[inline]
    fn push(&mut self, kind: IdKind, scope: Scope, id: u64, author: Option<u64>) {
        if self.scope > Scope::Own && !self.named.insert((kind, id)) && scope > Scope::Own {
            return;
        }
        if id > self.id_max {
            return self.flag(Reason::OfTheFuture);
        }
        let place = match self.columns {
            Columns::IdsOnly => Place::default(),
            Columns::WithPlaces => self.place,
        };
        match kind {
            IdKind::Tweet => {
                let id: TweetId = valid(id);
                if id.is_of_no_tweet() {
                    self.flag(Reason::NoSuchTweet);
                }
                self.tweets.push(Found { id, author: author.map(valid), place });
            }
            IdKind::User => self.users.push(Found { id: valid(id), author: None, place }),
            IdKind::Dm => self.dms.push(Found { id: valid(id), author: None, place }),
        }
    }

    /// Brings in many records that are nothing but an ID of `kind`: for each where it begins, its
    /// length, and the ID. The same as one by one, without asking for each what is wanted.
    #[inline]
    pub(crate) fn lone_ids(
        &mut self,
        kind: IdKind,
        records: impl Iterator<Item = (u64, usize, u64)>,
    ) {
        if self.scope > Scope::Own || !self.kinds.contains(kind) {
            for (offset, length, id) in records {
                self.begin(offset, length);
                self.id(kind, Scope::Own, Ok(Pair::Agreed(id)), None);
                self.end();
            }
            return;
        }
        let Harvest { columns, place: Place { source, .. }, id_max, .. } = *self;
        let Harvest { tweets, users, dms, flags, .. } = self;
        let door = Door { columns, source, id_max, flags };
        self.records += match kind {
            IdKind::Tweet => door.let_in(tweets, records),
            IdKind::User => door.let_in(users, records),
            IdKind::Dm => door.let_in(dms, records),
        };
    }

    /// Notes that an ID was deleted upstream.
    pub(crate) fn delete(&mut self, kind: IdKind, id: u64) {
        let after = match kind {
            IdKind::Tweet => self.tweets.len(),
            IdKind::User => self.users.len(),
            IdKind::Dm => self.dms.len(),
        };
        self.deleted.push(Deleted { kind, id, after });
    }

    /// Notes a reason at the current record.
    pub(crate) fn flag(&mut self, reason: Reason) {
        self.flag_at(reason, self.place.offset);
    }

    /// Notes a reason at a byte of the decoded source.
    pub(crate) fn flag_at(&mut self, reason: Reason, byte: u64) {
        self.flags.push(Flag { reason, byte });
    }
}

/// What is asked of records that are nothing but an ID.
struct Door<'a> {
    columns: Columns,
    source: u32,
    id_max: u64,
    flags: &'a mut Vec<Flag>,
}

impl Door<'_> {
    /// Lets them in; says how many there were.
    #[inline(always)]
    fn let_in<I: Id>(
        self,
        found: &mut Vec<Found<I>>,
        records: impl Iterator<Item = (u64, usize, u64)>,
    ) -> u64 {
        let mut count = 0;
        for (byte, length, id) in records {
            count += 1;
            if id > self.id_max {
                self.flags.push(Flag { reason: Reason::OfTheFuture, byte });
                continue;
            }
            if I::KIND == IdKind::Tweet && valid::<TweetId>(id).is_of_no_tweet() {
                self.flags.push(Flag { reason: Reason::NoSuchTweet, byte });
            }
            let place = match self.columns {
                Columns::IdsOnly => Place::default(),
                Columns::WithPlaces => {
                    let length = u32::try_from(length).unwrap_or(0);
                    Place { source: self.source, offset: byte, length }
                }
            };
            found.push(Found { id: valid(id), author: None, place });
        }
        count
    }
}

/// The ID of that value, which the reading of its digits has checked.
#[inline]
fn valid<I: Id>(value: u64) -> I {
    I::from_value(value).expect("the digits were checked when they were read")
}
