//! `bill_parties`, `bill_byParty` and `bill_fieldRules`: who belongs to a bill,
//! and what a new one must be.

use super::read::{bill, key};
use crate::{
    context::Context,
    error::{Answer, chain, internal, storage},
    method::{Args, cut, decode, decoded_page, show},
};
use billchain_primitives::{Bill, BillKey, BillKind, Did, SceneId, index};
use billchain_rpc_types::{
    BillKeyView, FieldRulesView, LinkRecordView, Page, PartyBillView, PartyView,
};
use billchain_runtime::{BillRegister, Runtime};
use pallet_bill_register::{
    FieldRuleSet, FieldRuleSets, LinkAct, LinkChange, LinkRecord, PartyBill, Relation,
    records_prefix, rule_set_key,
};

/// Most red and balance bills of a bill: one each.
const MAX_RELATED: usize = 2;

/// The parties of a bill and the bills that belong to it, paged; the cursor is
/// a place among them. `null` if there is no such bill.
pub(super) fn parties(context: &Context, args: &Args) -> Answer<Option<Page<PartyView>>> {
    let key = key(args, 0)?;
    let after = match args.optional::<u32>(2, "cursor")? {
        Some(place) => place as usize,
        None => 0,
    };
    let limit = args.limit(3)?;
    let Some(Bill { summary, .. }) = bill(context, &key)? else { return Ok(None) };
    let mut all = vec![party("issuer", summary.issuer.clone())];
    let links = context.deps.chain.read(|| BillRegister::links(&key)).map_err(chain)?.links;
    all.extend(links.into_iter().map(|link| PartyView {
        since: Some(link.since.into()),
        operator: Some(link.operator),
        ..party(name(link.relation), link.party)
    }));
    all.extend(summary.related.map(|original| belonging("original", original)));
    all.extend(reversals(context, &key)?);
    let rest: Vec<_> = (1_usize..).zip(all).skip(after).take(limit + 1).collect();
    let page = cut(rest, limit, |(place, _)| place.to_string());
    show(page, |(_, view)| Ok(view)).map(Some)
}

/// The red and the balance bill of a bill that was reversed.
fn reversals(context: &Context, original: &BillKey) -> Answer<Vec<PartyView>> {
    let prefix = index::related_prefix(original);
    let found = context
        .deps
        .chain
        .storage()
        .offchain_prefix(&prefix, None, MAX_RELATED)
        .map_err(storage)?;
    found
        .iter()
        .map(|(_, value)| {
            let key: BillKey = decode("bill key", value)?;
            let missing = || internal(format!("bill {key} is in the index and not in the state"));
            let kind = bill(context, &key)?.ok_or_else(missing)?.summary.kind;
            Ok(belonging(if kind == BillKind::Red { "red" } else { "balance" }, key))
        })
        .collect()
}

fn party(relation: &str, party: Did) -> PartyView {
    let relation = relation.to_owned();
    PartyView { relation, party: Some(party), bill: None, since: None, operator: None }
}

fn belonging(relation: &str, bill: BillKey) -> PartyView {
    let (relation, bill) = (relation.to_owned(), Some(BillKeyView::from(bill)));
    PartyView { relation, party: None, bill, since: None, operator: None }
}

fn name(relation: Relation) -> &'static str {
    match relation {
        Relation::PayerAgent => "payer_agent",
        Relation::Claimant => "claimant",
        Relation::Insurer => "insurer",
        Relation::Other => "other",
    }
}

/// The bills that a party is linked to, by the time it was linked, paged.
pub(super) fn by_party(context: &Context, args: &Args) -> Answer<Page<PartyBillView>> {
    let party: Did = args.parsed(0, "party")?;
    let prefix = index::party_bills_prefix(&party);
    decoded_page(context, &prefix, args, 1, "bill of a party", |found: PartyBill| {
        Ok(PartyBillView {
            code: found.bill.code,
            number: found.bill.number,
            relation: name(found.relation).to_owned(),
            since: found.since.into(),
        })
    })
}

/// What was done about the links of a bill, by number, paged.
pub(super) fn link_history(context: &Context, args: &Args) -> Answer<Page<LinkRecordView>> {
    let prefix = records_prefix(&key(args, 0)?);
    decoded_page(context, &prefix, args, 2, "link record", |record| Ok(record_view(record)))
}

fn record_view(record: LinkRecord) -> LinkRecordView {
    let LinkRecord { number, at, operator, act } = record;
    let named = |relation| Some(name(relation).to_owned());
    let (party, act, from, to, reason) = match act {
        LinkAct::Linked { party, relation } => (party, "linked", None, named(relation), None),
        LinkAct::Updated { party, relation, change, reason } => {
            let reason = Some(reason.to_string());
            match change {
                LinkChange::Relation(to) => (party, "changed", named(relation), named(to), reason),
                LinkChange::Ended => (party, "ended", named(relation), None, reason),
            }
        }
    };
    LinkRecordView { number, at: at.into(), operator, party, act: act.into(), from, to, reason }
}

/// The field rules of a scene, or of all scenes: those in force, or those of a
/// version; `null` if there are none.
pub(super) fn field_rules(context: &Context, args: &Args) -> Answer<Option<FieldRulesView>> {
    let scene = args
        .optional_number(0, "scene", 0..=u32::from(u16::MAX))?
        .and_then(|id| u16::try_from(id).ok())
        .map(SceneId);
    let version = args.optional_number(1, "version", 1..=u32::MAX)?;
    let in_force =
        context.deps.chain.read(|| FieldRuleSets::<Runtime>::get(scene)).map_err(chain)?;
    let found: Option<FieldRuleSet> = match version {
        Some(version) if in_force.as_ref().is_none_or(|set| set.version != version) => {
            let stored = context
                .deps
                .chain
                .storage()
                .offchain_get(&rule_set_key(scene, version))
                .map_err(storage)?;
            stored.map(|bytes| decode("field rules", &bytes)).transpose()?
        }
        _ => in_force,
    };
    found.map(|set| rules_view(scene, set)).transpose()
}

fn rules_view(scene: Option<SceneId>, set: FieldRuleSet) -> Answer<FieldRulesView> {
    let FieldRuleSet { version, rules, operator, at } = set;
    let rules = rules.iter().map(serde_json::to_value).collect::<Result<_, _>>();
    Ok(FieldRulesView {
        scene,
        version,
        operator: operator.map(|account| <[u8; 32]>::from(account).into()),
        at: at.into(),
        rules: rules.map_err(internal)?,
    })
}
