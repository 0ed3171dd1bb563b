//! Entry points for fuzzers: what a peer sends, in; a panic if and only if
//! something is wrong. Each returns whether the bytes are what they should be;
//! those that are must be written as the same bytes again.

use super::{
    exchange::{Batches, Outcome, Reply, Request},
    fetch::{self, Answer, ByHash},
    frame::{Codec, Content, Received},
    questions::{self, Opaque},
};
use billchain_primitives::Hash;
use bytes::Bytes;
use futures::{executor::block_on, io::Cursor};
use libp2p::{StreamProtocol, request_response::Codec as _};

fn protocol() -> StreamProtocol {
    StreamProtocol::new("/fuzzing")
}

fn written<C: Content>(request: Received<C::Request>) -> Vec<u8> {
    let (mut codec, mut wire) = (Codec::<C>::default(), Vec::new());
    block_on(codec.write_request(&protocol(), &mut wire, request)).expect("within the bounds");
    wire
}

fn written_answer<C: Content>(answer: C::Response) -> Vec<u8> {
    let (mut codec, mut wire) = (Codec::<C>::default(), Vec::new());
    block_on(codec.write_response(&protocol(), &mut wire, answer)).expect("within the bounds");
    wire
}

fn request<C: Content>(data: &[u8]) -> bool {
    let mut codec = Codec::<C>::default();
    let read = block_on(codec.read_request(&protocol(), &mut Cursor::new(data)));
    match read.expect("memory does not fail") {
        Received::Malformed(_) => false,
        request => {
            assert!(data.starts_with(&written::<C>(request)), "a request has two forms");
            true
        }
    }
}

fn response<C: Content>(data: &[u8]) -> bool {
    let mut codec = Codec::<C>::default();
    match block_on(codec.read_response(&protocol(), &mut Cursor::new(data))) {
        Err(_) => false,
        Ok(answer) => {
            assert!(data.starts_with(&written_answer::<C>(answer)), "an answer has two forms");
            true
        }
    }
}

/// A batch of transactions in its frame.
pub fn batch(data: &[u8]) -> bool {
    request::<Batches>(data)
}

/// The answer to a batch in its frame.
pub fn answer(data: &[u8]) -> bool {
    response::<Batches>(data)
}

/// A request for transactions by hash in its frame.
pub fn fetch_request(data: &[u8]) -> bool {
    request::<ByHash>(data)
}

/// The answer to such a request in its frame.
pub fn fetch_answer(data: &[u8]) -> bool {
    response::<ByHash>(data)
}

/// A question in its frame.
pub fn question(data: &[u8]) -> bool {
    request::<Opaque>(data)
}

/// The answer to a question in its frame.
pub fn question_answer(data: &[u8]) -> bool {
    response::<Opaque>(data)
}

/// Frames of requests for transactions.
pub fn fetch_request_samples() -> Vec<Vec<u8>> {
    let hashes = (1..4).map(Hash::repeat_byte).collect();
    vec![written::<ByHash>(fetch::Request::Request(hashes))]
}

/// Frames of answers to such requests.
pub fn fetch_answer_samples() -> Vec<Vec<u8>> {
    let transactions = Answer::Transactions(vec![Bytes::from(vec![7; 300]), Bytes::new()]);
    let nothing = Answer::Transactions(Vec::new());
    [transactions, nothing, Answer::Later { after_ms: 700 }]
        .into_iter()
        .map(written_answer::<ByHash>)
        .collect()
}

/// Frames of questions.
pub fn question_samples() -> Vec<Vec<u8>> {
    [Vec::new(), vec![7; 300]]
        .into_iter()
        .map(|question| written::<Opaque>(questions::Request::Request(question)))
        .collect()
}

/// Frames of answers to questions.
pub fn question_answer_samples() -> Vec<Vec<u8>> {
    use questions::Answer;
    [
        Answer::Bytes(Bytes::from(vec![7; 300])),
        Answer::Busy,
        Answer::Later { after_ms: 700 },
        Answer::Unserved,
        Answer::Unanswered,
    ]
    .into_iter()
    .map(written_answer::<Opaque>)
    .collect()
}

/// Frames of batches that hold `transactions`.
pub fn batch_sample(transactions: Vec<Vec<u8>>) -> Vec<u8> {
    written::<Batches>(Request::Request(transactions))
}

/// Frames of answers.
pub fn answer_samples() -> Vec<Vec<u8>> {
    let outcomes =
        [Outcome::Taken, Outcome::Known, Outcome::Refused(2105), Outcome::Later, Outcome::Full];
    [Reply::Outcomes(outcomes.to_vec()), Reply::Busy, Reply::Malformed]
        .into_iter()
        .map(written_answer::<Batches>)
        .collect()
}
