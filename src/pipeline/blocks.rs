//! Where one can begin to decode a packed file in its middle: the members of a gzip, the frames of
//! a zstd, the streams of a bzip2. Found by decoding it once; kept as a table; and how a file
//! without such places is packed into one that has them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;

/// How long a decoded block may be: one is held in memory whole.
const BLOCK_BYTES_MAX: u64 = 32 << 20;

/// How long the decoded blocks are that are packed here.
const PACKED_BLOCK_BYTES: usize = 64 << 10;

/// How hard zstd tries: its own default.
const ZSTD_LEVEL: i32 = 3;

const MAGIC: &[u8; 16] = b"hydrant blk v1\n\0";
const ROW_BYTES: usize = 16;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Members one behind the other.
    Gzip,
    /// Frames one behind the other.
    Zstd,
    /// Streams one behind the other.
    Bzip2,
}

impl Packing {
    /// Every packing with its word in reports.
    const ALL: [(Packing, &str); 3] =
        [(Packing::Gzip, "gzip"), (Packing::Zstd, "zstd"), (Packing::Bzip2, "bzip2")];

    /// The packing of that word, if blocks of it can be found.
    pub fn from_word(word: &str) -> Option<Packing> {
        Packing::ALL.iter().find(|(_, known)| *known == word).map(|row| row.0)
    }

    /// The word of reports.
    pub fn word(self) -> &'static str {
        Packing::ALL.iter().find(|row| row.0 == self).expect("every packing has a row").1
    }

    /// Decodes one block of `input`, and returns how many bytes it has.
    fn decode_one(self, input: &mut Position<impl BufRead>) -> io::Result<u64> {
        let sink = &mut io::sink();
        match self {
            Packing::Gzip => io::copy(&mut flate2::bufread::GzDecoder::new(input), sink),
            Packing::Bzip2 => io::copy(&mut bzip2::bufread::BzDecoder::new(input), sink),
            Packing::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(input)?.single_frame();
                decoder.window_log_max(WINDOW_LOG_MAX)?;
                io::copy(&mut decoder, sink)
            }
        }
    }
}

/// The largest window of a frame, as a power of two: 128 MiB, as for all sources of one's own.
const WINDOW_LOG_MAX: u32 = 27;

/// Where a block begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Start {
    /// In the packed file.
    packed: u64,
    /// In the decoded source.
    decoded: u64,
}

/// Where each block of a packed file begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks {
    packing: Packing,
    /// Ascending in both; the last is where the file ends.
    starts: Vec<Start>,
}

impl Blocks {
    /// Finds the blocks of a file by decoding it; `None` if it has a single one, or one that is too
    /// long, or if it cannot be decoded to its end.
    ///
    /// # Errors
    /// What the system said of the file.
    pub fn find(file: File, packing: Packing) -> io::Result<Option<Blocks>> {
        let mut input = Position { input: BufReader::with_capacity(1 << 20, file), at: 0 };
        let (mut starts, mut decoded) = (Vec::new(), 0);
        while !input.fill_buf()?.is_empty() {
            let packed = input.at;
            let Ok(bytes @ 0..=BLOCK_BYTES_MAX) = packing.decode_one(&mut input) else {
                return Ok(None);
            };
            if bytes > 0 {
                starts.push(Start { packed, decoded });
                decoded += bytes;
            }
        }
        starts.push(Start { packed: input.at, decoded });
        Ok((starts.len() > 2).then_some(Blocks { packing, starts }))
    }

    /// Packs what `input` gives into `output`: a zstd file that every tool for it reads, with a
    /// seek table at its end as the seekable format has it.
    ///
    /// # Errors
    /// What the system said, or what is wrong with the input.
    pub fn pack(input: &mut impl Read, output: &mut impl Write) -> io::Result<Blocks> {
        let mut packer = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
        let (mut starts, mut at) = (Vec::new(), Start { packed: 0, decoded: 0 });
        let mut block = Vec::with_capacity(PACKED_BLOCK_BYTES);
        loop {
            block.clear();
            input.by_ref().take(PACKED_BLOCK_BYTES as u64).read_to_end(&mut block)?;
            starts.push(at);
            if block.is_empty() {
                break;
            }
            let packed = packer.compress(&block)?;
            output.write_all(&packed)?;
            at.packed += packed.len() as u64;
            at.decoded += block.len() as u64;
        }
        output.write_all(&seek_table(&starts))?;
        Ok(Blocks { packing: Packing::Zstd, starts })
    }

