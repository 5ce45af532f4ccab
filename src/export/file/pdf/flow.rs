//! Lines on pages: where one page ends and the next begins, page numbers, links, and the structure
//! that is read by those who do not look.

use std::num::NonZeroU16;
use std::sync::Arc;

use krilla::Document;
use krilla::SerializeSettings;
use krilla::action::{Action, LinkAction};
use krilla::annotation::{Annotation, LinkAnnotation, Target};
use krilla::color::rgb;
use krilla::destination::{Destination, XyzDestination};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::outline::Outline;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, SpanTag, Tag, TagGroup, TagTree,
};

use super::typeset::{GlyphRun, Ink, Line};
use crate::export::file::WriteError;

/// A4, in points.
const PAGE: (f32, f32) = (595.28, 841.89);

/// What is left free on each side.
const MARGIN: f32 = 56.0;

/// How wide lines are at most.
pub(super) const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;

const BOTTOM: f32 = PAGE.1 - MARGIN;

/// Where the number of the page stands.
const FOOT: f32 = PAGE.1 - 32.0;

/// What a paragraph is to whoever has it read out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Role {
    /// The title of the file.
    Title,
    /// The heading of a section, which it begins.
    Section,
    /// What begins an article: who says something.
    Article,
    /// A paragraph.
    Text,
    /// A line of the contents.
    Entry,
}

/// Where a paragraph leads.
#[derive(Clone)]
pub(super) enum Link {
    Address(String),
    Place(XyzDestination),
}

/// A paragraph that was placed, with what it was drawn as.
struct Paragraph {
    role: Role,
    language: Option<Arc<str>>,
    /// A heading's text.
    title: Option<String>,
    link: Option<Link>,
    drawn: Vec<Identifier>,
}

/// A line on the page that is not full yet.
struct Placed {
    top: f32,
    line: Line,
    paragraph: usize,
}

/// A document that grows page by page.
pub(super) struct Flow {
    document: Document,
    waiting: Vec<Placed>,
    rules: Vec<f32>,
    top: f32,
    page: usize,
    paragraphs: Vec<Paragraph>,
}

/// What is drawn at the foot of a page, given its number.
pub(super) type Foot<'a> = &'a mut dyn FnMut(usize) -> Result<Line, WriteError>;

impl Flow {
    pub(super) fn new(settings: SerializeSettings) -> Flow {
        Flow {
            document: Document::new_with(settings),
            waiting: Vec::new(),
            rules: Vec::new(),
            top: MARGIN,
            page: 0,
            paragraphs: Vec::new(),
        }
    }

    /// The number of the page on which the next line stands, counted from 1.
    pub(super) fn page_number(&self) -> usize {
        self.page + 1
    }

    /// Where the next line stands.
    pub(super) fn here(&self) -> XyzDestination {
        XyzDestination::new(self.page, Point::from_xy(MARGIN, (self.top - 4.0).max(0.0)))
    }

    /// Leaves some room free, unless at the top of a page.
    pub(super) fn skip(&mut self, height: f32) {
        if !self.waiting.is_empty() {
            self.top += height;
        }
    }

    /// Draws a thin line across the page, unless at its top.
    pub(super) fn rule(&mut self) {
        if !self.waiting.is_empty() {
            self.rules.push(self.top);
        }
    }

    /// Begins another page, unless so much fits this one, or would not fit an empty one either.
    pub(super) fn keep(&mut self, height: f32, foot: Foot<'_>) -> Result<(), WriteError> {
        if self.top + height > BOTTOM && MARGIN + height <= BOTTOM {
            self.end_page(foot)?;
        }
        Ok(())
    }

    /// Places a paragraph; where a page is full, it goes on at the next.
    pub(super) fn place(
        &mut self,
        role: Role,
        lines: Vec<Line>,
        language: Option<&Arc<str>>,
        link: Option<Link>,
        foot: Foot<'_>,
    ) -> Result<(), WriteError> {
        let title = matches!(role, Role::Title | Role::Section)
            .then(|| lines.first().map(|line| line.shown.to_string()))
            .flatten();
        let language = language.cloned();
        self.paragraphs.push(Paragraph { role, language, title, link, drawn: Vec::new() });
        let paragraph = self.paragraphs.len() - 1;
        for line in lines {
            if self.top + line.height > BOTTOM && !self.waiting.is_empty() {
                self.end_page(foot)?;
            }
            let top = self.top;
            self.top += line.height;
            self.waiting.push(Placed { top, line, paragraph });
        }
        Ok(())
    }

