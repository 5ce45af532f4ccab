//! Bytes to IDs: one file and one row of [`FORMATS`] for each format of tweets in use.
//!
//! Sans-IO: [`Extractor::take`] gets a slice of the decoded source and says how much it used up;
//! what it found is in the [`Harvest`]. Three lanes read the framing: JSON values, rows of a
//! table, lines of a list. Which one a source takes is told by its first bytes; which format a
//! JSON record has is told record by record. The only part that knows bytes is `scan`.

mod account_archive;
mod compliance;
mod control;
mod gnip;
mod graphql;
mod harvest;
mod id;
mod id_list;
mod json;
mod key;
mod old_dm;
mod record;
mod resync;
mod scan;
mod scrape;
mod sniff;
mod stated;
mod table;
mod v1_dm;
mod v1_page;
mod v1_tweet;
mod v2_dm;
mod v2_flat;
mod v2_object;
mod v2_page;
mod v2_stream;
mod value;

use crate::base::ids::IdKind;
pub(crate) use harvest::{Deleted, Harvest};
pub(crate) use id_list::entry_id as list_id;
use record::Record;

/// A format of tweets in use.
pub struct Format {
    /// Its number in the list of formats of the documentation.
    pub number: u8,
    /// The word of `--format`.
    pub name: &'static str,
    /// What it is, for help texts.
    pub says: &'static str,
    shape: Shape,
}

/// How a format is framed, and how its IDs are taken.
enum Shape {
    /// JSON values: told record by record.
    Json { recognise: fn(&Record<'_>) -> bool, extract: fn(&Record<'_>, &mut Harvest) },
    /// JSON values that name what is to be removed: they give nothing unless this very format is
    /// asked for.
    Removals { recognise: fn(&Record<'_>) -> bool, extract: fn(&Record<'_>, &mut Harvest) },
    /// Rows under a header; told by the names in it.
    Table { recognise: fn(&table::Header) -> bool, columns: fn(&table::Header) -> table::Columns },
    /// Lines of bare IDs.
    List,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name)
    }
}

macro_rules! json_format {
    ($number:literal $name:literal $module:ident $says:literal) => {
        Format {
            number: $number,
            name: $name,
            says: $says,
            shape: Shape::Json { recognise: $module::recognise, extract: $module::extract },
        }
    };
}

/// Every format. Of the JSON formats the first row that recognises a record takes it, so a row
/// stands before those whose signs it shares. JSON arrays (format 6) are entered wherever they
/// stand and need no row.
pub static FORMATS: &[Format] = &[
    json_format!(1 "v1-tweet" v1_tweet "v1.1 tweets"),
    json_format!(5 "v2-flat" v2_flat "v2 tweets or users, one a line, as twarc2 flatten writes"),
    json_format!(4 "v2-stream" v2_stream "lines of the v2 filtered stream"),
    json_format!(12 "graphql" graphql "captures of the site's GraphQL answers"),
    json_format!(3 "v2-page" v2_page "v2 response pages"),
    json_format!(10 "old-dm" old_dm "Direct Messages of before 2018"),
    json_format!(8 "v2-dm" v2_dm "v2 DM events"),
    json_format!(9 "v1-dm" v1_dm "v1.1 DM events"),
    json_format!(7 "gnip" gnip "GNIP and PowerTrack Activity Streams"),
    json_format!(2 "v1-page" v1_page "v1.1 search and premium pages"),
    json_format!(13 "scrape" scrape "JSON lines of snscrape and twscrape"),
    json_format!(11 "account-archive" account_archive "the scripts of an account's own archive"),
    Format {
        number: 19,
        name: "compliance",
        says: "results of compliance jobs, which give nothing unless named here",
        shape: Shape::Removals { recognise: compliance::recognise, extract: compliance::extract },
    },
    Format {
        number: 14,
        name: "twarc-csv",
        says: "CSV of twarc-csv",
        shape: Shape::Table { recognise: table::twarc::recognise, columns: table::twarc::columns },
    },
    Format {
        number: 15,
        name: "tool-csv",
        says: "CSV of json2csv, TweetSets, Hydrator, TAGS, 4CAT, and of information operations",
        shape: Shape::Table { recognise: table::tool::recognise, columns: table::tool::columns },
    },
    Format { number: 16, name: "id-list", says: "one ID or tweet URL a line", shape: Shape::List },
];

