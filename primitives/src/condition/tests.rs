//! Forms there and back, the type check, the bounds, and evaluation against a
//! separate reading of the JSON form.

use super::*;
use crate::{
    BillKind, BillSummary, ClaimNo, ConditionText, Did, Fen, IssueDate, IssueTime, PayerType,
    SceneId,
};
use codec::{Decode, Encode};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

fn rule(json: Json) -> Result<Conditions, ConditionError> {
    let form: Form = serde_json::from_value(json).expect("the form of a condition");
    Conditions::try_from(&form)
}

fn fault(json: Json) -> (String, Fault) {
    let error = rule(json).expect_err("a fault");
    (error.path, error.fault)
}

#[test]
fn each_fault_is_found_with_its_place() {
    let ok = json!({"=": ["region", "31"]});
    let long: Vec<_> = (0..33).map(|n| json!(format!("{:02}", n % 99))).collect();
    let rows: Vec<(&str, Json, &str, Fault)> = vec![
        (
            "unknown field",
            json!({"and": [ok, {"=": ["colour", "red"]}]}),
            "/and/1",
            Fault::UnknownField,
        ),
        ("unknown right field", json!({"=": ["total", {"field": "sum"}]}), "", Fault::UnknownField),
        (
            "a date against an amount",
            json!({"or": [ok, {"not": {"<": ["issue_date", {"field": "total"}]}}]}),
            "/or/1/not",
            Fault::TypeMismatch,
        ),
        (
            "an amount that is no date",
            json!({"<": ["issue_date", 100_000]}),
            "",
            Fault::InvalidValue,
        ),
        ("a text for an amount", json!({"<": ["total", "100"]}), "", Fault::InvalidValue),
        (
            "a number for a DID",
            json!({"in": ["issuer", ["did:bill:a", 7]]}),
            "",
            Fault::InvalidValue,
        ),
        ("no such kind", json!({"=": ["kind", "green"]}), "", Fault::InvalidValue),
        ("no order among DIDs", json!({"<": ["issuer", "did:bill:a"]}), "", Fault::NotOrdered),
        ("no order among scenes", json!({">=": ["scene", 1]}), "", Fault::NotOrdered),
        ("an empty and", json!({"or": [ok, {"and": []}]}), "/or/1", Fault::NoOperand),
        ("an empty list", json!({"in": ["region", []]}), "", Fault::EmptyList),
        ("a long list", json!({"not": {"in": ["region", long]}}), "/not", Fault::ListTooLong),
        (
            "below and above",
            json!({"and": [{"<": ["total", 5]}, ok, {">": ["total", 9]}]}),
            "/and/2",
            Fault::Contradiction,
        ),
        (
            "an open end",
            json!({"and": [{"<": ["total", 5]}, {">=": ["total", 5]}]}),
            "/and/1",
            Fault::Contradiction,
        ),
        (
            "two values",
            json!({"and": [ok, {"=": ["region", "32"]}]}),
            "/and/1",
            Fault::Contradiction,
        ),
        (
            "not on its own list",
            json!({"and": [{"in": ["region", ["31"]]}, {"not in": ["region", ["31", "32"]]}]}),
            "/and/1",
            Fault::Contradiction,
        ),
        (
            "a value out of range",
            json!({"and": [{"<": ["total", 5]}, {"=": ["total", 5]}]}),
            "/and/1",
            Fault::Contradiction,
        ),
    ];
    for (row, json, path, expected) in rows {
        assert_eq!(fault(json), (path.to_owned(), expected), "{row}");
    }
    let error = rule(json!({"and": [{"<": ["issue_date", 20_261_301]}]})).unwrap_err();
    assert_eq!(
        (error.node, error.to_string()),
        (
            1,
            "conditions/and/0: expected a value of the field's type, found 20261301 where \
             issue_date wants a real date as the number yyyymmdd"
                .into()
        )
    );
}

#[test]
fn what_can_hold_is_no_contradiction() {
    for json in [
        json!({"and": [{"<=": ["total", 5]}, {">=": ["total", 5]}]}),
        json!({"and": [{">": ["total", 5]}, {"<": ["total", 9]}, {">=": ["total", 6]}]}),
        json!({"and": [{"<": ["total", 5]}, {">": ["amount", 9]}]}),
        json!({"or": [{"<": ["total", 5]}, {">": ["total", 9]}]}),
        json!({"and": [{"not in": ["region", ["31"]]}, {"not in": ["region", ["32"]]}]}),
        json!({"and": [{"in": ["region", ["31", "32"]]}, {"not in": ["region", ["31"]]}]}),
    ] {
        assert!(rule(json.clone()).is_ok(), "{json}");
    }
}

