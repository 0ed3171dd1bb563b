//! # Access node contract (业务接入节点上链智能合约)
//!
//! Access nodes (业务接入节点) are the systems of hospitals and insurers through which
//! participants reach the chain. A node is registered with the hash of its credential
//! ([`Pallet::register`]), linked to any number of participants ([`Pallet::link`]) and paused, resumed
//! or disabled ([`Pallet::set_status`]).
//!
//! ```
//! use billchain_primitives::Did;
//! use pallet_access_node::{history_key, history_prefix};
//!
//! let node: Did = "did:bill:gateway".parse().unwrap();
//! // The records of a node lie together, in the order of its versions.
//! assert!(history_key(&node, 1) < history_key(&node, 2));
//! assert!(history_key(&node, 1).starts_with(&history_prefix(&node)));
//! ```
//!
//! ## The business rule
//! Where a scene asks for it, a bill comes onto the chain only if an access node in normal
//! operation is linked to its issuer. The link is asked of the chain, not of the transaction: who
//! signs is the issuer, and over which machine its signature travelled no signature can prove. So
//! an administrator who pauses the last node of a hospital, or takes its link away, stops the
//! hospital's bills in that scene with the next transaction; a hospital with two nodes goes on
//! through the other. Gateways ask [`Pallet::assert_link`] for the node that connects to them, with
//! the key that stands here. `docs/decisions/0007-access-nodes.md` says what else was weighed.
//!
//! ## What it promises
//! - A DID and a key each belong to one node, for good.
//! - Normal and paused change into each other and into disabled. Disabled is final: it withdraws
//!   the credential of a device, and a device that returns is registered anew, with another DID and
//!   key. Its links stay for the record until they are taken away; it gets no new ones.
//! - A change of status is seen by the next transaction: [`NodesOf`] repeats the status, so that
//!   the registration of a bill reads one entry.
//! - Every change makes one [`HistoryRecord`] in the node-local index, chained by hash into the
//!   state.
//!
//! ## What it assumes
//! Who administers is the runtime's choice ([`Config::AdminOrigin`]); who pauses without it, too
//! ([`Config::SecurityOrigin`]). The operator in events and records is the signer where the origin
//! has one, and absent for a motion of the council.
//!
//! ## What it does not do
//! An access node sends no transactions and votes on no blocks; those are the participants' and
//! the validators' affairs. Its address and ports are not on the chain.

#![forbid(unsafe_code)]

mod reads;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{
    AccessNode, Change, HISTORY, HistoryRecord, LinkedNode, NodeStatus, Registration, history_key,
    history_prefix,
};
pub use weights::WeightInfo;

use billchain_primitives::{
    AccountId, Did, Hash, Name, Reason, SignatureScheme, Stamp,
    seams::{ParticipantProblem, Participants},
    sm3,
};
use codec::Encode;
use frame::{deps::sp_io, prelude::*, traits::Time, try_runtime::TryRuntimeError};

