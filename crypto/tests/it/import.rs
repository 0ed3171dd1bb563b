//! Key files of OpenSSL, GmSSL and Bouncy Castle: what is imported, and what
//! is refused by which reason.

use crate::openssl::Witness;
use billchain_crypto::{
    keyfile::{ImportError, Imported, MAX_IMPORT_LEN, encrypt_to_pem},
    sm2::SecretKey,
};

const PASSWORD: &[u8] = b"secret123";

fn fixture(name: &str) -> Vec<u8> {
    // Cargo runs tests in their package.
    let path = std::path::Path::new("tests/fixtures/keys");
    std::fs::read(path.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn import(file: &[u8], password: &[u8]) -> Result<SecretKey, ImportError> {
    match Imported::read(file)? {
        Imported::Plain(key) => Ok(key),
        Imported::Encrypted(key) => key.decrypt(password),
    }
}

fn public(file: &[u8]) -> [u8; 33] {
    import(file, PASSWORD).expect("a key").public().to_compressed()
}

#[test]
fn keys_of_gmssl_and_bouncy_castle_are_imported_in_every_format() {
    for (first, others) in [
        ("gmssl-plain.pem", &["gmssl-sec1.pem", "gmssl-pbes2-sm3-sm4-cbc.pem"][..]),
        (
            "bc-plain.pem",
            &[
                "bc-plain.der",
                "bc-sec1.pem",
                "bc-pbes2-sha1-aes256-cbc.pem",
                "bc-pbes2-sha256-aes128-cbc.pem",
            ],
        ),
    ] {
        let expected = public(&fixture(first));
        for other in others {
            assert_eq!(public(&fixture(other)), expected, "{other}");
        }
    }
    // The public key that OpenSSL prints of its own file.
    let key = hex::encode(public(&fixture("openssl-plain.pem")));
    assert_eq!(key, "02b95f1865ffb23032e9fac2258eeeb9aed6ae7f02d454e3ac689d2904609c80d9");
}

#[test]
fn keys_that_openssl_makes_are_imported() {
    let openssl = Witness::new();
    openssl.expect(&["genpkey", "-algorithm", "SM2", "-out", "key.pem"]);
    let expected = public(&openssl.read("key.pem"));
    let pass = ["-passout", "pass:secret123"];
    let outputs: [&[&str]; 10] = [
        &["pkey", "-in", "key.pem", "-outform", "DER"],
        &["ec", "-in", "key.pem", "-no_public"],
        &["ec", "-in", "key.pem", "-outform", "DER"],
        &["ec", "-in", "key.pem", "-conv_form", "compressed"],
        &["pkcs8", "-topk8", "-in", "key.pem"],
        &["pkcs8", "-topk8", "-in", "key.pem", "-outform", "DER"],
        &["pkcs8", "-topk8", "-in", "key.pem", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"],
        &["pkcs8", "-topk8", "-in", "key.pem", "-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA512"],
        &["pkcs8", "-topk8", "-in", "key.pem", "-v2", "sm4-cbc", "-v2prf", "hmacWithSHA384"],
        &["pkcs8", "-topk8", "-in", "key.pem", "-iter", "1", "-v2prf", "hmacWithSHA224"],
    ];
    for output in outputs {
        let encrypts = output[0] == "pkcs8";
        let arguments = [output, if encrypts { &pass[..] } else { &[] }].concat();
        let file = openssl.expect(&arguments);
        assert_eq!(public(&file), expected, "{}", arguments.join(" "));
        if encrypts {
            let wrong = import(&file, b"secret124").expect_err("the wrong password");
            assert_eq!(wrong, ImportError::WrongPassword, "{}", arguments.join(" "));
        }
    }
    // Parameters before the key, and Windows line ends.
    let with_parameters = openssl.expect(&["ecparam", "-genkey", "-name", "SM2"]);
    let windows = String::from_utf8(with_parameters).expect("text").replace('\n', "\r\n");
    assert!(import(windows.as_bytes(), PASSWORD).is_ok());
}

#[test]
fn an_imported_key_is_written_in_the_chains_own_format_and_read_again() {
    let key = import(&fixture("gmssl-pbes2-sm3-sm4-cbc.pem"), PASSWORD).expect("a key");
    let ours = encrypt_to_pem(&key, b"another").expect("a password is given");
    assert_eq!(import(ours.as_bytes(), b"another").expect("ours").public(), key.public());
    assert_eq!(import(ours.as_bytes(), b"anotheR").err(), Some(ImportError::WrongPassword));
}

#[test]
fn both_names_of_the_algorithm_are_taken() {
    let plain = fixture("bc-plain.der");
    let expected = public(&plain);
    let ec = hex::decode("06072a8648ce3d020106082a811ccf5501822d").expect("hex");
    let at = plain.windows(ec.len()).position(|window| window == ec).expect("the algorithm");
    for algorithm in [
        // 1.2.156.10197.1.501 with NULL.
        "06082a811ccf550183750500",
        // 1.2.156.10197.1.301 without parameters.
        "06082a811ccf5501822d",
    ] {
        let algorithm = hex::decode(algorithm).expect("hex");
        let mut file = plain.clone();
        file.splice(at..at + ec.len(), algorithm.iter().copied());
        let shorter = u8::try_from(ec.len() - algorithm.len()).expect("shorter");
        file[at - 1] -= shorter;
        file[2] -= shorter;
        assert_eq!(public(&file), expected, "{}", hex::encode(algorithm));
    }
}

#[test]
fn what_is_no_sm2_key_is_refused_by_its_reason() {
    let openssl = Witness::new();
    openssl.expect(&["genpkey", "-algorithm", "SM2", "-out", "key.pem"]);
    let make = |arguments: &[&str]| openssl.expect(arguments);
    let rsa = make(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]);
    openssl.write("rsa.pem", &rsa);
    let explicit = ["ecparam", "-genkey", "-noout", "-name", "SM2", "-param_enc", "explicit"];
    let key = openssl.read("key.pem");
    let plain = fixture("bc-plain.der");
    let mut other_public = plain.clone();
    *other_public.last_mut().expect("not empty") ^= 1;
    let base64 = String::from_utf8(key.clone()).expect("text").replace("-----", "+++++");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("RSA, PKCS#8", rsa, "RSA (1.2.840.113549.1.1.1); expected SM2"),
        (
            "RSA, PKCS#1",
            make(&["rsa", "-in", "rsa.pem", "-traditional"]),
            "RSA or DSA, in a format of its own",
        ),
        ("Ed25519", make(&["genpkey", "-algorithm", "ED25519"]), "Ed25519 (1.3.101.112)"),
        (
            "P-256",
            make(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
            "P-256 (1.2.840.10045.3.1.7); expected SM2's",
        ),
        (
            "secp256k1, SEC1",
            make(&["ecparam", "-genkey", "-noout", "-name", "secp256k1"]),
            "secp256k1 (1.3.132.0.10)",
        ),
        ("explicit curve", make(&explicit), "written out in numbers, not named"),
        ("public key", make(&["pkey", "-in", "key.pem", "-pubout"]), "no private key"),
        (
            "public key, DER",
            make(&["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"]),
            "a public key and no private key",
        ),
        (
            "traditional encryption",
            make(&["ec", "-in", "key.pem", "-aes-128-cbc", "-passout", "pass:x"]),
            "AES-128-CBC (DEK-Info",
        ),
        (
            "scrypt",
            make(&["pkcs8", "-topk8", "-in", "key.pem", "-scrypt", "-passout", "pass:x"]),
            "the key derivation scrypt (1.3.6.1.4.1.11591.4.11)",
        ),
        (
            "an unknown cipher",
            make(&[
                "pkcs8",
                "-topk8",
                "-in",
                "key.pem",
                "-v2",
                "aria-256-cbc",
                "-passout",
                "pass:x",
            ]),
            "the cipher 1.2.410.200046.1.1.12",
        ),
        ("triple DES", fixture("bc-pbes2-des3.pem"), "DES-EDE3-CBC (1.2.840.113549.3.7)"),
        (
            "PKCS#12 encryption",
            fixture("bc-pbe-sha1-3des.pem"),
            "pbeWithSHA1And3-KeyTripleDES-CBC (1.2.840.113549.1.12.1.3)",
        ),
        ("two keys", [key.clone(), key.clone()].concat(), "holds 2 private keys"),
        ("another public key", other_public, "does not belong to its private key"),
        ("nothing", b" \n".to_vec(), "the file is empty"),
        ("hex", "ab".repeat(32).into_bytes(), "64 hex digits"),
        ("text", base64.into_bytes(), "text without a PEM block"),
        ("too long", vec![b'x'; MAX_IMPORT_LEN + 1], "65537 bytes"),
        ("no end line", key[..key.len() - 20].to_vec(), "is missing"),
        ("half a DER", plain[..plain.len() / 2].to_vec(), "the file is cut off"),
    ];
    for (what, file, words) in cases {
        let error = import(&file, PASSWORD).expect_err(what).to_string();
        assert!(error.contains(words), "{what}: {error}");
    }
}

#[test]
fn no_cut_and_no_changed_byte_panics_or_gives_another_key() {
    for name in ["bc-plain.der", "gmssl-sec1.pem", "gmssl-pbes2-sm3-sm4-cbc.pem"] {
        let file = fixture(name);
        for length in 0..file.trim_ascii_end().len() {
            assert!(Imported::read(&file[..length]).is_err(), "{name} cut to {length}");
        }
    }
    // Every field of the plain key is covered by the public key in it.
    let plain = fixture("bc-plain.der");
    let expected = public(&plain);
    for index in 0..plain.len() {
        let mut changed = plain.clone();
        changed[index] ^= 0x04;
        if let Ok(key) = import(&changed, PASSWORD) {
            assert_eq!(key.public().to_compressed(), expected, "byte {index}");
        }
    }
}
