"""Registers a CAR, reads and verifies every block, and shows what errors look like.

    LD_LIBRARY_PATH=$PREFIX/lib python3 example.py STORE_DIRECTORY /absolute/path/of/some.car
"""

import ctypes
import sys
from ctypes import POINTER, byref, c_bool, c_char_p, c_int32, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p

DONE, SHARD_UNKNOWN, INVALID_CID, SHARD_EXISTS = 1, -1, -12, -16
ABI_VERSION = 1

library = ctypes.CDLL("libdagstore.so.1")


class Bytes(ctypes.Structure):
    _fields_ = [("data", POINTER(c_uint8)), ("size", c_size_t)]

    def __bytes__(self):
        return ctypes.string_at(self.data, self.size)


class Entry(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("reserved", c_uint32), ("cid", Bytes), ("offset", c_uint64),
                ("block_offset", c_uint64), ("block_size", c_uint64)]


class Location(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("reserved", c_uint32), ("offset", c_uint64),
                ("block_offset", c_uint64), ("block_size", c_uint64)]


class Place(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("reserved", c_uint32), ("key", c_char_p), ("offset", c_uint64),
                ("block_offset", c_uint64), ("block_size", c_uint64)]


class Error(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.name = library.dagstore_status_name(status).decode()
        self.status = status


def declare(name, result, *arguments):
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments
    return function


def failing(name, *arguments):
    """Wraps a function whose last argument receives its error into one that raises it."""
    function = declare(name, c_int32, *arguments, POINTER(c_void_p))

    def call(*values):
        error = c_void_p()
        status = function(*values, byref(error))
        if status >= 0:
            return status
        message = library.dagstore_error_message(error).decode()
        library.dagstore_error_release(error)
        raise Error(status, message)

    return call


handle = POINTER(c_void_p)
declare("dagstore_status_name", c_char_p, c_int32)
declare("dagstore_error_message", c_char_p, c_void_p)
declare("dagstore_error_release", None, c_void_p)
abi_version = declare("dagstore_abi_version", c_uint32)
live_handles = declare("dagstore_live_handles", c_uint64)
open_store = failing("dagstore_open", c_char_p, c_void_p, handle)
close_store = declare("dagstore_close", None, c_void_p)
register = failing("dagstore_register", c_void_p, c_char_p, c_char_p, c_uint32)
destroy = failing("dagstore_destroy", c_void_p, c_char_p)
acquire = failing("dagstore_acquire", c_void_p, c_char_p, c_uint32, handle)
release_shard = declare("dagstore_shard_release", None, c_void_p)
block_count = declare("dagstore_shard_block_count", c_uint64, c_void_p)
root_count = declare("dagstore_shard_root_count", c_size_t, c_void_p)
shard_root = failing("dagstore_shard_root", c_void_p, c_size_t, c_char_p, c_size_t, POINTER(c_size_t))
shard_get = failing("dagstore_shard_get", c_void_p, c_char_p, c_size_t, handle)
shard_read = failing("dagstore_shard_read", c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, POINTER(c_size_t))
locate = failing("dagstore_shard_locate", c_void_p, c_char_p, c_size_t, POINTER(Location))
block_bytes = declare("dagstore_block_bytes", Bytes, c_void_p)
verified = failing("dagstore_block_verified", c_void_p, c_char_p, c_size_t, handle)
release_block = declare("dagstore_block_release", None, c_void_p)
open_entries = failing("dagstore_entries_open", c_void_p, handle)
next_entry = failing("dagstore_entries_next", c_void_p, POINTER(Entry))
close_entries = declare("dagstore_entries_close", None, c_void_p)
get = failing("dagstore_get", c_void_p, c_char_p, c_size_t, c_uint32, handle)
find = failing("dagstore_find", c_void_p, c_char_p, c_size_t, handle)
next_place = failing("dagstore_places_next", c_void_p, POINTER(Place))
close_places = declare("dagstore_places_close", None, c_void_p)
cid_parse = failing("dagstore_cid_parse", c_char_p, c_char_p, c_size_t, POINTER(c_size_t))
cid_format = failing("dagstore_cid_format", c_char_p, c_size_t, c_char_p, c_size_t, POINTER(c_size_t))


def take(block):
    """Copies the bytes of a block, and releases the block."""
    content = bytes(block_bytes(block))
    release_block(block)
    return content


def walk(shard):
    entries, count, total = c_void_p(), 0, 0
    open_entries(shard, byref(entries))
    entry = Entry(size=ctypes.sizeof(Entry))
    while next_entry(entries, byref(entry)) != DONE:
        cid, block, checked = bytes(entry.cid), c_void_p(), c_void_p()
        shard_get(shard, cid, len(cid), byref(block))
        verified(block, cid, len(cid), byref(checked))
        total += len(take(checked))
        count += 1
        release_block(block)
    close_entries(entries)
    print(f"walked {count} entries, {total} bytes, verified")


def look(store, shard, cid):
    location = Location(size=ctypes.sizeof(Location))
    locate(shard, cid, len(cid), byref(location))
    size, buffer = c_size_t(), ctypes.create_string_buffer(max(1, location.block_size))
    shard_read(shard, cid, len(cid), buffer, location.block_size, byref(size))

    block = c_void_p()
    get(store, cid, len(cid), 0, byref(block))
    assert take(block) == buffer.raw[: size.value]

    places, place = c_void_p(), Place(size=ctypes.sizeof(Place))
    find(store, cid, len(cid), byref(places))
    next_place(places, byref(place))
    text = ctypes.create_string_buffer(256)
    cid_format(cid, len(cid), text, len(text), byref(c_size_t()))
    print(f"root {text.value.decode()} at {location.offset}, {size.value} bytes, in {place.key.decode()}")
    close_places(places)


def expect(status, call):
    try:
        call()
    except Error as error:
        assert error.status == status and str(error)
        print("error", error.name)
    else:
        sys.exit("no error")


def main(directory, car):
    assert abi_version() == ABI_VERSION
    store, shard = c_void_p(), c_void_p()
    open_store(directory.encode(), None, byref(store))
    url = b"file://" + car.encode()
    register(store, b"example", url, 0)
    acquire(store, b"example", 10000, byref(shard))
    print("blocks", block_count(shard))
    walk(shard)
    for index in range(root_count(shard)):
        root, size = ctypes.create_string_buffer(96), c_size_t()
        shard_root(shard, index, root, len(root), byref(size))
        look(store, shard, root.raw[: size.value])

    expect(SHARD_UNKNOWN, lambda: acquire(store, b"nobody", 0, byref(c_void_p())))
    expect(INVALID_CID, lambda: cid_parse(b"not a CID", None, 0, byref(c_size_t())))
    expect(SHARD_EXISTS, lambda: register(store, b"example", url, 0))

    release_shard(shard)
    destroy(store, b"example")
    close_store(store)
    print(live_handles(), "handles left")


if __name__ == "__main__":
    main(*sys.argv[1:])
