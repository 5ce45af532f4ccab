//! A source decoded once more from its beginning, byte for byte as a strip decoded it, for whoever
//! reads records at the places that the strip told, or packs it anew.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::Bounds;
use super::decode::{self, Holds, Means, Unheard, is_final};
use super::source::Source;

/// Bytes of a block.
const BLOCK_BYTES: usize = 256 << 10;

/// How many blocks wait at most.
const BLOCKS: usize = 4;

/// The decoded bytes of a file; of an archive those of its files, one behind the other. A thread of
/// its own decodes them; it ends with this.
pub struct Replay {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Vec<u8>,
    at: usize,
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Replay")
    }
}

impl Replay {
    /// Begins to decode the file.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(path: PathBuf) -> io::Result<Replay> {
        let input = Source::File(path).open()?;
        let (say, blocks) = sync_channel(BLOCKS);
        let decode = move || {
            let walked =
                decode::walk(input, Arc::default(), Means::within(Bounds::WIDE), &mut |part| {
                    let Holds::Data(stream) = part.holds else { return Ok(()) };
                    match send(stream, &say) {
                        // What is damaged in an archive costs no file behind it, as in a strip.
                        Err(error) if !is_final(&error) && !part.name.is_empty() => Ok(()),
                        sent => sent,
                    }
                });
            if let Err(error) = walked {
                // If nobody listens any more, nobody minds the error.
                let _ = say.send(Err(error));
            }
        };
        std::thread::Builder::new().name("replay".to_owned()).spawn(decode)?;
        Ok(Replay { blocks, block: Vec::new(), at: 0 })
    }
}

/// Sends what a stream gives until it ends.
fn send(mut stream: decode::Stream<'_>, say: &SyncSender<io::Result<Vec<u8>>>) -> io::Result<()> {
    loop {
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        let read = stream.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut block);
        if !block.is_empty() {
            say.send(Ok(block)).map_err(|_| io::Error::other(Unheard))?;
        }
        if read? == 0 {
            return Ok(());
        }
    }
}

impl Read for Replay {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.block.len() {
            let Ok(block) = self.blocks.recv() else { return Ok(0) };
            (self.block, self.at) = (block?, 0);
        }
        let length = buffer.len().min(self.block.len() - self.at);
        buffer[..length].copy_from_slice(&self.block[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}