/// The row of `format` in [`FORMATS`].
fn row_of(format: &Format) -> usize {
    let row = FORMATS.iter().position(|other| other.name == format.name);
    row.expect("every format stands in the table")
}

/// The format of that name.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Whether a table's column of that name, in lower case, may hold what is looked for.
pub(crate) fn reads_column(name: &str) -> bool {
    table::tool::is_read(name) || table::twarc::is_read(name)
}

/// What an extractor is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    /// The only format, if it was named.
    pub(crate) format: Option<&'static Format>,
    /// The kind of bare lists.
    pub(crate) declared: Option<IdKind>,
    /// The longest record in bytes.
    pub(crate) record_bytes_max: usize,
}

/// Whether more input can come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    /// It may.
    MayCome,
    /// This is all.
    Ended,
}

/// A list of bare numbers came where its kind is not declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KindUndeclared;

/// Reads one source.
pub(crate) struct Extractor {
    task: Task,
    /// Bytes of the decoded source that were used up, and line feeds among them.
    taken: u64,
    feeds: u64,
    lane: Option<Lane>,
    /// Records of each row of [`FORMATS`].
    pub(crate) formats: [u64; FORMATS.len()],
}

enum Lane {
    Json(json::Json),
    Table(Box<table::Table>),
    List(id_list::List),
}

impl Extractor {
    pub(crate) fn new(task: Task) -> Extractor {
        Extractor { task, taken: 0, feeds: 0, lane: None, formats: [0; FORMATS.len()] }
    }

    /// Roles and names of the columns that are read, if this is a table.
    pub(crate) fn columns(&self) -> Vec<(String, String)> {
        match &self.lane {
            Some(Lane::Table(table)) => table.used_columns(),
            _ => Vec::new(),
        }
    }

    /// How many line feeds there were in what was used up.
    pub(crate) fn feeds(&self) -> u64 {
        self.feeds
    }

