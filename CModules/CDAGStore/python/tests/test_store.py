"""The life of stores and shards."""

import contextlib
import copy
import gc
import logging
import math
import os
import pathlib
import pickle
import signal
import sys
import threading
import time

import pytest

import dagstore
from carbytes import Car, Section, cid_v1
from dagstore._callbacks import contexts

ONE = cid_v1(b"one")
LARGE = [bytes([at]) * (4 << 20) for at in range(20)]
"""Blocks that take long enough for progress."""


def test_it_opens_once(tmp_path):
    with dagstore.open(tmp_path / "s") as store:
        with pytest.raises(dagstore.StoreError) as caught:
            dagstore.open(str(tmp_path / "s"))
        assert caught.value.code == "catalogLocked" and caught.value.status == -42
        assert repr(store) == f"<Store {str(tmp_path / 's')!r}>"
    assert repr(store).endswith("closed>")


@pytest.mark.parametrize(
    "wrong",
    [
        {"pages": "largest"},
        {"recovery": "never"},
        {"remote_policy": "none"},
        {"map_size": -1},
        {"map_size": 1 << 64},
        {"idle_shards_max": 1 << 32},
        {"fetch_timeout": -0.0001},
        {"fetch_timeout": math.nan},
        {"idle_time_max": -1},
        {"transient_high_watermark": 7.0},
        {"mounts": {"UPPER": dagstore.Mount()}},
        {"mounts": {"a\0b": dagstore.Mount()}},
        {"mounts": {"file": dagstore.Mount()}},
    ],
)
def test_a_wrong_configuration(tmp_path, wrong):
    with pytest.raises(dagstore.InvalidArgument):
        dagstore.open(tmp_path / "s", **wrong)


def test_a_time_of_less_than_a_millisecond(tmp_path):
    release = threading.Event()

    class Hanging(dagstore.Mount):
        def stat(self, url, key):
            release.wait(30)

    mounts = {"m": Hanging()}
    try:
        with dagstore.open(tmp_path / "s", mounts=mounts, fetch_timeout=0.0004) as store:
            with pytest.raises(dagstore.SourceError) as caught:
                store.register("a", "m://a")
            assert caught.value.code == "fetchTimedOut"
    finally:
        release.set()


def test_times_without_a_limit(tmp_path, write_car):
    options = dict(fetch_timeout=math.inf, idle_time_max=math.inf)
    with dagstore.open(tmp_path / "s", **options) as store:
        store.register("a", write_car(b"one"))
        store.acquire("a").release()
        assert store.statistics().open_shards == 1


def test_a_configuration(tmp_path, write_car):
    steps = []
    options = dict(
        relaxed=True, checks_pages=True, pages="direct", recovery="onAcquire", map_size=1 << 30,
        page_cache_size=1 << 20, idle_time_max=1.5, fetch_timeout=10.0, transient_quota=1 << 20,
        transient_high_watermark=0.8, transient_low_watermark=0.5, remote_policy="cache",
        observe=lambda *step: steps.append(step),
    )  # fmt: skip
    with dagstore.open(tmp_path / "s", **options) as store:
        store.register("a", write_car(*LARGE))
        assert store.statistics().map_size == 1 << 30
    kinds = {kind for kind, seconds, success in steps if success and 0 <= seconds < 60}
    assert {"commit", "indexing"} <= kinds


@pytest.mark.parametrize("wrong", ["a\0b", "\0", "\ud800"])
def test_texts_that_the_library_cannot_have(store, write_car, wrong):
    url = write_car(b"one")
    calls = [
        lambda: store.register(wrong, url),
        lambda: store.register("a", wrong),
        lambda: store.register("a", url, existing_transient="/x\0y"),
        lambda: store.acquire(wrong),
        lambda: store.state(wrong),
        lambda: store.info(wrong),
        lambda: store.initialize(wrong),
        lambda: store.recover(wrong),
        lambda: store.destroy(wrong),
        lambda: store.relocate(wrong, url),
        lambda: store.set_policy(wrong, "copy"),
        lambda: store.multihashes(wrong),
        lambda: store.multihashes("a", wrong),
    ]
    for call in calls:
        with pytest.raises(dagstore.InvalidArgument):
            call()
    for call in (lambda: dagstore.open("x\0y"), lambda: dagstore.Car("x\0y")):
        with pytest.raises(dagstore.InvalidArgument):
            call()
    assert list(store.shards()) == []


