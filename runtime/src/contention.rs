//! Locks of a transaction are announced to the dispute contract before the
//! transaction runs, so that a block whose locks stand in the wrong order is
//! not valid, and losers are known although their calls fail.

use crate::{Dispute, Hash, Runtime, RuntimeCall, System, rejection};
use billchain_primitives::{BillKey, transaction_hash};
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
    StorageHasher, Twox64Concat,
    pallet_prelude::Weight,
    storage::{storage_prefix, unhashed},
    traits::{OriginTrait, PalletInfoAccess},
};
use pallet_bill_update::StatusChange;
use pallet_dispute::{LockRequest, WeightInfo};
use scale_info::TypeInfo;
use sp_runtime::{
    impl_tx_ext_default,
    traits::{DispatchInfoOf, DispatchOriginOf, TransactionExtension},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

/// Announces a transaction's locks; see [`rejection::LOCKS_OUT_OF_ORDER`] for
/// the one that may not stand where it stands in its block.
///
/// It carries no bytes, neither in the transaction nor in the signed payload,
/// and refuses nothing at the pool's door: order is a matter of blocks.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo,
)]
pub struct CheckContention;

impl TransactionExtension<RuntimeCall> for CheckContention {
    const IDENTIFIER: &'static str = "CheckContention";
    type Implicit = ();
    type Val = ();
    type Pre = ();

    fn weight(&self, call: &RuntimeCall) -> Weight {
        // Their number is bounded by the transaction's bytes.
        match u32::try_from(lock_requests(call).len()).unwrap_or(u32::MAX) {
            // Nothing is done for them.
            0 => Weight::zero(),
            locks => <Runtime as pallet_dispute::Config>::WeightInfo::announce(locks),
        }
    }

    fn prepare(
        self,
        _val: (),
        origin: &DispatchOriginOf<RuntimeCall>,
        call: &RuntimeCall,
        _info: &DispatchInfoOf<RuntimeCall>,
        _len: usize,
    ) -> Result<(), TransactionValidityError> {
        let requests = lock_requests(call);
        let Some(sender) = origin.as_signer().filter(|_| !requests.is_empty()) else {
            return Ok(());
        };
        let transaction = this_transaction().ok_or(InvalidTransaction::Call)?;
        Dispute::announce(sender, transaction, requests)
            .map_err(|_| InvalidTransaction::Custom(rejection::LOCKS_OUT_OF_ORDER).into())
    }

    impl_tx_ext_default!(RuntimeCall; validate);
}

/// The locks that a call asks for in its sender's name, also within other
/// calls, in the order in which they stand there.
pub fn lock_requests(call: &RuntimeCall) -> Vec<LockRequest> {
    let mut requests = Vec::new();
    collect(call, &mut requests);
    requests
}

fn collect(call: &RuntimeCall, requests: &mut Vec<LockRequest>) {
    use pallet_bill_update::Call as BillUpdate;
    use pallet_utility::Call as Utility;
    match call {
        RuntimeCall::BillUpdate(BillUpdate::change_status { key, change, .. }) => {
            requests.extend(lock_request(*key, change));
        }
        RuntimeCall::BillUpdate(BillUpdate::change_status_batch { changes, .. }) => {
            requests.extend(changes.iter().filter_map(|item| lock_request(item.key, &item.change)));
        }
        // Every variant is named, so that a new one that runs calls of its
        // sender's is noticed.
        RuntimeCall::Utility(utility) => match utility {
            Utility::batch { calls }
            | Utility::batch_all { calls }
            | Utility::force_batch { calls } => {
                calls.iter().for_each(|call| collect(call, requests));
            }
            Utility::if_else { main, fallback } => {
                collect(main, requests);
                collect(fallback, requests);
            }
            // These run calls as somebody else.
            Utility::as_derivative { .. }
            | Utility::dispatch_as { .. }
            | Utility::dispatch_as_fallible { .. }
            | Utility::with_weight { .. }
            | Utility::__Ignore(..) => {}
        },
        _ => {}
    }
}

fn lock_request(key: BillKey, change: &StatusChange) -> Option<LockRequest> {
    let StatusChange::Lock { scene, on_behalf_of, signed_at, .. } = change else { return None };
    let on_behalf_of = on_behalf_of.clone();
    Some(LockRequest { key, scene: *scene, on_behalf_of, signed_at: *signed_at })
}

/// Hash of the transaction under execution. FRAME notes its bytes before it
/// runs, under a key that only it can name.
fn this_transaction() -> Option<Hash> {
    let mut key = storage_prefix(System::name().as_bytes(), b"ExtrinsicData").to_vec();
    key.extend(System::extrinsic_index()?.using_encoded(Twox64Concat::hash));
    Some(transaction_hash(&unhashed::get::<Vec<u8>>(&key)?))
}
