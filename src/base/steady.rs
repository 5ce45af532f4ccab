//! Bytes that have to keep coming: whoever sends them too slowly is told from whoever is done.

use std::time::Duration;

use bytes::Bytes;

/// Bytes that have to come within each stretch of time, unless the end does.
pub const PIECE_BYTES: usize = 64 << 10;

/// What came within one stretch of time.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// The bytes, as they came.
    pub blocks: Vec<Bytes>,
    /// Whether there are more.
    pub more: More,
}

/// Whether more bytes may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// They may.
    MayCome,
    /// These were all.
    Ended,
}

/// Why there is no piece.
#[derive(Debug, PartialEq, Eq)]
pub enum NoPiece<E> {
    /// Too few bytes came in time.
    TooSlow,
    /// The source failed.
    Failed(E),
}

/// Where bytes come from.
pub trait Blocks {
    /// Why there may be none.
    type Error;

    /// The next bytes, however many; `None` at the end.
    fn block(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;
}

/// Takes blocks until they are [`PIECE_BYTES`] or there are no more, within `time_max`.
///
/// # Errors
/// [`NoPiece`]; what had come is lost.
pub async fn piece<B: Blocks>(
    time_max: Duration,
    source: &mut B,
) -> Result<Piece, NoPiece<B::Error>> {
    let gathered = tokio::time::timeout(time_max, async {
        let mut blocks = Vec::new();
        let mut bytes = 0;
        while bytes < PIECE_BYTES {
            let Some(block) = source.block().await? else {
                return Ok(Piece { blocks, more: More::Ended });
            };
            bytes += block.len();
            blocks.push(block);
        }
        Ok(Piece { blocks, more: More::MayCome })
    });
    match gathered.await {
        Ok(gathered) => gathered.map_err(NoPiece::Failed),
        Err(_) => Err(NoPiece::TooSlow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct MadeUp<'a> {
        sizes: std::slice::Iter<'a, usize>,
        then: Then,
    }

    impl Blocks for MadeUp<'_> {
        type Error = ();

        async fn block(&mut self) -> Result<Option<Bytes>, ()> {
            match (self.sizes.next(), self.then) {
                (Some(&size), _) => Ok(Some(Bytes::from(vec![0; size]))),
                (None, Then::Ends) => Ok(None),
                (None, Then::Fails) => Err(()),
                (None, Then::Stalls) => std::future::pending().await,
            }
        }
    }

    /// What is made of blocks of these sizes, after which the source …
    fn check(sizes: &[usize], then: Then, expected: Result<(usize, More), NoPiece<()>>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut source = MadeUp { sizes: sizes.iter(), then };
        let got = runtime.block_on(piece(Duration::from_millis(1), &mut source));
        let got = got.map(|piece| (piece.blocks.iter().map(Bytes::len).sum(), piece.more));
        assert_eq!(got, expected);
    }

    #[derive(Clone, Copy)]
    enum Then {
        Ends,
        Fails,
        Stalls,
    }

    #[test]
    fn a_piece_is_whole_or_the_last_or_there_is_none() {
        check(&[1, 2], Then::Ends, Ok((3, More::Ended)));
        check(&[], Then::Ends, Ok((0, More::Ended)));
        check(&[PIECE_BYTES - 1, 7, 9], Then::Stalls, Ok((PIECE_BYTES + 6, More::MayCome)));
        check(&[PIECE_BYTES - 1], Then::Stalls, Err(NoPiece::TooSlow));
        check(&[1], Then::Fails, Err(NoPiece::Failed(())));
    }
}
