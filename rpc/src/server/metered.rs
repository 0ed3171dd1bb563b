//! The bytes of a WebSocket, counted: a frame takes the room that its header
//! announces before anybody makes a buffer of that length for it.

use crate::{
    budget::{NoRoom, Room, Share, Waits},
    method::Later,
};
use futures::io::{AsyncRead, AsyncWrite};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio_util::compat::Compat;

/// What the message that is being read has taken.
#[derive(Default)]
pub(super) struct Taken {
    room: Room,
    used: usize,
    waits: Option<Waits>,
}

impl Taken {
    /// A new message may come; `ahead` is the room of its first bytes.
    pub(super) fn begin(&mut self, ahead: Room) {
        // What was read before it was asked for belongs to it.
        self.room = ahead;
    }

    /// The message is there: its room.
    pub(super) fn end(&mut self) -> Room {
        self.waits = None;
        self.used = 0;
        std::mem::take(&mut self.room)
    }

    /// What a data frame of so many bytes needs beyond the room that there is.
    fn lacks(&mut self, bytes: usize) -> usize {
        self.used = self.used.saturating_add(bytes);
        self.used.saturating_sub(self.room.bytes())
    }

    /// The client may send the frame: the node waits for it.
    fn let_come(&mut self, room: Room, share: &Share) {
        self.room.add(room);
        self.waits.get_or_insert_with(|| share.waits_for_rest());
    }
}

/// A WebSocket's bytes. What comes with a header that needs more room than there
/// is waits until there is some: the client's next bytes wait on its side.
pub(super) struct Metered {
    io: Compat<TokioIo<Upgraded>>,
    share: Share,
    /// How long a frame waits for room.
    patience: Duration,
    taken: Arc<Mutex<Taken>>,
    frames: Frames,
    /// What was read, passed on up to `passed`, and counted up to `counted`.
    ahead: Box<[u8]>,
    passed: usize,
    counted: usize,
    read: usize,
    asks: Option<Later<Result<Room, NoRoom>>>,
}

/// What is read at a time, as long as it may hold headers.
const AHEAD: usize = 4 << 10;

impl Metered {
    pub(super) fn new(
        io: Compat<TokioIo<Upgraded>>,
        share: Share,
        patience: Duration,
        taken: Arc<Mutex<Taken>>,
    ) -> Self {
        Self {
            io,
            share,
            patience,
            taken,
            frames: Frames::default(),
            ahead: vec![0; AHEAD].into(),
            passed: 0,
            counted: 0,
            read: 0,
            asks: None,
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the next piece of what was read: a header, or what there is of a
    /// payload. A frame of the next message takes room when that is asked for.
    fn count(&mut self) {
        let (counted, begins) = self.frames.read(&self.ahead[self.counted..self.read]);
        self.counted += counted;
        let Some(length) = begins else { return };
        let more = self.taken().lacks(length);
        if more == 0 {
            return self.taken().let_come(Room::default(), &self.share);
        }
        let held = self.taken().room.bytes();
        let (share, patience) = (self.share.clone(), self.patience);
        let asks = async move { share.wait_for_message(held, more, patience).await };
        self.asks = Some(Box::pin(asks));
    }

    /// Waits until the frame that has to has its room.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(asks) = &mut self.asks {
            let room = std::task::ready!(asks.as_mut().poll(cx));
            self.asks = None;
            let room = room.map_err(|full| io::Error::new(io::ErrorKind::OutOfMemory, full))?;
            self.taken().let_come(room, &self.share);
        }
        Poll::Ready(Ok(()))
    }
}

/// Where in a client's frames its bytes stand (RFC 6455, section 5.2).
#[derive(Default)]
struct Frames {
    header: Vec<u8>,
    payload: u64,
}

impl Frames {
    /// Reads on to the end of a header or a payload: how many bytes, and the
    /// length of the data frame whose header ends there.
    fn read(&mut self, bytes: &[u8]) -> (usize, Option<usize>) {
        if self.payload > 0 {
            return (self.skip(bytes.len()), None);
        }
        for (at, byte) in bytes.iter().enumerate() {
            self.header.push(*byte);
            if let Some(length) = self.length() {
                let is_data = self.header[0] & 0x08 == 0;
                self.header.clear();
                self.payload = length;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                return (at + 1, is_data.then_some(length));
            }
        }
        (bytes.len(), None)
    }

    /// Skips at most so many bytes of the payload; how many.
    fn skip(&mut self, bytes: usize) -> usize {
        let skipped = bytes.min(usize::try_from(self.payload).unwrap_or(usize::MAX));
        self.payload -= skipped as u64;
        skipped
    }

    /// The payload's length, when the header is there.
    fn length(&self) -> Option<u64> {
        let second = *self.header.get(1)?;
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let (length, more) = match second & 0x7f {
            126 => (self.number(2)?, 2),
            127 => (self.number(8)?, 8),
            short => (u64::from(short), 0),
        };
        (self.header.len() >= 2 + more + mask).then_some(length)
    }

    fn number(&self, bytes: usize) -> Option<u64> {
        let digits = self.header.get(2..2 + bytes)?;
        Some(digits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        loop {
            std::task::ready!(this.poll_room(cx))?;
            if this.passed < this.counted {
                let length = buffer.len().min(this.counted - this.passed);
                buffer[..length].copy_from_slice(&this.ahead[this.passed..][..length]);
                this.passed += length;
                return Poll::Ready(Ok(length));
            }
            if this.counted < this.read {
                this.count();
                continue;
            }
            if buffer.len() as u64 <= this.frames.payload {
                // No header is among them.
                let read = std::task::ready!(Pin::new(&mut this.io).poll_read(cx, buffer))?;
                this.frames.skip(read);
                return Poll::Ready(Ok(read));
            }
            let read = std::task::ready!(Pin::new(&mut this.io).poll_read(cx, &mut this.ahead))?;
            (this.passed, this.counted, this.read) = (0, 0, read);
            if read == 0 {
                return Poll::Ready(Ok(0));
            }
        }
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A masked client frame.
    fn frame(first: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload {
            0..126 => bytes.push(0x80 | payload as u8),
            126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend((payload as u16).to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.extend([7; 4]);
        bytes.extend(vec![0x81; payload]);
        bytes
    }

    #[test]
    fn each_data_frame_is_told_by_its_header_however_the_bytes_are_cut() {
        let sent = [(0x81, 5), (0x89, 3), (0x01, 200), (0x00, 0), (0x80, 70_000), (0x82, 125)];
        let bytes: Vec<u8> = sent.iter().flat_map(|(first, n)| frame(*first, *n)).collect();
        for size in [1, 2, 7, 8_192, bytes.len()] {
            let (mut frames, mut told) = (Frames::default(), Vec::new());
            for mut chunk in bytes.chunks(size) {
                while !chunk.is_empty() {
                    let (read, begins) = frames.read(chunk);
                    told.extend(begins);
                    chunk = &chunk[read..];
                }
            }
            assert_eq!(told, [5, 200, 0, 70_000, 125], "chunks of {size}");
        }
    }

    #[test]
    fn a_header_tells_what_it_announces_before_that_comes() {
        let header = &frame(0x82, 70_000)[..14];
        assert_eq!(Frames::default().read(header), (14, Some(70_000)));
    }
}
