package dagstore

// #include "bridge.h"
import "C"

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// A Shard is a lease on a shard: the right to read its blocks. While the lease lasts, no caller can
// destroy the shard.
//
// Release ends it. Any goroutine may call any method at any time; calls that Release meets end well
// or with ErrInvalidArgument. A lease that the garbage collector finds first ends then.
type Shard struct {
	handle atomic.Uintptr
	store  *Store
	key    string
	anchor *anchor
	// stash has blocks that the next calls give back.
	stash atomic.Pointer[stash]
}

// Acquire acquires a lease on a shard.
//
// It fetches and indexes a lazily registered shard first, once for all callers that wait. No thread
// waits meanwhile, and the job goes on when the context of a caller ends. Costs under 1 us if the
// shard is open, about 100 us otherwise.
//
// Errors: ErrShardUnknown; the code of the stored error, or ErrShardFailed, if the shard has failed;
// ErrMountGone, ErrMountUnreachable, ErrFetchFailed, ErrFetchTimedOut if the source is away (the next
// acquire tries again); ErrSourceChanged if the source has other bytes than the indexed ones (the
// shard fails); ErrCatalogCorrupt, ErrQuotaExceeded, ErrOutOfResources; ErrClosed; that of the
// context.
func (s *Store) Acquire(ctx context.Context, key string) (*Shard, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	shard, err := s.acquireNow(key)
	if shard != nil || err != nil {
		return shard, err
	}
	handle, err := s.begin(ctx, key, func(store C.uintptr_t, key *C.char, number C.uintptr_t) C.dsgo_number {
		return C.dsgo_acquire_waiting(store, key, number)
	})
	if err != nil {
		return nil, err
	}
	return s.newShard(handle, key), nil
}

// TryAcquire acquires a lease on a shard as Acquire does, if the lease needs no fetching and no
// indexing.
//
// Errors: ErrDeadlineExceeded if it needs them; and as Acquire.
func (s *Store) TryAcquire(key string) (*Shard, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	shard, err := s.tryAcquire(key)
	if shard == nil && err == nil {
		err = &Error{Code: ErrDeadlineExceeded, Shard: key, Offset: -1,
			Message: "there is no lease without fetching or indexing"}
	}
	return shard, err
}

// acquireNow acquires a lease without waiting; nil and no error if the caller must wait.
//
// While the library opens a shard, the thread blocks for some 100 us. So few goroutines at once get
// further; the others wait without a thread.
func (s *Store) acquireNow(key string) (*Shard, error) {
	defer s.acquiring.Add(-1)
	if s.acquiring.Add(1) > acquiringMax {
		return nil, nil
	}
	return s.tryAcquire(key)
}

// tryAcquire acquires a lease that needs no fetching and no indexing; nil and no error if it does.
func (s *Store) tryAcquire(key string) (*Shard, error) {
	store, err := s.open()
	if err != nil {
		return nil, err
	}
	text, size := charsOf(key)
	acquired := C.dsgo_acquire(store, text, size)
	runtime.KeepAlive(s)
	switch Code(acquired.status) {
	case 0:
		return s.newShard(acquired.handle, key), nil
	case ErrDeadlineExceeded:
		return nil, nil
	}
	return nil, s.fail(acquired.status, acquired.error, key)
}

// acquiringMax is the number of threads that look for an open shard at once.
var acquiringMax = int32(runtime.GOMAXPROCS(0) + 2)

func (s *Store) newShard(handle C.uintptr_t, key string) *Shard {
	shard := &Shard{store: s, key: key, anchor: newAnchor(handle, releaseLease)}
	shard.handle.Store(uintptr(handle))
	return shard
}

// Release ends the lease, when calls of other goroutines on it have ended. Blocks that were read
// stay valid. Later calls do nothing.
func (s *Shard) Release() {
	handle := s.handle.Swap(0)
	if handle == 0 {
		return
	}
	s.anchor.free()
	C.dsgo_shard_release(C.uintptr_t(handle), s.takeStash())
}

// open returns the handle of the lease; 0 if it is released.
func (s *Shard) open() C.uintptr_t { return C.uintptr_t(s.handle.Load()) }

// fail converts the error of a call.
func (s *Shard) fail(status C.int32_t, handle C.uintptr_t) error {
	runtime.KeepAlive(s)
	if Code(status) == ErrInvalidArgument && s.open() == 0 {
		C.dsgo_error_release(handle)
		return released("the lease")
	}
	return failure(status, handle, s.key)
}

// Key returns the key of the shard, also after Release.
func (s *Shard) Key() string { return s.key }

// BlockCount returns the number of sections, repeated ones included; 0 after Release.
func (s *Shard) BlockCount() uint64 {
	count := C.dsgo_shard_block_count(s.open())
	runtime.KeepAlive(s)
	return uint64(count.number)
}

// Roots returns the roots in the CAR's header.
//
// Errors: ErrInvalidArgument after Release.
func (s *Shard) Roots() ([]CID, error) {
	defer runtime.KeepAlive(s)
	handle := s.open()
	if handle == 0 {
		return nil, released("the lease")
	}
	return roots(int(C.dsgo_shard_root_count(handle).number), s.key,
		func(index C.size_t, buffer *C.uint8_t, capacity C.size_t) C.dsgo_number {
			return C.dsgo_shard_root(handle, index, buffer, capacity)
		})
}

