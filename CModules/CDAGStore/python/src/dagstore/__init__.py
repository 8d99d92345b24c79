"""Index CAR files and serve their blocks by CID.

A store holds shards. A shard is a CAR file that stays where it is. For each shard the store keeps a
record that survives crashes, and an index from multihash to offset. A lease on a shard reads its
blocks, as views of the file where the file can be mapped.

    import dagstore

    with dagstore.open("store") as store:
        store.register("deal-1", "file:///data/deal-1.car")
        data = store.get("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e")
        with store.acquire("deal-1") as shard:
            view = shard.view(shard.roots[0])

The package calls the C library libdagstore, and needs no other package.

After a fork, a child process of one that has opened a store must not use the library: its calls
raise `Closed`. Use the start methods "spawn" or "forkserver" of `multiprocessing`.
"""

from ._blocks import Blocks
from ._callbacks import Indexing, log_to
from ._car import Car
from ._cid import CID, CIDBatch, CIDLike
from ._errors import (
    BlockNotFound,
    Cancelled,
    Closed,
    DataError,
    DeadlineExceeded,
    Error,
    HashMismatch,
    InvalidArgument,
    InvalidCID,
    MountGone,
    NotFailed,
    NotFound,
    ReadOnly,
    ShardExists,
    ShardFailed,
    ShardInUse,
    ShardUnknown,
    SourceChanged,
    SourceError,
    StateError,
    StoreError,
)
from ._handles import live_handles
from ._library import BATCH_MAX, lib
from ._mounts import Mount, Stat
from ._records import (
    CarInfo,
    CarVerification,
    CheckResult,
    CollectedCopy,
    Event,
    Garbage,
    Location,
    Place,
    Problem,
    Section,
    ShardInfo,
    Statistics,
)
from ._shard import Shard
from ._store import Events, Multihashes, Store, compact, install_mapping_guard, open

__version__ = "0.1.0"

library_version: str = lib.version().decode()
"""The release of the library."""

library_path: str = lib.path
"""The file that the library was loaded from."""

__all__ = [
    "BATCH_MAX",
    "BlockNotFound",
    "Blocks",
    "CID",
    "CIDBatch",
    "CIDLike",
    "Cancelled",
    "Car",
    "CarInfo",
    "CarVerification",
    "CheckResult",
    "Closed",
    "CollectedCopy",
    "DataError",
    "DeadlineExceeded",
    "Error",
    "Event",
    "Events",
    "Garbage",
    "HashMismatch",
    "Indexing",
    "InvalidArgument",
    "InvalidCID",
    "Location",
    "Mount",
    "MountGone",
    "Multihashes",
    "NotFailed",
    "NotFound",
    "Place",
    "Problem",
    "ReadOnly",
    "Section",
    "Shard",
    "ShardExists",
    "ShardFailed",
    "ShardInUse",
    "ShardInfo",
    "ShardUnknown",
    "SourceChanged",
    "SourceError",
    "Stat",
    "StateError",
    "Statistics",
    "Store",
    "StoreError",
    "compact",
    "install_mapping_guard",
    "library_path",
    "library_version",
    "live_handles",
    "log_to",
    "open",
]
