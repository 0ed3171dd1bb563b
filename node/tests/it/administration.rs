//! `billchain admin` against a network: admission, scenes, policies, a
//! patient's grant, a dispute, and what is refused.

use crate::{
    command::{Outcome, billchain},
    load::sample,
    network::{FAST, Network},
};
use billchain_crypto::sm2::SecretKey;
use billchain_primitives::PublicKey;
use serde_json::{Value, json};
use std::fs;

/// The sample bill.
const BILL: &str = "31060125-0000000101";

struct Shell {
    url: String,
    evidence: String,
}

impl Shell {
    /// Runs `billchain <arguments>`, signed with the seed if there is one.
    fn run(&self, seed: Option<&str>, arguments: &[&str]) -> Outcome {
        let signed = seed.map(|seed| ["--development-key", seed]);
        let signed = signed.as_ref().map_or(&[][..], |signed| signed);
        let (first, rest) = arguments.split_first().unwrap();
        let all = [&[*first, "--rpc", &self.url, "--json"], signed, rest].concat();
        billchain(all)
    }

    /// What an action of a participant came to.
    fn act(&self, seed: &str, arguments: &[&str]) -> Value {
        json(self.run(Some(seed), &[&["admin"], arguments].concat()))
    }

    /// That an action of a participant is refused with these words.
    fn refused(&self, seed: &str, arguments: &[&str], words: &[&str]) {
        self.run(Some(seed), &[&["admin"], arguments].concat()).refused(3, words);
    }

    /// What a motion of the development council came to.
    fn motion(&self, arguments: &[&str]) -> Value {
        json(self.run(None, &[&["admin", "--development-council"], arguments].concat()))
    }

    /// What the node answers.
    fn read(&self, arguments: &[&str]) -> Value {
        json(self.run(None, &[&["admin"], arguments].concat()))
    }

    fn grounds(&self) -> [&str; 4] {
        ["--reason", "人工核查", "--evidence", &self.evidence]
    }
}

