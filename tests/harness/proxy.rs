//! A proxy between a gateway and its PostgreSQL server, which knows the statements that pass and
//! can break the connection at one of them.

#![allow(dead_code, reason = "each test binary uses a part of the harness")]

use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// What happens, once, when a statement passes that begins with the given words.
pub enum Break {
    /// The connection ends, and the server never hears the statement.
    Before(&'static str),
    /// The server carries the statement out; the connection ends before the answer passes.
    After(&'static str),
    /// As [`Break::After`], and from then on the proxy takes no connections, until
    /// [`Proxy::listen_again`].
    LastAfter(&'static str),
    /// Nothing passes any more until told, in either direction; the sender is told that it is so.
    Hold(&'static str, Sender<Sender<()>>),
}

impl Break {
    fn words(&self) -> &'static str {
        match self {
            Break::Before(words)
            | Break::After(words)
            | Break::LastAfter(words)
            | Break::Hold(words, _) => words,
        }
    }
}

/// The proxy; it ends with the test's process.
#[derive(Clone)]
pub struct Proxy {
    port: u16,
    armed: Arc<Mutex<Option<Break>>>,
    is_deaf: Arc<AtomicBool>,
}

impl Proxy {
    /// Before the server at `host`, as in `127.0.0.1:5432`.
    pub fn before(host: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy {
            port: listener.local_addr().unwrap().port(),
            armed: Arc::default(),
            is_deaf: Arc::default(),
        };
        let (shared, host) = (proxy.clone(), host.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (shared, client) = (shared.clone(), client.unwrap());
                // As if nobody listened.
                if shared.is_deaf.load(Ordering::Relaxed) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&host) else { continue };
                std::thread::spawn(move || {
                    let _ = shared.pass(client, server);
                });
            }
        });
        proxy
    }

    /// `url` by way of this proxy.
    pub fn url(&self, url: &str) -> String {
        let (before, after) = url.rsplit_once('@').unwrap();
        let (_, database) = after.split_once('/').unwrap();
        format!("{before}@127.0.0.1:{}/{database}", self.port)
    }

    /// Breaks the next statement that fits.
    pub fn arm(&self, what: Break) {
        *self.armed.lock().unwrap() = Some(what);
    }

    /// Holds the next statement that fits; the receiver gets the end of the hold when it begins.
    pub fn hold(&self, words: &'static str) -> Receiver<Sender<()>> {
        let (begun, begins) = channel();
        self.arm(Break::Hold(words, begun));
        begins
    }

    /// Takes connections again.
    pub fn listen_again(&self) {
        self.is_deaf.store(false, Ordering::Relaxed);
    }

    /// Whether what was armed has not happened yet.
    pub fn is_armed(&self) -> bool {
        self.armed.lock().unwrap().is_some()
    }

    fn taken(&self, statement: &str) -> Option<Break> {
        let mut armed = self.armed.lock().unwrap();
        let fits = armed.as_ref().is_some_and(|armed| statement.starts_with(armed.words()));
        if fits { armed.take() } else { None }
    }

    /// Passes what both sides say until one ends or is made to.
    fn pass(&self, mut client: TcpStream, server: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let held: Arc<Mutex<()>> = Arc::default();
        let answers = Answers { muted: Arc::default(), held: Arc::clone(&held) };
        let (from, to) = (server.try_clone()?, client.try_clone()?);
        let muted = Arc::clone(&answers.muted);
        std::thread::spawn(move || answers.pass(from, to));

        let mut statements = Statements::default();
        let mut server = server;
        let mut is_first = true;
        while let Ok(message) = read_message(&mut client, is_first) {
            is_first = false;
            let what = statements.named(&message).and_then(|text| self.taken(&text));
            match what {
                None => server.write_all(&message)?,
                Some(Break::Before(_)) => break,
                Some(what @ (Break::After(_) | Break::LastAfter(_))) => {
                    let is_last = matches!(what, Break::LastAfter(_));
                    self.is_deaf.store(is_last, Ordering::Relaxed);
                    *muted.lock().unwrap() = true;
                    // This statement's bind, execute and sync; the answers' side ends it all.
                    server.write_all(&message)?;
                    for _ in 0..2 {
                        server.write_all(&read_message(&mut client, false)?)?;
                    }
                    return Ok(());
                }
                Some(Break::Hold(_, begun)) => {
                    let holding = held.lock().unwrap();
                    let (end, ended) = channel();
                    begun.send(end).unwrap();
                    let _ = ended.recv();
                    drop(holding);
                    server.write_all(&message)?;
                }
            }
        }
        let _ = client.shutdown(Shutdown::Both);
        server.shutdown(Shutdown::Both)
    }
}

/// The server's side.
struct Answers {
    /// Whether the answers are kept back, and the connection ends when the server is ready again.
    muted: Arc<Mutex<bool>>,
    held: Arc<Mutex<()>>,
}

impl Answers {
    fn pass(&self, mut server: TcpStream, mut client: TcpStream) {
        // What was asked before the statement is answered before it: one sync, one answer each.
        while let Ok(message) = read_message(&mut server, false) {
            drop(self.held.lock().unwrap());
            let is_muted = *self.muted.lock().unwrap();
            if is_muted && message[0] == b'C' && message[5..].starts_with(b"COMMIT") {
                break;
            }
            if client.write_all(&message).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    }
}

/// Which text each prepared statement has.
#[derive(Default)]
struct Statements {
    known: Vec<(Vec<u8>, String)>,
    seen: HashSet<Vec<u8>>,
}

impl Statements {
    /// The text of the statement that `message` is about to run, if it is about to run one.
    fn named(&mut self, message: &[u8]) -> Option<String> {
        let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_start().to_owned();
        match message.first()? {
            b'Q' => Some(words(&message[5..])),
            b'P' => {
                let mut parts = message[5..].splitn(3, |byte| *byte == 0);
                let (name, text) = (parts.next()?.to_vec(), words(parts.next()?));
                if self.seen.insert(name.clone()) {
                    self.known.push((name, text));
                }
                None
            }
            b'B' => {
                let mut parts = message[5..].splitn(3, |byte| *byte == 0);
                let (_portal, name) = (parts.next()?, parts.next()?);
                self.known.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone())
            }
            _ => None,
        }
    }
}

/// One message, with its head; the first of a client has no letter.
fn read_message(stream: &mut TcpStream, is_first: bool) -> io::Result<Vec<u8>> {
    let letters = usize::from(!is_first);
    let mut message = vec![0; letters + 4];
    stream.read_exact(&mut message)?;
    let length = u32::from_be_bytes(message[letters..].try_into().unwrap()) as usize;
    message.resize(letters + length, 0);
    stream.read_exact(&mut message[letters + 4..])?;
    Ok(message)
}
