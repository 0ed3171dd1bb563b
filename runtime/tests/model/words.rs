//! The words in which players, model and chain speak of the same things.

mod asked;

pub use asked::*;

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
    /// The number is allotted; none: whatever the code, else of the code of odd
    /// (or even) bills.
    Allotted(Option<bool>),
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
