mod conformance;
mod signed;

use super::*;
use encoding_rs::GBK;

fn sample(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn outpatient() -> String {
    String::from_utf8(sample("outpatient.xml")).unwrap()
}

fn context(payer_ref: [u8; 32]) -> SummaryContext<'static> {
    SummaryContext {
        issuer: "did:bill:hospital-1".parse().unwrap(),
        scene: SceneId(1),
        payer_ref,
        pdf: None,
        location: None,
    }
}

#[test]
fn every_sample_reads_as_it_was_made() {
    // (file, key, check code, fen, date, time, kind, items, lines)
    let table = [
        ("outpatient.xml", "31060125-0000000101", "a1B2c3", 11_050, 20_250_318, 94_105, 3, 4),
        ("outpatient-gbk.xml", "31060125-0000000102", "Zz09Qx", 26_880, 20_250_318, 100_259, 5, 6),
        ("inpatient.xml", "31060225-0000000201", "7hK9mP", 612_345, 20_250_402, 153_000, 9, 180),
        (
            "inpatient-2000-lines.xml",
            "31060225-0000000202",
            "0aA1bB",
            48_903_217,
            20_250_421,
            235_959,
            12,
            2_000,
        ),
        ("outpatient-red.xml", "31060125-0000000103", "rEd103", -11_050, 20_250_320, 81_500, 3, 4),
        (
            "outpatient-balance.xml",
            "31060125-0000000104",
            "bAl104",
            8_050,
            20_250_320,
            81_530,
            2,
            3,
        ),
    ];
    for (file, key, check, fen, date, time, items, lines) in table {
        let bytes = sample(file);
        let bill = EInvoice::parse(&bytes).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_eq!(bill.key.to_string(), key, "{file}");
        assert_eq!(bill.check_code.as_str(), check, "{file}");
        assert_eq!(bill.total.get(), fen, "{file}");
        assert_eq!(bill.issue_date.get(), date, "{file}");
        assert_eq!(bill.issue_time.get(), time, "{file}");
        assert_eq!((bill.items, bill.lines), (items, lines), "{file}");
        assert_eq!(bill.tag, "CZ-EI-31", "{file}");
        assert_eq!(bill.issuer_name, "上海市浦江示范医院（虚构）", "{file}");
        assert!(bill.issuer_uscc.has_valid_check_digit(), "{file}");
        assert_eq!(bill.xml_hash, sm3::sm3(&bytes), "{file}");
    }
}

#[test]
fn red_and_balance_bills_name_the_blue_one() {
    let blue = EInvoice::parse(&sample("outpatient.xml")).unwrap();
    for (file, kind) in
        [("outpatient-red.xml", BillKind::Red), ("outpatient-balance.xml", BillKind::Blue)]
    {
        let bill = EInvoice::parse(&sample(file)).unwrap();
        assert_eq!(bill.related, Some(blue.key), "{file}");
        assert_eq!(bill.kind(), kind, "{file}");
    }
    assert_eq!(blue.related, None);
}

#[test]
fn gbk_and_utf8_say_the_same_but_hash_as_delivered() {
    let utf8 = outpatient();
    let declared = utf8.replace("encoding=\"UTF-8\"", "encoding=\"GBK\"");
    let (gbk, _, lossy) = GBK.encode(&declared);
    assert!(!lossy);
    let from_utf8 = EInvoice::parse(utf8.as_bytes()).unwrap();
    let from_gbk = EInvoice::parse(&gbk).unwrap();
    assert_eq!(from_gbk.encoding, XmlEncoding::Gbk);
    assert_eq!(from_gbk.payer, from_utf8.payer);
    assert_eq!(from_gbk.issuer_name, from_utf8.issuer_name);
    assert_ne!(from_gbk.xml_hash, from_utf8.xml_hash);
    assert_eq!(from_gbk.xml_hash, sm3::sm3(&gbk));
}

#[test]
fn a_byte_order_mark_is_part_of_the_hash_and_not_of_the_text() {
    let plain = outpatient();
    let marked = [b"\xEF\xBB\xBF", plain.as_bytes()].concat();
    let bill = EInvoice::parse(&marked).unwrap();
    assert_eq!(bill.xml_hash, sm3::sm3(&marked));
    assert_eq!(bill.total, EInvoice::parse(plain.as_bytes()).unwrap().total);
}

