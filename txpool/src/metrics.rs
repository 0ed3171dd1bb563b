//! What the pool and gossip count.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Label of a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Code {
    /// Stable number of the kind.
    pub(crate) code: i32,
}

/// Metrics of the pool.
#[derive(Clone, Debug)]
pub struct PoolMetrics {
    /// Transactions that a block may take now.
    pub(crate) ready: Gauge,
    /// Transactions that wait for an earlier nonce.
    pub(crate) future: Gauge,
    /// Bytes of both.
    pub(crate) bytes: Gauge,
    /// Those of both that were submitted to this node.
    pub(crate) local: Gauge,
    /// Accounts that have transactions in the pool.
    pub(crate) senders: Gauge,
    /// Transactions taken from clients of this node.
    pub(crate) taken_local: Counter,
    /// Transactions taken from peers.
    pub(crate) taken_peer: Counter,
    /// Transactions refused at the door, by kind.
    pub(crate) refused: Family<Code, Counter>,
    /// Transactions of the pool that a block included.
    pub(crate) included: Counter,
    /// Transactions dropped for lack of room or time.
    pub(crate) dropped: Counter,
    /// Those of them that made room for others.
    pub(crate) gave_way: Counter,
    /// Transactions that became invalid while they waited.
    pub(crate) invalid: Counter,
    /// Seconds that one validity check took.
    pub(crate) validation: Histogram,
}

impl Default for PoolMetrics {
    fn default() -> Self {
        Self {
            ready: Gauge::default(),
            future: Gauge::default(),
            bytes: Gauge::default(),
            local: Gauge::default(),
            senders: Gauge::default(),
            taken_local: Counter::default(),
            taken_peer: Counter::default(),
            refused: Family::default(),
            included: Counter::default(),
            dropped: Counter::default(),
            gave_way: Counter::default(),
            invalid: Counter::default(),
            validation: Histogram::new([
                50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 20e-3, 100e-3,
            ]),
        }
    }
}

impl PoolMetrics {
    /// Registers every metric under `txpool_`.
    pub fn register(&self, registry: &mut Registry) {
        let r = registry.sub_registry_with_prefix("txpool");
        r.register("ready", "Transactions that a block may take now", self.ready.clone());
        r.register("future", "Transactions that wait for an earlier nonce", self.future.clone());
        r.register("bytes", "Bytes of transactions held", self.bytes.clone());
        r.register("local", "Transactions held that were submitted here", self.local.clone());
        r.register("senders", "Accounts with transactions in the pool", self.senders.clone());
        r.register("taken_local", "Transactions taken from clients", self.taken_local.clone());
        r.register("taken_peer", "Transactions taken from peers", self.taken_peer.clone());
        r.register("refused", "Transactions refused at the door, by kind", self.refused.clone());
        r.register("included", "Pool transactions that a block included", self.included.clone());
        r.register("dropped", "Dropped for lack of room or time", self.dropped.clone());
        r.register("gave_way", "Dropped to make room for others", self.gave_way.clone());
        r.register("invalid", "Became invalid while waiting", self.invalid.clone());
        r.register("validation_seconds", "Duration of one validity check", self.validation.clone());
    }
}

/// Metrics of the journal of accepted transactions.
#[derive(Clone, Debug)]
pub(crate) struct JournalMetrics {
    /// Transactions that it holds or is about to hold.
    pub(crate) transactions: Gauge,
    /// Its files.
    segments: Gauge,
    /// Their bytes, and those that are to be written.
    bytes: Gauge,
    /// Writes that were synced.
    pub(crate) syncs: Counter,
    /// Seconds that writing and syncing took.
    pub(crate) sync: Histogram,
    /// Submissions that found it full.
    pub(crate) full: Counter,
    /// Writes that the disk refused.
    pub(crate) failed: Counter,
    /// Damaged places that were found in its files.
    pub(crate) damaged: Counter,
    /// Transactions of a run before that are not in the pool yet.
    pub(crate) awaited: Gauge,
    /// Transactions of a run before that came back into the pool.
    pub(crate) restored: Counter,
}

