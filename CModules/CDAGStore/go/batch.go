package dagstore

// #include "bridge.h"
import "C"

import (
	"iter"
	"runtime"
	"slices"
	"unsafe"
)

// BatchMax is the largest number of CIDs of a batch.
const BatchMax = C.DAGSTORE_BATCH_MAX

// A Batch has the blocks of one call of Shard.ViewMany or Shard.ReadMany. The zero Batch is empty.
//
// A Batch that is used again allocates nothing: each call gives the blocks of the call before back.
// Release gives the last ones back. One goroutine at a time uses a Batch.
type Batch struct {
	_ noCopy

	cids   []byte
	sizes  []uint32
	items  []batchItem
	handle C.uintptr_t
	anchor *anchor
	buffer []byte
	shard  *Shard
}

// A batchItem has the layout of dagstore_batch_item_t, without a pointer: the address may be stale
// after Release.
type batchItem struct {
	data     C.uintptr_t
	offset   C.uint64_t
	size     C.uint64_t
	status   C.int32_t
	reserved C.uint32_t
}

// The build fails if the sizes differ.
var _ [unsafe.Sizeof(batchItem{})]byte = [C.sizeof_dagstore_batch_item_t]byte{}

// noCopy makes go vet report copies of the struct that has it.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// ViewMany gets the blocks of many CIDs as View does, without copies. It costs one call of C. The
// searches overlap: where the CAR is larger than the processor's caches, a block costs two thirds of
// a single View.
//
// The call succeeds if some blocks cannot be had: Batch.Block says why.
//
// Errors: ErrInvalidArgument if there are more than BatchMax CIDs, and after Release;
// ErrLimitExceeded if there are too many handles.
func (s *Shard) ViewMany(cids []CID, batch *Batch) error {
	if len(cids) > BatchMax {
		batch.Release()
		return newError(ErrInvalidArgument, "a batch has too many CIDs")
	}
	batch.prepare(cids, s)
	to, sizes, items := batch.places()
	got := C.dsgo_shard_get_many(s.open(), to, sizes, C.size_t(len(cids)), items, batch.takeHandle())
	runtime.KeepAlive(s)
	if got.status != 0 {
		batch.Release()
		return s.fail(got.status, got.error)
	}
	batch.handle = got.handle
	if batch.anchor == nil {
		batch.anchor = newAnchor(0, releaseBlock)
	}
	batch.anchor.handle = got.handle
	return nil
}

// ReadMany copies the blocks of many CIDs as Read does, into memory of the batch. It costs one call
// of C if the blocks need no more room than those of earlier calls.
//
// The call succeeds if some blocks cannot be had: Batch.Block says why.
//
// Errors: as ViewMany.
func (s *Shard) ReadMany(cids []CID, batch *Batch) error {
	if batch.handle != 0 {
		batch.Release()
	}
	if batch.buffer == nil {
		batch.buffer = make([]byte, scratchSize)
	}
	return s.readMany(cids, batch)
}

func (s *Shard) readMany(cids []CID, batch *Batch) error {
	if len(cids) > BatchMax {
		batch.Release()
		return newError(ErrInvalidArgument, "a batch has too many CIDs")
	}
	batch.prepare(cids, s)
	for {
		from, sizes, items := batch.places()
		to, capacity := roomOf(batch.buffer)
		read := C.dsgo_shard_read_many(s.open(), from, sizes, C.size_t(len(cids)), to, capacity, items)
		runtime.KeepAlive(s)
		switch Code(read.status) {
		case 0:
			return nil
		case ErrBufferTooSmall:
			batch.buffer = make([]byte, read.number)
		default:
			batch.Release()
			return s.fail(read.status, read.error)
		}
	}
}

// A Result is a block of GetMany, or the reason why it cannot be had.
type Result struct {
	// Block has the bytes of the block; nil if there is an error.
	Block []byte
	// Err is ErrBlockNotFound or another error.
	Err error
}

// batches are for GetMany.
var batches = newPool(func() *Batch { return &Batch{} })

// GetMany copies the blocks of many CIDs as Get does. The results are in the order of the CIDs.
// Blocks of one call may share memory: a caller that keeps one of them keeps all.
//
// Errors: ErrInvalidArgument after Release. The results have the errors of single blocks.
func (s *Shard) GetMany(cids []CID) ([]Result, error) {
	batch := batches.get()
	defer func() {
		batch.Release()
		batches.put(batch)
	}()
	results := make([]Result, 0, len(cids))
	for part := range slices.Chunk(cids, BatchMax) {
		if err := s.ReadMany(part, batch); err != nil {
			return nil, err
		}
		results = batch.appendResults(results)
	}
	return results, nil
}

