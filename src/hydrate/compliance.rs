//! Batch compliance: the platform is handed a list of IDs and says which of them are gone. What
//! follows from its answer is decided by removals; here it becomes a file.
//!
//! The story: a job is created, and the answer names two addresses of another host, signed and good
//! for a while: one takes the list, the other gives the result once the job is complete. Neither
//! is ever shown the token. They are the only foreign addresses that are followed, each has to be
//! https and of the public network unless the platform itself is in a private one, and what lies
//! there is read within bounds.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::books::{Books, Step};
use super::error::{HydrateError, Stopped};
use super::platform::{self, Platform};
use super::record::JobNote;
use super::reply::{Limit, Said};
use super::stop::{Asked, Stop};
use crate::base::clock::Clock;
use crate::base::ids::IdKind;
use crate::base::steady::{self, Blocks, More, NoPiece};
use crate::config::{Hydrate, Reach};

/// How many bytes a result may have: some hundred for each of ten million IDs and more.
const RESULT_BYTES_MAX: u64 = 8 << 30;
/// How long a host may take for the next piece of a result, or to take a list.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// How long the upload of a list may take.
const UPLOAD_MAX: Duration = Duration::from_secs(60 * 60);
/// How often a job is looked at while it is waited for.
const POLL_MS: i64 = 15_000;
/// Bytes of a list that are read at once.
const BLOCK_BYTES: usize = 64 << 10;

/// A job, as the platform describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The platform's number.
    pub id: String,
    /// What its IDs are.
    pub kind: IdKind,
    /// What it is called.
    pub name: String,
    /// `created`, `in_progress`, `complete`, `expired` or `failed`.
    pub status: String,
    /// Where its list goes.
    upload: Option<Url>,
    /// Where its result is.
    download: Option<Url>,
}

/// Compliance jobs, asked for with one credential.
pub struct Jobs<'a, B: Books> {
    /// Whom to ask.
    pub platform: &'a Platform,
    /// Where it is written down.
    pub books: &'a B,
    /// What time it is.
    pub clock: &'a Clock,
    /// Who may ask to stop.
    pub stop: &'a Stop,
}

