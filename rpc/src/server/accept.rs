//! Taking connections.
//!
//! A connection is an open file, from the moment it is made and before it has
//! asked anything. So the bounds on connections hold here and not where the
//! first request is read: those of all listeners, of this one and of one address.
//! Beyond them a connection is closed at once, as one of an address that the
//! listener does not take. One that has asked nothing for half a minute is closed
//! by the server behind. When the system has no file left, the next connection is
//! waited for a moment instead of being tried again and again.

use crate::metrics::RpcMetrics;
use billchain_access::{Access, ListenerConfig, fingerprint};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};
use tokio_util::sync::CancellationToken;

/// How long to wait after a connection could not be taken.
const PAUSE: Duration = Duration::from_millis(100);
/// Shortest time between two lines of the log about connections not taken.
const QUIET: Duration = Duration::from_secs(10);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// SM3 of the certificate that it has shown.
    pub(crate) certificate: Option<[u8; 32]>,
    /// Name of the listener.
    pub(crate) listener: Arc<str>,
}

/// Who serves a connection; its listener's end is the token's.
pub(super) type Serve = Arc<dyn Fn(Connection, CancellationToken) + Send + Sync>;

/// A connection with its places among those that may be open. They are free when the
/// connection is gone, a WebSocket's too.
pub(crate) struct Connection {
    stream: Stream,
    pub(super) peer: Peer,
    _places: Places,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A listener as connections are taken at it.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) name: Arc<str>,
    pub(super) access: Access,
    /// Places of all listeners.
    pub(super) places: Arc<Semaphore>,
    pub(super) metrics: RpcMetrics,
    pub(super) stop: CancellationToken,
}

/// Connections of one listener, by address.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<HashMap<IpAddr, u32>>>);

struct Places {
    _common: OwnedSemaphorePermit,
    counts: Counts,
    address: IpAddr,
}

impl Counts {
    /// A place for the address, if the listener has one for it.
    fn take(
        &self,
        address: IpAddr,
        listener: &ListenerConfig,
        common: OwnedSemaphorePermit,
    ) -> Option<Places> {
        let mut all = self.0.lock();
        let taken: u32 = all.values().sum();
        let of_it = all.get(&address).copied().unwrap_or(0);
        if taken >= listener.connections || of_it >= listener.connections_per_address {
            return None;
        }
        all.insert(address, of_it + 1);
        Some(Places { _common: common, counts: self.clone(), address })
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        let mut all = self.counts.0.lock();
        if let Some(count) = all.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.address);
            }
        }
    }
}

/// Takes connections until the listener is closed.
pub(super) async fn accept(listener: TcpListener, door: Door, serve: Serve) {
    let counts = Counts::default();
    let mut log = Quiet::default();
    loop {
        let accepted = tokio::select! {
            () = door.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                door.metrics.connection_refused();
                log.say(|| tracing::warn!(%error, "cannot take a connection to RPC"));
                tokio::select! {
                    () = door.stop.cancelled() => return,
                    () = tokio::time::sleep(PAUSE) => continue,
                }
            }
        };
        let address = from.ip().to_canonical();
        let rules = door.access.rules();
        let Some(config) = rules.listener(&door.name) else { return };
        if !config.takes(address) {
            door.access.metrics().address_refused();
            continue;
        }
        let common = door.places.clone().try_acquire_owned().ok();
        let Some(places) = common.and_then(|common| counts.take(address, config, common)) else {
            door.metrics.connection_refused();
            log.say(|| tracing::warn!(listener = %door.name, "all connections to RPC are taken: closing others"));
            continue;
        };
        // Without it answers wait for more; a connection that refuses is gone.
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let peer = Peer { address, certificate: None, listener: door.name.clone() };
        match rules.tls(&door.name) {
            None => {
                let stream = Stream::Plain(stream);
                serve(Connection { stream, peer, _places: places }, door.stop.clone());
            }
            Some(tls) => {
                tokio::spawn(shake(door.clone(), tls, (stream, peer, places), serve.clone()));
            }
        }
    }
}

/// Shakes hands, and has the connection served.
async fn shake(
    door: Door,
    tls: Arc<ServerConfig>,
    (stream, peer, places): (TcpStream, Peer, Places),
    serve: Serve,
) {
    let shakes = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(tls).accept(stream));
    let shaken = tokio::select! {
        () = door.stop.cancelled() => return,
        shaken = shakes => shaken,
    };
    let Ok(Ok(stream)) = shaken else { return door.access.metrics().handshake_failed() };
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let certificate = shown.map(|certificate| fingerprint(certificate));
    let (stream, peer) = (Stream::Tls(Box::new(stream)), Peer { certificate, ..peer });
    serve(Connection { stream, peer, _places: places }, door.stop.clone());
}

/// Lets a line through now and then: clients cause them.
#[derive(Default)]
struct Quiet(Option<Instant>);

impl Quiet {
    fn say(&mut self, line: impl FnOnce()) {
        if self.0.is_none_or(|last| last.elapsed() >= QUIET) {
            self.0 = Some(Instant::now());
            line();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
