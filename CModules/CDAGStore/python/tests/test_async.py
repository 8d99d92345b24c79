"""Stores and asyncio."""

import asyncio
import threading

import pytest

import dagstore
from carbytes import Car, Section, cid_v1

CAR = Car([Section(cid_v1(b"one"), b"one")]).payload


class Gate(dagstore.Mount):
    """A source whose bytes come when a test opens the gate."""

    def __init__(self):
        self.asked = threading.Event()
        self.gate = threading.Event()

    def stat(self, url, key):
        return len(CAR)

    def open(self, url, key):
        self.asked.set()
        if not self.gate.wait(30):
            raise TimeoutError("the gate stays shut")
        import io

        return io.BytesIO(CAR)


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def gated(tmp_path, gate):
    with dagstore.open(tmp_path / "gated", mounts={"gate": gate}) as store:
        yield store
        gate.gate.set()


def test_the_life_of_a_shard(store, write_car):
    async def life():
        url = write_car(b"one")
        await store.register_async("a", url)
        await store.register_async("lazy", url, lazy=True)
        await store.initialize_async("lazy")
        with await store.acquire_async("a") as shard:
            assert shard.get(cid_v1(b"one")) == b"one"
        with pytest.raises(dagstore.NotFailed):
            await store.recover_async("a")
        with pytest.raises(dagstore.ShardExists) as caught:
            await store.register_async("a", url)
        assert caught.value.shard == "a" and caught.value.code == "shardExists"
        await store.destroy_async("a")
        with pytest.raises(dagstore.ShardUnknown):
            await store.acquire_async("a")
        with pytest.raises(dagstore.InvalidArgument):
            await store.acquire_async("a\0b")

    asyncio.run(life())


def test_many_at_once(store, write_car):
    async def many():
        url = write_car(b"one")
        await asyncio.gather(*(store.register_async(str(at), url) for at in range(50)))
        shards = await asyncio.gather(*(store.acquire_async(str(at % 50)) for at in range(500)))
        assert store.statistics().leases == 500
        for shard in shards:
            shard.release()

    asyncio.run(many())
    assert store.statistics().leases == 0


def test_the_loop_goes_on_meanwhile(gated, gate):
    async def wait():
        await gated.register_async("a", "gate://x", lazy=True)
        acquiring = asyncio.ensure_future(gated.acquire_async("a"))
        await asyncio.get_running_loop().run_in_executor(None, gate.asked.wait, 30)
        assert not acquiring.done()
        gate.gate.set()
        with await acquiring as shard:
            assert shard.get(cid_v1(b"one")) == b"one"

    asyncio.run(wait())


def test_cancellation(gated, gate):
    async def cancel():
        await gated.register_async("a", "gate://x", lazy=True)
        waits = [asyncio.ensure_future(gated.acquire_async("a")) for _ in range(3)]
        await asyncio.get_running_loop().run_in_executor(None, gate.asked.wait, 30)
        waits[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits[0]
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(waits[1], 0.01)
        gate.gate.set()  # the job goes on for the last caller
        with await waits[2] as shard:
            assert shard.get(cid_v1(b"one")) == b"one"

    asyncio.run(cancel())
    assert gated.state("a") == "available"
    assert gated.statistics().leases == 0


def test_a_lease_that_comes_too_late(store, write_car):
    """Cancelled after the lease was granted and before the loop knows: the lease is given back."""
    store.register("a", write_car(b"one"))

    async def late():
        for _ in range(200):
            task = asyncio.ensure_future(store.acquire_async("a"))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await store.acquire_async("a")  # completions come in order

    asyncio.run(late())
    assert store.statistics().leases == 0


def test_a_deadline(gated, gate):
    async def wait():
        await gated.register_async("a", "gate://x", lazy=True)
        with pytest.raises(dagstore.DeadlineExceeded):
            await gated.acquire_async("a", timeout=0.01)
        gate.gate.set()

    asyncio.run(wait())


def test_a_loop_that_closes_first(gated, gate):
    gated.register("a", "gate://x", lazy=True)

    async def leave():
        task = asyncio.ensure_future(gated.acquire_async("a"))
        await asyncio.get_running_loop().run_in_executor(None, gate.asked.wait, 30)
        return task

    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(leave())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()
    gate.gate.set()
    gated.initialize("a")
    gated.shutdown()


def test_a_store_that_closes_first(tmp_path, gate):
    store = dagstore.open(tmp_path / "s", mounts={"gate": gate})

    async def wait():
        await store.register_async("a", "gate://x", lazy=True)
        acquiring = asyncio.ensure_future(store.acquire_async("a"))
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, gate.asked.wait, 30)
        closing = loop.run_in_executor(None, store.shutdown, True)
        gate.gate.set()
        with pytest.raises(dagstore.Error) as caught:
            (await acquiring).release()
            raise dagstore.Cancelled("the job was done first", -51)
        assert caught.value.code in ("closed", "cancelled")
        await closing
        with pytest.raises(dagstore.Closed):
            await store.acquire_async("a")
        store.close()
        with pytest.raises(dagstore.Closed):
            await store.acquire_async("a")

    asyncio.run(wait())
