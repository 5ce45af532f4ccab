//! What one made-up tweet says: its text, and where in it tags, mentions and links stand.

use super::chance::Chance;
use super::json::{Style, Text, put};
use super::people::{Person, snowflake};

/// A sentence with its language.
pub(super) struct Sentence {
    pub(super) lang: &'static str,
    pub(super) text: Text,
}

/// Everything that does not depend on the tweet's format.
pub(super) struct Content {
    pub(super) lang: &'static str,
    /// The text between the quotes of JSON.
    pub(super) text: Vec<u8>,
    /// The length of the text's first sentence in bytes: where it may be cut.
    pub(super) cut_bytes: usize,
    pub(super) cut_chars: u64,
    /// How many characters the text has.
    pub(super) chars: u64,
    pub(super) tag: Option<Piece<usize>>,
    pub(super) mention: Option<Piece<usize>>,
    pub(super) link: Option<Piece<u64>>,
    /// The ID of a photo.
    pub(super) media: Option<u64>,
}

/// Something in the text, from a first to a last character.
pub(super) struct Piece<T> {
    pub(super) is: T,
    pub(super) from: u64,
    pub(super) to: u64,
}

/// What contents are made of.
pub(super) struct Stock {
    pub(super) sentences: Vec<Sentence>,
    pub(super) tags: Vec<Text>,
    pub(super) people: Vec<Person>,
}

impl Stock {
    pub(super) fn person(&self, chance: &mut Chance) -> usize {
        chance.below(self.people.len() as u64) as usize
    }

    pub(super) fn content(&self, chance: &mut Chance, style: Style, at_ms: i64) -> Content {
        let first = chance.pick(&self.sentences);
        let mut content = Content {
            lang: first.lang,
            text: Vec::with_capacity(1_024),
            cut_bytes: 0,
            cut_chars: 0,
            chars: 0,
            tag: None,
            mention: None,
            link: None,
            media: None,
        };
        if chance.happens(30) {
            self.mention(&mut content, chance);
        }
        content.say(&first.text, style);
        (content.cut_bytes, content.cut_chars) = (content.text.len(), content.chars);
        for _ in 0..chance.below(4) {
            content.say(&chance.pick(&self.sentences).text, style);
        }
        if chance.happens(40) {
            self.tag(&mut content, chance, style);
        }
        if chance.happens(35) {
            let number = 1_000_000_000 + chance.below(9_000_000_000);
            let slash = if style == Style::Escaped { "\\/" } else { "/" };
            let from = content.chars + 1;
            put!(&mut content.text, " https:", slash, slash, "t.co", slash, number);
            content.chars += 24;
            content.link = Some(Piece { is: number, from, to: content.chars });
        }
        if chance.happens(15) {
            content.media = Some(snowflake(at_ms, chance));
        }
        content
    }

    fn mention(&self, content: &mut Content, chance: &mut Chance) {
        let person = self.person(chance);
        let name = &self.people[person].screen_name;
        put!(&mut content.text, "@", name, " ");
        let to = name.len() as u64 + 1;
        content.chars = to + 1;
        content.mention = Some(Piece { is: person, from: 0, to });
    }

    fn tag(&self, content: &mut Content, chance: &mut Chance, style: Style) {
        let tag = chance.below(self.tags.len() as u64) as usize;
        let from = content.chars + 1;
        put!(&mut content.text, " #", self.tags[tag].styled(style));
        content.chars += self.tags[tag].chars + 2;
        content.tag = Some(Piece { is: tag, from, to: content.chars });
    }
}

impl Content {
    fn say(&mut self, text: &Text, style: Style) {
        if self.cut_bytes > 0 {
            self.text.push(b' ');
            self.chars += 1;
        }
        put!(&mut self.text, text.styled(style));
        self.chars += text.chars;
    }
}
