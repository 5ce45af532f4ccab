//! Texts of any script as lines of glyphs: shaping, direction, fonts for what others lack, and a
//! visible stand-in for what no font has.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;
use std::sync::Arc;

use krilla::text::{Font, GlyphId, KrillaGlyph, Tag};
use parley::{
    Alignment, AlignmentOptions, FontData, FontFamily, FontWeight, Layout, LayoutContext,
    LineHeight, OverflowWrap, StyleProperty,
};

use super::font::{Families, Fonts};
use crate::export::file::WriteError;

/// How a part of a text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    /// In points.
    pub(super) size: f32,
    pub(super) weight: Weight,
    pub(super) ink: Ink,
}

/// How strong letters are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// The colour of letters, as red, green and blue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Ink(pub(super) [u8; 3]);

/// The ink of what stands for a sign that cannot be shown.
const STAND_IN: Ink = Ink([160, 80, 0]);

/// A line that is ready to be drawn.
pub(super) struct Line {
    /// From its top to where its letters stand, in points.
    pub(super) baseline: f32,
    pub(super) height: f32,
    /// From where to where its letters reach.
    pub(super) span: Range<f32>,
    pub(super) runs: Vec<GlyphRun>,
    /// The text that `runs` are about.
    pub(super) shown: Arc<str>,
}

/// Glyphs of one font in one look.
pub(super) struct GlyphRun {
    pub(super) font: Font,
    pub(super) size: f32,
    pub(super) ink: Ink,
    /// Where it begins, in points from the left.
    pub(super) left: f32,
    pub(super) glyphs: Vec<KrillaGlyph>,
    /// What they say to whoever does not look, where they stand for something else.
    pub(super) says: Option<String>,
}

/// Faces by the number of their file, their place in it, and whether they draw stand-ins.
type Faces = HashMap<(u64, u32, bool), Font>;

/// What sets texts.
pub(super) struct Typesetter {
    fonts: Fonts,
    context: LayoutContext<Ink>,
    layout: Layout<Ink>,
    faces: Faces,
    /// How many signs no font had so far.
    pub(super) missing: u64,
}

/// A part of a text that is shown as something else.
struct Change {
    /// Where, in the text that is shown.
    shown: Range<usize>,
    /// What it stands for.
    original: String,
}

/// A text with its looks as it is shown.
#[derive(Default)]
struct Shown {
    text: String,
    looks: Vec<(Range<usize>, Look)>,
    changes: Vec<Change>,
}

impl Shown {
    /// The same with `replace` asked for a stand-in of each sign by its place in the text.
    fn of<'a>(
        parts: impl Iterator<Item = (&'a str, Look)>,
        mut replace: impl FnMut(usize, char) -> Option<String>,
    ) -> Shown {
        let mut shown = Shown::default();
        let mut before = 0;
        for (part, look) in parts {
            let begin = shown.text.len();
            for (place, sign) in part.char_indices() {
                match replace(before + place, sign) {
                    None => shown.text.push(sign),
                    // Nothing is shown of it, so nothing can say it.
                    Some(other) if other.is_empty() => {}
                    Some(other) => {
                        let begin = shown.text.len();
                        shown.text += &other;
                        let shown_as = begin..shown.text.len();
                        shown.changes.push(Change { shown: shown_as, original: sign.to_string() });
                    }
                }
            }
            before += part.len();
            shown.looks.push((begin..shown.text.len(), look));
        }
        shown
    }

    /// The number of the change that a range stands in.
    fn change_at(&self, range: &Range<usize>) -> Option<usize> {
        let place = self.changes.partition_point(|change| change.shown.end <= range.start);
        let change = self.changes.get(place)?;
        (change.shown.start <= range.start).then_some(place)
    }
}

/// What is shown for a sign that has no looks of its own.
fn stand_in(sign: char) -> Option<String> {
    match sign {
        '\t' => Some("    ".to_owned()),
        // These are read, not seen, and some readers of PDF files stumble over them.
        '\r' | '\u{feff}' => Some(String::new()),
        '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => Some(" ".to_owned()),
        _ if sign.is_control() || u32::from(sign) & 0xfffe == 0xfffe => Some(number(sign)),
        _ => None,
    }
}

