//! The outbox's durable forms, and what workers say and are told in files.

use crate::Verdict;
use billchain_primitives::{
    Stamp,
    outbox::{
        ConnectorId, Ending, Entry, EntryStatus, Subject, Topic, Trace, Trail, TrailProof, leaf,
    },
};
use billchain_rpc_types::{OutboxEntryView, PulseView, SubscriptionFilter};
use billchain_workers::WorkerFile;
use codec::{DecodeAll, Encode};

/// Traces, trails, and what is shown of them.
pub fn outbox_record(data: &[u8]) -> Verdict {
    let mut accepted = false;
    if let Ok(trace) = Trace::decode_all(&mut &data[..]) {
        assert_eq!(trace.encode(), data, "a trace has one form");
        let view = OutboxEntryView::of_trace(&trace);
        let written = serde_json::to_vec(&view).expect("it is written");
        assert_eq!(serde_json::from_slice::<OutboxEntryView>(&written).ok(), Some(view));
        accepted = true;
    }
    if let Ok(mut trail) = Trail::decode_all(&mut &data[..]) {
        assert_eq!(trail.encode(), data, "a trail has one form");
        if trail.leaves() < u64::MAX {
            let place = trail.leaves();
            let mut nodes = std::collections::BTreeMap::new();
            trail.append(leaf(data), |height, at, hash| {
                nodes.insert((height, at), *hash);
            });
            // Siblings of before are not at hand: zeroes prove nothing.
            let proof = trail.prove(place, |_, _| Some([0; 32])).expect("the leaf is there");
            let known = proof.siblings.is_empty();
            assert_eq!(trail.holds(leaf(data), &proof), known);
            assert!(nodes.contains_key(&(0, place)));
        }
        accepted = true;
    }
    if let Ok(proof) = TrailProof::decode_all(&mut &data[..]) {
        assert!(!Trail::default().holds([0; 32], &proof));
        accepted = true;
    }
    accepted.into()
}

/// Pulses of workers, worker files, and filters of subscriptions.
pub fn worker_text(data: &[u8]) -> Verdict {
    let mut accepted = serde_json::from_slice::<PulseView>(data).is_ok();
    accepted |= serde_json::from_slice::<SubscriptionFilter>(data).is_ok();
    if let Ok(text) = core::str::from_utf8(data) {
        match WorkerFile::parse(text, std::path::Path::new("/nowhere")) {
            Ok(file) => {
                accepted = true;
                for worker in &file.connectors {
                    assert!(file.connector(&worker.endpoint).is_some());
                }
            }
            Err(problem) => assert!(!problem.0.is_empty()),
        }
    }
    accepted.into()
}

fn trace() -> Trace {
    let entry = Entry {
        topic: Topic::ParticipantRegistered,
        subject: Subject::Participant("did:bill:hospital".parse().expect("a DID")),
        version: 1,
        scene: None,
        digest: [1; 32],
        previous: Some(3),
        block: 9,
        extrinsic: Some(1),
        moment: 1_767_628_800_000,
        status: EntryStatus::Waiting,
        attempts: 2,
        refusals: 0,
        refusal: [0; 32],
    };
    Trace {
        connector: ConnectorId(1),
        seq: 7,
        entry,
        ending: Ending::Acknowledged { answer: [2; 32] },
        by: Some("did:bill:worker-1".parse().expect("a DID")),
        at: Stamp { block: 10, extrinsic: Some(2), moment: 1_767_628_801_000 },
    }
}

pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut trail = Trail::default();
    for number in 0..7_u8 {
        trail.append(leaf(&[number]), |_, _, _| {});
    }
    let file = "[[connector]]\nendpoint = \"old-system\"\ndevelopment_key = \"//worker-1\"\n\
                concurrency = 4\n[connector.http]\nrequest_ms = 2000\n[connector.settings]\n\
                url = \"https://old.example/\"\n";
    let filter = r#"{"topics":["bill_locked"],"pallets":["Participant"],"scenes":[1]}"#;
    match target {
        "outbox_record" => vec![trace().encode(), trail.encode(), Trail::default().encode()],
        "worker_text" => vec![
            file.into(),
            filter.into(),
            serde_json::to_vec(&PulseView::default()).expect("it is written"),
        ],
        _ => Vec::new(),
    }
}
