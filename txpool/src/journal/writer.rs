//! The thread that writes, syncs and removes the files.

use super::{
    JournalError, Shared,
    books::{Books, Place},
    format::{self, MAGIC, parse},
    io_error, segment_path,
};
use crate::{PoolTransaction, Source};
use bytes::Bytes;
use std::{
    fs::{self, File},
    io::{self, Write},
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
    time::Instant,
};

/// Bytes that are written and synced at once: the last to come waits for all.
const MOST_AT_ONCE: u64 = 4 << 20;

/// Starts the thread; its first file has the number `next`.
pub(super) fn spawn(shared: Arc<Shared>, next: u64) -> io::Result<JoinHandle<()>> {
    let writer = Writer { shared, current: None, next };
    thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run())
}

struct Writer {
    shared: Arc<Shared>,
    current: Option<Current>,
    next: u64,
}

/// The file that is being written.
struct Current {
    number: u64,
    file: File,
    length: u64,
}

/// What is to be done next.
pub(super) enum Task {
    Write(Vec<Arc<PoolTransaction>>),
    Remove(u64),
    /// Write again what is wanted of a segment.
    Rewrite(u64),
}

impl Writer {
    fn run(mut self) {
        let shared = self.shared.clone();
        // However it ends, nobody waits for it afterwards.
        let _end = End(&shared);
        while let Some(task) = shared.next_task() {
            match task {
                Task::Write(batch) => self.write(&batch),
                Task::Remove(number) => self.remove(number),
                Task::Rewrite(number) => self.rewrite(number),
            }
        }
    }

    fn write(&mut self, batch: &[Arc<PoolTransaction>]) {
        let outcome = self.append(batch);
        if let Err(error) = &outcome {
            self.shared.metrics.failed.inc();
            tracing::error!("{error}; clients are told that nothing was promised");
        }
        self.shared.settle(batch, outcome);
        self.close_if_long();
    }

    /// Appends records; where they lie, once they are on disk. After an error the
    /// file is left as it was, as far as the disk lets, and another one is begun:
    /// what a failed sync has left of a file is not known.
    fn append(&mut self, batch: &[Arc<PoolTransaction>]) -> Result<Vec<Place>, JournalError> {
        let (number, start) = match &self.current {
            Some(current) => (current.number, current.length),
            None => (self.next, 0),
        };
        let path = segment_path(&self.shared.config.directory, number);
        let mut bytes = Vec::new();
        if start == 0 {
            bytes.extend(MAGIC);
        }
        let mut places = Vec::with_capacity(batch.len());
        for tx in batch {
            let offset = start + bytes.len() as u64;
            format::append(&mut bytes, number, offset, tx);
            places.push(Place { segment: number, offset, size: format::size(tx.bytes.len()) });
        }
        let began = Instant::now();
        let written = match &mut self.current {
            Some(current) => current.extend(&bytes),
            None => self.begin(&bytes),
        };
        if let Err((action, reason)) = written {
            self.give_up_file();
            return Err(io_error(action, &path)(reason));
        }
        self.shared.metrics.syncs.inc();
        self.shared.metrics.sync.observe(began.elapsed().as_secs_f64());
        Ok(places)
    }

    /// Makes the next file, with these bytes.
    fn begin(&mut self, bytes: &[u8]) -> Result<(), (&'static str, io::Error)> {
        let number = self.next;
        self.next += 1;
        let directory = &self.shared.config.directory;
        let path = segment_path(directory, number);
        let file = File::create_new(&path).map_err(|error| ("make", error))?;
        self.shared.used.fetch_add(MAGIC.len() as u64, Ordering::Relaxed);
        let mut books = self.shared.books.lock();
        books.segments.entry(number).or_default().bytes = MAGIC.len() as u64;
        books.current = Some(number);
        drop(books);
        let current = self.current.insert(Current { number, file, length: 0 });
        current.extend(bytes)?;
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(|e| ("sync", e))
    }

    /// Leaves a file that the disk has refused.
    fn give_up_file(&mut self) {
        self.shared.books.lock().current = None;
        if let Some(current) = self.current.take()
            && let Err(error) = current.file.set_len(current.length)
        {
            tracing::debug!(%error, "what was not promised stays in the journal");
        }
    }

    fn close_if_long(&mut self) {
        if self.current.as_ref().is_some_and(|c| c.length >= self.shared.config.segment_bytes) {
            self.current = None;
            self.shared.books.lock().current = None;
        }
    }