    /// Whether this is read as a list of IDs, as text is that has no sign of anything else.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.lane, Some(Lane::List(_)))
    }

    /// Whether this is read as a table.
    pub(crate) fn is_table(&self) -> bool {
        matches!(self.lane, Some(Lane::Table(_)))
    }

    /// Whether it is told what the source is.
    pub(crate) fn is_told(&self) -> bool {
        self.lane.is_some()
    }

    /// Whether the next bytes begin a record that can be read by itself.
    fn is_at_rest(&self) -> bool {
        match &self.lane {
            None => false,
            Some(Lane::Json(json)) => json.is_at_rest(),
            Some(Lane::Table(table)) => table.is_at_rest(),
            Some(Lane::List(list)) => list.is_at_rest(),
        }
    }

    /// One that reads on at the byte `offset` of the same source as if a record began there, once
    /// it is told what the source is.
    pub(crate) fn beside(&self, offset: u64) -> Option<Extractor> {
        let lane = match self.lane.as_ref()? {
            Lane::Json(_) => Lane::Json(json::Json::new()),
            Lane::Table(table) => Lane::Table(Box::new(table.within())),
            Lane::List(_) => Lane::List(id_list::List::within()),
        };
        Some(Extractor { taken: offset, lane: Some(lane), ..Extractor::new(self.task) })
    }

    /// Goes on behind a piece of the source that was read by itself; says no, and does nothing, if
    /// reading it in turn might give something else.
    pub(crate) fn pass(&mut self, piece: &Piece) -> bool {
        if !piece.is_whole || !self.is_at_rest() {
            return false;
        }
        self.taken += piece.bytes as u64;
        self.feeds += piece.feeds;
        for (count, more) in self.formats.iter_mut().zip(piece.formats) {
            *count += more;
        }
        true
    }

    /// Uses up a part of `input`, which begins where the last part that was used up ended.
    /// Stops early when the harvest is full. Nothing used up means: more input is needed.
    ///
    /// # Errors
    /// [`KindUndeclared`] if this is a bare list and nobody said of what.
    pub(crate) fn take(
        &mut self,
        input: &[u8],
        more: More,
        harvest: &mut Harvest,
    ) -> Result<usize, KindUndeclared> {
        let lane = match &mut self.lane {
            Some(lane) => lane,
            None => match sniff::lane(input, more, &self.task) {
                Some(lane) => self.lane.insert(lane),
                None => {
                    // Blanks without end must not be kept until something follows.
                    let blank = if sniff::is_blank(input) { input.len() } else { 0 };
                    self.taken += blank as u64;
                    self.feeds += feeds(&input[..blank]);
                    return Ok(blank);
                }
            },
        };
        let window = Window { input, offset: self.taken, more };
        let taken = match lane {
            Lane::Json(json) => json.take(&window, &self.task, &mut self.formats, harvest),
            Lane::Table(table) => table.take(&window, &self.task, &mut self.formats, harvest),
            Lane::List(list) => list.take(&window, &self.task, &mut self.formats, harvest)?,
        };
        self.taken += taken as u64;
        self.feeds += match lane {
            // It meets each line feed by itself, or counts them where it does not.
            Lane::Json(json) => std::mem::take(&mut json.feeds),
            Lane::Table(_) | Lane::List(_) => feeds(&input[..taken]),
        };
        Ok(taken)
    }
}

/// A piece of a source, read by itself: as if a record began with it.
pub(crate) struct Piece {
    /// What was found, in order.
    pub(crate) harvests: Vec<Harvest>,
    /// Records of each row of [`FORMATS`].
    formats: [u64; FORMATS.len()],
    bytes: usize,
    feeds: u64,
    /// Whether the piece ends where a record ends, with nothing left open. Only then was it right
    /// to read it by itself.
    is_whole: bool,
}

impl Piece {
    /// Reads `input` by `extractor`, which stands at its beginning, for the likes of `harvest`.
    pub(crate) fn read(input: &[u8], mut extractor: Extractor, harvest: &Harvest) -> Piece {
        let (mut harvests, mut used) = (Vec::new(), 0);
        while used < input.len() {
            let mut harvest = harvest.empty_like();
            let taken = extractor.take(&input[used..], More::MayCome, &mut harvest);
            // A list of no kind is told when it is read in turn.
            let Ok(taken @ 1..) = taken else { break };
            harvests.push(harvest);
            used += taken;
        }
        let is_whole = used == input.len() && extractor.is_at_rest();
        let Extractor { formats, feeds, .. } = extractor;
        Piece { harvests, formats, bytes: input.len(), feeds, is_whole }
    }
}

/// How many line feeds there are in `bytes`.
pub(crate) fn feeds(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// The part of the decoded source that is in memory.
#[derive(Clone, Copy)]
struct Window<'a> {
    input: &'a [u8],
    /// Where it begins in the decoded source.
    offset: u64,
    more: More,
}

impl Window<'_> {
    /// Where the byte `at` of the window stands in the decoded source.
    fn byte(&self, at: usize) -> u64 {
        self.offset + at as u64
    }

    /// Whether more input is worth waiting for, for a record that begins at `start`.
    fn may_grow(&self, start: usize, task: &Task) -> bool {
        self.more == More::MayCome && self.input.len() - start < task.record_bytes_max
    }
}

#[cfg(test)]
mod tests;
