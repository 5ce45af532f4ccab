//! Why a record or a value in it gave no ID: one table of reasons; nothing of where and how often.

/// How grave a reason is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gravity {
    /// Data is broken: the strip is not clean, and `--strict` refuses.
    Damaged,
    /// Normal in real data, but worth a line in the report.
    Note,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $gravity:ident $slug:literal $says:literal;)*) => {
        /// Why a record, or a value in one, was not used.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason, the damages first.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)*];

            /// The word of the JSON report.
            pub fn slug(self) -> &'static str {
                match self { $(Reason::$name => $slug,)* }
            }

            /// The clause that people read.
            pub fn says(self) -> &'static str {
                match self { $(Reason::$name => $says,)* }
            }

            /// How grave it is.
            pub fn gravity(self) -> Gravity {
                match self { $(Reason::$name => Gravity::$gravity,)* }
            }
        }
    };
}

reasons! {
    /// The input ends inside a record.
    CutOff Damaged "cut-off" "the input ends inside the record";
    /// A line ends inside a string.
    LineFeedInString Damaged "line-feed-in-string" "a line ends inside a string";
    /// A bracket closes what another kind opened, or what was never opened.
    Bracket Damaged "bracket" "brackets do not match";
    /// No JSON: a wrong literal, number, comma or colon.
    Syntax Damaged "syntax" "not well-formed JSON";
    /// Nested deeper than the bound.
    TooDeep Damaged "too-deep" "nested deeper than 1024 levels";
    /// Longer than the bound.
    TooLong Damaged "too-long" "longer than the bound `record-bytes`";
    /// A key that counts stands twice in one object.
    DuplicateKey Damaged "duplicate-key" "a key stands twice in one object";
    /// Text between records.
    NotARecord Damaged "not-a-record" "text that is no record";
    /// An array of records has no end.
    ArrayOpen Damaged "array-open" "the array of records is not closed";
    /// A row of a table with more or fewer cells than the header.
    Ragged Damaged "ragged" "more or fewer cells than the header has";
    /// `id` and `id_str` name different IDs.
    IdsDisagree Damaged "ids-disagree" "`id` and `id_str` name different IDs";
    /// The link in the same row names another tweet.
    LinkDisagrees Damaged "link-disagrees" "the link in the row names another tweet";
    /// The record states another time than its ID.
    TimesDisagree Damaged "times-disagree" "the record was made at another time than its ID";
    /// The ID is of a time that is still to come.
    OfTheFuture Damaged "of-the-future" "an ID of a time that is still to come";
    /// Something else stands where an ID should.
    NotAnId Damaged "not-an-id" "something else stands where an ID should";
    /// A line of a list that is no entry.
    NotAnEntry Damaged "not-an-entry" "this line is neither an ID nor a link to a tweet";
    /// The ID went through a floating-point number and is lost.
    Mangled Damaged "mangled" "the ID was written as a floating-point number and is lost";
    /// Over nine tenths of a column's IDs end in 000.
    ColumnOfSpreadsheet Damaged "column-of-spreadsheet"
        "most IDs of a column end in 000, as a spreadsheet leaves them: they name other tweets";
    /// Over half of a column's IDs end in 00, or over nine tenths in 0.
    ColumnOfJavaScript Damaged "column-of-javascript"
        "too many IDs of a column end in 0, as JavaScript leaves them: they name other tweets";
    /// All IDs of a column fit into floating-point numbers.
    ColumnOfDoubles Damaged "column-of-doubles"
        "all IDs of a column fit into floating-point numbers: many of them name other tweets";
    /// Compressed data is broken or ends early.
    Container Damaged "container" "the compressed data is broken or ends early";
    /// A delete notice came after its tweet was handed out (only when streaming).
    LateDelete Damaged "late-delete" "a delete came after its ID was handed out";
    /// All records of a source are of no known shape.
    NothingKnown Damaged "nothing-known" "no record of the source has a known shape";
    /// The ID was mangled, but `id_str` or a link beside it tells the right one.
    Rescued Note "rescued" "an ID was rounded; `id_str` or a link told the right one";
    /// As a column of doubles, but of so few IDs that it may be chance.
    PerhapsDoubles Note "perhaps-doubles"
        "the few IDs of a column all fit into floating-point numbers; if they went through one, \
         some name other tweets";
    /// An ID of before snowflakes in a record of later.
    TooOld Note "too-old" "the ID is too old for the time of its record: a swapped column?";
    /// A number between the last sequential ID and the first snowflake.
    NoSuchTweet Note "no-such-tweet" "a number that no Tweet ID has";
    /// A file beside data that holds no records, by its name.
    PassedOver Note "passed-over" "a file that holds no records, by its name";
    /// A record of no known shape.
    Unknown Note "unknown" "no known shape";
    /// A control line of a stream.
    Control Note "control" "control line of a stream";
    /// A record that names what is to be removed.
    Removal Note "removal" "names what is removed, not handed out";
    /// A record that holds only IDs of kinds that were not asked for.
    OtherKind Note "other-kind" "holds no ID of the kind asked for";
    /// A page or a row without content.
    Empty Note "empty" "an empty page or row";
    /// A hashed user ID, which never leaves.
    Hashed Note "hashed" "a hashed user ID, not handed out";
}
