//! Objects, which a person is handed in files: charged by the protocol of IDs, with the person as
//! recipient and a window of a day. Which objects a file may hold is not known here.
//!
//! A file is charged whole before its first byte leaves. It is one element of what the person has
//! (`distinct.rs`), and weighs as much as it has objects: fetching it again while it counts moves
//! its date and charges nothing more. No exemption lifts the ceiling, and there is no place for a
//! key: objects go to a person who is there.

use std::sync::Arc;

use super::admit::{self, Withheld};
use super::charge::{Charging, Desk, Entitled, Weighed};
use super::distinct::Sifted;
use super::grant::{Attempt, Granted, Unclaimed};
use super::queue::Step;
use super::values::Elements;
use super::{Denied, Ledger, Outcome, clock};
use crate::audit::{self, Leaf, name};
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{Credential, PersonId, SessionId};
use crate::policy::decision::Wanted;
use crate::policy::{Entitlement, Recipient, Unit};
use crate::store::{Charged, NewDelivery, StoreError, Tx};

/// A file of objects, which never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Its number; no other file of anybody has it.
    pub number: u64,
    /// How many Tweet and User objects it has; at least one.
    pub objects: u64,
}

/// Who wants which file, and what they were shown of it when they said so.
#[derive(Clone, Debug)]
pub struct FileOrder {
    /// Whose file it is.
    pub person: PersonId,
    /// In which session of a browser they ask: nothing else hands out objects.
    pub session: SessionId,
    /// The file.
    pub file: File,
    /// Of which dataset.
    pub dataset: i64,
    /// Of which of its releases.
    pub release: Arc<str>,
    /// Which version of the removals it is clean of.
    pub removals: i64,
    /// How often it was handed over before: one confirmation is good for one time.
    pub fetches: u32,
}

impl Granted<File> {
    /// What may be sent.
    pub fn file(&self) -> &File {
        self.what()
    }

    /// The delivery that it is.
    pub fn delivery(&self) -> DeliveryId {
        self.attempt().delivery
    }
}

impl Ledger {
    /// Charges the person of `order` for the file, all of it, so that it may be sent once; the
    /// grant is settled or released as a chunk's is, and its delivery ended.
    ///
    /// # Errors
    /// [`Denied`]; then nothing is charged. [`Denied::Changed`]: the file is no longer kept, was
    /// not found to be clean of the removals in force, or was handed over since.
    ///
    /// # Panics
    /// If the file has no objects, or had another number of them before.
    pub async fn admit_file(&self, order: FileOrder) -> Result<Granted<File>, Denied> {
        assert!(order.file.objects > 0, "a file has at least one object");
        self.begin().await?;
        self.drain();
        let order = Arc::new(order);
        loop {
            let (ledger, order) = (self.clone(), Arc::clone(&order));
            let admitted = self.0.store.write(move |tx| admit_file(tx, &ledger, &order));
            match admitted.await? {
                Ok(unclaimed) => return Ok(unclaimed.claim()),
                Err(Withheld::Refused(refusal)) => return Err(Denied::Refused(refusal)),
                Err(Withheld::Changed) => return Err(Denied::Changed),
                Err(Withheld::Leaving) => {}
            }
        }
    }

    /// Ends the delivery of a file. Returns at once.
    pub fn end_file(&self, delivery: DeliveryId, outcome: Outcome) {
        self.push(Step::End { delivery, outcome });
    }
}

fn admit_file(
    tx: &Tx<'_>,
    ledger: &Ledger,
    order: &FileOrder,
) -> Result<Result<Unclaimed<File>, Withheld>, StoreError> {
    let desk = Desk { tx, shared: &ledger.0, now_ms: clock::now_ms(tx, ledger)? };
    let FileOrder { person, session, file, .. } = *order;
    // Whom IDs are charged to does not matter here, but whether the person may receive at all.
    let credential = Some(Credential::Session(session));
    let person_name = match desk.permit_to_begin(person, credential, IdKind::Tweet)? {
        Ok(permit) => permit.person.expect("without a link there is a person"),
        Err(refusal) => return refuse(&desk, person, file, Withheld::Refused(refusal)),
    };
    let recipient = Recipient::Person(person);
    let Entitlement { basis, ceiling_ids, .. } = desk.profile().limit(Unit::Objects);
    let charged = Charged { recipient, basis, use_case: None };
    let mut chargings = [desk.lock(Entitled { charged, ceiling_ids }, Unit::Objects)?];
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
    // In the transaction of the charge: a removal that is in force is before it or behind it.
    let number = i64::try_from(file.number).expect("the store gave the file its number");
    if !tx.export_file_fetch(number, person, order.fetches, file.objects, desk.now_ms)? {
        return Ok(Err(Withheld::Changed));
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
    tx.delivery_add(&NewDelivery {
        id: attempt.delivery,
        person: Some(person),
        key: None,
        download: None,
        dataset: Some(order.dataset),
        release: Some(&order.release),
        unit: Unit::Objects,
        view: &format!("file-{}", file.number),
        view_version: order.removals,
        first: 0,
        end: Some(file.objects),
        granted_ids: file.objects,
        recipients: &[charged],
        profile: &desk.profile().name,
        started_ms: desk.now_ms,
        incarnation: ledger.incarnation(),
    })?;
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
