//! What the domain methods of the RPC answer: plain JSON for platform services
//! that know nothing of SCALE. Field names are snake case, hashes `0x` hex,
//! money whole fen, times milliseconds since 1970 in UTC, dates and times of
//! issue the printed digits as a number.
//!
//! Server and clients share these types. A field never changes its meaning;
//! new ones may be added.

#![forbid(unsafe_code)]

mod access;
mod access_node;
mod allotment;
mod archive;
mod authorization;
mod bill;
pub mod code;
mod cooling;
mod dispute;
mod head;
mod history;
mod outbox;
mod page;
mod participant;
mod permission;
mod policy;
mod scene;
pub mod schema;
mod status;
mod subscription;
mod transaction;
mod upgrade;
mod validator;
mod verify;

pub use access::{
    AccessAnchorView, AccessLogHeadView, AccessLogQuery, AccessLogView, AccessReloadView,
};
pub use access_node::{
    AccessNodeChangeView, AccessNodeRecordView, AccessNodeView, LinkCheckView, LinkedNodeView,
};
pub use allotment::{HoldingView, NumberOwnerView, NumberRangeView, NumberSpanView};
pub use archive::{
    ArchiveCallView, ArchiveDifferenceEventView, ArchiveDifferenceItem, ArchiveDifferenceType,
    ArchiveReturnType, ArchiveStorageEventView, ArchiveStorageItem, ArchiveStorageType,
};
pub use authorization::{
    ConditionView, GrantChangeView, GrantCheckView, GrantRecordView, GrantView,
};
pub use bill::{
    BillKeyView, BillVersionView, BillView, FieldRulesView, LinkRecordView, LockView,
    PartyBillView, PartyView, RegistrationView, ReimbursementView,
};
pub use cooling::{ColdRunView, CoolingLapView, CoolingPolicyView, CoolingStatusView};
pub use dispute::{ActView, CaseDecisionView, CaseView, ContenderView, ResolutionView};
pub use head::{
    HeadEventView, HeadRuntimeSpecView, HeadRuntimeView, HeadStorageEntryView, HeadStorageItem,
    OperationView, TransactionEventView, TransactionPlaceView,
};
pub use history::{
    AdjustmentView, DifferenceView, FieldChangeView, FieldProofView, HistoryCheckView,
};
pub use outbox::{
    ConnectorView, LeaseView, NoticeView, OldestView, OutboxEntryView, OutboxProofView, PulseView,
    TallyView, WorkerView,
};
pub use page::Page;
pub use participant::{
    IdentityView, ParticipantChangeView, ParticipantRecordView, ParticipantView, StampView,
};
pub use permission::{
    AdministratorView, PermissionCheckView, RuleChangeView, RuleView, RulesView, WhitelistEntryView,
};
pub use policy::{
    CheckView, DecisionView, DocumentView, FlowView, InForceView, PolicyRef, PolicyView,
    SimulationView, StepView, TrailStepView,
};
pub use scene::{SceneApprovalView, SceneChangeView, SceneView};
pub use status::{
    ChainStatusView, ConsensusStatusView, DiskView, LastVoteView, MachineView, NodeStatusView,
    PeerSeenView, PhaseView, RoundStepView, ValidatorSeenView, VoteSeenView, VotesView,
};
pub use subscription::{
    SubscriptionFilter, SubscriptionItemView, SubscriptionPageView, SubscriptionPlace,
};
pub use transaction::{
    BillItemView, BlockRef, CertificateView, DecidedHeaderView, EventView, FailureView,
    ItemOutcome, PreparedView, ReadProofView, ReceiptView, TransactionState, TransactionView,
};
pub use upgrade::{ReleaseView, UpgradeView};
pub use validator::{
    EquivocationView, ObserverView, ParticipationView, SignedStatementView, StatementKindView,
    ValidatorListView, ValidatorView,
};
pub use verify::{
    BillCertificateView, BillHashVerificationView, CodesVerificationView, ElementsVerificationView,
    ElementsView, HashVerificationView, MismatchView, ObservationView, VerificationResult,
};
