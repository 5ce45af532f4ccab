//! IDs to bytes: one file and one row of [`OUTPUTS`] for each form, and one row of [`PACKINGS`]
//! for what may be packed around it.

pub mod csv;
pub mod jsonl;
#[cfg(feature = "parquet")]
mod parquet;
mod packing;
pub mod txt;

use std::io;

use crate::base::ids::IdKind;
pub use packing::{PACKINGS, Packed, Packing};

/// A form of a list of IDs.
pub struct Output {
    /// The word of `--as`, and the ending of its file's name.
    pub name: &'static str,
    /// What it looks like, for help texts.
    pub says: &'static str,
    /// Begins a file of IDs of one kind.
    pub begin: fn(IdKind, &mut Vec<u8>) -> Box<dyn Encode>,
}

/// Turns IDs into the bytes of a file.
pub trait Encode: Send {
    /// Appends one ID.
    ///
    /// # Errors
    /// If this form cannot hold it.
    fn push(&mut self, id: u64, buffer: &mut Vec<u8>) -> io::Result<()>;

    /// Appends what stands behind the last ID.
    ///
    /// # Errors
    /// As [`Encode::push`].
    fn finish(&mut self, buffer: &mut Vec<u8>) -> io::Result<()>;
}

/// A form of lines, each of which stands alone.
struct Lines {
    kind: IdKind,
    push: fn(&mut Vec<u8>, IdKind, u64),
}

impl Encode for Lines {
    #[inline]
    fn push(&mut self, id: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
        (self.push)(buffer, self.kind, id);
        Ok(())
    }

    fn finish(&mut self, _buffer: &mut Vec<u8>) -> io::Result<()> {
        Ok(())
    }
}

/// Every form.
pub static OUTPUTS: &[Output] = &[
    Output {
        name: "txt",
        says: "one ID a line",
        begin: |kind, _| Box::new(Lines { kind, push: |buffer, _, id| txt::push(buffer, id) }),
    },
    Output {
        name: "csv",
        says: "one column under the header tweet_id, user_id or dm_id",
        begin: |kind, buffer| {
            csv::begin(buffer, kind);
            Box::new(Lines { kind, push: csv::push })
        },
    },
    Output {
        name: "jsonl",
        says: "one object a line, the ID as a string",
        begin: |kind, _| Box::new(Lines { kind, push: jsonl::push }),
    },
    #[cfg(feature = "parquet")]
    Output {
        name: "parquet",
        says: "one column of texts, packed with zstd by itself",
        begin: |kind, _| Box::new(parquet::Table::begin(kind)),
    },
];

/// The form of that name.
pub fn output(name: &str) -> Option<&'static Output> {
    OUTPUTS.iter().find(|output| output.name == name)
}

/// The name of the column or key that holds IDs of `kind`.
fn column(kind: IdKind) -> &'static str {
    match kind {
        IdKind::Tweet => "tweet_id",
        IdKind::User => "user_id",
        IdKind::Dm => "dm_id",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_output_writes_ids_as_its_users_expect() {
        for (name, expected) in [
            ("txt", "20\n9223372036854775807\n"),
            ("csv", "tweet_id\n20\n9223372036854775807\n"),
            ("jsonl", "{\"tweet_id\":\"20\"}\n{\"tweet_id\":\"9223372036854775807\"}\n"),
        ] {
            let mut bytes = Vec::new();
            let mut encode = (output(name).unwrap().begin)(IdKind::Tweet, &mut bytes);
            for id in [20, 9_223_372_036_854_775_807] {
                encode.push(id, &mut bytes).unwrap();
            }
            encode.finish(&mut bytes).unwrap();
            assert_eq!(String::from_utf8(bytes).unwrap(), expected, "{name}");
        }
    }
}
