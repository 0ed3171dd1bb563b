//! Light clients: beside a network, and among servers that lie.

use crate::{
    command::{BINARY, Outcome, billchain},
    http,
    liars::{Liar, serve},
    load::sample,
    network::{ALL, FAST, Network, PATIENCE},
};
use billchain_light::{Light, NoCertificate, Settings};
use billchain_primitives::Hash;
use billchain_verifier::{Block, Refusal, verify, verify_from};
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// Code and number of the sample bill, and of one that is not there.
const CODE: &str = "31060125";
const BILL: &str = "0000000101";
const ABSENT: &str = "0000000102";

/// A network, its genesis, and a place for files.
struct Place {
    network: Network,
    genesis: Hash,
    files: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let mut network = Network::started(FAST).await;
        let genesis = network.client(1).await.genesis();
        Self { network, genesis, files: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn register(&self) {
        let (url, xml) = (self.network.url(1), sample("outpatient.xml"));
        let words = ["bill", "--rpc", &url, "--development-key", "//hospital", "--json"];
        let asks = ["--references", self.network.references()];
        let words = [&words[..], &asks, &["register", xml.to_str().unwrap()]].concat();
        billchain(words).succeeded();
    }

    /// Writes the certificate of the bill, which starts at this block: that named validators
    /// after the bill was registered.
    fn certifies_from(&self, url: &str, checkpoint: Hash) {
        let (file, hash) = (self.file("certificate"), format!("{checkpoint:?}"));
        let (file, bill) = (file.to_str().unwrap(), format!("{CODE}-{BILL}"));
        let signed = ["bill", "--rpc", url, "--development-key", "//hospital", "--json"];
        let certify = |from: &str| {
            let asked = ["certificate", &bill, "--from", from, "--out", file];
            billchain([&signed[..], &asked].concat())
        };
        certify(&format!("0x{}", "11".repeat(32))).refused(1, &["has the hash 0x1111"]);
        certify(&hash).succeeded();
        let proved = billchain(["verify", file, "--json", "--checkpoint", &hash]).succeeded();
        let proved: Value = serde_json::from_str(&proved).unwrap();
        assert!(proved["from_block"].as_u64() > Some(0), "{proved}");
        assert_eq!((&proved["exists"], &proved["transaction"]), (&json!(true), &Value::Null));
        let genesis = format!("{:?}", self.genesis);
        billchain(["verify", file, "--checkpoint", &hash, "--genesis", &genesis]).succeeded();
        let words = format!("is checked with the checkpoint {hash}");
        billchain(["verify", file, "--genesis", &genesis]).refused(3, &[words.as_str()]);
    }

    fn settings(&self, servers: &[String], state: &Path) -> Settings {
        Settings {
            servers: servers.to_vec(),
            genesis: self.genesis.to_fixed_bytes(),
            checkpoint: None,
            state: state.to_owned(),
            behind: 16,
        }
    }

    async fn light(&self, servers: &[String], state: &Path) -> Light {
        Light::open(&self.settings(servers, state)).await.unwrap()
    }

    /// `billchain light` with these servers and this state file.
    fn command(&self, servers: &str, state: &Path, more: &[&str]) -> Outcome {
        let genesis = format!("{:?}", self.genesis);
        let words = ["light", "--rpc", servers, "--genesis", &genesis, "--state"];
        billchain([&words[..], &[state.to_str().unwrap()], more].concat())
    }
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn listens(port: u16) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "nobody listens at port {port}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn ask(port: u16, method: &str, params: Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let (status, answer) = http::post(port, "application/json", body.to_string().as_bytes()).await;
    assert_eq!(status, 200, "{answer}");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_light_client_answers_certificates_that_hold() {
    let place = Place::new().await;
    place.register();
    let (state, servers) =
        (place.file("light.state"), [place.network.url(1), place.network.url(2)].join(","));
    let status: Value =
        serde_json::from_str(&place.command(&servers, &state, &[]).succeeded()).unwrap();
    assert!(status["head"]["number"].as_u64() > Some(0), "{status}");
    assert_eq!((&status["validators"], &status["fork"]), (&json!(4), &Value::Null));
    assert_eq!((&status["start"]["number"], &status["is_old"]), (&json!(0), &json!(false)));

    let port = place.network.free_port(0);
    let genesis = format!("{:?}", place.genesis);
    let running = Command::new(BINARY)
        .args(["light", "--rpc", &servers, "--genesis", &genesis, "--every", "1"])
        .args(["--state", state.to_str().unwrap(), "--listen", &format!("127.0.0.1:{port}")])
        .stdout(Stdio::null())
        .spawn();
    let mut running = Running(running.unwrap());
    listens(port).await;
    for (number, exists) in [(BILL, true), (ABSENT, false)] {
        let answer = ask(port, "light_certificate", json!([CODE, number])).await;
        let result = &answer["result"];
        assert_eq!(result["exists"], exists, "{answer}");
        let text = result["certificate"].as_str().unwrap();
        let bytes = hex::decode(&text[2..]).unwrap();
        // Whoever has it needs neither the client nor a node.
        let proved = billchain_verifier::verify(&bytes, place.genesis.as_fixed_bytes()).unwrap();
        assert_eq!(result["block"]["number"], proved.block.number);
        assert_eq!(result["block"]["hash"], json!(Hash::from(proved.block.hash)));
    }
    let before = ask(port, "light_status", json!([])).await["result"]["head"]["number"].as_u64();
    sleep(Duration::from_secs(4)).await;
    let after = ask(port, "light_status", json!([])).await["result"]["head"]["number"].as_u64();
    assert!(after > before, "it follows by itself: {before:?}, {after:?}");
    let refused = ask(port, "light_certificate", json!(["3106", BILL])).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert_eq!(ask(port, "bill_get", json!([])).await["error"]["code"], -32601);
    let stop = format!("kill -TERM {}", running.0.id());
    assert!(Command::new("sh").args(["-c", &stop]).status().unwrap().success());
    assert!(running.0.wait().unwrap().success());

    // What was known is known again; a damaged file says what to do.
    let bytes = fs::read(&state).unwrap();
    assert!(bytes.len() < 1 << 20, "{} bytes", bytes.len());
    let again = place.command(&servers, &state, &[]).succeeded();
    let again: Value = serde_json::from_str(&again).unwrap();
    assert!(again["head"]["number"].as_u64() >= after, "{again}");
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 1;
    for wrong in [&damaged[..], &bytes[..bytes.len() / 2], b""] {
        fs::write(&state, wrong).unwrap();
        place.command(&servers, &state, &[]).refused(1, &["is damaged", "remove it"]);
    }
    fs::write(&state, &bytes).unwrap();
    let other = Hash::repeat_byte(0x11);
    let other = Place { genesis: other, ..place };
    other.command(&servers, &state, &[]).refused(1, &["the chain with genesis", "another file"]);
    let none = other.file("none");
    other.command(&servers, &none, &[]).refused(1, &["no server showed the trusted block"]);
    other.network.finish().await;
}

// -- lies -------------------------------------------------------------------

fn as_asked(_: &mut Value) {}

fn as_answered(_: &Value, _: &mut Value) {}

fn is(asked: &Value, method: &str) -> bool {
    asked["method"] == method
}

/// Makes another digit of the one at a place of a text in hexadecimal.
fn turn(text: &mut Value, at: impl Fn(usize) -> usize) {
    let mut digits = text.as_str().unwrap().to_owned().into_bytes();
    let at = at(digits.len());
    digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
    *text = json!(String::from_utf8(digits).unwrap());
}

/// Changes the bytes of each decided header.
fn in_header(asked: &Value, answer: &mut Value, change: impl Fn(&mut Vec<u8>)) {
    if is(asked, "chain_decidedHeader") {
        let text = answer["result"]["decided"].as_str().unwrap();
        let mut bytes = hex::decode(&text[2..]).unwrap();
        change(&mut bytes);
        answer["result"]["decided"] = json!(format!("0x{}", hex::encode(bytes)));
    }
}

/// Place of the number of signatures in a decided header.
fn count_at(bytes: &[u8]) -> usize {
    2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]])) + 4
}

