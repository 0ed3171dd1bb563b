//! The files of a snapshot: written once, read whole, compared with the manifest.
//!
//! In the clear a file has its own name; encrypted, each is a container
//! ([`billchain_crypto::container`]) under its name with `.sm4` behind it, the
//! manifest too. The manifest is written last: a directory without one is a snapshot
//! whose making was cut short.

use super::manifest::{Entry, MAX_BYTES, Manifest};
use anyhow::{Context, Result, bail, ensure};
use billchain_crypto::{
    container::{Opener, Sealer, Secret, Unlocked},
    sm3::Sm3,
};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
};

/// Name of the manifest.
const MANIFEST: &str = "manifest.json";
/// What follows the names of encrypted files.
const ENCRYPTED: &str = ".sm4";
/// Bytes read at once.
const BUFFER: usize = 256 << 10;

/// Makes a snapshot's directory.
pub(crate) struct Writer {
    directory: PathBuf,
    key: Option<Unlocked>,
}

impl Writer {
    /// Makes the directory, which must not exist.
    pub(crate) fn new(directory: &Path, secret: Option<&Secret>) -> Result<Self> {
        fs::create_dir(directory)
            .with_context(|| format!("cannot make {} (it must not exist)", directory.display()))?;
        let key = secret.map(Unlocked::new).transpose()?;
        Ok(Self { directory: directory.to_owned(), key })
    }

    /// Copies a file, durably.
    pub(crate) fn copy(&self, from: &Path, name: &str) -> Result<Entry> {
        let mut file =
            File::open(from).with_context(|| format!("cannot read {}", from.display()))?;
        let mut sm3 = Sm3::new();
        let mut bytes = 0;
        let mut input = Observed { input: &mut file, sm3: &mut sm3, bytes: &mut bytes };
        self.write(&mut input, name).with_context(|| format!("cannot copy {}", from.display()))?;
        Ok(Entry { name: name.to_owned(), bytes, sm3: sm3.finalize().into() })
    }

    /// Writes the manifest, which makes the snapshot whole. Its SM3.
    pub(crate) fn finish(self, manifest: &Manifest) -> Result<[u8; 32]> {
        let bytes = manifest.to_bytes()?;
        ensure!(bytes.len() as u64 <= MAX_BYTES, "a manifest of {} bytes is too long", bytes.len());
        self.sync_directories()?;
        let partial = format!("{MANIFEST}.partial");
        self.write_as(&mut &bytes[..], &partial, MANIFEST)?;
        let place = |name: &str| self.place(name);
        fs::rename(place(&partial), place(MANIFEST)).context("cannot rename the manifest")?;
        sync_directory(&self.directory)?;
        if let Some(parent) = self.directory.parent().filter(|parent| *parent != Path::new("")) {
            sync_directory(parent)?;
        }
        Ok(billchain_primitives::sm3(&bytes))
    }

    fn place(&self, name: &str) -> PathBuf {
        let suffix = if self.key.is_some() { ENCRYPTED } else { "" };
        self.directory.join(format!("{name}{suffix}"))
    }

    fn write(&self, input: &mut dyn Read, name: &str) -> Result<()> {
        self.write_as(input, name, name)
    }

    /// Writes to `place` what is to be read as `name`.
    fn write_as(&self, input: &mut dyn Read, place: &str, name: &str) -> Result<()> {
        let path = self.place(place);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let file =
            File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
        let written = || -> io::Result<File> {
            match &self.key {
                None => {
                    let mut file = file;
                    transfer(input, &mut file)?;
                    Ok(file)
                }
                Some(key) => {
                    let mut sealer = Sealer::new(file, key, name)?;
                    transfer(input, &mut sealer)?;
                    sealer.finish()
                }
            }
        };
        written()
            .and_then(|file| file.sync_all())
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Makes the names durable.
    fn sync_directories(&self) -> Result<()> {
        for directory in tree(&self.directory)?.1 {
            sync_directory(&directory)?;
        }
        Ok(())
    }
}

/// Reads a snapshot.
pub(crate) struct Reader {
    directory: PathBuf,
    secret: Option<Secret>,
    known: Option<Unlocked>,
}

impl Reader {
    /// A snapshot in `directory`. With a secret it must be encrypted, so that nobody
    /// puts one in the clear in its place; without one it must not.
    pub(crate) fn new(directory: &Path, secret: Option<Secret>) -> Result<Self> {
        let has = |name: &str| directory.join(name).is_file();
        let shown = directory.display();
        match (has(MANIFEST), has(&format!("{MANIFEST}{ENCRYPTED}")), &secret) {
            (false, false, _) => {
                bail!("{shown} has no {MANIFEST}: it is no snapshot, or its making was cut short")
            }
            (true, true, _) => bail!("{shown} has two manifests, expected one"),
            (true, false, Some(_)) => {
                bail!("{shown} is not encrypted, and a password or key was given")
            }
            (false, true, None) => {
                bail!("{shown} is encrypted: give --password-file or --key-file")
            }
            _ => {}
        }
        Ok(Self { directory: directory.to_owned(), secret, known: None })
    }

