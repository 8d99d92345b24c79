"""The index of a shard as NumPy arrays."""

from __future__ import annotations

from array import array
from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Any, Dict, List

import numpy

from . import _errors
from ._cid import CID
from ._library import DONE, lib

if TYPE_CHECKING:
    from ._shard import Shard


def index_arrays(shard: Shard) -> Dict[str, Any]:
    """See `Shard.index_arrays`."""
    from ._shard import _Sections

    cursor = _Sections(shard._use())
    entry = cursor.entry
    words = array("Q")
    cids: List[bytes] = []
    address, next_entry = byref(entry), lib.entries_next
    try:
        handle = cursor._use()
        while True:
            error = c_void_p()
            status = next_entry(handle, address, byref(error))
            if status == DONE:
                break
            if status < 0:
                raise _errors.take(status, error)
            words.append(entry.offset)
            words.append(entry.block_offset)
            words.append(entry.block_size)
            cids.append(entry.cid.copy())
    finally:
        cursor.close()
    table = numpy.array(words, dtype=numpy.uint64).reshape(len(cids), 3)
    multihashes, digests = [], []
    for cid in cids:
        multihash, start = _split(cid)
        multihashes.append(multihash)
        digests.append(multihash[start:])
    return {
        "offsets": table[:, 0].copy(),
        "block_offsets": table[:, 1].copy(),
        "sizes": table[:, 2].copy(),
        "multihashes": _rows(multihashes),
        "digests": _rows(digests),
    }


def _split(cid: bytes) -> "tuple[bytes, int]":
    """The multihash of a CID, and where its digest starts."""
    if cid[0] == 0x12:  # version 0
        return cid, 2
    if (
        cid[1] < 0x80 and cid[2] < 0x80 and cid[3] < 0x80
    ):  # one byte for codec, hash code and length
        return cid[2:], 2
    parsed = CID._trusted(cid)
    multihash = parsed.multihash
    return multihash, len(multihash) - len(parsed.digest)


def _rows(values: List[bytes]) -> Any:
    """An array with a row for each value, or one of objects if they differ in size."""
    if len(set(map(len, values))) > 1:
        objects = numpy.empty(len(values), dtype=object)
        objects[:] = values
        return objects
    width = len(values[0]) if values else 0
    return numpy.frombuffer(b"".join(values), dtype=numpy.uint8).reshape(len(values), width).copy()
