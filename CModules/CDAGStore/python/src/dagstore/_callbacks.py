"""Python functions that threads of the library call: logging, choices, progress, indexing.

No exception leaves a callback: each one is logged, and told to the library as an error.
"""

from __future__ import annotations

import itertools
import logging
import threading
import traceback
from ctypes import byref, c_char, c_size_t, c_void_p, string_at
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, NoReturn, Optional, Tuple

from . import _errors, _handles
from ._cid import CID, CIDLike, to_bytes
from ._library import (
    DONE,
    NO_LIMIT,
    OK,
    IndexFn,
    LogFn,
    ObserveFn,
    ProgressFn,
    SelectFn,
    callback,
    lib,
)

if TYPE_CHECKING:
    from ctypes import _Pointer

logger = logging.getLogger("dagstore")

_numbers = itertools.count(1)
contexts: Dict[int, Any] = {}
"""What a `context` that the library passes back stands for."""


def new_context(value: Any) -> int:
    """A number for `context`, until `contexts.pop`."""
    number = next(_numbers)
    contexts[number] = value
    return number


def tell(out_error: Optional[int], error: BaseException, status: int, doing: str) -> int:
    """Tells the library of an exception in a callback, and logs it. Returns the status."""
    expected = isinstance(error, (_errors.Error, OSError))
    logger.log(logging.INFO if expected else logging.ERROR, "%s", doing, exc_info=error)
    if out_error:
        message = f"{doing}: {type(error).__name__}: {error}".replace("\0", "\\0")
        handle = lib.error_new(status, message.encode(errors="replace"))
        c_void_p.from_address(out_error).value = handle
    return status


# ---- Logging -------------------------------------------------------------------------------------

_LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG}
_log_target = logger


@callback(LogFn)
def _on_log(_: Optional[int], level: int, message: bytes) -> None:
    try:
        _log_target.log(_LEVELS.get(level, logging.ERROR), "%s", message.decode(errors="replace"))
    except BaseException:
        traceback.print_exc()  # the logger itself failed


_no_log = LogFn()


def log_to(target: Optional[logging.Logger] = logger, level: int = logging.INFO) -> None:
    """Sends the library's log to a logger of `logging`; None for no log.

    level: The least severe level that the logger gets: `logging.DEBUG` has every event of every
      shard, with leases.

    A thread of the library delivers the lines in order. While 1,024 lines wait, it drops new ones.
    """
    global _log_target
    wanted = max((number for number, known in _LEVELS.items() if known >= level), default=0)
    if target is None or wanted == 0:
        _errors.call(lib.log_set, 0, _no_log, None)
        return
    _handles.begin_threads()
    _log_target = target
    _errors.call(lib.log_set, wanted, _on_log, None)


# ---- The choice among shards ---------------------------------------------------------------------

Select = Callable[[CID, List[str]], Iterable[str]]
"""Chooses among the shards that may have a block: gets their keys, returns those to read, best
first. None of them refuses the block."""

_raised = threading.local()


@callback(SelectFn)
def on_select(
    context: int, cid: int, size: int, keys: _Pointer[Any], count: int, order: _Pointer[Any]
) -> int:
    select = contexts.get(context)
    if select is None:  # the store is being closed
        return 0
    try:
        names = [keys[at].decode() for at in range(count)]
        places = {name: at for at, name in enumerate(names)}
        chosen = dict.fromkeys(select(CID._trusted(string_at(cid, size)), names))
        for at, name in enumerate(chosen):
            order[at] = places[name]
        return len(chosen)
    except BaseException as error:
        _raised.error = error
        return 0


def raise_from_select(otherwise: _errors.Error) -> NoReturn:
    """Raises what `select` raised on this thread, or `otherwise`."""
    error: Optional[BaseException] = getattr(_raised, "error", None)
    _raised.error = None
    raise otherwise if error is None else error


# ---- Times and progress --------------------------------------------------------------------------

Observe = Callable[[str, float, bool], None]
"""Gets the time of a step of a store: its kind, seconds, and whether it succeeded."""


@callback(ObserveFn)
def on_observe(context: int, kind: bytes, nanoseconds: int, success: bool) -> None:
    observe = contexts.get(context)
    try:
        if observe is not None:
            observe(kind.decode(), nanoseconds / 1e9, success)
    except BaseException as error:
        tell(None, error, 0, "observe a step of the store")


Progress = Callable[[int, int, int], None]
"""Gets the progress of indexing: bytes done, bytes in all, sections."""


@callback(ProgressFn)
def on_progress(context: int, done: int, total: int, sections: int) -> None:
    progress = contexts.get(context)
    try:
        if progress is not None:
            progress(done, total, sections)
    except BaseException as error:
        tell(None, error, 0, "report progress")


# ---- Indexing ------------------------------------------------------------------------------------


class Indexing:
    """A CAR that is being indexed, during the call of an `index` function.

    key, url: The shard.
    size: Of the whole file, in bytes; NO_LIMIT if it is unknown.
    payload_offset, payload_size: Of the payload in the file, in bytes.
    """

    def __init__(self, handle: int, info: Any) -> None:
        self._handle: Optional[int] = handle
        self.key: str = info.key.decode()
        self.url: str = info.mount_url.decode()
        self.size: int = info.bytes
        self.payload_offset: int = info.payload_offset
        self.payload_size: int = info.payload_size

    def read(self, offset: int, size: int) -> bytes:
        """Reads bytes of the CAR file; fewer than `size` only at its end."""
        if not 0 <= offset <= NO_LIMIT or size < 0:
            raise ValueError("read a CAR: offset and size must not be negative")
        capacity = min(size, max(self.size - offset, 0))
        buffer = bytearray(capacity + 1)
        room = c_char.from_buffer(buffer)
        done, got = 0, c_size_t()
        while True:
            place = byref(room, done)
            arguments = offset + done, place, capacity - done, byref(got)
            _errors.call(lib.indexing_read, self._handle, *arguments)
            done += got.value
            # One call reads up to 64 MiB.
            if done == capacity or got.value == 0:
                return bytes(memoryview(buffer)[:done])

    def _add(self, cid: CIDLike, offset: int, section_size: int) -> None:
        encoded = to_bytes(cid)
        _errors.call(lib.indexing_add, self._handle, encoded, len(encoded), offset, section_size)


Index = Callable[[Indexing], Optional[Iterable[Tuple[CIDLike, int, int]]]]
"""Supplies the sections of a CAR: each with its CID, the offset of its length varint in the payload
and the size of the whole section, in order of offset. None lets the library walk the CAR."""


@callback(IndexFn)
def on_index(context: int, handle: int, info: _Pointer[Any], out_error: int) -> int:
    indexing = None
    try:
        indexing = Indexing(handle, info[0])
        # The function stays until the store is closed, unless no thread could wait for that.
        index = contexts.get(context)
        sections = None if index is None else index(indexing)
        if sections is None:
            return DONE
        for cid, offset, size in sections:
            indexing._add(cid, offset, size)
        return OK
    except BaseException as error:
        status = error.status if isinstance(error, _errors.Error) else _errors.MALFORMED_INDEX
        key = indexing.key if indexing else "?"
        return tell(out_error, error, status, f"index the shard {key!r}")
    finally:
        if indexing is not None:
            indexing._handle = None


_handles.after_fork.append(contexts.clear)
