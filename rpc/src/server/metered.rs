//! The bytes of a WebSocket, counted: a frame takes the room that its header
//! announces before anybody makes a buffer of that length for it.

use crate::budget::{NoRoom, Room, Share, Waits};
use futures::io::{AsyncRead, AsyncWrite};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
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

    fn frame(&mut self, share: &Share, bytes: usize) -> Result<(), NoRoom> {
        self.used = self.used.saturating_add(bytes);
        self.waits.get_or_insert_with(|| share.waits_for_rest());
        match self.used.checked_sub(self.room.bytes()) {
            None | Some(0) => Ok(()),
            Some(more) => share.grow(&mut self.room, more),
        }
    }
}

/// A WebSocket's bytes.
pub(super) struct Metered {
    io: Compat<TokioIo<Upgraded>>,
    share: Share,
    taken: Arc<Mutex<Taken>>,
    frames: Frames,
}

impl Metered {
    pub(super) fn new(
        io: Compat<TokioIo<Upgraded>>,
        share: Share,
        taken: Arc<Mutex<Taken>>,
    ) -> Self {
        Self { io, share, taken, frames: Frames::default() }
    }

    fn count(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Self { share, taken, frames, .. } = self;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        frames
            .read(bytes, |length| taken.frame(share, length))
            .map_err(|full| io::Error::new(io::ErrorKind::OutOfMemory, full))
    }
}

/// Where in a client's frames its bytes stand (RFC 6455, section 5.2).
#[derive(Default)]
struct Frames {
    header: Vec<u8>,
    payload: u64,
}

impl Frames {
    /// Tells the length of each data frame that begins in `bytes`.
    fn read(
        &mut self,
        mut bytes: &[u8],
        mut begins: impl FnMut(usize) -> Result<(), NoRoom>,
    ) -> Result<(), NoRoom> {
        while !bytes.is_empty() {
            if self.payload > 0 {
                let skipped = bytes.len().min(usize::try_from(self.payload).unwrap_or(usize::MAX));
                self.payload -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.header.push(bytes[0]);
            bytes = &bytes[1..];
            if let Some(length) = self.length() {
                let is_data = self.header[0] & 0x08 == 0;
                self.header.clear();
                self.payload = length;
                if is_data {
                    begins(usize::try_from(length).unwrap_or(usize::MAX))?;
                }
            }
        }
        Ok(())
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
        let read = std::task::ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        self.count(&buffer[..read])?;
        Poll::Ready(Ok(read))
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
            for chunk in bytes.chunks(size) {
                let tell = |length| {
                    told.push(length);
                    Ok(())
                };
                frames.read(chunk, tell).unwrap();
            }
            assert_eq!(told, [5, 200, 0, 70_000, 125], "chunks of {size}");
        }
    }

    #[test]
    fn a_header_that_announces_more_than_there_is_room_for_is_refused_at_once() {
        let mut frames = Frames::default();
        let header = &frame(0x82, 70_000)[..14];
        let refused = frames
            .read(header, |length| if length > 1_000 { Err(NoRoom::Connection) } else { Ok(()) });
        assert_eq!(refused, Err(NoRoom::Connection));
    }
}