/// A sign by its number. Nothing in it turns round in a text from the right to the left, and the
/// breaks about it keep marks, which join the sign before, from becoming one with it.
fn number(sign: char) -> String {
    format!("{BREAK}U+{:04X}{BREAK}", u32::from(sign))
}

/// A space without width, which has no looks.
const BREAK: char = '\u{200b}';

impl Typesetter {
    pub(super) fn new(fonts: Fonts) -> Typesetter {
        Typesetter {
            fonts,
            context: LayoutContext::new(),
            layout: Layout::new(),
            faces: HashMap::new(),
            missing: 0,
        }
    }

    /// Sets a paragraph of parts, none of which holds a line feed, in lines of at most `width`
    /// points.
    pub(super) fn set(
        &mut self,
        parts: &[(&str, Look)],
        language: Option<&str>,
        width: f32,
    ) -> Result<Vec<Line>, WriteError> {
        let families = self.fonts.families(language);
        let mut shown = Shown::of(parts.iter().copied(), |_, sign| stand_in(sign));
        if shown.text.is_empty() {
            return Ok(Vec::new());
        }
        self.lay_out(&shown, &families, width);
        let missing = self.missing_places();
        if !missing.is_empty() {
            let signs = |range: &Range<usize>| shown.text[range.clone()].chars().count() as u64;
            self.missing += missing.iter().map(signs).sum::<u64>();
            shown = shown.with_numbers(&missing);
            self.lay_out(&shown, &families, width);
        }
        self.lines(&shown)
    }

    fn lay_out(&mut self, shown: &Shown, families: &Families, width: f32) {
        let Typesetter { fonts, context, layout, .. } = self;
        let mut builder = context.ranged_builder(&mut fonts.context, &shown.text, 1.0, false);
        builder.push_default(StyleProperty::FontFamily(FontFamily::List(Cow::Borrowed(families))));
        builder.push_default(StyleProperty::LineHeight(LineHeight::FontSizeRelative(1.36)));
        builder.push_default(StyleProperty::OverflowWrap(OverflowWrap::Anywhere));
        for (range, look) in &shown.looks {
            builder.push(StyleProperty::FontSize(look.size), range.clone());
            builder.push(StyleProperty::Brush(look.ink), range.clone());
            if look.weight == Weight::Bold {
                builder.push(StyleProperty::FontWeight(FontWeight::BOLD), range.clone());
            }
        }
        builder.build_into(layout, &shown.text);
        layout.break_all_lines(Some(width));
        layout.align(Alignment::Start, AlignmentOptions::default());
    }

    /// Where in the text that was laid out there are signs that no font has.
    fn missing_places(&self) -> Vec<Range<usize>> {
        let runs = self.layout.lines().flat_map(|line| line.runs());
        let clusters = runs.flat_map(|run| run.clusters());
        let missing = clusters.filter(|cluster| cluster.glyphs().any(|glyph| glyph.id == 0));
        let mut places: Vec<Range<usize>> = missing.map(|cluster| cluster.text_range()).collect();
        places.sort_by_key(|range| range.start);
        places.dedup();
        places
    }

