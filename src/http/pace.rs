//! How often forms may be sent that anybody can send: so many a minute from one address.
//!
//! Behind a proxy everybody has its address, unless the settings name it: then the last address in
//! `X-Forwarded-For` that is no proxy's counts. Nothing else is ever decided by that field.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use axum::http::{HeaderMap, header};
use ipnet::IpNet;

use super::problem::{self, Problem};

/// How many forms of strangers one address may send in a minute.
const PER_MINUTE_MAX: u32 = 30;

/// Beyond so many addresses in one minute all further ones share one count, so that memory stays
/// bounded.
const ADDRESSES_MAX: usize = 10_000;

const MINUTE_MS: i64 = 60_000;

/// The field in which a proxy says for whom it asks.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Counts forms by the address that they come from. It only slows down: nothing is granted by it.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    proxies: Vec<IpNet>,
    minute: Mutex<Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    counts: HashMap<Option<IpAddr>, u32>,
}

impl Pace {
    /// A pace behind those proxies.
    pub(crate) fn behind(proxies: Vec<IpNet>) -> Pace {
        Pace { proxies, minute: Mutex::default() }
    }

    /// From which address a request with these fields comes, that `peer` has sent.
    pub(crate) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let is_proxy = |address: &IpAddr| {
            let address = address.to_canonical();
            self.proxies.iter().any(|network| network.contains(&address))
        };
        let said = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let said: Vec<&str> = said.flat_map(|list| list.split(',')).map(str::trim).collect();
        let mut origin = peer;
        for address in said.iter().rev() {
            if !is_proxy(&origin) {
                break;
            }
            // What is no address hides whoever wrote it: the last one that is known counts.
            let Ok(address) = address.parse() else { break };
            origin = address;
        }
        origin
    }

    /// Counts one form from `address`.
    ///
    /// # Errors
    /// 429 if there were too many within the minute.
    pub(crate) fn take(&self, address: IpAddr, now_ms: i64) -> Result<(), Problem> {
        let mut minute = self.minute.lock().expect("nobody panics while counting");
        let number = now_ms.div_euclid(MINUTE_MS);
        if minute.number != number {
            *minute = Minute { number, counts: HashMap::new() };
        }
        let place = Some(network(address));
        let has_room = minute.counts.len() < ADDRESSES_MAX || minute.counts.contains_key(&place);
        let place = place.filter(|_| has_room);
        let count = minute.counts.entry(place).or_default();
        *count = count.saturating_add(1);
        if *count <= PER_MINUTE_MAX {
            return Ok(());
        }
        let detail = format!("{PER_MINUTE_MAX} forms a minute are enough");
        Err(Problem::new(&problem::SLOW_DOWN, detail).with_header(header::RETRY_AFTER, "60"))
    }
}

/// What one household has: of IPv6 it is a whole network.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_sends_too_much_waits_for_the_next_minute_and_others_do_not() {
        let pace = Pace::default();
        let [one, other]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().unwrap());
        for _ in 0..PER_MINUTE_MAX {
            pace.take(one, 0).unwrap();
        }
        pace.take(one, MINUTE_MS - 1).unwrap_err();
        pace.take(other, MINUTE_MS - 1).unwrap();
        pace.take(one, MINUTE_MS).unwrap();
    }

    #[test]
    fn who_asks_is_told_by_proxies_that_are_known_alone() {
        let pace = Pace::behind(vec!["10.0.0.0/8".parse().unwrap()]);
        for (peer, said, expected) in [
            ("192.0.2.9", "198.51.100.1", "192.0.2.9"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
            // Whoever asks may say what they like before what the proxy adds.
            ("10.0.0.1", "203.0.113.5, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, 10.2.3.4", "198.51.100.1"),
            ("10.0.0.1", "nobody", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1, nobody", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(FORWARDED_FOR, said.parse().unwrap());
            let origin = pace.origin(peer.parse().unwrap(), &headers);
            assert_eq!(origin, expected.parse::<IpAddr>().unwrap(), "{peer}: {said}");
        }
    }

    #[test]
    fn one_network_of_ipv6_is_one_address() {
        let pace = Pace::default();
        for host in 0..PER_MINUTE_MAX {
            pace.take(format!("2001:db8::{host:x}").parse().unwrap(), 0).unwrap();
        }
        pace.take("2001:db8::ffff".parse().unwrap(), 0).unwrap_err();
        pace.take("2001:db8:0:1::1".parse().unwrap(), 0).unwrap();
    }
}
