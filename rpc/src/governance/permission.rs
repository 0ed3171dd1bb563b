//! `permission_*`: the status machine, the administrators and the whitelist,
//! in plain JSON.

use crate::{
    context::Context,
    error::{Answer, chain, internal, invalid},
    method::{Args, cut, show, to_hex},
};
use billchain_primitives::{BillStatus, Did, Operation, Role, RoleSet, SceneId};
use billchain_rpc_types::{
    AdministratorView, Page, PermissionCheckView, RuleChangeView, RuleView, RulesView,
    WhitelistEntryView,
};
use billchain_runtime::Runtime;
use codec::{DecodeAll, Encode};
use pallet_permissions::{RulesVersion, TransitionRule, TransitionRuleChange, TransitionRuleKey};
use serde_json::Value;

type Contract = pallet_permissions::Pallet<Runtime>;

fn read<R>(context: &Context, f: impl FnOnce() -> R) -> Answer<R> {
    context.deps.chain.read(f).map_err(chain)
}

/// The general rule for a status (`null`: no bill yet) and an operation, the
/// first two parameters.
fn key(args: &Args) -> Answer<TransitionRuleKey> {
    let from: Option<BillStatus> = args.json(0, "status", "a status of bills, or null")?;
    let operation: Operation = args.json(1, "operation", "an operation")?;
    Ok(TransitionRuleKey::general(from, operation))
}

/// Changes of the rules that a request goes back by, at most.
pub(super) const MAX_BACK: u32 = 4_096;

/// The version asked for at `index`, the newest for `null`, and the newest.
fn version(context: &Context, args: &Args, index: usize) -> Answer<(u32, u32)> {
    let newest = read(context, RulesVersion::<Runtime>::get)?;
    match args.value(index) {
        Value::Null => Ok((newest, newest)),
        _ => Ok((near(args.number(index, "version")?, newest)?, newest)),
    }
}

/// The version, if it is not too far back.
fn near(version: u32, newest: u32) -> Answer<u32> {
    let oldest = newest.saturating_sub(MAX_BACK);
    if version < oldest {
        let expected = format!("a version from {oldest} on: the newest is {newest}");
        return Err(invalid("version", &expected, &version.to_string()));
    }
    Ok(version)
}

/// Whether the rules and a scene let somebody with these roles do something to
/// a bill in a status.
pub(super) fn check(context: &Context, args: &Args) -> Answer<PermissionCheckView> {
    let TransitionRuleKey { from, operation, .. } = key(args)?;
    let roles = match args.value(2) {
        Value::Array(_) => args.json::<RoleSet>(2, "role", "a list of roles")?,
        _ => RoleSet::of(&[args.json::<Role>(2, "role", "a role, or a list of roles")?]),
    };
    let scene = args.scene(3)?;
    let (verdict, rules_version) = read(context, || {
        let verdict = Contract::check_in_scene(from, operation, roles, scene);
        (verdict, RulesVersion::<Runtime>::get())
    })?;
    let problem = match verdict.err().map(serde_json::to_value).transpose() {
        Ok(None) => None,
        Ok(Some(Value::String(word))) => Some(word),
        other => return Err(internal(format!("a problem without a word: {other:?}"))),
    };
    Ok(PermissionCheckView { allowed: verdict.is_ok(), to: verdict.ok(), problem, rules_version })
}

/// A version of the status machine, the newest without a number; `null` if
/// there is no such version.
pub(super) fn rules(context: &Context, args: &Args) -> Answer<Option<RulesView>> {
    let (version, newest) = version(context, args, 0)?;
    let found =
        read(context, || Some((Contract::rules_at(version)?, Contract::rule_change(version))))?;
    Ok(found.map(|(rules, change)| RulesView {
        version,
        newest,
        change: change.map(change_view),
        rules: rules.into_iter().map(|(key, rule)| rule_view(key, rule)).collect(),
    }))
}

/// The rule for a status and an operation in a version, the newest without a
/// number: a scene's own, or (`null`) the general one; `null` if there is none.
pub(super) fn rule(context: &Context, args: &Args) -> Answer<Option<RuleView>> {
    let key = TransitionRuleKey { scene: args.optional_scene(3)?, ..key(args)? };
    let (version, _) = version(context, args, 2)?;
    let rules = read(context, || Contract::rules_at(version))?.unwrap_or_default();
    let found = rules.into_iter().find(|(found, _)| *found == key);
    Ok(found.map(|(key, rule)| rule_view(key, rule)))
}

/// The administrators, by DID.
pub(super) fn admins(context: &Context, _: &Args) -> Answer<Vec<AdministratorView>> {
    let admins = read(context, Contract::admins)?;
    Ok(admins.into_iter().map(|(did, office)| AdministratorView { did, office }).collect())
}

/// The whitelist, of one scene or (`null`) of all, paged.
pub(super) fn whitelist(context: &Context, args: &Args) -> Answer<Page<WhitelistEntryView>> {
    let scene = args.optional_scene(0)?;
    let after = match args.optional_bytes(1, "cursor")? {
        None => None,
        Some(bytes) => Some(<(SceneId, Did)>::decode_all(&mut &bytes[..]).map_err(|_| {
            invalid("cursor", "`next` of the page before, or null", &to_hex(&bytes))
        })?),
    };
    let limit = args.limit(2)?;
    let found = read(context, || Contract::whitelist(scene, after.as_ref(), limit + 1))?;
    let page = cut(found, limit, |last| to_hex(&last.encode()));
    show(page, |(scene, did)| Ok(WhitelistEntryView { scene, did }))
}

fn rule_view(key: TransitionRuleKey, rule: TransitionRule) -> RuleView {
    RuleView {
        from: key.from,
        operation: key.operation,
        scene: key.scene,
        roles: rule.roles,
        to: rule.target,
        since_version: rule.version,
    }
}

fn change_view(change: TransitionRuleChange) -> RuleChangeView {
    let TransitionRuleChange { key, before, after, at } = change;
    let view = |rule| rule_view(key, rule);
    RuleChangeView { before: before.map(view), after: after.map(view), at: at.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_refused_if_too_many_changes_came_after_it() {
        assert_eq!(near(1, MAX_BACK + 1).unwrap(), 1);
        assert_eq!(near(7, 7).unwrap(), 7);
        assert_eq!(near(9, 7).unwrap(), 9, "there is none: the answer is null");
        let refused = near(1, MAX_BACK + 2).unwrap_err();
        let expected = "version: expected a version from 2 on: the newest is 4098, found \"1\"";
        assert_eq!(refused.message(), expected);
    }
}
