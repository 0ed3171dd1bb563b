//! The column families.

/// A column family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    State,
    Block,
    Header,
    Certificate,
    Changes,
    Index,
    NumberByHash,
    Tx,
    Events,
    Offchain,
    OffchainGone,
    Cooled,
    Bits,
    Nodes,
    Cold,
    Meta,
}

impl Table {
    pub(crate) const ALL: [Self; 16] = [
        Self::State,
        Self::Block,
        Self::Header,
        Self::Certificate,
        Self::Changes,
        Self::Index,
        Self::NumberByHash,
        Self::Tx,
        Self::Events,
        Self::Offchain,
        Self::OffchainGone,
        Self::Cooled,
        Self::Bits,
        Self::Nodes,
        Self::Cold,
        Self::Meta,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Block => "block",
            Self::Header => "header",
            Self::Certificate => "certificate",
            Self::Changes => "changes",
            Self::Index => "index",
            Self::NumberByHash => "number_by_hash",
            Self::Tx => "tx",
            Self::Events => "events",
            Self::Offchain => "offchain",
            Self::OffchainGone => "offchain_gone",
            Self::Cooled => "cooled",
            Self::Bits => "bits",
            Self::Nodes => "nodes",
            Self::Cold => "cold",
            Self::Meta => "meta",
        }
    }

    /// Whether single keys are looked up that are often absent.
    pub(super) const fn has_filter(self) -> bool {
        matches!(
            self,
            Self::State
                | Self::NumberByHash
                | Self::Tx
                | Self::Offchain
                | Self::OffchainGone
                | Self::Cooled
        )
    }
}
