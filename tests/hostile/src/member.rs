//! The validator that misbehaves: its keys, and what it can sign with them.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use billchain_chain_spec::ChainSpec;
use billchain_consensus::{Address as ValidatorAddress, Height, Round, Validator, ValidatorSet};
use billchain_crypto::keyfile;
use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_crypto::sm3::sm3;
use billchain_primitives::{
    ConsensusDomain, Hash, PublicKey, Purpose, Statement as Signed, StatementContext,
};
use libp2p::identity::Keypair;

use crate::wire::{Address, Announcement, Kind, Part, Proposal, Signature, Vote};

/// Another node, as this one's configuration has it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address on the consensus network, without the identity.
    pub tcp: String,
    /// Its address for transactions.
    pub quic: String,
    /// Its identity.
    pub id: String,
}

/// See the module's documentation.
pub struct Member {
    /// Its address among the validators.
    pub address: Address,
    /// The validators of every height: nothing here changes them.
    pub validators: ValidatorSet,
    /// Genesis of the chain.
    pub genesis: Hash,
    /// Its identity on both networks.
    pub network: Keypair,
    /// Where it listens, as address and port.
    pub listen: (String, u16),
    /// The other nodes.
    pub peers: Vec<Peer>,
    key: SecretKey,
    domain: ConsensusDomain,
}

impl Member {
    /// Takes over the keys of a node's directory as `billchain devnet` makes it.
    pub fn open(home: &Path, genesis: &str) -> Result<Self> {
        let read = |name: &str| {
            let path = home.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let config: toml::Table = read("node.toml")?.parse()?;
        let network = config.get("network").and_then(toml::Value::as_table).context("[network]")?;
        let listen = network.get("listen").and_then(toml::Value::as_str).context("listen")?;
        let (ip, port) = listen.rsplit_once(':').context("network.listen: no port")?;
        let peers = network.get("peers").and_then(toml::Value::as_array).context("peers")?;
        let password = read("password")?;
        let key = keyfile::decrypt_from_pem(&read("consensus.pem")?, password.trim().as_bytes())?;
        let seed = hex::decode(read("network.key")?.trim())?;
        let genesis = Hash::from_str(genesis).context("--genesis: expected a block's hash")?;
        Ok(Self {
            address: *ValidatorAddress::from_public_key(&key.public()).as_bytes(),
            validators: validators(&ChainSpec::from_json(&read("../chain.json")?)?)?,
            genesis,
            network: Keypair::ed25519_from_bytes(seed)?,
            listen: (ip.to_owned(), port.parse()?),
            peers: peers.iter().map(peer).collect::<Result<_>>()?,
            key,
            domain: ConsensusDomain::new(genesis),
        })
    }

    /// Its place among those that take turns: it proposes where height and round add
    /// up to this, modulo their number.
    pub fn turn(&self) -> Option<usize> {
        let mut validators = self.validators.as_slice().iter();
        validators.position(|validator| *validator.address().as_bytes() == self.address)
    }

    /// Whether a round is this member's to propose in.
    pub fn proposes(&self, height: u64, round: u32) -> bool {
        let proposer = self.validators.proposer(Height::new(height), Round::new(round));
        *proposer.address().as_bytes() == self.address
    }

    fn sign(&self, bytes: &[u8]) -> Signature {
        self.key.sign(DEFAULT_ID, bytes).to_bytes()
    }

    fn signed(&self, height: u64, round: u32, statement: &Signed) -> Signature {
        let context = StatementContext { height, round: Some(round), signer: self.address };
        self.sign(&self.domain.statement_bytes(&context, statement))
    }

    /// A vote of its own.
    pub fn vote(&self, kind: Kind, height: u64, round: u32, value: Option<Hash>) -> Vote {
        let statement = match kind {
            Kind::Prevote => Signed::Prevote { block: value },
            Kind::Precommit => Signed::Precommit { block: value },
        };
        let signature = self.signed(height, round, &statement);
        Vote { kind, height, round, value, voter: self.address, signature }
    }

    /// A proposal of its own, whether or not it is its turn and there is the polka
    /// that it claims.
    pub fn proposal(&self, height: u64, round: u32, value: Hash, polka: Option<u32>) -> Proposal {
        let statement = Signed::Proposal { block: value, valid_round: polka };
        let signature = self.signed(height, round, &statement);
        Proposal { height, round, value, pol_round: polka, proposer: self.address, signature }
    }

    /// An announcement of its own of a block of these bytes, in one of the forms.
    pub fn announce(&self, block: &Claim, compact: Option<u32>) -> Part {
        let announced = Announcement {
            height: block.height,
            round: block.round,
            proposer: self.address,
            block_hash: block.hash,
            size: block.size,
            content: block.content,
        };
        let signature = self.sign(&self.domain.message_bytes(Purpose::Announcement, &announced));
        match compact {
            Some(size) => Part::InitCompact(announced, signature, size),
            None => Part::Init(announced, signature),
        }
    }
}

/// A block that is announced, whether or not it exists.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Where.
    pub height: u64,
    /// Where.
    pub round: u32,
    /// Its hash.
    pub hash: Hash,
    /// Its bytes.
    pub size: u32,
    /// SM3 of them.
    pub content: [u8; 32],
}

impl Claim {
    /// A block that consists of these bytes.
    pub fn of(height: u64, round: u32, hash: Hash, bytes: &[u8]) -> Self {
        Self { height, round, hash, size: bytes.len() as u32, content: sm3(bytes) }
    }
}

fn validators(spec: &ChainSpec) -> Result<ValidatorSet> {
    let mut validators = Vec::new();
    for operator in &spec.operators {
        let PublicKey::Sm2(key) = &operator.consensus_key else {
            bail!("operator {}: no SM2 key", operator.peer_id)
        };
        let key = billchain_crypto::sm2::PublicKey::from_compressed(key)?;
        validators.push(Validator::new(key, operator.power));
    }
    Ok(ValidatorSet::new(validators)?)
}

fn peer(text: &toml::Value) -> Result<Peer> {
    let text = text.as_str().context("peers: expected text")?;
    let (tcp, id) = text.split_once("/p2p/").context("peers: no identity")?;
    let (ip, port) = tcp.split_once("/tcp/").context("peers: no TCP port")?;
    let quic = format!("{ip}/udp/{port}/quic-v1");
    Ok(Peer { tcp: tcp.to_owned(), quic, id: id.to_owned() })
}
