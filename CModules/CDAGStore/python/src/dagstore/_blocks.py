"""Blocks without a copy: memoryviews that keep a block of the library alive."""

import ctypes
from array import array
from ctypes import Union as CUnion
from ctypes import c_ubyte, c_void_p, sizeof
from typing import Any, Iterator, List, Optional, Sequence, Tuple, Union, overload

from . import _errors, _handles
from ._handles import as_argument
from ._library import Bytes, lib

# An array of one-byte unions exports its bytes in the format "B"; one of c_ubyte in "<B", which
# memoryview cannot index.


class _Byte(CUnion):
    _fields_ = [("byte", c_ubyte)]


_Memory = _Byte * (1 << 62 if sizeof(c_void_p) == 8 else 1 << 30)
"""Memory from some address on. Only slices of it leave this module."""


bytes_of = lib.untyped("block_bytes", Bytes, at_once=True)
_release = lib.untyped("block_release", None)


def _new_region() -> Any:
    release = _release

    class Region(_Memory):  # type: ignore[valid-type,misc]
        """Memory of a block. Memoryviews hold it, and its end releases the block."""

        __slots__ = ("handle",)

        def __del__(self) -> None:
            release(self.handle)

    return Region


region = _new_region()


memory = memoryview(_Memory.from_address(0)).toreadonly()
"""All memory, for copies of bytes at absolute addresses."""


def _forget_regions() -> None:
    """Lets a child process leave the blocks of its parent alone."""
    global region
    region.__del__ = lambda self: None
    region = _new_region()


_handles.after_fork.append(_forget_regions)


def view(address: int, size: int, handle: int) -> memoryview:
    """A read-only view of a block, which releases the block's handle at its end."""
    block = region.from_address(address)
    block.handle = as_argument(handle)
    return memoryview(block)[:size].toreadonly()


def view_of_block(handle: int) -> memoryview:
    """A read-only view of a dagstore_block_t, which it takes over."""
    found = bytes_of(as_argument(handle))
    return view(found.data, found.size, handle)


def copy_of_block(handle: int) -> bytes:
    """A copy of a dagstore_block_t, which it releases."""
    argument = as_argument(handle)
    found = bytes_of(argument)
    try:
        return memory[found.data : found.data + found.size].tobytes()
    finally:
        _release(argument)


def memory_of(handle: int) -> memoryview:
    """A view of all memory, for slices at absolute addresses of one batch."""
    blocks = region.from_address(0)
    blocks.handle = as_argument(handle)
    return memoryview(blocks).toreadonly()


WORDS = 4
"""The 64-bit words of a dagstore_batch_item_t: data, offset, size, status."""
DATA, OFFSET, SIZE, STATUS = range(WORDS)


def new_items(count: int) -> "Tuple[array[int], Any]":
    """Room for the items of a batch, and its address as an argument."""
    items = array("Q", bytes(8 * WORDS * count))
    return items, as_argument(items.buffer_info()[0])


def status_of(word: int) -> int:
    """The status in the last word of an item."""
    return ctypes.c_int32(word & 0xFFFF_FFFF).value


class Blocks(Sequence[Optional[memoryview]]):
    """The blocks of a batch: a sequence of read-only memoryviews, made when they are asked for.

    A block that the shard lacks is None. Another error of a block is raised where the block is
    asked for. The views stay valid without the sequence.
    """

    __slots__ = ("_items", "_memory", "_start")

    def __init__(self, items: "array[int]", memory: memoryview, start: int) -> None:
        self._items = items
        self._memory = memory
        self._start = start  # the word that says where in `memory` a block begins

    def __len__(self) -> int:
        return len(self._items) // WORDS

    @overload
    def __getitem__(self, index: int) -> Optional[memoryview]: ...

    @overload
    def __getitem__(self, index: slice) -> List[Optional[memoryview]]: ...

    def __getitem__(
        self, index: Union[int, slice]
    ) -> Union[Optional[memoryview], List[Optional[memoryview]]]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        at = WORDS * (index if index >= 0 else index + len(self))
        if not 0 <= at < len(self._items):
            raise IndexError("the batch has fewer blocks")
        items = self._items
        if items[at + STATUS]:
            return self._absent(items[at + STATUS])
        start = items[at + self._start]
        return self._memory[start : start + items[at + SIZE]]

    def __iter__(self) -> Iterator[Optional[memoryview]]:
        items, memory = self._items, self._memory
        starts, sizes = items[self._start :: WORDS], items[SIZE::WORDS]
        for start, size, status in zip(starts, sizes, items[STATUS::WORDS]):
            yield self._absent(status) if status else memory[start : start + size]

    def copies(self) -> List[Optional[bytes]]:
        """Copies the blocks."""
        return [None if block is None else bytes(block) for block in self]

    @property
    def sizes(self) -> List[int]:
        """The size of each block, in bytes; 0 for a block that cannot be had."""
        items = self._items
        return [0 if items[at + STATUS] else items[at + SIZE] for at in range(0, len(items), WORDS)]

    @property
    def codes(self) -> List[str]:
        """The code of each block: "ok", "blockNotFound" or the name of another code."""
        return [_errors.status_name(status_of(word)) for word in self._items[STATUS::WORDS]]

    @staticmethod
    def _absent(word: int) -> None:
        status = status_of(word)
        if status != _errors.BLOCK_NOT_FOUND:
            raise _errors.new(status, f"read a block of a batch: {_errors.status_name(status)}")

    def __repr__(self) -> str:
        return f"Blocks({len(self)} blocks)"
