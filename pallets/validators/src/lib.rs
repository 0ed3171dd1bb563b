//! # Validators (共识节点与观察节点)
//!
//! Which nodes vote on blocks and which may follow: the source of each height's validator
//! set and of the network's allow-list. The set that decides a block is read from the state
//! of its parent, so a change takes effect with the block after the one that made it.
//!
//! ```
//! // libp2p identities are multihashes: a code, a length and as many bytes.
//! assert!(!pallet_validators::is_peer_id(b"not an identity"));
//! ```
//!
//! ## What it promises
//! - There is always a validator; each has a power above 0 and an SM2 key that
//!   is a point of the curve.
//! - An operator, a consensus key and a peer identity stand once each,
//!   observers included.
//! - An operator's account exists while it has a validator and keeps its nonce
//!   afterwards.
//! - An equivocation stands on record only with both signed statements, verified
//!   with the key that decided the height; once for each kind of statement at a
//!   height. What the record of one key holds takes no room of another's.
//! - An address is of a validator or an observer, and ends with it.
//!
//! Who administers is the runtime's choice ([`Config::AdminOrigin`]).

#![forbid(unsafe_code)]

mod address;
mod equivocation;
mod sets;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use address::{Host, NodeAddress, NotAnAddress};
pub use pallet::*;
pub use types::{
    EquivocationRecord, MAX_FORMER_KEYS, MAX_HOST_NAME, MAX_OBSERVERS, MAX_PEER_ID, MAX_POWER,
    MAX_RECORDS, MAX_REPORT_AGE, MAX_REPORTS, MAX_VALIDATORS, Observer, PeerIdBytes,
    RECORD_PERIOD_MS, Tenure, Validator, is_peer_id,
};
pub use weights::WeightInfo;

use billchain_primitives::{AccountId, Equivocation, Hash, Offence};
use frame::{
    deps::frame_support::inherent::{
        InherentData, InherentIdentifier, MakeFatalError, ProvideInherent,
    },
    prelude::*,
    traits::Time,
    try_runtime::TryRuntimeError,
};

