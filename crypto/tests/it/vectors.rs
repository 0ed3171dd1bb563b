//! Published vectors: GB/T 32905, 32907, 32918 (with the curve of 32918.5), RFC 8998.

use billchain_crypto::{
    Error,
    sm2::{self, DEFAULT_ID, PublicKey, SecretKey, Signature},
    sm3::{Sm3, hmac_sm3, sm3},
    sm4,
};
use hex::FromHex;

fn bytes<const N: usize>(text: &str) -> [u8; N]
where
    [u8; N]: FromHex<Error = hex::FromHexError>,
{
    <[u8; N]>::from_hex(text).expect("hex of the right length")
}

pub(crate) fn standard_key() -> SecretKey {
    SecretKey::from_bytes(&bytes(
        "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8",
    ))
    .expect("the standard's key")
}

pub(crate) fn standard_signature() -> Signature {
    Signature::from_bytes(&bytes(
        "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3\
         B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA",
    ))
    .expect("the standard's signature")
}

#[test]
fn sm3_gives_the_published_hashes() {
    let long = b"abcd".repeat(16);
    let cases: [(&[u8], &str); 3] = [
        (b"", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"),
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (&long, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ];
    for (message, hash) in cases {
        assert_eq!(hex::encode(sm3(message)), hash);
    }
}

#[test]
fn sm3_in_pieces_equals_sm3_at_once_whatever_the_pieces() {
    let message: Vec<u8> = (0..=255).collect();
    for piece in [1, 3, 31, 63, 64, 65, 127, 128, 200] {
        let mut hash = Sm3::new();
        message.chunks(piece).for_each(|chunk| hash.update(chunk));
        assert_eq!(hash.finalize(), sm3(&message), "pieces of {piece}");
    }
}

#[test]
fn hmac_sm3_follows_rfc_2104_for_short_exact_and_long_keys() {
    // The definition itself, over the hash the vectors above have checked.
    for length in [0, 1, 20, 63, 64, 65, 200] {
        let key: Vec<u8> = (0..length).map(|i| i as u8).collect();
        let mut block = [0u8; 64];
        if key.len() > 64 {
            block[..32].copy_from_slice(&sm3(&key));
        } else {
            block[..key.len()].copy_from_slice(&key);
        }
        let inner = sm3(&[&block.map(|byte| byte ^ 0x36)[..], b"data"].concat());
        let outer = sm3(&[&block.map(|byte| byte ^ 0x5c)[..], &inner].concat());
        assert_eq!(hmac_sm3(&key, b"data"), outer, "key of {length} bytes");
    }
}

#[test]
fn sm2_public_key_of_the_standard() {
    let public = standard_key().public();
    assert_eq!(
        hex::encode_upper(public.to_uncompressed()),
        "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020\
         CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
    );
    assert_eq!(
        hex::encode_upper(public.to_compressed()),
        "0309F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    );
    assert_eq!(PublicKey::from_sec1(&public.to_uncompressed()), Ok(public));
    assert_eq!(PublicKey::from_sec1(&public.to_compressed()), Ok(public));
    assert_eq!(PublicKey::from_compressed(&public.to_compressed()), Ok(public));
}

#[test]
fn sm2_signature_of_the_standard_verifies_and_no_neighbour_does() {
    let (public, signature) = (standard_key().public(), standard_signature());
    assert!(public.verify(DEFAULT_ID, b"message digest", &signature));
    assert!(!public.verify(DEFAULT_ID, b"message digesT", &signature), "another message");
    assert!(!public.verify(b"1234567812345679", b"message digest", &signature), "another id");
    assert!(!public.verify(b"", b"message digest", &signature), "no id");
    let other = SecretKey::from_seed(b"other").public();
    assert!(!other.verify(DEFAULT_ID, b"message digest", &signature), "another key");
    for bit in 0..512 {
        let mut changed = signature.to_bytes();
        changed[bit / 8] ^= 1 << (bit % 8);
        let verdict = sm2::verify(&public.to_compressed(), DEFAULT_ID, b"message digest", &changed);
        assert!(
            matches!(verdict, Err(Error::SignatureMismatch | Error::SignatureOutOfRange)),
            "bit {bit}: {verdict:?}"
        );
    }
}

#[test]
fn sm4_gcm_vector_of_rfc_8998() {
    let key = bytes("0123456789ABCDEFFEDCBA9876543210");
    let nonce = bytes("00001234567800000000ABCD");
    let aad: [u8; 20] = bytes("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2");
    let plain: [u8; 64] = bytes(
        "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD\
         EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA",
    );
    let sealed = sm4::seal(&key, &nonce, &aad, &plain).expect("a short plaintext");
    assert_eq!(
        hex::encode_upper(&sealed),
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735\
         D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D\
         83DE3541E4C2B58177E065A9BF7B62EC"
    );
    assert_eq!(sm4::open(&key, &nonce, &aad, &sealed).as_deref(), Ok(&plain[..]));
}

#[test]
fn sm4_gcm_opens_nothing_that_was_changed() {
    let (key, nonce) = ([7; 16], [9; 12]);
    let sealed = sm4::seal(&key, &nonce, b"aad", b"a secret").expect("a short plaintext");
    assert_eq!(sm4::open(&key, &nonce, b"aad", &sealed).as_deref(), Ok(&b"a secret"[..]));
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert_eq!(sm4::open(&key, &nonce, b"aad", &changed), Err(Error::Unauthentic));
        assert_eq!(sm4::open(&key, &nonce, b"aad", &sealed[..index]), Err(Error::Unauthentic));
    }
    assert_eq!(sm4::open(&[8; 16], &nonce, b"aad", &sealed), Err(Error::Unauthentic));
    assert_eq!(sm4::open(&key, &[8; 12], b"aad", &sealed), Err(Error::Unauthentic));
    assert_eq!(sm4::open(&key, &nonce, b"other", &sealed), Err(Error::Unauthentic));
}

#[test]
fn sm4_block_of_the_standard() {
    // GB/T 32907, A.1. GCM lets no one choose a block to encrypt, so the block
    // cipher that `sm4` is built on is asked itself.
    use ::sm4::{
        Sm4,
        cipher::{BlockCipherEncrypt, KeyInit},
    };
    let key: [u8; 16] = bytes("0123456789abcdeffedcba9876543210");
    let mut block = key.into();
    Sm4::new(&key.into()).encrypt_block(&mut block);
    assert_eq!(hex::encode(block), "681edf34d206965e86b3e94f536e4246");
}
