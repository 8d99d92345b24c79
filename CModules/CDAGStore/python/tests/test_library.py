"""How the package finds and refuses libraries."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import dagstore

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "src"


def load(environment, source=SOURCE):
    """Imports the package in a process of its own; returns what it prints, or the error."""
    removed = ("DAGSTORE_LIBRARY", "PKG_CONFIG_PATH", "LD_LIBRARY_PATH")
    kept = {name: value for name, value in os.environ.items() if name not in removed}
    found = subprocess.run(
        [sys.executable, "-c", "import dagstore; print(dagstore.library_path)"],
        env={**kept, "PYTHONPATH": str(source), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return found.stdout.strip() or found.stderr.strip().splitlines()[-1]


@pytest.fixture
def library(tmp_path):
    """The library under its own name, in a folder of its own."""
    real = pathlib.Path(dagstore.library_path)
    if not real.is_absolute():
        pytest.skip("the dynamic linker found the library")
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "libdagstore.so.1").symlink_to(real.resolve())
    return folder / "libdagstore.so.1"


@pytest.fixture
def compiled(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")

    def compile(code):
        source, library = tmp_path / "fake.c", tmp_path / "fake.so"
        source.write_text(code)
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
        return str(library)

    return compile


def test_by_variable(library):
    assert load({"DAGSTORE_LIBRARY": str(library)}) == str(library)


def test_by_pkg_config(library, tmp_path):
    if shutil.which("pkg-config") is None:
        pytest.skip("there is no pkg-config")
    (tmp_path / "dagstore.pc").write_text(
        f"libdir={library.parent}\nName: dagstore\nDescription: dagstore\nVersion: 0.1.0\n"
    )
    assert load({"PKG_CONFIG_PATH": str(tmp_path)}) == str(library)


def test_by_linker_path(library):
    environment = {"PATH": "/nowhere", "LD_LIBRARY_PATH": str(library.parent)}
    assert load(environment) == "libdagstore.so.1"


def test_inside_the_package_comes_first(library, tmp_path):
    shutil.copytree(SOURCE / "dagstore", tmp_path / "own" / "dagstore")
    inside = tmp_path / "own" / "dagstore" / "_lib"
    inside.mkdir()
    (inside / "libdagstore.so.1").symlink_to(library.resolve())
    found = load({"DAGSTORE_LIBRARY": "/nowhere.so"}, tmp_path / "own")
    assert found == str(inside / "libdagstore.so.1")


def test_another_abi(compiled):
    path = compiled("unsigned dagstore_abi_version(void) { return 7; }")
    message = load({"DAGSTORE_LIBRARY": path})
    assert message.startswith("ImportError") and path in message
    assert "ABI version 7" in message and "version 1" in message


def test_another_library(compiled):
    message = load({"DAGSTORE_LIBRARY": compiled("int x;")})
    assert message.startswith("ImportError") and "not libdagstore" in message


def test_an_old_library(compiled):
    message = load({"DAGSTORE_LIBRARY": compiled("int dagstore_abi_version(void) { return 1; }")})
    assert message.startswith("ImportError") and "lacks dagstore_" in message


def test_no_library():
    message = load({"DAGSTORE_LIBRARY": "/nowhere.so"})
    assert message.startswith("ImportError") and "/nowhere.so" in message
    assert "DAGSTORE_LIBRARY" in message


def test_versions():
    assert dagstore.library_version.count(".") == 2
    assert dagstore.__version__ == "0.1.0"
    assert all(hasattr(dagstore, name) for name in dagstore.__all__)
