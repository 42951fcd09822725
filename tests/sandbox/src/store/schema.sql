-- The sandbox issuer's tables. Times are milliseconds since 1970 on the issuer's clock, money is whole yen, ids are 16 bytes.
-- Codes, numbers, aliases and nonces are stored as HMACs, seeds and phone numbers sealed, under keys outside this file.

CREATE TABLE clock (only INTEGER PRIMARY KEY CHECK (only = 1), latest INTEGER NOT NULL) STRICT;
INSERT INTO clock VALUES (1, 0);

-- Which life of this data it is. A new file and every copy of one have no row; opening gives it one.
CREATE TABLE era (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL) STRICT;

-- Ledger ------------------------------------------------------------------------------------------------------------------
-- A balance is what was credited minus what was debited; `posted` and the two pending sums are caches that the triggers
-- below keep and `ledger::audit` recomputes. Over all accounts of a unit the balances are 0.

CREATE TABLE ledger_account (
    id             INTEGER PRIMARY KEY,
    name           TEXT NOT NULL UNIQUE,
    unit           TEXT NOT NULL CHECK (unit IN ('yen', 'points')),
    kind           TEXT NOT NULL CHECK (kind IN ('customer', 'merchant', 'rail', 'issuer')),
    posted         INTEGER NOT NULL DEFAULT 0,
    pending_debit  INTEGER NOT NULL DEFAULT 0 CHECK (pending_debit >= 0),
    pending_credit INTEGER NOT NULL DEFAULT 0 CHECK (pending_credit >= 0),
    CONSTRAINT customer_yen_not_negative CHECK (kind <> 'customer' OR unit <> 'yen' OR posted - pending_debit >= 0)
) STRICT;

-- One row moves one amount from `debit` to `credit`. 'final' moves it at once. 'pending' holds it until exactly one later
-- row ends it: 'post' moves at most the held amount and gives the rest back, 'void' and 'expire' give all of it back.
CREATE TABLE posting (
    id         INTEGER PRIMARY KEY,
    phase      TEXT NOT NULL CHECK (phase IN ('final', 'pending', 'post', 'void', 'expire')),
    of         INTEGER UNIQUE REFERENCES posting (id),
    debit      INTEGER NOT NULL REFERENCES ledger_account (id),
    credit     INTEGER NOT NULL REFERENCES ledger_account (id),
    amount     INTEGER NOT NULL CHECK (amount > 0),
    settlement BLOB,
    at         INTEGER NOT NULL,
    trace      TEXT NOT NULL,
    CHECK (debit <> credit),
    CHECK ((phase IN ('post', 'void', 'expire')) = (of IS NOT NULL))
) STRICT;
CREATE INDEX posting_settlement ON posting (settlement) WHERE settlement IS NOT NULL;

CREATE TRIGGER posting_never_updated BEFORE UPDATE ON posting
BEGIN SELECT RAISE(ABORT, 'postings are never updated'); END;

CREATE TRIGGER posting_never_deleted BEFORE DELETE ON posting
BEGIN SELECT RAISE(ABORT, 'postings are never deleted'); END;

CREATE TRIGGER ledger_account_never_deleted BEFORE DELETE ON ledger_account
BEGIN SELECT RAISE(ABORT, 'ledger accounts are never deleted'); END;

CREATE TRIGGER ledger_account_never_renamed BEFORE UPDATE OF id, name, unit, kind ON ledger_account
BEGIN SELECT RAISE(ABORT, 'ledger accounts keep their name, unit and kind'); END;

CREATE TRIGGER ledger_account_starts_empty BEFORE INSERT ON ledger_account
WHEN NEW.posted <> 0 OR NEW.pending_debit <> 0 OR NEW.pending_credit <> 0
    OR EXISTS (SELECT 1 FROM ledger_account WHERE id = NEW.id OR name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'a ledger account starts empty and is never replaced'); END;

