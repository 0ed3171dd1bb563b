//! What a configuration may say, and what is told of one that may not.

use super::*;

const GOOD: &str = r#"
[[listener]]
name = "members"
listen = "0.0.0.0:9443"
classes = ["verify", "read", "write"]
allow = ["10.0.0.0/8", "192.168.1.7"]
deny = ["10.1.0.0/16"]
origins = ["https://portal.example"]
tls = { certificate = "tls.pem", key = "tls.key", clients = "ca.pem" }

[[issuer]]
name = "sso"
issuer = "https://sso.example"
audience = "billchain"
algorithms = ["SM2-SM3", "RS256"]
keys_file = "keys.json"

[[identity]]
name = "hospital"
participant = "did:bill:hospital"
classes = ["verify", "read", "write"]
certificates = ["sm3:0101010101010101010101010101010101010101010101010101010101010101"]
keys = [{ sm3 = "0202020202020202020202020202020202020202020202020202020202020202", expires = 2027-01-01T00:00:00+08:00 }]
signing = [{ id = "h1", sm2 = "sm2:0209f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020" }]
subjects = [{ issuer = "sso", client_id = "hospital-app" }]

[limits.read]
work_per_minute = 600

[log]
directory = "log"
"#;

fn check(text: &str) -> Result<(), String> {
    if text.starts_with("did:") { Ok(()) } else { Err("expected a DID".into()) }
}

fn parse(text: &str) -> Result<AccessConfig, Vec<String>> {
    AccessConfig::parse(text, Path::new("/etc/billchain"), check)
}

#[test]
fn a_configuration_is_read_with_its_defaults() {
    let config = parse(GOOD).unwrap();
    let listener = &config.listeners[0];
    assert_eq!(listener.anonymous, [Class::Verify].into_iter().collect());
    assert_eq!(listener.tls.as_ref().unwrap().key, Path::new("/etc/billchain/tls.key"));
    for (address, expected) in [
        ("10.2.0.1", true),
        ("10.1.0.1", false),
        ("192.168.1.7", true),
        ("192.168.1.8", false),
        ("::ffff:10.2.0.1", true),
        ("2001:db8::1", false),
    ] {
        assert_eq!(listener.takes(address.parse().unwrap()), expected, "{address}");
    }
    assert!(listener.takes_origin("https://portal.example"));
    assert!(!listener.takes_origin("http://localhost"));
    assert_eq!((config.certificates.len(), config.keys.len(), config.signing.len()), (1, 1, 1));
    let subject = ("sso".to_owned(), SubjectClaim::ClientId, "hospital-app".to_owned());
    assert_eq!(&*config.subjects[&subject].name, "hospital");
    assert_eq!(config.limits[Class::Read as usize].work_per_minute, 600);
    assert_eq!(config.limits[Class::Write as usize], LimitConfig::usual(Class::Write));
    assert_eq!(config.log.unwrap().directory, Path::new("/etc/billchain/log"));
}

#[test]
fn each_mistake_is_told_with_its_key() {
    for (from, to, expected) in [
        ("name = \"members\"", "name = \"local\"", "listener \"local\".name"),
        ("0.0.0.0:9443", "somewhere", "listener \"members\".listen: expected <address>:<port>"),
        (
            "\"write\"]\nallow",
            "\"unsafe\"]\nallow",
            "classes: unsafe is for loopback addresses alone",
        ),
        (
            "classes = [\"verify\", \"read\", \"write\"]\nallow",
            "classes = []\nallow",
            "classes: expected at least one",
        ),
        ("deny =", "anonymous = [\"unsafe\"]\ndeny =", "anonymous: expected only classes of"),
        (
            "deny =",
            "anonymous = [\"write\"]\ndeny =",
            "anonymous: write and operator without an identity",
        ),
        ("tls = {", "plain = true\ntls = {", "plain: must not be true with TLS"),
        (
            "tls = { certificate = \"tls.pem\", key = \"tls.key\", clients = \"ca.pem\" }",
            "",
            "tls: is required beyond loopback",
        ),
        (", clients = \"ca.pem\"", ", require_certificate = true", "require_certificate: needs"),
        ("10.1.0.0/16", "10.1.0.0/33", "deny: expected an address or a network"),
        ("https://portal.example", "*", "origins: expected https://HOST"),
        ("\"RS256\"", "\"none\"", "algorithms: expected some of"),
        ("keys_file = \"keys.json\"", "", "expected one of keys_file and keys_url"),
        (
            "keys_file = \"keys.json\"",
            "keys_url = \"http://sso.example/keys\"",
            "keys_url: expected https://",
        ),
        ("did:bill:hospital", "hospital", "participant: expected a DID"),
        ("sm3:01", "sm3:zz", "certificates: expected 64 hex digits"),
        ("2027-01-01T00:00:00+08:00", "2027-01-01", "keys.expires: expected a time with an offset"),
        ("0209f9df", "0309f9de", "signing.sm2: expected an SM2 public key"),
        (
            "issuer = \"sso\", client_id",
            "issuer = \"other\", client_id",
            "subjects.issuer: expected the name",
        ),
        (
            "client_id = \"hospital-app\"",
            "client_id = \"a\", sub = \"b\"",
            "expected one of sub, client_id and azp",
        ),
        ("work_per_minute = 600", "work_per_minute = 0", "limits.read.work_per_minute: expected 1"),
        ("directory = \"log\"", "directory = \" \"", "log.directory: must not be empty"),
        ("[log]", "[guessing]\nfree = 0\n[log]", "guessing.free: expected 1"),
        ("[log]", "[signing]\nwindow_s = 901\n[log]", "signing.window_s: expected 10 to 900"),
        ("[log]", "[surprise]\n[log]", "unknown field `surprise`"),
        ("[limits.read]", "[limits.reading]", "unknown variant `reading`"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let problems = parse(&GOOD.replacen(from, to, 1)).unwrap_err();
        assert_eq!(problems.len(), 1, "{to}: {problems:?}");
        assert!(problems[0].contains(expected), "{to}: {problems:?}");
    }
}

#[test]
fn every_problem_is_told_at_once() {
    let text = GOOD
        .replace("0.0.0.0:9443", "x")
        .replace("did:bill:hospital", "y")
        .replace("10.0.0.0/8", "z");
    assert_eq!(parse(&text).unwrap_err().len(), 3);
}

#[test]
fn the_same_address_name_or_proof_twice_is_refused() {
    let listener = "[[listener]]\nname = \"a\"\nlisten = \"127.0.0.1:1\"\nclasses = [\"read\"]\n";
    let problems = parse(&listener.repeat(2)).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    let identity = |name: &str| {
        format!(
            "[[identity]]\nname = \"{name}\"\nclasses = [\"read\"]\ncertificates = [\"{}\"]\n",
            "01".repeat(32)
        )
    };
    let problems = parse(&format!("{}{}", identity("a"), identity("b"))).unwrap_err();
    assert!(problems[0].contains("another identity has one of them"), "{problems:?}");
}
