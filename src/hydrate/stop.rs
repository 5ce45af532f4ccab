//! How a hydration is asked to stop, and how it waits for a time without being deaf meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::base::clock::Clock;

/// How long a wait sleeps at most before it looks at the clock again: clocks may jump, and those of
/// tests do.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Asks whoever holds a clone to stop once the request that is under way has been kept.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

/// Somebody asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked;

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Stop {
        Stop(Arc::new(watch::Sender::new(false)))
    }

    /// Asks to stop.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Whether somebody has asked.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when somebody has asked.
    pub async fn asked(&self) {
        let mut asked = self.0.subscribe();
        // An error means that the sender is gone, which this very value holds.
        let _ = asked.wait_for(|asked| *asked).await;
    }

    /// Waits until the clock shows `until_ms`.
    pub(super) async fn wait(&self, clock: &Clock, until_ms: i64) -> Result<(), Asked> {
        loop {
            let rest_ms = until_ms.saturating_sub(clock.now_ms());
            if self.is_asked() {
                return Err(Asked);
            }
            let Ok(rest_ms @ 1..) = u64::try_from(rest_ms) else { return Ok(()) };
            let pause = Duration::from_millis(rest_ms).min(LOOK_AGAIN);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.asked() => {}
            }
        }
    }
}

impl Default for Stop {
    fn default() -> Stop {
        Stop::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_with_its_time_or_with_a_stop() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let clock = Clock::manual(1_000);
        let stop = Stop::new();
        let waited = |until_ms| runtime.block_on(stop.wait(&clock, until_ms));
        assert_eq!(waited(1_000), Ok(()));
        assert_eq!(waited(i64::MIN), Ok(()));
        clock.advance_ms(10_000);
        assert_eq!(waited(11_000), Ok(()));
        stop.ask();
        assert_eq!(waited(i64::MAX), Err(Asked));
        assert_eq!(waited(0), Err(Asked));
    }
}
