//! The double reimbursement: medical insurance and a commercial insurer want
//! the same bill at the same moment, at different nodes.

use crate::{
    load::{Bills, Issuer, register_batch},
    network::{ALL, FAST, Network, PATIENCE, report},
};
use billchain_client::Connection;
use billchain_primitives::{BillKey, BillStatus, Did, GrantId, Hash, SceneId};
use billchain_rpc_types::{BillView, ResolutionView, TransactionView};
use billchain_runtime::{Runtime, RuntimeCall};
use pallet_bill_update::types::StatusChange;
use std::{
    cmp::Reverse,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Bills that both want.
const BILLS: usize = 100;
/// How long the contention may last, on a busy machine.
const BOUND: Duration = Duration::from_secs(60);

/// Medical insurance (医疗保险) and the commercial insurer (商业保险): who
/// claims, in which scene, with which weight.
const CLAIMANTS: [(&str, SceneId, u16); 2] =
    [("insurer-a", SceneId(2), 90), ("insurer-b", SceneId(3), 80)];

/// One order in which two claimants may come.
#[derive(Clone, Copy, Debug)]
struct Order {
    /// The node of each claimant.
    nodes: [usize; 2],
    /// Which claimant's request is sent first.
    first: usize,
    /// When each signs, in milliseconds after now.
    signed: [u64; 2],
}

/// Every order: two different nodes, who sends first, who signs first or that
/// both sign in the same millisecond.
fn orders() -> Vec<Order> {
    let mut orders = Vec::new();
    for one in ALL {
        for other in ALL.into_iter().filter(|other| *other != one) {
            for first in [0, 1] {
                for signed in [[0, 0], [0, 1], [1, 0]] {
                    orders.push(Order { nodes: [one, other], first, signed });
                }
            }
        }
    }
    orders
}

/// What the two sent for one bill.
struct Race {
    key: BillKey,
    order: Order,
    signed_at: [u64; 2],
    transactions: [Hash; 2],
}

impl Race {
    /// Sends both locks at the same moment and waits until both are final.
    async fn run(nodes: &[Connection], key: BillKey, order: Order, nonce: u32) -> Self {
        let signed_at = order.signed.map(|later| now_ms() + later);
        let signed = [0, 1].map(|claimant| {
            let (name, scene, _) = CLAIMANTS[claimant];
            let call = lock(key, scene, signed_at[claimant]);
            let node = &nodes[order.nodes[claimant] - 1];
            Issuer::new(name).signer.transaction(call, nonce, node.genesis())
        });
        let send = |claimant: usize| {
            let node = &nodes[order.nodes[claimant] - 1];
            let transaction = &signed[claimant];
            async move {
                let hash = node.submit(transaction).await.unwrap();
                node.wait_final(hash, PATIENCE).await.unwrap();
                hash
            }
        };
        let (first, second) = (order.first, 1 - order.first);
        let (one, other) = tokio::join!(send(first), send(second));
        let mut transactions = [one, other];
        if first == 1 {
            transactions.reverse();
        }
        Self { key, order, signed_at, transactions }
    }

    /// By the rule: the earlier signature, the higher weight, the smaller hash.
    fn rightful(&self) -> usize {
        let rank = |claimant: &usize| {
            let claimant = *claimant;
            let weight = Reverse(CLAIMANTS[claimant].2);
            (self.signed_at[claimant], weight, self.transactions[claimant])
        };
        [0, 1].into_iter().min_by_key(rank).unwrap()
    }
}

/// What a node says about a race.
#[derive(PartialEq, Debug)]
struct Answers {
    bill: BillView,
    resolution: Option<ResolutionView>,
    transactions: [TransactionView; 2],
}

impl Answers {
    async fn of(node: &Connection, race: &Race) -> Self {
        let (code, number) = (race.key.code.to_string(), race.key.number.to_string());
        let [one, other] = race.transactions;
        Self {
            bill: node.bill(&code, &number).await.unwrap().expect("it is registered"),
            resolution: node.resolution(&code, &number).await.unwrap(),
            transactions: [
                node.transaction(one).await.unwrap(),
                node.transaction(other).await.unwrap(),
            ],
        }
    }

    /// Exactly one won, and the loser is told why and who has the bill. Whether
    /// both were in one block.
    fn check(&self, race: &Race) -> bool {
        let at = race.order;
        let won = [0, 1].map(|claimant| self.transactions[claimant].success == Some(true));
        assert_ne!(won[0], won[1], "{at:?}: one wins: {self:#?}");
        let (winner, loser) = if won[0] { (0, 1) } else { (1, 0) };
        let holder = did(winner);

        let held = self.bill.lock.as_ref().expect("it is locked");
        assert_eq!(self.bill.status, BillStatus::Locked, "{at:?}");
        assert_eq!((&held.holder, held.scene), (&holder, Some(CLAIMANTS[winner].1)), "{at:?}");
        assert_eq!(self.bill.version, 2, "{at:?}: it was locked once");

        let reason = self.transactions[loser].error.as_ref().expect("a refusal has a reason");
        assert!(!reason.docs.is_empty(), "{at:?}: the reason is not in words");
        let [won_in, lost_in] =
            [winner, loser].map(|claimant| self.transactions[claimant].block.unwrap().number);
        let together = won_in == lost_in;
        if together {
            assert_eq!((&*reason.pallet, &*reason.name), ("Dispute", "DisputeLost"), "{at:?}");
            self.check_resolution(race, winner);
        } else {
            assert!(won_in < lost_in, "{at:?}: the first block wins");
            assert_eq!((&*reason.pallet, &*reason.name), ("BillUpdate", "LockedByOther"), "{at:?}");
            assert_eq!(self.resolution, None, "{at:?}: no block held both");
        }
        together
    }

    /// Within a block the rule decides, and the record of it names both.
    fn check_resolution(&self, race: &Race, winner: usize) {
        let at = race.order;
        assert_eq!(winner, race.rightful(), "{at:?}: {self:#?}");
        let found = self.resolution.as_ref().expect("a contention in a block is on record");
        assert_eq!(found.winner, did(winner), "{at:?}");
        let named: Vec<_> = found
            .contenders
            .iter()
            .map(|one| {
                (one.claimant.clone(), one.scene, one.weight, one.signed_at, one.transaction)
            })
            .collect();
        let expected = [winner, 1 - winner].map(|claimant| {
            let (_, scene, weight) = CLAIMANTS[claimant];
            let (signed_at, hash) = (race.signed_at[claimant], race.transactions[claimant]);
            (did(claimant), scene, weight, signed_at, hash)
        });
        assert_eq!(named, expected, "{at:?}");
    }
}

fn did(claimant: usize) -> Did {
    Issuer::new(CLAIMANTS[claimant].0).did
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_millis() as u64
}

fn lock(key: BillKey, scene: SceneId, signed_at: u64) -> RuntimeCall {
    let claim_no = format!("C-{}", key.number).parse().expect("a short text");
    let grant: Option<GrantId> = None;
    let change = StatusChange::Lock { scene, claim_no, on_behalf_of: None, grant, signed_at };
    let expected_version = None;
    RuntimeCall::BillUpdate(pallet_bill_update::Call::<Runtime>::change_status {
        key,
        expected_version,
        change,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_insurers_that_lock_a_bill_at_once_one_wins_the_same_one_on_all_nodes() {
    let mut network = Network::started(FAST).await;
    let mut nodes = Vec::new();
    for node in ALL {
        nodes.push(network.client(node).await);
    }
    let issuer = Issuer::new("hospital");
    let bills = Bills::new();
    let summaries: Vec<_> = (0..BILLS).map(|_| bills.next(&issuer)).collect();
    let keys: Vec<BillKey> = summaries.iter().map(|bill| bill.key).collect();
    let registered =
        nodes[0].execute(&issuer.signer, register_batch(summaries), PATIENCE).await.unwrap();
    assert_eq!(registered.success, Some(true), "{registered:?}");

    let began = Instant::now();
    let mut races = Vec::new();
    for ((nonce, key), order) in (0..).zip(keys).zip(orders().into_iter().cycle()) {
        races.push(Race::run(&nodes, key, order, nonce).await);
        assert!(began.elapsed() < BOUND, "{} races took {BOUND:?}", races.len());
    }
    assert!(races.len() > orders().len(), "every order had its bill");
    let took = began.elapsed();

    let top = network.top(&ALL).await;
    network.reach(&ALL, top, PATIENCE).await;
    let mut wins = [0, 0];
    let mut together = 0;
    for race in &races {
        let answers = Answers::of(&nodes[0], race).await;
        together += usize::from(answers.check(race));
        let winner = usize::from(answers.transactions[1].success == Some(true));
        wins[winner] += 1;
        for node in &nodes[1..] {
            assert_eq!(Answers::of(node, race).await, answers, "{:?}", race.order);
        }
    }
    assert_eq!(wins[0] + wins[1], BILLS);
    assert!(together > 0, "no block held both locks of a bill: nothing was contended");
    assert!(wins[0] > 0 && wins[1] > 0, "one claimant won every time: {wins:?}");
    report(&format!(
        "{BILLS} bills in {took:.1?}: {} won {}, {} won {}; {together} within one block",
        CLAIMANTS[0].0, wins[0], CLAIMANTS[1].0, wins[1],
    ));
    network.agree(&ALL).await;
    network.finish().await;
}