// roots copies the roots of a CAR.
func roots(count int, key string, copyRoot func(C.size_t, *C.uint8_t, C.size_t) C.dsgo_number) ([]CID, error) {
	cids := make([]CID, 0, count)
	buffer := make([]byte, cidRoom)
	for len(cids) < count {
		data, capacity := roomOf(buffer)
		root := copyRoot(C.size_t(len(cids)), data, capacity)
		switch Code(root.status) {
		case 0:
			cids = append(cids, CID(buffer[:root.number]))
		case ErrBufferTooSmall:
			buffer = make([]byte, root.number)
		default:
			return nil, failure(root.status, root.error, key)
		}
	}
	return cids, nil
}

// ---- Blocks ----

// Has tells whether the shard has a block with the multihash of a CID. Every shard has the block of
// an identity CID.
//
// Errors: ErrInvalidCID, ErrCatalogCorrupt, ErrMountUnreachable.
func (s *Shard) Has(cid CID) (bool, error) {
	data, size := bytesOf(cid)
	found := C.dsgo_shard_contains(s.open(), data, size)
	runtime.KeepAlive(s)
	if found.status != 0 {
		return false, s.fail(found.status, found.error)
	}
	return found.number != 0, nil
}

// A Location is the place of a block.
type Location struct {
	// Offset is the offset of the section's length varint in the CAR's payload, in bytes.
	Offset uint64
	// BlockOffset is the offset of the block's data in the CAR file.
	BlockOffset uint64
	// BlockSize is the size of the block's data in bytes.
	BlockSize uint64
}

// Locate finds the place of the block with the multihash of a CID: the first section that has it.
//
// Errors: ErrBlockNotFound, ErrInvalidCID, ErrCatalogCorrupt, ErrMountUnreachable.
func (s *Shard) Locate(cid CID) (Location, error) {
	data, size := bytesOf(cid)
	found := C.dsgo_shard_locate(s.open(), data, size)
	runtime.KeepAlive(s)
	if found.status != 0 {
		return Location{}, s.fail(found.status, found.error)
	}
	return Location{uint64(found.offset), uint64(found.block_offset), uint64(found.block_size)}, nil
}

// Size returns the size in bytes of the block with the multihash of a CID.
//
// Errors: as Locate.
func (s *Shard) Size(cid CID) (uint64, error) {
	location, err := s.Locate(cid)
	return location.BlockSize, err
}

// Offsets finds all sections with the multihash of a CID, in CAR order: a CAR may repeat a block. It
// returns their offsets in the payload, as in Location.
//
// Errors: ErrBlockNotFound, also for an identity CID without a section; ErrInvalidCID,
// ErrCatalogCorrupt, ErrMountUnreachable.
func (s *Shard) Offsets(cid CID) ([]uint64, error) {
	data, size := bytesOf(cid)
	for offsets := make([]uint64, 4); ; {
		found := C.dsgo_shard_offsets(s.open(), data, size,
			(*C.uint64_t)(&offsets[0]), C.size_t(len(offsets)))
		runtime.KeepAlive(s)
		switch Code(found.status) {
		case 0:
			return offsets[:found.number], nil
		case ErrBufferTooSmall:
			offsets = make([]uint64, found.number)
		default:
			return nil, s.fail(found.status, found.error)
		}
	}
}

// Read copies a block into a buffer, and returns the size of the block in bytes. The library copies,
// on a thread that does not hold up other goroutines, also when the bytes come from a slow disk. A
// file that another process truncates gives an error.
//
// Costs one call of C. Without InstallMappingGuard, every call costs a system call as well.
//
// Errors: ErrBufferTooSmall, with the size of the block as result; and as View.
func (s *Shard) Read(cid CID, buffer []byte) (int, error) {
	data, size := bytesOf(cid)
	to, capacity := roomOf(buffer)
	read := C.dsgo_shard_read(s.open(), data, size, to, capacity)
	runtime.KeepAlive(s)
	if read.status != 0 {
		return int(read.number), s.fail(read.status, read.error)
	}
	return int(read.number), nil
}

// scratchSize is the size of the buffers into which Get reads first. Larger blocks cost a second
// look-up, and no second copy.
const scratchSize = 16 << 10

var scratches = sync.Pool{New: func() any { return new([scratchSize]byte) }}

// Get copies a block, as Read does, into memory of its own. The library does not hash the bytes: see
// GetVerified.
//
// Errors: as View.
func (s *Shard) Get(cid CID) ([]byte, error) {
	scratch := scratches.Get().(*[scratchSize]byte)
	defer scratches.Put(scratch)
	count, err := s.Read(cid, scratch[:])
	if err == nil {
		return append([]byte{}, scratch[:count]...), nil
	}
	for isTooSmall(err) {
		block := make([]byte, count)
		if count, err = s.Read(cid, block); err == nil {
			return block[:count], nil
		}
	}
	return nil, err
}

// isTooSmall tells whether a call needs a larger buffer.
func isTooSmall(err error) bool {
	known, ok := err.(*Error)
	return ok && known.Code == ErrBufferTooSmall
}

// GetVerified copies a block, and checks that its bytes have the hash of the CID.
//
// Errors: ErrHashMismatch; ErrUnsupportedHash, also for a digest of under 20 bytes, which proves
// nothing; and as View.
func (s *Shard) GetVerified(cid CID) ([]byte, error) {
	data, size := bytesOf(cid)
	block := C.dsgo_shard_get_verified(s.open(), data, size)
	runtime.KeepAlive(s)
	if block.status != 0 {
		return nil, s.fail(block.status, block.error)
	}
	// A verified block is memory of the library, which no other process can truncate.
	bytes := append([]byte{}, foreign(block.data, block.size)...)
	C.dsgo_block_release(block.handle)
	return bytes, nil
}
