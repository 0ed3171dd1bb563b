//! Transactions, blocks, calls and runtime APIs: what reaches the runtime.

use crate::{Verdict, chain};
use billchain_client::Signer;
use billchain_executor::{
    BlockError, CallError, ChainError, ClockCheck, CompactBlock, TransactionError,
    transaction as tx,
};
use billchain_primitives::{Hash, OpaqueBlock};
use billchain_runtime::{
    Block, RuntimeCall, Sm3Hasher, UncheckedExtrinsic, VERSION,
    limits::{MAX_TRANSACTION_BYTES, MAX_TRANSACTION_DEPTH},
};
use codec::{Decode, DecodeAll, DecodeLimit, Encode};
use sp_core::{Pair, sr25519};
use std::{cell::Cell, collections::HashMap, panic, sync::Once};

/// Transactions as bytes: an accepted one has one form, within the bounds.
pub fn transaction(data: &[u8]) -> Verdict {
    let Ok(extrinsic) = tx::decode(data) else { return Verdict::Refused };
    assert_eq!(extrinsic.encode(), data);
    assert!(data.len() <= MAX_TRANSACTION_BYTES as usize);
    assert_eq!(UncheckedExtrinsic::decode_all(&mut &data[..]), Ok(extrinsic));
    Verdict::Accepted
}

/// Transactions at the pool's door of a development chain: the runtime answers,
/// it never fails.
pub fn transaction_validate(data: &[u8]) -> Verdict {
    // A chain that cannot answer is a finding, too; it gives one answer for each.
    let judged = chain::with(|chain| chain.validate_transactions(&[data])).unwrap().remove(0);
    match judged {
        Ok(valid) => {
            assert_eq!(valid.hash, tx::transaction_hash(data));
            Verdict::Accepted
        }
        Err(TransactionError::Panicked(reason)) => panic!("{reason}"),
        Err(_) => Verdict::Refused,
    }
}

/// Calls, signed by one of some participants, in a block of their own: the
/// first byte says whose, the rest is the call. The runtime must not panic, and
/// who checks a block must find what its proposer found.
pub fn runtime_call(data: &[u8]) -> Verdict {
    let Some((who, call)) = data.split_first() else { return Verdict::Refused };
    let Ok(call) = RuntimeCall::decode_all_with_depth_limit(MAX_TRANSACTION_DEPTH, &mut &call[..])
    else {
        return Verdict::Refused;
    };
    let signer = Signer::development(SIGNERS[usize::from(*who) % SIGNERS.len()].0);
    let nonce = SIGNERS[usize::from(*who) % SIGNERS.len()].1;
    chain::with(|chain| {
        let transaction = signer.transaction(call, nonce, chain.genesis_hash());
        let mut offered = std::iter::once(bytes::Bytes::from(transaction));
        let built =
            chain.build(chain::params(), &mut offered).expect("a block without it at least");
        if let Some(refused) = built.refused.first() {
            assert!(!matches!(refused.reason, TransactionError::Panicked(_)), "{}", refused.reason);
        }
        let checked = chain
            .execute(built.block.bytes().clone(), ClockCheck::Decided)
            .expect("what a proposer builds is valid");
        assert_eq!(checked.hash(), built.block.hash());
        (built.block.transaction_count() == 1).into()
    })
}

/// Participants of the development chain, and the nonces they are at.
const SIGNERS: [(&str, u32); 5] = [
    ("//hospital", 1),
    ("//insurer-a", 0),
    ("//platform", 0),
    ("//admin", 0),
    // Of the council.
    ("//node-1", 0),
];

/// Blocks of another node, on a development chain: as they are, and with the
/// header made to fit, so that the damage reaches what lies behind it.
pub fn block(data: &[u8]) -> Verdict {
    let as_it_is = execute(data.to_vec());
    let mended = Block::decode_all_with_depth_limit(MAX_TRANSACTION_DEPTH + 1, &mut &data[..]);
    if let Ok(mut block) = mended {
        let encoded = block.extrinsics.iter().map(Encode::encode).collect();
        block.header.extrinsics_root = frame_system::extrinsics_data_root::<Sm3Hasher>(
            encoded,
            VERSION.extrinsics_root_state_version(),
        );
        chain::with(|chain| {
            let head = chain.head();
            block.header.parent_hash = head.hash;
            block.header.number = head.number + 1;
        });
        execute(block.encode());
    }
    as_it_is
}

