"""Mounts: bytes that Python code supplies."""

from __future__ import annotations

import os
import threading
from ctypes import byref, memmove, sizeof
from typing import TYPE_CHECKING, Any, Mapping, NamedTuple, Optional, Union

from . import _errors
from ._callbacks import contexts, new_context, tell
from ._library import (
    NO_LIMIT,
    OK,
    AccessOfFn,
    MountVtable,
    OpenShardFn,
    ReadAtFn,
    ReleaseFn,
    SourceFn,
    StatShardFn,
    callback,
    lib,
)

if TYPE_CHECKING:
    from ctypes import _Pointer

_ACCESS = {"sequential": 1, "random": 2, "file": 3}
_NOT_READY = 1
_VALIDATOR_MAX = 255
_PATH_MAX = 4095

_STATUSES = {
    _errors.MOUNT_GONE,
    _errors.MOUNT_UNREACHABLE,
    _errors.FETCH_FAILED,
    _errors.FETCH_TIMED_OUT,
    _errors.SOURCE_CHANGED,
}
"""The codes that a mount may fail with."""


class Stat(NamedTuple):
    """The properties of a source that need no read."""

    size: Optional[int] = None
    """In bytes; None if it is unknown."""
    validator: str = ""
    """A text of at most 255 bytes that changes when the bytes change, such as an entity tag."""
    not_ready: bool = False
    """Whether the source must prepare its bytes, such as unseal them: `open` may take hours."""


class Mount:
    """Reads the sources of one mount scheme. Subclass it, and pass it to `dagstore.open`.

        class Memory(dagstore.Mount):
            access = "random"

            def stat(self, url, key):
                return len(cars[url])

            def open(self, url, key):
                return io.BytesIO(cars[url])

        store = dagstore.open("store", mounts={"memory": Memory()})

    Several threads of the library call the methods at once. `key` is the shard that is read, or
    None. A method raises FileNotFoundError or `MountGone` if the source does not exist, TimeoutError
    if it took too long, or a `SourceError` with its code. Every other exception counts as
    "mountUnreachable". The text of the exception becomes that of the shard's error.
    """

    access: str = "sequential"
    """"sequential": the source gives its bytes once, and the store copies them to its folder.
    "random": the source can read any range, and the store reads in place. "file": the source is a
    file of this machine, and the store maps it."""

    def access_of(self, url: str) -> str:
        """Returns the kind of access of one URL, always the same. It must not block."""
        return self.access

    def stat(self, url: str, key: Optional[str]) -> Union[Stat, int, None]:
        """Looks at a source. Returns its `Stat`; or its size in bytes, None if it is unknown."""
        raise NotImplementedError(f"{type(self).__name__} lacks stat")

    def open(self, url: str, key: Optional[str]) -> Any:
        """Opens a source.

        A sequential source returns an object with `read(size)`, such as a binary file. A random
        source returns an object with `read_at(offset, size)`, which several threads call at once,
        or a seekable binary file. Both may have `close()`, and `interrupt()`, which asks reads to
        return soon. The size is their attribute `size`, or that of `stat`. A file source returns
        its absolute path.
        """
        raise NotImplementedError(f"{type(self).__name__} lacks open")


# ---- Sources that are open -----------------------------------------------------------------------


class _Source:
    """An opened source, and how to read it."""

    def __init__(self, source: Any, url: str, sequential: bool) -> None:
        self.source = source
        self.url = url
        self._lock = threading.Lock()
        if sequential:
            self.read_at = self._read_on
        elif hasattr(source, "read_at"):
            self.read_at = source.read_at
        else:
            self.read_at = self._seek_and_read

    def _read_on(self, offset: int, size: int) -> Any:
        return self.source.read(size)

    def _seek_and_read(self, offset: int, size: int) -> Any:
        with self._lock:
            self.source.seek(offset)
            return self.source.read(size)


def _call(context: Optional[int], name: str, url: str, out_error: int, body: Any) -> int:
    """Calls the method of a mount, and returns a status."""
    try:
        body()
        return OK
    except BaseException as error:
        return tell(out_error, error, _status_of(error), f"{name} {url}")


def _status_of(error: BaseException) -> int:
    if isinstance(error, _errors.Error):
        return error.status if error.status in _STATUSES else _errors.MOUNT_UNREACHABLE
    if isinstance(error, FileNotFoundError):
        return _errors.MOUNT_GONE
    if isinstance(error, TimeoutError):
        return _errors.FETCH_TIMED_OUT
    return _errors.MOUNT_UNREACHABLE


