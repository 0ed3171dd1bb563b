//! Who takes part: participants, access nodes, grants, disputes, reports. What their events do to
//! the tables.

use super::{At, Ledger, calls};
use crate::{
    insert::{Value, values},
    lie::Lie,
    names,
    shape::bill_id,
    words,
};
use billchain_primitives::{AccountId, Did};
use billchain_runtime::{Runtime, RuntimeCall, RuntimeEvent};
use codec::Encode;
use serde_json::json;

/// An account as bytes.
pub(crate) fn bytes(account: &AccountId) -> Vec<u8> {
    AsRef::<[u8]>::as_ref(account).to_vec()
}

impl Ledger {
    /// What an event does to the tables of governance.
    pub(crate) fn on_governance(
        &mut self,
        at: &At,
        id: i64,
        event: &RuntimeEvent,
        calls: &[&RuntimeCall],
    ) -> Result<(), Lie> {
        match event {
            RuntimeEvent::Participant(event) => self.on_participant(at, event, calls),
            RuntimeEvent::AccessNode(event) => self.on_access_node(at, event, calls),
            RuntimeEvent::Authorization(event) => self.on_grant(at, event, calls),
            RuntimeEvent::Dispute(event) => self.on_dispute(at, id, event),
            RuntimeEvent::BillRegister(event) => self.on_links(at, event),
            RuntimeEvent::BillUpdate(event) => {
                use pallet_bill_update::Event as E;
                if let E::BatchItemRefused { index, key, error } = event {
                    self.note_refusal(at, key, i64::from(*index), &words::failure(error));
                }
            }
            RuntimeEvent::BillVerify(event) => self.on_mismatch(at, event),
            RuntimeEvent::Scene(event) => self.on_scene(at, event),
            RuntimeEvent::Policy(event) => self.on_policy(at, event, calls),
            RuntimeEvent::Permissions(event) => self.on_permissions(at, event),
            RuntimeEvent::Performance(_) | RuntimeEvent::Cooling(_) | RuntimeEvent::Upgrade(_) => {
                self.on_settings(at, event)
            }
            RuntimeEvent::Council(event) => self.on_council(at, event, calls),
            RuntimeEvent::Validators(event) => self.on_validators(at, event),
            RuntimeEvent::Allotment(event) => self.on_allotment(at, id, event),
            _ => {}
        }
        Ok(())
    }

    fn on_participant(
        &mut self,
        at: &At,
        event: &pallet_participant::Event<Runtime>,
        calls: &[&RuntimeCall],
    ) {
        use pallet_participant::Event as E;
        match event {
            E::Registered { did, account, kind, roles, .. } => {
                let told = calls::registration(calls, did);
                let name = told.map(|told| told.name.to_string()).unwrap_or_default();
                let key = told.map(|told| told.public_key.to_string()).unwrap_or_default();
                let uscc = told.and_then(|told| told.uscc_hash).map(|hash| format!("{hash:?}"));
                let who = self.did(did);
                self.state.set_account(account, who);
                let roles = names::number(roles);
                self.state.set_roles(who, roles);
                let kind = names::number(kind);
                self.batch.then(
                    "INSERT INTO participants (id, name, kind, account, public_key, roles, status, \
                     uscc_hash, rotations, registered_tx, registered, updated_tx, updated) \
                     VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 0, $8, $9, $8, $9)",
                    values![who, name, kind, bytes(account), key, roles, uscc, at.tx, at.time],
                );
            }
            E::StatusChanged { did, to, .. } => {
                self.update_participant(at, did, "status = $4", values![names::number(to)]);
            }
            E::KeyRotated { did, old_account, new_account, .. } => {
                let who = self.did(did);
                self.state.drop_account(old_account);
                self.state.set_account(new_account, who);
                let key = calls.iter().find_map(|call| match call {
                    RuntimeCall::Participant(pallet_participant::Call::rotate_key {
                        new_public_key,
                        ..
                    }) if new_public_key.account_id() == *new_account => {
                        Some(new_public_key.to_string())
                    }
                    _ => None,
                });
                let set = "account = $4, public_key = $5, rotations = rotations + 1";
                let values = values![bytes(new_account), key.unwrap_or_default()];
                self.update_participant(at, did, set, values);
            }
            E::InfoUpdated { did, name, uscc_hash, .. } => {
                let uscc = uscc_hash.map(|hash| format!("{hash:?}"));
                let values = values![name.to_string(), uscc];
                self.update_participant(at, did, "name = $4, uscc_hash = $5", values);
            }
            E::RolesChanged { did, to, .. } => {
                let who = self.did(did);
                self.state.set_roles(who, names::number(to));
                self.update_participant(at, did, "roles = $4", values![names::number(to)]);
            }
            _ => {}
        }
    }

