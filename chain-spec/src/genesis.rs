//! From the document to the first state.

use crate::{ChainSpec, Performance, SpecError, TransitionRule};
use billchain_primitives::{AccountId, PublicKey};
use billchain_runtime::{
    BillRegisterConfig, CoolingConfig, CouncilMembershipConfig, GenesisState, OutboxConfig,
    ParticipantConfig, PerformanceConfig, PermissionsConfig, RuntimeGenesisConfig, SceneConfig,
    VERSION, ValidatorsConfig, genesis,
};
use libp2p_identity::PeerId;
use pallet_permissions::TransitionRuleKey;
use pallet_validators::{PeerIdBytes, Validator};
use std::str::FromStr;

impl ChainSpec {
    /// The first state, which only a release with the document's rules can make.
    /// Equal documents give equal states.
    pub fn genesis_state(&self) -> Result<GenesisState, SpecError> {
        self.check()?;
        let own = VERSION.spec_version;
        if self.rules != own {
            return Err(SpecError::OtherRules { needed: self.rules, own });
        }
        // `check` should have found whatever the runtime refuses.
        genesis::build_state(&self.runtime_config(), self.timestamp_ms).map_err(SpecError::Genesis)
    }

    fn runtime_config(&self) -> RuntimeGenesisConfig {
        let mut council: Vec<AccountId> =
            self.council.iter().map(|member| member.account_id()).collect();
        council.sort();
        RuntimeGenesisConfig {
            council_membership: CouncilMembershipConfig {
                // `check` bounds the number.
                members: council.try_into().unwrap_or_default(),
                ..Default::default()
            },
            validators: validators(self),
            performance: performance(self),
            cooling: cooling(self),
            outbox: outbox(self),
            participant: participants(self),
            permissions: permissions(self),
            bill_register: BillRegisterConfig {
                field_rules: self
                    .field_rules
                    .iter()
                    .map(|set| (set.scene, set.rules.clone()))
                    .collect(),
                ..Default::default()
            },
            scene: SceneConfig {
                scenes: self
                    .scenes
                    .iter()
                    .map(|scene| {
                        let related_data = scene.related_data.clone();
                        (scene.id, scene.name.clone(), scene.rules, related_data)
                    })
                    .collect(),
                ..Default::default()
            },
            ..Default::default()
        }
    }
}

/// What the contracts find wrong with their parts of the document.
pub(crate) fn contract_problems(spec: &ChainSpec) -> Vec<String> {
    let mut problems = participants(spec).problems();
    problems.extend(performance(spec).problems());
    problems.extend(cooling(spec).problems());
    problems.extend(outbox(spec).problems());
    problems
}

fn performance(spec: &ChainSpec) -> PerformanceConfig {
    let Performance { limits, quotas, participants } = &spec.performance;
    PerformanceConfig {
        limits: *limits,
        quotas: quotas.clone(),
        own_quotas: participants.iter().map(|own| (own.did.clone(), own.quota)).collect(),
        ..Default::default()
    }
}

fn cooling(spec: &ChainSpec) -> CoolingConfig {
    CoolingConfig { policy: spec.cooling, ..Default::default() }
}

fn outbox(spec: &ChainSpec) -> OutboxConfig {
    OutboxConfig { connectors: spec.connectors.clone(), ..Default::default() }
}

fn participants(spec: &ChainSpec) -> ParticipantConfig {
    ParticipantConfig {
        participants: spec.participants.clone(),
        schemes: spec.chain_type.schemes(),
        ..Default::default()
    }
}

fn validators(spec: &ChainSpec) -> ValidatorsConfig {
    let validators = spec
        .operators
        .iter()
        .filter_map(|operator| {
            // `check` refuses what is left out here.
            let PublicKey::Sm2(consensus_key) = operator.consensus_key else { return None };
            Some(Validator {
                operator: operator.account.account_id(),
                name: operator.name.clone(),
                consensus_key,
                peer_id: peer_id_bytes(&operator.peer_id)?,
                power: operator.power,
            })
        })
        .collect();
    let observers = spec
        .observers
        .iter()
        .filter_map(|observer| {
            let peer_id = peer_id_bytes(&observer.peer_id)?;
            Some(pallet_validators::Observer { name: observer.name.clone(), peer_id })
        })
        .collect();
    ValidatorsConfig { validators, observers, ..Default::default() }
}

fn peer_id_bytes(text: &str) -> Option<PeerIdBytes> {
    PeerId::from_str(text).ok()?.to_bytes().try_into().ok()
}

fn permissions(spec: &ChainSpec) -> PermissionsConfig {
    PermissionsConfig {
        rules: spec
            .transition_rules
            .iter()
            .map(|rule| {
                let TransitionRule { from, operation, scene, roles, to } = *rule;
                (TransitionRuleKey { from, operation, scene }, roles, to)
            })
            .collect(),
        whitelist: spec
            .whitelist
            .iter()
            .flat_map(|entry| entry.scenes.iter().map(|scene| (*scene, entry.did.clone())))
            .collect(),
        admins: spec
            .admins
            .iter()
            // `check` refuses an administrator that is no participant.
            .filter_map(|admin| Some((spec.participant_with(&admin.account)?.did.clone(), admin)))
            .map(|(did, admin)| (did, admin.role))
            .collect(),
        ..Default::default()
    }
}
