//! `validator_*`: what the chain has on record of validators.

use crate::{
    context::Context,
    error::{Answer, chain, invalid},
    method::{Args, cut, show, to_hex},
};
use billchain_primitives::{AccountId, Offence, PublicKey};
use billchain_rpc_types::{EquivocationView, ObserverView, Page, ValidatorListView, ValidatorView};
use billchain_runtime::Validators;
use codec::{DecodeAll, Encode};
use libp2p::PeerId;
use pallet_validators::{EquivocationRecord, Observer, Validator};
use sp_core::H256;

/// The validators of the next block, and the observers.
pub(super) fn all(context: &Context, _: &Args) -> Answer<ValidatorListView> {
    let read = || (Validators::validators(), Validators::observers());
    let (validators, observers) = context.deps.chain.read(read).map_err(chain)?;
    // The pallet checks the form of an identity, not what it is of.
    let peer_id = |bytes: &[u8]| {
        PeerId::from_bytes(bytes).map_or_else(|_| to_hex(bytes), |id| id.to_string())
    };
    let validator = |one: Validator| ValidatorView {
        operator: account(&one.operator),
        name: one.name.to_string(),
        consensus_key: PublicKey::Sm2(one.consensus_key).to_string(),
        peer_id: peer_id(&one.peer_id),
        power: one.power,
    };
    let observer =
        |one: Observer| ObserverView { name: one.name.to_string(), peer_id: peer_id(&one.peer_id) };
    Ok(ValidatorListView {
        validators: validators.into_iter().map(validator).collect(),
        observers: observers.into_iter().map(observer).collect(),
    })
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
