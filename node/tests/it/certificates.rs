//! Certificates of bills, of their versions, of ranges of numbers and of months: made by a
//! running network, checked when it is gone.

use crate::{
    command::{Outcome, billchain},
    load::{Bills, Issuer, register_batch, sample},
    network::{ALL, FAST, Network, PATIENCE},
};
use billchain_primitives::Hash;
use billchain_print::Locator;
use billchain_verifier::verify;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The sample bill, and one that is nowhere; both have the same ten numbers as nobody else.
const BILL: &str = "31060125-0000000101";
const NEIGHBOUR: &str = "31060125-0000000102";
const STRANGER: &str = "31060125-9999999999";

struct Shell {
    url: String,
    place: PathBuf,
    genesis: String,
}

impl Shell {
    fn bill(&self, seed: &str, arguments: &[&str]) -> Outcome {
        let signed = ["bill", "--rpc", &self.url, "--development-key", seed, "--json"];
        billchain([&signed[..], arguments].concat())
    }

    /// Writes the certificate of a bill.
    fn certificate(&self, bill: &str, name: &str) -> PathBuf {
        self.certify(&["certificate", bill], name)
    }

    /// Writes a certificate.
    fn certify(&self, what: &[&str], name: &str) -> PathBuf {
        let file = self.place.join(name);
        let words = [what, &["--out", file.to_str().unwrap()]].concat();
        self.bill("//hospital", &words).succeeded();
        file
    }

    fn verify(&self, file: &Path) -> Outcome {
        self.verify_with(file, &[])
    }

    fn verify_with(&self, file: &Path, more: &[&str]) -> Outcome {
        let words = ["verify", file.to_str().unwrap(), "--genesis", &self.genesis, "--json"];
        billchain([&words[..], more].concat())
    }

    fn proved(&self, file: &Path) -> Value {
        serde_json::from_str(&self.verify(file).succeeded()).unwrap()
    }

    /// A certificate is printed, checked from what was printed, and not taken for another one.
    fn prints(&self, certificate: &Path, other: &Path) {
        let pdf = self.place.join("printed.pdf");
        let printed = self.verify_with(certificate, &["--pdf", pdf.to_str().unwrap()]).succeeded();
        assert_eq!(self.proved(&pdf), serde_json::from_str::<Value>(&printed).unwrap());
        let bytes = fs::read(certificate).unwrap();
        let genesis: Hash = self.genesis.parse().unwrap();
        let proved = verify(&bytes, genesis.as_fixed_bytes()).unwrap();
        let locator = Locator::of(&proved, &bytes).unwrap().to_string();
        self.verify_with(&pdf, &["--locator", &locator]).succeeded();
        let refused = self.verify_with(other, &["--locator", &locator]);
        refused.refused(3, &["the locator names another certificate: the block differs"]);
        let wrong = self.verify_with(&pdf, &["--locator", &locator[1..]]);
        wrong.refused(2, &["no locator of a certificate"]);
        let none = self.place.join("none.ttc");
        let font = ["--pdf", pdf.to_str().unwrap(), "--font", none.to_str().unwrap()];
        self.verify_with(certificate, &font).refused(1, &["cannot read the font"]);
        fs::write(&pdf, "%PDF-1.7").unwrap();
        self.verify(&pdf).refused(1, &["no certificate is attached"]);
    }
}

impl Shell {
    /// A certificate has a twin, which is checked like its bytes; a changed one is not.
    fn has_a_twin(&self, certificate: &Path) {
        let twin = self.place.join("twin.json");
        let proved = self.verify_with(certificate, &["--twin", twin.to_str().unwrap()]).succeeded();
        assert_eq!(self.proved(&twin), serde_json::from_str::<Value>(&proved).unwrap());
        let text = fs::read_to_string(&twin).unwrap();
        let other = text.replacen("\"status\": \"locked\"", "\"status\": \"normal\"", 1);
        assert_ne!(other, text);
        fs::write(&twin, other).unwrap();
        self.verify(&twin).refused(3, &["the bill is not in its group"]);
        fs::write(&twin, text.replacen("\"locked\"", "\"mislaid\"", 1)).unwrap();
        self.verify(&twin).refused(1, &["field certificate.bill.status: found \"mislaid\""]);
    }

