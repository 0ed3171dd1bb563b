//! The transaction format: Substrate's, but the signature covers the whole
//! payload.
//!
//! `sp_runtime`'s extrinsic hashes a payload of more than 256 bytes with
//! Blake2 before the signature sees it. That would put a foreign hash between
//! a bill and its SM2 signature, so this type hands the full payload to
//! [`Signature::verify_payload`], which knows what each scheme signs.
//!
//! It also bounds decoding, wherever an extrinsic is decoded: `sp_runtime`'s
//! reserves as much memory as the length in front announces, and follows calls
//! within calls as deep as they go, which natively would overrun the stack and
//! end the node. A call of three bytes takes hundreds in memory, so what an
//! extrinsic decodes to is bounded and counted as well.

use crate::{AccountId, Address, Hash, Signature, SignatureScheme, VerificationId};
use codec::{
    Compact, Decode, DecodeAll, DecodeLimit, DecodeWithMemTracking, Encode, EncodeLike, Input,
};
use frame_support::{
    dispatch::{DispatchInfo, GetDispatchInfo},
    traits::{InherentBuilder, SignedTransactionBuilder},
};
use scale_info::{StaticTypeInfo, Type, TypeInfo};
use sp_runtime::{
    OpaqueExtrinsic,
    generic::{self, CheckedExtrinsic, ExtrinsicFormat, Preamble},
    traits::{
        Checkable, Dispatchable, ExtrinsicCall, ExtrinsicLike, ExtrinsicMetadata, LazyExtrinsic,
        Lookup, Member, TransactionExtension,
    },
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

/// Deepest nesting of an extrinsic's encoding: calls within calls (a motion
/// that proposes a batch) and their arguments.
pub const MAX_EXTRINSIC_DEPTH: u32 = 16;

/// Most memory that an extrinsic may take on the heap once it is decoded, in
/// bytes: four times the longest that chains admit. A batch of the smallest
/// calls, some hundred times larger in memory than encoded, is refused by it.
pub const MAX_DECODED_BYTES: usize = 2 << 20;

/// Longest extrinsic read from a source that does not know how much it holds,
/// in bytes. What a chain admits is its runtime's rule and far less.
const MAX_UNMEASURED_BYTES: usize = 16 << 20;

type Inner<Call, Extension> = generic::UncheckedExtrinsic<Address, Call, Signature, Extension>;

/// A transaction or inherent as it comes from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UncheckedExtrinsic<Call, Extension>(pub Inner<Call, Extension>);

impl<Call, Extension> UncheckedExtrinsic<Call, Extension> {
    /// An inherent: unsigned, put into the block by its proposer.
    pub fn new_bare(call: Call) -> Self {
        Self(Inner::new_bare(call))
    }

    /// A signed transaction.
    pub fn new_signed(
        call: Call,
        signer: Address,
        signature: Signature,
        extension: Extension,
    ) -> Self {
        Self(Inner::new_signed(call, signer, signature, extension))
    }

    /// The call.
    pub fn function(&self) -> &Call {
        &self.0.function
    }

    /// Signer's address, signature and extension, of a signed transaction.
    pub fn signed_parts(&self) -> Option<(&Address, &Signature, &Extension)> {
        match &self.0.preamble {
            Preamble::Signed(address, signature, extension) => {
                Some((address, signature, extension))
            }
            _ => None,
        }
    }
}

impl<Call, Extension> UncheckedExtrinsic<Call, Extension>
where
    Inner<Call, Extension>: Decode,
{
    /// The extrinsic that `bytes` encode from their first to their last, and how
    /// many bytes it takes in memory, which may be many times as many.
    pub fn decode_measured(bytes: &[u8]) -> Result<(Self, usize), codec::Error> {
        let mut rest = bytes;
        let (extrinsic, on_heap) = Self::decode_counted(&mut rest)?;
        if !rest.is_empty() {
            return Err("extrinsic: bytes follow its end".into());
        }
        // The call's encoding is kept beside the call.
        let size = size_of::<Self>().saturating_add(on_heap).saturating_add(bytes.len());
        Ok((extrinsic, size))
    }

    /// The extrinsic at the front of `input`, and the bytes of its parts on the
    /// heap.
    fn decode_counted<I: Input>(input: &mut I) -> Result<(Self, usize), codec::Error> {
        let length = Compact::<u32>::decode(input)?;
        let left = input.remaining_len()?.unwrap_or(MAX_UNMEASURED_BYTES);
        if length.0 as usize > left {
            return Err("extrinsic: longer than what holds it".into());
        }
        let prefix = length.encode();
        let mut input = Counted { prefix: &prefix, input, on_heap: 0 };
        let inner = Inner::decode_with_depth_limit(MAX_EXTRINSIC_DEPTH, &mut input)?;
        Ok((Self(inner), input.on_heap))
    }
}

impl<Call: Encode, Extension: Encode> UncheckedExtrinsic<Call, Extension> {
    /// The encoding of what a signature covers beside what is written in the
    /// extrinsic; `None` without one. Must run over the state the transaction is to
    /// be executed on, which the extension asks.
    pub fn implied(&self) -> Result<Option<Vec<u8>>, TransactionValidityError>
    where
        Call: Dispatchable,
        Extension: TransactionExtension<Call>,
    {
        let Preamble::Signed(_, _, extension) = &self.0.preamble else { return Ok(None) };
        Ok(Some(extension.implicit()?.encode()))
    }

    /// What the signature covers, with what is [implied](Self::implied); nothing
    /// without a signature.
    pub fn signed_payload(&self, implied: &[u8]) -> Vec<u8> {
        let Preamble::Signed(_, _, extension) = &self.0.preamble else { return Vec::new() };
        let mut payload = match &self.0.encoded_call {
            Some(encoded) => encoded.clone(),
            None => self.0.function.encode(),
        };
        extension.encode_to(&mut payload);
        payload.extend_from_slice(implied);
        payload
    }
}

impl<Call, Extension> UncheckedExtrinsic<Call, Extension>
where
    Call: Encode,
    Extension: Encode,
{
    /// What a verdict on the signature is remembered by.
    fn verification_id(
        &self,
        lookup: &impl SignatureAdmission,
        signature: &Signature,
        signer: &AccountId,
        implied: &[u8],
    ) -> VerificationId {
        match lookup.transaction() {
            Some(hash) => VerificationId::of_transaction(&hash, implied),
            None => VerificationId::of_payload(signature, &self.signed_payload(implied), signer),
        }
    }

    /// Whether it was signed for what was implied before, and that still counts.
    fn is_signed_before(
        &self,
        lookup: &impl SignatureAdmission,
        signature: &Signature,
        signer: &AccountId,
        implied: &[u8],
    ) -> Result<bool, TransactionValidityError> {
        let Some(before) = lookup.implied_before(implied) else { return Ok(false) };
        let id = self.verification_id(lookup, signature, signer, &before);
        let payload = || self.signed_payload(&before);
        signature.verify_admitted(id, payload, signer, || lookup.admit_signer(signer))
    }
}

/// Which signature schemes and which signers a chain admits: the runtime's say.
pub trait SignatureAdmission {
    /// Hash of the transaction at hand, of its canonical bytes, if it is known. A
    /// verdict is remembered by it.
    fn transaction(&self) -> Option<Hash>;

    /// `InvalidTransaction::Custom` code of the refusal of a scheme.
    const REFUSAL: u8;

    /// Whether `scheme` may be used; asked for every signed transaction.
    fn admits(&self, scheme: SignatureScheme) -> bool;

    /// What was implied before, in place of what is `implied` now, if signatures over
    /// it still count. Asked for signatures that are not over the latter.
    fn implied_before(&self, implied: &[u8]) -> Option<Vec<u8>>;

    /// Whether `signer` may send transactions. Asked before its signature is
    /// checked and remembered, so that keys which are nobody's cost no check and
    /// push nothing out of the caches; not asked for a signature that is
    /// remembered.
    fn admit_signer(&self, signer: &AccountId) -> Result<(), TransactionValidityError>;
}

impl<Call, Extension, L> Checkable<L> for UncheckedExtrinsic<Call, Extension>
where
    Call: Encode + Member + Dispatchable,
    Extension: Encode + TransactionExtension<Call>,
    L: Lookup<Source = Address, Target = AccountId> + SignatureAdmission,
{
    type Checked = CheckedExtrinsic<AccountId, Call, Extension>;

    fn check(self, lookup: &L) -> Result<Self::Checked, TransactionValidityError> {
        if let Preamble::Signed(address, signature, _) = &self.0.preamble {
            if !lookup.admits(signature.scheme()) {
                return Err(InvalidTransaction::Custom(L::REFUSAL).into());
            }
            let signer = lookup.lookup(address.clone())?;
            let implied = self.implied()?.unwrap_or_default();
            let id = self.verification_id(lookup, signature, &signer, &implied);
            let payload = || self.signed_payload(&implied);
            let admit = || lookup.admit_signer(&signer);
            if !signature.verify_admitted(id, payload, &signer, admit)?
                && !self.is_signed_before(lookup, signature, &signer, &implied)?
            {
                return Err(InvalidTransaction::BadProof.into());
            }
        }
        self.unchecked_into_checked_i_know_what_i_am_doing(lookup)
    }

    fn unchecked_into_checked_i_know_what_i_am_doing(
        self,
        lookup: &L,
    ) -> Result<Self::Checked, TransactionValidityError> {
        let Inner { preamble, function, .. } = self.0;
        let format = match preamble {
            Preamble::Signed(address, _, extension) => {
                ExtrinsicFormat::Signed(lookup.lookup(address)?, extension)
            }
            Preamble::General(extension) => ExtrinsicFormat::General(extension),
            Preamble::Bare(_) => ExtrinsicFormat::Bare,
        };
        Ok(CheckedExtrinsic { format, function })
    }
}

impl<Call, Extension> Encode for UncheckedExtrinsic<Call, Extension>
where
    Inner<Call, Extension>: Encode,
{
    fn encode(&self) -> Vec<u8> {
        self.0.encode()
    }
}

impl<Call, Extension> EncodeLike for UncheckedExtrinsic<Call, Extension> where
    Inner<Call, Extension>: Encode
{
}

impl<Call, Extension> Decode for UncheckedExtrinsic<Call, Extension>
where
    Inner<Call, Extension>: Decode,
{
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Self::decode_counted(input).map(|(extrinsic, _)| extrinsic)
    }
}

