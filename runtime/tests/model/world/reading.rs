//! What the chain says, in the model's words.

use super::{
    World,
    cast::{actor, did},
    writing::{self, CHECK_CODES, USCC, bill_key, field_rule},
};
use crate::{
    model::{Held, Model},
    words::{
        Adjustment, Bill, Case, Claim, Done, Draft, Field, Hashes, Key, Kind, Link, Lock, Place,
        Refusal, Relation, RuleSet, Scene, Status, Verdict,
    },
};
use billchain_primitives::{
    BillKey, BillKind, BillStatus, LockPurpose, PayerType, SceneId, Stamp, totals::Tally,
};
use billchain_runtime::{BillRegister, BillUpdate, Dispute, Runtime, RuntimeError, RuntimeEvent};
use pallet_bill_register::{BillField, Error as RegisterError, Event as Registered};
use pallet_bill_update::{Error as UpdateError, Event as Updated};
use pallet_dispute::Outcome;
use sp_runtime::DispatchError;
use std::collections::BTreeMap;

impl World {
    /// What came of a call, by its result and its events.
    pub(super) fn verdict(
        &mut self,
        result: Result<(), DispatchError>,
        events: Vec<RuntimeEvent>,
    ) -> Verdict {
        result.map_err(refusal)?;
        let (mut done, mut ended) = (Done::default(), None);
        for event in events {
            match event {
                RuntimeEvent::BillRegister(event) => register_event(event, &mut done, &mut ended),
                RuntimeEvent::BillUpdate(Updated::AdjustmentProposed { proposal, .. }) => {
                    self.proposals.push(proposal);
                }
                RuntimeEvent::BillUpdate(event) => update_event(event, &mut done, &mut ended),
                _ => {}
            }
        }
        if let Some(refused) = ended {
            assert_eq!(refused as usize, done.refused.len(), "the batch counts its refusals");
        }
        Ok(done)
    }
}

fn register_event(event: Registered<Runtime>, done: &mut Done, ended: &mut Option<u32>) {
    match event {
        Registered::RegistrationRepeated { block, extrinsic: index, .. } => {
            done.again.push(Place { block, index });
        }
        Registered::BatchItemRefused { index, .. } => done.refused.push((index, Refusal::Rule)),
        Registered::BatchItemFieldRefused { index, field: broken, .. } => {
            done.refused.push((index, Refusal::Field(field(broken))));
        }
        Registered::BatchCompleted { refused, .. } => *ended = Some(refused),
        _ => {}
    }
}

fn update_event(event: Updated<Runtime>, done: &mut Done, ended: &mut Option<u32>) {
    match event {
        Updated::LockRepeated { locked, .. } => done.again.push(place(locked)),
        Updated::BatchItemRefused { index, error, .. } => {
            done.refused.push((index, refusal(error)));
        }
        Updated::BatchCompleted { refused, .. } => *ended = Some(refused),
        _ => {}
    }
}

pub(super) fn refusal(error: DispatchError) -> Refusal {
    use pallet_dispute::Error::{DisputeLost, SignedTimeOutOfBounds};
    match RuntimeError::from_dispatch_error(error) {
        Some(RuntimeError::Dispute(DisputeLost)) => Refusal::DisputeLost,
        Some(RuntimeError::Dispute(SignedTimeOutOfBounds)) => Refusal::Untimely,
        Some(RuntimeError::BillRegister(RegisterError::FieldRule { field: broken })) => {
            Refusal::Field(field(broken))
        }
        Some(RuntimeError::BillRegister(
            RegisterError::BatchItem { index, .. }
            | RegisterError::BatchItemFieldRule { index, .. },
        )) => Refusal::Item(index),
        Some(RuntimeError::BillUpdate(
            UpdateError::BatchItem { index, .. }
            | UpdateError::BatchItemTransition { index, .. }
            | UpdateError::BatchItemGrant { index, .. }
            | UpdateError::BatchItemFieldMissing { index, .. }
            | UpdateError::BatchItemContended { index },
        )) => Refusal::Item(index),
        _ => Refusal::Rule,
    }
}