def test_types(store):
    for call in (store.acquire, store.state, store.destroy):
        with pytest.raises(TypeError):
            call(b"bytes")


def test_a_path_that_is_not_utf8(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff\xfe"
    try:
        dagstore.open(path).close()
    except dagstore.InvalidArgument as error:
        assert error.code == "invalidArgument"


def test_keys_of_any_text(store, write_car):
    url = write_car(b"one")
    keys = [" ", "\u043a\u043b\u044e\u0447", "\U0001f980", "a/b\n\t", "k" * 480]
    for key in keys:
        store.register(key, url)
        with store.acquire(key) as shard:
            assert shard.key == key
    assert [info.key for info in store.shards()] == keys == store.holders(ONE[2:])
    with pytest.raises(dagstore.InvalidArgument) as caught:
        store.register("", url)
    assert caught.value.code == "invalidKey"


def test_the_record(store, write_car):
    url = write_car(b"one", b"two")
    store.register("a", url, policy="remote")
    store.register("lazy", url, lazy=True)
    info = store.info("a")
    assert (info.key, info.url, info.state, info.policy) == ("a", url, "available", "remote")
    assert info.block_count == 2 and info.references == 0 and info.error_code is None
    assert info.payload_size == len(Car([Section(cid_v1(d), d) for d in (b"one", b"two")]).payload)
    assert 1.7e9 < info.state_since < 4e9 and info.transient is None and not info.is_lazy
    assert store.info("lazy").is_lazy and store.info("lazy").state == "registered"
    with pytest.raises(dagstore.ShardUnknown):
        store.info("b")
    store.set_policy("a", "automatic")
    assert store.info("a").policy == "automatic"
    with pytest.raises(dagstore.InvalidArgument):
        store.set_policy("a", "none")


def test_a_failure_has_its_details(store, write_car, tmp_path):
    write_car(b"one", b"two", name="cut.car")
    path = tmp_path / "cut.car"
    path.write_bytes(path.read_bytes() + b"\x03\x01\x55\x12")
    with pytest.raises(dagstore.DataError) as caught:
        store.register("a", f"file://{path}")
    error = caught.value
    assert error.code == "malformedCAR" and error.shard == "a"
    assert error.offset == path.stat().st_size - 4
    info = store.info("a")
    assert info.state == "failed" and info.error_code == "malformedCAR" and info.error_message
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error)
    assert (again.code, again.shard, again.offset) == ("malformedCAR", "a", error.offset)
    with pytest.raises(dagstore.MountGone) as caught:
        store.register("b", "file:///nowhere/x.car")
    assert caught.value.code == "mountGone" and isinstance(caught.value, dagstore.SourceError)


def test_the_state_of_a_shard(store, write_car):
    url = write_car(b"one")
    store.register("a", url)
    with pytest.raises(dagstore.ShardExists):
        store.register("a", url)
    with pytest.raises(dagstore.NotFailed):
        store.recover("a")
    with store.acquire("a") as shard:
        assert store.state("a") == "serving"
        with pytest.raises(dagstore.ShardInUse):
            store.destroy("a")
        shard.release()
        store.destroy("a")
    assert store.state("a") == "none"
    with pytest.raises(dagstore.ShardUnknown):
        store.acquire("a")


def test_timeouts(store, write_car):
    store.register("a", write_car(b"one"), lazy=True)
    with pytest.raises(dagstore.DeadlineExceeded) as caught:
        store.acquire("a", timeout=0)
    assert isinstance(caught.value, TimeoutError)
    for wrong in (-1, float("nan")):
        with pytest.raises(dagstore.InvalidArgument):
            store.acquire("a", timeout=wrong)
    with store.acquire("a", timeout=math.inf) as shard:
        assert shard.get(ONE) == b"one"
    assert store.get(ONE, timeout=math.inf) == b"one"
    with store.acquire("a", timeout=1e12) as shard:
        assert shard.get(ONE) == b"one"
    assert store.get(ONE, timeout=0.001) == b"one"