#[test]
fn json_of_another_shape_is_refused_in_words() {
    for (json, words) in [
        (json!({"xor": []}), "unknown variant `xor`"),
        (json!({}), "expected an operator"),
        (json!({"not": {"=": ["region", "31"]}, "and": []}), "one operator alone"),
        (json!({"=": ["region"]}), "invalid length"),
        (json!({"=": ["region", "31", "32"]}), "array"),
        (json!({"=": ["total", 1.5]}), "whole number"),
        (json!({"=": ["total", 18_446_744_073_709_551_615_u64]}), "64 bits"),
        (json!({"=": ["total", null]}), "a whole number or a text"),
        (json!({"=": ["total", {"field": "amount", "x": 1}]}), "{\"field\": name}"),
        (json!({"in": ["region", [["31"]]]}), "a whole number or a text"),
        (json!(["and"]), "one operator"),
    ] {
        let error = serde_json::from_value::<Form>(json.clone()).unwrap_err().to_string();
        assert!(error.contains(words), "{json}: {error}");
    }
    // Nesting beyond any bound ends in an error, not in the stack's end.
    let deep = "{\"not\":".repeat(100_000);
    assert!(serde_json::from_str::<Form>(&deep).is_err());
}

fn nots(count: usize) -> Json {
    (0..count).fold(json!({"=": ["region", "31"]}), |inner, _| json!({ "not": inner }))
}

#[test]
fn the_bounds_hold_to_the_node() {
    assert!(rule(nots(MAX_DEPTH - 1)).is_ok());
    assert_eq!(fault(nots(MAX_DEPTH)).1, Fault::TooDeep);
    assert_eq!(fault(nots(100)).1, Fault::TooDeep);

    let wide = |count: usize| json!({ "or": vec![json!({"=": ["region", "31"]}); count] });
    assert_eq!(rule(wide(MAX_NODES as usize - 1)).unwrap().nodes().len(), MAX_NODES as usize);
    assert_eq!(fault(wide(MAX_NODES as usize)).1, Fault::TooManyNodes);
    assert_eq!(fault(wide(300)).1, Fault::TooManyNodes);

    let list = |count: usize| -> Vec<_> { (0..count).map(|n| json!(format!("{n:02}"))).collect() };
    assert!(rule(json!({"in": ["region", list(MAX_LIST as usize)]})).is_ok());

    let dids: Vec<_> = (0..32).map(|n| json!(format!("did:bill:{n:055}"))).collect();
    let lists = |count: usize| json!({ "or": vec![json!({"in": ["issuer", dids]}); count] });
    let one = rule(lists(1)).unwrap();
    assert_eq!(one.steps(), 1 + 1 + 32);
    assert_eq!(fault(lists(2)), (String::new(), Fault::TooLong));
    assert!(one.encoded_size() <= Conditions::max_encoded_len());
}

#[test]
fn foreign_bytes_are_a_rule_only_if_they_are_one() {
    let leaf = Node::Compare {
        field: Field::Total,
        comparison: Comparison::Less,
        operand: Operand::Value(Value::Fen(Fen::ZERO)),
    };
    let ill_typed = Node::Compare {
        field: Field::IssueDate,
        comparison: Comparison::Less,
        operand: Operand::Value(Value::Fen(Fen::ZERO)),
    };
    let late = Node::Compare {
        field: Field::Now,
        comparison: Comparison::Less,
        operand: Operand::Value(Value::Moment(u64::MAX)),
    };
    let rows = [
        (vec![leaf.clone()], Ok(())),
        (vec![], Err(Fault::NoTree)),
        (vec![leaf.clone(), leaf.clone()], Err(Fault::NoTree)),
        (vec![Node::And(2), leaf.clone()], Err(Fault::NoTree)),
        (vec![Node::Or(0)], Err(Fault::NoOperand)),
        (vec![Node::Not, ill_typed], Err(Fault::TypeMismatch)),
        (vec![late], Err(Fault::InvalidValue)),
    ];
    for (nodes, expected) in rows {
        let encoded = nodes.encode();
        assert_eq!(Conditions::decode(&mut &encoded[..]).is_ok(), expected.is_ok(), "{nodes:?}");
        assert_eq!(Conditions::new(nodes).map(drop).map_err(|error| error.fault), expected);
    }
}

