"""Leases on shards."""

from __future__ import annotations

import ctypes
import struct
from array import array
from ctypes import byref, c_bool, c_size_t, c_void_p, sizeof
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

from . import _blocks, _errors
from ._car import read_roots
from ._cid import CID, CIDBatch, CIDLike, to_bytes
from ._errors import BUFFER_TOO_SMALL
from ._handles import Handle, after_fork, as_argument
from ._library import DONE, Entry, lib
from ._library import Location as _Location
from ._records import Location, Section

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Type

# The hot calls take arguments that are ready: ctypes converts none. See `Library.untyped`.
_get = lib.untyped("shard_get", ctypes.c_int32)
_bytes_of = _blocks.bytes_of
_read = lib.untyped("shard_read", ctypes.c_int32)
_next_entry = lib.untyped("entries_next", ctypes.c_int32)
_contains = lib.untyped("shard_contains", ctypes.c_int32)
_sizes = [c_size_t.from_param(size) for size in range(256)]

_unpack_entry = struct.Struct("@IINNQQQ").unpack_from
assert struct.calcsize("@IINNQQQ") == sizeof(Entry)

_ROOM = 65_536

_create_bytes = ctypes.pythonapi.PyBytes_FromStringAndSize
_create_bytes.restype = ctypes.py_object
_create_bytes.argtypes = (c_void_p, ctypes.c_ssize_t)
_bytes_address = ctypes.pythonapi.PyBytes_AsString
_bytes_address.restype = c_void_p
_bytes_address.argtypes = (ctypes.py_object,)

_memory_at = _blocks.region.from_address


def _bind_region() -> None:
    global _memory_at
    _memory_at = _blocks.region.from_address


after_fork.append(_bind_region)

# Memory for the results of one call. A call takes a slot from the list and puts it back, so
# threads, signal handlers and finalizers that call meanwhile have slots of their own.
_view_slots: List[Tuple[Any, ...]] = []
_read_slots: List[Tuple[Any, ...]] = []


def _new_view_slot() -> Tuple[Any, ...]:
    block, error = c_void_p(), c_void_p()
    return block, byref(block), error, byref(error)


def _new_read_slot() -> Tuple[Any, ...]:
    room = bytearray(_ROOM)
    size, error = c_size_t(), c_void_p()
    address = byref((ctypes.c_char * _ROOM).from_buffer(room))
    capacity = c_size_t.from_param(_ROOM)
    return memoryview(room), address, capacity, size, byref(size), error, byref(error)


def _size_argument(size: int) -> Any:
    return _sizes[size] if size < 256 else c_size_t.from_param(size)


