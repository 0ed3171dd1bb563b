use super::*;
use billchain_primitives::{BillKey, Did};
use serde_json::json;

/// Some valid form of every type: the first variant, one entry of a list.
fn example(types: &Types, id: u32, depth: u32) -> Value {
    if id == types.call {
        return json!({ "pallet": "System", "call": "remark", "args": { "remark": "0x01" } });
    }
    let ty = types.registry.resolve(id).unwrap();
    // What these types check beyond their shape.
    match ty.path.segments.last().map(String::as_str).unwrap_or_default() {
        "Did" => return json!("did:bill:example"),
        "BillCode" => return json!("31060125"),
        "BillNumber" => return json!("0000000101"),
        "CheckCode" => return json!("a1B2c3"),
        "Uscc" => return json!("12310000425006133D"),
        "IssueDate" => return json!(20_260_101),
        "IssueTime" => return json!(235_959),
        "Keyword" | "Name" | "Reason" | "ClaimNo" => return json!("x"),
        "AccountId32" => return json!(format!("0x{}", "11".repeat(32))),
        "Option" => return Value::Null,
        _ => {}
    }
    assert!(depth < 24, "{:?}", ty.path);
    let of = |id| example(types, id, depth + 1);
    let fields = |fields: &[Field<PortableForm>]| match fields {
        [only] if only.name.is_none() => of(only.ty.id),
        _ if fields.iter().all(|field| field.name.is_some()) && !fields.is_empty() => fields
            .iter()
            .map(|field| (field.name.clone().unwrap(), of(field.ty.id)))
            .collect::<Map<_, _>>()
            .into(),
        _ => fields.iter().map(|field| of(field.ty.id)).collect(),
    };
    let is_byte = |id| {
        matches!(
            types.registry.resolve(id).unwrap().type_def,
            TypeDef::Primitive(TypeDefPrimitive::U8)
        )
    };
    match &ty.type_def {
        TypeDef::Composite(composite) => fields(&composite.fields),
        TypeDef::Variant(definition) => {
            let first = &definition.variants[0];
            match &first.fields[..] {
                [] => json!(first.name),
                some => json!({ (&first.name): fields(some) }),
            }
        }
        TypeDef::Sequence(sequence) if is_byte(sequence.type_param.id) => json!("0x01"),
        TypeDef::Sequence(sequence) => json!([of(sequence.type_param.id)]),
        TypeDef::Array(array) if is_byte(array.type_param.id) => {
            json!(format!("0x{}", "02".repeat(array.len as usize)))
        }
        TypeDef::Array(array) => (0..array.len).map(|_| of(array.type_param.id)).collect(),
        TypeDef::Tuple(tuple) if tuple.fields.is_empty() => Value::Null,
        TypeDef::Tuple(tuple) => tuple.fields.iter().map(|field| of(field.id)).collect(),
        TypeDef::Primitive(TypeDefPrimitive::Bool) => json!(true),
        TypeDef::Primitive(TypeDefPrimitive::Str) => json!("x"),
        TypeDef::Primitive(_) => json!(1),
        TypeDef::Compact(compact) => of(compact.type_param.id),
        TypeDef::BitSequence(_) => panic!("no call has one"),
    }
}

/// Every call in JSON, with the indices of its contract and of itself.
fn calls() -> Vec<(Value, [u8; 2])> {
    let types = TYPES.as_ref().unwrap();
    let mut calls = Vec::new();
    for pallet in variants(&types.registry, types.call) {
        for call in variants(&types.registry, pallet.fields[0].ty.id) {
            let args: Map<_, _> = call
                .fields
                .iter()
                .map(|field| (field.name.clone().unwrap(), example(types, field.ty.id, 0)))
                .collect();
            let form = json!({ "pallet": pallet.name, "call": call.name, "args": args });
            calls.push((form, [pallet.index, call.index]));
        }
    }
    calls
}

#[test]
fn every_call_of_the_runtime_can_be_written_in_json() {
    let calls = calls();
    let mut failed = Vec::new();
    for (form, index) in &calls {
        match call_from_json(form) {
            Ok(call) => assert_eq!(call.encode()[..2], *index, "{form}"),
            Err(error) => failed.push(format!("{form}: {error:?}")),
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), calls.len(), failed.join("\n"));
    assert!(calls.len() > 50, "{}", calls.len());
}

fn change(args: Value) -> Value {
    json!({ "pallet": "BillUpdate", "call": "change_status", "args": args })
}

fn bill() -> Value {
    json!({ "code": "31060125", "number": "0000000101" })
}

#[test]
fn a_call_in_json_is_the_call_that_its_types_make() {
    let key = BillKey { code: "31060125".parse().unwrap(), number: "0000000101".parse().unwrap() };
    let user: Did = "did:bill:insurer-a".parse().unwrap();
    let expected = RuntimeCall::BillUpdate(pallet_bill_update::Call::change_status {
        key,
        expected_version: Some(3),
        change: pallet_bill_update::types::StatusChange::Lock {
            scene: billchain_primitives::SceneId(1),
            claim_no: billchain_primitives::ClaimNo::new("A-1").unwrap(),
            on_behalf_of: Some(user),
            grant: None,
            signed_at: 1_800_000_000_000,
        },
    });
    let lock = json!({
        "scene": 1, "claim_no": "A-1", "on_behalf_of": "did:bill:insurer-a",
        "signed_at": "1800000000000",
    });
    for name in ["Lock", "lock"] {
        let form = change(json!({
            "key": bill(), "expected_version": 3, "change": { (name): lock },
        }));
        assert_eq!(call_from_json(&form), Ok(expected.clone()));
        let batch = json!({ "pallet": "Utility", "call": "batch", "args": { "calls": [form] } });
        let calls = vec![expected.clone()];
        let batched = RuntimeCall::Utility(pallet_utility::Call::batch { calls });
        assert_eq!(call_from_json(&batch), Ok(batched));
    }
}

