//! `billchain keys`: the SM2 keys that sign and the network keys that
//! identify.

use anyhow::{Context, Result, bail};
use billchain_crypto::{keyfile, sm2};
use billchain_primitives::PublicKey;
use clap::{Args, Subcommand};
use libp2p::identity;
use std::{
    io::Write,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Environment variable with the password of an SM2 key file.
pub(crate) const PASSWORD_ENV: &str = "BILLCHAIN_KEY_PASSWORD";

/// Actions on keys.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a new SM2 key, encrypted PKCS#8 PEM.
    Generate {
        /// File to write; must not exist.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        password: Password,
        /// Derive the key from this text instead of randomness: for
        /// development chains only.
        #[arg(long, value_name = "TEXT")]
        development_seed: Option<String>,
    },
    /// Print an SM2 key's public key and account.
    Show {
        /// Encrypted PKCS#8 PEM.
        file: PathBuf,
        #[command(flatten)]
        password: Password,
    },
    /// Make a new network key and print its peer id.
    Network {
        /// File to write; must not exist.
        #[arg(long)]
        out: PathBuf,
    },
    /// Print the peer id of a network key.
    PeerId {
        /// The network key.
        file: PathBuf,
    },
}

/// Where the password of a key file comes from.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Password {
    /// File that holds the password; without it BILLCHAIN_KEY_PASSWORD is
    /// read, and without that the terminal asked.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

impl Password {
    /// The password, without a line end.
    pub(crate) fn read(&self, purpose: &str) -> Result<Zeroizing<Vec<u8>>> {
        if let Some(file) = &self.password_file {
            return read_password_file(file);
        }
        if let Some(password) = std::env::var_os(PASSWORD_ENV) {
            return Ok(Zeroizing::new(password.into_encoded_bytes()));
        }
        let password = rpassword::prompt_password(format!("Password of {purpose}: "))
            .with_context(|| {
                format!(
                    "no terminal to ask for the password; give --password-file or {PASSWORD_ENV}"
                )
            })?;
        Ok(Zeroizing::new(password.into_bytes()))
    }
}

/// Reads a password file, without its line end.
pub(crate) fn read_password_file(file: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let mut password = Zeroizing::new(
        std::fs::read(file)
            .with_context(|| format!("cannot read the password file {}", file.display()))?,
    );
    while matches!(password.last(), Some(b'\n' | b'\r')) {
        password.pop();
    }
    if password.is_empty() {
        bail!("the password file {} is empty", file.display());
    }
    Ok(password)
}

/// Reads and decrypts an SM2 key.
pub(crate) fn load_sm2(file: &Path, password: &[u8]) -> Result<sm2::SecretKey> {
    let pem = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the key file {}", file.display()))?;
    keyfile::decrypt_from_pem(&pem, password)
        .with_context(|| format!("cannot open the key file {}", file.display()))
}

/// Reads a network key.
pub(crate) fn load_network(file: &Path) -> Result<identity::Keypair> {
    let text = Zeroizing::new(
        std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the network key {}", file.display()))?,
    );
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), seed.as_mut_slice()).map_err(|e| {
        anyhow::anyhow!("network key {}: expected 64 hex digits: {e}", file.display())
    })?;
    Ok(identity::Keypair::ed25519_from_bytes(seed.as_mut_slice())?)
}

/// Writes a file nobody else can read; refuses to overwrite.
pub(crate) fn write_private(file: &Path, contents: &[u8]) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut handle = options
        .open(file)
        .with_context(|| format!("cannot create {} (it must not exist)", file.display()))?;
    handle.write_all(contents)?;
    handle.sync_all().with_context(|| format!("cannot write {}", file.display()))
}

/// Makes a network key file from 32 secret bytes and returns its peer id.
pub(crate) fn write_network(file: &Path, seed: &[u8; 32]) -> Result<libp2p::PeerId> {
    write_private(file, hex::encode(seed).as_bytes())?;
    Ok(load_network(file)?.public().to_peer_id())
}

/// Runs `billchain keys …`.
pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Generate { out, password, development_seed } => {
            let secret = match development_seed {
                Some(seed) => sm2::SecretKey::from_seed(seed.as_bytes()),
                None => sm2::SecretKey::generate(),
            };
            let password = password.read("the new key")?;
            if password.is_empty() {
                bail!("the password must not be empty");
            }
            write_private(&out, keyfile::encrypt_to_pem(&secret, &password)?.as_bytes())?;
            print_public(&secret);
        }
        Command::Show { file, password } => {
            let password = password.read(&file.display().to_string())?;
            print_public(&load_sm2(&file, &password)?);
        }
        Command::Network { out } => {
            let mut seed = Zeroizing::new([0; 32]);
            getrandom::fill(seed.as_mut_slice())
                .map_err(|e| anyhow::anyhow!("the system gives no randomness: {e}"))?;
            println!("peer id: {}", write_network(&out, &seed)?);
        }
        Command::PeerId { file } => println!("{}", load_network(&file)?.public().to_peer_id()),
    }
    Ok(())
}

fn print_public(secret: &sm2::SecretKey) {
    let key = PublicKey::Sm2(secret.public().to_compressed());
    println!("public key: {key}");
    println!("account:    0x{}", hex::encode(key.account_id()));
}
