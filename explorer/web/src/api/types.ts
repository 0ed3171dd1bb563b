/** What the server answers, in the fields that the page uses. */

export interface Page<T> {
  items: T[];
  next: string | null;
  total?: number | null;
}

/** How far the index has come, and what is wrong with it. */
export interface Status {
  chain: string;
  genesis: string;
  /** Newest block that the index holds. */
  indexed: number;
  /** Newest final block of the nodes. */
  head: number;
  /** Milliseconds that the index is behind. */
  lag_ms: number;
  /** Blocks that the index skipped: there are none, or it says so. */
  gaps: number;
  /** What is wrong, in words; none if nothing is. */
  problem: string | null;
  /** Nodes that said what the chain refutes. */
  liars: string[];
}

export interface User {
  name: string;
  role: "participant" | "operator" | "auditor" | "administrator";
  did: string | null;
}

export interface Session {
  user: User | null;
  csrf: string;
  /** Ways to sign in that the server offers. */
  methods: ("sm2" | "oidc" | "password")[];
}

export interface Stamp {
  block: number;
  extrinsic: number | null;
  moment: number;
}

export interface BillKey {
  code: string;
  number: string;
}

export interface BillRow extends BillKey {
  kind: string;
  issue_date: number;
  total_fen: number;
  issuer: string;
  issuer_name?: string | null;
  scene: number;
  status: string;
  version: number;
  holder?: string | null;
  reimbursed_fen: number;
  updated: number;
}

export interface Lock {
  holder: string;
  scene: number | null;
  claim_no: string | null;
  grant: string | null;
  evidence: string | null;
  since: number;
  expires: number | null;
}

export interface Reimbursement {
  payer: string;
  scene: number;
  amount_fen: number;
}

export interface Bill extends BillRow {
  check_code: string | null;
  issue_time: number;
  issuer_uscc: string;
  payer_type: string;
  /** Null to whom it is not shown. */
  payer_ref: string | null;
  biz_no_hash: string;
  xml_hash: string;
  pdf_hash: string | null;
  location_hash: string | null;
  related: BillKey | null;
  version_hash: string;
  lock: Lock | null;
  reimbursements: Reimbursement[];
}

/** Why something failed, in the chain's words. */
export interface Failure {
  pallet: string;
  name: string;
  docs: string;
  details?: string | null;
}

export interface ChainEvent {
  pallet: string;
  name: string;
  details: string;
  /** Its fields by name. */
  fields?: unknown;
  item?: number | null;
  error?: Failure | null;
}

export interface BlockRow {
  number: number;
  hash: string;
  time: number;
  transactions: number;
  events: number;
  proposer: string | null;
  round: number;
}

export interface Vote {
  validator: string;
  name: string;
  signed: boolean;
}

export interface Block extends BlockRow {
  parent: string;
  state_root: string;
  extrinsics_root: string;
  bytes: number;
  rules: number;
  /** Who signed the commit certificate of this block. */
  votes: Vote[];
  /** The index checked certificate, parent and transactions root. */
  verified: boolean;
  digest: unknown;
  /** The decided header (区块头与提交证书), `0x` hex. */
  decided?: string | null;
  /** From which node it came. */
  node?: string | null;
}

export interface TransactionRow {
  hash: string;
  block: number;
  index: number;
  time: number;
  pallet: string;
  call: string;
  signer: string | null;
  signer_name?: string | null;
  success: boolean;
  error?: Failure | null;
}

export interface Transaction extends TransactionRow {
  signer_roles: string[];
  nonce: number | null;
  args: unknown;
  events: ChainEvent[];
  bills: BillKey[];
  /** Null if it is too long to be kept. */
  raw: string | null;
}

export interface FieldChange {
  field: string;
  before: unknown;
  after: unknown;
}

/** One version of a bill, with what it changed. */
export interface BillVersion {
  version: number;
  hash: string;
  cause: string;
  operator: string;
  operator_name?: string | null;
  reason: string | null;
  evidence: string | null;
  proposer: string | null;
  block: number;
  index: number | null;
  transaction: string | null;
  time: number;
  status: string;
  changes: FieldChange[];
}

/** Somebody's hold on a bill. */
export interface Hold {
  holder: string;
  holder_name?: string | null;
  scene: number | null;
  claim_no: string | null;
  grant: string | null;
  from: number;
  until: number | null;
  /** `reimbursed`, `unlocked`, `expired`, `open`. */
  end: string;
  amount_fen: number | null;
}

