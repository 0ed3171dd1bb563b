//! What the chain begins with: the specification makes the genesis, whose hash is trusted, and so
//! tells who takes part and by which rules before the first transaction.

use super::{At, Ledger, governance::bytes, rules};
use crate::{
    block::voters_of,
    insert::values,
    names,
    shape::{self, short},
};
use billchain_chain_spec::{ChainSpec, SpecError};
use billchain_executor::{ChainError, genesis_block};
use billchain_primitives::{Hash, Header, PublicKey};
use billchain_runtime::GenesisState;
use billchain_verifier::{Block, Deciders};
use codec::Decode;
use frame_support::storage::storage_prefix;
use pallet_participation::SET_DIGEST;
use pallet_validators::{Observer, Validator};
use serde_json::json;
use sp_runtime::DigestItem;

/// Why there is no genesis.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// The specification is wrong, or of other rules.
    #[error("chain specification: {0}")]
    Spec(#[from] SpecError),
    /// The first block cannot be made.
    #[error("genesis: {0}")]
    Chain(#[from] ChainError),
    /// It is not the one that is trusted.
    #[error("the chain specification makes the genesis {made}, expected {expected}")]
    Other {
        /// What it makes.
        made: String,
        /// What is trusted.
        expected: String,
    },
    /// It names no validators.
    #[error("the genesis names no validators")]
    NoValidators,
}

/// The beginning of a chain.
pub(crate) struct Genesis {
    pub(crate) header: Header,
    pub(crate) hash: Hash,
    pub(crate) deciders: Deciders,
    pub(crate) state: GenesisState,
    pub(crate) spec: ChainSpec,
}

/// The beginning that a specification makes.
///
/// # Errors
/// It makes none, or another one than `expected`.
pub(crate) fn genesis(spec: &ChainSpec, expected: Option<Hash>) -> Result<Genesis, GenesisError> {
    let state = spec.genesis_state()?;
    let (header, _) = genesis_block(&state)?;
    let hash = header.hash();
    if let Some(expected) = expected.filter(|expected| *expected != hash) {
        let (made, expected) = (format!("{hash:?}"), format!("{expected:?}"));
        return Err(GenesisError::Other { made, expected });
    }
    let item = header.digest.logs().iter().find_map(|item| match item {
        DigestItem::Consensus(id, bytes) if *id == SET_DIGEST => Some(bytes.clone()),
        _ => None,
    });
    let item = item.ok_or(GenesisError::NoValidators)?;
    let first = Block { number: 0, hash: hash.0 };
    let deciders = Deciders::read(first, &item).map_err(|_| GenesisError::NoValidators)?;
    voters_of(&item).ok_or(GenesisError::NoValidators)?;
    Ok(Genesis { header, hash, deciders, state, spec: spec.clone() })
}

/// A value of the first state, or none.
fn value<T: Decode>(state: &GenesisState, pallet: &str, item: &str) -> Option<T> {
    let key = storage_prefix(pallet.as_bytes(), item.as_bytes());
    let bytes = state.get(&key[..])?;
    T::decode(&mut &bytes[..]).ok()
}

impl Ledger {
    /// Takes the beginning.
    pub(crate) fn begin(&mut self, genesis: &Genesis) {
        let time = genesis.spec.timestamp_ms;
        let month = shape::month_of(time);
        let at = At { block: 0, place: Some(0), tx: 0, time, month, day: shape::day_of(time) };
        self.batch.months.push(month);
        self.state.rules = genesis.spec.rules;
        let header = &genesis.header;
        self.batch.blocks.insert(
            0,
            values![
                0_i64,
                month,
                genesis.hash,
                short(genesis.hash.as_bytes()),
                header.parent_hash,
                header.state_root,
                header.extrinsics_root,
                time,
                at.day,
                genesis.spec.rules,
                0_i64,
                0_i64,
                0_i64,
                0_i64,
                0_i64,
                0_i64,
                0_i64,
                None::<i64>,
                None::<i64>,
                None::<i64>,
                None::<i64>,
            ],
        );
        self.state.set = 1;
        self.seat(genesis.deciders.item(), 1);
        self.begin_participants(&at, &genesis.spec);
        self.begin_rules(&at, &genesis.spec);
        let validators: Vec<Validator> =
            value(&genesis.state, "Validators", "Validators").unwrap_or_default();
        validators.iter().for_each(|validator| self.add_validator(&at, validator));
        let observers: Vec<Observer> =
            value(&genesis.state, "Validators", "Observers").unwrap_or_default();
        observers.iter().for_each(|observer| self.add_observer(&at, observer));
    }

    fn begin_participants(&mut self, at: &At, spec: &ChainSpec) {
        for told in &spec.participants {
            let who = self.did(&told.did);
            let account = told.public_key.account_id();
            let roles = names::number(&told.roles);
            self.state.set_account(&account, who);
            self.state.set_roles(who, roles);
            let uscc = told.uscc_hash.map(|hash| format!("{hash:?}"));
            self.batch.then(
                "INSERT INTO participants (id, name, kind, account, public_key, roles, status, \
                 uscc_hash, rotations, registered_tx, registered, updated_tx, updated) \
                 VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 0, 0, $8, 0, $8)",
                values![
                    who,
                    told.name.to_string(),
                    names::number(&told.kind),
                    bytes(&account),
                    told.public_key.to_string(),
                    roles,
                    uscc,
                    at.time
                ],
            );
        }
    }

    fn begin_rules(&mut self, at: &At, spec: &ChainSpec) {
        for scene in &spec.scenes {
            self.batch.then(
                "INSERT INTO scenes (id, name, status, terms, related_data, version, updated_tx, \
                 updated) VALUES ($1, $2, 0, $3, $4, 1, 0, $5)",
                values![
                    scene.id.0,
                    scene.name.to_string(),
                    rules::terms_json(&scene.rules),
                    rules::related_json(&scene.related_data),
                    at.time
                ],
            );
            let subject = json!({ "scene": scene.id.0 });
            self.note_rule(at, "scene", &subject, Some(json!(scene.rules)));
        }
        for rule in &spec.transition_rules {
            let subject = json!({
                "from": rule.from, "operation": rule.operation, "scene": rule.scene,
            });
            let rule = json!({ "roles": rule.roles, "target": rule.to, "version": 0 });
            self.note_rule(at, "transition", &subject, Some(rule));
        }
        for entry in &spec.whitelist {
            for scene in &entry.scenes {
                let subject = json!({ "scene": scene.0, "did": entry.did.to_string() });
                self.note_rule(at, "whitelist", &subject, Some(json!(true)));
            }
        }
        for admin in &spec.admins {
            let acts = |key: &PublicKey| *key == admin.account;
            let holder = spec.participants.iter().find(|told| acts(&told.public_key));
            let Some(holder) = holder else { continue };
            let subject = json!({ "did": holder.did.to_string() });
            self.note_rule(at, "admin", &subject, Some(json!(admin.role)));
        }
        for set in &spec.field_rules {
            let subject = json!({ "scene": set.scene.map(|scene| scene.0), "version": 1 });
            self.note_rule(at, "field", &subject, Some(json!(set.rules)));
        }
        let performance = json!({
            "limits": spec.performance.limits, "quotas": spec.performance.quotas,
        });
        self.note_rule(at, "limits", &json!({}), Some(performance));
        self.note_rule(at, "cooling", &json!({}), Some(json!(spec.cooling)));
    }
}
