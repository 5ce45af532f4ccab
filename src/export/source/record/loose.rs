//! Values of records that may be of another type than they should: such a value is as good as
//! absent, and costs nobody the record. What they mean is told by each form.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::base::ids::parse_digits;

/// A number, or the digits of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Number(pub(super) Option<u64>);

/// A text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) Option<Cow<'a, str>>);

/// Whether something is `true`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flag(pub(super) Option<bool>);

/// A list; whatever is none has no elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List<T>(pub(super) Vec<T>);

/// An object; `None`: whatever is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct One<T>(pub(super) Option<T>);

impl Text<'_> {
    /// A copy of the text, if there is any in it.
    pub(super) fn owned(&self) -> Option<String> {
        self.0.as_deref().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The text; empty if there is none.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl Flag {
    /// Whether it is there and `true`.
    pub(super) fn is_set(self) -> bool {
        self.0 == Some(true)
    }
}

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List(Vec::new())
    }
}

impl<T> Default for One<T> {
    fn default() -> One<T> {
        One(None)
    }
}

/// The visits that end in nothing, whatever is there.
macro_rules! nothing {
    ($($visit:ident $value:ty;)*) => {
        $(fn $visit<E>(self, _: $value) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        })*
    };
}

macro_rules! nothing_of_unit {
    () => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
}

macro_rules! nothing_of_list {
    () => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

macro_rules! nothing_of_object {
    () => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number")
    }

    fn visit_u64<E>(self, value: u64) -> Result<Number, E> {
        Ok(Number(Some(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
        Ok(Number(u64::try_from(value).ok()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Number, E> {
        Ok(Number(parse_digits(value.as_bytes()).ok()))
    }

    nothing! { visit_bool bool; visit_f64 f64; }
    nothing_of_unit!();
    nothing_of_list!();
    nothing_of_object!();
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Number, D::Error> {
        input.deserialize_any(NumberVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Borrowed(value))))
    }

    fn visit_str<E>(self, value: &str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Owned(value.to_owned()))))
    }

    nothing! { visit_bool bool; visit_f64 f64; visit_u64 u64; visit_i64 i64; }
    nothing_of_unit!();
    nothing_of_list!();
    nothing_of_object!();
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Text<'a>, D::Error> {
        input.deserialize_any(TextVisitor)
    }
}

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("true or false")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Flag, E> {
        Ok(Flag(Some(value)))
    }

    nothing! { visit_str &str; visit_f64 f64; visit_u64 u64; visit_i64 i64; }
    nothing_of_unit!();
    nothing_of_list!();
    nothing_of_object!();
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Flag, D::Error> {
        input.deserialize_any(FlagVisitor)
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(List(elements))
    }

    nothing! { visit_bool bool; visit_str &str; visit_f64 f64; visit_u64 u64; visit_i64 i64; }
    nothing_of_unit!();
    nothing_of_object!();
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<List<T>, D::Error> {
        input.deserialize_any(ListVisitor(PhantomData))
    }
}

struct OneVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneVisitor<T> {
    type Value = One<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<One<T>, A::Error> {
        T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(|one| One(Some(one)))
    }

    nothing! { visit_bool bool; visit_str &str; visit_f64 f64; visit_u64 u64; visit_i64 i64; }
    nothing_of_unit!();
    nothing_of_list!();
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for One<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<One<T>, D::Error> {
        input.deserialize_any(OneVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Parts<'a> {
        number: Number,
        #[serde(borrow)]
        text: Text<'a>,
        flag: Flag,
        list: List<Number>,
        one: One<Inner>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        number: Number,
    }

    #[test]
    fn what_has_another_type_is_as_good_as_absent() {
        let values = ["7", "\"7\"", "\"a\"", "-7", "7.5", "null", "true", "[7]", "{\"number\":7}"];
        for (place, value) in values.iter().enumerate() {
            let all =
                ["number", "text", "flag", "list", "one"].map(|key| format!("\"{key}\":{value}"));
            let record = format!("{{{}}}", all.join(","));
            let parts: Parts<'_> = serde_json::from_str(&record).unwrap();
            let seven = Number(Some(7));
            let expected = Parts {
                number: if place < 2 { seven } else { Number(None) },
                text: match place {
                    1 => Text(Some("7".into())),
                    2 => Text(Some("a".into())),
                    _ => Text(None),
                },
                flag: Flag((place == 6).then_some(true)),
                list: List(if place == 7 { vec![seven] } else { Vec::new() }),
                one: One((place == 8).then_some(Inner { number: seven })),
            };
            assert_eq!(parts, expected, "{value}");
        }
    }
}
