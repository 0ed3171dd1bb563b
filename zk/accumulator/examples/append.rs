//! Measures what one more entry costs: `cargo run --release --example append`.

use billchain_zk_accumulator::{Accumulator, Entry, Kind};
use std::{hint::black_box, time::Instant};

fn main() {
    const ENTRIES: u32 = 200_000;
    let entry = Entry::new(20_454, 3, 500_000, Kind::Normal, &[7; 32]).expect("in range");
    let mut accumulator = Accumulator::of(&[1; 32]);
    let start = Instant::now();
    for _ in 0..ENTRIES {
        accumulator = accumulator.append(black_box(&entry));
    }
    let each = start.elapsed().as_nanos() as f64 / f64::from(ENTRIES) / 1000.0;
    black_box(accumulator);
    println!("{each:.2} µs an entry");
}
