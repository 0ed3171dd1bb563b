//! # Outbox (发件箱)
//!
//! The city's systems have to hear of what the chain decides. A *connector* (连接器) is registered
//! by a motion of the council ([`Pallet::register`]): which facts of which scenes it is told, in
//! which form, and who acknowledges for it. A fact becomes an [`Entry`](billchain_primitives::outbox::Entry)
//! in the transaction that decided it. Workers beside the nodes tell it; one at a time has the
//! connector's [`Lease`] ([`Pallet::claim`]). They report what was answered ([`Pallet::report`]).
//! An entry that was acknowledged leaves the state; its trace is the leaf of a Merkle mountain
//! range whose peaks stay ([`Trails`]), so that the chain proves for ever who was told what and when.
//!
//! ```
//! use billchain_primitives::outbox::{Topic, Topics};
//! use pallet_outbox::{LEASE_BLOCKS, LEASE_MS, Lease};
//!
//! let since = billchain_primitives::Stamp { block: 7, extrinsic: Some(1), moment: 1_000 };
//! let holder = "did:bill:worker-1".parse().unwrap();
//! let until = since.moment + LEASE_MS;
//! let lease = Lease { holder, since, until, until_block: since.block + LEASE_BLOCKS };
//! // A lease is over when its time and its blocks are.
//! assert!(!lease.is_over(8, until + 60_000) && !lease.is_over(1_000, until));
//! assert!(lease.is_over(10, until + 1));
//! assert!(!Topics::of(&[Topic::BillReimbursed]).contains(Topic::BillLocked));
//! ```
//!
//! ## What it promises
//! - A fact that a connector is told becomes one entry of it, in the transaction that decided it,
//!   or is counted as omitted with an event; no transaction is refused for an entry.
//! - Numbers of a connector's entries have no gaps. Entries about one subject are acknowledged in
//!   their order; a dead letter holds those behind it.
//! - An entry is acknowledged once, and its trace is appended once.
//! - Nobody acknowledges but the participants that the council named.
//!
//! ## What it assumes
//! Whoever acknowledges says the truth of what was answered: the chain holds the answer's SM3 and
//! who said so, and the system outside can be asked. Requests carry the entry's key, so that a
//! system that hears twice does once; `docs/workers.md` has the contract.
//!
//! ## What it costs
//! A fact without a connector costs one read of one small value, which stays in the block's
//! overlay. An entry writes two small values and one that the connector's entries of a block share;
//! that weighs in the block when it is made (`tell` of the weights), beside the weights of calls.

#![forbid(unsafe_code)]

mod checks;
mod entries;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{
    Answer, Connector, ConnectorStatus, LEASE_BLOCKS, LEASE_MS, Lane, Lease, MAX_ACKNOWLEDGERS,
    MAX_LANE, MAX_OUTCOMES, MAX_REFUSALS, MAX_ROUTES, MAX_SCENES, MAX_WAITING, Outcome, Route,
    SceneFilter, Tally, Terms,
};
pub use weights::WeightInfo;

use billchain_primitives::{
    AccountId, BillKey, Did, Moment, Reason,
    outbox::{ConnectorId, Entry, Label, Subject, Trail},
    seams::{BillLedger, ExtraWork, ParticipantProblem, Participants},
};
use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};

