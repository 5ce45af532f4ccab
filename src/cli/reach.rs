//! How an operation is carried out: by the gateway that holds the data folder, or here.
//!
//! Where a gateway runs, it has the folder's lock and answers on the control socket. Where none
//! runs, this process takes the lock for the moment and works on the store itself. Between the
//! two lies a gateway that starts or another command that is at it: both are waited for a little.
//! A store on a database server needs no lock of a folder, nor a folder.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::Common;
use super::signing::freeze_after;
use crate::config::Settings;
use crate::ledger::profile;
use crate::operation::{Context, Operation, Reply, actor_of, execute};
use crate::store::{DataFolder, FolderError, FolderLock, Place, Store};

/// How often the socket and the lock are tried in turn before that is given up.
const ATTEMPTS_MAX: u32 = 50;
/// How long to wait between two attempts.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a gateway may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// How long it may take to look through all releases.
const SCAN_MAX: Duration = Duration::from_secs(60 * 60);

/// Carries out `operation` and returns its answer.
pub(crate) fn operate(common: &Common, operation: Operation) -> anyhow::Result<Value> {
    let settings = common.settings(None)?;
    if let Some(place @ Place::Server(_)) = &settings.store {
        let socket = DataFolder::named(&settings.data_folder).control_socket();
        if let Ok(stream) = UnixStream::connect(socket) {
            return ask(stream, &operation);
        }
        return carry_out(common, &settings, operation, place);
    }
    let folder = if operation.may_begin() {
        super::folder(&settings)?
    } else {
        super::existing_folder(&settings)?
    };
    let lock = match gateway_or_lock(&folder)? {
        Reached::Gateway(stream) => return ask(stream, &operation),
        Reached::Lock(lock) => lock,
    };
    let answer = carry_out(common, &settings, operation, &super::place(&settings, &folder))?;
    drop(lock);
    Ok(answer)
}

/// Who may carry an operation out.
enum Reached {
    /// The gateway at the other end.
    Gateway(UnixStream),
    /// This process, as long as it has the lock.
    Lock(FolderLock),
}

/// Finds the gateway that runs on the folder, or makes sure that there is none.
fn gateway_or_lock(folder: &DataFolder) -> anyhow::Result<Reached> {
    let mut attempts = 0;
    loop {
        if let Ok(stream) = UnixStream::connect(folder.control_socket()) {
            return Ok(Reached::Gateway(stream));
        }
        attempts += 1;
        match folder.lock(&format!("a hydrant command (process {})", std::process::id())) {
            Ok(lock) => return Ok(Reached::Lock(lock)),
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
    }
}

/// Carries `operation` out here, on the store at `place`.
fn carry_out(
    common: &Common,
    settings: &Settings,
    operation: Operation,
    place: &Place,
) -> anyhow::Result<Value> {
    let store = Store::at(place).with_context(|| format!("cannot use the store {place}"))?;
    // What is in force counts, whatever the settings want: a gateway that runs says the same.
    let in_force = store.read(profile::in_force)?;
    let profile =
        in_force.map_or_else(|| Arc::clone(&settings.profile), |(profile, _)| Arc::new(profile));
    let notary = super::notary(settings);
    // Where nothing of a gateway's own is, there is nothing to compare the log with either. What
    // else is wrong with the log is told by the commands that need it.
    let is_gateways = settings.data_folder.is_dir() || settings.audit.key_file.is_some();
    if is_gateways && let Err(error) = notary.open(&store) {
        freeze_after(&error, &store, common.clock().now_ms())?;
    }
    let releases = super::releases(settings);
    let context = Context { store, clock: common.clock(), profile, notary, releases };
    Ok(execute(operation, &context, &actor_of(nix::unistd::Uid::effective().as_raw()))?)
}

/// Asks the gateway at the other end of `stream`.
fn ask(mut stream: UnixStream, operation: &Operation) -> anyhow::Result<Value> {
    let lost = "the gateway that runs on the data folder did not answer; whether it did what was \
                asked, a list of it tells";
    let answer_max = if operation.takes_long() { SCAN_MAX } else { ANSWER_MAX };
    stream.set_read_timeout(Some(answer_max))?;
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
