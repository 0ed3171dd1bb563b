//! Certificates of bills: made by a running network, checked when it is gone.

use crate::{
    command::{Outcome, billchain},
    load::sample,
    network::{ALL, FAST, Network, PATIENCE},
};
use billchain_primitives::Hash;
use billchain_print::Locator;
use billchain_verifier::verify;
use serde_json::Value;
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
        let file = self.place.join(name);
        let words = ["certificate", bill, "--out", file.to_str().unwrap()];
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_holds_when_every_node_is_gone() {
    let mut network = Network::started(FAST).await;
    let place = tempfile::tempdir().unwrap();
    let genesis = network.client(1).await.genesis();
    let genesis = format!("{genesis:?}");
    let shell = Shell { url: network.url(1), place: place.path().into(), genesis };

    let before = shell.certificate(BILL, "before");
    let xml = sample("outpatient.xml");
    shell.bill("//hospital", &["register", xml.to_str().unwrap()]).succeeded();
    let registered = shell.certificate(BILL, "registered");
    let neighbour = shell.certificate(NEIGHBOUR, "neighbour");
    shell.bill("//insurer-a", &["lock", BILL, "--claim-no", "C-1"]).succeeded();
    network.go_on(&ALL, 2, PATIENCE).await;
    let locked = shell.certificate(BILL, "locked");
    let stranger = shell.certificate(STRANGER, "stranger");
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
