//! A web server on loopback that behaves as badly as a test wants, and remembers who asked.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What an upstream does with a connection once it has read the request's head.
pub type Behaviour = Arc<dyn Fn(&mut dyn Connection) -> io::Result<()> + Send + Sync>;

/// A connection, whether it is TLS or not.
pub trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

/// How connections are taken.
#[derive(Clone)]
enum Taking {
    Plain,
    Tls(Arc<ServerConfig>),
}

/// The server; it runs until the test's process ends.
pub struct Upstream {
    pub address: SocketAddr,
    scheme: &'static str,
    behaviour: Arc<Mutex<Behaviour>>,
    heads: Arc<Mutex<Vec<String>>>,
    failures: Arc<Mutex<usize>>,
}

impl Upstream {
    pub fn start() -> Upstream {
        Upstream::start_taking("http", Taking::Plain)
    }

    /// One that speaks TLS as `localhost`, with a certificate that only [`authority`] vouches for.
    pub fn start_tls() -> Upstream {
        let certificate = CertificateDer::from_pem_file(data("server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(data("server.key")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Upstream::start_taking("https", Taking::Tls(Arc::new(config)))
    }

    fn start_taking(scheme: &'static str, taking: Taking) -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = Upstream {
            address: listener.local_addr().unwrap(),
            scheme,
            behaviour: Arc::new(Mutex::new(sends("HTTP/1.1 503 Not Yet\r\n\r\n"))),
            heads: Arc::default(),
            failures: Arc::default(),
        };
        let (behaviour, heads) = (upstream.behaviour.clone(), upstream.heads.clone());
        let failures = upstream.failures.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (behaviour, heads) = (behaviour.clone(), heads.clone());
                let (failures, taking) = (failures.clone(), taking.clone());
                std::thread::spawn(move || {
                    let mut stream = taken(stream.unwrap(), taking);
                    let Some(head) = head(&mut *stream) else { return };
                    heads.lock().unwrap().push(head);
                    let behave = behaviour.lock().unwrap().clone();
                    if behave(&mut *stream).is_err() {
                        *failures.lock().unwrap() += 1;
                    }
                });
            }
        });
        upstream
    }

    /// Behaves like that from now on.
    pub fn becomes(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// How many answers could not be written to their end, because nobody took them.
    pub fn failures(&self) -> usize {
        *self.failures.lock().unwrap()
    }

    /// The settings of this upstream under that name, which lets its address be private.
    pub fn settings(&self, name: &str) -> String {
        format!(
            "[upstreams.{name}]\nurl = \"{}://localhost:{}/tweets\"\nallow_private = true\n\
             connect_seconds_max = 2\nfirst_byte_seconds_max = 1\nidle_seconds_max = 1\n",
            self.scheme,
            self.address.port()
        )
    }
}

/// The certificate of who vouches for the upstreams that speak TLS.
pub fn authority() -> PathBuf {
    data("ca.pem")
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/upstream").join(name)
}

fn taken(stream: TcpStream, taking: Taking) -> Box<dyn Connection> {
    match taking {
        Taking::Plain => Box::new(stream),
        Taking::Tls(config) => {
            Box::new(StreamOwned::new(ServerConnection::new(config).unwrap(), stream))
        }
    }
}

fn head(stream: &mut dyn Connection) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// Sends these bytes and closes.
pub fn sends(bytes: impl Into<Vec<u8>>) -> Behaviour {
    let bytes = bytes.into();
    Arc::new(move |stream| stream.write_all(&bytes))
}

/// Answers with these fields and this content, whole.
pub fn answers(fields: &str, content: impl AsRef<[u8]>) -> Behaviour {
    let content = content.as_ref();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{fields}\r\n", content.len());
    sends([head.as_bytes(), content].concat())
}

/// Announces more than it sends, and then closes.
pub fn breaks_off(fields: &str, content: impl AsRef<[u8]>) -> Behaviour {
    let content = content.as_ref();
    let length = content.len() + 1;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{fields}\r\n");
    sends([head.as_bytes(), content].concat())
}

/// Announces more than it sends, and then says nothing more until the other side closes.
pub fn stalls(content: impl AsRef<[u8]>) -> Behaviour {
    let content = content.as_ref();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len() + 1);
    let bytes = [head.as_bytes(), content].concat();
    Arc::new(move |stream| {
        stream.write_all(&bytes)?;
        stream.read(&mut [0]).map(drop)
    })
}

/// Sends the block again and again, in chunks, for ever.
pub fn never_ends(block: impl AsRef<[u8]>) -> Behaviour {
    let block = block.as_ref();
    let size = format!("{:x}\r\n", block.len());
    let chunk = [size.as_bytes(), block, b"\r\n"].concat();
    Arc::new(move |stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        loop {
            stream.write_all(&chunk)?;
        }
    })
}
