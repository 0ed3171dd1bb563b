//! Times the verifier on one core, over the good certificates of `verifier/vectors/`:
//!
//! ```text
//! cargo run --release -p billchain-verifier-json --example time [ROUNDS]
//! ```
//!
//! Each is verified ROUNDS times (200), all in turn, so that no line has a quiet machine for
//! itself. One line a certificate: its bytes, the median and the 99th percentile in ms.

use billchain_verifier::{Digest, Proved, Refusal, verify, verify_from};
use serde_json::Value;
use std::{
    env,
    error::Error,
    fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

/// A good certificate, and the block that is trusted.
struct Vector {
    name: String,
    certificate: Vec<u8>,
    trusted: Digest,
    /// Whether the block is a checkpoint.
    is_checkpoint: bool,
    took: Vec<Duration>,
}

impl Vector {
    /// Reads a vector; none if it has to be refused.
    fn read(vector: &Value) -> Result<Option<Self>, Box<dyn Error>> {
        if vector["proves"].is_null() {
            return Ok(None);
        }
        let bytes = |field: &str| hex::decode(vector[field].as_str().unwrap_or_default());
        let is_checkpoint = vector.get("checkpoint").is_some();
        let trusted = bytes(if is_checkpoint { "checkpoint" } else { "genesis" })?;
        Ok(Some(Self {
            name: vector["name"].as_str().unwrap_or_default().to_owned(),
            certificate: bytes("certificate")?,
            trusted: trusted.try_into().map_err(|_| "a hash has not 32 bytes")?,
            is_checkpoint,
            took: Vec::new(),
        }))
    }

    fn time(&mut self) -> Result<(), Refusal> {
        let verify: for<'a> fn(&'a [u8], &Digest) -> Result<Proved<'a>, Refusal> =
            if self.is_checkpoint { verify_from } else { verify };
        let began = Instant::now();
        black_box(verify(black_box(&self.certificate), &self.trusted)?);
        self.took.push(began.elapsed());
        Ok(())
    }
}

/// The percentile, in ms.
fn percentile(took: &mut [Duration], percent: usize) -> f64 {
    took.sort_unstable();
    let at = (took.len() * percent).div_ceil(100).saturating_sub(1);
    took.get(at).map_or(f64::NAN, |took| 1_000.0 * took.as_secs_f64())
}

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = env::args().nth(1).map_or(Ok(200_usize), |rounds| rounds.parse())?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/certificates.json");
    let vectors: Vec<Value> = serde_json::from_str(&fs::read_to_string(file)?)?;
    let mut vectors: Vec<Vector> = vectors
        .iter()
        .filter_map(|vector| Vector::read(vector).transpose())
        .collect::<Result<_, _>>()?;
    for _ in 0..rounds {
        for vector in &mut vectors {
            vector.time().map_err(|refusal| format!("{}: {refusal}", vector.name))?;
        }
    }
    println!("{:>6} {:>8} {:>8}  certificate", "bytes", "median", "p99");
    for Vector { name, certificate, took, .. } in &mut vectors {
        let [median, p99] = [50, 99].map(|percent| percentile(took, percent));
        println!("{:>6} {median:>8.3} {p99:>8.3}  {name}", certificate.len());
    }
    Ok(())
}
