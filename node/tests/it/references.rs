//! The bureau's service for payer references, within the tests' own process, and what the
//! commands do with it.

use crate::{
    command::{Outcome, billchain},
    load::sample,
    network::{FAST, Network},
};
use billchain_references::{
    service::{Config, Service},
    setup,
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    thread::{self, JoinHandle},
};
use tokio::sync::oneshot;

/// A service that answers as long as this lives.
pub struct References {
    client: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl References {
    /// Starts one with its files in a new directory, on a port of the system's choice.
    pub fn started(directory: &Path) -> Self {
        let nowhere = "127.0.0.1:0";
        setup::development(directory, nowhere.parse().unwrap()).unwrap();
        let config = Config::read(&directory.join("service.toml")).unwrap();
        let (told, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let service = Service::open(&config).await.unwrap();
                told.send(service.address).unwrap();
                let stopped = async {
                    let _ = stopped.await;
                };
                service.run(stopped).await.unwrap();
            });
        });
        let client = directory.join("client.toml");
        let address = address.recv().unwrap().to_string();
        let text = fs::read_to_string(&client).unwrap().replace(nowhere, &address);
        fs::write(&client, text).unwrap();
        Self { client, stop: Some(stop), thread: Some(thread) }
    }

    /// For `--references`.
    pub fn client(&self) -> &str {
        self.client.to_str().unwrap()
    }
}

impl Drop for References {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A service that failed has said so.
            let _ = thread.join();
        }
    }
}

const BILL: &str = "31060125-0000000101";
const NEIGHBOUR: &str = "31060225-0000000201";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_has_one_reference_and_shows_that_a_bill_is_its_own() {
    let network = Network::started(FAST).await;
    let (url, place) = (network.url(1), network.directory().to_owned());
    let path = |name: &str| place.join(name).to_str().unwrap().to_owned();
    let bill = |arguments: &[&str]| -> Outcome {
        let signed = ["bill", "--rpc", &url, "--development-key", "//hospital", "--json"];
        let asks = ["--references", network.references()];
        billchain([&signed[..], &asks, arguments].concat())
    };
    for (file, number) in [("zhang", "000000198803120011\n"), ("li", " 00000019620718006x ")] {
        fs::write(place.join(file), number).unwrap();
    }
    let (zhang, li, opening) = (path("zhang"), path("li"), path("opening"));

    for xml in ["outpatient.xml", "inpatient.xml"] {
        bill(&["register", sample(xml).to_str().unwrap()]).succeeded();
    }
    let of = |who: &str| -> Value {
        let text = bill(&["payer-bills", "--number-file", who]).succeeded();
        serde_json::from_str(&text).unwrap()
    };
    let (of_zhang, of_li) = (of(&zhang), of(&li));
    assert_eq!(of_zhang["bills"].as_array().map(Vec::len), Some(1), "{of_zhang}");
    assert_eq!(of_zhang["bills"][0]["payer_ref"], of_zhang["payer_ref"]);
    assert_ne!(of_zhang["payer_ref"], of_li["payer_ref"]);

    bill(&["prove-payer", "--number-file", &zhang, "--out", &opening]).succeeded();
    let check = |bill_key: &str, who: &str| {
        bill(&["check-payer", bill_key, "--number-file", who, "--opening", &opening])
    };
    check(BILL, &zhang).succeeded();
    check(NEIGHBOUR, &zhang).refused(3, &["PayerMismatch"]);
    check(BILL, &li).refused(3, &["OpeningMismatch"]);
    let mut damaged = fs::read(&opening).unwrap();
    damaged.pop();
    fs::write(&opening, damaged).unwrap();
    check(BILL, &zhang).refused(1, &["is no opening"]);

    // A number that is none is never registered, and no number is in a message.
    let text = fs::read_to_string(sample("outpatient-balance.xml")).unwrap();
    let wrong = path("wrong.xml");
    fs::write(&wrong, text.replace("000000198803120011", "000000198803120012")).unwrap();
    let refused = bill(&["register", &wrong]);
    refused.refused(1, &["PayerPartyCode", "check digit"]);
    let signed = ["bill", "--rpc", &url, "--development-key", "//hospital", "register"];
    billchain([&signed[..], &[&wrong]].concat()).refused(1, &["--references"]);
    network.finish().await;
}
