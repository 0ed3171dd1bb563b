//! `policy_*`: policies, their approval flows and what they decide, in plain
//! JSON.

use crate::{
    context::Context,
    error::{Answer, chain, internal, invalid, storage},
    method::{Args, cut, show, to_hex},
    transaction,
};
use billchain_primitives::{
    Did, Keyword, Moment, SceneId,
    condition::{Field, FormValue, Guarded, Value, read_facts},
    seams::PolicyId,
    sm3,
};
use billchain_rpc_types::{
    CheckView, DecisionView, DocumentView, FlowView, InForceView, Page, PolicyRef, PolicyView,
    SimulationView, StepView, TrailStepView,
};
use billchain_runtime::Runtime;
use codec::{Decode, DecodeAll, Encode};
use pallet_policy::{
    Act, BY_TIME, Compiled, Decision, Flow, Format, InForce, IndexedStep, Pallet, Policy,
    PolicyStatus, Step, Verdict, by_actor_prefix, decide,
    document::{Document, DocumentError},
};
use serde::Serialize;
use serde_json::Value as Json;
use sp_core::H256;
use sp_runtime::DispatchError;
use std::collections::BTreeMap;

/// Reads the state at the head.
fn read<R>(context: &Context, f: impl FnOnce() -> R) -> Answer<R> {
    context.deps.chain.read(f).map_err(chain)
}

/// The word an enum without fields is written as in JSON.
fn word(value: &impl Serialize) -> Answer<String> {
    match serde_json::to_value(value) {
        Ok(Json::String(text)) => Ok(text),
        other => Err(internal(format!("no word but {other:?}"))),
    }
}

fn policy_id(args: &Args, index: usize) -> Answer<PolicyId> {
    let number = args.number(index, "policy")?;
    u16::try_from(number)
        .map(PolicyId)
        .map_err(|_| invalid("policy", "a number from 0 to 65535", &number.to_string()))
}

fn operation(args: &Args, index: usize) -> Answer<Guarded> {
    args.json(index, "operation", "\"register\", \"pre_issue\", \"lock\" or \"reimburse\"")
}

/// One version of a policy: the one asked for, else the effective one, else
/// the newest; `null` if there is none.
pub(super) fn get(context: &Context, args: &Args) -> Answer<Option<PolicyView>> {
    let policy = policy_id(args, 0)?;
    let wanted = match args.value(1) {
        Json::Null => None,
        _ => Some(args.number(1, "version")?),
    };
    let found = read(context, || {
        let head = Pallet::<Runtime>::head(policy)?;
        let version = wanted.or(head.effective).unwrap_or(head.newest);
        Some((head, version, Pallet::<Runtime>::policy(policy, version)?))
    })?;
    let Some((head, version, entry)) = found else { return Ok(None) };
    let Policy { name, status, effect, priority, scenes, operations, keywords, .. } = entry;
    Ok(Some(PolicyView {
        policy,
        version,
        newest: head.newest,
        effective: head.effective,
        name,
        status: word(&status)?,
        effect: word(&effect)?,
        priority,
        scenes: scenes.into_inner(),
        operations: operations.into_inner(),
        keywords: keywords.into_inner(),
        references: entry.references.into_inner(),
        conditions: entry.conditions,
        format: word(&entry.format)?,
        body_hash: H256(entry.body_hash),
        submitter: entry.submitter,
        approval_hash: entry.approval_hash.map(H256),
        submitted: entry.submitted.into(),
        updated: entry.updated.into(),
    }))
}

/// The document of a version, as it was submitted; `null` if there is none.
pub(super) fn document(context: &Context, args: &Args) -> Answer<Option<DocumentView>> {
    let (policy, version) = (policy_id(args, 0)?, args.number(1, "version")?);
    let found = read(context, || {
        let format = Pallet::<Runtime>::policy(policy, version)?.format;
        Some((format, Pallet::<Runtime>::body(policy, version)?))
    })?;
    let Some((format, body)) = found else { return Ok(None) };
    let text = match format {
        Format::Json => core::str::from_utf8(&body).ok().map(str::to_owned),
        Format::Protobuf => None,
    };
    let (hash, bytes) = (H256(sm3(&body)), to_hex(&body));
    Ok(Some(DocumentView { format: word(&format)?, hash, bytes, text }))
}

/// The versions with a keyword, in the order of their submission.
pub(super) fn by_keyword(context: &Context, args: &Args) -> Answer<Vec<PolicyRef>> {
    let keyword: Keyword = args.parsed(0, "keyword")?;
    let found = read(context, || Pallet::<Runtime>::by_keyword(&keyword))?;
    Ok(found.into_iter().map(|(policy, version)| PolicyRef { policy, version }).collect())
}

