//! Who decides: motions of the council, validators and observers, ranges of numbers. What their
//! events do to the tables.

use super::{At, Ledger, Motion, governance::bytes};
use crate::{
    insert::values,
    shape::{code_id, short},
    words,
};
use billchain_primitives::{BillCode, BillNumber, Did, Hash, sm3};
use billchain_runtime::{CouncilCollective, Runtime, RuntimeCall};
use codec::Encode;
use pallet_validators::{Observer, Validator};
use sp_runtime::DispatchResult;
use std::sync::Arc;

/// A libp2p identity as `0x` hex of its multihash.
fn peer(peer_id: &[u8]) -> String {
    format!("0x{}", hex::encode(peer_id))
}

impl Ledger {
    pub(super) fn on_council(
        &mut self,
        at: &At,
        event: &pallet_collective::Event<Runtime, CouncilCollective>,
        calls: &[&RuntimeCall],
    ) {
        use pallet_collective::Event as E;
        match event {
            E::Proposed { account, proposal_index, proposal_hash, threshold } => {
                let proposed = calls.iter().find_map(|call| proposal_of(call, proposal_hash));
                let Some(call) = proposed else { return };
                let (id, encoded) = (i64::from(*proposal_index), call.encode());
                let (pallet, name, fields) = match words::call(&encoded) {
                    Some(words) => (words.pallet, words.name, words.fields.to_string()),
                    None => ("?".into(), "?".into(), "null".into()),
                };
                let motion = Motion { id, call };
                Arc::make_mut(&mut self.state.motions).insert(proposal_hash.0, motion);
                self.batch.then(
                    "INSERT INTO motions (id, hash, hash_short, proposer, threshold, pallet, call, \
                     arguments, encoded, ayes, nays, status, proposed_tx, proposed) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 'open', $10, $11)",
                    values![
                        id,
                        *proposal_hash,
                        short(proposal_hash.as_bytes()),
                        bytes(account),
                        *threshold,
                        pallet,
                        name,
                        fields,
                        encoded,
                        at.tx,
                        at.time
                    ],
                );
            }
            E::Voted { account, proposal_hash, voted, yes, no } => {
                let Some(id) = self.motion_id(proposal_hash) else { return };
                self.batch.then(
                    "INSERT INTO motion_votes (motion, account, aye, tx, time) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                    values![id, bytes(account), *voted, at.tx, at.time],
                );
                self.set_votes(id, *yes, *no);
            }
            E::Closed { proposal_hash, yes, no } => {
                if let Some(id) = self.motion_id(proposal_hash) {
                    self.set_votes(id, *yes, *no);
                }
            }
            E::Executed { proposal_hash, result } => self.end_motion(at, proposal_hash, *result),
            E::Disapproved { proposal_hash } | E::Killed { proposal_hash } => {
                self.close_motion(at, proposal_hash, "disapproved", None);
            }
            _ => {}
        }
    }

    fn motion_id(&self, hash: &Hash) -> Option<i64> {
        self.state.motions.get(&hash.0).map(|motion| motion.id)
    }

    fn set_votes(&mut self, id: i64, yes: u32, no: u32) {
        self.batch
            .then("UPDATE motions SET ayes = $2, nays = $3 WHERE id = $1", values![id, yes, no]);
    }

    fn end_motion(&mut self, at: &At, hash: &Hash, result: DispatchResult) {
        match result {
            Ok(()) => self.close_motion(at, hash, "executed", None),
            Err(error) => {
                let failure = words::failure(&error);
                let error = format!("{}.{}: {}", failure.pallet, failure.name, failure.docs);
                self.close_motion(at, hash, "failed", Some(error));
            }
        }
    }

    fn close_motion(&mut self, at: &At, hash: &Hash, status: &str, error: Option<String>) {
        let Some(motion) = Arc::make_mut(&mut self.state.motions).remove(&hash.0) else { return };
        self.batch.then(
            "UPDATE motions SET status = $2, error = $3, closed_tx = $4, closed = $5 WHERE id = $1",
            values![motion.id, status, error, at.tx, at.time],
        );
    }

