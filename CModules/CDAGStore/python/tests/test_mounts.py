"""Mounts in Python."""

import io
import os
import threading

import pytest

import dagstore
from carbytes import Car, Section, cid_v1

BLOCKS = [bytes([at]) * 3000 for at in range(100)]
CAR = Car([Section(cid_v1(data), data) for data in BLOCKS]).payload


class Memory(dagstore.Mount):
    """CARs in a dict."""

    def __init__(self, access="random", **cars):
        self.access = access
        self.cars = cars
        self.asked = []

    def stat(self, url, key):
        self.asked.append((url, key))
        return len(self._car(url))

    def open(self, url, key):
        self.asked.append((url, key))
        return io.BytesIO(self._car(url))

    def _car(self, url):
        try:
            return self.cars[url.partition("://")[2]]
        except KeyError:
            raise FileNotFoundError(f"no CAR at {url}") from None


@pytest.fixture
def open_store(tmp_path):
    stores = []

    def opened(mount):
        store = dagstore.open(tmp_path / "mounted", mounts={"memory": mount})
        stores.append(store)
        return store

    yield opened
    for store in stores:
        store.close()


def read_all(store, key="a"):
    with store.acquire(key) as shard:
        for data in BLOCKS:
            assert shard.get(cid_v1(data)) == data
            assert shard.view(cid_v1(data)) == data
        assert shard.get_many([cid_v1(data) for data in BLOCKS]) == BLOCKS


@pytest.mark.parametrize("access", ["sequential", "random"])
def test_a_file_like_source(open_store, access):
    mount = Memory(access, x=CAR)
    store = open_store(mount)
    store.register("a", "memory://x")
    read_all(store)
    assert ("memory://x", "a") in mount.asked
    assert store.statistics().transients == (1 if access == "sequential" else 0)


class Unreliable(Memory):
    """Counts reads, which fail when it is told so."""

    fails = False
    reads = 0

    def open(self, url, key):
        mount, data = self, self._car(url)

        class Source:
            size = len(data)

            def read_at(self, offset, size):
                mount.reads += 1
                if mount.fails:
                    raise TimeoutError("slow today")
                return data[offset : offset + size]

        return Source()


@pytest.mark.parametrize("name", ["get", "view", "verified", "of the store"])
def test_a_failing_call_reads_once(open_store, name):
    mount = Unreliable(x=CAR)
    store = open_store(mount)
    store.register("a", "memory://x")
    with store.acquire("a") as shard:
        calls = {
            "get": shard.get,
            "view": shard.view,
            "verified": lambda cid: shard.get(cid, verify=True),
            "of the store": store.get,
        }
        mount.fails = True
        mount.reads = 0
        with pytest.raises(dagstore.SourceError, match="slow today") as caught:
            calls[name](cid_v1(BLOCKS[-1]))
        assert caught.value.code == "fetchTimedOut"
        assert mount.reads == 1


def test_garbage(open_store):
    store = open_store(Memory("sequential", x=CAR))
    store.register("a", "memory://x")
    with store.acquire("a"):
        found = store.collect_garbage()
        assert found.in_use == 1 and found.copies[0][:2] == ("a", "inUse")
    found = store.collect_garbage()
    assert found.removed == 1 and found.removed_bytes == len(CAR)
    assert found.copies == (("a", "removed", len(CAR), None),)
    read_all(store)


def test_a_file_source(open_store, tmp_path):
    (tmp_path / "x.car").write_bytes(CAR)

    class Files(dagstore.Mount):
        access = "file"

        def stat(self, url, key):
            return dagstore.Stat(len(CAR), validator="v1")

        def open(self, url, key):
            return tmp_path / "x.car"

    store = open_store(Files())
    store.register("a", "memory://anything")
    read_all(store)
    assert store.statistics().transients == 0


def test_a_source_of_its_own(open_store):
    threads = set()
    closed = threading.Event()

    class Source:
        size = len(CAR)

        def read_at(self, offset, size):
            threads.add(threading.get_ident())
            # The library asks again for the rest.
            return memoryview(CAR)[offset : offset + min(size, 1000)]

        def close(self):
            closed.set()

    class Own(dagstore.Mount):
        access = "random"

        def stat(self, url, key):
            return None

        def open(self, url, key):
            return Source()

    store = open_store(Own())
    store.register("a", "memory://x")
    read_all(store)
    store.close()
    assert threads and closed.wait(30)


def test_access_by_url(open_store):
    class Both(Memory):
        def access_of(self, url):
            return "sequential" if url.endswith("s") else "random"

    store = open_store(Both(s=CAR, r=CAR))
    store.register("s", "memory://s")
    store.register("r", "memory://r")
    read_all(store, "s")
    read_all(store, "r")
    assert store.statistics().transients == 1


