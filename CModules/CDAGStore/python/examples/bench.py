"""Measures reads of a shard: prints lines of a name and the nanoseconds a block.

python bench.py STORE KEY CIDFILE CIDSIZE

CIDFILE has binary CIDs of CIDSIZE bytes, one directly after the other. The program prints medians of
nine rounds over all of them:

copy     Shard.get
view     Shard.view, with the end of the view
batch    Shard.view_many of 256 CIDs, packed before
unpacked Shard.view_many of 256 CIDs, packed by the call
blocks   the same, with a view of every block
acquire  Store.acquire and Shard.release
holders  Store.holders of a multihash
"""

import sys
import time

import dagstore

ROUNDS = 9
BATCH = 256


def measure(name, items, count, call):
    """Prints the median time of a call for each of `items`, divided by the `count` of blocks."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        for item in items:
            call(item)
        times.append((time.perf_counter_ns() - start) / count)
    print(f"{name} {sorted(times)[ROUNDS // 2]:.1f}", flush=True)


def main():
    path, key, cid_file, cid_size = sys.argv[1:]
    size = int(cid_size)
    with open(cid_file, "rb") as file:
        cids = list(iter(lambda: file.read(size), b""))
    dagstore.install_mapping_guard()
    with dagstore.open(path) as store, store.acquire(key) as shard:
        measure("copy", cids, len(cids), shard.get)
        measure("view", cids, len(cids), shard.view)
        lists = [cids[at : at + BATCH] for at in range(0, len(cids), BATCH)]
        batches = [dagstore.CIDBatch(each) for each in lists]
        measure("batch", batches, len(cids), shard.view_many)
        measure("unpacked", lists, len(cids), shard.view_many)
        measure("blocks", batches, len(cids), lambda batch: list(shard.view_many(batch)))
        keys = [key] * min(len(cids), 20_000)
        measure("acquire", keys, len(keys), lambda each: store.acquire(each).release())
        multihashes = [dagstore.CID(cid).multihash for cid in cids[:20_000]]
        measure("holders", multihashes, len(multihashes), store.holders)


if __name__ == "__main__":
    main()
