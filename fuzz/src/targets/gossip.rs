//! What nodes send each other about transactions.

use crate::{Verdict, chain};
use billchain_txpool::gossip::fuzzing;

/// Batches of transactions in their frames.
pub fn gossip_batch(data: &[u8]) -> Verdict {
    fuzzing::batch(data).into()
}

/// Answers to batches in their frames.
pub fn gossip_answer(data: &[u8]) -> Verdict {
    fuzzing::answer(data).into()
}

/// Requests for transactions by hash in their frames.
pub fn fetch_request(data: &[u8]) -> Verdict {
    fuzzing::fetch_request(data).into()
}

/// Answers to such requests in their frames.
pub fn fetch_answer(data: &[u8]) -> Verdict {
    fuzzing::fetch_answer(data).into()
}

/// Questions about the chain in their frames.
pub fn question(data: &[u8]) -> Verdict {
    fuzzing::question(data).into()
}

/// Answers to questions in their frames.
pub fn question_answer(data: &[u8]) -> Verdict {
    fuzzing::question_answer(data).into()
}

/// Real inputs of the target `name`.
pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    match name {
        "gossip_batch" => {
            let transaction = chain::with(|chain| {
                let call = chain::register(chain::outpatient());
                chain::hospital().transaction(call, 1, chain.genesis_hash())
            });
            vec![
                fuzzing::batch_sample(vec![transaction.clone()]),
                fuzzing::batch_sample(vec![transaction, Vec::new(), vec![1; 70]]),
            ]
        }
        "gossip_answer" => fuzzing::answer_samples(),
        "fetch_request" => fuzzing::fetch_request_samples(),
        "fetch_answer" => fuzzing::fetch_answer_samples(),
        "question" => fuzzing::question_samples(),
        "question_answer" => fuzzing::question_answer_samples(),
        _ => Vec::new(),
    }
}
