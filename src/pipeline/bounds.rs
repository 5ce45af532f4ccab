//! The bounds on sources: how much of one a strip puts up with, so that none takes all memory or
//! runs for days. All of them stand here with their defaults, and errors name them by these words.

/// How much of a source a strip puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The longest record, line or row, in bytes; a longer one is damaged.
    pub record_bytes_max: usize,
    /// The memory that a codec may use for its window, in bytes.
    pub window_bytes_max: u64,
    /// How many times its size packed data may swell, beyond the first 64 MiB.
    pub swelling_max: u64,
    /// How many wrappings (compressions and archives) may be around a file.
    pub nesting_max: usize,
    /// How many files the archives in a source may hold together.
    pub entries_max: u64,
    /// How many bytes on the disk a file may take that can only be read from there, and comes out
    /// of an archive or a pipe.
    pub spool_bytes_max: u64,
}

impl Bounds {
    /// For sources of one's own.
    pub const WIDE: Bounds = Bounds {
        record_bytes_max: 64 << 20,
        window_bytes_max: 128 << 20,
        swelling_max: 1_000,
        nesting_max: 6,
        entries_max: 1_000_000,
        spool_bytes_max: 1 << 40,
    };

    /// For sources of somebody else, of which many may be stripped at once. No real dataset comes
    /// near: tweets pack about 10 times, zstd goes up to `--long=25`, xz up to `-7`.
    pub const NARROW: Bounds = Bounds {
        record_bytes_max: 8 << 20,
        window_bytes_max: 32 << 20,
        swelling_max: 100,
        nesting_max: 4,
        entries_max: 10_000,
        spool_bytes_max: 0,
    };
}

/// A bound as people set it.
pub struct Bound {
    /// Its word on the command line and in errors.
    pub name: &'static str,
    /// What it bounds, for help texts.
    pub says: &'static str,
    /// Its value in some bounds.
    pub get: fn(&Bounds) -> u64,
    set: fn(&mut Bounds, u64),
    /// The lowest value that works.
    least: u64,
    /// The highest value that works.
    most: u64,
}

/// Every bound.
pub static BOUNDS: &[Bound] = &[
    Bound {
        name: "record-bytes",
        says: "bytes of the longest record, line or row",
        get: |bounds| bounds.record_bytes_max as u64,
        set: |bounds, value| bounds.record_bytes_max = value as usize,
        least: 1 << 10,
        most: 1 << 31,
    },
    Bound {
        name: "window-bytes",
        says: "bytes of memory for unpacking one stream",
        get: |bounds| bounds.window_bytes_max,
        set: |bounds, value| bounds.window_bytes_max = value,
        least: 1 << 20,
        most: 1 << 31,
    },
    Bound {
        name: "swelling",
        says: "how many times its size packed data may swell",
        get: |bounds| bounds.swelling_max,
        set: |bounds, value| bounds.swelling_max = value,
        least: 1,
        most: 1 << 40,
    },
    Bound {
        name: "nesting",
        says: "how many compressions and archives may be around a file",
        get: |bounds| bounds.nesting_max as u64,
        set: |bounds, value| bounds.nesting_max = value as usize,
        least: 0,
        most: 100,
    },
    Bound {
        name: "entries",
        says: "how many files the archives in a source may hold",
        get: |bounds| bounds.entries_max,
        set: |bounds, value| bounds.entries_max = value,
        least: 0,
        most: 1 << 40,
    },
    Bound {
        name: "spool-bytes",
        says: "bytes on the disk for a Parquet file in an archive or from a pipe",
        get: |bounds| bounds.spool_bytes_max,
        set: |bounds, value| bounds.spool_bytes_max = value,
        least: 0,
        most: 1 << 50,
    },
];

/// Why a text sets no bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotABound {
    /// It has no sign of equality.
    #[error("a bound looks like `swelling=2000`")]
    Shape,
    /// There is no bound of that name.
    #[error("there is no bound `{0}`; there are {names}", names = names())]
    Name(String),
    /// The value is no number, or one that does not work.
    #[error("the bound `{name}` is a whole number from {least} to {most}")]
    Value {
        /// The bound's name.
        name: &'static str,
        /// The lowest value.
        least: u64,
        /// The highest value.
        most: u64,
    },
}

fn names() -> String {
    BOUNDS.iter().map(|bound| bound.name).collect::<Vec<_>>().join(", ")
}

impl Bounds {
    /// These bounds with one set as in `swelling=2000`.
    ///
    /// # Errors
    /// [`NotABound`] says what is wrong with the text.
    pub fn with(mut self, text: &str) -> Result<Bounds, NotABound> {
        let (name, value) = text.split_once('=').ok_or(NotABound::Shape)?;
        let bound = BOUNDS.iter().find(|bound| bound.name == name.trim());
        let bound = bound.ok_or_else(|| NotABound::Name(name.to_owned()))?;
        let (least, most) = (bound.least, bound.most);
        let value = value.trim().parse().ok().filter(|value| (least..=most).contains(value));
        let value = value.ok_or(NotABound::Value { name: bound.name, least, most })?;
        (bound.set)(&mut self, value);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_is_set_alone_by_its_name() {
        for bound in BOUNDS {
            let value = (bound.get)(&Bounds::NARROW) + 1;
            let set = Bounds::NARROW.with(&format!("{} = {value}", bound.name)).unwrap();
            for other in BOUNDS {
                let expected = (other.get)(&Bounds::NARROW) + u64::from(other.name == bound.name);
                assert_eq!((other.get)(&set), expected, "{} and {}", bound.name, other.name);
            }
        }
    }

    #[test]
    fn what_is_no_bound_is_told() {
        for (text, says) in [
            ("swelling", "a bound looks like `swelling=2000`"),
            ("width=3", "there is no bound `width`; there are record-bytes, window-bytes, "),
            ("nesting=x", "the bound `nesting` is a whole number from 0 to 100"),
            ("nesting=101", "the bound `nesting` is a whole number from 0 to 100"),
        ] {
            let said = Bounds::WIDE.with(text).unwrap_err().to_string();
            assert!(said.starts_with(says), "{said}");
        }
    }
}
