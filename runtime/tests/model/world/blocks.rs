//! Real blocks: signed transactions under the runtime's own rules of what may
//! stand in a block, and where.

use super::{
    World,
    cast::{actor, key_of as public_key_of, secret_of},
    reading::key_of,
};
use crate::words::{Actor, Entry, Op, Resolution};
use billchain_crypto::sm2::DEFAULT_ID;
use billchain_primitives::{Address, Hash, Header, PublicKey, Signature, transaction_hash};
use billchain_runtime::{
    Executive, Runtime, RuntimeEvent, System, UncheckedExtrinsic, immortal_payload, rejection,
    tx_extension,
};
use codec::Encode;
use frame_support::storage::{TransactionOutcome, with_transaction_unchecked};
use frame_system::Phase;
use pallet_dispute::Event as Disputed;
use sp_runtime::{
    DispatchError,
    generic::{Digest, Era},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};
use std::collections::BTreeMap;

/// A transaction, ready for a block.
#[derive(Clone)]
pub struct Signed {
    pub who: Actor,
    pub op: Op,
    pub hash: [u8; 32],
    extrinsic: UncheckedExtrinsic,
}

impl World {
    /// Signs operations for a block at `now`, each sender's in this order.
    pub fn sign(&self, asked: Vec<(Actor, Op)>, now: u64) -> Vec<Signed> {
        let genesis = System::block_hash(0);
        let mut sent = BTreeMap::<Actor, u32>::new();
        let sign = |(who, op): (Actor, Op)| {
            let key = public_key_of(who);
            let PublicKey::Sm2(public) = key else { unreachable!("all keys are SM2") };
            let before = sent.entry(who).or_default();
            let nonce = System::account_nonce(key.account_id()) + *before;
            *before += 1;
            let call = self.call(&op, now);
            let payload = immortal_payload(&call, nonce, genesis);
            let signature = secret_of(who).sign(DEFAULT_ID, &payload).to_bytes();
            let extrinsic = UncheckedExtrinsic::new_signed(
                call,
                Address::Id(key.account_id()),
                Signature::Sm2 { public, signature },
                tx_extension(nonce, Era::Immortal),
            );
            let hash = transaction_hash(&extrinsic.encode()).0;
            Signed { who, op, hash, extrinsic }
        };
        asked.into_iter().map(sign).collect()
    }

    /// Offers a transaction for the block that was begun.
    pub fn enter(&mut self, signed: &Signed) -> Entry {
        let index = System::extrinsic_index().expect("a block was begun");
        match offer(signed.extrinsic.clone()) {
            Ok(result) => {
                let of_it = Phase::ApplyExtrinsic(index);
                let events = System::read_events_no_consensus()
                    .filter(|record| record.phase == of_it)
                    .map(|record| record.event);
                Entry::In(self.verdict(result, events.collect()))
            }
            Err(TransactionValidityError::Invalid(why)) => match why {
                InvalidTransaction::Custom(
                    rejection::SENDER_UNKNOWN | rejection::SENDER_FROZEN,
                ) => Entry::NotAdmitted,
                InvalidTransaction::Custom(rejection::LOCKS_OUT_OF_ORDER) => Entry::OutOfOrder,
                InvalidTransaction::Future => Entry::Waits,
                other => panic!("{:?} {:?}: {other:?}", signed.who, signed.op),
            },
            Err(other) => panic!("{:?} {:?}: {other:?}", signed.who, signed.op),
        }
    }
}

/// Begins block `number`, with its time as its first extrinsic.
pub fn begin(number: u32, now: u64) {
    Executive::initialize_block(&Header {
        parent_hash: Hash::repeat_byte(1),
        number,
        state_root: Hash::zero(),
        extrinsics_root: Hash::zero(),
        digest: Digest::default(),
    });
    let time = pallet_timestamp::Call::<Runtime>::set { now }.into();
    let set = offer(UncheckedExtrinsic::new_bare(time)).expect("an inherent");
    set.expect("time goes on");
}

/// One that is refused leaves no trace, as in a builder of blocks.
fn offer(
    extrinsic: UncheckedExtrinsic,
) -> Result<Result<(), DispatchError>, TransactionValidityError> {
    with_transaction_unchecked(|| match Executive::apply_extrinsic(extrinsic) {
        Ok(result) => TransactionOutcome::Commit(Ok(result)),
        Err(refused) => TransactionOutcome::Rollback(Err(refused)),
    })
}

/// Ends the block. Returns how contentions in it were resolved.
pub fn end() -> Vec<Resolution> {
    Executive::finalize_block();
    let resolution = |event| match event {
        RuntimeEvent::Dispute(Disputed::DisputeResolved { key, winner, contenders, unnamed }) => {
            assert_eq!(unnamed, 0, "so many actors there are not");
            let contenders = contenders.iter().map(|one| actor(&one.claimant)).collect();
            Some(Resolution { key: key_of(key), winner: actor(&winner), contenders })
        }
        _ => None,
    };
    let events = System::read_events_no_consensus().map(|record| record.event);
    let mut resolutions: Vec<_> = events.filter_map(resolution).collect();
    resolutions.sort_by_key(|resolution| resolution.key);
    resolutions
}