/// The versions of a status, a page at a time.
pub(super) fn by_status(context: &Context, args: &Args) -> Answer<Page<PolicyRef>> {
    let status: PolicyStatus = args.json(0, "status", "\"draft\", \"effective\" or \"revoked\"")?;
    let after = match args.optional_bytes(1, "cursor")? {
        None => None,
        Some(bytes) => Some(<(PolicyId, u32)>::decode_all(&mut &bytes[..]).map_err(|_| {
            invalid("cursor", "`next` of the page before, or null", &to_hex(&bytes))
        })?),
    };
    let limit = args.limit(2)?;
    let found = read(context, || Pallet::<Runtime>::by_status(status, after, limit + 1))?;
    let page = cut(found, limit, |last| to_hex(&last.encode()));
    show(page, |(policy, version)| Ok(PolicyRef { policy, version }))
}

/// The approval flow of a version; `null` if there is none.
pub(super) fn flow(context: &Context, args: &Args) -> Answer<Option<FlowView>> {
    let (policy, version) = (policy_id(args, 0)?, args.number(1, "version")?);
    let found = read(context, || {
        let entry = Pallet::<Runtime>::policy(policy, version)?;
        Some((entry.approval_hash, Pallet::<Runtime>::flow(policy, version)?))
    })?;
    let Some((approval_hash, flow)) = found else { return Ok(None) };
    let mut hash = pallet_policy::NO_STEP;
    let steps = (0..)
        .zip(&flow.steps)
        .map(|(index, step)| {
            hash = Flow::chain(&hash, step);
            step_view(index, step, hash)
        })
        .collect();
    Ok(Some(FlowView { hash: H256(flow.hash), approval_hash: approval_hash.map(H256), steps }))
}

fn step_view(index: u32, step: &Step, flow_hash: [u8; 32]) -> StepView {
    let (act, hash, reason, replaced_by) = match &step.act {
        Act::Submitted { body_hash } => ("submitted", Some(H256(*body_hash)), None, None),
        Act::Decided { decision, comment_hash } => {
            let act = match decision {
                Decision::Approved => "approved",
                Decision::Rejected => "rejected",
            };
            (act, Some(H256(*comment_hash)), None, None)
        }
        Act::Finalised => ("finalised", None, None, None),
        Act::MadeEffective { reason } => ("made_effective", None, Some(reason), None),
        Act::Revoked { reason } => ("revoked", None, Some(reason), None),
        Act::Replaced { by } => ("replaced", None, None, Some(*by)),
    };
    StepView {
        index,
        act: act.into(),
        actor: step.actor.clone(),
        at: step.at.into(),
        hash,
        reason: reason.map(|reason| reason.as_str().to_owned()),
        replaced_by,
        flow_hash: H256(flow_hash),
    }
}

/// The steps of all flows from one moment to another, both included.
pub(super) fn trail_by_time(context: &Context, args: &Args) -> Answer<Page<TrailStepView>> {
    trail(context, args, 0, BY_TIME.to_vec())
}

/// The steps of one participant from one moment to another, both included.
pub(super) fn trail_by_actor(context: &Context, args: &Args) -> Answer<Page<TrailStepView>> {
    let actor: Did = args.parsed(0, "actor")?;
    trail(context, args, 1, by_actor_prefix(&actor))
}

/// Steps under `prefix`, whose keys go on with the moment. The parameters from
/// `first` on: from, to (null: no end), cursor, limit.
fn trail(
    context: &Context,
    args: &Args,
    first: usize,
    prefix: Vec<u8>,
) -> Answer<Page<TrailStepView>> {
    let from: Option<Moment> = args.json(first, "from", "milliseconds since 1970, or null")?;
    let to: Option<Moment> = args.json(first + 1, "to", "milliseconds since 1970, or null")?;
    let start = match args.value(first + 2) {
        // A moment alone sorts before every key that begins with it.
        Json::Null => [&prefix[..], &from.unwrap_or(0).to_be_bytes()].concat(),
        _ => {
            let key = args.bytes(first + 2, "cursor")?;
            if !key.starts_with(&prefix) {
                let expected = "`next` of the page before, of the same question";
                return Err(invalid("cursor", expected, &to_hex(&key)));
            }
            key
        }
    };
    let limit = args.limit(first + 3)?;
    let entries = context
        .deps
        .chain
        .storage()
        .offchain_prefix(&prefix, Some(&start), limit + 1)
        .map_err(storage)?;
    let (mut items, mut last) = (Vec::new(), None);
    for (key, value) in &entries {
        let found = IndexedStep::decode(&mut &value[..])
            .map_err(|error| internal(format!("stored step: {error}")))?;
        if to.is_some_and(|to| found.step.at.moment > to) {
            return Ok(Page { items, next: None });
        }
        if items.len() == limit {
            return Ok(Page { items, next: last });
        }
        let IndexedStep { policy, version, index, hash, step } = found;
        items.push(TrailStepView { policy, version, step: step_view(index, &step, hash) });
        last = Some(to_hex(key));
    }
    Ok(Page { items, next: None })
}

