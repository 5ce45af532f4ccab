//! The bytes of the chunk that is being sent: read from a release frame by frame, or all there.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::Stretch;
use super::frame::{Buffers, Frame};
use crate::ledger::{Chunk, Granted};

/// The bytes of the chunk that is being sent.
pub(super) enum Load {
    /// They stand in a release.
    Release { stretch: Stretch, buffers: Buffers, reading: Option<JoinHandle<io::Result<Frame>>> },
    /// They came out of a parcel; what is left of it.
    Parcel(Bytes),
}

impl Load {
    pub(super) fn of_stretch(stretch: Stretch) -> Load {
        Load::Release { stretch, buffers: Buffers::default(), reading: None }
    }

    pub(super) fn empty() -> Load {
        Load::Parcel(Bytes::new())
    }

    /// Where the bytes of a chunk end that begin at `from`, counted from the first byte of the
    /// answer. May read the disk.
    pub(super) async fn end_of(&self, ordinals_end: u64, from: u64) -> io::Result<u64> {
        let stretch = match self {
            Load::Parcel(bytes) => return Ok(from + bytes.len() as u64),
            Load::Release { stretch, .. } => stretch,
        };
        let begin = stretch.bytes.start;
        if ordinals_end == stretch.ordinals.end {
            return Ok(stretch.bytes.end - begin);
        }
        let stretch = stretch.clone();
        let bytes_end = stretch.bytes.end;
        let located = tokio::task::spawn_blocking(move || stretch.view.byte_of(ordinals_end));
        let located = located.await.map_err(|error| io::Error::other(error.to_string())).flatten();
        Ok(located?.min(bytes_end) - begin)
    }

    /// Starts to read the frame that begins at byte `from` of the answer and lies before byte
    /// `until`, if that has to be read.
    pub(super) fn read_ahead(
        &mut self,
        granted: impl FnOnce() -> Arc<Granted<Chunk>>,
        from: u64,
        until: u64,
        frame_bytes: usize,
    ) {
        let Load::Release { stretch, buffers, reading: reading @ None } = self else { return };
        let wanted = usize::try_from(until - from).unwrap_or(usize::MAX).min(frame_bytes);
        let mut frame = buffers.take(frame_bytes);
        let (stretch, granted) = (stretch.clone(), granted());
        let at_byte = stretch.bytes.start + from;
        *reading = Some(tokio::task::spawn_blocking(move || {
            frame.bytes = stretch.view.read(&granted, at_byte, &mut frame.buffer[..wanted])?;
            assert_eq!(frame.bytes, wanted, "what is asked for lies within the grant");
            Ok(frame)
        }));
    }

    /// The next frame, of at most `frame_bytes`.
    ///
    /// # Panics
    /// If it has to be read and nobody has started to.
    pub(super) async fn frame(&mut self, frame_bytes: usize) -> io::Result<Bytes> {
        match self {
            Load::Parcel(bytes) => Ok(bytes.split_to(frame_bytes.min(bytes.len()))),
            Load::Release { reading, .. } => {
                let frame = reading.as_mut().expect("a read is under way").await;
                *reading = None;
                let frame = frame.map_err(|error| io::Error::other(error.to_string())).flatten()?;
                Ok(Bytes::from_owner(frame))
            }
        }
    }

    /// The read that is under way, for whoever has to wait for it.
    pub(super) fn take_reading(&mut self) -> Option<JoinHandle<io::Result<Frame>>> {
        match self {
            Load::Release { reading, .. } => reading.take(),
            Load::Parcel(_) => None,
        }
    }
}