    /// Reads the manifest, and its SM3.
    pub(crate) fn manifest(&mut self) -> Result<(Manifest, [u8; 32])> {
        let mut bytes = Vec::new();
        let path = self.place(MANIFEST);
        let read = self.open(MANIFEST)?.take(MAX_BYTES + 1).read_to_end(&mut bytes);
        read.with_context(|| format!("cannot read {}", path.display()))?;
        let manifest = Manifest::from_bytes(&bytes)
            .with_context(|| format!("snapshot {}", self.directory.display()))?;
        self.check_names(&manifest)?;
        Ok((manifest, billchain_primitives::sm3(&bytes)))
    }

    /// That the files are those of the manifest, none more and none less.
    fn check_names(&self, manifest: &Manifest) -> Result<()> {
        let listed = manifest.files.iter().map(|entry| self.place(&entry.name));
        let mut listed: BTreeSet<PathBuf> = listed.collect();
        listed.insert(self.place(MANIFEST));
        let found: BTreeSet<PathBuf> = tree(&self.directory)?.0.into_iter().collect();
        if let Some(path) = listed.difference(&found).next() {
            bail!("{} is missing", path.display());
        }
        if let Some(path) = found.difference(&listed).next() {
            bail!("{} is not in the manifest", path.display());
        }
        Ok(())
    }

    /// Reads a file to its end into `out`, and compares it with what is said of it.
    /// What `out` got is worth nothing until then.
    pub(crate) fn read(&mut self, entry: &Entry, out: &mut dyn Write) -> Result<()> {
        let path = self.place(&entry.name);
        let mut sm3 = Sm3::new();
        let mut bytes = 0;
        {
            // One byte more than there should be is enough to know.
            let mut input = self.open(&entry.name)?.take(entry.bytes.saturating_add(1));
            let mut input = Observed { input: &mut input, sm3: &mut sm3, bytes: &mut bytes };
            transfer(&mut input, out).with_context(|| path.display().to_string())?;
        }
        ensure!(
            bytes == entry.bytes,
            "{} has {} bytes, expected {}",
            path.display(),
            if bytes > entry.bytes { "more".to_owned() } else { bytes.to_string() },
            entry.bytes
        );
        let found = sm3.finalize();
        ensure!(
            found == entry.sm3.0,
            "{}: its SM3 is {}, expected {}",
            path.display(),
            hex::encode(found),
            hex::encode(entry.sm3)
        );
        Ok(())
    }

    fn place(&self, name: &str) -> PathBuf {
        let suffix = if self.secret.is_some() { ENCRYPTED } else { "" };
        self.directory.join(format!("{name}{suffix}"))
    }

    fn open(&mut self, name: &str) -> Result<Box<dyn Read>> {
        let path = self.place(name);
        let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = BufReader::with_capacity(BUFFER, file);
        match &self.secret {
            None => Ok(Box::new(file)),
            Some(secret) => {
                let opener = Opener::new(file, secret, &mut self.known, name);
                Ok(Box::new(opener.with_context(|| path.display().to_string())?))
            }
        }
    }
}

/// What is read, counted and hashed.
struct Observed<'a> {
    input: &'a mut dyn Read,
    sm3: &'a mut Sm3,
    bytes: &'a mut u64,
}

impl Read for Observed<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        self.sm3.update(&into[..count]);
        *self.bytes += count as u64;
        Ok(count)
    }
}

