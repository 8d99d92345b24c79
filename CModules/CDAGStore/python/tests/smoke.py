"""Reads a block with the installed wheel: python smoke.py STORE."""

import hashlib
import importlib.resources
import pathlib
import ssl
import sys

import dagstore

inside = pathlib.Path(str(importlib.resources.files("dagstore"))) / "_lib"
assert pathlib.Path(dagstore.library_path).parent == inside, dagstore.library_path
assert (inside.parent / "py.typed").exists()

data = b"a block"
cid = dagstore.CID.make(0x55, b"\x12\x20" + hashlib.sha256(data).digest())
header = b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00" + cid + b"\x67version\x01"
section = cid + data
car = pathlib.Path(sys.argv[1] + ".car").resolve()
car.write_bytes(bytes([len(header)]) + header + bytes([len(section)]) + section)

with dagstore.open(sys.argv[1]) as store:
    store.register("a", f"file://{car}")
    with store.acquire("a") as shard:
        assert shard.roots == [cid] and shard.view(cid) == data == shard.get(cid, verify=True)
assert dagstore.live_handles() == 0

# The wheel's copies of other libraries are its own: the interpreter keeps its libcrypto.
ssl.create_default_context()
loaded = {line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}
foreign = {path for path in loaded if path.startswith(str(inside))}
assert foreign == {str(path) for path in inside.glob("*.so*")}, foreign
print(f"smoke: libdagstore {dagstore.library_version} from the wheel reads a block")
