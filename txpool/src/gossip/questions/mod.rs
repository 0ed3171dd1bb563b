//! Questions of one node to another about its chain, and the answers: bytes that
//! gossip carries and does not read.
//!
//! A protocol of its own beside the batches and the fetching: one stream a question,
//! a frame each way. Its name has the chain but not the rules, so nodes of different
//! releases may ask each other. Who answers is another part of the node, which gets
//! each [`Question`] over a channel ([`GossipConfig::questions`]); who asks has an
//! [`Asker`]. A node that has no pool yet asks by [`ask_only`](super::ask_only).
//!
//! It promises that a question is answered, refused at once, or failed after 20
//! seconds, and that what peers can make a node do is bounded:
//! - a question has at most [`MAX_QUESTION_BYTES`], an answer [`MAX_ANSWER_BYTES`];
//!   both are checked before memory is taken for them;
//! - four questions of one peer are under way, and of all peers together as many as
//!   the channel has room for. A question is under way until the node has answered or
//!   dropped it and its stream has ended. More are refused at once;
//! - one peer is answered 16 MiB a second and 48 MiB at once, and one answer beyond
//!   that; then it is told when it may ask again ([`AskError::Later`]);
//! - eight questions of this node wait for one peer's answers;
//! - a frame that is no question counts against its peer.
//!
//! What cannot be read of an answer only fails the question: a stream also ends early
//! when the peer's time for it is over. Whether an answer is true is for who asked.
//!
//! [`GossipConfig::questions`]: super::GossipConfig::questions

mod answering;
mod asker;
mod wire;

use super::{exchange, garbage::Garbage, lines::Lines};
use crate::GossipMetrics;
use answering::{Answering, Arrived, Reply};
use asker::Asking;
use futures::StreamExt;
use libp2p::{
    PeerId, StreamProtocol,
    request_response::{self, Event, Message, ProtocolSupport},
};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

pub use answering::Question;
pub(super) use asker::{Ask, MAX_WAITING};
pub use asker::{AskError, Asker};
pub(crate) use wire::{Answer, Opaque, Request};
pub use wire::{MAX_ANSWER_BYTES, MAX_QUESTION_BYTES, questions_protocol_name};

/// The protocol's part of the swarm.
pub(super) type Behaviour = request_response::Behaviour<wire::Codec>;

/// Questions at once on one connection, both ways together: as many as the transport
/// lets the peer open, so that each is refused with an answer, and those of this node.
const MAX_STREAMS: usize = 2 * exchange::MAX_STREAMS + 2 * MAX_WAITING;

/// How long an answer may take, with its way.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The behaviour that speaks the protocol named `name`.
pub(super) fn behaviour(name: StreamProtocol, support: ProtocolSupport) -> Behaviour {
    let config = request_response::Config::default()
        .with_request_timeout(TIMEOUT)
        .with_max_concurrent_streams(MAX_STREAMS);
    Behaviour::with_codec(wire::Codec::default(), [(name, support)], config)
}

/// See the module's documentation.
pub(super) struct Questions {
    asks: mpsc::Receiver<Ask>,
    asking: Asking,
    answering: Answering,
}

/// What [`Questions::next`] found.
pub(super) enum Todo {
    /// A question of this node.
    Ask(Ask),
    /// A peer's question was answered or dropped.
    Reply(Reply),
}

impl Questions {
    /// Peers' questions go `to` who answers them; without it they are refused. The
    /// sender is for [`Asker`]s.
    pub(super) fn new(
        to: Option<mpsc::Sender<Question>>,
        metrics: GossipMetrics,
        lines: Lines,
    ) -> (Self, mpsc::Sender<Ask>) {
        let (sender, asks) = mpsc::channel(super::COMMANDS);
        let asking = Asking::new(metrics.clone());
        (Self { asks, asking, answering: Answering::new(to, metrics, lines) }, sender)
    }

    /// Forgets peers that are no longer on the list, and begins with new ones.
    pub(super) fn set_peers(&mut self, peers: &[PeerId], now: Instant) {
        self.asking.set_peers(peers);
        self.answering.set_peers(peers, now);
    }

    /// Waits for what concerns this part alone. May be dropped at any time.
    pub(super) async fn next(&mut self) -> Todo {
        tokio::select! {
            Some(ask) = self.asks.recv() => Todo::Ask(ask),
            Some(reply) = self.answering.replies().next() => Todo::Reply(reply),
            else => std::future::pending().await,
        }
    }

    /// Deals with what [`next`](Self::next) found.
    pub(super) fn on_todo(&mut self, behaviour: &mut Behaviour, todo: Todo, now: Instant) {
        match todo {
            Todo::Ask(ask) => self.asking.ask(behaviour, ask, now),
            Todo::Reply(reply) => self.answering.on_reply(behaviour, reply),
        }
    }

    /// Deals with an event of the protocol; garbage if a peer sent any.
    pub(super) fn on_event(
        &mut self,
        behaviour: &mut Behaviour,
        event: Event<Request, Answer>,
        now: Instant,
    ) -> Option<Garbage> {
        match event {
            Event::Message { peer, message, .. } => match message {
                Message::Request { request_id: id, request, channel } => {
                    let arrived = Arrived { peer, id, request, channel };
                    return self.answering.on_question(behaviour, arrived, now);
                }
                Message::Response { request_id, response } => {
                    self.asking.on_answer(request_id, response, now);
                }
            },
            Event::OutboundFailure { request_id, error, .. } => {
                self.asking.finish(request_id, Err(AskError::Failed(error.to_string())));
            }
            Event::InboundFailure { peer, request_id, .. }
            | Event::ResponseSent { peer, request_id, .. } => {
                self.answering.on_stream_ended(peer, request_id);
            }
        }
        None
    }
}
