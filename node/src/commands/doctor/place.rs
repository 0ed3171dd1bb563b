//! What lies on this machine: a node's configuration, its chain specification, its
//! keys, and, while it is stopped, its data.

use super::finding::{Finding, Severity};
use super::{cold, one, reach};
use crate::{
    cold::report::ColdReport,
    commands::keys,
    config::Config,
    database::{chain_directory, load_spec, open_chain},
    disk::Room,
    door,
    files::FileBudget,
    machine, ports,
    release::Needed,
    service,
};
use anyhow::Error;
use billchain_chain_spec::ChainSpec;
use billchain_consensus::{Address, signing_summary};
use billchain_crypto::sm2;
use billchain_executor::Chain;
use billchain_primitives::{Hash, PublicKey};
use billchain_rpc_types::DiskView;
use billchain_runtime::Validators;
use billchain_storage::{OpenMode, StorageError};
use libp2p::PeerId;
use std::{path::Path, time::Duration};

/// Files that a node in production may have open at least.
const GOOD_FILES: u64 = 4_096;

/// The nodes of a chain, as its specification or its state names them.
struct Members {
    /// Where they were read.
    source: String,
    /// Names of validators, with their keys and identities.
    validators: Vec<(String, Address, Option<PeerId>)>,
    observers: Vec<(String, Option<PeerId>)>,
}

/// What was read of a node.
pub(super) struct Place {
    pub(super) config: Config,
    /// Whether the specification could be read.
    pub(super) spec: Option<ChainSpec>,
    network: Option<PeerId>,
    key: Option<sm2::PublicKey>,
}

impl Place {
    /// Reads a configuration and what it names; what cannot be read is found.
    pub(super) fn read(file: &Path, found: &mut Vec<Finding>) -> Option<Self> {
        let about = file.display().to_string();
        let config = match Config::load(file) {
            Ok(config) => config,
            Err(error) => {
                let advice = "Correct it: billchain config sample explains each key.";
                found.push(Finding::critical("config", &about, &error.to_string(), advice));
                return None;
            }
        };
        let mut note = |code, error: Error, advice| {
            found.push(Finding::critical(code, &config.name, &format!("{error:#}"), advice));
        };
        let spec = load_spec(&config.chain_spec)
            .map(|document| document.spec)
            .map_err(|error| {
                let advice = "Get the chain specification from another operator, and compare \
                              its billchain chain-spec hash.";
                note("chain-spec", error, advice);
            })
            .ok();
        let network = keys::load_network(&config.keys.network)
            .map(|key| key.public().to_peer_id())
            .map_err(|error| {
                let advice = "Put the network key back from its backup, or make another and \
                              have the council take it (set-peer-id).";
                note("network-key", error, advice);
            })
            .ok();
        let key = match service::validator_key(&config) {
            Ok(key) => key.map(|key| key.public()),
            Err(error) => {
                let advice = "Put the key file back from its backup, with its password in \
                              keys.password_file or BILLCHAIN_KEY_PASSWORD.";
                note("consensus-key", error, advice);
                None
            }
        };
        Some(Self { config, spec, network, key })
    }

    fn about(&self) -> &str {
        &self.config.name
    }

    /// The identity that peers know the node by.
    pub(super) fn identity(&self) -> Option<PeerId> {
        self.network
    }

    /// Whether the machine has room for the node.
    pub(super) fn room(&self, found: &mut Vec<Finding>) {
        let existing = self.config.data_dir.ancestors().find(|place| place.exists());
        // A relative path's last ancestor is empty.
        let existing = existing.filter(|place| !place.as_os_str().is_empty());
        let disk = existing.and_then(|place| Room::of(place).ok()).map(|room| {
            let least = self.config.storage.min_free_bytes;
            let is_low = room.is_low(least, false);
            DiskView { free: room.free, total: room.total, least, is_low }
        });
        let machine = billchain_rpc_types::MachineView { files: None, ..machine::view(disk) };
        found.extend(one::machine(&machine, self.about()));
        let advice = "Set LimitNOFILE=4096 in the service, or ulimit -Hn.";
        match FileBudget::of_process(self.config.rpc.max_connections) {
            Err(error) => {
                found.push(Finding::critical("files", self.about(), &error.to_string(), advice));
            }
            Ok(budget) if budget.limit < GOOD_FILES => {
                let what = format!("a process may have {} files open here", budget.limit);
                found.push(Finding::warning("files", self.about(), &what, advice));
            }
            Ok(_) => {}
        }
    }

