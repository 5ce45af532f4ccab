//! PDF files: every Tweet as it is shown offline, with full name, @username, the whole text, time,
//! platform and address, day by day; in parts of a size that readers open quickly.

mod flow;
mod font;
pub(in crate::export) mod paragraphs;
mod typeset;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use jiff::Timestamp;
use krilla::SerializeSettings;
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use zip::{CompressionMethod, ZipWriter};

use super::csv::entry_options;
use super::feed::Feed;
use super::{Job, PDF, WriteError, Written, ZIP};
use crate::base::date;
use crate::base::number::separated;
use crate::export::object::{Author, TweetObject, UserObject};
use flow::{Flow, Link, Role, WIDTH};
use font::Fonts;
use typeset::{Ink, Line, Look, Typesetter, Weight};

const TITLE: Look = Look { size: 18.0, weight: Weight::Bold, ink: BLACK };
const HEADING: Look = Look { size: 13.0, weight: Weight::Bold, ink: BLACK };
const NAME: Look = Look { size: 10.0, weight: Weight::Bold, ink: BLACK };
const TEXT: Look = Look { size: 10.0, weight: Weight::Regular, ink: BLACK };
const QUIET: Look = Look { size: 10.0, weight: Weight::Regular, ink: GREY };
const SMALL: Look = Look { size: 8.0, weight: Weight::Regular, ink: GREY };
const BLACK: Ink = Ink([17, 17, 17]);
const GREY: Ink = Ink([85, 85, 85]);

/// What is left free between Tweets, on each side of the line between them, in points.
const GAP: f32 = 6.0;

/// The height of a line of a text that holds nothing.
const EMPTY: f32 = 7.0;

/// What the contents are called.
const CONTENTS: &str = "Contents by day";

/// Writes one file, or a zip of them if there are more objects than one may hold.
pub(super) fn write(
    mut feed: Feed<'_>,
    job: &Job<'_>,
    out: &mut File,
) -> Result<Written, WriteError> {
    let mut setter = Typesetter::new(Fonts::of_folder(&job.options.fonts)?);
    let most = job.options.pdf_objects_max.max(1);
    let objects = job.cover.tweets + job.cover.users;
    let parts = objects.div_ceil(most).max(1);
    let mut write_part = |number: u64, out: &mut dyn Write| -> Result<(), WriteError> {
        let mut part = Part::begin(&mut setter, job, number, parts)?;
        for _ in 0..most {
            if let Some(tweet) = feed.tweet()? {
                part.tweet(&tweet)?;
            } else if let Some(user) = feed.user()? {
                part.user(&user)?;
            } else {
                break;
            }
        }
        Ok(out.write_all(&part.finish()?)?)
    };
    let container = if parts == 1 {
        write_part(1, out)?;
        PDF
    } else {
        let mut zip = ZipWriter::new(BufWriter::with_capacity(1 << 16, out));
        // A PDF file is compressed already.
        let options = entry_options(job).compression_method(CompressionMethod::Stored);
        for number in 1..=parts {
            zip.start_file(format!("{}-part-{number}-of-{parts}.pdf", job.cover.dataset), options)?;
            write_part(number, &mut zip)?;
        }
        zip.finish()?.flush()?;
        ZIP
    };
    feed.finish()?;
    let parts = u32::try_from(parts).unwrap_or(u32::MAX);
    Ok(Written { container, parts, missing_glyphs: setter.missing })
}

/// One file on its way.
struct Part<'a> {
    flow: Flow,
    setter: &'a mut Typesetter,
    job: &'a Job<'a>,
    number: u64,
    parts: u64,
    sections: Vec<Section>,
}

/// A heading that the contents name.
struct Section {
    title: String,
    place: krilla::destination::XyzDestination,
    page: usize,
    objects: u64,
}

/// A paragraph that is set, but has no place yet.
struct Set {
    role: Role,
    lines: Vec<Line>,
    language: Option<Arc<str>>,
    link: Option<Link>,
}

