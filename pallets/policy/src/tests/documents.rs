//! Documents: both formats, their refusals and what the words say.

use crate::{
    Effect, Error, Format,
    document::{Document, DocumentError, Part, Written},
    mock::*,
};
use billchain_primitives::condition::{Fault, Form, FormOperand, FormValue};
use frame::testing_prelude::*;
use serde_json::{Value as Json, json};

fn read(document: &Json) -> Result<Document, DocumentError> {
    Document::read(Format::Json, document.to_string().as_bytes())
}

#[test]
fn each_part_has_its_rule() {
    let nine: Vec<_> = (0..9).map(|n| n.to_string()).collect();
    let many: Vec<_> = (0..33).collect();
    let rows = [
        (json!({"version": 0}), Part::Version),
        (json!({"name": ""}), Part::Name),
        (json!({"name": " x"}), Part::Name),
        (json!({"name": "医".repeat(43)}), Part::Name),
        (json!({"keywords": ["a", "a"]}), Part::Keywords),
        (json!({"keywords": [""]}), Part::Keywords),
        (json!({"keywords": ["医".repeat(17)]}), Part::Keywords),
        (json!({"keywords": nine}), Part::Keywords),
        (json!({"scenes": []}), Part::Scenes),
        (json!({"scenes": [1, 1]}), Part::Scenes),
        (json!({"scenes": many}), Part::Scenes),
        (json!({"operations": []}), Part::Operations),
        (json!({"operations": ["lock", "lock"]}), Part::Operations),
        (json!({"references": [7]}), Part::References),
        (json!({"references": [1, 1]}), Part::References),
        (json!({"references": [1, 2, 3, 4, 5, 6, 8, 9, 10]}), Part::References),
    ];
    run(|| {
        for (changes, part) in rows {
            let document = with(document(7, 1), changes.clone());
            assert_eq!(read(&document), Err(DocumentError::Part(part)), "{changes}");
            assert_noop!(submit(&document), Error::<Test>::InvalidPart(part));
            let words = DocumentError::Part(part).to_string();
            assert!(words.contains(": expected"), "{words}");
        }
    });
}

#[test]
fn json_that_is_no_document_is_refused_with_its_place() {
    let with_key = with(document(7, 1), json!({"colour": "red"})).to_string();
    let rows: [(&[u8], &str); 8] = [
        (b"", "EOF"),
        (b"[]", "invalid"),
        (b"{\"id\": 7}", "missing field"),
        (b"{\"id\": 70000}", "invalid value"),
        (b"{\"id\": 7, \"id\": 7}", "duplicate field"),
        (b"\xff", "expected value"),
        (b"{\"effect\": \"allow\"}", "unknown variant `allow`"),
        (with_key.as_bytes(), "unknown field `colour`"),
    ];
    for (bytes, words) in rows {
        let error = Document::read(Format::Json, bytes).expect_err("no document").to_string();
        assert!(error.starts_with("document: ") && error.contains(words), "{error}");
    }
    let trailing = document(7, 1).to_string() + " x";
    assert!(Document::read(Format::Json, trailing.as_bytes()).is_err());
    let deep = with(document(7, 1), json!({"conditions": "?"}))
        .to_string()
        .replace("\"?\"", &("{\"not\":".repeat(2_000) + "1" + &"}".repeat(2_000)));
    let error = Document::read(Format::Json, deep.as_bytes()).expect_err("too deep");
    assert!(matches!(error, DocumentError::Unreadable(_)), "{error}");
    run(|| {
        let body = b"{}".to_vec().try_into().expect("short");
        let call = crate::Call::submit { format: Format::Json, body };
        assert_noop!(send(signed(PLATFORM), call), Error::<Test>::Unreadable);
    });
}

#[test]
fn a_rule_at_fault_is_named_with_its_path() {
    let document = with(
        document(7, 1),
        json!({"conditions": {"or": [{">": ["total", 1]}, {"<": ["amount", 5]}]}}),
    );
    let error = read(&document).expect_err("registration has no amount");
    assert_eq!(
        error.to_string(),
        "conditions/or/1: an operation the policy is for does not have the field"
    );
    let DocumentError::Conditions(error) = error else { panic!("{error}") };
    assert_eq!((error.node, error.fault), (2, Fault::NotAvailable));
}