#[test]
fn one_changed_byte_changes_the_hash() {
    let original = sample("outpatient.xml");
    let tampered = String::from_utf8(original.clone()).unwrap().replace("普通门诊", "专家门诊");
    let (a, b) =
        (EInvoice::parse(&original).unwrap(), EInvoice::parse(tampered.as_bytes()).unwrap());
    assert_eq!((a.key, a.total), (b.key, b.total));
    assert_ne!(a.xml_hash, b.xml_hash);
}

#[test]
fn references_and_cdata_are_text() {
    for (written, read) in [
        ("A&amp;B&#x4E2D;&#20013;", "A&B中中"),
        ("<![CDATA[A & <B>]]>", "A & <B>"),
        ("  spaced  ", "spaced"),
        ("<!-- hidden -->shown", "shown"),
    ] {
        let xml = outpatient().replace(">MZ202503180000101<", &format!(">{written}<"));
        assert_eq!(EInvoice::parse(xml.as_bytes()).unwrap().biz_code, read, "{written}");
    }
}

/// Replaces the text of the first element `name`.
fn with(name: &str, value: &str) -> Vec<u8> {
    let xml = outpatient();
    let start = xml.find(&format!("<{name}>")).unwrap() + name.len() + 2;
    let end = start + xml[start..].find("</").unwrap();
    format!("{}{value}{}", &xml[..start], &xml[end..]).into_bytes()
}

/// Removes the first element `name` and its content.
fn without(name: &str) -> Vec<u8> {
    let xml = outpatient();
    let start = xml.find(&format!("<{name}>")).unwrap();
    let close = format!("</{name}>");
    let end = start + xml[start..].find(&close).unwrap() + close.len();
    format!("{}{}", &xml[..start], &xml[end..]).into_bytes()
}

#[test]
fn a_missing_or_empty_element_is_named() {
    for name in [
        "EInvoiceTag",
        "EInvoiceName",
        "EInvoiceCode",
        "EInvoiceNumber",
        "RandomNumber",
        "TotalAmount",
        "IssueDate",
        "IssueTime",
        "InvoicingPartyCode",
        "InvoicingPartyName",
        "PayerPartyType",
        "PayerPartyCode",
        "PayerPartyName",
        "BizCode",
        "ItemAmount",
    ] {
        let error = EInvoice::parse(&without(name)).unwrap_err();
        assert!(
            matches!(error, EInvoiceError::MissingElement { path } if path.ends_with(name)),
            "without {name}: {error}"
        );
        let error = EInvoice::parse(&with(name, "  ")).unwrap_err().to_string();
        assert!(error.contains(name), "empty {name}: {error}");
    }
    let error = EInvoice::parse(&without("Details")).unwrap_err();
    assert_eq!(error, EInvoiceError::MissingElement { path: element::ITEM });
}

#[test]
fn a_bad_value_is_named_with_its_rule() {
    // (element, value, words the error must contain)
    let table = [
        ("EInvoiceTag", "DZ-31", "CZ-EI-"),
        ("EInvoiceCode", "3106012", "8 digits"),
        ("EInvoiceCode", "3106O125", "8 digits"),
        ("EInvoiceNumber", "00000001011", "10 digits"),
        ("RandomNumber", "a1B2c", "6 characters"),
        ("RandomNumber", "a1B2c校", "6 characters"),
        ("IssueDate", "20250229", "a real date as yyyyMMdd"),
        ("IssueDate", "2025-03-18", "a real date as yyyyMMdd"),
        ("IssueDate", "18990101", "a real date as yyyyMMdd"),
        ("IssueDate", "２０２５０３１８", "a real date as yyyyMMdd"),
        ("IssueTime", "09:41", "HH:mm:ss"),
        ("IssueTime", "24:00:00", "HH:mm:ss"),
        ("IssueTime", "094105", "HH:mm:ss"),
        ("TotalAmount", "110.5", "two decimals"),
        ("TotalAmount", "110,50", "two decimals"),
        ("TotalAmount", "1.1e2", "two decimals"),
        ("TotalAmount", "99999999999999999999.00", "two decimals"),
        ("TotalAmount", "NaN", "two decimals"),
        ("InvoicingPartyCode", "1231000042500099", "18 characters"),
        ("InvoicingPartyCode", "I231000042500099AW", "18 characters"),
        ("PayerPartyType", "3", "1 (a person) or 2 (an organisation)"),
        ("ItemAmount", "12", "two decimals"),
        ("AuxItemAmount", "12.345", "two decimals"),
    ];
    for (name, value, rule) in table {
        let error = EInvoice::parse(&with(name, value)).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, EInvoiceError::Invalid { .. }), "{name} = {value}: {text}");
        assert!(text.contains(name) && text.contains(rule), "{name} = {value}: {text}");
        assert!(text.contains(value), "{name} = {value}: {text}");
    }
}