    /// What a stopped node has on disk.
    pub(super) fn stopped(&self, found: &mut Vec<Finding>) {
        let about = self.about();
        if let Err(error) = ports::check(&self.config) {
            let advice = "Stop what listens there (ss -lntup), or give the node other addresses.";
            found.push(Finding::critical("ports", about, &error.to_string(), advice));
        }
        match Needed::read(&self.config) {
            Ok(None) => {}
            Ok(Some(needed)) => {
                let what =
                    format!("it stopped because it needs the release with rules {}", needed.rules);
                let advice = "Start that release: see docs/operations.md, Upgrading.";
                found.push(Finding::warning("release", about, &what, advice));
            }
            Err(error) => {
                let advice = "Remove the file to begin with the newest release.";
                found.push(Finding::warning("release", about, &format!("{error:#}"), advice));
            }
        }
        let chain = self.chain(found);
        self.members(chain.as_ref(), found);
        self.signing_memory(chain.as_ref(), found);
        self.cold(chain.as_ref(), found);
    }

    /// Its cold segments: of a stopped node as its database says, of one that runs as it tells.
    pub(super) fn cold(&self, chain: Option<&Chain>, found: &mut Vec<Finding>) {
        cold::paths(&self.config, found);
        let report = match chain {
            Some(chain) => ColdReport::of(chain.storage()).map(Some).map_err(Error::from),
            None => door::ask_cold(&self.config),
        };
        match report {
            Ok(Some(report)) => cold::segments(self.about(), &report, found),
            Ok(None) => {}
            Err(error) => {
                let advice = "Run billchain cold list as the node's user.";
                let what = format!("its cold segments are not told: {error:#}");
                found.push(Finding::note("cold", self.about(), &what, advice));
            }
        }
    }

    /// The chain in the data directory.
    fn chain(&self, found: &mut Vec<Finding>) -> Option<Chain> {
        self.spec.as_ref()?;
        let about = self.about();
        if !chain_directory(&self.config).exists() {
            let what = format!("there is no database in {}", self.config.data_dir.display());
            let advice = "It begins with the genesis and fetches the chain from its peers: start \
                          it. If it had one before, look for the disk that is not mounted.";
            found.push(Finding::note("no-data", about, &what, advice));
            return None;
        }
        match open_chain(&self.config, OpenMode::MustExist) {
            Ok((_, chain)) => {
                let head = chain.head();
                let what = format!("stopped at block {}, hash {:?}", head.number, head.hash);
                found.push(Finding::note("stopped", about, &what, "Start it."));
                Some(chain)
            }
            Err(error) => {
                found.push(self.closed(&error));
                None
            }
        }
    }

    /// A database that does not open.
    fn closed(&self, error: &Error) -> Finding {
        let locked = error.chain().any(|cause| {
            matches!(cause.downcast_ref::<StorageError>(), Some(StorageError::Locked { .. }))
        });
        let (code, advice) = match locked {
            true => (
                "hangs",
                "A process has it open and answers no RPC: look into its log, and for the \
                 process (ss -lntp, fuser on the lock file).",
            ),
            false => (
                "database",
                "Do what the words say. Before data_dir is replaced, keep its \
                 consensus/signing-memory: see docs/operations.md, A damaged or lost database.",
            ),
        };
        Finding::critical(code, self.about(), &format!("{error:#}"), advice)
    }

    /// Whether keys and peers are of the chain.
    fn members(&self, chain: Option<&Chain>, found: &mut Vec<Finding>) {
        let members = match (chain.map(of_chain), &self.spec) {
            (Some(Ok(members)), _) => members,
            (Some(Err(words)), _) => {
                let advice = "Run billchain check-state.";
                found.push(Finding::critical("database", self.about(), &words, advice));
                return;
            }
            (None, Some(spec)) => of_spec(spec),
            (None, None) => return,
        };
        found.extend(self.keys(&members));
        let known = |id: &PeerId| {
            let validators = members.validators.iter().map(|(_, _, id)| id);
            validators
                .chain(members.observers.iter().map(|(_, id)| id))
                .flatten()
                .any(|one| one == id)
        };
        for peer in self.config.network.peers.iter().filter(|peer| !known(&peer.id)) {
            let what = format!(
                "network.peers names {}, which is no node of the chain {}",
                peer.id, members.source
            );
            let advice = "Correct its identity (billchain keys peer-id on that machine), or \
                          remove the address.";
            found.push(Finding::warning("peer-unknown", self.about(), &what, advice));
        }
    }

