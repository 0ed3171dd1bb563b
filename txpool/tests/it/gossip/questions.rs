//! Questions of one node to another, and programs that only ask.

use super::{GENESIS, Node, PATIENCE, RULES, eventually, free_address, limits, network, raw, stop};
use crate::chain::Tx;
use billchain_txpool::{
    PoolConfig,
    gossip::{
        self, AskError, AskOnly, Asker, GossipLimits, MAX_ANSWER_BYTES, MAX_QUESTION_BYTES, Peer,
        Question, ask_only, questions_protocol_name,
    },
};
use bytes::Bytes;
use libp2p::{PeerId, identity::Keypair};
use raw::{framed, send_raw_to};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, task::JoinSet};

/// Questions of one peer that a node has under way.
const OF_PEER: usize = 4;

/// Starts a node that answers questions, `capacity` at once.
async fn start(node: &mut Node, peers: &[Peer], capacity: usize) -> mpsc::Receiver<Question> {
    let (to, questions) = mpsc::channel(capacity);
    let mut config = node.config(peers, limits());
    config.questions = Some(to);
    node.gossip = Some(gossip::start(config, Arc::clone(&node.pool)).await.unwrap());
    questions
}

/// Two nodes, the first of which answers as the receiver's owner likes.
async fn pair(capacity: usize) -> (Vec<Node>, mpsc::Receiver<Question>) {
    let mut nodes = vec![Node::new(PoolConfig::default()), Node::new(PoolConfig::default())];
    let peers: Vec<Peer> = nodes.iter().map(Node::peer).collect();
    let questions = start(&mut nodes[0], &peers, capacity).await;
    nodes[1].start(&peers, limits()).await;
    for node in &nodes {
        node.connected_to(1).await;
    }
    (nodes, questions)
}

/// Answers each question with what `answer` makes of it, until the node stops.
fn answering(
    mut questions: mpsc::Receiver<Question>,
    answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static,
) {
    tokio::spawn(async move {
        while let Some(question) = questions.recv().await {
            let bytes = answer(question.bytes());
            question.answer(bytes);
        }
    });
}

fn asker(node: &Node) -> Asker {
    node.gossip.as_ref().unwrap().asker()
}

/// An identity, and its place on the list: nobody listens there yet.
fn joiner() -> (Keypair, Peer) {
    let key = Keypair::generate_ed25519();
    let id = key.public().to_peer_id();
    (key, Peer { id, addresses: vec![free_address()] })
}

async fn asks(key: &Keypair, of: &Node) -> (AskOnly, Asker) {
    let only = ask_only(key.clone(), vec![of.peer()], &GENESIS).await.unwrap();
    let asker = only.asker();
    eventually("the asker is connected", || asker.connected() == [of.id()]).await;
    (only, asker)
}

/// Asks without waiting for the answer.
fn ask_on(tasks: &mut JoinSet<Result<Bytes, AskError>>, asker: &Asker, peer: PeerId, what: u8) {
    let asker = asker.clone();
    tasks.spawn(async move { asker.ask(peer, vec![what]).await });
}

/// What is answered at once: long before the time for an answer is over.
async fn at_once(asker: &Asker, peer: PeerId) -> Result<Bytes, AskError> {
    let begin = Instant::now();
    let answer = asker.ask(peer, vec![0]).await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}: {answer:?}", begin.elapsed());
    answer
}

/// Asks until a place is free: that one is, may be known a moment later.
async fn is_answered(asker: &Asker, peer: PeerId) {
    let begin = Instant::now();
    loop {
        match asker.ask(peer, vec![9]).await {
            Ok(answer) => return assert_eq!(answer, [9][..]),
            Err(error) => assert_eq!(error, AskError::Busy),
        }
        assert!(begin.elapsed() < PATIENCE, "no place becomes free");
    }
}

