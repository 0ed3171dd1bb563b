//! A vector whose length is checked before its items are read.

use codec::{Compact, Decode, Encode, EncodeLike, Input, Output};

/// At most `N` items. Encodes as a vector; decoding refuses a longer one
/// before it reads the first item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounded<T, const N: usize>(pub Vec<T>);

impl<T: Encode, const N: usize> Encode for Bounded<T, N> {
    fn size_hint(&self) -> usize {
        self.0.size_hint()
    }

    fn encode_to<O: Output + ?Sized>(&self, dest: &mut O) {
        self.0.encode_to(dest);
    }
}

impl<T: Encode, const N: usize> EncodeLike for Bounded<T, N> {}

impl<T: Decode, const N: usize> Decode for Bounded<T, N> {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let Compact(length) = <Compact<u32>>::decode(input)?;
        let length = length as usize;
        if length > N {
            return Err(codec::Error::from("list longer than the protocol allows"));
        }
        // Grown as items arrive: a length without items behind it costs nothing.
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(T::decode(input)?);
        }
        Ok(Self(items))
    }
}
