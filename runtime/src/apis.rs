//! The runtime's APIs, callable by name through [`api::dispatch`], which is
//! what the RPC method `state_call` does.

// The macro writes items of its own; what they do is documented with the API
// traits.
#![allow(missing_docs)]

use crate::{
    AccountId, Block, Executive, Header, Nonce, Runtime, RuntimeCall, RuntimeGenesisConfig, System,
    UncheckedExtrinsic, VERSION, inherents,
};
use billchain_primitives::Hash;
use frame::runtime::apis::{self, impl_runtime_apis};
use frame_support::{
    dispatch::GetDispatchInfo,
    genesis_builder_helper::{build_state, get_preset},
    weights::Weight,
};
use pallet_transaction_payment_rpc_runtime_api::{
    self as payment, FeeDetails, RuntimeDispatchInfo,
};
use sp_core::OpaqueMetadata;
use sp_inherents::{CheckInherentsResult, InherentData};
use sp_runtime::{
    ApplyExtrinsicResult, ExtrinsicInclusionMode,
    traits::Block as BlockT,
    transaction_validity::{TransactionSource, TransactionValidity},
};
use sp_version::RuntimeVersion;

/// Money in which fees would be counted. The chain has no fees: each answer in it is 0.
type Balance = u128;

/// What something costs: its weight, and nothing.
fn free_of_charge(of: &impl GetDispatchInfo) -> RuntimeDispatchInfo<Balance> {
    let info = of.get_dispatch_info();
    RuntimeDispatchInfo { weight: info.total_weight(), class: info.class, partial_fee: 0 }
}

/// The parts of a fee, where none is taken: no fee for inclusion, and no tip.
const NO_FEE: FeeDetails<Balance> = FeeDetails { inclusion_fee: None, tip: 0 };

impl_runtime_apis! {
    impl apis::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            VERSION
        }

        fn execute_block(block: <Block as BlockT>::LazyBlock) {
            Executive::execute_block(block);
        }

        fn initialize_block(header: &Header) -> ExtrinsicInclusionMode {
            Executive::initialize_block(header)
        }
    }

    impl apis::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            OpaqueMetadata::new(Runtime::metadata().into())
        }

        fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
            Runtime::metadata_at_version(version)
        }

        fn metadata_versions() -> Vec<u32> {
            Runtime::metadata_versions()
        }
    }

    impl apis::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(extrinsic: UncheckedExtrinsic) -> ApplyExtrinsicResult {
            Executive::apply_extrinsic(extrinsic)
        }

        fn finalize_block() -> Header {
            Executive::finalize_block()
        }

        fn inherent_extrinsics(data: InherentData) -> Vec<UncheckedExtrinsic> {
            inherents::create_inherents(&data)
        }

        fn check_inherents(
            block: <Block as BlockT>::LazyBlock,
            data: InherentData,
        ) -> CheckInherentsResult {
            inherents::check_inherents(&block, &data)
        }
    }

    impl apis::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            source: TransactionSource,
            tx: UncheckedExtrinsic,
            block_hash: Hash,
        ) -> TransactionValidity {
            Executive::validate_transaction(source, tx, block_hash)
        }
    }

    impl apis::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(account: AccountId) -> Nonce {
            System::account_nonce(account)
        }
    }

    impl payment::TransactionPaymentApi<Block, Balance> for Runtime {
        fn query_info(uxt: UncheckedExtrinsic, _len: u32) -> RuntimeDispatchInfo<Balance> {
            free_of_charge(&uxt)
        }

        fn query_fee_details(_uxt: UncheckedExtrinsic, _len: u32) -> FeeDetails<Balance> {
            NO_FEE
        }

        fn query_weight_to_fee(_weight: Weight) -> Balance {
            0
        }

        fn query_length_to_fee(_length: u32) -> Balance {
            0
        }
    }

    impl payment::TransactionPaymentCallApi<Block, Balance, RuntimeCall> for Runtime {
        fn query_call_info(call: RuntimeCall, _len: u32) -> RuntimeDispatchInfo<Balance> {
            free_of_charge(&call)
        }

        fn query_call_fee_details(_call: RuntimeCall, _len: u32) -> FeeDetails<Balance> {
            NO_FEE
        }

        fn query_weight_to_fee(_weight: Weight) -> Balance {
            0
        }

        fn query_length_to_fee(_length: u32) -> Balance {
            0
        }
    }

    impl apis::GenesisBuilder<Block> for Runtime {
        fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
            build_state::<RuntimeGenesisConfig>(config)
        }

        fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
            get_preset::<RuntimeGenesisConfig>(id, |_| None)
        }

        fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
            Vec::new()
        }
    }
}