def test_progress(store, write_car):
    calls = []
    store.register("a", write_car(*LARGE), progress=lambda *call: calls.append(call))
    assert calls and all(0 < done <= total for done, total, _ in calls)
    assert all(0 < sections <= len(LARGE) for _, _, sections in calls)


def test_progress_that_raises(store, write_car, caplog):
    def fail(*_):
        raise RuntimeError("no progress")

    store.register("a", write_car(*LARGE), progress=fail)
    assert store.get(cid_v1(LARGE[0])) == LARGE[0]
    assert any("no progress" in str(record.exc_info) for record in caplog.records)


def test_existing_transient(store, write_car, tmp_path):
    write_car(b"one", name="copy.car")
    with pytest.raises(dagstore.SourceError):
        store.register("a", "file:///nowhere/a.car")
    store.register("b", write_car(b"one"), existing_transient=tmp_path / "copy.car")
    assert store.get(ONE) == b"one"


def test_select(tmp_path, write_car):
    url = write_car(b"one")
    calls = []

    def last(cid, keys):
        calls.append((cid, keys))
        return keys[::-1]

    with dagstore.open(tmp_path / "s", select=last) as store:
        for key in "abc":
            store.register(key, url)
        assert store.get(ONE) == b"one"
        assert calls[0][0] == dagstore.CID(ONE) and sorted(calls[0][1]) == ["a", "b", "c"]
        chosen = []
        assert store.get(ONE, select=lambda cid, keys: chosen.extend(keys) or keys) == b"one"
        assert sorted(chosen) == ["a", "b", "c"] and len(calls) == 1
        assert store.view(ONE, select=lambda cid, keys: ["b", "b"]) == b"one"
        with pytest.raises(dagstore.BlockNotFound):
            store.get(ONE, select=lambda cid, keys: [])


def test_a_choice_that_raises(store, write_car):
    store.register("a", write_car(b"one"))
    with pytest.raises(ZeroDivisionError):
        store.get(ONE, select=lambda cid, keys: 1 / 0)
    with pytest.raises(KeyError, match="unknown"):
        store.get(ONE, select=lambda cid, keys: ["unknown"])
    assert store.get(ONE) == b"one"


def test_an_index(tmp_path, write_car):
    blocks = [b"one", b"two", b"three"]
    car = Car([Section(cid_v1(data), data) for data in blocks])
    url = write_car(*blocks)
    seen = []

    def index(indexing):
        seen.append(indexing)
        assert indexing.key == "a" and indexing.url == url
        assert indexing.read(0, 1 << 20) == car.payload and indexing.size == len(car.payload)
        assert indexing.read(len(car.payload), 10) == b""
        assert indexing.payload_offset == 0 and indexing.payload_size == len(car.payload)
        for section, place in list(zip(car.sections, car.places()))[:2]:
            yield section.cid, place.offset, place.section_size

    with dagstore.open(tmp_path / "s", index=index) as store:
        store.register("a", url)
        assert len(store.acquire("a")) == 2
        assert store.get(cid_v1(b"two")) == b"two" and cid_v1(b"three") not in store
        with pytest.raises(dagstore.InvalidArgument):
            seen[0].read(0, 1)


def test_an_index_that_reads_a_large_file(tmp_path, write_car):
    """The library reads at most 64 MiB a call."""
    url = write_car(b"one")
    end, size = (tmp_path / "a.car").stat().st_size, 150 << 20
    with (tmp_path / "a.car").open("r+b") as file:
        file.truncate(size)  # zeros are padding
        file.seek(size - 3)
        file.write(b"end")
    found = []

    def index(indexing):
        data = indexing.read(end, size)
        found.append((len(data), data[-3:], len(indexing.read(size - 2, 100))))
        return None

    with dagstore.open(tmp_path / "s", index=index) as store:
        store.register("a", url)
    assert found == [(size - end, b"end", 2)]


