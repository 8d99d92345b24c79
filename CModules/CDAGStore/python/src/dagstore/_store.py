"""Stores."""

from __future__ import annotations

import ctypes
import math
import os
import threading
import time
import warnings
from ctypes import byref, c_bool, c_int32, c_size_t, c_uint32, c_uint64, c_void_p, sizeof
from typing import TYPE_CHECKING, Any, Iterator, List, Mapping, Optional, Set, Tuple, Union

from . import _async, _blocks, _callbacks, _errors, _handles, _mounts
from . import _library as c
from ._callbacks import Index, Observe, Progress, Select, contexts, new_context
from ._cid import CID, CIDLike, to_bytes
from ._errors import BUFFER_TOO_SMALL
from ._handles import Cursor, Handle, as_argument
from ._library import DONE, NO_LIMIT, WAIT_FOREVER, lib
from ._records import (
    OPERATIONS,
    POLICIES,
    STATES,
    CheckResult,
    CollectedCopy,
    Event,
    Garbage,
    Place,
    Problem,
    ShardInfo,
    Statistics,
    word,
)
from ._shard import Shard, _size_argument

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Type

Path = Union[str, "os.PathLike[str]"]

_PAGES = ("smallest", "zstd", "direct")
_RECOVERIES = ("manual", "onAcquire", "atOpen")
_REGISTER_LAZY, _REGISTER_BACKGROUND = 1, 2
_SHUTDOWN_CANCELLING = 1
_CHECK_DEEP, _CHECK_REPAIR = 1, 2
_INFO_LAZY = 1
_COPIES = ("none", "removed", "inUse", "awaited", "kept", "failed")
_KEYS_ROOM = 16_384

_acquire = lib.untyped("acquire", c_int32)
_next_section = lib.untyped("multihashes_next_section", c_int32)
_get = lib.untyped("get", c_int32)
_get_selecting = lib.untyped("get_selecting", c_int32)
_holders = lib.untyped("holders", c_int32)
_forever = c_uint32.from_param(WAIT_FOREVER)


def _milliseconds(timeout: Optional[float]) -> int:
    """A `timeout_ms`, rounded up, of seconds; None and infinity have no limit."""
    if timeout is None or timeout == math.inf:
        return WAIT_FOREVER
    if not timeout >= 0:
        raise _errors.InvalidArgument(
            f"wait: the timeout {timeout} is negative", _errors.INVALID_ARGUMENT
        )
    return math.ceil(min(timeout * 1000, WAIT_FOREVER - 1))


def _time(seconds: Optional[float], no_limit: int) -> Optional[int]:
    """Milliseconds, rounded up, for a configuration; a number out of range if `seconds` is one."""
    if seconds is None:
        return None
    if seconds == math.inf:
        return no_limit
    return math.ceil(min(seconds * 1000, NO_LIMIT - 1)) if seconds >= 0 else -1


def _number(words: Tuple[str, ...], value: str, what: str) -> int:
    try:
        return words.index(value)
    except ValueError:
        raise _errors.InvalidArgument(
            f"{what}: {value!r} is none of {', '.join(words)}", _errors.INVALID_ARGUMENT
        ) from None


def _path(path: Path, what: str) -> bytes:
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise _errors.InvalidArgument(f"{what}: the path has a NUL character", -10)
    return encoded


