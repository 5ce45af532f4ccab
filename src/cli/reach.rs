//! How an operation is carried out: by the gateway that holds the data folder, or here.
//!
//! Where a gateway runs, it has the folder's lock and answers on the control socket. Where none
//! runs, this process takes the lock for the moment and works on the store itself. Between the
//! two lies a gateway that starts or another command that is at it: both are waited for a little.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::Common;
use super::signing::freeze_after;
use crate::operation::{Context, Operation, Reply, actor_of, execute};
use crate::store::{DataFolder, FolderError, Store};

/// How often the socket and the lock are tried in turn before that is given up.
const ATTEMPTS_MAX: u32 = 50;
/// How long to wait between two attempts.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a gateway may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// Carries out `operation` and returns its answer.
pub(crate) fn operate(common: &Common, operation: Operation) -> anyhow::Result<Value> {
    let settings = common.settings(None)?;
    let folder = if operation.may_begin() {
        DataFolder::create(&settings.data_folder)?
    } else {
        DataFolder::existing(&settings.data_folder)?
    };
    let process = std::process::id();
    let mut attempts = 0;
    let lock = loop {
        if let Ok(stream) = UnixStream::connect(folder.control_socket()) {
            return ask(stream, &operation);
        }
        attempts += 1;
        match folder.lock(&format!("a hydrant command (process {process})")) {
            Ok(lock) => break lock,
            Err(FolderError::Held { .. }) if attempts < ATTEMPTS_MAX => {
                std::thread::sleep(ATTEMPT_PAUSE);
            }
            Err(FolderError::Held { holder, .. }) => bail!(
                "the data folder {} is in use by {holder}, but nobody answers at {}: wait until \
                 it has started or ended, or stop it",
                folder.path().display(),
                folder.control_socket().display(),
            ),
            Err(error) => return Err(error.into()),
        }
    };
    let store = Store::open(&folder.database())?;
    let notary = super::notary(&settings);
    // What else is wrong with the log is told by the commands that need it.
    if let Err(error) = notary.open(&store) {
        freeze_after(&error, &store, common.clock().now_ms())?;
    }
    let context = Context { store, clock: common.clock(), profile: settings.profile, notary };
    let answer = execute(operation, &context, &actor_of(nix::unistd::Uid::effective().as_raw()))?;
    drop(lock);
    Ok(answer)
}

/// Asks the gateway at the other end of `stream`.
fn ask(mut stream: UnixStream, operation: &Operation) -> anyhow::Result<Value> {
    let lost = "the gateway that runs on the data folder did not answer; whether it did what was \
                asked, a list of it tells";
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    stream.set_write_timeout(Some(ANSWER_MAX))?;
    let mut line = serde_json::to_string(operation)?;
    line.push('\n');
    stream.write_all(line.as_bytes()).context(lost)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).context(lost)?;
    match serde_json::from_str(&answer).context(lost)? {
        Reply::Ok(answer) => Ok(answer),
        Reply::Error(error) => Err(error.into()),
    }
}
