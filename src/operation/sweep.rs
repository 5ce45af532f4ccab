//! What a gateway forgets now and then; what that is stands in `directory::retention`.

use super::{Context, Once, OperationError};
use crate::directory::DirectoryError;
use crate::directory::retention::{self, Forgotten, Retention};
use crate::ledger::time_ms;

/// Forgets what is personal and has been kept long enough. Waits for the disk.
///
/// # Errors
/// [`OperationError`]; then nothing is forgotten.
pub fn sweep(context: &Context, retention: Retention) -> Result<Forgotten, OperationError> {
    let (now_ms, clock) = (context.clock.now_ms(), context.clock.clone());
    let window = context.profile.window;
    let swept = context.store.write_blocking(move |tx| {
        let newest_left = window.newest_left(time_ms(tx, &clock)?);
        Once::forget_old(tx, now_ms)?;
        retention::sweep(tx, now_ms, newest_left, retention).map_err(DirectoryError::from)
    });
    Ok(swept?)
}
