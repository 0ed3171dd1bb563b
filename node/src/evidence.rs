//! Equivocations that this node has seen and the chain has not recorded yet.
//!
//! Consensus reports them, a block of this node tells the chain, and what a block
//! has recorded is forgotten here. They lie in one small file that is written
//! when they change, which is hardly ever, so that a restart loses none. The file
//! is a copy of what the other validators have seen too: one that is damaged is
//! set aside, and the node goes on without it.
//!
//! What is held is bounded: only what the chain could record is taken up, so a
//! stranger takes no room, and of one key no more than the chain records.

use crate::durable;
use anyhow::{Context, Result};
use billchain_crypto::sm3::sm3;
use billchain_primitives::{AccountId, Equivocation, Offence};
use codec::{Decode, Encode};
use parking_lot::Mutex;
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// First bytes of the file: name and version of the format.
const MAGIC: &[u8; 8] = b"BCEVID01";
/// Bytes that are read of a file at most: far more than is ever held.
const MAX_BYTES: u64 = 4 << 20;
/// Equivocations of one key that are held: as many as the chain records.
const PER_KEY: usize = pallet_validators::MAX_RECORDS as usize;

/// What is counted.
#[derive(Clone, Default)]
pub(crate) struct EvidenceMetrics {
    /// Equivocations that wait for a block of this node.
    held: Gauge,
    /// Equivocations on the chain's record.
    recorded: Gauge,
}

impl EvidenceMetrics {
    /// Registers every metric.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "equivocations_held",
            "Equivocations seen here that the chain has not recorded",
            self.held.clone(),
        );
        registry.register(
            "equivocations_recorded",
            "Equivocations on the chain's record",
            self.recorded.clone(),
        );
    }

    /// Sets the number on the chain's record.
    pub(crate) fn set_recorded(&self, recorded: usize) {
        self.recorded.set(i64::try_from(recorded).unwrap_or(i64::MAX));
    }
}

/// See the module's documentation.
pub(crate) struct Evidence {
    path: PathBuf,
    held: Mutex<BTreeMap<Offence, Equivocation>>,
    metrics: EvidenceMetrics,
}

impl Evidence {
    /// What a file says; nothing if there is none.
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let found = read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let held = match found {
            Contents::Nothing => Vec::new(),
            Contents::Held(held) => held,
            Contents::Damaged => {
                let aside = path.with_extension("damaged");
                tracing::warn!(
                    file = %path.display(), aside = %aside.display(),
                    "the file of equivocations is damaged and set aside; other validators have \
                     seen what it held"
                );
                fs::rename(&path, &aside)
                    .with_context(|| format!("cannot set {} aside", path.display()))?;
                Vec::new()
            }
        };
        let held: BTreeMap<_, _> = held.into_iter().map(|one| (one.offence(), one)).collect();
        let metrics = EvidenceMetrics::default();
        metrics.held.set(held.len() as i64);
        Ok(Self { path, held: Mutex::new(held), metrics })
    }

    pub(crate) fn metrics(&self) -> &EvidenceMetrics {
        &self.metrics
    }

    /// What is held, in the order of the offences.
    pub(crate) fn held(&self) -> Vec<Equivocation> {
        self.held.lock().values().cloned().collect()
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.lock().is_empty()
    }

    /// Takes up what the chain could record, one for each offence, as many of a
    /// key as there is room for.
    pub(crate) fn add(&self, recordable: Vec<Equivocation>) -> Result<()> {
        let mut held = self.held.lock();
        let mut is_changed = false;
        for equivocation in recordable {
            let offence = equivocation.offence();
            let has_room = of_key(&held, &offence.offender) < PER_KEY;
            if has_room && !held.contains_key(&offence) {
                held.insert(offence, equivocation);
                is_changed = true;
            }
        }
        if is_changed { self.write(&held) } else { Ok(()) }
    }

    /// Forgets all but `recordable`.
    pub(crate) fn keep(&self, recordable: &[Equivocation]) -> Result<()> {
        let mut held = self.held.lock();
        let before = held.len();
        held.retain(|_, one| recordable.contains(one));
        if held.len() == before { Ok(()) } else { self.write(&held) }
    }

    /// The file is whole or as before, whenever the power fails.
    fn write(&self, held: &BTreeMap<Offence, Equivocation>) -> Result<()> {
        self.metrics.held.set(held.len() as i64);
        let body = held.values().collect::<Vec<_>>().encode();
        let bytes = [MAGIC, &body[..], &sm3(&body)].concat();
        durable::replace(&self.path, &bytes).with_context(|| {
            format!(
                "cannot write equivocations to {}; make room or replace the disk, then start the \
                 node again",
                self.path.display()
            )
        })
    }
}

