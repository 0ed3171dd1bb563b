//! A second place in a store that speaks S3.
//!
//! Requests are tried again a few times, within a minute; after that whoever called decides.
//! An object is whole or there is none: parts that were sent are put together by the last
//! request. What a store sends is bounded: in bytes by what was asked for, in time by
//! [`PATIENCE`] a piece.

use crate::{config::ObjectsConfig, text_files};
use anyhow::{Context, Error, Result, bail, ensure};
use billchain_cold::Source;
use futures::StreamExt;
use object_store::{
    Certificate, ClientOptions, GetOptions, GetRange, ObjectStore, ObjectStoreExt, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, Checksum},
    path::Path as Place,
};
use parking_lot::Mutex;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    ops::Range,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};
use zeroize::Zeroizing;

/// Bytes of a part that is sent; all but the last of an object are as long.
const PART: u64 = 16 << 20;
/// Parts that stores take of one object.
const MOST_PARTS: u64 = 9_999;
/// Bytes that are fetched at once.
const PIECE: u64 = 8 << 20;
/// Bytes that are read ahead of somebody who reads one behind the other.
const AHEAD: u64 = 1 << 20;
/// How long a connection may take to open.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long one request may take, with its part, and all tries to get a piece.
const PATIENCE: Duration = Duration::from_secs(120);
/// Times that a request is tried again, and how long in all.
const RETRIES: (usize, Duration) = (4, Duration::from_secs(60));
/// Most bytes of a file with keys, or with certificates.
const MAX_SMALL_FILE: u64 = 1 << 20;

/// A store that speaks S3. All methods block on the network; to be called outside of an
/// asynchronous runtime.
pub(crate) struct Objects {
    runtime: Arc<Runtime>,
    store: Arc<AmazonS3>,
    prefix: String,
    shown: String,
}

impl Objects {
    /// Prepares to use the store. Nothing is asked yet.
    pub(crate) fn open(config: &ObjectsConfig) -> Result<Self> {
        let [id, secret] = keys(&config.keys_file)?;
        let mut options = ClientOptions::new()
            .with_connect_timeout(CONNECTING)
            .with_timeout(PATIENCE)
            .with_allow_http(true);
        if let Some(file) = &config.ca_file {
            let pem = small(file)?;
            let certificates = Certificate::from_pem_bundle(&pem)
                .with_context(|| format!("storage.cold_s3_ca_file {}", file.display()))?;
            ensure!(
                !certificates.is_empty(),
                "storage.cold_s3_ca_file {} holds no certificate in PEM",
                file.display()
            );
            options = options.with_no_system_certificates(true);
            for certificate in certificates {
                options = options.with_root_certificate(certificate);
            }
        }
        let (max_retries, retry_timeout) = RETRIES;
        let retries = RetryConfig { max_retries, retry_timeout, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&config.bucket)
            .with_region(&config.region)
            .with_access_key_id(id.trim())
            .with_secret_access_key(secret.trim())
            .with_client_options(options)
            // A bucket that locks its objects takes no part without one.
            .with_checksum_algorithm(Checksum::SHA256)
            .with_retry(retries);
        if let Some(endpoint) = &config.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let ObjectsConfig { bucket, prefix, .. } = config;
        let shown = format!("s3://{bucket}/{prefix}");
        let store = builder.build().with_context(|| format!("storage.cold_second_path {shown}"))?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let prefix = prefix.clone();
        Ok(Self { runtime: Arc::new(runtime), store: Arc::new(store), prefix, shown })
    }

