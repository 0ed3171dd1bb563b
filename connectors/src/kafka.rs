//! Kafka, for platforms that live on it [3]: a topic a category (`PREFIX.bills`, `PREFIX.grants`,
//! `PREFIX.participants`), the subject as key, the event (see [`crate::event`]) as value.
//!
//! Records lie in exactly the chain's order: within a topic if it has one partition, else
//! within each partition, of which a subject always has the same. Headers name the entry
//! (`seq`, `id`), the block (`height`) and the form (`format`); the record's time is the
//! block's, so that a consumer resumes from a height by time, or by the header.
//!
//! **Once.** Before the first record and after every failure the last record of the partition
//! is read: entries up to its `seq` are there already and are not written again. So an answer
//! that was lost, a worker that was killed and one that takes over write nothing twice. Two
//! workers write at the same time only if one was stopped for longer than its lease and wakes
//! in the middle of a request; a consumer sees that by `seq`, which rises strictly otherwise.
//!
//! Nothing is ever refused for what it says, so nothing here becomes a dead letter and order
//! holds.

use async_trait::async_trait;
use billchain_crypto::sm3::sm3;
use billchain_primitives::outbox::ConnectorId;
use billchain_workers::{Connector, Failure, Making, Notice, Told, Tools};
use rskafka::{
    BackoffConfig,
    chrono::DateTime,
    client::{
        Client, ClientBuilder, Credentials, SaslConfig,
        error::{Error, ProtocolError},
        partition::{Compression, OffsetAt, PartitionClient, UnknownTopicHandling},
    },
    record::Record,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeMap, future::Future, path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::Mutex;

use crate::{
    event::{FORMAT as EVENT, Parts, category, subject_text},
    settings::{self, Problems},
};

/// Name of the format.
pub const FORMAT: &str = "kafka/1";
/// Longest message of the broker, in bytes.
const MAX_MESSAGE: usize = 16 << 20;
/// Bytes of one look at the end of a partition.
const LOOK: i32 = 4 << 20;
/// Most records that are read to find the last one of ours.
const MAX_LOOKS: usize = 16;

/// The operator's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Brokers, as `host:port`.
    pub brokers: Vec<String>,
    /// What topics begin with.
    pub prefix: String,
    /// Partitions of a topic that this connector makes; 1: the whole topic is in order.
    #[serde(default = "one")]
    pub partitions: i32,
    /// Copies of a topic that this connector makes.
    #[serde(default = "one_copy")]
    pub replication: i16,
    /// Records of one request.
    #[serde(default = "batch")]
    pub batch: usize,
    /// How long a request may take, in milliseconds.
    #[serde(default = "request_ms")]
    pub request_ms: u64,
    /// PEM file of the authorities for TLS; none: plain.
    pub authorities: Option<PathBuf>,
    /// Name for SASL (SCRAM-SHA-256); none: no SASL.
    pub user: Option<String>,
    /// File with its password.
    pub password_file: Option<PathBuf>,
}

const fn one() -> i32 {
    1
}
const fn one_copy() -> i16 {
    1
}
const fn batch() -> usize {
    500
}
const fn request_ms() -> u64 {
    10_000
}

/// A partition, and what is known of its end.
struct Partition {
    client: PartitionClient,
    /// The highest entry in it, where that is known; outer none: it has to be read.
    end: Option<Option<u64>>,
}

#[derive(Default)]
struct State {
    client: Option<Client>,
    partitions: BTreeMap<(String, i32), Partition>,
}

struct Kafka {
    settings: Settings,
    tls: Option<Arc<rustls::ClientConfig>>,
    sasl: Option<SaslConfig>,
    connector: ConnectorId,
    tools: Arc<Tools>,
    state: Mutex<State>,
}

/// Builds the connector.
pub fn build(making: Making) -> Result<Box<dyn Connector>, String> {
    let settings: Settings = settings::read(making.settings)?;
    let mut problems = Problems::default();
    let brokers = settings.brokers.join(",");
    let are_hosts = settings.brokers.iter().all(|broker| {
        broker
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    });
    let is_number = (1..=64).contains(&settings.brokers.len());
    problems.expect(are_hosts && is_number, "brokers", "1 to 64 of host:port", &brokers);
    let is_name = (1..=200).contains(&settings.prefix.len())
        && settings
            .prefix
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    problems.expect(
        is_name,
        "prefix",
        "1 to 200 of a-z, A-Z, 0-9, '.', '_', '-'",
        &settings.prefix,
    );
    for (name, holds, found) in [
        ("partitions", (1..=256).contains(&settings.partitions), settings.partitions.to_string()),
        ("replication", (1..=16).contains(&settings.replication), settings.replication.to_string()),
        ("batch", (1..=2_000).contains(&settings.batch), settings.batch.to_string()),
        (
            "request_ms",
            (1..=600_000).contains(&settings.request_ms),
            settings.request_ms.to_string(),
        ),
    ] {
        problems.expect(holds, name, "a number in its range", &found);
    }
    let tls = settings.authorities.clone().and_then(|path| problems.take(tls(&path)));
    let password = settings.password_file.clone();
    let password =
        password.and_then(|path| problems.take(settings::secret("password_file", &path)));
    let together = settings.user.is_some() == settings.password_file.is_some();
    problems.expect(together, "user", "to stand with password_file, or neither", "one of them");
    problems.end()?;
    let sasl =
        settings.user.clone().zip(password).map(|(username, password)| {
            SaslConfig::ScramSha256(Credentials { username, password })
        });
    let (connector, tools) = (making.connector, making.tools);
    Ok(Box::new(Kafka { settings, tls, sasl, connector, tools, state: Mutex::default() }))
}

