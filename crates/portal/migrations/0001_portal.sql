-- The portal's tables. Ids are opaque texts with the prefix of their kind; instants are Unix milliseconds; what is
-- called `sealed` is encrypted under the master key of the installation (`vault.rs`).

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);

-- Numbers that only rise: serials of licences, sequences of revocation lists.
CREATE TABLE series (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE organisations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    -- What the vendor's own books call it.
    reference TEXT UNIQUE,
    metadata TEXT,
    created_at BIGINT NOT NULL
);

CREATE TABLE products (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- generic, or chancery: installations of the latter are sent licences in armour.
    kind TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    archived_at BIGINT
);

CREATE TABLE plans (
    id TEXT NOT NULL PRIMARY KEY,
    product_id TEXT NOT NULL REFERENCES products (id),
    plan_key TEXT NOT NULL,
    name TEXT NOT NULL,
    -- hardware_locked, floating or named_user
    mode TEXT NOT NULL,
    -- Missing for any number.
    seat_limit BIGINT,
    -- For how many days a licence is valid, and renewed by; missing for ever.
    valid_days BIGINT,
    -- After its end: for how many days everything still works, and what is allowed then.
    grace_days BIGINT NOT NULL,
    after_grace TEXT NOT NULL,
    -- Machine files: days of validity and of grace, where a request does not say.
    file_days BIGINT NOT NULL,
    file_grace_days BIGINT NOT NULL,
    -- A JSON list of {key, expires_at, metadata}.
    entitlements TEXT NOT NULL,
    -- Of a product of kind chancery: its plan and its entitlements as `chancery-license` writes them.
    chancery_plan TEXT,
    chancery_entitlements TEXT,
    metadata TEXT,
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    UNIQUE (product_id, plan_key)
);

-- A licence has what its plan had when it was made or moved to it.
CREATE TABLE licenses (
    id TEXT NOT NULL PRIMARY KEY,
    product_id TEXT NOT NULL REFERENCES products (id),
    plan_id TEXT NOT NULL REFERENCES plans (id),
    organisation_id TEXT REFERENCES organisations (id),
    -- prod, dev, staging or uat; test keys reach all but prod.
    environment TEXT NOT NULL,
    -- HMAC-SHA-256 of the canonical key, by which it is found.
    key_hash BYTEA NOT NULL UNIQUE,
    key_sealed BYTEA NOT NULL,
    -- The last four characters, by which people tell licences apart.
    key_hint TEXT NOT NULL,
    -- pending, active, suspended or revoked; that it has ended is not stored.
    status TEXT NOT NULL,
    plan_key TEXT NOT NULL,
    mode TEXT NOT NULL,
    seat_limit BIGINT,
    active_seats BIGINT NOT NULL DEFAULT 0,
    starts_at BIGINT,
    expires_at BIGINT,
    grace_days BIGINT NOT NULL,
    after_grace TEXT NOT NULL,
    file_days BIGINT NOT NULL,
    file_grace_days BIGINT NOT NULL,
    entitlements TEXT NOT NULL,
    chancery_plan TEXT,
    chancery_entitlements TEXT,
    metadata TEXT,
    reference TEXT,
    -- Rises with every change that its documents would show.
    revision BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    activated_at BIGINT,
    suspended_at BIGINT,
    revoked_at BIGINT,
    revocation_reason TEXT
);
CREATE UNIQUE INDEX licenses_by_reference ON licenses (product_id, environment, reference) WHERE reference IS NOT NULL;
CREATE INDEX licenses_by_product ON licenses (product_id, environment, created_at, id);
CREATE INDEX licenses_by_organisation ON licenses (organisation_id) WHERE organisation_id IS NOT NULL;
CREATE INDEX licenses_by_end ON licenses (expires_at) WHERE expires_at IS NOT NULL;

-- A seat that a device takes, or took.
CREATE TABLE activations (
    id TEXT NOT NULL PRIMARY KEY,
    license_id TEXT NOT NULL REFERENCES licenses (id),
    fingerprint TEXT NOT NULL,
    device_name TEXT,
    metadata TEXT,
    ip_address TEXT,
    activated_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    deactivated_at BIGINT
);
CREATE UNIQUE INDEX activations_active ON activations (license_id, fingerprint) WHERE deactivated_at IS NULL;
CREATE INDEX activations_by_license ON activations (license_id, activated_at, id);
CREATE INDEX activations_by_device ON activations (fingerprint, license_id);

-- Installations of a product of kind chancery, as they called or as they were linked.
CREATE TABLE installations (
    id TEXT NOT NULL PRIMARY KEY,
    installation_key TEXT NOT NULL UNIQUE,
    product_id TEXT NOT NULL REFERENCES products (id),
    environment TEXT NOT NULL,
    name TEXT,
    -- What it is linked to, and the seat that it takes.
    license_id TEXT REFERENCES licenses (id),
    activation_id TEXT REFERENCES activations (id),
    linked_at BIGINT,
    retired_at BIGINT,
    -- SubjectPublicKeyInfo in PEM, from its first exchange on.
    public_key TEXT,
    -- The one before, which was unpinned and never counts again.
    unpinned_key TEXT,
    -- The highest counter of an exchange seen.
    counter BIGINT NOT NULL DEFAULT 0,
    -- When a counter was seen that had been seen before: somebody copied the installation.
    clone_seen_at BIGINT,
    -- What it said last, as JSON.
    metrics TEXT,
    -- The licence document that it was sent last, and the revision that this was made of.
    document_id TEXT,
    document_revision BIGINT,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT
);
CREATE INDEX installations_by_license ON installations (license_id) WHERE license_id IS NOT NULL;
CREATE INDEX installations_by_product ON installations (product_id, environment, created_at, id);

