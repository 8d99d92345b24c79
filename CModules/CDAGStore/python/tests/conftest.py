import pathlib
import sys

import pytest

CONFORMANCE = pathlib.Path(__file__).resolve().parents[2] / "conformance"
sys.path.insert(0, str(CONFORMANCE))

import dagstore  # noqa: E402
from carbytes import Car, Section, cid_v1  # noqa: E402


@pytest.fixture(autouse=True)
def no_leaks():
    """Every test gives back all handles of the library."""
    before = dagstore.live_handles()
    yield
    assert dagstore.live_handles() == before


@pytest.fixture
def store(tmp_path):
    with dagstore.open(tmp_path / "store") as store:
        yield store


@pytest.fixture
def write_car(tmp_path):
    """Writes a CAR of blocks, and returns its URL."""

    def write(*blocks, name="a.car"):
        path = tmp_path / name
        path.write_bytes(Car([Section(cid_v1(data), data) for data in blocks]).payload)
        return f"file://{path}"

    return write