/// An input with bytes put back in front of it, which counts the memory that is
/// taken for what is read from it.
struct Counted<'a, I> {
    prefix: &'a [u8],
    input: &'a mut I,
    on_heap: usize,
}

impl<I: Input> Input for Counted<'_, I> {
    fn remaining_len(&mut self) -> Result<Option<usize>, codec::Error> {
        Ok(self.input.remaining_len()?.map(|left| left.saturating_add(self.prefix.len())))
    }

    fn read(&mut self, into: &mut [u8]) -> Result<(), codec::Error> {
        let (now, rest) = self.prefix.split_at(self.prefix.len().min(into.len()));
        let (front, back) = into.split_at_mut(now.len());
        front.copy_from_slice(now);
        self.prefix = rest;
        if back.is_empty() { Ok(()) } else { self.input.read(back) }
    }

    fn descend_ref(&mut self) -> Result<(), codec::Error> {
        self.input.descend_ref()
    }

    fn ascend_ref(&mut self) {
        self.input.ascend_ref();
    }

    fn on_before_alloc_mem(&mut self, size: usize) -> Result<(), codec::Error> {
        self.on_heap = self.on_heap.saturating_add(size);
        if self.on_heap > MAX_DECODED_BYTES {
            return Err("extrinsic: takes more than 2 MiB when decoded".into());
        }
        self.input.on_before_alloc_mem(size)
    }
}