impl Default for JournalMetrics {
    fn default() -> Self {
        Self {
            transactions: Gauge::default(),
            segments: Gauge::default(),
            bytes: Gauge::default(),
            syncs: Counter::default(),
            sync: Histogram::new([500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.5]),
            full: Counter::default(),
            failed: Counter::default(),
            damaged: Counter::default(),
            awaited: Gauge::default(),
            restored: Counter::default(),
        }
    }
}

impl JournalMetrics {
    /// Sets how much it holds.
    pub(crate) fn show(&self, transactions: usize, segments: usize, bytes: u64) {
        self.transactions.set(transactions as i64);
        self.segments.set(segments as i64);
        self.bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Registers every metric under `txpool_journal_`.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let r = registry.sub_registry_with_prefix("txpool_journal");
        r.register("transactions", "Accepted transactions held", self.transactions.clone());
        r.register("segments", "Files of the journal", self.segments.clone());
        r.register("bytes", "Bytes of the files and of what is written", self.bytes.clone());
        r.register("syncs", "Writes that were synced", self.syncs.clone());
        r.register("sync_seconds", "Duration of writing and syncing", self.sync.clone());
        r.register("full", "Submissions refused because it was full", self.full.clone());
        r.register("failed", "Writes that the disk refused", self.failed.clone());
        r.register("damaged", "Damaged places found in the files", self.damaged.clone());
        r.register("awaited", "Accepted before, not in the pool yet", self.awaited.clone());
        r.register("restored", "Accepted before, in the pool again", self.restored.clone());
    }
}

/// Metrics of gossip.
#[derive(Clone, Debug)]
pub struct GossipMetrics {
    /// Peers with a connection.
    pub(crate) connected: Gauge,
    /// Peers that are kept out for a time because of what they sent.
    pub(crate) banned: Gauge,
    /// Batches that peers acknowledged.
    pub(crate) batches_sent: Counter,
    /// Transactions in those batches.
    pub(crate) transactions_sent: Counter,
    /// Transactions that were or may have been offered to the peer before.
    pub(crate) offered_again: Counter,
    /// Transactions for whose senders a peer had no room.
    pub(crate) later: Counter,
    /// Batches that failed on the way and are sent again.
    pub(crate) batches_failed: Counter,
    /// Batches received whole.
    pub(crate) batches_received: Counter,
    /// Transactions in those batches.
    pub(crate) transactions_received: Counter,
    /// Frames and transactions that no honest peer sends.
    pub(crate) garbage: Counter,
    /// Lines of the log that were left out because a peer caused too many.
    pub(crate) omitted_lines: Counter,
    /// Connections refused: the peer is not on the list, or too many are open or
    /// beginning.
    pub(crate) connections_refused: Counter,
    /// Requests for transactions by hash sent.
    pub(crate) fetches: Counter,
    /// Such requests that were not answered.
    pub(crate) fetches_failed: Counter,
    /// Such requests that a peer put off because of its bound.
    pub(crate) fetches_put_off: Counter,
    /// Peers' such requests that were put off because of theirs.
    pub(crate) answers_put_off: Counter,
    /// Bytes of transactions sent in answer to peers' such requests.
    pub(crate) bytes_served: Counter,
    /// Transactions received in answer to such requests.
    pub(crate) transactions_fetched: Counter,
    /// Transactions sent in answer to peers' such requests.
    pub(crate) transactions_served: Counter,
    /// Questions sent to peers.
    pub(crate) questions: Counter,
    /// Such questions that were not answered.
    pub(crate) questions_failed: Counter,
    /// Peers' questions that were answered.
    pub(crate) questions_answered: Counter,
    /// Peers' questions that were refused or dropped.
    pub(crate) questions_refused: Counter,
    /// Bytes sent in answer to peers' questions.
    pub(crate) answer_bytes_served: Counter,
    /// Seconds from sending a batch to its acknowledgement.
    pub(crate) round_trip: Histogram,
}