    /// A validator votes from now on.
    pub(super) fn add_validator(&mut self, at: &At, validator: &Validator) {
        let Validator { operator, name, consensus_key, peer_id, power } = validator;
        self.batch.then(
            "INSERT INTO validators (operator, since_tx, name, consensus_key, account, peer_id, \
             power, since) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            values![
                bytes(operator),
                at.tx,
                name.to_string(),
                consensus_key.to_vec(),
                sm3(consensus_key),
                peer(peer_id),
                *power,
                at.time
            ],
        );
    }

    pub(super) fn add_observer(&mut self, at: &At, observer: &Observer) {
        self.batch.then(
            "INSERT INTO observers (peer_id, since_tx, name, since) VALUES ($1, $2, $3, $4)",
            values![peer(&observer.peer_id), at.tx, observer.name.to_string(), at.time],
        );
    }

    pub(super) fn on_validators(&mut self, at: &At, event: &pallet_validators::Event<Runtime>) {
        use pallet_validators::Event as E;
        const OF: &str = "WHERE operator = $1 AND until IS NULL";
        match event {
            E::ValidatorAdded { validator } => self.add_validator(at, validator),
            E::ValidatorRemoved { operator, .. } => self.batch.then(
                &format!("UPDATE validators SET until = $2 {OF}"),
                values![bytes(operator), at.time],
            ),
            E::ValidatorKeyRotated { operator, to, .. } => self.batch.then(
                &format!("UPDATE validators SET consensus_key = $2, account = $3 {OF}"),
                values![bytes(operator), to.to_vec(), sm3(to)],
            ),
            E::ValidatorPowerChanged { operator, to, .. } => self.batch.then(
                &format!("UPDATE validators SET power = $2 {OF}"),
                values![bytes(operator), *to],
            ),
            E::ValidatorPeerIdChanged { operator, to, .. } => self.batch.then(
                &format!("UPDATE validators SET peer_id = $2 {OF}"),
                values![bytes(operator), peer(to)],
            ),
            E::ValidatorOperatorChanged { from, to } => self.batch.then(
                &format!("UPDATE validators SET operator = $2 {OF}"),
                values![bytes(from), bytes(to)],
            ),
            E::ObserverAdded { observer } => self.add_observer(at, observer),
            E::ObserverRemoved { peer_id } => self.batch.then(
                "UPDATE observers SET until = $2 WHERE peer_id = $1 AND until IS NULL",
                values![peer(peer_id), at.time],
            ),
            _ => {}
        }
    }

    pub(super) fn on_allotment(
        &mut self,
        at: &At,
        id: i64,
        event: &pallet_allotment::Event<Runtime>,
    ) {
        use pallet_allotment::Event as E;
        match event {
            E::Allotted { issuer, code, first, last, .. } => {
                self.note_allotment(at, id, issuer, (code, first, last), "allotted");
            }
            E::GivenBack { issuer, code, first, last, .. } => {
                self.note_allotment(at, id, issuer, (code, first, last), "given_back");
            }
            E::NumbersVoided { issuer, code, first, last, .. } => {
                self.note_allotment(at, id, issuer, (code, first, last), "voided");
            }
            _ => {}
        }
    }

    fn note_allotment(
        &mut self,
        at: &At,
        id: i64,
        issuer: &Did,
        (code, first, last): (&BillCode, &BillNumber, &BillNumber),
        act: &str,
    ) {
        let number = |number: &BillNumber| number.as_str().parse::<i64>().unwrap_or_default();
        let issuer = self.did(issuer);
        self.batch.then(
            "INSERT INTO allotments (id, issuer, code, first, last, act, tx, time) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            values![id, issuer, code_id(code), number(first), number(last), act, at.tx, at.time],
        );
    }
}

/// The call that a motion proposes, if it has this hash.
fn proposal_of(call: &RuntimeCall, hash: &Hash) -> Option<RuntimeCall> {
    let RuntimeCall::Council(pallet_collective::Call::propose { proposal, .. }) = call else {
        return None;
    };
    // The collective's hash of a call, which is the runtime's.
    (Hash::from(sm3(&proposal.encode())) == *hash).then(|| (**proposal).clone())
}