    /// How the file is packed.
    pub fn packing(&self) -> Packing {
        self.packing
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no block.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of a table of them.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for Start { packed, decoded } in &self.starts {
            bytes.extend_from_slice(&packed.to_le_bytes());
            bytes.extend_from_slice(&decoded.to_le_bytes());
        }
        bytes
    }

    /// Reads such a table.
    ///
    /// # Errors
    /// A clause that says what is wrong with it.
    pub fn decode(bytes: &[u8], packing: Packing) -> Result<Blocks, String> {
        let rows = bytes.strip_prefix(MAGIC).ok_or("it is no table of blocks of version 1")?;
        let (rows, rest) = rows.as_chunks::<ROW_BYTES>();
        if rows.is_empty() || !rest.is_empty() {
            return Err(format!("{} bytes are no whole number of rows", bytes.len()));
        }
        let number = |row: &[u8; ROW_BYTES], at: usize| {
            u64::from_le_bytes(row[at..at + 8].try_into().expect("a row holds two numbers"))
        };
        let starts: Vec<Start> = rows
            .iter()
            .map(|row| Start { packed: number(row, 0), decoded: number(row, 8) })
            .collect();
        let is_block = |pair: &[Start]| {
            let bytes = pair[1].decoded.checked_sub(pair[0].decoded);
            pair[1].packed > pair[0].packed
                && bytes.is_some_and(|bytes| (1..=BLOCK_BYTES_MAX).contains(&bytes))
        };
        if starts[0].decoded != 0 || !starts.windows(2).all(is_block) {
            return Err("its rows do not ascend as blocks do".to_owned());
        }
        Ok(Blocks { packing, starts })
    }

    /// Which block holds that byte of the decoded source; `None` behind the last.
    fn block_at(&self, byte: u64) -> Option<usize> {
        let behind = self.starts.partition_point(|start| start.decoded <= byte);
        (behind < self.starts.len()).then(|| behind - 1)
    }
}

/// The last frame of a file in the seekable format: how long each frame is, packed and decoded.
fn seek_table(starts: &[Start]) -> Vec<u8> {
    let frames = starts.len() - 1;
    let mut table = Vec::with_capacity(8 * frames + 17);
    let push = |table: &mut Vec<u8>, number: u32| table.extend_from_slice(&number.to_le_bytes());
    let length = |from: u64, to: u64| u32::try_from(to - from).expect("a block is short");
    push(&mut table, 0x184D_2A5E);
    push(&mut table, u32::try_from(8 * frames + 9).expect("fewer than 2^28 blocks of 64 KiB"));
    for pair in starts.windows(2) {
        push(&mut table, length(pair[0].packed, pair[1].packed));
        push(&mut table, length(pair[0].decoded, pair[1].decoded));
    }
    push(&mut table, u32::try_from(frames).expect("fewer than 2^28 blocks of 64 KiB"));
    table.push(0);
    push(&mut table, 0x8F92_EAB1);
    table
}

/// Reads bytes of a decoded source out of its packed file; the block that was read last is kept.
pub struct BlockReader<'a> {
    file: &'a File,
    blocks: &'a Blocks,
    /// Which block `bytes` are.
    index: Option<usize>,
    bytes: Vec<u8>,
    packed: Vec<u8>,
    unpacker: Option<zstd::bulk::Decompressor<'static>>,
}