impl Default for GossipMetrics {
    fn default() -> Self {
        Self {
            connected: Gauge::default(),
            banned: Gauge::default(),
            batches_sent: Counter::default(),
            transactions_sent: Counter::default(),
            offered_again: Counter::default(),
            later: Counter::default(),
            batches_failed: Counter::default(),
            batches_received: Counter::default(),
            transactions_received: Counter::default(),
            garbage: Counter::default(),
            omitted_lines: Counter::default(),
            connections_refused: Counter::default(),
            fetches: Counter::default(),
            fetches_failed: Counter::default(),
            fetches_put_off: Counter::default(),
            answers_put_off: Counter::default(),
            bytes_served: Counter::default(),
            transactions_fetched: Counter::default(),
            transactions_served: Counter::default(),
            questions: Counter::default(),
            questions_failed: Counter::default(),
            questions_answered: Counter::default(),
            questions_refused: Counter::default(),
            answer_bytes_served: Counter::default(),
            round_trip: Histogram::new([1e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 1.0, 5.0]),
        }
    }
}

impl GossipMetrics {
    /// Registers every metric under `gossip_`.
    pub fn register(&self, registry: &mut Registry) {
        let r = registry.sub_registry_with_prefix("gossip");
        r.register("connected_peers", "Peers with a connection", self.connected.clone());
        r.register("banned_peers", "Peers kept out for a time", self.banned.clone());
        r.register("batches_sent", "Batches acknowledged by peers", self.batches_sent.clone());
        r.register(
            "transactions_sent",
            "Transactions in acknowledged batches",
            self.transactions_sent.clone(),
        );
        r.register(
            "transactions_offered_again",
            "Transactions offered to a peer that may have had them before",
            self.offered_again.clone(),
        );
        r.register(
            "transactions_held_back",
            "Transactions for whose senders a peer had no room",
            self.later.clone(),
        );
        r.register("batches_failed", "Batches to be sent again", self.batches_failed.clone());
        r.register("batches_received", "Batches received whole", self.batches_received.clone());
        r.register(
            "transactions_received",
            "Transactions in received batches",
            self.transactions_received.clone(),
        );
        r.register("garbage", "Input that no honest peer sends", self.garbage.clone());
        r.register(
            "omitted_log_lines",
            "Log lines about peers left out",
            self.omitted_lines.clone(),
        );
        r.register(
            "connections_refused",
            "Connections refused: not on the list, or too many",
            self.connections_refused.clone(),
        );
        r.register(
            "round_trip_seconds",
            "From sending a batch to its acknowledgement",
            self.round_trip.clone(),
        );
        self.register_fetches(r);
        self.register_questions(r);
    }

    /// Requests for transactions by hash, this node's and its peers'.
    fn register_fetches(&self, r: &mut Registry) {
        r.register("fetches", "Requests for transactions by hash", self.fetches.clone());
        r.register("fetches_failed", "Such requests not answered", self.fetches_failed.clone());
        r.register(
            "fetches_put_off",
            "Such requests that a peer put off because of its bound",
            self.fetches_put_off.clone(),
        );
        r.register(
            "answers_put_off",
            "Peers' such requests put off because of their bounds",
            self.answers_put_off.clone(),
        );
        r.register(
            "bytes_served",
            "Bytes of transactions sent in answer to peers' such requests",
            self.bytes_served.clone(),
        );
        r.register(
            "transactions_fetched",
            "Transactions received in answer to such requests",
            self.transactions_fetched.clone(),
        );
        r.register(
            "transactions_served",
            "Transactions sent in answer to peers' such requests",
            self.transactions_served.clone(),
        );
    }

    /// Questions about the chain, this node's and its peers'.
    fn register_questions(&self, r: &mut Registry) {
        r.register("questions", "Questions sent to peers", self.questions.clone());
        r.register(
            "questions_failed",
            "Such questions that were not answered",
            self.questions_failed.clone(),
        );
        r.register(
            "questions_answered",
            "Peers' questions that were answered",
            self.questions_answered.clone(),
        );
        r.register(
            "questions_refused",
            "Peers' questions that were refused or dropped",
            self.questions_refused.clone(),
        );
        r.register(
            "answer_bytes_served",
            "Bytes sent in answer to peers' questions",
            self.answer_bytes_served.clone(),
        );
    }
}