    /// The genesis may be the checkpoint, and another block may not.
    fn is_checked_from_a_checkpoint(&self, certificate: &Path) {
        let file = certificate.to_str().unwrap();
        let words = ["verify", file, "--json"];
        let from = |more: &[&str]| billchain([&words[..], more].concat());
        let proved = from(&["--checkpoint", &self.genesis]).succeeded();
        assert_eq!(self.proved(certificate), serde_json::from_str::<Value>(&proved).unwrap());
        from(&["--checkpoint", &self.genesis, "--genesis", &self.genesis]).succeeded();
        let other = format!("0x{}", "11".repeat(32));
        from(&["--checkpoint", &self.genesis, "--genesis", &other])
            .refused(3, &["it is of the chain with genesis", "expected 0x1111"]);
        from(&["--checkpoint", &other])
            .refused(3, &["the checkpoint 0x1111", "is neither its genesis nor a change"]);
        from(&[]).refused(2, &["--genesis"]);
        from(&["--checkpoint", &self.genesis, "--pdf", "never.pdf"]).refused(2, &["--pdf"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_holds_when_every_node_is_gone() {
    let mut network = Network::started(FAST).await;
    let place = tempfile::tempdir().unwrap();
    let genesis = network.client(1).await.genesis();
    let genesis = format!("{genesis:?}");
    let shell = Shell { url: network.url(1), place: place.path().into(), genesis };

    let before = shell.certificate(BILL, "before");
    let xml = sample("outpatient.xml");
    let asks = ["--references", network.references()];
    let register = [&["register", xml.to_str().unwrap()][..], &asks].concat();
    shell.bill("//hospital", &register).succeeded();
    let registered = shell.certificate(BILL, "registered");
    let neighbour = shell.certificate(NEIGHBOUR, "neighbour");
    shell.bill("//insurer-a", &["lock", BILL, "--claim-no", "C-1"]).succeeded();
    network.go_on(&ALL, 2, PATIENCE).await;
    let locked = shell.certificate(BILL, "locked");
    let stranger = shell.certificate(STRANGER, "stranger");
    let first = shell.certify(&["certify-version", BILL, "1"], "first");
    let second = shell.certify(&["certify-version", BILL, "2"], "second");
    for (bill, version, words) in [
        (BILL, "0", "has 2 versions, so version 0 is none of them"),
        (BILL, "3", "has 2 versions, so version 3 is none of them"),
        (STRANGER, "1", "has 0 versions"),
    ] {
        let asked = ["certify-version", bill, version, "--out", "/nowhere/at/all"];
        shell.bill("//hospital", &asked).refused(1, &[words]);
    }
    network.stop(&ALL).await;

    for (file, exists) in [
        (&before, false),
        (&registered, true),
        (&neighbour, false),
        (&locked, true),
        (&stranger, false),
    ] {
        let proved = shell.proved(file);
        assert_eq!(proved["exists"], exists, "{}: {proved}", file.display());
    }
    let (old, new) = (shell.proved(&registered), shell.proved(&locked));
    assert_eq!((&old["status"], &new["status"]), (&"normal".into(), &"locked".into()));
    assert_eq!((&old["version"], &new["version"]), (&1.into(), &2.into()));
    assert_eq!(new["lock"]["purpose"]["claim_no"], "C-1");
    // Two certificates tell which is newer, and the transaction is in an earlier block.
    assert!(old["block"].as_u64() < new["block"].as_u64(), "{old} {new}");
    assert!(new["transaction"]["block"].as_u64() < new["block"].as_u64(), "{new}");

    shell.prints(&locked, &registered);
    shell.has_a_twin(&locked);
    shell.is_checked_from_a_checkpoint(&locked);

    // What the bill was before, shown by what it is.
    let (first, second) = (shell.proved(&first), shell.proved(&second));
    for (proved, of, cause) in [(&first, &old, "register"), (&second, &new, "lock")] {
        for field in ["bill", "status", "version", "version_hash", "lock", "transaction"] {
            assert_eq!(proved[field], of[field], "{field}: {proved}");
        }
        assert_eq!(proved["made"]["cause"], cause, "{proved}");
        assert_eq!(proved["present_version"], 2, "{proved}");
        assert_eq!(proved["present_status"], "locked", "{proved}");
    }
    assert_eq!(first["made"]["operator"], "did:bill:hospital");

    let bytes = fs::read(&locked).unwrap();
    assert!(bytes.len() < 8 << 10, "{} bytes", bytes.len());
    let changed = place.path().join("changed");
    for at in [6, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        let mut other = bytes.clone();
        other[at] ^= 1;
        fs::write(&changed, other).unwrap();
        shell.verify(&changed).refused(3, &["refused: "]);
    }
    let other = Shell { genesis: format!("0x{}", "11".repeat(32)), ..shell };
    other.verify(&locked).refused(3, &["it is of the chain with genesis", "expected 0x1111"]);
    other.verify(&place.path().join("none")).refused(1, &["cannot read"]);
    network.finish().await;
}

/// Money in yuan, of so many bills over so many fen each.
fn yuan(bills: i64, fen: i64) -> String {
    format!("{}.{:02}", bills * fen / 100, bills * fen % 100)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_and_months_are_counted_when_every_node_is_gone() {
    let mut network = Network::started(FAST).await;
    let place = tempfile::tempdir().unwrap();
    let node = network.client(1).await;
    let genesis = format!("{:?}", node.genesis());
    let shell = Shell { url: network.url(1), place: place.path().into(), genesis };

    // The numbers 0001000000 to 0001000119, of which one stays free.
    let (issuer, bills) = (Issuer::new("hospital"), Bills::new());
    let mut numbered: Vec<_> = (0..120).map(|_| bills.next(&issuer)).collect();
    let gap = numbered.remove(7);
    assert_eq!(gap.key.to_string(), "31060125-0001000007");
    let fen = gap.total.get();
    let month = (gap.issue_date.get() / 100).to_string();
    let done = node.execute(&issuer.signer, register_batch(numbered), PATIENCE).await.unwrap();
    assert_eq!(done.success, Some(true), "{:?}", done.error);

    let numbers = |first: &str, last: &str, name: &str| {
        shell.certify(&["certify-numbers", "31060125", first, last], name)
    };
    let before = numbers("0001000000", "0001000119", "before");
    shell.bill("//insurer-a", &["lock", "31060125-0001000010", "--claim-no", "C-2"]).succeeded();
    let all = numbers("0001000000", "0001000119", "all");
    let complete = numbers("0001000008", "0001000119", "complete");
    let none = numbers("0002000000", "0002999999", "none");
    let of_issuer = shell.certify(&["certify-month", "did:bill:hospital", &month], "month");
    let of_other = shell.certify(&["certify-month", "did:bill:hospital", "203001"], "other");
    let out = place.path().join("never");
    for (first, last, words) in [
        ("0000000001", "9999999998", "more than 900 bills and blocks"),
        ("0000000002", "0000000001", "before they begin at 0000000002"),
    ] {
        let out = out.to_str().unwrap();
        let asked = ["certify-numbers", "31060125", first, last, "--out", out];
        shell.bill("//hospital", &asked).refused(1, &[words]);
    }
    assert!(!out.exists());
    network.stop(&ALL).await;

    let lines = |locked: i64, normal: i64| {
        let line = |status: &str, bills: i64| json!({ "kind": "blue", "status": status, "bills": bills, "total": yuan(bills, fen) });
        let all = [line("normal", normal), line("locked", locked)];
        all.into_iter().filter(|line| line["bills"] != 0).collect::<Vec<_>>()
    };
    for (file, missing, locked, normal) in
        [(&before, 1, 0, 119), (&all, 1, 1, 118), (&complete, 0, 1, 111), (&none, 1_000_000, 0, 0)]
    {
        let proved = shell.proved(file);
        assert_eq!(proved["missing"], missing, "{proved}");
        assert_eq!(proved["complete"], missing == 0, "{proved}");
        assert_eq!(proved["bills"], locked + normal, "{proved}");
        assert_eq!(proved["total"], yuan(locked + normal, fen), "{proved}");
        assert_eq!(proved["lines"], json!(lines(locked, normal)), "{proved}");
    }
    assert!(shell.proved(&before)["block"].as_u64() < shell.proved(&all)["block"].as_u64());
    let proved = shell.proved(&of_issuer);
    assert_eq!((&proved["bills"], &proved["month"]), (&119.into(), &month.into()), "{proved}");
    assert_eq!(proved["lines"], json!(lines(1, 118)), "{proved}");
    assert_eq!(shell.proved(&of_other)["bills"], 0);
    let words = ["verify", all.to_str().unwrap(), "--genesis", &shell.genesis];
    let shown = billchain(words).succeeded();
    assert!(shown.contains(&format!("118 bills, {} yuan", yuan(118, fen))), "{shown}");

    // A fen more on a bill, and one on a tally.
    let bytes = fs::read(&all).unwrap();
    let changed = place.path().join("changed");
    for of in [fen.to_le_bytes().to_vec(), i128::from(98 * fen).to_le_bytes().to_vec()] {
        let at = bytes.windows(of.len()).position(|found| found == of).unwrap();
        let mut other = bytes.clone();
        other[at] += 1;
        fs::write(&changed, other).unwrap();
        shell.verify(&changed).refused(3, &["a value is not that of its group"]);
    }
    network.finish().await;
}
