import copy
import pickle

import pytest

import dagstore
from carbytes import (
    DAG_CBOR,
    IDENTITY,
    RAW,
    SHA2_256,
    cid_text,
    cid_v0,
    cid_v1,
    identity,
    multibase,
)

ONE = cid_v1(b"one", DAG_CBOR)
TEXT = cid_text(ONE)


def test_parts():
    cid = dagstore.CID(TEXT)
    assert cid == dagstore.CID(ONE) == dagstore.CID.parse(TEXT) == ONE
    assert bytes(cid) == ONE and str(cid) == TEXT
    assert (cid.version, cid.codec, cid.hash_code) == (1, DAG_CBOR, SHA2_256)
    assert cid.multihash == ONE[2:] and cid.digest == ONE[4:]
    assert dagstore.CID.make(DAG_CBOR, cid.multihash) == cid
    assert repr(cid) == f"CID('{TEXT}')" and eval(repr(cid), {"CID": dagstore.CID}) == cid


def test_version_0():
    cid = dagstore.CID(cid_v0(b"one"))
    assert str(cid).startswith("Qm") and cid.version == 0 and cid.codec == 0x70
    assert cid.multihash == cid and cid.digest == cid[2:]


def test_identity():
    cid = dagstore.CID(identity(b"inside"))
    assert cid.hash_code == IDENTITY and cid.digest == b"inside" and cid.codec == RAW
    long = dagstore.CID(identity(bytes(1000)))
    assert dagstore.CID(str(long)) == long


def test_it_is_bytes():
    cid = dagstore.CID(TEXT)
    assert isinstance(cid, bytes) and hash(cid) == hash(ONE)
    assert {ONE: 1}[cid] == 1 and cid in {dagstore.CID(TEXT)}
    assert pickle.loads(pickle.dumps(cid)) == cid and copy.deepcopy(cid) == cid
    assert type(pickle.loads(pickle.dumps(cid))) is dagstore.CID


@pytest.mark.parametrize("prefix", "fFbBcCvVtThkKzZmMuU")
def test_multibases(prefix):
    assert dagstore.CID(multibase(ONE, prefix)) == ONE


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "b",
        "Qm",
        TEXT[:-1],
        TEXT + "a",
        TEXT + "\0",
        "\ud800",
        "\u00e9",
        b"",
        ONE[:-1],
        ONE + b"\0",
    ],
)
def test_no_cid(wrong):
    with pytest.raises(dagstore.InvalidCID) as caught:
        dagstore.CID(wrong)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(TypeError):
        dagstore.CID(None)


def test_make_checks():
    with pytest.raises(dagstore.InvalidCID):
        dagstore.CID.make(RAW, ONE[2:-1])
    for codec in (-1, 1 << 64):
        with pytest.raises(dagstore.InvalidArgument):
            dagstore.CID.make(codec, ONE[2:])
