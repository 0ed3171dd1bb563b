//! Keys and signatures that must be refused, and what is said about them.

use crate::vectors::{standard_key, standard_signature};
use billchain_crypto::{
    Error,
    sm2::{self, DEFAULT_ID, MAX_ID_LEN, PublicKey, SecretKey, Signature},
};

const N: [u8; 32] =
    hex_literal(b"FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123");
const P: [u8; 32] =
    hex_literal(b"FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF");

const fn hex_literal(text: &[u8; 64]) -> [u8; 32] {
    const fn digit(c: u8) -> u8 {
        if c <= b'9' { c - b'0' } else { c - b'A' + 10 }
    }
    let mut out = [0; 32];
    let mut i = 0;
    while i < 32 {
        out[i] = digit(text[2 * i]) * 16 + digit(text[2 * i + 1]);
        i += 1;
    }
    out
}

/// `base + delta`, for deltas that do not leave the last byte.
fn near(base: [u8; 32], delta: i8) -> [u8; 32] {
    let mut out = base;
    out[31] = out[31].checked_add_signed(delta).expect("stays within the last byte");
    out
}

fn pair(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
    [r, s].concat().try_into().expect("32 + 32 bytes")
}

#[test]
fn secret_keys_outside_1_to_n_minus_2_are_refused() {
    for (bytes, valid) in [
        ([0; 32], false),
        (near([0; 32], 1), true),
        (near(N, -2), true),
        (near(N, -1), false),
        (N, false),
        (near(N, 1), false),
        ([0xff; 32], false),
    ] {
        let key = SecretKey::from_bytes(&bytes);
        assert_eq!(key.is_ok(), valid, "{}", hex::encode(bytes));
        match key {
            Ok(key) => {
                let signature = key.sign(DEFAULT_ID, b"edge");
                assert!(key.public().verify(DEFAULT_ID, b"edge", &signature));
                assert_eq!(*key.to_bytes(), bytes);
            }
            Err(error) => assert_eq!(error, Error::SecretKeyOutOfRange),
        }
    }
}

#[test]
fn signature_halves_outside_1_to_n_minus_1_are_refused() {
    let good = *standard_signature().to_bytes().first_chunk::<32>().expect("64 bytes");
    for (half, valid) in [
        ([0; 32], false),
        (near([0; 32], 1), true),
        (near(N, -1), true),
        (N, false),
        (near(N, 1), false),
        ([0xff; 32], false),
    ] {
        for bytes in [pair(half, good), pair(good, half), pair(half, half)] {
            assert_eq!(Signature::from_bytes(&bytes).is_ok(), valid, "{}", hex::encode(bytes));
            let verdict = sm2::verify(
                &standard_key().public().to_compressed(),
                DEFAULT_ID,
                b"message digest",
                &bytes,
            );
            let expected =
                if valid { Error::SignatureMismatch } else { Error::SignatureOutOfRange };
            assert_eq!(verdict, Err(expected), "{}", hex::encode(bytes));
        }
    }
}

#[test]
fn a_signature_with_r_plus_s_equal_to_n_is_refused() {
    // t = r + s = 0 mod n would leave the public key out of the equation.
    let one = near([0; 32], 1);
    for bytes in [pair(one, near(N, -1)), pair(near(N, -1), one)] {
        let verdict =
            sm2::verify(&standard_key().public().to_compressed(), DEFAULT_ID, b"m", &bytes);
        assert_eq!(verdict, Err(Error::SignatureMismatch));
    }
}

#[test]
fn swapped_halves_are_refused() {
    let bytes = standard_signature().to_bytes();
    let (r, s) = bytes.split_at(32);
    let swapped: [u8; 64] = [s, r].concat().try_into().expect("64 bytes");
    let key = standard_key().public().to_compressed();
    assert_eq!(
        sm2::verify(&key, DEFAULT_ID, b"message digest", &swapped),
        Err(Error::SignatureMismatch)
    );
}

#[test]
fn der_signatures_round_trip_and_malformed_ones_are_refused() {
    for signature in [
        standard_signature(),
        Signature::from_bytes(&pair(near([0; 32], 1), near([0; 32], 1))).expect("in range"),
        Signature::from_bytes(&pair(near(N, -1), near([0; 32], 127))).expect("in range"),
    ] {
        let der = signature.to_der();
        assert_eq!(Signature::from_der(&der), Ok(signature));
        for length in 0..der.len() {
            assert_eq!(Signature::from_der(&der[..length]), Err(Error::SignatureEncoding));
        }
        let longer = [&der[..], &[0]].concat();
        assert_eq!(Signature::from_der(&longer), Err(Error::SignatureEncoding));
    }
    let cases: [(&str, &str, Error); 6] = [
        ("zero r", "3006020100020101", Error::SignatureOutOfRange),
        ("negative r", "30060201ff020101", Error::SignatureEncoding),
        ("padded r", "300702020001020101", Error::SignatureEncoding),
        ("long-form length", "308106020101020101", Error::SignatureEncoding),
        ("a third integer", "3009020101020101020101", Error::SignatureEncoding),
        (
            "r of 33 bytes",
            "302602210100000000000000000000000000000000000000000000000000000000000000000201\
             01",
            Error::SignatureOutOfRange,
        ),
    ];
    for (what, der, expected) in cases {
        let der = hex::decode(der).expect("hex");
        assert_eq!(Signature::from_der(&der), Err(expected), "{what}");
    }
}

