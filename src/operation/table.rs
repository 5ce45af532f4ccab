//! The table by which operations are carried out: each is a function of the directory, and its
//! answer.

use std::sync::Arc;

use serde_json::Value;

use super::desk::{By, Desk, Numbers};
use super::{
    Context, Once, Operation, OperationError, answer, dataset, delivery, entity, export,
    invitation as invitations, ledger, log, person, policy, removal, report, share, sign_in, terms,
};
use crate::base::party::Actor;
use crate::directory::dataset as catalogue;
use crate::directory::exemption::Judgement;
use crate::directory::{
    document, entity as entities, erasure, exemption, identity, invitation, join, key, membership,
    permission, person as people, registration, session, share as shares, sign_in as links, staff,
    use_case,
};
use crate::hydrate;

/// Carries out `operation` on behalf of `actor` and returns its answer. Waits for the disk.
///
/// # Errors
/// [`OperationError`]; then nothing was changed. [`super::ErrorKind::Forbidden`] if it is not for
/// `actor`.
pub fn execute(
    operation: Operation,
    context: &Context,
    actor: &Actor,
) -> Result<Value, OperationError> {
    execute_once(operation, context, actor, None)
}

/// As [`execute`]; what was carried out as `once` before is answered and not done again.
///
/// # Errors
/// As [`execute`]; [`super::ErrorKind::Conflict`] if the name of `once` was given to something
/// else.
pub fn execute_once(
    operation: Operation,
    context: &Context,
    actor: &Actor,
    once: Option<Once>,
) -> Result<Value, OperationError> {
    let desk = Desk { context, actor, need: operation.need(), once };
    if operation.is_carried_out_elsewhere() {
        desk.look(|_, _| Ok(Value::Null))?;
    }
    let numbers = Numbers { profile: Arc::clone(&context.profile), clock: context.clock.clone() };
    let outcome = match operation {
        Operation::EntityAdd(request) => desk.change(move |tx, by| {
            entity::added(tx, &entities::add(tx, by.now_ms, &by.actor, &request)?)
        }),
        Operation::EntityList => desk.look(|tx, _| entity::all(tx)),
        Operation::EntityShow { slug } => desk
            .look(|tx, now_ms| entity::whole(tx, &entities::find_merged_too(tx, &slug)?, now_ms)),
        Operation::EntitySuspend { slug, reason } => desk.change(move |tx, by| {
            let reason = reason.as_deref();
            entity::brief(tx, &entities::suspend(tx, by.now_ms, &by.actor, &slug, reason)?)
        }),
        Operation::EntityResume { slug } => desk.change(move |tx, by| {
            entity::brief(tx, &entities::resume(tx, by.now_ms, &by.actor, &slug)?)
        }),
        Operation::EntityEdit(request) => desk.change(move |tx, by| {
            entity::added(tx, &entities::edit(tx, by.now_ms, &by.actor, &request)?)
        }),
        Operation::EntityReview { slug, reason } => desk.change(move |tx, by| {
            entity::brief(tx, &entities::review(tx, by.now_ms, &by.actor, &slug, &reason)?)
        }),
        Operation::EntityDuplicates => desk.look(|tx, _| entity::duplicates(tx)),
        Operation::EntityMergeEffect { source, target } => {
            desk.look(|tx, now_ms| entity::merge_effect(tx, now_ms, &numbers, &source, &target))
        }
        Operation::EntityMerge { source, target, reason } => {
            desk.change(move |tx, by| entity::merge(tx, by, &numbers, [&source, &target], &reason))
        }
        Operation::UseCasePropose { slug, purpose } => desk.change(move |tx, by| {
            let row = use_case::propose(tx, by.now_ms, &by.actor, &slug, &purpose)?;
            entity::use_case(tx, &row)
        }),
        Operation::UseCaseDecide { slug, verdict, reason } => desk.change(move |tx, by| {
            let row = use_case::decide(tx, by.now_ms, &by.actor, &slug, verdict, &reason)?;
            entity::use_case(tx, &row)
        }),
        Operation::UseCaseList { slug } => {
            desk.look(|tx, _| entity::use_cases(tx, slug.as_deref()))
        }
        Operation::PersonJoinEffect(request) => {
            desk.look(|tx, _| person::join_effect(tx, &numbers, &request))
        }
        Operation::PersonJoin(request) => desk.change(move |tx, by| {
            let row = join::propose(tx, by.now_ms, &by.actor, &request)?;
            person::proposal(tx, &numbers, &row)
        }),
        Operation::JoinList => desk.look(|tx, _| person::proposals(tx, &numbers)),
        Operation::JoinConsent { join, side, evidence } => desk.change(move |tx, by| {
            person::consent(tx, by, &numbers, join, side, evidence.as_deref())
        }),
        Operation::JoinWithdraw { join, reason } => desk.change(move |tx, by| {
            let row = join::withdraw(tx, by.now_ms, &by.actor, join, &reason)?;
            person::proposal(tx, &numbers, &row)
        }),
        Operation::PersonLeave { mail, slug } => desk.change(move |tx, by| {
            by.person(tx, &membership::end(tx, by.now_ms, &by.actor, &mail, &slug)?)
        }),
        Operation::PersonRole { mail, slug, role } => desk.change(move |tx, by| {
            let row = membership::change(tx, by.now_ms, &by.actor, &mail, &slug, role)?;
            by.person(tx, &row)
        }),
        Operation::InvitationAdd(request) => desk.change(move |tx, by| {
            invitations::invited(tx, &invitation::invite(tx, by.now_ms, &by.actor, &request)?)
        }),
        Operation::InvitationList { slug } => desk.look(|tx, _| invitations::all(tx, &slug)),
        Operation::InvitationWithdraw { invitation } => desk.change(move |tx, by| {
            let row = invitation::withdraw(tx, by.now_ms, &by.actor, invitation)?;
            invitations::invited(tx, &row)
        }),
        Operation::PersonIdentities { mail } => desk.look(|tx, _| sign_in::identities(tx, &mail)),
        Operation::PersonUnlink(request) => desk.change(move |tx, by| {
            let row = identity::unlink(tx, by.now_ms, &by.actor, &request)?;
            sign_in::identities(tx, &row.mail)
        }),
        Operation::PersonExport { mail } => {
            // Not in one transaction: nothing may wait while the whole log is searched.
            let noted = mail.clone();
            desk.change(move |tx, by| person::note_export(tx, by, &noted))?;
            desk.look(|tx, now_ms| person::export(tx, &numbers, now_ms, &mail))
        }
        Operation::PersonErase { mail, reason } => desk.change(move |tx, by| {
            by.person(tx, &erasure::erase(tx, by.now_ms, &by.actor, &mail, &reason)?)
        }),
        Operation::PersonAdd(request) => {
            desk.change(move |tx, by| by.person(tx, &person::add(tx, by, &numbers, &request)?))
        }
        Operation::PersonList => {
            desk.look(|tx, now_ms| answer::people(tx, &context.profile, now_ms))
        }
        Operation::PersonSuspend { mail, reason } => desk.change(move |tx, by| {
            let reason = reason.as_deref();
            by.person(tx, &people::suspend(tx, by.now_ms, &by.actor, &mail, reason)?)
        }),
        Operation::PersonResume { mail } => desk
            .change(move |tx, by| by.person(tx, &people::resume(tx, by.now_ms, &by.actor, &mail)?)),
        Operation::PersonAccept(request) => desk.change(move |tx, by| {
            let documents = &by.profile.documents;
            let row = document::record(tx, by.now_ms, &by.actor, documents, &request)?;
            by.person(tx, &row)
        }),
        Operation::StaffAppoint { mail, rank } => desk.change(move |tx, by| {
            let row = staff::appoint(tx, by.now_ms, &by.actor, &mail, rank)?;
            by.person(tx, &row)
        }),
        Operation::KeyIssue(request) => desk.change(move |tx, by| {
            let (row, token) = key::issue(tx, by.now_ms, &by.actor, &request)?;
            answer::key_issued(tx, &by.profile, &row, &token, by.now_ms)
        }),
        Operation::KeyList { mail } => {
            desk.look(|tx, now_ms| answer::keys(tx, mail.as_deref(), now_ms))
        }
        Operation::KeyRotate { key, overlap_ms } => desk.change(move |tx, by| {
            let (row, token) = key::rotate(tx, by.now_ms, &by.actor, key, overlap_ms)?;
            answer::key_issued(tx, &by.profile, &row, &token, by.now_ms)
        }),
        Operation::KeyReactivate { key } => desk.change(move |tx, by| {
            answer::key(tx, &key::reactivate(tx, by.now_ms, &by.actor, key)?, by.now_ms)
        }),
        Operation::KeyRevoke { key } => desk.change(move |tx, by| {
            answer::key(tx, &key::revoke(tx, by.now_ms, &by.actor, key)?, by.now_ms)
        }),
        Operation::PersonInvite { mail } => desk.change(move |tx, by| {
            let (person, link, secret) = links::invite(tx, by.now_ms, &by.actor, &mail)?;
            sign_in::invited(&person, &link, &secret)
        }),
        Operation::SessionList { mail } => {
            desk.look(|tx, now_ms| sign_in::sessions(tx, mail.as_deref(), now_ms))
        }
        Operation::SessionRevoke { session } => desk.change(move |tx, by| {
            let row = session::revoke(tx, by.now_ms, &by.actor, session)?;
            sign_in::session(tx, &row, by.now_ms)
        }),
        Operation::RegistrationList => desk.look(|tx, _| sign_in::registrations(tx)),
        Operation::RegistrationAssign(request) => desk.change(move |tx, by| {
            sign_in::registration(tx, &person::assign(tx, by, &numbers, &request)?)
        }),
        Operation::RegistrationRefuse { registration: number, reason } => {
            desk.change(move |tx, by| {
                let row = registration::refuse(tx, by.now_ms, &by.actor, number, &reason)?;
                sign_in::registration(tx, &row)
            })
        }
        Operation::ExemptionApply(request) => desk.change(move |tx, by| {
            let row = exemption::apply(tx, by.now_ms, &by.actor, &by.profile, &request)?;
            terms::exemption(tx, &row, by.now_ms)
        }),
        Operation::ExemptionList => desk.look(terms::exemptions),
        Operation::ExemptionDecide { exemption, decision, reason, conditions, ceiling_ids } => {
            let judgement = Judgement { decision, reason, conditions, ceiling_ids };
            desk.change(move |tx, By { actor, now_ms, profile }| {
                let row = exemption::decide(tx, *now_ms, actor, profile, exemption, &judgement)?;
                terms::exemption(tx, &row, *now_ms)
            })
        }
        Operation::DocumentList => {
            desk.look(|tx, now_ms| terms::documents(tx, &context.profile, now_ms))
        }
        Operation::DocumentPublish(request) => desk.change(move |tx, by| {
            let row = document::publish(tx, by.now_ms, &by.actor, &request)?;
            Ok(terms::published(&row))
        }),
        Operation::PermissionAdd(request) => desk.change(move |tx, by| {
            let row = permission::add(tx, by.now_ms, &by.actor, &request)?;
            terms::permission(tx, &row, by.now_ms)
        }),
        Operation::PermissionList => desk.look(terms::permissions),
        Operation::PermissionRevoke { permission, reason } => desk.change(move |tx, by| {
            let row = permission::revoke(tx, by.now_ms, &by.actor, permission, &reason)?;
            terms::permission(tx, &row, by.now_ms)
        }),
        Operation::ShareAdd(request) => {
            // Too slow for a transaction, and wasted only if the request is refused.
            let passphrase = request.passphrase.as_ref().map(|said| said.hash()).transpose()?;
            desk.change(move |tx, by| {
                let By { now_ms, actor, profile } = by;
                let made = shares::make(tx, *now_ms, actor, profile, &request, passphrase)?;
                share::made(tx, by, &made.0, &made.1)
            })
        }
        Operation::ShareList { mail } => {
            desk.look(|tx, now_ms| share::all(tx, &context.profile, mail.as_deref(), now_ms))
        }
        Operation::ShareShow { share: id } => {
            desk.look(|tx, now_ms| share::whole(tx, &context.profile, id, now_ms))
        }
        Operation::ShareExtend { share: id, until_ms } => desk.change(move |tx, by| {
            let By { now_ms, actor, profile } = by;
            let row = shares::extend(tx, *now_ms, actor, profile, id, until_ms)?;
            share::brief(tx, profile, &row, *now_ms)
        }),
        Operation::SharePublish { share: id } => desk.change(move |tx, by| {
            let row = shares::publish(tx, by.now_ms, &by.actor, id)?;
            share::brief(tx, &by.profile, &row, by.now_ms)
        }),
        Operation::ShareRevoke { share: id } => desk.change(move |tx, by| {
            let row = shares::revoke(tx, by.now_ms, &by.actor, id)?;
            share::brief(tx, &by.profile, &row, by.now_ms)
        }),
        Operation::ExportList { mail } => desk.look(|tx, _| export::all(tx, mail.as_deref())),
        Operation::ExportShow { export: id } => desk.look(|tx, _| export::one(tx, id)),
        Operation::ExportCancel { file, reason } => {
            desk.change(move |tx, by| export::cancel(tx, by, file, &reason))
        }
        Operation::PolicyShow => desk.look(|tx, _| policy::show(tx, &context.profile)),
        Operation::PolicyPreview { toml } => return policy::preview(context, &toml),
        Operation::PolicySwitch { toml, reason } => {
            return policy::switch(context, actor, &toml, &reason);
        }
        Operation::Usage { slug } => desk.look(|tx, _| {
            answer::usage(tx, &context.profile, &context.clock, &entities::find(tx, &slug)?)
        }),
        Operation::Report { slug, from_ms, until_ms } => desk.look(|tx, now_ms| {
            report::of_entity(tx, &context.profile, &slug, [from_ms, until_ms], now_ms)
        }),
        Operation::Deliveries { entity, person, rows_max } => {
            desk.look(|tx, _| delivery::newest(tx, entity.as_deref(), person.as_deref(), rows_max))
        }
        Operation::InstanceList => desk.look(|tx, _| answer::instances(tx)),
        Operation::LedgerStatus => return ledger::status(context),
        Operation::LedgerThaw(request) => return ledger::thaw_as_told(context, actor, request),
        Operation::LedgerClockAccept { reason } => {
            return ledger::clock_accept(context, actor, &reason);
        }
        Operation::AuditCheckpoint => return log::checkpoint(context),
        Operation::AuditReasons => desk.look(|tx, _| log::reasons(tx)),
        Operation::AuditReceipt { delivery } => return log::receipt_of(context, delivery),
        Operation::AuditFiles { names } => return log::files(context, &names),
        Operation::AuditCheckpointSizes { after } => {
            return log::checkpoint_sizes(context, after);
        }
        Operation::DatasetCheck(plan) => {
            desk.look(|tx, _| catalogue::check(tx, &plan).map(|()| Value::Null))
        }
        Operation::Removal(asked) => return removal::carry_out(&desk, context, asked),
        Operation::DatasetRegister { plan, release } => {
            let id = release.id.clone();
            return removal::with_views(&desk, context, &id, move |tx, by| {
                let row = catalogue::register(tx, by.now_ms, &by.actor, &plan, &release)?;
                dataset::brief(tx, &row)
            });
        }
        Operation::DatasetRegisterStream(plan) => desk.change(move |tx, by| {
            let row = catalogue::register_stream(tx, by.now_ms, &by.actor, &plan)?;
            dataset::brief(tx, &row)
        }),
        Operation::DatasetRefresh { slug, release } => {
            let id = release.id.clone();
            return removal::with_views(&desk, context, &id, move |tx, by| {
                let row = catalogue::refresh(tx, by.now_ms, &by.actor, &slug, &release)?;
                dataset::brief(tx, &row)
            });
        }
        Operation::DatasetEdit(request) => desk.change(move |tx, by| {
            dataset::brief(tx, &catalogue::edit(tx, by.now_ms, &by.actor, &request)?)
        }),
        Operation::DatasetRetire { slug } => desk.change(move |tx, by| {
            dataset::brief(tx, &catalogue::retire(tx, by.now_ms, &by.actor, &slug)?)
        }),
        Operation::DatasetList => desk.look(|tx, _| dataset::list(tx)),
        Operation::DatasetShow { slug } => {
            desk.look(|tx, _| dataset::whole(tx, &catalogue::find(tx, &slug)?))
        }
        Operation::Upstream(step) if step.is_look() => desk
            .look(|tx, now_ms| Ok(hydrate::carry_out(tx, now_ms, actor, &context.profile, &step)?)),
        Operation::Upstream(step) => desk.change(move |tx, by| {
            Ok(hydrate::carry_out(tx, by.now_ms, &by.actor, &by.profile, &step)?)
        }),
    };
    Ok(outcome?)
}
