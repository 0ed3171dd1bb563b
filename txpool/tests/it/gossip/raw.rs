//! A peer that sends whatever bytes it is given.

use super::{Node, PATIENCE, RULES};
use crate::chain::Tx;
use async_trait::async_trait;
use billchain_primitives::Hash;
use billchain_txpool::gossip::protocol_name;
use codec::Encode;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::{
    StreamProtocol, Swarm,
    identity::Keypair,
    request_response::{self, Event, Message, ProtocolSupport},
    swarm::{SwarmEvent, dial_opts::DialOpts},
};
use std::io;

/// Sends whatever bytes it is given as a request.
#[derive(Clone, Default)]
pub struct Raw;

#[async_trait]
impl request_response::Codec for Raw {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn read_response<T>(&mut self, p: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        self.read_request(p, io).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&bytes).await
    }

    async fn write_response<T>(
        &mut self,
        p: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.write_request(p, io, bytes).await
    }
}

pub fn raw_swarm(key: &Keypair, protocol: String) -> Swarm<request_response::Behaviour<Raw>> {
    let protocol = StreamProtocol::try_from_owned(protocol).unwrap();
    libp2p::SwarmBuilder::with_existing_identity(key.clone())
        .with_tokio()
        .with_quic()
        .with_behaviour(|_| {
            request_response::Behaviour::with_codec(
                Raw,
                [(protocol, ProtocolSupport::Full)],
                request_response::Config::default(),
            )
        })
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE))
        .build()
}

/// Sends each of `frames` on its own stream; how many were answered before
/// the connection closed or all were dealt with.
pub async fn send_raw(
    key: &Keypair,
    genesis: &Hash,
    to: &Node,
    frames: Vec<Vec<u8>>,
) -> Vec<Vec<u8>> {
    send_raw_to(key, protocol_name(genesis, RULES), to, frames).await
}

/// As [`send_raw`], over the named protocol.
pub async fn send_raw_to(
    key: &Keypair,
    protocol: String,
    to: &Node,
    frames: Vec<Vec<u8>>,
) -> Vec<Vec<u8>> {
    let mut swarm = raw_swarm(key, protocol);
    let peer = to.id();
    swarm.dial(DialOpts::peer_id(peer).addresses(vec![to.address.clone()]).build()).unwrap();
    let mut frames = frames.into_iter();
    let mut answers = Vec::new();
    let talk = async {
        loop {
            let go_on = match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { .. } => true,
                SwarmEvent::ConnectionClosed { .. }
                | SwarmEvent::OutgoingConnectionError { .. } => return,
                SwarmEvent::Behaviour(Event::Message {
                    message: Message::Response { response, .. },
                    ..
                }) => {
                    answers.push(response);
                    true
                }
                SwarmEvent::Behaviour(Event::OutboundFailure { .. }) => true,
                _ => false,
            };
            if go_on {
                match frames.next() {
                    Some(frame) => drop(swarm.behaviour_mut().send_request(&peer, frame)),
                    None => return,
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, talk).await.expect("the node answers or closes");
    answers
}

pub fn framed(payload: Vec<u8>) -> Vec<u8> {
    [&(payload.len() as u32).to_le_bytes()[..], &payload].concat()
}

pub fn batch(txs: &[Tx]) -> Vec<u8> {
    framed(txs.iter().map(Encode::encode).collect::<Vec<_>>().encode())
}