impl<Call, Extension> DecodeWithMemTracking for UncheckedExtrinsic<Call, Extension> where
    Inner<Call, Extension>: DecodeWithMemTracking
{
}

impl<Call, Extension> TypeInfo for UncheckedExtrinsic<Call, Extension>
where
    Call: StaticTypeInfo,
    Extension: StaticTypeInfo,
{
    // Clients recognise the format by `sp_runtime`'s path and parameters, and
    // the encoding is the same.
    type Identity = Inner<Call, Extension>;

    fn type_info() -> Type {
        Inner::<Call, Extension>::type_info()
    }
}

impl<Call, Extension> ExtrinsicLike for UncheckedExtrinsic<Call, Extension> {
    #[allow(deprecated)]
    fn is_signed(&self) -> Option<bool> {
        Some(self.0.is_signed())
    }

    fn is_bare(&self) -> bool {
        self.0.is_inherent()
    }
}

impl<Call, Extension> ExtrinsicCall for UncheckedExtrinsic<Call, Extension> {
    type Call = Call;

    fn call(&self) -> &Call {
        &self.0.function
    }

    fn into_call(self) -> Call {
        self.0.function
    }
}

impl<Call: Dispatchable, Extension> ExtrinsicMetadata for UncheckedExtrinsic<Call, Extension> {
    const VERSIONS: &'static [u8] = Inner::<Call, Extension>::VERSIONS;
    type TransactionExtensionPipelines =
        <Inner<Call, Extension> as ExtrinsicMetadata>::TransactionExtensionPipelines;
}

