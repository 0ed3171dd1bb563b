//! The pallets' settings.

use crate::{
    AccessNode, AccountId, Allotment, Authorization, BillRegister, BillUpdate, Block, Cooling,
    CouncilMajority, CouncilSync, Dispute, Nonce, OriginCaller, Outbox, PalletInfo, Participant,
    Permissions, Policy, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, RuntimeTask, Scene,
    Sm3Hasher, Timestamp, Totals, VERSION, Validators,
    calls::AdmittedCalls,
    cooling::{ColdRead, CoolingMaps, Missing},
    council::{CouncilCollective, ExpiredMotions, MAX_MOTIONS, MotionTicket},
    limits::{
        BlockHashCount, DbWeight, HardLimits, MaxSignedAfter, MaxSignedBefore, RuntimeBlockLength,
        RuntimeBlockWeights,
    },
};
use billchain_primitives::{BlockNumber, Hash, Moment, Role, RoleSet};
use frame_support::{
    parameter_types,
    traits::{ConstU16, ConstU32, ConstU64, NeverEnsureOrigin},
    weights::Weight,
};
use pallet_permissions::{EnsureAdministrator, SecurityAdmin};
use sp_runtime::{Perbill, traits::AccountIdLookup};
use sp_version::RuntimeVersion;

/// Who admits participants and access nodes, sets rules, whitelists and
/// offices, and changes validators: see [`CouncilMajority`].
pub type AdminOrigin = CouncilMajority;

/// Who stops at once what cannot wait for a motion: a security administrator
/// (安全管理员).
pub type SecurityOrigin = EnsureAdministrator<Runtime, SecurityAdmin>;

parameter_types! {
    /// The version of the rules.
    pub const Version: RuntimeVersion = VERSION;
    /// Never by the number of blocks, which follow work: a motion ends by time,
    /// see [`ExpiredMotions`](crate::council::ExpiredMotions).
    pub const MotionDuration: BlockNumber = BlockNumber::MAX / 2;
    /// Most work of a motion's call.
    pub MaxProposalWeight: Weight = Perbill::from_percent(50) * crate::limits::MAX_BLOCK_WEIGHT;
}

/// Most members of the council.
pub const MAX_COUNCIL_MEMBERS: u32 = 100;

impl frame_system::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type BaseCallFilter = AdmittedCalls;
    type BlockWeights = RuntimeBlockWeights;
    type BlockLength = RuntimeBlockLength;
    type RuntimeOrigin = RuntimeOrigin;
    type RuntimeCall = RuntimeCall;
    type RuntimeTask = RuntimeTask;
    type Nonce = Nonce;
    type Hash = Hash;
    type Hashing = Sm3Hasher;
    type AccountId = AccountId;
    type Lookup = AccountIdLookup<AccountId, ()>;
    type Block = Block;
    type BlockHashCount = BlockHashCount;
    type DbWeight = DbWeight;
    type Version = Version;
    type PalletInfo = PalletInfo;
    type AccountData = ();
    type OnNewAccount = ();
    type OnKilledAccount = ();
    type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
    type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
    // Substrate's generic prefix: the chain has no token and no registered one.
    type SS58Prefix = ConstU16<42>;
    type OnSetCode = ();
    type MaxConsumers = ConstU32<16>;
    type SingleBlockMigrations = crate::version::Migrations;
    type MultiBlockMigrator = ();
    type PreInherents = ();
    type PostInherents = ExpiredMotions;
    type PostTransactions = ();
}

