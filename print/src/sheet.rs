//! What a printed certificate says, in the order of the page.

use crate::{
    Locator, Unprintable,
    amount::{capital, yuan},
    font::Face,
    text, time,
};
use billchain_verifier::{
    Bill, Digest, Kind, Lock, Proved, Purpose, Reimbursement, Statement, Status, Transaction,
};

/// A text in Chinese and English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Both {
    pub(crate) chinese: String,
    pub(crate) english: String,
}

/// A value with its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) label: Both,
    pub(crate) value: String,
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// A heading over the lines that follow.
    Heading(Both),
    /// One value.
    One(Field),
    /// Two short values.
    Two([Field; 2]),
}

/// A printed certificate.
pub(crate) struct Sheet {
    /// What it is.
    pub(crate) title: Both,
    /// Bill and block, at the foot of each page.
    pub(crate) foot: String,
    /// What the chain says, in a sentence.
    pub(crate) verdict: Both,
    /// What the chain holds, and what the proof refers to.
    pub(crate) rows: Vec<Row>,
    /// What is proved and what is not, and how it is checked.
    pub(crate) notes: Vec<(Both, Both)>,
    /// The text of the QR code.
    pub(crate) locator: String,
}

impl Sheet {
    /// The page of a certificate of so many bytes.
    pub(crate) fn new(
        proved: &Proved<'_>,
        locator: &Locator,
        bytes: usize,
        face: &Face<'_>,
    ) -> Result<Self, Unprintable> {
        let table = Table { face };
        let block = locator.block.number;
        let (mut rows, verdict, transaction) =
            if let Statement::Present { bill, transaction } = &proved.statement {
                let (chinese, english) = status(bill.status);
                let verdict = both(
                    format!("截至区块 {block}，链上存有此票据，状态为：{chinese}"),
                    format!("After block {block} the chain holds this bill; its status: {english}"),
                );
                (table.bill(bill), verdict, *transaction)
            } else if let Statement::Absent { code, number } = &proved.statement {
                let verdict = both(
                    format!("截至区块 {block}，链上无此票据"),
                    format!("After block {block} there is no such bill on the chain"),
                );
                (table.absent(code, number), verdict, None)
            } else {
                return Err(Unprintable::Statement);
            };
        rows.extend(table.proof(locator, transaction, bytes));
        Ok(Self {
            title: both("财政电子票据链上凭证", "Certificate of a fiscal electronic bill"),
            foot: format!(
                "票据 bill {}-{} · 区块 block {block} · BillChain 财票链",
                locator.code, locator.number
            ),
            verdict,
            rows,
            notes: notes(),
            locator: locator.to_string(),
        })
    }
}

/// Makes the lines of the table, showing text of bills in a face.
struct Table<'a> {
    face: &'a Face<'a>,
}