impl<Call, Extension> InherentBuilder for UncheckedExtrinsic<Call, Extension> {
    fn new_inherent(call: Call) -> Self {
        Self::new_bare(call)
    }
}

impl<Call, Extension> SignedTransactionBuilder for UncheckedExtrinsic<Call, Extension> {
    type Address = Address;
    type Signature = Signature;
    type Extension = Extension;

    fn new_signed_transaction(
        call: Call,
        signer: Address,
        signature: Signature,
        extension: Extension,
    ) -> Self {
        Self::new_signed(call, signer, signature, extension)
    }
}

impl<Call, Extension> GetDispatchInfo for UncheckedExtrinsic<Call, Extension>
where
    Call: GetDispatchInfo + Dispatchable,
    Inner<Call, Extension>: GetDispatchInfo,
{
    fn get_dispatch_info(&self) -> DispatchInfo {
        self.0.get_dispatch_info()
    }
}

impl<Call, Extension> From<UncheckedExtrinsic<Call, Extension>> for OpaqueExtrinsic
where
    Inner<Call, Extension>: Into<OpaqueExtrinsic>,
{
    fn from(extrinsic: UncheckedExtrinsic<Call, Extension>) -> Self {
        extrinsic.0.into()
    }
}

impl<Call, Extension> LazyExtrinsic for UncheckedExtrinsic<Call, Extension>
where
    Inner<Call, Extension>: Decode,
{
    fn decode_unprefixed(data: &[u8]) -> Result<Self, codec::Error> {
        let length = u32::try_from(data.len()).map_err(|_| "extrinsic: too long")?;
        let mut bytes = Compact(length).encode();
        bytes.extend_from_slice(data);
        Self::decode_all(&mut &bytes[..])
    }
}

impl<Call, Extension> serde::Serialize for UncheckedExtrinsic<Call, Extension>
where
    Inner<Call, Extension>: serde::Serialize,
{
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, Call, Extension> serde::Deserialize<'de> for UncheckedExtrinsic<Call, Extension>
where
    Inner<Call, Extension>: serde::Deserialize<'de>,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(deserializer).map(Self)
    }
}
