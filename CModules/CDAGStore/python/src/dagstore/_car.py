"""CAR files outside a store."""

from __future__ import annotations

import ctypes
import os
from ctypes import byref, c_size_t, sizeof
from typing import TYPE_CHECKING, List, Optional, Union

from . import _errors
from . import _library as c
from ._cid import CID
from ._handles import Handle
from ._library import CID_SIZE, lib
from ._records import CarInfo, CarVerification

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Type

_FULLY_INDEXED = 1


class Car(Handle):
    """A CAR file outside a store.

        with dagstore.Car("deal-1.car") as car:
            print(car.inspect().sections, car.verify())

    Raises `MountGone`, `SourceError`, and `DataError` with the offset of the fault.
    """

    _noun = "CAR"
    _give_back = lib.car_close

    def __init__(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Opens a CAR file, and reads its headers."""
        encoded = os.fsencode(path)
        if b"\0" in encoded:
            raise _errors.InvalidArgument("open a CAR: the path has a NUL character", -10)
        self._own(_errors.make(lib.car_open, encoded))

    def inspect(self) -> CarInfo:
        """Reads all section headers and counts sections; hashes nothing.

        Takes 16 bytes of memory a section.
        """
        found = c.CarInfo(size=sizeof(c.CarInfo))
        _errors.call(lib.car_inspect, self._use(), byref(found))
        return CarInfo(
            version=found.version,
            is_fully_indexed=bool(found.flags & _FULLY_INDEXED),
            index_codec=found.index_codec or None,
            roots=found.roots,
            data_offset=found.data_offset,
            data_size=found.data_size,
            index_offset=found.index_offset or None,
            sections=found.sections,
            identity_sections=found.identity_sections,
            duplicate_sections=found.duplicate_sections,
            block_size_min=found.block_size_min,
            block_size_max=found.block_size_max,
            null_padding=found.null_padding,
        )

    def verify(self, threads: int = 0) -> CarVerification:
        """Hashes every block, and compares an embedded index with the sections.

        threads: The number of threads; 0 for one a processor.

        Raises `HashMismatch`, with the offset of the section in the payload, and `DataError`.
        """
        if not 0 <= threads < 1 << 32:
            raise _errors.InvalidArgument("verify a CAR: threads is out of range", -10)
        found = c.CarVerification(size=sizeof(c.CarVerification))
        _errors.call(lib.car_verify, self._use(), threads, byref(found))
        return CarVerification(found.sections, found.unverified)

    @property
    def roots(self) -> List[CID]:
        """The roots in the header, in its order."""
        info = c.CarInfo(size=sizeof(c.CarInfo))
        _errors.call(lib.car_inspect, self._use(), byref(info))
        return read_roots(lib.car_root, self._use(), info.roots)

    def __enter__(self) -> Car:
        self._use()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()


def read_roots(function: object, handle: object, count: int) -> List[CID]:
    """The roots of a CAR or of a shard."""
    roots = []
    buffer = ctypes.create_string_buffer(CID_SIZE)
    size = c_size_t()
    index = 0
    while index < count:
        try:
            _errors.call(function, handle, index, buffer, len(buffer), byref(size))
        except _errors.InvalidArgument as error:
            if error.status != _errors.BUFFER_TOO_SMALL:
                raise
            buffer = ctypes.create_string_buffer(size.value)
            continue
        roots.append(CID._trusted(buffer.raw[: size.value]))
        index += 1
    return roots
