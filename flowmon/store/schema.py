"""Tables of the SQLite store.

A message is one row: what lists and filters need stands in columns, all else in `body`, packed. `keys` is an index of
full text, which finds messages by address, domain, id, host or next hop (see flowmon.store.terms). What screens count
over all of a store stands in tables of sums: `tallies`, `failure_sums`, `facts`.
"""

from __future__ import annotations

from enum import IntEnum

SCHEMA_VERSION = 8
"""Goes up with every change of tables, columns or bodies."""


class Key(IntEnum):
    """What a term of `keys` holds; values are in lower case, except ids."""

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
    scenario INTEGER,             -- place in Scenario
    direction INTEGER,            -- place in Direction
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
    open INTEGER NOT NULL,        -- 1 while a server has it (queued, deferred, held); 2: all told, its end not
    body BLOB NOT NULL            -- see flowmon.store.packed
);
CREATE TABLE IF NOT EXISTS tallies (          -- messages by the minute of last_at, since the epoch
    minute INTEGER NOT NULL,
    status INTEGER NOT NULL,
    statuses INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (minute, status, statuses)
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
CREATE TABLE IF NOT EXISTS failure_sums (     -- see flowmon.store.failure_sums; not kept in temporary stores
    problem TEXT NOT NULL,
    reason TEXT NOT NULL,
    next_hop TEXT NOT NULL,                   -- '' for none
    status TEXT NOT NULL,
    part INTEGER NOT NULL,               -- of `at`, in twenty minutes since the epoch
    n INTEGER NOT NULL,
    recipients INTEGER NOT NULL,
    first_at REAL NOT NULL,
    last_at REAL NOT NULL,
    PRIMARY KEY (problem, reason, next_hop, status, part)
) WITHOUT ROWID;
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
    text BLOB NOT NULL                        -- UTF-8, see flowmon.store.packed
);
CREATE TABLE IF NOT EXISTS blocks (           -- raw lines of sources that cannot be read again, zlib
    position INTEGER PRIMARY KEY,             -- of the first byte
    length INTEGER NOT NULL,                  -- bytes, unpacked
    at REAL NOT NULL,                         -- none of its lines is newer, epoch seconds
    body BLOB NOT NULL
);
"""

KEYS = """
CREATE VIRTUAL TABLE IF NOT EXISTS keys USING fts5(
    terms, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '-_.@+=:/~^'"
);
CREATE VIRTUAL TABLE IF NOT EXISTS key_terms USING fts5vocab(keys, row);
CREATE VIRTUAL TABLE IF NOT EXISTS key_places USING fts5vocab(keys, instance);
"""
"""Messages by term; its terms; the messages of each, as `doc`."""

EARLY_INDEXES = """
CREATE INDEX IF NOT EXISTS queue_by_message ON queue (message);
CREATE INDEX IF NOT EXISTS failures_by_message ON failures (message);
CREATE INDEX IF NOT EXISTS lines_by_message ON lines (message);
"""
"""What writing needs."""

UNUSUAL = range(9)
"""Places in STATUS_BY_SEVERITY of what few messages come to: those that have it stand in an index of their own."""

INDEXES = """
CREATE INDEX IF NOT EXISTS messages_by_last ON messages (last_at);
CREATE INDEX IF NOT EXISTS messages_by_first ON messages (first_at);
CREATE INDEX IF NOT EXISTS messages_open ON messages (last_at) WHERE open > 0;
CREATE INDEX IF NOT EXISTS failures_by_reason ON failures (
    problem, reason, next_hop, status, at, first_at, recipients, message
);
""" + "".join(
    f"CREATE INDEX IF NOT EXISTS messages_{place} ON messages (last_at) WHERE (statuses & {1 << place}) != 0;\n"
    for place in UNUSUAL
)
"""What questions need: built last in a store that one command fills and reads, unless it asks for sums alone."""

ROW_BITS = 44
"""Position of a line: number of its file, shifted by so many bits, plus the byte offset."""