    fn lines(&mut self, shown: &Shown) -> Result<Vec<Line>, WriteError> {
        let text: Arc<str> = shown.text.as_str().into();
        let mut lines = Vec::new();
        let mut told = None;
        for line in self.layout.lines() {
            let metrics = *line.metrics();
            let mut x = metrics.offset;
            let mut runs = Vec::new();
            for run in line.runs() {
                let face = run.font();
                let size = run.font_size();
                let (mut alike, mut joined) = (None, None);
                for cluster in run.visual_clusters() {
                    let mut range = cluster.text_range();
                    if cluster.is_ligature_continuation() {
                        // The glyph that stands for these letters too comes first where text runs
                        // from the left to the right, and last where it runs the other way.
                        if run.is_rtl() {
                            joined = Some(joined.map_or(range.clone(), |more| around(more, range)));
                        } else {
                            extend(&mut runs, range);
                        }
                        continue;
                    }
                    if let Some(more) = joined.take() {
                        range = around(more, range);
                    }
                    let sign = shown.text[cluster.text_range()].chars().next();
                    let change = shown.change_at(&cluster.text_range());
                    if change.is_some() && sign == Some(BREAK) {
                        continue;
                    }
                    // A stand-in is told from what somebody wrote by its ink.
                    let ink = if change.is_some() { STAND_IN } else { cluster.style().brush };
                    let looks = Some((cluster.style_index(), change));
                    for glyph in cluster.glyphs() {
                        if alike != looks {
                            alike = looks;
                            let says = change.map(|change| said(&mut told, shown, change));
                            let (font, glyphs) =
                                (embedded(&mut self.faces, face, change.is_some())?, Vec::new());
                            runs.push(GlyphRun { font, size, ink, left: x, glyphs, says });
                        }
                        let run = runs.last_mut().expect("one was begun");
                        run.glyphs.push(KrillaGlyph::new(
                            GlyphId::new(glyph.id),
                            glyph.advance / size,
                            glyph.x / size,
                            glyph.y / size,
                            0.0,
                            range.clone(),
                            None,
                        ));
                        x += glyph.advance;
                    }
                }
            }
            lines.push(Line {
                baseline: metrics.baseline - metrics.block_min_coord,
                height: metrics.line_height,
                span: metrics.offset..x,
                runs,
                shown: Arc::clone(&text),
            });
        }
        Ok(lines)
    }
}

/// A face as it is embedded. Stand-ins have copies of their own: where one glyph stands for two
/// texts in one face, krilla lets each say its text, and readers then lose what the stand-in says.
fn embedded(faces: &mut Faces, face: &FontData, is_stand_in: bool) -> Result<Font, WriteError> {
    Ok(match faces.entry((face.data.id(), face.index, is_stand_in)) {
        Entry::Occupied(known) => known.get().clone(),
        Entry::Vacant(free) => {
            let (data, _) = face.data.clone().into_raw_parts();
            // An axis that no face has makes it another one, which looks the same.
            let axes = [(Tag::new(b"STND"), 0.0)];
            let axes = if is_stand_in { &axes[..] } else { &[] };
            let font = Font::new_variable(data.into(), face.index, axes);
            free.insert(font.ok_or(WriteError::BadFont)?).clone()
        }
    })
}

/// What the first part of a stand-in says; where it goes on, nothing is left to say.
fn said(told: &mut Option<usize>, shown: &Shown, change: usize) -> String {
    if *told == Some(change) {
        // Nothing at all would leave it to the reader to say the number.
        return BREAK.to_string();
    }
    *told = Some(change);
    shown.changes[change].original.clone()
}

/// Lets the glyph before stand for more of the text: it joins several letters.
fn extend(runs: &mut [GlyphRun], range: Range<usize>) {
    if let Some(glyph) = runs.last_mut().and_then(|run| run.glyphs.last_mut()) {
        glyph.text_range = around(glyph.text_range.clone(), range);
    }
}

/// The least range that holds both.
fn around(one: Range<usize>, other: Range<usize>) -> Range<usize> {
    one.start.min(other.start)..one.end.max(other.end)
}

impl Shown {
    /// The same with the signs at these places shown by their numbers.
    fn with_numbers(self, missing: &[Range<usize>]) -> Shown {
        let parts = self.looks.iter().map(|(range, look)| (&self.text[range.clone()], *look));
        let is_missing = |place: usize| {
            let before = missing.partition_point(|range| range.start <= place);
            before > 0 && missing[before - 1].contains(&place)
        };
        let mut numbered = Shown::of(parts, |place, sign| is_missing(place).then(|| number(sign)));
        let mut earlier = self.changes.into_iter().peekable();
        let mut shift = 0;
        // What was changed before keeps its original, wherever it is by now.
        let mut changes = Vec::new();
        for change in std::mem::take(&mut numbered.changes) {
            let at = change.shown.start - shift;
            while let Some(before) = earlier.next_if(|before| before.shown.start < at) {
                changes.push(before.moved(shift));
            }
            shift += change.shown.len() - change.original.len();
            changes.push(change);
        }
        changes.extend(earlier.map(|before| before.moved(shift)));
        numbered.changes = changes;
        numbered
    }
}

impl Change {
    fn moved(self, by: usize) -> Change {
        Change { shown: self.shown.start + by..self.shown.end + by, ..self }
    }
}
