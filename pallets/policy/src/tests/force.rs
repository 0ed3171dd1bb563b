//! How effective policies decide.

use crate::{Error, PolicyStatus, mock::*};
use billchain_primitives::{
    BillKey, BillKind, BillSummary, ClaimNo, Fen, IssueDate, IssueTime, PayerType, SceneId,
    condition::{BillFacts, ClaimFacts, Guarded},
    seams::{Policies, PolicyId, PolicyRefusal},
};
use frame::testing_prelude::*;
use serde_json::{Value as Json, json};

fn bill(total: i64) -> BillSummary {
    BillSummary {
        key: BillKey {
            code: "31060125".parse().expect("8 digits"),
            number: "0000000001".parse().expect("10 digits"),
        },
        check_code: "a1B2c3".parse().expect("6 characters"),
        kind: BillKind::Blue,
        issue_date: IssueDate::new(20_261_124).expect("a real date"),
        issue_time: IssueTime::new(83_000).expect("a real time"),
        total: Fen::new(total).expect("in bounds"),
        issuer: did("hospital"),
        issuer_uscc: "91350100M000100Y43".parse().expect("18 characters"),
        payer_type: PayerType::Person,
        payer_ref: [7; 32],
        scene: CLINIC,
        biz_no_hash: [8; 32],
        xml_hash: [9; 32],
        pdf_hash: [0; 32],
        location_hash: [0; 32],
        related: None,
    }
}

fn refusal(policy: u16, version: u32) -> Result<(), PolicyRefusal> {
    Err(PolicyRefusal { policy: PolicyId(policy), version })
}

fn register(total: i64) -> Result<(), PolicyRefusal> {
    let (summary, hospital) = (bill(total), did("hospital"));
    Policy::evaluate(&BillFacts {
        operation: Guarded::Register,
        summary: &summary,
        operator: &hospital,
        now: NOW,
        claim: None,
    })
}

/// An operation on a bill over 100.00 yuan, for a claim in `scene`.
fn claim(scene: SceneId, amount: Option<i64>) -> Result<(), PolicyRefusal> {
    let (summary, platform) = (bill(10_000), did("platform"));
    let claim_no = ClaimNo::new("c").expect("a plain text");
    let amount = amount.map(|amount| Fen::new(amount).expect("in bounds"));
    Policy::evaluate(&BillFacts {
        operation: if amount.is_some() { Guarded::Reimburse } else { Guarded::Lock },
        summary: &summary,
        operator: &platform,
        now: NOW,
        claim: Some(ClaimFacts {
            scene,
            claimant: &platform,
            claim_no: &claim_no,
            reimbursed: Fen::ZERO,
            amount,
        }),
    })
}

fn policy(id: u16, effect: &str, priority: u16, conditions: Json) -> Json {
    with(document(id, 1), json!({"effect": effect, "priority": priority, "conditions": conditions}))
}

fn above(total: i64) -> Json {
    json!({">": ["total", total]})
}

#[test]
fn without_policies_everything_is_allowed() {
    run(|| {
        assert_ok!(submit(&document(7, 1)));
        assert_eq!(register(1_000_000), Ok(()));
        approved(&document(8, 1));
        assert_eq!(register(1_000_000), Ok(()), "approved is not effective");
    });
}

#[test]
fn each_effect_says_what_it_means() {
    for (effect, low, high) in [
        ("deny", Ok(()), refusal(7, 1)),
        ("require", refusal(7, 1), Ok(())),
        ("permit", Ok(()), Ok(())),
    ] {
        run(|| {
            enact(&policy(7, effect, 0, above(10_000)));
            assert_eq!((register(10_000), register(10_001)), (low, high), "{effect}");
        });
    }
}

#[test]
fn the_highest_priority_that_says_anything_decides() {
    run(|| {
        enact(&policy(1, "deny", 10, above(100)));
        enact(&policy(2, "permit", 20, above(500)));
        enact(&policy(3, "deny", 30, above(900)));
        assert_eq!(in_force(CLINIC, Guarded::Register), [(3, 1), (2, 1), (1, 1)]);
        for (total, expected) in
            [(100, Ok(())), (500, refusal(1, 1)), (900, Ok(())), (901, refusal(3, 1))]
        {
            assert_eq!(register(total), expected, "{total}");
        }
        assert_ok!(set_status(RuntimeOrigin::root(), 3, 1, PolicyStatus::Revoked));
        assert_eq!(register(901), Ok(()), "a revoked policy decides nothing");
    });
}

#[test]
fn a_tie_refuses_whatever_the_order_of_submission() {
    for order in [["permit", "deny"], ["deny", "permit"]] {
        run(|| {
            for (id, effect) in (1..).zip(order) {
                enact(&policy(id, effect, 5, above(100)));
            }
            let deny = if order[0] == "deny" { 1 } else { 2 };
            assert_eq!(register(101), refusal(deny, 1), "{order:?}");
        });
    }
    run(|| {
        enact(&policy(2, "require", 5, above(900)));
        enact(&policy(1, "permit", 5, above(100)));
        assert_eq!(register(500), refusal(2, 1));
    });
}

#[test]
fn scenes_and_operations_are_the_policys_own() {
    run(|| {
        enact(&with(
            policy(7, "deny", 0, json!({"=": ["region", "31"]})),
            json!({"scenes": [2], "operations": ["lock"]}),
        ));
        assert_eq!(claim(INSURANCE, None), refusal(7, 1));
        assert_eq!(claim(INSURANCE, Some(5)), Ok(()), "not for reimbursements");
        // The bill's own scene is the clinic; the claim's decides.
        assert_eq!(claim(CLINIC, None), Ok(()));
        assert_eq!(register(5), Ok(()));
    });
}

#[test]
fn conditions_ask_about_the_claim() {
    run(|| {
        let over = json!({"and": [
            {">": ["amount", 3_000]},
            {"<": ["amount", {"field": "remaining"}]},
            {"=": ["claimant", "did:bill:platform"]},
            {"not": {"=": ["operator", {"field": "issuer"}]}},
        ]});
        enact(&with(
            policy(7, "deny", 0, over),
            json!({"scenes": [2], "operations": ["reimburse"]}),
        ));
        assert_eq!(claim(INSURANCE, Some(3_000)), Ok(()));
        assert_eq!(claim(INSURANCE, Some(3_001)), refusal(7, 1));
        assert_eq!(claim(INSURANCE, Some(10_000)), Ok(()));
    });
}

#[test]
fn a_scene_takes_so_many_policies_and_steps() {
    run(|| {
        for id in 1..=3 {
            enact(&document(id, 1));
        }
        approved(&document(4, 1));
        let full = set_status(signed(ADMIN), 4, 1, PolicyStatus::Effective);
        assert_noop!(full, Error::<Test>::SceneFull { scene: 1 });
        // A later version takes the place of the one it replaces.
        enact(&document(3, 2));
        let leaves = vec![above(1); 17];
        approved(&with(document(3, 3), json!({"conditions": {"or": leaves}})));
        assert_ok!(set_status(signed(ADMIN), 3, 3, PolicyStatus::Effective));
        let leaves = vec![above(1); 18];
        approved(&with(document(2, 2), json!({"conditions": {"or": leaves}})));
        let long = set_status(signed(ADMIN), 2, 2, PolicyStatus::Effective);
        assert_noop!(long, Error::<Test>::TooManySteps { scene: 1 });
    });
}
