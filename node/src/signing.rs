//! What a validator may sign when its data begin at a block that others made.

use crate::{config::Config, service};
use anyhow::{Result, bail, ensure};
use billchain_consensus::{Address, abstain_from_signing, signing_summary};
use billchain_primitives::{BlockNumber, Hash};

/// What the node's validator may sign afterwards.
pub(crate) enum Memory {
    /// It has none.
    NoValidator,
    /// A file says what its key has signed.
    Kept { height: u64 },
    /// The operator says up to where its key may have signed.
    Told { signer: Address, height: u64 },
}

impl Memory {
    /// Looks before anything is done, so that nothing is fetched or unpacked in vain.
    pub(crate) fn look(
        config: &Config,
        genesis: Hash,
        block: BlockNumber,
        abstain_up_to: Option<u64>,
    ) -> Result<Self> {
        let Some(key) = service::validator_key(config)? else { return Ok(Self::NoValidator) };
        let path = config.signing_memory();
        let signer = Address::from_public_key(&key.public());
        if let Some(height) = abstain_up_to {
            ensure!(
                height >= u64::from(block),
                "--abstain-up-to {height} is below block {block}, which the node begins with"
            );
            return Ok(Self::Told { signer, height });
        }
        match signing_summary(&path)? {
            Some(memory) if memory.genesis != genesis => bail!(
                "{} is of the chain {:?}, the node's is {genesis:?}",
                path.display(),
                memory.genesis
            ),
            Some(memory) => Ok(Self::Kept { height: memory.height }),
            None => bail!(
                "there is no {}, which says what the validator's key has signed. Put the file back \
                 if you have the newest one. If not, make sure that no other machine has the key, \
                 and give --abstain-up-to with a height that the chain has not reached yet: the \
                 node signs nothing up to there",
                path.display()
            ),
        }
    }

    /// Writes it down.
    pub(crate) fn settle(
        self,
        config: &Config,
        genesis: Hash,
        block: BlockNumber,
    ) -> Result<String> {
        let path = config.signing_memory();
        match self {
            Self::NoValidator => Ok("the node has no consensus key: it follows".into()),
            Self::Kept { height } => Ok(format!(
                "{} was kept: the node signs nothing up to block {height}",
                path.display()
            )),
            Self::Told { signer, height } => {
                let head = u64::from(block);
                let until = abstain_from_signing(&path, genesis, signer, head, Some(height))?;
                Ok(format!("the node signs nothing up to block {until}"))
            }
        }
    }
}