fn failed(answer: Result<Bytes, AskError>) -> String {
    match answer {
        Err(AskError::Failed(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_answered() {
    let (mut nodes, questions) = pair(8).await;
    let asking = nodes[1].id();
    let (seen, mut who) = mpsc::unbounded_channel();
    let mut questions = questions;
    tokio::spawn(async move {
        while let Some(question) = questions.recv().await {
            seen.send(question.peer()).unwrap();
            let answer = [question.bytes(), question.bytes()].concat();
            question.answer(answer);
        }
    });
    let (asker, peer) = (asker(&nodes[1]), nodes[0].id());
    assert_eq!(asker.connected(), [peer]);
    for length in [0, 1, 300, MAX_QUESTION_BYTES] {
        let answer = asker.ask(peer, vec![5; length]).await.unwrap();
        assert_eq!(answer, vec![5; 2 * length], "{length}");
        assert_eq!(who.recv().await, Some(asking));
    }
    // Not sent at all.
    let bytes = MAX_QUESTION_BYTES + 1;
    assert_eq!(asker.ask(peer, vec![5; bytes]).await, Err(AskError::TooLong { bytes }));
    let unknown = asker.ask(PeerId::random(), vec![5]).await;
    assert_eq!(unknown, Err(AskError::NotConnected));
    assert_eq!(nodes[1].metric("gossip_questions_total"), 4);
    assert_eq!(nodes[1].metric("gossip_questions_failed_total"), 0);
    assert_eq!(nodes[0].metric("gossip_questions_answered_total"), 4);
    let bytes = 2 * (301 + MAX_QUESTION_BYTES) as u64;
    assert_eq!(nodes[0].metric("gossip_answer_bytes_served_total"), bytes);
    stop(&mut nodes).await;
    assert_eq!(asker.ask(peer, vec![5]).await, Err(AskError::Stopped));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_answer_passes_and_a_longer_one_does_not() {
    let (mut nodes, questions) = pair(8).await;
    answering(questions, |question| vec![7; MAX_ANSWER_BYTES + usize::from(question[0])]);
    let (asker, peer) = (asker(&nodes[1]), nodes[0].id());
    let answer = asker.ask(peer, vec![0]).await.unwrap();
    assert!(answer.len() == MAX_ANSWER_BYTES && answer.iter().all(|byte| *byte == 7));
    assert_eq!(failed(asker.ask(peer, vec![1]).await), "the peer has no answer");
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_nobody_answers_fails_at_once() {
    let (mut nodes, mut questions) = pair(8).await;
    let (one, other) = (asker(&nodes[1]), asker(&nodes[0]));
    let (first, second) = (nodes[0].id(), nodes[1].id());
    // The second node has nobody who answers.
    assert_eq!(failed(at_once(&other, second).await), "the peer answers no questions");
    assert_eq!(nodes[1].metric("gossip_questions_refused_total"), 1);
    // Who answers drops it.
    let drops = tokio::spawn(async move {
        drop(questions.recv().await);
        questions
    });
    assert_eq!(failed(at_once(&one, first).await), "the peer has no answer");
    // Who answers has gone.
    drop(drops.await.unwrap());
    assert_eq!(failed(at_once(&one, first).await), "the peer answers no questions");
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_under_way_are_bounded_for_each_peer_and_for_all() {
    let mut nodes: Vec<Node> = (0..4).map(|_| Node::new(PoolConfig::default())).collect();
    let peers: Vec<Peer> = nodes.iter().map(Node::peer).collect();
    let mut questions = start(&mut nodes[0], &peers, 2 * OF_PEER).await;
    for node in &mut nodes[1..] {
        node.start(&peers, limits()).await;
    }
    nodes[0].connected_to(3).await;
    let peer = nodes[0].id();
    let (mut tasks, mut held) = (JoinSet::new(), Vec::new());
    for node in [1, 2] {
        nodes[node].connected_to(3).await;
        let asker = asker(&nodes[node]);
        for what in 0..OF_PEER {
            ask_on(&mut tasks, &asker, peer, what as u8);
        }
        eventually("its questions are under way", || questions.len() == node * OF_PEER).await;
        assert_eq!(at_once(&asker, peer).await, Err(AskError::Busy), "one more of node {node}");
    }
    nodes[3].connected_to(3).await;
    let third = asker(&nodes[3]);
    assert_eq!(at_once(&third, peer).await, Err(AskError::Busy), "all places are taken");
    // They are taken until the answers are there, not until somebody looks at them.
    while held.len() < 2 * OF_PEER {
        held.push(questions.recv().await.unwrap());
    }
    assert_eq!(at_once(&third, peer).await, Err(AskError::Busy));
    assert_eq!(nodes[0].metric("gossip_questions_refused_total"), 4);
    for question in held {
        let answer = question.bytes().to_vec();
        question.answer(answer);
    }
    while let Some(answer) = tasks.join_next().await {
        assert_eq!(answer.unwrap().unwrap().len(), 1);
    }
    answering(questions, <[u8]>::to_vec);
    for node in &nodes[1..] {
        is_answered(&asker(node), peer).await;
    }
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_nodes_questions_that_wait_for_one_peer_are_bounded() {
    // A peer that speaks the protocol and says nothing.
    let mut silent =
        raw::raw_swarm(&Keypair::generate_ed25519(), questions_protocol_name(&GENESIS));
    let id = *silent.local_peer_id();
    let address = free_address();
    silent.listen_on(address.clone()).unwrap();
    let (seen, mut count) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut channels = Vec::new();
        loop {
            let event = futures::StreamExt::select_next_some(&mut silent).await;
            if let libp2p::swarm::SwarmEvent::Behaviour(
                libp2p::request_response::Event::Message { message, .. },
            ) = event
            {
                channels.push(message);
                let _ = seen.send(());
            }
        }
    });
    let mut node = Node::new(PoolConfig::default());
    node.start(&[Peer { id, addresses: vec![address] }], limits()).await;
    node.connected_to(1).await;
    let (asker, mut tasks) = (asker(&node), JoinSet::new());
    for what in 0..8 {
        ask_on(&mut tasks, &asker, id, what);
    }
    for _ in 0..8 {
        count.recv().await.unwrap();
    }
    assert_eq!(at_once(&asker, id).await, Err(AskError::Busy));
    // Who no longer waits has not made room: the peer is still at it.
    tasks.shutdown().await;
    assert_eq!(at_once(&asker, id).await, Err(AskError::Busy));
    assert!(count.try_recv().is_err(), "the ninth was not sent");
    stop(&mut [node]).await;
}

/// The node never answers, and then lets go of what nobody waits for any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_fails_when_its_time_is_over() {
    let (mut nodes, mut questions) = pair(1).await;
    let (asker, peer) = (asker(&nodes[1]), nodes[0].id());
    let begin = Instant::now();
    let (answer, held) = tokio::join!(asker.ask(peer, vec![1]), questions.recv());
    // Whichever of the two sees it first.
    failed(answer);
    let took = begin.elapsed().as_secs();
    assert!((19..25).contains(&took), "{took} s");
    assert_eq!(at_once(&asker, peer).await, Err(AskError::Busy), "the node is still at it");
    held.unwrap().answer(vec![1]);
    answering(questions, <[u8]>::to_vec);
    is_answered(&asker, peer).await;
    assert_eq!(nodes[0].metric("gossip_questions_answered_total"), 1);
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_peer_is_answered_in_a_second_is_bounded() {
    let (greedy, of_greedy) = joiner();
    let mut nodes = vec![Node::new(PoolConfig::default()), Node::new(PoolConfig::default())];
    let peers = [nodes[0].peer(), nodes[1].peer(), of_greedy];
    let questions = start(&mut nodes[0], &peers, 16).await;
    nodes[1].start(&peers, limits()).await;
    nodes[1].connected_to(1).await;
    answering(questions, |_| vec![1; MAX_ANSWER_BYTES]);
    let (only, greedy) = asks(&greedy, &nodes[0]).await;
    let peer = nodes[0].id();
    let begin = Instant::now();
    let (mut bytes, mut times) = (0, 0);
    let put_off = loop {
        match greedy.ask(peer, vec![1]).await {
            Ok(answer) => bytes += answer.len(),
            Err(AskError::Later { after }) => {
                times += 1;
                // Long enough for what follows.
                if after > Duration::from_millis(100) {
                    break after;
                }
                tokio::time::sleep(after).await;
            }
            Err(other) => panic!("{other}"),
        }
        assert!(begin.elapsed() < PATIENCE, "{bytes} bytes answered");
    };
    let seconds = begin.elapsed().as_secs() as usize + 1;
    // A burst of 48 MiB, 16 MiB a second, and the answer that goes beyond it.
    let most = (48 + 8 + 16 * seconds) << 20;
    assert!(bytes >= 48 << 20 && bytes <= most, "{bytes} bytes in {seconds} s, at most {most}");
    // It keeps to what it was told, without asking.
    assert_eq!(nodes[0].metric("gossip_questions_refused_total"), times);
    assert!(matches!(greedy.ask(peer, vec![1]).await, Err(AskError::Later { .. })));
    assert_eq!(nodes[0].metric("gossip_questions_refused_total"), times);
    // Another peer's budget is its own.
    let answer = asker(&nodes[1]).ask(peer, vec![1]).await.unwrap();
    assert_eq!(answer.len(), MAX_ANSWER_BYTES);
    tokio::time::sleep(put_off).await;
    assert_eq!(greedy.ask(peer, vec![1]).await.unwrap().len(), MAX_ANSWER_BYTES);
    only.stop().await;
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_that_is_no_question_counts_as_garbage() {
    let bad = Keypair::generate_ed25519();
    let mut node = Node::new(PoolConfig::default());
    let peer = Peer { id: bad.public().to_peer_id(), addresses: vec![] };
    let questions = start(&mut node, &[peer], 8).await;
    answering(questions, <[u8]>::to_vec);
    let frames = vec![
        framed(vec![8, 1]),
        // Longer than any question, and not there at all.
        (MAX_QUESTION_BYTES as u32 + 3).to_le_bytes().to_vec(),
        framed(vec![8, 1, 2]),
    ];
    let answers = send_raw_to(&bad, questions_protocol_name(&GENESIS), &node, frames).await;
    let unanswered = framed(vec![4]);
    assert_eq!(answers, [unanswered.clone(), unanswered, framed(vec![0, 8, 1, 2])]);
    assert_eq!(node.metric("gossip_garbage_total"), 2);
    // Beyond the limit it is kept out.
    let frames = vec![vec![0xff; 4]; 4];
    send_raw_to(&bad, questions_protocol_name(&GENESIS), &node, frames).await;
    eventually("the ban", || node.metric("gossip_banned_peers") == 1).await;
    stop(&mut [node]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_only_asks_is_answered_and_not_taken_for_a_liar() {
    let (key, peer) = joiner();
    let mut nodes = vec![Node::new(PoolConfig::default()), Node::new(PoolConfig::default())];
    let peers = [nodes[0].peer(), nodes[1].peer(), peer.clone()];
    let questions = start(&mut nodes[0], &peers, 8).await;
    nodes[1].start(&peers, limits()).await;
    nodes[0].connected_to(1).await;
    answering(questions, <[u8]>::to_vec);
    // Transactions are pending, which the node will want to pass on to it, too.
    for number in 0..20 {
        nodes[0].submit(&Tx::new(number, 0));
    }
    let (only, asker) = asks(&key, &nodes[0]).await;
    nodes[0].connected_to(2).await;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(4) {
        assert_eq!(asker.ask(nodes[0].id(), vec![3]).await, Ok(Bytes::from_static(&[3])));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // One batch fails, and no other is sent to it on this connection.
    assert_eq!(nodes[0].metric("gossip_batches_failed_total"), 1);
    assert_eq!(nodes[0].metric("gossip_omitted_log_lines_total"), 0);
    assert_eq!(nodes[0].metric("gossip_garbage_total"), 0);
    assert_eq!(nodes[0].metric("gossip_banned_peers"), 0);
    // The other node is served meanwhile.
    eventually("the transactions", || nodes[1].pool.stats().ready == 20).await;
    // It answers nothing itself, and that is told at once.
    let other = self::asker(&nodes[0]);
    let reason = failed(at_once(&other, peer.id).await);
    assert_eq!(reason, "The remote supports none of the requested protocols");

    // A transaction that it was not sent keeps nobody from stopping.
    nodes[0].submit(&Tx::new(20, 0));
    eventually("the transaction", || nodes[1].pool.stats().ready == 21).await;
    let begin = Instant::now();
    nodes[0].gossip.take().unwrap().stop().await.unwrap();
    assert!(begin.elapsed() < limits().drain_time, "{:?}", begin.elapsed());
    nodes[0].socket_is_free().await;
    // The node was restarted: the asker finds it again.
    eventually("the connection is gone", || asker.connected().is_empty()).await;
    assert_eq!(asker.ask(nodes[0].id(), vec![4]).await, Err(AskError::NotConnected));
    nodes[0].forget();
    let questions = start(&mut nodes[0], &peers, 8).await;
    answering(questions, <[u8]>::to_vec);
    eventually("the asker is back", || asker.connected() == [nodes[0].id()]).await;
    assert_eq!(asker.ask(nodes[0].id(), vec![5]).await, Ok(Bytes::from_static(&[5])));
    assert_eq!(nodes[0].metric("gossip_garbage_total"), 0);

    // It stops, and then runs as a node, with the same identity.
    only.stop().await;
    assert_eq!(asker.ask(nodes[0].id(), vec![6]).await, Err(AskError::Stopped));
    nodes[0].connected_to(1).await;
    let mut joined = Node::new(PoolConfig::default());
    (joined.key, joined.address) = (key, peer.addresses[0].clone());
    joined.start(&peers, limits()).await;
    joined.connected_to(2).await;
    nodes[1].submit(&Tx::new(30, 0));
    eventually("a transaction reaches it", || joined.pool.status(&Tx::new(30, 0).hash()).is_some())
        .await;
    nodes.push(joined);
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asker_that_comes_and_goes_has_no_more_places() {
    let (key, peer) = joiner();
    let mut node = Node::new(PoolConfig::default());
    let mut questions = start(&mut node, &[peer], 8).await;
    let mut held = Vec::new();
    let (only, asker) = asks(&key, &node).await;
    let mut tasks = JoinSet::new();
    (0..OF_PEER).for_each(|what| ask_on(&mut tasks, &asker, node.id(), what as u8));
    while held.len() < OF_PEER {
        held.push(questions.recv().await.unwrap());
    }
    // Dropped, not stopped.
    drop(only);
    while let Some(answer) = tasks.join_next().await {
        assert_eq!(answer.unwrap(), Err(AskError::Stopped));
    }
    node.connected_to(0).await;
    let (only, asker) = asks(&key, &node).await;
    assert_eq!(at_once(&asker, node.id()).await, Err(AskError::Busy));
    held.pop().unwrap().answer(vec![1]);
    answering(questions, <[u8]>::to_vec);
    is_answered(&asker, node.id()).await;
    only.stop().await;
    stop(&mut [node]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_on_the_list_gets_nothing() {
    let mut nodes = network(2, PoolConfig::default(), limits()).await;
    nodes[0].stop().await;
    let peers = [nodes[1].peer()];
    let mut questions = start(&mut nodes[0], &peers, 8).await;
    nodes[0].connected_to(1).await;
    let (stranger, _) = joiner();
    let only = ask_only(stranger, vec![nodes[0].peer()], &GENESIS).await.unwrap();
    let asker = only.asker();
    // Its handshakes succeed and its connections are closed at once.
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        let answer = asker.ask(nodes[0].id(), vec![1]).await;
        assert!(matches!(answer, Err(AskError::NotConnected | AskError::Failed(_))), "{answer:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(questions.try_recv().is_err(), "no question of it came through");
    let refused = nodes[0].metric("gossip_connections_refused_total");
    assert!((1..20).contains(&refused), "{refused} attempts in 3 s");
    assert_eq!(nodes[0].metric("gossip_connected_peers"), 1);
    only.stop().await;
    stop(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_of_another_chain_is_told_nothing() {
    let (key, peer) = joiner();
    let mut node = Node::new(PoolConfig::default());
    let mut questions = start(&mut node, &[peer], 8).await;
    let genesis = billchain_primitives::Hash::repeat_byte(2);
    let only = ask_only(key, vec![node.peer()], &genesis).await.unwrap();
    let asker = only.asker();
    eventually("the asker is connected", || asker.connected() == [node.id()]).await;
    let reason = failed(at_once(&asker, node.id()).await);
    assert_eq!(reason, "The remote supports none of the requested protocols");
    assert!(questions.try_recv().is_err());
    assert_eq!(node.metric("gossip_garbage_total"), 0);
    only.stop().await;
    stop(&mut [node]).await;
}

/// Peers of another release have rules that this node does not know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_different_rules_ask_each_other() {
    let mut nodes = vec![Node::new(PoolConfig::default()), Node::new(PoolConfig::default())];
    let peers: Vec<Peer> = nodes.iter().map(Node::peer).collect();
    let questions = start(&mut nodes[0], &peers, 8).await;
    answering(questions, <[u8]>::to_vec);
    let mut config = nodes[1].config(&peers, GossipLimits { ..limits() });
    config.rules = RULES + 1;
    nodes[1].gossip = Some(gossip::start(config, Arc::clone(&nodes[1].pool)).await.unwrap());
    nodes[1].connected_to(1).await;
    let answer = asker(&nodes[1]).ask(nodes[0].id(), vec![8]).await;
    assert_eq!(answer, Ok(Bytes::from_static(&[8])));
    stop(&mut nodes).await;
}

#[tokio::test]
async fn a_list_that_is_not_usable_is_told() {
    let (key, peer) = joiner();
    let error = ask_only(key, vec![peer.clone(), peer], &GENESIS).await.unwrap_err();
    assert!(error.to_string().contains("is listed twice"), "{error}");
}