fn field(field: BillField) -> Field {
    match field {
        BillField::BillCode => Field::Code,
        BillField::IssueDate => Field::Date,
        BillField::Total => Field::Total,
        BillField::IssuerUscc => Field::Uscc,
        BillField::PayerType => Field::PayerType,
        BillField::PayerRef => Field::Payer,
        BillField::BizNoHash => Field::BizNo,
        BillField::PdfHash => Field::Pdf,
        BillField::LocationHash => Field::Location,
    }
}

pub fn bill(key: Key) -> Option<Bill> {
    let chain = pallet_bill_register::Bills::<Runtime>::get(bill_key(key))?;
    let (summary, state) = (chain.summary, chain.state);
    let check = CHECK_CODES.iter().position(|code| summary.check_code.as_str() == *code);
    Some(Bill {
        draft: Draft {
            key: key_of(summary.key),
            kind: match summary.kind {
                BillKind::Blue => Kind::Blue,
                BillKind::Red => Kind::Red,
                BillKind::PaymentNotice => Kind::Notice,
            },
            issuer: actor(&summary.issuer),
            scene: summary.scene.0,
            total: summary.total.get(),
            related: summary.related.map(key_of),
            day: summary.issue_date.days(),
            check: check.expect("a known check code") as u8,
            uscc_fits: summary.issuer_uscc.as_str() == USCC,
            organisation: summary.payer_type == PayerType::Organisation,
            hashes: Hashes {
                xml: byte(summary.xml_hash),
                pdf: byte(summary.pdf_hash),
                location: byte(summary.location_hash),
                payer: byte(summary.payer_ref),
                biz_no: byte(summary.biz_no_hash),
            },
        },
        status: status(state.status),
        version: state.version,
        lock: state.lock.map(|lock| Lock {
            holder: actor(&lock.holder),
            claim: match lock.purpose {
                LockPurpose::Claim { scene, claim_no, .. } => {
                    Some((scene.0, claim_no.as_str().parse().expect("a number")))
                }
                LockPurpose::Administrative { .. } => None,
            },
            at: place(lock.at),
            expires: lock.expires,
            before: status(lock.before),
        }),
        claims: state
            .reimbursements
            .iter()
            .map(|claim| Claim {
                payer: actor(&claim.payer),
                scene: claim.scene.0,
                amount: claim.amount.get(),
                before: status(claim.before),
            })
            .collect(),
        links: links(key),
    })
}

fn links(key: Key) -> Vec<Link> {
    let links = BillRegister::links(&bill_key(key)).links;
    let link = |link: &pallet_bill_register::Link| Link {
        party: actor(&link.party),
        relation: match link.relation {
            pallet_bill_register::Relation::PayerAgent => Relation::PayerAgent,
            pallet_bill_register::Relation::Claimant => Relation::Claimant,
            pallet_bill_register::Relation::Insurer => Relation::Insurer,
            pallet_bill_register::Relation::Other => Relation::Other,
        },
        operator: actor(&link.operator),
        since: place(link.since),
    };
    links.iter().map(link).collect()
}

impl World {
    /// The adjustment of a bill that waits, with its number.
    pub fn waiting(&self, key: Key) -> Option<(u32, Adjustment)> {
        let found = BillUpdate::adjustment(&bill_key(key))?;
        let number = self.proposals.iter().rposition(|name| *name == found.hash());
        let adjustment = Adjustment {
            proposer: actor(&found.proposer),
            version: found.version,
            to: status(found.to),
        };
        Some((number.expect("it was proposed") as u32, adjustment))
    }
}

/// The case with this number.
pub fn case(number: u32) -> Option<Case> {
    let found = Dispute::case(number)?;
    Some(Case {
        bill: key_of(found.bill),
        parties: found.parties.iter().map(actor).collect(),
        decision: found.decision.map(|decision| match decision.outcome {
            Outcome::InFavourOf(party) => Some(actor(&party)),
            Outcome::Dismissed => None,
        }),
        acts: found.acts,
    })
}