impl<'a> BlockReader<'a> {
    /// Reads out of `file`, whose blocks these are.
    pub fn new(file: &'a File, blocks: &'a Blocks) -> BlockReader<'a> {
        let (bytes, packed) = (Vec::new(), Vec::new());
        BlockReader { file, blocks, index: None, bytes, packed, unpacker: None }
    }

    /// Reads so many bytes from byte `at` of the decoded source on into `out`.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if there are not so many, or what is wrong with a block.
    pub fn read(&mut self, at: u64, length: usize, out: &mut Vec<u8>) -> io::Result<()> {
        out.clear();
        let mut index = self.blocks.block_at(at).ok_or(io::ErrorKind::UnexpectedEof)?;
        while out.len() < length {
            if index >= self.blocks.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.load(index)?;
            let from = (at + out.len() as u64 - self.blocks.starts[index].decoded) as usize;
            let to = self.bytes.len().min(from + length - out.len());
            out.extend_from_slice(&self.bytes[from..to]);
            index += 1;
        }
        Ok(())
    }

    /// Decodes a whole block, unless it is the one that is here.
    fn load(&mut self, index: usize) -> io::Result<()> {
        if self.index == Some(index) {
            return Ok(());
        }
        self.index = None;
        let [start, end] = [self.blocks.starts[index], self.blocks.starts[index + 1]];
        let length = (end.decoded - start.decoded) as usize;
        let packed = usize::try_from(end.packed - start.packed).map_err(io::Error::other)?;
        self.packed.resize(packed, 0);
        self.file.read_exact_at(&mut self.packed, start.packed)?;
        self.bytes.clear();
        self.bytes.reserve(length);
        let whole = length as u64 + 1;
        match self.blocks.packing {
            Packing::Zstd => {
                let unpacker = match &mut self.unpacker {
                    Some(unpacker) => unpacker,
                    none => none.insert(zstd::bulk::Decompressor::new()?),
                };
                unpacker.decompress_to_buffer(&self.packed, &mut self.bytes)?;
            }
            Packing::Gzip => {
                let decoder = flate2::bufread::MultiGzDecoder::new(&self.packed[..]);
                decoder.take(whole).read_to_end(&mut self.bytes)?;
            }
            Packing::Bzip2 => {
                let decoder = bzip2::bufread::MultiBzDecoder::new(&self.packed[..]);
                decoder.take(whole).read_to_end(&mut self.bytes)?;
            }
        }
        if self.bytes.len() != length {
            let what = "a block of it is of another length than it was";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        self.index = Some(index);
        Ok(())
    }
}

/// Counts what is used up of an input.
struct Position<R> {
    input: R,
    at: u64,
}

