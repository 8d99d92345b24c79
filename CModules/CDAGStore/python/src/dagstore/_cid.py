"""CIDs, and batches of them."""

from array import array
from ctypes import byref, c_size_t, create_string_buffer, sizeof
from typing import Iterable, Iterator, Sequence, Union, overload

from . import _errors
from ._library import CID_SIZE, CIDParts, lib

CIDLike = Union[str, bytes]
"""What calls accept as a CID: a `CID`, its bytes, or its text. Bytes are the fastest."""


class CID(bytes):
    """A CID: its bytes, with the parts of it as properties.

    A CID is `bytes`, so it equals them, hashes like them and can go wherever they go.

        cid = dagstore.CID("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e")
        str(cid), bytes(cid), cid.version, cid.codec, cid.multihash
    """

    def __new__(cls, value: CIDLike) -> "CID":
        """Makes a CID of its text or of its bytes. Raises `InvalidCID`."""
        cid = super().__new__(cls, to_bytes(value))
        if not isinstance(value, (str, CID)):
            cid._parts()
        return cid

    @classmethod
    def parse(cls, text: str) -> "CID":
        """Parses a text: base58btc for version 0, a multibase prefix for version 1."""
        return cls._trusted(parse(text))

    @classmethod
    def make(cls, codec: int, multihash: bytes) -> "CID":
        """Makes a version 1 CID of a codec and a multihash."""
        if not 0 <= codec < 1 << 63:
            raise _errors.InvalidArgument(
                f"make a CID: the codec {codec} is out of range", _errors.INVALID_ARGUMENT
            )
        capacity = len(multihash) + 16
        buffer = create_string_buffer(capacity)
        size = c_size_t()
        multihash = bytes(multihash)
        _errors.call(lib.cid_make, codec, multihash, len(multihash), buffer, capacity, byref(size))
        return cls._trusted(buffer.raw[: size.value])

    @classmethod
    def _trusted(cls, value: bytes) -> "CID":
        return super().__new__(cls, value)

    def _parts(self) -> CIDParts:
        parts = CIDParts(size=sizeof(CIDParts))
        _errors.call(lib.cid_split, self, len(self), byref(parts))
        return parts

    @property
    def version(self) -> int:
        """0 or 1."""
        version: int = self._parts().version
        return version

    @property
    def codec(self) -> int:
        """The multicodec of the content, such as 0x55 for raw bytes."""
        codec: int = self._parts().codec
        return codec

    @property
    def hash_code(self) -> int:
        """The multicodec of the hash function, such as 0x12 for SHA2-256."""
        code: int = self._parts().hash_code
        return code

    @property
    def multihash(self) -> bytes:
        """The multihash, by which a store finds blocks."""
        copy: bytes = self._parts().multihash.copy()
        return copy

    @property
    def digest(self) -> bytes:
        """The digest in the multihash."""
        copy: bytes = self._parts().digest.copy()
        return copy

    def __str__(self) -> str:
        """The text: base58btc for version 0, base32 for version 1."""
        capacity = 2 * len(self) + 16
        buffer = create_string_buffer(capacity)
        size = c_size_t()
        _errors.call(lib.cid_format, self, len(self), buffer, capacity, byref(size))
        return buffer.raw[: size.value - 1].decode("ascii")

    def __repr__(self) -> str:
        return f"CID({str(self)!r})"


def parse(text: str) -> bytes:
    """The bytes of the text of a CID."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise _errors.InvalidCID(f"parse a CID: {text!r} is not a CID", _errors.INVALID_CID)
    buffer = array("B", bytes(max(CID_SIZE, len(encoded))))
    size = c_size_t()
    _errors.call(lib.cid_parse, encoded, buffer.buffer_info()[0], len(buffer), byref(size))
    return buffer[: size.value].tobytes()


def to_bytes(cid: CIDLike) -> bytes:
    """The bytes of a CID in any form that calls accept. Checks texts only."""
    if isinstance(cid, bytes):
        return cid
    if isinstance(cid, str):
        return parse(cid)
    if isinstance(cid, (bytearray, memoryview)):
        return bytes(cid)
    raise TypeError(f"a CID must be a CID, bytes or str, not {type(cid).__name__}")


class CIDBatch(Sequence[bytes]):
    """CIDs packed once, for batches that are read more than once.

    `shard.get_many`, `view_many` and `read_many` pack other sequences at each call, which costs
    about 80 ns a CID. A batch has at most 65,536 CIDs.
    """

    __slots__ = ("_cids", "_packed", "_sizes")

    def __init__(self, cids: Iterable[CIDLike]) -> None:
        self._cids = list(cids)
        try:
            self._packed = b"".join(self._cids)  # type: ignore[arg-type]
        except TypeError:  # a text among them
            self._cids = [to_bytes(cid) for cid in self._cids]
            self._packed = b"".join(self._cids)  # type: ignore[arg-type]
        self._sizes = array("I", map(len, self._cids))

    def __len__(self) -> int:
        return len(self._cids)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._cids)  # type: ignore[arg-type]

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> "CIDBatch": ...

    def __getitem__(self, index: Union[int, slice]) -> Union[bytes, "CIDBatch"]:
        found = self._cids[index]
        return CIDBatch(found) if isinstance(found, list) else found  # type: ignore[return-value]

    def __repr__(self) -> str:
        return f"CIDBatch({len(self)} CIDs)"
