//! Keeps strangers' messages from the engine.
//!
//! Malachite closes the connection of a peer that is not on the allow-list when
//! that peer has identified itself, and delivers until then what it sends: a
//! stranger that is slow to say who it is, or a node too busy to read it, would
//! be served blocks. The connection's encryption has proved the peer's identity
//! before, so here every message is asked for its sender: one actor stands
//! between the network's actor and those that listen to it, and passes on only
//! what allowed peers send. A stranger's request for blocks is cancelled.
//!
//! To consensus it passes votes and proposals of later heights only within the
//! room of the validator that signed them, see [`EarlyMessages`]; to value sync
//! none at all. And it passes no more of a peer than the engine gets done, see
//! [`window`], and to value sync no more than its [`rate`]. What a peer claims to
//! have value sync hears only as far as others or its own answers bear it out, see
//! [`claims`].
//!
//! It also notes from whom something came, and whose votes, for whoever asks where
//! consensus stands: see [`crate::report`].
//!
//! What it does not do: it does not close connections, which is the network's
//! affair, nor does it keep the network from passing gossip on to a stranger
//! that is about to be disconnected.

mod claims;
mod polkas;
mod rate;
mod value_sync;
mod window;

use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use malachitebft_app_channel::app::consensus::SignedConsensusMsg;
use malachitebft_app_channel::app::engine::consensus::{ConsensusMsg, ConsensusRef};
use malachitebft_app_channel::app::engine::network::{
    NetworkEvent, NetworkMsg, NetworkRef, Subscriber,
};
use malachitebft_app_channel::app::types::PeerId as EnginePeerId;
use malachitebft_sync::{OutboundRequestId, Request};
use parking_lot::{Mutex, RwLock};
use prometheus_client::metrics::counter::Counter;
use ractor::rpc::CallResult;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SpawnErr};
use tracing::debug;

use crate::contacts::{Contact, Contacts};
use crate::early::EarlyMessages;
use crate::peers::AllowList;
use crate::sightings::{Sighting, Sightings};
use crate::types::{BillContext, Height, ValidatorSet};
use claims::Claims;
pub(crate) use polkas::Polkas;
use rate::Rate;
use value_sync::ValueSync;
use window::{Pass, Window};

type Event = NetworkEvent<BillContext>;
type Message = NetworkMsg<BillContext>;

/// Who and what may be heard, shared by the driver, which follows the state, and
/// the doors.
#[derive(Clone)]
pub(crate) struct Guests {
    allowed: Arc<RwLock<AllowList>>,
    early: Arc<Mutex<EarlyMessages>>,
    polkas: Polkas,
    queue: EngineQueue,
    /// Of what is said to value sync.
    rate: Arc<Mutex<Rate>>,
    sync: ValueSync,
    sightings: Arc<Mutex<Sightings>>,
    contacts: Arc<Mutex<Contacts>>,
}

impl Guests {
    /// Certificates of polkas go to `polkas` too, unverified; `left_out` counts
    /// messages of peers that send more than the engine gets done.
    pub(crate) fn new(
        allowed: AllowList,
        early: EarlyMessages,
        polkas: Polkas,
        left_out: Counter,
    ) -> Self {
        let (height, validators) = early.at_hand();
        let sync = ValueSync::new(Claims::new(allowed.clone(), height, validators, Instant::now()));
        let sightings = Arc::new(Mutex::new(early.sightings()));
        let (allowed, early) = (Arc::new(RwLock::new(allowed)), Arc::new(Mutex::new(early)));
        let queue = EngineQueue { window: Arc::default(), engine: Arc::default(), left_out };
        let (rate, contacts) = Default::default();
        Self { allowed, early, polkas, queue, rate, sync, sightings, contacts }
    }

    /// The engine runs: what waits for it is bounded from now on.
    pub(crate) fn engine(&self, engine: ConsensusRef<BillContext>) {
        // Set once, when the engine is started.
        let _ = self.queue.engine.set(engine);
    }

    /// From now on these may be heard.
    pub(crate) fn set(&self, allowed: AllowList) {
        self.polkas.keep(|peer| allowed.contains(peer));
        self.contacts.lock().keep(|peer| allowed.contains(peer));
        self.sync.change(|claims, _| claims.follow(allowed.clone()));
        *self.allowed.write() = allowed;
    }

    /// The engine has begun a height.
    pub(crate) fn begun(&self, height: Height, validators: ValidatorSet) {
        let count = validators.as_slice().len();
        self.sightings.lock().begun(validators.clone());
        self.early.lock().begun(height, validators);
        self.sync.change(|claims, now| claims.begun(height, count, now));
    }

