-- Who takes part and by which rules: participants, access nodes, grants, scenes, policies,
-- disputes, motions, validators. What stands in the genesis has tx 0. Histories are in `subjects`.

-- Participants (参与方).
CREATE TABLE participants (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    kind BIGINT NOT NULL,
    account @BLOB@ NOT NULL,
    public_key TEXT NOT NULL,
    roles BIGINT NOT NULL,
    status BIGINT NOT NULL,
    -- SM3 of its 统一社会信用代码, `0x` hex.
    uscc_hash TEXT,
    rotations BIGINT NOT NULL,
    registered_tx BIGINT NOT NULL,
    registered BIGINT NOT NULL,
    updated_tx BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE INDEX participants_account ON participants (account);
CREATE INDEX participants_uscc ON participants (uscc_hash) WHERE uscc_hash IS NOT NULL;

-- Access nodes (业务接入节点).
CREATE TABLE access_nodes (
    id BIGINT PRIMARY KEY,
    operator_name TEXT NOT NULL,
    credential_hash @BLOB@ NOT NULL,
    account @BLOB@,
    status BIGINT NOT NULL,
    registered_tx BIGINT NOT NULL,
    registered BIGINT NOT NULL,
    updated_tx BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE INDEX access_nodes_account ON access_nodes (account) WHERE account IS NOT NULL;

CREATE TABLE access_links (
    node BIGINT NOT NULL,
    participant BIGINT NOT NULL,
    since_tx BIGINT NOT NULL,
    since BIGINT NOT NULL,
    -- Null while it lasts.
    until BIGINT,
    PRIMARY KEY (node, participant, since_tx)
) @CLUSTERED@;
CREATE INDEX access_links_participant ON access_links (participant, node);

-- Grants (用票授权), by the SM3 of the credential as `0x` hex.
CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    holder BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    scene BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_until BIGINT NOT NULL,
    -- `active`, `frozen` or `revoked`.
    status TEXT NOT NULL,
    -- For which bills: JSON of the chain's scope.
    scope TEXT NOT NULL,
    operator BIGINT NOT NULL,
    registered_tx BIGINT NOT NULL,
    registered BIGINT NOT NULL,
    updated_tx BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    uses BIGINT NOT NULL
);
CREATE INDEX grants_holder ON grants (holder, registered_tx);
CREATE INDEX grants_subject ON grants (subject, registered_tx);
CREATE INDEX grants_order ON grants (registered_tx, id);

CREATE TABLE grant_uses (
    access_grant TEXT NOT NULL,
    tx BIGINT NOT NULL,
    bill BIGINT NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    time BIGINT NOT NULL,
    PRIMARY KEY (access_grant, tx, bill, version, kind)
) @CLUSTERED@;
CREATE INDEX grant_uses_bill ON grant_uses (bill, tx);

-- Scenes (场景).
CREATE TABLE scenes (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    -- 0: active, 1: disabled.
    status BIGINT NOT NULL,
    -- JSON of the chain's SceneTerms, and of the kinds of related data.
    terms TEXT NOT NULL,
    related_data TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_tx BIGINT NOT NULL,
    updated BIGINT NOT NULL
);

CREATE TABLE scene_proposals (
    id BIGINT PRIMARY KEY,
    scene BIGINT NOT NULL,
    change TEXT NOT NULL,
    proposer BIGINT NOT NULL,
    reason TEXT NOT NULL,
    proposed_tx BIGINT NOT NULL,
    proposed BIGINT NOT NULL,
    -- `open`, `approved`, `rejected` or `withdrawn`, by whom, with which words.
    outcome TEXT NOT NULL,
    approver BIGINT,
    comment TEXT,
    ended BIGINT
);
CREATE INDEX scene_proposals_scene ON scene_proposals (scene, id);

-- Policies (用票策略), each version.
CREATE TABLE policies (
    policy BIGINT NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- `draft`, `effective` or `revoked`.
    status TEXT NOT NULL,
    submitter BIGINT NOT NULL,
    format TEXT NOT NULL,
    body_hash @BLOB@ NOT NULL,
    -- As it was submitted: JSON text, or protobuf as `0x` hex; null if the call is not known.
    document TEXT,
    approval_hash @BLOB@,
    approvals BIGINT NOT NULL,
    submitted_tx BIGINT NOT NULL,
    submitted BIGINT NOT NULL,
    updated_tx BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    PRIMARY KEY (policy, version)
) @CLUSTERED@;
CREATE INDEX policies_status ON policies (status, policy, version);

-- Versions of the status machine's rules and of field rules, of administrators and whitelists.
CREATE TABLE rule_changes (
    id @KEY@,
    -- `transition`, `field`, `whitelist`, `admin`, `limits`, `quotas`, `quota`, `cooling`.
    sort TEXT NOT NULL,
    -- What it is for: JSON.
    subject TEXT NOT NULL,
    -- What holds from then on: JSON; null: it was removed.
    rule TEXT,
    tx BIGINT NOT NULL,
    time BIGINT NOT NULL
);
CREATE INDEX rule_changes_sort ON rule_changes (sort, subject, id);

-- Disputes (争议): cases, and contentions within a block.
CREATE TABLE cases (
    id BIGINT PRIMARY KEY,
    bill BIGINT NOT NULL,
    parties TEXT NOT NULL,
    operator BIGINT NOT NULL,
    reason TEXT NOT NULL,
    evidence @BLOB@ NOT NULL,
    opened_tx BIGINT NOT NULL,
    opened BIGINT NOT NULL,
    -- Null while it is open.
    outcome TEXT,
    closed_by BIGINT,
    close_reason TEXT,
    close_evidence @BLOB@,
    closed BIGINT
);
CREATE INDEX cases_bill ON cases (bill, id);

CREATE TABLE contentions (
    event BIGINT PRIMARY KEY,
    bill BIGINT NOT NULL,
    winner BIGINT NOT NULL,
    -- JSON of the chain's contenders.
    contenders TEXT NOT NULL,
    unnamed BIGINT NOT NULL,
    tx BIGINT NOT NULL,
    time BIGINT NOT NULL
);
CREATE INDEX contentions_bill ON contentions (bill, event);

-- Motions of the council (议案), by their numbers.
CREATE TABLE motions (
    id BIGINT PRIMARY KEY,
    hash @BLOB@ NOT NULL,
    hash_short BIGINT NOT NULL,
    proposer @BLOB@ NOT NULL,
    threshold BIGINT NOT NULL,
    pallet TEXT NOT NULL,
    call TEXT NOT NULL,
    arguments TEXT NOT NULL,
    -- SCALE of the call.
    encoded @BLOB@ NOT NULL,
    ayes BIGINT NOT NULL,
    nays BIGINT NOT NULL,
    -- `open`, `executed`, `failed` or `disapproved`.
    status TEXT NOT NULL,
    -- Why its call failed.
    error TEXT,
    proposed_tx BIGINT NOT NULL,
    proposed BIGINT NOT NULL,
    closed_tx BIGINT,
    closed BIGINT
);
CREATE INDEX motions_hash ON motions (hash_short, id);

CREATE TABLE motion_votes (
    motion BIGINT NOT NULL,
    account @BLOB@ NOT NULL,
    -- 1: for it, 0: against it.
    aye BIGINT NOT NULL,
    tx BIGINT NOT NULL,
    time BIGINT NOT NULL,
    PRIMARY KEY (motion, account, tx)
) @CLUSTERED@;

-- Those who decide blocks: set by set, seat by seat. The seats' order is that of the bits of
-- `blocks.signers`.
CREATE TABLE validator_sets (
    id BIGINT NOT NULL,
    -- The first block that the set decides.
    first_block BIGINT NOT NULL,
    seat BIGINT NOT NULL,
    -- Account of the consensus key.
    account @BLOB@ NOT NULL,
    consensus_key @BLOB@ NOT NULL,
    power BIGINT NOT NULL,
    PRIMARY KEY (id, seat)
) @CLUSTERED@;

-- Validators and observers (共识节点, 观察节点).
CREATE TABLE validators (
    -- Account of the operator.
    operator @BLOB@ NOT NULL,
    since_tx BIGINT NOT NULL,
    name TEXT NOT NULL,
    consensus_key @BLOB@ NOT NULL,
    account @BLOB@ NOT NULL,
    peer_id TEXT NOT NULL,
    power BIGINT NOT NULL,
    since BIGINT NOT NULL,
    -- Null while it votes.
    until BIGINT,
    PRIMARY KEY (operator, since_tx)
) @CLUSTERED@;

CREATE TABLE observers (
    peer_id TEXT NOT NULL,
    since_tx BIGINT NOT NULL,
    name TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT,
    PRIMARY KEY (peer_id, since_tx)
) @CLUSTERED@;

-- How validators took part on a day, by the account of the consensus key.
CREATE TABLE participation (
    day BIGINT NOT NULL,
    account @BLOB@ NOT NULL,
    -- Blocks that it had to decide, blocks of them whose commit has its pre-commit, and blocks that it
    -- proposed.
    blocks BIGINT NOT NULL,
    signed BIGINT NOT NULL,
    proposed BIGINT NOT NULL,
    last_signed BIGINT NOT NULL,
    PRIMARY KEY (day, account)
) @CLUSTERED@;
CREATE INDEX participation_account ON participation (account, day);

-- Ranges of numbers (赋码): allotted, given back, voided.
CREATE TABLE allotments (
    id BIGINT PRIMARY KEY,
    issuer BIGINT NOT NULL,
    code BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    -- `allotted`, `given_back` or `voided`.
    act TEXT NOT NULL,
    tx BIGINT NOT NULL,
    time BIGINT NOT NULL
);
CREATE INDEX allotments_issuer ON allotments (issuer, code, id);
CREATE INDEX allotments_code ON allotments (code, first);

-- What went wrong: lies of nodes, nodes that are away, blocks that could not be indexed. It
-- differs from indexer to indexer; the newest 10,000 are kept.
CREATE TABLE incidents (
    id @KEY@,
    -- This machine's time, in milliseconds since 1970.
    time BIGINT NOT NULL,
    -- `lie`, `unable`, `disagreement`, `mismatch`, `stop`.
    sort TEXT NOT NULL,
    node TEXT NOT NULL,
    block BIGINT,
    words TEXT NOT NULL
);
