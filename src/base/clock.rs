//! The only place that reads a clock; what a reading means to the ledger is `policy`'s business.
//!
//! A reading holds two clocks of the kernel, because neither suffices alone: the wall clock may
//! jump, and the boot clock starts anew at each boot. With both, the ledger can tell a jump from
//! time that really went by.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the machine's clocks said at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock in milliseconds UTC; it may jump either way.
    pub wall_ms: i64,
    /// Milliseconds since this boot, time asleep included; it never goes back within a boot.
    pub boot_ms: i64,
    /// Which boot `boot_ms` counts from.
    pub boot_id: Arc<str>,
    /// Whether the kernel says that the wall clock follows a time server.
    pub synchronised: bool,
}

/// There from the moment on, in each boot, at which the kernel first says that the wall clock is
/// synchronised, by whatever time service: `systemd-time-wait-sync` and `systemd-timesyncd` make
/// it. Asking the kernel itself (`adjtimex`) would need `unsafe`.
const SYNCHRONISED_FILE: &str = "/run/systemd/timesync/synchronized";

/// How far two synchronised machines' clocks may be apart.
const AGREE_MS: i64 = 60_000;

/// The source of all times in the program.
#[derive(Clone, Debug)]
pub struct Clock(Face);

#[derive(Clone, Debug)]
enum Face {
    System {
        boot_id: Arc<str>,
    },
    #[cfg(feature = "simulated-clock")]
    File {
        path: Arc<Path>,
    },
    #[cfg(test)]
    Manual {
        reading: Arc<std::sync::Mutex<Reading>>,
    },
}

impl Clock {
    /// The clocks of this machine.
    pub fn system() -> Clock {
        // Without a boot ID (not Linux, or no /proc) each process counts as a boot of its own:
        // the ledger then trusts less, never more.
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map_or_else(
            |_| format!("process-{}", std::process::id()),
            |text| text.trim().to_owned(),
        );
        Clock(Face::System { boot_id: boot_id.into() })
    }

    /// A clock for tests that live a year: it shows what the file at `path` says at each reading,
    /// one line of milliseconds UTC, as wall clock and as boot clock of one endless boot.
    #[cfg(feature = "simulated-clock")]
    pub fn simulated(path: &Path) -> Clock {
        Clock(Face::File { path: path.into() })
    }

    /// A clock that stands still until [`Clock::set`] moves it.
    #[cfg(test)]
    pub fn manual(now_ms: i64) -> Clock {
        let reading = Reading {
            wall_ms: now_ms,
            boot_ms: now_ms,
            boot_id: "manual".into(),
            synchronised: true,
        };
        Clock(Face::Manual { reading: Arc::new(std::sync::Mutex::new(reading)) })
    }

    /// Moves a manual clock.
    #[cfg(test)]
    pub fn set(&self, reading: Reading) {
        let Face::Manual { reading: shown } = &self.0 else { panic!("only a manual clock is set") };
        *shown.lock().unwrap() = reading;
    }

    /// Moves both hands of a manual clock forward.
    #[cfg(test)]
    pub fn advance_ms(&self, step_ms: i64) {
        let mut reading = self.read();
        reading.wall_ms += step_ms;
        reading.boot_ms += step_ms;
        self.set(reading);
    }

    /// What the clocks say now.
    ///
    /// # Panics
    /// With a simulated clock, if its file cannot be read or is not a number: a test that goes on
    /// with a wrong time would prove nothing.
    pub fn read(&self) -> Reading {
        match &self.0 {
            Face::System { boot_id } => Reading {
                synchronised: Path::new(SYNCHRONISED_FILE).exists(),
                wall_ms: wall_ms(),
                boot_ms: boot_ms(),
                boot_id: Arc::clone(boot_id),
            },
            #[cfg(feature = "simulated-clock")]
            Face::File { path } => {
                let text = std::fs::read_to_string(path).expect("the simulated clock's file");
                let now_ms = text.trim().parse().expect("milliseconds in the clock's file");
                Reading {
                    wall_ms: now_ms,
                    boot_ms: now_ms,
                    boot_id: "simulated".into(),
                    synchronised: true,
                }
            }
            #[cfg(test)]
            Face::Manual { reading } => reading.lock().unwrap().clone(),
        }
    }

    /// What the clocks say now, where the wall clock that counts is a database server's and shows
    /// `wall_ms`: that one takes the place of this machine's, and is held to be synchronised if
    /// this machine's is and both agree. A clock of a test stays what it is.
    pub fn read_beside(&self, wall_ms: i64) -> Reading {
        let own = self.read();
        match &self.0 {
            Face::System { .. } => Reading {
                synchronised: own.synchronised && (own.wall_ms - wall_ms).abs() <= AGREE_MS,
                wall_ms,
                ..own
            },
            #[cfg(any(test, feature = "simulated-clock"))]
            _ => own,
        }
    }

    /// The wall clock alone, in milliseconds UTC: for labels and expiry dates, not for the ledger.
    pub fn now_ms(&self) -> i64 {
        self.read().wall_ms
    }
}

fn wall_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

fn boot_ms() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}

#[cfg(all(feature = "simulated-clock", not(debug_assertions)))]
compile_error!("the feature `simulated-clock` is for tests and must never be in a release build");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_clock_never_goes_back() {
        let clock = Clock::system();
        let first = clock.read();
        let second = clock.read();
        assert!(second.boot_ms >= first.boot_ms);
        assert_eq!(first.boot_id, second.boot_id);
    }
}
