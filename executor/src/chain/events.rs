//! Reading what transactions came to from the node-local index.

use crate::{
    Chain, ChainError,
    events::{self, BlockEvent},
};
use billchain_primitives::BlockNumber;
use billchain_runtime::RuntimeEvent;
use billchain_storage::EventGroup;
use frame_system::Phase;

impl Chain {
    /// The events of transaction `index` of block `number`, for as long as the
    /// block is kept; `None` if there is no such block.
    pub fn events_of(
        &self,
        number: BlockNumber,
        index: u32,
    ) -> Result<Option<Vec<RuntimeEvent>>, ChainError> {
        let Some(group) = self.storage().event_group(number, index)? else {
            return self.no_events(number);
        };
        let of_transaction = |record: BlockEvent| {
            (record.phase == Phase::ApplyExtrinsic(index)).then_some(record.event)
        };
        Ok(Some(decode(number, &group)?.into_iter().filter_map(of_transaction).collect()))
    }

    /// All events of block `number`, in order; `None` if there is no such block.
    pub fn block_events(&self, number: BlockNumber) -> Result<Option<Vec<BlockEvent>>, ChainError> {
        let groups = self.storage().event_groups(number)?;
        if groups.is_empty() {
            return self.no_events(number);
        }
        let mut events = Vec::new();
        for group in &groups {
            events.append(&mut decode(number, group)?);
        }
        Ok(Some(events))
    }

    /// The value that `System::Events` had in the state after block `number`;
    /// `None` if it had none, or if there is no such block.
    pub fn event_list(&self, number: BlockNumber) -> Result<Option<Vec<u8>>, ChainError> {
        let groups = self.storage().event_groups(number)?;
        if groups.is_empty() {
            return self.no_events(number);
        }
        events::join(&groups).map(Some).map_err(|error| unreadable(number, &error))
    }

    /// Every block but the first has events: its own timestamp's.
    fn no_events<T>(&self, number: BlockNumber) -> Result<Option<T>, ChainError> {
        if (1..=self.head().number).contains(&number) {
            return Err(ChainError::EventsMissing { number });
        }
        Ok(None)
    }
}

fn decode(number: BlockNumber, group: &EventGroup) -> Result<Vec<BlockEvent>, ChainError> {
    events::decode(group).map_err(|error| unreadable(number, &error))
}

fn unreadable(number: BlockNumber, error: &codec::Error) -> ChainError {
    ChainError::Undecodable { what: format!("events of block {number}"), reason: error.to_string() }
}
