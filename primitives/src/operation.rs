//! Operations on a bill and where they lead: the vocabulary of the status
//! machine (状态机), whose table is data of the permissions contract.

use crate::BillStatus;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// What can be done to a bill.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// 登记: put a bill on the chain.
    Register,
    /// 预开: put a payment notice (电子缴款书) on the chain.
    PreIssue,
    /// 确认: a pre-issued notice was paid.
    Confirm,
    /// 作废: void.
    Void,
    /// 锁定: reserve for one claim.
    Lock,
    /// 解锁: give a lock back.
    Unlock,
    /// Release of a lock whose time is over.
    ExpireLock,
    /// 管理锁定: lock by an administrator.
    AdminLock,
    /// 管理解锁: unlock by an administrator.
    AdminUnlock,
    /// 报销入账: reimburse.
    Reimburse,
    /// 入账撤销: take a reimbursement back.
    ReverseUse,
    /// 冲红: reverse in red.
    RedReverse,
    /// 调整: correction by an administrator with a second approver.
    Adjust,
}

/// Where an allowed operation leads.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// To this status.
    Status(BillStatus),
    /// To the status the bill had before it was locked.
    BeforeLock,
    /// To `Reimbursed`, or to `PartlyReimbursed` when the scene is cumulative
    /// and an amount remains.
    Reimbursement,
    /// To the status the bill had before its last reimbursement.
    BeforeReimbursement,
    /// To any status; the operation names it.
    Named,
}
