//! Who takes part, as numbers of the store: entities and people as types that never mix.

use serde::{Deserialize, Serialize};

macro_rules! party_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);
    };
}

party_type!(
    /// The row number of an entity: the organisation that is metered.
    EntityId
);
party_type!(
    /// The row number of a person: a human who belongs to one or more entities.
    PersonId
);
party_type!(
    /// The row number of an API key, which belongs to one person.
    KeyId
);
