//! `storage.cold_…`: where cold segments lie, and their second place.

use super::{named::Kind, reader::Reader};
use std::path::PathBuf;

/// What a second path in an object store begins with.
const SCHEME: &str = "s3://";
/// Region of a store that names none.
const REGION: &str = "us-east-1";
/// Keys that only an object store has.
const S3_KEYS: [&str; 4] = [
    "storage.cold_s3_endpoint",
    "storage.cold_s3_region",
    "storage.cold_s3_keys_file",
    "storage.cold_s3_ca_file",
];

/// Where cold segments lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColdConfig {
    /// Directory of their files; `cold` beside the database without it.
    pub path: Option<PathBuf>,
    /// Bytes of the cache of their pages and blocks.
    pub cache_bytes: usize,
    /// Where a second copy of each file goes.
    pub second: Option<SecondPath>,
}

/// Where second copies go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecondPath {
    /// A directory, of a NAS for instance.
    Directory(PathBuf),
    /// A store that speaks S3.
    Objects(ObjectsConfig),
}

/// A store that speaks S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectsConfig {
    /// The bucket.
    pub bucket: String,
    /// What the names of objects begin with; may be empty.
    pub prefix: String,
    /// URL of the store; that of AWS in the region without it.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// File with the id of the access key on its first line, and the secret on its second.
    pub keys_file: PathBuf,
    /// File with the certificates that sign the store's, PEM; the system's without it.
    pub ca_file: Option<PathBuf>,
}

impl ColdConfig {
    pub(super) fn read(r: &mut Reader) -> Option<Self> {
        // A disk that is not mounted leaves no directory, or one that is not the node's.
        let path = r.optional_path("storage.cold_path", Kind::Writable);
        let cache_mib = r.number("storage.cold_cache_mib", 32, 1..=1 << 20);
        let second = match r.optional_text("storage.cold_second_path") {
            Some(text) if text.starts_with(SCHEME) => {
                ObjectsConfig::read(r, &text).map(SecondPath::Objects)
            }
            Some(text) => {
                refuse_s3_keys(r);
                directory(r, &text)
            }
            None => {
                refuse_s3_keys(r);
                None
            }
        };
        Some(Self { path, cache_bytes: cache_mib? << 20, second })
    }
}

fn directory(r: &mut Reader, text: &str) -> Option<SecondPath> {
    let key = "storage.cold_second_path";
    if text.is_empty() || text.contains("://") {
        r.problem(
            key,
            format_args!("expected a directory or s3://BUCKET/PREFIX, found \"{text}\""),
        );
        return None;
    }
    Some(SecondPath::Directory(r.name(key, text, Kind::Writable)))
}

/// They mean nothing without an object store.
fn refuse_s3_keys(r: &mut Reader) {
    for key in S3_KEYS {
        if r.optional_text(key).is_some() {
            r.problem(key, "storage.cold_second_path is no s3://BUCKET/PREFIX");
        }
    }
}

impl ObjectsConfig {
    fn read(r: &mut Reader, url: &str) -> Option<Self> {
        let [endpoint, region, keys_file, ca_file] = S3_KEYS;
        let place = url.strip_prefix(SCHEME).unwrap_or_default();
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = prefix.trim_matches('/');
        let is_good = is_bucket(bucket) && is_prefix(prefix);
        if !is_good {
            let expected = "expected s3://BUCKET/PREFIX: a bucket of 3 to 63 lower-case letters, \
                            digits, '.' and '-'; a prefix of letters, digits, '.', '_', '-' and \
                            '/', or none";
            r.problem("storage.cold_second_path", format_args!("{expected}, found \"{url}\""));
        }
        let known = r.optional_text(endpoint);
        if known.as_ref().is_some_and(|text| !is_url(text)) {
            // What is there instead may have a key in it.
            r.problem(endpoint, "expected https://HOST:PORT, and no key in it");
        }
        let region = r.optional_text(region).unwrap_or_else(|| REGION.to_owned());
        let keys_file = r.path(keys_file, Kind::File);
        let ca_file = r.optional_path(ca_file, Kind::File);
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        Some(Self { bucket, prefix, endpoint: known, region, keys_file: keys_file?, ca_file })
    }
}

