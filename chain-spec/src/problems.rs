//! What can be wrong with a chain spec. Everything is looked for, so that one
//! reading mends the document.

use crate::{ChainSpec, ChainType, dev, genesis};
use billchain_primitives::{AdminRole, BillStatus, PublicKey, SceneId, SignatureScheme};
use libp2p_identity::PeerId;
use pallet_validators::MAX_POWER;
use std::{collections::BTreeMap, str::FromStr};

/// Why there is no chain spec.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The text is no JSON of the expected form.
    #[error("chain spec: {0}")]
    Json(String),
    /// The document cannot start a chain.
    #[error("chain spec: {}", .problems.join("; "))]
    Invalid {
        /// Every problem, each with the place it is in.
        problems: Vec<String>,
    },
    /// Another release makes the first state.
    #[error(
        "chain spec: the chain begins under rules {needed}, this release has rules {own}: start \
         the release with rules {needed}, or restore a copy of another node's data"
    )]
    OtherRules {
        /// Rules of the first blocks.
        needed: u32,
        /// Rules of this release.
        own: u32,
    },
    /// The runtime refused the genesis although no problem was found.
    #[error("chain spec: the runtime refused the genesis: {0}")]
    Genesis(String),
}

/// Fewest operators of a production chain: three faults of Tendermint's kind
/// would otherwise stop it.
const FEWEST_PRODUCTION_OPERATORS: usize = 4;

/// Most members of the council.
const MOST_COUNCIL_MEMBERS: usize = billchain_runtime::MAX_COUNCIL_MEMBERS as usize;

/// Most operators: the bound on validators.
const MOST_OPERATORS: usize = pallet_validators::MAX_VALIDATORS as usize;

impl ChainSpec {
    /// Everything that is wrong with the document, each with the place it is
    /// in; empty if a chain can begin with it.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        self.check_names(&mut problems);
        self.check_operators(&mut problems);
        self.check_keys(&mut problems);
        self.check_peers(&mut problems);
        self.check_business(&mut problems);
        self.check_admins(&mut problems);
        problems.extend(genesis::contract_problems(self));
        problems
    }

    fn check_names(&self, problems: &mut Vec<String>) {
        let id_is_valid = !self.id.is_empty()
            && self.id.len() <= 32
            && self.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !id_is_valid {
            problems.push(format!(
                "id: expected 1 to 32 lower-case letters, digits and -, found \"{}\"",
                self.id.escape_debug()
            ));
        }
        if self.timestamp_ms == 0 {
            problems.push("timestampMs: expected the chain's first moment, found 0".into());
        }
    }

    fn check_operators(&self, problems: &mut Vec<String>) {
        let found = self.operators.len();
        let fewest = match self.chain_type {
            ChainType::Development => 1,
            ChainType::Production => FEWEST_PRODUCTION_OPERATORS,
        };
        if !(fewest..=MOST_OPERATORS).contains(&found) {
            problems
                .push(format!("operators: expected {fewest} to {MOST_OPERATORS}, found {found}"));
        }
        if self.council.is_empty() {
            problems.push("council: expected at least one member, found none".into());
        }
        if self.council.len() > MOST_COUNCIL_MEMBERS {
            let found = self.council.len();
            problems.push(format!(
                "council: expected at most {MOST_COUNCIL_MEMBERS} members, found {found}"
            ));
        }
        for (at, operator) in self.operators.iter().enumerate() {
            if !(1..=MAX_POWER).contains(&operator.power) {
                let found = operator.power;
                problems.push(format!(
                    "operators[{at}].power: expected 1 to {MAX_POWER}, found {found}"
                ));
            }
            if operator.consensus_key.scheme() != SignatureScheme::Sm2 {
                problems.push(format!(
                    "operators[{at}].consensusKey: expected an SM2 key, found {}",
                    operator.consensus_key
                ));
            }
        }
    }

    /// Schemes, well-known keys, and keys that stand twice where they must not.
    fn check_keys(&self, problems: &mut Vec<String>) {
        let schemes = self.chain_type.schemes();
        let mut places: Vec<(String, &PublicKey)> = Vec::new();
        for (at, operator) in self.operators.iter().enumerate() {
            places.push((format!("operators[{at}].account"), &operator.account));
            places.push((format!("operators[{at}].consensusKey"), &operator.consensus_key));
        }
        for (at, member) in self.council.iter().enumerate() {
            places.push((format!("council[{at}]"), member));
        }
        for (at, participant) in self.participants.iter().enumerate() {
            places.push((format!("participants[{at}].publicKey"), &participant.public_key));
        }
        for (place, key) in &places {
            if !schemes.contains(&key.scheme()) {
                problems.push(format!("{place}: this chain admits SM2 keys only, found {key}"));
            }
            if self.chain_type == ChainType::Production && dev::is_well_known(key) {
                problems.push(format!("{place}: a well-known development key, anybody has it"));
            }
        }
        for (at, admin) in self.admins.iter().enumerate() {
            if !schemes.contains(&admin.account.scheme()) {
                problems.push(format!(
                    "admins[{at}].account: this chain admits SM2 keys only, found {}",
                    admin.account
                ));
            }
        }
        // An account votes through its node's key, never the node through the
        // account's: the key lies open on the node.
        let consensus = |place: &str| place.ends_with("consensusKey");
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (place, key) in &places {
            if let Some(first) = seen.get(&key.to_string())
                && (consensus(place) || consensus(first))
            {
                problems.push(format!("{place}: the same key as {first}"));
            }
            seen.entry(key.to_string()).or_insert(place);
        }
        repeated("admins", self.admins.iter().map(|admin| admin.account.to_string()), problems);
        repeated("operators", self.operators.iter().map(|o| o.account.to_string()), problems);
        repeated("council", self.council.iter().map(ToString::to_string), problems);
    }

    fn check_peers(&self, problems: &mut Vec<String>) {
        let operators = self
            .operators
            .iter()
            .enumerate()
            .map(|(at, operator)| (format!("operators[{at}].peerId"), &operator.peer_id));
        let observers = self
            .observers
            .iter()
            .enumerate()
            .map(|(at, observer)| (format!("observers[{at}].peerId"), &observer.peer_id));
        let mut seen: BTreeMap<&str, String> = BTreeMap::new();
        for (place, peer) in operators.chain(observers) {
            if let Err(error) = PeerId::from_str(peer) {
                problems.push(format!(
                    "{place}: expected a libp2p peer id in base 58, found \"{}\" ({error})",
                    peer.escape_debug()
                ));
            }
            if let Some(first) = seen.get(peer.as_str()) {
                problems.push(format!("{place}: the same peer id as {first}"));
            }
            seen.entry(peer).or_insert(place);
        }
    }
}

