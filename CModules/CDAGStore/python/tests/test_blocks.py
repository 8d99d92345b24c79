"""Reading blocks: copies, views, batches."""

import gc
import hashlib
import sys

import pytest

import dagstore
from carbytes import RAW, Car, Section, blake2b_256, cid_of, cid_v0, cid_v1, identity, sha2_512

BLOCKS = [hashlib.sha256(bytes([at])).digest() * (at + 1) for at in range(50)]
CIDS = [cid_v1(data) for data in BLOCKS]
ABSENT = cid_v1(b"in no shard")


def text_of(cid):
    return str(dagstore.CID(cid))


@pytest.fixture
def shard(store, write_car):
    store.register("a", write_car(*BLOCKS))
    with store.acquire("a") as shard:
        yield shard


@pytest.mark.parametrize("form", [bytes, dagstore.CID, text_of, bytearray])
def test_a_cid_in_every_form(shard, store, form):
    cid = form(CIDS[7])
    assert shard.get(cid) == shard.view(cid) == BLOCKS[7]
    assert shard.get(cid, verify=True) == BLOCKS[7]
    assert shard.get_many([cid]) == [BLOCKS[7]]
    assert shard.contains(cid) and cid in shard
    assert shard.locate(cid).block_size == len(BLOCKS[7])
    assert shard.offsets(cid) == [shard.locate(cid).offset]
    assert store.get(cid) == store.view(cid) == store.get(cid, verify=True) == BLOCKS[7]
    assert cid in store and store.size(cid) == len(BLOCKS[7])
    assert [place.key for place in store.find(cid)] == ["a"]


@pytest.mark.parametrize("wrong", [None, 7, 1.5, object(), ["x"]])
def test_no_cid_at_all(shard, store, wrong):
    for call in (shard.get, shard.view, shard.contains, shard.locate, shard.offsets, store.get):
        with pytest.raises(TypeError):
            call(wrong)
    with pytest.raises(TypeError):
        shard.view_many([wrong])


@pytest.mark.parametrize(
    "wrong", [b"", b"\0", b"\x01\x55", b"x" * 400, "", "baf", "a\0b", "\ud800"]
)
def test_bytes_that_are_no_cid(shard, store, wrong):
    for call in (shard.get, shard.view, shard.contains, shard.locate, shard.offsets, store.get):
        with pytest.raises(dagstore.InvalidCID) as caught:
            call(wrong)
        assert caught.value.code == "invalidCID"


def test_absent(shard, store):
    of_store = (store.get, store.view, store.size)
    for call in (shard.get, shard.view, shard.locate, shard.offsets, *of_store):
        with pytest.raises(dagstore.BlockNotFound) as caught:
            call(ABSENT)
        assert caught.value.code == "blockNotFound"
        assert isinstance(caught.value, KeyError)
        assert "'" not in str(caught.value)[:1]
    assert ABSENT not in shard and ABSENT not in store
    assert list(store.find(ABSENT)) == [] and store.holders(dagstore.CID(ABSENT)) == []


def test_a_view_cannot_be_written(shard):
    view = shard.view(CIDS[1])
    assert view.readonly and view.format == "B" and view.ndim == 1 and view.contiguous
    with pytest.raises(TypeError):
        view[0] = 1


def test_views_outlive_lease_and_store(tmp_path, write_car):
    url = write_car(*BLOCKS)
    store = dagstore.open(tmp_path / "own")
    store.register("a", url)
    shard = store.acquire("a")
    view = shard.view(CIDS[3])
    part = view[5:9]
    many = shard.view_many(CIDS)[30]
    shard.release()
    store.close()
    del shard, store
    gc.collect()
    assert view == BLOCKS[3] and many == BLOCKS[30]
    del view
    gc.collect()
    assert part == BLOCKS[3][5:9]
    assert dagstore.live_handles() == 2
    del part, many
    gc.collect()
    assert dagstore.live_handles() == 0


def test_a_view_ends_with_its_last_slice(shard):
    before = dagstore.live_handles()
    view = shard.view(CIDS[3])
    slices = [view[at:] for at in range(10)]
    view.release()
    assert dagstore.live_handles() == before + 1
    assert slices[4] == BLOCKS[3][4:]
    del slices
    assert dagstore.live_handles() == before


