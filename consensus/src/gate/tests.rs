use std::collections::HashSet;
use std::time::Duration;

use malachitebft_app_channel::app::streaming::{StreamContent, StreamId};
use malachitebft_app_channel::app::types::core::{PolkaCertificate, Round};
use malachitebft_sync::{
    InboundRequestId, OutboundFailureReason, OutboundRequestId, Request, ValueRequest,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::application::AllowedPeers;
use crate::signing::{ChainDomain, Sm2Verifier};
use crate::testing::{net_peer, peer};
use crate::types::{Height, StreamMessage, Validator};
use billchain_crypto::sm2::SecretKey;
use billchain_primitives::Hash;
use malachitebft_app_channel::app::engine::network::Status;

/// Hands everything it is sent to a test.
struct Recorder<T>(mpsc::UnboundedSender<T>);

#[ractor::async_trait]
impl<T: ractor::Message> Actor for Recorder<T> {
    type Msg = T;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<T>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<T>,
        message: T,
        _: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        self.0.send(message).map_err(|_| "the test is over".into())
    }
}

async fn recorder<T: ractor::Message>() -> (ActorRef<T>, mpsc::UnboundedReceiver<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (actor, _) = Actor::spawn(None, Recorder(sender), ()).await.expect("it starts");
    (actor, receiver)
}

async fn next<T>(from: &mut mpsc::UnboundedReceiver<T>) -> T {
    let patience = Duration::from_secs(10);
    timeout(patience, from.recv()).await.expect("in time").expect("the actor runs")
}

fn guests(seeds: &[u8]) -> AllowList {
    let address = |seed: &u8| format!("/p2p/{}", net_peer(*seed)).parse().expect("an address");
    let addresses = seeds.iter().map(address);
    AllowList::new(
        AllowedPeers { validators: addresses.collect(), ..Default::default() },
        &net_peer(99),
    )
}

fn early() -> EarlyMessages {
    let key = SecretKey::from_seed(b"validator").public();
    let validators = ValidatorSet::new([Validator::new(key, 1)]).expect("one validator");
    let verifier = Sm2Verifier::new(ChainDomain::new(Hash::repeat_byte(7)));
    EarlyMessages::new(verifier, Height::new(5), validators)
}

fn status(seed: u8, height: u64) -> Event {
    Event::Status(peer(seed), Status::new(Height::new(height), Height::new(1)))
}

fn request(seed: u8) -> Event {
    let range = Height::new(1)..=Height::new(9);
    let id = InboundRequestId::new(seed);
    Event::SyncRequest(id, peer(seed), Request::ValueRequest(ValueRequest::new(range)))
}

#[tokio::test]
async fn only_allowed_peers_are_heard_and_strangers_requests_are_cancelled() {
    let (network, mut asked) = recorder::<Message>().await;
    let (listener, mut heard) = recorder::<Event>().await;
    let guests_now = Guests::new(guests(&[1]), early(), Polkas::default(), Counter::default());
    let gate = Gate::spawn(network, guests_now.clone(), Hears::Sync).await.expect("it starts");
    gate.cast(Message::Subscribe(Box::new(listener))).expect("the gate runs");
    let Message::Subscribe(door) = next(&mut asked).await else { panic!("a subscription") };

    door.send(status(2, 7));
    door.send(Event::PeerConnected(peer(2)));
    door.send(request(2));
    door.send(status(1, 8));
    door.send(request(1));
    // What the network says of itself passes, whomever it is about.
    door.send(Event::PeerDisconnected(peer(2)));
    assert_eq!(next(&mut heard).await, status(1, 8));
    assert_eq!(next(&mut heard).await, request(1));
    assert_eq!(next(&mut heard).await, Event::PeerDisconnected(peer(2)));
    let Message::CancelInboundRequest(cancelled) = next(&mut asked).await else {
        panic!("the stranger's request is cancelled")
    };
    assert_eq!(cancelled, InboundRequestId::new(2_u8));

    guests_now.set(guests(&[2]));
    door.send(status(1, 9));
    door.send(status(2, 9));
    assert_eq!(next(&mut heard).await, status(2, 9), "the state has changed who is heard");
    assert!(asked.try_recv().is_err(), "nothing else was asked of the network");
}

#[tokio::test]
async fn other_messages_reach_the_network_in_their_order() {
    let (network, mut asked) = recorder::<Message>().await;
    let guests = Guests::new(AllowList::default(), early(), Polkas::default(), Counter::default());
    let gate = Gate::spawn(network, guests, Hears::Consensus).await.expect("it starts");
    for height in 1..=3 {
        let status = Status::new(Height::new(height), Height::new(1));
        gate.cast(Message::BroadcastStatus(status)).expect("the gate runs");
    }
    for height in 1..=3 {
        let Message::BroadcastStatus(status) = next(&mut asked).await else { panic!("a status") };
        assert_eq!(status.tip_height, Height::new(height));
    }
}