def _text(value: Optional[bytes]) -> Optional[str]:
    return None if value is None else value.decode()


def _as_stat(found: Union[Stat, int, None]) -> Stat:
    return found if isinstance(found, Stat) else Stat(found)


@callback(AccessOfFn)
def _on_access_of(context: int, url: bytes) -> int:
    try:
        return _ACCESS[contexts[context].access_of(url.decode())]
    except BaseException as error:
        tell(None, error, 0, f"find the access of {url.decode()}")
        return _ACCESS["sequential"]


@callback(StatShardFn)
def _on_stat(context: int, request: _Pointer[Any], out: _Pointer[Any], out_error: int) -> int:
    key, url = _text(request[0].key), request[0].url.decode()

    def stat() -> None:
        found = _as_stat(contexts[context].stat(url, key))
        validator = found.validator.encode()
        if len(validator) > _VALIDATOR_MAX or b"\0" in validator:
            raise ValueError("the validator has a NUL, or more than 255 bytes")
        out[0].bytes = _size(found.size)
        out[0].validator = validator
        out[0].flags = _NOT_READY if found.not_ready else 0

    return _call(context, "look at", url, out_error, stat)


@callback(OpenShardFn)
def _on_open(context: int, request: _Pointer[Any], out: _Pointer[Any], out_error: int) -> int:
    key, url = _text(request[0].key), request[0].url.decode()

    def open_source() -> None:
        mount = contexts[context]
        access = mount.access_of(url)
        source = mount.open(url, key)
        if access == "file":
            path = os.fsencode(source)
            if len(path) > _PATH_MAX or b"\0" in path:
                raise ValueError("the path has a NUL, or more than 4095 bytes")
            out[0].path = path
            out[0].source = new_context(_Source(None, url, True))
            return
        size = getattr(source, "size", None)
        if size is None:
            size = _as_stat(mount.stat(url, key)).size
        out[0].bytes = _size(size)
        out[0].source = new_context(_Source(source, url, access == "sequential"))

    return _call(context, "open", url, out_error, open_source)


def _size(size: Optional[int]) -> int:
    if size is None:
        return NO_LIMIT
    if not 0 <= size < NO_LIMIT:
        raise ValueError(f"the size {size} is out of range")
    return size


@callback(ReadAtFn)
def _on_read_at(
    context: int,
    number: int,
    offset: int,
    buffer: int,
    capacity: int,
    out_size: _Pointer[Any],
    out_error: int,
) -> int:
    source: _Source = contexts[number]

    def read() -> None:
        data = source.read_at(offset, capacity)
        if not isinstance(data, bytes):
            data = bytes(memoryview(data))
        if len(data) > capacity:
            raise ValueError(f"the read gave {len(data)} bytes in place of {capacity}")
        memmove(buffer, data, len(data))
        out_size[0] = len(data)

    return _call(context, "read", source.url, out_error, read)


@callback(SourceFn)
def _on_close(context: int, number: int) -> None:
    source = contexts.pop(number, None)
    if source is not None:
        _end(source, "close")


@callback(SourceFn)
def _on_interrupt(context: int, number: int) -> None:
    source = contexts.get(number)
    if source is not None:
        _end(source, "interrupt")


def _end(source: _Source, name: str) -> None:
    method = getattr(source.source, name, None)
    try:
        if method is not None:
            method()
    except BaseException as error:
        tell(None, error, 0, f"{name} {source.url}")


@callback(ReleaseFn)
def _on_release(context: int) -> None:
    contexts.pop(context, None)


def new_mounts(mounts: Mapping[str, Mount]) -> int:
    """A dagstore_mounts_t of the schemes."""
    handle = _errors.make(lib.mounts_new)
    try:
        for scheme, mount in mounts.items():
            vtable = MountVtable(
                size=sizeof(MountVtable),
                access=_ACCESS["sequential"],
                read_at=_on_read_at,
                close=_on_close,
                interrupt=_on_interrupt,
                release=_on_release,
                access_of=_on_access_of,
                stat_shard=_on_stat,
                open_shard=_on_open,
            )
            context = new_context(mount)
            try:
                name = _errors.text(scheme, "add a mount scheme")
                _errors.call(lib.mounts_add, handle, name, byref(vtable), context)
            except BaseException:
                del contexts[context]
                raise
    except BaseException:
        lib.mounts_release(handle)
        raise
    return handle
