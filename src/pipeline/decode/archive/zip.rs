//! Zip archives as a stream: from one local header to the next, without the directory at the end,
//! so that they are read from pipes and from inside other archives. Zip64, and entries whose
//! lengths follow them.

use std::io::{self, BufRead, BufReader, Read};

use super::{Entry, TakeEntry, broken, readable_name};
use crate::pipeline::decode::{BUFFER_BYTES, Stream};

const LOCAL_HEADER: u32 = 0x0403_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
const END_OF_DIRECTORY: u32 = 0x0605_4b50;
const ZIP64_END_OF_DIRECTORY: u32 = 0x0606_4b50;
const EXTRA_DATA: u32 = 0x0806_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;

const ENCRYPTED: u16 = 1;
const LENGTHS_FOLLOW: u16 = 1 << 3;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// A length that stands in the extra field of zip64.
const IN_ZIP64: u32 = u32::MAX;
const ZIP64_EXTRA: u16 = 1;

/// Hands over each entry of the archive.
pub(super) fn entries(stream: Stream<'_>, take: TakeEntry<'_>) -> io::Result<()> {
    let mut input = Input { bytes: BufReader::with_capacity(BUFFER_BYTES, stream), at: 0 };
    loop {
        match input.u32()? {
            LOCAL_HEADER => {}
            CENTRAL_HEADER | END_OF_DIRECTORY | ZIP64_END_OF_DIRECTORY | EXTRA_DATA => {
                return input.skip_to_end();
            }
            _ => return Err(broken("no entry of a zip archive stands where one should")),
        }
        let header = Header::read(&mut input)?;
        if header.name.ends_with('/') && header.packed_bytes == Some(0) {
            continue;
        }
        let begin = input.at;
        let mut body = Body::open(&header, &mut input);
        let entry = Entry { name: &header.name, stream: &mut body };
        take(entry)?;
        let rest = io::copy(&mut body, &mut io::sink());
        match (rest, header.packed_bytes) {
            // What is broken inside an entry was told by whoever read it; the next one is found.
            (_, Some(packed_bytes)) => input.skip_to(begin + packed_bytes)?,
            (Ok(_), None) => {}
            (Err(error), None) => return Err(error),
        }
    }
}

struct Header {
    name: String,
    flags: u16,
    method: u16,
    crc: u32,
    /// None: they follow the data.
    packed_bytes: Option<u64>,
    bytes: u64,
}

impl Header {
    fn read(input: &mut Input<'_>) -> io::Result<Header> {
        let _version = input.u16()?;
        let flags = input.u16()?;
        let method = input.u16()?;
        let _time_and_date = input.u32()?;
        let crc = input.u32()?;
        let (packed, unpacked) = (input.u32()?, input.u32()?);
        let (name_bytes, extra_bytes) = (input.u16()?, input.u16()?);
        let name = input.take(usize::from(name_bytes))?;
        let extra = input.take(usize::from(extra_bytes))?;
        let mut wide = zip64_lengths(&extra);
        let mut length = |short: u32| match short {
            IN_ZIP64 => wide.next().ok_or_else(|| broken("a zip64 entry without its lengths")),
            short => Ok(u64::from(short)),
        };
        let bytes = length(unpacked)?;
        let packed_bytes = length(packed)?;
        let unknown = flags & LENGTHS_FOLLOW != 0 && packed_bytes == 0;
        let packed_bytes = (!unknown).then_some(packed_bytes);
        Ok(Header { name: readable_name(&name), flags, method, crc, packed_bytes, bytes })
    }
}

/// The lengths in the extra field of zip64: unpacked, then packed.
fn zip64_lengths(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut lengths = Vec::new();
    while let [id, id_high, length, length_high, rest @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([*length, *length_high]));
        let Some((field, rest)) = rest.split_at_checked(length) else { break };
        if u16::from_le_bytes([*id, *id_high]) == ZIP64_EXTRA {
            lengths.extend(field.as_chunks::<8>().0.iter().map(|wide| u64::from_le_bytes(*wide)));
        }
        extra = rest;
    }
    lengths.into_iter()
}

/// The unpacked bytes of an entry, checked at their end.
struct Body<'a, 'b> {
    packed: Packed<'a, 'b>,
    crc: crc32fast::Hasher,
    bytes: u64,
    /// Checksum and length where the header told them.
    expected: Option<(u32, u64)>,
    ended: bool,
}

