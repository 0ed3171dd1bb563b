//! Measures segments of bills: bytes a bill, time to write, to read and to prove.
//!
//! ```text
//! cargo run --release -p billchain-cold --example measure -- DIRECTORY BILLS[,BILLS…] [BLOCK_BYTES [ZSTD_LEVEL]]
//! ```
//!
//! Bills are those of a hundred codes in turn, ten to a group, encoded as the state holds them
//! (`docs/certificates.md`), registered and not changed since. What is a digest on a real bill
//! is random here. One line of CSV for each number of bills.

use billchain_cold::{Activity, ColdError, Group, LocalFile, Proof, Segment, WriteOptions, write};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

/// What the keys of bills begin with in the state.
const PREFIX: [u8; 32] = [
    0xdd, 0xb7, 0x89, 0x79, 0x21, 0xbd, 0xbb, 0x76, 0x30, 0x63, 0x48, 0x68, 0x12, 0xca, 0xb6, 0x44,
    0x6c, 0x7a, 0xc7, 0x2e, 0xab, 0x83, 0x46, 0x50, 0xc4, 0x53, 0xb0, 0x2f, 0xaa, 0xb9, 0xa4, 0xc6,
];

const CODES: u64 = 100;
const IN_A_GROUP: u64 = 10;
/// Keys that are read, and groups that are proved, for a time.
const ASKED: u64 = 20_000;

/// Numbers that look random (splitmix64), the same on every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn hash(&mut self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.chunks_mut(8).for_each(|part| part.copy_from_slice(&self.next().to_le_bytes()));
        hash
    }
}

fn shared(group: u64, groups: u64) -> Vec<u8> {
    let of_code = groups.div_ceil(CODES);
    let (code, number) = (group / of_code, group % of_code);
    [&PREFIX[..], format!("310601{code:02}{number:09}").as_bytes()].concat()
}

/// A bill in SCALE.
fn bill(chance: &mut Chance, key: &[u8], number: u64) -> Vec<u8> {
    let issuer = number / 30_000 % 51;
    let mut bill = key[32..].to_vec();
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    bill.extend((0..6).map(|_| LETTERS[chance.below(LETTERS.len() as u64) as usize]));
    bill.push(u8::from(chance.below(50) == 0));
    let date = 20_260_101 + 100 * (number / 40_000 % 12) + number / 1_500 % 28;
    let time = 80_000 + 10_000 * chance.below(9) + 100 * chance.below(60) + chance.below(60);
    bill.extend((date as u32).to_le_bytes());
    bill.extend((time as u32).to_le_bytes());
    bill.extend((100 * chance.below(300) + chance.below(20_000)).to_le_bytes());
    let did = format!("did:billchain:issuer{issuer:04}");
    bill.push(4 * did.len() as u8);
    bill.extend(did.as_bytes());
    bill.extend(format!("12310000MB{issuer:08}").as_bytes());
    bill.push(u8::from(chance.below(50) == 0));
    bill.extend(chance.hash());
    bill.extend(1_u16.to_le_bytes());
    (0..4).for_each(|_| bill.extend(chance.hash()));
    bill.extend([0, 1]);
    bill.extend(1_u32.to_le_bytes());
    bill.extend(chance.hash());
    bill.extend([0, 0]);
    let block = 100_000 + number / 200;
    bill.extend((1_767_225_600_000 + block * 3_000).to_le_bytes());
    bill.push(0);
    bill.extend(((block as u32) << 2 | 2).to_le_bytes());
    bill.extend(((number % 200) as u16 * 4 + 1).to_le_bytes());
    bill.push(0);
    bill
}

fn group(chance: &mut Chance, at: u64, groups: u64) -> Group {
    let shared = shared(at, groups);
    let values = (0..IN_A_GROUP).map(|digit| {
        let last = b'0' + digit as u8;
        let key = [&shared[..], &[last]].concat();
        (last, bill(chance, &key, at * IN_A_GROUP + digit))
    });
    Group { values: values.collect(), shared }
}