/// The validators' pallet.
#[frame::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId, Hash = Hash>
    {
        /// Who changes the sets.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Time of the block, in milliseconds.
        type Time: Time<Moment = u64>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The validators, in the order they were added.
    #[pallet::storage]
    pub type Validators<T: Config> =
        StorageValue<_, BoundedVec<Validator, ConstU32<MAX_VALIDATORS>>, ValueQuery>;

    /// The observers, in the order they were added.
    #[pallet::storage]
    pub type Observers<T: Config> =
        StorageValue<_, BoundedVec<Observer, ConstU32<MAX_OBSERVERS>>, ValueQuery>;

    /// Where the nodes of validators and observers are reached, as they say.
    #[pallet::storage]
    pub type Addresses<T: Config> = StorageMap<_, Blake2_128Concat, PeerIdBytes, NodeAddress>;

    /// Which heights the keys of validators decide, by the account of the key:
    /// those that vote, and the last of those that vote no more.
    #[pallet::storage]
    pub type Tenures<T: Config> = StorageMap<_, Identity, AccountId, Tenure>;

    /// The keys that vote no more, in the order in which they ceased to.
    #[pallet::storage]
    pub type FormerKeys<T: Config> =
        StorageValue<_, BoundedVec<AccountId, ConstU32<MAX_FORMER_KEYS>>, ValueQuery>;

    /// Equivocations on record by the account of the key, oldest first.
    #[pallet::storage]
    pub type Equivocations<T: Config> = StorageMap<
        _,
        Identity,
        AccountId,
        BoundedVec<EquivocationRecord, ConstU32<MAX_RECORDS>>,
        ValueQuery,
    >;

    /// First validators and observers.
    #[pallet::genesis_config]
    #[derive(frame::prelude::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The validators; at least one on a chain that makes blocks.
        pub validators: Vec<Validator>,
        /// The observers.
        pub observers: Vec<Observer>,
        /// No data.
        #[serde(skip)]
        pub phantom: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for validator in &self.validators {
                if let Err(error) = Pallet::<T>::insert_validator(validator.clone()) {
                    panic!("validator {}: {error:?}", validator.name);
                }
            }
            for observer in &self.observers {
                if let Err(error) = Pallet::<T>::insert_observer(observer.clone()) {
                    panic!("observer {}: {error:?}", observer.name);
                }
            }
        }
    }

    /// What happened to the sets.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A validator was added; it votes from the next block on.
        ValidatorAdded {
            /// The validator.
            validator: Validator,
        },
        /// A validator was removed; it votes no more from the next block on.
        ValidatorRemoved {
            /// Account of its operator.
            operator: AccountId,
            /// The equivocation that the motion cites, if it cites one.
            evidence: Option<Offence>,
        },
        /// A validator votes with another key from the next block on.
        ValidatorKeyRotated {
            /// Account of its operator.
            operator: AccountId,
            /// Compressed SM2 key before.
            from: [u8; 33],
            /// Compressed SM2 key now.
            to: [u8; 33],
        },
        /// A validator's votes count otherwise from the next block on.
        ValidatorPowerChanged {
            /// Account of its operator.
            operator: AccountId,
            /// Power before.
            from: u64,
            /// Power now.
            to: u64,
        },
        /// A validator's node has another libp2p identity.
        ValidatorPeerIdChanged {
            /// Account of its operator.
            operator: AccountId,
            /// Identity before.
            from: PeerIdBytes,
            /// Identity now.
            to: PeerIdBytes,
        },
        /// A validator has another operator.
        ValidatorOperatorChanged {
            /// Account before.
            from: AccountId,
            /// Account now.
            to: AccountId,
        },
        /// An observer was added.
        ObserverAdded {
            /// The observer.
            observer: Observer,
        },
        /// An observer was removed.
        ObserverRemoved {
            /// Its libp2p identity.
            peer_id: PeerIdBytes,
        },
        /// A validator's or an observer's node is reached elsewhere.
        AddressChanged {
            /// Its libp2p identity.
            peer_id: PeerIdBytes,
            /// Where; none: the chain does not say.
            address: Option<NodeAddress>,
        },
        /// A validator signed two statements that exclude each other. Both are on
        /// record with their signatures.
        EquivocationRecorded {
            /// Account of its operator.
            operator: AccountId,
            /// Which key, at which height, and the kind of statements.
            offence: Offence,
            /// Round of both statements.
            round: u32,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The operator has a validator already.
        OperatorInUse,
        /// Another validator votes with this key.
        KeyInUse,
        /// Another validator or observer has this peer identity.
        PeerIdInUse,
        /// The consensus key is no SM2 public key.
        InvalidKey,
        /// The bytes are no libp2p identity, which is a multihash.
        InvalidPeerId,
        /// The address has port 0, or a host that is none.
        InvalidAddress,
        /// The power is 0.
        NoPower,
        /// The power is above `MAX_POWER`.
        PowerTooHigh,
        /// There are as many validators or observers as there may be.
        TooMany,
        /// There is no such validator or observer.
        NotFound,
        /// The last validator cannot be removed.
        LastValidator,
        /// The report names no equivocation.
        NothingReported,
        /// The key was no validator's at that height, or its tenure is forgotten.
        NotValidatorThen,
        /// The height is not decided yet.
        NotDecidedYet,
        /// The height is more than `MAX_REPORT_AGE` blocks back.
        ReportTooOld,
        /// The key's equivocation of this kind at this height is on record.
        AlreadyRecorded,
        /// As many equivocations of the key are on record as may be, and none of
        /// them may give way yet.
        RecordFull,
        /// The statements do not exclude each other, or the key did not sign both.
        NotProven,
        /// No such equivocation of this operator's is on record.
        NotOnRecord,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Adds a validator.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NoPower`, `PowerTooHigh`, `InvalidKey`, `InvalidPeerId`, `PeerIdInUse`,
        /// `OperatorInUse`, `KeyInUse`, `TooMany`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::add_validator())]
        pub fn add_validator(origin: OriginFor<T>, validator: Validator) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::insert_validator(validator.clone())?;
            Self::deposit_event(Event::ValidatorAdded { validator });
            Ok(())
        }

        /// Removes a validator, and may cite an equivocation on record as the reason.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NotFound`, `LastValidator`, `NotOnRecord`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::remove_validator())]
        pub fn remove_validator(
            origin: OriginFor<T>,
            operator: AccountId,
            evidence: Option<Offence>,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            if let Some(offence) = &evidence {
                ensure!(Self::is_on_record(&operator, offence), Error::<T>::NotOnRecord);
            }
            let removed = Self::take_validator(&operator)?;
            Self::end_tenure(&removed.consensus_key);
            Self::deposit_event(Event::ValidatorRemoved { operator, evidence });
            Ok(())
        }

        /// Gives a validator another consensus key.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NotFound`, `InvalidKey`, `KeyInUse`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::rotate_validator_key())]
        pub fn rotate_validator_key(
            origin: OriginFor<T>,
            operator: AccountId,
            key: [u8; 33],
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            let from = Self::replace_key(&operator, key)?;
            Self::end_tenure(&from);
            Self::begin_tenure(key, &operator);
            Self::deposit_event(Event::ValidatorKeyRotated { operator, from, to: key });
            Ok(())
        }

        /// Adds an observer.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `InvalidPeerId`, `PeerIdInUse`, `TooMany`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::add_observer())]
        pub fn add_observer(origin: OriginFor<T>, observer: Observer) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::insert_observer(observer.clone())?;
            Self::deposit_event(Event::ObserverAdded { observer });
            Ok(())
        }

        /// Removes an observer.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NotFound`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::remove_observer())]
        pub fn remove_observer(origin: OriginFor<T>, peer_id: PeerIdBytes) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::take_observer(&peer_id)?;
            Self::deposit_event(Event::ObserverRemoved { peer_id });
            Ok(())
        }

        /// Records equivocations that the block's proposer holds. An inherent, the
        /// second of a block: a block in which one of them is refused is not valid.
        ///
        /// # Origin
        /// None: the proposer, in its own block.
        ///
        /// # Errors
        /// `NothingReported`, `NotValidatorThen`, `NotDecidedYet`, `ReportTooOld`,
        /// `AlreadyRecorded`, `RecordFull`, `NotProven`.
        #[pallet::call_index(5)]
        #[pallet::weight((
            T::WeightInfo::report_equivocations(equivocations.len() as u32),
            DispatchClass::Mandatory,
        ))]
        pub fn report_equivocations(
            origin: OriginFor<T>,
            equivocations: BoundedVec<Equivocation, ConstU32<MAX_REPORTS>>,
        ) -> DispatchResult {
            ensure_none(origin)?;
            ensure!(!equivocations.is_empty(), Error::<T>::NothingReported);
            for equivocation in equivocations {
                Self::record(equivocation)?;
            }
            Ok(())
        }

        /// Gives a validator's votes another weight.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NotFound`, `NoPower`, `PowerTooHigh`.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::set_power())]
        pub fn set_power(origin: OriginFor<T>, operator: AccountId, power: u64) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::ensure_power(power)?;
            let from =
                Self::change(&operator, |entry| core::mem::replace(&mut entry.power, power))?;
            Self::deposit_event(Event::ValidatorPowerChanged { operator, from, to: power });
            Ok(())
        }

        /// Gives a validator's node another libp2p identity: its network key changes.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NotFound`, `InvalidPeerId`, `PeerIdInUse`.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::set_peer_id())]
        pub fn set_peer_id(
            origin: OriginFor<T>,
            operator: AccountId,
            peer_id: PeerIdBytes,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::ensure_peer_id_free(&peer_id)?;
            let to = peer_id.clone();
            let from =
                Self::change(&operator, |entry| core::mem::replace(&mut entry.peer_id, peer_id))?;
            Self::hand_address_on(&from, &to);
            Self::deposit_event(Event::ValidatorPeerIdChanged { operator, from, to });
            Ok(())
        }

        /// Gives a validator another operator: the key of the operator's account
        /// changes. The account before stays and keeps its nonce.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NotFound`, `OperatorInUse`.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::set_operator())]
        pub fn set_operator(
            origin: OriginFor<T>,
            operator: AccountId,
            to: AccountId,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::change_operator(&operator, &to)?;
            Self::deposit_event(Event::ValidatorOperatorChanged { from: operator, to });
            Ok(())
        }

        /// Says where the node of a validator or an observer is reached; none: its peers
        /// know, or it connects by itself.
        ///
        /// # Origin
        /// The operator of the validator; `AdminOrigin`.
        ///
        /// # Errors
        /// `NotFound`, `InvalidAddress`.
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::set_address())]
        pub fn set_address(
            origin: OriginFor<T>,
            peer_id: PeerIdBytes,
            address: Option<NodeAddress>,
        ) -> DispatchResult {
            Self::ensure_may_move(origin, &peer_id)?;
            Self::put_address(&peer_id, address.as_ref())?;
            Self::deposit_event(Event::AddressChanged { peer_id, address });
            Ok(())
        }
    }

    #[pallet::inherent]
    impl<T: Config> ProvideInherent for Pallet<T> {
        type Call = Call<T>;
        // A report is judged when it runs, by every node alike.
        type Error = MakeFatalError<()>;
        const INHERENT_IDENTIFIER: InherentIdentifier = *b"equivocs";

        fn create_inherent(data: &InherentData) -> Option<Self::Call> {
            let held = data.get_data::<Vec<Equivocation>>(&Self::INHERENT_IDENTIFIER).ok()??;
            Self::report_of(&held)
        }

        fn is_inherent(call: &Self::Call) -> bool {
            matches!(call, Call::report_equivocations { .. })
        }
    }
}