/// A document with something of everything.
fn rich() -> Written {
    serde_json::from_value(json!({
        "id": 65535, "version": 4_294_967_295_u32, "name": "跨省", "keywords": ["b", "a"],
        "scenes": [2, 1, 300], "operations": ["register", "pre_issue", "lock", "reimburse"],
        "effect": "permit", "priority": 65535, "references": [1, 2], "description": "说明",
        "conditions": {"and": [
            {"or": [{"not": {"=": ["region", "31"]}}, {"<": ["age_days", -5]}]},
            {"<=": ["total", 9_223_372_036_854_775_807_i64]},
            {">": ["now", {"field": "now"}]},
            {">=": ["total", i64::MIN]},
            {"in": ["issuer", ["did:bill:a", "did:bill:b"]]},
            {"not in": ["scene", [0, 65535]]},
        ]},
    }))
    .expect("a document")
}

#[test]
fn both_formats_give_the_document_back() {
    for format in [Format::Json, Format::Protobuf] {
        let bytes = rich().to_bytes(format);
        assert_eq!(Written::read(format, &bytes), Ok(rich()), "{format:?}");
        for effect in [Effect::Deny, Effect::Require, Effect::Permit] {
            let written = Written { effect, ..rich() };
            let bytes = written.to_bytes(format);
            assert_eq!(Written::read(format, &bytes), Ok(written), "{format:?}");
        }
    }
}

/// The wire format, byte by byte, as `docs/policy.proto` has it.
#[test]
fn protobuf_is_the_schemas() {
    let written = Written {
        id: billchain_primitives::seams::PolicyId(7),
        version: 300,
        name: "n".into(),
        keywords: vec!["k".into()],
        scenes: vec![billchain_primitives::SceneId(1), billchain_primitives::SceneId(300)],
        operations: vec![billchain_primitives::condition::Guarded::Reimburse],
        effect: Effect::Deny,
        priority: 0,
        references: vec![],
        description: String::new(),
        conditions: Form::Not(Box::new(Form::Compare {
            field: "f".into(),
            comparison: billchain_primitives::condition::Comparison::AtMost,
            operand: FormOperand::Value(FormValue::Number(-1)),
        })),
    };
    let expected: Vec<u8> = [
        &[0x08, 7, 0x10, 0xac, 0x02, 0x1a, 1, b'n', 0x22, 1, b'k'][..],
        &[0x2a, 3, 0x01, 0xac, 0x02],
        &[0x32, 1, 4, 0x38, 1],
        // conditions { not { compare { field, comparison 3, number −1 } } }
        &[0x5a, 11, 0x1a, 9, 0x22, 7, 0x0a, 1, b'f', 0x10, 3, 0x18, 1],
    ]
    .concat();
    assert_eq!(written.to_bytes(Format::Protobuf), expected);
}

#[test]
fn protobuf_of_another_shape_is_refused_in_words() {
    let sound = rich().to_bytes(Format::Protobuf);
    let unknown_field = [&sound[..], &[0xf8, 0x01, 1]].concat();
    let default_written = [&[0x08, 0][..], &sound[4..]].concat();
    let twice = [&sound[..], &[0x10, 1]].concat();
    let rows: [(&[u8], &str); 9] = [
        (&sound[..sound.len() - 1], "buffer underflow"),
        (&[0x07], "wire type"),
        (&[0x1a, 1, 0xff], "string"),
        (&unknown_field, "canonical"),
        (&default_written, "canonical"),
        (&twice, "canonical"),
        (&[0x08, 1], "conditions: missing"),
        (&[0x08, 0xff, 0xff, 0x7f, 0x5a, 0], "at most 65535"),
        (&[0x08, 1, 0x5a, 0], "effect: expected a value of its enum, found 0"),
    ];
    for (bytes, words) in rows {
        let error = Document::read(Format::Protobuf, bytes).expect_err("none").to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
    let no_kind = [0x08, 1, 0x38, 1, 0x5a, 0];
    let error = Document::read(Format::Protobuf, &no_kind).expect_err("none").to_string();
    assert!(error.contains("one of its kinds"), "{error}");
    // Nesting beyond any bound is an error, too.
    let deep = (0..200).fold(rich().conditions, |inner, _| Form::Not(Box::new(inner)));
    let bytes = Written { conditions: deep, ..rich() }.to_bytes(Format::Protobuf);
    assert!(Document::read(Format::Protobuf, &bytes).is_err());
}
