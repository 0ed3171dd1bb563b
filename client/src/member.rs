//! A participant's client of several nodes: calls signed, sent, retried and waited for, bills
//! proved. The other languages' libraries in `clients/` do the same in the same way.
//!
//! A lost answer makes nothing twice. The signed bytes are kept and sent again, to any node;
//! another transaction is signed only when the first can never be executed any more: a node's state
//! has gone beyond its nonce, and afterwards that node does not know it as final.

mod error;
mod nodes;

pub use error::MemberError;

use billchain_crypto::sm2;
use billchain_primitives::{AccountId, Address, BillKey, Hash, Nonce, PublicKey, Signature, sm3};
use billchain_rpc_types::{BillCertificateView, BillView, TransactionState, TransactionView};
use billchain_runtime::{RuntimeCall, UncheckedExtrinsic, immortal_payload, tx_extension};
use codec::{Decode, Encode};
use jsonrpsee::rpc_params;
use nodes::Nodes;
use pallet_bill_register::Call as Register;
use pallet_bill_update::Call as Update;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sp_runtime::generic::Era;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Signs for an account: a key in memory, or one in a device (密码机, U-key).
pub trait Device: Send + Sync {
    /// The compressed public key.
    fn public_key(&self) -> [u8; 33];

    /// SM2 over the payload with signer id `1234567812345678`: `r ‖ s`.
    ///
    /// # Errors
    /// Whatever the device says.
    fn sign(&self, payload: &[u8]) -> Result<[u8; 64], String>;
}

impl Device for sm2::SecretKey {
    fn public_key(&self) -> [u8; 33] {
        self.public().to_compressed()
    }

    fn sign(&self, payload: &[u8]) -> Result<[u8; 64], String> {
        Ok(sm2::SecretKey::sign(self, sm2::DEFAULT_ID, payload).to_bytes())
    }
}

/// A signed transaction. Keep it, and send it again after whatever happened: it is executed once at
/// most.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prepared {
    /// Its bytes.
    pub transaction: Vec<u8>,
    /// Its nonce.
    pub nonce: Nonce,
    /// The bill that it is about, if it is about one.
    pub bill: Option<BillKey>,
}

impl Prepared {
    /// The transaction's hash.
    pub fn hash(&self) -> Hash {
        sm3(&self.transaction).into()
    }
}

/// What became of a transaction that succeeded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The transaction.
    pub transaction: TransactionView,
    /// Whether the chain had it already: nothing changed, and the first one counts.
    pub is_repeated: bool,
}

/// A certificate and what it proves, with the fields that `billchain verify --json` gives.
#[derive(Clone, PartialEq, Debug)]
pub struct Certified {
    /// Its bytes.
    pub certificate: Vec<u8>,
    /// What it proves.
    pub proved: Value,
}

/// How often a transaction's state is asked for, at first.
const POLL: Duration = Duration::from_millis(50);
/// And at last.
const SLOW_POLL: Duration = Duration::from_millis(400);
/// After which time a transaction that is unknown is sent again.
const AGAIN: Duration = Duration::from_secs(2);
/// The pool has it, a block has it, or its nonce is another one's, in the pool or in a block:
/// what becomes of it has to be seen.
const TO_BE_SEEN: [i32; 4] = [2000, 2001, 2008, 2105];

/// A client of several nodes of one chain.
pub struct Member {
    nodes: Nodes,
    genesis: Hash,
    device: Option<Box<dyn Device>>,
    /// One after the other: each signs with the nonce after the one before.
    turn: Mutex<()>,
}

impl Member {
    /// A client of the nodes at these URLs, of the chain that begins with `genesis`, which is from
    /// somewhere that one trusts. Without a device it reads only. One answer of one node takes
    /// `timeout` at most. Connects with the first question.
    ///
    /// # Errors
    /// If a URL cannot be used, or there is none.
    pub fn new(
        urls: &[&str],
        genesis: Hash,
        device: Option<Box<dyn Device>>,
        timeout: Duration,
    ) -> Result<Self, MemberError> {
        let nodes = Nodes::new(urls, genesis, timeout)?;
        Ok(Self { nodes, genesis, device, turn: Mutex::new(()) })
    }

