//! The outbox (发件箱): what the systems outside are told of what the chain decided.
//!
//! A *connector* (连接器) is a way to one system outside. A *fact* is a change of a
//! bill, a grant or a participant; an [`Entry`] says that one connector's system has
//! to be told one fact. The outbox pallet keeps the entries, workers read them, so the
//! encodings here are part of the state.

mod trail;

#[cfg(test)]
mod tests;

pub use trail::{MAX_PEAKS, Trail, TrailProof, leaf};

use crate::{
    BillKey, BlockNumber, Did, GrantId, Hash, Moment, Operation, Reason, SceneId, Stamp,
    bill::{InvalidField, printable},
    history::Cause,
};
use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{ConstU32, bounded::BoundedVec};

/// Number of a connector.
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
#[serde(transparent)]
pub struct ConnectorId(pub u16);

impl fmt::Display for ConnectorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which sort of system a connector leads to.
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
pub enum ConnectorKind {
    /// 原财政电子票据系统: the system of before the chain [76, 86, 89–91].
    OldBillSystem,
    /// 存证链: the city's evidence chain [175, 178–180].
    EvidenceChain,
    /// 签约链: the city's signing chain [181–183].
    SigningChain,
    /// 医保: the medical insurance [87].
    MedicalInsurance,
    /// 商业保险: a commercial insurer [88].
    Insurer,
    /// Any platform, by signed HTTP requests.
    Webhook,
    /// Any platform, by topics of Kafka [3].
    Kafka,
}

impl ConnectorKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::OldBillSystem,
        Self::EvidenceChain,
        Self::SigningChain,
        Self::MedicalInsurance,
        Self::Insurer,
        Self::Webhook,
        Self::Kafka,
    ];
}

/// What happened, as somebody outside wants to hear of it.
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
pub enum Topic {
    /// A bill was registered (登记), red and balance bills too.
    BillRegistered,
    /// A payment notice was pre-issued (预开).
    BillPreIssued,
    /// A pre-issued notice was confirmed (确认).
    BillConfirmed,
    /// A bill was voided (作废).
    BillVoided,
    /// A bill was locked (锁定), by an administrator too.
    BillLocked,
    /// A bill's lock ended (解锁): by its holder, an administrator or time.
    BillUnlocked,
    /// A bill was reimbursed (报销入账).
    BillReimbursed,
    /// A reimbursement was taken back (入账撤销).
    BillUseReversed,
    /// A bill was reversed in red (冲红).
    BillRedReversed,
    /// A bill was adjusted (调整).
    BillAdjusted,
    /// Fields of a bill were filled in.
    BillFilledIn,
    /// A bill's present version is told again, because somebody asked for it.
    BillRetold,
    /// A grant was registered (授权登记).
    GrantRegistered,
    /// A grant was frozen, activated or revoked.
    GrantChanged,
    /// A grant was used, or its transfer recorded.
    GrantUsed,
    /// A participant was registered (参与方注册).
    ParticipantRegistered,
    /// A participant was changed: status, key, name or roles.
    ParticipantChanged,
}

impl Topic {
    /// Every topic, in the order of its bit.
    pub const ALL: [Self; 17] = [
        Self::BillRegistered,
        Self::BillPreIssued,
        Self::BillConfirmed,
        Self::BillVoided,
        Self::BillLocked,
        Self::BillUnlocked,
        Self::BillReimbursed,
        Self::BillUseReversed,
        Self::BillRedReversed,
        Self::BillAdjusted,
        Self::BillFilledIn,
        Self::BillRetold,
        Self::GrantRegistered,
        Self::GrantChanged,
        Self::GrantUsed,
        Self::ParticipantRegistered,
        Self::ParticipantChanged,
    ];

    /// The topic of a version of a bill; `is_first`: the bill's first. The red and the
    /// balance bill of a reversal are registered by it.
    pub const fn of_version(cause: &Cause, is_first: bool) -> Self {
        match cause {
            Cause::Summary => Self::BillFilledIn,
            Cause::Operation(operation) => match operation {
                Operation::Register => Self::BillRegistered,
                Operation::PreIssue => Self::BillPreIssued,
                Operation::Confirm => Self::BillConfirmed,
                Operation::Void => Self::BillVoided,
                Operation::Lock | Operation::AdminLock => Self::BillLocked,
                Operation::Unlock | Operation::ExpireLock | Operation::AdminUnlock => {
                    Self::BillUnlocked
                }
                Operation::Reimburse => Self::BillReimbursed,
                Operation::ReverseUse => Self::BillUseReversed,
                Operation::RedReverse if is_first => Self::BillRegistered,
                Operation::RedReverse => Self::BillRedReversed,
                Operation::Adjust => Self::BillAdjusted,
            },
        }
    }

    const fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

/// A set of [`Topic`]s: one bit each, in the order of the enum, lowest first. JSON: an
/// array of their names.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Encode, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
#[serde(from = "Vec<Topic>", into = "Vec<Topic>")]
pub struct Topics(u32);

impl Topics {
    /// Every topic.
    pub const ALL: Topics = Topics((1 << Topic::ALL.len()) - 1);

    /// The set of `topics`.
    pub fn of(topics: &[Topic]) -> Self {
        Self(topics.iter().fold(0, |bits, topic| bits | topic.bit()))
    }

    /// Whether `topic` is in the set.
    pub const fn contains(self, topic: Topic) -> bool {
        self.0 & topic.bit() != 0
    }

    /// Whether there is no topic.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The topics, in the order of the enum.
    pub fn iter(self) -> impl Iterator<Item = Topic> {
        Topic::ALL.into_iter().filter(move |topic| self.contains(*topic))
    }
}

impl Decode for Topics {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let bits = u32::decode(input)?;
        if bits & !Self::ALL.0 != 0 {
            return Err("Topics: expected only the bits of the 17 topics".into());
        }
        Ok(Self(bits))
    }
}
impl DecodeWithMemTracking for Topics {}

