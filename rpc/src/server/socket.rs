//! WebSocket connections.
//!
//! A message is read when there is room for it and the connection has not too
//! many under way; until then the client's bytes wait on its own side. Answers
//! and notifications are written one after the other. A client that answers no
//! ping, or leaves what was sent unread, is closed; so is one whose key was revoked or whose
//! token's time is over, at the next ping.

use super::answer::answer;
use super::answers::{Reply, error_text};
use super::metered::{Metered, Taken};
use super::session::Session;
use super::subscriptions::Subscriptions;
use crate::{
    budget::{Room, Share},
    config::AHEAD,
    error,
    lanes::PATIENCE,
    metrics::Cause,
    outbox::{Outbox, Outgoing},
    traces::message_span,
};
use bytes::Bytes;
use futures::io::BufWriter;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use soketto::{
    Incoming,
    connection::{Error, Receiver, Sender},
    data::ByteSlice125,
    handshake,
};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::{compat::TokioAsyncReadCompatExt, sync::CancellationToken};
use tracing::Instrument;

/// Messages that may wait to be written.
const OUTBOX: usize = 64;
/// What is written at a time.
const BUFFER: usize = 4 << 10;

type Stream = BufWriter<Metered>;

/// Serves a connection until it ends.
pub(super) async fn serve(
    session: Session,
    upgraded: Upgraded,
    handshake: handshake::http::Server,
    stop: CancellationToken,
) {
    let config = session.methods.context.config.clone();
    let share = session.share.clone();
    let read = Arc::new(Mutex::new(Taken::default()));
    let patience = PATIENCE.min(config.transfer_timeout);
    let io = Metered::new(TokioIo::new(upgraded).compat(), share.clone(), patience, read.clone());
    let mut builder = handshake.into_builder(BufWriter::with_capacity(BUFFER, io));
    builder.set_max_message_size(config.max_request_bytes as usize);
    builder.set_max_frame_size(config.max_request_bytes as usize);
    let (sender, receiver) = builder.finish();
    let (outbox, out) = Outbox::new(OUTBOX, share.clone(), session.methods.watched.clone());
    let most = config.max_subscriptions_per_connection;
    let subscriptions = Arc::new(Subscriptions::new(outbox.clone(), most));
    let heard = Arc::new(Heard::default());
    let writer = Writer {
        session: session.clone(),
        share: share.clone(),
        heard: heard.clone(),
        ping: config.ping_interval,
    };
    let reader = Reader {
        session: session.subscribing(subscriptions.clone()),
        outbox,
        under_way: Arc::new(Semaphore::new(config.max_requests_under_way as usize)),
        read,
        heard,
    };
    let closing = share.closing();
    tokio::select! {
        () = closing.cancelled() => {}
        () = stop.cancelled() => {}
        () = reader.run(receiver) => {}
        () = writer.run(sender, out) => {}
    }
    subscriptions.end_all();
}

/// When the client was last heard.
#[derive(Default)]
struct Heard(Mutex<Option<Instant>>);

impl Heard {
    fn set(&self, heard: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = heard;
    }

    /// For how long nothing was heard; nothing while nobody listens.
    fn silence(&self) -> Duration {
        let heard = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.map_or(Duration::ZERO, |heard| heard.elapsed())
    }
}

struct Reader {
    session: Session,
    outbox: Outbox,
    under_way: Arc<Semaphore>,
    read: Arc<Mutex<Taken>>,
    heard: Arc<Heard>,
}

impl Reader {
    async fn run(self, mut receiver: Receiver<Stream>) {
        for number in 1.. {
            let Ok(under_way) = self.under_way.clone().acquire_owned().await else { return };
            // However long it takes: a client that does not read is closed for
            // that, and others give way.
            let ahead = loop {
                let room = self.session.share.wait(AHEAD, Duration::from_secs(60)).await;
                if let Ok(room) = room {
                    break room;
                }
            };
            self.taken().begin(ahead);
            let mut message = Vec::new();
            let received = self.receive(&mut receiver, &mut message).await;
            let room = self.taken().end();
            match received {
                Ok(()) => {}
                Err(Error::MessageTooLarge { .. }) => {
                    let most = self.session.methods.context.config.max_request_bytes;
                    return self.last_words(&error::request_too_long(most), room).await;
                }
                Err(Error::Io(failure)) if failure.kind() == io::ErrorKind::OutOfMemory => {
                    self.session.methods.context.metrics.refused_busy();
                    return self.last_words(&error::busy(&failure), room).await;
                }
                // What a client does wrong with its connection is its affair.
                Err(_) => return,
            }
            let (session, outbox) = (self.session.clone(), self.outbox.clone());
            let work = async move {
                let reply = tokio::select! {
                    () = outbox.closed() => return,
                    reply = answer(&session, Bytes::from(message), room) => reply,
                };
                let Some(Reply { text, room, began }) = reply else { return };
                let answer = Outgoing { text, room, under_way: Some(under_way) };
                if outbox.answer(answer).await.is_ok() {
                    began.into_iter().flatten().for_each(|answered| {
                        // What was begun may have ended already.
                        let _ = answered.send(());
                    });
                }
            };
            tokio::spawn(work.instrument(message_span(number)));
        }
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next message; pings and pongs are no messages.
    async fn receive(
        &self,
        receiver: &mut Receiver<Stream>,
        message: &mut Vec<u8>,
    ) -> Result<(), Error> {
        loop {
            self.heard.set(Some(Instant::now()));
            let received = receiver.receive(message).await;
            self.heard.set(None);
            match received? {
                Incoming::Data(_) => return Ok(()),
                Incoming::Pong(_) => {}
                Incoming::Closed(_) => return Err(Error::Closed),
            }
        }
    }

    /// Says why the connection closes, and waits until it is written.
    async fn last_words(&self, error: &error::Refusal, room: Room) {
        let text = error_text(super::envelope::NO_ID, error);
        let written = Arc::new(Semaphore::new(1));
        let under_way = written.clone().try_acquire_owned().ok();
        if self.outbox.answer(Outgoing { text, room, under_way }).await.is_ok() {
            // Free when it was written.
            let _ = written.acquire().await;
        }
    }
}

struct Writer {
    session: Session,
    share: Share,
    heard: Arc<Heard>,
    ping: Duration,
}

impl Writer {
    async fn run(self, mut sender: Sender<Stream>, mut out: mpsc::Receiver<Outgoing>) {
        let mut pings = tokio::time::interval(self.ping);
        pings.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let outgoing = tokio::select! {
                outgoing = out.recv() => outgoing,
                _ = pings.tick() => {
                    // Who may ask no more is told no more.
                    if self.session.is_over() {
                        return;
                    }
                    // Two pings without an answer.
                    if self.heard.silence() >= 2 * self.ping {
                        return self.share.close(Cause::Silent);
                    }
                    let _unread = self.share.waits_for_reader();
                    let Ok(nothing) = ByteSlice125::try_from(&[][..]) else { return };
                    if sender.send_ping(nothing).await.is_err() || sender.flush().await.is_err() {
                        return;
                    }
                    continue;
                }
            };
            let Some(Outgoing { text, room, under_way }) = outgoing else { return };
            let unread = self.share.waits_for_reader();
            if sender.send_text_owned(text).await.is_err() || sender.flush().await.is_err() {
                return;
            }
            drop((unread, room, under_way));
        }
    }
}
