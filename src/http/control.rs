//! The control socket: how a command reaches the gateway that holds the data folder.
//!
//! The socket lies in the data folder and speaks one exchange a connection: one line of JSON with
//! an operation in, one line with its answer out. The kernel says which account is at the other
//! end; only the owner of the gateway and root are heard, and the audit log names the account.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use crate::operation::{Context, ErrorKind, Operation, OperationError, Reply, actor_of, execute};
use crate::store::DataFolder;

/// The longest operation in bytes: texts of some thousand characters, not files.
const REQUEST_BYTES_MAX: u64 = 1 << 20;
/// How long a command may take to say what it wants, and again to take the answer.
const EXCHANGE_MAX: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be accepted, for instance for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A control socket that is bound; dropping it takes it away.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Binds the socket of `folder`, whose lock the caller holds: a socket that a dead gateway
    /// left there is taken away.
    ///
    /// # Errors
    /// What the system says, with the path: it may for instance be longer than a socket's may be.
    pub fn bind(folder: &DataFolder) -> io::Result<Control> {
        let path = folder.control_socket();
        bind(&path)
            .map(|listener| Control { listener, path: path.clone() })
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }

    /// Answers operations until `shutdown` ends, and then those that have begun.
    pub async fn serve(self, context: Context, shutdown: impl Future<Output = ()>) {
        let mut exchanges = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                Some(_) = exchanges.join_next() => continue,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    exchanges.spawn(exchange(stream, context.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        while exchanges.join_next().await.is_some() {}
    }
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // Whoever connects before this line still has to be of the right account.
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

impl Drop for Control {
    fn drop(&mut self) {
        // A socket without a gateway only makes the next command try in vain.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn exchange(mut stream: UnixStream, context: Context) {
    let reply = match tokio::time::timeout(EXCHANGE_MAX, heard(&mut stream)).await {
        Ok(Ok((operation, uid))) => carried_out(operation, context, uid).await,
        Ok(Err(error)) => Reply::Error(error),
        Err(_) => return,
    };
    let mut line = serde_json::to_string(&reply).expect("an answer has only keys that JSON knows");
    line.push('\n');
    let sent = async {
        stream.write_all(line.as_bytes()).await?;
        stream.shutdown().await
    };
    // The command may be gone; what it asked for is done and in the audit log.
    let _ = tokio::time::timeout(EXCHANGE_MAX, sent).await;
}

/// What the other end asks for, and which account it is.
async fn heard(stream: &mut UnixStream) -> Result<(Operation, u32), OperationError> {
    let refused = |message: String| OperationError { kind: ErrorKind::Invalid, message };
    let peer = stream.peer_cred().map_err(|error| refused(error.to_string()))?;
    if peer.uid() != 0 && peer.uid() != nix::unistd::Uid::effective().as_raw() {
        return Err(refused("only the account of the gateway and root may ask here".into()));
    }
    let mut line = String::new();
    let mut reader = BufReader::new(stream.take(REQUEST_BYTES_MAX));
    reader.read_line(&mut line).await.map_err(|error| refused(error.to_string()))?;
    if !line.ends_with('\n') {
        return Err(refused(format!("one line of at most {REQUEST_BYTES_MAX} bytes is expected")));
    }
    let operation = serde_json::from_str(&line).map_err(|error| {
        refused(format!("the gateway that runs does not know this operation: {error}"))
    })?;
    Ok((operation, peer.uid()))
}

async fn carried_out(operation: Operation, context: Context, uid: u32) -> Reply {
    if operation.needs_no_gateway() {
        let message = "a gateway runs on the data folder: stop it, try again, and start it anew";
        let kind = ErrorKind::Conflict;
        return Reply::Error(OperationError { kind, message: message.into() });
    }
    let work = move || execute(operation, &context, &actor_of(uid));
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(answer)) => Reply::Ok(answer),
        Ok(Err(error)) => Reply::Error(error),
        Err(bug) => {
            tracing::error!(%bug, "an operation was not carried out");
            let message = "the gateway failed; its log says why".to_owned();
            Reply::Error(OperationError { kind: ErrorKind::Unavailable, message })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{LogPlaces, Notary};
    use crate::base::clock::Clock;
    use crate::policy::Profile;
    use crate::store::Store;

    /// What a gateway answers to `sent`, whose end is sent too.
    async fn answered(sent: &[u8]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(&dir.path().join("data")).unwrap();
        // A dead gateway's socket is in the way.
        drop(std::os::unix::net::UnixListener::bind(folder.control_socket()).unwrap());
        let control = Control::bind(&folder).unwrap();
        let mode = folder.control_socket().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let context = Context {
            store: Store::open(&folder.database()).unwrap(),
            clock: Clock::manual(1_800_000_000_000),
            profile: Profile::built_in("twitter-2020-03").unwrap().into(),
            notary: Notary::new(LogPlaces {
                origin: None,
                origin_default: "example.org/log".parse().unwrap(),
                key_file: DataFolder::audit_key_in(folder.path()),
                copies: Vec::new(),
            }),
            releases: folder.releases(),
        };
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let served = tokio::spawn(control.serve(context, async { drop(stopped.await) }));

        let mut stream = UnixStream::connect(folder.control_socket()).await.unwrap();
        // A gateway that has heard enough may close before everything is sent.
        let _ = stream.write_all(sent).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;

        stop.send(()).unwrap();
        served.await.unwrap();
        assert!(!folder.control_socket().exists(), "a gateway takes its socket with it");
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn a_line_is_answered_with_a_line() {
        let added = answered(
            b"{\"operation\":\"entity-add\",\"slug\":\"a\",\"name\":\"A\",\
              \"sector\":\"individual\"}\n",
        );
        let added = added.await;
        assert!(added.starts_with(r#"{"ok":{"id":"1","slug":"a""#), "{added}");
        assert!(added.ends_with("}\n"), "{added}");
        for (sent, expected) in [
            ("{\"operation\":\"entity-list\"}\n", r#"{"ok":[]}"#),
            (
                "{\"operation\":\"entity-show\",\"slug\":\"b\"}\n",
                r#"{"error":{"kind":"not-found","message":"there is no entity `b`;"#,
            ),
            ("{\"operation\":\"entity-eat\"}\n", "does not know this operation"),
            ("\n", "does not know this operation"),
            ("{\"operation\":\"entity-list\"}", "one line of at most"),
            ("", "one line of at most"),
        ] {
            let answer = answered(sent.as_bytes()).await;
            assert!(answer.contains(expected), "{sent}: {answer}");
        }
    }

    #[tokio::test]
    async fn a_line_without_end_is_not_listened_to() {
        let endless = vec![b'a'; usize::try_from(REQUEST_BYTES_MAX).unwrap() + 1];
        let answer = answered(&endless).await;
        assert!(answer.is_empty() || answer.contains("one line of at most"), "{answer}");
    }
}
