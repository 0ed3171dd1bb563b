use super::*;
use crate::snapshot::{archive::Writer, copies::Places};
use billchain_chain_spec::ChainSpec;
use billchain_executor::BuildParams;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// A chain of three blocks, and a snapshot of it that says it is of block `said`.
fn snapshot(directory: &Path, said: u32) -> PathBuf {
    let storage = Storage::open(&directory.join("chain"), StorageOptions::default()).unwrap();
    let state = ChainSpec::development().genesis_state().unwrap();
    let chain = Chain::with_genesis(Arc::new(storage), &state).unwrap();
    for number in 1..=3_u64 {
        let params = BuildParams {
            timestamp_ms: 1_800_000_000_000 + number,
            max_block_bytes: 1 << 20,
            deadline: Instant::now() + Duration::from_secs(60),
        };
        let built = chain.build(params, &mut std::iter::empty()).unwrap();
        let certificate = billchain_consensus::CommitCertificate {
            height: billchain_consensus::Height::new(number),
            round: billchain_consensus::Round::FIRST,
            block_hash: built.block.hash().into(),
            signatures: Vec::new(),
        };
        chain.commit(built.block, certificate.to_bytes()).unwrap();
    }
    let staging = directory.join("staging");
    let segments = directory.join("chain/cold");
    let places = Places { files: staging.clone(), cold: segments.join("staging"), segments };
    places.make(&chain).unwrap();
    let hash = chain.storage().hash_of(said).unwrap().unwrap();
    let subject = Subject::of(&chain, said, hash).unwrap();
    let out = directory.join("snapshot");
    let writer = Writer::new(&out, None).unwrap();
    let files = tree(&staging).unwrap().0.into_iter().map(|path| {
        let name = path.strip_prefix(&staging).unwrap().to_str().unwrap();
        writer.copy(&path, name).unwrap()
    });
    let files = files.collect();
    writer.finish(&Manifest::new(subject, files)).unwrap();
    out
}

fn unpacked(directory: &Path, said: u32) -> (PathBuf, Subject) {
    let mut reader = Reader::new(&snapshot(directory, said), None).unwrap();
    let (manifest, _) = reader.manifest().unwrap();
    let into = directory.join("into");
    let cold = into.join(COLD);
    unpack(&mut reader, &manifest, (&into, &cold)).unwrap();
    let error = unpack(&mut reader, &manifest, (&into, &cold)).unwrap_err().to_string();
    assert!(error.starts_with("cannot make"), "nothing is written over: {error}");
    (into, manifest.block)
}

#[test]
fn what_was_unpacked_is_checked_to_its_last_entry() {
    let directory = tempfile::tempdir().unwrap();
    let (into, block) = unpacked(directory.path(), 3);
    let checked = check((&into, None), &block).unwrap();
    assert_eq!((checked.0.head.number, checked.0.head.hash), (3, block.hash));
    assert!(checked.to_string().contains("blocks 0 to 3 are one chain"), "{checked}");
}

#[test]
fn a_database_of_another_block_than_the_manifests_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    // The header and the certificate of block 2 are good, the files are of block 3.
    let (into, block) = unpacked(directory.path(), 2);
    let error = check((&into, None), &block).err().unwrap().to_string();
    assert!(error.contains("is of another block"), "{error}");
    let other = Subject { document: Hash::repeat_byte(7), ..block };
    let error = check((&into, None), &other).err().unwrap().to_string();
    assert!(error.contains("made from the chain specification"), "{error}");
}

#[test]
fn files_of_segments_that_were_checked_take_the_place_of_others() {
    let directory = tempfile::tempdir().unwrap();
    let own = directory.path();
    let apart = own.join(APART);
    take_in(&apart, own).unwrap();
    fs::create_dir(&apart).unwrap();
    for (file, content) in [
        (own.join("000001-0000.segment"), "damaged"),
        (own.join("000001-0001.segment"), "kept"),
        (own.join("000001-0000.filter"), "own"),
        (apart.join("000001-0000.segment"), "checked"),
        (apart.join("000001-0000.filter"), "made for the check"),
    ] {
        fs::write(file, content).unwrap();
    }
    take_in(&apart, own).unwrap();
    let has = |name: &str| fs::read_to_string(own.join(name)).unwrap();
    assert_eq!(has("000001-0000.segment"), "checked");
    assert_eq!(has("000001-0001.segment"), "kept");
    assert_eq!(has("000001-0000.filter"), "own");
    assert!(!apart.exists());
}
