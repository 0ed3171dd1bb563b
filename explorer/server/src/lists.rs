//! The lists: their filters, orders and columns, one row each. Pages, exports and the OpenAPI
//! document are made from these rows.

use crate::given::{Kind, Param, may};

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// Bills (票据).
    Bills,
    /// Blocks (区块).
    Blocks,
    /// Transactions (交易).
    Transactions,
    /// Participants (参与方).
    Participants,
    /// Access nodes (业务接入节点).
    Nodes,
    /// Scenes (场景).
    Scenes,
    /// Policies (用票策略).
    Policies,
    /// Grants (用票授权).
    Grants,
    /// Disputes (争议).
    Disputes,
    /// Motions (议案).
    Motions,
    /// The access log (访问日志).
    AccessLog,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Text.
    Text,
    /// A number.
    Number,
    /// Fen, shown in yuan.
    Money,
    /// Milliseconds, shown as Beijing's time.
    Moment,
    /// `yyyymmdd`.
    Day,
}

/// A column of an export.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Field of the row; `a.b` goes into objects.
    pub field: &'static str,
    /// What stands above it.
    pub title: &'static str,
    /// What it holds.
    pub cell: Cell,
}

/// A list.
pub struct Listing {
    /// Which.
    pub name: Name,
    /// Its path, and its name in exports.
    pub path: &'static str,
    /// What it is called on an export's sheet.
    pub title: &'static str,
    /// Its filters, order and page.
    pub query: &'static [Param],
    /// Columns of an export.
    pub columns: &'static [Column],
}

const fn column(field: &'static str, title: &'static str, cell: Cell) -> Column {
    Column { field, title, cell }
}

const LIMIT: Param = may("limit", Kind::Number { least: 1, most: 100 }, "Rows of a page (20)");
const CURSOR: Param = may("cursor", Kind::Text(512), "`next` of the page before");
const FROM: Param = may("from", Kind::Day, "First day");
const TO: Param = may("to", Kind::Day, "Last day");
const SCENE: Param = may("scene", Kind::Number { least: 0, most: 65_535 }, "Scene (场景)");
const FEN: Kind = Kind::Number { least: -99_999_999_999_999, most: 99_999_999_999_999 };

const fn sort(words: &'static [&'static str]) -> Param {
    may("sort", Kind::Choice(words), "Order; `-` is downwards")
}

/// Statuses of bills.
pub const STATUSES: &[&str] = &[
    "pre_issued",
    "normal",
    "locked",
    "partly_reimbursed",
    "reimbursed",
    "red_reversed",
    "voided",
];

