//! The control socket: how a command reaches the gateway that holds the data folder.
//!
//! The socket lies in the data folder and speaks one exchange a connection: one line of JSON with
//! an operation in, one line with its answer out. The kernel says which account is at the other
//! end; only the owner of the gateway and root are heard, and the audit log names the account.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
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
    /// What the system says, for instance for a path that is longer than a socket's may be.
    pub fn bind(folder: &DataFolder) -> io::Result<Control> {
        let path = folder.control_socket();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        // Whoever connects before this line still has to be of the right account.
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(Control { listener, path })
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
