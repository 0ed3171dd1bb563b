//! TLS of a listener: rustls, versions 1.3 and 1.2, with AWS-LC.
//!
//! A certificate of a client is believed if one of the listener's `clients` signed it;
//! others, and those whose time is over, end the handshake with TLS's own alert
//! (`unknown_ca`, `certificate_expired`). Whom it belongs to is told by its SM3, which the
//! configuration binds to an identity: a certificate that its authority issued to somebody
//! unknown is nobody's.

use crate::config::TlsConfig;
use billchain_crypto::sm3::sm3;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use std::{path::Path, sync::Arc};

/// Most certificates of a chain or of a list of authorities.
const MAX_CERTIFICATES: usize = 256;

/// How a configuration names a certificate: the SM3 of its DER.
pub fn fingerprint(der: &[u8]) -> [u8; 32] {
    sm3(der)
}

/// What a listener speaks TLS with.
pub(crate) fn server(config: &TlsConfig) -> Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(&config.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&config.key).map_err(|error| {
        format!("{}: expected a private key in PEM ({error})", config.key.display())
    })?;
    let verifier: Arc<dyn ClientCertVerifier> = match &config.clients {
        None => Arc::new(NoClientAuth),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
            }
            let builder =
                WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
            let builder = match config.require_certificate {
                true => builder,
                false => builder.allow_unauthenticated(),
            };
            builder.build().map_err(|error| format!("{}: {error}", file.display()))?
        }
    };
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| format!("TLS: {error}"))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|error| format!("{}: {error}", config.certificate.display()))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(server))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let said = |error: &dyn std::fmt::Display| {
        format!("{}: expected certificates in PEM ({error})", file.display())
    };
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file)
        .map_err(|error| said(&error))?
        .take(MAX_CERTIFICATES)
        .collect();
    let all = all.map_err(|error| said(&error))?;
    if all.is_empty() { Err(said(&"there is none")) } else { Ok(all) }
}