#[test]
fn what_is_wrong_with_a_form_is_said_with_its_place() {
    let nested = |depth| {
        let inner = json!({ "pallet": "System", "call": "remark", "args": { "remark": "0x" } });
        (0..depth).fold(
            inner,
            |call, _| json!({ "pallet": "Utility", "call": "batch", "args": { "calls": [call] } }),
        )
    };
    let long = json!({ "pallet": "System", "call": "remark",
        "args": { "remark": format!("0x{}", "00".repeat(4 << 20)) } });
    for (form, at, expected) in [
        (json!(null), "call", "an object of pallet, call and args"),
        (json!({}), "call.pallet", "one of System, "),
        (json!({ "pallet": "Bill" }), "call.pallet", "BillRegister"),
        (json!({ "pallet": "BillUpdate", "call": "lock" }), "call.call", "change_status"),
        (json!({ "pallet": "System", "call": "remark", "arg": {} }), "call", "args"),
        (change(json!({})), "call.args.key", "an object of code, number"),
        (change(json!({ "key": bill(), "extra": 1 })), "call.args", "an object of key, "),
        (
            change(json!({ "key": { "code": "3106012", "number": "0000000101" } })),
            "call.args.key.code",
            "8 bytes",
        ),
        (change(json!({ "key": bill(), "change": "Nothing" })), "call.args.change", "one of "),
        (change(json!({ "key": bill(), "change": "Lock" })), "call.args.change", "its fields"),
        (
            change(json!({ "key": bill(), "expected_version": -1 })),
            "call.args.expected_version",
            "a whole number from 0 to 4294967295",
        ),
        (
            change(json!({ "key": { "code": "3106012x", "number": "0000000101" },
                "change": "Confirm" })),
            "call",
            "BillCode: expected 8 digits",
        ),
        (nested(20), "call", "values that the chain's types take"),
        (nested(40), "call.args.calls", "at most 64 levels"),
        (long, "call", "at most 524288 bytes in all"),
    ] {
        let error = call_from_json(&form).unwrap_err();
        assert!(error.at.starts_with(at), "{error:?}");
        assert!(error.expected.contains(expected), "{error:?}");
    }
}

#[test]
fn a_type_that_is_text_takes_text_only_and_one_that_is_bytes_hex_only() {
    let types = TYPES.as_ref().unwrap();
    let written = |id: u32, value: Value| {
        let mut writer = Writer { types, path: vec![], bytes: Vec::new() };
        writer.value(id, &value).map(|()| writer.bytes)
    };
    let (mut texts, mut others) = (Vec::new(), 0);
    for ty in &types.registry.types {
        let Some(length) = bytes_within(&types.registry, ty.id) else { continue };
        if ty.id == types.account {
            continue;
        }
        let name = ty.ty.path.segments.last().cloned().unwrap_or_default();
        let size = length.unwrap_or(4) as usize;
        // As many characters as the type has bytes; and so many bytes in hex.
        let text = format!("{:x<size$}", "0x41");
        let text = text[..size.min(text.len())].to_owned();
        let hex = format!("0x{}", "41".repeat(size));
        if text_of(types, ty.id).is_some() {
            let bytes = written(ty.id, json!(text)).unwrap();
            assert!(bytes.ends_with(text.as_bytes()), "{name}: {bytes:?}");
            let as_text = written(ty.id, json!(hex));
            match length {
                Some(_) => assert!(as_text.unwrap_err().expected.contains("of text"), "{name}"),
                None => assert!(as_text.unwrap().ends_with(hex.as_bytes()), "{name}"),
            }
            texts.push(name);
        } else {
            assert!(written(ty.id, json!(hex)).unwrap().ends_with(&vec![0x41; size]), "{name}");
            let refused = written(ty.id, json!("text")).unwrap_err();
            assert!(refused.expected.contains("0x hex"), "{name}: {refused:?}");
            others += 1;
        }
    }
    texts.sort();
    texts.dedup();
    assert_eq!(texts, TEXTS, "every type that is text is one of the metadata");
    assert!(others > 5, "{others}");
}

#[test]
fn a_check_code_and_a_claim_number_may_begin_with_0x() {
    let types = TYPES.as_ref().unwrap();
    let id = |name: &str| {
        let is = |path: &[String]| path.last().is_some_and(|last| last == name);
        types.registry.types.iter().find(|ty| is(&ty.ty.path.segments)).unwrap().id
    };
    for (name, text) in [("CheckCode", "0x12ab"), ("ClaimNo", "0x41")] {
        let mut writer = Writer { types, path: vec![], bytes: Vec::new() };
        writer.value(id(name), &json!(text)).unwrap();
        assert!(writer.bytes.ends_with(text.as_bytes()), "{name}: {:?}", writer.bytes);
    }
}