def open(  # noqa: A001
    path: Path,
    *,
    read_only: bool = False,
    relaxed: bool = False,
    unmapped: bool = False,
    refuses_null_padding: bool = False,
    checks_pages: bool = False,
    leaves_interrupted: bool = False,
    allows_private: bool = False,
    mounts: Optional[Mapping[str, _mounts.Mount]] = None,
    select: Optional[Select] = None,
    index: Optional[Index] = None,
    observe: Optional[Observe] = None,
    pages: str = "smallest",
    recovery: str = "manual",
    remote_policy: str = "automatic",
    map_size: Optional[int] = None,
    sort_budget: Optional[int] = None,
    page_cache_size: Optional[int] = None,
    header_size_max: Optional[int] = None,
    section_size_max: Optional[int] = None,
    concurrent_indexing: Optional[int] = None,
    concurrent_ready_fetches: Optional[int] = None,
    automatic_recoveries: Optional[int] = None,
    idle_shards_max: Optional[int] = None,
    idle_bytes_max: Optional[int] = None,
    idle_time_max: Optional[float] = None,
    transient_quota: Optional[int] = None,
    transient_high_watermark: Optional[float] = None,
    transient_low_watermark: Optional[float] = None,
    fetch_timeout: Optional[float] = None,
    remote_cache_size: Optional[int] = None,
) -> Store:
    """Opens the store in a directory, and makes it if there is none.

        with dagstore.open("store") as store:
            store.register("deal-1", "file:///data/deal-1.car")

    A process can have a store open only once. None for a parameter means the library's default;
    math.inf seconds have no limit. Sizes are in bytes.

    read_only: Reads only: takes no lock, and writes nothing. The store must exist.
    relaxed: Results survive a crash of the process, but not of the machine. For benchmarks.
    unmapped: Reads CARs with system calls and copies blocks: other processes may truncate the
      files.
    refuses_null_padding: Treats a section of length zero as an error, not as the end of the data.
    checks_pages: Checks every page of the catalog at the opening; for files that may be damaged.
    leaves_interrupted: Leaves jobs that the end of a process interrupted until a caller asks.
    allows_private: Lets "http", "https" and "s3" URLs reach this machine and private networks.
    mounts: Schemes besides "file", such as {"memory": Memory()}; see `Mount`.
    select: Chooses among the shards that may have a block; see `Store.get`.
    index: Supplies the sections of a CAR in place of the walk over it; see `Indexing`.
    observe: Gets the time of steps. It must return at once, and must not call the store.
    pages: How index pages are encoded: "smallest", "zstd" or "direct".
    recovery: When failed shards are recovered: "manual", "onAcquire" or "atOpen".
    remote_policy: The policy of remote shards that have the policy "automatic".
    map_size: Address space for the catalog; 1 TiB.
    sort_budget: Memory for sorting while a shard is indexed.
    page_cache_size: Memory for decoded index pages; 32 MiB.
    header_size_max: The largest CAR header to read; 32 MiB.
    section_size_max: The largest section to read; 8 MiB.
    concurrent_indexing: Shards to index at once; the number of processors.
    concurrent_ready_fetches: Mounts to copy at once; 8.
    automatic_recoveries: Recoveries of a failing shard without a caller; 0.
    idle_shards_max: Open shards to keep without leases; 256.
    idle_bytes_max: Their payload bytes; no limit.
    idle_time_max: Seconds to keep them; no limit.
    transient_quota: Bytes of the store's own copies of CARs; no limit.
    transient_high_watermark: Share of the quota that starts removal; 0.9.
    transient_low_watermark: Share of the quota that ends removal; 0.7.
    fetch_timeout: Seconds that a mount may take to supply the bytes of a shard, rounded up to
      milliseconds; no limit, as with 0.
    remote_cache_size: Bytes of the cache of the policy "cache"; 1 GiB.

    Raises `StoreError` and `InvalidArgument`.
    """
    config = c.Config()
    _errors.call(lib.config_init, byref(config), sizeof(config))
    flags = (
        read_only,
        relaxed,
        unmapped,
        refuses_null_padding,
        checks_pages,
        leaves_interrupted,
        allows_private,
    )
    config.flags = sum(1 << bit for bit, is_set in enumerate(flags) if is_set)
    config.page_policy = _number(_PAGES, pages, "open: pages")
    config.recovery = _number(_RECOVERIES, recovery, "open: recovery")
    config.remote_policy = _number(POLICIES, remote_policy, "open: remote_policy")
    for name, number in {
        "map_size": map_size,
        "sort_budget": sort_budget,
        "page_cache_size": page_cache_size,
        "header_size_max": header_size_max,
        "section_size_max": section_size_max,
        "concurrent_indexing": concurrent_indexing,
        "concurrent_ready_fetches": concurrent_ready_fetches,
        "automatic_recoveries": automatic_recoveries,
        "idle_shards_max": idle_shards_max,
        "idle_bytes_max": idle_bytes_max,
        "idle_time_max_ms": _time(idle_time_max, NO_LIMIT),
        "transient_quota": transient_quota,
        "fetch_timeout_ms": _time(fetch_timeout, 0),
        "remote_cache_size": remote_cache_size,
    }.items():
        if number is not None:
            field = getattr(c.Config, name)
            if not 0 <= number < 1 << 8 * field.size:
                raise _errors.InvalidArgument(f"open: {name} is out of range", -13)
            setattr(config, name, number)
    if transient_high_watermark is not None:
        config.transient_high_watermark = transient_high_watermark
    if transient_low_watermark is not None:
        config.transient_low_watermark = transient_low_watermark
    return Store(_path(path, "open"), config, mounts, select, index, observe)