fn part(seed: u8, sequence: u64) -> Event {
    let id = StreamId::new(vec![seed].into());
    Event::ProposalPart(peer(seed), None, StreamMessage::new(id, sequence, StreamContent::Fin))
}

#[tokio::test]
async fn no_more_of_a_peer_waits_for_the_engine_than_its_window() {
    const FLOOD: u64 = 10_000;
    let (network, mut asked) = recorder::<Message>().await;
    let (listener, mut heard) = recorder::<Event>().await;
    let (engine, mut engine_asked) = recorder::<ConsensusMsg<BillContext>>().await;
    let left_out = Counter::default();
    let guests = Guests::new(guests(&[1, 2]), early(), Polkas::default(), left_out.clone());
    guests.engine(engine);
    let gate = Gate::spawn(network, guests, Hears::Consensus).await.expect("it starts");
    gate.cast(Message::Subscribe(Box::new(listener))).expect("the gate runs");
    let Message::Subscribe(door) = next(&mut asked).await else { panic!("a subscription") };

    // The engine is busy: it does not come to the mark.
    (0..FLOOD).for_each(|sequence| door.send(part(1, sequence)));
    door.send(part(2, 0));
    door.send(Event::PeerConnected(peer(1)));
    let mut waiting = 0;
    while next(&mut heard).await != part(2, 0) {
        waiting += 1;
    }
    let connected = Event::PeerConnected(peer(1));
    assert_eq!(next(&mut heard).await, connected, "what is not bulk is not counted");
    assert_eq!(left_out.get(), FLOOD - waiting);
    assert!(waiting <= 128, "{waiting} messages of one peer wait");

    // It comes to both marks, and the peer is heard again.
    for _ in 0..2 {
        let ConsensusMsg::DumpState(reply) = next(&mut engine_asked).await else {
            panic!("a mark")
        };
        reply.send(None).expect("the gate waits");
    }
    let mut sequence = FLOOD;
    let begin = std::time::Instant::now();
    while heard.try_recv().is_err() {
        assert!(begin.elapsed() < Duration::from_secs(10), "the peer is not heard again");
        door.send(part(1, sequence));
        sequence += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A gate's door, what is asked of the network, and what passes the door.
async fn door(
    guests: Guests,
    hears: Hears,
) -> (Box<dyn Subscriber<Event>>, mpsc::UnboundedReceiver<Message>, mpsc::UnboundedReceiver<Event>)
{
    let (network, mut asked) = recorder::<Message>().await;
    let (listener, heard) = recorder::<Event>().await;
    let gate = Gate::spawn(network, guests, hears).await.expect("it starts");
    gate.cast(Message::Subscribe(Box::new(listener))).expect("the gate runs");
    let Message::Subscribe(door) = next(&mut asked).await else { panic!("a subscription") };
    (door, asked, heard)
}

fn polka(seed: u8, round: u32) -> Event {
    let certificate = PolkaCertificate {
        height: Height::new(5),
        round: Round::new(round),
        value_id: Hash::repeat_byte(seed).into(),
        polka_signatures: Vec::new(),
    };
    Event::PolkaCertificate(peer(seed), certificate)
}

#[tokio::test]
async fn polka_certificates_of_one_peer_take_no_room_of_another() {
    const FLOOD: u32 = 10_000;
    let (polkas, list_of_second) = (Polkas::default(), guests(&[2]));
    let guests = Guests::new(guests(&[1, 2]), early(), polkas.clone(), Counter::default());
    let (door, _asked, mut heard) = door(guests.clone(), Hears::Consensus).await;
    (0..FLOOD).for_each(|round| door.send(polka(1, round)));
    door.send(polka(2, 0));
    (0..FLOOD).for_each(|round| door.send(polka(1, round)));
    for _ in 0..=2 * FLOOD {
        next(&mut heard).await;
    }
    // The newest of the flood, then the honest one's, and no third.
    let (first, second) = (polkas.next().await, polkas.next().await);
    assert_eq!((first.value_id, first.round), (Hash::repeat_byte(1).into(), Round::new(FLOOD - 1)));
    assert_eq!((second.value_id, second.round), (Hash::repeat_byte(2).into(), Round::new(0)));
    let third = timeout(Duration::from_millis(50), polkas.next()).await;
    assert!(third.is_err(), "{third:?}");

    // What waits is bounded by the list: who leaves it leaves nothing.
    door.send(polka(1, 0));
    door.send(polka(2, 1));
    next(&mut heard).await;
    next(&mut heard).await;
    guests.set(list_of_second);
    assert_eq!(polkas.next().await.round, Round::new(1));
    assert!(timeout(Duration::from_millis(50), polkas.next()).await.is_err());
}

#[tokio::test]
async fn what_one_peer_says_to_value_sync_is_bounded_and_refused_requests_are_cancelled() {
    const FLOOD: u64 = 10_000;
    let left_out = Counter::default();
    let guests = Guests::new(guests(&[1, 2]), early(), Polkas::default(), left_out.clone());
    let (door, mut asked, mut heard) = door(guests, Hears::Sync).await;
    (0..FLOOD).for_each(|height| door.send(status(1, height)));
    (0..FLOOD).for_each(|_| door.send(request(1)));
    door.send(request(2));
    let (mut passed, mut answered) = (0, 0);
    loop {
        match next(&mut heard).await {
            event if event == request(2) => break,
            event => answered += u64::from(event == request(1)),
        }
        passed += 1;
    }
    assert!(passed < FLOOD, "{passed} messages of one peer passed");
    assert_eq!(left_out.get(), 2 * FLOOD - passed);
    for _ in answered..FLOOD {
        let Message::CancelInboundRequest(cancelled) = next(&mut asked).await else {
            panic!("a refused request is cancelled")
        };
        assert_eq!(cancelled, InboundRequestId::new(1_u8));
    }
}

#[tokio::test]
async fn consensus_hears_nothing_that_is_said_to_value_sync() {
    let guests = Guests::new(guests(&[1]), early(), Polkas::default(), Counter::default());
    for hears in [Hears::Consensus, Hears::Answers] {
        let (door, mut asked, mut heard) = door(guests.clone(), hears).await;
        door.send(status(1, 7));
        door.send(request(1));
        door.send(Event::PeerConnected(peer(1)));
        assert_eq!(next(&mut heard).await, Event::PeerConnected(peer(1)), "{hears:?}");
        assert!(asked.try_recv().is_err(), "value sync answers the request");
    }
}

#[tokio::test]
async fn a_peer_that_lies_about_its_height_and_is_silent_is_replaced_within_its_patience() {
    let validators =
        (0..4).map(|seed: u8| Validator::new(SecretKey::from_seed(&[seed]).public(), 1));
    let validators = ValidatorSet::new(validators).expect("four validators");
    let guests_now =
        Guests::new(guests(&[1, 2, 3]), early(), Polkas::default(), Counter::default());
    guests_now.begun(Height::new(6), validators.clone());
    let (network, mut asked) = recorder::<Message>().await;
    let (listener, mut heard) = recorder::<Event>().await;
    let gate = Gate::spawn(network, guests_now.clone(), Hears::Sync).await.expect("it starts");
    gate.cast(Message::Subscribe(Box::new(listener))).expect("the gate runs");
    let Message::Subscribe(door) = next(&mut asked).await else { panic!("a subscription") };

    door.send(status(1, 1_000));
    assert_eq!(next(&mut heard).await, status(1, 5), "nobody bears it out");
    door.send(status(2, 7));
    assert_eq!(
        HashSet::from([next(&mut heard).await, next(&mut heard).await].map(tip)),
        HashSet::from([(peer(1), 7), (peer(2), 7)])
    );

    // Value sync asks the liar, which is silent.
    let (gate_asks, id) = (gate.clone(), OutboundRequestId::new("question"));
    let question = tokio::spawn(async move {
        let range = Height::new(6)..=Height::new(7);
        let request = Request::ValueRequest(ValueRequest::new(range));
        gate_asks.call(|reply| Message::OutgoingRequest(peer(1), request, reply), None).await
    });
    let Message::OutgoingRequest(to, _, reply) = next(&mut asked).await else {
        panic!("a question")
    };
    assert_eq!(to, peer(1));
    reply.send(id.clone()).expect("the gate waits");
    assert!(question.await.is_ok_and(|asked| asked.is_ok()), "value sync learns its number");
    let withdrawn = timeout(Duration::from_secs(3), heard.recv()).await.expect("soon");
    assert_eq!(withdrawn, Some(status(1, 5)), "it is not asked again");
    let failed = Event::SyncRequestFailed(id, peer(1), OutboundFailureReason::Timeout);
    assert_eq!(next(&mut heard).await, failed, "value sync asks another");

    // With the next height what was borne out is told.
    door.send(status(3, 9));
    assert_eq!(next(&mut heard).await, status(3, 9));
    guests_now.begun(Height::new(8), validators);
    assert_eq!(next(&mut heard).await, status(1, 7), "that height is no longer at hand");
}

/// Whose status an event is, and what it says.
fn tip(event: Event) -> (EnginePeerId, u64) {
    let Event::Status(peer, status) = event else { panic!("a status") };
    (peer, status.tip_height.get())
}
