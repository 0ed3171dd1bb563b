//! `transaction_prepare` and `transaction_submitSigned`: every call of the
//! runtime for clients that know nothing of SCALE and sign with SM2.
//!
//! The node builds the bytes, the client signs them; no secret comes here. The
//! answer shows the call and the payload apart, so that a client that does not
//! trust its node can compare them with what it makes itself.

use super::form::call_from_json;
use crate::{
    context::Context,
    error::{Answer, chain, invalid},
    method::{Args, to_hex},
};
use billchain_crypto::sm2;
use billchain_primitives::{AccountId, Address, Nonce, PublicKey, Signature};
use billchain_rpc_types::PreparedView;
use billchain_runtime::{
    System, UncheckedExtrinsic, immortal_payload, limits::MAX_TRANSACTION_BYTES, tx_extension,
};
use bytes::Bytes;
use codec::Encode;
use serde_json::Value;
use sp_core::{ecdsa, ed25519, sr25519};
use sp_runtime::generic::{Era, Preamble};

/// A transaction for a call, a key and a nonce, with no signature yet.
pub(super) fn prepare(context: &Context, args: &Args) -> Answer<PreparedView> {
    let call = call_from_json(args.value(0))
        .map_err(|error| invalid(&error.at, &error.expected, &error.found))?;
    let key: PublicKey = args.parsed(1, "public_key")?;
    let account = key.account_id();
    let nonce = match args.value(2) {
        Value::Null => next_nonce(context, &account)?,
        _ => args.number(2, "nonce")?,
    };
    let payload = immortal_payload(&call, nonce, context.deps.chain.genesis_hash());
    let (digest, signer_id) = match &key {
        PublicKey::Sm2(bytes) => {
            let digest = sm2::PublicKey::from_compressed(bytes)
                .and_then(|key| key.message_digest(sm2::DEFAULT_ID, &payload))
                .map_err(|error| invalid("public_key", &error.to_string(), &key.to_string()))?;
            let id = String::from_utf8_lossy(sm2::DEFAULT_ID).into_owned();
            (Some(to_hex(&digest)), Some(id))
        }
        _ => (None, None),
    };
    let call_bytes = call.encode();
    let unsigned = UncheckedExtrinsic::new_signed(
        call,
        Address::Id(account.clone()),
        empty_signature(&key),
        tx_extension(nonce, Era::Immortal),
    )
    .encode();
    if unsigned.len() > MAX_TRANSACTION_BYTES as usize {
        let expected = format!("a transaction of at most {MAX_TRANSACTION_BYTES} bytes");
        return Err(invalid("call", &expected, &format!("{} bytes", unsigned.len())));
    }
    Ok(PreparedView {
        account: <[u8; 32]>::from(account).into(),
        nonce,
        call: to_hex(&call_bytes),
        payload: to_hex(&payload),
        digest,
        signer_id,
        unsigned: to_hex(&unsigned),
    })
}

fn next_nonce(context: &Context, account: &AccountId) -> Answer<Nonce> {
    let in_state = context.deps.chain.read(|| System::account_nonce(account)).map_err(chain)?;
    Ok(context.deps.pool.next_nonce(account, in_state))
}

/// A signature of the key's scheme that signs nothing.
fn empty_signature(key: &PublicKey) -> Signature {
    match key {
        PublicKey::Ed25519(_) => Signature::Ed25519(ed25519::Signature::from_raw([0; 64])),
        PublicKey::Sr25519(_) => Signature::Sr25519(sr25519::Signature::from_raw([0; 64])),
        PublicKey::Ecdsa(_) => Signature::Ecdsa(ecdsa::Signature::from_raw([0; 65])),
        PublicKey::Sm2(public) => Signature::Sm2 { public: *public, signature: [0; 64] },
    }
}

/// The transaction in the first parameter with the signature in the second.
pub(super) fn signed(args: &Args) -> Answer<Bytes> {
    let bytes = args.bytes(0, "unsigned")?;
    let signature = args.bytes(1, "signature")?;
    let malformed = |reason: &str| {
        let expected = format!("`unsigned` of transaction_prepare ({reason})");
        invalid("unsigned", &expected, &to_hex(&bytes[..bytes.len().min(32)]))
    };
    let mut transaction = billchain_executor::transaction::decode(&bytes)
        .map_err(|error| malformed(&error.to_string()))?;
    let Preamble::Signed(_, place, _) = &mut transaction.0.preamble else {
        return Err(malformed("it has no place for a signature"));
    };
    let expected = |what: &str| {
        let found = format!("{} bytes", signature.len());
        invalid("signature", what, &found)
    };
    match place {
        Signature::Sm2 { signature: place, .. } => *place = sm2_signature(&signature)?,
        Signature::Ed25519(place) => {
            let raw = signature[..].try_into().map_err(|_| expected("64 bytes"))?;
            *place = ed25519::Signature::from_raw(raw);
        }
        Signature::Sr25519(place) => {
            let raw = signature[..].try_into().map_err(|_| expected("64 bytes"))?;
            *place = sr25519::Signature::from_raw(raw);
        }
        Signature::Ecdsa(place) => {
            let raw = signature[..].try_into().map_err(|_| expected("65 bytes"))?;
            *place = ecdsa::Signature::from_raw(raw);
        }
    }
    Ok(transaction.encode().into())
}

/// `r ‖ s` or DER, as signing devices give it.
fn sm2_signature(bytes: &[u8]) -> Answer<[u8; 64]> {
    if let Ok(raw) = <[u8; 64]>::try_from(bytes) {
        return Ok(raw);
    }
    sm2::Signature::from_der(bytes).map(|signature| signature.to_bytes()).map_err(|error| {
        let expected = format!("r‖s in 64 bytes, or DER ({error})");
        invalid("signature", &expected, &to_hex(&bytes[..bytes.len().min(40)]))
    })
}