fn execute(bytes: Vec<u8>) -> Verdict {
    match chain::with(|chain| chain.execute(bytes.clone().into(), ClockCheck::Decided)) {
        Ok(block) => {
            assert_eq!(block.bytes(), &bytes);
            let opaque = OpaqueBlock::decode_all(&mut &bytes[..]).expect("a block to any decoder");
            assert_eq!((opaque.header.hash(), opaque.encode()), (block.hash(), bytes));
            Verdict::Accepted
        }
        Err(error @ (BlockError::Panicked(_) | BlockError::Local(_))) => panic!("{error}"),
        Err(_) => Verdict::Refused,
    }
}

/// Compact blocks: an accepted one has one form, and is put together if and
/// only if what it refers to is there and fits.
pub fn compact_block(data: &[u8]) -> Verdict {
    let bytes = bytes::Bytes::copy_from_slice(data);
    let Ok(compact) = CompactBlock::decode(&bytes) else { return Verdict::Refused };
    assert_eq!(compact.encode(), data);
    let held: HashMap<_, _> =
        compact.references().map(|hash| (*hash, bytes::Bytes::from(vec![4, 7]))).collect();
    let refers = compact.references().next().is_some();
    assert_eq!(compact.assemble(&HashMap::new(), usize::MAX).is_err(), refers);
    let whole = compact.assemble(&held, usize::MAX).expect("shorter than the references");
    assert!(compact.assemble(&held, whole.len()).is_ok());
    let is_empty = held.len() + compact.in_full() == 0;
    assert_eq!(compact.assemble(&held, whole.len() - 1).is_err(), !is_empty);
    Verdict::Accepted
}

/// Runtime APIs with encoded arguments, as `state_call` hands them over: the
/// first byte names the method. FRAME answers arguments it cannot read with a
/// panic, which the executor catches: that is an answer here.
pub fn runtime_api(data: &[u8]) -> Verdict {
    let Some((method, arguments)) = data.split_first() else { return Verdict::Refused };
    let method = METHODS[usize::from(*method) % METHODS.len()];
    let result = expecting_panics(|| chain::with(|chain| chain.call(None, method, arguments)));
    match result {
        Ok(_) => Verdict::Accepted,
        // A read has no state root to compare a block's with.
        Err(CallError::Failed(_) | CallError::Chain(ChainError::Unsupported(_))) => {
            Verdict::Refused
        }
        Err(error) => panic!("{method}: {error}"),
    }
}

/// Methods that take arguments.
const METHODS: [&str; 11] = [
    "Core_initialize_block",
    "Core_execute_block",
    "Metadata_metadata_at_version",
    "BlockBuilder_apply_extrinsic",
    "BlockBuilder_inherent_extrinsics",
    "BlockBuilder_check_inherents",
    "TaggedTransactionQueue_validate_transaction",
    "AccountNonceApi_account_nonce",
    "GenesisBuilder_build_state",
    "GenesisBuilder_get_preset",
    "GenesisBuilder_preset_names",
];

/// Runs `f`; panics that it catches itself reach no panic hook: libFuzzer's
/// would end the process.
fn expecting_panics<R>(f: impl FnOnce() -> R) -> R {
    thread_local! {
        static EXPECTED: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !EXPECTED.get() {
                others(info);
            }
        }));
    });
    EXPECTED.set(true);
    let result = f();
    EXPECTED.set(false);
    result
}

/// Real inputs of the target `name`.
pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    let calls = calls();
    let genesis = chain::with(|chain| chain.genesis_hash());
    let signed =
        |call: &RuntimeCall, nonce| chain::hospital().transaction(call.clone(), nonce, genesis);
    match name {
        "transaction" | "transaction_validate" => {
            let mut inputs: Vec<_> = calls.iter().map(|call| signed(call, 1)).collect();
            inputs.push(alice().transaction(remark(), 0, genesis));
            inputs.push(UncheckedExtrinsic::new_bare(remark()).encode());
            inputs
        }
        "runtime_call" => (0..SIGNERS.len() as u8)
            .flat_map(|who| calls.iter().map(move |call| [vec![who], call.encode()].concat()))
            .collect(),
        "block" => {
            let offered: Vec<bytes::Bytes> =
                (1..).zip(&calls).map(|(nonce, call)| signed(call, nonce).into()).collect();
            let build = |offered: Vec<bytes::Bytes>| {
                let built = chain::with(|chain| {
                    chain.build(chain::params(), &mut offered.into_iter()).expect("valid")
                });
                built.block.bytes().to_vec()
            };
            vec![build(Vec::new()), build(offered)]
        }
        "compact_block" => {
            let offered: Vec<bytes::Bytes> =
                (1..).zip(&calls).map(|(nonce, call)| signed(call, nonce).into()).collect();
            let built = chain::with(|chain| {
                chain.build(chain::params(), &mut offered.into_iter()).expect("valid")
            });
            let by_hash = |every: u8| {
                let held = |hash: &Hash| hash[0].is_multiple_of(every);
                CompactBlock::new(&built.block, held).expect("an own block").encode()
            };
            vec![by_hash(1), by_hash(2), by_hash(255)]
        }
        "runtime_api" => api_seeds(&signed(&remark(), 1)),
        _ => Vec::new(),
    }
}

