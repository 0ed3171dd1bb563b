//! Entry point for fuzzers: what a client writes, in; a panic if and only if
//! something is wrong.

use crate::{
    method::{Args, to_hex},
    transaction::call_from_json,
};
use billchain_primitives::{BillCode, BillNumber, CheckCode, Did, history::BillField};
use billchain_runtime::{RuntimeCall, limits::MAX_TRANSACTION_DEPTH};
use codec::{DecodeLimit, Encode};

/// The parameters of a request, read in every way a method does. Returns
/// whether they are an array of at most four, or an object of four names.
pub fn params(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let names = ["a", "b", "c", "d"];
    let Ok(args) = Args::read(Some(text), &names, 1 << 20) else { return false };
    for index in 0..4 {
        if let Ok(bytes) = args.bytes(index, "bytes") {
            let written = args.text(index, "bytes").expect("hex is text");
            assert!(to_hex(&bytes).eq_ignore_ascii_case(written));
        }
        if let Ok(hash) = args.hash(index, "hash") {
            assert_eq!(args.optional_hash(index, "hash"), Ok(Some(hash)));
            assert_eq!(args.bytes(index, "hash").as_deref(), Ok(hash.as_bytes()));
        }
        if let Ok(keys) = args.keys(index, "keys", 1_000) {
            assert!(keys.len() <= 1_000);
        }
        if let Ok(account) = args.account(index, "account") {
            // Written in SS58 by `Display`.
            assert_eq!(account.to_string().parse(), Ok(account));
        }
        let _ = args.number(index, "number");
        let _ = args.optional_number(index, "version", 1..=1_024);
        let _ = args.parsed::<BillField>(index, "field");
        crate::bill::read_batches(&args);
        crate::substrate::read_items(&args);
        let _ = args.parsed::<BillCode>(index, "code");
        let _ = args.parsed::<BillNumber>(index, "number");
        let _ = args.parsed::<CheckCode>(index, "check_code");
        let _ = args.parsed::<Did>(index, "did");
    }
    true
}

/// A call in JSON. Returns whether the runtime has it; if so, its bytes are the
/// call's one form. A refusal has its place and the rule.
pub fn call(data: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice(data) else { return false };
    match call_from_json(&value) {
        Ok(call) => {
            let bytes = call.encode();
            let limit = MAX_TRANSACTION_DEPTH;
            let again = RuntimeCall::decode_all_with_depth_limit(limit, &mut &bytes[..]);
            assert_eq!(again.as_ref(), Ok(&call));
            true
        }
        Err(error) => {
            assert!(error.at.starts_with("call") && !error.expected.is_empty());
            false
        }
    }
}
