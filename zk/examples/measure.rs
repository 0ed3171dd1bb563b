//! Measures a proof of each size: `cargo run --release --example measure -- 1000`.

use billchain_zk::accumulator::{Accumulator, Entry, Kind, Secret, commitment};
use billchain_zk::{
    Anchor, Answer, Kinds, Proof, Question, Statement, Witness, prove, soundness, system_generator,
    verify,
};
use std::time::Instant;

fn main() {
    let mut sizes: Vec<usize> = std::env::args().skip(1).filter_map(|n| n.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![10, 1000];
    }
    for bills in sizes {
        measure(bills);
    }
}

fn measure(bills: usize) {
    let reference = [7; 32];
    let secret = Secret::from_bytes(&[9; 32]);
    let entries: Vec<Entry> = (0..bills)
        .map(|i| {
            let hash = [i as u8; 32];
            Entry::new(20_000 + i as u32 % 365, 3, 1_000 * i as u64, Kind::Normal, &hash)
                .expect("in range")
        })
        .collect();
    let question = Question {
        from: 20_000,
        to: 20_400,
        scenes: vec![3, 5],
        least: 500_000,
        most: 99_999_999_999_999,
        kinds: Kinds::BILLS,
        asker: [1; 32],
        challenge: [2; 32],
    };
    let answer = match question.count(&entries) {
        0 => Answer::Absent,
        _ => Answer::AtLeast(1),
    };
    let accumulator = Accumulator::of_entries(&reference, &entries);
    let anchor = Anchor { block: 1, block_hash: [3; 32], accumulator };
    let holder = commitment(&reference, &secret);
    let statement = Statement::new(question, anchor, holder, answer).expect("in range");
    let witness = Witness { reference, secret, entries };
    let mut rng = system_generator().expect("randomness");

    let start = Instant::now();
    let proof = prove(&statement, &witness, &mut rng).expect("a proof");
    let proving = start.elapsed();
    let bytes = proof.to_bytes();
    let start = Instant::now();
    let read = Proof::from_bytes(&bytes).expect("the same proof");
    verify(&statement, &read).expect("it holds");
    let verifying = start.elapsed();
    let log_rows = (bills + 4).next_power_of_two().max(256).ilog2() as usize;
    println!(
        "{bills} bills: proved in {:.0} ms, read and verified in {:.1} ms, {} bytes, {:?}, {} MiB",
        proving.as_secs_f64() * 1e3,
        verifying.as_secs_f64() * 1e3,
        bytes.len(),
        soundness(log_rows),
        peak_mib(),
    );
}

/// Most memory that the process had, in MiB; 0 where the system does not say.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|l| l.split_whitespace().nth(1)).and_then(|n| n.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
