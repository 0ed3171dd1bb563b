//! Feeds every target its seeds, its corpus, and damaged forms of both.
//!
//! The damage is the same each time. `BILLCHAIN_FUZZ_SEED=<number>` makes other
//! damage, `BILLCHAIN_FUZZ_FACTOR=<number>` more of it.

mod memory;

use billchain_fuzz::{
    TARGETS, Target, Verdict, corpus_directory,
    mutate::{Random, damaged},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Longest time for one input. The dearest take milliseconds.
const MOST_TIME: Duration = Duration::from_secs(5);
/// Most memory for one input, and more for each of its bytes.
const MOST_BYTES: usize = 64 << 20;
const MOST_BYTES_A_BYTE: usize = 64;

macro_rules! tests {
    ($($name:ident: $module:ident, $inputs:literal;)*) => {$(
        #[test]
        fn $name() {
            check(stringify!($name));
        }
    )*};
}
billchain_fuzz::for_each_target!(tests);

/// Prints what is needed to see a failure again.
struct Case<'a> {
    target: &'static str,
    what: String,
    input: &'a [u8],
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {}: input {}", self.target, self.what, hex::encode(self.input));
        }
    }
}

/// What a run of a target came to.
#[derive(Default)]
struct Summary {
    inputs: u32,
    accepted: u32,
    slowest: Duration,
    most_bytes: usize,
}

fn feed(target: &Target, what: String, input: &[u8], summary: &mut Summary) -> Verdict {
    let case = Case { target: target.name, what, input };
    let began = Instant::now();
    let (verdict, bytes) = memory::most_during(|| (target.run)(input));
    let took = began.elapsed();
    assert!(took <= MOST_TIME, "took {took:?}");
    let most = MOST_BYTES + MOST_BYTES_A_BYTE * input.len();
    assert!(bytes <= most, "took {bytes} bytes of memory for {} of input", input.len());
    drop(case);
    summary.inputs += 1;
    summary.accepted += u32::from(verdict == Verdict::Accepted);
    summary.slowest = summary.slowest.max(took);
    summary.most_bytes = summary.most_bytes.max(bytes);
    verdict
}

fn check(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("made from one list");
    let seed = number("BILLCHAIN_FUZZ_SEED", 1);
    let count = u64::from(target.inputs) * number("BILLCHAIN_FUZZ_FACTOR", 1);
    println!("{name}: seed {seed}");
    let mut inputs = (target.seeds)();
    let mut summary = Summary::default();
    // The first may take what is made once and kept.
    feed(target, "seed 0".into(), &inputs[0], &mut Summary::default());
    let mut accepted = false;
    for (at, input) in inputs.iter().enumerate() {
        let verdict = feed(target, format!("seed {at}"), input, &mut summary);
        accepted |= verdict == Verdict::Accepted;
    }
    assert!(accepted, "none of the {} seeds is accepted", inputs.len());
    let corpus = corpus(name);
    assert!(!corpus.is_empty(), "{} is empty", corpus_directory(name).display());
    for (path, input) in corpus {
        feed(target, path.display().to_string(), &input, &mut summary);
        inputs.push(input);
    }
    let mut random = Random::new(seed);
    for round in 0..count {
        let input = damaged(&mut random, &inputs);
        feed(target, format!("seed {seed}, round {round}"), &input, &mut summary);
    }
    let Summary { inputs, accepted, slowest, most_bytes } = summary;
    println!(
        "{name}: {inputs} inputs, {accepted} accepted, slowest {slowest:?}, most {most_bytes} bytes"
    );
}

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable}: expected a number")),
        Err(_) => default,
    }
}

/// The committed inputs of a target, in the order of their names.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(listing) = fs::read_dir(corpus_directory(name)) else { return Vec::new() };
    let mut paths: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

#[test]
fn every_target_has_a_program_and_nothing_else_has() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for Target { name, .. } in TARGETS {
        let program = fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("billchain_fuzz::{name}(data)")), "{name}");
        let entry = format!("name = \"{name}\", path = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&entry), "{name}");
    }
    for folder in ["fuzz_targets", "corpus"] {
        let found = fs::read_dir(root.join(folder)).unwrap().count();
        assert_eq!(found, TARGETS.len(), "{folder}");
    }
}

#[test]
fn damage_is_the_same_for_the_same_seed_and_differs_otherwise() {
    let inputs = [b"some input".to_vec(), b"another one".to_vec()];
    let made = |seed| {
        let mut random = Random::new(seed);
        (0..100).map(|_| damaged(&mut random, &inputs)).collect::<Vec<_>>()
    };
    assert_eq!(made(7), made(7));
    assert_ne!(made(7), made(8));
    assert!(made(7).iter().any(|input| !inputs.contains(input)));
}
