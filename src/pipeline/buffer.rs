//! A buffer that is filled, emptied and filled again: its room is zeroed once, not at each turn,
//! which would cost as much as to read a good part of it.

use std::ops::Deref;

/// Bytes in memory, and room for more behind them.
#[derive(Default)]
pub(super) struct Buffer {
    /// The bytes that it holds, then what stood there before.
    room: Vec<u8>,
    held: usize,
}

impl Buffer {
    /// All the bytes that there is room for at hand.
    pub(super) fn room_bytes(&self) -> usize {
        self.room.len()
    }

    /// Keeps only the first bytes, so many.
    pub(super) fn truncate(&mut self, bytes: usize) {
        self.held = self.held.min(bytes);
    }

    /// Lets go of the first bytes, so many.
    pub(super) fn drop_front(&mut self, bytes: usize) {
        self.room.copy_within(bytes..self.held, 0);
        self.held -= bytes;
    }

    /// Adds bytes at the end.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        match self.room.get_mut(self.held..self.held + bytes.len()) {
            Some(room) => room.copy_from_slice(bytes),
            None => {
                self.room.truncate(self.held);
                self.room.extend_from_slice(bytes);
            }
        }
        self.held += bytes.len();
    }

    /// Lets `fill` fill the room behind the bytes, of which there are `bytes_min` in all then; it
    /// says how many it filled.
    ///
    /// # Errors
    /// What `fill` returns; nothing is added then.
    pub(super) fn fill<E>(
        &mut self,
        bytes_min: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        if self.room.len() < bytes_min {
            self.room.resize(bytes_min, 0);
        }
        let filled = fill(&mut self.room[self.held..])?;
        self.held += filled;
        assert!(self.held <= self.room.len(), "nobody fills more than there is room for");
        Ok(filled)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.room[..self.held]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::base::cases::remembered())]

        #[test]
        fn a_buffer_holds_what_a_vector_holds(
            turns in prop::collection::vec((0..4_usize, 0..40_usize), 0..40)
        ) {
            let (mut buffer, mut twin) = (Buffer::default(), Vec::new());
            for (turn, (what, count)) in turns.into_iter().enumerate() {
                let bytes = vec![turn as u8; count];
                match what {
                    0 => {
                        buffer.append(&bytes);
                        twin.extend_from_slice(&bytes);
                    }
                    1 => {
                        buffer.truncate(count);
                        twin.truncate(count);
                    }
                    2 => {
                        buffer.drop_front(count.min(twin.len()));
                        twin.drain(..count.min(twin.len()));
                    }
                    _ => {
                        let filled = buffer.fill(twin.len() + 20, |room| {
                            let filled = count.min(room.len());
                            room[..filled].copy_from_slice(&bytes[..filled]);
                            Ok::<_, ()>(filled)
                        });
                        twin.extend_from_slice(&bytes[..filled.unwrap()]);
                        prop_assert!(buffer.room_bytes() >= twin.len());
                    }
                }
                prop_assert_eq!(&buffer[..], &twin[..]);
            }
        }
    }
}
