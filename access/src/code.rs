//! Codes of refusals, stable: a code never changes its kind. JSON-RPC answers carry them as
//! `error.code`.

/// The method wants an identity, and the caller has shown none.
pub const NO_IDENTITY: i32 = 4100;
/// The token is none, or is longer than a token may be.
pub const TOKEN_MALFORMED: i32 = 4101;
/// The token's time is over.
pub const TOKEN_EXPIRED: i32 = 4102;
/// The token's time has not come.
pub const TOKEN_TOO_EARLY: i32 = 4103;
/// The token is for somebody else.
pub const TOKEN_AUDIENCE: i32 = 4104;
/// Nobody of this name issues tokens for this node.
pub const TOKEN_ISSUER: i32 = 4105;
/// The token's signature is not its issuer's.
pub const TOKEN_SIGNATURE: i32 = 4106;
/// The issuer's keys are not to be had now.
pub const TOKEN_KEYS_MISSING: i32 = 4107;
/// The API key is no one's.
pub const KEY_UNKNOWN: i32 = 4108;
/// The API key or signing key was revoked.
pub const KEY_REVOKED: i32 = 4109;
/// The time of the API key or signing key is over.
pub const KEY_EXPIRED: i32 = 4110;
/// The request's signature is not its signer's, or is malformed.
pub const SIGNATURE_INVALID: i32 = 4111;
/// The signed request is too old or from the future.
pub const SIGNATURE_TIME: i32 = 4112;
/// The signed request was used before.
pub const REPLAYED: i32 = 4113;
/// The certificate, or the token's subject, is bound to no participant.
pub const NOT_BOUND: i32 = 4114;
/// The participant is frozen, cancelled or not on the chain.
pub const PARTICIPANT_INACTIVE: i32 = 4115;
/// The listener, or the caller, may not call methods of this class.
pub const CLASS_REFUSED: i32 = 4120;
/// Pages of this origin may not call the node.
pub const ORIGIN_REFUSED: i32 = 4121;
/// The listener is no more: the configuration was changed.
pub const LISTENER_CLOSED: i32 = 4122;
/// The caller is no party to it, holds no grant for it and no scene allows it; or it does
/// not exist. Both are told in the same words.
pub const NOT_VISIBLE: i32 = 4130;
/// The caller asks more than its limit: `data.retry_after_ms` says when to come back.
pub const TOO_MANY: i32 = 4290;
/// Too many wrong codes were tried: `data.retry_after_ms` says when to come back.
pub const GUESSING: i32 = 4291;
/// The access log cannot be written now: nothing is answered that is not logged.
pub const LOG_UNAVAILABLE: i32 = 4292;

/// Every code, for whoever holds a catalogue of them complete.
pub const ALL: [i32; 23] = [
    NO_IDENTITY,
    TOKEN_MALFORMED,
    TOKEN_EXPIRED,
    TOKEN_TOO_EARLY,
    TOKEN_AUDIENCE,
    TOKEN_ISSUER,
    TOKEN_SIGNATURE,
    TOKEN_KEYS_MISSING,
    KEY_UNKNOWN,
    KEY_REVOKED,
    KEY_EXPIRED,
    SIGNATURE_INVALID,
    SIGNATURE_TIME,
    REPLAYED,
    NOT_BOUND,
    PARTICIPANT_INACTIVE,
    CLASS_REFUSED,
    ORIGIN_REFUSED,
    LISTENER_CLOSED,
    NOT_VISIBLE,
    TOO_MANY,
    GUESSING,
    LOG_UNAVAILABLE,
];
