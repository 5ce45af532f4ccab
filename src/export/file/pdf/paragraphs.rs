//! A PDF file of plain paragraphs under headings, such as a report.

use krilla::outline::{Outline, OutlineNode};

use super::flow::{Flow, Role, WIDTH};
use super::font::Fonts;
use super::typeset::{Look, Typesetter};
use super::{GAP, HEADING, NAME, SMALL, TEXT, TITLE, foot, metadata, settings};
use crate::export::file::{Options, WriteError};

/// What a paragraph is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::export) enum Kind {
    /// The heading of a section.
    Heading,
    /// What begins an entry.
    Strong,
    /// A paragraph.
    Text,
    /// One that few read.
    Small,
}

impl Kind {
    fn set(self) -> (Role, Look) {
        match self {
            Kind::Heading => (Role::Section, HEADING),
            Kind::Strong => (Role::Article, NAME),
            Kind::Text => (Role::Text, TEXT),
            Kind::Small => (Role::Text, SMALL),
        }
    }
}

/// The bytes of a file with that title over `paragraphs`.
pub(in crate::export) fn of_paragraphs(
    options: &Options,
    title: &str,
    made_ms: i64,
    paragraphs: &[(Kind, String)],
) -> Result<Vec<u8>, WriteError> {
    let mut setter = Typesetter::new(Fonts::of_folder(&options.fonts)?);
    let mut flow = Flow::new(settings());
    let mut outline = Outline::new();
    let title_look = (Role::Title, TITLE, title);
    let rest = paragraphs.iter().map(|(kind, text)| {
        let (role, look) = kind.set();
        (role, look, text.as_str())
    });
    for (role, look, text) in std::iter::once(title_look).chain(rest) {
        let lines = setter.set(&[(text, look)], None, WIDTH)?;
        let mut foot = |page| foot(&mut setter, 1, 1, page);
        if role != Role::Text {
            flow.skip(GAP);
            // Nothing that begins something stands alone at the foot of a page.
            flow.keep(look.size * 8.0, &mut foot)?;
        }
        if role == Role::Section {
            outline.push_child(OutlineNode::new(text.to_owned(), flow.here()));
        }
        flow.place(role, lines, None, None, &mut foot)?;
    }
    let metadata = metadata(title, "", made_ms);
    flow.finish(metadata, outline, &mut |page| foot(&mut setter, 1, 1, page))
}