#[test]
fn a_field_is_refused_where_an_operation_has_none() {
    let amount = rule(json!({"and": [{"=": ["region", "31"]}, {"<": ["amount", 5]}]})).unwrap();
    let claimant = rule(json!({"=": ["issuer", {"field": "claimant"}]})).unwrap();
    for (operation, has_amount, has_claimant) in [
        (Guarded::Register, false, false),
        (Guarded::PreIssue, false, false),
        (Guarded::Lock, false, true),
        (Guarded::Reimburse, true, true),
    ] {
        let error = amount.unavailable(operation);
        assert_eq!(error.is_none(), has_amount, "{operation:?}");
        if let Some(error) = error {
            assert_eq!((error.path.as_str(), error.fault), ("/and/1", Fault::NotAvailable));
        }
        assert_eq!(claimant.unavailable(operation).is_none(), has_claimant, "{operation:?}");
    }
}

fn bill() -> BillSummary {
    BillSummary {
        key: crate::BillKey {
            code: "31060125".parse().unwrap(),
            number: "0000000007".parse().unwrap(),
        },
        check_code: "a1B2c3".parse().unwrap(),
        kind: BillKind::Blue,
        issue_date: IssueDate::new(20_261_120).unwrap(),
        issue_time: IssueTime::new(83_000).unwrap(),
        total: Fen::new(12_345).unwrap(),
        issuer: "did:bill:hospital".parse().unwrap(),
        issuer_uscc: "91350100M000100Y43".parse().unwrap(),
        payer_type: PayerType::Person,
        payer_ref: [7; 32],
        scene: SceneId(1),
        biz_no_hash: [8; 32],
        xml_hash: [9; 32],
        pdf_hash: [0; 32],
        location_hash: [0; 32],
        related: None,
    }
}

#[test]
fn every_field_of_an_operation_has_a_value_of_its_type() {
    let (summary, insurer) = (bill(), "did:bill:insurer".parse::<Did>().unwrap());
    let claim_no = ClaimNo::new("CLM-1").unwrap();
    let claim = ClaimFacts {
        scene: SceneId(2),
        claimant: &insurer,
        claim_no: &claim_no,
        reimbursed: Fen::new(345).unwrap(),
        amount: None,
    };
    // 2026-11-24T16:30:05Z: the 25th, 00:30:05, in UTC+8.
    let base = BillFacts {
        operation: Guarded::Register,
        summary: &summary,
        operator: &insurer,
        now: 1_795_537_805_000,
        claim: None,
    };
    let amount = Some(Fen::new(100).unwrap());
    let rows = [
        (Guarded::Register, None),
        (Guarded::PreIssue, None),
        (Guarded::Lock, Some(claim)),
        (Guarded::Reimburse, Some(ClaimFacts { amount, ..claim })),
    ];
    for (operation, claim) in rows {
        let facts = BillFacts { operation, claim, ..base };
        for field in Field::ALL {
            let kind = facts.get(*field).map(|value| value.kind());
            let expected = field.is_known_of(operation).then(|| field.kind());
            assert_eq!(kind, expected, "{} of {operation:?}", field.name());
            assert_eq!(Field::by_name(field.name()), Some(*field));
        }
    }
    let facts = BillFacts { operation: Guarded::Lock, claim: Some(claim), ..base };
    let holds = |json: Json| rule(json).unwrap().evaluate(&facts).holds;
    for json in [
        json!({"=": ["scene", 2]}),
        json!({"=": ["bill_scene", 1]}),
        json!({"=": ["time_of_day", 3005]}),
        json!({"=": ["region", "31"]}),
        json!({"=": ["bill_type", "0601"]}),
        json!({"=": ["age_days", 5]}),
        json!({"=": ["remaining", 12_000]}),
        json!({"=": ["operator", {"field": "claimant"}]}),
        json!({"not": {"=": ["issuer", {"field": "claimant"}]}}),
        json!({">": ["total", {"field": "reimbursed"}]}),
        json!({"in": ["kind", ["red", "blue"]]}),
        json!({"not in": ["payer_type", ["organisation"]]}),
    ] {
        assert!(holds(json.clone()), "{json}");
        assert!(!holds(json!({ "not": json })), "not {json}");
    }
}

