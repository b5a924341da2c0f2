"""Tables of the SQLite store.

A message is one row: what lists and filters need stands in columns, all else in `body`. `keys` finds messages by
address, domain, id, host or next hop; values are lower-cased there (except ids), so that plain equality and prefix
ranges use its index.
"""

from __future__ import annotations

from enum import IntEnum

SCHEMA_VERSION = 5
"""Goes up with every change of tables, columns or bodies."""


class Key(IntEnum):
    """What a row of `keys` holds."""

    SENDER = 1
    """Envelope sender; "" for the null sender."""
    RECIPIENT = 2
    """Final and original recipients."""
    SENDER_DOMAIN = 3
    RECIPIENT_DOMAIN = 4
    MESSAGE_ID = 5
    """Without the angle brackets."""
    QUEUE_ID = 6
    HOST = 7
    """Hosts whose logs tell of it."""
    NEXT_HOP = 8
    """Relays tried and used: name, and address where known."""
    NETWORK_MESSAGE_ID = 9
    """Exchange: lower case, without dashes."""
    REPLY_ID = 10
    """Ids that next hops gave in their replies."""
    PUT_OFF = 11
    """Names of clients that were refused for the time being."""


class Asked(IntEnum):
    """What will be asked of a store that one command fills and reads: it has indexes and keys only for that."""

    SUMS = 0
    """Counts over all of it."""
    LISTS = 1
    """Messages in order of time."""
    LOOKUPS = 2
    """Messages by address, domain or id."""


TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY,
    first_at REAL NOT NULL,
    last_at REAL NOT NULL,
    status INTEGER NOT NULL,      -- place in STATUS_BY_SEVERITY of the worst recipient
    statuses INTEGER NOT NULL,    -- bit n: a recipient has the n-th status of STATUS_BY_SEVERITY
    problem TEXT,                 -- of the worst recipient
    reason TEXT,
    reasons TEXT,                 -- all reasons, each between spaces: ' loop refused '; NULL for none
    scenario TEXT,
    direction TEXT,
    sender TEXT,                  -- lower case; '' is the null sender, NULL unknown
    recipient TEXT,               -- the worst one
    recipients INTEGER NOT NULL,
    host TEXT NOT NULL,           -- where it is, or was last
    hops INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    size INTEGER,
    subject TEXT,
    client TEXT,
    login TEXT,                   -- account of a login that was refused
    message_id TEXT,              -- without the angle brackets
    delay REAL,                   -- seconds from first_at to the end, or to last_at while it is open
    open INTEGER NOT NULL,        -- 1 while a server has it (queued, deferred, held); 2: all told, its end not
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS keys (             -- in the order of messages, so that those of new ones come last
    message INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (message, kind, value)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue (            -- what is open now, one row per message, host and next hop
    message INTEGER NOT NULL,
    host TEXT NOT NULL,
    next_hop TEXT NOT NULL,
    status TEXT NOT NULL,
    arrived_at REAL NOT NULL,
    next_retry_at REAL,
    error TEXT,
    problem TEXT,
    reason TEXT,
    queue_id TEXT
);
CREATE TABLE IF NOT EXISTS listed (           -- what MTAs list of their own queues: a Listed each
    host TEXT NOT NULL,
    mta TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS failures (         -- one row per message, problem, reason and next hop
    message INTEGER NOT NULL,
    problem TEXT NOT NULL,
    reason TEXT NOT NULL,
    next_hop TEXT,
    recipients INTEGER NOT NULL,
    at REAL NOT NULL,
    first_at REAL NOT NULL,
    sender TEXT,
    recipient TEXT,
    reply TEXT,
    status TEXT NOT NULL          -- of these recipients; an open one's where there is one
);
CREATE TABLE IF NOT EXISTS facts (            -- minute roll-up of log facts, pflogsumm's names
    minute INTEGER NOT NULL,                  -- seconds since the epoch, divided by 60
    host TEXT NOT NULL,
    name TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (minute, host, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue_history (    -- what each queue held at the end of a minute
    minute INTEGER NOT NULL,
    host TEXT NOT NULL,
    next_hop TEXT NOT NULL,
    messages INTEGER NOT NULL,
    arrived INTEGER NOT NULL,                 -- came into the queue within the minute
    left INTEGER NOT NULL,                    -- went out of it within the minute
    PRIMARY KEY (minute, host, next_hop)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources (
    path TEXT PRIMARY KEY,
    body BLOB NOT NULL                        -- a SourceState: how far it is folded, and what its reader keeps
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    number INTEGER PRIMARY KEY,               -- upper bits of the positions of lines
    path TEXT NOT NULL,
    host TEXT,
    body BLOB NOT NULL                        -- the file's identity
);
CREATE TABLE IF NOT EXISTS lines (            -- raw lines of messages with a problem: their log may be gone some day
    position INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS blocks (           -- raw lines of sources that cannot be read again, zlib
    position INTEGER PRIMARY KEY,             -- of the first byte
    length INTEGER NOT NULL,                  -- bytes, unpacked
    at REAL NOT NULL,                         -- none of its lines is newer, epoch seconds
    body BLOB NOT NULL
);
"""

EARLY_INDEXES = """
CREATE INDEX IF NOT EXISTS queue_by_message ON queue (message);
CREATE INDEX IF NOT EXISTS failures_by_message ON failures (message);
CREATE INDEX IF NOT EXISTS lines_by_message ON lines (message);
"""
"""What writing needs."""

INDEXES = """
CREATE INDEX IF NOT EXISTS keys_by_value ON keys (kind, value, message);
CREATE INDEX IF NOT EXISTS messages_by_last ON messages (last_at, status);
CREATE INDEX IF NOT EXISTS messages_by_first ON messages (first_at);
CREATE INDEX IF NOT EXISTS messages_by_status ON messages (
    status, first_at DESC, statuses, scenario, direction, last_at, size, delay, open
);
CREATE INDEX IF NOT EXISTS failures_by_reason ON failures (
    problem, reason, next_hop, status, at, first_at, recipients, message
);
"""
"""What questions need: built last in a store that one command fills and reads, unless it asks for sums alone."""

ROW_BITS = 44
"""Position of a line: number of its file, shifted by so many bits, plus the byte offset."""
