"""The runner of the conformance table; ../../conformance/README.md explains it.

It runs under pytest, and as a program: `python tests/test_conformance.py`.
"""

import json
import os
import pathlib
import sys
import tempfile

import dagstore

TABLE = pathlib.Path(__file__).resolve().parents[2] / "conformance" / "cases.jsonl"

WAIT_SECONDS = 30


class FileMount(dagstore.Mount):
    def __init__(self, access):
        self.access = access

    def stat(self, url, key):
        return os.stat(url.partition("://")[2]).st_size

    def open(self, url, key):
        return open(url.partition("://")[2], "rb")


def joined(items):
    return " ".join(map(str, items)) or "-"


def cid_of(text):
    return bytes.fromhex(text[2:]) if text.startswith("0x") else dagstore.CID(text)


def seconds(step):
    return int(step["timeout"]) / 1000 if "timeout" in step else None


class Runner:
    """Runs the steps of the table against one store."""

    def __init__(self):
        self.store = None
        self.leases = {}
        self.error = None

    def result(self, step):
        """Runs a step, and returns its result as a text."""
        method = getattr(self, "do_" + step["op"].replace(".", "_"))
        try:
            result = method(step)
        except dagstore.Error as error:
            self.error = error
            return error.code
        if result is None:
            return "ok"
        if isinstance(result, bool):
            return str(result).lower()
        if isinstance(result, (bytes, memoryview)) and not isinstance(result, dagstore.CID):
            return result.hex()
        return str(result)

    def end(self):
        for lease in self.leases.values():
            lease.release()
        if self.store is not None:
            self.store.close()

    # Files

    def do_file(self, step):
        path = pathlib.Path(step["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_name(path.name + ".new")
        written.write_bytes(bytes.fromhex(step["hex"]))
        written.rename(path)

    def do_remove(self, step):
        os.remove(step["path"])

    def do_truncate(self, step):
        os.truncate(step["path"], int(step["size"]))

    # Stores

    def do_open(self, step):
        names = {
            "readonly": "read_only",
            "leavesInterrupted": "leaves_interrupted",
            "unmapped": "unmapped",
            "refusesNullPadding": "refuses_null_padding",
        }
        flags = {names[word]: True for word in step.get("flags", "").split()}
        mounts = {access: FileMount(access) for access in ("sequential", "random")}
        self.store = dagstore.open(step["path"], mounts=mounts, **flags)

    def do_shutdown(self, step):
        self.store.shutdown()

    def do_close(self, step):
        self.store.close()

    def do_shards(self, step):
        return joined(info.key for info in self.store.shards())

    def do_statistics(self, step):
        found = self.store.statistics()
        names = (word.replace("payloadBytes", "payload_bytes") for word in step["fields"].split())
        return joined(getattr(found, name) for name in names)

    def do_collect(self, step):
        found = self.store.collect_garbage(int(step["quota"]))
        assert len(found.copies) == found.removed + found.kept + found.in_use + found.failed
        return joined([found.removed, found.kept, found.in_use, found.failed])

    def do_check(self, step):
        found = self.store.check(**{word: True for word in step.get("flags", "").split()})
        return f"{'sound' if found.is_sound else 'unsound'} {len(found.problems)}"

    # Shards

    def do_register(self, step):
        how = {step["how"]: True} if "how" in step else {}
        self.store.register(step["key"], step["url"], **how)

    def do_initialize(self, step):
        self.store.initialize(step["key"])

    def do_recover(self, step):
        self.store.recover(step["key"])

    def do_destroy(self, step):
        self.store.destroy(step["key"])

    def do_relocate(self, step):
        self.store.relocate(step["key"], step["url"])

    def do_policy(self, step):
        self.store.set_policy(step["key"], step["policy"])

    def do_wait(self, step):
        key, state = step["key"], step["state"]
        with self.store.events() as events:
            while self.store.state(key) != state:
                try:
                    events.next(WAIT_SECONDS)
                except dagstore.DeadlineExceeded:
                    return self.store.state(key)
        return None

    def do_state(self, step):
        return self.store.state(step["key"])

    def do_info(self, step):
        found = self.store.info(step["key"])
        code = found.error_code or "ok"
        return joined([found.state, found.block_count, found.payload_size, found.references, code])

    def do_multihashes(self, step):
        cursor = None
        if "after" in step:
            with self.store.multihashes(step["key"]) as multihashes:
                for _ in range(int(step["after"])):
                    next(multihashes)
                cursor = multihashes.cursor
            if cursor == "":
                return "-"
        with self.store.multihashes(step["key"], cursor) as multihashes:
            return joined(multihash.hex() for multihash in multihashes)

    def do_multihash_offsets(self, step):
        with self.store.multihashes(step["key"]) as multihashes:
            return joined(offset for _, offset in multihashes.sections())

    # Leases

    def do_acquire(self, step):
        self.leases[step["lease"]] = self.store.acquire(step["key"], seconds(step))

    def do_release(self, step):
        self.leases.pop(step["lease"]).release()

    def do_lease_key(self, step):
        return self.leases[step["lease"]].key

    def do_lease_count(self, step):
        return len(self.leases[step["lease"]])

    def do_lease_roots(self, step):
        return joined(self.leases[step["lease"]].roots)

    def do_lease_contains(self, step):
        return cid_of(step["cid"]) in self.leases[step["lease"]]

    def do_lease_locate(self, step):
        return joined(self.leases[step["lease"]].locate(cid_of(step["cid"])))

    def do_lease_get(self, step):
        return self.leases[step["lease"]].view(cid_of(step["cid"]))

    def do_lease_read(self, step):
        return self.leases[step["lease"]].get(cid_of(step["cid"]))

    def do_lease_verified(self, step):
        return self.leases[step["lease"]].get(cid_of(step["cid"]), verify=True)

    def do_lease_get_many(self, step):
        return self.batch(step, "view_many")

    def do_lease_read_many(self, step):
        return self.batch(step, "read_many")

    def batch(self, step, name):
        cids = [cid_of(text) for text in step["cids"].split()]
        blocks = getattr(self.leases[step["lease"]], name)(cids)
        return joined(
            (blocks[at].hex() or "-") if code == "ok" else code
            for at, code in enumerate(blocks.codes)
        )

    def do_lease_offsets(self, step):
        return joined(self.leases[step["lease"]].offsets(cid_of(step["cid"])))

    def do_lease_sections(self, step):
        sections = self.leases[step["lease"]].sections()
        return joined(f"{each.cid}:{each.offset}:{each.block_size}" for each in sections)

    # All shards

    def do_get(self, step):
        return self.store.get(cid_of(step["cid"]), seconds(step))

    def do_has(self, step):
        return cid_of(step["cid"]) in self.store

    def do_size(self, step):
        return self.store.size(cid_of(step["cid"]))

    def do_find(self, step):
        return joined(":".join(map(str, place)) for place in self.store.find(cid_of(step["cid"])))

    def do_holders(self, step):
        return joined(self.store.holders(bytes.fromhex(step["multihash"])))

    # CIDs and CARs

    def do_cid_parse(self, step):
        return bytes(dagstore.CID(step["text"]))

    def do_cid_format(self, step):
        return str(dagstore.CID(bytes.fromhex(step["cid"])))

    def do_cid_split(self, step):
        cid = dagstore.CID(bytes.fromhex(step["cid"]))
        return joined([cid.version, cid.codec, cid.hash_code, cid.digest.hex()])

    def do_cid_make(self, step):
        made = dagstore.CID.make(int(step["codec"]), bytes.fromhex(step["multihash"]))
        return bytes(made)

    def do_car_inspect(self, step):
        with dagstore.Car(step["path"]) as car:
            found = car.inspect()
        return joined(
            [found.version, found.roots, found.sections, found.data_offset, found.data_size]
        )

    def do_car_verify(self, step):
        with dagstore.Car(step["path"]) as car:
            found = car.verify()
        return f"{found.sections} {found.unverified} 0"

    # Errors

    def do_error(self, step):
        found = getattr(self.error, step["field"])
        return "-" if found is None else found


def run(table, folder):
    """Runs a table; returns the differences, and a line that counts."""
    runner = Runner()
    differences = []
    case = None
    cases = passed = 0
    for number, line in enumerate(table.read_text(encoding="utf-8").split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        step = json.loads(line)
        for name in step.keys() - {"hex", "is"}:
            step[name] = step[name].replace("$DIR", str(folder))
        if "case" in step:
            case = step["case"]
            cases += 1
        found = runner.result(step)
        if found == step["is"]:
            passed += 1
        else:
            differences.append(
                f"line {number}: {case}: {step['op']}: expected {step['is']!r}, found {found!r}"
            )
    runner.end()
    return differences, f"conformance: {cases} cases, {passed} steps passed"


def test_conformance(tmp_path):
    differences, count = run(TABLE, tmp_path)
    assert differences == []
    assert int(count.split()[1]) > 60


def test_a_difference_is_found(tmp_path):
    table = tmp_path / "cases.jsonl"
    table.write_text('{"case": "c", "op": "car.verify", "path": "$DIR/none", "is": "0 0 0"}\n')
    differences, count = run(table, tmp_path)
    assert differences == ["line 1: c: car.verify: expected '0 0 0', found 'mountGone'"]
    assert count == "conformance: 1 cases, 0 steps passed"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        found, line = run(TABLE, temporary)
    print(*found, line, sep="\n")
    sys.exit(1 if found else 0)