/// µs: the mean, the median and the 99th in a hundred of what `step` takes.
fn times(count: u64, mut step: impl FnMut()) -> [f64; 3] {
    let mut times: Vec<Duration> = (0..count)
        .map(|_| {
            let start = Instant::now();
            step();
            start.elapsed()
        })
        .collect();
    times.sort();
    let sum: Duration = times.iter().sum();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    [
        micros(sum) / count as f64,
        micros(times[times.len() / 2]),
        micros(times[times.len() * 99 / 100]),
    ]
}

fn measure(path: &Path, bills: u64, options: WriteOptions) -> Result<(), ColdError> {
    let groups = bills / IN_A_GROUP;
    let mut chance = Chance(7);
    let start = Instant::now();
    (0..groups).for_each(|at| drop(std::hint::black_box(group(&mut chance, at, groups))));
    let generated = start.elapsed();
    let mut chance = Chance(7);
    let start = Instant::now();
    let written = write(path, options, (0..groups).map(|at| Ok(group(&mut chance, at, groups))))?;
    let took = start.elapsed().saturating_sub(generated).as_secs_f64();
    let start = Instant::now();
    let segment = Segment::open(LocalFile::open(path)?)?;
    let opened = start.elapsed().as_secs_f64() * 1e6;
    let mut asked = Chance(11);
    let mut any = || shared(asked.below(groups), groups);
    let get = times(ASKED, || {
        let found = segment.get(&[&any()[..], b"3"].concat()).expect("sound");
        assert!(found.is_some());
    });
    let absent = times(ASKED, || {
        let found = segment.get(&[&any()[..], b"03"].concat()).expect("sound");
        assert!(found.is_none());
    });
    let mut proof_bytes = 0;
    let prove = times(ASKED, || match segment.prove(&any()).expect("sound") {
        Proof::Present { proof, .. } => proof_bytes = proof.encode().len(),
        Proof::Absent(_) => unreachable!("it is there"),
    });
    let mut gap_bytes = 0;
    let gap = times(ASKED, || match segment.prove(&[&any()[..], b"0"].concat()).expect("sound") {
        Proof::Absent(proof) => gap_bytes = gap_bytes.max(proof.encode().expect("short").len()),
        Proof::Present { .. } => unreachable!("it is not there"),
    });
    let start = Instant::now();
    segment.verify()?;
    let verified = start.elapsed().as_secs_f64();
    let mut activity = Activity::all_active(groups)?;
    let mut positions = Chance(13);
    let kill = times(ASKED, || _ = activity.kill(positions.below(groups)));
    let each = |count: u64, took: f64| count as f64 / took;
    println!(
        "{bills},{:.1},{:.1},{:.0},{opened:.0},{:.0},{:.0},{:.0},{:.0},{:.0},{proof_bytes},{:.0},{gap_bytes},{:.0},{:.2}",
        written.value_bytes as f64 / bills as f64,
        written.file_bytes as f64 / bills as f64,
        each(bills, took),
        get[0],
        get[1],
        get[2],
        absent[0],
        prove[0],
        gap[0],
        each(bills, verified),
        kill[0],
    );
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(directory), Some(sizes)) = (arguments.first(), arguments.get(1)) else {
        eprintln!("usage: measure DIRECTORY BILLS[,BILLS…] [BLOCK_BYTES [ZSTD_LEVEL]]");
        return ExitCode::FAILURE;
    };
    let default = WriteOptions::default();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<usize>().ok());
    let options = WriteOptions {
        block_bytes: number(2).unwrap_or(default.block_bytes),
        zstd_level: number(3).map_or(default.zstd_level, |level| level as i32),
    };
    println!(
        "bills,raw bytes a bill,bytes a bill,bills written/s,open µs,get µs,get median,get 99 %,absent µs,prove µs,proof bytes,gap µs,gap bytes,bills verified/s,kill µs"
    );
    for bills in sizes.split(',').filter_map(|size| size.parse().ok()) {
        let path: PathBuf = Path::new(directory).join(format!("measure-{bills}"));
        let _ = fs::remove_file(&path);
        let measured = measure(&path, bills, options);
        let _ = fs::remove_file(&path);
        if let Err(error) = measured {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
