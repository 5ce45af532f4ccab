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
//!
//! That it never runs ahead is not enough: what was written down while it was behind would expire
//! early once it has caught up. So a *leap* says since when the time was behind and by how much,
//! and whoever keeps what was written down in between puts it forward by as much. Since when it may
//! be behind is remembered beyond a boot: the lag may come out only at a later one.
//!
//! Several instances share one time, each with an anchor in its own clocks. The time is the newest
//! that any of them has read, so none is behind the others for longer than they are silent. An
//! instance that was silent itself for too long gives up its own reckoning and goes on from
//! theirs: its own may be ahead of what they have written down meanwhile.

use std::sync::Arc;

use crate::base::clock::Reading;

/// How far the two clocks may differ before it counts as a jump.
const JUMP_MS: i64 = 1_000;

/// How long an instance may be silent before its own reckoning gives way to the others': well
/// within any grace, and longer than the pause between two heartbeats.
const SILENCE_MAX_MS: i64 = 10 * 60_000;

/// How old the newest time of the others may be when an instance joins them, without being behind.
const STALE_MAX_MS: i64 = 15_000;

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
    /// Since when, by its own reckoning, the time may be behind the truth, so that what was
    /// written down from then on is stamped too early; `None`: it is not known to be.
    pub behind_since_ms: Option<i64>,
}

/// Whether the wall clock of a boot is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wall {
    /// Its steps count, together with the boot clock's.
    Believed,
    /// Only the boot clock's steps count, until somebody says that it is right.
    Doubted,
}

/// Ledger time at a reading, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advanced {
    /// The time.
    pub time: LedgerTime,
    /// What somebody should look at.
    pub alarm: Option<Alarm>,
    /// How far the time was behind, if that has come out.
    pub leap: Option<Leap>,
}

