//! A delivery under way as the body of an answer.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::deliver::{Broken, Passage};

/// Asks a passage for its next bytes whenever the connection has room for them.
///
/// A passage that breaks off leaves an answer that is shorter than its Content-Length, or that
/// lacks its last chunk where no length was told: no client takes it for complete.
pub(crate) struct PassageBody {
    state: State,
    /// How much is still to come, if that is known.
    rest_bytes: Option<u64>,
}

enum State {
    Idle(Box<Passage>),
    Asked(Pin<Box<dyn Future<Output = Answered> + Send>>),
    Done,
}

type Answered = (Box<Passage>, Option<Result<Bytes, Broken>>);

impl PassageBody {
    /// The body of that passage.
    pub(crate) fn new(passage: Box<Passage>) -> PassageBody {
        let rest_bytes = passage.length();
        PassageBody { state: State::Idle(passage), rest_bytes }
    }
}

impl Body for PassageBody {
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
                    delivery = %passage.delivery_id(),
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
