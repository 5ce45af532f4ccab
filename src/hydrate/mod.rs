//! Full objects from the platform's v2 interface, and its batch compliance: what is asked, under
//! which budget, and how nothing is lost or asked for twice. Who may ask, and where the command
//! prints, is not here.
//!
//! # The story
//!
//! A hydration is a list of IDs and an archive that grows. It works in a folder beside the archive
//! ([`Workplace`]), in requests of up to 100 IDs, one after the other, and each goes like this:
//!
//! 1. **Spend.** The books ([`Books`], kept in the store) write down that so many objects are
//!    asked for, durably, before a byte is sent. They refuse when the month's budget is spent, or
//!    when the platform has said that its cap is reached: with another credential that would be no
//!    different.
//! 2. **Ask.** What the answer's header fields say of limits is believed. The answer is read whole,
//!    within bounds of time and size, and understood before anything is kept of it.
//! 3. **Keep.** The answer as it came is written to a file of the folder, durably. From now on the
//!    platform is not asked again for these IDs: should the process die, its successor begins here.
//! 4. **Apply.** The archive is cut to what is known to be whole, the objects are appended, what
//!    became of each ID is noted, and last how far the hydration is. Each of it is durable before
//!    the next, and all of it can be done again.
//!
//! So an ID may be asked for a second time only if its answer had not been kept: of a request that
//! was under way when the process died, at most one. What that request spent stays spent.
//!
//! A fault of the platform or the network is tried again, a few times and later each time, and
//! every attempt spends. Whatever says that somebody does not want us is believed at once.

mod archive;
mod books;
mod budget;
mod compliance;
mod error;
mod fetch;
mod outcome;
mod page;
mod platform;
mod record;
mod reply;
mod run;
mod stop;
mod workplace;

pub use books::{Books, BooksError, Step, StoreBooks, carry_out};
pub use budget::{Allotment, Spend, Spent};
pub use compliance::{Job, Jobs};
pub use error::{HydrateError, Stopped};
pub use fetch::{Fetched, Order, fetch};
pub use outcome::{Account, Outcome};
pub use platform::Platform;
pub use record::{Begin, JobNote, Note, State, StopNote, StopWord};
pub use run::{Errand, Listing, Patience, Watcher, run};
pub use stop::Stop;
pub use workplace::{Plan, Workplace};

/// How many objects one request asks for, which is the platform's own bound.
pub const IDS_PER_REQUEST: u64 = 100;

#[cfg(test)]
pub(crate) mod tests;
