//! How a delivery comes to its next chunk: out of a release, or as a parcel that is made first.

use tokio::sync::oneshot;

use super::Broken;
use crate::ledger::{Chunk, Delivery, Denied, Granted, Ledger};
use crate::policy::Refusal;
use crate::transit::{Parcels, Sealed};

/// A delivery with what its further chunks are made of.
pub(super) struct Course {
    pub(super) delivery: Delivery,
    /// Where there is no release.
    pub(super) parcels: Option<Parcels>,
}

/// A chunk that is granted, with its bytes where they stand in no release.
pub(super) struct Loaded {
    pub(super) granted: Granted<Chunk>,
    pub(super) sealed: Option<Sealed>,
}

/// What becomes of the question for the next chunk.
pub(super) type Next = Result<Option<Loaded>, Broken>;

impl Course {
    /// The next chunk; `None` at the end, or once `left` says that nobody waits for it any more.
    pub(super) async fn next(&mut self, ledger: &Ledger, left: oneshot::Receiver<()>) -> Next {
        let Some(parcels) = &mut self.parcels else {
            let granted = ledger.open(&mut self.delivery).await.map_err(Broken::Denied)?;
            return Ok(granted.map(|granted| Loaded { granted, sealed: None }));
        };
        let ids_max = self.delivery.parcel_ids_max();
        // Only a parcel is worth giving up: a grant that is on its way has to be waited for.
        let sealed = tokio::select! {
            sealed = parcels.next(ids_max) => sealed.map_err(Broken::Source)?,
            _ = left => None,
        };
        let Some(sealed) = sealed else {
            self.keep_report(ledger);
            return Ok(None);
        };
        let mut sealed = sealed;
        loop {
            match ledger.open_parcel(&mut self.delivery, sealed.parcel()).await {
                Ok(granted) => return Ok(Some(Loaded { granted, sealed: Some(sealed) })),
                Err(denied) => {
                    sealed = cut_to_fit(parcels, sealed, denied).map_err(Broken::Denied)?;
                }
            }
        }
    }

    /// Hands the report of the strip to the ledger, once there is one.
    pub(super) fn keep_report(&mut self, ledger: &Ledger) {
        let report = self.parcels.as_mut().and_then(Parcels::take_report);
        if let Some(report) = report {
            ledger.report(self.delivery.id(), report.whole.to_string());
        }
    }
}

/// The part of a refused parcel that would have fitted; the rest is put back.
///
/// Nobody can ask a stream for fewer IDs, so it goes on to the last ID of an allowance by itself.
///
/// # Errors
/// The refusal, if nothing fits, or fewer would not help.
pub(super) fn cut_to_fit(
    parcels: &mut Parcels,
    sealed: Sealed,
    denied: Denied,
) -> Result<Sealed, Denied> {
    let fitting_ids = match &denied {
        Denied::Refused(Refusal::NotNow { remaining_ids, .. }) => *remaining_ids,
        Denied::Refused(Refusal::Never { ceiling_ids, .. }) => *ceiling_ids,
        _ => 0,
    };
    let is_counted = parcels.ids().is_some();
    if is_counted || fitting_ids == 0 || fitting_ids >= sealed.ids() {
        return Err(denied);
    }
    let (fitting, rest) = sealed.split(fitting_ids);
    parcels.put_back(rest);
    Ok(fitting)
}
