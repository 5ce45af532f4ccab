//! Progress as server-sent events: one whenever something changed, and the last when nothing of the
//! export is being made any more.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::json;

use super::number;
use super::one::{Whole, state_words, under_way};
use crate::base::party::PersonId;
use crate::deliver::Broken;
use crate::http::api::Segment;
use crate::http::body::{Bytewise, PassageBody};
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::http::web::visitor::Member;

/// How often it is looked.
const GLANCE: Duration = Duration::from_millis(500);

/// After how many looks the answer ends, so that a gateway that stops need not wait for it; the
/// browser asks again.
const GLANCES_MAX: u32 = 40;

/// After how many looks in which nothing changed something is sent all the same.
const QUIET_MAX: u32 = 10;

/// `GET /exports/{id}/events`.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    member: Member,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    let (id, person) = (number(&id)?, member.signed_in().requester.person);
    gateway.store.look(move |tx| Whole::find(tx, person, id).map(drop)).await?;
    let events = Events { gateway, person, id, glances: 0, quiet: 0, last: None, is_over: false };
    let mut response = Body::new(PassageBody::new(Box::new(events))).into_response();
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// The events of one export.
struct Events {
    gateway: Gateway,
    person: PersonId,
    id: i64,
    glances: u32,
    quiet: u32,
    /// What was told last.
    last: Option<String>,
    is_over: bool,
}

impl Bytewise for Events {
    async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        while !self.is_over && self.glances < GLANCES_MAX {
            if self.glances > 0 {
                tokio::time::sleep(GLANCE).await;
            }
            self.glances += 1;
            let (person, id) = (self.person, self.id);
            let looked = self.gateway.store.look(move |tx| under_way(tx, person, id)).await;
            let event = match looked {
                Err(error) => return Some(Err(Broken::Unknown(error))),
                Ok(None) => {
                    self.is_over = true;
                    "event: end\ndata: {}\n\n".to_owned()
                }
                Ok(Some(file)) => {
                    let told = json!({
                        "file": file.id.to_string(),
                        "part": file.part,
                        "state": file.state.word(),
                        "words": state_words(file.state),
                        "looked_up": file.gathered,
                        "objects_max": file.objects_max,
                    });
                    format!("event: progress\ndata: {told}\n\n")
                }
            };
            if self.last.as_ref() != Some(&event) {
                self.quiet = 0;
                self.last = Some(event.clone());
                return Some(Ok(event.into()));
            }
            self.quiet += 1;
            if self.quiet == QUIET_MAX {
                self.quiet = 0;
                return Some(Ok(Bytes::from_static(b": still the same\n\n")));
            }
        }
        None
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn name(&self) -> String {
        format!("events of export {}", self.id)
    }
}