class Store(Handle):
    """An open store. `dagstore.open` makes it.

    A store holds shards. A shard is a CAR file that stays where it is, under a key. Any thread may
    call any method. The end of a `with` statement closes the store.

    Methods whose names end in `_async` are for asyncio. A cancelled task stops waiting; fetching
    and indexing go on.
    """

    _noun = "store"
    _give_back = lib.close

    def __init__(
        self,
        path: bytes,
        config: c.Config,
        mounts: Optional[Mapping[str, _mounts.Mount]],
        select: Optional[Select],
        index: Optional[Index],
        observe: Optional[Observe],
    ) -> None:
        """For `dagstore.open`."""
        self.path = os.fsdecode(path)
        self._contexts: List[int] = []
        _handles.begin_threads()
        mounts_handle = _mounts.new_mounts(mounts) if mounts else None
        try:
            config.mounts = mounts_handle
            if select is not None:
                config.select_shards = _callbacks.on_select
                config.select_context = self._keep(select)
            if index is not None:
                config.index = _callbacks.on_index
                config.index_context = self._keep(index)
            if observe is not None:
                config.observe = _callbacks.on_observe
                config.observe_context = self._keep(observe)
            self._own(_errors.make(lib.open, path, byref(config)))
        except BaseException:
            self._drop_contexts()
            raise
        finally:
            lib.mounts_release(mounts_handle)

    def _keep(self, value: Any) -> int:
        """A context that lasts until the store is closed."""
        context = new_context(value)
        self._contexts.append(context)
        return context

    def _drop_contexts(self) -> None:
        for context in self._contexts:
            contexts.pop(context, None)

    # ---- The end ---------------------------------------------------------------------------------

    def shutdown(self, cancelling: bool = False) -> None:
        """Closes the store for all threads, and releases its lock. Leases stay valid.

        Waits for running jobs. Later calls of the store raise `Closed`. In a callback it returns at
        once, and the store closes when the callback has returned and the running jobs have ended.

        cancelling: Cancels fetching and indexing instead of waiting; the next `open` continues
          them.
        """
        flags = _SHUTDOWN_CANCELLING if cancelling else 0
        _errors.call(lib.shutdown, self._use(), flags)

    def close(self) -> None:
        """Closes the store as `shutdown` does. A second call does nothing."""
        handle = self._disown()
        if handle is None:
            return
        if not c.is_in_callback():
            # Another thread's second call must not drop what running jobs need.
            lib.close(handle)
            self._drop_contexts()
            return

        def end() -> None:
            lib.close(handle)
            _closing.discard(handle)
            self._drop_contexts()

        # Until the store has closed, jobs call its functions.
        _closing.add(handle)
        try:
            threading.Thread(target=end, name="dagstore-close", daemon=True).start()
        except RuntimeError:  # there is no thread, or the interpreter ends
            end()

    def __enter__(self) -> Store:
        self._use()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if self._handle is not None:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            self.close()

    def __repr__(self) -> str:
        return f"<Store {self.path!r}{'' if self._handle is not None else ', closed'}>"

    # ---- The life of a shard ---------------------------------------------------------------------

    def register(
        self,
        key: str,
        url: str,
        *,
        lazy: bool = False,
        background: bool = False,
        existing_transient: Optional[Path] = None,
        progress: Optional[Progress] = None,
        policy: str = "automatic",
    ) -> None:
        """Registers a CAR under a key, and waits until it is indexed.

        If the CAR cannot be indexed, the shard stays registered as failed; recover or destroy it.
        Takes about 100 ns a section.

        key: 1 to 480 bytes of UTF-8.
        url: The place of the CAR: "file:///path/to.car", with a "%" of the path written as "%25";
          or a URL of a scheme in `mounts`, or of "https", "http" or "s3" where the library has
          them.
        lazy: Indexes the shard at its first acquire.
        background: Indexes the shard now, and returns when the record is on disk.
        existing_transient: The absolute path of a local copy to read instead.
        progress: Gets bytes done, bytes in all and sections, on a thread of the library.
        policy: What stays on this machine: "automatic", "remote", "cache" or "copy".

        Raises `ShardExists`, `InvalidArgument`, `SourceError`, `DataError`, `StoreError`, `Closed`.
        """
        options = self._options(lazy, background, existing_transient, progress, policy)
        _errors.call(lib.register_with, self._use(), *_key_and_url(key, url), byref(options))

    async def register_async(
        self,
        key: str,
        url: str,
        *,
        lazy: bool = False,
        background: bool = False,
        existing_transient: Optional[Path] = None,
        progress: Optional[Progress] = None,
        policy: str = "automatic",
    ) -> None:
        """Registers a CAR as `register` does."""
        options = self._options(lazy, background, existing_transient, progress, policy)
        await _async.call(self, lib.register_async, *_key_and_url(key, url), byref(options))

    def _options(
        self,
        lazy: bool,
        background: bool,
        existing_transient: Optional[Path],
        progress: Optional[Progress],
        policy: str,
    ) -> c.RegisterOptions:
        flags = (_REGISTER_LAZY if lazy else 0) | (_REGISTER_BACKGROUND if background else 0)
        options = c.RegisterOptions(size=sizeof(c.RegisterOptions), flags=flags)
        options.policy = _number(POLICIES, policy, "register: policy")
        if existing_transient is not None:
            options.existing_transient = _path(existing_transient, "register")
        if progress is not None:
            options.progress = _callbacks.on_progress
            options.progress_context = self._keep(progress)
        return options

    def initialize(self, key: str) -> None:
        """Fetches and indexes a lazily registered shard. Does nothing if the shard is available.

        Raises `ShardUnknown`, the stored error of a failed shard, and as `register`.
        """
        _errors.call(lib.initialize, self._use(), _errors.text(key, "initialize"))

    async def initialize_async(self, key: str) -> None:
        """Fetches and indexes a shard as `initialize` does."""
        await _async.call(self, lib.initialize_async, _errors.text(key, "initialize"))

    def recover(self, key: str) -> None:
        """Fetches and indexes a failed shard again, and discards earlier copies.

        Raises `ShardUnknown`, `NotFailed`, and as `register`.
        """
        _errors.call(lib.recover, self._use(), _errors.text(key, "recover"))

    async def recover_async(self, key: str) -> None:
        """Recovers a shard as `recover` does."""
        await _async.call(self, lib.recover_async, _errors.text(key, "recover"))

    def destroy(self, key: str) -> None:
        """Removes a shard: its record, its index and the store's copy. The CAR itself stays.

        Raises `ShardUnknown`, `ShardInUse`, `StoreError`, `Closed`.
        """
        _errors.call(lib.destroy, self._use(), _errors.text(key, "destroy"))

    async def destroy_async(self, key: str) -> None:
        """Removes a shard as `destroy` does."""
        await _async.call(self, lib.destroy_async, _errors.text(key, "destroy"))

    def relocate(self, key: str, url: str) -> None:
        """Changes the URL of a shard, and keeps its index.

        Compares a sample of the new source with the index. On failure the shard keeps its old URL.
        Raises `ShardUnknown`, `ShardInUse`, `SourceChanged`, `SourceError`.
        """
        _errors.call(lib.relocate, self._use(), *_key_and_url(key, url))

    def set_policy(self, key: str, policy: str) -> None:
        """Changes what stays on this machine: "automatic", "remote", "cache" or "copy"."""
        number = _number(POLICIES, policy, "set the policy")
        _errors.call(lib.set_policy, self._use(), _errors.text(key, "set the policy"), number)

    def acquire(self, key: str, timeout: Optional[float] = None) -> Shard:
        """Acquires a lease on a shard, with which the caller reads blocks.

        Fetches and indexes a lazily registered shard first.

        timeout: Seconds to wait for fetching and indexing; 0 does not wait, None and
          math.inf have no limit. The job goes on when the timeout passes.

        Raises `ShardUnknown`, `SourceError`, `DeadlineExceeded`, `Closed`, the stored error of a
        failed shard, and `ShardFailed`.
        """
        handle, error = c_void_p(), c_void_p()
        wait = _forever if timeout is None else c_uint32.from_param(_milliseconds(timeout))
        name = _errors.text(key, "acquire")
        status = _acquire(self._arg, name, wait, byref(handle), byref(error))
        if status:
            failure = _errors.take(status, error)
            self._use()
            raise failure
        return Shard(handle.value or 0)

    async def acquire_async(self, key: str, timeout: Optional[float] = None) -> Shard:
        """Acquires a lease as `acquire` does."""
        name = _errors.text(key, "acquire")
        shard: Shard = await _async.acquire(self, Shard, name, _milliseconds(timeout))
        return shard

    # ---- Blocks of all shards --------------------------------------------------------------------

    def get(
        self,
        cid: CIDLike,
        timeout: Optional[float] = None,
        *,
        verify: bool = False,
        select: Optional[Select] = None,
    ) -> bytes:
        """Copies the block with the multihash of a CID from any shard that has it.

        If a shard fails, the store reads the next one.

        timeout: Seconds to wait for fetching and indexing; 0 does not wait, None and
          math.inf have no limit.
        verify: Whether to hash the block, and to raise `HashMismatch` if it has another hash.
        select: Chooses among the shards, in place of the one of `open`: gets the CID and the keys
          of the shards that may have the block, and returns the keys of those to read, best first.

        Raises `BlockNotFound`, `InvalidCID`, `DeadlineExceeded`, `Closed`, and the first error of a
        shard if no other shard has the block.
        """
        if not isinstance(cid, bytes):
            cid = to_bytes(cid)
        block = self._get(cid, timeout, select)
        if verify:
            try:
                verified = _errors.make(lib.block_verified, block, cid, len(cid))
            finally:
                lib.block_release(block)
            block = verified
        return _blocks.copy_of_block(block)

    def view(
        self,
        cid: CIDLike,
        timeout: Optional[float] = None,
        *,
        select: Optional[Select] = None,
    ) -> memoryview:
        """Gets a block as `get` does, as a read-only view; see `Shard.view`."""
        return _blocks.view_of_block(self._get(to_bytes(cid), timeout, select))

    def _get(self, cid: bytes, timeout: Optional[float], select: Optional[Select]) -> int:
        handle, error = c_void_p(), c_void_p()
        wait = _forever if timeout is None else c_uint32.from_param(_milliseconds(timeout))
        out = byref(handle), byref(error)
        if select is None:
            status = _get(self._use(), cid, _size_argument(len(cid)), wait, *out)
        else:
            context = new_context(select)
            arguments = (wait, _callbacks.on_select, as_argument(context), *out)
            try:
                status = _get_selecting(self._use(), cid, _size_argument(len(cid)), *arguments)
            finally:
                del contexts[context]
        if status:
            _callbacks.raise_from_select(_errors.take(status, error))
        return handle.value or 0

    def contains(self, cid: CIDLike) -> bool:
        """Tells whether any shard has the block with the multihash of a CID. Reads no shard."""
        cid = to_bytes(cid)
        found = c_bool()
        _errors.call(lib.contains, self._use(), cid, len(cid), byref(found))
        return found.value

    def __contains__(self, cid: object) -> bool:
        return self.contains(cid)  # type: ignore[arg-type]

    def size(self, cid: CIDLike) -> int:
        """Returns the size of a block in bytes. Reads no shard. Raises `BlockNotFound`."""
        cid = to_bytes(cid)
        size = c_uint64()
        _errors.call(lib.block_size, self._use(), cid, len(cid), byref(size))
        return size.value

    def find(self, cid: CIDLike) -> Iterator[Place]:
        """Iterates over the shards that have a block and the place of the block, in order of
        registration. No shard has it: the iterator is empty."""
        cid = to_bytes(cid)
        return iter(_Places(_errors.make(lib.find, self._use(), cid, len(cid))))

    def holders(self, cid: CIDLike) -> List[str]:
        """Finds the shards that have a block, in order of registration.

        cid: A CID or its text; or the bytes of a multihash, such as `CID.multihash`.

        Returns their keys; no shard has it: none. Raises `InvalidCID`.
        """
        multihash = CID(cid).multihash if isinstance(cid, (str, CID)) else to_bytes(cid)
        try:
            slot = _holder_slots.pop()
        except IndexError:
            slot = _new_holder_slot()
        room, address, capacity, size, size_address, count = slot
        status = _holders(
            self._arg,
            multihash,
            _size_argument(len(multihash)),
            address,
            capacity,
            size_address,
            count,
            None,
        )
        if status == 0:
            keys: bytes = room[: size.value].tobytes()
            _holder_slots.append(slot)
        else:
            _holder_slots.append(slot)
            keys = self._all_holders(multihash, size.value)
        return keys.decode().split("\0")[:-1]

    def _all_holders(self, multihash: bytes, capacity: int) -> bytes:
        """The keys of holders that need more room; raises with a reason."""
        size, count = c_size_t(capacity), c_size_t()
        while True:
            buffer = ctypes.create_string_buffer(size.value + 1)
            error = c_void_p()
            status = lib.holders(
                self._use(),
                multihash,
                len(multihash),
                buffer,
                len(buffer),
                byref(size),
                byref(count),
                byref(error),
            )
            if status == 0:
                return buffer.raw[: size.value]
            if status != BUFFER_TOO_SMALL:
                raise _errors.take(status, error)
            lib.error_release(error)

    def multihashes(self, key: str, cursor: Optional[str] = None) -> Multihashes:
        """Iterates over the multihashes of a shard in CAR order, for an announcer.

        Reads no bytes of the shard, and holds no lease.

        cursor: The `cursor` of an earlier iterator, also of another process; None to begin.

        Raises `ShardUnknown`; `ShardFailed` if the shard has no index; `SourceChanged` if the shard
        was indexed again after the cursor was made.
        """
        name = _errors.text(key, "list multihashes")
        start = None if cursor is None else _errors.text(cursor, "list multihashes")
        return Multihashes(_errors.make(lib.multihashes_open, self._use(), name, start))

    # ---- States, events and counts ---------------------------------------------------------------

    def state(self, key: str) -> str:
        """Returns the state of a shard, such as "available"; "none" if no shard has the key."""
        state = c_uint32()
        _errors.call(lib.state, self._use(), _errors.text(key, "state"), byref(state))
        return word(STATES, state.value)

    def shards(self) -> Iterator[ShardInfo]:
        """Iterates over the records of all shards, in order of registration."""
        return iter(_Shards(_errors.make(lib.shards_open, self._use(), None)))

    def info(self, key: str) -> ShardInfo:
        """Returns the record of a shard. Raises `ShardUnknown`."""
        name = _errors.text(key, "info")
        cursor = _Shards(_errors.make(lib.shards_open, self._use(), name))
        found: Optional[ShardInfo] = next(cursor, None)
        cursor.close()
        if found is None:
            raise _errors.new(_errors.SHARD_UNKNOWN, f"info: no shard has the key {key!r}", key)
        return found

    def events(self, capacity: int = 1024) -> Events:
        """Opens a queue of the events of shards from now on.

        A full queue drops its oldest events, and delays no other caller.

        capacity: The number of events to keep, 1 to 1,048,576.
        """
        if not 0 <= capacity < 1 << 63:
            raise _errors.InvalidArgument(
                f"open a queue of events: the capacity {capacity} is out of range", -10
            )
        return Events(_errors.make(lib.events_open, self._use(), capacity))

    def statistics(self) -> Statistics:
        """Returns the counts of the store."""
        found = c.Statistics(size=sizeof(c.Statistics))
        _errors.call(lib.statistics, self._use(), byref(found))
        return Statistics(*(getattr(found, name) for name in Statistics._fields))

    def scheme_traffic(self, scheme: str) -> Tuple[int, int]:
        """Returns the requests to "http", "https" or "s3" since the opening, and their bytes."""
        requests, size = c_uint64(), c_uint64()
        name = _errors.text(scheme, "scheme traffic")
        _errors.call(lib.scheme_traffic, self._use(), name, byref(requests), byref(size))
        return requests.value, size.value

    # ---- Housekeeping ----------------------------------------------------------------------------

    def collect_garbage(self, quota: int = 0) -> Garbage:
        """Removes the store's own copies of CARs that no caller uses.

        The store fetches them again when needed.

        quota: The number of bytes that may stay; 0 removes all unused copies. The store first
          removes the copies that were used longest ago.

        Raises `ReadOnly`, `Closed`.
        """
        if not 0 <= quota <= NO_LIMIT:
            raise _errors.InvalidArgument(
                f"collect garbage: the quota {quota} is out of range", -10
            )
        found = c.Garbage(size=sizeof(c.Garbage))
        copies: List[CollectedCopy] = []

        def collected(_: Any, key: Optional[bytes], result: int, size: int, error: Any) -> None:
            failure = _errors.of_handle(lib.error_status(error), error) if error else None
            name = None if key is None else key.decode()
            copies.append(CollectedCopy(name, word(_COPIES, result), size, failure))

        callback = c.callback(c.CollectedFn)(collected)
        _errors.call(lib.collect_garbage_with, self._use(), quota, callback, None, byref(found))
        return Garbage(
            found.removed,
            found.removed_bytes,
            found.kept,
            found.in_use,
            found.failed,
            tuple(copies),
        )

    def check(self, *, deep: bool = False, repair: bool = False) -> CheckResult:
        """Checks the catalog, indexes, sources and copies. Other calls go on meanwhile.

        Takes about 200 ns a section.

        deep: Also reads and hashes every block.
        repair: Repairs what can be repaired without a loss.

        Raises `StoreError` if the check cannot read the catalog, `ReadOnly` if it cannot repair.
        """
        found = c.Check(size=sizeof(c.Check))
        flags = (_CHECK_DEEP if deep else 0) | (_CHECK_REPAIR if repair else 0)
        cursor = _Problems(_errors.make(lib.check, self._use(), flags, byref(found)))
        problems = tuple(cursor)
        counts = {name: getattr(found, name) for name in CheckResult._fields[1:-1]}
        return CheckResult(is_sound=bool(found.is_sound), **counts, problems=problems)