// appendResults copies the blocks of a batch.
func (b *Batch) appendResults(results []Result) []Result {
	var total C.uint64_t
	for index := range b.items {
		if b.items[index].status == 0 {
			total = max(total, b.items[index].offset+b.items[index].size)
		}
	}
	// A block that could not be read leaves a hole between the others.
	copied := append(make([]byte, 0, total), b.buffer[:total]...)
	for index := range b.items {
		item := &b.items[index]
		if item.status != 0 {
			results = append(results, Result{Err: b.failure(item)})
			continue
		}
		end := item.offset + item.size
		results = append(results, Result{Block: copied[item.offset:end:end]})
	}
	return results
}

// usualCIDSize is the size of most CIDs in bytes: version 1, a codec of one byte, sha2-256.
const usualCIDSize = 36

// prepare copies the CIDs, one directly after the other.
func (b *Batch) prepare(cids []CID, shard *Shard) {
	// At least one, so that no address is NULL.
	if count := max(len(cids), 1); cap(b.items) < count {
		b.sizes = make([]uint32, count)
		b.items = make([]batchItem, count)
		b.cids = slices.Grow(b.cids, count*usualCIDSize)
	}
	b.items = b.items[:len(cids)]
	b.shard = shard
	room, sizes := b.cids[:cap(b.cids)], b.sizes[:len(cids)]
	used := 0
	for index, cid := range cids {
		sizes[index] = uint32(len(cid))
		end := used + len(cid)
		if end > len(room) {
			room = slices.Grow(room, len(cid))
			room = room[:cap(room)]
		}
		if len(cid) == usualCIDSize {
			// A copy of a size that the compiler knows takes a third of the time.
			*(*[usualCIDSize]byte)(room[used:end]) = *(*[usualCIDSize]byte)(unsafe.Pointer(unsafe.StringData(string(cid))))
		} else {
			copy(room[used:end], cid)
		}
		used = end
	}
	b.cids = room
}

// places returns the addresses of the CIDs, of their sizes and of the items.
func (b *Batch) places() (*C.uint8_t, *C.uint32_t, *C.dagstore_batch_item_t) {
	return (*C.uint8_t)(unsafe.SliceData(b.cids)), (*C.uint32_t)(unsafe.SliceData(b.sizes)),
		(*C.dagstore_batch_item_t)(unsafe.Pointer(unsafe.SliceData(b.items)))
}

// takeHandle takes the handle of the last call of ViewMany; 0 if there is none.
func (b *Batch) takeHandle() C.uintptr_t {
	handle := b.handle
	b.handle = 0
	if b.anchor != nil {
		b.anchor.handle = 0
	}
	return handle
}

// Len returns the number of blocks, which is the number of the CIDs.
func (b *Batch) Len() int { return len(b.items) }

// Block returns the bytes of a block, which are valid until the next use of the batch, or the reason
// why it cannot be had. The index counts from 0, in the order of the CIDs.
//
// Errors: as Shard.View, without the message of the library; ErrInvalidArgument if there is no such
// block.
func (b *Batch) Block(index int) ([]byte, error) {
	if index < 0 || index >= len(b.items) {
		return nil, newError(ErrInvalidArgument, "the batch has no block with this index")
	}
	item := &b.items[index]
	switch {
	case item.status != 0:
		return nil, b.failure(item)
	case b.handle != 0:
		return foreign(item.data, item.size), nil
	}
	return b.buffer[item.offset : item.offset+item.size], nil
}

func (b *Batch) failure(item *batchItem) error { return failure(item.status, 0, b.shard.key) }

// All iterates over the blocks, as Block returns them.
func (b *Batch) All() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for index := range b.items {
			if !yield(b.Block(index)) {
				return
			}
		}
	}
}

// Release gives the blocks back, and empties the batch. Later calls do nothing.
func (b *Batch) Release() {
	if handle := b.takeHandle(); handle != 0 {
		C.dsgo_block_release(handle)
	}
	if b.anchor != nil {
		b.anchor.free()
		b.anchor = nil
	}
	b.items, b.shard = b.items[:0], nil
}