def test_a_block_larger_than_the_room(store, write_car):
    large = [bytes([at]) * (60_000 + 10_000 * at) for at in range(20)]
    store.register("a", write_car(*large))
    with store.acquire("a") as shard:
        for data in large:
            assert shard.get(cid_v1(data)) == data
            assert shard.get(cid_v1(data), verify=True) == data
        assert shard.get_many([cid_v1(data) for data in large]) == large


def test_batches(shard):
    cids = [CIDS[4], ABSENT, CIDS[0], identity(b"inside"), CIDS[4]]
    expected = [BLOCKS[4], None, BLOCKS[0], b"inside", BLOCKS[4]]
    batch = dagstore.CIDBatch(cids)
    assert list(batch) == cids and batch[2] == cids[2] and list(batch[1:3]) == cids[1:3]
    assert shard.get_many(cids) == shard.get_many(batch) == expected
    for read in (shard.view_many, shard.read_many):
        blocks = read(batch)
        assert len(blocks) == 5
        assert list(blocks) == [blocks[at] for at in range(5)] == expected
        assert blocks[-1] == BLOCKS[4] and blocks[1:4] == expected[1:4]
        assert blocks.copies() == expected
        assert blocks.codes == ["ok", "blockNotFound", "ok", "ok", "ok"]
        assert blocks.sizes == [len(data or b"") for data in expected]
        assert blocks[0].readonly
        with pytest.raises(IndexError):
            blocks[5]
        with pytest.raises(IndexError):
            blocks[-6]


def test_an_empty_batch(shard):
    for read in (shard.view_many, shard.read_many):
        assert list(read([])) == []
    assert shard.get_many(iter([])) == []


def test_a_batch_with_an_error(shard):
    for read in (shard.view_many, shard.read_many):
        blocks = read([CIDS[1], b"no cid", str(dagstore.CID(CIDS[2]))])
        assert blocks[0] == BLOCKS[1] and blocks[2] == BLOCKS[2]
        assert blocks.codes == ["ok", "invalidCID", "ok"]
        with pytest.raises(dagstore.InvalidCID):
            blocks[1]
        with pytest.raises(dagstore.InvalidCID):
            list(blocks)


def test_a_batch_that_is_too_large(shard):
    with pytest.raises(dagstore.InvalidArgument):
        shard.view_many([CIDS[0]] * (dagstore.BATCH_MAX + 1))
    assert len(shard.view_many([CIDS[0]] * dagstore.BATCH_MAX)) == dagstore.BATCH_MAX


def test_verify(store, tmp_path):
    wrong = Section(cid_v1(b"one"), b"two")
    weak = Section(cid_of(RAW, b"\x12\x04" + cid_v1(b"x")[4:8]), b"x")
    strong = [Section(cid_of(RAW, hashed(b"one")), b"one") for hashed in (sha2_512, blake2b_256)]
    path = tmp_path / "wrong.car"
    path.write_bytes(Car([wrong, weak, *strong]).payload)
    store.register("a", f"file://{path}")
    with store.acquire("a") as shard:
        for reader in (shard, store):
            assert reader.get(wrong.cid) == b"two"
            with pytest.raises(dagstore.HashMismatch):
                reader.get(wrong.cid, verify=True)
            with pytest.raises(dagstore.InvalidArgument) as caught:
                reader.get(weak.cid, verify=True)
            assert caught.value.code == "unsupportedHash"
            for section in strong:
                assert reader.get(section.cid, verify=True) == b"one"
    check = store.check(deep=True)
    assert not check.is_sound and [problem.kind for problem in check.problems] == ["block"]


def test_the_shard(shard):
    assert shard.key == "a" and len(shard) == 50 and shard
    assert shard.roots == [CIDS[0]] and isinstance(shard.roots[0], dagstore.CID)
    sections = list(shard.sections())
    assert [section.cid for section in sections] == CIDS
    assert [section.block_size for section in sections] == [len(data) for data in BLOCKS]
    for section in sections:
        assert shard.locate(section.cid) == section[1:]


def test_many_roots_and_offsets(store, tmp_path):
    roots = [cid_v0(b"one"), cid_v1(b"one"), identity(bytes(200))]
    car = Car([Section(cid_v1(b"one"), b"one")] * 40, roots)
    path = tmp_path / "many.car"
    path.write_bytes(car.payload)
    store.register("a", f"file://{path}")
    with store.acquire("a") as shard:
        assert shard.roots == roots
        assert shard.offsets(cid_v1(b"one")) == [place.offset for place in car.places()]
    with dagstore.Car(path) as opened:
        assert opened.roots == roots
        assert opened.inspect().duplicate_sections == 39