fn json(outcome: Outcome) -> Value {
    let text = outcome.succeeded();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn key(seed: &str) -> String {
    PublicKey::Sm2(SecretKey::from_seed(seed.as_bytes()).public().to_compressed()).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longer_story_is_played_from_a_shell() {
    let network = Network::started(FAST).await;
    let evidence = network.directory().join("evidence.txt");
    fs::write(&evidence, "核查笔录").unwrap();
    let evidence = evidence.to_str().unwrap().to_owned();
    let shell = Shell { url: network.url(1), evidence };

    admission(&shell);
    a_motion_is_voted_by_each_member(&shell);
    observers(&shell);
    scenes(&shell);
    policies(&shell, &network);
    let xml = sample("outpatient.xml");
    let references = network.references();
    let register = ["bill", "register", xml.to_str().unwrap(), "--references", references];
    json(shell.run(Some("//hospital"), &register));
    let grant = grants(&shell);
    disputes(&shell);
    stops(&shell, &grant);
    network.finish().await;
}

fn admission(shell: &Shell) {
    let keys = [key("//patient"), key("//insurer-c"), key("//gateway")];
    let patient = ["participants", "register", "did:bill:patient", "--name", "p-7c1f"];
    let person = ["--kind", "person", "--public-key", &keys[0]];
    shell.motion(&[&patient[..], &person].concat());
    let insurer = ["participants", "register", "did:bill:insurer-c", "--name", "示范保险丙"];
    let user = ["--public-key", &keys[1], "--roles", "user", "--uscc", "91350100M000100Y43"];
    shell.motion(&[&insurer[..], &user].concat());
    let shown = shell.read(&["participants", "show", "did:bill:insurer-c"]);
    assert_eq!((&shown["status"], &shown["roles"][0]), (&"active".into(), &"user".into()));

    let hash = format!("0x{}", "07".repeat(32));
    let node = ["nodes", "register", "did:bill:gateway", "--operator-name", "示范网关"];
    let identity = ["--credential-hash", &hash, "--public-key", &keys[2]];
    shell.motion(&[&node[..], &identity].concat());
    shell.motion(&["nodes", "link", "did:bill:gateway", "did:bill:hospital"]);
    let linked = shell.read(&["nodes", "of", "did:bill:hospital"]);
    assert_eq!(linked[0]["node"], "did:bill:gateway");
    // A motion that was carried and whose call failed is a refusal.
    let again = ["nodes", "link", "did:bill:gateway", "did:bill:hospital"];
    let outcome = shell.run(None, &[&["admin", "--development-council"], &again[..]].concat());
    outcome.refused(3, &["its call failed", "AccessNode.AlreadyLinked"]);
}

fn a_motion_is_voted_by_each_member(shell: &Shell) {
    let whitelist = ["permissions", "whitelist", "3", "did:bill:hospital"];
    shell.refused("//hospital", &whitelist, &["NotMember"]);
    let proposed = shell.act("//node-1", &whitelist);
    assert_eq!(proposed["votes_needed"], 3);
    let motion = proposed["motion"].as_str().unwrap();
    let open = shell.read(&["council", "list"]);
    assert_eq!(
        (&open[0]["motion"], open[0]["ayes"].as_array().unwrap().len()),
        (&motion.into(), 1)
    );
    shell.refused("//node-1", &["council", "close", motion], &["TooEarly"]);
    shell.act("//node-2", &["council", "approve", motion]);
    shell.act("//node-3", &["council", "approve", motion]);
    shell.act("//node-4", &["council", "close", motion]);
    let entries = shell.read(&["permissions", "show-whitelist", "3"]);
    let found = entries["items"].as_array().unwrap();
    assert!(found.iter().any(|entry| entry["did"] == "did:bill:hospital"), "{entries}");
    shell.refused("//node-1", &["council", "approve", motion], &["no such motion"]);

    let dropped = shell.act("//node-1", &["permissions", "unwhitelist", "3", "did:bill:hospital"]);
    let motion = dropped["motion"].as_str().unwrap();
    shell.act("//node-2", &["council", "reject", motion]);
    shell.act("//node-3", &["council", "reject", motion]);
    shell.refused("//node-4", &["council", "close", motion], &["not carried"]);
}

/// Those that are listed are those that `validators list` shows beside the validators.
fn observers(shell: &Shell) {
    let list = ["observers", "list"];
    assert_eq!(shell.read(&list), json!({ "observers": [] }));
    let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    shell.motion(&["observers", "add", "--name", "审计局", "--peer-id", peer]);
    let listed = shell.read(&list);
    let expected = json!([{ "name": "审计局", "peer_id": peer, "address": null }]);
    assert_eq!(listed, json!({ "observers": expected }));
    assert_eq!(shell.read(&["validators", "list"])["observers"], expected);
    // For people it is one line.
    let said = billchain(["admin", "--rpc", &shell.url, "observers", "list"]).succeeded();
    assert!(said.starts_with("observers ") && said.contains(peer), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    shell.motion(&["observers", "remove", "--peer-id", peer]);
    assert_eq!(shell.read(&list), json!({ "observers": [] }));
}

fn scenes(shell: &Shell) {
    let rules = ["--mode", "cumulative", "--require", "pdf_hash", "--related", "成绩单,在读证明"];
    let register = ["scenes", "register", "9", "--name", "教育资助", "--reason", "新增业务"];
    let proposed = shell.act("//admin", &[&register[..], &rules].concat());
    assert_eq!(proposed["proposal"], 1);
    let approve = ["scenes", "approve", "9", "--proposal", "1", "--comment", "同意"];
    shell.refused("//admin", &approve, &["Scene.OwnProposal"]);
    shell.refused("//security", &approve, &["Scene.NotAdministrator"]);
    shell.read(&["scenes", "proposals"]);
    shell.run(None, &["admin", "scenes", "show", "9"]).refused(3, &["not found"]);
    shell.act("//admin-2", &approve);
    let configure = ["scenes", "configure", "9", "--lock-period", "60", "--reason", "缩短锁定"];
    let proposed = shell.act("//admin-2", &configure);
    assert_eq!(proposed["proposal"], 2);
    shell.act("//admin", &["scenes", "approve", "9", "--proposal", "2", "--comment", "同意"]);
    let scene = shell.read(&["scenes", "show", "9"]);
    assert_eq!(scene["rules"]["lock_period_ms"], 60_000);
    assert_eq!((&scene["rules"]["mode"], &scene["version"]), (&"cumulative".into(), &2.into()));
    assert_eq!(scene["related_data"].as_array().unwrap().len(), 2);
    let trail = shell.read(&["scenes", "approvals", "9"]);
    assert_eq!(trail["items"][1]["approver"], "did:bill:admin");
}

fn policies(shell: &Shell, network: &Network) {
    let document = network.directory().join("policy.json");
    let text = r#"{"id": 7, "version": 1, "name": "限额", "keywords": ["限额"], "scenes": [3],
        "operations": ["reimburse"], "effect": "deny", "priority": 1,
        "conditions": {">": ["amount", 5000000]}}"#;
    fs::write(&document, text).unwrap();
    let file = document.to_str().unwrap();
    shell.act("//platform", &["policies", "submit", file]);
    let comment = ["7", "1", "--comment", "同意"];
    shell.act("//admin", &[&["policies", "approve"], &comment[..]].concat());
    shell.refused("//platform", &["policies", "finalize", "7", "1"], &["Policy."]);
    shell.act("//admin-2", &[&["policies", "approve"], &comment[..]].concat());
    shell.act("//admin", &["policies", "finalize", "7", "1"]);
    shell.act("//admin", &["policies", "make-effective", "7", "1", "--reason", "审批完成"]);
    let policy = shell.read(&["policies", "show", "7"]);
    assert_eq!((&policy["status"], &policy["effective"]), (&"effective".into(), &1.into()));
    let flow = shell.read(&["policies", "flow", "7", "1"]);
    assert_eq!(flow["steps"].as_array().unwrap().len(), 5);
}

/// The patient authorises an insurer, which uses it. Returns the grant.
fn grants(shell: &Shell) -> String {
    let hash = format!("0x{}", "ab".repeat(32));
    let lock = ["bill", "--scene", "3", "lock", BILL, "--claim-no", "C-1"];
    shell.run(Some("//insurer-c"), &lock).refused(3, &["GrantRequired"]);
    let register = ["grants", "register", "--credential-hash", &hash];
    let terms = ["--subject", "did:bill:insurer-c", "--bill", BILL, "--scene", "3"];
    shell.act("//patient", &[&register[..], &terms].concat());
    let check = ["grants", "check", &hash, "--subject", "did:bill:insurer-c"];
    let check = [&check[..], &["--bill", BILL, "--scene", "3"]].concat();
    assert_eq!(shell.read(&check)["usable"], true);
    json(shell.run(Some("//insurer-c"), &[&lock[..], &["--grant", &hash]].concat()));
    assert_eq!(shell.read(&["grants", "show", &hash])["uses"], 1);
    hash
}

/// An administrator takes the lock away under a case.
fn disputes(shell: &Shell) {
    let grounds = shell.grounds();
    let open = ["cases", "open", BILL, "--party", "did:bill:insurer-c"];
    let open = [&open[..], &["--party", "did:bill:insurer-a"], &grounds].concat();
    shell.refused("//hospital", &open, &["Dispute.NotAdministrator"]);
    let opened = shell.act("//admin", &open);
    let case = opened["case"].to_string();
    assert_eq!(case, "1");
    shell.act("//admin", &[&["cases", "unlock", &case], &grounds[..]].concat());
    shell.act("//admin", &[&["cases", "lock", &case], &grounds[..]].concat());
    let unlock = [&["cases", "unlock-bill", BILL], &grounds[..]].concat();
    shell.act("//admin-2", &unlock);
    let close = ["cases", "close", &case, "--in-favour-of", "did:bill:insurer-a"];
    shell.act("//admin", &[&close[..], &grounds].concat());
    let acts = shell.read(&["cases", "acts", &case]);
    assert_eq!(acts["items"].as_array().unwrap().len(), 4);
}

/// Revocation, freezing, and what of it is anybody's to do.
fn stops(shell: &Shell, grant: &str) {
    let why = ["--reason", "撤回授权"];
    shell.act("//patient", &[&["grants", "revoke", grant], &why[..]].concat());
    let lock = ["bill", "--scene", "3", "lock", BILL, "--claim-no", "C-2", "--grant", grant];
    shell.run(Some("//insurer-c"), &lock).refused(3, &["Grant.Revoked"]);
    let freeze = [&["participants", "freeze", "did:bill:insurer-c"], &why[..]].concat();
    shell.refused("//admin", &freeze, &["BadOrigin"]);
    shell.act("//security", &freeze);
    let refused = shell.run(Some("//insurer-c"), &lock);
    refused.refused(1, &["frozen"]);
    let records = shell.read(&["participants", "history", "did:bill:insurer-c"]);
    assert_eq!(records["items"][1]["change"]["to"], "frozen");
    let rules = shell.read(&["permissions", "rules", "1"]);
    assert_eq!(rules["rules"].as_array().unwrap().len(), 23);
    let check = ["permissions", "check", "--operation", "register", "--role", "issuer"];
    assert_eq!(shell.read(&[&check[..], &["--scene", "9"]].concat())["allowed"], true);
}
