#!/usr/bin/env python3
"""Writes cases.jsonl, the conformance table of the C interface.

    python3 make_cases.py

The expected results come from the header's rules and from the CARs that this script makes, never
from a run of the library.
"""

import io
import json
import os
from typing import Dict, List, Optional, Sequence

import carbytes as c
from carbytes import Car, Section


class Table:
    """The steps, and the text that they make."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        self._case: Optional[str] = None

    def comment(self, text: str) -> None:
        self.out.write(f"\n# {text}\n")

    def case(self, name: str) -> None:
        self._case = name

    def step(self, op: str, result: object = "ok", **arguments: object) -> None:
        line: Dict[str, str] = {}
        if self._case is not None:
            line["case"] = self._case
            self._case = None
        line["op"] = op
        for name, value in arguments.items():
            line[name.rstrip("_")] = _text(value)
        line["is"] = _text(result)
        self.out.write(json.dumps(line, ensure_ascii=False) + "\n")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return " ".join(_text(item) for item in value) or "-"
    return str(value)


T = Table()
case, step = T.case, T.step

# ---- The blocks that most cases use --------------------------------------------------------------

ONE = b"one"
TWO = b"the second block"
THREE = bytes(range(200))
CBOR = b"\xa1\x61\x61\x01"  # {"a": 1}
ABSENT = c.cid_text(c.cid_v1(b"in no shard"))


def text(cid: bytes) -> str:
    return c.cid_text(cid)


def raw(data: bytes) -> Section:
    return Section(c.cid_v1(data), data)


def cbor(data: bytes) -> Section:
    return Section(c.cid_v1(data, c.DAG_CBOR), data)


def v0(data: bytes) -> Section:
    return Section(c.cid_v0(data), data)


PLAIN = Car([raw(ONE), v0(TWO), cbor(CBOR), raw(THREE)])
OTHER = Car([raw(b"other"), raw(b"bytes")])

_files = 0


def car_file(car: object, name: Optional[str] = None) -> str:
    """Writes a CAR, and returns its path."""
    global _files
    if name is None:
        _files += 1
        name = f"{_files}.car"
    path = f"$DIR/cars/{name}"
    data = car.payload if isinstance(car, Car) else car
    step("file", path=path, hex=data)
    return path


_stores = 0


def open_store(flags: str = "") -> str:
    """Opens a new store, and returns its path."""
    global _stores
    _stores += 1
    path = f"$DIR/stores/{_stores}"
    reopen(path, flags)
    return path


def reopen(path: str, flags: str = "") -> None:
    if flags:
        step("open", path=path, flags=flags)
    else:
        step("open", path=path)


def register(key: str, car: object, result: str = "ok", scheme: str = "file", **options: str) -> str:
    """Writes a CAR and registers it; returns the path."""
    path = car_file(car)
    step("register", result, key=key, url=f"{scheme}://{path}", **options)
    return path


def close() -> None:
    step("close")


def info(key: str, state: str, car: Optional[Car], leases: int = 0, error: str = "ok") -> None:
    blocks = len(car.sections) if car else 0
    size = len(car.payload) if car else 0
    step("info", f"{state} {blocks} {size} {leases} {error}", key=key)


def locate_text(place: c.Place) -> str:
    return f"{place.offset} {place.block_offset} {place.block_size}"


def sections_text(car: Car) -> List[str]:
    return [f"{text(s.cid)}:{p.offset}:{p.block_size}" for s, p in zip(car.sections, car.places())]


# ---- CIDs ----------------------------------------------------------------------------------------


def cids() -> None:
    T.comment("CIDs")
    zero, one = c.cid_v0(TWO), c.cid_v1(ONE)

    case("cid: version 0")
    step("cid.parse", zero, text=text(zero))
    step("cid.format", text(zero), cid=zero)
    step("cid.split", f"0 {c.DAG_PB} {c.SHA2_256} {zero[2:].hex()}", cid=zero)

    case("cid: version 1 in every multibase")
    for prefix in "fFbBcCvVtThkKzZmMuU":
        step("cid.parse", one, text=c.multibase(one, prefix))
    step("cid.format", c.multibase(one, "b"), cid=one)

    case("cid: parts")
    big = c.cid_of(0x300001, c.multihash(0xB240, bytes(range(64))))
    assert big[:4] == b"\x01\x81\x80\xc0"
    step("cid.split", f"1 {c.RAW} {c.SHA2_256} {one[4:].hex()}", cid=one)
    step("cid.split", f"1 {c.DAG_CBOR} {c.SHA2_512} {c.sha2_512(ONE)[2:].hex()}",
         cid=c.cid_of(c.DAG_CBOR, c.sha2_512(ONE)))
    step("cid.split", f"1 {c.RAW} {c.IDENTITY} {ONE.hex()}", cid=c.identity(ONE))
    step("cid.split", f"1 {0x300001} {0xB240} {bytes(range(64)).hex()}", cid=big)

    case("cid: texts that are no CID")
    for bad in ["", "b", "Q", "Qm", "hello world", text(zero)[:-1], text(one)[:-1], text(one) + "a",
                "z" + text(zero), "Q" + text(one), "!" + text(one)[1:], "b" + "a" * 58, "\n", "\u007f",
                "\u00e9" + text(one)]:
        step("cid.parse", "invalidCID", text=bad)

    case("cid: bytes that are no CID")
    for bad_bytes in [b"", b"\x01", one[:-1], one + b"\0", zero[:-1], zero + b"\0", b"\x02" + one[1:],
                      b"\x81\x00" + one[1:], b"\x12\x21" + bytes(33), b"\xff" * 40,
                      b"\x01\x55\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"]:
        step("cid.format", "invalidCID", cid=bad_bytes)
        step("cid.split", "invalidCID", cid=bad_bytes)

    case("cid: made of a codec and a multihash")
    step("cid.make", one, codec=c.RAW, multihash=c.sha2_256(ONE))
    step("cid.make", c.cid_of(0x300001, c.sha2_512(ONE)), codec=0x300001, multihash=c.sha2_512(ONE))
    step("cid.make", c.cid_v1(TWO, c.DAG_PB), codec=c.DAG_PB, multihash=zero)
    step("cid.make", "invalidCID", codec=c.RAW, multihash=c.sha2_256(ONE)[:-1])
    step("cid.make", "invalidCID", codec=c.RAW, multihash="")


# ---- CARs outside a store ------------------------------------------------------------------------


def cars() -> None:
    T.comment("CARs outside a store")
    size = len(PLAIN.payload)

    case("car: version 1")
    path = car_file(PLAIN)
    step("car.inspect", f"1 1 4 0 {size}", path=path)
    step("car.verify", "4 0 0", path=path)

    case("car: version 2")
    for index, full in [(None, False), (PLAIN.index(), False), (PLAIN.index(), True),
                        (PLAIN.index(c.INDEX_SORTED), False)]:
        path = car_file(PLAIN.v2(index, full))
        step("car.inspect", f"2 1 4 {Car.V2_DATA_OFFSET} {size}", path=path)
        step("car.verify", "4 0 0", path=path)

    case("car: a header alone, and many roots")
    empty = Car([], [c.cid_v1(ONE)])
    path = car_file(empty)
    step("car.inspect", f"1 1 0 0 {len(empty.payload)}", path=path)
    step("car.verify", "0 0 0", path=path)
    many = Car([raw(ONE)], [c.cid_v0(TWO), c.cid_v1(ONE), c.cid_v1(CBOR, c.DAG_CBOR), c.identity(ONE)])
    step("car.inspect", f"1 4 1 0 {len(many.payload)}", path=car_file(many))

    case("car: null padding")
    padded = PLAIN.payload + bytes(100)
    path = car_file(padded)
    step("car.inspect", f"1 1 4 0 {len(padded)}", path=path)
    step("car.verify", "4 0 0", path=path)

    case("car: hashes of several kinds")
    kinds = Car([
        Section(c.cid_of(c.RAW, c.sha2_512(ONE)), ONE),
        Section(c.cid_of(c.RAW, c.blake2b_256(ONE)), ONE),
        Section(c.identity(ONE), ONE),
        Section(c.cid_of(c.RAW, c.multihash(0x300001, bytes(32))), ONE),  # an unknown hash
        Section(c.cid_of(c.RAW, c.multihash(c.SHA2_256, c.sha2_256(ONE)[2:6])), ONE),  # too short
    ], [c.cid_v1(ONE)])  # fmt: skip
    path = car_file(kinds)
    step("car.inspect", f"1 1 5 0 {len(kinds.payload)}", path=path)
    step("car.verify", "5 2 0", path=path)

    case("car: a block with a wrong hash")
    wrong = Car([raw(ONE), Section(c.cid_v1(TWO), b"not the second block")])
    path = car_file(wrong)
    step("car.inspect", f"1 1 2 0 {len(wrong.payload)}", path=path)
    step("car.verify", "hashMismatch", path=path)
    step("error", wrong.places()[1].offset, field="offset")

    case("car: ends early")
    for cut in [PLAIN.payload[:-1], PLAIN.payload[: PLAIN.places()[3].offset + 1],
                PLAIN.header[:-1], PLAIN.payload[:1]]:
        path = car_file(cut)
        step("car.inspect", "truncated", path=path)
        step("car.verify", "truncated", path=path)
    step("car.inspect", "truncated", path=car_file(PLAIN.v2()[:-1]))
    step("car.inspect", "truncated", path=car_file(PLAIN.v2()[:40]))

    case("car: malformed")
    short = PLAIN.header + b"\x03\x01\x55\x12"
    for bad in [b"\x04abcd", short,
                PLAIN.header + c.varint(40) + b"\x02" + bytes(39),
                PLAIN.header + b"\xff" * 10]:
        path = car_file(bad)
        step("car.inspect", "malformedCAR", path=path)
    step("car.inspect", "malformedCAR", path=car_file(PLAIN.payload[: PLAIN.places()[1].offset] + short))

    case("car: an unknown version")
    step("car.inspect", "unsupportedVersion", path=car_file(c.header([c.cid_v1(ONE)], version=3)))
    step("car.inspect", "unsupportedVersion", path=car_file(b"\x0a\xa1\x67version\x03" + bytes(40)))

    case("car: no file")
    step("car.inspect", "mountGone", path="$DIR/cars/none.car")
    step("car.verify", "mountGone", path="$DIR/cars/none.car")

    case("car: an index that contradicts the sections")
    moved = Car([raw(ONE), raw(b"ONE")])
    lying = moved.index().replace(c.sha2_256(ONE)[2:], c.sha2_256(TWO)[2:])
    path = car_file(moved.v2(lying))
    step("car.inspect", f"2 1 2 {Car.V2_DATA_OFFSET} {len(moved.payload)}", path=path)
    step("car.verify", "malformedIndex", path=path)

    case("car: a length beyond the limit")
    step("car.inspect", "limitExceeded", path=car_file(PLAIN.header + c.varint(1 << 30) + bytes(64)))
    step("car.inspect", "limitExceeded", path=car_file(c.varint(1 << 30) + bytes(64)))


# ---- Reading a shard -----------------------------------------------------------------------------


def reading() -> None:
    T.comment("Reading a shard")

    case("read: a CARv1")
    open_store()
    register("a", PLAIN)
    info("a", "available", PLAIN)
    step("acquire", lease="l", key="a")
    info("a", "serving", PLAIN, leases=1)
    step("lease.key", "a", lease="l")
    step("lease.count", 4, lease="l")
    step("lease.roots", [text(root) for root in PLAIN.roots], lease="l")
    step("lease.sections", sections_text(PLAIN), lease="l")
    for section, place in zip(PLAIN.sections, PLAIN.places()):
        cid = text(section.cid)
        step("lease.contains", True, lease="l", cid=cid)
        step("lease.locate", locate_text(place), lease="l", cid=cid)
        step("lease.get", section.data, lease="l", cid=cid)
        step("lease.read", section.data, lease="l", cid=cid)
        step("lease.verified", section.data, lease="l", cid=cid)
        step("lease.offsets", place.offset, lease="l", cid=cid)
        step("get", section.data, cid=cid)
        step("has", True, cid=cid)
        step("size", len(section.data), cid=cid)
        step("find", f"a:{place.offset}:{place.block_offset}:{place.block_size}", cid=cid)
    step("release", lease="l")
    info("a", "available", PLAIN)
    close()

    case("read: a CARv2, whose payload begins later in the file")
    open_store()
    register("a", PLAIN.v2(PLAIN.index()))
    info("a", "available", PLAIN)
    step("acquire", lease="l", key="a")
    step("lease.sections", sections_text(PLAIN), lease="l")
    for section, place in zip(PLAIN.sections, PLAIN.places(Car.V2_DATA_OFFSET)):
        step("lease.locate", locate_text(place), lease="l", cid=text(section.cid))
        step("lease.get", section.data, lease="l", cid=text(section.cid))
    step("release", lease="l")
    close()

    case("read: CARv2 with other indexes")
    open_store()
    register("sorted", PLAIN.v2(PLAIN.index(c.INDEX_SORTED)))
    register("full", PLAIN.v2(PLAIN.index(), fully_indexed=True))
    register("none", PLAIN.v2())
    for number, key in enumerate(["sorted", "full", "none"]):
        info(key, "available", PLAIN)
        step("acquire", lease=f"l{number}", key=key)
        step("lease.get_many", [s.data for s in PLAIN.sections], lease=f"l{number}",
             cids=[text(s.cid) for s in PLAIN.sections])
        step("release", lease=f"l{number}")
    close()

    case("read: blocks that are not there")
    open_store()
    register("a", PLAIN)
    step("acquire", lease="l", key="a")
    step("lease.contains", False, lease="l", cid=ABSENT)
    for op in ["locate", "get", "read", "verified", "offsets"]:
        step(f"lease.{op}", "blockNotFound", lease="l", cid=ABSENT)
    step("error", "-", field="offset")
    step("release", lease="l")
    step("get", "blockNotFound", cid=ABSENT)
    step("has", False, cid=ABSENT)
    step("size", "blockNotFound", cid=ABSENT)
    step("find", "-", cid=ABSENT)
    step("holders", "-", multihash=c.sha2_256(b"in no shard"))
    close()

    case("read: the multihash decides, not the version or codec")
    open_store()
    register("a", PLAIN)
    step("acquire", lease="l", key="a")
    for cid in [c.cid_v0(ONE), c.cid_v1(ONE, c.DAG_CBOR), c.cid_v1(ONE, c.DAG_PB)]:
        step("lease.get", ONE, lease="l", cid=text(cid))
        step("lease.verified", ONE, lease="l", cid=text(cid))
        step("get", ONE, cid=text(cid))
    step("lease.get", TWO, lease="l", cid=text(c.cid_v1(TWO)))
    step("lease.get", "blockNotFound", lease="l", cid=text(c.cid_of(c.RAW, c.sha2_512(ONE))))
    step("release", lease="l")
    close()

    case("read: identity CIDs")
    open_store()
    inline = Car([raw(ONE), Section(c.identity(b"inside"), b"inside")])
    register("a", inline)
    step("acquire", lease="l", key="a")
    step("lease.count", 2, lease="l")
    step("lease.sections", sections_text(inline), lease="l")
    for data in [b"inside", b"in no section", b""]:
        step("lease.contains", True, lease="l", cid=text(c.identity(data)))
        step("lease.get", data, lease="l", cid=text(c.identity(data)))
        step("lease.read", data, lease="l", cid=text(c.identity(data)))
        step("lease.verified", data, lease="l", cid=text(c.identity(data)))
    step("lease.offsets", "blockNotFound", lease="l", cid=text(c.identity(b"in no section")))
    step("release", lease="l")
    close()

    case("read: an empty block")
    open_store()
    empty = Car([raw(b""), raw(ONE)])
    register("a", empty)
    step("acquire", lease="l", key="a")
    step("lease.locate", locate_text(empty.places()[0]), lease="l", cid=text(c.cid_v1(b"")))
    for op in ["get", "read", "verified"]:
        step(f"lease.{op}", "", lease="l", cid=text(c.cid_v1(b"")))
    step("lease.get_many", ["-", ONE, "-"], lease="l",
         cids=[text(c.cid_v1(b"")), text(c.cid_v1(ONE)), text(c.cid_v1(b""))])
    step("lease.read_many", ["-", ONE], lease="l", cids=[text(c.cid_v1(b"")), text(c.cid_v1(ONE))])
    step("release", lease="l")
    step("size", 0, cid=text(c.cid_v1(b"")))
    step("get", "", cid=text(c.cid_v1(b"")))
    close()

    case("read: repeated sections")
    open_store()
    twice = Car([raw(ONE), v0(TWO), raw(ONE), cbor(CBOR), v0(ONE), raw(TWO)])
    places = twice.places()
    register("a", twice)
    step("acquire", lease="l", key="a")
    step("lease.count", 6, lease="l")
    step("lease.sections", sections_text(twice), lease="l")
    step("lease.offsets", [places[i].offset for i in (0, 2, 4)], lease="l", cid=text(c.cid_v1(ONE)))
    step("lease.offsets", [places[i].offset for i in (1, 5)], lease="l", cid=text(c.cid_v0(TWO)))
    step("lease.locate", locate_text(places[0]), lease="l", cid=text(c.cid_v0(ONE)))
    step("release", lease="l")
    step("statistics", 6, fields="blocks")
    step("multihashes", [c.multihash_of(s.cid) for s in twice.sections], key="a")
    step("multihash.offsets", [p.offset for p in places], key="a")
    close()

    case("read: a batch of hits and misses")
    open_store()
    register("a", PLAIN)
    step("acquire", lease="l", key="a")
    mixed = [text(c.cid_v1(THREE)), ABSENT, text(c.cid_v1(ONE)), text(c.identity(b"i")), ABSENT,
             text(c.cid_v1(THREE)), text(c.cid_v0(TWO))]
    expected = [THREE, "blockNotFound", ONE, b"i", "blockNotFound", THREE, TWO]
    for op in ["get_many", "read_many"]:
        step(f"lease.{op}", expected, lease="l", cids=mixed)
        step(f"lease.{op}", "-", lease="l", cids="")
        step(f"lease.{op}", ["invalidCID", ONE], lease="l", cids=["0x01", text(c.cid_v1(ONE))])
    step("release", lease="l")
    close()

    case("read: a header alone")
    open_store()
    alone = Car([], [c.cid_v0(TWO), c.cid_v1(ONE)])
    register("a", alone)
    info("a", "available", alone)
    step("acquire", lease="l", key="a")
    step("lease.count", 0, lease="l")
    step("lease.roots", [text(root) for root in alone.roots], lease="l")
    step("lease.sections", "-", lease="l")
    step("lease.get", "blockNotFound", lease="l", cid=text(c.cid_v1(ONE)))
    step("release", lease="l")
    step("multihashes", "-", key="a")
    close()

    case("read: null padding ends the data")
    open_store()
    register("a", PLAIN.payload + bytes(77))
    step("acquire", lease="l", key="a")
    step("lease.sections", sections_text(PLAIN), lease="l")
    step("lease.get", THREE, lease="l", cid=text(c.cid_v1(THREE)))
    step("release", lease="l")
    close()

    case("read: null padding refused")
    open_store("refusesNullPadding")
    register("a", PLAIN.payload + bytes(77), "malformedCAR")
    step("error", len(PLAIN.payload), field="offset")
    step("error", "a", field="shard")
    register("b", PLAIN)
    step("get", ONE, cid=text(c.cid_v1(ONE)))
    close()

    case("read: without a mapping")
    open_store("unmapped")
    register("a", PLAIN.v2())
    step("acquire", lease="l", key="a")
    for section in PLAIN.sections:
        step("lease.get", section.data, lease="l", cid=text(section.cid))
        step("lease.read", section.data, lease="l", cid=text(section.cid))
        step("lease.verified", section.data, lease="l", cid=text(section.cid))
    step("lease.get_many", [s.data for s in PLAIN.sections], lease="l",
         cids=[text(s.cid) for s in PLAIN.sections])
    step("lease.read_many", [s.data for s in PLAIN.sections], lease="l",
         cids=[text(s.cid) for s in PLAIN.sections])
    step("release", lease="l")
    close()

    case("read: a block with a wrong hash")
    open_store()
    wrong = Car([Section(c.cid_v1(ONE), b"two"), raw(TWO)])
    register("a", wrong)
    step("acquire", lease="l", key="a")
    step("lease.get", b"two", lease="l", cid=text(c.cid_v1(ONE)))
    step("lease.read", b"two", lease="l", cid=text(c.cid_v1(ONE)))
    step("lease.verified", "hashMismatch", lease="l", cid=text(c.cid_v1(ONE)))
    step("lease.verified", TWO, lease="l", cid=text(c.cid_v1(TWO)))
    step("release", lease="l")
    step("check", "sound 0")
    step("check", "unsound 1", flags="deep")
    close()

    case("read: hashes that prove nothing")
    open_store()
    unknown = c.cid_of(c.RAW, c.multihash(0x300001, bytes(range(32))))
    short = c.cid_of(c.RAW, c.multihash(c.SHA2_256, c.sha2_256(ONE)[2:6]))
    strong = c.cid_of(c.RAW, c.blake2b_256(ONE))
    register("a", Car([Section(unknown, TWO), Section(short, ONE), Section(strong, ONE)]))
    step("acquire", lease="l", key="a")
    step("lease.get", TWO, lease="l", cid=text(unknown))
    step("lease.verified", "unsupportedHash", lease="l", cid=text(unknown))
    step("lease.get", ONE, lease="l", cid=text(short))
    step("lease.verified", "unsupportedHash", lease="l", cid=text(short))
    step("lease.verified", ONE, lease="l", cid=text(strong))
    step("release", lease="l")
    step("check", "sound 0", flags="deep")
    close()

    case("read: CIDs that are none")
    open_store()
    register("a", PLAIN)
    step("acquire", lease="l", key="a")
    for cid in ["0x", "0x01", "0x" + c.cid_v1(ONE).hex() + "00", "no-cid"]:
        for op in ["contains", "locate", "get", "read", "verified", "offsets"]:
            step(f"lease.{op}", "invalidCID", lease="l", cid=cid)
        for op in ["get", "has", "size", "find"]:
            step(op, "invalidCID", cid=cid)
    step("holders", "invalidCID", multihash=c.sha2_256(ONE)[:-1])
    step("holders", "invalidCID", multihash="")
    step("release", lease="l")
    close()


# ---- The life of a shard -------------------------------------------------------------------------


def life() -> None:
    T.comment("The life of a shard")

    case("life: keys")
    open_store()
    longest = "k" * 480
    odd = ["with space", "a/b:c%d\\\"e", "\u043a\u043b\u044e\u0447", "tab\tnew\nline", longest]
    path = register("a", PLAIN)
    for key in odd:
        step("register", key=key, url=f"file://{path}")
        step("state", "available", key=key)
    for key in ["", longest + "k"]:
        step("register", "invalidKey", key=key, url=f"file://{path}")
        step("state", "invalidKey", key=key)
    step("shards", ["a", *odd])
    step("holders", ["a", *odd], multihash=c.sha2_256(ONE))
    close()

    case("life: a percent sign in a path")
    open_store()
    car_file(PLAIN, "100%.car")
    step("register", key="a", url="file://$DIR/cars/100%25.car")
    step("get", ONE, cid=text(c.cid_v1(ONE)))
    close()

    case("life: an unknown scheme")
    open_store()
    step("register", "unknownScheme", key="a", url="nobody://place/x.car")
    step("state", "none", key="a")
    step("shards", "-")
    close()

    case("life: a key that is taken")
    open_store()
    path = register("a", PLAIN)
    step("register", "shardExists", key="a", url=f"file://{path}")
    register("a", OTHER, "shardExists")
    register("a", OTHER, "shardExists", how="lazy")
    register("a", OTHER, "shardExists", how="background")
    step("error", "a", field="shard")
    info("a", "available", PLAIN)
    close()

    case("life: a key that no shard has")
    open_store()
    step("state", "none", key="a")
    step("acquire", "shardUnknown", lease="l", key="a")
    for op in ["info", "initialize", "recover", "destroy", "multihashes", "multihash.offsets"]:
        step(op, "shardUnknown", key="a")
    step("relocate", "shardUnknown", key="a", url=f"file://{path}")
    step("policy", "shardUnknown", key="a", policy="remote")
    close()

    case("life: a shard with leases stays")
    open_store()
    register("a", PLAIN)
    step("acquire", lease="one", key="a")
    step("acquire", lease="two", key="a")
    info("a", "serving", PLAIN, leases=2)
    step("statistics", 2, fields="leases")
    step("destroy", "shardInUse", key="a")
    step("release", lease="one")
    step("destroy", "shardInUse", key="a")
    step("lease.get", ONE, lease="two", cid=text(c.cid_v1(ONE)))
    step("release", lease="two")
    step("destroy", key="a")
    step("state", "none", key="a")
    close()

    case("life: destroyed, and registered again")
    open_store()
    path = register("a", PLAIN)
    step("destroy", key="a")
    step("destroy", "shardUnknown", key="a")
    step("has", False, cid=text(c.cid_v1(ONE)))
    step("get", "blockNotFound", cid=text(c.cid_v1(ONE)))
    step("holders", "-", multihash=c.sha2_256(ONE))
    step("car.verify", "4 0 0", path=path)
    step("register", key="a", url=f"file://{path}")
    step("get", ONE, cid=text(c.cid_v1(ONE)))
    close()

    case("life: lazy")
    open_store()
    register("a", PLAIN, how="lazy")
    step("state", "registered", key="a")
    info("a", "registered", None)
    step("has", False, cid=text(c.cid_v1(ONE)))
    step("acquire", lease="l", key="a")
    step("state", "serving", key="a")
    step("lease.get", ONE, lease="l", cid=text(c.cid_v1(ONE)))
    step("release", lease="l")
    step("has", True, cid=text(c.cid_v1(ONE)))
    close()

    case("life: a deadline that has passed")
    open_store()
    register("a", PLAIN, how="lazy")
    step("acquire", "deadlineExceeded", lease="l", key="a", timeout=0)
    step("state", "registered", key="a")
    step("acquire", lease="l", key="a", timeout=60_000)
    step("acquire", lease="m", key="a", timeout=0)
    step("release", lease="m")
    step("release", lease="l")
    close()

    case("life: lazy, across a restart")
    path = open_store()
    register("a", PLAIN, how="lazy")
    close()
    reopen(path)
    step("state", "registered", key="a")
    step("initialize", key="a")
    step("initialize", key="a")
    info("a", "available", PLAIN)
    close()

    case("life: in the background")
    open_store()
    register("a", PLAIN, how="background")
    step("wait", key="a", state="available")
    info("a", "available", PLAIN)
    close()

    case("life: in the background, without a source")
    open_store()
    step("register", key="a", url="file://$DIR/cars/none.car", how="background")
    step("wait", key="a", state="failed")
    info("a", "failed", None, error="mountGone")
    step("recover", "mountGone", key="a")
    close()

    case("life: a lazy shard without a source")
    open_store()
    step("register", key="a", url="file://$DIR/cars/none.car", how="lazy")
    step("initialize", "mountGone", key="a")
    info("a", "failed", None, error="mountGone")
    step("initialize", "mountGone", key="a")
    close()

    case("life: a source that comes late")
    store = open_store()
    step("register", "mountGone", key="a", url="file://$DIR/cars/late.car")
    step("error", "a", field="shard")
    info("a", "failed", None, error="mountGone")
    step("shards", "a")
    step("register", "shardExists", key="a", url="file://$DIR/cars/late.car")
    step("acquire", "mountGone", lease="l", key="a")
    close()
    reopen(store)
    step("state", "failed", key="a")
    step("recover", "mountGone", key="a")
    car_file(PLAIN, "late.car")
    step("acquire", "mountGone", lease="l", key="a")
    step("recover", key="a")
    info("a", "available", PLAIN)
    step("recover", "notFailed", key="a")
    close()
    reopen(store)
    info("a", "available", PLAIN)
    step("get", ONE, cid=text(c.cid_v1(ONE)))
    close()

    case("life: CARs that cannot be indexed, and are mended")
    store = open_store()
    offset = PLAIN.places()[1].offset
    broken = {
        "malformedCAR": PLAIN.payload[:offset] + b"\x03\x01\x55\x12",
        "truncated": PLAIN.payload[:-1],
        "unsupportedVersion": c.header([c.cid_v1(ONE)], version=3),
        "limitExceeded": PLAIN.header + c.varint(1 << 30) + bytes(64),
    }
    for code, data in broken.items():
        car_file(data, f"{code}.car")
        step("register", code, key=code, url=f"file://$DIR/cars/{code}.car")
        step("error", code, field="shard")
        info(code, "failed", None, error=code)
        step("acquire", code, lease="l", key=code)
        step("multihashes", "shardFailed", key=code)
    step("statistics", "4 0 4 0", fields="shards available failed blocks")
    close()
    reopen(store)
    for code in broken:
        info(code, "failed", None, error=code)
        step("recover", code, key=code)
        car_file(PLAIN, f"{code}.car")
        step("recover", key=code)
        info(code, "available", PLAIN)
    step("holders", list(broken), multihash=c.sha2_256(ONE))
    close()

    case("life: a failed shard, destroyed")
    open_store()
    register("a", PLAIN.payload[:-1], "truncated")
    step("destroy", key="a")
    register("a", PLAIN)
    step("get", ONE, cid=text(c.cid_v1(ONE)))
    close()

    case("life: moved to another copy")
    store = open_store()
    path = register("a", PLAIN)
    copy = car_file(PLAIN, "moved/copy.car")
    step("relocate", key="a", url=f"file://{copy}")
    step("remove", path=path)
    close()
    reopen(store)
    step("acquire", lease="l", key="a")
    step("lease.get", ONE, lease="l", cid=text(c.cid_v1(ONE)))
    step("release", lease="l")
    close()

    case("life: moved to bytes that differ, or to none")
    open_store()
    register("a", PLAIN)
    step("relocate", "sourceChanged", key="a", url=f"file://{car_file(OTHER)}")
    step("relocate", "mountGone", key="a", url="file://$DIR/cars/none.car")
    step("relocate", "unknownScheme", key="a", url="nobody://place/x.car")
    info("a", "available", PLAIN)
    step("get", ONE, cid=text(c.cid_v1(ONE)))
    close()

    case("life: the source changes")
    store = open_store()
    path = register("a", PLAIN)
    close()
    car_file(OTHER, path.rsplit("/", 1)[1])
    reopen(store)
    step("acquire", "sourceChanged", lease="l", key="a")
    step("state", "failed", key="a")
    step("acquire", "sourceChanged", lease="l", key="a")
    step("recover", key="a")
    info("a", "available", OTHER)
    step("has", False, cid=text(c.cid_v1(ONE)))
    step("get", b"bytes", cid=text(c.cid_v1(b"bytes")))
    close()

    case("life: the source changes, and the shard moves to a good copy")
    store = open_store()
    path = register("a", PLAIN)
    close()
    step("truncate", path=path, size=len(PLAIN.payload) - 1)
    reopen(store)
    step("acquire", "sourceChanged", lease="l", key="a")
    step("state", "failed", key="a")
    step("relocate", key="a", url=f"file://{car_file(PLAIN)}")
    info("a", "available", PLAIN)
    step("get", THREE, cid=text(c.cid_v1(THREE)))
    close()

    case("life: the source is away for a while")
    store = open_store()
    path = register("a", PLAIN)
    close()
    step("remove", path=path)
    reopen(store)
    step("acquire", "mountGone", lease="l", key="a")
    step("state", "available", key="a")
    step("has", True, cid=text(c.cid_v1(ONE)))
    step("get", "mountGone", cid=text(c.cid_v1(ONE)))
    close()


# ---- All shards ----------------------------------------------------------------------------------


def all_shards() -> None:
    T.comment("All shards of a store")

    first = Car([raw(ONE), raw(b"only in the first")])
    second = Car([raw(b"only in the second"), v0(ONE)])
    third = Car([cbor(CBOR), raw(THREE), cbor(ONE)])
    keys = ["c", "a", "b"]  # in order of registration, not of the alphabet
    cars = [first, second, third]

    def places(number: int, sections: Sequence[int]) -> List[str]:
        return [f"{keys[number]}:{p.offset}:{p.block_offset}:{p.block_size}"
                for p in [cars[number].places()[at] for at in sections]]

    case("all: a block in three shards")
    store = open_store()
    for key, car in zip(keys, cars):
        register(key, car)
    everywhere = [*places(0, [0]), *places(1, [1]), *places(2, [2])]
    for _ in range(2):
        step("shards", keys)
        step("holders", keys, multihash=c.sha2_256(ONE))
        step("find", everywhere, cid=text(c.cid_v1(ONE)))
        step("find", everywhere, cid=text(c.cid_v0(ONE)))
        step("holders", "a", multihash=c.sha2_256(b"only in the second"))
        step("get", b"only in the second", cid=text(c.cid_v1(b"only in the second")))
        step("size", len(THREE), cid=text(c.cid_v0(THREE)))
        close()
        reopen(store)
    step("destroy", key="c")
    step("holders", ["a", "b"], multihash=c.sha2_256(ONE))
    step("get", ONE, cid=text(c.cid_v1(ONE)))
    step("destroy", key="a")
    step("holders", "b", multihash=c.sha2_256(ONE))
    step("get", ONE, cid=text(c.cid_v1(ONE)))
    step("destroy", key="b")
    step("holders", "-", multihash=c.sha2_256(ONE))
    step("get", "blockNotFound", cid=text(c.cid_v1(ONE)))
    step("shards", "-")
    close()

    case("all: another shard answers for one whose source is away")
    store = open_store()
    path = register("a", PLAIN)
    register("b", PLAIN)
    close()
    step("remove", path=path)
    reopen(store)
    step("acquire", "mountGone", lease="l", key="a")
    step("get", ONE, cid=text(c.cid_v1(ONE)))
    step("holders", ["a", "b"], multihash=c.sha2_256(ONE))
    close()

    case("all: counts")
    open_store()
    step("statistics", "0 0 0 0 0", fields="shards available failed blocks leases")
    register("a", PLAIN)
    register("b", OTHER)
    register("c", OTHER, how="lazy")
    register("d", PLAIN.payload[:-1], "truncated")
    step("acquire", lease="l", key="a")
    step("statistics", "4 2 1 6 1", fields="shards available failed blocks leases")
    step("statistics", f"{len(PLAIN.payload) + len(OTHER.payload)} 0", fields="payloadBytes transients")
    step("release", lease="l")
    step("statistics", "0 4", fields="leases shards")
    close()

    case("all: the multihashes of a shard")
    store = open_store()
    register("a", PLAIN)
    register("lazy", OTHER, how="lazy")
    hashes = [c.multihash_of(s.cid) for s in PLAIN.sections]
    step("multihashes", hashes, key="a")
    for after in range(5):
        step("multihashes", hashes[after:], key="a", after=after)
    step("multihash.offsets", [p.offset for p in PLAIN.places()], key="a")
    step("multihashes", "shardFailed", key="lazy")
    close()
    reopen(store)
    step("multihashes", hashes, key="a")
    close()

    case("all: a check")
    store = open_store()
    register("a", PLAIN)
    path = register("b", OTHER)
    for flags in ["", "deep", "repair", "deep repair"]:
        step("check", "sound 0", flags=flags)
    close()
    step("remove", path=path)
    reopen(store)
    step("check", "unsound 1")
    close()


# ---- Stores --------------------------------------------------------------------------------------


def stores() -> None:
    T.comment("Stores")

    case("store: a restart keeps everything")
    store = open_store()
    register("a", PLAIN)
    register("b", OTHER.v2())
    for _ in range(3):
        close()
        reopen(store)
        step("shards", ["a", "b"])
        info("a", "available", PLAIN)
        info("b", "available", OTHER)
        step("get", b"bytes", cid=text(c.cid_v1(b"bytes")))
    close()

    case("store: opened twice")
    store = open_store()
    step("open", "catalogLocked", path=store)
    register("a", PLAIN)
    step("get", ONE, cid=text(c.cid_v1(ONE)))
    close()
    reopen(store)
    step("state", "available", key="a")
    close()

    case("store: read only")
    store = open_store()
    path = register("a", PLAIN)
    register("lazy", OTHER, how="lazy")
    register("failed", PLAIN.payload[:-1], "truncated")
    close()
    reopen(store, "readonly")
    step("register", "readOnly", key="b", url=f"file://{path}")
    step("destroy", "readOnly", key="a")
    step("relocate", "readOnly", key="a", url=f"file://{path}")
    step("policy", "readOnly", key="a", policy="copy")
    step("recover", "readOnly", key="failed")
    step("collect", "readOnly", quota=0)
    step("check", "readOnly", flags="repair")
    step("shards", ["a", "lazy", "failed"])
    info("a", "available", PLAIN)
    step("get", ONE, cid=text(c.cid_v1(ONE)))
    step("acquire", lease="l", key="a")
    step("lease.get", THREE, lease="l", cid=text(c.cid_v1(THREE)))
    step("release", lease="l")
    step("check", "sound 0")
    close()
    reopen(store)
    step("shards", ["a", "lazy", "failed"])
    close()

    case("store: leaves interrupted jobs")
    store = open_store("leavesInterrupted")
    register("a", PLAIN, how="lazy")
    close()
    reopen(store, "leavesInterrupted")
    step("state", "registered", key="a")
    step("initialize", key="a")
    step("state", "available", key="a")
    close()

    case("store: used after its end")
    store = open_store()
    path = register("a", PLAIN)
    step("acquire", lease="l", key="a")
    step("shutdown")
    step("register", "closed", key="b", url=f"file://{path}")
    step("acquire", "closed", lease="m", key="a")
    step("state", "closed", key="a")
    step("get", "closed", cid=text(c.cid_v1(ONE)))
    step("has", "closed", cid=text(c.cid_v1(ONE)))
    step("holders", "closed", multihash=c.sha2_256(ONE))
    step("destroy", "closed", key="a")
    step("shards", "closed")
    step("check", "closed")
    step("lease.get", ONE, lease="l", cid=text(c.cid_v1(ONE)))
    step("lease.count", 4, lease="l")
    step("shutdown")
    close()
    step("lease.get", THREE, lease="l", cid=text(c.cid_v1(THREE)))
    step("release", lease="l")
    reopen(store)
    info("a", "available", PLAIN)
    close()

    case("store: policies")
    open_store()
    register("a", PLAIN)
    for policy in ["remote", "cache", "copy", "automatic"]:
        step("policy", key="a", policy=policy)
        step("get", ONE, cid=text(c.cid_v1(ONE)))
    step("statistics", 0, fields="transients")
    close()


# ---- Mounts --------------------------------------------------------------------------------------


def mounts() -> None:
    T.comment("Mounts that the runner supplies, and the store's own copies")

    case("mount: sequential, with a copy that is collected")
    store = open_store()
    path = register("a", PLAIN, scheme="sequential")
    info("a", "available", PLAIN)
    step("statistics", 1, fields="transients")
    step("acquire", lease="l", key="a")
    step("lease.sections", sections_text(PLAIN), lease="l")
    step("lease.get", ONE, lease="l", cid=text(c.cid_v1(ONE)))
    step("collect", "0 0 1 0", quota=0)
    step("release", lease="l")
    # A collection directly after a release may still find the copy in use.
    close()
    reopen(store)
    step("collect", "0 1 0 0", quota=1 << 30)
    step("collect", "1 0 0 0", quota=0)
    step("collect", "0 0 0 0", quota=0)
    step("statistics", 0, fields="transients")
    step("state", "available", key="a")
    step("acquire", lease="l", key="a")
    step("lease.get", THREE, lease="l", cid=text(c.cid_v1(THREE)))
    step("release", lease="l")
    step("statistics", 1, fields="transients")
    close()
    reopen(store)
    step("collect", "1 0 0 0", quota=0)
    step("remove", path=path)
    step("acquire", "mountGone", lease="l", key="a")
    step("state", "available", key="a")
    close()

    case("mount: sequential, with other bytes after a collection")
    open_store()
    path = register("a", PLAIN, scheme="sequential")
    step("collect", "1 0 0 0", quota=0)
    car_file(OTHER, path.rsplit("/", 1)[1])
    step("acquire", "sourceChanged", lease="l", key="a")
    step("state", "failed", key="a")
    step("recover", key="a")
    info("a", "available", OTHER)
    close()

    case("mount: random, read in place")
    store = open_store()
    register("a", PLAIN.v2(PLAIN.index()), scheme="random")
    step("acquire", lease="l", key="a")
    for section, place in zip(PLAIN.sections, PLAIN.places(Car.V2_DATA_OFFSET)):
        step("lease.locate", locate_text(place), lease="l", cid=text(section.cid))
        step("lease.get", section.data, lease="l", cid=text(section.cid))
        step("lease.read", section.data, lease="l", cid=text(section.cid))
    step("lease.get_many", [s.data for s in PLAIN.sections], lease="l",
         cids=[text(s.cid) for s in PLAIN.sections])
    step("release", lease="l")
    step("statistics", 0, fields="transients")
    close()
    reopen(store)
    step("get", TWO, cid=text(c.cid_v0(TWO)))
    close()

    case("mount: no source")
    open_store()
    for scheme in ["sequential", "random"]:
        step("register", "mountGone", key=scheme, url=f"{scheme}://$DIR/cars/none.car")
        info(scheme, "failed", None, error="mountGone")
    close()

    case("mount: from a file to a mount and back")
    open_store()
    path = register("a", PLAIN)
    for scheme in ["random", "sequential", "file"]:
        step("relocate", key="a", url=f"{scheme}://{path}")
        step("acquire", lease="l", key="a")
        step("lease.get", ONE, lease="l", cid=text(c.cid_v1(ONE)))
        step("release", lease="l")
    other = car_file(OTHER)
    step("relocate", "sourceChanged", key="a", url=f"random://{other}")
    step("relocate", "sourceChanged", key="a", url=f"sequential://{other}")
    info("a", "available", PLAIN)
    close()


def main() -> None:
    T.out.write("# The conformance table of the C interface; make_cases.py writes it. README.md explains it.\n")
    for part in (cids, cars, reading, life, all_shards, stores, mounts):
        part()
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "cases.jsonl"), "w", encoding="utf-8", newline="\n") as file:
        file.write(T.out.getvalue())


if __name__ == "__main__":
    main()
