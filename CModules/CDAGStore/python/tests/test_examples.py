"""The programs in examples/ run."""

import os
import pathlib
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

import dagstore
from carbytes import Car, Section, cid_v1

PYTHON = pathlib.Path(__file__).resolve().parents[1]
ENVIRONMENT = dict(os.environ, PYTHONPATH=str(PYTHON / "src"))
BLOCKS = [bytes([at]) * (at + 1) for at in range(40)]


@pytest.fixture
def folder(tmp_path):
    """Two good CARs, one with a wrong hash, and a file that is no CAR."""
    folder = tmp_path / "100% cars"
    folder.mkdir()
    sections = [Section(cid_v1(data), data) for data in BLOCKS]
    (folder / "a.car").write_bytes(Car(sections[:30]).payload)
    (folder / "b.car").write_bytes(Car(sections[20:]).v2())
    (folder / "wrong.car").write_bytes(Car([Section(cid_v1(b"one"), b"two")]).payload)
    (folder / "broken.car").write_bytes(b"broken")
    return folder


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_serve(tmp_path, folder):
    program = subprocess.Popen(
        [sys.executable, PYTHON / "examples" / "serve.py", tmp_path / "store", folder, "0"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # A shell's background job ignores SIGINT, and so would the program.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with program:
        try:
            line = program.stdout.readline()
            assert line.startswith("serving 51 blocks on port ")
            port = int(line.split()[-1])
            for data in BLOCKS:
                assert get(port, f"/block/{dagstore.CID(cid_v1(data))}") == (200, data)
            assert get(port, f"/block/{dagstore.CID(cid_v1(b'absent'))}")[0] == 404
            status, body = get(port, f"/block/{dagstore.CID(cid_v1(b'one'))}")
            assert status == 502 and b"hashMismatch" in body
            for path in ("/block/x", "/block/", "/", f"/other/{dagstore.CID(cid_v1(BLOCKS[0]))}"):
                assert get(port, path)[0] == 400
        finally:
            program.send_signal(signal.SIGINT)
            assert program.wait(30) == 0


def test_bench(tmp_path, write_car):
    with dagstore.open(tmp_path / "store") as store:
        store.register("a", write_car(*BLOCKS))
    (tmp_path / "cids").write_bytes(b"".join(cid_v1(data) for data in BLOCKS))
    found = subprocess.run(
        [
            sys.executable,
            PYTHON / "examples" / "bench.py",
            tmp_path / "store",
            "a",
            tmp_path / "cids",
            "36",
        ],
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    lines = dict(line.split() for line in found.stdout.splitlines())
    assert {"copy", "view", "batch", "acquire", "holders"} <= lines.keys()
    assert all(float(nanoseconds) > 0 for nanoseconds in lines.values())
