//! Whether a peer's port can be reached from this machine, by TCP and by UDP.
//!
//! UDP has no handshake of its own, but QUIC has a question that every server answers
//! without knowing who asks: a packet of a version that it does not speak (RFC 9000,
//! 6.1). Nothing of the node's keys is needed, and the peer keeps nothing of it.

use crate::config::Peer;
use libp2p::multiaddr::Protocol;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    net::{TcpStream, UdpSocket, lookup_host},
    time::{Instant, timeout_at},
};

/// Length below which a QUIC server does not answer.
const QUESTION: usize = 1_200;
/// A version that is reserved for this: no server speaks it.
const NO_VERSION: [u8; 4] = 0x1a2a_3a4a_u32.to_be_bytes();
/// Names of a question's connection; the answer gives them back.
const NAMES: [[u8; 8]; 2] = [*b"billdst1", *b"billsrc1"];
/// How often the question is asked: a packet may get lost.
const TRIES: u32 = 3;

/// What was found about a port.
pub(super) type Reached = Result<(), String>;

/// Whether a peer is reached by TCP and by UDP, each within `patience`.
pub(super) async fn peer(peer: &Peer, patience: Duration) -> (Reached, Reached) {
    let deadline = Instant::now() + patience;
    let address = match timeout_at(deadline, resolve(peer)).await {
        Ok(Ok(address)) => address,
        Ok(Err(error)) => return (Err(error.clone()), Err(error)),
        Err(_) => {
            let error = "its name was not resolved in time".to_owned();
            return (Err(error.clone()), Err(error));
        }
    };
    let seconds = patience.as_secs();
    let in_time = move |reached: Result<io::Result<()>, _>| match reached {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("{address}: {error}")),
        Err(_) => Err(format!("{address}: no answer within {seconds} s")),
    };
    let (tcp, udp) = tokio::join!(
        timeout_at(deadline, tcp(address)),
        timeout_at(deadline, udp(address, patience))
    );
    (in_time(tcp), in_time(udp))
}

async fn resolve(peer: &Peer) -> Result<SocketAddr, String> {
    let host = match peer.host.iter().next() {
        Some(Protocol::Ip4(address)) => address.to_string(),
        Some(Protocol::Ip6(address)) => return Ok(SocketAddr::from((address, peer.port))),
        Some(Protocol::Dns4(name) | Protocol::Dns6(name)) => name.to_string(),
        other => return Err(format!("expected an address or a name, found {other:?}")),
    };
    let found = lookup_host((host.as_str(), peer.port)).await;
    let mut found = found.map_err(|error| format!("{host}: {error}"))?;
    found.next().ok_or_else(|| format!("{host} has no address"))
}

async fn tcp(address: SocketAddr) -> io::Result<()> {
    TcpStream::connect(address).await.map(drop)
}

async fn udp(address: SocketAddr, patience: Duration) -> io::Result<()> {
    let local: SocketAddr = match address {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0; 16], 0).into(),
    };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(address).await?;
    let mut answer = [0; 2_048];
    loop {
        socket.send(&question()).await?;
        let deadline = Instant::now() + patience / TRIES;
        // What is no answer to this question is left.
        while let Ok(length) = timeout_at(deadline, socket.recv(&mut answer)).await {
            if is_answer(&answer[..length?]) {
                return Ok(());
            }
        }
    }
}

/// A first packet of a version that nobody speaks.
fn question() -> Vec<u8> {
    let [to, from] = &NAMES;
    let mut packet = vec![0xc0];
    packet.extend(NO_VERSION);
    for name in [to, from] {
        packet.push(name.len() as u8);
        packet.extend(name);
    }
    packet.resize(QUESTION, 0);
    packet
}

/// Whether a packet says which versions there are, to who asked.
fn is_answer(packet: &[u8]) -> bool {
    let [to, from] = &NAMES;
    let mut expected = vec![0; 4];
    for name in [from, to] {
        expected.push(name.len() as u8);
        expected.extend(name);
    }
    match packet.split_first() {
        Some((first, rest)) => first & 0x80 != 0 && rest.starts_with(&expected),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> Peer {
        let host = "/ip4/127.0.0.1".parse().unwrap();
        let id = libp2p::identity::Keypair::generate_ed25519().public().to_peer_id();
        Peer { id, host, port }
    }

    #[test]
    fn an_answer_names_who_asked() {
        let [to, from] = &NAMES;
        let mut answer = vec![0xff, 0, 0, 0, 0, 8];
        answer.extend(from);
        answer.push(8);
        answer.extend(to);
        answer.extend([0, 0, 0, 1]);
        assert!(is_answer(&answer));
        for cut in 0..20 {
            assert!(!is_answer(&answer[..cut]), "{cut} bytes");
        }
        assert!(!is_answer(&question()), "an echo is no server");
        answer[0] = 0x7f;
        assert!(!is_answer(&answer));
        assert_eq!(question().len(), QUESTION);
    }

    #[tokio::test]
    async fn a_port_that_nobody_listens_at_and_one_that_echoes_are_not_reached() {
        let patience = Duration::from_millis(900);
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (echoing, listening) =
            (socket.local_addr().unwrap().port(), listener.local_addr().unwrap().port());
        let echo = tokio::spawn(async move {
            let mut bytes = [0; 2_048];
            while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
                let _ = socket.send_to(&bytes[..length], from).await;
            }
        });
        let (_, udp) = peer(&at(echoing), patience).await;
        assert!(udp.unwrap_err().contains("no answer"));
        let (tcp, _) = peer(&at(listening), patience).await;
        assert_eq!(tcp, Ok(()));
        drop(listener);
        let (tcp, _) = peer(&at(listening), patience).await;
        assert!(tcp.unwrap_err().contains("refused"));
        echo.abort();
    }
}
