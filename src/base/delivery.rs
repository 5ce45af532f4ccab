//! The number by which a delivery is known, inside and outside; not the delivery itself.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The number of a delivery: a UUID of version 7, so that later ones sort after earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeliveryId(Uuid);

/// Why a text is no number of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a delivery is named by a UUID: 8-4-4-4-12 hexadecimal digits")]
pub struct NotADelivery;

impl DeliveryId {
    /// A new number for a delivery that begins at `now_ms`.
    ///
    /// # Panics
    /// Before 1970.
    pub fn new(now_ms: i64) -> DeliveryId {
        let since_epoch_ms = u64::try_from(now_ms).expect("hydrant runs after 1970");
        let builder = uuid::Builder::from_unix_timestamp_millis(since_epoch_ms, &rand::random());
        DeliveryId(builder.into_uuid())
    }

    /// The number that these bytes are.
    pub fn from_bytes(bytes: [u8; 16]) -> DeliveryId {
        DeliveryId(Uuid::from_bytes(bytes))
    }

    /// The number as the store keeps it.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl FromStr for DeliveryId {
    type Err = NotADelivery;

    fn from_str(text: &str) -> Result<DeliveryId, NotADelivery> {
        // The hyphenated form alone: one delivery has one name.
        let uuid = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
        uuid.map(DeliveryId).ok_or(NotADelivery)
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = NotADelivery;

    fn try_from(text: String) -> Result<DeliveryId, NotADelivery> {
        text.parse()
    }
}

impl From<DeliveryId> for String {
    fn from(id: DeliveryId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_deliveries_sort_after_earlier_ones_and_are_read_as_written() {
        let (first, second) = (DeliveryId::new(1_000), DeliveryId::new(1_001));
        assert!(first < second);
        assert_eq!(first.to_string().parse(), Ok(first));
        assert_eq!(DeliveryId::from_bytes(*first.as_bytes()), first);
        for text in ["", "7", "00000000000000000000000000000000"] {
            assert_eq!(text.parse::<DeliveryId>(), Err(NotADelivery), "{text}");
        }
    }
}
