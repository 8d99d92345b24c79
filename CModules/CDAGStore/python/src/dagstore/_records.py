"""What calls return: plain values."""

from typing import NamedTuple, Optional

from ._cid import CID

STATES = ("none", "registered", "initializing", "available", "serving", "recovering", "failed")
POLICIES = ("automatic", "remote", "cache", "copy")
OPERATIONS = (
    "none",
    "register",
    "initialize",
    "makeAvailable",
    "destroy",
    "acquire",
    "fail",
    "release",
    "recover",
)


def word(words: "tuple[str, ...]", number: int) -> str:
    return words[number] if 0 <= number < len(words) else "unknown"


class Location(NamedTuple):
    """The place of a block in a shard."""

    offset: int
    """Of the section's length varint in the CAR's payload, in bytes."""
    block_offset: int
    """Of its data in the CAR file."""
    block_size: int
    """Of its data, in bytes."""


class Section(NamedTuple):
    """A section of a shard."""

    cid: CID
    offset: int
    """Of the section's length varint in the CAR's payload, in bytes."""
    block_offset: int
    """Of its data in the CAR file."""
    block_size: int
    """Of its data, in bytes."""


class Place(NamedTuple):
    """A shard that has a block, and the place of the block."""

    key: str
    offset: int
    block_offset: int
    block_size: int


class ShardInfo(NamedTuple):
    """The record of a shard."""

    key: str
    url: str
    state: str
    """One of "registered", "initializing", "available", "serving", "recovering", "failed"."""
    is_lazy: bool
    policy: str
    transient: Optional[str]
    """The path of the local copy."""
    error_code: Optional[str]
    """The code of its failure; None if it has not failed."""
    error_message: Optional[str]
    references: int
    """Leases of this process."""
    block_count: int
    """Sections, repeated ones included."""
    payload_size: int
    """Of the CAR, in bytes."""
    index_size: int
    """Of the shard's index, in bytes."""
    state_since: float
    """Seconds since 1970."""
    remote_requests: int
    remote_bytes: int


class Event(NamedTuple):
    """An event of a shard."""

    number: int
    """Counts from 1 at the opening of the store; a gap shows that the queue overflowed."""
    operation: str
    """One of "register", "initialize", "makeAvailable", "destroy", "acquire", "fail", "release",
    "recover"."""
    key: str
    state: str
    """The state after it."""
    references: int
    """Leases after it."""
    error_code: Optional[str]
    error_message: Optional[str]


class Statistics(NamedTuple):
    """The counts of a store. Sizes are in bytes."""

    inverse_runs: int
    shards: int
    available: int
    failed: int
    blocks: int
    payload_bytes: int
    index_bytes: int
    catalog_file_bytes: int
    catalog_used_bytes: int
    map_size: int
    leases: int
    open_shards: int
    events_dropped: int
    transients: int
    transient_bytes: int
    page_cache_hits: int
    page_cache_misses: int
    page_cache_bytes: int
    inverse_entries: int
    inverse_bytes: int
    inverse_entries_added: int
    inverse_entries_written: int
    catalog_free_bytes: int
    remote_requests: int
    remote_bytes: int


class CollectedCopy(NamedTuple):
    """What a garbage collection did with one copy."""

    key: Optional[str]
    """None if the shard was destroyed."""
    result: str
    """One of "removed", "inUse", "awaited", "kept", "failed"."""
    size: int
    error: Optional[Exception]


class Garbage(NamedTuple):
    """What a garbage collection did with the store's own copies of CARs."""

    removed: int
    removed_bytes: int
    kept: int
    """Copies within the quota."""
    in_use: int
    """Copies that callers read or wait for."""
    failed: int
    """Copies that could not be removed."""
    copies: "tuple[CollectedCopy, ...]"
    """The result for each copy, those used longest ago first."""


class Problem(NamedTuple):
    """A problem that a check found."""

    kind: str
    key: Optional[str]
    detail: str
    repair: Optional[str]
    """One of "mended", "reindexed" or "markedFailed"; None if it was not repaired."""


class CheckResult(NamedTuple):
    """What a check did."""

    is_sound: bool
    """Whether there is no problem, or all are repaired."""
    shards: int
    entries: int
    blocks: int
    """Blocks that were hashed and whose digest proves something."""
    bytes: int
    """Of these."""
    skipped: int
    """Shards whose source is not on this machine."""
    stale_entries: int
    failed: int
    unread: int
    unverified: int
    problems: "tuple[Problem, ...]"


class CarInfo(NamedTuple):
    """The parts of a CAR."""

    version: int
    is_fully_indexed: bool
    """Whether the header says that the embedded index lists every section."""
    index_codec: Optional[int]
    roots: int
    data_offset: int
    """Of the payload in the file, in bytes."""
    data_size: int
    index_offset: Optional[int]
    sections: int
    identity_sections: int
    duplicate_sections: int
    block_size_min: int
    block_size_max: int
    null_padding: int
    """Bytes after the first section of length zero."""


class CarVerification(NamedTuple):
    """The counts of a verification that found no fault."""

    sections: int
    unverified: int
    """Blocks whose hash function is unknown, or whose digest proves nothing."""
