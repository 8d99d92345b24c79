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
	a := newAnchor(0, releaseBlock)
	data, size := bytesOf(cid)
	block := C.dsgo_shard_get(s.open(), data, size, s.takeFromStash(a.index))
	runtime.KeepAlive(s)
	if block.status != 0 {
		a.free()
		return View{}, s.fail(block.status, block.error)
	}
	return newView(a, block, s), nil
}

func newView(a *anchor, block C.dsgo_block, shard *Shard) View {
	a.handle, a.shard = block.handle, shard
	return View{a, a.generation.Load(), block.data, int(block.size)}
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
	handle, shard, index := v.anchor.handle, v.anchor.shard, v.anchor.index
	v.anchor.free()
	if shard == nil || v.size > stashedSizeMax || !shard.putIntoStash(index, handle) {
		C.dsgo_block_release(handle)
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
func (s *Shard) WithView(cid CID, use func(block []byte) error) (err error) {
	data, size := bytesOf(cid)
	index := stashPlace()
	block := C.dsgo_shard_get(s.open(), data, size, s.takeFromStash(index))
	runtime.KeepAlive(s)
	if block.status != 0 {
		return s.fail(block.status, block.error)
	}
	defer func() {
		if block.size > stashedSizeMax || !s.putIntoStash(index, block.handle) {
			C.dsgo_block_release(block.handle)
		}
	}()
	return guarded(block, s.key, use)
}

// stashPlace returns a place of a stash, mostly another one on another goroutine.
func stashPlace() uint32 {
	var onStack byte
	return uint32(uintptr(unsafe.Pointer(&onStack)) >> 12)
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

// A stash has blocks that a lease gives back with its next calls, each of which would otherwise cost
// a call of its own. The lease keeps the bytes of a mapped shard anyway.
type stash [C.DSGO_STASH]struct {
	block atomic.Uintptr
	_     [56]byte // so that goroutines do not share cache lines
}

// stashedSizeMax is the size of the largest block in a stash, in bytes.
const stashedSizeMax = 64 << 10

// stashes are empty, but for blocks that another goroutine is about to take out.
var stashes = newPool(func() *stash {
	s := new(stash)
	runtime.SetFinalizer(s, (*stash).finalize)
	return s
})

// takeAll takes all blocks out.
func (s *stash) takeAll() (blocks C.dsgo_stash) {
	for index := range s {
		blocks.blocks[index] = C.uintptr_t(s[index].block.Swap(0))
	}
	return blocks
}

// finalize releases the blocks of a lease that the caller forgot.
func (s *stash) finalize() { C.dsgo_shard_release(0, s.takeAll()) }

// takeFromStash takes a block out of the stash; 0 if there is none.
func (s *Shard) takeFromStash(index uint32) C.uintptr_t {
	stash := s.stash.Load()
	if stash == nil {
		return 0
	}
	place := &stash[index%C.DSGO_STASH].block
	if place.Load() == 0 {
		return 0
	}
	return C.uintptr_t(place.Swap(0))
}

// putIntoStash puts a block into the stash, and releases the one in its place. It returns false,
// and does nothing, if the lease is released.
func (s *Shard) putIntoStash(index uint32, block C.uintptr_t) bool {
	if s.open() == 0 {
		return false
	}
	stash := s.stash.Load()
	if stash == nil {
		made := stashes.get()
		if !s.stash.CompareAndSwap(nil, made) {
			stashes.put(made)
		}
		if stash = s.stash.Load(); stash == nil {
			return false
		}
	}
	place := &stash[index%C.DSGO_STASH].block
	if earlier := place.Swap(uintptr(block)); earlier != 0 {
		C.dsgo_block_release(C.uintptr_t(earlier))
	}
	if s.open() == 0 {
		// Release may have emptied the stash before, and another lease may have it now. A block of
		// that lease may also be released.
		if late := place.Swap(0); late != 0 {
			C.dsgo_block_release(C.uintptr_t(late))
		}
	}
	return true
}

// takeStash takes all blocks out of the stash of a lease that is released.
func (s *Shard) takeStash() (blocks C.dsgo_stash) {
	if stash := s.stash.Swap(nil); stash != nil {
		blocks = stash.takeAll()
		stashes.put(stash)
	}
	return blocks
}
