//! The walk against its naive twin, serde_json.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::careful::DEPTH_MAX;
use super::masks::{Block, Frames, Lanes, Tokens};
use super::portable::Portable;
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

/// Remembers all it is told.
#[derive(Clone, Debug, Default, PartialEq)]
struct Told {
    keys: Vec<(Vec<u8>, Escapes)>,
    values: Vec<Span>,
}

impl Keep for Told {
    fn restart(&mut self) {
        *self = Told::default();
    }

    fn member(&mut self, key: &[u8], escapes: Escapes, value: Span) -> Result<(), Reason> {
        self.keys.push((key.to_owned(), escapes));
        self.values.push(value);
        Ok(())
    }
}

/// What `work` comes to by the lanes of every width that this machine has.
#[allow(unsafe_code, reason = "a function for certain processors alone is unsafe to call")]
pub(super) fn by_each<W: Work + Copy>(work: W) -> Vec<(&'static str, W::Out)> {
    let mut outs = vec![("portable", work.by::<Portable>())];
    #[cfg(target_arch = "x86_64")]
    {
        if avx2::is_here() {
            // SAFETY: the processor was asked.
            outs.push(("avx2", unsafe { avx2::run(work) }));
        }
        if avx512::is_here() {
            // SAFETY: the processor was asked.
            outs.push(("avx512", unsafe { avx512::run(work) }));
        }
    }
    #[cfg(target_arch = "aarch64")]
    outs.push(("neon", work.by::<neon::Neon>()));
    outs
}

/// A swift walk over the object that begins at the start, and what it told.
#[derive(Clone, Copy)]
struct Telling<'a>(&'a [u8], usize);

impl Work for Telling<'_> {
    type Out = (Verdict, Told);

    #[inline(always)]
    fn by<L: Lanes>(self) -> (Verdict, Told) {
        let Telling(input, start) = self;
        let mut told = Told::default();
        (swift::Walk { input, start, keep: &mut told }.by::<L>(), told)
    }
}

/// Whether a swift walk must vouch for a sound object.
#[derive(Clone, Copy, PartialEq)]
enum Vouch {
    Must,
    May,
}

/// A copy of the object that begins at `start`, byte by byte, whose inner values hold nothing, and
/// whose strings hold no escapes; none if its inside is not closed, or not on one line.
fn emptied(input: &[u8], start: usize) -> Option<Vec<u8>> {
    let mut copy = input.to_vec();
    let (mut depth, mut curly) = (0, 0);
    let mut inner = b' ';
    let mut at = start;
    while at < input.len() {
        let byte = input[at];
        if byte < b' ' {
            return None;
        }
        match byte {
            b'"' => loop {
                if depth > 1 {
                    copy[at] = b' ';
                }
                at += 1;
                match *input.get(at)? {
                    b'"' => break,
                    ..b' ' => return None,
                    b'\\' => {
                        copy[at..=at + usize::from(at + 1 < input.len())].fill(b'x');
                        at += 1;
                        if *input.get(at)? < b' ' {
                            return None;
                        }
                        if depth > 1 {
                            copy[at - 1] = b' ';
                        }
                    }
                    _ => {}
                }
            },
            // Outside of strings it is wrong, and here it only has to hide the same byte.
            b'\\' => {
                copy[at] = b' ';
                at += 1;
                if *input.get(at)? < b' ' || depth == 1 {
                    return None;
                }
            }
            b'{' | b'[' => {
                depth += 1;
                curly += i32::from(byte == b'{');
                if depth == 2 {
                    inner = byte + 2;
                    at += 1;
                    continue;
                }
            }
            b'}' | b']' => {
                depth -= 1;
                curly -= i32::from(byte == b'}');
                if depth <= 1 && curly != depth {
                    return None;
                }
                if depth == 0 {
                    return Some(copy);
                }
                if depth == 1 {
                    copy[at] = inner;
                }
            }
            _ => {}
        }
        if depth > 1 {
            copy[at] = b' ';
        }
        at += 1;
    }
    None
}

/// Holds each swift walk against the careful one, over the input and over an emptied copy; says
/// what the careful one came to.
fn swift_as_careful(input: &[u8], start: usize, vouch: Vouch) -> Walk {
    let careful = careful::walk(input, start, &mut Skip);
    let mut expected = Told::default();
    let level = emptied(input, start).map(|copy| careful::walk(&copy, start, &mut expected));
    for (lanes, (verdict, told)) in by_each(Telling(input, start)) {
        let text = String::from_utf8_lossy(input);
        match verdict {
            Verdict::End(end) => {
                assert_eq!(Some(Walk::End(end)), level, "{lanes} {text}");
                assert_eq!(told.values, expected.values, "{lanes} {text}");
                assert_eq!(told.keys.len(), expected.keys.len(), "{lanes} {text}");
                for ((key, escapes), (copied, _)) in told.keys.iter().zip(&expected.keys) {
                    assert_eq!(key.len(), copied.len(), "{lanes} {text}");
                    let is_plain = !key.contains(&b'\\');
                    assert!(is_plain || *escapes == Escapes::Some, "{lanes} {text}");
                    assert!(!is_plain || key == copied, "{lanes} {text}");
                }
            }
            Verdict::Incomplete => {
                assert!(!matches!(careful, Walk::End(_)), "{lanes} {text}");
                assert!(!matches!(level, Some(Walk::End(_))), "{lanes} {text}");
            }
            Verdict::Unsure => {
                let sound = matches!(careful, Walk::End(_));
                assert!(vouch == Vouch::May || !sound, "{lanes} {text}");
            }
        }
    }
    careful
}