    /// Whether the node's own keys are of the chain, and of one member.
    fn keys(&self, members: &Members) -> Vec<Finding> {
        let (about, source) = (self.about(), &members.source);
        let mut found = Vec::new();
        let key = self.key.as_ref().map(Address::from_public_key);
        let of_key = key.and_then(|key| members.validators.iter().find(|(_, one, _)| *one == key));
        if let (Some(key), None) = (&self.key, of_key) {
            let what = format!(
                "keys.consensus {} is no validator's {source}",
                PublicKey::Sm2(key.to_compressed())
            );
            let advice = "Put the key that the council has on its list into keys.consensus, or \
                          leave it out of an observer's configuration; a new validator is added \
                          by motion (billchain admin validators add).";
            found.push(Finding::critical("key", about, &what, advice));
        }
        let Some(network) = self.network else { return found };
        let validator = members.validators.iter().find(|(_, _, id)| *id == Some(network));
        let observer = members.observers.iter().find(|(_, id)| *id == Some(network));
        match (validator, observer, of_key) {
            (None, None, _) => {
                let what =
                    format!("keys.network {network} is of no validator or observer {source}");
                let advice = "Put the right key there, or have the council take this identity \
                              (billchain admin validators set-peer-id, observers add).";
                found.push(Finding::critical("identity", about, &what, advice));
            }
            (Some((of_network, key, _)), _, Some((of_key, other, _))) if key != other => {
                let what = format!(
                    "keys.consensus is {of_key}'s and keys.network {of_network}'s {source}"
                );
                let advice = "Put the two keys of one operator there: a key at two machines may \
                              sign twice.";
                found.push(Finding::critical("keys-apart", about, &what, advice));
            }
            (Some((name, _, _)), _, None) if self.config.keys.consensus.is_none() => {
                let what = format!("it is the node of validator {name} and has no consensus key");
                let advice = "Name the key in keys.consensus; without it this validator does not \
                              vote.";
                found.push(Finding::warning("no-key", about, &what, advice));
            }
            _ => {}
        }
        found
    }

    /// Whether the memory of signatures is this key's.
    fn signing_memory(&self, chain: Option<&Chain>, found: &mut Vec<Finding>) {
        let (Some(key), Some(chain)) = (&self.key, chain) else { return };
        let (about, path) = (self.about(), self.config.signing_memory());
        let advice = "Put the file back that belongs to the key, or see docs/operations.md, What \
                      a validator has signed.";
        let summary = match signing_summary(&path) {
            Ok(Some(summary)) => summary,
            Ok(None) => return,
            Err(error) => {
                found.push(Finding::critical("signing-memory", about, &error.to_string(), advice));
                return;
            }
        };
        let own = Address::from_public_key(key);
        let of =
            |genesis: Hash, signer: Address| format!("validator {signer} of chain {genesis:?}");
        let (has, expected) = (of(summary.genesis, summary.signer), of(chain.genesis_hash(), own));
        if has != expected {
            let what = format!("{} is of {has}, expected {expected}", path.display());
            found.push(Finding::critical("signing-memory", about, &what, advice));
        }
        let head = u64::from(chain.head().number);
        if summary.height > head.saturating_add(1) {
            let what = format!(
                "it may have signed up to height {}, and its newest block is {head}",
                summary.height
            );
            let advice = "It follows without its vote up to there, by itself.";
            found.push(Finding::note("abstains", about, &what, advice));
        }
    }

    /// Whether its peers can be reached from here.
    pub(super) async fn peers(&self, patience: Duration, found: &mut Vec<Finding>) {
        let asked = self
            .config
            .network
            .peers
            .iter()
            .map(|peer| async move { (peer.id, reach::peer(peer, patience).await) });
        for (id, (tcp, udp)) in futures::future::join_all(asked).await {
            let advice = "Look whether that node runs, and open its p2p port in the firewalls \
                          for TCP and UDP.";
            let mut note = |code, protocol, reached: reach::Reached| {
                let Err(words) = reached else { return };
                let what = format!("{id} is not reached by {protocol} at {words}");
                found.push(Finding::new(Severity::Warning, code, self.about(), &what, advice));
            };
            note("peer-tcp", "TCP", tcp);
            note("peer-udp", "UDP", udp);
        }
    }
}

/// The nodes at the head of a chain.
fn of_chain(chain: &Chain) -> Result<Members, String> {
    let read = || (Validators::validators(), Validators::observers());
    let (validators, observers) = chain.read(read).map_err(|error| error.to_string())?;
    let validator = |one: pallet_validators::Validator| {
        let key = sm2::PublicKey::from_compressed(&one.consensus_key).ok()?;
        let id = PeerId::from_bytes(&one.peer_id).ok();
        Some((one.name.to_string(), Address::from_public_key(&key), id))
    };
    let observer = |one: pallet_validators::Observer| {
        (one.name.to_string(), PeerId::from_bytes(&one.peer_id).ok())
    };
    Ok(Members {
        source: format!("at block {}", chain.head().number),
        validators: validators.into_iter().filter_map(validator).collect(),
        observers: observers.into_iter().map(observer).collect(),
    })
}

/// The nodes that a chain begins with.
fn of_spec(spec: &ChainSpec) -> Members {
    let validators = spec.operators.iter().filter_map(|one| {
        let PublicKey::Sm2(key) = &one.consensus_key else { return None };
        let key = sm2::PublicKey::from_compressed(key).ok()?;
        Some((one.name.to_string(), Address::from_public_key(&key), one.peer_id.parse().ok()))
    });
    let observers =
        spec.observers.iter().map(|one| (one.name.to_string(), one.peer_id.parse().ok()));
    Members {
        source: "in the chain specification".to_owned(),
        validators: validators.collect(),
        observers: observers.collect(),
    }
}