def test_close_in_a_callback(tmp_path, write_car):
    """Shards that wait for the index function get it, although the store was closed meanwhile."""
    registered = threading.Event()
    indexed = []

    def index(indexing):
        indexed.append(indexing.key)
        if len(indexed) == 1:
            registered.wait()
            store.close()
        return None

    before = set(contexts)
    store = dagstore.open(tmp_path / "s", index=index, concurrent_indexing=1)
    for key in "abcd":
        url = write_car(key.encode(), name=f"{key}.car")
        store.register(key, url, background=True)
    registered.set()
    end = time.monotonic() + 30
    while set(contexts) - before and time.monotonic() < end:
        time.sleep(0.001)
    assert set(contexts) == before
    with pytest.raises(dagstore.Closed):
        store.state("a")
    store.close()
    with dagstore.open(tmp_path / "s", read_only=True) as store:
        states = {info.key: info.state for info in store.shards()}
    assert "failed" not in states.values()
    assert [key for key in states if states[key] == "available"] == sorted(indexed)


def test_two_threads_that_close(tmp_path, write_car):
    """A second close does not take the index function from the jobs for which the first one waits."""
    started, closed_twice = threading.Event(), threading.Event()
    indexed = []

    def index(indexing):
        indexed.append(indexing.key)
        started.set()
        closed_twice.wait()
        return None

    before = set(contexts)
    store = dagstore.open(tmp_path / "s", index=index, concurrent_indexing=1)
    for key in "abcd":
        url = write_car(key.encode(), name=f"{key}.car")
        store.register(key, url, background=True)
    started.wait()
    first = threading.Thread(target=store.close)
    first.start()
    while store._handle is not None:
        time.sleep(0.001)
    store.close()
    assert set(contexts) - before
    closed_twice.set()
    first.join()
    assert set(contexts) == before
    with dagstore.open(tmp_path / "s", read_only=True) as store:
        states = {info.key: info.state for info in store.shards()}
    assert [key for key in states if states[key] == "available"] == sorted(indexed)


def test_indexes_that_walk_or_fail(tmp_path, write_car, caplog):
    results = {}

    def index(indexing):
        result = results[indexing.key]
        if isinstance(result, Exception):
            raise result
        return result

    results["walk"] = None
    results["raises"] = RuntimeError("no index today")
    results["outside"] = [(ONE, 1 << 40, 10)]
    results["no cid"] = [(b"x", 0, 10)]
    results["own"] = dagstore.InvalidArgument("mine", -33)
    with dagstore.open(tmp_path / "s", index=index) as store:
        url = write_car(b"one")
        store.register("walk", url)
        assert store.get(ONE) == b"one"
        for key, code in {
            "raises": "malformedIndex",
            "outside": "malformedIndex",
            "no cid": "invalidCID",
            "own": "limitExceeded",
        }.items():
            with pytest.raises(dagstore.Error) as caught:
                store.register(key, url)
            assert caught.value.code == code
        assert "no index today" in store.info("raises").error_message
    assert "no index today" in caplog.text


def test_events(store, write_car):
    url = write_car(b"one")
    with store.events() as events:
        store.register("a", url)
        store.acquire("a").release()
        store.destroy("a")
        found = [events.next(5) for _ in range(6)]
        with pytest.raises(dagstore.DeadlineExceeded):
            events.next(0)
    assert [event.operation for event in found] == [
        "register", "initialize", "makeAvailable", "acquire", "release", "destroy",
    ]  # fmt: skip
    assert {event.key for event in found} == {"a"}
    assert [event.number for event in found] == list(range(found[0].number, found[0].number + 6))
    assert found[3].references == 1 and found[3].state == "serving"
    for wrong in (0, -1, 1 << 64):
        with pytest.raises(dagstore.InvalidArgument):
            store.events(wrong)