impl Table<'_> {
    /// Text of a bill, as it can be shown.
    fn shown(&self, text: &str) -> String {
        text::shown(text, |character| self.face.has(character))
    }

    fn absent(&self, code: &str, number: &str) -> Vec<Row> {
        vec![heading("票据", "Bill"), self.key(code, number)]
    }

    fn key(&self, code: &str, number: &str) -> Row {
        Row::Two([
            field("票据代码", "Code", self.shown(code)),
            field("票据号码", "Number", self.shown(number)),
        ])
    }

    fn bill(&self, bill: &Bill<'_>) -> Vec<Row> {
        let payer = if bill.payer_is_person { "个人 Person" } else { "单位 Organisation" };
        let total = format!("{}　{}", yuan(bill.total), capital(bill.total));
        let mut rows = vec![
            heading("票据", "Bill"),
            self.key(bill.code, bill.number),
            Row::Two([
                field("校验码", "Check code", self.shown(bill.check_code)),
                field("票据种类", "Kind", kind(bill.kind).to_owned()),
            ]),
            one("总金额", "Total", total),
            one("开票单位", "Issuer", self.shown(bill.issuer)),
            Row::Two([
                field("社会信用代码", "USCC", self.shown(bill.issuer_uscc)),
                field("开票时间", "Issued", time::issued(bill.issue_date, bill.issue_time)),
            ]),
            Row::Two([
                field("业务场景", "Scene", bill.scene.to_string()),
                field("交款人", "Payer", payer.to_owned()),
            ]),
        ];
        if let Some((code, number)) = bill.related.and_then(|related| related.split_at_checked(8)) {
            let related = format!("{}-{}", self.shown(code), self.shown(number));
            rows.push(one("相关蓝票", "Blue bill", related));
        }
        rows.extend(self.state(bill));
        rows.push(heading("摘要（SM3）", "Digests (SM3)"));
        for (chinese, english, digest) in [
            ("XML 原件", "XML original", bill.xml_hash),
            ("PDF 版式文件", "PDF original", bill.pdf_hash),
            ("交款人标识", "Payer reference", bill.payer_ref),
            ("版本哈希", "Version hash", bill.version_hash),
        ] {
            let unknown = digest == Digest::default();
            let value = if unknown { "未登记 Not registered".to_owned() } else { hash(&digest) };
            rows.push(one(chinese, english, value));
        }
        rows
    }

    /// Where a bill stands on the chain.
    fn state(&self, bill: &Bill<'_>) -> Vec<Row> {
        let (chinese, english) = status(bill.status);
        let (block, index) = bill.registered;
        let registered = transaction_at(block, index);
        let mut rows = vec![
            heading("链上状态", "On the chain"),
            Row::Two([
                field("票据状态", "Status", format!("{chinese} {english}")),
                field("版本", "Version", bill.version.to_string()),
            ]),
            one("登记于", "Registered", registered),
            one("变更时间", "Changed", time::beijing(bill.updated)),
        ];
        rows.extend(bill.lock.iter().flat_map(|lock| self.lock(lock)));
        rows.extend(bill.reimbursements.iter().zip(1..).map(|(paid, at)| self.paid(paid, at)));
        rows
    }

    fn lock(&self, lock: &Lock<'_>) -> Vec<Row> {
        let until =
            lock.expires.map_or_else(|| "直至释放 Until released".to_owned(), time::beijing);
        let mut rows = vec![one("锁定方", "Locked by", self.shown(lock.holder))];
        match &lock.purpose {
            Purpose::Claim { scene, claim_no, grant } => {
                let claim = format!("{} · 业务场景 scene {scene}", self.shown(claim_no));
                rows.push(one("报销单号", "Claim", claim));
                rows.extend(grant.iter().map(|grant| one("授权", "Grant", hash(grant))));
            }
            Purpose::Administrative { evidence } => {
                rows.push(one("人工干预依据", "Evidence", hash(evidence)));
            }
        }
        rows.push(one("锁定至", "Locked until", until));
        rows
    }

    fn paid(&self, paid: &Reimbursement<'_>, at: u32) -> Row {
        let (payer, scene) = (self.shown(paid.payer), paid.scene);
        let value = format!("{} · {payer} · 业务场景 scene {scene}", yuan(paid.amount));
        one(&format!("报销 {at}"), &format!("Reimbursed {at}"), value)
    }

    fn proof(&self, locator: &Locator, transaction: Option<Transaction>, bytes: usize) -> Vec<Row> {
        let mut rows = vec![
            heading("证明", "Proof"),
            one("截至区块", "After block", locator.block.number.to_string()),
            one("区块哈希", "Block hash", hash(&locator.block.hash)),
        ];
        if let Some(Transaction { block, index, hash: digest }) = transaction {
            let place = transaction_at(block.number, index);
            rows.push(one("最近变更", "Last change", place));
            rows.push(one("交易哈希", "Transaction", hash(&digest)));
        }
        rows.extend([
            one("创世区块哈希", "Genesis hash", hash(&locator.genesis)),
            one("凭证文件 SM3", "Certificate", hash(&locator.file)),
            one("凭证文件大小", "Size", format!("{bytes} 字节 bytes")),
        ]);
        rows
    }
}

fn notes() -> Vec<(Both, Both)> {
    vec![
        (
            both("证明范围", "What is proved"),
            both(
                "上列内容为该链在所列区块之后对此票据的记载，由各届验证节点自创世区块起依次签名确认。\
                 其后的变更不在证明之内：区块号更高的凭证较新。登记内容本身是否属实，亦不在证明之内。",
                "What the chain of this genesis held of the bill after the block above; its \
                 validators signed for it, from the genesis on. Not what changed later: of two \
                 certificates, that of the higher block is newer. Nor that what the issuer \
                 registered is true.",
            ),
        ),
        (
            both("查验方法", "How to check"),
            both(
                "纸面不构成证明，证明在凭证文件内；该文件是本 PDF 的附件。创世区块哈希须取自可信来源，\
                 不得取自本页。运行下列命令，并将其输出与本页核对；持纸质件者另加 --locator 与二维码内容。",
                "The page proves nothing, the certificate's file does; it is attached to this PDF. \
                 Take the genesis hash from a source that you trust, not from this page. Run the \
                 command and compare what it prints with the page; with paper, add --locator and \
                 the QR code's text.",
            ),
        ),
    ]
}

fn both(chinese: impl Into<String>, english: impl Into<String>) -> Both {
    Both { chinese: chinese.into(), english: english.into() }
}

fn heading(chinese: &str, english: &str) -> Row {
    Row::Heading(both(chinese, english))
}

fn field(chinese: &str, english: &str, value: String) -> Field {
    Field { label: both(chinese, english), value }
}

fn one(chinese: &str, english: &str, value: String) -> Row {
    Row::One(field(chinese, english, value))
}

fn hash(digest: &Digest) -> String {
    hex::encode(digest)
}

fn transaction_at(block: u32, index: u32) -> String {
    format!("区块 block {block} · 交易 transaction {index}")
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Blue => "蓝票 Blue bill",
        Kind::Red => "红票 Red bill",
        Kind::PaymentNotice => "电子缴款书 Payment notice",
    }
}

const fn status(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::PreIssued => ("预开", "pre-issued"),
        Status::Normal => ("正常", "normal"),
        Status::Locked => ("锁定", "locked"),
        Status::PartlyReimbursed => ("部分报销", "partly reimbursed"),
        Status::Reimbursed => ("已报销", "reimbursed"),
        Status::RedReversed => ("已冲红", "reversed in red"),
        Status::Voided => ("已作废", "voided"),
    }
}
