//! What happens now, as server-sent events: new blocks, and how far the index is.

use crate::{App, Refusal, time};
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use futures::stream;
use parking_lot::Mutex;
use serde::Serialize;
use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// Events that a slow reader may be behind.
const BEHIND: usize = 64;
/// Lines of one session or address.
const OF_ONE: usize = 4;
/// How often a silent line says that it stands.
const BEAT: Duration = Duration::from_secs(15);
/// How long a line stands; the page opens it again.
const LASTS: u64 = 3_600_000;

/// Lines by whose they are.
type Counts = Arc<Mutex<HashMap<String, usize>>>;

/// The lines.
pub struct Events {
    sender: broadcast::Sender<Bytes>,
    places: Arc<Semaphore>,
    counts: Counts,
}

/// The place of a line.
struct Place {
    _of_all: OwnedSemaphorePermit,
    counts: Counts,
    whose: String,
    app: Arc<App>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.metrics.lines.dec();
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.whose);
            }
        }
    }
}

/// A line.
struct Line {
    receiver: broadcast::Receiver<Bytes>,
    app: Arc<App>,
    ends: u64,
    first: bool,
    over: bool,
    _place: Place,
}

impl Events {
    /// So many lines in all.
    pub fn new(lines: usize) -> Self {
        let (sender, _) = broadcast::channel(BEHIND);
        Self { sender, places: Arc::new(Semaphore::new(lines)), counts: Counts::default() }
    }

    /// Tells all lines.
    pub fn tell<T: Serialize>(&self, kind: &str, data: &T) {
        if let Some(frame) = frame(kind, data) {
            // Nobody listens: nobody is told.
            let _ = self.sender.send(frame);
        }
    }

    /// A new line.
    ///
    /// # Errors
    /// If there are as many as may be.
    pub fn open(&self, app: &Arc<App>, whose: String) -> Result<Response, Refusal> {
        let of_all =
            self.places.clone().try_acquire_owned().map_err(|_| Refusal::busy("event lines"))?;
        let mut counts = self.counts.lock();
        let count = counts.entry(whose.clone()).or_insert(0);
        if *count >= OF_ONE {
            return Err(Refusal::too_many(5));
        }
        *count += 1;
        drop(counts);
        app.metrics.lines.inc();
        let place = Place { _of_all: of_all, counts: self.counts.clone(), whose, app: app.clone() };
        let line = Line {
            receiver: self.sender.subscribe(),
            app: app.clone(),
            ends: time::now() + LASTS,
            first: true,
            over: false,
            _place: place,
        };
        let body = Body::from_stream(stream::unfold(line, Line::next));
        let kind = HeaderValue::from_static("text/event-stream");
        Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
    }
}

impl Line {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.over {
            return None;
        }
        if self.first {
            self.first = false;
            let status = frame("status", &*self.app.index.standing())?;
            return Some((Ok(status), self));
        }
        if time::now() >= self.ends {
            self.over = true;
            return Some((Ok(frame("bye", &"the line stood for an hour: open it again")?), self));
        }
        let told = tokio::time::timeout(BEAT, self.receiver.recv()).await;
        let frame = match told {
            Err(_) => Bytes::from_static(b": \n\n"),
            Ok(Ok(frame)) => frame,
            // What a slow reader missed, it asks for; how far the index is, it is told.
            Ok(Err(broadcast::error::RecvError::Lagged(_))) => {
                frame("status", &*self.app.index.standing())?
            }
            Ok(Err(broadcast::error::RecvError::Closed)) => {
                self.over = true;
                frame("bye", &"the server stops")?
            }
        };
        Some((Ok(frame), self))
    }
}

/// An event as it is sent.
fn frame<T: Serialize>(kind: &str, data: &T) -> Option<Bytes> {
    let data = serde_json::to_string(data).ok()?;
    Some(format!("event: {kind}\ndata: {data}\n\n").into())
}