#[test]
fn items_must_add_up_to_the_total() {
    let error = EInvoice::parse(&with("TotalAmount", "110.51")).unwrap_err();
    assert!(matches!(error, EInvoiceError::SumMismatch { items: 3, sum_fen: 11_050, .. }));
    assert!(error.to_string().contains("110.51"), "{error}");
}

#[test]
fn a_related_bill_needs_both_code_and_number() {
    for (given, missing) in [
        ("<RelatedInvoiceCode>31060125</RelatedInvoiceCode>", element::RELATED_NUMBER),
        ("<RelatedInvoiceNumber>0000000101</RelatedInvoiceNumber>", element::RELATED_CODE),
    ] {
        let xml = outpatient().replace("<MainExt>", &format!("<MainExt>{given}"));
        let error = EInvoice::parse(xml.as_bytes()).unwrap_err();
        assert_eq!(error, EInvoiceError::MissingElement { path: missing });
    }
}

#[test]
fn a_document_cut_anywhere_is_an_error() {
    let xml = sample("outpatient.xml");
    let whole = xml.iter().rposition(|b| *b == b'>').unwrap();
    for end in 0..=whole {
        assert!(EInvoice::parse(&xml[..end]).is_err(), "cut at {end} of {}", xml.len());
    }
    let half = outpatient();
    let at = half.find("<Details>").unwrap();
    let error = EInvoice::parse(&half.as_bytes()[..at]).unwrap_err();
    assert_eq!(error, EInvoiceError::Truncated { open: "EInvoice/EInvoiceData".to_owned() });
}

#[test]
fn a_document_that_lies_about_its_encoding_is_refused() {
    let utf8 = outpatient();
    let (gbk, _, _) = GBK.encode(&utf8);
    assert_eq!(
        EInvoice::parse(&gbk).unwrap_err(),
        EInvoiceError::NotInEncoding {
            expected: XmlEncoding::Utf8,
            at: utf8.find(|c: char| !c.is_ascii()).unwrap()
        }
    );
    let declared_gbk = utf8.replace("UTF-8", "GBK");
    // UTF-8 bytes may by chance be valid GBK; these end on an odd lead byte.
    let odd = declared_gbk.replace("<Remark>", "<Remark>中");
    let error = EInvoice::parse(odd.as_bytes()).unwrap_err();
    assert!(
        matches!(error, EInvoiceError::NotInEncoding { expected: XmlEncoding::Gbk, .. }),
        "{error}"
    );
    for other in ["ISO-8859-1", "Big5", "x"] {
        let xml = utf8.replace("UTF-8", other);
        assert_eq!(
            EInvoice::parse(xml.as_bytes()).unwrap_err(),
            EInvoiceError::UnsupportedEncoding { found: other.to_owned() }
        );
    }
}

#[test]
fn entities_and_document_types_are_refused() {
    let bomb = outpatient().replace(
        "<EInvoice>",
        "<!DOCTYPE EInvoice [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><EInvoice>",
    );
    assert_eq!(EInvoice::parse(bomb.as_bytes()).unwrap_err(), EInvoiceError::DocumentType);
    for (reference, name) in [("&b;", "b"), ("&nbsp;", "nbsp")] {
        let xml = with("BizCode", reference);
        let error = EInvoice::parse(&xml).unwrap_err();
        assert!(
            matches!(&error, EInvoiceError::Entity { name: n, path } if n == name && path.ends_with("BizCode")),
            "{reference}: {error}"
        );
    }
}

#[test]
fn depth_size_text_and_lines_are_bounded() {
    let deep = format!("<EInvoice>{}", "<a>".repeat(100_000));
    let error = EInvoice::parse(deep.as_bytes()).unwrap_err();
    assert!(matches!(error, EInvoiceError::TooDeep { max: MAX_DEPTH, .. }), "{error}");

    let long = vec![b' '; MAX_BYTES + 1];
    let error = EInvoice::parse(&long).unwrap_err();
    assert_eq!(error, EInvoiceError::TooLarge { max: MAX_BYTES, found: MAX_BYTES + 1 });

    let error = EInvoice::parse(&with("BizCode", &"x".repeat(MAX_TEXT + 1))).unwrap_err();
    assert_eq!(error, EInvoiceError::TextTooLong { path: element::BIZ_CODE, max: MAX_TEXT });

    let lines = "<AuxItem/>".repeat(MAX_LINES + 1);
    let xml = outpatient().replace("<AuxDetails>", &format!("<AuxDetails>{lines}"));
    let error = EInvoice::parse(xml.as_bytes()).unwrap_err();
    assert_eq!(error, EInvoiceError::TooManyLines { path: element::LINE, max: MAX_LINES });
}

