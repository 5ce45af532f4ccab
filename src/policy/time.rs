//! Ledger time: how two clocks of the kernel become one time that never runs ahead of the truth.
//!
//! The row that the ledger keeps has the time itself and an anchor: what both clocks showed at
//! some earlier moment. Within a boot the time is the anchor's plus the smaller of the two clocks'
//! steps since then, so a wall clock that jumps ahead moves nothing, and one that jumps back holds
//! nothing up for longer than the jump is noticed. The anchor stays where it is as long as both
//! agree: moved at every reading it would lose a part of a millisecond each time, and a busy
//! ledger's time would stand still.
//! After a new boot nobody knows how long the machine was off. The time goes on from where it was
//! at the boot clock's pace, until the kernel says that the wall clock is synchronised or an
//! operator says that it is right. The time never goes back.

use std::sync::Arc;

use crate::base::clock::Reading;

/// How far the two clocks may differ before it counts as a jump.
const JUMP_MS: i64 = 1_000;

/// The row of ledger time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerTime {
    /// Ledger time at the last reading, in milliseconds UTC.
    pub time_ms: i64,
    /// Ledger time at the anchor.
    pub anchor_time_ms: i64,
    /// What the wall clock showed at the anchor.
    pub anchor_wall_ms: i64,
    /// What the boot clock showed at the anchor.
    pub anchor_boot_ms: i64,
    /// The boot in which that was.
    pub boot_id: Arc<str>,
    /// Whether the wall clock of this boot is believed.
    pub wall: Wall,
}

/// Whether the wall clock of a boot is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wall {
    /// Its steps count, together with the boot clock's.
    Believed,
    /// Only the boot clock's steps count, until somebody says that it is right.
    Doubted,
}

/// What somebody should look at. The ledger goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Alarm {
    /// The two clocks went apart.
    #[error("the wall clock jumped by {by_ms} ms against the boot clock; ledger time held")]
    Jumped {
        /// How much further the wall clock went than the boot clock; negative: it went back.
        by_ms: i64,
    },
    /// The clock that was accepted shows an earlier time than the ledger's.
    #[error("the wall clock is {by_ms} ms behind ledger time, which does not go back")]
    Behind {
        /// How far.
        by_ms: i64,
    },
    /// The machine was started anew, and its wall clock is not known to be right.
    #[error(
        "the machine was started anew and its clock is not synchronised; ledger time goes on at \
         the boot clock's pace until it is, or until `hydrant ledger clock accept --reason`"
    )]
    Rebooted,
}

impl LedgerTime {
    /// The time of a ledger that begins now: nothing is in it that could expire early.
    pub fn first(reading: &Reading) -> LedgerTime {
        LedgerTime::anchored(reading.wall_ms, reading, Wall::Believed)
    }

    /// The time of somebody who has read no clock yet, and knows only that it is `time_ms` at
    /// least: whatever they read first counts as a new boot.
    pub fn of_another_boot(time_ms: i64) -> LedgerTime {
        LedgerTime {
            time_ms,
            anchor_time_ms: time_ms,
            anchor_wall_ms: time_ms,
            anchor_boot_ms: 0,
            boot_id: "".into(),
            wall: Wall::Doubted,
        }
    }

    /// The time at `reading`, and what somebody should look at.
    #[must_use]
    pub fn advance(&self, reading: &Reading) -> (LedgerTime, Option<Alarm>) {
        if self.boot_id != reading.boot_id {
            let rebooted = LedgerTime::anchored(self.time_ms, reading, Wall::Doubted);
            return if reading.synchronised {
                rebooted.accept(reading)
            } else {
                (rebooted, Some(Alarm::Rebooted))
            };
        }
        match self.wall {
            Wall::Doubted if reading.synchronised => self.accept(reading),
            Wall::Doubted => {
                (self.moved_to(self.anchor_time_ms + self.boot_step_ms(reading)), None)
            }
            Wall::Believed => self.advance_by_both(reading),
        }
    }

    /// Believes the wall clock from now on: the kernel or an operator says that it is right.
    /// Ledger time moves on to it; it does not go back to it.
    #[must_use]
    pub fn accept(&self, reading: &Reading) -> (LedgerTime, Option<Alarm>) {
        let time_ms = self.time_ms.max(reading.wall_ms);
        let by_ms = time_ms - reading.wall_ms;
        let alarm = (by_ms > JUMP_MS).then_some(Alarm::Behind { by_ms });
        (LedgerTime::anchored(time_ms, reading, Wall::Believed), alarm)
    }

    fn advance_by_both(&self, reading: &Reading) -> (LedgerTime, Option<Alarm>) {
        let wall_step_ms = reading.wall_ms - self.anchor_wall_ms;
        let boot_step_ms = self.boot_step_ms(reading);
        let moved = self.moved_to(self.anchor_time_ms + wall_step_ms.min(boot_step_ms));
        let by_ms = wall_step_ms - boot_step_ms;
        if by_ms.abs() <= JUMP_MS {
            return (moved, None);
        }
        let anchored = LedgerTime::anchored(moved.time_ms, reading, Wall::Believed);
        (anchored, Some(Alarm::Jumped { by_ms }))
    }