fn tls(path: &PathBuf) -> Result<Arc<rustls::ClientConfig>, String> {
    let problem = |what: String| format!("settings.authorities: {}: {what}", path.display());
    let mut roots = rustls::RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| problem(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| problem(error.to_string()))?;
        roots.add(certificate).map_err(|error| problem(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(problem("no certificate is in it".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| problem(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The partition of a subject: always the same, for all workers.
fn partition_of(subject: &str, partitions: i32) -> i32 {
    let digest = sm3(subject.as_bytes());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let partitions = u32::try_from(partitions).unwrap_or(1).max(1);
    i32::try_from(number % partitions).unwrap_or(0)
}

/// The entry that a record of ours is about.
pub fn seq_of(record: &Record) -> Option<u64> {
    let bytes = record.headers.get("seq")?;
    if bytes.is_empty() || bytes.len() > 20 || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

impl Kafka {
    async fn within<T>(&self, what: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        let limit = Duration::from_millis(self.settings.request_ms);
        match tokio::time::timeout(limit, what).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(Failure::passing(format!("Kafka: {error:.200}"))),
            Err(_) => Err(Failure::passing(format!("Kafka: no answer within {limit:?}"))),
        }
    }

    async fn connect(&self) -> Result<Client, Failure> {
        // The client's own repetitions would write records twice, so it has none: with a
        // deadline of nothing it gives up at the first failure.
        let backoff = BackoffConfig { deadline: Some(Duration::ZERO), ..BackoffConfig::default() };
        let mut builder = ClientBuilder::new(self.settings.brokers.clone())
            .client_id("billchain")
            .max_message_size(MAX_MESSAGE)
            .backoff_config(backoff);
        if let Some(tls) = &self.tls {
            builder = builder.tls_config(tls.clone());
        }
        if let Some(sasl) = &self.sasl {
            builder = builder.sasl_config(sasl.clone());
        }
        self.within(builder.build()).await
    }

    /// The partition for a topic, made with its topic if need be.
    async fn partition<'a>(
        &self,
        state: &'a mut State,
        topic: &str,
        number: i32,
    ) -> Result<&'a mut Partition, Failure> {
        let State { client, partitions } = state;
        let client = match client {
            Some(client) => client,
            None => client.insert(self.connect().await?),
        };
        let key = (topic.to_owned(), number);
        if !partitions.contains_key(&key) {
            let topics = self.within(client.list_topics()).await?;
            if !topics.iter().any(|known| known.name == topic) {
                let controller = client.controller_client();
                let controller =
                    controller.map_err(|error| Failure::passing(format!("Kafka: {error:.200}")))?;
                let Settings { partitions, replication, .. } = self.settings;
                let made = controller.create_topic(topic, partitions, replication, 5_000);
                match self
                    .within(async {
                        match made.await {
                            // Another worker was first.
                            Err(Error::ServerError {
                                protocol_error: ProtocolError::TopicAlreadyExists,
                                ..
                            }) => Ok(()),
                            other => other,
                        }
                    })
                    .await
                {
                    Ok(()) => {}
                    Err(failure) => return Err(failure),
                }
            }
            let opened = client.partition_client(topic, number, UnknownTopicHandling::Error);
            let client = self.within(opened).await?;
            partitions.insert(key.clone(), Partition { client, end: None });
        }
        partitions.get_mut(&key).ok_or_else(|| Failure::passing("Kafka: the partition is gone"))
    }

    /// The highest entry in a partition.
    async fn end(&self, client: &PartitionClient) -> Result<Option<u64>, Failure> {
        let latest = self.within(client.get_offset(OffsetAt::Latest)).await?;
        let earliest = self.within(client.get_offset(OffsetAt::Earliest)).await?;
        // Records of somebody else, and marks of transactions, may lie behind ours.
        let mut from = latest - 1;
        for _ in 0..MAX_LOOKS {
            if from < earliest {
                return Ok(None);
            }
            let (records, _) = self.within(client.fetch_records(from, 1..LOOK, 500)).await?;
            let ours = records.iter().filter(|record| record.offset >= from);
            if let Some(seq) = ours.filter_map(|record| seq_of(&record.record)).max() {
                return Ok(Some(seq));
            }
            from -= ((latest - from) * 2).max(1);
            if from < earliest && earliest < latest {
                from = earliest;
            }
        }
        Err(Failure::passing(
            "Kafka: the end of the partition is full of records that are not ours",
        ))
    }

    fn record(&self, notice: &Notice, subject: &str) -> Record {
        let value = Parts::of(notice).event(self.tools.chain.genesis(), self.connector).to_string();
        let entry = &notice.entry;
        let headers = [
            ("seq", notice.seq.to_string()),
            ("id", notice.key_hex()),
            ("height", entry.block.to_string()),
            ("format", EVENT.to_owned()),
        ];
        let moment = i64::try_from(entry.moment).unwrap_or(i64::MAX);
        Record {
            key: Some(subject.as_bytes().to_vec()),
            value: Some(value.into_bytes()),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into_bytes()))
                .collect(),
            timestamp: DateTime::from_timestamp_millis(moment).unwrap_or_default(),
        }
    }

    /// Writes what is not there yet of one partition's entries.
    async fn write(
        &self,
        state: &mut State,
        place: &(String, i32),
        notices: &[&Notice],
    ) -> Result<Vec<Told>, Failure> {
        let partition = self.partition(state, &place.0, place.1).await?;
        let end = match partition.end {
            Some(end) => end,
            None => self.end(&partition.client).await?,
        };
        let new: Vec<&&Notice> =
            notices.iter().filter(|notice| end.is_none_or(|end| notice.seq > end)).collect();
        let records: Vec<Record> = new
            .iter()
            .map(|notice| self.record(notice, &subject_text(&notice.entry.subject)))
            .collect();
        // Until the answer is there nobody knows where the partition ends.
        partition.end = None;
        let written = partition.client.produce(records, Compression::NoCompression);
        let offsets = self.within(written).await?;
        let last = new.last().map(|notice| notice.seq);
        partition.end = Some(last.max(end));
        let mut offsets = offsets.into_iter();
        let told = notices.iter().map(|notice| {
            let is_new = end.is_none_or(|end| notice.seq > end);
            let offset = if is_new { offsets.next() } else { None };
            let answer = json!({
                "topic": place.0, "partition": place.1, "seq": notice.seq, "offset": offset,
                "there_before": !is_new,
            });
            Told { answer: answer.to_string().into_bytes() }
        });
        Ok(told.collect())
    }
}

#[async_trait]
impl Connector for Kafka {
    fn batch(&self) -> usize {
        self.settings.batch
    }

    fn keeps_order(&self) -> bool {
        true
    }

    async fn deliver(&self, notices: &[Notice]) -> Vec<Result<Told, Failure>> {
        let mut state = self.state.lock().await;
        let mut places = BTreeMap::<(String, i32), Vec<usize>>::new();
        for (at, notice) in notices.iter().enumerate() {
            let subject = subject_text(&notice.entry.subject);
            let topic = format!("{}.{}", self.settings.prefix, category(&notice.entry.subject));
            let number = partition_of(&subject, self.settings.partitions);
            places.entry((topic, number)).or_default().push(at);
        }
        let mut outcomes: Vec<Result<Told, Failure>> =
            notices.iter().map(|_| Err(Failure::passing("not written"))).collect();
        for (place, at) in places {
            let some: Vec<&Notice> = at.iter().map(|at| &notices[*at]).collect();
            match self.write(&mut state, &place, &some).await {
                Ok(told) => at.iter().zip(told).for_each(|(at, told)| outcomes[*at] = Ok(told)),
                Err(failure) => {
                    // A broken connection is not used again.
                    *state = State::default();
                    at.iter().for_each(|at| outcomes[*at] = Err(failure.clone()));
                }
            }
        }
        outcomes
    }

    async fn probe(&self) -> Result<(), Failure> {
        let client = self.connect().await?;
        self.within(client.list_topics()).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_has_one_partition() {
        for partitions in [1, 3, 256] {
            let number = partition_of("31060125-0000000001", partitions);
            assert!((0..partitions).contains(&number));
            assert_eq!(number, partition_of("31060125-0000000001", partitions));
        }
        // A fixture: another worker of another version has to choose the same.
        assert_eq!(partition_of("31060125-0000000001", 1 << 20), FIXTURE);
    }

    const FIXTURE: i32 = 294_480;

    #[test]
    fn only_digits_are_a_number_of_an_entry() {
        let of = |text: &str| {
            let headers = BTreeMap::from([("seq".to_owned(), text.as_bytes().to_vec())]);
            seq_of(&Record { key: None, value: None, headers, timestamp: DateTime::default() })
        };
        assert_eq!(of("17"), Some(17));
        assert_eq!(of(&u64::MAX.to_string()), Some(u64::MAX));
        for bad in ["", "+1", "-1", "1 ", "99999999999999999999", "0x1"] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }
}