fn of_key(held: &BTreeMap<Offence, Equivocation>, offender: &AccountId) -> usize {
    held.keys().filter(|offence| offence.offender == *offender).count()
}

/// What a file holds.
enum Contents {
    Nothing,
    Held(Vec<Equivocation>),
    Damaged,
}

fn read(path: &Path) -> io::Result<Contents> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Contents::Nothing),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(parse(&bytes).map_or(Contents::Damaged, Contents::Held))
}

fn parse(bytes: &[u8]) -> Option<Vec<Equivocation>> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (mut body, sum) = rest.split_last_chunk::<32>()?;
    if sm3(body) != *sum {
        return None;
    }
    Vec::decode(&mut body).ok().filter(|_| body.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_primitives::{SignedStatement, Statement};

    /// One that proves nothing: the store takes what the chain has judged.
    fn equivocation(key: u8, height: u64) -> Equivocation {
        let says = |block: u8| SignedStatement {
            statement: Statement::Prevote { block: Some([block; 32].into()) },
            signature: [key; 64],
        };
        Equivocation::new(AccountId::new([key; 32]), height, 0, [says(1), says(2)])
    }

    fn scratch() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("consensus").join("evidence");
        (directory, path)
    }

    #[test]
    fn what_is_held_survives_a_restart_until_it_is_recorded() {
        let (_directory, path) = scratch();
        let evidence = Evidence::open(path.clone()).unwrap();
        assert!(evidence.is_empty() && !path.exists(), "nothing held is no file");
        let (one, other) = (equivocation(1, 5), equivocation(2, 5));
        evidence.add(vec![one.clone(), other.clone(), one.clone()]).unwrap();
        let again = Evidence::open(path.clone()).unwrap();
        assert_eq!(again.held(), [one, other.clone()]);
        assert_eq!(again.metrics.held.get(), 2);
        again.keep(std::slice::from_ref(&other)).unwrap();
        assert_eq!(Evidence::open(path).unwrap().held(), [other]);
    }

    #[test]
    fn one_key_takes_no_room_of_another() {
        let (_directory, path) = scratch();
        let evidence = Evidence::open(path).unwrap();
        let many = (0..1_000).map(|height| equivocation(1, height)).collect();
        evidence.add(many).unwrap();
        assert_eq!(evidence.held().len(), PER_KEY);
        evidence.add(vec![equivocation(2, 1)]).unwrap();
        assert_eq!(evidence.held().len(), PER_KEY + 1);
    }

    #[test]
    fn a_damaged_or_cut_file_is_set_aside() {
        let (_directory, path) = scratch();
        Evidence::open(path.clone()).unwrap().add(vec![equivocation(1, 5)]).unwrap();
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[20] ^= 1;
        let cases = [flipped, whole[..whole.len() - 1].to_vec(), Vec::new(), vec![0; 100]];
        for bytes in cases {
            fs::write(&path, &bytes).unwrap();
            assert!(Evidence::open(path.clone()).unwrap().is_empty());
            assert_eq!(fs::read(path.with_extension("damaged")).unwrap(), bytes);
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let (directory, _) = scratch();
        let path = directory.path().join("no directory").join("evidence");
        fs::write(directory.path().join("no directory"), b"a file").unwrap();
        let error = match Evidence::open(path.clone()) {
            // Where the system says that nothing can be there, it is not read.
            Err(error) => format!("{error:#}"),
            Ok(evidence) => format!("{:#}", evidence.add(vec![equivocation(1, 1)]).unwrap_err()),
        };
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
}
