//! Certificates for tests: an authority, a certificate of this machine that is valid, and one
//! that has expired.

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{fs, path::Path, sync::Arc};

/// Writes `ca.pem`, `server.pem`, `server.key`, `expired.pem` and `expired.key` into a
/// directory, for 127.0.0.1 and localhost.
pub fn write(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "authority of a test");
    let authority = authority.self_signed(&authority_key)?;
    fs::write(directory.join("ca.pem"), authority.pem())?;
    for (name, last_year) in [("server", 2099), ("expired", 2021)] {
        let (certificate, key) = leaf(&authority, &authority_key, last_year)?;
        fs::write(directory.join(format!("{name}.pem")), certificate.pem())?;
        fs::write(directory.join(format!("{name}.key")), key.serialize_pem())?;
    }
    Ok(())
}

fn leaf(authority: &Certificate, by: &KeyPair, last_year: i32) -> Result<(Certificate, KeyPair)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(last_year, 1, 1);
    params.distinguished_name.push(DnType::CommonName, "a stand-in");
    let certificate = params.signed_by(&key, authority, by)?;
    Ok((certificate, key))
}

/// What a server needs of `NAME.pem` and `NAME.key`.
pub fn server(directory: &Path, name: &str) -> Result<Arc<ServerConfig>> {
    let at = |ending: &str| directory.join(format!("{name}.{ending}"));
    let chain = CertificateDer::pem_file_iter(at("pem"))
        .with_context(|| at("pem").display().to_string())?
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let key =
        PrivateKeyDer::from_pem_file(at("key")).with_context(|| at("key").display().to_string())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}
