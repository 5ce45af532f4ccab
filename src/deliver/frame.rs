//! Buffers that are read into, sent, and read into again, without asking for memory each time.

use std::sync::{Arc, Mutex};

/// The free buffers of one delivery.
#[derive(Clone, Default)]
pub(super) struct Buffers(Arc<Mutex<Vec<Box<[u8]>>>>);

/// A buffer that goes back to its delivery when its bytes have been sent.
pub(super) struct Frame {
    pub(super) buffer: Box<[u8]>,
    /// How much of the buffer holds bytes.
    pub(super) bytes: usize,
    home: Buffers,
}

impl Buffers {
    /// A buffer of at least `bytes`; its content is whatever it was.
    pub(super) fn take(&self, bytes: usize) -> Frame {
        let pooled = self.0.lock().expect("nobody panics with the list of buffers").pop();
        let buffer = match pooled {
            Some(buffer) if buffer.len() >= bytes => buffer,
            _ => vec![0; bytes].into_boxed_slice(),
        };
        Frame { buffer, bytes: 0, home: self.clone() }
    }
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.bytes]
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.home.0.lock().expect("nobody panics with the list of buffers").push(buffer);
    }
}
