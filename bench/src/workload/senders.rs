//! Who sends: the development chain's issuers and claimants, each bound to one
//! node, where its transactions arrive in the order of their nonces.

use super::random::Zipf;
use billchain_client::{ClientError, Connection, Signer};
use billchain_primitives::Nonce;

/// Development seeds of the claimants; the development chain has them on every
/// scene's whitelist.
pub(crate) const INSURERS: [&str; 2] = ["//insurer-a", "//insurer-b"];

/// Who sends, by number: the issuers, then the claimants.
pub(crate) struct Senders {
    list: Vec<Sender>,
    issuers: usize,
}

#[derive(Clone)]
struct Sender {
    signer: Signer,
    /// Index of its node.
    node: usize,
    /// Its next nonce.
    nonce: Nonce,
}

impl Senders {
    /// The first `issuers` of the development chain and the claimants, with
    /// the nonces that their nodes know.
    pub(crate) async fn open(nodes: &[Connection], issuers: usize) -> Result<Self, ClientError> {
        let homes = homes(issuers, nodes.len());
        let seeds = (1..=issuers)
            .map(|number| format!("//hospital-{number}"))
            .chain(INSURERS.map(str::to_owned));
        let mut list = Vec::new();
        for (seed, node) in seeds.zip(homes) {
            let signer = Signer::development(&seed);
            let nonce = nodes[node].nonce(&signer.account()).await?;
            list.push(Sender { signer, node, nonce });
        }
        Ok(Self { list, issuers })
    }

    /// The same keys for a chain that is not asked, all nonces 0.
    pub(crate) fn fresh(issuers: usize) -> Self {
        let seeds = (1..=issuers).map(|number| format!("//hospital-{number}"));
        let list = seeds
            .map(|seed| Sender { signer: Signer::development(&seed), node: 0, nonce: 0 })
            .collect();
        Self { list, issuers }
    }

    pub(crate) fn signer(&self, sender: usize) -> &Signer {
        &self.list[sender].signer
    }

    /// Index of a sender's node.
    pub(crate) fn node(&self, sender: usize) -> usize {
        self.list[sender].node
    }

    /// Takes a sender's next nonce.
    pub(crate) fn take_nonce(&mut self, sender: usize) -> Nonce {
        let nonce = &mut self.list[sender].nonce;
        *nonce += 1;
        *nonce - 1
    }

    /// Sets a sender's next nonce.
    pub(crate) fn set_nonce(&mut self, sender: usize, nonce: Nonce) {
        self.list[sender].nonce = nonce;
    }

    /// How many issuers there are.
    pub(crate) fn issuers(&self) -> usize {
        self.issuers
    }

    /// The issuers of a node.
    pub(crate) fn issuers_at(&self, node: usize) -> Vec<usize> {
        (0..self.issuers).filter(|issuer| self.list[*issuer].node == node).collect()
    }

    /// Whether a sender signs at the moment of sending: a lock says when it
    /// was signed, and a claimant's nonces follow from the order in which its
    /// locks can be sent.
    pub(crate) fn signs_late(&self, sender: usize) -> bool {
        sender >= self.issuers
    }

    /// The issuers, without the claimants, for signing ahead.
    pub(crate) fn split_issuers(&self) -> Self {
        Self { list: self.list[..self.issuers].to_vec(), issuers: self.issuers }
    }
}

/// Nodes of the issuers, so that Zipf's law loads the nodes alike, and of the
/// claimants.
fn homes(issuers: usize, nodes: usize) -> Vec<usize> {
    let zipf = Zipf::new(issuers);
    let mut loads = vec![0.0; nodes];
    let mut homes = Vec::new();
    for issuer in 0..issuers {
        let least = (0..nodes).min_by(|a, b| f64::total_cmp(&loads[*a], &loads[*b])).unwrap_or(0);
        loads[least] += zipf.share(issuer);
        homes.push(least);
    }
    homes.extend((0..INSURERS.len()).map(|insurer| insurer % nodes));
    homes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_gets_its_share() {
        let homes = homes(51, 4);
        let zipf = Zipf::new(51);
        for node in 0..4 {
            let of_node = |issuer: &usize| homes[*issuer] == node;
            let load: f64 = (0..51).filter(of_node).map(|issuer| zipf.share(issuer)).sum();
            assert!((load - 0.25).abs() < 0.02, "node {node}: {load}");
        }
        assert_eq!(homes.len(), 51 + INSURERS.len());
        assert!(super::homes(3, 1).iter().all(|home| *home == 0));
    }
}