#[test]
fn hand_written_facts_are_read_or_refused_by_name() {
    let facts = |json: Json| read_facts(&serde_json::from_value(json).unwrap());
    let read = facts(json!({"total": 5, "issuer": "did:bill:a"})).unwrap();
    assert_eq!(read[&Field::Total], Value::Fen(Fen::new(5).unwrap()));
    assert_eq!(facts(json!({"sum": 5})).unwrap_err(), "sum: there is no such field");
    assert!(facts(json!({"issuer": 5})).unwrap_err().starts_with("issuer: expected a DID"));
}

/// Values of one type from a small pool, so that comparisons often hold.
fn value(kind: Type) -> BoxedStrategy<Value> {
    let did = |n: u8| Value::Did(format!("did:bill:{n}").parse().unwrap());
    match kind {
        Type::Text => (0..4_u8)
            .prop_map(|n| Value::Text(ConditionText::new(&format!("票{n}")).unwrap()))
            .boxed(),
        Type::Fen => (-3..3_i64).prop_map(|n| Value::Fen(Fen::new(n).unwrap())).boxed(),
        Type::Date => {
            (1..4_u32).prop_map(|n| Value::Date(IssueDate::new(20_261_100 + n).unwrap())).boxed()
        }
        Type::Time => (0..4_u32).prop_map(|n| Value::Time(IssueTime::new(n).unwrap())).boxed(),
        Type::Moment => {
            prop_oneof![0..4_u64, Just(i64::MAX as u64)].prop_map(Value::Moment).boxed()
        }
        Type::Did => (0..4_u8).prop_map(did).boxed(),
        Type::Scene => (0..4_u16).prop_map(|n| Value::Scene(SceneId(n))).boxed(),
        Type::Region => {
            (31..35_u8).prop_map(|n| Value::Region(n.to_string().parse().unwrap())).boxed()
        }
        Type::Kind => prop_oneof![
            Just(Value::Kind(BillKind::Blue)),
            Just(Value::Kind(BillKind::Red)),
            Just(Value::Kind(BillKind::PaymentNotice)),
        ]
        .boxed(),
        Type::Payer => prop_oneof![
            Just(Value::Payer(PayerType::Person)),
            Just(Value::Payer(PayerType::Organisation)),
        ]
        .boxed(),
        Type::Number => {
            prop_oneof![-3..3_i64, Just(i64::MIN), Just(i64::MAX)].prop_map(Value::Number).boxed()
        }
    }
}

fn comparison(kind: Type) -> BoxedStrategy<Comparison> {
    if !kind.is_ordered() {
        return Just(Comparison::Equal).boxed();
    }
    prop_oneof![
        Just(Comparison::Equal),
        Just(Comparison::Less),
        Just(Comparison::AtMost),
        Just(Comparison::Greater),
        Just(Comparison::AtLeast),
    ]
    .boxed()
}

fn leaf() -> impl Strategy<Value = Vec<Node>> {
    (0..Field::ALL.len()).prop_flat_map(|at| {
        let field = Field::ALL[at];
        let kind = field.kind();
        let peers: Vec<Field> =
            Field::ALL.iter().copied().filter(|other| other.kind() == kind).collect();
        let with_value = (comparison(kind), value(kind)).prop_map(move |(comparison, value)| {
            Node::Compare { field, comparison, operand: Operand::Value(value) }
        });
        let with_field = (comparison(kind), proptest::sample::select(peers)).prop_map(
            move |(comparison, other)| Node::Compare {
                field,
                comparison,
                operand: Operand::Field(other),
            },
        );
        let on_list = (any::<bool>(), proptest::collection::vec(value(kind), 1..5)).prop_map(
            move |(listed, values)| Node::Member {
                field,
                membership: if listed { Membership::In } else { Membership::NotIn },
                values: values.try_into().unwrap(),
            },
        );
        prop_oneof![with_value, with_field, on_list].prop_map(|node| vec![node])
    })
}

/// Trees in prefix order, most of them rules: some contradict themselves or
/// are too large.
fn tree() -> impl Strategy<Value = Vec<Node>> {
    leaf().prop_recursive(5, 40, 4, |inner| {
        let operands = proptest::collection::vec(inner.clone(), 1..5);
        prop_oneof![
            (operands, any::<bool>()).prop_map(|(operands, all)| {
                let count = operands.len() as u8;
                let root = if all { Node::And(count) } else { Node::Or(count) };
                core::iter::once(root).chain(operands.into_iter().flatten()).collect()
            }),
            inner.prop_map(|operand: Vec<Node>| {
                core::iter::once(Node::Not).chain(operand).collect::<Vec<_>>()
            }),
        ]
    })
}

