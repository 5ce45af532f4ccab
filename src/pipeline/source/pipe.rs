//! Bytes that arrive while they are read, such as a request's body: one side sends without
//! blocking its thread, the other one reads. Whether they arrive in time is the sender's business.

use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;

/// How many blocks wait in a pipe at most: then the sender waits.
const BLOCKS_MAX: usize = 8;

/// The end into which bytes are sent. One that is dropped before [`Pipe::end`] breaks the source
/// off: whatever was read cannot be taken for all of it.
#[derive(Debug)]
pub struct Pipe {
    blocks: mpsc::Sender<Block>,
}

/// Nobody reads any more, for instance because the strip has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody reads any more")]
pub struct Gone;

#[derive(Debug)]
enum Block {
    Bytes(Bytes),
    End,
    Failed(io::Error),
}

/// The end that is read, once.
#[derive(Clone, Debug)]
pub struct Piped {
    name: Arc<str>,
    blocks: Arc<Mutex<Option<mpsc::Receiver<Block>>>>,
}

/// A pipe and its other end, which the report calls `name`.
pub fn pipe(name: &str) -> (Pipe, Piped) {
    let (send, receive) = mpsc::channel(BLOCKS_MAX);
    let piped = Piped { name: name.into(), blocks: Arc::new(Mutex::new(Some(receive))) };
    (Pipe { blocks: send }, piped)
}

impl Pipe {
    /// Sends bytes, and waits for room if need be.
    ///
    /// # Errors
    /// [`Gone`]: nobody will read them.
    pub async fn send(&self, bytes: Bytes) -> Result<(), Gone> {
        self.blocks.send(Block::Bytes(bytes)).await.map_err(|_| Gone)
    }

    /// Says that these were all bytes.
    pub async fn end(self) {
        // If nobody reads any more, nobody misses the end.
        let _ = self.blocks.send(Block::End).await;
    }

    /// Breaks the source off for that reason.
    pub async fn fail(self, error: io::Error) {
        let _ = self.blocks.send(Block::Failed(error)).await;
    }
}

impl Piped {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let blocks = self.blocks.lock().expect("nobody panics while they take the end").take();
        let blocks = blocks.ok_or_else(|| io::Error::other("a pipe can be read only once"))?;
        Ok(Box::new(Reading { blocks, block: Bytes::new(), ended: false }))
    }
}

struct Reading {
    blocks: mpsc::Receiver<Block>,
    block: Bytes,
    ended: bool,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.block.is_empty() && !self.ended {
            match self.blocks.blocking_recv() {
                Some(Block::Bytes(bytes)) => self.block = bytes,
                Some(Block::End) => self.ended = true,
                Some(Block::Failed(error)) => return Err(error),
                None => {
                    let said = "it broke off before its end";
                    return Err(io::Error::new(io::ErrorKind::ConnectionAborted, said));
                }
            }
        }
        let length = buffer.len().min(self.block.len());
        self.block.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of a pipe into which `send` has sent.
    fn read(send: impl AsyncFnOnce(Pipe)) -> (Vec<u8>, io::Result<usize>) {
        let (pipe, piped) = pipe("made up");
        let mut bytes = Vec::new();
        let result = std::thread::scope(|scope| {
            let reader = scope.spawn(|| piped.open().unwrap().read_to_end(&mut bytes));
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(send(pipe));
            reader.join().unwrap()
        });
        assert!(piped.open().is_err(), "a pipe is read once");
        (bytes, result)
    }

    #[test]
    fn everything_arrives_in_order_and_only_an_end_ends_it() {
        let many = async |pipe: Pipe| {
            for _ in 0..100 {
                pipe.send(Bytes::from_static(b"abc")).await.unwrap();
            }
            pipe.end().await;
        };
        let (bytes, result) = read(many);
        assert_eq!((bytes, result.unwrap()), (b"abc".repeat(100), 300));
        let (bytes, result) = read(async |pipe| pipe.send(Bytes::from_static(b"a")).await.unwrap());
        assert_eq!(
            (bytes, result.unwrap_err().kind()),
            (b"a".to_vec(), io::ErrorKind::ConnectionAborted)
        );
        let late = || io::Error::from(io::ErrorKind::TimedOut);
        let (_, result) = read(async |pipe| pipe.fail(late()).await);
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_sender_learns_that_nobody_reads() {
        let (pipe, piped) = pipe("made up");
        drop(piped);
        assert_eq!(pipe.send(Bytes::from_static(b"a")).await, Err(Gone));
    }
}