impl pallet_timestamp::Config for Runtime {
    type Moment = Moment;
    type OnTimestampSet = ();
    // Blocks are made when there is work; only strict growth is asked for.
    type MinimumPeriod = ConstU64<1>;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_utility::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = OriginCaller;
    type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

impl pallet_collective::Config<CouncilCollective> for Runtime {
    type RuntimeOrigin = RuntimeOrigin;
    type Proposal = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type MotionDuration = MotionDuration;
    type MaxProposals = ConstU32<MAX_MOTIONS>;
    type MaxMembers = ConstU32<MAX_COUNCIL_MEMBERS>;
    type DefaultVote = pallet_collective::PrimeDefaultVote;
    type WeightInfo = pallet_collective::weights::SubstrateWeight<Runtime>;
    // The membership pallet alone sets the members.
    type SetMembersOrigin = NeverEnsureOrigin<()>;
    type MaxProposalWeight = MaxProposalWeight;
    type DisapproveOrigin = AdminOrigin;
    type KillOrigin = AdminOrigin;
    type Consideration = MotionTicket;
}

impl pallet_membership::Config<pallet_membership::Instance1> for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type AddOrigin = AdminOrigin;
    type RemoveOrigin = AdminOrigin;
    type SwapOrigin = AdminOrigin;
    type ResetOrigin = AdminOrigin;
    type PrimeOrigin = AdminOrigin;
    type MembershipInitialized = CouncilSync;
    type MembershipChanged = CouncilSync;
    type MaxMembers = ConstU32<MAX_COUNCIL_MEMBERS>;
    type WeightInfo = pallet_membership::weights::SubstrateWeight<Runtime>;
}

impl pallet_participant::Config for Runtime {
    type AdminOrigin = AdminOrigin;
    type SecurityOrigin = SecurityOrigin;
    type Administrators = Permissions;
    type Outbox = Outbox;
    type Time = Timestamp;
    type MaxParticipants = ConstU32<1_000_000>;
    type MaxRotations = ConstU32<100>;
    type WeightInfo = pallet_participant::weights::SubstrateWeight<Runtime>;
}

impl pallet_validators::Config for Runtime {
    type AdminOrigin = AdminOrigin;
    type Time = Timestamp;
    type WeightInfo = pallet_validators::weights::SubstrateWeight<Runtime>;
}

impl pallet_participation::Config for Runtime {
    type Keys = Validators;
    type WeightInfo = pallet_participation::weights::SubstrateWeight<Runtime>;
}

impl pallet_upgrade::Config for Runtime {
    type AdminOrigin = AdminOrigin;
    type Electorate = Validators;
    type Time = Timestamp;
    type MaxVoters = ConstU32<{ pallet_validators::MAX_VALIDATORS }>;
    type WeightInfo = pallet_upgrade::weights::SubstrateWeight<Runtime>;
}

impl pallet_access_log::Config for Runtime {
    type Electorate = Validators;
    type Time = Timestamp;
    type WeightInfo = pallet_access_log::weights::SubstrateWeight<Runtime>;
}

impl pallet_performance::Config for Runtime {
    type AdminOrigin = AdminOrigin;
    type Participants = Participant;
    type Time = Timestamp;
    type HardLimits = HardLimits;
    type MaxOwnQuotas = ConstU32<100_000>;
    type WeightInfo = pallet_performance::weights::SubstrateWeight<Runtime>;
}

impl pallet_permissions::Config for Runtime {
    type AdminOrigin = AdminOrigin;
    type Participants = Participant;
    type Scenes = Scene;
    type Time = Timestamp;
    // Each change is a motion of the council.
    type MaxRuleVersions = ConstU32<10_000>;
    type MaxRules = ConstU32<1_024>;
    type MaxWhitelist = ConstU32<10_000>;
    type MaxAdmins = ConstU32<64>;
    type WeightInfo = pallet_permissions::weights::SubstrateWeight<Runtime>;
}

impl pallet_scene::Config for Runtime {
    type Participants = Participant;
    type Administrators = Permissions;
    type Time = Timestamp;
    type MaxScenes = ConstU32<1_000>;
    type MaxOpenProposals = ConstU32<100>;
    type WeightInfo = pallet_scene::weights::SubstrateWeight<Runtime>;
}

impl pallet_bill_register::Config for Runtime {
    type AdminOrigin = AdminOrigin;
    type Participants = Participant;
    type Scenes = Scene;
    type AccessNodes = AccessNode;
    type Rules = Permissions;
    type Policies = Policy;
    type Allotments = Allotment;
    type Totals = Totals;
    type Outbox = Outbox;
    type ColdReads = Cooling;
    type Time = Timestamp;
    type WeightInfo = pallet_bill_register::weights::SubstrateWeight<Runtime>;
}

impl pallet_allotment::Config for Runtime {
    type AdminOrigin = AdminOrigin;
    type Participants = Participant;
    type Ledger = BillRegister;
    type WeightInfo = pallet_allotment::weights::SubstrateWeight<Runtime>;
}

impl pallet_totals::Config for Runtime {
    type Bills = BillRegister;
}