impl Set {
    fn height(&self) -> f32 {
        self.lines.iter().map(|line| line.height).sum()
    }
}

impl<'a> Part<'a> {
    /// Begins a file with the cover sheet.
    fn begin(
        setter: &'a mut Typesetter,
        job: &'a Job<'a>,
        number: u64,
        parts: u64,
    ) -> Result<Part<'a>, WriteError> {
        let flow = Flow::new(settings());
        let mut part = Part { flow, setter, job, number, parts, sections: Vec::new() };
        let title = part.set(Role::Title, &[(&job.cover.title, TITLE)], None, None)?;
        part.place(title)?;
        part.flow.skip(GAP * 2.0);
        let mut rows = job.cover.rows(&job.zone);
        if parts > 1 {
            rows.push(("This part".into(), format!("{number} of {parts}")));
        }
        rows.push((CONTENTS.into(), "at the end of this file, and as its bookmarks".into()));
        for (name, text) in &rows {
            let label = if name.is_empty() { "    ".to_owned() } else { format!("{name}: ") };
            for (place, line) in text.lines().enumerate() {
                let label = if place == 0 { label.as_str() } else { "    " };
                let row = part.set(Role::Text, &[(label, NAME), (line, TEXT)], None, None)?;
                part.place(row)?;
            }
            part.flow.skip(2.0);
        }
        part.end_page()?;
        Ok(part)
    }

    fn tweet(&mut self, tweet: &TweetObject) -> Result<(), WriteError> {
        let platform = &self.job.cover.platform;
        let moment = |time_ms| date::in_zone(time_ms, &self.job.zone);
        let day = moment(tweet.created_ms)[..DAY_LETTERS].to_owned();
        let link = platform.tweet_link(&tweet.author.username, tweet.id);
        let mut meta = Vec::new();
        let mut set = Vec::new();
        let mut role = Role::Article;
        let (author, said_ms, said_at) = match &tweet.retweet_of {
            None => (&tweet.author, tweet.created_ms, link),
            Some(of) => {
                let by = format!("Re{}ed by ", platform.word.to_lowercase());
                let Author { name, username, .. } = &tweet.author;
                let when = format!(" @{username} · {} · {link}", moment(tweet.created_ms));
                let parts = [(by.as_str(), SMALL), (name, SMALL), (&when, SMALL)];
                set.push(self.set(role, &parts, None, Some(Link::Address(link)))?);
                role = Role::Text;
                let said_at = platform.tweet_link(&of.author.username, of.id);
                (&of.author, of.created_ms, said_at)
            }
        };
        meta.push((format!("{} · {} · {said_at}", moment(said_ms), platform.name), said_at));
        for (what, other) in [("In reply to", tweet.reply_to), ("Quotes", tweet.quote_of)] {
            if let Some(id) = other {
                let link = platform.tweet_link("i", id);
                meta.push((format!("{what} {link}"), link));
            }
        }
        set.push(self.author(role, author)?);
        self.text(&mut set, &tweet.text, language(tweet.lang.as_deref()).as_ref())?;
        for (line, address) in meta {
            let link = Some(Link::Address(address));
            set.push(self.set(Role::Text, &[(&line, SMALL)], None, link)?);
        }
        self.object(&day, set)
    }

    fn user(&mut self, user: &UserObject) -> Result<(), WriteError> {
        let UserObject { id, username, name, .. } = user;
        let author = Author { id: *id, username: username.clone(), name: name.clone() };
        let mut set = vec![self.author(Role::Article, &author)?];
        for text in [&user.description, &user.location, &user.url].into_iter().flatten() {
            self.text(&mut set, text, None)?;
        }
        let mut facts = Vec::new();
        facts.extend(
            user.created_ms.map(|ms| format!("since {}", date::in_zone(ms, &self.job.zone))),
        );
        let tweets = format!("{}s", self.job.cover.platform.word);
        for (count, what) in [
            (user.counts.followers, "followers"),
            (user.counts.following, "following"),
            (user.counts.tweets, &tweets),
        ] {
            facts.extend(count.map(|count| format!("{} {what}", separated(count))));
        }
        let platform = &self.job.cover.platform;
        let link = platform.user_link(*id);
        facts.extend([platform.name.clone(), link.clone()]);
        let facts = facts.join(" · ");
        set.push(self.set(Role::Text, &[(&facts, SMALL)], None, Some(Link::Address(link)))?);
        self.object("Users", set)
    }

    fn author(&mut self, role: Role, author: &Author) -> Result<Set, WriteError> {
        let username = format!("@{}", author.username);
        self.set(role, &[(&author.name, NAME), (" ", NAME), (&username, QUIET)], None, None)
    }

    /// Sets what somebody wrote, paragraph by paragraph, each in its own direction.
    fn text(
        &mut self,
        set: &mut Vec<Set>,
        text: &str,
        language: Option<&Arc<str>>,
    ) -> Result<(), WriteError> {
        for line in text.split('\n') {
            set.push(self.set(Role::Text, &[(line, TEXT)], language, None)?);
        }
        Ok(())
    }

    /// Places an object under the heading of its section.
    fn object(&mut self, section: &str, set: Vec<Set>) -> Result<(), WriteError> {
        let height: f32 = set.iter().map(Set::height).sum::<f32>() + 2.0 * GAP;
        if self.sections.last().is_none_or(|last| last.title != section) {
            let heading = self.set(Role::Section, &[(section, HEADING)], None, None)?;
            self.flow.skip(GAP);
            // A heading alone at the foot of a page would head nothing.
            self.keep(heading.height() + 3.0 * GAP + height)?;
            self.sections.push(Section {
                title: section.to_owned(),
                place: self.flow.here(),
                page: self.flow.page_number(),
                objects: 0,
            });
            self.place(heading)?;
            self.flow.skip(GAP);
        } else {
            self.keep(height)?;
            self.flow.rule();
            self.flow.skip(GAP);
        }
        if let Some(section) = self.sections.last_mut() {
            section.objects += 1;
        }
        for set in set {
            self.place(set)?;
        }
        self.flow.skip(GAP);
        Ok(())
    }

    /// Ends the file with the contents: its bytes.
    fn finish(mut self) -> Result<Vec<u8>, WriteError> {
        let mut outline = Outline::new();
        outline.push_child(OutlineNode::new(
            "About this file".to_owned(),
            krilla::destination::XyzDestination::new(0, krilla::geom::Point::from_xy(0.0, 0.0)),
        ));
        let sections = std::mem::take(&mut self.sections);
        for month in sections.chunk_by(|one, other| month(&one.title) == month(&other.title)) {
            let nodes = month
                .iter()
                .map(|section| OutlineNode::new(section.title.clone(), section.place.clone()));
            if month.len() == 1 {
                nodes.for_each(|node| outline.push_child(node));
            } else {
                let first = &month[0];
                let title = self::month(&first.title).to_owned();
                let mut node = OutlineNode::new(title, first.place.clone());
                nodes.for_each(|day| node.push_child(day));
                outline.push_child(node);
            }
        }
        if !sections.is_empty() {
            self.end_page()?;
            let node = OutlineNode::new(CONTENTS.to_owned(), self.flow.here());
            outline.push_child(node);
            let heading = self.set(Role::Section, &[(CONTENTS, HEADING)], None, None)?;
            self.place(heading)?;
            self.flow.skip(GAP);
        }
        for Section { title, place, page, objects } in sections {
            let count = format!(" · {} · page {page}", separated(objects));
            let link = Some(Link::Place(place));
            let entry = self.set(Role::Entry, &[(&title, NAME), (&count, TEXT)], None, link)?;
            self.place(entry)?;
        }
        let cover = &self.job.cover;
        let metadata = metadata(&cover.title, &cover.selection, cover.made_ms);
        let Part { flow, setter, number, parts, .. } = self;
        flow.finish(metadata, outline, &mut |page| foot(setter, number, parts, page))
    }

    fn set(
        &mut self,
        role: Role,
        parts: &[(&str, Look)],
        language: Option<&Arc<str>>,
        link: Option<Link>,
    ) -> Result<Set, WriteError> {
        let lines = self.setter.set(parts, language.map(AsRef::as_ref), WIDTH)?;
        Ok(Set { role, lines, language: language.cloned(), link })
    }

    fn place(&mut self, set: Set) -> Result<(), WriteError> {
        let Part { flow, setter, number, parts, .. } = self;
        if set.lines.is_empty() {
            flow.skip(EMPTY);
            return Ok(());
        }
        let Set { role, lines, language, link } = set;
        let foot = &mut |page| foot(setter, *number, *parts, page);
        flow.place(role, lines, language.as_ref(), link, foot)
    }

    fn keep(&mut self, height: f32) -> Result<(), WriteError> {
        let Part { flow, setter, number, parts, .. } = self;
        flow.keep(height, &mut |page| foot(setter, *number, *parts, page))
    }

    fn end_page(&mut self) -> Result<(), WriteError> {
        let Part { flow, setter, number, parts, .. } = self;
        flow.end_page(&mut |page| foot(setter, *number, *parts, page))
    }
}