    fn update_participant(&mut self, at: &At, did: &Did, set: &str, more: Vec<Value>) {
        let who = self.did(did);
        let mut all = values![who, at.tx, at.time];
        all.extend(more);
        let sql =
            format!("UPDATE participants SET {set}, updated_tx = $2, updated = $3 WHERE id = $1");
        self.batch.then(&sql, all);
    }

    fn on_access_node(
        &mut self,
        at: &At,
        event: &pallet_access_node::Event<Runtime>,
        calls: &[&RuntimeCall],
    ) {
        use pallet_access_node::Event as E;
        match event {
            E::Registered { node, operator_name, credential_hash, .. } => {
                let account = calls.iter().find_map(|call| match call {
                    RuntimeCall::AccessNode(pallet_access_node::Call::register {
                        registration,
                    }) if registration.node == *node => Some(registration.public_key.account_id()),
                    _ => None,
                });
                let who = self.did(node);
                if let Some(account) = &account {
                    self.state.set_account(account, who);
                }
                let account = account.map(|account| bytes(&account));
                let name = operator_name.to_string();
                self.batch.then(
                    "INSERT INTO access_nodes (id, operator_name, credential_hash, account, status, \
                     registered_tx, registered, updated_tx, updated) \
                     VALUES ($1, $2, $3, $4, 0, $5, $6, $5, $6)",
                    values![who, name, *credential_hash, account, at.tx, at.time],
                );
            }
            E::StatusChanged { node, to, .. } => {
                let who = self.did(node);
                self.batch.then(
                    "UPDATE access_nodes SET status = $2, updated_tx = $3, updated = $4 \
                     WHERE id = $1",
                    values![who, names::number(to), at.tx, at.time],
                );
            }
            E::Linked { node, participant, .. } => {
                let (node, participant) = (self.did(node), self.did(participant));
                self.batch.then(
                    "INSERT INTO access_links (node, participant, since_tx, since) \
                     VALUES ($1, $2, $3, $4)",
                    values![node, participant, at.tx, at.time],
                );
            }
            E::Unlinked { node, participant, .. } => {
                let (node, participant) = (self.did(node), self.did(participant));
                self.batch.then(
                    "UPDATE access_links SET until = $3 \
                     WHERE node = $1 AND participant = $2 AND until IS NULL",
                    values![node, participant, at.time],
                );
            }
            _ => {}
        }
    }

