//! The trailing window over buckets of one minute: when a bucket leaves, and when enough has left.
//!
//! For every instant t the charges in (t − window, t] stay within the limit. A bucket of settled
//! charges leaves only when its whole minute and the grace are older than the window, so nothing
//! ever leaves early, and at most a minute and the grace late.

use serde::Serialize;

/// Milliseconds of a bucket.
pub const MINUTE_MS: i64 = 60_000;

/// The trailing window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// How long a charge counts by the policy, in milliseconds.
    pub length_ms: i64,
    /// How much longer it counts here, in milliseconds.
    pub grace_ms: i64,
}

/// IDs that stop counting at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Return {
    /// When they are free again, in milliseconds UTC.
    pub at_ms: i64,
    /// How many.
    pub ids: u64,
}

/// The minute in whose bucket a charge belongs that was settled at `time_ms`: minutes since 1970.
pub fn minute_of(time_ms: i64) -> i64 {
    time_ms.div_euclid(MINUTE_MS)
}

impl Window {
    /// That of a recipient whose charges count as long as it lives: a peer-review link.
    pub const WITHOUT_END: Window = Window { length_ms: i64::MAX / 4, grace_ms: 0 };

    /// From when on the bucket of `minute` does not count any more, in milliseconds UTC.
    pub fn leaves_ms(self, minute: i64) -> i64 {
        (minute + 1) * MINUTE_MS + self.length_ms + self.grace_ms
    }

    /// The newest minute whose bucket has left at `now_ms`.
    pub fn newest_left(self, now_ms: i64) -> i64 {
        minute_of(now_ms - self.length_ms - self.grace_ms) - 1
    }
}

/// When `excess` IDs have come back, if these `returns`, earliest first, are all there are.
pub fn fits_at_ms(excess: u64, returns: &[Return]) -> Option<i64> {
    let mut back = 0;
    returns.iter().find_map(|part| {
        back += part.ids;
        (back >= excess).then_some(part.at_ms)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { length_ms: 30 * 24 * 3_600_000, grace_ms: 3_600_000 };

    #[test]
    fn a_bucket_leaves_when_its_whole_minute_and_the_grace_are_older_than_the_window() {
        let effective_ms = WINDOW.length_ms + WINDOW.grace_ms;
        for (settled_ms, leaves_ms) in [
            (0, MINUTE_MS + effective_ms),
            (59_999, MINUTE_MS + effective_ms),
            (60_000, 2 * MINUTE_MS + effective_ms),
            (-1, effective_ms),
        ] {
            let minute = minute_of(settled_ms);
            assert_eq!(WINDOW.leaves_ms(minute), leaves_ms, "{settled_ms}");
            assert!(WINDOW.newest_left(leaves_ms - 1) < minute, "{settled_ms}");
            assert_eq!(WINDOW.newest_left(leaves_ms), minute, "{settled_ms}");
        }
    }

    #[test]
    fn it_fits_when_enough_has_come_back() {
        let returns = [Return { at_ms: 10, ids: 5 }, Return { at_ms: 20, ids: 7 }];
        for (excess, expected) in [(1, Some(10)), (5, Some(10)), (6, Some(20)), (13, None)] {
            assert_eq!(fits_at_ms(excess, &returns), expected, "{excess}");
        }
    }
}
