//! Groups: keys that differ in their last byte alone, with their values.

pub use crate::proof::MAX_SHARED;

use crate::{ColdError, proof::Digest};
use billchain_crypto::sm3::{sm3, sm3_many};

/// Most bytes of a group as it lies in a block.
pub const MAX_GROUP: usize = 1 << 20;

/// Keys that differ in their last byte alone, with their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The keys without their last byte.
    pub shared: Vec<u8>,
    /// Last byte and value of each key, ascending; one at least.
    pub values: Vec<(u8, Vec<u8>)>,
}

impl Group {
    /// SM3 of what is in it, as the commitment has it: for each key, ascending, the last byte
    /// and SM3 of the value.
    pub fn digest(&self) -> Digest {
        let values: Vec<&[u8]> = self.values.iter().map(|(_, value)| value.as_slice()).collect();
        let mut content = Vec::with_capacity(33 * values.len());
        for ((last, _), value) in self.values.iter().zip(sm3_many(&values)) {
            content.push(*last);
            content.extend(value);
        }
        sm3(&content)
    }

    /// The value of the key with this last byte.
    pub fn value(&self, last: u8) -> Option<&[u8]> {
        let at = self.values.binary_search_by_key(&last, |(last, _)| *last).ok()?;
        self.values.get(at).map(|(_, value)| value.as_slice())
    }

    /// Bytes of the values.
    pub fn value_bytes(&self) -> u64 {
        self.values.iter().map(|(_, value)| value.len() as u64).sum()
    }

    /// Whether a segment can hold it.
    ///
    /// # Errors
    /// [`ColdError::Group`] if not.
    pub fn check(&self) -> Result<(), ColdError> {
        let refused = |what: String| {
            let shared = self.shared.iter().take(MAX_SHARED).copied().collect();
            Err(ColdError::Group { shared, what })
        };
        if self.shared.len() > MAX_SHARED {
            let found = self.shared.len();
            return refused(format!("its keys share {found} bytes, expected {MAX_SHARED} at most"));
        }
        if self.values.is_empty() {
            return refused("it has no keys, expected one at least".into());
        }
        if !self.values.iter().zip(self.values.iter().skip(1)).all(|(one, next)| one.0 < next.0) {
            return refused("its keys are out of order, expected ascending last bytes".into());
        }
        let bytes =
            3 + self.shared.len() as u64 + 5 * self.values.len() as u64 + self.value_bytes();
        if bytes > MAX_GROUP as u64 {
            return refused(format!("it has {bytes} bytes, expected {MAX_GROUP} at most"));
        }
        Ok(())
    }
}
