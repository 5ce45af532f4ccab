//! Tweet, User and DM IDs as three types that never mix; not where they stand in a record.
//!
//! The three kinds share one number space, so the number never tells the kind: the type does.
//! A valid ID is `^[0-9]{1,19}$` in ASCII with a value of at most 2^63 − 1.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

/// The largest value that an ID can have: 2^63 − 1.
pub const ID_MAX: u64 = i64::MAX as u64;

/// The most digits that an ID has.
pub const ID_DIGITS_MAX: usize = 19;

/// Bytes of the longest ID with its line feed: how much one line of an ID file takes at most.
pub const ID_LINE_BYTES_MAX: usize = ID_DIGITS_MAX + 1;

/// The millisecond of the Unix epoch at which snowflake time begins.
const SNOWFLAKE_EPOCH_MS: i64 = 1_288_834_974_657;

/// The lowest ID that is certainly a snowflake.
/// Between the last sequential ID (29,700,859,247) and this one no Tweet ID falls.
const SNOWFLAKE_MIN: u64 = 290_000_000_000_000;

/// The last Tweet ID that was handed out one by one.
const SEQUENTIAL_MAX: u64 = 29_700_859_247;

/// Which of the three kinds an ID is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdKind {
    /// A Tweet (a Post).
    Tweet,
    /// A user account.
    User,
    /// A Direct Message.
    Dm,
}

impl IdKind {
    /// Every kind, in the order in which people list them.
    pub const ALL: [IdKind; 3] = [IdKind::Tweet, IdKind::User, IdKind::Dm];

    /// The word of the command line and of the settings: `tweet`, `user`, `dm`.
    pub fn word(self) -> &'static str {
        match self {
            IdKind::Tweet => "tweet",
            IdKind::User => "user",
            IdKind::Dm => "dm",
        }
    }

    /// The word that people read: `Tweet`, `User`, `DM`.
    pub fn title(self) -> &'static str {
        match self {
            IdKind::Tweet => "Tweet",
            IdKind::User => "User",
            IdKind::Dm => "DM",
        }
    }

    /// The kind that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<IdKind> {
        IdKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for IdKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

/// Why a text is no ID; the message says what a valid one looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an ID is 1 to 19 ASCII digits with a value of at most 9223372036854775807")]
pub struct NotAnId;

/// Reads the digits of an ID of any kind.
///
/// # Errors
/// [`NotAnId`] if `text` is empty, longer than 19 bytes, holds anything but ASCII digits,
/// or exceeds [`ID_MAX`].
#[inline]
pub fn parse_digits(text: &[u8]) -> Result<u64, NotAnId> {
    if text.is_empty() || text.len() > ID_DIGITS_MAX {
        return Err(NotAnId);
    }
    let mut value: u64 = 0;
    let (eights, rest) = text.as_chunks();
    for eight in eights {
        value = value * 100_000_000 + eight_digits(*eight).ok_or(NotAnId)?;
    }
    for &byte in rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(NotAnId);
        }
        // 19 digits stay below 10^19 < 2^64: this cannot overflow.
        value = value * 10 + u64::from(digit);
    }
    if value > ID_MAX {
        return Err(NotAnId);
    }
    Ok(value)
}

/// The number that eight digits spell: pairs, fours and eights of them are added up side by side.
#[inline]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(text);
    // A digit has 3 as its upper half, and has it still if 6 is added.
    let halves = (word & (ONES * 0xF0)) | ((word.wrapping_add(ONES * 6) & (ONES * 0xF0)) >> 4);
    if halves != ONES * 0x33 {
        return None;
    }
    let digits = word & (ONES * 0x0F);
    let pairs = (digits * 10 + (digits >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    Some((fours * 10_000 + (fours >> 32)) & 0xFFFF_FFFF)
}

/// What the three ID types have in common, for code that serves each of them alike.
pub trait Id:
    Copy + Eq + Ord + std::hash::Hash + fmt::Debug + fmt::Display + Send + 'static
{
    /// Which kind this type is.
    const KIND: IdKind;

    /// An ID of this kind with that value.
    ///
    /// # Errors
    /// [`NotAnId`] above [`ID_MAX`].
    fn from_value(value: u64) -> Result<Self, NotAnId>;

    /// The number itself.
    fn value(self) -> u64;

    /// Reads an ID from its digits.
    ///
    /// # Errors
    /// [`NotAnId`] as [`parse_digits`] says.
    #[inline]
    fn parse(text: &[u8]) -> Result<Self, NotAnId> {
        Self::from_value(parse_digits(text)?)
    }
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $kind:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u64);

        impl Id for $name {
            const KIND: IdKind = $kind;

            #[inline]
            fn from_value(value: u64) -> Result<Self, NotAnId> {
                if value > ID_MAX { Err(NotAnId) } else { Ok($name(value)) }
            }

            #[inline]
            fn value(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }

        // In JSON an ID is a string: a number of 19 digits does not survive every reader.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let digits = Cow::<str>::deserialize(from)?;
                Self::parse(digits.as_bytes()).map_err(de::Error::custom)
            }
        }
    };
}

