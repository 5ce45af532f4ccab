//! The files that people download: which there are, and how each is written from objects.

mod column;
mod csv;
mod feed;
#[cfg(feature = "pdf")]
mod pdf;
mod xlsx;

use std::fs::File;
use std::io;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use crate::base::ids::IdKind;
use crate::export::cover::{Cover, NotAZone, zone};
use crate::export::object::Object;

use feed::Feed;

pub(super) use csv::inert;
#[cfg(feature = "pdf")]
pub(super) use pdf::paragraphs as pages;
#[cfg(all(test, feature = "pdf"))]
pub(super) use tests::read_pdf;

/// What a file is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Tables for programs.
    Csv,
    /// A workbook for spreadsheets.
    Xlsx,
    /// Pages for people.
    Pdf,
}

/// A format of files.
#[derive(Debug)]
pub struct FileKind {
    /// Which one.
    pub format: Format,
    /// Its word in forms, commands and stores.
    pub word: &'static str,
    /// What people are told that it is.
    pub says: &'static str,
    /// In what it is handed out, if nothing else is said by [`Written::container`].
    pub container: Container,
    write: fn(Feed<'_>, &Job<'_>, &mut File) -> Result<Written, WriteError>,
}

/// What a file is to whoever saves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Container {
    /// The ending of its name, without the dot.
    pub extension: &'static str,
    /// Its media type.
    pub media_type: &'static str,
}

const PDF: Container = Container { extension: "pdf", media_type: "application/pdf" };

/// Several files in one.
const ZIP: Container = Container { extension: "zip", media_type: "application/zip" };

/// Every format.
pub const FILES: &[FileKind] = &[
    FileKind {
        format: Format::Xlsx,
        word: "xlsx",
        says: "XLSX, a workbook for spreadsheets",
        container: xlsx::XLSX,
        write: xlsx::write,
    },
    FileKind {
        format: Format::Pdf,
        word: "pdf",
        says: "PDF, pages to read and print",
        container: PDF,
        #[cfg(feature = "pdf")]
        write: pdf::write,
        #[cfg(not(feature = "pdf"))]
        write: |_, _, _| Err(WriteError::NoPdf),
    },
    FileKind {
        format: Format::Csv,
        word: "csv",
        says: "CSV, tables for programs, in a zip",
        container: ZIP,
        write: csv::write,
    },
];

/// The names of the columns in which Tweets or Users stand; messages stand in none.
pub fn columns_of(kind: IdKind) -> Vec<&'static str> {
    match kind {
        IdKind::Tweet => column::TWEETS.iter().map(|column| column.name).collect(),
        IdKind::User => column::USERS.iter().map(|column| column.name).collect(),
        IdKind::Dm => Vec::new(),
    }
}

/// The media type of a file whose name ends so.
pub fn media_type(extension: &str) -> &'static str {
    let known = FILES.iter().map(|kind| kind.container).chain([ZIP]);
    let found = known.into_iter().find(|container| container.extension == extension);
    found.map_or("application/octet-stream", |container| container.media_type)
}

impl Format {
    /// Its row of [`FILES`].
    pub fn kind(self) -> &'static FileKind {
        FILES.iter().find(|kind| kind.format == self).expect("every format has a row")
    }

    /// The format that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<Format> {
        FILES.iter().find(|kind| kind.word == word).map(|kind| kind.format)
    }
}

/// What a file became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// What it is to whoever saves it.
    pub container: Container,
    /// How many files are in it that hold objects.
    pub parts: u32,
    /// How many signs no font has, which are shown by their numbers instead.
    pub missing_glyphs: u64,
}

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The objects cannot be read; also how their reader says that nobody wants the file any more.
    #[error("the objects cannot be read")]
    Objects(#[source] io::Error),
    /// The file cannot be written.
    #[error("the file cannot be written")]
    File(#[from] io::Error),
    /// The zip cannot be written.
    #[error("the zip cannot be written")]
    Zip(#[from] zip::result::ZipError),
    /// The workbook cannot be written.
    #[error("the workbook cannot be written")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// There is no font.
    #[error(
        "no font was found in {}: Noto Sans is needed there (in Debian, install {})",
        folder.display(),
        FONT_PACKAGES
    )]
    NoFont {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// This program was built without them.
    #[error(
        "this hydrant was built without PDF files: build it with the feature `pdf`, or ask for XLSX"
    )]
    NoPdf,
    /// A font is damaged.
    #[error("a font cannot be read: install the packages of fonts again ({})", FONT_PACKAGES)]
    BadFont,
    /// The PDF file cannot be made.
    #[error("the PDF file cannot be made: {0}")]
    Pdf(String),
    /// The zone of the cover sheet is none.
    #[error(transparent)]
    Zone(#[from] NotAZone),
    /// An object comes out of turn.
    #[error(
        "{after} comes after {before}: Tweets first, then Users, each in the order of their IDs"
    )]
    Order {
        /// The object before, such as `tweet 20`.
        before: String,
        /// The one that should have come before that.
        after: String,
    },
    /// The cover sheet promises other numbers.
    #[error("{tweets} tweets and {users} users came, where the cover sheet says otherwise")]
    Count {
        /// How many Tweets came.
        tweets: u64,
        /// How many Users came.
        users: u64,
    },
}

/// What the writers of all formats are told.
struct Job<'a> {
    cover: &'a Cover,
    zone: TimeZone,
    options: &'a Options,
}

/// What is installed in Debian where a font is missing.
const FONT_PACKAGES: &str = "fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji";

/// What is set once for all files.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where temporary files lie while a file is written; they have no names.
    pub folder: PathBuf,
    /// Where the fonts of PDF files are: a folder with Noto's, at any depth.
    pub fonts: PathBuf,
    /// How many objects a PDF file holds at most; if there are more, they come as a zip of files.
    pub pdf_objects_max: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            folder: std::env::temp_dir(),
            fonts: "/usr/share/fonts".into(),
            pdf_objects_max: 5_000,
        }
    }
}

/// Writes `objects` to `out`, an empty file, and tells `progress` after each object how many there
/// are by now. Little of the objects is in memory at any time.
///
/// Objects come Tweets first, then Users, each in the order of their IDs (the same twice is let
/// through), as many as the cover sheet says. Whoever wants to stop lets `objects` return an
/// error. After an error the file holds nothing of use.
///
/// # Errors
/// [`WriteError`] if objects, their order, their number, the zone or the file are not as they
/// should be.
pub fn write(
    options: &Options,
    format: Format,
    cover: &Cover,
    objects: &mut dyn Iterator<Item = io::Result<Object>>,
    out: &mut File,
    progress: &mut dyn FnMut(u64),
) -> Result<Written, WriteError> {
    let job = Job { cover, zone: zone(&cover.zone)?, options };
    (format.kind().write)(Feed::new(cover, objects, progress), &job, out)
}

#[cfg(test)]
mod tests;