    fn remove(&mut self, number: u64) {
        let path = segment_path(&self.shared.config.directory, number);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                // What is in it was forgotten; the next start looks again.
                tracing::warn!("{}", io_error("remove", &path)(error));
            }
            _ => {}
        }
        let mut books = self.shared.books.lock();
        let bytes = books.segments.remove(&number).map_or(0, |segment| segment.bytes);
        self.shared.used.fetch_sub(bytes, Ordering::Relaxed);
        self.shared.show(&books);
    }

    /// Writes again what is wanted of a sparse segment, which is removed then.
    fn rewrite(&mut self, number: u64) {
        match self.try_rewrite(number) {
            Ok(moved) => {
                let mut books = self.shared.books.lock();
                let left = books.wanted_of(number);
                for hash in &left {
                    books.forget(hash);
                }
                drop(books);
                if !left.is_empty() {
                    self.shared.metrics.damaged.inc_by(left.len() as u64);
                    let path = segment_path(&self.shared.config.directory, number);
                    tracing::error!(
                        file = %path.display(), lost = left.len(), moved,
                        "the journal of accepted transactions is damaged: what was recorded \
                         there does not come back from here after a crash"
                    );
                }
                self.close_if_long();
            }
            Err(error) => {
                tracing::error!("{error}");
                self.shared.books.lock().is_disk_refusing = true;
            }
        }
    }

    fn try_rewrite(&mut self, number: u64) -> Result<usize, JournalError> {
        let path = segment_path(&self.shared.config.directory, number);
        let bytes = Bytes::from(fs::read(&path).map_err(io_error("read", &path))?);
        let records = parse(&bytes, number).map(|contents| contents.records).unwrap_or_default();
        let (mut wanted, mut before) = (Vec::new(), Vec::new());
        let books = self.shared.books.lock();
        for found in records {
            let (at, size) = (found.transaction(), found.size());
            let place = Place { segment: number, offset: found.offset, size };
            if books.lies_at(&found.hash, place) {
                before.push(place);
                wanted.push(Arc::new(PoolTransaction {
                    hash: found.hash,
                    bytes: bytes.slice(at.start as usize..at.end as usize),
                    sender: found.sender,
                    nonce: found.nonce,
                    source: Source::Local,
                }));
            }
        }
        drop(books);
        if wanted.is_empty() {
            return Ok(0);
        }
        let places = self.append(&wanted)?;
        let size: u64 = places.iter().map(|place| place.size).sum();
        self.shared.used.fetch_add(size, Ordering::Relaxed);
        let mut books = self.shared.books.lock();
        books.grow(&places);
        for ((tx, before), place) in wanted.iter().zip(before).zip(places) {
            // Not if it was forgotten meanwhile.
            if books.lies_at(&tx.hash, before) {
                books.store(tx.hash, place);
            }
        }
        Ok(wanted.len())
    }
}

impl Current {
    fn extend(&mut self, bytes: &[u8]) -> Result<(), (&'static str, io::Error)> {
        self.file.write_all(bytes).map_err(|error| ("write", error))?;
        self.file.sync_data().map_err(|error| ("sync", error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

impl Shared {
    /// Waits for something to do; `None` when nothing more will come.
    pub(super) fn next_task(&self) -> Option<Task> {
        let mut books = self.books.lock();
        loop {
            let batch = self.next_batch(&mut books);
            if !batch.is_empty() {
                return Some(Task::Write(batch));
            }
            if let Some(number) = books.removable() {
                return Some(Task::Remove(number));
            }
            if self.is_half_full()
                && !books.is_disk_refusing
                && !books.is_closed
                && let Some(number) = books.sparse()
            {
                return Some(Task::Rewrite(number));
            }
            if books.is_closed {
                return None;
            }
            self.work.wait(&mut books);
        }
    }

    /// What waits and is still wanted, up to [`MOST_AT_ONCE`] bytes, or one that is
    /// longer.
    fn next_batch(&self, books: &mut Books) -> Vec<Arc<PoolTransaction>> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(tx) = books.queue.front() {
            let size = format::size(tx.bytes.len());
            if !batch.is_empty() && bytes + size > MOST_AT_ONCE {
                break;
            }
            let Some(tx) = books.queue.pop_front() else { break };
            if books.is_waiting(&tx.hash) {
                bytes += size;
                batch.push(tx);
            } else {
                self.used.fetch_sub(size, Ordering::Relaxed);
            }
        }
        batch
    }

    /// Books what became of a batch, and tells those who wait.
    fn settle(&self, batch: &[Arc<PoolTransaction>], outcome: Result<Vec<Place>, JournalError>) {
        let mut answers = Vec::new();
        let mut books = self.books.lock();
        let outcome = match outcome {
            Ok(places) => {
                books.is_disk_refusing = false;
                books.grow(&places);
                for (tx, place) in batch.iter().zip(places) {
                    // Those forgotten meanwhile are dead in the file.
                    if books.is_waiting(&tx.hash) {
                        answers.extend(books.store(tx.hash, place));
                    }
                }
                Ok(())
            }
            Err(error) => {
                let sizes = batch.iter().map(|tx| format::size(tx.bytes.len()));
                self.used.fetch_sub(sizes.sum(), Ordering::Relaxed);
                for tx in batch {
                    if books.is_waiting(&tx.hash) {
                        answers.extend(books.forget(&tx.hash));
                    }
                }
                Err(error)
            }
        };
        self.show(&books);
        drop(books);
        answers.into_iter().for_each(|answer| drop(answer.send(outcome.clone())));
    }

    fn show(&self, books: &Books) {
        let used = self.used.load(Ordering::Relaxed);
        self.metrics.show(books.records.len(), books.segments.len(), used);
    }
}

/// Answers all who wait when the thread ends.
pub(super) struct End<'a>(pub(super) &'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut books = self.0.books.lock();
        books.is_closed = true;
        books.queue.clear();
        books.records.clear();
    }
}
