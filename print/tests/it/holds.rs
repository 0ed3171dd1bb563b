//! What printed certificates hold: text in both languages, fonts, the certificate.

use crate::samples::{CERTIFICATE, absent, bill, crowded, font, locked, paid, present};
use billchain_pages::Pdf;
use billchain_print::{Font, Locator, Unprintable, attached, print};
use billchain_verifier::{Proved, Statement, verify, verify_from};
use serde_json::Value;
use std::fs;

/// Each stands on every page of a bill that is there.
const OF_EACH: [&str; 12] = [
    "财政电子票据链上凭证",
    "Certificate of a fiscal electronic bill",
    "票据代码",
    "31060126",
    "Number",
    "截至区块",
    "After block",
    "7654321",
    "证明范围",
    "What is proved",
    "查验方法",
    "billchain verify FILE.pdf --genesis HASH",
];

fn printed(proved: &Proved<'_>) -> Vec<u8> {
    print(proved, CERTIFICATE, &font()).unwrap()
}

/// The text of its pages, without spaces and line breaks.
fn text(pdf: &[u8]) -> String {
    Pdf::new(pdf).text().split_whitespace().collect()
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        let part: String = part.split_whitespace().collect();
        assert!(text.contains(&part), "{part} is not in {text}");
    }
}

#[test]
fn a_bill_is_printed_in_both_languages() {
    let text = text(&printed(&present(locked())));
    assert_says(&text, &OF_EACH);
    assert_says(
        &text,
        &[
            "截至区块 7654321，链上存有此票据，状态为：锁定",
            "After block 7654321 the chain holds this bill; its status: locked",
            "红票 Red bill",
            "0000000007",
            "a1B2c3",
            "-¥1,234.56",
            "人民币负壹仟贰佰叁拾肆元伍角陆分",
            "did:bill:hospital-1",
            "12310000425006790C",
            "2026-11-30 09:30:15",
            "个人 Person",
            "31060126-0000000301",
            "did:bill:insurer-a",
            "报销-2026-000123",
            "2026-09-21 22:23:20 (UTC+8)",
            "¥50.00 · did:bill:insurer-b",
            "未登记 Not registered",
            &"3d".repeat(32),
            &"72".repeat(32),
            "区块 block 12 · 交易 transaction 70",
        ],
    );
}

#[test]
fn absence_is_said_and_nothing_of_a_bill() {
    let text = text(&printed(&absent()));
    assert_says(&text, &OF_EACH);
    assert_says(
        &text,
        &[
            "截至区块 7654321，链上无此票据",
            "After block 7654321 there is no such bill on the chain",
            "0000000301",
        ],
    );
    for part in ["链上存有", "票据状态", "总金额", "交易哈希"] {
        assert!(!text.contains(part), "{part}");
    }
}

#[test]
fn the_locator_and_the_files_digest_can_be_read() {
    for proved in [present(bill()), absent()] {
        let text = text(&printed(&proved));
        let locator = Locator::of(&proved, CERTIFICATE).unwrap();
        let hashes = [locator.genesis, locator.block.hash, locator.file].map(hex::encode);
        assert_says(&text, &[&locator.to_string()]);
        assert_says(&text, &hashes.each_ref().map(String::as_str));
    }
}

#[test]
fn the_certificate_is_attached_as_it_is() {
    let pdf = printed(&present(bill()));
    assert_eq!(attached(&pdf), Ok(CERTIFICATE));
    let (name, bytes) = Pdf::new(&pdf).attachment();
    assert_eq!(
        (name.as_str(), bytes.as_slice()),
        ("31060126-0000000007-7654321.bcpf", CERTIFICATE)
    );
}

#[test]
fn fonts_are_embedded_as_subsets_and_nothing_comes_from_the_clock() {
    let pdf = Pdf::new(&printed(&present(locked())));
    let fonts = pdf.fonts();
    assert!(!fonts.is_empty());
    for font in fonts {
        let words: Vec<&str> = font.split_whitespace().collect();
        // A subset's name begins with six letters of its own; then emb, sub and uni.
        assert!(
            font.as_bytes()[..6].iter().all(u8::is_ascii_uppercase) && font.as_bytes()[6] == b'+'
        );
        assert_eq!(words[words.len() - 5..words.len() - 2], ["yes", "yes", "yes"], "{font}");
    }
    let info = pdf.info();
    assert!(!info.contains("Date:"), "{info}");
}

#[test]
fn the_same_certificate_gives_the_same_bytes() {
    let pdf = printed(&present(locked()));
    assert!(pdf == printed(&present(locked())));
    assert!(pdf != printed(&present(bill())));
    assert!(pdf.len() < 200_000, "{} bytes", pdf.len());
}

#[test]
fn what_does_not_fit_goes_on_on_the_next_page() {
    assert_eq!(Pdf::new(&printed(&present(bill()))).pages(), 1);
    let payer = "did:bill:insurer-with-a-name-that-is-as-long-as-it-can-be-000001";
    assert_eq!(payer.len(), 64);
    let mut long = locked();
    long.reimbursements = vec![paid(payer, 99_999_999_999_999); 8];
    let pdf = Pdf::new(&printed(&present(long)));
    assert_eq!(pdf.pages(), 2);
    let text: String = pdf.text().split_whitespace().collect();
    assert_says(&text, &OF_EACH);
    assert_says(&text, &["报销 1", "报销 8", "第1页，共2页", "Page 2 of 2"]);
    assert_eq!(text.matches("票据bill31060126-0000000007·区块block7654321").count(), 2);
    assert_eq!(text.matches(payer).count(), 8);
}