def _key_and_url(key: str, url: str) -> Tuple[bytes, bytes]:
    return _errors.text(key, "the key of a shard"), _errors.text(url, "the URL of a shard")


_holder_slots: List[Tuple[Any, ...]] = []


def _new_holder_slot() -> Tuple[Any, ...]:
    room = bytearray(_KEYS_ROOM)
    exported = (ctypes.c_char * _KEYS_ROOM).from_buffer(room)
    size, count = c_size_t(), c_size_t()
    capacity = c_size_t.from_param(_KEYS_ROOM)
    return memoryview(room), byref(exported), capacity, size, byref(size), byref(count)


# ---- Cursors -------------------------------------------------------------------------------------


def _text(value: Optional[bytes]) -> Optional[str]:
    return None if value is None else value.decode(errors="replace")


def _code(status: int) -> Optional[str]:
    return _errors.status_name(status) if status else None


class _Cursor(Cursor):
    """An iterator over what a cursor of the library gives. Threads may share it."""

    _noun = "iterator"
    _next: Any
    _struct: Any

    def __init__(self, handle: int) -> None:
        self._own(handle)
        self._item = self._struct(size=sizeof(self._struct))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with self._lock:
            if self._arg is None and not self._forked:
                raise StopIteration
            if _errors.call(type(self)._next, self._use(), byref(self._item)) == DONE:
                self.close()
                raise StopIteration
            return self._value(self._item)

    def _value(self, item: Any) -> Any:
        raise NotImplementedError