impl<R: BufRead> Read for Position<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Position<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.at += bytes as u64;
        self.input.consume(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom};

    use proptest::prelude::{any, proptest};

    use super::*;

    fn packed(packing: Packing, pieces: &[Vec<u8>]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        for piece in pieces {
            match packing {
                Packing::Gzip => {
                    let level = flate2::Compression::fast();
                    let mut out = flate2::write::GzEncoder::new(&mut file, level);
                    out.write_all(piece).unwrap();
                    out.finish().unwrap();
                }
                Packing::Bzip2 => {
                    let level = bzip2::Compression::fast();
                    let mut out = bzip2::write::BzEncoder::new(&mut file, level);
                    out.write_all(piece).unwrap();
                    out.finish().unwrap();
                }
                Packing::Zstd => file.write_all(&zstd::encode_all(&piece[..], 1).unwrap()).unwrap(),
            }
        }
        if packing == Packing::Zstd {
            // A frame that holds nothing for readers.
            file.write_all(b"\x50\x2a\x4d\x18\x03\0\0\0abc").unwrap();
        }
        file.seek(SeekFrom::Start(0)).unwrap();
        file
    }

    /// Every piece of the decoded bytes is read, ascending and then anywhere.
    fn check(file: &File, blocks: &Blocks, decoded: &[u8]) {
        let table = Blocks::decode(&blocks.encode(), blocks.packing).unwrap();
        assert_eq!(table, *blocks);
        let (mut reader, mut out) = (BlockReader::new(file, &table), Vec::new());
        let forwards = (0..decoded.len()).step_by(97);
        for at in forwards.clone().chain(forwards.rev()) {
            let end = decoded.len().min(at + 250);
            reader.read(at as u64, end - at, &mut out).unwrap();
            assert_eq!(out, decoded[at..end], "byte {at}");
        }
        let behind = reader.read(decoded.len() as u64 - 1, 2, &mut out).unwrap_err();
        assert_eq!(behind.kind(), io::ErrorKind::UnexpectedEof);
    }

    proptest! {
        #![proptest_config(crate::base::cases::remembered())]

        #[test]
        fn any_bytes_are_read_out_of_any_blocks(
            pieces in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..500), 2..9),
        ) {
            let decoded = pieces.concat();
            let filled = pieces.iter().filter(|piece| !piece.is_empty()).count();
            for (packing, _) in Packing::ALL {
                let file = packed(packing, &pieces);
                let found = Blocks::find(file.try_clone().unwrap(), packing).unwrap();
                match found {
                    Some(blocks) => {
                        assert_eq!(blocks.len(), filled);
                        check(&file, &blocks, &decoded);
                    }
                    None => assert!(filled < 2),
                }
            }
        }
    }

    #[test]
    fn what_is_packed_here_is_read_by_others_and_by_us() {
        for length in [1, 100, PACKED_BLOCK_BYTES, 3 * PACKED_BLOCK_BYTES + 1] {
            let decoded: Vec<u8> = (0..length).map(|n| (n * n % 251) as u8).collect();
            let mut file = tempfile::tempfile().unwrap();
            let blocks = Blocks::pack(&mut &decoded[..], &mut file).unwrap();
            assert_eq!(blocks.len(), length.div_ceil(PACKED_BLOCK_BYTES));
            check(&file, &blocks, &decoded);
            file.seek(SeekFrom::Start(0)).unwrap();
            assert_eq!(zstd::decode_all(&file).unwrap(), decoded);
            // Finding them anew gives the same, up to the seek table behind them.
            if blocks.len() > 1 {
                file.seek(SeekFrom::Start(0)).unwrap();
                let mut found = Blocks::find(file, Packing::Zstd).unwrap().unwrap();
                found.starts.pop();
                assert_eq!(found.starts[..], blocks.starts[..blocks.len()]);
            }
        }
    }

    #[test]
    fn what_has_no_blocks_or_is_damaged_is_told() {
        let one = packed(Packing::Gzip, &[vec![7; 1_000]]);
        assert_eq!(Blocks::find(one, Packing::Gzip).unwrap(), None);
        let mut cut = packed(Packing::Gzip, &[vec![7; 1_000], vec![8; 1_000]]);
        cut.set_len(cut.metadata().unwrap().len() - 9).unwrap();
        assert_eq!(Blocks::find(cut.try_clone().unwrap(), Packing::Gzip).unwrap(), None);
        cut.seek(SeekFrom::Start(0)).unwrap();
        let file = packed(Packing::Zstd, &[vec![7; 100], vec![8; 100], vec![9; 100]]);
        let blocks = Blocks::find(file.try_clone().unwrap(), Packing::Zstd).unwrap().unwrap();
        file.write_all_at(b"\0\0\0\0", blocks.starts[1].packed).unwrap();
        let (mut reader, mut out) = (BlockReader::new(&file, &blocks), Vec::new());
        reader.read(150, 10, &mut out).unwrap_err();
        reader.read(50, 10, &mut out).unwrap();
        reader.read(50, 100, &mut out).unwrap_err();
        reader.read(250, 50, &mut out).unwrap();
        let table = blocks.encode();
        for (bytes, expected) in [
            (&table[..0], "no table"),
            (&table[..16], "no whole number"),
            (&table[..table.len() - 1], "no whole number"),
            (&[&table[..16], &table[32..]].concat()[..], "do not ascend"),
            (&[&table[..], &table[16..32]].concat()[..], "do not ascend"),
        ] {
            let what = Blocks::decode(bytes, Packing::Zstd).unwrap_err();
            assert!(what.contains(expected), "{what}");
        }
    }
}
