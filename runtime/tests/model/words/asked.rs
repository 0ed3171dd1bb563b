//! What is asked for, and what comes of it.

use super::{Actor, Draft, Field, FieldRule, Key, Place, Relation, Scene, Status};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    AllOrNothing,
    PerItem,
}

/// A change of a bill's status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    pub key: Key,
    pub expected: Option<u32>,
    pub change: Change,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    Confirm,
    Void,
    Lock {
        scene: Scene,
        claim: u8,
        for_user: Option<Actor>,
        /// Signed so many milliseconds after the block's time.
        drift: i64,
    },
    Unlock,
    Expire,
    AdminLock {
        evidence: bool,
    },
    AdminUnlock {
        evidence: bool,
    },
    Reimburse(i64),
    ReverseUse {
        approval: bool,
    },
}

/// Hashes to fill in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filling {
    pub key: Key,
    pub expected: Option<u32>,
    pub pdf: Option<u8>,
    pub location: Option<u8>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reversal {
    pub key: Key,
    pub expected: Option<u32>,
    pub red: Draft,
    pub balance: Option<Draft>,
}

/// An adjustment as its proposer names the bill: by the five elements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    pub key: Key,
    pub check: u8,
    pub day: u64,
    pub total: i64,
    pub expected: Option<u32>,
    pub to: Status,
    pub evidence: bool,
}

/// What an administrator does about a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CaseAct {
    Lock,
    Unlock,
    /// In favour of this party, or of nobody.
    Close(Option<Actor>),
}

/// What somebody asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    Register(Draft),
    RegisterBatch(Vec<Draft>, Mode),
    PreIssue(Draft),
    /// By the register contract, for notices only.
    ConfirmNotice(Key),
    VoidNotice(Key),
    Change(Item),
    ChangeBatch(Vec<Item>, Mode),
    Fill(Filling),
    FillBatch(Vec<Filling>, Mode),
    RedReverse(Box<Reversal>),
    Propose(Proposal),
    /// Proposals are counted from 0 in the order in which they came.
    Approve {
        key: Key,
        proposal: u32,
    },
    Withdraw {
        key: Key,
        proposal: u32,
    },
    SetFieldRules {
        /// None: of all scenes.
        scene: Option<Scene>,
        expected: Option<u32>,
        rules: Vec<FieldRule>,
    },
    /// Numbers of the code that the bill with the first number has.
    Allot {
        issuer: Actor,
        first: Key,
        last: Key,
    },
    /// Numbers of the code that the bill `of` has.
    GiveBack {
        issuer: Actor,
        of: Key,
        first: Key,
    },
    VoidNumbers {
        issuer: Actor,
        of: Key,
        first: Key,
        last: Key,
    },
    Link {
        key: Key,
        party: Actor,
        relation: Relation,
    },
    UpdateLink {
        key: Key,
        party: Actor,
        relation: Relation,
        /// None: the link ends.
        to: Option<Relation>,
    },
    OpenCase {
        key: Key,
        parties: Vec<Actor>,
        evidence: bool,
    },
    /// Cases are counted from 1 in the order in which they were opened.
    OnCase {
        case: u32,
        /// Its bill, if there is such a case.
        key: Key,
        act: CaseAct,
        evidence: bool,
    },
}

impl Op {
    /// Bills it may change.
    pub fn keys(&self) -> Vec<Key> {
        match self {
            Self::Register(draft) | Self::PreIssue(draft) => vec![draft.key],
            Self::RegisterBatch(drafts, _) => drafts.iter().map(|draft| draft.key).collect(),
            Self::Change(item) => vec![item.key],
            Self::ChangeBatch(items, _) => items.iter().map(|item| item.key).collect(),
            Self::Fill(filling) => vec![filling.key],
            Self::FillBatch(fillings, _) => fillings.iter().map(|filling| filling.key).collect(),
            Self::RedReverse(reversal) => {
                let balance = reversal.balance.as_ref().map(|balance| balance.key);
                [reversal.key, reversal.red.key].into_iter().chain(balance).collect()
            }
            Self::Propose(proposal) => vec![proposal.key],
            Self::ConfirmNotice(key)
            | Self::VoidNotice(key)
            | Self::Approve { key, .. }
            | Self::Withdraw { key, .. }
            | Self::Link { key, .. }
            | Self::UpdateLink { key, .. }
            | Self::OpenCase { key, .. }
            | Self::OnCase { key, .. } => vec![*key],
            Self::SetFieldRules { .. }
            | Self::Allot { .. }
            | Self::GiveBack { .. }
            | Self::VoidNumbers { .. } => vec![],
        }
    }

    /// Whether it is about allotted numbers.
    pub fn is_of_numbers(&self) -> bool {
        matches!(self, Self::Allot { .. } | Self::GiveBack { .. } | Self::VoidNumbers { .. })
    }

    /// The changes of status it asks for.
    pub fn changes(&self) -> &[Item] {
        match self {
            Self::Change(item) => std::slice::from_ref(item),
            Self::ChangeBatch(items, _) => items,
            _ => &[],
        }
    }
}

/// What came of an operation.
pub type Verdict = Result<Done, Refusal>;

/// What is worth a word of an operation that was accepted.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Done {
    /// First transactions of what was only repeated.
    pub again: Vec<Place>,
    /// Items that were refused, by their places in the batch.
    pub refused: Vec<(u16, Refusal)>,
}

/// Why something is refused, as far as the domain gives names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// By a rule that has no name here.
    Rule,
    /// A lock that was signed too far from the block's time.
    Untimely,
    /// A lock of a bill that another claimant got in this block.
    DisputeLost,
    /// A new bill that breaks a field rule, in this field.
    Field(Field),
    /// A batch, because of this item.
    Item(u16),
}

/// What becomes of a transaction that is offered for a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Its sender may send nothing.
    NotAdmitted,
    /// An earlier one of its sender was left out.
    Waits,
    /// It asks for a lock before which another was taken in that it precedes.
    OutOfOrder,
    /// It is in the block.
    In(Verdict),
}

/// Who got a bill that several asked for in one block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolution {
    pub key: Key,
    pub winner: Actor,
    /// By precedence.
    pub contenders: Vec<Actor>,
}
