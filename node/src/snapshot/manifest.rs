//! What a snapshot says of itself: the block it was made at, with the proof that it
//! is final, and its files with their SM3.
//!
//! JSON, as people read it. A reader believes none of it: header and certificate are
//! judged by [`super::trust`], and every file is compared with what is said of it.

use anyhow::{Context, Result, bail, ensure};
use billchain_consensus::CommitCertificate;
use billchain_executor::Chain;
use billchain_primitives::{Hash, Header};
use billchain_runtime::Upgrade;
use codec::{DecodeAll, Encode};
use serde::{Deserialize, Serialize};

/// Format of the manifest and of what stands beside it.
pub(crate) const FORMAT: u32 = 1;
/// Bytes of a manifest, at most.
pub(crate) const MAX_BYTES: u64 = 64 << 20;
/// Files of a snapshot, at most.
const MAX_FILES: usize = 250_000;
/// What the names of files of cold segments begin with.
pub(crate) const COLD: &str = "cold";
/// Bytes of a file's name, at most.
const MAX_NAME: usize = 200;

/// The block that a snapshot was made at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Subject {
    /// Format of the database.
    pub(crate) database: u32,
    /// Rules that the block was made under.
    pub(crate) rules: u32,
    /// Hash of the chain's first block.
    pub(crate) genesis: Hash,
    /// SM3 of the chain specification, as the database remembers it.
    pub(crate) document: Hash,
    /// Number of the block.
    pub(crate) height: u32,
    /// Its hash.
    pub(crate) hash: Hash,
    /// Root of the state after it.
    pub(crate) state_root: Hash,
    /// Its header, SCALE in hex.
    pub(crate) header: String,
    /// Its commit certificate, SCALE in hex.
    pub(crate) certificate: String,
}

/// A file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Its name below the snapshot's directory, parts divided by `/`.
    pub(crate) name: String,
    /// Its length in bytes.
    pub(crate) bytes: u64,
    /// SM3 of its content.
    pub(crate) sm3: Hash,
}

/// The manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Format of the snapshot.
    pub(crate) format: u32,
    /// Version of the program that made it.
    pub(crate) program: String,
    /// The block.
    pub(crate) block: Subject,
    /// The files, by ascending name.
    pub(crate) files: Vec<Entry>,
}

impl Subject {
    /// Of the block `height` of a chain, which must be in its database.
    pub(crate) fn of(chain: &Chain, height: u32, hash: Hash) -> Result<Self> {
        ensure!(height > 0, "the chain has no block beside its first: nothing is final yet");
        let storage = chain.storage();
        let bytes = storage.block(height)?.with_context(|| format!("block {height} is missing"))?;
        let header = <Header as codec::Decode>::decode(&mut &bytes[..])
            .with_context(|| format!("block {height} does not decode"))?;
        let certificate = storage.certificate(height)?.unwrap_or_default();
        Ok(Self {
            database: billchain_storage::FORMAT,
            rules: chain.read_at(&hash, Upgrade::rules_in_force)?,
            genesis: chain.genesis_hash(),
            document: storage.document()?.unwrap_or_default(),
            height,
            hash,
            state_root: header.state_root,
            header: hex::encode(header.encode()),
            certificate: hex::encode(certificate),
        })
    }

    /// The header, which must be that of the named block.
    pub(crate) fn header(&self) -> Result<Header> {
        let bytes = hex::decode(&self.header).context("header: expected hex")?;
        let header = Header::decode_all(&mut &bytes[..]).context("header does not decode")?;
        let (found, expected) = (header.hash(), self.hash);
        ensure!(found == expected, "header: its hash is {found:?}, the block's is {expected:?}");
        ensure!(
            (header.number, header.state_root) == (self.height, self.state_root),
            "header: it is of block {} with state root {:?}, expected block {} with {:?}",
            header.number,
            header.state_root,
            self.height,
            self.state_root
        );
        Ok(header)
    }

    /// The certificate, whose signatures are not checked here.
    pub(crate) fn certificate(&self) -> Result<CommitCertificate> {
        let bytes = hex::decode(&self.certificate).context("certificate: expected hex")?;
        let certificate = CommitCertificate::from_bytes(&bytes)?;
        ensure!(
            certificate.height.get() == u64::from(self.height)
                && certificate.block_hash.get() == self.hash,
            "certificate: it is of another block than {:?}",
            self.hash
        );
        Ok(certificate)
    }
}

impl Manifest {
    /// Of these files.
    pub(crate) fn new(block: Subject, mut files: Vec<Entry>) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let program = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, program, block, files }
    }

    /// The file's content.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec_pretty(self)?)
    }

    /// Reads a manifest and checks all that can be checked without the files.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        ensure!(bytes.len() as u64 <= MAX_BYTES, "the manifest has more than {MAX_BYTES} bytes");
        /// What is read first, of whatever format.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(bytes).context("the manifest")?;
        ensure!(format == FORMAT, "the manifest has format {format}, this program reads {FORMAT}");
        let manifest: Self = serde_json::from_slice(bytes).context("the manifest")?;
        manifest.check().context("the manifest")?;
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        let (found, own) = (self.block.database, billchain_storage::FORMAT);
        ensure!(found == own, "the database has format {found}, this program reads {own}");
        ensure!(self.files.len() <= MAX_FILES, "more than {MAX_FILES} files");
        for Entry { name, .. } in &self.files {
            check_name(name).with_context(|| format!("file {name:?}"))?;
        }
        if let Some(pair) = self.files.windows(2).find(|pair| pair[0].name >= pair[1].name) {
            bail!("file {:?}: expected names once each, in order", pair[1].name);
        }
        self.block.header()?;
        self.block.certificate()?;
        Ok(())
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|entry| entry.bytes).fold(0, u64::saturating_add)
    }
}