class Shard(Handle):
    """A lease on a shard, the right to read it. `Store.acquire` gives it out.

    While the lease lasts, no caller can destroy the shard. `release`, or the end of a `with`
    statement, ends it. Views of blocks stay valid after that. Any thread may call any method.

        with store.acquire("deal-1") as shard:
            data = shard.get(cid)
            if cid in shard: ...
    """

    _noun = "lease"
    _ended = "was released"
    _give_back = lib.shard_release

    def __init__(self, handle: int) -> None:
        self._own(handle)
        self._room = _ROOM

    def release(self) -> None:
        """Ends the lease. A second call does nothing."""
        self.close()

    def __enter__(self) -> Shard:
        self._use()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Shard {self.key!r}>" if self._handle is not None else "<Shard, released>"

    # ---- One block -------------------------------------------------------------------------------

    def view(self, cid: CIDLike) -> memoryview:
        """Gets the block with the multihash of a CID, as a read-only view.

        The view has the bytes of the mapped CAR where the shard is mapped, so nothing is copied and
        nothing is hashed. The view and its slices keep the block, also after the lease has ended
        and the store is closed. Another process that truncates the CAR takes the bytes away;
        reading a view then ends this process by SIGBUS. `get` raises in that case.

        Raises `BlockNotFound`, `InvalidCID`, `SourceError`, `Closed`.
        """
        if not isinstance(cid, bytes):
            cid = to_bytes(cid)
        try:
            slot = _view_slots.pop()
        except IndexError:
            slot = _new_view_slot()
        block, address, error, error_address = slot
        size = len(cid)
        size_argument = _sizes[size] if size < 256 else c_size_t.from_param(size)
        status = _get(self._arg, cid, size_argument, address, error_address)
        if status:
            failure = _errors.take(status, error)
            _view_slots.append(slot)
            self._use()
            raise failure
        handle = as_argument(block.value)
        _view_slots.append(slot)
        found = _bytes_of(handle)
        memory = _memory_at(found.data)
        memory.handle = handle
        return memoryview(memory)[: found.size].toreadonly()

    def get(self, cid: CIDLike, verify: bool = False) -> bytes:
        """Copies the block with the multihash of a CID.

        verify: Whether to hash the block, and to raise `HashMismatch` if it has another hash.

        Raises `BlockNotFound`, `InvalidCID`, `SourceError`, `Closed`; `InvalidArgument` if the hash
        of the CID proves nothing.
        """
        if not isinstance(cid, bytes):
            cid = to_bytes(cid)
        if verify:
            return self._get_verified(cid)
        try:
            slot = _read_slots.pop()
        except IndexError:
            slot = _new_read_slot()
        room, address, capacity, size, size_address, error, error_address = slot
        size_argument = _size_argument(len(cid))
        status = _read(
            self._arg, cid, size_argument, address, capacity, size_address, error_address
        )
        if status:
            length = size.value
            failure = _errors.take(status, error)
            _read_slots.append(slot)
            self._use()
            if status == BUFFER_TOO_SMALL:
                return self._get_large(cid, length)
            raise failure
        data: bytes = room[: size.value].tobytes()
        _read_slots.append(slot)
        return data

    def _get_large(self, cid: bytes, capacity: int) -> bytes:
        """Copies a block right into its bytes object; raises with a reason."""
        size = c_size_t(capacity)
        while True:
            capacity = size.value
            data: bytes = _create_bytes(None, capacity)
            error = c_void_p()
            status = lib.shard_read(
                self._use(),
                cid,
                len(cid),
                _bytes_address(data),
                capacity,
                byref(size),
                byref(error),
            )
            if status == 0:
                return data if size.value == capacity else data[: size.value]
            if status != BUFFER_TOO_SMALL:
                raise _errors.take(status, error)
            lib.error_release(error)

    def _get_verified(self, cid: bytes) -> bytes:
        block = _errors.make(lib.shard_get, self._use(), cid, len(cid))
        try:
            verified = _errors.make(lib.block_verified, block, cid, len(cid))
        finally:
            lib.block_release(block)
        return _blocks.copy_of_block(verified)

    def __contains__(self, cid: object) -> bool:
        """Tells whether the shard has a block with the multihash of a CID.

        Every shard has the block of an identity CID. Raises `InvalidCID`.
        """
        found = c_bool()
        if not isinstance(cid, bytes):
            cid = to_bytes(cid)  # type: ignore[arg-type]
        if _contains(self._arg, cid, _size_argument(len(cid)), byref(found), None):
            _errors.call(lib.shard_contains, self._use(), cid, len(cid), byref(found))
        return found.value

    def contains(self, cid: CIDLike) -> bool:
        """Tells whether the shard has a block, as `cid in shard` does."""
        return cid in self

    def locate(self, cid: CIDLike) -> Location:
        """Finds the first section with the multihash of a CID. Raises `BlockNotFound`."""
        cid = to_bytes(cid)
        found = _Location(size=sizeof(_Location))
        _errors.call(lib.shard_locate, self._use(), cid, len(cid), byref(found))
        return Location(found.offset, found.block_offset, found.block_size)

    def offsets(self, cid: CIDLike) -> List[int]:
        """Finds all sections with the multihash of a CID, in CAR order.

        Returns their offsets in the payload, in bytes. Raises `BlockNotFound`, also for an identity
        CID without a section.
        """
        cid = to_bytes(cid)
        count = c_size_t(16)
        while True:
            capacity = count.value
            offsets = array("Q", bytes(8 * capacity))
            address = offsets.buffer_info()[0]
            error = c_void_p()
            status = lib.shard_offsets(
                self._use(), cid, len(cid), address, capacity, byref(count), byref(error)
            )
            if status == 0:
                return offsets[: count.value].tolist()
            if status != BUFFER_TOO_SMALL:
                raise _errors.take(status, error)
            lib.error_release(error)

    # ---- Many blocks -----------------------------------------------------------------------------

    def view_many(self, cids: Union[CIDBatch, Iterable[CIDLike]]) -> _blocks.Blocks:
        """Gets the blocks of up to 65,536 CIDs, as read-only views.

        A batch costs a quarter of as many calls of `view`. A `CIDBatch` saves the packing of the
        CIDs. A block that the shard lacks is None in the result; another error is raised where the
        block is asked for. See `view` for what the views are.
        """
        batch = cids if isinstance(cids, CIDBatch) else CIDBatch(cids)
        count = len(batch)
        items, address = _blocks.new_items(count)
        block = c_void_p()
        sizes = batch._sizes.buffer_info()[0]
        arguments = (batch._packed, sizes, count, address, byref(block))
        _errors.call(lib.shard_get_many, self._use(), *arguments)
        return _blocks.Blocks(items, _blocks.memory_of(block.value or 0), _blocks.DATA)

    def read_many(self, cids: Union[CIDBatch, Iterable[CIDLike]]) -> _blocks.Blocks:
        """Copies the blocks of up to 65,536 CIDs into one buffer, and returns views of the buffer.

        A file that another process truncates gives an error. See `view_many` for the result.
        """
        batch = cids if isinstance(cids, CIDBatch) else CIDBatch(cids)
        count = len(batch)
        items, address = _blocks.new_items(count)
        sizes = batch._sizes.buffer_info()[0]
        size = c_size_t(max(self._room, 1))
        while True:
            capacity = size.value
            buffer = bytearray(capacity)
            exported = ctypes.c_char.from_buffer(buffer)
            error = c_void_p()
            status = lib.shard_read_many(
                self._use(),
                batch._packed,
                sizes,
                count,
                ctypes.addressof(exported),
                capacity,
                address,
                byref(size),
                byref(error),
            )
            self._room = min(size.value + size.value // 4, 1 << 24)
            if status == 0:
                memory = memoryview(buffer)[: size.value].toreadonly()
                return _blocks.Blocks(items, memory, _blocks.OFFSET)
            if status != BUFFER_TOO_SMALL:
                raise _errors.take(status, error)
            lib.error_release(error)

    def get_many(self, cids: Union[CIDBatch, Iterable[CIDLike]]) -> List[Optional[bytes]]:
        """Copies the blocks of up to 65,536 CIDs.

        Returns the bytes of each block; None for a block that the shard lacks.
        """
        return self.read_many(cids).copies()

    # ---- The shard -------------------------------------------------------------------------------

    @property
    def key(self) -> str:
        """The key of the shard."""
        buffer = ctypes.create_string_buffer(512)
        size = c_size_t()
        _errors.call(lib.shard_key, self._use(), buffer, len(buffer), byref(size))
        return buffer.raw[: size.value - 1].decode()

    def __len__(self) -> int:
        """The number of sections, repeated ones included."""
        count: int = lib.shard_block_count(self._use())
        return count

    def __bool__(self) -> bool:
        return True

    @property
    def roots(self) -> List[CID]:
        """The roots in the CAR's header, in its order."""
        handle = self._use()
        return read_roots(lib.shard_root, handle, lib.shard_root_count(handle))

    def sections(self) -> Iterator[Section]:
        """Iterates over all sections in CAR order, repeated ones included.

        The iterator reads the index, not the CAR. It holds the lease until its end.
        """
        walk = _Sections(self._use()).walk()
        new = bytes.__new__
        return (
            Section(new(CID, cid), offset, block_offset, size)
            for cid, offset, block_offset, size in walk
        )

    def index_arrays(self) -> Dict[str, Any]:
        """Returns the index of the shard as NumPy arrays, one element or row for each section.

        offsets: uint64, of the sections in the payload, in bytes.
        block_offsets: uint64, of the data in the CAR file.
        sizes: uint64, of the data, in bytes.
        multihashes: uint8 with a row for each section, if all multihashes have one size; else an
          array of `bytes` objects.
        digests: as `multihashes`, without hash code and length.

        Raises ImportError where NumPy is not installed. Takes about two microseconds a section.
        """
        from ._arrays import index_arrays

        return index_arrays(self)


class _Sections(Handle):
    """A cursor over the sections of a shard."""

    _noun = "iterator"
    _give_back = lib.entries_close

    def __init__(self, shard: Any) -> None:
        self._own(_errors.make(lib.entries_open, shard))

    def walk(self) -> Iterator[Tuple[bytes, int, int, int]]:
        """Gives each CID with its three numbers, and closes the cursor at the end."""
        entry, error = Entry(size=sizeof(Entry)), c_void_p()
        entry_address, error_address = byref(entry), byref(error)
        while True:
            status = _next_entry(self._use(), entry_address, error_address)
            if status:
                break
            _, _, cid, cid_size, offset, block_offset, size = _unpack_entry(entry)
            copy = _blocks.memory[cid : cid + cid_size].tobytes()
            yield copy, offset, block_offset, size
        if status != DONE:
            raise _errors.take(status, error)
        self.close()
