//! `billchain-explorer sign-challenge`: what a program does instead of the page to sign in by key.

use anyhow::{Context as _, Result, bail};
use billchain_crypto::{keyfile, sm2::DEFAULT_ID};
use std::{fs, path::Path, process::ExitCode};

/// What every challenge's message begins with: nothing else is signed.
const PREFIX: &[u8] = b"billchain identity challenge:";

/// Prints public key and signature as the server wants them.
pub(super) fn run(key: &Path, password_file: &Path, message: &str) -> Result<ExitCode> {
    let read = |file: &Path| {
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
    };
    let password = zeroize::Zeroizing::new(read(password_file)?);
    let secret =
        keyfile::decrypt_from_pem(&read(key)?, password.trim_end_matches(['\r', '\n']).as_bytes())
            .with_context(|| format!("--key {}", key.display()))?;
    let message =
        hex::decode(message.trim_start_matches("0x")).context("--message: hexadecimal digits")?;
    if !message.starts_with(PREFIX) {
        bail!("--message: it is no challenge's (`message` of POST /api/v1/session/challenge)");
    }
    let signature = secret.sign(DEFAULT_ID, &message);
    let signed = serde_json::json!({
        "public_key": format!("0x{}", hex::encode(secret.public().to_compressed())),
        "signature": format!("0x{}", hex::encode(signature.to_bytes())),
    });
    println!("{signed}");
    Ok(ExitCode::SUCCESS)
}