/// The access node contract.
#[frame::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The contract.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId, RuntimeEvent: From<Event<Self>>>
    {
        /// Who registers, links and administers access nodes.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Who, beside [`Self::AdminOrigin`], pauses nodes and puts paused ones
        /// back into normal operation: what cannot wait for a motion.
        type SecurityOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Who acts on the chain.
        type Participants: Participants;
        /// Time of the block, in milliseconds.
        type Time: Time<Moment = u64>;
        /// Most access nodes, disabled ones included; not 0.
        #[pallet::constant]
        type MaxNodes: Get<u32>;
        /// Most participants a node is linked to; not 0.
        #[pallet::constant]
        type MaxParticipantsPerNode: Get<u32>;
        /// Most nodes a participant is linked to; not 0.
        #[pallet::constant]
        type MaxNodesPerParticipant: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Access nodes by DID.
    #[pallet::storage]
    pub type Nodes<T: Config> = CountedStorageMap<_, Blake2_128Concat, Did, AccessNode>;

    /// Whose key it is, by the account of the key.
    #[pallet::storage]
    pub type KeyToNode<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Did>;

    /// The links: node, participant.
    #[pallet::storage]
    pub type Links<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, Did, Blake2_128Concat, Did, ()>;

    /// The links the other way round: the nodes of a participant, each with
    /// its status, in the order of linking.
    #[pallet::storage]
    pub type NodesOf<T: Config> = StorageMap<
        _,
        Blake2_128Concat,
        Did,
        BoundedVec<LinkedNode, T::MaxNodesPerParticipant>,
        ValueQuery,
    >;

    /// What happened to an access node.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An access node was registered; it is in normal operation.
        Registered {
            /// Its identifier.
            node: Did,
            /// Name of who runs it.
            operator_name: Name,
            /// SM3 of its identity credential.
            credential_hash: Hash,
            /// Account that registered it; absent for the council.
            operator: Option<AccountId>,
        },
        /// An access node's status changed.
        StatusChanged {
            /// Its identifier.
            node: Did,
            /// The status before.
            from: NodeStatus,
            /// The status after.
            to: NodeStatus,
            /// Why.
            reason: Reason,
            /// Account that changed it; absent for the council.
            operator: Option<AccountId>,
        },
        /// An access node was linked to a participant.
        Linked {
            /// The node.
            node: Did,
            /// The participant.
            participant: Did,
            /// Account that linked them; absent for the council.
            operator: Option<AccountId>,
        },
        /// A link was taken away.
        Unlinked {
            /// The node.
            node: Did,
            /// The participant.
            participant: Did,
            /// Why.
            reason: Reason,
            /// Account that unlinked them; absent for the council.
            operator: Option<AccountId>,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The DID is registered already, perhaps disabled.
        AlreadyRegistered,
        /// The key is another node's, perhaps a disabled one's.
        KeyInUse,
        /// The bytes are no SM2 public key.
        InvalidPublicKey,
        /// The hash of the credential is all zero.
        CredentialMissing,
        /// `MaxNodes` are registered already.
        TooManyNodes,
        /// No access node has this DID.
        NotFound,
        /// The node is disabled, which is final.
        Disabled,
        /// The node has this status already.
        StatusUnchanged,
        /// The participant may not act, for this reason.
        Participant(ParticipantProblem),
        /// The node is linked to the participant already.
        AlreadyLinked,
        /// The node is not linked to the participant.
        NotLinked,
        /// The node is linked to `MaxParticipantsPerNode` already.
        TooManyParticipants,
        /// The participant is linked to `MaxNodesPerParticipant` already.
        TooManyNodesOfParticipant,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MaxNodes::get() > 0, "MaxNodes must not be 0");
            let (participants, nodes) =
                (T::MaxParticipantsPerNode::get(), T::MaxNodesPerParticipant::get());
            assert!(participants > 0, "MaxParticipantsPerNode must not be 0");
            assert!(nodes > 0, "MaxNodesPerParticipant must not be 0");
        }

        fn try_state(_n: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers an access node; it is in normal operation at once, and
        /// linked to nobody.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `AlreadyRegistered`, `TooManyNodes`, `CredentialMissing`,
        /// `InvalidPublicKey`, `KeyInUse`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(origin: OriginFor<T>, registration: Registration) -> DispatchResult {
            let operator = Self::ensure_admin(origin)?;
            let Registration { node, operator_name, credential_hash, public_key } =
                registration.clone();
            ensure!(!Nodes::<T>::contains_key(&node), Error::<T>::AlreadyRegistered);
            ensure!(Nodes::<T>::count() < T::MaxNodes::get(), Error::<T>::TooManyNodes);
            ensure!(!credential_hash.is_zero(), Error::<T>::CredentialMissing);
            let sm2 = public_key.scheme() == SignatureScheme::Sm2 && public_key.is_well_formed();
            ensure!(sm2, Error::<T>::InvalidPublicKey);
            let account = public_key.account_id();
            ensure!(!KeyToNode::<T>::contains_key(&account), Error::<T>::KeyInUse);

            KeyToNode::<T>::insert(account, &node);
            let entry = AccessNode {
                operator_name: operator_name.clone(),
                credential_hash,
                public_key,
                status: NodeStatus::Normal,
                participants: 0,
                version: 0,
                history_hash: Hash::zero(),
                registered: Self::stamp(),
                updated: Self::stamp(),
            };
            Self::store(&node, entry, operator.clone(), Change::Registered(registration));
            Self::deposit_event(Event::Registered {
                node,
                operator_name,
                credential_hash,
                operator,
            });
            Ok(())
        }

        /// Puts an access node into normal operation, pauses it or disables it
        /// for good, with a reason.
        ///
        /// # Origin
        /// `AdminOrigin`; `SecurityOrigin` too, unless it disables.
        ///
        /// # Errors
        /// `NotFound`, `Disabled`, `StatusUnchanged`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::set_status(T::MaxParticipantsPerNode::get()))]
        pub fn set_status(
            origin: OriginFor<T>,
            node: Did,
            status: NodeStatus,
            reason: Reason,
        ) -> DispatchResult {
            let operator = match status {
                NodeStatus::Disabled => Self::ensure_admin(origin)?,
                NodeStatus::Normal | NodeStatus::Paused => Self::ensure_security(origin)?,
            };
            let mut entry = Self::not_disabled(&node)?;
            let from = entry.status;
            ensure!(from != status, Error::<T>::StatusUnchanged);
            entry.status = status;
            for participant in Links::<T>::iter_key_prefix(&node) {
                NodesOf::<T>::mutate(participant, |nodes| {
                    if let Some(linked) = nodes.iter_mut().find(|linked| linked.node == node) {
                        linked.status = status;
                    }
                });
            }
            let change = Change::Status { from, to: status, reason: reason.clone() };
            Self::store(&node, entry, operator.clone(), change);
            Self::deposit_event(Event::StatusChanged { node, from, to: status, reason, operator });
            Ok(())
        }

        /// Links an access node that is not disabled to an active participant.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NotFound`, `Disabled`, `AlreadyLinked`, `Participant`,
        /// `TooManyParticipants`, `TooManyNodesOfParticipant`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::link())]
        pub fn link(origin: OriginFor<T>, node: Did, participant: Did) -> DispatchResult {
            let operator = Self::ensure_admin(origin)?;
            let mut entry = Self::not_disabled(&node)?;
            ensure!(!Links::<T>::contains_key(&node, &participant), Error::<T>::AlreadyLinked);
            T::Participants::active_by_did(&participant).map_err(Error::<T>::Participant)?;
            let room = entry.participants < T::MaxParticipantsPerNode::get();
            ensure!(room, Error::<T>::TooManyParticipants);
            let linked = LinkedNode { node: node.clone(), status: entry.status };
            NodesOf::<T>::try_mutate(&participant, |nodes| nodes.try_push(linked))
                .map_err(|_| Error::<T>::TooManyNodesOfParticipant)?;

            Links::<T>::insert(&node, &participant, ());
            entry.participants = entry.participants.saturating_add(1);
            let change = Change::Linked { participant: participant.clone() };
            Self::store(&node, entry, operator.clone(), change);
            Self::deposit_event(Event::Linked { node, participant, operator });
            Ok(())
        }

        /// Takes the link of an access node and a participant away, whatever
        /// their states, with a reason.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NotFound`, `NotLinked`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::unlink())]
        pub fn unlink(
            origin: OriginFor<T>,
            node: Did,
            participant: Did,
            reason: Reason,
        ) -> DispatchResult {
            let operator = Self::ensure_admin(origin)?;
            let mut entry = Nodes::<T>::get(&node).ok_or(Error::<T>::NotFound)?;
            let linked = Links::<T>::take(&node, &participant).is_some();
            ensure!(linked, Error::<T>::NotLinked);
            NodesOf::<T>::mutate_exists(&participant, |entry| {
                let mut nodes = entry.take().unwrap_or_default();
                nodes.retain(|linked| linked.node != node);
                *entry = (!nodes.is_empty()).then_some(nodes);
            });
            entry.participants = entry.participants.saturating_sub(1);
            let change =
                Change::Unlinked { participant: participant.clone(), reason: reason.clone() };
            Self::store(&node, entry, operator.clone(), change);
            Self::deposit_event(Event::Unlinked { node, participant, reason, operator });
            Ok(())
        }
    }
}

