//! The walk against its naive twin, serde_json.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::*;

/// A JSON value, perhaps with strings that look like structure.
fn json() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        Just("\"id\"".to_owned()),
        Just(r#""{\"id\":[1,}""#.to_owned()),
        Just(r#""é\ud83d\n\\\"ü""#.to_owned()),
        "[a-z ]{0,40}".prop_map(|text| format!("\"{text}\"")),
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f32>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        text.clone(),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6)
                .prop_map(|values| format!("[{}]", values.join(" ,\n"))),
            prop::collection::vec((text.clone(), inner), 0..6).prop_map(|pairs| {
                let pairs = pairs.iter().map(|(key, value)| format!("{key} : {value}"));
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

/// What serde_json says of the first value in `input`, without lone surrogates' fault.
fn naive(input: &[u8]) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_slice(input).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => Some(values.byte_offset()),
        _ => None,
    }
}

proptest! {
    #![proptest_config(crate::base::cases::remembered())]

    #[test]
    fn a_walk_ends_where_serde_json_ends(value in json(), tail in "[ ,\\]}{\"a1]{0,3}") {
        // A bracket ends a number at once, so that the tail cannot lengthen it.
        let input = format!("[{value}]{tail}");
        prop_assert_eq!(walk(input.as_bytes(), 0, &mut Skip), Walk::End(input.len() - tail.len()));
        if !value.contains("ud83d") {
            prop_assert_eq!(naive(input.as_bytes()), Some(input.len() - tail.len()));
        }
    }

    #[test]
    fn a_cut_value_is_incomplete(value in json(), share in 0.0..1.0_f64) {
        let input = format!("[{value}]");
        let cut = (input.len() as f64 * share) as usize;
        prop_assert_eq!(walk(&input.as_bytes()[..cut.max(1)], 0, &mut Skip), Walk::Incomplete);
    }

    #[test]
    fn what_the_walk_takes_serde_json_takes(
        value in json(), at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let mut input = format!("[{value}]").into_bytes();
        let index = at.index(input.len());
        input[index] = byte;
        if let Walk::End(end) = walk(&input, 0, &mut Skip) {
            // The walk takes strings as bytes; serde_json wants them clean.
            let clean: Vec<u8> = input[..end].iter()
                .map(|byte| match byte { b'\n' | 0x20..0x80 => *byte, b'\t' | b'\r' => b' ', _ => b'x' })
                .collect();
            let text = String::from_utf8(clean).unwrap().replace("\\ud83d", "\\u0041");
            if !text.contains("\\ud") && !text.contains("\\uD") {
                prop_assert!(naive(text.as_bytes()).is_some(), "{text}");
            }
        }
    }

    #[test]
    fn a_string_ends_where_its_naive_twin_says(
        text in prop::collection::vec(prop_oneof![
            Just(b'"'), Just(b'\\'), Just(b'n'), Just(b'u'), Just(b'\n'), Just(0xC3), Just(b'\t'),
            Just(0_u8), Just(0x7F), any::<u8>(), b'a'..b'g',
        ], 0..64)
    ) {
        let twin = naive_string_end(&text);
        match string_end(&text, 0) {
            Ok((end, _)) => prop_assert_eq!(twin, Ok(end)),
            Err(Stop::Incomplete) => prop_assert_eq!(twin, Err(None)),
            Err(Stop::Damaged(at, _)) => prop_assert_eq!(twin, Err(Some(at))),
        }
    }
}

/// Byte by byte: where the string ends, where it breaks, or neither.
fn naive_string_end(text: &[u8]) -> Result<usize, Option<usize>> {
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => return Ok(at + 1),
            b'\n' | 0 => return Err(Some(at)),
            b'\\' => {
                let Some(letter) = text.get(at + 1) else { return Err(None) };
                let digits = if *letter == b'u' { 4 } else { 0 };
                if !b"\"\\/bfnrtu".contains(letter) {
                    return Err(Some(at + 1));
                }
                for digit in at + 2..at + 2 + digits {
                    let Some(byte) = text.get(digit) else { return Err(None) };
                    if !byte.is_ascii_hexdigit() {
                        return Err(Some(digit));
                    }
                }
                at += 2 + digits;
            }
            _ => at += 1,
        }
    }
    Err(None)
}

#[test]
fn broken_values_are_told_with_their_place_and_reason() {
    for (input, at, reason) in [
        ("{\"a\":NaN}", 5, Reason::Syntax),
        ("{\"a\":01}", 7, Reason::Syntax),
        ("{\"a\":1.}", 7, Reason::Syntax),
        ("{\"a\":-}", 6, Reason::Syntax),
        ("{\"a\":1e+}", 8, Reason::Syntax),
        ("{\"a\" 1}", 5, Reason::Syntax),
        ("{\"a\":1,}", 7, Reason::Syntax),
        ("[1,]", 3, Reason::Bracket),
        ("[1}", 2, Reason::Bracket),
        ("{\"a\":1]", 6, Reason::Bracket),
        ("{\"a\":\"b\n\"}", 7, Reason::LineFeedInString),
        ("{\"a\":\"\\x\"}", 7, Reason::Syntax),
        ("{\"a\":\"\\u12g4\"}", 10, Reason::Syntax),
        ("{1:2}", 1, Reason::Syntax),
        ("{\"a\":trve}", 5, Reason::Syntax),
    ] {
        assert_eq!(walk(input.as_bytes(), 0, &mut Skip), Walk::Damaged(at, reason), "{input}");
    }
}

#[test]
fn nesting_is_bounded_and_needs_no_stack() {
    let deepest = ["[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX)].concat();
    assert_eq!(walk(deepest.as_bytes(), 0, &mut Skip), Walk::End(deepest.len()));
    let deeper = "[".repeat(1_000_000);
    assert_eq!(walk(deeper.as_bytes(), 0, &mut Skip), Walk::Damaged(DEPTH_MAX, Reason::TooDeep));
}
