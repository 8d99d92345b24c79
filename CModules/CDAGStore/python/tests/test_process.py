"""Threads, forks, and the end of the interpreter."""

import os
import subprocess
import sys
import textwrap
import threading

import pytest

import dagstore
from carbytes import cid_v1

BLOCKS = [bytes([at]) * 500 for at in range(200)]
CIDS = [cid_v1(data) for data in BLOCKS]
SOURCE = os.path.join(os.path.dirname(__file__), "..", "src")


def test_threads_share_a_lease(store, write_car):
    store.register("a", write_car(*BLOCKS))
    errors = []

    def read(shard, start):
        try:
            for at in range(3000):
                number = (start + 7 * at) % len(BLOCKS)
                assert shard.view(CIDS[number]) == BLOCKS[number]
                assert shard.get(CIDS[number]) == BLOCKS[number]
                if at % 50 == 0:
                    assert shard.get_many(CIDS) == BLOCKS
                    store.acquire("a").release()
        except BaseException as error:
            errors.append(error)

    with store.acquire("a") as shard:
        threads = [threading.Thread(target=read, args=(shard, 11 * at)) for at in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []


def test_a_lease_that_another_thread_releases(store, write_car):
    store.register("a", write_car(*BLOCKS))
    ended = []

    def read(shard):
        try:
            while True:
                assert shard.view(CIDS[3]) == BLOCKS[3]
        except dagstore.Error as error:
            ended.append(error.code)

    for _ in range(20):
        shard = store.acquire("a")
        thread = threading.Thread(target=read, args=(shard,))
        thread.start()
        shard.view(CIDS[1])
        shard.release()
        thread.join()
    assert len(ended) == 20 and set(ended) <= {"closed", "invalidArgument"}


def test_a_store_that_another_thread_closes(tmp_path, write_car):
    url = write_car(*BLOCKS)
    for _ in range(5):
        store = dagstore.open(tmp_path / "s")
        if store.state("a") == "none":
            store.register("a", url)
        ended = []

        def read(store=store, ended=ended):
            try:
                while True:
                    assert store.get(CIDS[3]) == BLOCKS[3]
            except dagstore.Error as error:
                ended.append(error.code)

        thread = threading.Thread(target=read)
        thread.start()
        store.get(CIDS[1])
        store.close()
        thread.join()
        assert ended[0] in ("closed", "invalidArgument")


def run(code, *arguments):
    """Runs a program; returns what it printed."""
    environment = dict(os.environ, PYTHONPATH=SOURCE)
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout, found.stderr


def test_a_fork(tmp_path, write_car):
    out, _ = run(
        """
        import gc, os, sys
        import dagstore

        path, url, cid = sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3])
        store = dagstore.open(path)
        store.register("a", url)
        shard = store.acquire("a")
        view, many = shard.view(cid), shard.view_many([cid])
        sections, events, walk = shard.sections(), store.events(), store.multihashes("a")
        child = os.fork()
        if child == 0:
            def code(call):
                try:
                    return str(call())
                except dagstore.Error as error:
                    assert "forked" in str(error), error
                    return error.code
            calls = [lambda: store.get(cid), lambda: shard.get(cid), lambda: shard.view(cid),
                     lambda: shard.view_many([cid]), lambda: len(shard), lambda: cid in store,
                     lambda: next(sections), lambda: events.next(0), lambda: next(walk),
                     lambda: store.acquire("a"), lambda: store.shutdown()]
            codes = {code(call) for call in calls}
            print("child", codes, bytes(view), bytes(many[0]), flush=True)
            store.close(); shard.release(); events.close()
            del store, shard, view, many, sections, events, walk
            gc.collect()
            codes = {code(lambda: dagstore.open(path + "-of-child")), code(dagstore.log_to)}
            print("open", codes, dagstore.Car(url[7:]).verify().sections, flush=True)
            sys.exit(7)
        status = os.waitpid(child, 0)[1]
        print("status", os.WEXITSTATUS(status), bytes(view), store.get(cid), len(shard))
        shard.release(); store.close()
        """,
        str(tmp_path / "s"),
        write_car(b"one"),
        cid_v1(b"one").hex(),
    )
    assert out.splitlines() == [
        "child {'closed'} b'one' b'one'",
        "open {'closed'} 1",
        "status 7 b'one' b'one' 1",
    ]


def test_the_end_of_the_interpreter(tmp_path, write_car):
    """A program that ends with everything open, and with a job that needs Python, ends."""
    out, err = run(
        """
        import logging, sys, threading
        import dagstore

        started = threading.Event()

        class Slow(dagstore.Mount):
            def stat(self, url, key):
                return 1000
            def open(self, url, key):
                return self
            def read(self, size):
                started.set()
                return b"x" * min(size, 10)

        logging.basicConfig(level=logging.CRITICAL)
        dagstore.log_to(level=logging.DEBUG)
        store = dagstore.open(sys.argv[1], mounts={"slow": Slow()})
        store.register("a", sys.argv[2])
        shard = store.acquire("a")
        view = shard.view(shard.roots[0])
        store.register("b", "slow://x", background=True)
        assert started.wait(30)
        print("end")
        """,
        str(tmp_path / "s"),
        write_car(b"one"),
    )
    assert out == "end\n"
    assert "Fatal" not in err and "Exception ignored" not in err


def test_a_fork_before_the_first_store(tmp_path, write_car):
    """Forked processes may open stores if their parent has opened none."""
    out, _ = run(
        """
        import multiprocessing, sys
        import dagstore

        def read(cid):
            with dagstore.open(sys.argv[1], read_only=True) as store:
                return store.get(cid)

        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map(read, [bytes.fromhex(sys.argv[2])] * 4))
        """,
        made_store(tmp_path, write_car),
        cid_v1(b"one").hex(),
    )
    assert out == f"{[b'one'] * 4}\n"


def made_store(tmp_path, write_car):
    path = tmp_path / "s"
    with dagstore.open(path) as store:
        store.register("a", write_car(b"one"))
    return str(path)


@pytest.mark.parametrize("guard", [False, True])
def test_a_car_that_shrinks_under_a_copy(tmp_path, write_car, guard):
    blocks = [bytes([at]) * 8000 for at in range(100)]
    url = write_car(*blocks)
    out, _ = run(
        """
        import os, sys
        import dagstore

        if sys.argv[4] == "True":
            assert dagstore.install_mapping_guard()
        with dagstore.open(sys.argv[1]) as store:
            store.register("a", sys.argv[2])
            with store.acquire("a") as shard:
                os.truncate(sys.argv[2][7:], 100)
                for read in (shard.get, lambda cid: shard.get(cid, verify=True)):
                    try:
                        print(len(read(bytes.fromhex(sys.argv[3]))))
                    except dagstore.Error as error:
                        print(error.code)
        """
        if guard
        else """
        import os, sys
        import dagstore

        with dagstore.open(sys.argv[1]) as store:
            store.register("a", sys.argv[2])
            with store.acquire("a") as shard:
                os.truncate(sys.argv[2][7:], 100)
                try:
                    print(len(shard.get(bytes.fromhex(sys.argv[3]))))
                except dagstore.Error as error:
                    print(error.code)
                print(shard.view_many([bytes.fromhex(sys.argv[3])]).codes == ["ok"])
        """,
        str(tmp_path / "s"),
        url,
        cid_v1(blocks[-1]).hex(),
        str(guard),
    )
    assert out.split()[0] == "sourceChanged"
