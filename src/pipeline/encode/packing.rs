//! What may be packed around a form: nothing, gzip, zstd. The same bytes at each run.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The level of zstd: what the program takes by itself.
const ZSTD_LEVEL: i32 = 3;

/// A way to pack a file.
pub struct Packing {
    /// The word of `--pack`.
    pub name: &'static str,
    /// How names of such files end.
    pub ending: &'static str,
    wrap: fn(Sink) -> io::Result<Box<dyn Packed>>,
}

type Sink = Box<dyn Write>;

/// Every way to pack.
pub static PACKINGS: &[Packing] = &[
    Packing { name: "none", ending: "", wrap: |out| Ok(Box::new(Plain(out))) },
    Packing {
        name: "gzip",
        ending: ".gz",
        wrap: |out| Ok(Box::new(Gzip(GzEncoder::new(out, Compression::default())))),
    },
    Packing {
        name: "zstd",
        ending: ".zst",
        wrap: |out| {
            let mut encoder = zstd::stream::write::Encoder::new(out, ZSTD_LEVEL)?;
            encoder.include_checksum(true)?;
            Ok(Box::new(Zstd(Some(encoder))))
        },
    },
];

impl Packing {
    /// The way of that name.
    pub fn named(name: &str) -> Option<&'static Packing> {
        PACKINGS.iter().find(|packing| packing.name == name)
    }

    /// The way that the name of a file tells.
    pub fn of_file(name: &str) -> &'static Packing {
        let told = PACKINGS.iter().rev().find(|packing| name.ends_with(packing.ending));
        told.expect("every name ends in nothing")
    }

    /// Packs what is written before it goes to `out`.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn around(&self, out: Box<dyn Write>) -> io::Result<Box<dyn Packed>> {
        (self.wrap)(out)
    }
}

/// Takes bytes and packs them; flushing makes all of them readable.
pub trait Packed: Write {
    /// Writes what ends the packed data.
    ///
    /// # Errors
    /// What the system said.
    fn finish(&mut self) -> io::Result<()>;
}

struct Plain(Sink);
struct Gzip(GzEncoder<Sink>);
struct Zstd(Option<zstd::stream::write::Encoder<'static, Sink>>);

impl Zstd {
    fn encoder(&mut self) -> io::Result<&mut zstd::stream::write::Encoder<'static, Sink>> {
        self.0.as_mut().ok_or_else(|| io::Error::other("nothing is written behind the end"))
    }
}

impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Write for Gzip {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Write for Zstd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.encoder()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder()?.flush()
    }
}

impl Packed for Plain {
    fn finish(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Packed for Gzip {
    fn finish(&mut self) -> io::Result<()> {
        self.0.try_finish()?;
        self.0.get_mut().flush()
    }
}

impl Packed for Zstd {
    fn finish(&mut self) -> io::Result<()> {
        match self.0.take() {
            Some(encoder) => encoder.finish()?.flush(),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_a_name_tells_the_packing() {
        for (name, packing) in
            [("ids.txt", "none"), ("ids.txt.gz", "gzip"), ("ids.csv.zst", "zstd"), ("", "none")]
        {
            assert_eq!(Packing::of_file(name).name, packing);
        }
        assert!(Packing::named("zip").is_none());
    }
}
