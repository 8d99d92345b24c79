package dagstore

// #include "bridge.h"
import "C"

import (
	"io"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"unsafe"
)

// A View is a block that the library owns: bytes of the CAR file where the shard is mapped.
//
// Release gives the block back. Keep the View until then: `defer view.Release()` does. The bytes of
// a View that the garbage collector finds are lost. The zero View is released.
//
// Copies of a View are the same block. Any goroutine may call any method at any time.
type View struct {
	anchor     *anchor
	generation uint64
	data       C.uintptr_t
	size       int
}

// View gets the block with the multihash of a CID, without a copy. The caller releases it.
//
// The caller reads memory of the CAR file: the read waits for the disk if the file is not in memory,
// and it is a fault that ends the program if another process truncated the file. WithView turns the
// fault into an error; Get has neither problem. The library does not hash the bytes.
//
// Costs one call of C: the block of the last View leaves with the call for the next one.
//
// Errors: ErrBlockNotFound, ErrInvalidCID, ErrCatalogCorrupt, ErrMountUnreachable, ErrSourceChanged;
// ErrInvalidArgument after Release; and the errors of a mount of the caller's own.
func (s *Shard) View(cid CID) (View, error) {
	a, block, err := s.get(cid)
	if err != nil {
		return View{}, err
	}
	a.shard = s
	return View{a, a.generation.Load(), block.data, int(block.size)}, nil
}

// Bytes returns the bytes of the block; nil after Release. They are valid until then.
func (v View) Bytes() []byte {
	if !v.isOpen() {
		return nil
	}
	return foreign(v.data, C.uint64_t(v.size))
}

// Len returns the size of the block in bytes, also after Release.
func (v View) Len() int { return v.size }

// WriteTo writes the block, as io.WriterTo says.
//
// Errors: ErrInvalidArgument after Release; those of the writer.
func (v View) WriteTo(writer io.Writer) (int64, error) {
	if !v.isOpen() {
		return 0, released("the view")
	}
	count, err := writer.Write(foreign(v.data, C.uint64_t(v.size)))
	runtime.KeepAlive(v.anchor)
	return int64(count), err
}

// Release gives the block back; the bytes are invalid from then on. Later calls do nothing.
func (v View) Release() {
	if v.anchor == nil || !v.anchor.generation.CompareAndSwap(v.generation, v.generation+1) {
		return
	}
	shard := v.anchor.shard
	v.anchor.shard = nil
	if shard != nil {
		shard.giveBack(v.anchor, v.size)
	} else {
		v.anchor.giveBack()
	}
}

func (v View) isOpen() bool {
	return v.anchor != nil && v.anchor.generation.Load() == v.generation
}

// WithView calls a function with the bytes of a block, which are valid until it returns. It returns
// the error of the function.
//
// If another process truncates the file, the function ends where it reads the lost bytes, and the
// call returns ErrSourceChanged. Costs one call of C.
//
// Errors: as View.
func (s *Shard) WithView(cid CID, use func(block []byte) error) error {
	a, block, err := s.get(cid)
	if err != nil {
		return err
	}
	defer s.giveBack(a, int(block.size))
	return guarded(block, s.key, use)
}

// guarded calls a function with the bytes of a block. A fault at these bytes becomes
// ErrSourceChanged; other panics go on.
func guarded(block C.dsgo_block, key string, use func(block []byte) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		fault, ok := value.(interface{ Addr() uintptr })
		// The page with the first byte counts: the kernel may tell its start.
		start, end := uintptr(block.data)&^(1<<16-1), uintptr(block.data)+uintptr(block.size)
		if !ok || fault.Addr() < start || fault.Addr() >= end {
			panic(value)
		}
		err = &Error{Code: ErrSourceChanged, Shard: key, Offset: -1,
			Message: "another process took the bytes of the block away"}
	}()
	return use(foreign(block.data, block.size))
}

// ---- Blocks that leave later ----

// A stash has anchors with blocks that a lease gives back with its next calls, each of which would
// otherwise cost a call of its own. The lease keeps the bytes of a mapped shard anyway.
type stash [C.DSGO_STASH]struct {
	anchor atomic.Pointer[anchor]
	_      [56]byte // so that goroutines do not share cache lines
}

// stashedSizeMax is the size of the largest block in a stash, in bytes.
const stashedSizeMax = 64 << 10

// stashes are empty, but for anchors that another goroutine is about to take out.
var stashes = newPool(func() *stash { return new(stash) })

// stashPlace returns a place of a stash: mostly the same one on a goroutine, and another one on
// another goroutine.
func stashPlace() uint32 {
	var onStack byte
	const mixer = 0x9E3779B97F4A7C15
	return uint32(uint64(uintptr(unsafe.Pointer(&onStack))>>11) * mixer >> 32 % C.DSGO_STASH)
}

// get gets a block, and returns it in an anchor. The call releases the block of the anchor before.
func (s *Shard) get(cid CID) (*anchor, C.dsgo_block, error) {
	var a *anchor
	place := stashPlace()
	if stash := s.stash.Load(); stash != nil {
		if at := &stash[place].anchor; at.Load() != nil {
			a = at.Swap(nil)
		}
	}
	if a == nil {
		a = newAnchor(0, releaseBlock)
	}
	a.place = place
	released := a.handle
	a.handle = 0
	data, size := bytesOf(cid)
	block := C.dsgo_shard_get(s.open(), data, size, released)
	runtime.KeepAlive(s)
	if block.status != 0 {
		a.free()
		return nil, block, s.fail(block.status, block.error)
	}
	a.handle = block.handle
	return a, block, nil
}

// giveBack gives the block of an anchor back: with a later call if it is small and the lease lasts.
func (s *Shard) giveBack(a *anchor, size int) {
	if size > stashedSizeMax || s.open() == 0 {
		a.giveBack()
		return
	}
	stash := s.stash.Load()
	if stash == nil {
		made := stashes.get()
		if !s.stash.CompareAndSwap(nil, made) {
			stashes.put(made)
		}
		if stash = s.stash.Load(); stash == nil {
			a.giveBack()
			return
		}
	}
	at := &stash[a.place].anchor
	if earlier := at.Swap(a); earlier != nil {
		earlier.giveBack()
	}
	if s.open() == 0 {
		// Release may have emptied the stash before, and another lease may have it now. An anchor of
		// that lease may also leave.
		if late := at.Swap(nil); late != nil {
			late.giveBack()
		}
	}
}

// takeStash takes all blocks out of the stash of a lease that is released.
func (s *Shard) takeStash() (blocks C.dsgo_stash) {
	stash := s.stash.Swap(nil)
	if stash == nil {
		return blocks
	}
	for index := range stash {
		if a := stash[index].anchor.Swap(nil); a != nil {
			blocks.blocks[index] = a.handle
			a.free()
		}
	}
	stashes.put(stash)
	return blocks
}
