package dagstore

// #include "bridge.h"
import "C"

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// An anchor gives handles back that the caller forgot: its finalizer releases the handle that it
// holds. The caller's own Release or Close takes the handle out first.
//
// A finalizer costs 300 ns to set. So anchors are used again, and each gets its finalizer once.
type anchor struct {
	handle  C.uintptr_t
	release func(C.uintptr_t)
	// place is where the anchor was in a stash.
	place uint32
	// generation is the number of Views that had the anchor.
	generation atomic.Uint64
	// shard is the lease of a View. An anchor in a stash has none: the cycle would keep both.
	shard *Shard
}

var anchors sync.Pool

// newAnchor returns an anchor that holds a handle.
func newAnchor(handle C.uintptr_t, release func(C.uintptr_t)) *anchor {
	a, _ := anchors.Get().(*anchor)
	if a == nil {
		a = new(anchor)
		runtime.SetFinalizer(a, (*anchor).finalize)
	}
	a.handle, a.release = handle, release
	return a
}

// free gives the anchor back, without its handle.
func (a *anchor) free() {
	a.handle, a.release, a.shard = 0, nil, nil
	anchors.Put(a)
}

// giveBack gives the handle back, and the anchor.
func (a *anchor) giveBack() {
	release, handle := a.release, a.handle
	a.free()
	release(handle)
}

func (a *anchor) finalize() {
	if a.handle != 0 {
		a.release(a.handle)
	}
}

func releaseBlock(handle C.uintptr_t) { C.dsgo_block_release(handle) }

func releaseLease(handle C.uintptr_t) { C.dsgo_shard_release(handle, C.dsgo_stash{}) }
