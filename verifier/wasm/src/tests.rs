use super::{MAX_INPUT, billchain_alloc, billchain_free, billchain_verify, billchain_verify_from};
use std::{fs, mem::MaybeUninit, path::Path, ptr, slice};

/// One of the two functions that verify.
type Verify = unsafe extern "C" fn(*const u8, usize, *const [u8; 32]) -> *mut u8;

const BOTH: [Verify; 2] = [billchain_verify, billchain_verify_from];

/// What is proved, by way of the memory that a caller has.
fn verified(verify: Verify, certificate: &[u8], trusted: &[u8; 32]) -> String {
    // SAFETY: both are slices, and the answer is as long as it says.
    unsafe {
        let answer = verify(certificate.as_ptr(), certificate.len(), trusted);
        assert!(!answer.is_null());
        let length = u32::from_le_bytes(*answer.cast::<[u8; 4]>());
        let length = usize::try_from(length).unwrap();
        let shown = Vec::from(slice::from_raw_parts(answer.add(4), length));
        billchain_free(answer, 4 + length);
        String::from_utf8(shown).unwrap()
    }
}

#[test]
fn the_answer_is_that_of_the_crate_below() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/certificates.json");
    let vectors = fs::read_to_string(file).unwrap();
    let vectors: Vec<serde_json::Value> = serde_json::from_str(&vectors).unwrap();
    let bytes = |text: &serde_json::Value| hex::decode(text.as_str().unwrap()).unwrap();
    let digest = |text: &serde_json::Value| <[u8; 32]>::try_from(bytes(text)).unwrap();
    for vector in &vectors {
        let certificate = bytes(&vector["certificate"]);
        let shown = if let Some(checkpoint) = vector.get("checkpoint") {
            let checkpoint = digest(checkpoint);
            let shown = verified(billchain_verify_from, &certificate, &checkpoint);
            assert_eq!(shown, billchain_verifier_json::verify_from(&certificate, &checkpoint));
            shown
        } else {
            let genesis = digest(&vector["genesis"]);
            let shown = verified(billchain_verify, &certificate, &genesis);
            assert_eq!(shown, billchain_verifier_json::verify(&certificate, &genesis));
            shown
        };
        let start =
            if vector["proves"].is_null() { r#"{"refused":""# } else { r#"{"proved":true,"# };
        assert!(shown.starts_with(start), "{}: {shown}", vector["name"]);
    }
    let from_checkpoints = vectors.iter().filter(|vector| vector.get("checkpoint").is_some());
    assert!(vectors.len() >= 50 && from_checkpoints.count() >= 5);
}

#[test]
fn too_long_a_certificate_is_refused() {
    for verify in BOTH {
        let shown = verified(verify, &vec![0; MAX_INPUT + 1], &[0; 32]);
        let refused = r#"{"refused":"the certificate cannot be read: it is longer than 1 MiB"}"#;
        assert_eq!(shown, refused);
    }
}

#[test]
fn memory_is_given_up_to_a_bound() {
    assert!(billchain_alloc(0).is_null());
    assert!(billchain_alloc(MAX_INPUT + 1).is_null());
    assert!(billchain_alloc(usize::MAX).is_null());
    let memory = billchain_alloc(MAX_INPUT);
    assert!(!memory.is_null());
    // SAFETY: so many bytes were given, and are taken back once.
    unsafe {
        slice::from_raw_parts_mut(memory.cast::<MaybeUninit<u8>>(), MAX_INPUT)
            .iter_mut()
            .for_each(|byte| *byte = MaybeUninit::new(1));
        billchain_free(memory, MAX_INPUT);
    }
}

#[test]
fn null_pointers_are_no_certificate() {
    let genesis = [0; 32];
    // SAFETY: null is allowed.
    unsafe {
        for verify in BOTH {
            assert!(verify(ptr::null(), 0, &genesis).is_null());
            assert!(verify(genesis.as_ptr(), genesis.len(), ptr::null()).is_null());
        }
        billchain_free(ptr::null_mut(), 7);
    }
}
