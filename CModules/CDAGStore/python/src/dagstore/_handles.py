"""Objects that hold a handle of the library: how they end, and what a fork does to them."""

import atexit
import os
from ctypes import c_void_p
from threading import RLock
from typing import Any, Callable, Dict, List, NoReturn, Optional
from weakref import ReferenceType, ref

from . import _errors
from ._library import lib

_open: "Dict[int, ReferenceType[Handle]]" = {}
"""The objects with an open handle, by `id`."""

as_argument = c_void_p.from_param
"""Makes of an address or a handle an argument that ctypes need not convert."""

after_fork: List[Callable[[], None]] = []
"""What else a child process forgets."""

at_exit: List[Callable[[], None]] = []
"""What ends before the interpreter does."""


class Handle:
    """An object with a handle, which it gives back once."""

    _noun = "object"
    _ended = "is closed"
    _give_back: Any
    _handle: Optional[int] = None
    _arg: Any = None
    """The handle as an argument of the library; None once it was given back."""
    _forked = False

    def _own(self, handle: int) -> None:
        self._handle = handle
        self._arg = as_argument(handle)
        _open[id(self)] = ref(self)

    def _use(self) -> Any:
        """The handle as an argument; raises if it was given back."""
        if self._arg is None:
            raise self._closed()
        return self._arg

    def _closed(self) -> _errors.Error:
        if self._forked:
            message = f"use the {self._noun}: it was opened before the process forked"
        else:
            message = f"use the {self._noun}: it {self._ended}"
        return _errors.Closed(message, _errors.CLOSED)

    def close(self) -> None:
        """Gives the handle back. A second call does nothing."""
        handle = self._disown()
        if handle is not None:
            type(self)._give_back(handle)

    def _disown(self) -> Optional[int]:
        """Returns the handle for the caller to give back; None if it was given back."""
        # The library ignores a handle that was given back, so threads may race here.
        handle, self._handle, self._arg = self._handle, None, None
        if handle is not None:
            _open.pop(id(self), None)
        return handle

    def _forget(self) -> None:
        """Drops the handle in a child process, which must not use it."""
        self._forked = self._handle is not None
        self._handle = self._arg = None

    def __reduce__(self) -> NoReturn:
        """Refuses copies and pickles, of which one would give the handle of the other back."""
        raise TypeError(f"cannot copy or pickle {type(self).__name__}: it holds a handle")

    def __del__(self) -> None:
        if self._handle is not None:
            Handle.close(self)


class Cursor(Handle):
    """A cursor of the library, whose results are valid until its next step or its end.

    Methods hold `_lock` while they step and copy the result.
    """

    def _own(self, handle: int) -> None:
        self._lock = RLock()
        super()._own(handle)

    def close(self) -> None:
        """Gives the handle back. A second call does nothing."""
        with self._lock:
            super().close()

    def _forget(self) -> None:
        self._lock = RLock()  # another thread of the parent may have held it
        super()._forget()


def live(kind: type) -> List[Any]:
    """The objects of a type that have an open handle."""
    found = [reference() for reference in list(_open.values())]
    return [each for each in found if isinstance(each, kind)]


_threads_began = False
_is_cut_off = False


def begin_threads() -> None:
    """Notes that the library now has threads; raises in a child process of one that had some."""
    global _threads_began
    if _is_cut_off:
        message = "open a store: the process was forked from one that uses the library"
        advice = "use the start method 'spawn' or 'forkserver', or fork before the first `open`"
        raise _errors.Closed(f"{message}; {advice}", _errors.CLOSED)
    _threads_began = True


def _in_child() -> None:
    """Leaves the parent's objects alone: a child has none of the threads that serve them."""
    global _is_cut_off
    for each in live(Handle):
        each._forget()
    _open.clear()
    for forget in after_fork:
        forget()
    if _threads_began:
        _is_cut_off = True
        at_exit.clear()


os.register_at_fork(after_in_child=_in_child)


@atexit.register
def _at_exit() -> None:
    """Ends calls from threads of the library before the interpreter goes away."""
    for step in at_exit:
        step()


def live_handles() -> int:
    """Returns the number of open handles of this process. Tests use it to find leaks."""
    count: int = lib.live_handles()
    return count
