"""The index of a shard as NumPy arrays."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Dict, List

import numpy

from ._cid import CID

if TYPE_CHECKING:
    from ._shard import Shard


def index_arrays(shard: Shard) -> Dict[str, Any]:
    """See `Shard.index_arrays`."""
    from ._shard import _Sections

    words = array("Q")
    cids: List[bytes] = []
    for cid, *numbers in _Sections(shard._use()).walk():
        cids.append(cid)
        words.extend(numbers)
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
