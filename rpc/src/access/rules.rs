//! The table: the class and the sight of each method.

use super::sight::Sight;
use billchain_access::Class;

/// Class and sight of a method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rule {
    pub(crate) class: Class,
    pub(crate) sight: Sight,
}

const fn rule_of(class: Class, sight: Sight) -> Option<Rule> {
    Some(Rule { class, sight })
}

/// The rule of a method, by its first name; none for one that is not in the table.
pub(crate) fn rule(name: &str) -> Option<Rule> {
    match name.split_once('_').map_or(name, |(family, _)| family) {
        "bill" => bill(name),
        "authorization" | "allotment" | "participant" | "node" => party(name),
        "scene" | "policy" | "permission" | "dispute" => governance(name),
        "validator" | "upgrade" | "cooling" | "consensus" | "system" => node(name),
        "access" => access(name),
        "chain" | "chainHead" | "chainSpec" | "archive" => blocks(name),
        "state" => state(name),
        "author" | "transaction" | "transactionWatch" => transactions(name),
        "rpc" | "rpc.discover" => rule_of(Class::Verify, Sight::Open),
        _ => None,
    }
}

fn bill(name: &str) -> Option<Rule> {
    use Sight::{Bill, Filtered, Open, Own, Party, Verdict};
    let (class, sight) = match name {
        // What the public asks: a verdict, and nothing of the bill.
        "bill_verifyCodes" | "bill_verifyHash" | "bill_verifyElements" => (Class::Verify, Verdict),
        // The handler shows what the caller sees, and masks the payer for who sees by scene.
        "bill_get"
        | "bill_byCodes"
        | "bill_byTransaction"
        | "bill_getBatch"
        | "bill_byCodesBatch"
        | "bill_byPayer"
        | "bill_byStatus"
        | "bill_byDate"
        | "bill_verifyHashByTransaction" => (Class::Read, Filtered),
        // Whole versions and proofs hold the payer's reference.
        "bill_history"
        | "bill_difference"
        | "bill_proveField"
        | "bill_certificate"
        | "bill_versionCertificate"
        | "bill_verifyHistory" => (Class::Read, Party),
        "bill_adjustment" | "bill_parties" | "bill_linkHistory" | "bill_mismatches" => {
            (Class::Read, Bill)
        }
        "bill_byIssuer" | "bill_byHolder" | "bill_byParty" | "bill_monthCertificate" => {
            (Class::Read, Own)
        }
        "bill_numbersCertificate" => (Class::Read, Sight::Whole),
        "bill_fieldRules" => (Class::Read, Open),
        _ => return None,
    };
    rule_of(class, sight)
}

fn party(name: &str) -> Option<Rule> {
    let sight = match name {
        "authorization_get" | "authorization_check" | "authorization_history" => Sight::Grant,
        "authorization_byHolder" | "authorization_bySubject" | "allotment_byIssuer" => Sight::Own,
        "allotment_ofNumber" => Sight::Whole,
        "participant_list"
        | "participant_resolve"
        | "participant_byAccount"
        | "participant_byUscc"
        | "participant_history"
        | "participant_verifyIdentity"
        | "node_get"
        | "node_list"
        | "node_byParticipant"
        | "node_participants"
        | "node_history"
        | "node_assertLink" => Sight::Open,
        _ => return None,
    };
    rule_of(Class::Read, sight)
}

fn governance(name: &str) -> Option<Rule> {
    let sight = match name {
        "dispute_resolution" | "dispute_resolutions" | "dispute_cases" => Sight::Bill,
        "dispute_case" | "dispute_decision" | "dispute_acts" => Sight::Case,
        "scene_get"
        | "scene_list"
        | "scene_weight"
        | "scene_approvals"
        | "scene_proposals"
        | "policy_get"
        | "policy_document"
        | "policy_flow"
        | "policy_byKeyword"
        | "policy_byStatus"
        | "policy_trail"
        | "policy_trailByTime"
        | "policy_trailByActor"
        | "policy_inForce"
        | "policy_check"
        | "policy_simulate"
        | "policy_evaluate"
        | "permission_check"
        | "permission_rule"
        | "permission_rules"
        | "permission_whitelist"
        | "permission_admins" => Sight::Open,
        _ => return None,
    };
    rule_of(Class::Read, sight)
}

fn node(name: &str) -> Option<Rule> {
    let class = match name {
        "system_name" | "system_version" | "system_chain" | "system_chainType"
        | "system_properties" | "system_health" => Class::Verify,
        "validator_list"
        | "validator_participation"
        | "validator_equivocations"
        | "upgrade_status"
        | "system_nodeRoles"
        | "system_syncState"
        | "system_accountNextIndex"
        | "system_nodeName" => Class::Read,
        "system_dryRun" => Class::Write,
        "cooling_status" | "consensus_status" | "system_peers" | "system_localPeerId" => {
            Class::Operator
        }
        _ => return None,
    };
    rule_of(class, Sight::Open)
}

fn access(name: &str) -> Option<Rule> {
    match name {
        "access_log" | "access_logHead" => rule_of(Class::Read, Sight::Whole),
        "access_anchors" => rule_of(Class::Read, Sight::Open),
        "access_reload" => rule_of(Class::Unsafe, Sight::Open),
        _ => None,
    }
}