class _Places(_Cursor):
    _give_back = lib.places_close
    _next = lib.places_next
    _struct = c.Place

    def _value(self, item: Any) -> Place:
        return Place(item.key.decode(), item.offset, item.block_offset, item.block_size)


class _Shards(_Cursor):
    _give_back = lib.shards_close
    _next = lib.shards_next
    _struct = c.Info

    def _value(self, item: Any) -> ShardInfo:
        return ShardInfo(
            key=item.key.decode(),
            url=item.mount_url.decode(errors="replace"),
            state=word(STATES, item.state),
            is_lazy=bool(item.flags & _INFO_LAZY),
            policy=word(POLICIES, item.policy),
            transient=None if item.transient is None else os.fsdecode(item.transient),
            error_code=_code(item.error_status),
            error_message=_text(item.error_message),
            references=item.references,
            block_count=item.block_count,
            payload_size=item.payload_size,
            index_size=item.index_size,
            state_since=item.state_since / 1000,
            remote_requests=item.remote_requests,
            remote_bytes=item.remote_bytes,
        )


class _Problems(_Cursor):
    _give_back = lib.problems_close
    _next = lib.problems_next
    _struct = c.Problem

    def _value(self, item: Any) -> Problem:
        return Problem(
            item.kind.decode(), _text(item.key), _text(item.detail) or "", _text(item.repair)
        )