/// A client of a development chain that signs with sr25519.
fn alice() -> Signer {
    let pair = sr25519::Pair::from_string("//Alice", None).expect("a well-known key");
    Signer::Sr25519(Box::new(pair))
}

fn remark() -> RuntimeCall {
    RuntimeCall::Utility(pallet_utility::Call::batch { calls: Vec::new() })
}

fn calls() -> Vec<RuntimeCall> {
    use billchain_primitives::SceneId;
    use pallet_bill_update::{Call as BillUpdate, types::StatusChange};
    let bill = chain::outpatient();
    let key = bill.key;
    let change = |change| {
        RuntimeCall::BillUpdate(BillUpdate::change_status { key, expected_version: None, change })
    };
    let mut other = bill.clone();
    other.key.number = "0000000999".parse().expect("ten digits");
    let register = chain::register(other);
    let lock = change(StatusChange::Lock {
        scene: SceneId(1),
        claim_no: "C-1".parse().expect("a number"),
        on_behalf_of: None,
        grant: None,
        signed_at: chain::params().timestamp_ms,
    });
    let pay = change(StatusChange::Reimburse {
        amount: billchain_primitives::Fen::new(100).expect("small"),
    });
    let reverse = RuntimeCall::BillUpdate(BillUpdate::red_reverse {
        key,
        expected_version: Some(1),
        red: chain::summary(include_bytes!("../../../samples/outpatient-red.xml")),
        balance: None,
        reason: "退费".parse().expect("a reason"),
    });
    let batch = RuntimeCall::Utility(pallet_utility::Call::batch {
        calls: vec![register.clone(), lock.clone()],
    });
    let motion = RuntimeCall::Council(pallet_collective::Call::propose {
        threshold: 3,
        proposal: Box::new(batch.clone()),
        length_bound: 10_000,
    });
    vec![remark(), register, lock, pay, reverse, batch, motion]
}

/// A transaction of calls within calls.
fn nested(transaction: &[u8], depth: usize) -> Vec<u8> {
    let batch = RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![remark()] });
    let signed = tx::decode(transaction).expect("a transaction");
    let mut body = signed.0.preamble.encode();
    // Pallet, call, and a list of one.
    body.extend(batch.encode()[..3].repeat(depth));
    body.extend(remark().encode());
    body.encode()
}

fn api_seeds(transaction: &[u8]) -> Vec<Vec<u8>> {
    let at = |method: &str| {
        METHODS.iter().position(|known| *known == method).expect("one of them") as u8
    };
    let block = chain::with(|chain| {
        let built = chain
            .build(chain::params(), &mut std::iter::empty::<bytes::Bytes>())
            .expect("an empty block");
        built.block.bytes().to_vec()
    });
    let header = billchain_primitives::Header::decode(&mut &block[..]).expect("a block").encode();
    let no_inherents = [0];
    let account = chain::hospital().account().encode();
    let inputs: [(&str, Vec<u8>); 10] = [
        ("Core_initialize_block", header),
        ("Core_execute_block", block.clone()),
        ("Metadata_metadata_at_version", 15_u32.encode()),
        ("BlockBuilder_apply_extrinsic", transaction.to_vec()),
        ("BlockBuilder_apply_extrinsic", nested(transaction, 20_000)),
        ("BlockBuilder_check_inherents", [&block[..], &no_inherents].concat()),
        ("TaggedTransactionQueue_validate_transaction", [&[2][..], transaction, &[0; 32]].concat()),
        ("AccountNonceApi_account_nonce", account),
        ("GenesisBuilder_build_state", b"{}".to_vec().encode()),
        ("GenesisBuilder_get_preset", Some(b"development".to_vec()).encode()),
    ];
    inputs.into_iter().map(|(method, data)| [vec![at(method)], data].concat()).collect()
}