    fn on_grant(
        &mut self,
        at: &At,
        event: &pallet_authorization::Event<Runtime>,
        calls: &[&RuntimeCall],
    ) {
        use pallet_authorization::Event as E;
        match event {
            E::GrantRegistered {
                grant,
                holder,
                subject,
                scene,
                valid_from,
                valid_until,
                operator,
            } => {
                let scope = calls.iter().find_map(|call| match call {
                    RuntimeCall::Authorization(pallet_authorization::Call::register_grant {
                        terms,
                    }) if terms.credential_hash == grant.0 => {
                        let told = words::call(&RuntimeCall::encode(call))?;
                        told.fields.get("terms")?.get("scope").map(ToString::to_string)
                    }
                    _ => None,
                });
                let holder = self.did(holder);
                let (subject, operator) = (self.did(subject), self.did(operator));
                self.batch.then(
                    "INSERT INTO grants (id, holder, subject, scene, valid_from, valid_until, \
                     status, scope, operator, registered_tx, registered, updated_tx, updated, uses) \
                     VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $8, $9, $10, $9, $10, 0)",
                    values![
                        format!("{:?}", grant.0),
                        holder,
                        subject,
                        scene.0,
                        *valid_from,
                        *valid_until,
                        scope.unwrap_or_else(|| "null".into()),
                        operator,
                        at.tx,
                        at.time
                    ],
                );
            }
            E::GrantFrozen { grant, .. } => self.set_grant(at, &grant.0, "frozen"),
            E::GrantActivated { grant, .. } => self.set_grant(at, &grant.0, "active"),
            E::GrantRevoked { grant, .. } => self.set_grant(at, &grant.0, "revoked"),
            E::GrantUsed { grant, bill, version, kind, .. } => {
                self.use_grant(at, &grant.0, (bill, *version), kind);
            }
            _ => {}
        }
    }

    fn use_grant(
        &mut self,
        at: &At,
        grant: &billchain_primitives::Hash,
        (bill, version): (&billchain_primitives::BillKey, u32),
        kind: &pallet_authorization::UseKind,
    ) {
        let grant = format!("{grant:?}");
        let kind = json!(kind).as_str().unwrap_or_default().to_owned();
        self.batch.then(
            "INSERT INTO grant_uses (access_grant, tx, bill, version, kind, time) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            values![grant.as_str(), at.tx, bill_id(bill), version, kind, at.time],
        );
        self.batch.then(
            "UPDATE grants SET uses = uses + 1, updated_tx = $2, updated = $3 WHERE id = $1",
            values![grant, at.tx, at.time],
        );
    }

    fn set_grant(&mut self, at: &At, grant: &billchain_primitives::Hash, status: &str) {
        self.batch.then(
            "UPDATE grants SET status = $2, updated_tx = $3, updated = $4 WHERE id = $1",
            values![format!("{grant:?}"), status, at.tx, at.time],
        );
    }