export interface Related {
  relation: string;
  bill: BillRow;
}

export interface Mismatch {
  transaction: string;
  block: number;
  time: number;
  reporter: string;
  what: string;
  detail: string;
}

export interface Contention {
  block: number;
  time: number;
  winner: string;
  contenders: { claimant: string; scene: number; signed_at: number; weight: number; transaction: string }[];
  unnamed: number;
}

/** All that is told of a bill. */
export interface BillLife {
  bill: Bill;
  versions: BillVersion[];
  holds: Hold[];
  related: Related[];
  grants: GrantUse[];
  contentions: Contention[];
  cases: CaseRow[];
  mismatches: Mismatch[];
  parties: { relation: string; party: string; since: number | null }[];
  refused: TransactionRow[];
}

export interface GrantUse {
  grant: string;
  holder: string;
  subject: string;
  time: number;
  transaction: string | null;
  purpose: string;
}

export interface RecordRow {
  number: number;
  time: number;
  block: number;
  transaction: string | null;
  operator: string | null;
  act: string;
  reason: string | null;
  evidence: string | null;
  changes: FieldChange[];
}

export interface ParticipantRow {
  did: string;
  name: string;
  kind: string;
  roles: string[];
  status: string;
  registered: number;
}

export interface Participant extends ParticipantRow {
  account: string;
  public_key: string;
  uscc_hash: string | null;
  offices: string[];
  history: RecordRow[];
  nodes: AccessNodeRow[];
  issued: number;
  held: number;
}

export interface AccessNodeRow {
  did: string;
  operator_name: string;
  status: string;
  participants: number;
  registered: number;
}

export interface AccessNode extends AccessNodeRow {
  credential_hash: string;
  account: string;
  links: { participant: string; name: string | null; since: number; until: number | null }[];
  history: RecordRow[];
}

export interface SceneRow {
  scene: number;
  name: string;
  status: string;
  mode: string;
  weight: number;
  version: number;
  updated: number;
  open_proposal: number | null;
}

export interface Approval {
  proposal: number;
  change: { kind: string } & Record<string, unknown>;
  proposer: string;
  proposed: number;
  reason: string;
  result: string;
  approver: string | null;
  comment: string | null;
  ended: number | null;
  transaction: string | null;
}

export interface RuleVersion {
  version: number;
  time: number;
  transaction: string | null;
  changes: FieldChange[];
}

export interface Scene extends SceneRow {
  rules: unknown;
  related_data: string[];
  approvals: Approval[];
  versions: RuleVersion[];
  whitelist: string[];
}

export interface PolicyRow {
  policy: number;
  version: number;
  newest: number;
  effective: number | null;
  name: string;
  status: string;
  effect: string;
  priority: number;
  scenes: number[];
  operations: string[];
  keywords: string[];
  submitter: string;
  updated: number;
}

export interface PolicyStep {
  index: number;
  act: string;
  actor: string | null;
  time: number;
  block: number;
  transaction: string | null;
  hash: string | null;
  reason: string | null;
  flow_hash: string;
}

export interface PolicyVersion extends PolicyRow {
  conditions: unknown;
  format: string;
  body_hash: string;
  document: string | null;
  approval_hash: string | null;
  steps: PolicyStep[];
  changes: FieldChange[];
}

export interface Policy {
  policy: number;
  versions: PolicyVersion[];
}

export interface Rule {
  from: string | null;
  operation: string;
  scene: number | null;
  roles: string[];
  /** A status, or `before_lock`, `reimbursement`, `before_reimbursement`, `named`. */
  to: string | { status: string };
}

export interface Rules {
  version: number;
  newest: number;
  rules: Rule[];
  change: { before: Rule | null; after: Rule | null; time: number; transaction: string | null } | null;
}

export interface GrantRow {
  grant: string;
  holder: string;
  subject: string;
  scene: number;
  valid_from: number;
  valid_until: number;
  status: string;
  uses: number;
  updated: number;
}

export interface Grant extends GrantRow {
  registrar: string;
  bills: BillKey[] | null;
  condition: unknown;
  history: (RecordRow & { bill: BillKey | null })[];
}