/// A host, a port and perhaps a path: keys stand in their file, not in what logs name.
fn is_url(text: &str) -> bool {
    let place = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    place.is_some_and(|place| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:/[]".contains(&byte);
        !place.is_empty() && place.bytes().all(is_plain)
    })
}

fn is_bucket(text: &str) -> bool {
    (3..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
}

/// What is a name in every store and on every disk, part by part.
fn is_prefix(text: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    text.len() <= 200 && (text.is_empty() || text.split('/').all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn read(text: &str) -> Result<ColdConfig, Vec<String>> {
        let mut reader = Reader::new(text, Path::new("/etc/billchain")).unwrap();
        let config = ColdConfig::read(&mut reader);
        let problems = reader.finish();
        config.filter(|_| problems.is_empty()).ok_or(problems)
    }

    #[test]
    fn without_keys_segments_lie_beside_the_database_and_nowhere_else() {
        let expected = ColdConfig { path: None, cache_bytes: 32 << 20, second: None };
        assert_eq!(read(""), Ok(expected));
    }

    #[test]
    fn the_second_path_is_a_directory_or_a_bucket() {
        let directory = read("[storage]\ncold_path = \"/cold\"\ncold_second_path = \"nas\"\n");
        let directory = directory.unwrap();
        assert_eq!(directory.path, Some("/cold".into()));
        let expected = SecondPath::Directory("/etc/billchain/nas".into());
        assert_eq!(directory.second, Some(expected));
        let objects = read(
            "[storage]\ncold_second_path = \"s3://bills/node-1/cold\"\n\
             cold_s3_endpoint = \"https://store:9000\"\ncold_s3_keys_file = \"keys\"\n",
        );
        let expected = ObjectsConfig {
            bucket: "bills".into(),
            prefix: "node-1/cold".into(),
            endpoint: Some("https://store:9000".into()),
            region: "us-east-1".into(),
            keys_file: "/etc/billchain/keys".into(),
            ca_file: None,
        };
        assert_eq!(objects.unwrap().second, Some(SecondPath::Objects(expected)));
    }

    #[test]
    fn each_mistake_names_its_key() {
        for (keys, expected) in [
            ("cold_second_path = \"ftp://x\"", "storage.cold_second_path: expected a directory"),
            ("cold_second_path = \"\"", "storage.cold_second_path: expected a directory"),
            (
                "cold_second_path = \"s3://Bills\"\ncold_s3_keys_file = \"k\"",
                "storage.cold_second_path: expected s3://BUCKET/PREFIX",
            ),
            (
                "cold_second_path = \"s3://bills/../x\"\ncold_s3_keys_file = \"k\"",
                "storage.cold_second_path: expected s3://BUCKET/PREFIX",
            ),
            ("cold_second_path = \"s3://bills/x\"", "storage.cold_s3_keys_file: is required"),
            (
                "cold_second_path = \"s3://bills\"\ncold_s3_keys_file = \"k\"\n\
                 cold_s3_endpoint = \"store:9000\"",
                "storage.cold_s3_endpoint: expected https://HOST:PORT",
            ),
            (
                "cold_second_path = \"s3://bills\"\ncold_s3_keys_file = \"k\"\n\
                 cold_s3_endpoint = \"https://id:secret@store\"",
                "storage.cold_s3_endpoint: expected https://HOST:PORT",
            ),
            (
                "cold_second_path = \"nas\"\ncold_s3_keys_file = \"k\"",
                "storage.cold_s3_keys_file: storage.cold_second_path is no s3://",
            ),
            ("cold_s3_region = \"x\"", "storage.cold_s3_region: storage.cold_second_path is no"),
            ("cold_cache_mib = 0", "storage.cold_cache_mib: expected a whole number from 1"),
        ] {
            let problems = read(&format!("[storage]\n{keys}\n")).unwrap_err();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with(expected), "{problems:?}");
        }
    }
}