    fn boot_step_ms(&self, reading: &Reading) -> i64 {
        reading.boot_ms - self.anchor_boot_ms
    }

    fn moved_to(&self, time_ms: i64) -> LedgerTime {
        LedgerTime { time_ms: self.time_ms.max(time_ms), ..self.clone() }
    }

    fn anchored(time_ms: i64, reading: &Reading, wall: Wall) -> LedgerTime {
        LedgerTime {
            time_ms,
            anchor_time_ms: time_ms,
            anchor_wall_ms: reading.wall_ms,
            anchor_boot_ms: reading.boot_ms,
            boot_id: Arc::clone(&reading.boot_id),
            wall,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;
    const START_MS: i64 = 1_700_000_000_000;

    fn reading(wall_ms: i64, boot_ms: i64) -> Reading {
        Reading { wall_ms, boot_ms, boot_id: "one".into(), synchronised: true }
    }

    /// Starts at wall [`START_MS`], boot 0, and lets each step be (wall, boot, expected time).
    fn check(story: &str, steps: &[(i64, i64, i64)]) {
        let mut time = LedgerTime::first(&reading(START_MS, 0));
        for &(wall_ms, boot_ms, expected_ms) in steps {
            time = time.advance(&reading(START_MS + wall_ms, boot_ms)).0;
            assert_eq!(time.time_ms - START_MS, expected_ms, "{story}: {wall_ms}, {boot_ms}");
        }
    }

    #[test]
    fn within_a_boot_the_smaller_step_counts_and_time_never_goes_back() {
        check("both go on", &[(5, 5, 5), (70_000, 70_000, 70_000)]);
        check("a day off the machine's sleep", &[(DAY_MS, DAY_MS, DAY_MS)]);
        check("+31 d", &[(10, 10, 10), (31 * DAY_MS, 20, 20), (31 * DAY_MS + 10, 30, 30)]);
        check("-1 d", &[(10, 10, 10), (-DAY_MS, 20, 10), (10 - DAY_MS, 30, 20)]);
        check("-10 y", &[(10, 10, 10), (-3_650 * DAY_MS, 20, 10), (10 - 3_650 * DAY_MS, 30, 20)]);
        check("+10 y and back", &[(3_650 * DAY_MS, 10, 10), (20, 20, 10), (30, 30, 20)]);
        check("±1 s", &[(1_000, 10, 10), (20 - 1_000, 20, 10), (30, 30, 30)]);
        check("frozen wall", &[(0, 900, 0), (0, 2_000, 0), (0, 3_000, 0), (0, 9_000, 0)]);
        let strobing: Vec<_> =
            (1..100).map(|n| (if n % 2 == 0 { n } else { n + DAY_MS }, n, (n + 1) / 2)).collect();
        check("strobing by a day", &strobing);
    }

    #[test]
    fn readings_in_quick_succession_lose_no_time() {
        // The two clocks turn over at different parts of the same millisecond.
        let steps: Vec<_> = (1..1_000).map(|n| ((n + 1) / 2, n / 2, n / 2)).collect();
        check("half milliseconds", &steps);
    }

    #[test]
    fn a_jump_raises_one_alarm() {
        let time = LedgerTime::first(&reading(START_MS, 0));
        let (time, alarm) = time.advance(&reading(START_MS + DAY_MS, 10));
        assert_eq!(alarm, Some(Alarm::Jumped { by_ms: DAY_MS - 10 }));
        assert_eq!(time.advance(&reading(START_MS + DAY_MS + 10, 20)).1, None);
    }

    #[test]
    fn after_a_new_boot_the_boot_clock_alone_counts_until_the_wall_clock_is_believed() {
        let booted = |wall_ms, boot_ms, synchronised| Reading {
            wall_ms,
            boot_ms,
            boot_id: "two".into(),
            synchronised,
        };
        let time = LedgerTime::first(&reading(START_MS, 500_000));
        let (time, alarm) = time.advance(&booted(0, 7_000, false));
        assert_eq!((time.time_ms, alarm), (START_MS, Some(Alarm::Rebooted)));
        let (time, alarm) = time.advance(&booted(START_MS + 31 * DAY_MS, 9_000, false));
        assert_eq!((time.time_ms, alarm), (START_MS + 2_000, None));
        let (behind, alarm) = time.accept(&booted(START_MS - DAY_MS, 10_000, false));
        assert_eq!(behind.time_ms, START_MS + 2_000);
        assert_eq!(alarm, Some(Alarm::Behind { by_ms: DAY_MS + 2_000 }));
        let (time, alarm) = time.advance(&booted(START_MS + DAY_MS, 10_000, true));
        assert_eq!((time.time_ms, alarm), (START_MS + DAY_MS, None));
        let (time, _) = time.advance(&booted(START_MS + DAY_MS + 5, 10_005, true));
        assert_eq!(time.time_ms, START_MS + DAY_MS + 5);
    }
}
