-- The licence portal: when it is asked, and what came of it.

-- One row, made with the first question.
CREATE TABLE portal_contact (
    id BIGINT NOT NULL PRIMARY KEY CONSTRAINT portal_contact_single CHECK (id = 1),
    -- How many questions were asked: stored before each of them.
    counter BIGINT NOT NULL,
    -- The name that the portal is told of this machine.
    machine_name TEXT,
    -- Whoever asks has the word until then, so that nobody asks beside it.
    busy_until BIGINT,
    -- When the portal is asked next.
    due_at BIGINT,
    -- The last answer that was believed, and what the portal said of the licence in it.
    answered_at BIGINT,
    verdict TEXT,
    -- A JSON array of texts.
    warnings TEXT NOT NULL DEFAULT '[]',
    -- The last question without an answer, and why.
    failed_at BIGINT,
    failure TEXT,
    -- 1 while the last question is that one.
    is_failing BIGINT NOT NULL DEFAULT 0
);

-- Documents of the last answer that were not taken.
CREATE TABLE portal_rejections (
    -- SHA-256 of the document.
    digest BYTEA NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    rejected_at BIGINT NOT NULL
);
