"""The exceptions, and how a status of the library becomes one."""

from ctypes import byref, c_uint64, c_void_p
from typing import Any, Dict, Optional, Tuple, Type

from ._library import lib


class Error(Exception):
    """A call of the library failed. `str(error)` is a sentence for people.

    code: The name of the code, such as "blockNotFound".
    status: The number of the code in dagstore.h.
    shard: The key of the shard that the error is about, or None.
    offset: Where in a CAR the bytes are wrong, in bytes, or None.
    """

    code: str
    status: int
    shard: Optional[str]
    offset: Optional[int]

    def __init__(
        self,
        message: str,
        status: int = -20,
        shard: Optional[str] = None,
        offset: Optional[int] = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = status_name(status)
        self.shard = shard
        self.offset = offset

    def __str__(self) -> str:
        # KeyError would quote it.
        return str(self.args[0])

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.args[0], self.status, self.shard, self.offset)


class NotFound(Error, KeyError):
    """Something is not there."""


class ShardUnknown(NotFound):
    """No shard has the key."""


class BlockNotFound(NotFound):
    """The shard, or the store, lacks the block."""


class InvalidArgument(Error, ValueError):
    """The caller passed something wrong: a key, a URL, a field of the configuration."""


class InvalidCID(InvalidArgument):
    """The text or bytes are not a CID."""


class StateError(Error):
    """The shard is in a state that the call does not allow."""


class ShardExists(StateError):
    """Another shard has the key."""


class ShardInUse(StateError):
    """The shard has leases, or is being fetched and indexed."""


class NotFailed(StateError):
    """The shard has not failed."""


class ShardFailed(StateError):
    """The shard has failed and must be recovered."""


class SourceError(Error):
    """The source of a shard cannot be used."""


class MountGone(SourceError):
    """The source does not exist."""


class SourceChanged(SourceError):
    """The source has other bytes than the indexed ones."""


class DataError(Error):
    """Bytes are wrong: of a CAR, of an index or of a block."""


class HashMismatch(DataError):
    """The bytes do not have the hash of their CID."""


class StoreError(Error):
    """The store cannot do it: its catalog, its disk or its limits."""


class ReadOnly(StoreError):
    """The store cannot be written."""


class Closed(Error, ValueError):
    """The store is closed, the lease was released, or the process has forked since."""


class Cancelled(Error):
    """The operation was cancelled."""


class DeadlineExceeded(Error, TimeoutError):
    """The timeout has passed."""


SHARD_UNKNOWN = -1
BLOCK_NOT_FOUND = -2
INVALID_ARGUMENT = -10
INVALID_CID = -12
BUFFER_TOO_SMALL = -19
MOUNT_UNREACHABLE = -20
MOUNT_GONE = -21
FETCH_FAILED = -22
FETCH_TIMED_OUT = -23
SOURCE_CHANGED = -24
MALFORMED_INDEX = -35
CLOSED = -50
DEADLINE_EXCEEDED = -52

_BY_STATUS: Dict[int, Type[Error]] = {
    SHARD_UNKNOWN: ShardUnknown,
    BLOCK_NOT_FOUND: BlockNotFound,
    INVALID_CID: InvalidCID,
    -16: ShardExists,
    -17: ShardInUse,
    -18: NotFailed,
    -46: ShardFailed,
    MOUNT_GONE: MountGone,
    SOURCE_CHANGED: SourceChanged,
    -34: HashMismatch,
    -44: ReadOnly,
    CLOSED: Closed,
    -51: Cancelled,
    DEADLINE_EXCEEDED: DeadlineExceeded,
}

_BY_FAMILY: Tuple[Tuple[range, Type[Error]], ...] = (
    (range(-9, 0), NotFound),
    (range(-19, -9), InvalidArgument),
    (range(-29, -19), SourceError),
    (range(-39, -29), DataError),
    (range(-49, -39), StoreError),
    (range(-69, -59), InvalidArgument),
)


def status_name(status: int) -> str:
    """The name of a code, such as "blockNotFound"; "unknown" for other numbers."""
    name: bytes = lib.status_name(status)
    return name.decode()


def new(
    status: int, message: str, shard: Optional[str] = None, offset: Optional[int] = None
) -> Error:
    """The exception of a status."""
    kind = _BY_STATUS.get(status)
    if kind is None:
        kind = next((k for family, k in _BY_FAMILY if status in family), Error)
    return kind(message, status, shard, offset)


def of_handle(status: int, error: Optional[int]) -> Error:
    """The exception of a borrowed dagstore_error_t."""
    if not error:
        return new(status, status_name(status))
    message = lib.error_message(error).decode(errors="replace")
    shard = lib.error_shard(error)
    offset = c_uint64()
    has_offset = lib.error_offset(error, byref(offset))
    return new(
        status,
        message,
        None if shard is None else shard.decode(errors="replace"),
        offset.value if has_offset else None,
    )


def take(status: int, error: c_void_p) -> Error:
    """The exception of a dagstore_error_t, which it releases."""
    try:
        return of_handle(status, error.value)
    finally:
        lib.error_release(error)


def call(function: Any, *arguments: Any) -> int:
    """Calls a function whose last parameter is `out_error`; raises if it fails.

    Returns the status: 0, or 1 at the end of a cursor.
    """
    error = c_void_p()
    status: int = function(*arguments, byref(error))
    if status < 0:
        raise take(status, error)
    return status


def make(function: Any, *arguments: Any) -> int:
    """Calls a function that ends with an out handle and `out_error`; returns the handle."""
    handle = c_void_p()
    call(function, *arguments, byref(handle))
    return handle.value or 0


def text(value: str, what: str) -> bytes:
    """The UTF-8 of a text for the library, which ends texts with NUL."""
    try:
        encoded = value.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{what}: {error.reason}", INVALID_ARGUMENT) from None
    except AttributeError:
        raise TypeError(f"{what} must be a str, not {type(value).__name__}") from None
    if b"\0" in encoded:
        raise InvalidArgument(f"{what}: the text has a NUL character", INVALID_ARGUMENT)
    return encoded
