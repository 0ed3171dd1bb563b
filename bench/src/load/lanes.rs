//! Sends: one lane a node. What is due together goes in one request; a few
//! requests are on their way at once, so that a slow answer holds up nobody.

use super::book::{Answer, Book};
use crate::workload::Transaction;
use billchain_client::{ClientError, Connection};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::sleep,
};

/// Most transactions of one request.
const REQUEST: usize = 64;
/// Most bytes of transactions in one request; one that is longer goes alone.
const REQUEST_BYTES: usize = 512 << 10;
/// Requests of a lane that are not answered, at most.
const UNANSWERED: usize = 6;
/// How long to wait before something is sent again.
const PAUSE: Duration = Duration::from_millis(200);

/// Substrate's codes, as nodes use them: the same is in the pool already.
const IN_POOL: i32 = 1013;
/// The node lacks room, or could not check: later it may take it.
const LATER: [i32; 2] = [1011, 1016];

/// The lanes to all nodes.
pub(crate) struct Lanes {
    queues: Vec<mpsc::UnboundedSender<Transaction>>,
    tasks: Vec<JoinHandle<()>>,
    give_up: watch::Sender<bool>,
}

impl Lanes {
    /// A lane to each of `nodes`; answers go into the book.
    pub(crate) fn open(nodes: &[Connection], book: &Arc<Mutex<Book>>) -> Self {
        let (give_up, given_up) = watch::channel(false);
        let (queues, tasks) = nodes
            .iter()
            .map(|node| {
                let (sender, queue) = mpsc::unbounded_channel();
                let lane =
                    Lane { node: node.clone(), book: book.clone(), given_up: given_up.clone() };
                (sender, tokio::spawn(lane.run(queue)))
            })
            .unzip();
        Self { queues, tasks, give_up }
    }

    /// Sends a transaction as soon as its node's lane can; it stands in the
    /// book already.
    pub(crate) fn send(&self, transaction: Transaction) {
        // A lane ends when it is told to and never before.
        let _ = self.queues[transaction.node].send(transaction);
    }

    /// Ends: what is still unanswered stays so.
    pub(crate) async fn close(self) {
        self.give_up.send_replace(true);
        drop(self.queues);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

#[derive(Clone)]
struct Lane {
    node: Connection,
    book: Arc<Mutex<Book>>,
    given_up: watch::Receiver<bool>,
}

impl Lane {
    async fn run(self, mut queue: mpsc::UnboundedReceiver<Transaction>) {
        let permits = Arc::new(Semaphore::new(UNANSWERED));
        let mut requests = JoinSet::new();
        let mut waiting = Vec::new();
        loop {
            let permit = permits.clone().acquire_owned().await.expect("never closed; qed");
            if waiting.is_empty() && queue.recv_many(&mut waiting, REQUEST).await == 0 {
                break;
            }
            let rest = waiting.split_off(fitting(&waiting));
            let request = std::mem::replace(&mut waiting, rest);
            let lane = self.clone();
            requests.spawn(async move {
                let _permit = permit;
                lane.submit(request).await;
            });
            while requests.try_join_next().is_some() {}
        }
        requests.join_all().await;
    }

    /// Submits until each is taken or refused for good, or all is given up.
    async fn submit(mut self, mut request: Vec<Transaction>) {
        loop {
            let bytes: Vec<&[u8]> =
                request.iter().map(|transaction| &transaction.bytes[..]).collect();
            let answers = tokio::select! {
                answers = self.node.submit_all(&bytes) => answers,
                _ = self.given_up.wait_for(|given_up| *given_up) => return,
            };
            match answers {
                Ok(answers) => request = self.note(request, answers),
                // It is unknown what the node took; to send again does no harm.
                Err(ClientError::Transport { .. }) => {}
                Err(error) => {
                    let reason = shortened(&error);
                    let mut book = self.book.lock().expect("nobody panics with the book; qed");
                    for transaction in &request {
                        book.answer(&transaction.hash, Answer::Refused(reason.clone()));
                    }
                    return;
                }
            }
            if request.is_empty() {
                return;
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                _ = self.given_up.wait_for(|given_up| *given_up) => return,
            }
        }
    }

    /// Enters the answers; what is to be sent again.
    fn note(
        &self,
        request: Vec<Transaction>,
        answers: Vec<Result<billchain_primitives::Hash, ClientError>>,
    ) -> Vec<Transaction> {
        let mut book = self.book.lock().expect("nobody panics with the book; qed");
        let mut again = Vec::new();
        for (transaction, answer) in request.into_iter().zip(answers) {
            let answer = match answer {
                Ok(_) => Answer::Accepted,
                Err(ClientError::Refused { code: IN_POOL, .. }) => Answer::Accepted,
                Err(ClientError::Refused { code, .. }) if LATER.contains(&code) => {
                    book.deferred += 1;
                    again.push(transaction);
                    continue;
                }
                Err(error) => Answer::Refused(shortened(&error)),
            };
            book.answer(&transaction.hash, answer);
        }
        again
    }
}

/// How many of the first transactions make one request.
fn fitting(waiting: &[Transaction]) -> usize {
    let mut bytes = 0;
    let fits = waiting.iter().take_while(|transaction| {
        bytes += transaction.bytes.len();
        bytes <= REQUEST_BYTES
    });
    fits.count().max(1).min(waiting.len())
}

/// A reason without what differs from transaction to transaction, so that equal
/// ones are counted together.
pub(crate) fn shortened(error: &ClientError) -> String {
    let text = error.to_string();
    let mut words: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
        let differs = plain.len() > 8 && plain.bytes().any(|byte| byte.is_ascii_digit());
        words.push(if differs { "…" } else { word });
    }
    words.join(" ").chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Kind;
    use bytes::Bytes;

    fn of_length(length: usize) -> Transaction {
        Transaction {
            at: Duration::ZERO,
            node: 0,
            kind: Kind::Register,
            bills: 1,
            hash: Default::default(),
            bytes: Bytes::from(vec![0; length]),
            effect: None,
        }
    }

    #[test]
    fn a_request_is_bounded_in_bytes_and_a_long_transaction_goes_alone() {
        let of = |lengths: &[usize]| {
            fitting(&lengths.iter().map(|length| of_length(*length)).collect::<Vec<_>>())
        };
        assert_eq!(of(&[100; 64]), 64);
        assert_eq!(of(&[200 << 10; 5]), 2);
        assert_eq!(of(&[600 << 10, 100]), 1);
        assert_eq!(of(&[]), 0);
    }

    #[test]
    fn reasons_are_counted_without_hashes() {
        let refused = |message: &str| {
            shortened(&ClientError::Refused {
                method: "author_submitExtrinsic",
                code: 1010,
                message: message.to_owned(),
            })
        };
        let one = refused("account 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY may not send");
        let two = refused("account 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty may not send");
        assert_eq!(one, two);
        assert_eq!(one, "author_submitExtrinsic: account … may not send (code 1010)");
    }
}
