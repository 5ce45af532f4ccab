//! Objects, which a person is handed in files: charged by the protocol of IDs, with the person as
//! recipient and a window of a day. Which objects a file may hold is not known here.
//!
//! A file is charged whole before its first byte leaves. It is one element of what the person has
//! (`distinct.rs`), and weighs as much as it has objects: fetching it again while it counts moves
//! its date and charges nothing more. No exemption lifts the ceiling, and there is no place for a
//! key: objects go to a person who is there.

use super::admit::{self, Withheld};
use super::charge::{Charging, Desk, Entitled, Weighed};
use super::distinct::Sifted;
use super::grant::{Attempt, Granted, Unclaimed};
use super::values::Elements;
use super::{Denied, Ledger, clock};
use crate::audit::{self, Leaf, name};
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::PersonId;
use crate::policy::decision::Wanted;
use crate::policy::{Entitlement, Recipient, Unit};
use crate::store::{Charged, StoreError, Tx};

/// A file of objects, which never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Its number; no other file of anybody has it.
    pub number: u64,
    /// How many Tweet and User objects it has; at least one.
    pub objects: u64,
}

impl Granted<File> {
    /// What may be sent.
    pub fn file(&self) -> &File {
        self.what()
    }
}

impl Ledger {
    /// Charges `person` for a file, all of it, so that it may be sent once; the grant is settled or
    /// released as a chunk's is.
    ///
    /// # Errors
    /// [`Denied`]; then nothing is charged.
    ///
    /// # Panics
    /// If the file has no objects, or had another number of them before.
    pub async fn admit_file(&self, person: PersonId, file: File) -> Result<Granted<File>, Denied> {
        assert!(file.objects > 0, "a file has at least one object");
        self.drain();
        loop {
            let ledger = self.clone();
            let admitted = self.0.store.write(move |tx| admit_file(tx, &ledger, person, file));
            match admitted.await? {
                Ok(unclaimed) => return Ok(unclaimed.claim()),
                Err(Withheld::Refused(refusal)) => return Err(Denied::Refused(refusal)),
                Err(Withheld::Changed) => return Err(Denied::Changed),
                Err(Withheld::Leaving) => {}
            }
        }
    }
}

fn admit_file(
    tx: &Tx<'_>,
    ledger: &Ledger,
    person: PersonId,
    file: File,
) -> Result<Result<Unclaimed<File>, Withheld>, StoreError> {
    let desk = Desk { tx, shared: &ledger.0, now_ms: clock::now_ms(tx, ledger)? };
    // Whom IDs are charged to does not matter here, but whether the person may receive at all.
    let person_name = match desk.permit_to_begin(person, None, IdKind::Tweet)? {
        Ok(permit) => permit.person.expect("without a link there is a person"),
        Err(refusal) => return refuse(&desk, person, file, Withheld::Refused(refusal)),
    };
    let recipient = Recipient::Person(person);
    let Entitlement { basis, ceiling_ids, .. } = desk.profile().limit(Unit::Objects);
    let entitled = Entitled { charged: Charged { recipient, basis, use_case: None }, ceiling_ids };
    let mut chargings = [desk.lock(entitled, Unit::Objects)?];
    let meter_id = chargings[0].meter.id;
    let element = Elements::of(vec![file.number]);
    let sifted = Sifted::of(tx, &ledger.0.filters, meter_id, &element, file.objects)?;
    chargings[0].weighed = Weighed::Once(sifted);
    let wanted =
        |charging: &Charging| Wanted { from_hold_ids: 0, fresh_ids: charging.weighed.fresh_max() };
    let objects = 0..file.objects;
    if let Some(withheld) = admit::withheld(&desk, &mut chargings, wanted, &objects)? {
        return refuse(&desk, person, file, withheld);
    }
    let attempt = Attempt { delivery: DeliveryId::new(desk.now_ms), number: 0 };
    let [charging] = &mut chargings;
    let charge = desk.charge_one(charging, attempt, person, file.objects, |_, _| 0)?;
    let leaf = Leaf::ObjectsOpened {
        delivery: attempt.delivery,
        attempt: attempt.number,
        person: person_name,
        file: file.number,
        objects: file.objects,
        charge,
        profile: desk.profile().name.clone(),
    };
    audit::append(tx, desk.now_ms, &leaf)?;
    Ok(Ok(Unclaimed::new(ledger, file, attempt)))
}

fn refuse<T>(
    desk: &Desk<'_>,
    person: PersonId,
    file: File,
    withheld: Withheld,
) -> Result<Result<T, Withheld>, StoreError> {
    if let Withheld::Refused(refusal) = &withheld {
        let why = refusal.word();
        if desk.shared.is_first_of_minute(person, Unit::Objects, why, desk.now_ms) {
            let File { number, objects } = file;
            let (person, why) = (name::of_person(desk.tx, person)?, why.to_owned());
            let leaf = Leaf::ObjectsRefused { person, file: number, objects, why };
            audit::append(desk.tx, desk.now_ms, &leaf)?;
        }
    }
    Ok(Err(withheld))
}
