//! An upstream's answer: its head, which is checked at once, and its bytes, which are checked as
//! they come.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, ETAG, HeaderMap, LAST_MODIFIED, TRANSFER_ENCODING};
use reqwest::{Response, Url};
use sha2::{Digest, Sha256};

use super::{UpstreamError, digest, door};
use crate::base::steady::{self, Blocks, More, NoPiece};
use crate::config::Upstream;

/// An answer that is being read.
#[derive(Debug)]
pub struct Answer {
    upstream: Arc<Upstream>,
    response: Response,
    /// What names this version of the content, if anything does.
    validator: Option<String>,
    /// What the bytes must hash to: all of these.
    digests: Vec<[u8; 32]>,
    hashed: Sha256,
    bytes: u64,
    blocks: VecDeque<Bytes>,
    more: More,
}

/// Asks an upstream for its content and checks the head of its answer.
///
/// # Errors
/// [`UpstreamError`]: it has nothing that could be handed on.
pub async fn open(upstream: &Arc<Upstream>) -> Result<Answer, UpstreamError> {
    let url = Url::parse(&upstream.url.to_string()).expect("the settings were checked");
    let response = ask(upstream, url).await?;
    match response.status().as_u16() {
        200 => {}
        status @ 300..400 => return Err(UpstreamError::Redirected(status)),
        status => return Err(UpstreamError::Refused(status)),
    }
    let bytes_max = upstream.bytes_max;
    if response.content_length().is_some_and(|length| length > bytes_max) {
        return Err(UpstreamError::TooLarge { bytes_max });
    }
    let mut digests = digest::named(response.headers());
    digests.extend(upstream.sha256);
    // Without either a connection that breaks looks like the end.
    let is_framed = response.headers().contains_key(TRANSFER_ENCODING);
    if response.content_length().is_none() && !is_framed && digests.is_empty() {
        return Err(UpstreamError::Unbounded);
    }
    let validator = validator(&upstream.url.to_string(), response.headers(), &digests);
    Ok(Answer {
        upstream: Arc::clone(upstream),
        response,
        validator,
        digests,
        hashed: Sha256::new(),
        bytes: 0,
        blocks: VecDeque::new(),
        more: More::MayCome,
    })
}

async fn ask(upstream: &Upstream, url: Url) -> Result<Response, UpstreamError> {
    let client = door::client(&url, upstream.reach, upstream.connect_max).await?;
    // Packed content is unpacked by what it is, and a digest is one of the bytes as they lie there.
    let mut request = client.get(url).header(ACCEPT_ENCODING, "identity");
    if let Some((name, value)) = &upstream.secret {
        request = request.header(name, value);
    }
    let time_max = upstream.connect_max + upstream.first_byte_max;
    match tokio::time::timeout(time_max, request.send()).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) if error.is_timeout() => {
            Err(UpstreamError::Slow("does not take a connection in time"))
        }
        Ok(Err(error)) => Err(UpstreamError::Unreachable(error.without_url())),
        Err(_) => Err(UpstreamError::Slow("does not begin its answer in time")),
    }
}

/// What names this version of the content: a digest, a strong tag, or a date.
fn validator(url: &str, headers: &HeaderMap, digests: &[[u8; 32]]) -> Option<String> {
    let field = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let tag = || field(ETAG).filter(|tag| tag.starts_with('"')).map(|tag| format!("etag {tag}"));
    let date = || field(LAST_MODIFIED).map(|date| format!("date {date}"));
    let digest = digests.first().map(|digest| format!("sha256 {}", hex::encode(digest)));
    let named = digest.or_else(tag).or_else(date)?;
    Some(format!("{url} {named}"))
}

impl Blocks for Response {
    type Error = reqwest::Error;

    async fn block(&mut self) -> Result<Option<Bytes>, reqwest::Error> {
        self.chunk().await
    }
}

impl Answer {
    /// What names the upstream and this version of its content; `None` if it could change unseen.
    pub fn validator(&self) -> Option<&str> {
        self.validator.as_deref()
    }

    /// The next bytes; `None` at the end, when everything was as it should be.
    ///
    /// # Errors
    /// [`UpstreamError`]: these were not all bytes, or not the right ones.
    pub async fn next(&mut self) -> Result<Option<Bytes>, UpstreamError> {
        while self.blocks.is_empty() && self.more == More::MayCome {
            let piece = steady::piece(self.upstream.idle_max, &mut self.response).await;
            let piece = piece.map_err(|error| match error {
                NoPiece::TooSlow => UpstreamError::Slow("does not go on in time"),
                NoPiece::Failed(error) => UpstreamError::BrokenOff(error.without_url()),
            })?;
            self.blocks.extend(piece.blocks);
            self.more = piece.more;
        }
        let Some(block) = self.blocks.pop_front() else { return self.end() };
        self.bytes += block.len() as u64;
        let bytes_max = self.upstream.bytes_max;
        if self.bytes > bytes_max {
            return Err(UpstreamError::TooLarge { bytes_max });
        }
        if !self.digests.is_empty() {
            self.hashed.update(&block);
        }
        Ok(Some(block))
    }

    fn end(&mut self) -> Result<Option<Bytes>, UpstreamError> {
        let hashed: [u8; 32] = self.hashed.finalize_reset().into();
        if self.digests.iter().any(|digest| *digest != hashed) {
            return Err(UpstreamError::WrongDigest);
        }
        // It is asked once more only by mistake, and must not be told that it is wrong then.
        self.digests.clear();
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn only_what_changes_with_the_content_names_it() {
        let said = |fields: &[(&'static str, &'static str)], digests: &[[u8; 32]]| {
            let fields = fields.iter();
            let headers = fields
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect();
            validator("http://a/b", &headers, digests)
        };
        let both = [("etag", "\"1\""), ("last-modified", "Tue, 1 Jan 2030 00:00:00 GMT")];
        assert_eq!(said(&both, &[]).unwrap(), "http://a/b etag \"1\"");
        assert_eq!(said(&[("etag", "W/\"1\"")], &[]), None);
        assert_eq!(said(&[], &[]), None);
        assert!(said(&both[1..], &[]).unwrap().contains("date Tue"));
        assert!(said(&both, &[[1; 32]]).unwrap().contains("sha256 0101"));
    }
}