fn list(context: &Context, scene: SceneId, operation: Guarded) -> Answer<Vec<Compiled>> {
    read(context, || InForce::<Runtime>::get(scene, operation).into_inner())
}

/// The effective policies of a scene and operation, in the order they are
/// asked.
pub(super) fn in_force(context: &Context, args: &Args) -> Answer<Vec<InForceView>> {
    list(context, args.scene(0)?, operation(args, 1)?)?
        .into_iter()
        .map(|one| {
            let Compiled { policy, version, priority, effect, conditions } = one;
            Ok(InForceView { policy, version, effect: word(&effect)?, priority, conditions })
        })
        .collect()
}

/// A document as a parameter: JSON as an object or its text, protobuf as hex.
fn document_of(args: &Args, index: usize) -> Answer<Result<Document, DocumentError>> {
    let value = args.value(index);
    let (format, bytes) = match value {
        Json::Object(_) => (Format::Json, value.to_string().into_bytes()),
        Json::String(text) if text.starts_with("0x") => {
            (Format::Protobuf, args.bytes(index, "document")?)
        }
        Json::String(text) => (Format::Json, text.clone().into_bytes()),
        other => {
            let expected = "a document: an object or its text, or protobuf as 0x hex";
            return Err(invalid("document", expected, &other.to_string()));
        }
    };
    let most = pallet_policy::MAX_BODY as usize;
    if bytes.len() > most {
        let found = format!("{} bytes", bytes.len());
        return Err(invalid("document", &format!("at most {most} bytes"), &found));
    }
    Ok(Document::read(format, &bytes))
}

/// Whether the chain would take a document as the next version of its policy,
/// and if not, why (语法/语义校验, tender row 50).
pub(super) fn check(context: &Context, args: &Args) -> Answer<CheckView> {
    let problem = match document_of(args, 0)? {
        Err(error) => Some(error.to_string()),
        Ok(document) => {
            let fits = read(context, || Pallet::<Runtime>::ensure_fits(&document))?;
            fits.err().map(|error| {
                let failure = transaction::failure(&DispatchError::from(error));
                match failure.details {
                    Some(details) => format!("{} ({details}): {}", failure.name, failure.docs),
                    None => format!("{}: {}", failure.name, failure.docs),
                }
            })
        }
    };
    Ok(CheckView { problem })
}

/// Facts by hand; every field of `wanted` must be there.
fn facts(
    args: &Args,
    index: usize,
    wanted: impl Iterator<Item = Field>,
) -> Answer<BTreeMap<Field, Value>> {
    let written: BTreeMap<String, FormValue> =
        args.json(index, "facts", "an object of fields and values")?;
    let facts = read_facts(&written)
        .map_err(|error| invalid("facts", &error, &args.value(index).to_string()))?;
    for field in wanted {
        if !facts.contains_key(&field) {
            let expected = format!("a value of {}", field.name());
            return Err(invalid("facts", &expected, &args.value(index).to_string()));
        }
    }
    Ok(facts)
}

/// What a document would say of facts by hand (仿真验证, tender row 51).
pub(super) fn simulate(_: &Context, args: &Args) -> Answer<SimulationView> {
    let document = document_of(args, 0)?
        .map_err(|error| invalid("document", &error.to_string(), &args.value(0).to_string()))?;
    let facts = facts(args, 1, document.conditions.fields())?;
    let found = document.conditions.evaluate(&facts);
    let verdict = document.effect.verdict(found.holds).map(|verdict| match verdict {
        Verdict::Allow => "allow".to_owned(),
        Verdict::Refuse => "refuse".to_owned(),
    });
    Ok(SimulationView { holds: found.holds, verdict, steps: found.steps })
}

/// What the policies in force decide on facts by hand.
pub(super) fn evaluate(context: &Context, args: &Args) -> Answer<DecisionView> {
    let list = list(context, args.scene(0)?, operation(args, 1)?)?;
    let facts = facts(args, 2, list.iter().flat_map(|one| one.conditions.fields()))?;
    let (allowed, by) = match decide(&list, &facts) {
        None => (true, None),
        Some((one, verdict)) => {
            let by = PolicyRef { policy: one.policy, version: one.version };
            (verdict == Verdict::Allow, Some(by))
        }
    };
    Ok(DecisionView { allowed, by })
}
