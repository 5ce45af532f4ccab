//! What was read of a packed file and is not cut into pieces yet.

use std::io;

use super::{BUFFER_BYTES, Failing, Stream};

/// The bytes at hand, and where more come from.
#[derive(Default)]
pub(super) struct Window<'a> {
    /// None behind its end, or once it has failed.
    pub(super) input: Option<Stream<'a>>,
    /// How it failed, until somebody is told.
    pub(super) failed: Option<io::Error>,
    pub(super) bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    pub(super) fn new(input: Stream<'a>) -> Window<'a> {
        Window { input: Some(input), ..Window::default() }
    }

    /// Reads on; says whether anything came.
    pub(super) fn fill(&mut self) -> bool {
        let Some(input) = &mut self.input else { return false };
        let kept = self.bytes.len();
        self.bytes.resize(kept + BUFFER_BYTES, 0);
        let read = loop {
            match input.read(&mut self.bytes[kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let count = read.as_ref().map_or(0, |read| *read);
        self.bytes.truncate(kept + count);
        if count == 0 {
            self.input = None;
            self.failed = read.err();
        }
        count > 0
    }

    /// What comes behind the bytes at hand: the rest, or how it failed.
    pub(super) fn behind(&mut self) -> Stream<'a> {
        self.input.take().unwrap_or_else(|| Box::new(Failing(self.failed.take())))
    }
}