export interface CaseRow {
  case: number;
  code: string;
  number: string;
  open: boolean;
  operator: string;
  reason: string;
  evidence: string;
  opened: number;
  closed: number | null;
}

export interface Case extends CaseRow {
  parties: string[];
  decision: { in_favour_of: string | null; operator: string; time: number; reason: string; evidence: string } | null;
  acts: RecordRow[];
}

export interface MotionRow {
  motion: string;
  index: number;
  proposer: string;
  pallet: string;
  call: string;
  threshold: number;
  ayes: number;
  nays: number;
  status: string;
  proposed: number;
  ended: number | null;
}

export interface Motion extends MotionRow {
  args: unknown;
  votes: { member: string; name: string | null; approve: boolean; time: number; transaction: string | null }[];
  error: Failure | null;
  transaction: string | null;
}

export interface ValidatorRow {
  validator: string;
  name: string;
  operator: string;
  key: string;
  power: number;
  signed: number;
  missed: number;
  missed_in_row: number;
  last_signed: number | null;
  proposed: number;
}

export interface Validators {
  validators: ValidatorRow[];
  observers: { name: string; peer_id: string }[];
  /** Newest blocks with who signed, oldest first. */
  recent: { block: number; round: number; missing: string[] }[];
  equivocations: { offender: string; height: number; kind: string; block: number }[];
}

export interface NodeHealth {
  name: string;
  address: string;
  reachable: boolean;
  height: number | null;
  lag_ms: number | null;
  peers: number | null;
  version: string | null;
  rules: number | null;
  release: number | null;
  disk_free: number | null;
  disk_total: number | null;
  memory: number | null;
  problem: string | null;
  following: boolean;
}

export interface Operations {
  nodes: NodeHealth[];
  upgrade: { rules: number; scheduled: { spec_version: number; height: number } | null; ready: number; power: number; confirmed: string[] } | null;
  index: { height: number; blocks_per_second: number; size: number; errors: string[] };
}

export interface AccessEntry {
  id: number;
  time: number;
  who: string;
  role: string;
  address: string;
  action: string;
  target: string;
}

/** One group of bills in the rollups. */
export interface StatisticsRow {
  key: string;
  name?: string | null;
  count: number;
  fen: number;
}

export interface Statistics {
  rows: StatisticsRow[];
  /** The same a year before, by the same keys; for time their keys are a year later. */
  before: StatisticsRow[] | null;
  total: { count: number; fen: number };
  total_before: { count: number; fen: number } | null;
}

export interface Summary {
  bills: number;
  fen: number;
  today: { count: number; fen: number };
  by_status: StatisticsRow[];
  /** Transactions of the last minute, a second on average. */
  tps: number;
  participants: number;
  transactions: number;
}

/** A bill of which not everything may be told. */
export type Told = BillKey & Pick<Bill, "status" | "kind" | "issue_date" | "updated"> & { [K in Exclude<keyof Bill, keyof BillKey>]?: Bill[K] | null };

export interface Verdict {
  verdict: "genuine" | "used" | "invalid" | "mismatch" | "not_found";
  /** To the public: code, number, status, kind, issue date and time of the last change; the others are null. */
  bill: Told | null;
  elements: { field: string; matches: boolean }[];
}

export interface SearchHit {
  kind: "bill" | "block" | "transaction" | "participant" | "node" | "scene" | "policy" | "grant" | "dispute" | "motion" | "validator";
  id: string;
  title: string;
  detail: string | null;
}

export interface SearchAnswer {
  hits: SearchHit[];
  /** What was looked for, and how many were found. */
  looked: { kind: string; found: number }[];
  indexed: number;
}

export interface ExportJob {
  id: string;
  state: "running" | "done" | "failed";
  rows: number;
  total: number | null;
  limit: number;
  problem: string | null;
  url: string | null;
}

/** Somebody who signs in by password. */
export interface Account {
  name: string;
  role: string;
  did: string | null;
  totp: boolean;
  locked_until: number | null;
  disabled: boolean;
  created: number;
  last_login: number | null;
}

/** What the server tells once. */
export interface Credentials {
  name: string;
  password: string;
  totp_secret: string;
  totp_url: string;
}

/** The chain of the access log, counted again. */
export interface LogCheck {
  entries: number;
  head: string | null;
  intact: boolean;
  /** The first entry that is not what it was. */
  broken_at: number | null;
}
