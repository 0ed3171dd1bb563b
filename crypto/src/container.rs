//! Files encrypted with SM4-GCM in chunks, written and read in one pass with
//! bounded memory.
//!
//! ```
//! use billchain_crypto::container::{Opener, Sealer, Secret, Unlocked};
//! use std::io::{Read, Write};
//!
//! let secret = Secret::key([7; 32]);
//! let key = Unlocked::new(&secret).unwrap();
//! let mut sealer = Sealer::new(Vec::new(), &key, "a/name").unwrap();
//! sealer.write_all(b"what nobody else may read").unwrap();
//! let sealed = sealer.finish().unwrap();
//!
//! let mut known = None;
//! let mut opened = String::new();
//! let mut opener = Opener::new(&sealed[..], &secret, &mut known, "a/name").unwrap();
//! opener.read_to_string(&mut opened).unwrap();
//! assert_eq!(opened, "what nobody else may read");
//! ```
//!
//! # What it promises
//! A reader gets the bytes that were written, or an error before the first byte that
//! differs: a chunk that was changed, left out, repeated or put elsewhere, a file
//! that was cut, even between two chunks, one that goes on, and one that stands under
//! another name or belongs to another key are all found. Bytes that were read before
//! the error are a true beginning of the file, and no more: whoever needs all of it
//! waits for the end.
//!
//! # Format
//! A header of 45 bytes: magic `BCENC001`; iterations of PBKDF2-HMAC-SM3, 4 bytes
//! big-endian, 0 for a key that is no password; its salt, 16 bytes; the file's nonce,
//! 16 bytes; 0. Then chunks: 65,536 bytes of plaintext each, the last one 0 to
//! 65,536, encrypted, each with its tag of 16 bytes. The key of a file is the first
//! half of HMAC-SM3(secret, header ‖ name), so that header and name are authenticated
//! and no two files have one key. The GCM nonce of a chunk is its number, 8 bytes
//! big-endian, three zeros, and 1 for the last chunk or else 0.

use crate::{
    sm3::hmac_sm3,
    sm4::{self, TAG_LEN},
};
use std::io::{self, Read, Write};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Plaintext bytes of a chunk.
pub const CHUNK: usize = 64 << 10;
/// Bytes before the first chunk.
pub const HEADER_LEN: usize = 45;

const MAGIC: &[u8; 8] = b"BCENC001";
/// PBKDF2 iterations of new files: about a third of a second on a 2020s core.
const ITERATIONS: u32 = 600_000;
/// Those that are accepted, so that a file cannot ask for an hour.
const ACCEPTED_ITERATIONS: std::ops::RangeInclusive<u32> = 10_000..=10_000_000;

/// Why a file cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// The first bytes are of something else.
    #[error("it is no encrypted file: expected {HEADER_LEN} bytes that begin with BCENC001")]
    NotContainer,
    /// The password would have to be stretched longer than is accepted.
    #[error("it asks for {0} PBKDF2 iterations, expected 10000 to 10000000")]
    Iterations(u32),
    /// Encrypted with a password, and a key was given, or the other way round.
    #[error("it is encrypted with a {expected}, and a {found} was given")]
    OtherSecret {
        /// What it needs.
        expected: &'static str,
        /// What was given.
        found: &'static str,
    },
    /// A chunk does not belong where it stands.
    #[error(
        "chunk {0} is not what was written here: the password or key is another one, or the file \
         was changed, cut or renamed"
    )]
    Chunk(u64),
    /// An empty password.
    #[error("the password must not be empty")]
    EmptyPassword,
}

impl From<ContainerError> for io::Error {
    fn from(error: ContainerError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// What opens a file.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret {
    bytes: Vec<u8>,
    is_password: bool,
}

impl Secret {
    /// A password of any length.
    ///
    /// # Errors
    /// [`ContainerError::EmptyPassword`].
    pub fn password(password: &[u8]) -> Result<Self, ContainerError> {
        if password.is_empty() {
            return Err(ContainerError::EmptyPassword);
        }
        Ok(Self { bytes: password.to_vec(), is_password: true })
    }

    /// 32 random bytes.
    pub fn key(key: [u8; 32]) -> Self {
        Self { bytes: key.to_vec(), is_password: false }
    }

    fn kind(&self) -> &'static str {
        if self.is_password { "password" } else { "key" }
    }
}

/// A secret made ready: its password stretched. Files of one archive share one, so
/// that this is done once.
#[derive(Clone)]
pub struct Unlocked {
    iterations: u32,
    salt: [u8; 16],
    master: Zeroizing<[u8; 32]>,
}

impl Unlocked {
    /// For new files, with a fresh salt.
    ///
    /// # Errors
    /// What the system's source of randomness says.
    pub fn new(secret: &Secret) -> io::Result<Self> {
        let iterations = if secret.is_password { ITERATIONS } else { 0 };
        Ok(Self::of(secret, iterations, random()?))
    }

    fn of(secret: &Secret, iterations: u32, salt: [u8; 16]) -> Self {
        let mut master = Zeroizing::new([0; 32]);
        if secret.is_password {
            pbkdf2::pbkdf2_hmac::<::sm3::Sm3>(&secret.bytes, &salt, iterations, &mut *master);
        } else {
            *master = hmac_sm3(&secret.bytes, &salt);
        }
        Self { iterations, salt, master }
    }

