//! A form with a file of IDs: the fields are bounded as those of every form, the file by a setting;
//! it is read line by line as it comes, and never kept as a text.

use std::time::Duration;

use axum::extract::multipart::{Field, Multipart};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::form::{Fields, SentByMember, check_token};
use super::visitor::Member;
use crate::base::ids::parse_digits;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;

/// The field of the file.
const FILE: &str = "file";

/// How many bytes the other fields may have together.
const FIELDS_BYTES_MAX: usize = 64 * 1024;

/// How long a client may take for the next piece.
const PIECE_TIME_MAX: Duration = Duration::from_secs(10);

/// More than a line with an ID has.
const LINE_BYTES_MAX: usize = 1_024;

/// A form of somebody who has signed in, perhaps with a file of IDs.
pub(in crate::http) struct SentWithList {
    pub(super) member: Member,
    pub(super) fields: Fields,
    /// What stands in the file, if one was chosen.
    pub(super) list: Option<Lines>,
}

/// IDs that are read line by line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// In the order of the lines.
    pub(super) ids: Vec<u64>,
    /// The first line that is no ID and no heading, with its number from 1.
    pub(super) wrong: Option<(u64, String)>,
    line: Vec<u8>,
    lines: u64,
}

impl Lines {
    /// The IDs of a text.
    pub(super) fn of(text: &str) -> Lines {
        let mut lines = Lines::default();
        lines.take(text.as_bytes());
        lines.end();
        lines
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(at) = memchr::memchr(b'\n', bytes) {
            self.extend(&bytes[..at]);
            self.end();
            bytes = &bytes[at + 1..];
        }
        self.extend(bytes);
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..room.min(bytes.len())]);
    }

    /// Ends a line: of a table its first cell counts.
    fn end(&mut self) {
        self.lines += 1;
        let line = std::mem::take(&mut self.line);
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line);
        let cell = line.split(|byte| b",;\t".contains(byte)).next().unwrap_or_default();
        let cell = cell.trim_ascii();
        let cell =
            cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\"")).unwrap_or(cell);
        match parse_digits(cell) {
            Ok(id) => self.ids.push(id),
            // A heading, or nothing.
            Err(_) if self.lines == 1 || cell.is_empty() => {}
            Err(_) if self.wrong.is_none() => {
                let shown: String = String::from_utf8_lossy(cell).chars().take(40).collect();
                self.wrong = Some((self.lines, shown));
            }
            Err(_) => {}
        }
    }
}

impl FromRequest<Gateway> for SentWithList {
    type Rejection = Response;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<SentWithList, Response> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        if kind.is_none_or(|kind| !kind.as_bytes().starts_with(b"multipart/form-data")) {
            let SentByMember { member, fields } =
                SentByMember::from_request(request, gateway).await?;
            return Ok(SentWithList { member, fields, list: None });
        }
        if !gateway.hosts.is_own_page(request.headers()) {
            let detail = "the form was not sent by a page of this gateway";
            return Err(Problem::new(&problem::CROSS_SITE, detail).into_response());
        }
        let (mut parts, body) = request.into_parts();
        let member = Member::from_request_parts(&mut parts, gateway).await?;
        let parts = Multipart::from_request(Request::from_parts(parts, body), gateway).await;
        let parts = parts.map_err(|error| bad(&error.to_string()).into_response())?;
        let read = read(parts, &member, gateway.upload_bytes_max).await;
        let (fields, list) = read.map_err(IntoResponse::into_response)?;
        Ok(SentWithList { member, fields, list })
    }
}

async fn read(
    mut parts: Multipart,
    member: &Member,
    bytes_max: u64,
) -> Result<(Fields, Option<Lines>), Problem> {
    let (mut fields, mut list) = (Fields::default(), None);
    let mut room = FIELDS_BYTES_MAX;
    while let Some(mut field) = in_time(parts.next_field()).await? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == FILE {
            // The token stands before it: nobody else's file is read.
            check_token(&member.0, &fields)?;
            list = Some(lines(&mut field, bytes_max).await?);
            continue;
        }
        let mut text = Vec::new();
        while let Some(piece) = in_time(field.chunk()).await? {
            room =
                room.checked_sub(piece.len()).ok_or_else(|| too_large(FIELDS_BYTES_MAX as u64))?;
            text.extend_from_slice(&piece);
        }
        let text = String::from_utf8(text).map_err(|_| bad("a field is no UTF-8"))?;
        fields.put(name, text);
    }
    check_token(&member.0, &fields)?;
    // A browser sends an empty file where none was chosen.
    Ok((fields, list.filter(|list| list.lines > 1 || !list.ids.is_empty())))
}

async fn lines(field: &mut Field<'_>, bytes_max: u64) -> Result<Lines, Problem> {
    let (mut lines, mut bytes) = (Lines::default(), 0);
    while let Some(piece) = in_time(field.chunk()).await? {
        bytes += piece.len() as u64;
        if bytes > bytes_max {
            return Err(too_large(bytes_max));
        }
        lines.take(&piece);
    }
    lines.end();
    Ok(lines)
}

/// What comes next of a form, if it comes in time.
async fn in_time<T>(
    next: impl Future<Output = Result<Option<T>, axum::extract::multipart::MultipartError>>,
) -> Result<Option<T>, Problem> {
    match tokio::time::timeout(PIECE_TIME_MAX, next).await {
        Ok(next) => next.map_err(|error| bad(&error.to_string())),
        Err(_) => {
            let seconds = PIECE_TIME_MAX.as_secs();
            let detail = format!("each piece of the form must arrive within {seconds} seconds");
            Err(Problem::new(&problem::TOO_SLOW, detail))
        }
    }
}

fn too_large(bytes_max: u64) -> Problem {
    let detail = format!("it may have {bytes_max} bytes at most");
    Problem::new(&problem::TOO_LARGE, detail)
}

fn bad(detail: &str) -> Problem {
    Problem::new(&problem::BAD_REQUEST, format!("the form cannot be read: {detail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_whatever_tool_wrote_it_and_cut_into_whatever_pieces() {
        let text = "\u{feff}tweet_id,text\r\n20,\"a, b\"\r\n\"21\";x\n\n 22 \n23";
        let whole = Lines::of(text);
        assert_eq!((&whole.ids[..], whole.wrong), (&[20, 21, 22, 23][..], None));
        for cut in 0..text.len() {
            let mut lines = Lines::default();
            lines.take(&text.as_bytes()[..cut]);
            lines.take(&text.as_bytes()[cut..]);
            lines.end();
            assert_eq!(lines.ids, whole.ids, "cut at {cut}");
        }
    }

    #[test]
    fn the_first_line_that_is_no_id_is_named() {
        let lines = Lines::of("20\n21x\n-3\n22\n");
        assert_eq!((lines.ids, lines.wrong), (vec![20, 22], Some((2, "21x".into()))));
        let long = "9".repeat(5_000);
        assert_eq!(Lines::of(&format!("20\n{long}\n")).wrong.unwrap().0, 2);
    }
}
