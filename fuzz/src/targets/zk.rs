//! Zero-knowledge answers: statements, and proofs of them.

use crate::Verdict;
use billchain_zk::accumulator::{Accumulator, Entry, Kind, Secret, commitment};
use billchain_zk::rand_core::SeedableRng;
use billchain_zk::{Anchor, Answer, Kinds, Proof, Question, Statement, Witness, prove, verify};
use rand_chacha::ChaCha20Rng;
use std::sync::LazyLock;

/// The bytes of a statement, which have one form.
pub fn zk_statement(data: &[u8]) -> Verdict {
    let Ok(statement) = Statement::from_bytes(data) else { return Verdict::Refused };
    assert_eq!(statement.to_bytes(), data, "a statement has two forms");
    Verdict::Accepted
}

/// A proof of the statement of the seed. The seed is the only proof of it that was ever made, so
/// nothing else may hold.
pub fn zk_proof(data: &[u8]) -> Verdict {
    let Ok(proof) = Proof::from_bytes(data) else { return Verdict::Refused };
    assert_eq!(proof.to_bytes(), data, "a proof has two forms");
    let (statement, true_proof) = &*PROVED;
    let holds = verify(statement, &proof).is_ok();
    assert!(!holds || data == true_proof, "a proof that nobody made holds");
    holds.into()
}

static PROVED: LazyLock<(Statement, Vec<u8>)> = LazyLock::new(|| {
    let (statement, witness) = stated();
    // The same each time, so that a damaged form is found again. It hides nothing here.
    let mut generator = ChaCha20Rng::from_seed([11; 32]);
    let proof = prove(&statement, &witness, &mut generator).expect("a true statement");
    (statement, proof.to_bytes())
});

fn stated() -> (Statement, Witness) {
    let entry = Entry::new(20_100, 3, 600_000, Kind::Normal, &[5; 32]).expect("in range");
    let witness =
        Witness { reference: [7; 32], secret: Secret::from_bytes(&[9; 32]), entries: vec![entry] };
    let question = Question {
        from: 20_000,
        to: 20_364,
        scenes: vec![3, 5],
        least: 500_000,
        most: 99_999_999_999_999,
        kinds: Kinds::BILLS,
        asker: [1; 32],
        challenge: [2; 32],
    };
    let accumulator = Accumulator::of_entries(&witness.reference, &witness.entries);
    let anchor = Anchor { block: 1000, block_hash: [3; 32], accumulator };
    let holder = commitment(&witness.reference, &witness.secret);
    let statement = Statement::new(question, anchor, holder, Answer::AtLeast(1)).expect("in range");
    (statement, witness)
}

pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "zk_statement" => vec![stated().0.to_bytes().to_vec()],
        // A short one for the corpus, which is none; and the true one, made anew each time.
        "zk_proof" => vec![vec![1, 0], PROVED.1.clone()],
        _ => Vec::new(),
    }
}