#[test]
fn ambiguous_or_foreign_documents_are_refused() {
    let twice = outpatient().replace("<PayMode>", "<TotalAmount>1.00</TotalAmount><PayMode>");
    let error = EInvoice::parse(twice.as_bytes()).unwrap_err();
    assert_eq!(error, EInvoiceError::RepeatedElement { path: element::TOTAL });

    let nested = with("TotalAmount", "<a>1</a>10.50");
    let error = EInvoice::parse(&nested).unwrap_err().to_string();
    assert!(error.contains("TotalAmount") && error.contains("<a>"), "{error}");

    let error = EInvoice::parse(b"<Invoice/>").unwrap_err();
    assert_eq!(error, EInvoiceError::WrongRoot { found: "Invoice".to_owned() });

    let two_roots = outpatient() + "<EInvoice/>";
    let error = EInvoice::parse(two_roots.as_bytes()).unwrap_err();
    assert_eq!(error, EInvoiceError::WrongRoot { found: "EInvoice".to_owned() });

    let tail = outpatient() + "tail";
    let error = EInvoice::parse(tail.as_bytes()).unwrap_err();
    assert!(matches!(error, EInvoiceError::Malformed { .. }), "{error}");

    let crossed = outpatient().replace("</Header>", "</Main>");
    let error = EInvoice::parse(crossed.as_bytes()).unwrap_err();
    assert!(matches!(error, EInvoiceError::Malformed { .. }), "{error}");

    for empty in [&b""[..], b" \n\t", b"\xEF\xBB\xBF"] {
        assert_eq!(EInvoice::parse(empty).unwrap_err(), EInvoiceError::Empty);
    }
    for garbage in [&b"not xml"[..], b"\x00\x01\x02", b"{\"bill\":1}", b"<", b"<?xml"] {
        assert!(EInvoice::parse(garbage).is_err(), "{garbage:?}");
    }
}

#[test]
fn the_summary_holds_hashes_and_nothing_personal() {
    let bill = EInvoice::parse(&sample("outpatient.xml")).unwrap();
    let summary = bill.summary(&context([7; 32]));
    assert_eq!(summary.key, bill.key);
    assert_eq!(summary.kind, BillKind::Blue);
    assert_eq!(summary.payer_ref, [7; 32]);
    assert_eq!(summary.biz_no_hash, sm3::sm3(b"MZ202503180000101"));
    assert_eq!((summary.pdf_hash, summary.location_hash), ([0; 32], [0; 32]));
    let encoded = codec::Encode::encode(&summary);
    for personal in ["张示例", "000000198803120011", "MZ202503180000101"] {
        let found = encoded.windows(personal.len()).any(|w| w == personal.as_bytes());
        assert!(!found, "{personal} is in the summary");
    }
    let shown = format!("{bill:?}");
    assert!(!shown.contains("张示例") && !shown.contains("000000198803120011"), "{shown}");
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(0u8.., 0..400)) {
        let _ = EInvoice::parse(&bytes);
    }

    #[test]
    fn no_change_of_a_bill_makes_the_reader_panic(at in 0usize..4000, byte in 0u8..) {
        let mut xml = sample("outpatient.xml");
        let at = at % xml.len();
        xml[at] = byte;
        let _ = EInvoice::parse(&xml);
    }
}

#[test]
fn a_name_that_looks_like_a_path_is_no_element() {
    // Written so, one element would stand for three within one another.
    let xml = outpatient()
        .replace("<EInvoiceData>", "")
        .replace("</EInvoiceData>", "")
        .replace("<Main>", "<EInvoiceData/Main>")
        .replace("</Main>", "</EInvoiceData/Main>");
    let error = EInvoice::parse(xml.as_bytes()).unwrap_err();
    assert!(matches!(error, EInvoiceError::Malformed { line: 9, .. }), "{error}");
}