/// Ledger time was behind and has caught up: what was written down at `since_ms` or later by
/// ledger time happened up to `by_ms` later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leap {
    /// From when on it was behind, by its own reckoning.
    pub since_ms: i64,
    /// By how much.
    pub by_ms: i64,
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
        let first = LedgerTime::anchored(reading.wall_ms, reading, Wall::Believed);
        // A clock that nobody vouches for may be behind.
        if reading.synchronised { first } else { first.behind_since(first.time_ms) }
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
            behind_since_ms: None,
        }
    }

    /// The time at `reading`, where other instances have read `others_ms` at the latest.
    #[must_use]
    pub fn advance(&self, reading: &Reading, others_ms: Option<i64>) -> Advanced {
        let own = self.advance_alone(reading);
        let is_new_boot = self.boot_id != reading.boot_id;
        let Some(others_ms) = others_ms else {
            // The time that the machine was off is no lag: only what was behind before is late.
            let late = |leap| self.behind_since_ms.map(|since_ms| Leap { since_ms, ..leap });
            let leap = if is_new_boot { own.leap.and_then(late) } else { own.leap };
            return Advanced { leap, ..own };
        };
        let was_silent = is_new_boot || own.time.time_ms - self.time_ms > SILENCE_MAX_MS;
        if own.leap.is_none() && was_silent && others_ms > self.time_ms {
            // They went on meanwhile, perhaps with less time than this one knows to have gone by.
            let time = LedgerTime {
                behind_since_ms: own.time.behind_since_ms,
                ..LedgerTime::anchored(others_ms, reading, own.time.wall)
            };
            return Advanced { time, ..own };
        }
        let time = own.time.moved_to(others_ms);
        // The others have written down what they read, and nobody knows since when it is behind.
        let by_ms = time.time_ms - others_ms.max(self.time_ms);
        let leap = own.leap.filter(|_| by_ms > STALE_MAX_MS);
        Advanced { time, leap: leap.map(|_| Leap { since_ms: i64::MIN, by_ms }), ..own }
    }

    fn advance_alone(&self, reading: &Reading) -> Advanced {
        if self.boot_id != reading.boot_id {
            let rebooted = LedgerTime::anchored(self.time_ms, reading, Wall::Doubted);
            return if reading.synchronised {
                rebooted.accept(reading)
            } else {
                let since_ms = self.behind_since_ms.unwrap_or(self.time_ms);
                let rebooted = rebooted.behind_since(since_ms);
                Advanced { time: rebooted, alarm: Some(Alarm::Rebooted), leap: None }
            };
        }
        match self.wall {
            Wall::Doubted if reading.synchronised => self.accept(reading),
            Wall::Doubted => Advanced { time: self.at_pace(reading), alarm: None, leap: None },
            Wall::Believed => self.advance_by_both(reading),
        }
    }

    /// Believes the wall clock from now on: the kernel or an operator says that it is right.
    /// Ledger time moves on to it; it does not go back to it.
    #[must_use]
    pub fn accept(&self, reading: &Reading) -> Advanced {
        // Where both clocks of this boot were believed, time may have been lost at any jump.
        let (before_ms, since_ms) = match self.wall {
            _ if self.boot_id != reading.boot_id => (self.time_ms, i64::MIN),
            Wall::Doubted => {
                let since_ms = self.behind_since_ms.unwrap_or(self.anchor_time_ms);
                (self.at_pace(reading).time_ms, since_ms)
            }
            Wall::Believed => (self.advance_by_both(reading).time.time_ms, i64::MIN),
        };
        let time_ms = before_ms.max(reading.wall_ms);
        let behind_ms = time_ms - reading.wall_ms;
        let leap = Leap { since_ms, by_ms: time_ms - before_ms };
        Advanced {
            time: LedgerTime::anchored(time_ms, reading, Wall::Believed),
            alarm: (behind_ms > JUMP_MS).then_some(Alarm::Behind { by_ms: behind_ms }),
            leap: (leap.by_ms > 0).then_some(leap),
        }
    }

    /// The time by the boot clock alone.
    fn at_pace(&self, reading: &Reading) -> LedgerTime {
        self.moved_to(self.anchor_time_ms + self.boot_step_ms(reading))
    }

    fn advance_by_both(&self, reading: &Reading) -> Advanced {
        let wall_step_ms = reading.wall_ms - self.anchor_wall_ms;
        let boot_step_ms = self.boot_step_ms(reading);
        let moved = self.moved_to(self.anchor_time_ms + wall_step_ms.min(boot_step_ms));
        let by_ms = wall_step_ms - boot_step_ms;
        if by_ms.abs() <= JUMP_MS {
            return Advanced { time: moved, alarm: None, leap: None };
        }
        // Whichever clock went less, the time went with it: it may be behind from here on.
        let since_ms = self.behind_since_ms.unwrap_or(moved.time_ms);
        let time = LedgerTime::anchored(moved.time_ms, reading, Wall::Believed);
        let time = time.behind_since(since_ms);
        Advanced { time, alarm: Some(Alarm::Jumped { by_ms }), leap: None }
    }

    fn boot_step_ms(&self, reading: &Reading) -> i64 {
        reading.boot_ms - self.anchor_boot_ms
    }

    fn moved_to(&self, time_ms: i64) -> LedgerTime {
        LedgerTime { time_ms: self.time_ms.max(time_ms), ..self.clone() }
    }

    fn behind_since(&self, since_ms: i64) -> LedgerTime {
        LedgerTime { behind_since_ms: Some(since_ms), ..self.clone() }
    }

    fn anchored(time_ms: i64, reading: &Reading, wall: Wall) -> LedgerTime {
        LedgerTime {
            time_ms,
            anchor_time_ms: time_ms,
            anchor_wall_ms: reading.wall_ms,
            anchor_boot_ms: reading.boot_ms,
            boot_id: Arc::clone(&reading.boot_id),
            wall,
            behind_since_ms: None,
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
            time = time.advance(&reading(START_MS + wall_ms, boot_ms), None).time;
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
        let Advanced { time, alarm, .. } = time.advance(&reading(START_MS + DAY_MS, 10), None);
        assert_eq!(alarm, Some(Alarm::Jumped { by_ms: DAY_MS - 10 }));
        assert_eq!(time.advance(&reading(START_MS + DAY_MS + 10, 20), None).alarm, None);
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
        let Advanced { time, alarm, .. } = time.advance(&booted(0, 7_000, false), None);
        assert_eq!((time.time_ms, alarm), (START_MS, Some(Alarm::Rebooted)));
        let wrong = booted(START_MS + 31 * DAY_MS, 9_000, false);
        let Advanced { time, alarm, .. } = time.advance(&wrong, None);
        assert_eq!((time.time_ms, alarm), (START_MS + 2_000, None));
        let behind = time.accept(&booted(START_MS - DAY_MS, 10_000, false));
        assert_eq!(behind.time.time_ms, START_MS + 3_000);
        assert_eq!(behind.alarm, Some(Alarm::Behind { by_ms: DAY_MS + 3_000 }));
        assert_eq!(behind.leap, None);
        let right = time.advance(&booted(START_MS + DAY_MS, 10_000, true), None);
        assert_eq!((right.time.time_ms, right.alarm), (START_MS + DAY_MS, None));
        // What was written down since the boot happened as much later.
        assert_eq!(right.leap, Some(Leap { since_ms: START_MS, by_ms: DAY_MS - 3_000 }));
        let later = right.time.advance(&booted(START_MS + DAY_MS + 5, 10_005, true), None);
        assert_eq!((later.time.time_ms, later.leap), (START_MS + DAY_MS + 5, None));
    }

    #[test]
    fn a_lag_is_made_up_for_even_if_it_comes_out_at_a_later_boot() {
        let at = |boot: &str, wall_ms, boot_ms, synchronised| Reading {
            wall_ms: START_MS + wall_ms,
            boot_ms,
            boot_id: boot.into(),
            synchronised,
        };
        let (day, late_ms) = (DAY_MS, 31 * DAY_MS);
        let leap = |since_ms: i64, by_ms| Some(Leap { since_ms: START_MS + since_ms, by_ms });
        for (story, readings, expected) in [
            ("only off", vec![at("one", 0, 0, true), at("two", day, 5, true)], None),
            (
                "doubted for a whole boot",
                vec![at("one", 0, 0, true), at("two", 0, 5, false), at("three", day, 5, true)],
                leap(0, day),
            ),
            (
                "begun with a clock that was behind",
                vec![at("one", 0, 0, false), at("one", day, 10, true), at("two", day, 5, true)],
                leap(0, day - 10),
            ),
            (
                "silent while the clock was set back",
                vec![
                    at("one", 0, 0, true),
                    at("one", -day, late_ms, true),
                    at("two", late_ms, 5, true),
                ],
                leap(0, late_ms),
            ),
        ] {
            let mut time = LedgerTime::first(&readings[0]);
            let mut leaps = Vec::new();
            for reading in &readings[1..] {
                let advanced = time.advance(reading, None);
                leaps.extend(advanced.leap);
                time = advanced.time;
            }
            assert_eq!(leaps.pop(), expected, "{story}");
            assert_eq!((leaps.len(), time.behind_since_ms), (0, None), "{story}");
        }
    }

    #[test]
    fn the_newest_time_that_any_instance_has_read_is_everybodys() {
        let time = LedgerTime::first(&reading(START_MS, 0));
        let behind = time.advance(&reading(START_MS + 10, 10), Some(START_MS + 50));
        assert_eq!(behind.time.time_ms, START_MS + 50);
        let ahead = time.advance(&reading(START_MS + 90, 90), Some(START_MS + 50));
        assert_eq!(ahead.time.time_ms, START_MS + 90);
    }

    #[test]
    fn an_instance_that_was_silent_goes_on_from_the_others() {
        let silent = LedgerTime::first(&reading(START_MS, 0));
        // The others lost time meanwhile, and what they wrote down must not expire early.
        let woken = silent.advance(&reading(START_MS + DAY_MS, DAY_MS), Some(START_MS + 7));
        assert_eq!(woken.time.time_ms, START_MS + 7);
        let later = woken.time.advance(&reading(START_MS + DAY_MS + 5, DAY_MS + 5), None);
        assert_eq!(later.time.time_ms, START_MS + 12);
        // Nobody was there meanwhile: all of the time has gone by.
        let alone = silent.advance(&reading(START_MS + DAY_MS, DAY_MS), Some(START_MS));
        assert_eq!(alone.time.time_ms, START_MS + DAY_MS);
    }
}
