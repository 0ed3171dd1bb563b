//! Sends: open loop, each transaction at its intended time whatever became of
//! those before it, within a bound on what is unanswered.

use crate::{Options, bills::Maker};
use anyhow::{Context, Result};
use billchain_client::{ClientError, Connection, Signer};
use billchain_primitives::{Did, Hash, transaction_hash};
use billchain_runtime::{Runtime, RuntimeCall};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep_until};

/// What was sent.
#[derive(Default)]
pub(crate) struct Sent {
    /// Accepted transactions: when each was meant to be sent.
    pub(crate) accepted: HashMap<Hash, Instant>,
    /// Refusals by reason.
    pub(crate) rejected: HashMap<String, u64>,
    /// Transactions a full window kept from being sent in time.
    pub(crate) late: u64,
    /// Time of sending.
    pub(crate) elapsed: Duration,
}

/// Sends for the options' duration. Each issuer has one node and sends its
/// nonces there in order.
pub(crate) async fn send(options: &Options) -> Result<Sent> {
    let maker = Arc::new(Maker::new());
    let window = (options.in_flight / options.issuers).max(1);
    let mut issuers = JoinSet::new();
    let began = Instant::now();
    for number in 0..options.issuers {
        let url = options.rpc[number % options.rpc.len()].clone();
        let interval = match options.rate {
            0 => Duration::ZERO,
            rate => Duration::from_secs_f64(options.issuers as f64 / f64::from(rate)),
        };
        let offset = interval.mul_f64(number as f64 / options.issuers as f64);
        let issuer = Issuer {
            signer: Signer::development(&format!("//hospital-{}", number + 1)),
            did: format!("did:bill:hospital-{}", number + 1).parse()?,
            node: Arc::new(Connection::open(&url).await?),
            maker: maker.clone(),
            interval,
            window,
        };
        let end = Instant::now() + Duration::from_secs(options.duration);
        issuers.spawn(issuer.run(Instant::now() + offset, end));
    }
    let mut sent = Sent::default();
    while let Some(part) = issuers.join_next().await {
        let part = part.context("a sender failed")??;
        sent.accepted.extend(part.accepted);
        sent.late += part.late;
        for (reason, count) in part.rejected {
            *sent.rejected.entry(reason).or_default() += count;
        }
    }
    sent.elapsed = began.elapsed();
    Ok(sent)
}

struct Issuer {
    signer: Signer,
    did: Did,
    node: Arc<Connection>,
    maker: Arc<Maker>,
    interval: Duration,
    window: usize,
}

impl Issuer {
    async fn run(self, start: Instant, end: Instant) -> Result<Sent> {
        let mut sent = Sent::default();
        let mut nonce = self.node.nonce(&self.signer.account()).await?;
        let permits = Arc::new(Semaphore::new(self.window));
        let mut answers: JoinSet<(Hash, Instant, Result<Hash, ClientError>)> = JoinSet::new();
        let mut intended = start;
        while intended < end {
            sleep_until(intended.into()).await;
            if permits.available_permits() == 0 {
                sent.late += 1;
            }
            let permit = permits.clone().acquire_owned().await?;
            if Instant::now() >= end {
                break;
            }
            let at = if self.interval.is_zero() { Instant::now() } else { intended };
            let summary = self.maker.bill(&self.did);
            let call = pallet_bill_register::Call::<Runtime>::register { summary };
            let signer = self.signer.clone();
            let genesis = self.node.genesis();
            let number = nonce;
            let transaction = tokio::task::spawn_blocking(move || {
                signer.transaction(RuntimeCall::BillRegister(call), number, genesis)
            })
            .await?;
            let hash = transaction_hash(&transaction);
            let node = self.node.clone();
            answers.spawn(async move {
                let answer = node.submit(&transaction).await;
                drop(permit);
                (hash, at, answer)
            });
            nonce += 1;
            while let Some(answer) = answers.try_join_next() {
                // A refused nonce is missing before those that follow: begin again from
                // what the node has.
                if sent.note(answer?) {
                    nonce = self.node.nonce(&self.signer.account()).await?;
                }
            }
            intended += self.interval;
            if self.interval.is_zero() {
                intended = Instant::now();
            }
        }
        while let Some(answer) = answers.join_next().await {
            sent.note(answer?);
        }
        Ok(sent)
    }
}

impl Sent {
    /// Notes an answer; whether it was a refusal.
    fn note(&mut self, (hash, at, answer): (Hash, Instant, Result<Hash, ClientError>)) -> bool {
        match answer {
            Ok(_) => {
                self.accepted.insert(hash, at);
                false
            }
            Err(error) => {
                let reason: String = error.to_string().chars().take(120).collect();
                *self.rejected.entry(reason).or_default() += 1;
                true
            }
        }
    }
}
