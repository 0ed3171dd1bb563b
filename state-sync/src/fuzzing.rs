//! Entry points for fuzzing the decoders of peers' bytes.

use crate::wire::{self, Blocks, Changes, Opaque, Page, Piece, Targets};
use codec::Encode;

/// Takes a question apart; one that is taken has one form.
pub fn question(bytes: &[u8]) -> bool {
    let Ok(question) = wire::question(bytes) else { return false };
    assert_eq!(question.encode(), bytes);
    true
}

/// Takes an answer apart as each kind; one that is taken has one form.
pub fn answer(bytes: &[u8]) -> bool {
    fn one<T: codec::Decode + Encode>(bytes: &[u8]) -> bool {
        let Ok(answer) = wire::answer::<T>(bytes) else { return false };
        assert_eq!(wire::encode_answer(answer), bytes);
        true
    }
    let is_one = one::<Targets>(bytes)
        | one::<Changes>(bytes)
        | one::<Blocks>(bytes)
        | one::<Page>(bytes)
        | one::<Opaque>(bytes)
        | one::<Piece>(bytes)
        | one::<[u8; 32]>(bytes);
    if let Ok(Ok(Targets(targets))) = wire::answer(bytes) {
        for target in targets {
            let _ = target.is_proven();
        }
    }
    is_one
}

/// Real questions and answers.
pub fn samples() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    use crate::wire::{Certified, PageOf, PieceOf, Question, Refusal, Request};
    use billchain_storage::{CopyTable, SyncTarget};
    let of = PageOf { block: 4_096, table: CopyTable::Index, after: vec![7; 40] };
    let questions = [
        Question::Targets,
        Question::Changes { after: 9 },
        Question::Blocks { below: 77 },
        Question::Operations { block: 4_096, request: Request(vec![0, 9, 1, 1]) },
        Question::Page(of.clone()),
        Question::Digest(of),
        Question::Piece(PieceOf { run: 3, index: 1, root: [7; 32].into(), offset: 1 << 20 }),
    ];
    let certified = Certified { bytes: vec![1; 300], certificate: vec![2; 300] };
    let target = SyncTarget {
        number: 4_096,
        hash: [1; 32].into(),
        state_root: [2; 32].into(),
        hot_root: [5; 32].into(),
        runs: vec![[6; 32].into(); 2],
        records: [8; 32].into(),
        operations_root: [3; 32].into(),
        start: 7,
        end: 99,
        witness: vec![4; 65],
    };
    let answers = vec![
        wire::encode_answer(Ok(Targets(vec![target]))),
        wire::encode_answer(Ok(Changes(vec![certified.clone()]))),
        wire::encode_answer(Ok(Blocks(vec![certified; 2]))),
        wire::encode_answer(Ok(Page(vec![(vec![1; 40], vec![2; 99])]))),
        wire::encode_answer(Ok(Piece { length: 1 << 30, bytes: vec![5; 99] })),
        wire::encode_answer::<Opaque>(Err(Refusal::NotKept { first: 9 })),
    ];
    (questions.iter().map(Encode::encode).collect(), answers)
}