impl From<Vec<Topic>> for Topics {
    fn from(topics: Vec<Topic>) -> Self {
        Self::of(&topics)
    }
}

impl From<Topics> for Vec<Topic> {
    fn from(set: Topics) -> Self {
        set.iter().collect()
    }
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What a fact is about. Facts about one subject are told in their order.
#[derive(
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
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
pub enum Subject {
    /// A bill.
    Bill(BillKey),
    /// A grant.
    Grant(Hash),
    /// A participant.
    Participant(Did),
}

impl From<GrantId> for Subject {
    fn from(grant: GrantId) -> Self {
        Self::Grant(grant.0)
    }
}

/// A fact that somebody outside may have to be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// What happened.
    pub topic: Topic,
    /// To what.
    pub subject: Subject,
    /// Version of the subject that it made, from 1.
    pub version: u32,
    /// In which scene; none: it is no matter of a scene.
    pub scene: Option<SceneId>,
    /// In which other scene it is claimed; none: in no other.
    pub claim: Option<SceneId>,
    /// Hash of that version, which covers all before it.
    pub digest: [u8; 32],
}

/// Where an entry stands.
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
pub enum EntryStatus {
    /// The system outside has to be told.
    Waiting,
    /// It cannot be told: somebody has to look (死信). Later facts about the same
    /// subject wait behind it.
    Dead,
}

/// One connector has to tell one fact.
///
/// `(connector, seq)` names it for good. Numbers have no gaps and follow the order of
/// the chain, so whoever has seen all up to a number has missed nothing.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Entry {
    /// What happened.
    pub topic: Topic,
    /// To what.
    pub subject: Subject,
    /// Version of the subject that it made, from 1.
    pub version: u32,
    /// In which scene; none: it is no matter of a scene.
    pub scene: Option<SceneId>,
    /// Hash of that version, which covers all before it.
    pub digest: [u8; 32],
    /// The entry of this connector about the same subject before this one, if it was not
    /// acknowledged then. It goes first.
    pub previous: Option<u64>,
    /// Block of the transaction that decided it.
    pub block: BlockNumber,
    /// Index of the transaction in it; none: no transaction's.
    pub extrinsic: Option<u32>,
    /// Time of the block.
    pub moment: Moment,
    /// Where it stands.
    pub status: EntryStatus,
    /// Attempts that were reported so far.
    pub attempts: u32,
    /// How often the system outside has refused it since it waits.
    pub refusals: u32,
    /// SM3 of the last answer that was no acknowledgement; zero: none was reported.
    pub refusal: [u8; 32],
}

/// What became of an entry for good.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Ending {
    /// The system outside was told (回执).
    Acknowledged {
        /// SM3 of its answer.
        answer: [u8; 32],
    },
    /// The council gave it up.
    Discarded {
        /// Why.
        reason: Reason,
    },
}

/// What stays of an entry that has left the state: the leaf of its connector's [`Trail`].
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Trace {
    /// The connector.
    pub connector: ConnectorId,
    /// The entry's number.
    pub seq: u64,
    /// The entry as it was last.
    pub entry: Entry,
    /// What became of it.
    pub ending: Ending,
    /// The participant that reported it; none: the council.
    pub by: Option<Did>,
    /// In which transaction and when.
    pub at: Stamp,
}

/// What an entry's request is known by to the system outside, whoever sends it and
/// however often: SM3 of `billchain outbox` (16 ASCII characters), the genesis' hash, the connector's number
/// and the entry's (both SCALE: two and eight bytes, lowest first).
pub fn idempotency_key(genesis: &Hash, connector: ConnectorId, seq: u64) -> [u8; 32] {
    crate::sm3(&(IDEMPOTENCY_TAG, genesis, connector, seq).encode())
}

const IDEMPOTENCY_TAG: &[u8; 16] = b"billchain outbox";

/// Most bytes of a [`Label`].
pub const MAX_LABEL: u32 = 48;

/// A technical name: an endpoint's, or a format's, such as `mof-public-service/1`.
/// Encodes as a SCALE byte vector.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Encode, MaxEncodedLen, TypeInfo)]
pub struct Label(BoundedVec<u8, ConstU32<MAX_LABEL>>);

impl Label {
    /// The label, if it keeps the rule.
    pub fn new(text: &str) -> Result<Self, InvalidField> {
        let invalid = || InvalidField {
            field: "Label",
            expected: LABEL_RULE,
            found: printable(text.as_bytes()),
        };
        if !is_label(text.as_bytes()) {
            return Err(invalid());
        }
        BoundedVec::try_from(text.as_bytes().to_vec()).map(Self).map_err(|_| invalid())
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        // `new` and `decode` admit ASCII only.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

const LABEL_RULE: &str = "1 to 48 of a-z, 0-9, '.', '-', '_' and '/'";

fn is_label(bytes: &[u8]) -> bool {
    let is_of_one = |byte: &u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'.' | b'-' | b'_' | b'/')
    };
    !bytes.is_empty() && bytes.iter().all(is_of_one)
}

impl Decode for Label {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let bytes = BoundedVec::<u8, ConstU32<MAX_LABEL>>::decode(input)?;
        if is_label(&bytes) {
            Ok(Self(bytes))
        } else {
            Err("Label: expected 1 to 48 of a-z, 0-9, '.', '-', '_' and '/'".into())
        }
    }
}
impl DecodeWithMemTracking for Label {}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Label({:?})", self.as_str())
    }
}

impl core::str::FromStr for Label {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, InvalidField> {
        Self::new(text)
    }
}

crate::codec_util::serde_as_string!(Label);
