"""CIDs and CAR files as bytes, made with the standard library alone.

The conformance table and the tests of the Python package describe their CARs with it. It knows nothing
of the library under test.
"""

import hashlib
import string
import struct
from typing import Iterable, NamedTuple, Optional, Sequence

RAW = 0x55
DAG_PB = 0x70
DAG_CBOR = 0x71

IDENTITY = 0x00
SHA2_256 = 0x12
SHA2_512 = 0x13
BLAKE2B_256 = 0xB220

INDEX_SORTED = 0x0400
MULTIHASH_INDEX_SORTED = 0x0401


def varint(number: int) -> bytes:
    """Encodes an unsigned varint."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


# ---- Multihashes and CIDs ------------------------------------------------------------------------


def multihash(code: int, digest: bytes) -> bytes:
    return varint(code) + varint(len(digest)) + digest


def sha2_256(data: bytes) -> bytes:
    return multihash(SHA2_256, hashlib.sha256(data).digest())


def sha2_512(data: bytes) -> bytes:
    return multihash(SHA2_512, hashlib.sha512(data).digest())


def blake2b_256(data: bytes) -> bytes:
    return multihash(BLAKE2B_256, hashlib.blake2b(data, digest_size=32).digest())


def cid_v0(data: bytes) -> bytes:
    """The version 0 CID of a block: its multihash."""
    return sha2_256(data)


def cid_v1(data: bytes, codec: int = RAW) -> bytes:
    """The version 1 CID of a block, by SHA2-256."""
    return cid_of(codec, sha2_256(data))


def cid_of(codec: int, mh: bytes) -> bytes:
    return varint(1) + varint(codec) + mh


def identity(data: bytes, codec: int = RAW) -> bytes:
    """The CID that has the block inside."""
    return cid_of(codec, multihash(IDENTITY, data))


def multihash_of(cid: bytes) -> bytes:
    """The multihash of a CID whose codec is below 128."""
    return cid if cid[:2] == b"\x12\x20" else cid[2:]


# ---- Texts of CIDs -------------------------------------------------------------------------------

_BASE58_BTC = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_FLICKR = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
_BASE36 = string.digits + string.ascii_lowercase
_BASE32 = string.ascii_lowercase + "234567"
_BASE32_HEX = string.digits + string.ascii_lowercase[:22]
_BASE32_Z = "ybndrfg8ejkmcpqxot1uwisza345h769"
_BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
_BASE64_URL = _BASE64[:62] + "-_"


def _by_division(data: bytes, alphabet: str) -> str:
    number = int.from_bytes(data, "big")
    digits = []
    while number:
        number, digit = divmod(number, len(alphabet))
        digits.append(alphabet[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return alphabet[0] * zeros + "".join(reversed(digits))


def _by_bits(data: bytes, alphabet: str, padded: bool = False) -> str:
    width = len(alphabet).bit_length() - 1
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % width)
    text = "".join(alphabet[int(bits[at : at + width], 2)] for at in range(0, len(bits), width))
    if padded:
        text += "=" * (-len(text) % (8 if width == 5 else 4))
    return text


def multibase(data: bytes, prefix: str) -> str:
    """Encodes bytes as a text of one of the bases that the library reads."""
    bits = {
        "f": ("0123456789abcdef", False), "F": ("0123456789ABCDEF", False),
        "b": (_BASE32, False), "B": (_BASE32.upper(), False),
        "c": (_BASE32, True), "C": (_BASE32.upper(), True),
        "v": (_BASE32_HEX, False), "V": (_BASE32_HEX.upper(), False),
        "t": (_BASE32_HEX, True), "T": (_BASE32_HEX.upper(), True),
        "h": (_BASE32_Z, False),
        "m": (_BASE64, False), "M": (_BASE64, True),
        "u": (_BASE64_URL, False), "U": (_BASE64_URL, True),
    }  # fmt: skip
    division = {
        "k": _BASE36, "K": _BASE36.upper(), "z": _BASE58_BTC, "Z": _BASE58_FLICKR,
    }  # fmt: skip
    if prefix in bits:
        return prefix + _by_bits(data, *bits[prefix])
    return prefix + _by_division(data, division[prefix])


def cid_text(cid: bytes) -> str:
    """The text of a CID as the library formats it."""
    return _by_division(cid, _BASE58_BTC) if cid[:2] == b"\x12\x20" else multibase(cid, "b")


# ---- CARs ----------------------------------------------------------------------------------------


class Section(NamedTuple):
    """A section of a CAR."""

    cid: bytes
    data: bytes

    @property
    def bytes(self) -> bytes:
        return varint(len(self.cid) + len(self.data)) + self.cid + self.data


class Place(NamedTuple):
    """Where a section is."""

    offset: int
    """The offset of the section in the payload."""
    block_offset: int
    """The offset of the block in the file."""
    block_size: int
    section_size: int


def header(roots: Sequence[bytes], version: int = 1) -> bytes:
    """The header of a CAR, with its length varint."""
    body = bytearray(b"\xa2\x65roots" + _cbor_head(4, len(roots)))
    for root in roots:
        body += b"\xd8\x2a" + _cbor_head(2, len(root) + 1) + b"\0" + root
    body += b"\x67version" + _cbor_head(0, version)
    return varint(len(body)) + bytes(body)


def _cbor_head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    if number < 256:
        return bytes([major << 5 | 24, number])
    return bytes([major << 5 | 25]) + struct.pack(">H", number)


class Car:
    """A CARv1 of sections, and the CARv2 around it."""

    def __init__(
        self, sections: Iterable[Section], roots: Optional[Sequence[bytes]] = None
    ) -> None:
        self.sections = list(sections)
        self.roots = [self.sections[0].cid] if roots is None else list(roots)
        self.header = header(self.roots)

    @property
    def payload(self) -> bytes:
        return self.header + b"".join(section.bytes for section in self.sections)

    def places(self, data_offset: int = 0) -> "list[Place]":
        """Where the sections are; `data_offset` is that of the payload in the file."""
        places = []
        offset = len(self.header)
        for section in self.sections:
            size = len(section.bytes)
            end = data_offset + offset + size
            places.append(Place(offset, end - len(section.data), len(section.data), size))
            offset += size
        return places

    V2_DATA_OFFSET = 51
    """The offset of the payload in the files that `v2` makes."""

    def v2(self, index: Optional[bytes] = None, fully_indexed: bool = False) -> bytes:
        """The CARv2 of this payload, with an embedded index or without one."""
        payload = self.payload
        index_offset = 0 if index is None else self.V2_DATA_OFFSET + len(payload)
        head = b"\x0a\xa1\x67version\x02" + (b"\x80" if fully_indexed else b"\0") + bytes(15)
        head += struct.pack("<QQQ", self.V2_DATA_OFFSET, len(payload), index_offset)
        return head + payload + (index or b"")

    def index(self, codec: int = MULTIHASH_INDEX_SORTED) -> bytes:
        """The embedded index of all sections but those with identity CIDs."""
        by_code: "dict[int, dict[int, list[bytes]]]" = {}
        for section, place in zip(self.sections, self.places()):
            mh = multihash_of(section.cid)
            code, size, digest = mh[0], mh[1], mh[2:]
            assert code < 0x80 and size < 0x80, "one-byte hash codes only"
            if code == IDENTITY:
                continue
            entry = digest + struct.pack("<Q", place.offset)
            key = code if codec == MULTIHASH_INDEX_SORTED else 0
            by_code.setdefault(key, {}).setdefault(len(entry), []).append(entry)
        out = varint(codec)
        if codec == MULTIHASH_INDEX_SORTED:
            out += struct.pack("<i", len(by_code))
        for code, by_width in sorted(by_code.items()):
            if codec == MULTIHASH_INDEX_SORTED:
                out += struct.pack("<Q", code)
            out += struct.pack("<i", len(by_width))
            for width, entries in sorted(by_width.items()):
                out += struct.pack("<IQ", width, width * len(entries)) + b"".join(sorted(entries))
        return out