fn facts() -> impl Strategy<Value = BTreeMap<Field, Value>> {
    Field::ALL
        .iter()
        .map(|field| (Just(*field), value(field.kind())))
        .collect::<Vec<_>>()
        .prop_map(|entries| entries.into_iter().collect())
}

/// The conditions of the JSON form, read afresh: no code shared with the
/// evaluator, and short-circuiting where that evaluates everything.
fn naive(condition: &Json, facts: &BTreeMap<String, Json>) -> bool {
    let (operator, operand) = condition.as_object().unwrap().iter().next().unwrap();
    let list = || operand.as_array().unwrap();
    match operator.as_str() {
        "and" => list().iter().all(|one| naive(one, facts)),
        "or" => list().iter().any(|one| naive(one, facts)),
        "not" => !naive(operand, facts),
        operator => {
            let left = &facts[list()[0].as_str().unwrap()];
            let right = match list()[1].get("field") {
                Some(name) => &facts[name.as_str().unwrap()],
                None => &list()[1],
            };
            let numbers = || (left.as_i64().unwrap(), right.as_i64().unwrap());
            match operator {
                "=" => left == right,
                "<" => numbers().0 < numbers().1,
                "<=" => numbers().0 <= numbers().1,
                ">" => numbers().0 > numbers().1,
                ">=" => numbers().0 >= numbers().1,
                "in" => right.as_array().unwrap().contains(left),
                "not in" => !right.as_array().unwrap().contains(left),
                other => panic!("operator {other}"),
            }
        }
    }
}

/// The rule that the nodes are, if they are one.
fn sound(nodes: Vec<Node>) -> Option<Conditions> {
    match Conditions::new(nodes) {
        Ok(rule) => Some(rule),
        Err(ConditionError { fault: Fault::Contradiction | Fault::TooManyNodes, .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn json_and_scale_forms_give_the_rule_back(nodes in tree()) {
        let Some(rule) = sound(nodes) else { return Ok(()) };
        let encoded = rule.encode();
        prop_assert!(encoded.len() <= Conditions::max_encoded_len());
        prop_assert_eq!(&Conditions::decode(&mut &encoded[..]).unwrap(), &rule);
        let json = serde_json::to_string(&rule).unwrap();
        prop_assert_eq!(serde_json::from_str::<Conditions>(&json).unwrap(), rule);
    }

    #[test]
    fn evaluation_agrees_with_a_separate_reading(nodes in tree(), facts in facts()) {
        let Some(rule) = sound(nodes) else { return Ok(()) };
        let json = serde_json::to_value(&rule).unwrap();
        let written = facts
            .iter()
            .map(|(field, value)| {
                (field.name().to_owned(), serde_json::to_value(value.written()).unwrap())
            })
            .collect();
        let found = rule.evaluate(&facts);
        prop_assert_eq!(found.holds, naive(&json, &written), "{}", json);
        prop_assert_eq!(found.steps, rule.steps());
        prop_assert!(found.steps <= MAX_STEPS);
    }

    #[test]
    fn a_contradiction_holds_for_no_bill(nodes in tree(), facts in facts()) {
        // What was refused as contradictory is rebuilt without the check: the
        // `and` with the pair can hold for nothing.
        let Err(error) = Conditions::new(nodes.clone()) else { return Ok(()) };
        if error.fault != Fault::Contradiction {
            return Ok(());
        }
        let later = &nodes[usize::from(error.node)];
        let holds = |node: &Node| sound(vec![node.clone()]).unwrap().evaluate(&facts).holds;
        let excluded = nodes[..usize::from(error.node)]
            .iter()
            .filter(|node| node.arity().is_none())
            .any(|earlier| Conditions::new(vec![Node::And(2), earlier.clone(), later.clone()]).is_err()
                && !(holds(earlier) && holds(later)));
        prop_assert!(excluded);
    }

    #[test]
    fn random_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        // A plausible length makes more of them reach the nodes.
        if let Some(first) = bytes.first_mut() {
            *first = (*first % 16) << 2;
        }
        if let Ok(rule) = Conditions::decode(&mut &bytes[..]) {
            prop_assert!(Conditions::new(rule.nodes().to_vec()).is_ok());
        }
    }
}
