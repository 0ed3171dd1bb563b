//! TLS: whose certificate is whose, and whose is nobody's; and a client that dawdles.

use super::{
    admission::{Guarded, write_configuration},
    *,
};
use billchain_access::{code as access_code, fingerprint};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use std::path::Path as FilePath;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// An authority.
struct Authority(Certificate, KeyPair);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(params.self_signed(&key).unwrap(), key)
    }

    /// A certificate of `name`, and its key.
    fn issue(
        &self,
        name: &str,
        usage: ExtendedKeyUsagePurpose,
    ) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let certificate = params.signed_by(&key, &self.0, &self.1).unwrap();
        (certificate.der().clone(), key)
    }
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// Asks by TLS: the answer, or nothing if there was no handshake or no answer.
async fn ask(
    address: std::net::SocketAddr,
    roots: &CertificateDer<'static>,
    client: Option<(CertificateDer<'static>, KeyPair)>,
) -> Option<Value> {
    let mut store = RootCertStore::empty();
    store.add(roots.clone()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store);
    let config = match client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"scene_list"}"#;
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    // Of TLS 1.3 a refusal comes after the handshake only.
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let text = String::from_utf8(answer).unwrap();
    serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()
}

fn listener(
    directory: &FilePath,
    server: &Authority,
    clients: &Authority,
    known: &CertificateDer<'_>,
) -> String {
    let (certificate, key) = server.issue("localhost", ExtendedKeyUsagePurpose::ServerAuth);
    std::fs::write(directory.join("tls.pem"), pem(&certificate)).unwrap();
    std::fs::write(directory.join("tls.key"), key.serialize_pem()).unwrap();
    std::fs::write(directory.join("clients.pem"), clients.0.pem()).unwrap();
    format!(
        "[[listener]]\nname = \"tls\"\nlisten = \"127.0.0.1:0\"\nclasses = [\"verify\", \"read\"]\n\
         tls = {{ certificate = \"tls.pem\", key = \"tls.key\", clients = \"clients.pem\" }}\n\
         [[identity]]\nname = \"by-certificate\"\nparticipant = \"did:bill:hospital\"\n\
         classes = [\"read\"]\ncertificates = [\"{}\"]\n",
        hex::encode(fingerprint(known))
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_its_identitys_and_one_of_another_authority_is_nobodys() {
    let (server, clients, others) = (Authority::new(), Authority::new(), Authority::new());
    let of = |authority: &Authority| authority.issue("caller", ExtendedKeyUsagePurpose::ClientAuth);
    let known = of(&clients);
    let guarded = Guarded::start("").await;
    let extra = listener(guarded.directory(), &server, &clients, &known.0);
    write_configuration(guarded.directory(), &extra);
    guarded.server.reloader().reload().await.unwrap();
    let address = guarded.server.address_of("tls").unwrap();
    let root = server.0.der().clone();
    let answer = ask(address, &root, Some(known)).await.unwrap();
    assert!(answer["result"]["items"].is_array(), "{answer}");
    let nobody = ask(address, &root, None).await.unwrap();
    assert_eq!(nobody["error"]["code"], access_code::NO_IDENTITY);
    let unbound = ask(address, &root, Some(of(&clients))).await.unwrap();
    assert_eq!(unbound["error"]["code"], access_code::NOT_BOUND);
    assert_eq!(ask(address, &root, Some(of(&others))).await, None, "TLS refuses it");
    // Plain bytes are no handshake.
    let mut plain = tokio::net::TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_takes_so_many_connections_and_no_more() {
    let extra = "[[listener]]\nname = \"few\"\nlisten = \"127.0.0.1:0\"\nclasses = [\"verify\"]\n\
                 connections_per_address = 2\n";
    let guarded = Guarded::start(extra).await;
    let address = guarded.server.address_of("few").unwrap();
    let mut held = Vec::new();
    for _ in 0..2 {
        // Slow clients: connected, and nothing asked.
        held.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    let mut third = tokio::net::TcpStream::connect(address).await.unwrap();
    let _ = third.write_all(b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let mut answer = Vec::new();
    let _ = third.read_to_end(&mut answer).await;
    assert!(answer.is_empty(), "it is closed unread");
    // Other listeners are not affected.
    guarded.ask(Some("hospital"), "scene_list", json!([])).await.unwrap();
}
