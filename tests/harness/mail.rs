//! A real server of mail on loopback, Debian's `python3-aiosmtpd`, and what it has received.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use super::PATIENCE;

/// Takes letters for as long as its standard input is open, and tells each as a line of JSON. An
/// address that begins with `full` is refused for now, one that begins with `gone` for ever.
const SERVER: &str = r#"
import asyncio, email, email.policy, json, sys
from aiosmtpd.smtp import SMTP

class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("full"):
            print(json.dumps({"refused": address}), flush=True)
            return "452 4.2.2 mailbox full"
        if address.startswith("gone"):
            print(json.dumps({"refused": address}), flush=True)
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({
            "from": letter["from"],
            "to": envelope.rcpt_tos,
            "subject": letter["subject"],
            "text": letter.get_content(),
        }), flush=True)
        return "250 OK"

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler()), "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"#;

/// The server, which ends with this value.
pub struct MailServer {
    process: Child,
    letters: Receiver<Value>,
    pub port: u64,
}

impl MailServer {
    pub fn start() -> MailServer {
        // Not whichever Python comes first: the package is the system's.
        let mut process = Command::new("/usr/bin/python3")
            .args(["-c", SERVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (told, letters) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = told.send(serde_json::from_str(&line).unwrap());
            }
        });
        let first: Value =
            letters.recv_timeout(PATIENCE).expect("the server of mail did not start");
        MailServer { process, letters, port: first["port"].as_u64().unwrap() }
    }

    /// The setting that makes a gateway send its letters here.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The next letter, or address that was refused.
    #[track_caller]
    pub fn next(&self) -> Value {
        self.letters.recv_timeout(PATIENCE).expect("no letter came")
    }

    /// The path of the link in the next letter, which has to be for `mail`.
    #[track_caller]
    pub fn next_link(&self, mail: &str) -> String {
        let letter = self.next();
        assert_eq!(letter["to"][0], mail, "{letter}");
        link_in(&letter)
    }

    /// Whether nothing has come that was not asked for.
    pub fn is_idle(&self) -> bool {
        self.letters.try_recv().is_err()
    }
}

/// The path of the link that stands alone on a line of a letter.
#[track_caller]
pub fn link_in(letter: &Value) -> String {
    let text = letter["text"].as_str().unwrap();
    let link = text.lines().find(|line| line.starts_with("http") && !line.contains(' '));
    let link = link.unwrap_or_else(|| panic!("no link in {text}"));
    let (_, rest) = link.split_once("://").unwrap();
    rest[rest.find('/').unwrap()..].to_owned()
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