-- Every document that was signed. What it says is in the issuance log too.
CREATE TABLE documents (
    id TEXT NOT NULL PRIMARY KEY,
    -- license or machine_file
    kind TEXT NOT NULL,
    product_id TEXT NOT NULL REFERENCES products (id),
    environment TEXT NOT NULL,
    license_id TEXT NOT NULL REFERENCES licenses (id),
    installation_id TEXT REFERENCES installations (id),
    activation_id TEXT REFERENCES activations (id),
    serial BIGINT,
    revision BIGINT NOT NULL,
    kid TEXT NOT NULL,
    -- SHA-256 of the text.
    digest BYTEA NOT NULL,
    -- Of a licence, which is sent again as it is.
    body_sealed BYTEA,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT,
    -- When no program takes it any longer, its grace included.
    counts_until BIGINT
);
CREATE INDEX documents_by_license ON documents (license_id, issued_at, id);
CREATE INDEX documents_by_activation ON documents (activation_id, issued_at) WHERE activation_id IS NOT NULL;
CREATE INDEX documents_by_installation ON documents (installation_id) WHERE installation_id IS NOT NULL;
CREATE INDEX documents_by_serial ON documents (product_id, environment, serial) WHERE serial IS NOT NULL;

CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    product_id TEXT NOT NULL REFERENCES products (id),
    environment TEXT NOT NULL,
    -- SubjectPublicKeyInfo in PEM.
    public_key TEXT NOT NULL,
    -- PKCS#8 in PEM; missing once it is withdrawn.
    private_sealed BYTEA,
    -- pending, current, retired (still verifies) or withdrawn
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    activated_at BIGINT,
    retired_at BIGINT,
    withdrawn_at BIGINT
);
CREATE UNIQUE INDEX signing_keys_current ON signing_keys (product_id, environment) WHERE status = 'current';

-- The offline root of a product in an environment; without one its signing key is its own root.
CREATE TABLE signing_roots (
    product_id TEXT NOT NULL REFERENCES products (id),
    environment TEXT NOT NULL,
    -- SubjectPublicKeyInfo in PEM.
    public_key TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (product_id, environment)
);

-- All of them are kept: they build on each other.
CREATE TABLE key_manifests (
    product_id TEXT NOT NULL REFERENCES products (id),
    environment TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    body TEXT NOT NULL,
    taken_at BIGINT NOT NULL,
    PRIMARY KEY (product_id, environment, sequence)
);

-- What the next revocation list says: a whole licence, or a single issue of it.
CREATE TABLE revocations (
    product_id TEXT NOT NULL REFERENCES products (id),
    environment TEXT NOT NULL,
    license_id TEXT NOT NULL REFERENCES licenses (id),
    -- Missing where every issue is revoked.
    serial BIGINT,
    reason TEXT NOT NULL,
    revoked_at BIGINT NOT NULL
);
CREATE INDEX revocations_by_product ON revocations (product_id, environment);
-- Nothing is revoked twice.
CREATE UNIQUE INDEX revocations_of_licenses ON revocations (license_id) WHERE serial IS NULL;
CREATE UNIQUE INDEX revocations_of_serials ON revocations (product_id, environment, serial) WHERE serial IS NOT NULL;

-- The newest alone: each says everything.
CREATE TABLE revocation_lists (
    product_id TEXT NOT NULL REFERENCES products (id),
    environment TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    body TEXT NOT NULL,
    entries BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    next_update BIGINT NOT NULL,
    PRIMARY KEY (product_id, environment)
);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    -- In lower case.
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- owner, admin, support or viewer
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    -- SHA-256: the keys are random, so that nothing slower is needed.
    key_hash BYTEA NOT NULL UNIQUE,
    -- The first characters, by which people tell keys apart.
    hint TEXT NOT NULL,
    name TEXT NOT NULL,
    -- publishable or secret
    class TEXT NOT NULL,
    -- 1 reaches the environment prod, 0 all others.
    live BIGINT NOT NULL,
    -- The one product that it is for; missing for all.
    product_id TEXT REFERENCES products (id),
    -- The user whose role bounds what it may; missing for none.
    user_id TEXT REFERENCES users (id),
    -- A JSON list of permissions.
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_keys_by_user ON api_keys (user_id) WHERE user_id IS NOT NULL;

-- Requests that carried an Idempotency-Key, and what they made.
CREATE TABLE idempotency_keys (
    api_key_id TEXT NOT NULL REFERENCES api_keys (id),
    idempotency_key TEXT NOT NULL,
    -- SHA-256 of method, path and body.
    request_digest BYTEA NOT NULL,
    object_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (api_key_id, idempotency_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    description TEXT,
    secret_sealed BYTEA NOT NULL,
    -- A JSON list of event names; empty for all.
    events TEXT NOT NULL,
    -- As in api_keys.
    live BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE webhook_deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    webhook_id TEXT NOT NULL REFERENCES webhooks (id),
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    -- pending, delivered or failed
    status TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT NOT NULL,
    -- While an attempt is under way: from then on another process may take it over.
    leased_until BIGINT,
    -- The HTTP status or the error of the last attempt.
    last_status BIGINT,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at, id) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_by_end ON webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, created_at, id);

-- The issuance log, as `chancery-trail` wants it.
CREATE TABLE audit_outbox (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    node TEXT NOT NULL,
    happened_at BIGINT NOT NULL,
    event TEXT NOT NULL,
    account_id BIGINT,
    source_ip TEXT,
    user_agent TEXT,
    actor TEXT,
    decision TEXT,
    reason TEXT,
    details TEXT NOT NULL
);

CREATE TABLE audit_heads (
    node TEXT NOT NULL PRIMARY KEY,
    head BYTEA NOT NULL
);
