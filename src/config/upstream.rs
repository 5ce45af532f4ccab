//! The settings of upstreams, each of which has a name; how one is read is `upstream`'s business.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Uri};

use super::table::Setting;

/// The settings of one upstream; their keys stand behind `upstreams.NAME.`.
pub static UPSTREAM_SETTINGS: &[Setting] = &[
    Setting {
        key: "url",
        about: "Where a dataset that is stripped in flight is read from: http or https, in any \
                format and packing that `hydrant strip` reads. Nothing but these settings ever \
                names an upstream. Empty: there is none of this name.",
        default: "",
        right: "an address like https://archive.example.org/tweets.jsonl.gz, without user or #",
    },
    Setting {
        key: "sha256",
        about: "The SHA-256 that its bytes must have; if they do not, the last chunk is kept back.",
        default: "",
        right: "64 hexadecimal digits",
    },
    Setting {
        key: "allow_private",
        about: "Whether its address may lie in a private network, such as 10.0.0.0/8, or on this \
                machine.",
        default: "false",
        right: "true or false",
    },
    Setting {
        key: "bytes_max",
        about: "How many bytes it may send.",
        default: "1099511627776",
        right: "a whole number from 1 to 1125899906842624",
    },
    Setting {
        key: "connect_seconds_max",
        about: "How long finding its address and connecting may take.",
        default: "10",
        right: "a whole number from 1 to 300",
    },
    Setting {
        key: "first_byte_seconds_max",
        about: "How long it may take to begin its answer.",
        default: "30",
        right: "a whole number from 1 to 3600",
    },
    Setting {
        key: "idle_seconds_max",
        about: "How long it may take for the next 64 KiB of its answer.",
        default: "30",
        right: "a whole number from 1 to 3600",
    },
    Setting {
        key: "secret_header",
        about: "The header field that carries the secret.",
        default: "Authorization",
        right: "the name of a header field",
    },
    Setting {
        key: "secret_file",
        about: "A file that holds the value of that field, such as: Bearer abc. Empty: none.",
        default: "",
        right: "the path of a file that holds one line",
    },
];

/// An upstream, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Its name in the settings.
    pub name: String,
    /// Where it is.
    pub url: Uri,
    /// What its bytes must hash to, if that is known.
    pub sha256: Option<[u8; 32]>,
    /// Which addresses it may have.
    pub reach: Reach,
    /// How many bytes it may send.
    pub bytes_max: u64,
    /// How long finding its address and connecting may take.
    pub connect_max: Duration,
    /// How long it may take to begin its answer.
    pub first_byte_max: Duration,
    /// How long it may take for the next piece of its answer.
    pub idle_max: Duration,
    /// A header field that opens it.
    pub secret: Option<(HeaderName, HeaderValue)>,
}

/// Which addresses an upstream may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of the public network.
    Public,
    /// Any.
    Private,
}

impl fmt::Debug for Upstream {
    // Without the secret, and without the query, which may hold one.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Upstream").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Reach {
    /// Whether an upstream may have this address.
    pub fn allows(self, address: IpAddr) -> bool {
        self == Reach::Private || is_public(address)
    }
}

/// `None`: not right; `Some(None)`: right, and there is none.
pub(super) fn url(text: &str) -> Option<Option<Uri>> {
    if text.is_empty() {
        return Some(None);
    }
    let url: Uri = text.parse().ok()?;
    let scheme_fits = matches!(url.scheme_str(), Some("http" | "https"));
    let host_fits = url.host().is_some_and(|host| !host.is_empty());
    (scheme_fits && host_fits && !text.contains(['#', '@'])).then_some(Some(url))
}

/// The address that the host of `url` is, if it is one and no name.
pub(super) fn literal(url: &Uri) -> Option<IpAddr> {
    url.host()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether an address belongs to the public network. What is not known to is not.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            let shared = first == 100 && (64..128).contains(&second);
            let benchmark = first == 198 && (second == 18 || second == 19);
            let protocol = (first, second, third) == (192, 0, 0);
            let relay = (first, second, third) == (192, 88, 99);
            !(first == 0
                || first >= 224
                || address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_documentation()
                || shared
                || benchmark
                || protocol
                || relay)
        }
        IpAddr::V6(address) => {
            // Only 2000::/3 is given out; in it lie documentation, tunnels that hide an IPv4
            // address, and benchmarks.
            let [first, second, ..] = address.segments();
            let global = first & 0xe000 == 0x2000;
            let special = first == 0x2001 && (second < 0x200 || second == 0xdb8);
            let tunnel = first == 0x2002;
            let documentation = first == 0x3fff && second < 0x1000;
            global && !special && !tunnel && !documentation
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_network_are_public() {
        for (address, expected) in [
            ("93.184.215.14", true),
            ("2606:2800:21f:cb07::1", true),
            ("127.0.0.1", false),
            ("127.8.8.8", false),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("198.18.0.1", false),
            ("192.0.0.8", false),
            ("203.0.113.5", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("::", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:93.184.215.14", false),
            ("64:ff9b::7f00:1", false),
            ("fe80::1", false),
            ("fc00::1", false),
            ("fd12:3456::1", false),
            ("ff02::1", false),
            ("2001:db8::1", false),
            ("2001::1", false),
            ("2002:7f00:1::", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(Reach::Public.allows(address), expected, "{address}");
            assert!(Reach::Private.allows(address));
        }
    }

    #[test]
    fn an_upstream_has_a_plain_web_address() {
        for (text, expected) in [
            ("https://archive.example.org/tweets.jsonl.gz?part=1", true),
            ("http://[::1]:8080/x", true),
            ("file:///etc/passwd", false),
            ("ftp://archive.example.org/x", false),
            ("https://me:secret@archive.example.org/x", false),
            ("https://archive.example.org/x#part", false),
            ("archive.example.org/x", false),
            ("/etc/passwd", false),
            ("https://", false),
        ] {
            assert_eq!(url(text).is_some(), expected, "{text}");
        }
    }
}