fn other_header(asked: &Value, answer: &mut Value) {
    in_header(asked, answer, |bytes| bytes[2 + 40] ^= 1);
}

fn other_signature(asked: &Value, answer: &mut Value) {
    in_header(asked, answer, |bytes| *bytes.last_mut().unwrap() ^= 1);
}

fn stranger(asked: &Value, answer: &mut Value) {
    in_header(asked, answer, |bytes| {
        let at = bytes.len() - 65;
        bytes[at] = 63;
    });
}

fn too_few(asked: &Value, answer: &mut Value) {
    in_header(asked, answer, |bytes| {
        let at = count_at(bytes);
        bytes[at] = 1;
        bytes.truncate(at + 1 + 65);
    });
}

fn other_state(asked: &Value, answer: &mut Value) {
    if is(asked, "state_getReadProof") {
        turn(&mut answer["result"]["proof"][0], |length| length - 1);
    }
}

fn no_proofs(asked: &Value, answer: &mut Value) {
    if is(asked, "state_getReadProof") {
        answer["result"]["proof"] = json!([]);
    }
}

fn other_certificate(asked: &Value, answer: &mut Value) {
    if is(asked, "bill_certificate") {
        turn(&mut answer["result"]["certificate"], |length| length - 1);
    }
}

fn no_hex(asked: &Value, answer: &mut Value) {
    if is(asked, "bill_certificate") {
        answer["result"]["certificate"] = json!("0xzz");
    }
}