def test_an_iterator_that_is_left(shard):
    before = dagstore.live_handles()
    sections = shard.sections()
    assert next(sections).cid == CIDS[0]
    assert dagstore.live_handles() == before + 1
    del sections
    assert dagstore.live_handles() == before


def test_index_arrays(shard, store, tmp_path):
    numpy = pytest.importorskip("numpy")
    arrays = shard.index_arrays()
    sections = list(shard.sections())
    for name in ("offsets", "block_offsets", "sizes"):
        assert arrays[name].dtype == numpy.uint64
    assert arrays["offsets"].tolist() == [section.offset for section in sections]
    assert arrays["block_offsets"].tolist() == [section.block_offset for section in sections]
    assert arrays["sizes"].tolist() == [section.block_size for section in sections]
    assert arrays["multihashes"].shape == (50, 34) and arrays["digests"].shape == (50, 32)
    assert arrays["digests"].dtype == numpy.uint8
    assert [bytes(row) for row in arrays["digests"]] == [cid[4:] for cid in CIDS]

    mixed = [
        Section(cid_v0(b"a"), b"a"),
        Section(cid_of(0x300001, sha2_512(b"b")), b"b"),
        Section(identity(b"c"), b"c"),
        Section(cid_of(RAW, blake2b_256(b"d")), b"d"),
    ]
    path = tmp_path / "mixed.car"
    path.write_bytes(Car(mixed).payload)
    store.register("mixed", f"file://{path}")
    with store.acquire("mixed") as other:
        arrays = other.index_arrays()
    hashes = [dagstore.CID(section.cid) for section in mixed]
    assert arrays["multihashes"].tolist() == [cid.multihash for cid in hashes]
    assert arrays["digests"].tolist() == [cid.digest for cid in hashes]

    path = tmp_path / "none.car"
    path.write_bytes(Car([], [CIDS[0]]).payload)
    store.register("none", f"file://{path}")
    with store.acquire("none") as other:
        assert len(other.index_arrays()["offsets"]) == 0


def test_numpy_reads_a_view(shard):
    numpy = pytest.importorskip("numpy")
    array = numpy.frombuffer(shard.view(CIDS[9]), dtype=numpy.uint8)
    gc.collect()
    assert array.tobytes() == BLOCKS[9]


def test_use_after_release(store, write_car):
    store.register("a", write_car(*BLOCKS))
    shard = store.acquire("a")
    sections = shard.sections()
    shard.release()
    shard.release()
    calls = [
        lambda: shard.get(CIDS[0]),
        lambda: shard.get(CIDS[0], verify=True),
        lambda: shard.view(CIDS[0]),
        lambda: shard.view_many(CIDS),
        lambda: shard.read_many(CIDS),
        lambda: CIDS[0] in shard,
        lambda: shard.locate(CIDS[0]),
        lambda: shard.offsets(CIDS[0]),
        lambda: len(shard),
        lambda: shard.roots,
        lambda: shard.key,
        lambda: shard.sections(),
        lambda: shard.__enter__(),
    ]
    for call in calls:
        with pytest.raises(dagstore.Closed) as caught:
            call()
        assert caught.value.code == "closed" and isinstance(caught.value, ValueError)
    assert repr(shard) == "<Shard, released>"
    assert len(list(sections)) == 50  # the iterator holds the lease
    if "numpy" in sys.modules:
        with pytest.raises(dagstore.Closed):
            shard.index_arrays()


def test_a_slot_is_safe_from_finalizers(shard):
    """A finalizer that reads between two steps of a read has results of its own."""

    class Finalized:
        def __del__(self):
            assert shard.view(CIDS[1]) == BLOCKS[1]
            assert shard.get(CIDS[2]) == BLOCKS[2]

    class Text(str):
        def encode(self, *arguments):
            Finalized()
            return super().encode(*arguments)

    text = Text(str(dagstore.CID(CIDS[3])))
    for _ in range(20):
        assert shard.view(text) == BLOCKS[3]
        assert shard.get(text) == BLOCKS[3]
