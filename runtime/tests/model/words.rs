//! The words in which players, model and chain speak of the same things.

/// Number of a bill; the world makes code and number of it.
pub type Key = u32;
pub type Scene = u16;

pub const ISSUERS: u8 = 3;
pub const USERS: u8 = 4;
pub const ADMINS: u8 = 2;

/// The actors, by what they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Actor {
    Issuer(u8),
    User(u8),
    Platform,
    Admin(u8),
    /// Has the roles of an issuer and of a user.
    Both,
    /// An account that belongs to no participant.
    Stranger,
    /// A motion of the council, which is no account.
    Council,
}

impl Actor {
    /// Those that have an account.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Platform, Self::Both, Self::Stranger];
        all.extend((0..ISSUERS).map(Self::Issuer));
        all.extend((0..USERS).map(Self::User));
        all.extend((0..ADMINS).map(Self::Admin));
        all
    }

    pub fn is_issuer(self) -> bool {
        matches!(self, Self::Issuer(_) | Self::Both)
    }

    pub fn is_user(self) -> bool {
        matches!(self, Self::User(_) | Self::Both)
    }

    pub fn is_admin(self) -> bool {
        matches!(self, Self::Admin(_))
    }

    pub fn is_claimant(self) -> bool {
        self.is_user() || self == Self::Platform
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Blue,
    Red,
    Notice,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Status {
    PreIssued,
    Normal,
    Locked,
    PartlyReimbursed,
    Reimbursed,
    RedReversed,
    Voided,
}

impl Status {
    pub const ALL: [Self; 7] = [
        Self::PreIssued,
        Self::Normal,
        Self::Locked,
        Self::PartlyReimbursed,
        Self::Reimbursed,
        Self::RedReversed,
        Self::Voided,
    ];

    pub fn is_final(self) -> bool {
        matches!(self, Self::RedReversed | Self::Voided)
    }
}

/// What an issuer says of a bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    pub key: Key,
    pub kind: Kind,
    pub issuer: Actor,
    pub scene: Scene,
    pub total: i64,
    pub related: Option<Key>,
    /// Day of issue, counted from 1970-01-01 in UTC+8.
    pub day: u64,
    /// One of two check codes, which differ in nothing but the case.
    pub check: u8,
    /// Whether the issuer's code ends in its check digit.
    pub uscc_fits: bool,
    /// Whether an organisation paid, not a person.
    pub organisation: bool,
    pub hashes: Hashes,
}

/// The hashes of a bill, each by one byte; 0: left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hashes {
    pub xml: u8,
    pub pdf: u8,
    pub location: u8,
    pub payer: u8,
    pub biz_no: u8,
}

/// Where a transaction stands.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Place {
    pub block: u32,
    pub index: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lock {
    pub holder: Actor,
    /// Scene and number of the claim; none for an administrator's lock.
    pub claim: Option<(Scene, u8)>,
    /// The transaction that locked.
    pub at: Place,
    /// Valid up to and including this time; none: until it is unlocked.
    pub expires: Option<u64>,
    pub before: Status,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    pub payer: Actor,
    pub scene: Scene,
    pub amount: i64,
    pub before: Status,
}

/// What a party is to a bill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    PayerAgent,
    Claimant,
    Insurer,
    Other,
}

impl Relation {
    pub const ALL: [Self; 4] = [Self::PayerAgent, Self::Claimant, Self::Insurer, Self::Other];
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    pub party: Actor,
    pub relation: Relation,
    pub operator: Actor,
    pub since: Place,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bill {
    pub draft: Draft,
    pub status: Status,
    pub version: u32,
    pub lock: Option<Lock>,
    pub claims: Vec<Claim>,
    pub links: Vec<Link>,
}

/// An adjustment that waits for its second administrator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Adjustment {
    pub proposer: Actor,
    pub version: u32,
    pub to: Status,
}

/// A dispute over a bill that administrators settle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    pub bill: Key,
    pub parties: Vec<Actor>,
    /// In whose favour it was decided, if in anybody's; none: it is open.
    pub decision: Option<Option<Actor>>,
    /// What was done about it, in numbers.
    pub acts: u32,
}

/// What an administrator does about a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CaseAct {
    Lock,
    Unlock,
    /// In favour of this party, or of nobody.
    Close(Option<Actor>),
}

/// A field of which a field rule speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    Code,
    Date,
    Total,
    Uscc,
    PayerType,
    Payer,
    BizNo,
    Pdf,
    Location,
}

/// A hash that a field rule can ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Optional {
    Payer,
    BizNo,
    Pdf,
    Location,
}

/// What a field rule asks of a bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Check {
    Required(Optional),
    Total {
        least: i64,
        most: i64,
    },
    Regions(Vec<u8>),
    Classes(Vec<u8>),
    Kinds(Vec<u8>),
    /// Issued so many days before the block, at most.
    IssuedWithin(u16),
    Organisation(bool),
    UsccFits,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldRule {
    /// Only bills of this kind are asked; none: all.
    pub kind: Option<Kind>,
    pub check: Check,
}

/// Field rules with their version.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct RuleSet {
    pub version: u32,
    pub rules: Vec<FieldRule>,
}

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
            Self::SetFieldRules { .. } => vec![],
        }
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
