//! The server that Prometheus and load balancers ask.
//!
//! Anyone who reaches the port may ask, so it has few places, each for a
//! connection that asks. The rest waits at the system, which costs the node no
//! open file.

use super::Health;
use anyhow::Result;
use axum::{Router, http::header, routing::get, serve::Listener};
use prometheus_client::{encoding::text::encode, registry::Registry};
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
    time::{Instant, Sleep, sleep},
};

/// Connections that are open at once.
pub(crate) const PLACES: usize = 32;
/// How long a connection may take for a request and to fetch the answer to the
/// one before.
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves `/metrics`, and `/health` for load balancers.
pub(crate) async fn serve(
    listen: SocketAddr,
    registry: Registry,
    health: Health,
) -> Result<JoinHandle<Result<()>>> {
    let registry = Arc::new(registry);
    let metrics = move || async move {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &registry);
        // Consensus has a registry of its own, which ends the text again.
        text.truncate(text.trim_end_matches("# EOF\n").len());
        billchain_consensus::metrics::export(&mut text);
        (
            [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")],
            text,
        )
    };
    let health = move || async move { health.answer() };
    let router = Router::new().route("/metrics", get(metrics)).route("/health", get(health));
    let listener = Few::new(TcpListener::bind(listen).await?, PLACES, PATIENCE);
    Ok(tokio::spawn(async move { Ok(axum::serve(listener, router).await?) }))
}

/// Takes a connection when there is a place for it.
pub(crate) struct Few {
    listener: TcpListener,
    places: Arc<Semaphore>,
    patience: Duration,
}

impl Few {
    /// Has so many places, each for a connection that asks and fetches within `patience`.
    pub(crate) fn new(listener: TcpListener, places: usize, patience: Duration) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(places)), patience }
    }
}

impl Listener for Few {
    type Io = Taken;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Taken, SocketAddr) {
        let place = self.places.clone().acquire_owned().await;
        let place = place.expect("nobody closes the semaphore; qed");
        let (stream, address) = Listener::accept(&mut self.listener).await;
        (Taken::new(stream, place, self.patience), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection with its place. It fails when its time is up, which begins again
/// with each answer; neither bytes that drip in nor an answer that is fetched byte
/// by byte prolong it.
pub(crate) struct Taken {
    stream: TcpStream,
    patience: Duration,
    timeout: Pin<Box<Sleep>>,
    /// Whether something was read since the last answer began.
    asked: bool,
    _place: OwnedSemaphorePermit,
}

impl Taken {
    fn new(stream: TcpStream, place: OwnedSemaphorePermit, patience: Duration) -> Self {
        let timeout = Box::pin(sleep(patience));
        Self { stream, patience, timeout, asked: false, _place: place }
    }

    /// Pending, unless the time is up.
    fn wait<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.timeout.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// An answer begins, or goes on.
    fn answering(&mut self) {
        if std::mem::take(&mut self.asked) {
            self.timeout.as_mut().reset(Instant::now() + self.patience);
        }
    }

    fn written(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(written) => {
                self.answering();
                Poll::Ready(written)
            }
            Poll::Pending => self.wait(context),
        }
    }
}

impl AsyncRead for Taken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, into) {
            Poll::Ready(read) => {
                self.asked = true;
                Poll::Ready(read)
            }
            Poll::Pending => self.wait(context),
        }
    }
}

impl AsyncWrite for Taken {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