fn metadata(title: &str, description: &str, made_ms: i64) -> Metadata {
    let made = Timestamp::from_millisecond(made_ms).unwrap_or_default();
    let made = made.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let made = DateTime::new(u16::try_from(made.year()).unwrap_or_default())
        .month(made.month() as u8)
        .day(made.day() as u8)
        .hour(made.hour() as u8)
        .minute(made.minute() as u8)
        .second(made.second() as u8)
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    Metadata::new()
        .title(title.to_owned())
        .description(description.to_owned())
        .creator("hydrant".to_owned())
        .language("en".to_owned())
        .creation_date(made)
}

/// How many letters the day of a moment has.
const DAY_LETTERS: usize = "2027-06-30".len();

/// The month of a day; of another section its name.
fn month(section: &str) -> &str {
    section.get(..7).filter(|_| section.len() == DAY_LETTERS).unwrap_or(section)
}

fn foot(setter: &mut Typesetter, number: u64, parts: u64, page: usize) -> Result<Line, WriteError> {
    let text = match parts {
        1 => format!("Page {page}"),
        _ => format!("Part {number} of {parts}, page {page}"),
    };
    let lines = setter.set(&[(&text, SMALL)], None, WIDTH)?;
    Ok(lines.into_iter().next().expect("a text has a line"))
}

/// A language as PDF files name it, if the platform knew it.
fn language(lang: Option<&str>) -> Option<Arc<str>> {
    let lang = lang?;
    let plain = lang.bytes().all(|byte| byte.is_ascii_lowercase());
    // `und` and those with a `q` are the platform's words for no language.
    let known = plain && (2..=3).contains(&lang.len()) && lang != "und" && !lang.starts_with('q');
    known.then(|| lang.into())
}

#[cfg(not(test))]
fn settings() -> SerializeSettings {
    SerializeSettings::default()
}

/// In tests the rules of PDF/UA-1 are checked. Outside, a file that breaks one for what somebody
/// wrote is better than none.
#[cfg(test)]
fn settings() -> SerializeSettings {
    use krilla::configure::{Accessibility, ConfigurationBuilder};
    let rules = ConfigurationBuilder::new().with_accessibility_validator(Accessibility::UA1);
    let configuration = rules.finish().expect("one standard does not contradict itself");
    SerializeSettings { configuration, ..SerializeSettings::default() }
}
