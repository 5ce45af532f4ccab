//! IDs to bytes: one file and one row of [`OUTPUTS`] for each text form.

pub mod csv;
pub mod jsonl;
pub mod txt;

use crate::base::ids::IdKind;

/// A text form of a list of IDs.
pub struct Output {
    /// The word of `--as`, and the ending of its file's name.
    pub name: &'static str,
    /// What it looks like, for help texts.
    pub says: &'static str,
    /// Writes what stands before the first ID.
    pub begin: fn(&mut Vec<u8>, IdKind),
    /// Writes one ID.
    pub push: fn(&mut Vec<u8>, IdKind, u64),
}

/// Every text form.
pub static OUTPUTS: &[Output] = &[
    Output {
        name: "txt",
        says: "one ID a line",
        begin: |_, _| {},
        push: |buffer, _, id| txt::push(buffer, id),
    },
    Output {
        name: "csv",
        says: "one column under the header tweet_id, user_id or dm_id",
        begin: csv::begin,
        push: csv::push,
    },
    Output {
        name: "jsonl",
        says: "one object a line, the ID as a string",
        begin: |_, _| {},
        push: jsonl::push,
    },
];

/// The text form of that name.
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
            let output = output(name).unwrap();
            let mut bytes = Vec::new();
            (output.begin)(&mut bytes, IdKind::Tweet);
            for id in [20, 9_223_372_036_854_775_807] {
                (output.push)(&mut bytes, IdKind::Tweet, id);
            }
            assert_eq!(String::from_utf8(bytes).unwrap(), expected, "{name}");
        }
    }
}