    /// What any method answers.
    ///
    /// # Errors
    /// If no node answers, or one refuses.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Vec<Value>,
    ) -> Result<T, MemberError> {
        Ok(self.nodes.ask(method, &params, self.nodes.timeout, None).await?.0)
    }

    /// A bill by code and number.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn bill(&self, key: &BillKey) -> Result<Option<BillView>, MemberError> {
        self.ask("bill_get", names(key)).await.map_err(|error| error.about(Some(*key)))
    }

    fn device(&self) -> Result<&dyn Device, MemberError> {
        self.device.as_deref().ok_or(MemberError::NoDevice)
    }

    /// The account that the device signs for.
    ///
    /// # Errors
    /// If there is no device.
    pub fn account(&self) -> Result<AccountId, MemberError> {
        Ok(PublicKey::Sm2(self.device()?.public_key()).account_id())
    }

    /// A transaction of this call and nonce. Nothing is sent.
    ///
    /// # Errors
    /// If the device fails, or its signature is not its key's.
    pub fn sign(&self, call: RuntimeCall, nonce: Nonce) -> Result<Prepared, MemberError> {
        let device = self.device()?;
        let public = device.public_key();
        let payload = immortal_payload(&call, nonce, self.genesis);
        let signature = device.sign(&payload).map_err(MemberError::Device)?;
        let holds = sm2::PublicKey::from_compressed(&public).is_ok_and(|key| {
            sm2::Signature::from_bytes(&signature)
                .is_ok_and(|signature| key.verify(sm2::DEFAULT_ID, &payload, &signature))
        });
        if !holds {
            return Err(MemberError::BadSignature);
        }
        let bill = bill_of(&call);
        let signature = Signature::Sm2 { public, signature };
        let extension = tx_extension(nonce, Era::Immortal);
        let address = Address::Id(PublicKey::Sm2(public).account_id());
        let transaction =
            UncheckedExtrinsic::new_signed(call, address, signature, extension).encode();
        Ok(Prepared { transaction, nonce, bill })
    }

    /// Signs a call, sends it, and waits until it is final, for `patience` at most.
    ///
    /// # Errors
    /// [`MemberError::CallFailed`] if the chain refuses it, [`MemberError::NotFinal`] if it is not
    /// final in time: that holds the transaction, which can be sent again.
    pub async fn execute(
        &self,
        call: RuntimeCall,
        patience: Duration,
    ) -> Result<Outcome, MemberError> {
        let deadline = Instant::now() + patience;
        loop {
            let turn = self.turn.lock().await;
            let account = format!("0x{}", hex::encode(self.account()?));
            let nonce = self.ask("system_accountNextIndex", vec![account.into()]).await?;
            let prepared = self.sign(call.clone(), nonce)?;
            self.submit(&prepared, deadline).await?;
            drop(turn);
            if let Some(outcome) = self.wait(&prepared, deadline).await? {
                return Ok(outcome);
            }
        }
    }

    /// Sends a signed transaction, at first or again, and waits until it is final.
    ///
    /// # Errors
    /// As [`Self::execute`], and [`MemberError::Superseded`] if another transaction has its nonce.
    pub async fn send(
        &self,
        prepared: &Prepared,
        patience: Duration,
    ) -> Result<Outcome, MemberError> {
        let deadline = Instant::now() + patience;
        self.submit(prepared, deadline).await?;
        let outcome = self.wait(prepared, deadline).await?;
        outcome.ok_or_else(|| MemberError::Superseded {
            hash: prepared.hash(),
            nonce: prepared.nonce,
            bill: prepared.bill,
        })
    }

    async fn submit(&self, prepared: &Prepared, deadline: Instant) -> Result<(), MemberError> {
        let params: [Value; 1] = [format!("0x{}", hex::encode(&prepared.transaction)).into()];
        let left = deadline.saturating_duration_since(Instant::now());
        let asked =
            self.nodes.ask::<Value>("author_submitExtrinsic", &params, left.max(POLL), None).await;
        match asked {
            Ok(_) => Ok(()),
            Err(MemberError::Refused { pool: Some(pool), .. }) if TO_BE_SEEN.contains(&pool) => {
                Ok(())
            }
            Err(MemberError::Unreachable { .. }) => {
                Err(not_final(prepared, TransactionState::Unknown))
            }
            Err(other) => Err(other.about(prepared.bill)),
        }
    }

    /// What became of it; `None` if it can never be executed any more.
    async fn wait(
        &self,
        prepared: &Prepared,
        deadline: Instant,
    ) -> Result<Option<Outcome>, MemberError> {
        let (mut sent, mut pause, mut state) = (Instant::now(), POLL, TransactionState::Unknown);
        let params: [Value; 1] = [format!("{:?}", prepared.hash()).into()];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(not_final(prepared, state));
            }
            let asked =
                self.nodes.ask::<TransactionView>("transaction_status", &params, left, None);
            let (view, node) = match asked.await {
                Err(MemberError::Unreachable { .. }) => return Err(not_final(prepared, state)),
                other => other?,
            };
            state = view.state;
            if state == TransactionState::Final {
                return outcome(view, prepared).map(Some);
            }
            if state == TransactionState::Unknown {
                if self.is_dead(prepared, &params, node).await? {
                    return Ok(None);
                }
                if sent.elapsed() > AGAIN {
                    sent = Instant::now();
                    self.submit(prepared, deadline).await?;
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(SLOW_POLL);
        }
    }

    /// Whether a node's state has gone beyond the nonce without this transaction.
    async fn is_dead(
        &self,
        prepared: &Prepared,
        params: &[Value],
        node: usize,
    ) -> Result<bool, MemberError> {
        let timeout = self.nodes.timeout;
        let account = format!("0x{}", hex::encode(self.account()?));
        let asked: [Value; 2] = ["AccountNonceApi_account_nonce".into(), account.into()];
        let (encoded, _) =
            self.nodes.ask::<String>("state_call", &asked, timeout, Some(node)).await?;
        let bytes = hex::decode(encoded.trim_start_matches("0x")).unwrap_or_default();
        let next = Nonce::decode(&mut &bytes[..])
            .map_err(|_| MemberError::Undecodable { method: "state_call", found: encoded })?;
        if next <= prepared.nonce {
            return Ok(false);
        }
        let again =
            self.nodes.ask::<TransactionView>("transaction_status", params, timeout, Some(node));
        Ok(again.await?.0.state != TransactionState::Final)
    }

    /// The certificate of a bill, or that there is none, fetched and checked. No node is trusted.
    ///
    /// # Errors
    /// As [`Self::ask`], and [`MemberError::Certificate`] if it proves nothing or another thing.
    pub async fn certified(&self, key: &BillKey) -> Result<Certified, MemberError> {
        let refused = |error: MemberError| error.about(Some(*key));
        let view: BillCertificateView =
            self.ask("bill_certificate", names(key)).await.map_err(refused)?;
        let certificate =
            hex::decode(view.certificate.trim_start_matches("0x")).unwrap_or_default();
        let proved = self.verify(&certificate).map_err(refused)?;
        let expected = format!("{}-{}", key.code, key.number);
        if proved["bill"] != *expected {
            let reason = format!("the certificate is of {}, expected {expected}", proved["bill"]);
            return Err(MemberError::Certificate { reason, bill: Some(*key) });
        }
        Ok(Certified { certificate, proved })
    }

    /// What a certificate proves to whoever trusts this client's genesis.
    ///
    /// # Errors
    /// [`MemberError::Certificate`].
    pub fn verify(&self, certificate: &[u8]) -> Result<Value, MemberError> {
        let text = billchain_verifier_json::verify(certificate, &self.genesis.0);
        let shown: Value = serde_json::from_str(&text).unwrap_or_default();
        if shown["proved"] == true {
            return Ok(shown);
        }
        let reason = shown["refused"].as_str().unwrap_or(&text).to_owned();
        Err(MemberError::Certificate { reason, bill: None })
    }
}