#[test]
fn points_that_are_not_on_the_curve_are_refused() {
    let good = standard_key().public();
    let mut wrong_y = good.to_uncompressed();
    wrong_y[64] ^= 1;
    assert_eq!(PublicKey::from_sec1(&wrong_y), Err(Error::PublicKeyNotOnCurve));

    // Half of all x belong to no point; find some and see them refused.
    let mut refused = 0;
    for x in 0..=255u8 {
        let mut bytes = [0; 33];
        (bytes[0], bytes[32]) = (2, x);
        match PublicKey::from_compressed(&bytes) {
            Ok(key) => assert_eq!(key.to_compressed(), bytes),
            Err(error) => {
                assert_eq!(error, Error::PublicKeyNotOnCurve);
                let signature = standard_signature().to_bytes();
                assert_eq!(sm2::verify(&bytes, DEFAULT_ID, b"m", &signature), Err(error));
                refused += 1;
            }
        }
    }
    assert!((64..192).contains(&refused), "{refused} of 256 refused");

    // Coordinates must be reduced: x = p stands for x = 0, but is not it.
    for x in [P, near([0xff; 32], 0)] {
        let compressed: [u8; 33] = [&[2][..], &x].concat().try_into().expect("33 bytes");
        assert_eq!(PublicKey::from_compressed(&compressed), Err(Error::PublicKeyNotOnCurve));
    }
    let mut big_y = [4; 65];
    big_y[1..33].copy_from_slice(&[0; 32]);
    big_y[33..].copy_from_slice(&P);
    assert_eq!(PublicKey::from_sec1(&big_y), Err(Error::PublicKeyNotOnCurve));
}

#[test]
fn other_encodings_of_public_keys_are_refused() {
    let good = standard_key().public();
    for tag in (0..=255u8).filter(|tag| !matches!(tag, 2 | 3)) {
        let mut bytes = good.to_compressed();
        bytes[0] = tag;
        assert_eq!(PublicKey::from_compressed(&bytes), Err(Error::PublicKeyEncoding));
        assert_eq!(PublicKey::from_sec1(&bytes), Err(Error::PublicKeyEncoding));
    }
    for tag in (0..=255u8).filter(|tag| *tag != 4) {
        // 6 and 7 are the hybrid form, which nobody needs.
        let mut bytes = good.to_uncompressed();
        bytes[0] = tag;
        assert_eq!(PublicKey::from_sec1(&bytes), Err(Error::PublicKeyEncoding));
    }
    let long = [4; 200];
    for length in (0..200).filter(|length| !matches!(length, 33 | 65)) {
        assert_eq!(PublicKey::from_sec1(&long[..length]), Err(Error::PublicKeyEncoding));
    }
    assert_eq!(PublicKey::from_sec1(&[0]), Err(Error::PublicKeyEncoding), "infinity");
}

#[test]
fn a_signer_id_may_have_8191_bytes_and_no_more() {
    let key = standard_key();
    for length in [0, 1, MAX_ID_LEN] {
        let id = vec![b'x'; length];
        let signature = key.sign(&id, b"m");
        assert!(key.public().verify(&id, b"m", &signature), "{length}");
    }
    let id = vec![b'x'; MAX_ID_LEN + 1];
    assert_eq!(
        key.public().try_verify(&id, b"m", &standard_signature()),
        Err(Error::SignerIdTooLong { length: MAX_ID_LEN + 1 })
    );
}

#[test]
fn keys_from_seeds_are_fixed_for_ever() {
    // Development chains and their documentation rely on these keys.
    // Recomputed with `openssl dgst -sm3` and `openssl ec -pubout`.
    let fixture = [
        ("//Alice", "02c9aad8014bf79fa770b59bfdc47e33be1c52397f1f030895ebe1ca86d433c951"),
        ("", "036d467250ef48a43ef41df7ebc66959d5eae262856deaed4f56ffc142db9a75fc"),
    ];
    for (seed, public) in fixture {
        let key = SecretKey::from_seed(seed.as_bytes());
        assert_eq!(hex::encode(key.public().to_compressed()), public, "{seed:?}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let key = standard_key();
    let shown = format!("{key:?}").to_lowercase();
    assert!(!shown.contains("3945208f7b2144b1"), "{shown}");
    assert!(shown.contains("0309f9df311e5421"), "{shown}");
}

#[test]
fn signing_is_repeatable_and_generated_keys_differ() {
    let (a, b) = (SecretKey::generate(), SecretKey::generate());
    assert_ne!(a.public(), b.public());
    assert_eq!(a.sign(DEFAULT_ID, b"m"), a.sign(DEFAULT_ID, b"m"));
    assert_ne!(a.sign(DEFAULT_ID, b"m"), a.sign(DEFAULT_ID, b"n"));
}