impl pallet_outbox::Config for Runtime {
    type AdminOrigin = AdminOrigin;
    type SecurityOrigin = SecurityOrigin;
    type Participants = Participant;
    type Ledger = BillRegister;
    type ExtraWork = Cooling;
    type Time = Timestamp;
    type MaxConnectors = ConstU16<64>;
    type WeightInfo = pallet_outbox::weights::SubstrateWeight<Runtime>;
}

impl pallet_cooling::Config for Runtime {
    type AdminOrigin = AdminOrigin;
    type Maps = CoolingMaps;
    type Time = Timestamp;
    type ColdRead = ColdRead;
    type Missing = Missing;
    type WeightInfo = pallet_cooling::weights::SubstrateWeight<Runtime>;
}

impl pallet_bill_update::Config for Runtime {
    type Ledger = BillRegister;
    type Participants = Participant;
    type Scenes = Scene;
    type Rules = Permissions;
    type Grants = Authorization;
    type Policies = Policy;
    type Contention = Dispute;
    type Time = Timestamp;
    type MaxAdjustments = ConstU32<1_000>;
    type WeightInfo = pallet_bill_update::weights::SubstrateWeight<Runtime>;
}

impl pallet_bill_query::Config for Runtime {
    type Ledger = BillRegister;
    type InForce = BillUpdate;
}

impl pallet_access_node::Config for Runtime {
    type AdminOrigin = AdminOrigin;
    type SecurityOrigin = SecurityOrigin;
    type Participants = Participant;
    type Time = Timestamp;
    type MaxNodes = ConstU32<100_000>;
    // A change of status writes one entry for each.
    type MaxParticipantsPerNode = ConstU32<1_000>;
    // A registration reads all of them, in one entry.
    type MaxNodesPerParticipant = ConstU32<16>;
    type WeightInfo = pallet_access_node::weights::SubstrateWeight<Runtime>;
}

impl pallet_authorization::Config for Runtime {
    type Participants = Participant;
    type Scenes = Scene;
    type Ledger = BillRegister;
    type ColdReads = Cooling;
    type Outbox = Outbox;
    type Time = Timestamp;
    type MaxGrants = ConstU32<500_000_000>;
    type MaxGrantsPerHolder = ConstU32<100_000>;
    type MaxRecords = ConstU32<10_000>;
    type WeightInfo = pallet_authorization::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
    /// Who may submit policies.
    pub PolicySubmitters: RoleSet = RoleSet::of(&[Role::Platform, Role::Admin]);
    /// Who may approve policies and make them effective.
    pub PolicyApprovers: RoleSet = RoleSet::of(&[Role::Admin]);
}

impl pallet_policy::Config for Runtime {
    type AdminOrigin = AdminOrigin;
    type Participants = Participant;
    type Scenes = Scene;
    type Time = Timestamp;
    type SubmitterRoles = PolicySubmitters;
    type ApproverRoles = PolicyApprovers;
    // An ordinary and a higher administrator, beside who submits (row 52).
    type MinApprovals = ConstU32<2>;
    type MaxPolicies = ConstU32<1_000>;
    type MaxVersions = ConstU32<1_000>;
    // What judging one bill may cost; the weights of the bills' calls hold it.
    type MaxPoliciesPerScene = ConstU32<16>;
    type MaxStepsPerScene = ConstU32<512>;
    type MaxPerKeyword = ConstU32<1_000>;
    type WeightInfo = pallet_policy::weights::SubstrateWeight<Runtime>;
}

impl pallet_dispute::Config for Runtime {
    type Ledger = BillRegister;
    type ColdReads = Cooling;
    type Locks = BillUpdate;
    type Participants = Participant;
    type Scenes = Scene;
    type Time = Timestamp;
    type MaxSignedBefore = MaxSignedBefore;
    type MaxSignedAfter = MaxSignedAfter;
    type MaxContenders = ConstU32<64>;
    type MaxParties = ConstU32<16>;
    type WeightInfo = pallet_dispute::weights::SubstrateWeight<Runtime>;
}

impl pallet_bill_verify::Config for Runtime {
    type Ledger = BillRegister;
    type Participants = Participant;
    type Time = Timestamp;
    type WeightInfo = pallet_bill_verify::weights::SubstrateWeight<Runtime>;
}