/// The outbox.
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
        frame_system::Config<AccountId = AccountId, RuntimeEvent: From<Event<Self>>>
    {
        /// Who registers and changes connectors.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Who, beside it, pauses connectors and lets them go on.
        type SecurityOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Who acts on the chain.
        type Participants: Participants;
        /// Where bills are kept.
        type Ledger: BillLedger;
        /// Where the work of entries is counted.
        type ExtraWork: ExtraWork;
        /// Time of the block, in milliseconds.
        type Time: Time<Moment = Moment>;
        /// Most connectors, retired ones included; not 0.
        #[pallet::constant]
        type MaxConnectors: Get<u16>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Connectors by number, from 1 on.
    #[pallet::storage]
    pub type Connectors<T: Config> = CountedStorageMap<_, Identity, ConnectorId, Connector>;

    /// What facts are compared with: the connectors that are not retired.
    #[pallet::storage]
    pub type Routes<T: Config> =
        StorageValue<_, BoundedVec<Route, ConstU32<MAX_ROUTES>>, ValueQuery>;

    /// Entries that were not acknowledged, by connector and number; the number has its highest
    /// byte first, so that keys stand in the order of numbers.
    #[pallet::storage]
    pub type Entries<T: Config> =
        StorageDoubleMap<_, Identity, ConnectorId, Identity, [u8; 8], Entry>;

    /// The entries about a subject that a connector has.
    #[pallet::storage]
    pub type Lanes<T: Config> =
        StorageDoubleMap<_, Identity, ConnectorId, Blake2_128Concat, Subject, Lane>;

    /// What is counted of a connector.
    #[pallet::storage]
    pub type Tallies<T: Config> = StorageMap<_, Identity, ConnectorId, Tally, ValueQuery>;

    /// What became of a connector's entries.
    #[pallet::storage]
    pub type Trails<T: Config> = StorageMap<_, Identity, ConnectorId, Trail, ValueQuery>;

    /// Who does a connector's work.
    #[pallet::storage]
    pub type Leases<T: Config> = StorageMap<_, Identity, ConnectorId, Lease>;

    /// The connectors that the chain begins with.
    #[pallet::genesis_config]
    #[derive(frame::prelude::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Their terms; the first has the number 1.
        pub connectors: Vec<Terms>,
        /// No data.
        #[serde(skip)]
        pub phantom: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let problems = self.problems();
            assert!(problems.is_empty(), "outbox genesis: {}", problems.join("; "));
            for terms in &self.connectors {
                // Checked above; the genesis has no events.
                let _ = Pallet::<T>::add(terms.clone());
            }
        }
    }

    /// What the council decides, and what becomes of entries.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A connector was registered; it is active.
        ConnectorRegistered {
            /// Its number.
            connector: ConnectorId,
            /// Name of its endpoint.
            endpoint: Label,
        },
        /// A connector's terms changed.
        ConnectorUpdated {
            /// Its number.
            connector: ConnectorId,
        },
        /// A connector's state changed.
        ConnectorStatusChanged {
            /// Its number.
            connector: ConnectorId,
            /// The state before.
            from: ConnectorStatus,
            /// The state after.
            to: ConnectorStatus,
            /// Why.
            reason: Reason,
        },
        /// A participant's worker does a connector's work from now on.
        LeaseTaken {
            /// The connector.
            connector: ConnectorId,
            /// The participant.
            holder: Did,
            /// Who had it before and did not show up; absent: nobody.
            from: Option<Did>,
        },
        /// A participant's worker does a connector's work no longer.
        LeaseReleased {
            /// The connector.
            connector: ConnectorId,
            /// The participant.
            holder: Did,
        },
        /// The system outside was told, and answered (回执).
        Acknowledged {
            /// The connector.
            connector: ConnectorId,
            /// Number of the entry.
            seq: u64,
            /// What it was about.
            subject: Subject,
            /// Version of that.
            version: u32,
            /// SM3 of the answer.
            answer: [u8; 32],
            /// Who says so.
            by: Did,
        },
        /// The system outside refused an entry as often as it may: somebody has to look (死信).
        DeadLetter {
            /// The connector.
            connector: ConnectorId,
            /// Number of the entry.
            seq: u64,
            /// SM3 of the last answer.
            answer: [u8; 32],
            /// Who says so.
            by: Did,
        },
        /// A dead letter is tried again.
        Revived {
            /// The connector.
            connector: ConnectorId,
            /// Number of the entry.
            seq: u64,
            /// The acknowledger; absent for the council.
            by: Option<Did>,
        },
        /// An entry was given up.
        Discarded {
            /// The connector.
            connector: ConnectorId,
            /// Number of the entry.
            seq: u64,
            /// Why.
            reason: Reason,
        },
        /// Somebody asked for a bill to be told again.
        Retold {
            /// The connector.
            connector: ConnectorId,
            /// The bill.
            bill: BillKey,
            /// Why.
            reason: Reason,
            /// The acknowledger; absent for the council.
            by: Option<Did>,
        },
        /// A fact became no entry, because too many wait: of the connector, or about the
        /// subject.
        Omitted {
            /// The connector.
            connector: ConnectorId,
            /// What it is about.
            subject: Subject,
            /// Version of that.
            version: u32,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The sender may not act, for this reason.
        Sender(ParticipantProblem),
        /// No connector has this number.
        ConnectorNotFound,
        /// There are as many connectors as there may be.
        TooManyConnectors,
        /// 16 connectors are not retired already.
        TooManyRoutes,
        /// The terms name no topics.
        NoTopics,
        /// The terms name a scene twice, or none although not all.
        ScenesUnsound,
        /// The terms name nobody who acknowledges, or somebody twice.
        AcknowledgersUnsound,
        /// `max_refusals` is not within 1 and 100.
        MaxRefusalsOutOfBounds,
        /// `max_waiting` is not within 1 and 2,000,000.
        MaxWaitingOutOfBounds,
        /// Another connector that is not retired has this endpoint.
        EndpointInUse,
        /// The connector is paused.
        ConnectorPaused,
        /// The connector is retired, which is final.
        ConnectorRetired,
        /// The connector has this state already.
        StatusUnchanged,
        /// The connector has these terms already.
        TermsUnchanged,
        /// The sender does not acknowledge for this connector.
        NotAcknowledger,
        /// Another worker has the lease.
        LeaseHeld,
        /// The sender has not the lease.
        LeaseNotHeld,
        /// The report has no outcomes, or the request no bills.
        NothingGiven,
        /// An entry about the same subject goes first.
        OutOfOrder,
        /// The connector never had an entry of this number.
        EntryUnknown,
        /// The connector has no such entry, or no longer.
        EntryNotFound,
        /// The entry is no dead letter.
        NotDead,
        /// No bill has this code and number.
        BillNotFound,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MaxConnectors::get() > 0, "MaxConnectors must not be 0");
            assert!(Route::max_encoded_len() < 256, "a fact reads a small value");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers a connector; it is active, and is told what is decided from now on.
        ///
        /// # Origin
        /// `AdminOrigin`: a motion of the council.
        ///
        /// # Errors
        /// `NoTopics`, `ScenesUnsound`, `AcknowledgersUnsound`, `MaxRefusalsOutOfBounds`,
        /// `MaxWaitingOutOfBounds`, `EndpointInUse`, `TooManyConnectors`, `TooManyRoutes`.
        #[pallet::call_index(0)]
        #[pallet::weight((T::WeightInfo::register(), DispatchClass::Operational))]
        pub fn register(origin: OriginFor<T>, terms: Terms) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            let endpoint = terms.endpoint.clone();
            let connector = Self::add(terms)?;
            Self::deposit_event(Event::ConnectorRegistered { connector, endpoint });
            Ok(())
        }

        /// Changes a connector's terms. Entries that wait are told by the new ones.
        ///
        /// # Origin
        /// `AdminOrigin`: a motion of the council.
        ///
        /// # Errors
        /// `ConnectorNotFound`, `ConnectorRetired`, `TermsUnchanged`, `NoTopics`, `ScenesUnsound`,
        /// `AcknowledgersUnsound`, `MaxRefusalsOutOfBounds`, `MaxWaitingOutOfBounds`,
        /// `EndpointInUse`.
        #[pallet::call_index(1)]
        #[pallet::weight((T::WeightInfo::update(), DispatchClass::Operational))]
        pub fn update(
            origin: OriginFor<T>,
            connector: ConnectorId,
            terms: Terms,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::change_terms(connector, terms)?;
            Self::deposit_event(Event::ConnectorUpdated { connector });
            Ok(())
        }

        /// Pauses a connector, lets it go on, or retires it for good. Its lease ends.
        ///
        /// # Origin
        /// `AdminOrigin`: a motion of the council; `SecurityOrigin` too, unless it retires.
        ///
        /// # Errors
        /// `ConnectorNotFound`, `ConnectorRetired`, `StatusUnchanged`.
        #[pallet::call_index(2)]
        #[pallet::weight((T::WeightInfo::set_status(), DispatchClass::Operational))]
        pub fn set_status(
            origin: OriginFor<T>,
            connector: ConnectorId,
            status: ConnectorStatus,
            reason: Reason,
        ) -> DispatchResult {
            let is_security = status != ConnectorStatus::Retired
                && T::SecurityOrigin::ensure_origin(origin.clone()).is_ok();
            if !is_security {
                T::AdminOrigin::ensure_origin(origin)?;
            }
            let from = Self::change_status(connector, status)?;
            let to = status;
            Self::deposit_event(Event::ConnectorStatusChanged { connector, from, to, reason });
            Ok(())
        }

        /// Takes the lease of a connector, or holds it longer (租约). It holds for 5 s of block
        /// time, and two blocks, from now.
        ///
        /// # Origin
        /// An active participant that acknowledges for the connector.
        ///
        /// # Errors
        /// `Sender`, `ConnectorNotFound`, `NotAcknowledger`, `ConnectorPaused`,
        /// `ConnectorRetired`, `LeaseHeld`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::claim())]
        pub fn claim(origin: OriginFor<T>, connector: ConnectorId) -> DispatchResult {
            let (by, found) = Self::acknowledger(origin, connector)?;
            match found.status {
                ConnectorStatus::Active => {}
                ConnectorStatus::Paused => return Err(Error::<T>::ConnectorPaused.into()),
                ConnectorStatus::Retired => return Err(Error::<T>::ConnectorRetired.into()),
            }
            Self::take_lease(connector, by)?;
            Ok(())
        }

        /// Gives the lease of a connector back, so that another worker need not wait.
        ///
        /// # Origin
        /// The participant that holds it.
        ///
        /// # Errors
        /// `Sender`, `ConnectorNotFound`, `NotAcknowledger`, `LeaseNotHeld`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::release())]
        pub fn release(origin: OriginFor<T>, connector: ConnectorId) -> DispatchResult {
            let (by, _) = Self::acknowledger(origin, connector)?;
            let lease = Leases::<T>::get(connector).filter(|lease| lease.holder == by);
            ensure!(lease.is_some(), Error::<T>::LeaseNotHeld);
            Leases::<T>::remove(connector);
            Self::deposit_event(Event::LeaseReleased { connector, holder: by });
            Ok(())
        }

        /// Reports what the system outside answered (回执), at most 500 outcomes. Whoever holds
        /// the lease holds it longer by that. It may be reported without a lease: what was done
        /// outside is done.
        ///
        /// Outcomes of entries that are acknowledged or discarded already are passed over, and
        /// refusals of dead letters: a report that comes twice, or from two workers, changes
        /// nothing twice. A dead letter that was told after all is acknowledged.
        ///
        /// # Origin
        /// An active participant that acknowledges for the connector.
        ///
        /// # Errors
        /// `Sender`, `ConnectorNotFound`, `NotAcknowledger`, `NothingGiven`, `EntryUnknown`,
        /// `OutOfOrder`.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::report(outcomes.len() as u32))]
        pub fn report(
            origin: OriginFor<T>,
            connector: ConnectorId,
            outcomes: BoundedVec<Outcome, ConstU32<MAX_OUTCOMES>>,
        ) -> DispatchResult {
            let (by, found) = Self::acknowledger(origin, connector)?;
            ensure!(!outcomes.is_empty(), Error::<T>::NothingGiven);
            Self::note_outcomes(connector, &found.terms, &by, &outcomes)?;
            Self::hold_longer(connector, &by);
            Ok(())
        }

        /// Has a dead letter tried again.
        ///
        /// # Origin
        /// An active participant that acknowledges for the connector, or `AdminOrigin`.
        ///
        /// # Errors
        /// `Sender`, `ConnectorNotFound`, `NotAcknowledger`, `EntryNotFound`, `NotDead`.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::revive())]
        pub fn revive(origin: OriginFor<T>, connector: ConnectorId, seq: u64) -> DispatchResult {
            let by = Self::council_or_acknowledger(origin, connector)?;
            Self::wake(connector, seq)?;
            Self::deposit_event(Event::Revived { connector, seq, by });
            Ok(())
        }

        /// Gives up a dead letter, or any entry of a retired connector; its trace says so.
        ///
        /// # Origin
        /// `AdminOrigin`: a motion of the council.
        ///
        /// # Errors
        /// `ConnectorNotFound`, `EntryNotFound`, `NotDead`, `OutOfOrder`.
        #[pallet::call_index(7)]
        #[pallet::weight((T::WeightInfo::discard(), DispatchClass::Operational))]
        pub fn discard(
            origin: OriginFor<T>,
            connector: ConnectorId,
            seq: u64,
            reason: Reason,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::give_up(connector, seq, reason.clone())?;
            Self::deposit_event(Event::Discarded { connector, seq, reason });
            Ok(())
        }

        /// Has the present versions of bills told again (重述), at most 500: to repair what the
        /// other side lost, or what was omitted. They are told whatever the connector's topics
        /// and scenes are.
        ///
        /// # Origin
        /// An active participant that acknowledges for the connector, or `AdminOrigin`.
        ///
        /// # Errors
        /// `Sender`, `ConnectorNotFound`, `NotAcknowledger`, `ConnectorRetired`, `NothingGiven`,
        /// `BillNotFound`.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::retell(bills.len() as u32))]
        pub fn retell(
            origin: OriginFor<T>,
            connector: ConnectorId,
            bills: BoundedVec<BillKey, ConstU32<MAX_OUTCOMES>>,
            reason: Reason,
        ) -> DispatchResult {
            let by = Self::council_or_acknowledger(origin, connector)?;
            ensure!(!bills.is_empty(), Error::<T>::NothingGiven);
            for bill in bills {
                Self::tell_again(connector, bill)?;
                let (reason, by) = (reason.clone(), by.clone());
                Self::deposit_event(Event::Retold { connector, bill, reason, by });
            }
            Ok(())
        }
    }
}

impl<T> From<ParticipantProblem> for Error<T> {
    fn from(problem: ParticipantProblem) -> Self {
        Self::Sender(problem)
    }
}
