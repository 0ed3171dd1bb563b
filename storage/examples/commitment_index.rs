//! Measures candidates for the state commitment: QMDB's unordered and ordered variants
//! with different indices in memory, over keys that are SM3 digests.
//!
//! ```text
//! cargo run --release -p billchain-storage --example commitment_index -- \
//!     VARIANT DIRECTORY CACHE_MIB LAYOUT KEYS[,KEYS…]
//! ```
//!
//! Keys are those of bills of 500 issuers that register in turn. `LAYOUT` is `hashed`: a key is
//! the SM3 of its number; or `grouped`: a hundred numbers in a row are neighbours.
//!
//! `VARIANT` is `unordered` (as the store has it), or `ordered-1`, `ordered-2`,
//! `ordered-3`: the bytes of a key that choose its part of the index. At each number of
//! keys, one line of CSV: memory of the process, bytes on disk, µs a key for blocks of
//! 10,000, 1,000 and 100 keys of which half are new, and the time to open it again.

#[allow(dead_code)]
#[path = "../src/commitment/hasher.rs"]
mod hasher;

use commonware_cryptography::sha256::Digest;
use commonware_parallel::Sequential;
use commonware_runtime::{
    Runner as _,
    buffer::paged::{CacheRef, page_size},
    tokio,
};
use commonware_storage::{
    journal::contiguous::fixed::Config as JournalConfig,
    merkle::{self, mmr},
    qmdb::{
        current::{FixedConfig, ordered, unordered},
        floor::Proportional,
    },
    translator::{EightCap, FourCap, Translator},
};
use hasher::Sm3;
use std::{
    fs,
    num::{NonZeroU16, NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

const CHUNK: usize = 32;
const PAGE_SIZE: NonZeroU16 = page_size(4096);
const SYNC_INTERVAL: u64 = 16;
const PRUNE_INTERVAL: u64 = 64;
/// Sizes of the blocks that are timed, and how many keys are written in each.
const BLOCKS: [u64; 3] = [10_000, 1_000, 100];
const TIMED_KEYS: u64 = 100_000;

const ISSUERS: u64 = 500;
/// The most that an issuer registers here.
const BILLS_OF_AN_ISSUER: u64 = 100_000_000;

const fn size(size: usize) -> NonZeroUsize {
    match NonZeroUsize::new(size) {
        Some(size) => size,
        None => panic!("zero"),
    }
}

fn config<T: Translator + Default>(cache_mib: usize) -> FixedConfig<T, Sequential, NonZeroUsize> {
    let pages = (cache_mib << 20) / usize::from(PAGE_SIZE.get());
    let cache = CacheRef::new(PAGE_SIZE, NonZeroUsize::new(pages).unwrap_or(NonZeroUsize::MIN));
    let buffer = size(1 << 20);
    FixedConfig {
        merkle_config: merkle::full::Config {
            journal_partition: "nodes".into(),
            metadata_partition: "pinned".into(),
            items_per_blob: NonZeroU64::MIN.saturating_add((1 << 21) - 1),
            write_buffer: buffer,
            replay_buffer: buffer,
            strategy: Sequential,
            page_cache: cache.clone(),
        },
        journal_config: JournalConfig {
            partition: "operations".into(),
            items_per_blob: NonZeroU64::MIN.saturating_add((1 << 20) - 1),
            page_cache: cache,
            write_buffer: buffer,
            replay_buffer: buffer,
        },
        grafted_metadata_partition: "grafted".into(),
        translator: T::default(),
        init_cache: NonZeroUsize::new(1 << 16),
        init_buffer: buffer,
        init_concurrency: size(2),
    }
}

/// The key of the bill with this number, in the order of registration: issuers take turns,
/// and each counts its own bills.
fn key_of(number: u64, is_grouped: bool) -> Digest {
    let own = number % ISSUERS * BILLS_OF_AN_ISSUER + number / ISSUERS;
    if !is_grouped {
        return digest(own);
    }
    let mut key = digest(own / 100);
    let place = (own % 100) as u16;
    key.0[4..6].copy_from_slice(&place.to_be_bytes());
    key
}

/// The value of a number.
fn digest(number: u64) -> Digest {
    Digest(billchain_crypto::sm3::sm3(&number.to_be_bytes()))
}

fn memory_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

fn disk_bytes(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => disk_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(of).sum()
}

/// What is measured.
struct Options {
    directory: PathBuf,
    cache: usize,
    grouped: bool,
    counts: Vec<u64>,
}

macro_rules! measure {
    ($database:ty, $translator:ty, $options:expr) => {{
        let Options { directory, cache, grouped, counts } = $options;
        let (directory, cache, grouped) = (directory.as_path(), *cache, *grouped);
        let runner = || {
            let config = tokio::Config::new().with_storage_directory(directory);
            tokio::Runner::new(config.with_worker_threads(1))
        };
        let (mut keys, mut value, mut height) = (0_u64, 0_u64, 0_u64);
        for count in counts.iter().copied() {
            let line = runner().start(|context| async move {
                let mut db = <$database>::init(context, config::<$translator>(cache), None).await?;
                let mut seconds = Vec::new();
                let grow = [(10_000, count.saturating_sub(keys), 100)];
                let timed = BLOCKS.map(|block| (block, TIMED_KEYS, 50));
                for (block, total, new_percent) in grow.into_iter().chain(timed) {
                    let begun = Instant::now();
                    for _ in 0..total / block {
                        let mut batch = db.new_batch();
                        for at in 0..block {
                            let key = if at * 100 < block * new_percent {
                                keys += 1;
                                keys
                            } else {
                                // Spread over all of them.
                                value.wrapping_mul(0x9e37_79b9_7f4a_7c15) % keys + 1
                            };
                            value += 1;
                            batch =
                                batch.write(key_of(key, grouped), Some(digest(u64::MAX - value)));
                        }
                        let metadata = Some(digest(height));
                        let batch = batch.merkleize(&db, metadata, &mut Proportional).await?;
                        db = db.apply_batch(batch).await?;
                        height += 1;
                        if height % SYNC_INTERVAL == 0 {
                            db = db.commit().await?;
                        }
                        if height % PRUNE_INTERVAL == 0 {
                            let boundary = db.sync_boundary();
                            db = db.prune(boundary).await?;
                        }
                    }
                    let each = begun.elapsed().as_secs_f64() * 1e6 / total.max(1) as f64;
                    seconds.push(format!("{each:.2}"));
                }
                let memory = memory_mib();
                db = db.sync().await?;
                drop(db);
                Ok::<_, commonware_storage::qmdb::Error<mmr::Family>>((
                    (keys, value, height),
                    format!("{count},{memory},{},{}", disk_bytes(directory), seconds.join(",")),
                ))
            });
            let (place, line) = line.map_err(|error| error.to_string())?;
            (keys, value, height) = place;
            let begun = Instant::now();
            let opened = runner().start(|context| async move {
                <$database>::init(context, config::<$translator>(cache), None).await.map(drop)
            });
            opened.map_err(|error| error.to_string())?;
            println!("{line},{:.2}", begun.elapsed().as_secs_f64());
        }
        Ok(())
    }};
}

type Unordered<E> = unordered::fixed::partitioned::Db<
    mmr::Family,
    E,
    Digest,
    Digest,
    Sm3,
    EightCap,
    1,
    CHUNK,
    Sequential,
>;
type Ordered<E, T, const PREFIX: usize> = ordered::fixed::partitioned::Db<
    mmr::Family,
    E,
    Digest,
    Digest,
    Sm3,
    T,
    PREFIX,
    CHUNK,
    Sequential,
>;
type Context = tokio::Context;

fn run(arguments: &[String]) -> Result<(), String> {
    let [variant, directory, cache, layout, counts] = arguments else {
        return Err("expected VARIANT DIRECTORY CACHE_MIB LAYOUT KEYS[,KEYS…]".into());
    };
    let grouped = match layout.as_str() {
        "hashed" => false,
        "grouped" => true,
        other => return Err(format!("LAYOUT {other}: hashed or grouped")),
    };
    let directory = PathBuf::from(directory);
    let cache: usize = cache.parse().map_err(|_| format!("CACHE_MIB {cache}: no number"))?;
    let counts: Result<Vec<u64>, _> = counts.split(',').map(str::parse).collect();
    let counts = counts.map_err(|_| "KEYS: expected numbers between commas")?;
    let options = &Options { directory, cache, grouped, counts };
    println!("keys,memory MiB,disk bytes,grow µs,10000 µs,1000 µs,100 µs,open s");
    match variant.as_str() {
        "unordered" => measure!(Unordered<Context>, EightCap, options),
        "ordered-1" => measure!(Ordered<Context, EightCap, 1>, EightCap, options),
        "ordered-2" => measure!(Ordered<Context, FourCap, 2>, FourCap, options),
        "ordered-3" => measure!(Ordered<Context, FourCap, 3>, FourCap, options),
        other => Err(format!("VARIANT {other}: unordered, ordered-1, ordered-2 or ordered-3")),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
