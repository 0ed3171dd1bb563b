//! `validator_*`: what the chain has on record of validators.

use crate::{
    context::Context,
    error::{Answer, chain, invalid},
    method::{Args, cut, show, to_hex},
};
use billchain_primitives::{AccountId, Offence, PublicKey};
use billchain_rpc_types::{
    EquivocationView, ObserverView, Page, ParticipationView, ValidatorListView, ValidatorView,
};
use billchain_runtime::{Participation, Validators};
use codec::{DecodeAll, Encode};
use libp2p::PeerId;
use pallet_participation::Standing;
use pallet_validators::{EquivocationRecord, Observer, Validator};
use sp_core::H256;

/// The validators of the next block, and the observers.
pub(super) fn all(context: &Context, _: &Args) -> Answer<ValidatorListView> {
    let read = || ValidatorListView {
        validators: Validators::validators().into_iter().map(validator).collect(),
        observers: Validators::observers().into_iter().map(observer).collect(),
    };
    context.deps.chain.read(read).map_err(chain)
}

/// Reads the state.
fn validator(one: Validator) -> ValidatorView {
    ValidatorView {
        operator: account(&one.operator),
        name: one.name.to_string(),
        consensus_key: PublicKey::Sm2(one.consensus_key).to_string(),
        // A key that votes has one.
        key_since: Validators::tenure(&one.consensus_key).map_or(0, |tenure| tenure.from),
        peer_id: identity(&one.peer_id),
        address: Validators::address_of(&one.peer_id).map(|address| address.to_string()),
        power: one.power,
    }
}

/// Reads the state.
fn observer(one: Observer) -> ObserverView {
    ObserverView {
        name: one.name.to_string(),
        peer_id: identity(&one.peer_id),
        address: Validators::address_of(&one.peer_id).map(|address| address.to_string()),
    }
}

/// The pallet checks the form of an identity, not what it is of.
fn identity(bytes: &[u8]) -> String {
    PeerId::from_bytes(bytes).map_or_else(|_| to_hex(bytes), |id| id.to_string())
}

/// How the validators of the next block take part, in the order of their turns.
pub(super) fn participation(context: &Context, _: &Args) -> Answer<Vec<ParticipationView>> {
    let read = || (Validators::validators(), Participation::standings());
    let (validators, standings) = context.deps.chain.read(read).map_err(chain)?;
    let key = |one: &Validator| PublicKey::Sm2(one.consensus_key).account_id();
    let view = |Standing { record, last_seen, takes_turns }: Standing| {
        let validator = validators.iter().find(|one| key(one) == record.validator)?;
        Some(ParticipationView {
            validator: account(&record.validator),
            operator: account(&validator.operator),
            name: validator.name.to_string(),
            missed: record.missed,
            missed_in_all: record.missed_in_all,
            last_seen,
            failed_turns: record.failed,
            takes_turns,
        })
    };
    Ok(standings.into_iter().filter_map(view).collect())
}

/// The equivocations on record, by key, height and kind.
pub(super) fn equivocations(context: &Context, args: &Args) -> Answer<Page<EquivocationView>> {
    let after = match args.optional_bytes(0, "cursor")? {
        None => None,
        Some(bytes) => Some(Offence::decode_all(&mut &bytes[..]).map_err(|_| {
            invalid("cursor", "`next` of the page before, or null", &to_hex(&bytes))
        })?),
    };
    let limit = args.limit(1)?;
    // At most some of each key that votes, and of as many former ones.
    let mut found = context.deps.chain.read(Validators::equivocations).map_err(chain)?;
    let offence = |record: &EquivocationRecord| record.equivocation.offence();
    found.retain(|record| after.as_ref().is_none_or(|after| offence(record) > *after));
    found.sort_by_key(offence);
    found.truncate(limit + 1);
    let page = cut(found, limit, |last| to_hex(&offence(last).encode()));
    show(page, |record| Ok(view(record)))
}

pub(super) fn account(account: &AccountId) -> H256 {
    H256(*AsRef::<[u8; 32]>::as_ref(account))
}

fn view(record: EquivocationRecord) -> EquivocationView {
    let EquivocationRecord { equivocation, operator, at } = record;
    EquivocationView {
        offender: account(&equivocation.offender),
        operator: account(&operator),
        height: equivocation.height,
        round: equivocation.round,
        kind: equivocation.offence().kind.into(),
        first: equivocation.first.into(),
        second: equivocation.second.into(),
        at: at.into(),
    }
}
