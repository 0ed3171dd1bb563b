//! `transaction_status`: what became of a transaction, in words.

use crate::{
    error::{Answer, chain, storage},
    names,
    server::{Context, Module, reading},
};
use billchain_executor::ChainError;
use billchain_primitives::Hash;
use billchain_rpc_types::{BlockRef, EventView, TransactionState, TransactionView};
use billchain_runtime::{Runtime, RuntimeEvent};
use billchain_storage::StorageError;
use billchain_txpool::TxStatus;
use codec::Encode;
use frame_system::Phase;
use jsonrpsee::core::RegisterMethodError;
use sp_runtime::DispatchError;

/// Longest text of one event's fields.
const MAX_DETAILS: usize = 4_096;

/// Registers the method.
pub(crate) fn register(module: &mut Module) -> Result<(), RegisterMethodError> {
    reading(module, "transaction_status", &[], |context, args| {
        status(context, args.hash(0, "hash")?)
    })
}

fn status(context: &Context, hash: Hash) -> Answer<TransactionView> {
    let mut view = TransactionView {
        hash,
        state: TransactionState::Unknown,
        block: None,
        index: None,
        success: None,
        error: None,
        events: Vec::new(),
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
    let block = crate::block::hash_of(context, number)?
        .ok_or_else(|| crate::error::unknown_block(number))?;
    view.state = TransactionState::Final;
    view.block = Some(BlockRef { number, hash: block });
    view.index = Some(index);
    match events(context, &block, index) {
        Ok(events) => events.iter().for_each(|event| note(&mut view, event)),
        // Its block is known for ever; its outcome only while the state is.
        Err(ChainError::Storage(StorageError::StateNotKept { .. })) => {}
        Err(error) => return Err(chain(error)),
    }
    Ok(view)
}

/// Events of the extrinsic `index` of a block.
fn events(context: &Context, block: &Hash, index: u32) -> Result<Vec<RuntimeEvent>, ChainError> {
    context.deps.chain.read_at(block, || {
        frame_system::Pallet::<Runtime>::read_events_no_consensus()
            .filter(|record| record.phase == Phase::ApplyExtrinsic(index))
            .map(|record| record.event)
            .collect()
    })
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
    let encoded = event.encode();
    let at = |position| encoded.get(position).copied().unwrap_or(u8::MAX);
    let (pallet, name) = names::event(at(0), at(1));
    let details = format!("{event:?}").chars().take(MAX_DETAILS).collect();
    let failure = failed_within(event).map(|error| names::failure(&error));
    view.events.push(EventView { pallet, name, details, failure });
}

/// Why a call within a transaction failed although the transaction's own call
/// did not: an item of a batch, or what a motion of the council carried out.
fn failed_within(event: &RuntimeEvent) -> Option<DispatchError> {
    match event {
        RuntimeEvent::Utility(event) => match event {
            pallet_utility::Event::BatchInterrupted { error, .. }
            | pallet_utility::Event::ItemFailed { error }
            | pallet_utility::Event::IfElseFallbackCalled { main_error: error } => Some(*error),
            pallet_utility::Event::DispatchedAs { result } => result.err(),
            _ => None,
        },
        RuntimeEvent::Council(
            pallet_collective::Event::Executed { result, .. }
            | pallet_collective::Event::MemberExecuted { result, .. },
        ) => result.err(),
        _ => None,
    }
}