-- Spelt out beside the constraints above, because INSERT OR REPLACE and OR IGNORE pass those by.
CREATE TRIGGER posting_checked BEFORE INSERT ON posting
BEGIN
    SELECT RAISE(ABORT, 'postings are never replaced') WHERE EXISTS (SELECT 1 FROM posting WHERE id = NEW.id);
    SELECT RAISE(ABORT, 'both sides of a posting exist and have one unit') WHERE
        (SELECT unit FROM ledger_account WHERE id = NEW.debit) IS NOT (SELECT unit FROM ledger_account WHERE id = NEW.credit)
        OR NOT EXISTS (SELECT 1 FROM ledger_account WHERE id = NEW.debit);
    SELECT RAISE(ABORT, 'a pending posting ends once, by a row of its own sides and at most its amount')
        WHERE NEW.of IS NOT NULL AND (
            EXISTS (SELECT 1 FROM posting WHERE of = NEW.of)
            OR NOT EXISTS (
                SELECT 1 FROM posting p WHERE p.id = NEW.of AND p.phase = 'pending' AND p.debit = NEW.debit
                AND p.credit = NEW.credit AND (NEW.amount = p.amount OR NEW.phase = 'post' AND NEW.amount < p.amount)));
END;

CREATE TRIGGER posting_keeps_customers_solvent BEFORE INSERT ON posting
WHEN NEW.phase IN ('final', 'pending')
BEGIN
    SELECT RAISE(ABORT, 'insufficient balance') FROM ledger_account
        WHERE id = NEW.debit AND kind = 'customer' AND unit = 'yen' AND posted - pending_debit < NEW.amount;
END;

CREATE TRIGGER posting_counted AFTER INSERT ON posting
BEGIN
    UPDATE ledger_account SET
        posted = posted - iif(NEW.phase IN ('final', 'post'), NEW.amount, 0),
        pending_debit = pending_debit + iif(NEW.phase = 'pending', NEW.amount, 0)
            - iif(NEW.of IS NULL, 0, (SELECT amount FROM posting WHERE id = NEW.of))
        WHERE id = NEW.debit;
    UPDATE ledger_account SET
        posted = posted + iif(NEW.phase IN ('final', 'post'), NEW.amount, 0),
        pending_credit = pending_credit + iif(NEW.phase = 'pending', NEW.amount, 0)
            - iif(NEW.of IS NULL, 0, (SELECT amount FROM posting WHERE id = NEW.of))
        WHERE id = NEW.credit;
END;

-- Accounts and devices ----------------------------------------------------------------------------------------------------