    /// Draws the page, full or not.
    pub(super) fn end_page(&mut self, foot: Foot<'_>) -> Result<(), WriteError> {
        let foot = foot(self.page_number())?;
        let (width, height) = PAGE;
        let settings = PageSettings::from_wh(width, height).expect("A4 is a size");
        let mut page = self.document.start_page_with(settings);
        let mut surface = page.surface();
        for rule in std::mem::take(&mut self.rules) {
            surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
            draw_rule(&mut surface, rule);
            surface.end_tagged();
        }
        let waiting = std::mem::take(&mut self.waiting);
        for Placed { top, line, paragraph } in &waiting {
            let paragraph = &mut self.paragraphs[*paragraph];
            // What stands for something else is a piece of its own; all else is read as it stands.
            for runs in line.runs.chunk_by(|one, other| one.says.is_none() && other.says.is_none())
            {
                let span = SpanTag::empty()
                    .with_lang(paragraph.language.as_deref())
                    .with_actual_text(runs[0].says.as_deref());
                let drawn = surface.start_tagged(ContentTag::Span(span));
                draw_runs(&mut surface, line, runs, *top);
                surface.end_tagged();
                paragraph.drawn.push(drawn);
            }
        }
        let number = Artifact::with_kind(ArtifactType::PageNumber);
        surface.start_tagged(ContentTag::Artifact(number));
        draw_runs(&mut surface, &foot, &foot.runs, FOOT);
        surface.end_tagged();
        surface.finish();
        for Placed { top, line, paragraph } in waiting {
            let paragraph = &mut self.paragraphs[paragraph];
            let Some(link) = &paragraph.link else { continue };
            let (left, right) = (MARGIN + line.span.start, MARGIN + line.span.end);
            let Some(area) = Rect::from_ltrb(left, top, right, top + line.height) else {
                continue;
            };
            let (target, says) = match link {
                Link::Address(address) => (
                    Target::Action(Action::Link(LinkAction::new(address.clone()))),
                    address.clone(),
                ),
                Link::Place(place) => {
                    (Target::Destination(Destination::Xyz(place.clone())), line.shown.to_string())
                }
            };
            let link = Annotation::new_link(LinkAnnotation::new(area, target), Some(says));
            paragraph.drawn.push(page.add_tagged_annotation(link));
        }
        page.finish();
        self.page += 1;
        self.top = MARGIN;
        Ok(())
    }

    /// Ends the document: its bytes, or what its rules say against it.
    pub(super) fn finish(
        mut self,
        metadata: Metadata,
        outline: Outline,
        foot: Foot<'_>,
    ) -> Result<Vec<u8>, WriteError> {
        if !self.waiting.is_empty() {
            self.end_page(foot)?;
        }
        self.document.set_metadata(metadata);
        self.document.set_outline(outline);
        self.document.set_tag_tree(structure(self.paragraphs));
        self.document.finish().map_err(|error| WriteError::Pdf(format!("{error:?}")))
    }
}

fn draw_rule(surface: &mut Surface<'_>, top: f32) {
    let mut path = PathBuilder::new();
    path.move_to(MARGIN, top);
    path.line_to(PAGE.0 - MARGIN, top);
    surface.set_fill(None);
    surface.set_stroke(Some(Stroke {
        paint: rgb::Color::new(208, 208, 208).into(),
        width: 0.5,
        ..Stroke::default()
    }));
    surface.draw_path(&path.finish().expect("a line is a path"));
    surface.set_stroke(None);
}

fn draw_runs(surface: &mut Surface<'_>, line: &Line, runs: &[GlyphRun], top: f32) {
    for GlyphRun { font, size, ink: Ink([red, green, blue]), left, glyphs, .. } in runs {
        surface.set_fill(Some(Fill {
            paint: rgb::Color::new(*red, *green, *blue).into(),
            opacity: NormalizedF32::ONE,
            rule: Default::default(),
        }));
        let start = Point::from_xy(MARGIN + left, top + line.baseline);
        surface.draw_glyphs(start, glyphs, font.clone(), &line.shown, *size, false);
    }
}

/// The tree of what belongs to what: sections of articles of paragraphs.
fn structure(paragraphs: Vec<Paragraph>) -> TagTree {
    let mut tree = TagTree::new();
    let mut section: Option<TagGroup> = None;
    let mut article: Option<TagGroup> = None;
    let mut contents: Option<TagGroup> = None;
    for paragraph in paragraphs {
        let Paragraph { role, title, link, drawn, .. } = paragraph;
        if drawn.is_empty() {
            continue;
        }
        if role != Role::Text
            && let Some(done) = article.take()
        {
            section.get_or_insert_with(|| TagGroup::new(Tag::Section)).push(done);
        }
        if role == Role::Section
            && let Some(done) = section.take()
        {
            tree.push(done);
        }
        let mut group = match role {
            Role::Title => TagGroup::new(Tag::Hn(NonZeroU16::MIN, title)),
            Role::Section => TagGroup::new(Tag::Hn(NonZeroU16::MIN.saturating_add(1), title)),
            Role::Entry => TagGroup::new(Tag::TOCI),
            Role::Article | Role::Text => TagGroup::new(Tag::P),
        };
        match link {
            Some(_) => {
                let mut linked = TagGroup::new(Tag::Link);
                drawn.into_iter().for_each(|part| linked.push(part));
                group.push(linked);
            }
            None => drawn.into_iter().for_each(|part| group.push(part)),
        }
        match role {
            Role::Entry => contents.get_or_insert_with(|| TagGroup::new(Tag::TOC)).push(group),
            Role::Article => {
                let mut begun = TagGroup::new(Tag::Article);
                begun.push(group);
                article = Some(begun);
            }
            Role::Title | Role::Section | Role::Text => match &mut article {
                Some(article) => article.push(group),
                None => section.get_or_insert_with(|| TagGroup::new(Tag::Section)).push(group),
            },
        }
    }
    if let Some(done) = article {
        section.get_or_insert_with(|| TagGroup::new(Tag::Section)).push(done);
    }
    let mut last = section.unwrap_or_else(|| TagGroup::new(Tag::Section));
    if let Some(contents) = contents {
        last.push(contents);
    }
    tree.push(last);
    tree.with_lang(Some("en".to_owned()))
}