class Multihashes(Cursor):
    """An iterator over the multihashes of a shard in CAR order. `Store.multihashes` makes it.

    Threads may share it: each multihash goes to one of them.
    """

    _noun = "iterator"
    _give_back = lib.multihashes_close

    def __init__(self, handle: int) -> None:
        self._own(handle)
        self._bytes, self._offset, self._error = c.Bytes(), c_uint64(), c_void_p()
        self._addresses = byref(self._bytes), byref(self._offset), byref(self._error)

    def __iter__(self) -> Multihashes:
        return self

    def __next__(self) -> bytes:
        return self._step()[0]

    def sections(self) -> Iterator[Tuple[bytes, int]]:
        """Goes on with the offset of each section in the payload beside its multihash."""
        try:
            while True:
                yield self._step()
        except StopIteration:
            return

    def _step(self) -> Tuple[bytes, int]:
        with self._lock:
            status = _next_section(self._use(), *self._addresses)
            if status == DONE:
                raise StopIteration
            if status:
                raise _errors.take(status, self._error)
            start = self._bytes.data
            return _blocks.memory[start : start + self._bytes.size].tobytes(), self._offset.value

    @property
    def cursor(self) -> str:
        """The place of the iterator, as a text to store; "" at the end.

        An iterator that is opened with it continues after the last multihash.
        """
        with self._lock:
            text: Optional[bytes] = lib.multihashes_cursor(self._use())
        return (text or b"").decode()

    def __enter__(self) -> Multihashes:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()