    /// What people call it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Length of an object; `None` if there is none.
    pub(crate) fn length(&self, name: &str) -> Result<Option<u64>> {
        match self.runtime.block_on(self.store.head(&self.place(name))) {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error).with_context(|| self.failed("ask for", name)),
        }
    }

    /// Sends a file.
    pub(crate) fn put(&self, file: &Path, name: &str) -> Result<()> {
        let (store, place) = (self.store.clone(), self.place(name));
        let sent = self.runtime.block_on(async move { send(&store, &place, file).await });
        sent.with_context(|| self.failed("send", name))
    }

    /// Fetches an object of this length into a file.
    pub(crate) fn get(&self, name: &str, length: u64, into: &mut File) -> Result<()> {
        let place = self.place(name);
        let mut at = 0;
        while at < length {
            let end = length.min(at.saturating_add(PIECE));
            let piece = self.runtime.block_on(piece(&self.store, &place, at..end));
            into.write_all(&piece.with_context(|| self.failed("fetch", name))?)?;
            at = end;
        }
        Ok(())
    }

    /// To read an object of this length in place.
    pub(crate) fn source(&self, name: &str, length: u64) -> Object {
        Object {
            runtime: self.runtime.clone(),
            store: self.store.clone(),
            place: self.place(name),
            name: format!("{}/{name}", self.shown),
            length,
            ahead: Mutex::new((0, Vec::new())),
        }
    }

    fn place(&self, name: &str) -> Place {
        match self.prefix.as_str() {
            "" => Place::from(name),
            prefix => Place::from(format!("{prefix}/{name}")),
        }
    }

    fn failed(&self, action: &str, name: &str) -> String {
        format!("cannot {action} {name} at {}", self.shown)
    }
}

/// Sends a file part by part, of which one is in memory.
async fn send(store: &AmazonS3, place: &Place, file: &Path) -> Result<()> {
    let reading = || format!("cannot read {}", file.display());
    let mut input = File::open(file).with_context(reading)?;
    let length = input.metadata().with_context(reading)?.len();
    let part = PART.max(length.div_ceil(MOST_PARTS));
    let mut upload = store.put_multipart(place).await?;
    let mut sent = Ok(());
    loop {
        let mut bytes = Vec::new();
        match (&mut input).take(part).read_to_end(&mut bytes) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                sent = Err(Error::from(error).context(reading()));
                break;
            }
        }
        if let Err(error) = upload.put_part(bytes.into()).await {
            sent = Err(error.into());
            break;
        }
    }
    match sent {
        Ok(()) => {
            upload.complete().await?;
            Ok(())
        }
        Err(error) => {
            // The store forgets the parts by itself, too, if it is told to.
            let _ = upload.abort().await;
            Err(error)
        }
    }
}

/// The bytes of a range, all of them.
async fn piece(store: &AmazonS3, place: &Place, range: Range<u64>) -> Result<Vec<u8>> {
    let length = usize::try_from(range.end.saturating_sub(range.start))?;
    let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
    let fetched = async {
        let mut stream = store.get_opts(place, options).await?.into_stream();
        let mut found = Vec::new();
        while let Some(bytes) = stream.next().await {
            let bytes = bytes?;
            ensure!(
                bytes.len() <= length.saturating_sub(found.len()),
                "more bytes came than the {length} that were asked for"
            );
            found.extend_from_slice(&bytes);
        }
        ensure!(found.len() == length, "{} bytes came, expected {length}", found.len());
        Ok::<Vec<u8>, Error>(found)
    };
    match timeout(PATIENCE, fetched).await {
        Ok(fetched) => fetched,
        Err(_) => bail!("{length} bytes did not come within {PATIENCE:?}"),
    }
}

/// An object as a segment is read from it.
pub(crate) struct Object {
    runtime: Arc<Runtime>,
    store: Arc<AmazonS3>,
    place: Place,
    name: String,
    length: u64,
    /// What was read last, and where it begins.
    ahead: Mutex<(u64, Vec<u8>)>,
}

impl Source for Object {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.length)
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64).filter(|end| *end <= self.length);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut ahead = self.ahead.lock();
        if let Some(found) = within(&ahead, offset, buffer.len()) {
            buffer.copy_from_slice(found);
            return Ok(());
        }
        // Whoever reads one behind the other gets less than all of it from what was read ahead.
        let (begun, bytes) = &*ahead;
        let known = *begun..=begun.saturating_add(bytes.len() as u64);
        let end = match known.contains(&offset) && !bytes.is_empty() {
            true => end.max(self.length.min(offset.saturating_add(AHEAD))),
            false => end,
        };
        let read = self.runtime.block_on(piece(&self.store, &self.place, offset..end));
        *ahead = (offset, read.map_err(io::Error::other)?);
        let found = within(&ahead, offset, buffer.len());
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// So many bytes from `offset`, if they are among those that begin at `begun`.
fn within((begun, bytes): &(u64, Vec<u8>), offset: u64, length: usize) -> Option<&[u8]> {
    let start = usize::try_from(offset.checked_sub(*begun)?).ok()?;
    bytes.get(start..start.checked_add(length)?)
}