class Failing(dagstore.Mount):
    access = "random"

    def __init__(self, error, where):
        self.error, self.where = error, where

    def stat(self, url, key):
        if self.where == "stat":
            raise self.error
        return len(CAR)

    def open(self, url, key):
        if self.where == "open":
            raise self.error
        return self

    def read_at(self, offset, size):
        raise self.error


@pytest.mark.parametrize("where", ["stat", "open", "read"])
@pytest.mark.parametrize(
    "error, code",
    [
        (FileNotFoundError("gone"), "mountGone"),
        (TimeoutError("slow"), "fetchTimedOut"),
        (OSError("broken"), "mountUnreachable"),
        (ValueError("odd \0 text \ud800"), "mountUnreachable"),
        (KeyboardInterrupt("now"), "mountUnreachable"),
        (dagstore.SourceError("copy", -22), "fetchFailed"),
        (dagstore.SourceChanged("other bytes", -24), "sourceChanged"),
        (dagstore.BlockNotFound("not a source", -2), "mountUnreachable"),
    ],
)
def test_exceptions(open_store, caplog, where, error, code):
    caplog.set_level("INFO", logger="dagstore")
    store = open_store(Failing(error, where))
    with pytest.raises(dagstore.SourceError) as caught:
        store.register("a", "memory://x")
    assert caught.value.code == code and caught.value.shard == "a"
    first_word = str(error).split()[0]
    assert first_word in store.info("a").error_message
    assert "Traceback" in caplog.text and type(error).__name__ in caplog.text


@pytest.mark.parametrize("access", ["sequential", "random"])
def test_reads_that_lie(open_store, access):
    class Lying(dagstore.Mount):
        def __init__(self):
            self.access = access

        def stat(self, url, key):
            return len(CAR)

        def open(self, url, key):
            return self

        def read_at(self, offset, size):
            return bytes(size + 1)

        def read(self, size):
            return bytes(size + 1)

    store = open_store(Lying())
    with pytest.raises(dagstore.SourceError, match="in place of"):
        store.register("a", "memory://x")


@pytest.mark.parametrize(
    "stat", [-1, 1 << 64, "text", dagstore.Stat(1, "v" * 256), dagstore.Stat(1, "\0")]
)
def test_stats_that_lie(open_store, stat):
    class Lying(Memory):
        def stat(self, url, key):
            return stat

    store = open_store(Lying(x=CAR))
    with pytest.raises(dagstore.SourceError):
        store.register("a", "memory://x")


def test_a_mount_without_methods(open_store):
    store = open_store(dagstore.Mount())
    with pytest.raises(dagstore.SourceError, match="lacks"):
        store.register("a", "memory://x")


def test_a_mount_is_kept_while_it_is_used(tmp_path):
    import gc
    import weakref

    mount = Memory(x=CAR)
    kept = weakref.ref(mount)
    with dagstore.open(tmp_path / "s", mounts={"memory": mount}) as store:
        del mount
        gc.collect()
        store.register("a", "memory://x")
        shard = store.acquire("a")
        assert kept() is not None
    assert shard.get(cid_v1(BLOCKS[5])) == BLOCKS[5]  # the lease keeps the mount after the store
    shard.release()
    released = threading.Event()
    weakref.finalize(kept(), released.set) if kept() is not None else released.set()
    assert released.wait(30)


def test_an_interrupt(tmp_path):
    reading, interrupted = threading.Event(), threading.Event()

    class Slow(dagstore.Mount):
        access = "random"

        def stat(self, url, key):
            return len(CAR)

        def open(self, url, key):
            return self

        def read_at(self, offset, size):
            reading.set()
            assert interrupted.wait(30)
            raise OSError("interrupted")

        def interrupt(self):
            interrupted.set()

    store = dagstore.open(tmp_path / "s", mounts={"memory": Slow()})
    store.register("a", "memory://x", background=True)
    assert reading.wait(30)
    store.shutdown(cancelling=True)
    store.close()
    assert interrupted.wait(30)


def test_a_mount_may_use_the_store(tmp_path, write_car):
    """A callback may call any function of the library."""

    class Nested(dagstore.Mount):
        access = "random"

        def stat(self, url, key):
            return len(CAR)

        def open(self, url, key):
            assert store.get(cid_v1(b"inner")) == b"inner"
            return io.BytesIO(CAR)

    with dagstore.open(tmp_path / "s", mounts={"memory": Nested()}) as store:
        store.register("inner", write_car(b"inner"))
        store.register("a", "memory://x")
        read_all(store)
    assert os.path.isdir(tmp_path / "s")
