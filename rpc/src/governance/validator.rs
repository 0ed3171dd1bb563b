//! `validator_*`: what the chain has on record of validators.

use crate::{
    context::Context,
    error::{Answer, chain, invalid},
    method::{Args, cut, show, to_hex},
};
use billchain_primitives::{AccountId, Offence};
use billchain_rpc_types::{EquivocationView, Page};
use billchain_runtime::Validators;
use codec::{DecodeAll, Encode};
use pallet_validators::EquivocationRecord;
use sp_core::H256;

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

fn view(record: EquivocationRecord) -> EquivocationView {
    let account = |account: &AccountId| H256(*AsRef::<[u8; 32]>::as_ref(account));
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
