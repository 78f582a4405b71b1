-- Times are microseconds since 1970-01-01T00:00:00Z. Truths are 0 and 1.
-- Written for SQLite and Postgres alike; BLOB is read as BYTEA on Postgres.

-- change: raised by every act, and the lock that puts acts in one order. highest_time: the latest
-- time any node has seen. The others number their namesakes.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES
    ('change', 0), ('highest_time', 0), ('grant', 0), ('request', 0), ('secret', 0), ('event', 0),
    ('kill', 0);

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE principals (
    name TEXT PRIMARY KEY,
    roles TEXT NOT NULL,
    disabled BIGINT NOT NULL,
    salt BLOB NOT NULL,
    iterations BIGINT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE secrets (
    id BIGINT PRIMARY KEY,
    principal TEXT NOT NULL REFERENCES principals (name),
    stored_key BLOB NOT NULL,
    server_key BLOB NOT NULL,
    sha2_digest BLOB NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT
);
CREATE INDEX secrets_principal ON secrets (principal);

CREATE TABLE requests (
    id BIGINT PRIMARY KEY,
    principal TEXT NOT NULL REFERENCES principals (name),
    target TEXT NOT NULL,
    permissions TEXT NOT NULL,
    scope TEXT NOT NULL,
    duration_seconds BIGINT NOT NULL,
    reason TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    state TEXT NOT NULL,
    decided_by TEXT,
    decided BIGINT,
    grant_id BIGINT
);
CREATE INDEX requests_state ON requests (state, created);
CREATE INDEX requests_principal ON requests (principal);

CREATE TABLE grants (
    id BIGINT PRIMARY KEY,
    principal TEXT NOT NULL REFERENCES principals (name),
    target TEXT NOT NULL,
    permissions TEXT NOT NULL,
    scope TEXT NOT NULL,
    starts BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    max_rows BIGINT,
    row_budget BIGINT NOT NULL,
    rows_used BIGINT NOT NULL,
    at_end TEXT NOT NULL,
    request BIGINT REFERENCES requests (id),
    approved_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    created BIGINT NOT NULL,
    revoked BIGINT,
    revoked_by TEXT
);
CREATE INDEX grants_ends ON grants (ends);
CREATE INDEX grants_principal ON grants (principal);

-- Acts that no gateway has put on the trail yet.
CREATE TABLE outbox (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE node_keys (
    node TEXT NOT NULL,
    public_key BLOB NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (node, public_key)
);

-- kept: the first of its hour, which is not thinned out.
CREATE TABLE checkpoints (
    node TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kept BIGINT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (node, seq)
);

CREATE TABLE sessions (
    node TEXT NOT NULL,
    id BIGINT NOT NULL,
    principal TEXT NOT NULL,
    target TEXT NOT NULL,
    client TEXT NOT NULL,
    application TEXT NOT NULL,
    since BIGINT NOT NULL,
    last_statement BIGINT,
    state TEXT NOT NULL,
    seen BIGINT NOT NULL,
    PRIMARY KEY (node, id)
);

CREATE TABLE kill_requests (
    id BIGINT PRIMARY KEY,
    node TEXT NOT NULL,
    session BIGINT NOT NULL,
    by_actor TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX kill_requests_node ON kill_requests (node);