fn names(key: &BillKey) -> Vec<Value> {
    vec![key.code.to_string().into(), key.number.to_string().into()]
}

fn not_final(prepared: &Prepared, state: TransactionState) -> MemberError {
    MemberError::NotFinal { prepared: Box::new(prepared.clone()), state }
}

fn outcome(view: TransactionView, prepared: &Prepared) -> Result<Outcome, MemberError> {
    if view.success != Some(true) {
        return Err(MemberError::CallFailed { view: Box::new(view), bill: prepared.bill });
    }
    let is_repeated = |name: &str| name == "RegistrationRepeated" || name == "LockRepeated";
    let is_repeated = view.events.iter().any(|event| is_repeated(&event.name));
    Ok(Outcome { transaction: view, is_repeated })
}

/// The one bill that a call is about.
fn bill_of(call: &RuntimeCall) -> Option<BillKey> {
    match call {
        RuntimeCall::BillRegister(Register::register { summary }) => Some(summary.key),
        RuntimeCall::BillRegister(Register::pre_issue { notice }) => Some(notice.key),
        RuntimeCall::BillRegister(Register::confirm { key } | Register::void { key, .. }) => {
            Some(*key)
        }
        RuntimeCall::BillUpdate(
            Update::change_status { key, .. }
            | Update::red_reverse { key, .. }
            | Update::update_summary { key, .. },
        ) => Some(*key),
        _ => None,
    }
}

/// Parameters as the transport takes them.
fn array(params: &[Value]) -> jsonrpsee::core::params::ArrayParams {
    let mut all = rpc_params![];
    for param in params {
        // Any JSON value is JSON.
        let _ = all.insert(param);
    }
    all
}

#[cfg(test)]
mod tests;
