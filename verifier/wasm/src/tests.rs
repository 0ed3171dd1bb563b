use super::{
    Digest, MAX_INPUT, billchain_alloc, billchain_free, billchain_verify, billchain_verify_from,
};
use std::{fs, mem::MaybeUninit, path::Path, ptr, slice};

type Verify = unsafe extern "C" fn(*const u8, usize, *const Digest) -> *mut u8;

/// What is proved, by way of the memory that a caller has.
fn verified(verify: Verify, certificate: &[u8], trusted: &Digest) -> String {
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
    for vector in &vectors {
        let certificate = bytes(&vector["certificate"]);
        let (shown, expected) = if let Some(checkpoint) = vector.get("checkpoint") {
            let checkpoint = bytes(checkpoint).try_into().unwrap();
            let expected = billchain_verifier_json::verify_from(&certificate, &checkpoint);
            (verified(billchain_verify_from, &certificate, &checkpoint), expected)
        } else {
            let genesis = bytes(&vector["genesis"]).try_into().unwrap();
            let expected = billchain_verifier_json::verify(&certificate, &genesis);
            (verified(billchain_verify, &certificate, &genesis), expected)
        };
        assert_eq!(shown, expected);
        let start =
            if vector["proves"].is_null() { r#"{"refused":""# } else { r#"{"proved":true,"# };
        assert!(shown.starts_with(start), "{}: {shown}", vector["name"]);
    }
    assert!(vectors.len() >= 20);
}

#[test]
fn too_long_a_certificate_is_refused() {
    let shown = verified(billchain_verify, &vec![0; MAX_INPUT + 1], &[0; 32]);
    assert_eq!(shown, r#"{"refused":"the certificate cannot be read: it is longer than 1 MiB"}"#);
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
        assert!(billchain_verify(ptr::null(), 0, &genesis).is_null());
        assert!(billchain_verify(genesis.as_ptr(), genesis.len(), ptr::null()).is_null());
        assert!(billchain_verify_from(ptr::null(), 0, &genesis).is_null());
        billchain_free(ptr::null_mut(), 7);
    }
}