/// Id and secret of the access key.
fn keys(file: &Path) -> Result<[Zeroizing<String>; 2]> {
    let shown = file.display();
    let found = fs::metadata(file)
        .with_context(|| format!("cannot read storage.cold_s3_keys_file {shown}"))?;
    ensure!(
        found.permissions().mode() & 0o007 == 0,
        "storage.cold_s3_keys_file {shown} can be used by every user of the machine: chmod 600"
    );
    ensure!(
        found.is_file() && found.len() <= MAX_SMALL_FILE,
        "storage.cold_s3_keys_file {shown}: expected a file of {MAX_SMALL_FILE} bytes at most"
    );
    let text = Zeroizing::new(text_files::read_text(file, "storage.cold_s3_keys_file")?);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next(), lines.next()) {
        (Some(id), Some(secret), None) => {
            Ok([Zeroizing::new(id.to_owned()), Zeroizing::new(secret.to_owned())])
        }
        _ => Err(Error::msg(format!(
            "storage.cold_s3_keys_file {shown}: expected two lines, the id of the access key and \
             its secret"
        ))),
    }
}

/// The content of a small file.
fn small(file: &Path) -> Result<Vec<u8>> {
    let reading = || format!("cannot read {}", file.display());
    let mut bytes = Vec::new();
    let input = File::open(file).with_context(reading)?;
    input.take(MAX_SMALL_FILE).read_to_end(&mut bytes).with_context(reading)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_two_lines_that_others_cannot_read() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("keys");
        let with = |text: &str, mode: u32| {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            keys(&file).map(|[id, secret]| (id.to_string(), secret.to_string()))
        };
        let known = ("AK1".to_owned(), "s/e+c".to_owned());
        assert_eq!(with("AK1\r\n s/e+c \n", 0o600).unwrap(), known);
        for (text, mode, words) in [
            ("AK1\nsecret\n", 0o644, "can be used by every user of the machine"),
            ("AK1\n", 0o600, "expected two lines"),
            ("AK1\nsecret\nmore\n", 0o600, "expected two lines"),
        ] {
            let error = with(text, mode).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            assert!(!error.contains("secret\n"), "{error}");
        }
    }

    #[test]
    fn what_was_read_ahead_is_used_from_its_first_byte_to_its_last() {
        let ahead = (10, vec![1, 2, 3]);
        assert_eq!(within(&ahead, 10, 3), Some(&[1, 2, 3][..]));
        assert_eq!(within(&ahead, 12, 1), Some(&[3][..]));
        assert_eq!(within(&ahead, 13, 0), Some(&[][..]));
        for (offset, length) in [(9, 1), (9, 0), (12, 2), (13, 1), (14, 0), (u64::MAX, 1)] {
            assert_eq!(within(&ahead, offset, length), None, "{length} from {offset}");
        }
    }

    #[test]
    fn a_store_that_does_not_answer_is_an_error_with_its_name() {
        let place = tempfile::tempdir().unwrap();
        let keys_file = place.path().join("keys");
        fs::write(&keys_file, "id\nsecret\n").unwrap();
        fs::set_permissions(&keys_file, fs::Permissions::from_mode(0o600)).unwrap();
        let config = ObjectsConfig {
            bucket: "bills".into(),
            prefix: "node-1".into(),
            // Nobody listens there.
            endpoint: Some("http://127.0.0.1:1".into()),
            region: "us-east-1".into(),
            keys_file,
            ca_file: Some(place.path().join("none.pem")),
        };
        let error = Objects::open(&config).map(drop).unwrap_err();
        assert!(format!("{error:#}").contains("none.pem"), "{error:#}");
        let objects = Objects::open(&ObjectsConfig { ca_file: None, ..config }).unwrap();
        assert_eq!(objects.shown(), "s3://bills/node-1");
        let error = format!("{:#}", objects.length("segment").unwrap_err());
        assert!(error.contains("cannot ask for segment at s3://bills/node-1"), "{error}");
    }
}