    fn on_dispute(&mut self, at: &At, id: i64, event: &pallet_dispute::Event<Runtime>) {
        use pallet_dispute::{Event as E, Outcome};
        match event {
            E::DisputeResolved { key, winner, contenders, unnamed } => {
                let winner = self.did(winner);
                let contenders: Vec<_> = contenders
                    .iter()
                    .map(|one| {
                        json!({
                            "claimant": one.claimant.to_string(),
                            "scene": one.scene.0,
                            "signed_at": one.precedence.signed_at,
                            "weight": one.precedence.weight,
                            "transaction": format!("{:?}", one.precedence.transaction),
                        })
                    })
                    .collect();
                let contenders = json!(contenders).to_string();
                self.batch.then(
                    "INSERT INTO contentions (event, bill, winner, contenders, unnamed, tx, time) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    values![id, bill_id(key), winner, contenders, *unnamed, at.tx, at.time],
                );
            }
            E::CaseOpened { case, key, parties, operator, reason, evidence } => {
                let parties: Vec<String> = parties.iter().map(ToString::to_string).collect();
                let operator = self.did(operator);
                self.batch.then(
                    "INSERT INTO cases (id, bill, parties, operator, reason, evidence, opened_tx, \
                     opened) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                    values![
                        *case,
                        bill_id(key),
                        json!(parties).to_string(),
                        operator,
                        reason.to_string(),
                        *evidence,
                        at.tx,
                        at.time
                    ],
                );
            }
            E::CaseClosed { case, outcome, operator, reason, evidence, .. } => {
                let outcome = match outcome {
                    Outcome::InFavourOf(did) => did.to_string(),
                    Outcome::Dismissed => "dismissed".into(),
                };
                let operator = self.did(operator);
                self.batch.then(
                    "UPDATE cases SET outcome = $2, closed_by = $3, close_reason = $4, \
                     close_evidence = $5, closed = $6 WHERE id = $1",
                    values![*case, outcome, operator, reason.to_string(), *evidence, at.time],
                );
            }
            _ => {}
        }
    }

    fn on_links(&mut self, at: &At, event: &pallet_bill_register::Event<Runtime>) {
        use pallet_bill_register::{Event as E, LinkChange};
        let word = |relation: &pallet_bill_register::Relation| {
            json!(relation).as_str().unwrap_or_default().to_owned()
        };
        match event {
            E::PartyLinked { key, party, relation, .. } => {
                let party = self.did(party);
                self.link(at, bill_id(key), party, word(relation));
            }
            E::LinkUpdated { key, party, relation, change, .. } => {
                let party = self.did(party);
                self.batch.then(
                    "UPDATE links SET until = $4 \
                     WHERE bill = $1 AND party = $2 AND relation = $3 AND until IS NULL",
                    values![bill_id(key), party, word(relation), at.time],
                );
                if let LinkChange::Relation(relation) = change {
                    self.link(at, bill_id(key), party, word(relation));
                }
            }
            E::FieldRulesSet { scene, version, rules, .. } => {
                let subject = json!({ "scene": scene.map(|scene| scene.0), "version": version });
                self.note_rule(at, "field", &subject, Some(json!(rules)));
            }
            E::BatchItemRefused { index, key, problem } => {
                let name = format!("{problem:?}");
                let docs = format!("the bill breaks a rule of registrations: {problem:?}");
                self.refuse_item(at, key, *index, name, docs);
            }
            E::BatchItemDenied { index, key, policy, version } => {
                let docs = format!("policy {}, version {version}, refuses it", policy.0);
                self.refuse_item(at, key, *index, "PolicyDenied".into(), docs);
            }
            E::BatchItemFieldRefused { index, key, field } => {
                let docs = format!("the field {field:?} breaks a rule");
                self.refuse_item(at, key, *index, "FieldRule".into(), docs);
            }
            _ => {}
        }
    }

    fn refuse_item(
        &mut self,
        at: &At,
        key: &billchain_primitives::BillKey,
        index: u16,
        name: String,
        docs: String,
    ) {
        let pallet = "BillRegister".to_owned();
        let failure = words::Failure { pallet, name, docs, details: None };
        self.note_refusal(at, key, i64::from(index), &failure);
    }

    fn link(&mut self, at: &At, bill: i64, party: i64, relation: String) {
        self.batch.then(
            "INSERT INTO links (bill, party, relation, since_tx, since) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING",
            values![bill, party, relation, at.tx, at.time],
        );
    }

    fn on_mismatch(&mut self, at: &At, event: &pallet_bill_verify::Event<Runtime>) {
        let pallet_bill_verify::Event::MismatchReported { key, reporter, expected, found, report } =
            event
        else {
            return;
        };
        let reporter = self.did(reporter);
        self.batch.then(
            "INSERT INTO mismatches (tx, bill, report, reporter, expected, found, time) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            values![
                at.tx,
                bill_id(key),
                *report,
                reporter,
                observation(expected),
                observation(found),
                at.time
            ],
        );
    }
}

/// JSON of what somebody saw on a bill.
fn observation(seen: &pallet_bill_verify::Observation) -> String {
    use pallet_bill_verify::Observation as O;
    let hex = |hash: &[u8; 32]| format!("0x{}", hex::encode(hash));
    let value = match seen {
        O::XmlHash(hash) => json!({ "field": "xml_hash", "value": hex(hash) }),
        O::PdfHash(hash) => json!({ "field": "pdf_hash", "value": hex(hash) }),
        O::CheckCode(code) => json!({ "field": "check_code", "value": code.to_string() }),
        O::IssueDate(date) => json!({ "field": "issue_date", "value": date.get() }),
        O::Total(fen) => json!({ "field": "total_fen", "value": fen.get() }),
    };
    value.to_string()
}
