//! An operator's share at rest: a container of `billchain_crypto` under a password.

use anyhow::{Context, Result, ensure};
use billchain_crypto::container::{Opener, Sealer, Secret as Password, Unlocked};
use billchain_oprf::{KeyShare, PublicKeys, Secret};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::{Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Name within the container: a file of another kind does not open.
const NAME: &str = "billchain-refs/share";
/// Longest content of a key file, in bytes.
const MAX: u64 = 8192;

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Content {
    public: String,
    index: u8,
    secret: String,
}

/// A share with the public keys that it belongs to.
#[derive(Debug)]
pub struct Held {
    /// The public keys.
    pub keys: PublicKeys,
    /// The operator's share of them.
    pub share: KeyShare,
}

impl Held {
    /// Checks that they belong together.
    pub fn new(keys: PublicKeys, share: KeyShare) -> Result<Self> {
        keys.check(&share)?;
        Ok(Self { keys, share })
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// What is wrong with the file, the password or the key.
    pub fn read(path: &Path, password: &Password) -> Result<Self> {
        let shown = path.display();
        let file = fs::File::open(path).with_context(|| format!("cannot read {shown}"))?;
        let mut text = Zeroizing::new(Vec::new());
        Opener::new(file, password, &mut None, NAME)
            .and_then(|opener| opener.take(MAX + 1).read_to_end(&mut text))
            .with_context(|| format!("cannot open {shown}"))?;
        ensure!(text.len() as u64 <= MAX, "{shown}: more than {MAX} bytes");
        let content: Content =
            serde_json::from_slice(&text).with_context(|| format!("{shown} holds no share"))?;
        let public = hex::decode(&content.public).with_context(|| format!("{shown}: public"))?;
        let secret = Zeroizing::new(
            hex::decode(&content.secret).with_context(|| format!("{shown}: secret"))?,
        );
        let share = KeyShare { index: content.index, secret: Secret::from_bytes(&secret)? };
        Self::new(PublicKeys::from_bytes(&public)?, share).with_context(|| shown.to_string())
    }

    /// Writes a new key file, which only its owner may read.
    ///
    /// # Errors
    /// What the system says, also if the file exists.
    pub fn write(&self, path: &Path, password: &Password) -> Result<()> {
        let content = Content {
            public: hex::encode(self.keys.to_bytes()),
            index: self.share.index,
            secret: hex::encode(&self.share.secret.to_bytes()[..]),
        };
        let text = Zeroizing::new(serde_json::to_vec(&content)?);
        let mut sealer = Sealer::new(Vec::new(), &Unlocked::new(password)?, NAME)?;
        sealer.write_all(&text)?;
        write_private(path, &sealer.finish()?)
    }
}

/// Reads the password of a file: its first line.
pub fn password(path: &Path) -> Result<Password> {
    let text = Zeroizing::new(read_private(path)?);
    let line = text.lines().next().unwrap_or_default();
    Password::password(line.as_bytes()).with_context(|| format!("password in {}", path.display()))
}

/// Reads a short file that only its owner may read.
pub fn read_private(path: &Path) -> Result<String> {
    let shown = path.display();
    let about = fs::metadata(path).with_context(|| format!("cannot read {shown}"))?;
    let mode = about.permissions().mode() & 0o777;
    ensure!(mode & 0o077 == 0, "{shown} may be read by others (mode {mode:o}): chmod 600");
    ensure!(about.len() <= 16 << 20, "{shown}: more than 16 MiB");
    fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))
}

/// Writes a new file that only its owner may read.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(bytes).and_then(|()| file.sync_all())?;
    Ok(())
}
