//! Where datasets come from that are stripped in flight: a web server of somebody else's, which is
//! never trusted. What its bytes mean is not said here.
//!
//! The story: an upstream is named by the settings alone. Its host is resolved once, every address
//! that comes back is looked at, and the connection goes to one of these and nowhere else: no
//! proxy, no redirect, no second look-up. Each step has a deadline, the bytes have a bound, and
//! the end of them counts only if their length and, where one is known, their digest are right.

mod address;
mod answer;
mod digest;
mod door;
mod error;

pub use answer::{Answer, open};
pub use door::{builder, client};
pub use error::UpstreamError;
