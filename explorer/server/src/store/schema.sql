-- What belongs to the explorer itself: who may sign in, and who looked at what. The index beside it can
-- be built again from the chain; this cannot.
CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    did TEXT,
    password TEXT NOT NULL,
    totp BLOB NOT NULL,
    totp_last INTEGER NOT NULL DEFAULT 0,
    disabled INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    last_login INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS access_log (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    bill TEXT,
    issuer TEXT,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS access_log_bill ON access_log (bill, id) WHERE bill IS NOT NULL;
CREATE INDEX IF NOT EXISTS access_log_issuer ON access_log (issuer, id) WHERE issuer IS NOT NULL;
CREATE INDEX IF NOT EXISTS access_log_who ON access_log (who, id);
CREATE TRIGGER IF NOT EXISTS access_log_is_kept BEFORE DELETE ON access_log
BEGIN SELECT RAISE(ABORT, 'the access log is kept'); END;
CREATE TRIGGER IF NOT EXISTS access_log_is_as_written BEFORE UPDATE ON access_log
BEGIN SELECT RAISE(ABORT, 'the access log is as it was written'); END;