fn blocks(name: &str) -> Option<Rule> {
    let sight = match name {
        // Bodies hold every bill that was registered, and changes of the state do.
        "chain_getBlock" | "archive_v1_body" | "chainHead_v1_body" | "archive_v1_storageDiff" => {
            Sight::Whole
        }
        "archive_v1_call" => Sight::Api(1),
        "chainHead_v1_call" => Sight::Api(2),
        "archive_v1_storage" => Sight::Items(1),
        "chainHead_v1_storage" => Sight::Items(2),
        "chain_getHeader"
        | "chain_getBlockHash"
        | "chain_getFinalizedHead"
        | "chain_getCertificate"
        | "chain_decidedHeader"
        | "chain_subscribeNewHeads"
        | "chain_unsubscribeNewHeads"
        | "chain_subscribeAllHeads"
        | "chain_unsubscribeAllHeads"
        | "chain_subscribeFinalizedHeads"
        | "chain_unsubscribeFinalizedHeads"
        | "archive_v1_finalizedHeight"
        | "archive_v1_genesisHash"
        | "archive_v1_hashByHeight"
        | "archive_v1_header"
        | "archive_v1_stopStorage"
        | "archive_v1_stopStorageDiff"
        | "chainHead_v1_follow"
        | "chainHead_v1_unfollow"
        | "chainHead_v1_header"
        | "chainHead_v1_unpin"
        | "chainHead_v1_continue"
        | "chainHead_v1_stopOperation"
        | "chainSpec_v1_chainName"
        | "chainSpec_v1_genesisHash"
        | "chainSpec_v1_properties" => Sight::Open,
        _ => return None,
    };
    rule_of(Class::Read, sight)
}

fn state(name: &str) -> Option<Rule> {
    let sight = match name {
        "state_getStorage"
        | "state_getStorageHash"
        | "state_getStorageSize"
        | "state_getKeysPaged" => Sight::Key,
        "state_queryStorageAt" | "state_getReadProof" | "state_subscribeStorage" => Sight::Keys,
        "state_call" => Sight::Api(0),
        "state_getMetadata"
        | "state_getRuntimeVersion"
        | "state_subscribeRuntimeVersion"
        | "state_unsubscribeRuntimeVersion"
        | "state_unsubscribeStorage" => Sight::Open,
        _ => return None,
    };
    rule_of(Class::Read, sight)
}

fn transactions(name: &str) -> Option<Rule> {
    let (class, sight) = match name {
        // All that waits, of everybody.
        "author_pendingExtrinsics" => (Class::Operator, Sight::Whole),
        // Who knows the hash has sent the transaction, or was told of it.
        "transaction_status" => (Class::Read, Sight::Open),
        "author_submitExtrinsic"
        | "author_submitAndWatchExtrinsic"
        | "author_unwatchExtrinsic"
        | "transaction_prepare"
        | "transaction_submitSigned"
        | "transaction_v1_broadcast"
        | "transaction_v1_stop"
        | "transactionWatch_v1_submitAndWatch"
        | "transactionWatch_v1_unwatch" => (Class::Write, Sight::Open),
        _ => return None,
    };
    rule_of(class, sight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods;

    #[test]
    fn every_method_has_a_rule() {
        let missing: Vec<_> =
            methods::all().map(|one| one.name).filter(|name| rule(name).is_none()).collect();
        assert!(missing.is_empty(), "no rule in rpc/src/access/rules.rs: {missing:?}");
    }

    #[test]
    fn a_sight_names_parameters_that_its_method_has() {
        for method in methods::all() {
            let Some(Rule { sight, .. }) = rule(method.name) else { continue };
            let named = |index: usize, name: &str| {
                let found = method.params.get(index).map(|param| param.name);
                assert_eq!(found, Some(name), "{}: parameter {index}", method.name);
            };
            match sight {
                Sight::Bill | Sight::Party | Sight::Verdict => {
                    named(0, "code");
                    named(1, "number");
                }
                Sight::Case => named(0, "case"),
                Sight::Key => assert!(["key", "prefix"].contains(&method.params[0].name)),
                Sight::Keys => named(0, "keys"),
                Sight::Items(index) => named(index, "items"),
                Sight::Api(index) => {
                    assert!(["method", "function"].contains(&method.params[index].name));
                }
                Sight::Grant => named(0, "grant"),
                Sight::Own => {
                    let first = &method.params[0];
                    let is_did = first.summary.contains("DID") || first.name == "subject";
                    assert!(is_did, "{}: {}", method.name, first.summary);
                }
                Sight::Open | Sight::Whole | Sight::Filtered => {}
            }
        }
    }

    #[test]
    fn what_shows_everybodys_data_is_for_who_sees_all() {
        for name in ["chain_getBlock", "archive_v1_body", "author_pendingExtrinsics", "access_log"]
        {
            assert_eq!(rule(name).unwrap().sight, Sight::Whole, "{name}");
        }
        let public = methods::all().filter(|one| rule(one.name).unwrap().class == Class::Verify);
        for one in public {
            assert!(
                one.name.starts_with("bill_verify")
                    || one.name.starts_with("system_")
                    || one.name.starts_with("rpc"),
                "{}",
                one.name
            );
        }
    }
}
