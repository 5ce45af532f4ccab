//! In which files an export comes, and when each fits: pure arithmetic.

use crate::policy::window::minute_of;
use crate::policy::{Level, Window};

/// The most files of one export: more than a year of days.
pub const FILES_MAX: usize = 400;

/// A file that is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// How many objects it may have.
    pub objects_max: u64,
    /// When it fits at the earliest, if nothing else is fetched, in milliseconds UTC.
    pub at_ms: i64,
}

/// Why there is no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlan {
    /// Nothing is selected.
    #[error("nothing is selected")]
    Empty,
    /// Nobody may have any object.
    #[error("by the profile in force nobody may have any object")]
    Nothing,
    /// It would take too many files.
    #[error(
        "{ids} are selected, and at most {ids_max} can be planned at once: select a time range, a \
         sample or a list"
    )]
    TooMany {
        /// How many are selected.
        ids: u64,
        /// How many would do.
        ids_max: u64,
    },
}

/// The files of a selection of `ids`, for somebody whose meter of objects is as full as `level`.
///
/// What fits now comes first; whatever is charged by then has left the window at the next date,
/// and so on. Every file is planned as if all that is looked up were handed out: fewer may be.
///
/// # Errors
/// [`NoPlan`].
pub fn plan(
    ids: u64,
    level: Level,
    window: Window,
    file_objects_max: u64,
    now_ms: i64,
) -> Result<Vec<Planned>, NoPlan> {
    if ids == 0 {
        return Err(NoPlan::Empty);
    }
    let day_max = level.ceiling_ids.unwrap_or(u64::MAX);
    let file_max = file_objects_max.min(day_max);
    if file_max == 0 {
        return Err(NoPlan::Nothing);
    }
    let mut at_ms = now_ms;
    let mut left_today = level.remaining_ids().unwrap_or(u64::MAX);
    let mut planned = Vec::new();
    let mut left = ids;
    while left > 0 {
        if left_today == 0 {
            at_ms = window.leaves_ms(minute_of(at_ms));
            left_today = day_max;
        }
        if planned.len() == FILES_MAX {
            return Err(NoPlan::TooMany { ids, ids_max: ids - left });
        }
        let objects_max = left.min(file_max).min(left_today);
        planned.push(Planned { objects_max, at_ms });
        left_today -= objects_max;
        left -= objects_max;
    }
    Ok(planned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;
    const WINDOW: Window = Window { length_ms: 24 * HOUR_MS, grace_ms: HOUR_MS };
    /// When what is charged in the first minute has left.
    const NEXT_MS: i64 = 25 * HOUR_MS + 60_000;

    fn planned(ids: u64, live_ids: u64, file_max: u64) -> Result<Vec<(u64, i64)>, NoPlan> {
        let level = Level { ceiling_ids: Some(100), live_ids, held_ids: 0 };
        let files = plan(ids, level, WINDOW, file_max, 0)?;
        Ok(files.iter().map(|file| (file.objects_max, file.at_ms)).collect())
    }

    #[test]
    fn what_fits_today_is_today_and_the_rest_follows_day_by_day() {
        let day = |n| n * NEXT_MS;
        for (ids, live_ids, file_max, expected) in [
            (100, 0, 1_000, vec![(100, 0)]),
            (101, 0, 1_000, vec![(100, 0), (1, day(1))]),
            (60, 70, 1_000, vec![(30, 0), (30, day(1))]),
            (60, 100, 1_000, vec![(60, day(1))]),
            (60, 300, 1_000, vec![(60, day(1))]),
            (90, 0, 40, vec![(40, 0), (40, 0), (10, 0)]),
            (130, 50, 40, vec![(40, 0), (10, 0), (40, day(1)), (40, day(1))]),
            (250, 0, 100, vec![(100, 0), (100, day(1)), (50, day(2))]),
        ] {
            assert_eq!(planned(ids, live_ids, file_max), Ok(expected), "{ids} {live_ids}");
        }
    }

    #[test]
    fn no_day_of_a_plan_has_more_than_the_allowance() {
        for (ids, live_ids, file_max) in [(999, 0, 7), (5_000, 33, 100), (1_234, 100, 90)] {
            let files = planned(ids, live_ids, file_max).unwrap();
            let mut planned = 0;
            for day in files.chunk_by(|one, other| one.1 == other.1) {
                let of_day: u64 = day.iter().map(|(objects_max, _)| objects_max).sum();
                let before = if day[0].1 == 0 { live_ids } else { 0 };
                assert!(of_day + before <= 100, "{day:?}");
                planned += of_day;
            }
            assert_eq!(planned, ids);
        }
    }

    #[test]
    fn nothing_and_too_much_have_no_plan() {
        assert_eq!(planned(0, 0, 10), Err(NoPlan::Empty));
        assert_eq!(planned(40_000, 0, 100).map(|files| files.len()), Ok(FILES_MAX));
        let too_many = NoPlan::TooMany { ids: 40_001, ids_max: 40_000 };
        assert_eq!(planned(40_001, 0, 100), Err(too_many));
        let level = Level { ceiling_ids: Some(0), live_ids: 0, held_ids: 0 };
        assert_eq!(plan(1, level, WINDOW, 10, 0), Err(NoPlan::Nothing));
    }
}