#[test]
fn no_text_of_a_bill_breaks_a_page_or_vanishes() {
    for (hostile, shown) in [
        ("", ""),
        (" ", ""),
        (
            "(\\)<</JS>>endobj\nendstream\r%%EOF\0",
            "(\\\\)<</JS>>endobj\\u{a}endstream\\u{d}%%EOF\\u{0}",
        ),
        ("正常\u{202e}锁定\u{200b}\u{feff}", "正常\\u{202e}锁定\\u{200b}\\u{feff}"),
        ("مرحبا שלום", "\\u{645}\\u{631}"),
        ("e\u{301}\u{301}\u{301}\u{301}", "e\\u{301}\\u{301}"),
        ("🏥👨‍👩‍👧", "\\u{1f3e5}\\u{1f468}\\u{200d}"),
        ("\u{e000}\u{f8ff}\u{10ffff}\u{1}", "\\u{e000}\\u{f8ff}\\u{10ffff}\\u{1}"),
        (
            "\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}",
            "\\u{1}\\u{1}\\u{1}",
        ),
        ("WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW", "WWWW"),
        ("龘龘龘龘龘龘龘龘龘龘龘龘龘龘龘龘龘龘龘龘龘", "龘龘龘"),
    ] {
        let pdf = printed(&present(crowded(hostile)));
        assert_eq!(attached(&pdf), Ok(CERTIFICATE), "{hostile:?}");
        let read = Pdf::new(&pdf);
        assert!(read.pages() <= 3, "{hostile:?}: {} pages", read.pages());
        let text = text(&pdf);
        assert_says(&text, &OF_EACH);
        // Eleven texts, of which each is shown.
        let shown: String = shown.split_whitespace().collect();
        assert!(shown.is_empty() || text.matches(&shown).count() >= 11, "{hostile:?}: {text}");
    }
}

#[test]
fn a_font_without_chinese_is_refused_by_name() {
    let latin = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
    let latin =
        Font::read(latin.as_ref()).expect("the tests need the Debian package fonts-dejavu-core");
    let error = print(&present(bill()), CERTIFICATE, &latin).unwrap_err();
    assert!(matches!(error, Unprintable::Lacks { character: '财', .. }), "{error}");
    assert!(error.to_string().contains("fonts-noto-cjk"), "{error}");
}

#[test]
fn a_damaged_font_is_an_error_or_prints_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("damaged.ttc");
    let whole = fs::read("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc").unwrap();
    for round in 0..40_usize {
        let mut bytes = whole.clone();
        // Spread over the tables, and densely over their beginnings.
        let step = if round % 2 == 0 { whole.len() / 41 } else { 97 };
        for at in 0..64 {
            let place = round * step + at * at;
            bytes[place] ^= 0xff;
        }
        fs::write(&file, &bytes).unwrap();
        if let Ok(font) = Font::read(&file) {
            let _ = print(&present(bill()), CERTIFICATE, &font);
        }
    }
}

#[test]
fn each_certificate_of_a_bill_is_printed_and_proves_the_same_out_of_the_pdf() {
    const VECTORS: &str = include_str!("../../../verifier/vectors/certificates.json");
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    let bytes = |vector: &Value, field: &str| hex::decode(vector[field].as_str().unwrap()).unwrap();
    let mut of_bills = 0;
    for vector in vectors.iter().filter(|vector| !vector["proves"].is_null()) {
        let certificate = bytes(vector, "certificate");
        let name = &vector["name"];
        if vector.get("checkpoint").is_some() {
            let checkpoint = bytes(vector, "checkpoint").try_into().unwrap();
            let proved = verify_from(&certificate, &checkpoint).unwrap();
            let printed = print(&proved, &certificate, &font());
            assert!(matches!(printed, Err(Unprintable::Checkpoint { block: 1.. })), "{name}");
            continue;
        }
        let genesis = bytes(vector, "genesis").try_into().unwrap();
        let proved =
            verify(&certificate, &genesis).unwrap_or_else(|error| panic!("{name}: {error}"));
        let printed = print(&proved, &certificate, &font());
        if !matches!(proved.statement, Statement::Present { .. } | Statement::Absent { .. }) {
            assert!(matches!(printed, Err(Unprintable::Statement)), "{name}");
            continue;
        }
        let pdf = printed.unwrap();
        let taken = attached(&pdf).unwrap();
        assert_eq!(verify(taken, &genesis), Ok(proved.clone()), "{name}");
        let text = text(&pdf);
        let said = vector["proves"]["bill"]["number"].as_str();
        let said = said.or(vector["proves"]["absent"]["number"].as_str()).unwrap();
        assert_says(&text, &[said, &Locator::of(&proved, taken).unwrap().to_string()]);
        of_bills += 1;
    }
    assert!(of_bills >= 4, "{of_bills} of a bill");
}
