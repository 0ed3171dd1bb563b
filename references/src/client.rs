//! Whoever asks: an issuer for its patients, a holder for itself, the bureau to rotate.
//!
//! Answers are believed for their proofs alone; the public keys stand in the asker's own
//! configuration. A wrong or silent operator is passed over while enough others answer.

mod cache;
mod config;
mod http;

pub use cache::{Cache, CacheError, decode as decode_cache};
pub use config::ClientConfig;
pub use http::Endpoint;

use crate::{
    auth::Signed,
    service::{EVALUATE, now_ms},
    wire::{Question, WireError, answer_from_json},
};
use billchain_oprf::{
    Blinding, Element, Error, Evaluation, Identity, MAX_BATCH, Opening, PublicKeys, Reference,
    evaluation::{elements_of, rotated},
};
use futures::future::join_all;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};

/// Why there are no references.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Not enough operators answered rightly.
    #[error("{found} of {expected} operators answered rightly: {}", .failures.join("; "))]
    TooFew {
        /// How many are needed.
        expected: u8,
        /// How many there were.
        found: usize,
        /// What the others did.
        failures: Vec<String>,
    },
    /// The question cannot be asked.
    #[error(transparent)]
    Question(#[from] Error),
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// Why an operator's answer does not count.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("{0}")]
    Http(#[from] http::HttpError),
    #[error("{0}")]
    Wire(#[from] WireError),
    #[error("its answer is of key {0}")]
    OtherKey(String),
    #[error("it answers as operator {found}, who answered already")]
    Twice { found: u8 },
    #[error("{0}")]
    Wrong(#[from] Error),
}

/// Asks for references.
pub struct Client {
    config: ClientConfig,
    cache: Option<Cache>,
    /// The time of the newest question: each has one of its own.
    asked_ms: Mutex<u64>,
}

impl Client {
    /// Opens the cache, if the configuration has one.
    ///
    /// # Errors
    /// What is wrong with the cache.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let cache = config.cache.as_deref().map(Cache::open).transpose()?;
        Ok(Self { config, cache, asked_ms: Mutex::new(0) })
    }

    /// The public keys in whose answers it believes.
    pub fn keys(&self) -> &PublicKeys {
        &self.config.keys
    }

    /// The references of identities, in their order, any number of them. Known ones come
    /// from the cache, each other one is asked once.
    ///
    /// # Errors
    /// [`ClientError`]; what was answered before it is in the cache.
    pub async fn references(
        &mut self,
        identities: &[Identity],
    ) -> Result<Vec<Reference>, ClientError> {
        let inputs: Vec<Vec<u8>> = identities.iter().map(Identity::input).collect();
        let id = self.config.keys.id();
        let mut known: HashMap<&[u8], Reference> = HashMap::new();
        let mut missing: Vec<(&[u8], Identity)> = Vec::new();
        let mut seen: HashSet<&[u8]> = HashSet::new();
        for (input, identity) in inputs.iter().zip(identities) {
            if !seen.insert(&input[..]) {
                continue;
            }
            match self.cache.as_mut().and_then(|cache| cache.get(&id, input)) {
                Some(reference) => {
                    known.insert(input, reference);
                }
                None => missing.push((&input[..], identity.clone())),
            }
        }
        for batch in missing.chunks(MAX_BATCH) {
            let asked: Vec<Identity> = batch.iter().map(|(_, identity)| identity.clone()).collect();
            let blinding = Blinding::new(&asked)?;
            let answers = self.ask(&self.config.keys, blinding.elements()).await?;
            let found = blinding.references(&self.config.keys, &answers)?;
            for ((input, _), reference) in batch.iter().zip(found) {
                known.insert(input, reference);
                if let Some(cache) = &mut self.cache {
                    cache.put(&id, input, reference);
                }
            }
            if let Some(cache) = &mut self.cache {
                cache.save()?;
            }
        }
        Ok(inputs.iter().map(|input| known[&input[..]]).collect())
    }

    /// The reference of one identity with the opening that shows it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn opening(&self, identity: &Identity) -> Result<(Reference, Opening), ClientError> {
        let blinding = Blinding::new(std::slice::from_ref(identity))?;
        let answers = self.ask(&self.config.keys, blinding.elements()).await?;
        let opening = blinding.opening(&self.config.keys, &answers)?;
        Ok((opening.reference(&self.config.keys, identity)?, opening))
    }

    /// The new references of old ones, by the keys of a rotation, with the answers that
    /// prove it: one batch.
    ///
    /// # Errors
    /// [`ClientError`], [`Error::BatchSize`] for more than a batch.
    pub async fn rotated(
        &self,
        ratio: &PublicKeys,
        old: &[Reference],
    ) -> Result<(Vec<Reference>, Vec<Evaluation>), ClientError> {
        if old.is_empty() || old.len() > MAX_BATCH {
            return Err(Error::BatchSize { found: old.len() }.into());
        }
        let answers = self.ask(ratio, &elements_of(old)?).await?;
        Ok((rotated(ratio, old, &answers)?, answers))
    }

    /// Right answers of as many operators as are needed: first so many at once, then one
    /// after the other.
    async fn ask(
        &self,
        keys: &PublicKeys,
        elements: &[Element],
    ) -> Result<Vec<Evaluation>, ClientError> {
        let needed = usize::from(keys.threshold());
        let question = Question { key: keys.id(), elements: elements.to_vec() };
        let body = question.to_json();
        let (mut right, mut failures) = (Vec::new(), Vec::new());
        let mut rest = &self.config.operators[..];
        while right.len() < needed && !rest.is_empty() {
            let (now, later) = rest.split_at((needed - right.len()).min(rest.len()));
            rest = later;
            let asked = now.iter().map(|operator| self.ask_one(operator, keys, &question, &body));
            for (operator, answer) in now.iter().zip(join_all(asked).await) {
                match answer.and_then(|answer| once(&right, answer)) {
                    Ok(answer) => right.push(answer),
                    Err(why) => failures.push(format!("{operator}: {why}")),
                }
            }
        }
        if right.len() < needed {
            let (expected, found) = (keys.threshold(), right.len());
            return Err(ClientError::TooFew { expected, found, failures });
        }
        Ok(right)
    }

    /// A time that no other question of this client has: equal questions within a
    /// millisecond would have equal codes.
    fn time_ms(&self) -> u64 {
        let mut asked = self.asked_ms.lock();
        *asked = now_ms().max(*asked + 1);
        *asked
    }

    async fn ask_one(
        &self,
        operator: &Endpoint,
        keys: &PublicKeys,
        question: &Question,
        body: &[u8],
    ) -> Result<Evaluation, Unanswered> {
        let requester = &self.config.requester;
        let time_ms = self.time_ms();
        let signed = Signed { path: EVALUATE, requester, time_ms, body };
        let code = signed.code(&self.config.key);
        let answer = operator.post(&signed, &code).await?;
        let (key, answer) = answer_from_json(&answer)?;
        if key != question.key {
            return Err(Unanswered::OtherKey(key));
        }
        answer.check(keys, &question.elements)?;
        Ok(answer)
    }
}

/// An answer of an operator that did not answer before.
fn once(right: &[Evaluation], answer: Evaluation) -> Result<Evaluation, Unanswered> {
    if right.iter().any(|other| other.index == answer.index) {
        return Err(Unanswered::Twice { found: answer.index });
    }
    Ok(answer)
}