/// Checks and writes behind the calls.
impl<T: Config> Pallet<T> {
    /// The signer, if the administrator's origin has one.
    fn ensure_admin(origin: OriginFor<T>) -> Result<Option<AccountId>, DispatchError> {
        T::AdminOrigin::ensure_origin(origin.clone())?;
        Ok(ensure_signed(origin).ok())
    }

    /// As [`Self::ensure_admin`], for what may not wait.
    fn ensure_security(origin: OriginFor<T>) -> Result<Option<AccountId>, DispatchError> {
        if T::SecurityOrigin::ensure_origin(origin.clone()).is_ok() {
            return Ok(ensure_signed(origin).ok());
        }
        Self::ensure_admin(origin)
    }

    fn not_disabled(node: &Did) -> Result<AccessNode, Error<T>> {
        let entry = Nodes::<T>::get(node).ok_or(Error::<T>::NotFound)?;
        ensure!(entry.status != NodeStatus::Disabled, Error::<T>::Disabled);
        Ok(entry)
    }

    /// Writes a changed node and the record of the change.
    fn store(node: &Did, mut entry: AccessNode, operator: Option<AccountId>, change: Change) {
        entry.version = entry.version.saturating_add(1);
        entry.updated = Self::stamp();
        let version = entry.version;
        let record = HistoryRecord { version, stamp: entry.updated, operator, change };
        let encoded = record.encode();
        let chained = [entry.history_hash.as_bytes(), &encoded].concat();
        entry.history_hash = sm3(&chained).into();
        sp_io::offchain_index::set(&history_key(node, version), &encoded);
        Nodes::<T>::insert(node, entry);
    }

