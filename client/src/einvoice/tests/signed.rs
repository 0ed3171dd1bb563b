//! Signatures and seals of the ministry's form.

use super::*;
use crate::einvoice::signature::element as of;

/// The signed sample as UTF-8 without a declaration.
fn signed() -> String {
    let bytes = sample("outpatient-signed.xml");
    let (text, _, malformed) = encoding_rs::UTF_16LE.decode(&bytes);
    assert!(!malformed);
    text.split_once("?>").unwrap().1.to_owned()
}

fn refused(from: &str, to: &str) -> EInvoiceError {
    let text = signed();
    assert!(text.contains(from), "{from}");
    EInvoice::parse(text.replacen(from, to, 1).as_bytes()).expect_err(to)
}

#[test]
fn both_signatures_and_both_seals_are_kept() {
    let bill = EInvoice::parse(&sample("outpatient-signed.xml")).unwrap();
    assert_eq!(bill.encoding, XmlEncoding::Utf16);
    let Signatures { issuer, supervisor } = bill.signatures.unwrap();
    assert_eq!(
        (issuer.reference.as_str(), issuer.serial_number.as_str()),
        ("Header,EInvoiceData", "4A01")
    );
    assert_eq!(supervisor.serial_number, "4A02");
    for signature in [&issuer, &supervisor] {
        assert_eq!(signature.algorithm, "1.2.156.10197.1.501");
        assert_eq!(signature.time, "20250321102030");
        assert_eq!(signature.value.len(), 64);
        assert_eq!(signature.certificate_issuer, "C=CN,O=示例电子认证服务机构（虚构）");
    }
    assert_ne!(issuer.value, supervisor.value);
    let seal = bill.issuer_seal.unwrap();
    assert_eq!((seal.id.as_str(), seal.hash.len()), ("SEAL-HOSPITAL-1", 44));
    assert_eq!(bill.supervisor_seal.unwrap().name, "上海市财政局票据监制章（虚构）");
    // The chain's summary does not change with them.
    let plain = EInvoice::parse(&sample("outpatient.xml")).unwrap();
    assert_eq!((plain.signatures, plain.issuer_seal, plain.supervisor_seal), (None, None, None));
}

#[test]
fn a_bill_has_two_signatures_or_none() {
    let text = signed();
    let (start, end) =
        (text.find("    <Signature>").unwrap(), text.find("</Signature>\n").unwrap());
    let first = &text[start..end + "</Signature>\n".len()];
    let one = text.replacen(first, "", 1);
    let error = EInvoice::parse(one.as_bytes()).unwrap_err();
    assert_eq!(error, EInvoiceError::SignatureCount { found: 1 });
    let three = text.replacen(first, &format!("{first}{first}"), 1);
    let error = EInvoice::parse(three.as_bytes()).unwrap_err();
    assert_eq!(error, EInvoiceError::SignatureCount { found: 3 });
    let twice = text.replace("</EInvoice>", "<EInvoiceSignature/></EInvoice>");
    let error = EInvoice::parse(twice.as_bytes()).unwrap_err();
    assert_eq!(error, EInvoiceError::RepeatedElement { path: of::SIGNATURES });
}

#[test]
fn a_part_of_a_signature_that_is_missing_or_wrong_is_named() {
    // (text, replacement, the error)
    let missing = |path| EInvoiceError::MissingElement { path };
    let empty = |path| EInvoiceError::EmptyElement { path };
    let table = [
        ("<Reference>Header,EInvoiceData</Reference>", "", missing(of::REFERENCE)),
        (
            "<SignatureAlgorithm>1.2.156.10197.1.501</SignatureAlgorithm>",
            "",
            missing(of::ALGORITHM),
        ),
        (">1.2.156.10197.1.501<", "> <", empty(of::ALGORITHM)),
        ("<SignatureFormat>DETACH</SignatureFormat>", "", missing(of::FORMAT)),
        ("DETACH", "ENVELOPED", EInvoiceError::invalid(of::FORMAT, "DETACH", "ENVELOPED")),
        ("<SignatureTime>20250321102030</SignatureTime>", "", missing(of::TIME)),
        (
            "20250321102030",
            "yesterday",
            EInvoiceError::invalid(of::TIME, "a date and a time", "yesterday"),
        ),
        ("<SerialNumber>4A01</SerialNumber>", "", missing(of::SERIAL)),
        (">4A01<", "><", empty(of::SERIAL)),
        (
            "<SerialNumber>4A01</SerialNumber>",
            "<SerialNumber>1</SerialNumber><SerialNumber>2</SerialNumber>",
            EInvoiceError::RepeatedElement { path: of::SERIAL },
        ),
        (">C=CN,O=示例电子认证服务机构（虚构）<", "><", empty(of::CERTIFICATE_ISSUER)),
        ("<SealId>SEAL-HOSPITAL-1</SealId>", "", empty(of::ISSUER_SEAL[0])),
    ];
    for (from, to, error) in table {
        assert_eq!(refused(from, to), error, "{from} -> {to}");
    }
    for value in ["a08baQrTG", "****", "a08=baQr", ""] {
        let text = signed();
        let start = text.find("<SignatureValue>").unwrap() + "<SignatureValue>".len();
        let end = start + text[start..].find('<').unwrap();
        let changed = format!("{}{value}{}", &text[..start], &text[end..]);
        let error = EInvoice::parse(changed.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(of::VALUE), "{value}: {error}");
    }
    let error = refused("SWGmnrry", "not a hash");
    assert!(error.to_string().contains("SealHash: expected a hash"), "{error}");
}

#[test]
fn other_spellings_of_the_same_signature_are_read() {
    let whole = EInvoice::parse(signed().as_bytes()).unwrap().signatures.unwrap();
    // The annex writes one name so; base64 comes in lines; XML signatures say
    // what they cover in an attribute; an empty seal is no seal.
    let text = signed()
        .replace("SignatureValue>", "Signaturevalue>")
        .replace("a08baQrTG", "a08b\r\n  aQrTG")
        .replace(
            "<Reference>Header,EInvoiceData</Reference>",
            "<Reference URI=\"Header,EInvoiceData\"/>",
        )
        .replace("SEAL-FINANCE-1", "")
        .replace("上海市财政局票据监制章（虚构）", "")
        .replace("L9RzwzcjKSeLO2V1I7dX83R4hrfUnLvi6WdpWkpH/yQ=", "");
    let bill = EInvoice::parse(text.as_bytes()).unwrap();
    assert_eq!(bill.signatures.unwrap(), whole);
    assert_eq!(bill.supervisor_seal, None);
    assert!(bill.issuer_seal.is_some());
}

#[test]
fn a_signature_value_is_bounded() {
    let long = "A".repeat(signature::MAX_VALUE_TEXT + 4);
    let error = refused("<SignatureValue>", &format!("<SignatureValue>{long}"));
    let max = signature::MAX_VALUE_TEXT;
    assert_eq!(error, EInvoiceError::TextTooLong { path: of::VALUE, max });
}
