//! `billchain keys`: the SM2 keys that sign and the network keys that
//! identify.

use crate::text_files;
use anyhow::{Context, Result, bail};
use billchain_crypto::{
    keyfile::{self, Imported},
    sm2,
};
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

/// Environment variable with the password of a file that is imported.
const IMPORT_PASSWORD_ENV: &str = "BILLCHAIN_IMPORT_PASSWORD";

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
    /// Take over an SM2 key of another tool: PKCS#8, plain or encrypted, or
    /// SEC1, as PEM or DER, as OpenSSL, GmSSL and Bouncy Castle write them.
    Import {
        /// The other tool's file.
        file: PathBuf,
        /// File with the password of the other tool's file, if that is
        /// encrypted; without it BILLCHAIN_IMPORT_PASSWORD is read, and without
        /// that the terminal asked.
        #[arg(long, value_name = "FILE")]
        import_password_file: Option<PathBuf>,
        /// File to write; must not exist.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        password: Password,
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
    /// A new key's password: the terminal is asked twice, because nothing opens the key
    /// when it was mistyped.
    fn choose(&self, purpose: &str) -> Result<Zeroizing<Vec<u8>>> {
        let chosen = self.read(purpose)?;
        let is_typed = self.password_file.is_none() && std::env::var_os(PASSWORD_ENV).is_none();
        if is_typed && self.read(&format!("{purpose}, again"))? != chosen {
            bail!("the two passwords differ: nothing was written");
        }
        Ok(chosen)
    }

    /// The password, without a line end.
    pub(crate) fn read(&self, purpose: &str) -> Result<Zeroizing<Vec<u8>>> {
        password(self.password_file.as_deref(), "--password-file", PASSWORD_ENV, purpose)
    }
}

/// A password from its file, its environment variable or the terminal.
fn password(
    file: Option<&Path>,
    flag: &str,
    variable: &str,
    purpose: &str,
) -> Result<Zeroizing<Vec<u8>>> {
    if let Some(file) = file {
        let bytes = text_files::read(file, "the password file")?;
        return text_files::password_of(&bytes)
            .with_context(|| format!("the password file {}", file.display()));
    }
    if let Some(password) = std::env::var_os(variable) {
        let bytes = Zeroizing::new(password.into_encoded_bytes());
        return text_files::password_of(&bytes)
            .with_context(|| format!("the password in the environment variable {variable}"));
    }
    let password =
        rpassword::prompt_password(format!("Password of {purpose}: ")).with_context(|| {
            format!("no terminal to ask for the password; give {flag} or {variable}")
        })?;
    Ok(Zeroizing::new(password.into_bytes()))
}

/// Reads and decrypts an SM2 key.
pub(crate) fn load_sm2(file: &Path, password: &[u8]) -> Result<sm2::SecretKey> {
    let pem = text_files::read(file, "the key file")?;
    let pem =
        text_files::text_of(&pem).with_context(|| format!("the key file {}", file.display()))?;
    keyfile::decrypt_from_pem(&pem, password)
        .with_context(|| format!("cannot open the key file {}", file.display()))
}

/// Reads a network key.
pub(crate) fn load_network(file: &Path) -> Result<identity::Keypair> {
    let mut seed = load_secret(file, "the network key")?;
    Ok(identity::Keypair::ed25519_from_bytes(seed.as_mut_slice())?)
}

/// Reads 32 secret bytes, written as 64 hex digits; `what` names them in errors.
pub(crate) fn load_secret(file: &Path, what: &str) -> Result<Zeroizing<[u8; 32]>> {
    let text = Zeroizing::new(text_files::read_text(file, what)?);
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), secret.as_mut_slice())
        .map_err(|e| anyhow::anyhow!("{what} {}: expected 64 hex digits: {e}", file.display()))?;
    Ok(secret)
}

/// Writes a file nobody else can read; refuses to overwrite. What cannot be written
/// whole is not left there.
pub(crate) fn write_private(file: &Path, contents: &[u8]) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut handle = options
        .open(file)
        .with_context(|| format!("cannot create {} (it must not exist)", file.display()))?;
    let written = handle.write_all(contents).and_then(|()| handle.sync_all());
    if written.is_err() {
        // The reason counts, whatever becomes of the rest.
        let _ = std::fs::remove_file(file);
    }
    written.with_context(|| format!("cannot write {}", file.display()))?;
    warn_of_owner(file);
    Ok(())
}

/// Root makes files that the node's user cannot read, without noticing it.
#[cfg(unix)]
fn warn_of_owner(file: &Path) {
    use std::os::unix::fs::MetadataExt as _;
    let owner = |path: &Path| std::fs::metadata(path).map(|found| found.uid()).ok();
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    if owner(file) == Some(0) && owner(directory).is_some_and(|owner| owner != 0) {
        let _ = writeln!(
            std::io::stderr(),
            "billchain: {} belongs to root, its directory does not: give it to the node's user \
             (chown)",
            file.display()
        );
    }
}

#[cfg(not(unix))]
fn warn_of_owner(_: &Path) {}

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
            write_sm2(&out, &secret, &password)?;
        }
        Command::Import { file, import_password_file, out, password } => {
            let secret = import(&file, import_password_file.as_deref())?;
            write_sm2(&out, &secret, &password)?;
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

/// Encrypts a key under a new password, writes it and prints what is public.
fn write_sm2(out: &Path, secret: &sm2::SecretKey, password: &Password) -> Result<()> {
    let password = password.choose("the new key")?;
    write_private(out, keyfile::encrypt_to_pem(secret, &password)?.as_bytes())?;
    print_public(secret);
    Ok(())
}

/// The key in another tool's file. A password is asked for only where the file
/// is encrypted.
fn import(file: &Path, password_file: Option<&Path>) -> Result<sm2::SecretKey> {
    let bytes = text_files::read(file, "the key file")?;
    // PEM that a Windows tool saved with a mark or as UTF-16; DER is never text.
    let text = text_files::text_of(&bytes).map(|text| Zeroizing::new(text.into_owned()));
    let contents = text.as_ref().map_or(bytes.as_slice(), |text| text.as_bytes());
    let imported = match Imported::read(contents) {
        Ok(Imported::Plain(secret)) => Ok(secret),
        Ok(Imported::Encrypted(key)) => key.decrypt(&password(
            password_file,
            "--import-password-file",
            IMPORT_PASSWORD_ENV,
            &file.display().to_string(),
        )?),
        Err(error) => Err(error),
    };
    imported.with_context(|| format!("cannot import {}", file.display()))
}

fn print_public(secret: &sm2::SecretKey) {
    let key = PublicKey::Sm2(secret.public().to_compressed());
    println!("public key: {key}");
    println!("account:    0x{}", hex::encode(key.account_id()));
}