fn transfer(input: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => out.write_all(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// All files below a directory, and all directories, itself first. Anything else, a
/// link for instance, is an error.
pub(crate) fn tree(directory: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut files, mut directories) = (Vec::new(), vec![directory.to_owned()]);
    let mut next = 0;
    while let Some(place) = directories.get(next).cloned() {
        next += 1;
        let read = || format!("cannot read {}", place.display());
        for entry in fs::read_dir(&place).with_context(read)? {
            let entry = entry.with_context(read)?;
            let kind = entry.file_type().with_context(read)?;
            match (kind.is_dir(), kind.is_file()) {
                (true, _) => directories.push(entry.path()),
                (_, true) => files.push(entry.path()),
                _ => bail!("{} is neither file nor directory", entry.path().display()),
            }
        }
    }
    files.sort();
    Ok((files, directories))
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<()> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .with_context(|| format!("cannot sync {}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::manifest::tests::sample;

    fn secret() -> Secret {
        Secret::key([5; 32])
    }

    /// A snapshot of two files.
    fn made(secret: Option<&Secret>) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("source");
        let snapshot = directory.path().join("snapshot");
        let writer = Writer::new(&snapshot, secret).unwrap();
        let mut files = Vec::new();
        for (name, content) in [("db/CURRENT", vec![7; 16]), ("db/000012.sst", vec![9; 200_000])] {
            fs::write(&source, content).unwrap();
            files.push(writer.copy(&source, name).unwrap());
        }
        writer.finish(&Manifest::new(sample().block, files)).unwrap();
        (directory, snapshot)
    }

    fn read(snapshot: &Path, secret: Option<Secret>) -> Result<Vec<Vec<u8>>> {
        let mut reader = Reader::new(snapshot, secret)?;
        let (manifest, _) = reader.manifest()?;
        let mut contents = Vec::new();
        for entry in &manifest.files {
            let mut content = Vec::new();
            reader.read(entry, &mut content)?;
            contents.push(content);
        }
        Ok(contents)
    }

    #[test]
    fn files_come_back_as_they_were_in_the_clear_and_encrypted() {
        for encrypted in [false, true] {
            let key = encrypted.then(secret);
            let (_directory, snapshot) = made(key.as_ref());
            let contents = read(&snapshot, key).unwrap();
            assert_eq!(contents, [vec![9; 200_000], vec![7; 16]]);
            assert!(Writer::new(&snapshot, None).is_err(), "nothing is written over");
        }
    }

    #[test]
    fn each_file_cut_changed_removed_or_added_is_found() {
        for encrypted in [false, true] {
            let key = || encrypted.then(secret);
            let (_directory, snapshot) = made(key().as_ref());
            for path in tree(&snapshot).unwrap().0 {
                let whole = fs::read(&path).unwrap();
                let mut changed = whole.clone();
                changed[whole.len() / 2] ^= 1;
                let longer = [&whole[..], &[0]].concat();
                for damaged in
                    [&whole[..whole.len() / 2], &whole[..whole.len() - 1], &changed, &longer]
                {
                    fs::write(&path, damaged).unwrap();
                    assert!(read(&snapshot, key()).is_err(), "{}", path.display());
                }
                fs::remove_file(&path).unwrap();
                assert!(read(&snapshot, key()).is_err(), "{} removed", path.display());
                fs::write(&path, whole).unwrap();
            }
            fs::write(snapshot.join("db/000013.sst"), "more").unwrap();
            let error = read(&snapshot, key()).unwrap_err().to_string();
            assert!(error.contains("is not in the manifest"), "{error}");
        }
    }

    #[test]
    fn one_in_the_clear_is_not_taken_for_an_encrypted_one() {
        let (_directory, clear) = made(None);
        let error = read(&clear, Some(secret())).unwrap_err().to_string();
        assert!(error.contains("is not encrypted"), "{error}");
        let (_directory, encrypted) = made(Some(&secret()));
        let error = read(&encrypted, None).unwrap_err().to_string();
        assert!(error.contains("give --password-file or --key-file"), "{error}");
        assert!(read(&encrypted, Some(Secret::key([6; 32]))).is_err());
        // Two files exchanged, each authentic by itself.
        let [a, b] = ["db/CURRENT.sm4", "db/000012.sst.sm4"].map(|name| encrypted.join(name));
        let (of_a, of_b) = (fs::read(&a).unwrap(), fs::read(&b).unwrap());
        fs::write(&a, of_b).unwrap();
        fs::write(&b, of_a).unwrap();
        assert!(read(&encrypted, Some(secret())).is_err());
    }

    #[test]
    fn a_making_cut_short_is_no_snapshot() {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("source");
        fs::write(&source, "content").unwrap();
        let snapshot = directory.path().join("snapshot");
        let writer = Writer::new(&snapshot, None).unwrap();
        writer.copy(&source, "db/CURRENT").unwrap();
        drop(writer);
        let error = read(&snapshot, None).unwrap_err().to_string();
        assert!(error.contains("its making was cut short"), "{error}");
    }
}