/// The masks of a block, byte by byte.
fn naive_masks(block: &Block) -> (Frames, Tokens) {
    let mask = |is: &dyn Fn(u8) -> bool| {
        (0..).zip(block).fold(0, |mask, (bit, &byte)| mask | u64::from(is(byte)) << bit)
    };
    let frames = Frames {
        quotes: mask(&|byte| byte == b'"'),
        backslashes: mask(&|byte| byte == b'\\'),
        opens: mask(&|byte| byte == b'{' || byte == b'['),
        closes: mask(&|byte| byte == b'}' || byte == b']'),
        curly: mask(&|byte| byte & (b'{' ^ b'[') != 0),
        controls: mask(&|byte| byte < b' '),
    };
    let tokens = Tokens {
        colons: mask(&|byte| byte == b':'),
        commas: mask(&|byte| byte == b','),
        spaces: mask(&|byte| byte == b' '),
        digits: mask(&|byte| byte.is_ascii_digit()),
        zeros: mask(&|byte| byte == b'0'),
    };
    (frames, tokens)
}

/// Holds lanes against their naive twin.
#[derive(Clone, Copy)]
struct AsNaive<'a>(&'a Block);

impl Work for AsNaive<'_> {
    type Out = ();

    #[inline(always)]
    fn by<L: Lanes>(self) {
        let block = self.0;
        let (frames, tokens) = naive_masks(block);
        assert_eq!((L::frames(block), L::tokens(block)), (frames, tokens));
        assert_eq!(L::equal(block, b'"'), frames.quotes);
        let word = u64::from_le_bytes(*block.first_chunk().unwrap());
        let mut parity = 0;
        for bit in 0..64 {
            parity |= u64::from((word << (63 - bit)).count_ones() & 1) << bit;
        }
        assert_eq!(L::parity(word), parity);
    }
}

#[test]
fn lanes_tell_every_byte_at_every_place() {
    for byte in 0..=u8::MAX {
        for place in 0..64 {
            let mut block = [b'x'; 64];
            block[place] = byte;
            block[63 - place] = byte.wrapping_mul(31);
            by_each(AsNaive(&block));
        }
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
    fn the_swift_walk_vouches_for_every_sound_object(
        pairs in prop::collection::vec(("[a-z_\\\\]{1,30}", json()), 0..8),
        before in "[ a\"]{0,70}",
        tail in "[ ,\\]}{\"a1]{0,70}",
        spaced in any::<bool>(),
    ) {
        // Laid out as programs do: all at once, or with a blank behind commas and colons.
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text);
        let pairs = pairs.iter().map(|(key, text)| {
            let value = value(text).unwrap_or_default().to_string();
            format!("{}:{value}", serde_json::to_string(key).unwrap())
        });
        let object = format!("{{{}}}", pairs.collect::<Vec<_>>().join(","));
        let object = if spaced {
            object.replace("\":", "\": ").replace(",\"", ", \"")
        } else {
            object
        };
        let input = format!("{before}{object}{tail}");
        let end = Walk::End(before.len() + object.len());
        prop_assert_eq!(swift_as_careful(input.as_bytes(), before.len(), Vouch::Must), end);
    }

    #[test]
    fn the_swift_walk_says_nothing_that_the_careful_one_does_not(
        value in json(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![
            Just(b'"'), Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'\n'), Just(b'\\'),
            Just(b','), Just(b':'), Just(b'0'), Just(b'1'), Just(b'.'), Just(b'-'), Just(b'e'),
            Just(b'u'), Just(b'l'), Just(b't'), Just(b'a'), Just(b' '), Just(0), any::<u8>()
        ]), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut input = format!("{{\"a\":{value},\"b\" : {value} }}  {{").into_bytes();
        for (at, byte) in changes {
            let index = at.index(input.len());
            input[index] = byte;
        }
        input[0] = b'{';
        swift_as_careful(&input, 0, Vouch::May);
        input.truncate(cut.index(input.len()) + 1);
        swift_as_careful(&input, 0, Vouch::May);
    }

    #[test]
    fn the_swift_walk_survives_any_tokens_as_the_careful_one_does(
        tokens in prop::collection::vec(prop_oneof![
            Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("\"a\""),
            Just("\"\\u00e9\\\\\""), Just("1"), Just("0"), Just("null"), Just("true"),
            Just("false"), Just(" "), Just("\n"), Just("-"), Just("1.5e+3"), Just("\"id\":"),
            Just("\"b\":[],"), Just("\\"), Just("\""),
        ], 0..60)
    ) {
        let input = format!("{{{}", tokens.concat());
        swift_as_careful(input.as_bytes(), 0, Vouch::May);
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
            // The walk takes strings as bytes, whatever they escape; serde_json wants them clean.
            let clean: Vec<u8> = input[..end].iter()
                .map(|byte| match byte { b'\n' | 0x20..0x80 => *byte, b'\t' | b'\r' => b' ', _ => b'x' })
                .collect();
            let mut text = String::from_utf8(clean).unwrap().into_bytes();
            let mut escapes = memchr::memchr_iter(b'\\', &text.clone()).collect::<Vec<_>>();
            escapes.dedup_by(|next, first| *next == *first + 1);
            escapes.into_iter().for_each(|at| text[at..at + 2].fill(b'x'));
            prop_assert!(naive(&text).is_some(), "{}", String::from_utf8_lossy(&text));
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
        match text::string_end(&text, 0) {
            Ok((end, _)) => prop_assert_eq!(twin, Ok(end)),
            Err(careful::Stop::Incomplete) => prop_assert_eq!(twin, Err(None)),
            Err(careful::Stop::Damaged(at, _)) => prop_assert_eq!(twin, Err(Some(at))),
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
                if matches!(letter, b'\n' | 0) {
                    return Err(Some(at + 1));
                }
                at += 2;
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
        ("{\"a\":\"\\\n\"}", 7, Reason::LineFeedInString),
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