    /// When each validator was seen to vote, and what was heard of each peer.
    pub(crate) fn seen(&self) -> (Vec<Sighting>, Vec<Contact>) {
        (self.sightings.lock().all(), self.contacts.lock().all())
    }

    /// Notes from whom an event came, and whose vote it is.
    fn note(&self, event: &Event) {
        let now = SystemTime::now();
        match event {
            Event::PeerConnected(peer) if self.contains(peer) => {
                self.contacts.lock().connected(*peer, now);
            }
            Event::PeerDisconnected(peer) => self.contacts.lock().gone(peer),
            event => {
                let peer = sender(event).filter(|peer| self.contains(peer));
                let Some(peer) = peer else { return };
                self.contacts.lock().heard(*peer, now);
                if let Event::Vote(_, vote) = event {
                    self.sightings.lock().hear(vote, Instant::now());
                }
            }
        }
    }

    fn contains(&self, peer: &EnginePeerId) -> bool {
        self.allowed.read().contains(peer)
    }

    /// Whether value sync may have what a peer says to it.
    fn may_sync(&self, peer: &EnginePeerId) -> bool {
        let passes = self.rate.lock().pass(*peer, Instant::now());
        if !passes {
            self.queue.left_out.inc();
        }
        passes
    }
}

/// What waits for the engine, of each peer.
#[derive(Clone)]
struct EngineQueue {
    window: Arc<Mutex<Window>>,
    engine: Arc<OnceLock<ConsensusRef<BillContext>>>,
    left_out: Counter,
}

impl EngineQueue {
    /// Whether the engine may have a message of this peer. What [`Pass`] says of a
    /// mark is for [`mark`](Self::mark).
    fn pass(&self, peer: &EnginePeerId) -> Pass {
        if self.engine.get().is_none() {
            return Pass::On;
        }
        let pass = self.window.lock().pass(*peer);
        if pass == Pass::No {
            self.left_out.inc();
        }
        pass
    }

    /// Asks the engine something, to learn when it has done what came before.
    fn mark(&self) {
        let (window, engine) = (self.window.clone(), self.engine.get().cloned());
        tokio::spawn(async move {
            let Some(engine) = engine else { return };
            // Fails only when the engine has ended.
            while engine.call(ConsensusMsg::DumpState, None).await.is_ok()
                && window.lock().reached()
            {}
        });
    }
}

/// What a gate's listeners listen for, beside what the network says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hears {
    /// Votes, proposals, parts and certificates.
    Consensus,
    /// What peers say to value sync, and answer to it. One listener: the rate
    /// counts what it gets.
    Sync,
    /// Peers' answers to what this node has asked.
    Answers,
}

/// Stands in the network actor's place for the engine's other actors.
pub(crate) struct Gate {
    network: NetworkRef<BillContext>,
    guests: Guests,
    hears: Hears,
}

impl Gate {
    /// A gate in front of `network`; those who listen through it hear `guests`.
    pub(crate) async fn spawn(
        network: NetworkRef<BillContext>,
        guests: Guests,
        hears: Hears,
    ) -> Result<NetworkRef<BillContext>, SpawnErr> {
        let (gate, _) = Actor::spawn(None, Self { network, guests, hears }, ()).await?;
        Ok(gate)
    }

    /// Asks a peer for value sync, and watches whether it answers.
    async fn ask(
        &self,
        peer: EnginePeerId,
        request: Request<BillContext>,
        reply: RpcReplyPort<OutboundRequestId>,
    ) {
        let Request::ValueRequest(blocks) = &request;
        let first = *blocks.range.start();
        let ask = |reply| Message::OutgoingRequest(peer, request, reply);
        // No answer: the network has ended, which value sync learns as its reply is
        // dropped.
        if let Ok(CallResult::Success(id)) = self.network.call(ask, None).await {
            self.guests.sync.asked(id.clone(), peer, first);
            let _ = reply.send(id);
        }
    }
}

#[ractor::async_trait]
impl Actor for Gate {
    type Msg = Message;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Message>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        gate: ActorRef<Message>,
        message: Message,
        _: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        let message = match message {
            Message::Subscribe(listener) => {
                let network = self.network.clone();
                let door = Door { network, guests: self.guests.clone(), hears: self.hears };
                let to = match self.hears {
                    Hears::Sync => {
                        self.guests.sync.listen(listener);
                        To::ValueSync(self.guests.sync.clone())
                    }
                    Hears::Consensus | Hears::Answers => To::Listener(listener),
                };
                let (door, _) = Actor::spawn_linked(None, door, to, gate.get_cell()).await?;
                Message::Subscribe(Box::new(door))
            }
            Message::OutgoingRequest(peer, request, reply) if self.hears == Hears::Sync => {
                self.ask(peer, request, reply).await;
                return Ok(());
            }
            Message::CancelRequest(request) if self.hears == Hears::Sync => {
                self.guests.sync.change(|claims, now| claims.cancelled(&request, now));
                Message::CancelRequest(request)
            }
            other => other,
        };
        // Fails only when the network has ended, and the node with it.
        let _ = self.network.cast(message);
        Ok(())
    }
}

