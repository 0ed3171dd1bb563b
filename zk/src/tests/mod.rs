//! Answers, dishonest provers, constraints dropped one by one, hiding, bytes.

mod answers;
mod bytes;
mod cheats;
mod constraints;
mod hiding;

use crate::air::BillAir;
use crate::columns::{CHAIN, WIDTH};
use crate::parameters::{Masks, config};
use crate::table::{Hand, Honest, log_rows, table};
use crate::{Anchor, Answer, Kinds, Proof, Question, Statement, Witness};
use billchain_zk_accumulator::{
    Accumulator, Entry, Kind, KoalaBear, MAX_AMOUNT, Secret, commitment,
};
use p3_air::check_all_constraints;
use p3_matrix::dense::RowMajorMatrix;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::BTreeSet;

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn question() -> Question {
    Question {
        from: 20_000,
        to: 20_364,
        scenes: vec![3, 5, 700],
        least: 500_000,
        most: MAX_AMOUNT,
        kinds: Kinds::BILLS,
        asker: [1; 32],
        challenge: [2; 32],
    }
}

fn bill(days: u32, scene: u16, amount: u64, kind: Kind) -> Entry {
    Entry::new(days, scene, amount, kind, &[0x5a; 32]).unwrap()
}

fn matching() -> Entry {
    bill(20_100, 3, 600_000, Kind::Normal)
}

fn witness(entries: &[Entry]) -> Witness {
    Witness { reference: [7; 32], secret: Secret::from_bytes(&[9; 32]), entries: entries.to_vec() }
}

fn anchor(witness: &Witness) -> Anchor {
    let accumulator = Accumulator::of_entries(&witness.reference, &witness.entries);
    Anchor { block: 1000, block_hash: [3; 32], accumulator }
}

fn statement(question: &Question, witness: &Witness, answer: Answer) -> Statement {
    let holder = commitment(&witness.reference, &witness.secret);
    Statement::new(question.clone(), anchor(witness), holder, answer).unwrap()
}

/// Numbers of the constraints that a table breaks.
fn broken(table: &RowMajorMatrix<KoalaBear>, public: &[KoalaBear], log: usize) -> BTreeSet<usize> {
    let report = check_all_constraints(&BillAir::new(log), table, public, None);
    report.failures.iter().map(|failure| failure.constraint).collect()
}

/// Whether the table of an honest prover fulfils the constraints.
fn accepted(statement: &Statement, witness: &Witness) -> bool {
    let log = log_rows(witness.entries.len()).unwrap();
    let table = table(statement, witness, log, &mut Honest);
    broken(&table, &statement.public_values(), log).is_empty()
}

/// A hand that changes cells.
struct Forger<F>(F);

impl<F: FnMut(usize, usize, KoalaBear) -> KoalaBear> Hand for Forger<F> {
    fn cell(&mut self, row: usize, column: usize, value: KoalaBear) -> KoalaBear {
        (self.0)(row, column, value)
    }
}

/// A proof of whatever table the hand writes; nothing is checked before.
fn forge<H: Hand>(statement: &Statement, witness: &Witness, seed: u8, hand: &mut H) -> Proof {
    let log = log_rows(witness.entries.len()).unwrap();
    let mut masks = Masks::UNUSED;
    let mut rng = rng(seed);
    rng.fill_bytes(&mut masks.salts);
    rng.fill_bytes(&mut masks.codewords);
    let table = table(statement, witness, log, hand);
    let config = config(statement, &masks);
    let public = statement.public_values();
    Proof(p3_uni_stark::prove(&config, &BillAir::new(log), table, &public).unwrap())
}

/// Chain of a row.
fn chain_of(table: &RowMajorMatrix<KoalaBear>, row: usize) -> [KoalaBear; 8] {
    core::array::from_fn(|i| table.values[row * WIDTH + CHAIN.start + i])
}
