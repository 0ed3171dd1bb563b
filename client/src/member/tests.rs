use super::*;
use billchain_primitives::{ClaimNo, SceneId};
use billchain_rpc_types::{EventView, FailureView};
use jsonrpsee::types::ErrorObject;
use pallet_bill_update::StatusChange;
use serde_json::json;

const GENESIS: Hash = Hash::repeat_byte(7);

fn key() -> BillKey {
    BillKey { code: "31060125".parse().unwrap(), number: "0000000101".parse().unwrap() }
}

fn member(device: Option<Box<dyn Device>>) -> Member {
    Member::new(&["http://127.0.0.1:1"], GENESIS, device, Duration::from_millis(100)).unwrap()
}

fn lock() -> RuntimeCall {
    RuntimeCall::BillUpdate(Update::change_status {
        key: key(),
        expected_version: None,
        change: StatusChange::Lock {
            scene: SceneId(3),
            claim_no: ClaimNo::new("A-1").unwrap(),
            on_behalf_of: None,
            grant: None,
            signed_at: 1_800_000_000_000,
        },
    })
}

#[test]
fn a_key_and_the_signer_of_the_shell_make_the_same_transaction() {
    let secret = sm2::SecretKey::from_seed(b"//insurer-a");
    let prepared = member(Some(Box::new(secret.clone()))).sign(lock(), 5).unwrap();
    let other = crate::Signer::Sm2(secret).transaction(lock(), 5, GENESIS);
    assert_eq!(prepared.transaction, other);
    assert_eq!((prepared.nonce, prepared.bill), (5, Some(key())));
    assert_eq!(prepared.hash().0, sm3(&other));
}

struct Broken(Result<[u8; 64], String>);

impl Device for Broken {
    fn public_key(&self) -> [u8; 33] {
        sm2::SecretKey::from_seed(b"//insurer-a").public().to_compressed()
    }

    fn sign(&self, _: &[u8]) -> Result<[u8; 64], String> {
        self.0.clone()
    }
}

#[test]
fn a_device_that_fails_or_signs_something_else_is_refused_before_anything_is_sent() {
    let failed = member(Some(Box::new(Broken(Err("PIN locked".into()))))).sign(lock(), 0);
    assert_eq!(failed.unwrap_err().to_string(), "the signing device: PIN locked");
    let wrong = sm2::SecretKey::from_seed(b"//insurer-a").sign(sm2::DEFAULT_ID, b"another");
    let signed = member(Some(Box::new(Broken(Ok(wrong.to_bytes()))))).sign(lock(), 0);
    assert_eq!(signed.unwrap_err().code(), "BadSignature");
    assert_eq!(member(None).sign(lock(), 0).unwrap_err().code(), "NoSigner");
}

#[tokio::test]
async fn without_a_node_the_transaction_is_given_back_to_be_sent_again() {
    let member = member(Some(Box::new(sm2::SecretKey::from_seed(b"//insurer-a"))));
    let prepared = member.sign(lock(), 0).unwrap();
    let error = member.send(&prepared, Duration::from_millis(200)).await.unwrap_err();
    let MemberError::NotFinal { prepared: kept, .. } = &error else { panic!("{error}") };
    assert_eq!(**kept, prepared);
    assert_eq!((error.code().as_str(), error.bill()), ("NotFinal", Some(key())));
}

fn view(success: bool, error: Option<FailureView>, events: &[&str]) -> TransactionView {
    let event = |name: &&str| EventView {
        pallet: "BillRegister".into(),
        name: (*name).into(),
        details: String::new(),
        item: None,
        error: None,
    };
    TransactionView {
        hash: GENESIS,
        state: TransactionState::Final,
        block: None,
        index: None,
        success: Some(success),
        error,
        events: events.iter().map(event).collect(),
        items: Vec::new(),
    }
}

fn prepared() -> Prepared {
    Prepared { transaction: vec![1], nonce: 0, bill: Some(key()) }
}

#[test]
fn a_call_that_failed_says_its_code_its_field_and_its_bill() {
    let failure = FailureView {
        pallet: "BillUpdate".into(),
        name: "RedMismatch".into(),
        docs: "The red bill does not fit.".into(),
        details: Some("SummaryField: IssuerUscc".into()),
        zh: Some("红字票据不符".into()),
    };
    let error = outcome(view(false, Some(failure), &[]), &prepared()).unwrap_err();
    assert_eq!(error.code(), "BillUpdate.RedMismatch");
    assert_eq!(error.field(), Some("IssuerUscc"));
    assert_eq!((error.bill(), error.zh()), (Some(key()), Some("红字票据不符")));
}

#[test]
fn what_the_chain_had_already_is_told_as_such() {
    let of = |events: &[&str]| outcome(view(true, None, events), &prepared()).unwrap().is_repeated;
    assert!(of(&["ExtrinsicStarted", "RegistrationRepeated"]));
    assert!(of(&["LockRepeated"]));
    assert!(!of(&["BillRegistered"]));
}

#[test]
fn a_refusal_says_the_pools_code_the_place_and_the_words_in_chinese() {
    let data = json!({ "code": 2105, "temporary": false, "zh": "序号已被使用" });
    let refusal = ErrorObject::owned(1010, "the nonce is used already", Some(data));
    let error = MemberError::refused("author_submitExtrinsic", &refusal).about(Some(key()));
    let MemberError::Refused { pool, .. } = &error else { panic!("{error}") };
    assert_eq!((*pool, error.code().as_str()), (Some(2105), "1010"));
    assert_eq!(
        (error.zh(), error.bill(), error.field()),
        (Some("序号已被使用"), Some(key()), None)
    );
    let words = "code: expected 8 digits, found \"1\"";
    let refusal = ErrorObject::owned(code(), words, None::<()>);
    assert_eq!(MemberError::refused("bill_get", &refusal).field(), Some("code"));
}

fn code() -> i32 {
    billchain_rpc_types::code::INVALID_PARAMS
}

#[test]
fn bytes_that_are_no_certificate_prove_nothing() {
    let error = member(None).verify(b"no certificate").unwrap_err();
    assert_eq!(error.code(), "CertificateRefused");
}