    /// The key of one file.
    fn file_key(&self, header: &[u8; HEADER_LEN], name: &str) -> Zeroizing<[u8; 16]> {
        let message = [header.as_slice(), name.as_bytes()].concat();
        let mut derived = hmac_sm3(&*self.master, &message);
        let mut key = Zeroizing::new([0; 16]);
        key.copy_from_slice(&derived[..16]);
        derived.zeroize();
        key
    }
}

fn random() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

fn nonce(chunk: u64, last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&chunk.to_be_bytes());
    nonce[11] = last.into();
    nonce
}

/// Encrypts what is written to it. The file is whole when [`finish`](Self::finish)
/// has returned.
pub struct Sealer<W> {
    out: W,
    key: Zeroizing<[u8; 16]>,
    chunk: u64,
    plain: Zeroizing<Vec<u8>>,
}

impl<W: Write> Sealer<W> {
    /// Writes the header. `name` says what the file is, and must be given to read it.
    ///
    /// # Errors
    /// What `out` and the system's source of randomness say.
    pub fn new(mut out: W, key: &Unlocked, name: &str) -> io::Result<Self> {
        let mut header = [0; HEADER_LEN];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&key.iterations.to_be_bytes());
        header[12..28].copy_from_slice(&key.salt);
        header[28..44].copy_from_slice(&random()?);
        out.write_all(&header)?;
        let key = key.file_key(&header, name);
        Ok(Self { out, key, chunk: 0, plain: Zeroizing::new(Vec::with_capacity(CHUNK)) })
    }

    /// Writes the last chunk, and gives back what it wrote to.
    ///
    /// # Errors
    /// What `out` says.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        Ok(self.out)
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let sealed = sm4::seal(&self.key, &nonce(self.chunk, last), &[], &self.plain)
            .map_err(io::Error::other)?;
        self.out.write_all(&sealed)?;
        self.chunk += 1;
        self.plain.clear();
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits until it is known whether it is the last.
        if self.plain.len() == CHUNK && !bytes.is_empty() {
            self.seal(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.plain.len());
        self.plain.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Decrypts a file as it is read. Its end comes only after the last chunk was checked.
pub struct Opener<R> {
    input: R,
    key: Zeroizing<[u8; 16]>,
    chunk: u64,
    /// Read ahead of what is decrypted: a chunk and the first byte of the next.
    sealed: Vec<u8>,
    plain: Zeroizing<Vec<u8>>,
    at: usize,
    is_over: bool,
}

impl<R: Read> Opener<R> {
    /// Reads the header. `known` keeps the stretched password from one file to the next.
    ///
    /// # Errors
    /// A [`ContainerError`] within the error, or what `input` says.
    pub fn new(
        mut input: R,
        secret: &Secret,
        known: &mut Option<Unlocked>,
        name: &str,
    ) -> io::Result<Self> {
        let mut header = [0; HEADER_LEN];
        match input.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(ContainerError::NotContainer.into());
            }
            read => read?,
        }
        let (iterations, salt) = parse(&header)?;
        let expected = if iterations == 0 { "key" } else { "password" };
        if expected != secret.kind() {
            return Err(ContainerError::OtherSecret { expected, found: secret.kind() }.into());
        }
        let same = |key: &&Unlocked| (key.iterations, key.salt) == (iterations, salt);
        let unlocked = match known.as_ref().filter(same) {
            Some(unlocked) => unlocked,
            None => known.insert(Unlocked::of(secret, iterations, salt)),
        };
        let key = unlocked.file_key(&header, name);
        let (sealed, plain) = (Vec::new(), Zeroizing::default());
        Ok(Self { input, key, chunk: 0, sealed, plain, at: 0, is_over: false })
    }

    /// Decrypts the next chunk.
    fn next(&mut self) -> io::Result<()> {
        const SEALED: usize = CHUNK + TAG_LEN;
        let wanted = (SEALED + 1).saturating_sub(self.sealed.len());
        (&mut self.input).take(wanted as u64).read_to_end(&mut self.sealed)?;
        let last = self.sealed.len() <= SEALED;
        let length = self.sealed.len().min(SEALED);
        let opened = sm4::open(&self.key, &nonce(self.chunk, last), &[], &self.sealed[..length]);
        let opened = opened.map_err(|_| ContainerError::Chunk(self.chunk))?;
        self.plain = Zeroizing::new(opened);
        self.at = 0;
        self.sealed.drain(..length);
        self.chunk += 1;
        self.is_over = last;
        Ok(())
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.plain.len() && !self.is_over {
            self.next()?;
        }
        let length = into.len().min(self.plain.len() - self.at);
        into[..length].copy_from_slice(&self.plain[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

/// Iterations and salt of a header.
fn parse(header: &[u8; HEADER_LEN]) -> Result<(u32, [u8; 16]), ContainerError> {
    let (Some(iterations), Some(salt)) =
        (header[8..].first_chunk::<4>(), header[12..].first_chunk::<16>())
    else {
        return Err(ContainerError::NotContainer);
    };
    if header[..8] != MAGIC[..] || header[HEADER_LEN - 1] != 0 {
        return Err(ContainerError::NotContainer);
    }
    let iterations = u32::from_be_bytes(*iterations);
    if iterations != 0 && !ACCEPTED_ITERATIONS.contains(&iterations) {
        return Err(ContainerError::Iterations(iterations));
    }
    Ok((iterations, *salt))
}

#[cfg(test)]
mod tests;
