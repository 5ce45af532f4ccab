//! A PostgreSQL server of a test's own, which may be killed, followed and set up wrongly.

#![allow(dead_code, reason = "each test binary uses a part of the harness")]

use std::path::Path;
use std::process::Command;

use super::database::Server;

/// A server in a folder of its own; it is stopped and removed when the test ends.
pub struct OwnServer {
    folder: tempfile::TempDir,
    server: Server,
}

impl OwnServer {
    pub fn start() -> OwnServer {
        OwnServer::start_with(&[])
    }

    /// With settings, each as `name=value`.
    pub fn start_with(settings: &[&str]) -> OwnServer {
        let folder = folder();
        let url = run(&[&["start", text(folder.path())], settings].concat());
        OwnServer { server: Server::at(&url), folder }
    }

    /// One that follows this one.
    pub fn replica(&self) -> OwnServer {
        let folder = folder();
        let url = run(&["replica", text(folder.path()), text(self.folder.path())]);
        OwnServer { server: Server::at(&url), folder }
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Kills it, as a power loss would.
    pub fn crash(&self) {
        run(&["crash", text(self.folder.path())]);
    }

    /// Keeps a copy of what it has; it is down.
    pub fn save(&self) {
        run(&["save", text(self.folder.path())]);
    }

    /// Puts the copy in the place of what it has; it is down.
    pub fn restore(&self) {
        run(&["restore", text(self.folder.path())]);
    }

    /// Starts it again where it was.
    pub fn start_again(&self) {
        run(&["again", text(self.folder.path())]);
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // A server that a test has stopped is stopped already.
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres");
        let _ = Command::new(script).args(["stop", text(self.folder.path())]).output();
    }
}

/// Its owner is another account, which has to get into it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), mode).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(arguments: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres");
    let ended = Command::new(script).args(arguments).output().unwrap();
    assert!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap().trim().to_owned()
}
