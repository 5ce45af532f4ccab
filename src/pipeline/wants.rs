//! What a strip is asked for: kinds of IDs, how far to look, in which order, how strictly.
//! Not how any of it is done.

use crate::base::ids::IdKind;

/// A set of kinds of IDs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindSet(u8);

impl KindSet {
    /// No kind at all.
    pub const NONE: KindSet = KindSet(0);

    /// Tweet, User and DM IDs.
    pub const ALL: KindSet = KindSet(0b111);

    /// The set of this one kind.
    pub const fn only(kind: IdKind) -> KindSet {
        KindSet(1 << kind as u8)
    }

    /// This set and `kind`.
    #[must_use]
    pub const fn with(self, kind: IdKind) -> KindSet {
        KindSet(self.0 | 1 << kind as u8)
    }

    /// Whether `kind` is in the set.
    #[inline]
    pub const fn contains(self, kind: IdKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// How many kinds are in the set.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether no kind is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds of the set, in the order of [`IdKind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = IdKind> {
        IdKind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }

    /// The kind, if the set holds exactly one: the kind that a bare list of numbers then has.
    pub fn single(self) -> Option<IdKind> {
        if self.len() == 1 { self.iter().next() } else { None }
    }
}

impl FromIterator<IdKind> for KindSet {
    fn from_iter<T: IntoIterator<Item = IdKind>>(kinds: T) -> KindSet {
        kinds.into_iter().fold(KindSet::NONE, KindSet::with)
    }
}

/// How far from a record its IDs are looked for; each scope includes the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The record itself: a dataset of 500 tweets gives 500 IDs.
    #[default]
    Own,
    /// Also full objects carried inside it: retweeted, quoted, `includes`.
    Embedded,
    /// Also what is only named by its ID.
    Referenced,
}

impl Scope {
    /// Every scope, from near to far.
    pub const ALL: [Scope; 3] = [Scope::Own, Scope::Embedded, Scope::Referenced];

    /// The word of the command line and of the settings.
    pub fn word(self) -> &'static str {
        match self {
            Scope::Own => "own",
            Scope::Embedded => "embedded",
            Scope::Referenced => "referenced",
        }
    }

    /// The scope that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.word() == word)
    }
}

/// When IDs are handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// After everything was read: deletes count wherever they stand.
    #[default]
    Spooled,
    /// At once: a delete counts only for what comes after it; a late one is reported as damage.
    Streamed,
}

/// What becomes of an ID that was already handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Distinct {
    /// It is handed out again.
    #[default]
    KeepAll,
    /// Only its first occurrence is handed out. Needs [`Order::Spooled`].
    KeepFirst,
}

/// What a damaged record does to the strip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Damage {
    /// It is counted and placed, and the rest goes on.
    #[default]
    Report,
    /// The first one ends the strip with an error.
    Refuse,
}

/// Which columns go with each ID to the outlet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Columns {
    /// The ID alone: 8 bytes each in the spool. Author and place are left empty.
    #[default]
    IdsOnly,
    /// Also its author (of tweets) and the place of its record: 32 bytes each in the spool.
    WithPlaces,
}
