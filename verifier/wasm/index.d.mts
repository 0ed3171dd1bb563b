/** Most bytes of a certificate: 1 MiB. */
export const MAX_CERTIFICATE: number;

/**
 * Makes the verifier. It needs nothing else, asks nobody, and keeps nothing between calls.
 *
 * @param source The bytes of `billchain_verifier.wasm`, the response that brings them, the module
 *   that was compiled of them, or a promise of one of these.
 */
export function load(source: Source | PromiseLike<Source>): Promise<Verifier>;

export type Source = ArrayBuffer | ArrayBufferView | Response | WebAssembly.Module;

export interface Verifier {
  /**
   * What a certificate proves to whoever trusts the genesis block, or why it proves nothing.
   *
   * @param certificate Its bytes, whatever they are.
   * @param genesis Hash of the genesis block, from somewhere that one trusts: 64 hexadecimal
   *   digits, with or without `0x`.
   * @throws TypeError if the hash has another form, or the certificate is no bytes; RangeError if
   *   a number of the answer is 2^53 or more, or there is no memory.
   */
  verify(certificate: ArrayBuffer | ArrayBufferView, genesis: string): Answer;
  /** The same, as the text of a JSON object. */
  json(certificate: ArrayBuffer | ArrayBufferView, genesis: string): string;
  /**
   * What a certificate proves to whoever trusts a checkpoint (检查点), or why it proves nothing.
   * A certificate that starts at a later block than the genesis is checked from that block, or
   * from a change after it.
   * Nothing that it says of the chain before that block is believed, and no transaction before it
   * is proved. Compare `genesis` in the answer with that of the chain, if it is known.
   *
   * @param checkpoint Hash of the genesis, or of a later block that changed the validators, from
   *   somewhere that one trusts: 64 hexadecimal digits, with or without `0x`.
   * @throws As `verify` does.
   */
  verifyFrom(certificate: ArrayBuffer | ArrayBufferView, checkpoint: string): Answer;
  /** The same, as the text of a JSON object. */
  jsonFrom(certificate: ArrayBuffer | ArrayBufferView, checkpoint: string): string;
}

export type Answer = Refused | Present | Version | Absent | Numbers | Month;

/** The certificate proves nothing. */
export interface Refused {
  proved?: undefined;
  /** Why. */
  refused: string;
}

interface Proved {
  proved: true;
  refused?: undefined;
  /** Number of the block after which it was so. */
  block: number;
  block_hash: Hash;
  /** Hash of the chain's genesis block. */
  genesis: Hash;
  /** Number of the block whose hash was trusted: 0 for the genesis, or that of the checkpoint. */
  from_block: number;
}

/** A digest: `0x` and 64 hexadecimal digits. */
export type Hash = `0x${string}`;

/** No bill had this code and number. */
export interface Absent extends Proved {
  exists: false;
  /** Code and number (票据代码, 票据号码), with `-` between. */
  bill: string;
}

interface Bill extends Proved {
  exists: true;
  /** Code and number (票据代码, 票据号码), with `-` between. */
  bill: string;
  status: Status;
  /** 1 when registered, one more with every change. */
  version: number;
  /** 校验码. */
  check_code: string;
  kind: Kind;
  /** 开票日期, as yyyymmdd. */
  issue_date: number;
  /** 开票时间, as hhmmss; zeros in front are not written. */
  issue_time: number;
  /** 总金额 in yuan, with two decimals; negative on a red bill. */
  total: string;
  /** DID of the 开票单位. */
  issuer: string;
  /** 统一社会信用代码 of the issuer. */
  issuer_uscc: string;
  /** Number of the business scene (业务场景). */
  scene: number;
  xml_hash: Hash;
  /** Zeros if unknown. */
  pdf_hash: Hash;
  payer_ref: Hash;
  /** Code and number of the blue bill of a red or balance bill. */
  related: string | null;
  version_hash: Hash;
  /** Time of the block that made the version, in milliseconds since 1970. */
  updated: number;
  lock: Lock | null;
  /** Those that count, the oldest first. */
  reimbursements: { payer: string; scene: number; fen: number }[];
  /**
   * What made the version; none if a block did by itself, it is not shown, or it is in a block
   * before the checkpoint.
   */
  transaction: { block: number; index: number; hash: Hash } | null;
}

/** There was this bill. */
export interface Present extends Bill {
  made?: undefined;
}

/** There was this earlier version of a bill (历史版本). */
export interface Version extends Bill {
  made: {
    cause: string;
    /** DID of who sent the transaction. */
    operator: string;
    reason: string | null;
    evidence: Hash | null;
    /** DID of who proposed it, where the operation takes two. */
    proposer: string | null;
    block: number;
    index: number | null;
  };
  present_version: number;
  present_status: Status;
}

interface Counted extends Proved {
  exists?: undefined;
  /** By kind and status. */
  lines: { kind: Kind; status: Status; bills: number; total: string }[];
  /** How many bills there were. */
  bills: number;
  /** Their totals together, in yuan. */
  total: string;
}

/** The bills of a range of numbers (号段). */
export interface Numbers extends Counted {
  code: string;
  first: string;
  last: string;
  /** How many numbers no bill had. */
  missing: number;
  complete: boolean;
}

/** The bills that an issuer issued in a month (开票月份). */
export interface Month extends Counted {
  /** DID of the issuer. */
  issuer: string;
  /** yyyymm. */
  month: string;
}

export interface Lock {
  /** DID of the holder. */
  holder: string;
  purpose: { scene: number; claim_no: string } | { evidence: Hash };
  /** Milliseconds since 1970; none if it holds until it is given back. */
  expires: number | null;
}

export type Kind = "blue" | "red" | "payment_notice";

export type Status =
  | "pre_issued"
  | "normal"
  | "locked"
  | "partly_reimbursed"
  | "reimbursed"
  | "red_reversed"
  | "voided";