def test_events_end_with_the_store(tmp_path):
    store = dagstore.open(tmp_path / "s")
    events = store.events()
    found = []
    thread = threading.Thread(target=lambda: found.extend(events))
    thread.start()
    store.close()
    thread.join(30)
    assert not thread.is_alive() and found == []
    events.close()


def test_multihashes(store, write_car):
    blocks = [bytes([at]) for at in range(30)]
    store.register("a", write_car(*blocks))
    hashes = [cid_v1(data)[2:] for data in blocks]
    with store.multihashes("a") as multihashes:
        assert [next(multihashes) for _ in range(10)] == hashes[:10]
        cursor = multihashes.cursor
    with store.multihashes("a", cursor) as rest:
        sections = list(rest.sections())
        assert rest.cursor == ""
    with store.acquire("a") as shard:
        assert sections == [(each.cid.multihash, each.offset) for each in shard.sections()][10:]
    with pytest.raises(dagstore.InvalidArgument):
        store.multihashes("a", "no cursor")


def test_threads_that_share_an_iterator(store, write_car):
    blocks = [at.to_bytes(4, "big") * 5 for at in range(20_000)]
    store.register("a", write_car(*blocks))
    found = []
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with store.multihashes("a") as multihashes:
            threads = [
                threading.Thread(target=lambda: found.extend(list(multihashes.sections())))
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(before)
    with store.multihashes("a") as multihashes:
        assert sorted(found, key=lambda section: section[1]) == list(multihashes.sections())


def test_a_signal_ends_the_wait_for_an_event(store):
    events = store.events()
    before = signal.signal(signal.SIGALRM, lambda *_: events.close())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        assert events.next() is None
    finally:
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(dagstore.Closed):
        events.next(0)
    events.close()


def test_a_queue_that_is_closed_while_events_come(store, write_car):
    url = write_car(b"one")
    for _ in range(20):
        events = store.events()
        taken = threading.Event()

        def take():
            for event in events:
                assert event.key == "x"
                taken.set()

        thread = threading.Thread(target=take)
        thread.start()
        store.register("x", url)
        assert taken.wait(30)
        events.close()
        store.destroy("x")
        thread.join(30)
        assert not thread.is_alive()


def test_threads_that_share_a_queue_of_events(store):
    def wait():
        while not found:
            try:
                found.append(events.next())
            except dagstore.Error:
                found.append(None)  # the queue was closed before the wait began
            except ValueError:
                pass  # the other thread was first

    found = []
    with store.events() as events:
        thread = threading.Thread(target=wait)
        thread.start()
        with pytest.raises(ValueError, match="another thread"):
            while True:
                with contextlib.suppress(dagstore.DeadlineExceeded):
                    events.next(0)
        events.close()  # ends the wait
        thread.join()
    assert found == [None]


def test_holders_that_need_room(store, write_car):
    url = write_car(b"one")
    keys = [f"{at:0400d}" for at in range(60)]
    with store.events() as events:
        for key in keys:
            store.register(key, url, background=True)
        # The record of a shard says "available" a moment before the store finds its blocks.
        found = set()
        while len(found) < len(keys):
            event = events.next(30)
            if event.state == "available":
                found.add(event.key)
    assert store.holders(dagstore.CID(ONE)) == store.holders(ONE[2:]) == keys
    assert store.holders(str(dagstore.CID(ONE))) == keys
    with pytest.raises(dagstore.InvalidCID):
        store.holders(b"\x12\x20")


def test_check_and_garbage(store, write_car):
    store.register("a", write_car(b"one"))
    check = store.check(deep=True)
    assert check.is_sound and check.problems == () and check.blocks == 1 and check.bytes == 3
    assert store.collect_garbage() == (0, 0, 0, 0, 0, ())
    assert store.scheme_traffic("https") == (0, 0)
    with pytest.raises(dagstore.InvalidArgument):
        store.collect_garbage(-1)


def test_compact(tmp_path, write_car):
    with dagstore.open(tmp_path / "s") as store:
        store.register("a", write_car(b"one"))
        with pytest.raises(dagstore.StoreError):
            dagstore.compact(tmp_path / "s")
    before, after = dagstore.compact(tmp_path / "s")
    assert 0 < after <= before


def test_use_after_close(tmp_path, write_car):
    store = dagstore.open(tmp_path / "s")
    store.register("a", write_car(b"one"))
    places = store.find(ONE)
    store.close()
    store.close()
    calls = [
        lambda: store.register("b", "file:///x"),
        lambda: store.acquire("a"),
        lambda: store.get(ONE),
        lambda: store.view(ONE),
        lambda: ONE in store,
        lambda: store.size(ONE),
        lambda: store.holders(ONE[2:]),
        lambda: store.find(ONE),
        lambda: store.state("a"),
        lambda: store.info("a"),
        lambda: store.shards(),
        lambda: store.events(),
        lambda: store.statistics(),
        lambda: store.collect_garbage(),
        lambda: store.check(),
        lambda: store.shutdown(),
        lambda: store.__enter__(),
    ]
    for call in calls:
        with pytest.raises(dagstore.Closed, match="closed"):
            call()
    places.close()
    with pytest.raises(StopIteration):
        next(places)


def test_objects_with_a_handle_have_no_copies(store, write_car):
    store.register("a", write_car(b"one"))
    with store.acquire("a") as shard, store.events() as events:
        for each in (store, shard, events):
            for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(TypeError, match="holds a handle"):
                    duplicate(each)
        gc.collect()
        assert shard.get(ONE) == b"one"


def test_shutdown(tmp_path, write_car):
    with dagstore.open(tmp_path / "s") as store:
        store.register("a", write_car(b"one"))
        shard = store.acquire("a")
        store.shutdown(cancelling=True)
        with pytest.raises(dagstore.Closed):
            store.get(ONE)
        assert shard.get(ONE) == b"one"
        shard.release()


def test_an_unclosed_store_warns(tmp_path):
    store = dagstore.open(tmp_path / "s")
    with pytest.warns(ResourceWarning, match="unclosed"):
        del store
        gc.collect()
    dagstore.open(tmp_path / "s").close()


def test_the_log(store, write_car, caplog):
    target = logging.getLogger("test.of.log")
    caplog.set_level(logging.DEBUG, logger=target.name)
    dagstore.log_to(target, logging.DEBUG)
    try:
        store.register("a", write_car(b"one"))
        store.acquire("a").release()
        with pytest.raises(dagstore.MountGone):
            store.register("b", "file:///nowhere/b.car")
    finally:
        dagstore.log_to(None)
    lines = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert any(level == logging.WARNING and "b" in line for level, line in lines)
    assert any(level == logging.DEBUG for level, _ in lines)
    caplog.clear()
    store.destroy("a")
    dagstore.log_to(target, logging.CRITICAL + 1)
    assert caplog.records == []


def test_a_logger_that_raises(store, write_car, capsys):
    class Broken(logging.Logger):
        def log(self, *_, **__):
            raise RuntimeError("no log today")

    dagstore.log_to(Broken("broken"), logging.DEBUG)
    try:
        store.register("a", write_car(b"one"))
    finally:
        dagstore.log_to(None)
    assert "no log today" in capsys.readouterr().err


def test_a_car(write_car, tmp_path):
    write_car(b"one", b"two")
    with dagstore.Car(tmp_path / "a.car") as car:
        info = car.inspect()
        assert info.version == 1 and info.sections == 2 and info.roots == 1
        assert info.index_codec is None and info.index_offset is None
        assert car.verify(1) == (2, 0)
        with pytest.raises(dagstore.InvalidArgument):
            car.verify(-1)
    with pytest.raises(dagstore.Closed):
        car.verify()
    path = tmp_path / "wrong.car"
    wrong = Car([Section(ONE, b"one"), Section(cid_v1(b"x"), b"y")])
    path.write_bytes(wrong.payload)
    with dagstore.Car(path) as car, pytest.raises(dagstore.HashMismatch) as caught:
        car.verify()
    assert caught.value.offset == wrong.places()[1].offset
    with pytest.raises(dagstore.MountGone):
        dagstore.Car(pathlib.Path("/nowhere/x.car"))
