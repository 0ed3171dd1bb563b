//! Access to the engine's peer network and to what the engine knows.

use std::sync::Arc;

use malachitebft_app_channel::app::consensus::{LivenessMsg, SignedConsensusMsg};
use malachitebft_app_channel::app::engine::consensus::state_dump::StateDump;
use malachitebft_app_channel::app::engine::consensus::{ConsensusMsg, ConsensusRef};
use malachitebft_app_channel::app::engine::network::{
    NetworkEvent, NetworkMsg, NetworkRef, PersistentPeerError, PersistentPeersOp,
};
use malachitebft_app_channel::app::types::PeerId;
use malachitebft_sync::{Request, Response, ValueRequest};
use parking_lot::RwLock;
use ractor::rpc::CallResult;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::contacts::Contact;
use crate::gate::Guests;
use crate::peers::AllowList;
use crate::sightings::Sighting;
use crate::types::{BillContext, Height, StreamMessage, ValidatorSet};

/// See the module's documentation. Messages are lost only when the engine is
/// stopping, which the driver learns from the closed question channel.
#[derive(Clone)]
pub(crate) struct Network {
    actor: NetworkRef<BillContext>,
    /// The network as allowed peers' answers are heard through it.
    answers: NetworkRef<BillContext>,
    consensus: ConsensusRef<BillContext>,
    guests: Guests,
}

impl Network {
    pub(crate) fn new(
        actor: NetworkRef<BillContext>,
        answers: NetworkRef<BillContext>,
        consensus: ConsensusRef<BillContext>,
        guests: Guests,
    ) -> Self {
        Self { actor, answers, consensus, guests }
    }

    /// The network actor.
    pub(crate) fn actor(&self) -> &NetworkRef<BillContext> {
        &self.actor
    }

    /// Sends a part to all peers.
    pub(crate) fn publish(&self, part: StreamMessage) {
        let _ = self.actor.cast(NetworkMsg::PublishProposalPart(part));
    }

    /// Sends a signed message to all peers.
    pub(crate) fn publish_message(&self, message: SignedConsensusMsg<BillContext>) {
        let _ = self.actor.cast(NetworkMsg::PublishConsensusMsg(message));
    }

    /// Repeats a signed message, or what was proved with several, to all peers.
    pub(crate) fn repeat(&self, message: LivenessMsg<BillContext>) {
        let _ = self.actor.cast(NetworkMsg::PublishLivenessMsg(message));
    }

    /// Follows the chain's list: hears these peers and no others, and lets them
    /// connect. The only place where the list changes.
    pub(crate) async fn follow(&self, known: &mut AllowList, allowed: AllowList) {
        if allowed == *known {
            return;
        }
        self.guests.set(allowed.clone());
        for operation in known.changes(&allowed) {
            self.change_peers(operation).await;
        }
        *known = allowed;
    }

    async fn change_peers(&self, operation: PersistentPeersOp) {
        info!(?operation, "the set of allowed peers changed");
        let sent = operation.clone();
        let change = |reply| NetworkMsg::UpdatePersistentPeers(sent, reply);
        // No answer: the engine is stopping, which the driver learns elsewhere.
        let Ok(CallResult::Success(Err(error))) = self.actor.call(change, None).await else {
            return;
        };
        let as_wanted =
            matches!(error, PersistentPeerError::AlreadyExists | PersistentPeerError::NotFound);
        if !as_wanted {
            warn!(?operation, %error, "the network did not take a peer change");
        }
    }

    /// The engine has begun a height.
    pub(crate) fn begun(&self, height: Height, validators: ValidatorSet) {
        self.guests.begun(height, validators);
    }

    /// When each validator was seen to vote, and what was heard of each peer.
    pub(crate) fn seen(&self) -> (Vec<Sighting>, Vec<Contact>) {
        self.guests.seen()
    }

    /// What the engine knows at its height.
    pub(crate) async fn engine_state(&self) -> Option<StateDump<BillContext>> {
        match self.consensus.call(ConsensusMsg::DumpState, None).await {
            Ok(CallResult::Success(dump)) => dump,
            _ => None,
        }
    }

    /// Asks a peer for the decided block of one height. The answer comes to those
    /// who [listen](Self::listen).
    pub(crate) async fn ask(&self, peer: PeerId, height: Height) {
        let request = Request::ValueRequest(ValueRequest::new(height..=height));
        let ask = |reply| NetworkMsg::OutgoingRequest(peer, request, reply);
        let _ = self.actor.call(ask, None).await;
    }

    /// From now on the decided blocks that allowed peers send go to `responses`
    /// too. At most a few wait there; the others are dropped and asked again.
    pub(crate) async fn listen(&self, responses: mpsc::Sender<Response<BillContext>>) {
        let spawned = Actor::spawn_linked(None, Ear, responses, self.answers.get_cell()).await;
        let Ok((ear, _)) = spawned else { return };
        let _ = self.answers.cast(NetworkMsg::Subscribe(Box::new(ear)));
    }
}

/// The network of the engine that runs, if one does.
#[derive(Clone, Default)]
pub(crate) struct SharedNetwork(Arc<RwLock<Option<Network>>>);

impl SharedNetwork {
    pub(crate) fn get(&self) -> Option<Network> {
        self.0.read().clone()
    }

    pub(crate) fn set(&self, network: Option<Network>) {
        *self.0.write() = network;
    }
}

/// Passes decided blocks on.
struct Ear;

#[ractor::async_trait]
impl Actor for Ear {
    type Msg = NetworkEvent<BillContext>;
    type State = mpsc::Sender<Response<BillContext>>;
    type Arguments = Self::State;

    async fn pre_start(
        &self,
        _: ActorRef<Self::Msg>,
        responses: Self::State,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(responses)
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        event: Self::Msg,
        responses: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        if let NetworkEvent::SyncResponse(_, _, Some(response)) = event {
            // Full: it is asked again. Closed: the driver has ended.
            let _ = responses.try_send(response);
        }
        Ok(())
    }
}