class Events(Handle):
    """A queue of events of shards. `Store.events` opens it.

    Iterating waits for each event, and ends when the store is closed. One thread at a time takes an
    event; a second thread gets ValueError. Any thread may close the queue, and so may a handler of a
    signal.
    """

    _noun = "queue of events"
    _give_back = lib.events_close

    _step = 50
    """The longest wait inside the library, in milliseconds: then signals and `close` have their turn."""

    def __init__(self, handle: int) -> None:
        self._own(handle)
        self._event = c.Event(size=sizeof(c.Event))
        self._lock = threading.Lock()
        self._taker: Optional[int] = None
        self._closing = False

    def __iter__(self) -> Events:
        return self

    def __next__(self) -> Event:
        event = self.next()
        if event is None:
            raise StopIteration
        return event

    def next(self, timeout: Optional[float] = None) -> Optional[Event]:
        """Takes the next event from the queue.

        timeout: Seconds to wait for an event; 0 polls, None and math.inf have no limit.

        Returns None when the queue is closed, or when the store is closed and the queue is empty.
        Raises `DeadlineExceeded` if no event came.
        """
        self._use()
        milliseconds = _milliseconds(timeout)
        if not self._lock.acquire(blocking=False):
            raise ValueError("take an event: another thread takes one from this queue")
        self._taker = threading.get_ident()
        try:
            return self._take(milliseconds)
        finally:
            self._taker = None
            if self._closing:
                super().close()
            self._lock.release()

    def _take(self, milliseconds: int) -> Optional[Event]:
        item = self._event
        end = time.monotonic() + milliseconds / 1000
        while True:
            step = min(milliseconds, self._step)
            try:
                if _errors.call(lib.events_next, self._use(), step, byref(item)) == DONE:
                    return None
            except _errors.DeadlineExceeded:
                if self._closing:
                    return None
                if milliseconds != WAIT_FOREVER:
                    milliseconds = math.ceil((end - time.monotonic()) * 1000)
                    if milliseconds <= 0:
                        raise
                continue
            if self._closing:
                return None
            # The memory of the texts stays until `close`, which waits for this method.
            return Event(
                number=item.number,
                operation=word(OPERATIONS, item.operation),
                key=item.key.decode(),
                state=word(STATES, item.state),
                references=item.references,
                error_code=_code(item.error_status),
                error_message=_text(item.error_message),
            )

    def close(self) -> None:
        """Closes the queue. A thread that waits for an event gets None. A second call does nothing."""
        self._closing = True
        if self._taker == threading.get_ident():
            return  # a handler of a signal interrupts `next`, which then closes the queue
        with self._lock:
            super().close()

    def _forget(self) -> None:
        self._lock = threading.Lock()  # another thread of the parent may have held it
        super()._forget()

    def __enter__(self) -> Events:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()


