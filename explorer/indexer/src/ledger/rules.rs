//! By which rules: scenes, policies, transition rules, whitelists, offices, limits. What their
//! events do to the tables.

use super::{At, Ledger};
use crate::{insert::values, names, words};
use billchain_primitives::seams::SceneTerms;
use billchain_runtime::{Runtime, RuntimeCall, RuntimeEvent};
use codec::Encode;
use pallet_scene::{Decision, RelatedData, SceneChange};
use serde_json::{Value, json};

/// JSON of a scene's kinds of related data.
pub(super) fn related_json(data: &RelatedData) -> String {
    let texts: Vec<String> = data.iter().map(ToString::to_string).collect();
    json!(texts).to_string()
}

/// JSON of a scene's rules.
pub(super) fn terms_json(terms: &SceneTerms) -> String {
    json!(terms).to_string()
}

fn change_json(change: &SceneChange) -> String {
    let value = match change {
        SceneChange::Register { name, rules, related_data } => json!({
            "kind": "register", "name": name.to_string(), "rules": rules,
            "related_data": related_data.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
        SceneChange::Configure { rules, related_data } => json!({
            "kind": "configure", "rules": rules,
            "related_data": related_data.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
        SceneChange::Weight(weight) => json!({ "kind": "weight", "weight": weight }),
        SceneChange::Status(status) => json!({ "kind": "status", "status": status }),
    };
    value.to_string()
}

impl Ledger {
    /// Something holds from now on for what `subject` says; none: nothing any longer.
    pub(crate) fn note_rule(&mut self, at: &At, sort: &str, subject: &Value, rule: Option<Value>) {
        self.state.last_rule += 1;
        let rule = rule.map(|rule| rule.to_string());
        self.batch.then(
            "INSERT INTO rule_changes (id, sort, subject, rule, tx, time) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            values![self.state.last_rule, sort, subject.to_string(), rule, at.tx, at.time],
        );
    }

    pub(super) fn on_scene(&mut self, at: &At, event: &pallet_scene::Event<Runtime>) {
        use pallet_scene::Event as E;
        match event {
            E::SceneRegistered { scene, name, rules, related_data } => {
                self.batch.then(
                    "INSERT INTO scenes (id, name, status, terms, related_data, version, \
                     updated_tx, updated) VALUES ($1, $2, 0, $3, $4, 1, $5, $6)",
                    values![
                        scene.0,
                        name.to_string(),
                        terms_json(rules),
                        related_json(related_data),
                        at.tx,
                        at.time
                    ],
                );
                self.note_scene(at, scene.0, Some(json!(rules)));
            }
            E::SceneConfigured { scene, rules, related_data } => {
                self.batch.then(
                    "UPDATE scenes SET terms = $2, related_data = $3, version = version + 1, \
                     updated_tx = $4, updated = $5 WHERE id = $1",
                    values![scene.0, terms_json(rules), related_json(related_data), at.tx, at.time],
                );
                self.note_scene(at, scene.0, Some(json!(rules)));
            }
            E::WeightSet { scene, to, .. } => {
                // The weight is part of the terms; the newest change of it counts.
                self.batch.then(
                    "UPDATE scenes SET version = version + 1, updated_tx = $2, updated = $3 \
                     WHERE id = $1",
                    values![scene.0, at.tx, at.time],
                );
                self.note_scene(at, scene.0, Some(json!({ "weight": to })));
            }
            E::StatusSet { scene, status } => {
                self.batch.then(
                    "UPDATE scenes SET status = $2, version = version + 1, updated_tx = $3, \
                     updated = $4 WHERE id = $1",
                    values![scene.0, names::number(status), at.tx, at.time],
                );
                self.note_scene(at, scene.0, Some(json!({ "status": status })));
            }
            _ => self.on_proposal(at, event),
        }
    }

    fn note_scene(&mut self, at: &At, scene: u16, rule: Option<Value>) {
        self.note_rule(at, "scene", &json!({ "scene": scene }), rule);
    }

    fn on_proposal(&mut self, at: &At, event: &pallet_scene::Event<Runtime>) {
        use pallet_scene::Event as E;
        match event {
            E::ChangeProposed { proposal, scene, change, proposer, reason, .. } => {
                let proposer = self.did(proposer);
                self.batch.then(
                    "INSERT INTO scene_proposals (id, scene, change, proposer, reason, proposed_tx, \
                     proposed, outcome) VALUES ($1, $2, $3, $4, $5, $6, $7, 'open')",
                    values![
                        *proposal,
                        scene.0,
                        change_json(change),
                        proposer,
                        reason.to_string(),
                        at.tx,
                        at.time
                    ],
                );
            }
            E::ProposalDecided { proposal, approver, decision, comment, .. } => {
                let approver = self.did(approver);
                let outcome = match decision {
                    Decision::Approved => "approved",
                    Decision::Rejected => "rejected",
                };
                self.batch.then(
                    "UPDATE scene_proposals SET outcome = $2, approver = $3, comment = $4, \
                     ended = $5 WHERE id = $1",
                    values![*proposal, outcome, approver, comment.to_string(), at.time],
                );
            }
            E::ProposalWithdrawn { proposal, reason, .. } => self.batch.then(
                "UPDATE scene_proposals SET outcome = 'withdrawn', comment = $2, ended = $3 \
                 WHERE id = $1",
                values![*proposal, reason.to_string(), at.time],
            ),
            _ => {}
        }
    }

    pub(super) fn on_policy(
        &mut self,
        at: &At,
        event: &pallet_policy::Event<Runtime>,
        calls: &[&RuntimeCall],
    ) {
        use pallet_policy::Event as E;
        match event {
            E::PolicySubmitted { policy, version, name, submitter, format, body_hash, .. } => {
                let document = calls.iter().find_map(|call| document_of(call, body_hash));
                let submitter = self.did(submitter);
                let format = json!(format).as_str().unwrap_or_default().to_owned();
                self.batch.then(
                    "INSERT INTO policies (policy, version, name, status, submitter, format, \
                     body_hash, document, approvals, submitted_tx, submitted, updated_tx, updated) \
                     VALUES ($1, $2, $3, 'draft', $4, $5, $6, $7, 0, $8, $9, $8, $9)",
                    values![
                        policy.0,
                        *version,
                        name.to_string(),
                        submitter,
                        format,
                        *body_hash,
                        document,
                        at.tx,
                        at.time
                    ],
                );
            }
            E::ApprovalSubmitted { policy, version, .. } => self.batch.then(
                "UPDATE policies SET approvals = approvals + 1, updated_tx = $3, updated = $4 \
                 WHERE policy = $1 AND version = $2",
                values![policy.0, *version, at.tx, at.time],
            ),
            E::ApprovalFinalized { policy, version, approval_hash, .. } => self.batch.then(
                "UPDATE policies SET approval_hash = $3, updated_tx = $4, updated = $5 \
                 WHERE policy = $1 AND version = $2",
                values![policy.0, *version, *approval_hash, at.tx, at.time],
            ),
            E::StatusChanged { policy, version, to, .. } => {
                let status = json!(to).as_str().unwrap_or_default().to_owned();
                self.batch.then(
                    "UPDATE policies SET status = $3, updated_tx = $4, updated = $5 \
                     WHERE policy = $1 AND version = $2",
                    values![policy.0, *version, status, at.tx, at.time],
                );
            }
            _ => {}
        }
    }

    pub(super) fn on_permissions(&mut self, at: &At, event: &pallet_permissions::Event<Runtime>) {
        use pallet_permissions::Event as E;
        match event {
            E::RuleSet { key, rule } => {
                let rule = json!({
                    "roles": rule.roles, "target": rule.target, "version": rule.version,
                });
                self.note_rule(at, "transition", &json!(key), Some(rule));
            }
            E::RuleRemoved { key, .. } => self.note_rule(at, "transition", &json!(key), None),
            E::WhitelistSet { scene, did } => {
                let subject = json!({ "scene": scene.0, "did": did.to_string() });
                self.note_rule(at, "whitelist", &subject, Some(json!(true)));
            }
            E::WhitelistRemoved { scene, did } => {
                let subject = json!({ "scene": scene.0, "did": did.to_string() });
                self.note_rule(at, "whitelist", &subject, None);
            }
            E::AdminSet { did, role } => {
                let subject = json!({ "did": did.to_string() });
                self.note_rule(at, "admin", &subject, Some(json!(role)));
            }
            E::AdminRemoved { did, .. } => {
                self.note_rule(at, "admin", &json!({ "did": did.to_string() }), None);
            }
            _ => {}
        }
    }

    /// Limits, quotas, cooling and releases, as their events tell them.
    pub(super) fn on_settings(&mut self, at: &At, event: &RuntimeEvent) {
        use pallet_upgrade::Event as Upgrade;
        let sort = match event {
            RuntimeEvent::Performance(event) => match event {
                pallet_performance::Event::LimitsChanged { .. } => "limits",
                pallet_performance::Event::QuotasChanged { .. } => "quotas",
                pallet_performance::Event::ParticipantQuotaChanged { .. } => "quota",
                _ => return,
            },
            RuntimeEvent::Cooling(pallet_cooling::Event::PolicySet { .. }) => "cooling",
            RuntimeEvent::Upgrade(event) => {
                if let Upgrade::RulesChanged { release } = event {
                    self.state.rules = release.rules;
                }
                "release"
            }
            _ => return,
        };
        let Some(told) = words::event(&event.encode()) else { return };
        let did = told.fields.get("did").cloned();
        let subject = did.map_or_else(|| json!({}), |did| json!({ "did": did }));
        let rule = json!({ "event": told.name, "fields": told.fields });
        self.note_rule(at, sort, &subject, Some(rule));
    }
}

/// The document that a call submits, if it has this SM3: JSON as text, others as hex.
fn document_of(call: &RuntimeCall, body_hash: &[u8; 32]) -> Option<String> {
    let RuntimeCall::Policy(pallet_policy::Call::submit { format, body }) = call else {
        return None;
    };
    if billchain_primitives::sm3(body) != *body_hash {
        return None;
    }
    Some(match format {
        pallet_policy::Format::Json => String::from_utf8_lossy(body).into_owned(),
        pallet_policy::Format::Protobuf => format!("0x{}", hex::encode(body)),
    })
}