enum Packed<'a, 'b> {
    Stored(io::Take<&'a mut Input<'b>>),
    Deflated(flate2::bufread::DeflateDecoder<&'a mut Input<'b>>),
    /// An entry that cannot be unpacked, and why.
    Sealed(&'static str),
}

impl<'a, 'b> Body<'a, 'b> {
    fn open(header: &Header, input: &'a mut Input<'b>) -> Body<'a, 'b> {
        let packed = match (header.flags & ENCRYPTED, header.method, header.packed_bytes) {
            (0, STORED, Some(bytes)) => Packed::Stored(input.take_bytes(bytes)),
            (0, DEFLATED, _) => Packed::Deflated(flate2::bufread::DeflateDecoder::new(input)),
            (0, STORED, None) => Packed::Sealed("an entry of a zip archive does not tell its end"),
            (0, ..) => Packed::Sealed("an entry of a zip archive is packed in an unknown way"),
            _ => Packed::Sealed("an entry of a zip archive is encrypted"),
        };
        let follow = header.flags & LENGTHS_FOLLOW != 0;
        Body {
            packed,
            crc: crc32fast::Hasher::new(),
            bytes: 0,
            expected: (!follow).then_some((header.crc, header.bytes)),
            ended: false,
        }
    }

    /// Compares what came out with what the archive says of it.
    fn check(&mut self) -> io::Result<()> {
        let told = (self.crc.clone().finalize(), self.bytes);
        let expected = match (&mut self.packed, self.expected) {
            (_, Some(expected)) => expected,
            (Packed::Deflated(decoder), None) => {
                let packed_bytes = decoder.total_in();
                decoder.get_mut().descriptor(packed_bytes, self.bytes)?
            }
            // Its lengths were told before, and stand behind it once more.
            (Packed::Stored(_) | Packed::Sealed(_), None) => told,
        };
        if told == expected { Ok(()) } else { Err(broken("the checksum of a zip entry is wrong")) }
    }
}

impl Read for Body<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let read = match &mut self.packed {
            Packed::Stored(bytes) => bytes.read(buffer),
            Packed::Deflated(decoder) => decoder.read(buffer),
            Packed::Sealed(why) => Err(broken(why)),
        };
        self.ended = !matches!(read, Ok(1..));
        let read = read?;
        self.crc.update(&buffer[..read]);
        self.bytes += read as u64;
        if read == 0 {
            self.check()?;
        }
        Ok(read)
    }
}

/// The archive, read forwards.
struct Input<'b> {
    bytes: BufReader<Stream<'b>>,
    at: u64,
}

impl<'b> Input<'b> {
    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn take_bytes(&mut self, bytes: u64) -> io::Take<&mut Input<'b>> {
        Read::take(self, bytes)
    }

    fn u16(&mut self) -> io::Result<u16> {
        let mut bytes = [0; 2];
        self.read_exact(&mut bytes)?;
        Ok(u16::from_le_bytes(bytes))
    }

    fn u32(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// Reads what follows an entry: its checksum and lengths, of 4 or 8 bytes each, with or
    /// without a mark before them.
    fn descriptor(&mut self, packed_bytes: u64, bytes: u64) -> io::Result<(u32, u64)> {
        let first = self.u32()?;
        let crc = if first == DESCRIPTOR { self.u32()? } else { first };
        let (low, high) = (u64::from(self.u32()?), u64::from(self.u32()?));
        let short = low == packed_bytes & 0xffff_ffff && high == bytes & 0xffff_ffff;
        let wide = low | high << 32 == packed_bytes;
        // Only after an empty entry may both be: the next header then does not begin with a zero.
        let is_wide = wide && (!short || self.fill_buf()?.first() == Some(&0));
        if !is_wide {
            return if short { Ok((crc, bytes)) } else { Ok((crc, high)) };
        }
        Ok((crc, u64::from(self.u32()?) | u64::from(self.u32()?) << 32))
    }

    fn skip_to(&mut self, end: u64) -> io::Result<()> {
        let missing = end.saturating_sub(self.at);
        let skipped = io::copy(&mut Read::take(&mut *self, missing), &mut io::sink())?;
        if skipped < missing { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Reads the directory and what is behind it, so that all bytes of the source are read.
    fn skip_to_end(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(|_| ())
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.bytes.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.bytes.consume(amount);
        self.at += amount as u64;
    }
}
