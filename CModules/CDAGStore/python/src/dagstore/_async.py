"""Calls that an event loop waits for."""

from __future__ import annotations

import asyncio
from ctypes import byref, c_void_p
from typing import Any, Callable, Optional, Tuple

from . import _errors
from ._callbacks import contexts, new_context
from ._library import AcquiredFn, DoneFn, callback, lib

# A completion: the future of the caller, its loop, and what makes the result of a lease's handle.
_Waiter = Tuple["asyncio.Future[Any]", asyncio.AbstractEventLoop, Callable[[int], Any]]


@callback(DoneFn)
def _on_done(context: int, status: int, error: Optional[int]) -> None:
    _complete(context, status, 0, error)


@callback(AcquiredFn)
def _on_acquired(context: int, status: int, shard: Optional[int], error: Optional[int]) -> None:
    _complete(context, status, shard or 0, error)


def _complete(context: int, status: int, shard: int, error: Optional[int]) -> None:
    """Runs on the store's thread for completions."""
    future, loop, wrap = contexts.pop(context)
    failure = _errors.of_handle(status, error) if status < 0 else None
    # A lease that comes too late ends with its object.
    result = wrap(shard) if failure is None else None
    try:
        loop.call_soon_threadsafe(_set, future, result, failure)
    except RuntimeError:
        pass  # the loop is closed, so the caller no longer waits


def _set(future: asyncio.Future[Any], result: Any, failure: Optional[BaseException]) -> None:
    """Runs on the loop."""
    if future.done():  # the caller was cancelled
        if result is not None:
            result.close()
    elif failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(result)


async def call(store: Any, function: Any, *arguments: Any) -> None:
    """Awaits an _async function that completes without a result."""
    await _call(store, function, arguments, _on_done, lambda _: None)


async def acquire(store: Any, wrap: Callable[[int], Any], *arguments: Any) -> Any:
    """Awaits a lease."""
    return await _call(store, lib.acquire_async, arguments, _on_acquired, wrap)


async def _call(
    store: Any, function: Any, arguments: Tuple[Any, ...], done: Any, wrap: Callable[[int], Any]
) -> Any:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    waiter: _Waiter = (future, loop, wrap)
    context = new_context(waiter)
    try:
        _errors.call(function, store._use(), *arguments, done, context)
    except BaseException:
        contexts.pop(context, None)
        raise
    try:
        return await future
    except asyncio.CancelledError:
        error = c_void_p()
        # A store that was closed meanwhile has completed the call already.
        lib.cancel(store._arg, context, None, byref(error))
        lib.error_release(error)
        raise
