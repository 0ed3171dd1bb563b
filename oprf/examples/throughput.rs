//! What one core does in a second: evaluations with proofs, as the service answers them,
//! and references, as an issuer asks for them.
//!
//!     cargo run --release -p billchain-oprf --example throughput

use billchain_oprf::{Blinding, Evaluation, IdType, Identity, MAX_BATCH, keys};
use std::time::Instant;

const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let passport = IdType::new("02")?;
    let identities = (0..MAX_BATCH)
        .map(|n| Identity::new(passport, &format!("E{n:08}")))
        .collect::<Result<Vec<_>, _>>()?;
    for (threshold, operators) in [(1, 1), (3, 4)] {
        let (keys, shares) = keys::generate(threshold, operators)?;
        let (mut service, mut issuer) = (f64::MAX, f64::MAX);
        // The best round: others share the machine.
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let blinding = Blinding::new(&identities)?;
            let blinded = began.elapsed().as_secs_f64();
            let mut answers = Vec::new();
            for share in &shares[..usize::from(threshold)] {
                let began = Instant::now();
                answers.push(Evaluation::answer(&keys, share, blinding.elements())?);
                service = service.min(began.elapsed().as_secs_f64());
            }
            let began = Instant::now();
            blinding.references(&keys, &answers)?;
            issuer = issuer.min(blinded + began.elapsed().as_secs_f64());
        }
        let rate = |seconds: f64| MAX_BATCH as f64 / seconds;
        println!(
            "{threshold} of {operators}: an operator evaluates {:.0}/s, an issuer gets {:.0}/s",
            rate(service),
            rate(issuer)
        );
    }
    Ok(())
}
