//! The header of a table: its delimiter, its names, and which columns hold which IDs.

/// The first row of a table.
#[derive(Clone, Debug)]
pub(in crate::pipeline::extract) struct Header {
    /// `,`, `;` or tab.
    pub(super) delimiter: u8,
    /// The names, in lower case, without blanks around.
    pub(super) names: Vec<String>,
}

impl Default for Header {
    fn default() -> Header {
        Header { delimiter: b',', names: Vec::new() }
    }
}

/// The columns that hold IDs, by their place in the row.
#[derive(Clone, Debug, Default)]
pub(in crate::pipeline::extract) struct Columns {
    /// Own Tweet IDs.
    pub(super) tweet: Option<usize>,
    /// The same as numbers, which may be rounded.
    pub(super) tweet_number: Option<usize>,
    /// Own User IDs: the author, or the user that the row is about.
    pub(super) user: Option<usize>,
    /// Links to the own tweets.
    pub(super) link: Option<usize>,
    /// When the own tweets were made.
    pub(super) time: Option<usize>,
    /// Tweet IDs that are only named.
    pub(super) referenced: Vec<usize>,
}

impl Header {
    /// Reads the first line that is not blank; none if the text has none.
    pub(in crate::pipeline::extract) fn read(text: &[u8]) -> Option<Header> {
        let start = text.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != 0)?;
        let text = &text[start..];
        let line = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
        let delimiter = [b',', b';', b'\t']
            .into_iter()
            .rev()
            .max_by_key(|mark| memchr::memchr_iter(*mark, line).count())?;
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(text);
        let mut row = csv::ByteRecord::new();
        if !reader.read_byte_record(&mut row).ok()? {
            return None;
        }
        let names = row.iter().map(|name| {
            let name = String::from_utf8_lossy(name);
            name.trim_matches(['\u{feff}', ' ', '\t', '\r', '"']).to_lowercase()
        });
        Some(Header { delimiter, names: names.collect() })
    }

    /// Whether a column has that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|other| other == name)
    }

    /// The column of the first of `names` that the header has.
    pub(super) fn first(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.names.iter().position(|other| other == name))
    }

    /// The columns of all of `names` that the header has.
    pub(super) fn every(&self, names: &[&str]) -> Vec<usize> {
        let held = self.names.iter().enumerate();
        held.filter(|(_, name)| names.contains(&name.as_str())).map(|(column, _)| column).collect()
    }
}

impl Columns {
    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = usize> {
        let single = [self.tweet, self.tweet_number, self.user, self.link, self.time];
        single.into_iter().flatten().chain(self.referenced.iter().copied())
    }

    /// Roles and names of these columns.
    pub(super) fn named(&self, header: &Header) -> Vec<(String, String)> {
        let roles = [
            ("tweet", self.tweet),
            ("tweet-number", self.tweet_number),
            ("user", self.user),
            ("link", self.link),
            ("time", self.time),
        ];
        let single =
            roles.into_iter().filter_map(|(role, column)| Some((role.to_owned(), column?)));
        let referenced = self.referenced.iter().enumerate();
        let referenced =
            referenced.map(|(index, column)| (format!("referenced-{}", index + 1), *column));
        single
            .chain(referenced)
            .map(|(role, column)| (role, header.names[column].clone()))
            .collect()
    }
}
