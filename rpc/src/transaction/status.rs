//! `transaction_status`: what became of a transaction, in words.

use super::{items, names};
use crate::{
    context::Context,
    error::{Answer, chain, storage, unknown_block},
    method::Args,
    substrate,
};
use billchain_primitives::Hash;
use billchain_rpc_types::{BlockRef, EventView, TransactionState, TransactionView};
use billchain_runtime::RuntimeEvent;
use billchain_txpool::TxStatus;
use codec::Encode;
use sp_runtime::DispatchError;

/// Longest text of one event's fields.
const MAX_DETAILS: usize = 4_096;

/// What became of the transaction with a hash.
pub(super) fn status(context: &Context, args: &Args) -> Answer<TransactionView> {
    of_hash(context, args.hash(0, "hash")?)
}

fn of_hash(context: &Context, hash: Hash) -> Answer<TransactionView> {
    let mut view = TransactionView {
        hash,
        state: TransactionState::Unknown,
        block: None,
        index: None,
        success: None,
        error: None,
        events: Vec::new(),
        items: Vec::new(),
    };
    let place = context.deps.chain.storage().tx(&hash).map_err(storage)?;
    let Some((number, index)) = place else {
        view.state = match context.deps.pool.status(&hash) {
            Some(TxStatus::Future) => TransactionState::Future,
            Some(_) => TransactionState::Ready,
            None => TransactionState::Unknown,
        };
        return Ok(view);
    };
    let block = substrate::hash_of(context, number)?.ok_or_else(|| unknown_block(number))?;
    view.state = TransactionState::Final;
    view.block = Some(BlockRef { number, hash: block });
    view.index = Some(index);
    // From the index, which keeps them as long as the block; the state keeps
    // those of recent blocks only.
    let events = context.deps.chain.events_of(number, index).map_err(chain)?;
    let events = events.ok_or_else(|| unknown_block(number))?;
    events.iter().for_each(|event| note(&mut view, event));
    view.items = items::items(context, number, index, &events)?;
    Ok(view)
}

/// The failure of what is within the transaction (an item of a batch, the call
/// of a motion), which is no failure of the transaction; and its place in the
/// batch, where that is known.
fn nested_failure(event: &RuntimeEvent) -> Option<(Option<u32>, &DispatchError)> {
    use pallet_bill_update::Event as BillUpdate;
    use pallet_collective::Event as Council;
    use pallet_utility::Event as Utility;
    match event {
        RuntimeEvent::BillUpdate(BillUpdate::BatchItemRefused { index, error, .. }) => {
            Some((Some(u32::from(*index)), error))
        }
        RuntimeEvent::Utility(Utility::BatchInterrupted { index, error }) => {
            Some((Some(*index), error))
        }
        RuntimeEvent::Utility(
            Utility::ItemFailed { error } | Utility::IfElseFallbackCalled { main_error: error },
        ) => Some((None, error)),
        RuntimeEvent::Utility(Utility::DispatchedAs { result })
        | RuntimeEvent::Council(
            Council::Executed { result, .. } | Council::MemberExecuted { result, .. },
        ) => result.as_ref().err().map(|error| (None, error)),
        _ => None,
    }
}

fn note(view: &mut TransactionView, event: &RuntimeEvent) {
    match event {
        RuntimeEvent::System(frame_system::Event::ExtrinsicSuccess { .. }) => {
            view.success = Some(true);
        }
        RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { dispatch_error, .. }) => {
            view.success = Some(false);
            view.error = Some(names::failure(dispatch_error));
        }
        _ => {}
    }
    view.events.push(event_view(event));
}

/// What clients are told of an event.
pub(crate) fn event_view(event: &RuntimeEvent) -> EventView {
    let encoded = event.encode();
    let at = |position| encoded.get(position).copied().unwrap_or(u8::MAX);
    let (pallet, name) = names::event(at(0), at(1));
    let details = format!("{event:?}").chars().take(MAX_DETAILS).collect();
    let (item, error) = nested_failure(event).unzip();
    let error = error.map(names::failure);
    EventView { pallet, name, details, item: item.flatten(), error }
}