    fn stamp() -> Stamp {
        Stamp {
            block: frame_system::Pallet::<T>::block_number().saturated_into(),
            extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
            moment: T::Time::now(),
        }
    }

    /// Checks that
    /// 1. every node's key leads back to it, and no other key is known;
    /// 2. every link stands both ways, and a participant's side repeats the
    ///    node's status;
    /// 3. every node counts its links;
    /// 4. the bounds hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut count = 0u32;
        for (did, entry) in Nodes::<T>::iter() {
            count = count.saturating_add(1);
            let owner = KeyToNode::<T>::get(entry.public_key.account_id());
            ensure!(owner.as_ref() == Some(&did), "key leads to another node");
            ensure!(entry.version > 0, "node without a version");
            let mut links = 0u32;
            for participant in Links::<T>::iter_key_prefix(&did) {
                links = links.saturating_add(1);
                let linked = LinkedNode { node: did.clone(), status: entry.status };
                let back = NodesOf::<T>::get(participant);
                let times = back.iter().filter(|other| **other == linked).count();
                ensure!(times == 1, "link of a node that its participant does not have");
            }
            ensure!(links == entry.participants, "node counts its links wrongly");
            ensure!(links <= T::MaxParticipantsPerNode::get(), "node with too many links");
        }
        ensure!(count == Nodes::<T>::count(), "node counter is wrong");
        ensure!(count <= T::MaxNodes::get(), "too many nodes");
        ensure!(KeyToNode::<T>::iter().count() == count as usize, "key of nobody");
        for (participant, nodes) in NodesOf::<T>::iter() {
            ensure!(!nodes.is_empty(), "participant with an empty list");
            for linked in nodes {
                let there = Links::<T>::contains_key(&linked.node, &participant);
                ensure!(there, "link of a participant that its node does not have");
            }
        }
        let nodes_known = Links::<T>::iter_keys().all(|(node, _)| Nodes::<T>::contains_key(node));
        ensure!(nodes_known, "link of no node");
        Ok(())
    }
}
