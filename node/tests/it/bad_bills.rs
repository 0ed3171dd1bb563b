//! Bills that break a rule: as an XML original at the shell, as SCALE at a
//! node, and where their types allow it, on the chain.

use crate::{
    bad_requests::{patched, refused_transaction},
    command::{Outcome, billchain},
    load::{Bills, Issuer, register, sample},
    network::{ALL, FAST, Network, PATIENCE},
};
use billchain_primitives::{BillSummary, Fen, IssueDate, SceneId};
use std::{fs, path::Path};

/// `billchain bill … register` of an original by //hospital at node 1.
fn submit(network: &Network, xml: &Path) -> Outcome {
    let (url, xml) = (network.url(1), xml.to_str().unwrap());
    let asks = ["--references", network.references()];
    let signs = ["bill", "--rpc", &url, "--development-key", "//hospital"];
    billchain([&signs[..], &asks, &["register", xml]].concat())
}

/// The sample with one text replaced, which must stand in it once.
fn edited(from: &str, to: &str) -> Vec<u8> {
    let text = fs::read_to_string(sample("outpatient.xml")).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to).into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn originals_with_a_fault_are_refused_with_the_element_and_the_rule() {
    let mut network = Network::started(FAST).await;
    let good = fs::read(sample("outpatient.xml")).unwrap();
    let gbk = fs::read(sample("outpatient-gbk.xml")).unwrap();
    let declared = gbk.windows(3).position(|bytes| bytes.eq_ignore_ascii_case(b"GBK")).unwrap();
    let misdeclared = [&gbk[..declared], b"UTF-8", &gbk[declared + 3..]].concat();
    const CODE: &str = "<EInvoiceCode>31060125</EInvoiceCode>";
    const DATE: &str = "<IssueDate>20250318</IssueDate>";
    const TOTAL: &str = "<TotalAmount>110.50</TotalAmount>";

    let cases: Vec<(Vec<u8>, &[&str])> = vec![
        (edited(CODE, "<EInvoiceCode>3106012</EInvoiceCode>"), &["EInvoiceCode", "8 digits"]),
        (edited(CODE, ""), &["EInvoiceCode", "the element is missing"]),
        (edited("0000000101</EInvoiceNumber>", "X</EInvoiceNumber>"), &["Number", "10 digits"]),
        (edited(">a1B2c3<", ">a1B2c<"), &["RandomNumber", "6 characters"]),
        (edited(DATE, "<IssueDate>20250230</IssueDate>"), &["IssueDate", "a real date"]),
        (edited(DATE, "<IssueDate>2025-03-18</IssueDate>"), &["IssueDate", "yyyyMMdd"]),
        (edited("09:41:05", "25:41:05"), &["IssueTime", "HH:mm:ss"]),
        (edited(TOTAL, "<TotalAmount>110.5</TotalAmount>"), &["TotalAmount", "two decimals"]),
        (edited(TOTAL, "<TotalAmount>110.51</TotalAmount>"), &["TotalAmount", "add up to 11050"]),
        (edited(TOTAL, "<TotalAmount>1e99</TotalAmount>"), &["TotalAmount", "two decimals"]),
        (good[..good.len() / 2].to_vec(), &["the document is cut off: element EInvoice"]),
        (Vec::new(), &["the document is empty"]),
        (b"<Invoice></Invoice>".to_vec(), &["expected the outermost element EInvoice"]),
        (edited("<EInvoice>", "<!DOCTYPE a [<!ENTITY b \"c\">]><EInvoice>"), &["DOCTYPE"]),
        (misdeclared, &["the bytes are not UTF-8 text", "declaration"]),
        ([b"\xEF\xBB\xBF", &gbk[..]].concat(), &["encoding GBK", "byte order mark of UTF-8"]),
        ([b"\n", &good[..]].concat(), &["the XML declaration must be the first thing"]),
        (edited("张示例", "张&#1;例"), &["line 29", "U+0001 is no character"]),
        (edited("<PayMode>1", "<sh:A/><PayMode>1"), &["line 33", "prefix of sh:A is not declared"]),
        (b"\x89PNG\r\n\x1a\n".to_vec(), &["is no bill"]),
    ];
    let xml = network.directory().join("bill.xml");
    for (document, words) in cases {
        fs::write(&xml, document).unwrap();
        let outcome = submit(&network, &xml);
        outcome.refused(1, &[xml.to_str().unwrap(), "is no bill"]);
        outcome.refused(1, words);
    }
    fs::remove_file(&xml).unwrap();
    submit(&network, &xml).refused(1, &["cannot read", xml.to_str().unwrap()]);

    // The types hold tomorrow's bill and more; the chain says when it is.
    fs::write(&xml, edited(DATE, "<IssueDate>29991231</IssueDate>")).unwrap();
    submit(&network, &xml).refused(3, &["DateInFuture", "later than tomorrow"]);

    // UTF-16, as Windows saves it; verified with its signatures and seals.
    submit(&network, &sample("outpatient-signed.xml")).succeeded();
    let (url, signed) = (network.url(1), sample("outpatient-signed.xml"));
    let shown = billchain(["bill", "--rpc", &url, "verify", signed.to_str().unwrap()]);
    for words in ["checked_of_signatures structure", "4A02", "SEAL-FINANCE-1"] {
        assert!(shown.code == Some(0) && shown.stdout.contains(words), "{words}: {shown}");
    }

    // Nothing of it is on the chain, and the good original still goes in, once.
    let node = network.client(2).await;
    assert_eq!(node.bill("31060125", "0000000101").await.unwrap(), None);
    submit(&network, &sample("outpatient.xml")).succeeded();
    submit(&network, &sample("outpatient.xml")).succeeded();
    let other = fs::read_to_string(sample("outpatient.xml")).unwrap();
    fs::write(&xml, other + "\n").unwrap();
    let words = ["AlreadyExists", "Content on the chain: 0x", "sent: 0x"];
    submit(&network, &xml).refused(3, &words);
    network.go_on(&ALL, 2, PATIENCE).await;
    network.agree(&ALL).await;
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bills_with_impossible_values_do_not_decode_and_wrong_ones_are_refused() {
    let mut network = Network::started(FAST).await;
    let node = network.client(1).await;
    let (bills, issuer) = (Bills::new(), Issuer::new("hospital-5"));

    let mut bill = bills.next(&issuer);
    bill.total = Fen::new(0x0123_4567_89ab).unwrap();
    let bytes = issuer.signer.transaction(register(bill.clone()), 0, node.genesis());
    let (code, number) = (bill.key.code.to_string(), bill.key.number.to_string());
    let (date, time) = (bill.issue_date.get(), bill.issue_time.get());
    let dated = |date: u32| [date.to_le_bytes(), time.to_le_bytes()].concat();
    let amount = bill.total.get().to_le_bytes();
    for (what, from, to) in [
        ("BillCode", code.as_bytes().to_vec(), b"3106012x".to_vec()),
        ("BillNumber", number.as_bytes().to_vec(), b"000000\x00001".to_vec()),
        ("CheckCode", b"a1B2c3".to_vec(), b"a1B2c ".to_vec()),
        ("IssueDate", dated(date), dated(20_250_229)),
        ("IssueDate", dated(date), dated(u32::MAX)),
        ("Fen", amount.to_vec(), i64::MAX.to_le_bytes().to_vec()),
        ("Fen", amount.to_vec(), (-100_000_000_000_000_i64).to_le_bytes().to_vec()),
    ] {
        let refusal = refused_transaction(&node, &patched(&bytes, &from, &to)).await;
        assert_eq!((refusal.code, refusal.data["code"].as_i64()), (1001, Some(2100)), "{what}");
        let words = format!("{what}: expected");
        assert!(refusal.message.contains(&words), "{words} is not in {refusal:?}");
    }

    let change = |change: &dyn Fn(&mut BillSummary)| {
        let mut bill = bills.next(&issuer);
        change(&mut bill);
        bill
    };
    for (expected, bill) in [
        ("Bill.TotalOutOfRange", change(&|bill| bill.total = Fen::new(-1).unwrap())),
        (
            "Bill.DateInFuture",
            change(&|bill| bill.issue_date = IssueDate::new(29_991_231).unwrap()),
        ),
        ("Bill.SceneNotFound", change(&|bill| bill.scene = SceneId(999))),
        ("Bill.NotIssuer", change(&|bill| bill.issuer = Issuer::new("hospital-6").did)),
        ("Bill.XmlHashMissing", change(&|bill| bill.xml_hash = [0; 32])),
        ("Bill.RelatedNotAllowed", change(&|bill| bill.related = Some(bill.key))),
    ] {
        let (code, number) = (bill.key.code.to_string(), bill.key.number.to_string());
        let view = node.execute(&issuer.signer, register(bill), PATIENCE).await.unwrap();
        assert_eq!(view.success, Some(false), "{expected}: {view:?}");
        let error = view.error.unwrap();
        assert_eq!((error.pallet.as_str(), error.name.as_str()), ("BillRegister", expected));
        assert!(!error.docs.is_empty(), "{expected} has no words");
        assert_eq!(node.bill(&code, &number).await.unwrap(), None, "{expected}");
    }
    let view = node.execute(&issuer.signer, register(bill), PATIENCE).await.unwrap();
    assert_eq!(view.success, Some(true), "the bill without a fault: {view:?}");
    network.go_on(&ALL, 2, PATIENCE).await;
    network.agree(&ALL).await;
    network.finish().await;
}