/// A name can lead nowhere but into the directories of a database.
fn check_name(name: &str) -> Result<()> {
    let parts: Vec<&str> = name.split('/').collect();
    let is_known = matches!(parts[..], ["db" | COLD, _] | ["commitment", _, _]);
    ensure!(is_known, "expected db/FILE, commitment/PARTITION/FILE or cold/SEGMENT");
    if let [COLD, file] = parts[..] {
        // A filter that somebody else made would hide groups: each node makes its own.
        let digits = file.strip_suffix(".segment").filter(|digits| !digits.is_empty());
        let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'-';
        let is_segment = digits.is_some_and(|digits| digits.bytes().all(is_number));
        ensure!(is_segment, "expected the file of a cold segment, such as 000012-0003.segment");
    }
    let is_plain = |part: &&str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    ensure!(
        name.len() <= MAX_NAME && parts.iter().all(is_plain),
        "expected letters, digits, '.', '_' and '-', not '.' first, {MAX_NAME} bytes at most"
    );
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use billchain_consensus::{Height, Round};
    use sp_runtime::{generic::Digest, traits::Header as _};

    /// A manifest of a block that nobody signed.
    pub(crate) fn sample() -> Manifest {
        let zero = Hash::zero();
        let header = Header::new(7, zero, Hash::repeat_byte(2), zero, Digest::default());
        let certificate = CommitCertificate {
            height: Height::new(7),
            round: Round::new(0),
            block_hash: header.hash().into(),
            signatures: Vec::new(),
        };
        let block = Subject {
            database: billchain_storage::FORMAT,
            rules: 3,
            genesis: Hash::repeat_byte(1),
            document: Hash::repeat_byte(3),
            height: 7,
            hash: header.hash(),
            state_root: header.state_root,
            header: hex::encode(header.encode()),
            certificate: hex::encode(certificate.to_bytes()),
        };
        let entry = |name: &str, bytes| Entry { name: name.into(), bytes, sm3: zero };
        let mut manifest = Manifest::new(
            block,
            vec![entry("db/CURRENT", 16), entry("commitment/operations-blobs/00", 4096)],
        );
        manifest.program = "0.1.0".into();
        manifest
    }

    #[test]
    fn a_manifest_reads_back_and_the_first_format_stays_readable() {
        let manifest = sample();
        assert_eq!(Manifest::from_bytes(&manifest.to_bytes().unwrap()).unwrap(), manifest);
        assert_eq!(manifest.bytes(), 4112);
        let fixture = include_bytes!("fixtures/manifest-1.json");
        assert_eq!(Manifest::from_bytes(fixture).unwrap(), manifest);
        // Written as it was written then.
        assert_eq!(manifest.to_bytes().unwrap(), fixture);
    }

    #[test]
    fn the_files_of_cold_segments_may_be_in_it() {
        let mut manifest = sample();
        let mut file = manifest.files[0].clone();
        file.name = format!("{COLD}/000001-0000.segment");
        manifest.files.insert(0, file);
        assert_eq!(
            Manifest::new(manifest.block.clone(), manifest.files.clone()).files,
            manifest.files
        );
        assert_eq!(Manifest::from_bytes(&manifest.to_bytes().unwrap()).unwrap(), manifest);
    }

    #[test]
    fn every_cut_and_what_contradicts_itself_is_refused() {
        let bytes = sample().to_bytes().unwrap();
        for length in 0..bytes.len() {
            assert!(Manifest::from_bytes(&bytes[..length]).is_err(), "cut to {length}");
        }
        let refused = |change: fn(&mut Manifest), words: &str| {
            let mut manifest = sample();
            change(&mut manifest);
            let error =
                format!("{:#}", Manifest::from_bytes(&manifest.to_bytes().unwrap()).unwrap_err());
            assert!(error.contains(words), "{words}: {error}");
        };
        refused(|m| m.format = 2, "format 2, this program reads 1");
        refused(|m| m.block.database += 1, "the database has format");
        refused(|m| m.block.height += 1, "it is of block 7");
        refused(|m| m.block.state_root = Hash::zero(), "with state root");
        refused(|m| m.block.hash = Hash::zero(), "its hash is");
        refused(|m| m.block.header.push_str("00"), "header does not decode");
        refused(|m| m.block.header.push('x'), "expected hex");
        refused(|m| m.block.certificate.clear(), "malformed commit certificate");
        refused(|m| m.files.reverse(), "once each, in order");
        refused(|m| m.files[1] = m.files[0].clone(), "once each, in order");
        for name in [
            "",
            "db",
            "db/",
            "db/..",
            "db/.x",
            "/db/CURRENT",
            "../db/x",
            "db/a/b",
            "commitment/x",
            "commitment/../x",
            "commitment/a/b/c",
            "cold",
            "cold/..",
            "cold/a/b",
            "cold/000001-0000.filter",
            "cold/.segment",
            "cold/x.segment",
            "cold/000001-0000.segment.filter",
            "other/x",
            "db/a b",
            "db\\x",
            "db/\u{e9}",
        ] {
            let mut manifest = sample();
            manifest.files[1].name = name.into();
            manifest.files.remove(0);
            assert!(Manifest::from_bytes(&manifest.to_bytes().unwrap()).is_err(), "{name:?}");
        }
        let unknown =
            String::from_utf8(bytes).unwrap().replacen("\"files\"", "\"more\": 1, \"files\"", 1);
        assert!(Manifest::from_bytes(unknown.as_bytes()).is_err());
    }
}