/// Whether the field rules of a scene, or of all, are these.
pub fn has_field_rules(scene: Option<Scene>, expected: &RuleSet) -> bool {
    let found = pallet_bill_register::FieldRuleSets::<Runtime>::get(scene.map(SceneId));
    found.is_some_and(|found| {
        found.version == expected.version
            && found.rules.iter().cloned().eq(expected.rules.iter().map(field_rule))
    })
}

/// Whether these are all ranges of numbers that there are.
pub fn has_ranges(model: &Model) -> bool {
    let found = pallet_allotment::Holdings::<Runtime>::iter()
        .map(|(_, _, holding)| holding.0.len())
        .sum::<usize>();
    found == model.held.len() && model.held.iter().all(|held| has_range(model, held))
}

fn has_range(model: &Model, held: &Held) -> bool {
    let (key, used) = (bill_key(held.first), model.used_in(held));
    let Some((owner, range)) = billchain_runtime::Allotment::owner(&key.code, &key.number) else {
        return false;
    };
    let voided = range.voided.iter().flat_map(|span| span.first..=span.last);
    owner == did(held.issuer)
        && (range.span.first, range.span.last) == (held.first.into(), held.last.into())
        && range.used == used.len() as u64
        && range.highest == used.last().map(|key| u64::from(*key))
        && voided.eq(held.voided.iter().map(|key| u64::from(*key)))
}

/// Bills and their sum in fen, by kind and status.
type Lines = BTreeMap<(BillKind, BillStatus), (u64, i128)>;

/// Whether the totals are those of the model's bills: of each code by the first
/// digits of the numbers, of each issuer by the month, and of nothing else.
pub fn has_totals(model: &Model) -> bool {
    let mut expected: BTreeMap<(String, String), Lines> = BTreeMap::new();
    for (key, bill) in &model.bills {
        let (BillKey { code, number }, draft) = (bill_key(*key), &bill.draft);
        let month = writing::date(draft.day).get() / 100;
        let numbers =
            [4, 6, 8].map(|digits| (code.to_string(), number.as_str()[..digits].to_owned()));
        for place in numbers.into_iter().chain([(did(draft.issuer).to_string(), month.to_string())])
        {
            let line = (writing::kind(draft.kind), writing::status(bill.status));
            let (bills, fen) = expected.entry(place).or_default().entry(line).or_default();
            *bills += 1;
            *fen += i128::from(draft.total);
        }
    }
    let numbers = pallet_totals::Numbers::<Runtime>::iter().map(|(block, tally)| {
        ((block.code.to_string(), block.prefix.as_str().to_owned()), lines(&tally))
    });
    let months = pallet_totals::Months::<Runtime>::iter()
        .map(|(issuer, month, tally)| ((issuer.to_string(), month.to_string()), lines(&tally)));
    numbers.chain(months).collect::<BTreeMap<_, _>>() == expected
}

fn lines(tally: &Tally) -> Lines {
    tally.lines().iter().map(|line| ((line.kind, line.status), (line.bills, line.fen))).collect()
}

pub(super) fn key_of(key: BillKey) -> Key {
    key.number.as_str().parse().expect("ten digits")
}

fn place(at: Stamp) -> Place {
    Place { block: at.block, index: at.extrinsic.expect("transactions alone do it") }
}

fn byte(hash: [u8; 32]) -> u8 {
    assert_eq!(hash, [hash[0]; 32], "a hash as it was given");
    hash[0]
}

fn status(status: BillStatus) -> Status {
    match status {
        BillStatus::PreIssued => Status::PreIssued,
        BillStatus::Normal => Status::Normal,
        BillStatus::Locked => Status::Locked,
        BillStatus::PartlyReimbursed => Status::PartlyReimbursed,
        BillStatus::Reimbursed => Status::Reimbursed,
        BillStatus::RedReversed => Status::RedReversed,
        BillStatus::Voided => Status::Voided,
    }
}
