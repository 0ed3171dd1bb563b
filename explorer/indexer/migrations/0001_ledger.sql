-- The ledger as tables: blocks, transactions, events, bills and their versions.
--
-- One text for SQLite and for the PostgreSQL family. What differs stands in marks that
-- `src/schema.rs` replaces:
--   @BLOB@        BLOB | BYTEA
--   @ROW@         INTEGER | BIGINT: of a key that numbers the rows
--   @KEY@         INTEGER PRIMARY KEY (the row's own number) | BIGINT PRIMARY KEY
--   @MONTHLY@     the key of a table that PostgreSQL keeps in one partition a month. There the
--                 month is part of the key: a row's month follows from its block, so a key is
--                 unique all the same.
--   @PARTITIONED@ nothing | PARTITION BY RANGE (month)
--   @CLUSTERED@   WITHOUT ROWID | nothing
-- Statements end with a semicolon at the end of a line.
--
-- How values stand here:
--   money      whole fen (分). A sum that no 64-bit number is sure to hold stands in two columns:
--              high * 10^9 + low.
--   time       milliseconds since 1970 UTC, of the block. A day is yyyymmdd and a month yyyymm, both
--              in UTC+8.
--   bill       票据代码 and 票据号码 as one number of 18 digits: code * 10^10 + number.
--   tx         block * 2^20 + place in the block. What a block does by itself has the place 2^20 - 1,
--              what the genesis holds has tx 0.
--   DID        a number of the table `dids`, which are given in the order in which DIDs appear.
--   enums      the number of the variant in the chain's encoding; `src/words.rs` has the words.
--   roles      one bit a role, in the order of the chain's enum.
--   hashes     32 bytes. Where a hash is looked up, its first 8 bytes stand beside it as a number
--              (`…_short`), which makes the index small.
--   JSON       as text, in the shapes that docs/explorer.md has.

-- Where the ledger stands. One row.
CREATE TABLE ledger (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- Hash of the chain's genesis; another chain needs another database.
    genesis @BLOB@ NOT NULL,
    -- The last block that is in the tables, its hash and its time.
    block BIGINT NOT NULL,
    hash @BLOB@ NOT NULL,
    time BIGINT NOT NULL,
    -- Who decides the next block: the header's item BCVS, and the block that has it.
    deciders @BLOB@ NOT NULL,
    deciders_block BIGINT NOT NULL,
    deciders_hash @BLOB@ NOT NULL,
    -- Number of that set in `validator_sets`.
    validator_set BIGINT NOT NULL,
    -- The last block after which the state proved what stands here of bills.
    proved BIGINT NOT NULL,
    -- Rules (spec version) of the last block.
    rules BIGINT NOT NULL
);

-- DIDs by number. Bills name them by it.
CREATE TABLE dids (
    id @KEY@,
    did TEXT NOT NULL UNIQUE
);

-- Final blocks.
CREATE TABLE blocks (
    number @ROW@ NOT NULL,
    month BIGINT NOT NULL,
    hash @BLOB@ NOT NULL,
    hash_short BIGINT NOT NULL,
    parent @BLOB@ NOT NULL,
    state_root @BLOB@ NOT NULL,
    extrinsics_root @BLOB@ NOT NULL,
    time BIGINT NOT NULL,
    day BIGINT NOT NULL,
    rules BIGINT NOT NULL,
    -- Bytes of its transactions; how many they are (inherents too), and how many failed.
    bytes BIGINT NOT NULL,
    transactions BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    -- Versions of bills that it made, and how many of them are new bills.
    versions BIGINT NOT NULL,
    registered BIGINT NOT NULL,
    events BIGINT NOT NULL,
    -- Who decides it: number of the set in `validator_sets`.
    validator_set BIGINT NOT NULL,
    -- Of its commit, as the next header has it; null while there is no next block. `signers` and
    -- `turns` have one bit a seat of the set, `proposer` is a seat.
    round BIGINT,
    signers BIGINT,
    turns BIGINT,
    proposer BIGINT
    @MONTHLY number@
) @PARTITIONED@;
CREATE INDEX blocks_hash ON blocks (hash_short);
CREATE INDEX blocks_time ON blocks (time);

-- Who told of a block, and what makes it believed. It differs from indexer to indexer.
CREATE TABLE provenance (
    block @KEY@,
    -- The node that gave body and events.
    node TEXT NOT NULL,
    -- The decided header as that node gave it: header and signatures (docs/certificates.md).
    decided @BLOB@ NOT NULL,
    -- SM3 of the value of System.Events after the block.
    events_hash @BLOB@ NOT NULL,
    -- 0: told by one node; 1: two nodes told the same; 2: proved by the state root.
    belief BIGINT NOT NULL
);

-- Transactions and inherents.
CREATE TABLE transactions (
    id @ROW@ NOT NULL,
    month BIGINT NOT NULL,
    hash @BLOB@ NOT NULL,
    hash_short BIGINT NOT NULL,
    time BIGINT NOT NULL,
    -- Account of the signer; null for an inherent.
    signer @BLOB@,
    -- The participant (or access node) that had this account then, and its roles then.
    sender BIGINT,
    roles BIGINT,
    nonce BIGINT,
    pallet TEXT NOT NULL,
    call TEXT NOT NULL,
    -- The call's arguments: JSON, lists of more than 20 items cut short.
    arguments TEXT NOT NULL,
    -- 1 or 0.
    success BIGINT NOT NULL,
    -- Why it failed: contract and name, and in words.
    error TEXT,
    error_words TEXT,
    -- Versions of bills that it made; events.
    versions BIGINT NOT NULL,
    events BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    -- Its bytes, if they are at most 4,096; longer ones the nodes have.
    raw @BLOB@
    @MONTHLY id@
) @PARTITIONED@;
CREATE INDEX transactions_hash ON transactions (hash_short);
CREATE INDEX transactions_sender ON transactions (sender, id);
CREATE INDEX transactions_call ON transactions (pallet, call, id);
CREATE INDEX transactions_failed ON transactions (id) WHERE success = 0;

-- What happened, in order. Not here, because other columns have it: System.ExtrinsicSuccess,
-- System.ExtrinsicFailed (`transactions`), BillRegister.BillRegistered (`versions`).
CREATE TABLE events (
    -- block * 2^20 + place among the block's events.
    id @ROW@ NOT NULL,
    month BIGINT NOT NULL,
    tx BIGINT NOT NULL,
    time BIGINT NOT NULL,
    pallet TEXT NOT NULL,
    name TEXT NOT NULL,
    -- JSON.
    fields TEXT NOT NULL
    @MONTHLY id@
) @PARTITIONED@;
CREATE INDEX events_tx ON events (tx, id);
CREATE INDEX events_name ON events (pallet, name, id);

-- Whom and what an event is about: `did:…`, `bill:CODE-NUMBER`, `grant:0x…`, `policy:7`, `scene:3`,
-- `case:9`, `motion:0x…`, `validator:0x…`, `account:0x…`. So everything has its history.
CREATE TABLE subjects (
    subject TEXT NOT NULL,
    event BIGINT NOT NULL,
    PRIMARY KEY (subject, event)
) @CLUSTERED@;

-- Bills as they are after the last block.
CREATE TABLE bills (
    id @KEY@,
    check_code TEXT NOT NULL,
    kind BIGINT NOT NULL,
    status BIGINT NOT NULL,
    issue_date BIGINT NOT NULL,
    issue_time BIGINT NOT NULL,
    -- Total, and the sum of reimbursements that count, in fen.
    total BIGINT NOT NULL,
    reimbursed BIGINT NOT NULL,
    issuer BIGINT NOT NULL,
    issuer_uscc TEXT NOT NULL,
    payer_type BIGINT NOT NULL,
    payer_ref @BLOB@ NOT NULL,
    payer_short BIGINT NOT NULL,
    scene BIGINT NOT NULL,
    biz_no_hash @BLOB@ NOT NULL,
    xml_hash @BLOB@ NOT NULL,
    pdf_hash @BLOB@ NOT NULL,
    location_hash @BLOB@ NOT NULL,
    -- The blue bill of a red or balance bill.
    related BIGINT,
    version BIGINT NOT NULL,
    version_hash @BLOB@ NOT NULL,
    -- Who has it locked now, until when (null: no end), and for which claim.
    holder BIGINT,
    expires BIGINT,
    -- How it came: the transaction, and the operation.
    registered_tx BIGINT NOT NULL,
    registered_time BIGINT NOT NULL,
    registered_by BIGINT NOT NULL,
    updated_tx BIGINT NOT NULL,
    updated_time BIGINT NOT NULL,
    -- SCALE of (lock, reimbursements, fields that were filled in); null where there are none.
    detail @BLOB@
);
CREATE INDEX bills_date ON bills (issue_date, id);
CREATE INDEX bills_issuer ON bills (issuer, issue_date, id);
-- Most bills are Normal (1): those that are not are found by their status.
CREATE INDEX bills_status ON bills (status, issue_date, id) WHERE status <> 1;
CREATE INDEX bills_payer ON bills (payer_short, issue_date, id);
CREATE INDEX bills_related ON bills (related) WHERE related IS NOT NULL;

-- Every version of every bill.
CREATE TABLE versions (
    bill BIGINT NOT NULL,
    version BIGINT NOT NULL,
    month BIGINT NOT NULL,
    tx BIGINT NOT NULL,
    time BIGINT NOT NULL,
    -- The operation's number, or 100: the summary was filled in.
    cause BIGINT NOT NULL,
    operator BIGINT NOT NULL,
    status BIGINT NOT NULL,
    -- What the operation moved, in fen: the total when a bill came, the amount that was reimbursed or
    -- taken back; else 0.
    amount BIGINT NOT NULL,
    hash @BLOB@ NOT NULL,
    -- SCALE of the version's record; null for version 1, which follows from the bill.
    record @BLOB@
    @MONTHLY bill, version@
) @PARTITIONED@ @CLUSTERED@;
CREATE INDEX versions_tx ON versions (tx, bill);

-- Locks: who held a bill when [70].
CREATE TABLE holdings (
    bill BIGINT NOT NULL,
    -- Version that made the lock.
    version BIGINT NOT NULL,
    holder BIGINT NOT NULL,
    -- Scene, claim and grant; null for an administrator's lock.
    scene BIGINT,
    claim TEXT,
    access_grant TEXT,
    since_tx BIGINT NOT NULL,
    since BIGINT NOT NULL,
    expires BIGINT,
    -- How it ended: version, time and cause; null while it lasts.
    until_version BIGINT,
    until BIGINT,
    until_cause BIGINT,
    PRIMARY KEY (bill, version)
) @CLUSTERED@;
CREATE INDEX holdings_holder ON holdings (holder, since_tx, bill);
CREATE INDEX holdings_claim ON holdings (claim, since_tx);
CREATE INDEX holdings_grant ON holdings (access_grant) WHERE access_grant IS NOT NULL;

-- Reimbursements (报销入账).
CREATE TABLE reimbursements (
    bill BIGINT NOT NULL,
    -- Version that made it.
    version BIGINT NOT NULL,
    payer BIGINT NOT NULL,
    scene BIGINT NOT NULL,
    claim TEXT,
    amount BIGINT NOT NULL,
    tx BIGINT NOT NULL,
    time BIGINT NOT NULL,
    -- When it was taken back (入账撤销); null: it counts.
    reversed_version BIGINT,
    reversed BIGINT,
    PRIMARY KEY (bill, version)
) @CLUSTERED@;
CREATE INDEX reimbursements_payer ON reimbursements (payer, tx, bill);

-- Parties (关联方) of bills; the issuer is none.
CREATE TABLE links (
    bill BIGINT NOT NULL,
    party BIGINT NOT NULL,
    relation TEXT NOT NULL,
    since_tx BIGINT NOT NULL,
    since BIGINT NOT NULL,
    -- Null while it lasts.
    until BIGINT,
    PRIMARY KEY (bill, party, relation, since_tx)
) @CLUSTERED@;
CREATE INDEX links_party ON links (party, since_tx, bill);

-- Mismatches that were reported (比对不符).
CREATE TABLE mismatches (
    tx BIGINT NOT NULL,
    bill BIGINT NOT NULL,
    report BIGINT NOT NULL,
    reporter BIGINT NOT NULL,
    expected TEXT NOT NULL,
    found TEXT NOT NULL,
    time BIGINT NOT NULL,
    PRIMARY KEY (bill, report)
) @CLUSTERED@;
CREATE INDEX mismatches_tx ON mismatches (tx);

-- Bills of an issue day that are alike: statistics add these up.
CREATE TABLE rollup_bills (
    day BIGINT NOT NULL,
    issuer BIGINT NOT NULL,
    -- The first four digits of the code: 行政区划 and 分类; and the next two, 种类.
    region BIGINT NOT NULL,
    class BIGINT NOT NULL,
    sort BIGINT NOT NULL,
    scene BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    status BIGINT NOT NULL,
    bills BIGINT NOT NULL,
    total_high BIGINT NOT NULL,
    total_low BIGINT NOT NULL,
    reimbursed_high BIGINT NOT NULL,
    reimbursed_low BIGINT NOT NULL,
    PRIMARY KEY (day, issuer, region, class, sort, scene, kind, status)
) @CLUSTERED@;
CREATE INDEX rollup_bills_issuer ON rollup_bills (issuer, day);

-- What was done on a day (of the block): registrations, locks, reimbursements, reversals …
CREATE TABLE rollup_operations (
    day BIGINT NOT NULL,
    cause BIGINT NOT NULL,
    operator BIGINT NOT NULL,
    region BIGINT NOT NULL,
    class BIGINT NOT NULL,
    scene BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    operations BIGINT NOT NULL,
    amount_high BIGINT NOT NULL,
    amount_low BIGINT NOT NULL,
    PRIMARY KEY (day, cause, operator, region, class, scene, kind)
) @CLUSTERED@;
CREATE INDEX rollup_operations_operator ON rollup_operations (operator, day);

-- Blocks and transactions of a day.
CREATE TABLE rollup_days (
    day BIGINT PRIMARY KEY,
    blocks BIGINT NOT NULL,
    transactions BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    versions BIGINT NOT NULL,
    registered BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    first_block BIGINT NOT NULL,
    last_block BIGINT NOT NULL
);

-- The chain's own totals, counted here: of a million numbers (`number`, CODE-PREFIX) and of an
-- issuer's month (`month`, number of the DID and yyyymm). The state proves them.
CREATE TABLE tallies (
    sort TEXT NOT NULL,
    name TEXT NOT NULL,
    -- SCALE of the chain's Tally.
    tally @BLOB@ NOT NULL,
    -- The last block that changed it, and the last after which it was proved.
    changed BIGINT NOT NULL,
    proved BIGINT NOT NULL,
    PRIMARY KEY (sort, name)
) @CLUSTERED@;
CREATE INDEX tallies_unproved ON tallies (changed) WHERE changed > proved;

-- What was asked of a bill and refused: failed transactions that name it, and refused items of
-- batches that did not fail.
CREATE TABLE refusals (
    bill BIGINT NOT NULL,
    tx BIGINT NOT NULL,
    -- Place in the batch; -1: the whole transaction.
    item BIGINT NOT NULL,
    error TEXT NOT NULL,
    error_words TEXT NOT NULL,
    PRIMARY KEY (bill, tx, item)
) @CLUSTERED@;