fn other_block(asked: &mut Value) {
    if is(asked, "chain_decidedHeader") {
        asked["params"] = json!([1]);
    }
}

fn other_bill(asked: &mut Value) {
    if is(asked, "bill_certificate") {
        asked["params"][1] = json!(ABSENT);
    }
}

type Lie = (&'static str, fn(&mut Value), fn(&Value, &mut Value), &'static str);

const LIES: [Lie; 10] = [
    ("another header", as_asked, other_header, "asked for block 0x"),
    ("another block", other_block, as_answered, "asked for block 0x"),
    ("another signature", as_asked, other_signature, "not decided by the chain's validators"),
    ("a stranger's signature", as_asked, stranger, "validator 63 did not sign"),
    ("too few signatures", as_asked, too_few, "signed with 1 of 4"),
    ("another state", as_asked, other_state, "its proof of the state proves nothing"),
    ("no proofs", as_asked, no_proofs, "expected 2 proofs, found 0"),
    ("another certificate", as_asked, other_certificate, "its certificate proves nothing"),
    ("no certificate", as_asked, no_hex, "expected bytes as 0x hex"),
    ("another bill", other_bill, as_answered, "asked for bill 31060125-0000000101"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_lie_is_found_out_and_the_liar_is_named() {
    let mut place = Place::new().await;
    place.register();
    let (port, honest) = (place.network.rpc_port(1), place.network.url(2));
    let begun = place.file("begun");
    place.light(std::slice::from_ref(&honest), &begun).await.follow().await.unwrap();
    // Of a head that is known nothing is asked.
    place.network.go_on(&[1, 2], 1, Duration::from_secs(30)).await;
    for (at, (what, asks, answers, words)) in LIES.into_iter().enumerate() {
        let liar = serve(Liar::Altered { of: port, asks, answers });
        let state = place.file(&format!("lie-{at}"));
        fs::copy(&begun, &state).unwrap();
        let alone = place.light(std::slice::from_ref(&liar), &state).await;
        let head = alone.status().await.head;
        let error = alone.certificate(CODE, BILL).await.unwrap_err();
        assert!(matches!(error, NoCertificate::None { .. }), "{what}: {error}");
        assert!(error.to_string().contains(&liar), "{what}: {error}");
        let status = alone.status().await;
        let lie = status.servers[0].lie.clone().unwrap_or_default();
        assert!(lie.contains(words), "{what}: {lie}");
        assert!(status.fork.is_none() && status.head.number >= head.number, "{what}");
        // Another server is asked.
        let both = place.light(&[liar.clone(), honest.clone()], &state).await;
        both.follow().await.unwrap();
        let answer = both.certificate(CODE, BILL).await.unwrap();
        assert!(answer.accepted.exists, "{what}");
        // Who lies of headers may be asked for none, and give a certificate that holds.
        let lies_of_the_bill = what.contains("certificate") || what.contains("bill");
        assert!(answer.server == honest || !lies_of_the_bill, "{what}: {}", answer.server);
        assert_eq!(both.status().await.servers[1].lies, 0, "{what}");
    }
    place.network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_answer_nothing_useful_cost_a_bounded_time() {
    let place = Place::new().await;
    place.register();
    let honest = place.network.url(1);
    let useless = [
        Liar::Silent,
        Liar::Dripping,
        Liar::Endless,
        Liar::Garbage,
        Liar::Deep,
        Liar::Escapes,
        Liar::WrongForm,
    ];
    let servers: Vec<String> =
        [honest.clone()].into_iter().chain(useless.into_iter().map(serve)).collect();
    let light = place.light(&servers, &place.file("state")).await;
    let began = Instant::now();
    light.follow().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    let began = Instant::now();
    let answer = light.certificate(CODE, BILL).await.unwrap();
    assert_eq!((&answer.server, answer.accepted.exists), (&honest, true));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let status = light.status().await;
    assert_eq!(status.servers[0].failure, None);
    for server in &status.servers[1..] {
        let words = server.failure.clone().expect("it is of no use");
        assert!(!words.chars().any(char::is_control) && words.len() < 2_000, "{words}");
    }
    place.network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_stall_hold_up_neither_a_certificate_nor_the_others() {
    let place = Place::new().await;
    place.register();
    let honest = place.network.url(1);
    // Each lets ten seconds pass before a question to it is given up.
    let silent = (0..3).map(|_| serve(Liar::Silent));
    let servers: Vec<String> = silent.chain([honest.clone()]).collect();
    let began = Instant::now();
    let light = place.light(&servers, &place.file("state")).await;
    let answer = light.certificate(CODE, BILL).await.unwrap();
    assert_eq!((&answer.server, answer.accepted.exists), (&honest, true));
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    let before = light.status().await;
    let followed = timeout(Duration::from_secs(6), light.follow_on(Duration::from_millis(500)));
    assert!(followed.await.is_err(), "it goes on");
    let after = light.status().await;
    assert!(after.head.number > before.head.number, "{after:?}");
    assert!(after.servers[0].failure.is_none(), "the silent ones are waited for: {after:?}");
    place.network.finish().await;
}

/// What a server answered first to each question.
static FIRST: Mutex<BTreeMap<String, Value>> = Mutex::new(BTreeMap::new());

/// Answers each question as the first time.
fn frozen(asked: &Value, answer: &mut Value) {
    let question = format!("{} {}", asked["method"], asked["params"]);
    let mut first = FIRST.lock().unwrap();
    let kept = first.entry(question).or_insert_with(|| answer["result"].clone());
    answer["result"] = kept.clone();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_keeps_new_blocks_back_hides_no_bill() {
    let mut place = Place::new().await;
    let (port, honest) = (place.network.rpc_port(1), place.network.url(2));
    let old = serve(Liar::Altered { of: port, asks: as_asked, answers: frozen });
    let state = place.file("state");
    let before = place.light(std::slice::from_ref(&old), &state).await;
    assert!(!before.certificate(CODE, BILL).await.unwrap().accepted.exists);
    place.register();
    place.network.go_on(&ALL, 4, PATIENCE).await;
    // It alone cannot be told from a chain that stands still, but for its age.
    let alone = before.certificate(CODE, BILL).await.unwrap();
    assert!(!alone.accepted.exists);
    assert!(before.status().await.head_age > Some(1_000));

    let both = place.light(&[old.clone(), honest.clone()], &state).await;
    both.follow().await.unwrap();
    let answer = both.certificate(CODE, BILL).await.unwrap();
    assert_eq!((&answer.server, answer.accepted.exists), (&honest, true));
    // Whoever knows newer blocks takes its certificate no more.
    let settings = Settings { behind: 2, ..place.settings(std::slice::from_ref(&old), &state) };
    let knowing = Light::open(&settings).await.unwrap();
    let error = knowing.certificate(CODE, BILL).await.unwrap_err().to_string();
    assert!(error.contains("more than 2 blocks behind"), "{error}");
    let status = knowing.status().await;
    assert!(status.servers[0].head < Some(status.head.number), "{status:?}");
    assert_eq!(status.servers[0].lies, 0, "to be behind is no lie");
    place.network.finish().await;
}

/// A change is asked for by its number, and another block given.
fn other_change(asked: &mut Value) {
    if is(asked, "chain_decidedHeader") && asked["params"][0].is_number() {
        let number = asked["params"][0].as_u64().unwrap();
        asked["params"][0] = json!(number + 1);
    }
}

/// Says that the validators never changed.
fn no_change(asked: &Value, answer: &mut Value) {
    if is(asked, "state_getReadProof") {
        let text = answer["result"]["proof"][0].as_str().unwrap().to_owned();
        let (front, _) = text.split_at(text.len() - 8);
        answer["result"]["proof"][0] = json!(format!("{front}00000000"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_the_validators_are_followed_and_cannot_be_hidden() {
    let mut place = Place::new().await;
    place.register();
    let (port, url) = (place.network.rpc_port(1), place.network.url(1));
    let servers = [url.clone()];
    let begun = place.file("begun");
    let light = place.light(&servers, &begun).await;
    light.follow().await.unwrap();
    assert_eq!(light.status().await.validators_named_in.number, 0);
    let early = place.file("early");
    fs::copy(&begun, &early).unwrap();
    let list = ["admin", "--rpc", &url, "--json", "validators", "list"];
    let list: Value = serde_json::from_str(&billchain(list).succeeded()).unwrap();
    let operator = list["validators"][0]["operator"].as_str().unwrap().to_owned();
    for power in ["2", "1"] {
        let council = ["admin", "--rpc", &url, "--json", "--development-council"];
        let motion = ["validators", "set-power", "--operator", &operator, "--power", power];
        billchain([&council[..], &motion].concat()).succeeded();
    }
    place.network.go_on(&ALL, 3, PATIENCE).await;
    light.follow().await.unwrap();
    let status = light.status().await;
    assert!(status.validators_named_in.number > 0, "{status:?}");
    assert!(status.head.number > status.validators_named_in.number, "{status:?}");
    let answer = light.certificate(CODE, ABSENT).await.unwrap();
    assert!(!answer.accepted.exists);
    // It starts at the last change but one, and not at the genesis.
    let refused = verify(&answer.certificate, place.genesis.as_fixed_bytes()).unwrap_err();
    let Block { number, hash } = answer.accepted.checkpoint;
    assert_eq!(refused, Refusal::StartsLater { number, hash });
    verify_from(&answer.certificate, &status.validators_named_in.hash.0).unwrap();
    place.certifies_from(&url, status.validators_named_in.hash);

    // Whoever knows the genesis alone comes as far, and so does who begins at a checkpoint.
    let new = place.light(&servers, &place.file("new")).await;
    new.follow().await.unwrap();
    assert_eq!(new.status().await.validators_named_in, status.validators_named_in);
    let node = place.network.client(1).await;
    let head: Hash = node.raw().request("chain_getBlockHash", rpc_params![]).await.unwrap();
    let settings = place.settings(&servers, &place.file("checkpoint"));
    let settings = Settings { checkpoint: Some(head.to_fixed_bytes()), ..settings };
    let later = Light::open(&settings).await.unwrap();
    assert_eq!(later.status().await.start.hash, head);
    later.follow().await.unwrap();
    assert_eq!(later.status().await.validators_named_in, status.validators_named_in);
    assert!(!later.certificate(CODE, ABSENT).await.unwrap().accepted.exists);

    let lies: [Lie; 2] = [
        ("another change", other_change, as_answered, "asked for block"),
        ("no change", as_asked, no_change, "its proof of the state proves nothing"),
    ];
    for (what, asks, answers, words) in lies {
        let liar = serve(Liar::Altered { of: port, asks, answers });
        let alone = place.light(&[liar], &early).await;
        alone.follow().await.unwrap();
        let status = alone.status().await;
        let lie = status.servers[0].lie.clone().unwrap_or_default();
        assert!(lie.contains(words), "{what}: {lie}");
        assert_eq!(status.validators_named_in.number, 0, "{what}: nothing was learned");
    }
    place.network.finish().await;
}
