//! JSON schemas of how the chain's own types are written, for the OpenRPC
//! document. None of these types has values: they stand in for the chain's
//! types, which know nothing of schemas.

use billchain_primitives::BillStatus;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

macro_rules! written {
    ($($(#[$doc:meta])* $name:ident = $schema:tt;)*) => {$(
        $(#[$doc])*
        pub enum $name {}

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

written! {
    /// 32 bytes.
    Hash = { "type": "string", "pattern": "^0x[0-9a-fA-F]{64}$", "description": "32 bytes as 0x hex" };
    /// Any bytes.
    Bytes = { "type": "string", "pattern": "^0x([0-9a-fA-F]{2})*$", "description": "Bytes as 0x hex" };
    /// 分布式身份标识.
    Did = { "type": "string", "maxLength": 64, "pattern": "^did:[a-z0-9]+:[A-Za-z0-9._:-]+$",
        "description": "Decentralised identifier (分布式身份标识)" };
    /// 票据代码.
    BillCode = { "type": "string", "pattern": "^[0-9]{8}$", "description": "票据代码" };
    /// 票据号码.
    BillNumber = { "type": "string", "pattern": "^[0-9]{10}$", "description": "票据号码" };
    /// 校验码.
    CheckCode = { "type": "string", "pattern": "^[0-9A-Za-z]{6}$", "description": "校验码" };
    /// 统一社会信用代码.
    Uscc = { "type": "string", "pattern": "^[0-9A-HJ-NPQRTUWXY]{18}$",
        "description": "统一社会信用代码" };
    /// 开票日期.
    IssueDate = { "type": "integer", "minimum": 20_000_101, "maximum": 29_991_231,
        "description": "A date as the number yyyymmdd" };
    /// 开票月份.
    Month = { "type": "string", "pattern": "^2[0-9]{3}(0[1-9]|1[0-2])$",
        "description": "The month of an issue date, as yyyymm" };
    /// 开票时间.
    IssueTime = { "type": "integer", "minimum": 0, "maximum": 235_959,
        "description": "A time of day as the number hhmmss" };
    /// Money.
    Fen = { "type": "integer", "description": "An amount in whole fen (分)" };
    /// A number of a scene.
    SceneId = { "type": "integer", "minimum": 0, "maximum": 65_535,
        "description": "Number of a business scene (业务场景)" };
    /// A number of a connector.
    ConnectorId = { "type": "integer", "minimum": 1, "maximum": 65_535,
        "description": "Number of a connector (连接器)" };
    /// Sort of system outside.
    ConnectorKind = { "enum": ["old_bill_system", "evidence_chain", "signing_chain",
        "medical_insurance", "insurer", "webhook", "kafka"] };
    /// What happened.
    Topic = { "type": "string", "description": "What happened, such as bill_reimbursed" };
    /// What it happened to.
    Subject = { "type": "object", "description": "What an entry is about: bill, grant or participant" };
    /// What is subscribed to.
    SubscriptionFilter = { "type": "object", "description":
        "topics, pallets, and conditions: issuers, scenes, statuses, kinds, min_total_fen; see docs/rpc.md" };
    /// Where a subscription goes on.
    SubscriptionPlace = { "type": "object", "required": ["block"], "description":
        "block, item and checksum: `next` of the page before; a block alone begins there" };
    /// A number of a policy.
    PolicyId = { "type": "integer", "minimum": 0, "maximum": 65_535,
        "description": "Number of a policy (策略)" };
    /// A name to show.
    Name = { "type": "string" };
    /// 关键词.
    Keyword = { "type": "string", "minLength": 1, "description": "关键词, at most 48 bytes" };
    /// A key with its scheme.
    PublicKey = { "type": "string", "pattern": "^(sm2|ed25519|sr25519|ecdsa):[0-9a-f]+$",
        "description": "Scheme and key in hex, such as sm2:02…" };
    /// An account.
    Account = { "type": "string", "description": "An SS58 address, or 32 bytes as 0x hex" };
    /// Time.
    Moment = { "type": "integer", "minimum": 0, "description": "Milliseconds since 1970 in UTC" };
    /// Sort of document.
    BillKind = { "enum": ["blue", "red", "payment_notice"] };
    /// Sort of payer.
    PayerType = { "enum": ["person", "organisation"] };
    /// State of a participant.
    ParticipantStatus = { "enum": ["active", "frozen", "cancelled"] };
    /// Roles.
    RoleSet = { "type": "array", "items": { "type": "string" }, "description": "Roles, each once" };
    /// What is done with a bill.
    Operation = { "type": "string", "description": "An operation of the status machine, such as lock" };
    /// Where an operation leads.
    Target = { "description": "A status, as {\"status\": \"locked\"}, or a word for one that depends on the bill" };
    /// 三员.
    AdminRole = { "enum": ["system_admin", "security_admin", "auditor"] };
    /// What a scene fixes.
    SceneTerms = { "type": "object",
        "description": "Reimbursement mode, weight, lock period in milliseconds, what its bills need" };
    /// A list of a code and a number.
    BillKeyPair = { "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "string" },
        "description": "票据代码 and 票据号码" };
    /// A list of three codes.
    ThreeCodes = { "type": "array", "minItems": 3, "maxItems": 3, "items": { "type": "string" },
        "description": "票据三码: code, number and check code" };
    /// What a policy guards.
    Guarded = { "enum": ["register", "pre_issue", "lock", "reimburse"] };
    /// Why a grant cannot be used.
    GrantProblem = { "type": "string" };
    /// What made a version of a bill.
    Cause = { "description": "What was done: {\"operation\": \"lock\"} and the like, or \"summary\"" };
    /// Conditions.
    Conditions = { "type": "object", "description": "Conditions of a policy, as docs/policies.md has them" };
    /// Facts.
    Facts = { "type": "object", "description": "Fields and their values" };
    /// A policy's document.
    Document = { "type": ["object", "string"],
        "description": "A policy's document: an object or its text, or protobuf as 0x hex" };
    /// A call in JSON.
    Call = { "type": "object", "required": ["pallet", "call"], "additionalProperties": false,
        "properties": { "pallet": { "type": "string" }, "call": { "type": "string" },
            "args": { "type": "object" } },
        "description": "A call by the names of the metadata, its arguments as docs/transactions.md has them" };
    /// Any JSON.
    Any = {};
    /// Place of the next page.
    Cursor = { "type": ["string", "null"], "description": "`next` of the page before; null: the first page" };
    /// Length of a page.
    Limit = { "type": ["integer", "null"], "minimum": 1, "maximum": 100,
        "description": "Most entries of the page; null: 100" };
}

/// Status of a bill.
pub enum BillStatusWord {}

impl JsonSchema for BillStatusWord {
    fn schema_name() -> Cow<'static, str> {
        "BillStatus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words = BillStatus::ALL.map(|status| serde_json::json!(status));
        json_schema!({ "enum": words })
    }
}
