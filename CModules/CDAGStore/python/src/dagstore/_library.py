"""Finds and loads libdagstore, and declares its functions.

The structs and constants follow dagstore.h, which explains them.
"""

import ctypes
import os
import subprocess
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_char,
    c_char_p,
    c_double,
    c_int32,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from threading import get_ident
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Type

ABI_VERSION = 1
SONAME = f"libdagstore.so.{ABI_VERSION}"

WAIT_FOREVER = 0xFFFF_FFFF
NO_LIMIT = 0xFFFF_FFFF_FFFF_FFFF
BATCH_MAX = 65_536
CID_SIZE = 96

OK = 0
DONE = 1


def callback(prototype: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator that makes a function of a prototype, which the library can call."""

    def decorate(function: Callable[..., Any]) -> Any:
        def count(*arguments: Any) -> Any:
            thread = get_ident()
            depth = _running.get(thread, 0)
            _running[thread] = depth + 1
            try:
                return function(*arguments)
            finally:
                if depth:
                    _running[thread] = depth
                else:
                    del _running[thread]

        return prototype(count)

    return decorate


_running: Dict[int, int] = {}
"""The number of callbacks that each thread is in."""


def is_in_callback() -> bool:
    """Whether this thread is in a callback, where closing a store does not wait."""
    return get_ident() in _running


# ---- Structs -------------------------------------------------------------------------------------


class Bytes(Structure):
    _fields_ = [("data", c_void_p), ("size", c_size_t)]

    def copy(self) -> bytes:
        return ctypes.string_at(self.data, self.size) if self.size else b""


class MountStat(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("bytes", c_uint64),
        ("validator", c_char * 256),
    ]


class MountRequest(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        ("key", c_char_p),
        ("url", c_char_p),
    ]


class MountSource(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        ("source", c_void_p),
        ("bytes", c_uint64),
        ("path", c_char * 4096),
    ]


# The callbacks get structs and out parameters as addresses; NULL arrives as None.
StatFn = CFUNCTYPE(c_int32, c_void_p, c_char_p, c_void_p, c_void_p)
OpenFn = CFUNCTYPE(c_int32, c_void_p, c_char_p, c_void_p, c_void_p, c_void_p)
ReadAtFn = CFUNCTYPE(
    c_int32, c_void_p, c_void_p, c_uint64, c_void_p, c_size_t, POINTER(c_size_t), c_void_p
)
SourceFn = CFUNCTYPE(None, c_void_p, c_void_p)
ReleaseFn = CFUNCTYPE(None, c_void_p)
AccessOfFn = CFUNCTYPE(c_uint32, c_void_p, c_char_p)
StatShardFn = CFUNCTYPE(c_int32, c_void_p, POINTER(MountRequest), POINTER(MountStat), c_void_p)
OpenShardFn = CFUNCTYPE(c_int32, c_void_p, POINTER(MountRequest), POINTER(MountSource), c_void_p)


class MountVtable(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("access", c_uint32),
        ("stat", StatFn),
        ("open", OpenFn),
        ("read_at", ReadAtFn),
        ("close", SourceFn),
        ("interrupt", SourceFn),
        ("release", ReleaseFn),
        ("access_of", AccessOfFn),
        ("stat_shard", StatShardFn),
        ("open_shard", OpenShardFn),
    ]


LogFn = CFUNCTYPE(None, c_void_p, c_int32, c_char_p)
SelectFn = CFUNCTYPE(
    c_size_t, c_void_p, c_void_p, c_size_t, POINTER(c_char_p), c_size_t, POINTER(c_size_t)
)
ObserveFn = CFUNCTYPE(None, c_void_p, c_char_p, c_uint64, c_bool)
ProgressFn = CFUNCTYPE(None, c_void_p, c_uint64, c_uint64, c_uint64)
DoneFn = CFUNCTYPE(None, c_void_p, c_int32, c_void_p)
AcquiredFn = CFUNCTYPE(None, c_void_p, c_int32, c_void_p, c_void_p)
CollectedFn = CFUNCTYPE(None, c_void_p, c_char_p, c_uint32, c_uint64, c_void_p)


class IndexingInfo(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        ("key", c_char_p),
        ("mount_url", c_char_p),
        ("bytes", c_uint64),
        ("payload_offset", c_uint64),
        ("payload_size", c_uint64),
    ]


IndexFn = CFUNCTYPE(c_int32, c_void_p, c_void_p, POINTER(IndexingInfo), c_void_p)


class Config(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("page_policy", c_uint32),
        ("recovery", c_uint32),
        ("map_size", c_uint64),
        ("sort_budget", c_uint64),
        ("page_cache_size", c_uint64),
        ("header_size_max", c_uint64),
        ("section_size_max", c_uint64),
        ("concurrent_indexing", c_uint32),
        ("concurrent_ready_fetches", c_uint32),
        ("automatic_recoveries", c_uint32),
        ("idle_shards_max", c_uint32),
        ("idle_bytes_max", c_uint64),
        ("idle_time_max_ms", c_uint64),
        ("transient_quota", c_uint64),
        ("transient_high_watermark", c_double),
        ("transient_low_watermark", c_double),
        ("mounts", c_void_p),
        ("select_shards", SelectFn),
        ("select_context", c_void_p),
        ("fetch_timeout_ms", c_uint64),
        ("remote_policy", c_uint32),
        ("reserved", c_uint32),
        ("remote_cache_size", c_uint64),
        ("observe", ObserveFn),
        ("observe_context", c_void_p),
        ("index", IndexFn),
        ("index_context", c_void_p),
    ]


class RegisterOptions(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("existing_transient", c_char_p),
        ("progress", ProgressFn),
        ("progress_context", c_void_p),
        ("policy", c_uint32),
        ("reserved", c_uint32),
    ]


class Location(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        ("offset", c_uint64),
        ("block_offset", c_uint64),
        ("block_size", c_uint64),
    ]


class Entry(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        ("cid", Bytes),
        ("offset", c_uint64),
        ("block_offset", c_uint64),
        ("block_size", c_uint64),
    ]


class Place(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        ("key", c_char_p),
        ("offset", c_uint64),
        ("block_offset", c_uint64),
        ("block_size", c_uint64),
    ]


class Info(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("state", c_uint32),
        ("flags", c_uint32),
        ("error_status", c_int32),
        ("key", c_char_p),
        ("mount_url", c_char_p),
        ("transient", c_char_p),
        ("error_message", c_char_p),
        ("references", c_uint64),
        ("block_count", c_uint64),
        ("payload_size", c_uint64),
        ("index_size", c_uint64),
        ("state_since", c_uint64),
        ("policy", c_uint32),
        ("reserved", c_uint32),
        ("remote_requests", c_uint64),
        ("remote_bytes", c_uint64),
    ]


class Event(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("operation", c_uint32),
        ("state", c_uint32),
        ("error_status", c_int32),
        ("number", c_uint64),
        ("references", c_uint64),
        ("key", c_char_p),
        ("error_message", c_char_p),
    ]


class Statistics(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("inverse_runs", c_uint32),
        ("shards", c_uint64),
        ("available", c_uint64),
        ("failed", c_uint64),
        ("blocks", c_uint64),
        ("payload_bytes", c_uint64),
        ("index_bytes", c_uint64),
        ("catalog_file_bytes", c_uint64),
        ("catalog_used_bytes", c_uint64),
        ("map_size", c_uint64),
        ("leases", c_uint64),
        ("open_shards", c_uint64),
        ("events_dropped", c_uint64),
        ("transients", c_uint64),
        ("transient_bytes", c_uint64),
        ("page_cache_hits", c_uint64),
        ("page_cache_misses", c_uint64),
        ("page_cache_bytes", c_uint64),
        ("inverse_entries", c_uint64),
        ("inverse_bytes", c_uint64),
        ("inverse_entries_added", c_uint64),
        ("inverse_entries_written", c_uint64),
        ("catalog_free_bytes", c_uint64),
        ("remote_requests", c_uint64),
        ("remote_bytes", c_uint64),
    ]


class Garbage(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        ("removed", c_uint64),
        ("removed_bytes", c_uint64),
        ("kept", c_uint64),
        ("in_use", c_uint64),
        ("failed", c_uint64),
    ]


class Check(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("is_sound", c_uint32),
        ("problems", c_uint64),
        ("shards", c_uint64),
        ("entries", c_uint64),
        ("blocks", c_uint64),
        ("bytes", c_uint64),
        ("skipped", c_uint64),
        ("stale_entries", c_uint64),
        ("failed", c_uint64),
        ("unread", c_uint64),
        ("unverified", c_uint64),
    ]


class Problem(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        ("kind", c_char_p),
        ("key", c_char_p),
        ("detail", c_char_p),
        ("repair", c_char_p),
    ]


class CIDParts(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("version", c_uint32),
        ("codec", c_uint64),
        ("hash_code", c_uint64),
        ("multihash", Bytes),
        ("digest", Bytes),
    ]


class CarInfo(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("version", c_uint32),
        ("flags", c_uint32),
        ("index_codec", c_uint32),
        ("roots", c_uint64),
        ("data_offset", c_uint64),
        ("data_size", c_uint64),
        ("index_offset", c_uint64),
        ("sections", c_uint64),
        ("identity_sections", c_uint64),
        ("duplicate_sections", c_uint64),
        ("block_size_min", c_uint64),
        ("block_size_max", c_uint64),
        ("null_padding", c_uint64),
    ]


class CarVerification(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        ("sections", c_uint64),
        ("unverified", c_uint64),
        ("mismatches", c_uint64),
    ]


# ---- Functions -----------------------------------------------------------------------------------

_H = c_void_p  # a handle
_O = c_void_p  # an out parameter
_E = c_void_p  # dagstore_error_t **out_error
_P = c_void_p  # other memory
_CID: Sequence[Any] = (c_char_p, c_size_t)

# Name, result, arguments. Without a result type, the function returns a status.
_FUNCTIONS: List[Tuple[str, Any, Sequence[Any]]] = [
    ("abi_version", c_uint32, ()),
    ("version", c_char_p, ()),
    ("status_name", c_char_p, (c_int32,)),
    ("live_handles", c_uint64, ()),
    ("error_status", c_int32, (_H,)),
    ("error_message", c_char_p, (_H,)),
    ("error_shard", c_char_p, (_H,)),
    ("error_offset", c_bool, (_H, POINTER(c_uint64))),
    ("error_new", c_void_p, (c_int32, c_char_p)),
    ("log_set", c_int32, (c_int32, LogFn, c_void_p, _E)),
    ("mapping_guard_install", c_bool, ()),
    ("mounts_new", c_int32, (_O, _E)),
    ("mounts_add", c_int32, (_H, c_char_p, POINTER(MountVtable), c_void_p, _E)),
    ("config_init", c_int32, (POINTER(Config), c_size_t, _E)),
    ("open", c_int32, (c_char_p, POINTER(Config), _O, _E)),
    ("shutdown", c_int32, (_H, c_uint32, _E)),
    ("compact", c_int32, (c_char_p, c_uint64, POINTER(c_uint64), POINTER(c_uint64), _E)),
    ("register_with", c_int32, (_H, c_char_p, c_char_p, POINTER(RegisterOptions), _E)),
    (
        "register_async",
        c_int32,
        (_H, c_char_p, c_char_p, POINTER(RegisterOptions), DoneFn, c_void_p, _E),
    ),
    ("cancel", c_int32, (_H, c_void_p, POINTER(c_size_t), _E)),
    ("initialize", c_int32, (_H, c_char_p, _E)),
    ("initialize_async", c_int32, (_H, c_char_p, DoneFn, c_void_p, _E)),
    ("relocate", c_int32, (_H, c_char_p, c_char_p, _E)),
    ("set_policy", c_int32, (_H, c_char_p, c_uint32, _E)),
    ("recover", c_int32, (_H, c_char_p, _E)),
    ("recover_async", c_int32, (_H, c_char_p, DoneFn, c_void_p, _E)),
    ("destroy", c_int32, (_H, c_char_p, _E)),
    ("destroy_async", c_int32, (_H, c_char_p, DoneFn, c_void_p, _E)),
    ("acquire", c_int32, (_H, c_char_p, c_uint32, _O, _E)),
    ("acquire_async", c_int32, (_H, c_char_p, c_uint32, AcquiredFn, c_void_p, _E)),
    ("shard_key", c_int32, (_H, _P, c_size_t, POINTER(c_size_t), _E)),
    ("shard_block_count", c_uint64, (_H,)),
    ("shard_root_count", c_size_t, (_H,)),
    ("shard_root", c_int32, (_H, c_size_t, _P, c_size_t, POINTER(c_size_t), _E)),
    ("shard_contains", c_int32, (_H, *_CID, POINTER(c_bool), _E)),
    ("shard_locate", c_int32, (_H, *_CID, POINTER(Location), _E)),
    ("shard_get", c_int32, (_H, *_CID, _O, _E)),
    ("shard_read", c_int32, (_H, *_CID, _P, c_size_t, POINTER(c_size_t), _E)),
    ("shard_get_many", c_int32, (_H, c_char_p, _P, c_size_t, _P, _O, _E)),
    (
        "shard_read_many",
        c_int32,
        (_H, c_char_p, _P, c_size_t, _P, c_size_t, _P, POINTER(c_size_t), _E),
    ),
    ("shard_offsets", c_int32, (_H, *_CID, _P, c_size_t, POINTER(c_size_t), _E)),
    ("block_bytes", Bytes, (_H,)),
    ("block_verified", c_int32, (_H, *_CID, _O, _E)),
    ("entries_open", c_int32, (_H, _O, _E)),
    ("entries_next", c_int32, (_H, POINTER(Entry), _E)),
    ("get", c_int32, (_H, *_CID, c_uint32, _O, _E)),
    ("get_selecting", c_int32, (_H, *_CID, c_uint32, SelectFn, c_void_p, _O, _E)),
    ("contains", c_int32, (_H, *_CID, POINTER(c_bool), _E)),
    ("block_size", c_int32, (_H, *_CID, POINTER(c_uint64), _E)),
    (
        "holders",
        c_int32,
        (_H, c_char_p, c_size_t, _P, c_size_t, POINTER(c_size_t), POINTER(c_size_t), _E),
    ),
    ("find", c_int32, (_H, *_CID, _O, _E)),
    ("places_next", c_int32, (_H, POINTER(Place), _E)),
    ("multihashes_open", c_int32, (_H, c_char_p, c_char_p, _O, _E)),
    ("multihashes_next_section", c_int32, (_H, POINTER(Bytes), POINTER(c_uint64), _E)),
    ("multihashes_cursor", c_char_p, (_H,)),
    ("state", c_int32, (_H, c_char_p, POINTER(c_uint32), _E)),
    ("shards_open", c_int32, (_H, c_char_p, _O, _E)),
    ("shards_next", c_int32, (_H, POINTER(Info), _E)),
    ("events_open", c_int32, (_H, c_size_t, _O, _E)),
    ("events_next", c_int32, (_H, c_uint32, POINTER(Event), _E)),
    ("statistics", c_int32, (_H, POINTER(Statistics), _E)),
    (
        "scheme_traffic",
        c_int32,
        (_H, c_char_p, POINTER(c_uint64), POINTER(c_uint64), _E),
    ),
    (
        "collect_garbage_with",
        c_int32,
        (_H, c_uint64, CollectedFn, c_void_p, POINTER(Garbage), _E),
    ),
    ("check", c_int32, (_H, c_uint32, POINTER(Check), _O, _E)),
    ("problems_next", c_int32, (_H, POINTER(Problem), _E)),
    ("cid_parse", c_int32, (c_char_p, _P, c_size_t, POINTER(c_size_t), _E)),
    ("cid_format", c_int32, (*_CID, _P, c_size_t, POINTER(c_size_t), _E)),
    ("cid_split", c_int32, (*_CID, POINTER(CIDParts), _E)),
    ("cid_make", c_int32, (c_uint64, *_CID, _P, c_size_t, POINTER(c_size_t), _E)),
    ("car_open", c_int32, (c_char_p, _O, _E)),
    ("car_inspect", c_int32, (_H, POINTER(CarInfo), _E)),
    ("car_root", c_int32, (_H, c_size_t, _P, c_size_t, POINTER(c_size_t), _E)),
    ("car_verify", c_int32, (_H, c_uint32, POINTER(CarVerification), _E)),
    ("indexing_add", c_int32, (_H, *_CID, c_uint64, c_uint64, _E)),
    ("indexing_read", c_int32, (_H, c_uint64, _P, c_size_t, POINTER(c_size_t), _E)),
]  # fmt: skip

_FUNCTIONS += [
    (name, None, (_H,))
    for name in (
        "error_release",
        "mounts_release",
        "close",
        "shard_release",
        "block_release",
        "entries_close",
        "places_close",
        "multihashes_close",
        "shards_close",
        "events_close",
        "problems_close",
        "car_close",
    )
]


class Library:
    """The functions of libdagstore, by their names without `dagstore_`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._dll = ctypes.CDLL(path)
        try:
            abi_version = self._function("abi_version", c_uint32, ())()
        except AttributeError:
            raise ImportError(f"load {path}: the library is not libdagstore") from None
        if abi_version != ABI_VERSION:
            raise ImportError(
                f"load {path}: the library has ABI version {abi_version}, and this package needs"
                f" version {ABI_VERSION}; install releases that match"
            )
        for name, result, arguments in _FUNCTIONS:
            try:
                setattr(self, name, self._function(name, result, arguments))
            except AttributeError:
                raise ImportError(
                    f"load {path}: the library lacks dagstore_{name}; install a later release"
                ) from None

    def _function(self, name: str, result: Any, arguments: Sequence[Any]) -> Any:
        function = self._dll["dagstore_" + name]  # an object of its own at each access
        function.restype = result
        function.argtypes = tuple(arguments)
        return function

    def untyped(self, name: str, result: Optional[Type[Any]], at_once: bool = False) -> Any:
        """A function that converts no arguments, so that a call costs a third less.

        Pass `bytes`, None, and what `byref` and `from_param` return, only.

        at_once: Whether the function never waits, so that a call keeps the interpreter's lock.
        """
        dll = ctypes.PyDLL(self.path) if at_once else self._dll
        function = dll["dagstore_" + name]
        function.restype = result
        return function

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


def _candidates() -> List[str]:
    inside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_lib", SONAME)
    if os.path.exists(inside):
        return [inside]
    named = os.environ.get("DAGSTORE_LIBRARY")
    if named:
        return [named]
    paths = []
    try:
        found = subprocess.run(
            ["pkg-config", "--variable=libdir", "dagstore"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        paths.append(os.path.join(os.fsdecode(found.stdout).strip(), SONAME))
    except (OSError, subprocess.CalledProcessError):
        pass  # no pkg-config, or no dagstore.pc: the dynamic linker's path remains
    return [path for path in paths if os.path.exists(path)] + [SONAME]


def _load() -> Library:
    path = _candidates()[0]
    try:
        return Library(path)
    except OSError as error:
        raise ImportError(
            f"load {path}: {error}; install libdagstore, or set DAGSTORE_LIBRARY to its path"
        ) from None


lib = _load()