CREATE TABLE account (
    id             BLOB PRIMARY KEY,
    number_hmac    BLOB NOT NULL UNIQUE,
    number_sealed  BLOB NOT NULL,
    created_at     INTEGER NOT NULL,
    epoch          INTEGER NOT NULL,
    frozen_at      INTEGER,
    recovery_at    INTEGER,
    first_channel  TEXT,
    last_event     INTEGER NOT NULL DEFAULT 0,
    yen            INTEGER NOT NULL REFERENCES ledger_account (id),
    points         INTEGER NOT NULL REFERENCES ledger_account (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    id                 BLOB PRIMARY KEY,
    account            BLOB NOT NULL REFERENCES account (id),
    epoch              INTEGER NOT NULL,
    state              TEXT NOT NULL CHECK (state IN ('live', 'retired')),
    level              TEXT NOT NULL CHECK (level IN ('software', 'hardware')),
    device_spki        BLOB NOT NULL,
    authorization_spki BLOB NOT NULL,
    bound_at           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- One paying device per account; one key belongs to one device in one role.
CREATE UNIQUE INDEX device_live ON device (account) WHERE state = 'live';
CREATE TABLE device_key (spki BLOB PRIMARY KEY, device BLOB NOT NULL REFERENCES device (id)) STRICT, WITHOUT ROWID;

CREATE TABLE activation (
    id             BLOB PRIMARY KEY,
    device         BLOB NOT NULL REFERENCES device (id),
    epoch          INTEGER NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('pending', 'current')),
    phone_point    BLOB NOT NULL,
    issuer_point   BLOB NOT NULL,
    sealed         BLOB NOT NULL,
    alias_hmac     BLOB NOT NULL UNIQUE,
    alias_until    INTEGER NOT NULL,
    last_totp_step INTEGER NOT NULL DEFAULT 0,
    UNIQUE (device, state)
) STRICT, WITHOUT ROWID;

-- Sign-up -----------------------------------------------------------------------------------------------------------------

CREATE TABLE sign_up (
    id                 BLOB PRIMARY KEY,
    number_hmac        BLOB NOT NULL,
    number_sealed      BLOB NOT NULL,
    prefix             TEXT NOT NULL,
    device_spki        BLOB NOT NULL,
    authorization_spki BLOB NOT NULL,
    code_hmac          BLOB NOT NULL,
    at                 INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    tries              INTEGER NOT NULL DEFAULT 0,
    state              TEXT NOT NULL CHECK (state IN ('open', 'replaced', 'done', 'taken')),
    proven_at          INTEGER,
    answer             TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_up_number ON sign_up (number_hmac, at);
CREATE INDEX sign_up_prefix ON sign_up (prefix, at);
CREATE INDEX sign_up_at ON sign_up (at);

-- `at` is when it was sent. Before `arrives_at` nobody sees it.
CREATE TABLE sms (
    id          INTEGER PRIMARY KEY,
    number_hmac BLOB NOT NULL,
    at          INTEGER NOT NULL,
    arrives_at  INTEGER NOT NULL,
    sealed      BLOB NOT NULL
) STRICT;
CREATE INDEX sms_number ON sms (number_hmac, arrives_at, id);
CREATE INDEX sms_arrival ON sms (arrives_at);

-- What the world did, on demand of quality assurance. `waiting` of the next messages are late by `late_ms`, or lost if that
-- is null. `last_sms` is the newest message there was.
CREATE TABLE world_event (
    id            INTEGER PRIMARY KEY,
    event         TEXT NOT NULL CHECK (event IN ('sms-late', 'sms-lost', 'number-recycled', 'day-end')),
    because       TEXT NOT NULL,
    at            INTEGER NOT NULL,
    number_hmac   BLOB,
    number_sealed BLOB,
    late_ms       INTEGER,
    times         INTEGER,
    waiting       INTEGER NOT NULL CHECK (waiting >= 0),
    last_sms      INTEGER NOT NULL,
    CHECK ((number_hmac IS NULL) = (number_sealed IS NULL))
) STRICT;
CREATE INDEX world_event_waiting ON world_event (id) WHERE waiting > 0;

-- Money -------------------------------------------------------------------------------------------------------------------

CREATE TABLE intent_nonce (
    hmac       BLOB PRIMARY KEY,
    account    BLOB NOT NULL,
    device     BLOB NOT NULL,
    epoch      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX intent_nonce_expiry ON intent_nonce (expires_at);

-- Every key that arrived or was given up, and the answer it got.
CREATE TABLE intent (
    account     BLOB NOT NULL REFERENCES account (id),
    operation   TEXT NOT NULL,
    key         BLOB NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('accepted', 'voided')),
    fingerprint BLOB,
    at          INTEGER NOT NULL,
    PRIMARY KEY (account, operation, key),
    CHECK ((state = 'accepted') = (fingerprint IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE top_up (
    id            INTEGER PRIMARY KEY,
    account       BLOB NOT NULL REFERENCES account (id),
    key           BLOB NOT NULL,
    device        BLOB NOT NULL REFERENCES device (id),
    channel       TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('awaiting', 'authorized', 'done', 'expired')),
    yen           INTEGER NOT NULL,
    posted_yen    INTEGER NOT NULL DEFAULT 0,
    posting       INTEGER NOT NULL UNIQUE REFERENCES posting (id),
    number_hmac   BLOB NOT NULL UNIQUE,
    number_draw   INTEGER NOT NULL,
    wrong_tries   INTEGER NOT NULL DEFAULT 0,
    at            INTEGER NOT NULL,
    first_expiry  INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    UNIQUE (account, key)
) STRICT;
CREATE INDEX top_up_window ON top_up (account, at, state, yen, posted_yen);
CREATE INDEX top_up_open ON top_up (expires_at) WHERE state IN ('awaiting', 'authorized');

CREATE TABLE payment_code (
    id         INTEGER PRIMARY KEY,
    hmac       BLOB NOT NULL UNIQUE,
    account    BLOB NOT NULL REFERENCES account (id),
    device     BLOB NOT NULL REFERENCES device (id),
    epoch      INTEGER NOT NULL,
    purpose    TEXT NOT NULL CHECK (purpose IN ('pay', 'cash-in')),
    cap_yen    INTEGER NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('live', 'burnt', 'replaced'))
) STRICT;
CREATE INDEX payment_code_live ON payment_code (device) WHERE state = 'live';
CREATE INDEX payment_code_expiry ON payment_code (expires_at);

-- What moved, for people: payments, refunds, reversals, deposits.
CREATE TABLE settlement (
    id       BLOB PRIMARY KEY,
    kind     TEXT NOT NULL CHECK (kind IN ('payment', 'refund', 'reversal', 'top-up')),
    account  BLOB NOT NULL REFERENCES account (id),
    terminal TEXT NOT NULL,
    merchant TEXT NOT NULL,
    yen      INTEGER NOT NULL,
    points   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    original BLOB REFERENCES settlement (id),
    reversed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX settlement_window ON settlement (account, at, yen) WHERE kind = 'payment' AND reversed = 0;
CREATE INDEX settlement_original ON settlement (original, yen, points) WHERE original IS NOT NULL;

-- What a terminal's transaction id was used for, and what it was told.
CREATE TABLE terminal_transaction (
    terminal    TEXT NOT NULL,
    txid        TEXT NOT NULL,
    operation   TEXT NOT NULL CHECK (operation IN ('settle', 'refund', 'atm', 'void')),
    fingerprint BLOB NOT NULL,
    yen         INTEGER NOT NULL,
    answer      TEXT NOT NULL,
    settlement  BLOB,
    top_up      INTEGER REFERENCES top_up (id),
    second      TEXT,
    at          INTEGER NOT NULL,
    trace       TEXT NOT NULL,
    PRIMARY KEY (terminal, txid)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    account BLOB NOT NULL REFERENCES account (id),
    number  INTEGER NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('entry', 'notice', 'other')),
    at      INTEGER NOT NULL,
    json    TEXT NOT NULL,
    trace   TEXT NOT NULL,
    PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_entry ON event (account, number) WHERE kind = 'entry';
CREATE INDEX event_notice ON event (account, number) WHERE kind = 'notice';

-- What was decided about one try, with every rule's figures, for `explain`. Only the control API reads it, so no index slows the writer.
CREATE TABLE decision (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    what       TEXT NOT NULL,
    trace      TEXT NOT NULL,
    terminal   TEXT,
    txid       TEXT,
    intent     BLOB,
    settlement BLOB,
    json       TEXT NOT NULL
) STRICT;

-- Operation ---------------------------------------------------------------------------------------------------------------

CREATE TABLE terminal (
    name       TEXT PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('register', 'atm', 'operator')),
    merchant   TEXT NOT NULL,
    spki       BLOB NOT NULL UNIQUE,
    thumbprint TEXT NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;

CREATE TABLE switch (
    name    TEXT PRIMARY KEY,
    is_on   INTEGER NOT NULL CHECK (is_on IN (0, 1)),
    reason  TEXT NOT NULL,
    at      INTEGER NOT NULL,
    version INTEGER NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