impl<B: Books> Jobs<'_, B> {
    /// Creates a job. The platform has one at a time for each kind.
    ///
    /// # Errors
    /// [`HydrateError`].
    pub async fn create(&self, kind: IdKind, name: &str, ids: u64) -> Result<Job, HydrateError> {
        let body = json!({ "type": word_of(kind), "name": name, "resumable": false });
        let page = self.ask(Method::POST, "/2/compliance/jobs", Some(&body)).await?;
        let job = Job::read(&page["data"]).ok_or_else(unreadable)?;
        self.note(&job, Some(ids), &job.status, None).await?;
        Ok(job)
    }

    /// Looks how a job stands.
    ///
    /// # Errors
    /// [`HydrateError`].
    pub async fn look(&self, id: &str) -> Result<Job, HydrateError> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(HydrateError::Unfit(format!("`{id}` is no number of a job")));
        }
        let page = self.ask(Method::GET, &format!("/2/compliance/jobs/{id}"), None).await?;
        let job = Job::read(&page["data"]).ok_or_else(unreadable)?;
        self.note(&job, None, &job.status, None).await?;
        Ok(job)
    }

    /// Uploads the list of IDs in the file at `path`, one a line, of which there are `ids`.
    ///
    /// # Errors
    /// [`HydrateError`]; the same may be tried again as long as the platform takes it.
    pub async fn upload(&self, job: &Job, path: &Path, ids: u64) -> Result<(), HydrateError> {
        let settings = self.platform.settings();
        let url = foreign_url(settings, job.upload.as_ref(), "takes no list any more")?;
        let client = platform::foreign(settings, &url).await?;
        let file = File::open(path).map_err(HydrateError::file(path))?;
        let length = file.metadata().map_err(HydrateError::file(path))?.len();
        let request = client
            .put(url)
            .header(CONTENT_TYPE, "text/plain")
            .header(CONTENT_LENGTH, length)
            .body(reqwest::Body::wrap(List { file, rest: length }));
        let sent = platform::within(UPLOAD_MAX, async {
            request.send().await.map_err(platform::unreachable)
        });
        let status = match sent.await {
            Ok(response) => response.status().as_u16(),
            Err(why) => return Err(failing(&format!("the upload failed: {why}"))),
        };
        if !(200..300).contains(&status) {
            return Err(failing(&format!("the upload was answered with status {status}")));
        }
        self.note(job, Some(ids), "uploaded", None).await
    }

    /// Waits until a job has ended, however.
    ///
    /// # Errors
    /// [`HydrateError`].
    pub async fn wait(&self, id: &str, told: &dyn Fn(&Job)) -> Result<Job, HydrateError> {
        loop {
            let job = self.look(id).await?;
            told(&job);
            if !["created", "in_progress"].contains(&job.status.as_str()) {
                return Ok(job);
            }
            let until_ms = self.clock.now_ms() + POLL_MS;
            self.wait_until(until_ms).await?;
        }
    }

    /// Downloads the result of a complete job into a file at `path`, which is there whole or not
    /// at all; its SHA-256. Removals read it as what the job is about.
    ///
    /// # Errors
    /// [`HydrateError`].
    pub async fn download(&self, job: &Job, path: &Path) -> Result<String, HydrateError> {
        if job.status != "complete" {
            let message = format!("the job {} is {}: there is no result", job.id, job.status);
            return Err(HydrateError::Unfit(message));
        }
        let settings = self.platform.settings();
        let url = foreign_url(settings, job.download.as_ref(), "has no result any more")?;
        let client = platform::foreign(settings, &url).await?;
        let request = client.get(url).header(ACCEPT_ENCODING, "identity");
        let sent = platform::within(settings.answer_max, async {
            request.send().await.map_err(platform::unreachable)
        });
        let mut response = sent.await.map_err(|why| failing(&why))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(failing(&format!("the result was answered with status {status}")));
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new()
            .prefix(".hydrant-")
            .tempfile_in(parent)
            .map_err(HydrateError::file(parent))?;
        let sha256 = copy(&mut response, file.as_file_mut(), path).await?;
        file.as_file().sync_all().map_err(HydrateError::file(path))?;
        file.persist(path).map_err(|error| HydrateError::file(path)(error.error))?;
        let result = Some((path.display().to_string(), sha256.clone()));
        self.note(job, None, &job.status, result).await?;
        Ok(sha256)
    }

    async fn note(
        &self,
        job: &Job,
        ids: Option<u64>,
        state: &str,
        result: Option<(String, String)>,
    ) -> Result<(), HydrateError> {
        let note = JobNote {
            id: job.id.clone(),
            kind: job.kind,
            credential: self.platform.credential().label.clone(),
            name: job.name.clone(),
            ids,
            state: state.to_owned(),
            result,
        };
        self.books.ask(Step::Job(note)).await?;
        Ok(())
    }

    /// Asks until there is an answer, or a reason to stop. Creating a job twice would leave one
    /// that nobody fills, so what may have arrived is not sent again.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, HydrateError> {
        let attempts_max = self.platform.settings().attempts_max;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let asked = self.platform.ask(method.clone(), path, &[], body, self.clock).await;
            let said = match asked {
                Ok(reply) => reply.said(&self.platform.credential().label),
                Err(why) => Said::Passing(why),
            };
            let now_ms = self.clock.now_ms();
            match said {
                Said::Page(page) => return Ok(page),
                Said::Stop(stopped) => return Err(stopped.into()),
                Said::UsageCap => return Err(failing("the month's usage cap is reached")),
                Said::Limited(Some(until_ms)) if attempts < attempts_max => {
                    let until_ms = Limit::bounded(until_ms, now_ms)?.max(now_ms + 1_000);
                    self.wait_until(until_ms).await?;
                }
                Said::Passing(_) if attempts < attempts_max && method == Method::GET => {
                    self.wait_until(now_ms + (1_000 << attempts.min(6))).await?;
                }
                Said::Limited(_) => return Err(failing("it wants no more requests now")),
                Said::Passing(why) => {
                    return Err(Stopped::Failing { attempts, last: why }.into());
                }
            }
        }
    }

    async fn wait_until(&self, until_ms: i64) -> Result<(), HydrateError> {
        let waited = self.stop.wait(self.clock, until_ms).await;
        waited.map_err(|Asked| Stopped::Asked.into())
    }
}

