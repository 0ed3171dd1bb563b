//! Taking connections.
//!
//! A connection is an open file, from the moment it is made and before it has
//! asked anything. So the bound on connections holds here and not where the
//! first request is read: beyond it a connection is closed at once. One that has
//! asked nothing for half a minute is closed by the server behind. When the
//! system has no file left, the next connection is waited for a moment instead
//! of being tried again and again.

use crate::metrics::RpcMetrics;
use std::{
    io,
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
use tokio_util::sync::CancellationToken;

/// How long to wait after a connection could not be taken.
const PAUSE: Duration = Duration::from_millis(100);
/// Shortest time between two lines of the log about connections not taken.
const QUIET: Duration = Duration::from_secs(10);

/// A connection with its place among those that may be open. The place is free
/// when the connection is gone, a WebSocket's too.
pub(crate) struct Connection {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
}

/// Takes connections until the server stops, at most `most` at a time.
pub(crate) async fn accept(
    listener: TcpListener,
    most: u32,
    metrics: RpcMetrics,
    stop: CancellationToken,
    serve: impl Fn(Connection),
) {
    let places = Arc::new(Semaphore::new(most as usize));
    let mut log = Quiet::default();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                metrics.connection_refused();
                log.say(|| tracing::warn!(%error, "cannot take a connection to RPC"));
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(PAUSE) => continue,
                }
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            metrics.connection_refused();
            log.say(|| tracing::warn!(most, "all connections to RPC are taken: closing others"));
            continue;
        };
        // Without it answers wait for more; a connection that refuses is gone.
        if stream.set_nodelay(true).is_ok() {
            serve(Connection { stream, _place: place });
        }
    }
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
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