impl ChainSpec {
    /// Scenes, rules, and what refers to scenes and participants.
    fn check_business(&self, problems: &mut Vec<String>) {
        if self.scenes.is_empty() {
            problems.push("scenes: expected at least one, found none".into());
        }
        for (at, scene) in self.scenes.iter().enumerate() {
            if scene.rules.lock_period_ms == 0 {
                problems.push(format!("scenes[{at}]: the lock period must not be 0"));
            }
            let kinds = scene.related_data.iter().map(ToString::to_string);
            repeated(&format!("scenes[{at}].relatedData"), kinds, problems);
        }
        repeated("scenes", self.scenes.iter().map(|scene| scene.id.0.to_string()), problems);
        for (at, rule) in self.transition_rules.iter().enumerate() {
            if rule.from.is_some_and(BillStatus::is_final) {
                problems.push(format!("transitionRules[{at}]: nothing leads from a final status"));
            }
            if let Some(id) = rule.scene.filter(|id| !self.has_scene(*id)) {
                problems.push(format!("transitionRules[{at}]: there is no scene {}", id.0));
            }
        }
        let rules = self.transition_rules.iter();
        let keys =
            rules.map(|rule| format!("{:?} {:?} {:?}", rule.from, rule.operation, rule.scene));
        repeated("transitionRules", keys, problems);
        for (at, set) in self.field_rules.iter().enumerate() {
            if let Some(rule) = pallet_bill_register::unsound(&set.rules) {
                problems.push(format!(
                    "fieldRules[{at}].rules[{rule}]: no bill can keep it, or none is asked"
                ));
            }
            if let Some(id) = set.scene.filter(|id| !self.has_scene(*id)) {
                problems.push(format!("fieldRules[{at}]: there is no scene {}", id.0));
            }
        }
        let scenes = self.field_rules.iter().map(|set| format!("{:?}", set.scene));
        repeated("fieldRules", scenes, problems);
        for (at, own) in self.performance.participants.iter().enumerate() {
            if !self.participants.iter().any(|known| known.did == own.did) {
                problems.push(format!(
                    "performance.participants[{at}]: no participant has the DID {}",
                    own.did
                ));
            }
        }
        for (at, entry) in self.whitelist.iter().enumerate() {
            if !self.participants.iter().any(|known| known.did == entry.did) {
                problems.push(format!("whitelist[{at}]: no participant has the DID {}", entry.did));
            }
            for id in &entry.scenes {
                if !self.has_scene(*id) {
                    problems.push(format!("whitelist[{at}]: there is no scene {}", id.0));
                }
            }
        }
    }
}

/// How many holders of an office a chain begins with at least: one that
/// proposes and one that approves, and one each of the others.
const OFFICES: [(AdminRole, usize, &str); 3] = [
    (AdminRole::SystemAdmin, 2, "system administrators"),
    (AdminRole::SecurityAdmin, 1, "security administrators"),
    (AdminRole::Auditor, 1, "auditors"),
];

impl ChainSpec {
    fn has_scene(&self, id: SceneId) -> bool {
        self.scenes.iter().any(|scene| scene.id == id)
    }

    /// The three administrators: participants, separate, and enough of them.
    fn check_admins(&self, problems: &mut Vec<String>) {
        for (at, admin) in self.admins.iter().enumerate() {
            match self.participant_with(&admin.account) {
                None => problems.push(format!(
                    "admins[{at}].account: no participant has the key {}: expected the publicKey \
                     of one",
                    admin.account
                )),
                Some(participant) if !admin.role.goes_with(participant.roles) => problems.push(
                    format!("admins[{at}].role: who administers does not audit, see its roles"),
                ),
                Some(_) => {}
            }
        }
        for (office, fewest, name) in OFFICES {
            let found = self.admins.iter().filter(|admin| admin.role == office).count();
            if found < fewest {
                problems.push(format!("admins: expected at least {fewest} {name}, found {found}"));
            }
        }
    }
}

fn repeated(place: &str, keys: impl Iterator<Item = String>, problems: &mut Vec<String>) {
    let mut seen = BTreeMap::new();
    for (at, key) in keys.enumerate() {
        if let Some(first) = seen.get(&key) {
            problems.push(format!("{place}[{at}]: the same as {place}[{first}]"));
        }
        seen.entry(key).or_insert(at);
    }
}
