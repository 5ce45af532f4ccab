//! Connections that are slow, silent, greedy or broken, and what they cost.

mod harness;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use harness::{Answer, Bench, Gateway, PATIENCE, wait_until};

const IDS: &str = "/v1/datasets/walks/tweet-ids";

fn bench(count: u64) -> (Bench, String) {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    bench.dataset("walks", 1, count);
    (bench, key)
}

/// A gateway with short deadlines.
fn impatient(bench: &Bench) -> Gateway {
    let mut command = bench.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("HYDRANT__SERVER__HEADER_SECONDS_MAX", "2");
    command.env("HYDRANT__SERVER__IDLE_SECONDS_MAX", "2");
    Gateway::start(command)
}

fn connect(gateway: &Gateway) -> TcpStream {
    let stream = TcpStream::connect(gateway.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Reads until the other side closes or resets, and gives what came.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    bytes
}

fn meter(gateway: &Gateway, key: &str) -> serde_json::Value {
    harness::tweets(&gateway.get("/v1/usage", key).json()["entities"][0])
}

#[test]
fn who_sends_no_request_is_closed() {
    let (bench, key) = bench(10);
    let gateway = impatient(&bench);
    let begun = Instant::now();
    let mut silent = connect(&gateway);
    let mut half = connect(&gateway);
    half.write_all(b"GET / HT").unwrap();
    let mut other = connect(&gateway);
    other.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    let mut drip = connect(&gateway);
    let dripped = std::thread::scope(|scope| {
        let dripped = scope.spawn(|| {
            let mut sent = 0;
            // A byte now and then must not keep the connection alive.
            while drip.write_all(b"G").is_ok() && sent < 600 {
                sent += 1;
                std::thread::sleep(Duration::from_millis(100));
            }
            sent
        });
        for stream in [&mut silent, &mut half, &mut other] {
            let answer = rest(stream);
            assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{answer:?}");
        }
        dripped.join().unwrap()
    });
    assert!(dripped < 100, "{dripped} bytes in {:?}", begun.elapsed());
    assert_eq!(gateway.get(IDS, &key).status, 200, "others are served meanwhile");
}

#[test]
fn a_client_that_never_reads_is_reset_and_charged_for_little() {
    let (bench, key) = bench(1_000_000);
    let gateway = impatient(&bench);
    let bearer = format!("Bearer {key}");
    let stream = gateway.send("GET", IDS, &[("Authorization", &bearer)], b"");
    let mut live = 0;
    wait_until("the connection is reset and settled", || {
        let meter = meter(&gateway, &key);
        live = meter["used"].as_u64().unwrap();
        live > 0 && meter["open"] == 0 && meter["held"] == 0
    });
    // Two chunks of 4,096 IDs, and the buffers of both sides of a connection that nobody reads;
    // the client's own receive buffer is not ours to make small.
    assert!(live < 2 * 4_096 + 40_000, "{live} IDs are charged");
    let mut stream = stream;
    let received = rest(&mut stream);
    assert!(received.len() < 20_000_000, "the answer ends before its end");
}

#[test]
fn a_client_that_leaves_frees_what_is_held_at_once() {
    let (bench, key) = bench(1_400_000);
    let gateway = bench.serve();
    let bearer = format!("Bearer {key}");
    let fields = [("Authorization", bearer.as_str())];
    let mut stream = gateway.send("GET", IDS, &fields, b"");
    let mut begun = [0; 4_000];
    stream.read_exact(&mut begun).unwrap();
    assert!(meter(&gateway, &key)["held"].as_u64().unwrap() > 1_000_000);
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    wait_until("the hold is gone", || meter(&gateway, &key)["held"] == 0);
    assert_eq!(gateway.get(IDS, &key).status, 200, "the whole fits again");
}

#[test]
fn several_requests_on_one_connection_are_charged_each() {
    let (bench, key) = bench(1_000);
    let gateway = bench.serve();
    let mut stream = connect(&gateway);
    let request = format!(
        "GET {IDS}?limit=10 HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\n",
        gateway.address
    );
    // Pipelined: the second one is sent before the first is answered.
    let both = format!("{request}\r\n{request}Connection: close\r\n\r\n");
    stream.write_all(both.as_bytes()).unwrap();
    let bytes = rest(&mut stream);
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2, "{text}");
    assert_eq!(text.matches(&harness::id_text(1, 10)).count(), 2, "{text}");
    wait_until("both are settled", || meter(&gateway, &key)["used"] == 20);
}

#[test]
fn framing_that_could_be_read_two_ways_is_refused() {
    let (bench, key) = bench(10);
    let gateway = bench.serve();
    let host = gateway.address;
    for request in [
        format!(
            "GET {IDS} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"
        ),
        format!("GET {IDS} HTTP/1.1\r\nHost: {host}\r\nA: b\r\n folded\r\n\r\n"),
        format!("GET {IDS} HTTP/1.1\r\nHost: {host}\r\nA: b\0c\r\n\r\n"),
        format!("GET {IDS} HTTP/1.1\r\n\r\n"),
        format!("GET {IDS} HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n"),
    ] {
        let mut stream = connect(&gateway);
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let bytes = rest(&mut stream);
        let refused = bytes.is_empty() || Answer::parse(&bytes).status == 400;
        assert!(refused, "{request:?}: {}", String::from_utf8_lossy(&bytes));
    }
    let long = "x".repeat(70_000);
    let fields = [("Authorization", format!("Bearer {key}")), ("X-Long", long)];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut stream = connect(&gateway);
    let head: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let _ = stream.write_all(format!("GET {IDS} HTTP/1.1\r\n{head}\r\n").as_bytes());
    let bytes = rest(&mut stream);
    assert!(bytes.is_empty() || Answer::parse(&bytes).status == 431);
    assert_eq!(meter(&gateway, &key)["used"], 0);
}

#[test]
fn a_large_exempt_download_takes_little_memory() {
    let bench = Bench::new();
    bench.entity("uni", "academic");
    let key = bench.person("ada@uni.example", &["uni"]);
    bench.dataset("walks", 1, 3_000_000);
    bench.exempt("uni", "ada@uni.example", &harness::day_after_days(30));
    let gateway = bench.serve();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let bearer = format!("Bearer {key}");
                let mut stream = gateway.send("GET", IDS, &[("Authorization", &bearer)], b"");
                let bytes = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
                assert!(bytes > 60_000_000, "{bytes}");
            });
        }
    });
    let resident = harness::resident_bytes_max(gateway.pid());
    assert!(resident < 128 << 20, "{resident} bytes");
    wait_until("all is settled", || meter(&gateway, &key)["used"] == 12_000_000);
}

/// The gateway once took an answer for received when hyper had no more to say; the kernel still
/// held most of it, and a client that read slowly could stretch it beyond the window's grace.
#[test]
fn what_the_kernel_still_holds_when_an_answer_has_ended_is_not_settled() {
    let (bench, key) = bench(1_500);
    let gateway = bench.serve();
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    socket.connect(&gateway.address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET {IDS} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Authorization: Bearer {key}\r\n\r\n",
        gateway.address
    );
    stream.write_all(request.as_bytes()).unwrap();
    wait_until("it is charged", || meter(&gateway, &key)["open"] == 1_500);
    for _ in 0..100 {
        assert_eq!(meter(&gateway, &key)["used"], 0, "most of it has not left");
    }
    assert_eq!(Answer::parse(&rest(&mut stream)).body.len(), 30_000);
    wait_until("it is settled", || meter(&gateway, &key)["used"] == 1_500);
}
