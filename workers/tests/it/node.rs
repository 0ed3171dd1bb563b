//! A node's JSON-RPC, as far as a worker asks: one connector with three entries, whose lease is
//! whoever's claims it.

use billchain_client::Signer;
use billchain_crypto::sm2;
use billchain_primitives::{Did, Hash, PublicKey, sm3};
use billchain_runtime::{RuntimeCall, UncheckedExtrinsic, VERSION};
use codec::{Decode, Encode};
use pallet_outbox::{Answer, Call};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

/// What the node knows.
#[derive(Default)]
struct State {
    format: String,
    height: u32,
    nonce: u32,
    /// End of the lease; 0: nobody has it.
    until: u64,
    reported: BTreeSet<u64>,
    refused: BTreeSet<u64>,
}

/// The node.
pub struct FakeNode {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl FakeNode {
    /// One whose connector has this format.
    pub fn start(format: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { format: format.into(), ..State::default() }));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { port, state }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Entries that were reported as told.
    pub fn reported(&self) -> Vec<u64> {
        self.state.lock().unwrap().reported.iter().copied().collect()
    }

    /// Entries that were reported as refused.
    pub fn refused(&self) -> Vec<u64> {
        self.state.lock().unwrap().refused.iter().copied().collect()
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let Ok(mut writer) = stream.try_clone() else { return };
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if !reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let Ok(request) = serde_json::from_slice::<Value>(&body) else { return };
        let mut state = state.lock().unwrap();
        let method = request["method"].as_str().unwrap_or_default();
        let result = answer(&mut state, method, &request["params"]);
        drop(state);
        let text = json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }).to_string();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
        if write!(writer, "{head}{}\r\n\r\n{text}", text.len()).is_err() {
            return;
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

fn did() -> Did {
    "did:bill:worker-1".parse().unwrap()
}

fn stamp() -> Value {
    json!({ "block": 1, "extrinsic": 1, "time": 0 })
}

fn answer(state: &mut State, method: &str, params: &Value) -> Value {
    match method {
        "state_getRuntimeVersion" => json!({
            "specName": VERSION.spec_name, "specVersion": VERSION.spec_version,
            "transactionVersion": VERSION.transaction_version,
        }),
        "chain_getBlockHash" => json!(Hash::repeat_byte(7)),
        "chain_getHeader" => json!({ "number": format!("{:#x}", state.height) }),
        "participant_byAccount" => participant(),
        "connector_status" => json!([connector(state)]),
        "outbox_pending" => {
            let after = params[1].as_u64().unwrap_or(0);
            let waiting = (after + 1..=3).filter(|seq| !state.reported.contains(seq));
            waiting.map(notice).collect()
        }
        "outbox_entry" => notice(params[1].as_u64().unwrap_or(1))["entry"].clone(),
        "system_accountNextIndex" => json!(state.nonce),
        "author_submitExtrinsic" => {
            let text = params[0].as_str().unwrap_or_default();
            let bytes = hex::decode(text.trim_start_matches("0x")).unwrap();
            include(state, &bytes);
            json!(Hash::from(sm3(&bytes)))
        }
        "transaction_status" => json!({
            "hash": params[0], "state": "final", "success": true, "error": null, "events": [],
            "items": [],
        }),
        _ => Value::Null,
    }
}

/// Does what a transaction asks for.
fn include(state: &mut State, bytes: &[u8]) {
    let transaction = UncheckedExtrinsic::decode(&mut &bytes[..]).unwrap();
    state.nonce += 1;
    state.height += 1;
    match transaction.function() {
        RuntimeCall::Outbox(Call::claim { .. }) => {}
        RuntimeCall::Outbox(Call::report { outcomes, .. }) => {
            for outcome in outcomes {
                match outcome.answer {
                    Answer::Told { answer } => {
                        let key = hex::encode(key(outcome.seq));
                        assert_eq!(answer, sm3(key.as_bytes()), "SM3 of the answer");
                        assert!(state.reported.insert(outcome.seq), "reported once");
                    }
                    Answer::Refused { .. } => {
                        state.refused.insert(outcome.seq);
                    }
                }
            }
        }
        RuntimeCall::Outbox(Call::release { .. }) => {
            state.until = 0;
            return;
        }
        other => panic!("a worker sends no {other:?}"),
    }
    state.until = now() + 5_000;
}

fn key(seq: u64) -> [u8; 32] {
    sm3(&seq.encode())
}

fn participant() -> Value {
    let signer = Signer::Sm2(sm2::SecretKey::from_seed(b"//worker-1"));
    let PublicKey::Sm2(public) = signer.public() else { unreachable!() };
    json!({
        "did": did(), "name": "worker", "kind": "organisation",
        "public_key": format!("sm2:{}", hex::encode(public)),
        "account": format!("0x{}", hex::encode(signer.account())), "roles": ["platform"],
        "status": "active", "uscc_hash": null, "version": 1,
        "history_hash": Hash::zero(), "registered": stamp(), "updated": stamp(),
    })
}

fn connector(state: &State) -> Value {
    let waiting = 3 - state.reported.len();
    let is_held = state.until > now();
    let lease = json!({
        "holder": did(), "since": stamp(), "until": state.until, "until_block": state.height + 2,
    });
    json!({
        "connector": 1, "kind": "webhook", "endpoint": "platform", "format": state.format,
        "topics": [], "scenes": null, "acknowledgers": [did()], "max_refusals": 100,
        "max_waiting": 100, "status": "active", "registered": stamp(), "updated": stamp(),
        "entries": {
            "last": 3, "waiting": waiting, "dead": 0, "acknowledged": state.reported.len(),
            "discarded": 0, "omitted": 0, "omitted_at": null,
        },
        "oldest": null, "lease": if is_held { lease } else { Value::Null }, "worker": null,
    })
}

fn notice(seq: u64) -> Value {
    let name = format!("did:bill:clinic-{seq}");
    let mut clinic = participant();
    clinic["did"] = json!(name);
    json!({
        "entry": {
            "connector": 1, "seq": seq, "topic": "participant_registered",
            "subject": { "participant": name }, "version": 1, "scene": null,
            "digest": Hash::zero(), "previous": null, "at": stamp(), "status": "waiting",
            "attempts": 0, "refusals": 0, "refusal": null, "answer": null, "reason": null,
            "by": null, "ended": null,
        },
        "idempotency_key": Hash::from(key(seq)), "bill": null, "grant": null,
        "participant": clinic,
    })
}
