//! What is under way as the body of an answer: a delivery of IDs, a file of objects, or what is
//! told of one that is being made.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::deliver::{Broken, FilePassage, Passage};

/// What gives its bytes when it is asked for them.
pub(crate) trait Bytewise: Send + 'static {
    /// The next bytes; `None` when all have been handed over.
    fn next(&mut self) -> impl Future<Output = Option<Result<Bytes, Broken>>> + Send;
    /// How many there are, if that is known.
    fn length(&self) -> Option<u64>;
    /// What the log calls it.
    fn name(&self) -> String;
}

impl Bytewise for Passage {
    async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        Passage::next(self).await
    }

    fn length(&self) -> Option<u64> {
        Passage::length(self)
    }

    fn name(&self) -> String {
        self.delivery_id().to_string()
    }
}

impl Bytewise for FilePassage {
    async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        FilePassage::next(self).await
    }

    fn length(&self) -> Option<u64> {
        Some(FilePassage::length(self))
    }

    fn name(&self) -> String {
        self.delivery_id().to_string()
    }
}

/// Asks a passage for its next bytes whenever the connection has room for them.
///
/// A passage that breaks off leaves an answer that is shorter than its Content-Length, or that
/// lacks its last chunk where no length was told: no client takes it for complete.
pub(crate) struct PassageBody<P = Passage> {
    state: State<P>,
    /// How much is still to come, if that is known.
    rest_bytes: Option<u64>,
}

enum State<P> {
    Idle(Box<P>),
    Asked(Pin<Box<dyn Future<Output = Answered<P>> + Send>>),
    Done,
}

type Answered<P> = (Box<P>, Option<Result<Bytes, Broken>>);

impl<P: Bytewise> PassageBody<P> {
    /// The body of that passage.
    pub(crate) fn new(passage: Box<P>) -> PassageBody<P> {
        let rest_bytes = passage.length();
        PassageBody { state: State::Idle(passage), rest_bytes }
    }
}

impl<P: Bytewise> Body for PassageBody<P> {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let mut asked = match std::mem::replace(&mut self.state, State::Done) {
            State::Idle(mut passage) => Box::pin(async move {
                let next = passage.next().await;
                (passage, next)
            }),
            State::Asked(asked) => asked,
            State::Done => return Poll::Ready(None),
        };
        let Poll::Ready((passage, next)) = asked.as_mut().poll(context) else {
            self.state = State::Asked(asked);
            return Poll::Pending;
        };
        let Some(next) = next else { return Poll::Ready(None) };
        match next {
            Ok(bytes) => {
                self.rest_bytes = self.rest_bytes.map(|rest| rest - bytes.len() as u64);
                if self.rest_bytes != Some(0) {
                    self.state = State::Idle(passage);
                }
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Err(broken) => {
                tracing::warn!(
                    delivery = passage.name(),
                    error = &broken as &dyn std::error::Error,
                    "a delivery breaks off"
                );
                Poll::Ready(Some(Err(broken)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest_bytes == Some(0) || matches!(self.state, State::Done)
    }

    fn size_hint(&self) -> SizeHint {
        self.rest_bytes.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
