//! Entry points for fuzzers: what a peer sends, in; a panic if and only if
//! something is wrong. Each returns whether the bytes are what they should be;
//! those that are must be written as the same bytes again.

use super::{
    fetch,
    wire::{Codec, Outcome, Reply, Request},
};
use billchain_primitives::Hash;
use bytes::Bytes;
use futures::{executor::block_on, io::Cursor};
use libp2p::{StreamProtocol, request_response::Codec as _};

fn protocol() -> StreamProtocol {
    StreamProtocol::new("/fuzzing")
}

fn written_request(request: Request) -> Vec<u8> {
    let mut wire = Vec::new();
    block_on(Codec.write_request(&protocol(), &mut wire, request)).expect("within the bounds");
    wire
}

fn written_reply(reply: Reply) -> Vec<u8> {
    let mut wire = Vec::new();
    block_on(Codec.write_response(&protocol(), &mut wire, reply)).expect("within the bounds");
    wire
}

fn written_fetch(request: fetch::Request) -> Vec<u8> {
    let mut wire = Vec::new();
    block_on(fetch::Codec.write_request(&protocol(), &mut wire, request)).expect("in bounds");
    wire
}

fn written_answer(answer: fetch::Answer) -> Vec<u8> {
    let mut wire = Vec::new();
    block_on(fetch::Codec.write_response(&protocol(), &mut wire, answer)).expect("in bounds");
    wire
}

/// A batch of transactions in its frame.
pub fn batch(data: &[u8]) -> bool {
    let read = block_on(Codec.read_request(&protocol(), &mut Cursor::new(data)));
    match read.expect("memory does not fail") {
        Request::Malformed(_) => false,
        batch => {
            assert!(data.starts_with(&written_request(batch)), "a batch has two forms");
            true
        }
    }
}

/// The answer to a batch in its frame.
pub fn answer(data: &[u8]) -> bool {
    match block_on(Codec.read_response(&protocol(), &mut Cursor::new(data))) {
        Err(_) => false,
        Ok(reply) => {
            assert!(data.starts_with(&written_reply(reply)), "an answer has two forms");
            true
        }
    }
}

/// A request for transactions by hash in its frame.
pub fn fetch_request(data: &[u8]) -> bool {
    let read = block_on(fetch::Codec.read_request(&protocol(), &mut Cursor::new(data)));
    match read.expect("memory does not fail") {
        fetch::Request::Malformed(_) => false,
        request => {
            assert!(data.starts_with(&written_fetch(request)), "a request has two forms");
            true
        }
    }
}

/// The answer to such a request in its frame.
pub fn fetch_answer(data: &[u8]) -> bool {
    match block_on(fetch::Codec.read_response(&protocol(), &mut Cursor::new(data))) {
        Err(_) => false,
        Ok(answer) => {
            assert!(data.starts_with(&written_answer(answer)), "an answer has two forms");
            true
        }
    }
}

/// Frames of requests for transactions.
pub fn fetch_request_samples() -> Vec<Vec<u8>> {
    let hashes = (1..4).map(Hash::repeat_byte).collect();
    vec![written_fetch(fetch::Request::Hashes(hashes))]
}

/// Frames of answers to such requests.
pub fn fetch_answer_samples() -> Vec<Vec<u8>> {
    let transactions = vec![Bytes::from(vec![7; 300]), Bytes::new()];
    vec![written_answer(transactions), written_answer(Vec::new())]
}

/// Frames of batches that hold `transactions`.
pub fn batch_sample(transactions: Vec<Vec<u8>>) -> Vec<u8> {
    written_request(Request::Batch(transactions))
}

/// Frames of answers.
pub fn answer_samples() -> Vec<Vec<u8>> {
    let outcomes =
        [Outcome::Taken, Outcome::Known, Outcome::Refused(2105), Outcome::Later, Outcome::Full];
    [Reply::Outcomes(outcomes.to_vec()), Reply::Busy, Reply::Malformed]
        .into_iter()
        .map(written_reply)
        .collect()
}
