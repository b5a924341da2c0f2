"""Where log lines come from: files with their rotated past, folders, this host's logs, standard input.

A stream gives chunks of complete lines and knows its place; nothing here knows what a line means.
Everything that can be wrong with a source is said in words with a remedy: `Discovery.problems`, and `error` and
`notice` of a stream.
"""

from flowmon.sources.discovery import Discovery, Stream, discover
from flowmon.sources.identity import Chunk, FileId, Position
from flowmon.sources.local import discover_local
from flowmon.sources.pipe import StdinStream
from flowmon.sources.stream import LogStream
from flowmon.sources.watcher import Watcher

__all__ = [
    "Chunk",
    "Discovery",
    "FileId",
    "LogStream",
    "Position",
    "StdinStream",
    "Stream",
    "Watcher",
    "discover",
    "discover_local",
]