/// Whom a door passes events to.
enum To {
    Listener(Box<dyn Subscriber<Event>>),
    ValueSync(ValueSync),
}

impl To {
    fn send(&self, event: Event) {
        match self {
            Self::Listener(listener) => listener.send(event),
            Self::ValueSync(sync) => sync.hear(event),
        }
    }
}

/// Hears the network for one listener.
struct Door {
    network: NetworkRef<BillContext>,
    guests: Guests,
    hears: Hears,
}

impl Door {
    /// Whether an allowed peer's event is for this listener.
    fn admits(&self, event: &Event) -> bool {
        let consensus = self.hears == Hears::Consensus;
        let message = match event {
            Event::Vote(_, vote) if consensus => SignedConsensusMsg::Vote(vote.clone()),
            Event::Proposal(_, proposal) if consensus => {
                SignedConsensusMsg::Proposal(proposal.clone())
            }
            Event::PolkaCertificate(peer, certificate) if consensus => {
                self.guests.polkas.put(*peer, certificate.clone());
                return true;
            }
            event if is_bulk(event) => return consensus,
            Event::Status(peer, _) | Event::SyncRequest(_, peer, _) => {
                return self.hears == Hears::Sync && self.guests.may_sync(peer);
            }
            Event::SyncResponse(..) => return !consensus,
            _ => return true,
        };
        self.guests.early.lock().admits(&message)
    }

    /// An event that the listener does not get.
    fn leave_out(&self, event: Event) {
        // The other listeners' doors leave all requests out.
        if let (Event::SyncRequest(request, ..), Hears::Sync) = (event, self.hears) {
            // Fails only when the network has ended.
            let _ = self.network.cast(Message::CancelInboundRequest(request));
        }
    }
}

#[ractor::async_trait]
impl Actor for Door {
    type Msg = Event;
    type State = To;
    type Arguments = Self::State;

    async fn pre_start(
        &self,
        _: ActorRef<Event>,
        listener: Self::State,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(listener)
    }

    async fn handle(
        &self,
        _: ActorRef<Event>,
        event: Event,
        listener: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // Each door hears every event: one notes it.
        if self.hears == Hears::Consensus {
            self.guests.note(&event);
        }
        match sender(&event) {
            Some(peer) if !self.guests.contains(peer) => {
                debug!(%peer, "not listening to a peer that is not allowed");
                self.leave_out(event);
            }
            peer => {
                // Counted before anything is verified.
                let counted = peer.filter(|_| self.hears == Hears::Consensus && is_bulk(&event));
                let pass = counted.map_or(Pass::On, |peer| self.guests.queue.pass(peer));
                if pass == Pass::No {
                    return Ok(());
                }
                if self.admits(&event) {
                    listener.send(event);
                } else {
                    self.leave_out(event);
                }
                if pass == Pass::OnAndMark {
                    self.guests.queue.mark();
                }
            }
        }
        Ok(())
    }
}

/// Whether an event is one of those that a peer may send without end, and that is
/// repeated if it is missed.
fn is_bulk(event: &Event) -> bool {
    matches!(
        event,
        Event::Vote(..)
            | Event::Proposal(..)
            | Event::ProposalPart(..)
            | Event::PolkaCertificate(..)
            | Event::RoundCertificate(..)
    )
}

/// Whose doing an event is. That a peer has gone, or that a request of ours has
/// failed, is the network's own news: whoever counts peers and requests needs
/// it, also of a peer that is no longer allowed.
fn sender(event: &Event) -> Option<&EnginePeerId> {
    match event {
        Event::PeerConnected(peer)
        | Event::PeerSubscribed(peer, _)
        | Event::Vote(peer, _)
        | Event::Proposal(peer, _)
        | Event::ProposalPart(peer, ..)
        | Event::PolkaCertificate(peer, _)
        | Event::RoundCertificate(peer, _)
        | Event::ValidatorProofReceived { peer_id: peer, .. }
        | Event::Status(peer, _)
        | Event::SyncRequest(_, peer, _)
        | Event::SyncResponse(_, peer, _) => Some(peer),
        Event::Listening(_)
        | Event::PeerDisconnected(_)
        | Event::SyncRequestFailed(..)
        | Event::SyncInboundRequestFailed(..) => None,
    }
}

#[cfg(test)]
mod tests;