def compact(path: Path, map_size: int = 0) -> Tuple[int, int]:
    """Rewrites the catalog of a store that is not open, without the room that removed shards left.

    map_size: Address space to open the catalog with, in bytes; 0 for the default.

    Returns the sizes of the catalog's file in bytes, before and after.
    """
    before, after = c_uint64(), c_uint64()
    if not 0 <= map_size <= NO_LIMIT:
        raise _errors.InvalidArgument("compact: map_size is out of range", -10)
    _errors.call(lib.compact, _path(path, "compact"), map_size, byref(before), byref(after))
    return before.value, after.value


def install_mapping_guard() -> bool:
    """Installs a handler for SIGBUS, which turns the loss of mapped bytes into `SourceChanged`.

    With the handler, the copies that the library makes raise when another process truncates a
    mapped CAR, and `Shard.get` takes half the time. Views are not guarded. Call it before you
    open a store. The handler passes other SIGBUS signals to the previous handler.

    Returns whether the handler is installed.
    """
    installed: bool = lib.mapping_guard_install()
    return installed


_closing: Set[int] = set()
"""The handles of stores that were closed in a callback, until they have closed."""

_handles.after_fork.append(_closing.clear)


def _close_all() -> None:
    for store in _handles.live(Store):
        try:
            store.shutdown(cancelling=True)
        except _errors.Error:
            pass  # another thread closes it
        store.close()
    for handle in list(_closing):
        error = c_void_p()
        lib.shutdown(handle, _SHUTDOWN_CANCELLING, byref(error))
        lib.error_release(error)  # the thread has closed it
    _callbacks.log_to(None)


_handles.at_exit.append(_close_all)