id_type!(
    /// The ID of a Tweet.
    TweetId,
    IdKind::Tweet
);
id_type!(
    /// The ID of a user account.
    UserId,
    IdKind::User
);
id_type!(
    /// The ID of a Direct Message.
    DmId,
    IdKind::Dm
);

impl TweetId {
    /// When the Tweet was made, in milliseconds UTC, if its ID is a snowflake.
    ///
    /// The upper 41 bits of a snowflake count milliseconds from 2010-11-04T01:42:54.657Z.
    /// IDs of before November 2010 were handed out one by one and tell no time.
    pub fn created_ms(self) -> Option<i64> {
        if self.0 < SNOWFLAKE_MIN {
            return None;
        }
        let elapsed_ms = i64::try_from(self.0 >> 22).ok()?;
        Some(elapsed_ms + SNOWFLAKE_EPOCH_MS)
    }

    /// Whether this lies between the last sequential ID and the first snowflake, where no Tweet
    /// ever was.
    #[inline]
    pub fn is_of_no_tweet(self) -> bool {
        self.0 > SEQUENTIAL_MAX && self.0 < SNOWFLAKE_MIN
    }

    /// The smallest snowflake of that millisecond, for made-up data and for time ranges.
    ///
    /// # Errors
    /// [`NotAnId`] for a time before snowflakes or beyond the year 2080.
    pub fn first_of_ms(time_ms: i64) -> Result<TweetId, NotAnId> {
        let elapsed_ms = u64::try_from(time_ms - SNOWFLAKE_EPOCH_MS).map_err(|_| NotAnId)?;
        if elapsed_ms >= 1 << 41 {
            return Err(NotAnId);
        }
        TweetId::from_value(elapsed_ms << 22)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    #[test]
    fn digits_up_to_the_largest_value_are_ids_and_nothing_else_is() {
        for (text, expected) in [
            ("20", Ok(20)),
            ("0", Ok(0)),
            ("9223372036854775807", Ok(ID_MAX)),
            ("9223372036854775808", Err(NotAnId)),
            ("9999999999999999999", Err(NotAnId)),
            ("12345678901234567890", Err(NotAnId)),
            ("", Err(NotAnId)),
            ("-1", Err(NotAnId)),
            ("1.0", Err(NotAnId)),
            ("1e5", Err(NotAnId)),
            (" 1", Err(NotAnId)),
            ("１", Err(NotAnId)),
        ] {
            assert_eq!(parse_digits(text.as_bytes()), expected, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(crate::base::cases::remembered())]

        #[test]
        fn eight_digits_at_a_step_are_as_good_as_one(
            mut text in prop::collection::vec(b'0'..=b'9', 0..22),
            at in any::<prop::sample::Index>(),
            byte in prop_oneof![3 => b'0'..=b'9', 1 => any::<u8>()],
        ) {
            if !text.is_empty() {
                let index = at.index(text.len());
                text[index] = byte;
            }
            let naive = std::str::from_utf8(&text).ok().filter(|text| text.len() <= ID_DIGITS_MAX);
            let naive = naive.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let naive = naive.and_then(|text| text.parse().ok()).filter(|value| *value <= ID_MAX);
            prop_assert_eq!(parse_digits(&text), naive.ok_or(NotAnId));
        }
    }

    #[test]
    fn an_id_in_json_is_a_string() {
        let id = TweetId::from_value(ID_MAX).unwrap();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"9223372036854775807\"");
        assert_eq!(serde_json::from_str::<TweetId>(&json).unwrap(), id);
        for bad in ["20", "\"\"", "\"-1\"", "\"9223372036854775808\""] {
            assert!(serde_json::from_str::<TweetId>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_snowflake_tells_its_millisecond() {
        let made_ms = 1_700_000_000_123;
        let id = TweetId::first_of_ms(made_ms).unwrap();
        assert_eq!(id.created_ms(), Some(made_ms));
        let of = |value| TweetId::from_value(value).unwrap();
        assert_eq!(of(29_700_859_247).created_ms(), None);
        assert!(!of(29_700_859_247).is_of_no_tweet() && of(29_700_859_248).is_of_no_tweet());
        assert!(of(289_999_999_999_999).is_of_no_tweet() && !of(id.0).is_of_no_tweet());
        assert_eq!(TweetId::first_of_ms(0), Err(NotAnId));
    }
}