/// All lists.
pub static LISTS: [Listing; 11] = [
    Listing {
        name: Name::Bills,
        path: "bills",
        title: "票据",
        query: &[
            FROM,
            TO,
            may("status", Kind::Choice(STATUSES), "Status (票据状态)"),
            may("kind", Kind::Choice(&["blue", "red", "payment_notice"]), "Kind (票据种类)"),
            may("issuer", Kind::Party, "DID of the issuer (开票单位)"),
            may("holder", Kind::Party, "DID of who has or had it (用票单位)"),
            may("party", Kind::Party, "DID that is linked to it"),
            SCENE,
            may("code", Kind::Digits(8, 8), "Code (票据代码)"),
            may("region", Kind::Digits(2, 2), "Region (行政区划), two digits of the code"),
            may("class", Kind::Digits(2, 2), "Class (分类), two digits of the code"),
            may("min", FEN, "Least total in fen"),
            may("max", FEN, "Most total in fen"),
            sort(&["-issue_date", "issue_date"]),
            LIMIT,
            CURSOR,
        ],
        columns: &[
            column("code", "票据代码", Cell::Text),
            column("number", "票据号码", Cell::Text),
            column("kind", "种类", Cell::Text),
            column("issue_date", "开票日期", Cell::Day),
            column("total_fen", "总金额（元）", Cell::Money),
            column("issuer", "开票单位", Cell::Text),
            column("issuer_name", "开票单位名称", Cell::Text),
            column("scene", "场景", Cell::Number),
            column("status", "状态", Cell::Text),
            column("version", "版本", Cell::Number),
            column("holder", "锁定单位", Cell::Text),
            column("reimbursed_fen", "已报销（元）", Cell::Money),
            column("updated", "变更时间", Cell::Moment),
        ],
    },
    Listing {
        name: Name::Blocks,
        path: "blocks",
        title: "区块",
        query: &[FROM, TO, sort(&["-number", "number"]), LIMIT, CURSOR],
        columns: &[
            column("number", "区块", Cell::Number),
            column("hash", "哈希", Cell::Text),
            column("time", "时间", Cell::Moment),
            column("transactions", "交易数", Cell::Number),
            column("events", "事件数", Cell::Number),
            column("proposer", "提议节点", Cell::Text),
            column("round", "轮次", Cell::Number),
        ],
    },
    Listing {
        name: Name::Transactions,
        path: "transactions",
        title: "交易",
        query: &[
            may("call", Kind::Text(96), "`Pallet.call`"),
            may("success", Kind::Flag, "Whether it succeeded"),
            may("signer", Kind::Party, "DID or account of the signer"),
            may("block", Kind::Number { least: 0, most: 4_294_967_295 }, "Number of the block"),
            FROM,
            TO,
            sort(&["-block", "block", "-index", "index"]),
            LIMIT,
            CURSOR,
        ],
        columns: &[
            column("hash", "交易哈希", Cell::Text),
            column("block", "区块", Cell::Number),
            column("index", "序号", Cell::Number),
            column("time", "时间", Cell::Moment),
            column("pallet", "合约", Cell::Text),
            column("call", "方法", Cell::Text),
            column("signer", "签名方", Cell::Text),
            column("success", "成功", Cell::Text),
            column("error.pallet", "错误合约", Cell::Text),
            column("error.name", "错误", Cell::Text),
            column("error.docs", "错误说明", Cell::Text),
        ],
    },
    Listing {
        name: Name::Participants,
        path: "participants",
        title: "参与方",
        query: &[
            may("name", Kind::Text(64), "Part of the name"),
            may("role", Kind::Choice(&["issuer", "user", "platform", "admin", "auditor"]), "Role"),
            may("status", Kind::Choice(&["active", "frozen", "cancelled"]), "Status"),
            sort(&["name", "-name", "registered", "-registered"]),
            LIMIT,
            CURSOR,
        ],
        columns: &[
            column("did", "DID", Cell::Text),
            column("name", "名称", Cell::Text),
            column("kind", "类别", Cell::Text),
            column("roles", "角色", Cell::Text),
            column("status", "状态", Cell::Text),
            column("registered", "登记时间", Cell::Moment),
        ],
    },
    Listing {
        name: Name::Nodes,
        path: "nodes",
        title: "业务接入节点",
        query: &[
            may("status", Kind::Choice(&["active", "normal", "paused", "disabled"]), "Status"),
            sort(&["-registered", "registered"]),
            LIMIT,
            CURSOR,
        ],
        columns: &[
            column("did", "DID", Cell::Text),
            column("operator_name", "运营单位", Cell::Text),
            column("status", "状态", Cell::Text),
            column("participants", "参与方数", Cell::Number),
            column("registered", "登记时间", Cell::Moment),
        ],
    },
    Listing {
        name: Name::Scenes,
        path: "scenes",
        title: "场景",
        query: &[sort(&["scene", "-scene"]), LIMIT, CURSOR],
        columns: &[
            column("scene", "场景", Cell::Number),
            column("name", "名称", Cell::Text),
            column("status", "状态", Cell::Text),
            column("mode", "报销方式", Cell::Text),
            column("weight", "权重", Cell::Number),
            column("version", "版本", Cell::Number),
            column("updated", "变更时间", Cell::Moment),
        ],
    },
    Listing {
        name: Name::Policies,
        path: "policies",
        title: "用票策略",
        query: &[
            may("status", Kind::Choice(&["draft", "effective", "revoked"]), "Status"),
            may("keyword", Kind::Text(64), "Keyword, or part of the name"),
            sort(&["policy", "-policy"]),
            LIMIT,
            CURSOR,
        ],
        columns: &[
            column("policy", "策略", Cell::Number),
            column("version", "版本", Cell::Number),
            column("name", "名称", Cell::Text),
            column("status", "状态", Cell::Text),
            column("effect", "效果", Cell::Text),
            column("priority", "优先级", Cell::Number),
            column("scenes", "场景", Cell::Text),
            column("operations", "操作", Cell::Text),
            column("submitter", "提交方", Cell::Text),
            column("updated", "变更时间", Cell::Moment),
        ],
    },
    Listing {
        name: Name::Grants,
        path: "grants",
        title: "用票授权",
        query: &[
            may("holder", Kind::Party, "DID of who gave it"),
            may("subject", Kind::Party, "DID of who got it"),
            may("status", Kind::Choice(&["active", "frozen", "revoked"]), "Status"),
            sort(&["-updated", "updated"]),
            LIMIT,
            CURSOR,
        ],
        columns: &[
            column("grant", "授权", Cell::Text),
            column("holder", "持票人", Cell::Text),
            column("subject", "被授权方", Cell::Text),
            column("scene", "场景", Cell::Number),
            column("valid_from", "有效自", Cell::Moment),
            column("valid_until", "有效至", Cell::Moment),
            column("status", "状态", Cell::Text),
            column("uses", "使用次数", Cell::Number),
            column("updated", "变更时间", Cell::Moment),
        ],
    },
    Listing {
        name: Name::Disputes,
        path: "disputes",
        title: "争议",
        query: &[
            may("open", Kind::Flag, "Whether it is open"),
            sort(&["-case", "case"]),
            LIMIT,
            CURSOR,
        ],
        columns: &[
            column("case", "案件", Cell::Number),
            column("code", "票据代码", Cell::Text),
            column("number", "票据号码", Cell::Text),
            column("open", "未结", Cell::Text),
            column("operator", "经办方", Cell::Text),
            column("reason", "事由", Cell::Text),
            column("evidence", "证据哈希", Cell::Text),
            column("opened", "立案时间", Cell::Moment),
            column("closed", "结案时间", Cell::Moment),
        ],
    },
    Listing {
        name: Name::Motions,
        path: "motions",
        title: "议案",
        query: &[
            may("status", Kind::Choice(&["open", "executed", "failed", "disapproved"]), "Status"),
            sort(&["-index", "index"]),
            LIMIT,
            CURSOR,
        ],
        columns: &[
            column("index", "议案", Cell::Number),
            column("motion", "哈希", Cell::Text),
            column("proposer", "提案方", Cell::Text),
            column("pallet", "合约", Cell::Text),
            column("call", "方法", Cell::Text),
            column("threshold", "所需票数", Cell::Number),
            column("ayes", "赞成", Cell::Number),
            column("nays", "反对", Cell::Number),
            column("status", "状态", Cell::Text),
            column("proposed", "提出时间", Cell::Moment),
            column("ended", "结束时间", Cell::Moment),
        ],
    },
    Listing {
        name: Name::AccessLog,
        path: "access-log",
        title: "访问日志",
        query: &[
            may("bill", Kind::Bill, "About this bill"),
            may("who", Kind::Text(160), "By this user or DID"),
            may("action", Kind::Choice(&crate::store::ACTIONS), "Of this kind"),
            FROM,
            TO,
            sort(&["-id", "id"]),
            LIMIT,
            CURSOR,
        ],
        columns: &[
            column("id", "序号", Cell::Number),
            column("time", "时间", Cell::Moment),
            column("who", "访问者", Cell::Text),
            column("role", "角色", Cell::Text),
            column("address", "地址", Cell::Text),
            column("action", "操作", Cell::Text),
            column("target", "对象", Cell::Text),
            column("hash", "校验值", Cell::Text),
        ],
    },
];

/// The list of a path.
pub fn of(path: &str) -> Option<&'static Listing> {
    LISTS.iter().find(|list| list.path == path)
}

/// The list.
pub fn listing(name: Name) -> &'static Listing {
    LISTS.iter().find(|list| list.name == name).expect("each list stands in the table; qed")
}