impl Job {
    fn read(data: &Value) -> Option<Job> {
        let text = |key: &str| data[key].as_str();
        let url = |key: &str| text(key).and_then(|text| Url::parse(text).ok());
        Some(Job {
            id: text("id")?.to_owned(),
            kind: match text("type")? {
                "tweets" => IdKind::Tweet,
                "users" => IdKind::User,
                _ => return None,
            },
            name: text("name").unwrap_or_default().to_owned(),
            status: text("status")?.to_owned(),
            upload: url("upload_url"),
            download: url("download_url"),
        })
    }
}

fn word_of(kind: IdKind) -> &'static str {
    if kind == IdKind::User { "users" } else { "tweets" }
}

fn unreadable() -> HydrateError {
    failing("the platform answered with no job")
}

fn failing(why: &str) -> HydrateError {
    Stopped::Failing { attempts: 1, last: why.to_owned() }.into()
}

/// An address of another host that the platform named, if it may be followed.
fn foreign_url(settings: &Hydrate, url: Option<&Url>, missing: &str) -> Result<Url, HydrateError> {
    let url = url.ok_or_else(|| HydrateError::Unfit(format!("the job {missing}")))?;
    let is_safe =
        url.scheme() == "https" || (url.scheme() == "http" && settings.reach == Reach::Private);
    if is_safe && url.host_str().is_some_and(|host| !host.is_empty()) {
        return Ok(url.clone());
    }
    // Without path and query, which are signed and open it.
    let origin = url.origin().ascii_serialization();
    Err(HydrateError::Unfit(format!(
        "the platform names a file at {origin}, which is no https address, and is not followed"
    )))
}

/// Copies an answer to its end into `file`, and hashes it.
async fn copy(
    response: &mut reqwest::Response,
    file: &mut File,
    path: &Path,
) -> Result<String, HydrateError> {
    let length = response.content_length();
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    let mut source = Source(response);
    loop {
        let piece = steady::piece(IDLE_MAX, &mut source).await.map_err(|error| match error {
            NoPiece::TooSlow => failing("the result does not go on in time"),
            NoPiece::Failed(why) => failing(&why),
        })?;
        for block in piece.blocks {
            bytes += block.len() as u64;
            if bytes > RESULT_BYTES_MAX {
                let most = format!("the result has more than {RESULT_BYTES_MAX} bytes");
                return Err(failing(&most));
            }
            digest.update(&block);
            file.write_all(&block).map_err(HydrateError::file(path))?;
        }
        if piece.more == More::Ended {
            break;
        }
    }
    if length.is_some_and(|length| length != bytes) {
        return Err(failing("the result is not as long as was said"));
    }
    Ok(hex::encode(digest.finalize()))
}

struct Source<'a>(&'a mut reqwest::Response);

impl Blocks for Source<'_> {
    type Error = String;

    async fn block(&mut self) -> Result<Option<Bytes>, String> {
        platform::next(self.0).await
    }
}

/// The file of a list as the body of a request, which is never whole in memory.
struct List {
    file: File,
    rest: u64,
}

impl Body for List {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.rest == 0 {
            return Poll::Ready(None);
        }
        let mut block = vec![0; BLOCK_BYTES.min(usize::try_from(self.rest).unwrap_or(BLOCK_BYTES))];
        // A file on a disk does not keep anybody waiting for long.
        if let Err(error) = self.file.read_exact(&mut block) {
            return Poll::Ready(Some(Err(error)));
        }
        self.rest -= block.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(block.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = include_str!("../../tests/data/platform/compliance-job.json");

    #[test]
    fn a_job_is_read_as_the_platform_describes_it() {
        let text = JOB.replace("UPLOAD", "https://storage.example.org/up?signed=1");
        let page: Value = serde_json::from_str(&text).unwrap();
        let job = Job::read(&page["data"]).unwrap();
        assert_eq!((job.id.as_str(), job.kind), ("1372966999991541762", IdKind::Tweet));
        assert_eq!((job.name.as_str(), job.status.as_str()), ("made up", "created"));
        assert_eq!(job.upload.unwrap().query(), Some("signed=1"));
        assert_eq!(job.download, None);
        for wrong in ["{}", "{\"id\":7,\"type\":\"tweets\",\"status\":\"created\"}"] {
            assert_eq!(Job::read(&serde_json::from_str(wrong).unwrap()), None);
        }
    }
}
