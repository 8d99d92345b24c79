package dagstore

// #include "bridge.h"
import "C"

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"strings"
	"sync"
)

// View gets the block with the multihash of a CID from any shard that has it, without a copy; see
// Shard.View. The caller releases it.
//
// It reads open shards first, then those that must be opened or fetched, then failed ones, unless
// Config.SelectShards chooses. If a shard fails, it reads the next one. While it waits for fetching
// and indexing, no thread waits. Costs 1.2 us if an open shard has the block.
//
// Errors: ErrBlockNotFound, ErrInvalidCID, ErrClosed; the first error of a shard if no other shard
// has the block; that of the context.
func (s *Store) View(ctx context.Context, cid CID) (View, error) {
	block, err := s.find(ctx, cid, s.selector)
	if err != nil {
		return View{}, err
	}
	a := newAnchor(block.handle, releaseBlock)
	return View{a, a.generation.Load(), block.data, int(block.size)}, nil
}

// Get copies the block with the multihash of a CID from any shard that has it; see View. A file that
// another process truncates gives ErrSourceChanged.
//
// Errors: as View.
func (s *Store) Get(ctx context.Context, cid CID) ([]byte, error) {
	return s.GetSelecting(ctx, cid, s.selector)
}

// GetSelecting copies a block as Get does, and lets a function choose among the shards in place of
// Config.SelectShards; nil for the store's own order.
func (s *Store) GetSelecting(ctx context.Context, cid CID, selector Selector) ([]byte, error) {
	block, err := s.find(ctx, cid, selector)
	if err != nil {
		return nil, err
	}
	defer C.dsgo_block_release(block.handle)
	var copied []byte
	err = guarded(block, "", func(bytes []byte) error {
		copied = append([]byte{}, bytes...)
		return nil
	})
	return copied, err
}

// WithView calls a function with the bytes of a block from any shard that has it, which are valid
// until it returns; see View and Shard.WithView. It returns the error of the function.
//
// Errors: as View; ErrSourceChanged if another process truncates the file meanwhile.
func (s *Store) WithView(ctx context.Context, cid CID, use func(block []byte) error) error {
	block, err := s.find(ctx, cid, s.selector)
	if err != nil {
		return err
	}
	defer C.dsgo_block_release(block.handle)
	return guarded(block, "", use)
}

// find gets a block. If a shard must be fetched or indexed first, it acquires a lease on the shard,
// which waits without a thread, and tries again.
func (s *Store) find(ctx context.Context, cid CID, selector Selector) (C.dsgo_block, error) {
	if err := ctx.Err(); err != nil {
		return C.dsgo_block{}, err
	}
	block, err := s.findNow(cid, selector)
	var awaited map[string]bool
	var firstFailure error
	for errors.Is(err, ErrDeadlineExceeded) {
		key := err.(*Error).Shard
		if key == "" || awaited[key] {
			if firstFailure != nil {
				err = firstFailure
			}
			return block, err
		}
		shard, failed := s.Acquire(ctx, key)
		switch {
		case failed == nil:
			// The lease keeps the shard open meanwhile.
			defer shard.Release()
		case ctx.Err() != nil:
			return block, ctx.Err()
		case firstFailure == nil:
			// The store reads the next shard; without one, this is the reason.
			firstFailure = failed
		}
		if awaited == nil {
			awaited = make(map[string]bool)
		}
		awaited[key] = true
		block, err = s.findNow(cid, selector)
	}
	return block, err
}

// findNow gets a block without waiting for fetching or indexing.
func (s *Store) findNow(cid CID, selector Selector) (C.dsgo_block, error) {
	store, err := s.open()
	if err != nil {
		return C.dsgo_block{}, err
	}
	data, size := bytesOf(cid)
	var block C.dsgo_block
	if selector == nil {
		block = C.dsgo_get(store, data, size)
	} else {
		call := &selection{selector: selector}
		number := handles.add(call)
		block = C.dsgo_get_selecting(store, data, size, number)
		handles.drop(number)
		if call.panicked != nil {
			C.dsgo_block_release(block.handle)
			C.dsgo_error_release(block.error)
			return C.dsgo_block{}, newError(ErrInvalidArgument, call.panicked.Error())
		}
	}
	runtime.KeepAlive(s)
	if block.status != 0 {
		return C.dsgo_block{}, s.fail(block.status, block.error, "")
	}
	return block, nil
}

// Has tells whether any shard has the block with the multihash of a CID. It reads no bytes of a
// shard.
//
// Errors: ErrInvalidCID, ErrCatalogCorrupt, ErrClosed.
func (s *Store) Has(cid CID) (bool, error) {
	store, err := s.open()
	if err != nil {
		return false, err
	}
	data, size := bytesOf(cid)
	found := C.dsgo_contains(store, data, size)
	return found.number != 0, s.result(found, "")
}

// Size returns the size in bytes of the block with the multihash of a CID. It reads no bytes of a
// shard.
//
// Errors: ErrBlockNotFound; as Has.
func (s *Store) Size(cid CID) (uint64, error) {
	store, err := s.open()
	if err != nil {
		return 0, err
	}
	data, size := bytesOf(cid)
	found := C.dsgo_block_size(store, data, size)
	return uint64(found.number), s.result(found, "")
}

// keyBuffers have room for the keys of the shards that usually have a block.
var keyBuffers = sync.Pool{New: func() any {
	buffer := make([]byte, 1024)
	return &buffer
}}

// ShardsContaining finds the shards that have a block with a multihash, and returns their keys in
// order of registration; none if no shard has the block, which is not an error. A version 0 CID is
// its own multihash.
//
// It looks into the index of every such shard, so the result is exact. Costs about 1 us for
// one shard.
//
// Errors: ErrInvalidCID if the bytes are not a multihash; ErrCatalogCorrupt, ErrClosed.
func (s *Store) ShardsContaining(multihash Multihash) ([]string, error) {
	store, err := s.open()
	if err != nil {
		return nil, err
	}
	buffer := keyBuffers.Get().(*[]byte)
	defer keyBuffers.Put(buffer)
	data, size := bytesOf(multihash)
	for {
		to, capacity := charsOfBuffer(*buffer)
		found := C.dsgo_holders(store, data, size, to, capacity)
		runtime.KeepAlive(s)
		switch Code(found.status) {
		case 0:
			return splitKeys((*buffer)[:found.size], int(found.count)), nil
		case ErrBufferTooSmall:
			*buffer = make([]byte, found.size)
		default:
			return nil, s.fail(found.status, found.error, "")
		}
	}
}

// splitKeys copies keys that a NUL ends each.
func splitKeys(texts []byte, count int) []string {
	if count == 0 {
		return nil
	}
	if count == 1 {
		return []string{string(texts[:len(texts)-1])}
	}
	keys := make([]string, 0, count)
	for rest := string(texts); len(keys) < count; {
		key, after, _ := strings.Cut(rest, "\x00")
		keys, rest = append(keys, key), after
	}
	return keys
}

// A Place is a shard that has a block, and the place of the block.
type Place struct {
	// Key is the key of the shard.
	Key string
	Location
}

// Find finds the shards that have a block with the multihash of a CID, in order of registration, and
// the places of the block; none if no shard has the block, which is not an error.
//
// It looks into the index of every such shard, so the result is exact.
//
// Errors: ErrInvalidCID, ErrCatalogCorrupt, ErrClosed.
func (s *Store) Find(cid CID) ([]Place, error) {
	store, err := s.open()
	if err != nil {
		return nil, err
	}
	data, size := bytesOf(cid)
	opened := C.dsgo_find(store, data, size)
	runtime.KeepAlive(s)
	if opened.status != 0 {
		return nil, s.fail(opened.status, opened.error, "")
	}
	defer C.dsgo_places_close(opened.handle)
	var places []Place
	var place C.dagstore_place_t
	for {
		step := C.dsgo_places_next(opened.handle, &place)
		if step.status == C.DAGSTORE_DONE {
			return places, nil
		}
		if step.status != 0 {
			return nil, s.fail(step.status, step.error, "")
		}
		places = append(places, Place{C.GoString(place.key), Location{
			uint64(place.offset), uint64(place.block_offset), uint64(place.block_size)}})
	}
}

// ---- Multihashes ----

// Multihashes is a cursor over the multihashes of a shard in CAR order, for an announcer. One
// goroutine at a time uses it; Close closes it.
type Multihashes struct {
	handle C.uintptr_t
	anchor *anchor
	key    string
}

// Multihashes opens a cursor over the multihashes of a shard. The order of one CAR is always the
// same. The cursor reads no bytes of the shard, and holds no lease.
//
// `cursor` is a text of Multihashes.Cursor, also of another process; "" to begin.
//
// Errors: ErrShardUnknown; ErrShardFailed if the shard has no index; ErrSourceChanged if the shard
// was indexed again after the cursor was made; ErrInvalidArgument, ErrCatalogCorrupt, ErrClosed.
func (s *Store) Multihashes(key, cursor string) (*Multihashes, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := checkText(cursor, "the cursor"); err != nil {
		return nil, err
	}
	store, err := s.open()
	if err != nil {
		return nil, err
	}
	name := newText(key)
	defer name.free()
	var start text
	if cursor != "" {
		start = newText(cursor)
		defer start.free()
	}
	opened := C.dsgo_multihashes_open(store, name.start, start.start)
	runtime.KeepAlive(s)
	if opened.status != 0 {
		return nil, s.fail(opened.status, opened.error, key)
	}
	return &Multihashes{opened.handle, newAnchor(opened.handle, closeMultihashes), key}, nil
}

func closeMultihashes(handle C.uintptr_t) { C.dsgo_multihashes_close(handle) }

// A MultihashSection is a section with its multihash.
type MultihashSection struct {
	// Multihash is the multihash of the section's CID.
	Multihash Multihash
	// Offset is the offset of the section's length varint in the CAR's payload, in bytes.
	Offset uint64
}

// All iterates over the sections after those that were seen. The loop may end early, and a later one
// goes on. An error ends the loop: as Store.Multihashes.
func (m *Multihashes) All() iter.Seq2[MultihashSection, error] {
	return func(yield func(MultihashSection, error) bool) {
		for {
			if m.handle == 0 {
				yield(MultihashSection{}, released("the cursor"))
				return
			}
			step := C.dsgo_multihashes_next(m.handle)
			if step.status == C.DAGSTORE_DONE {
				return
			}
			if step.status != 0 {
				yield(MultihashSection{}, failure(step.status, step.error, m.key))
				return
			}
			multihash := Multihash(borrowed(step.data, step.size))
			if !yield(MultihashSection{multihash, uint64(step.offset)}, nil) {
				return
			}
		}
	}
}

// Cursor returns the place of the cursor, as a text that the caller may store. A cursor opened with
// it continues after the last multihash. It is "" at the end and after Close: a cursor opened with
// that begins again.
func (m *Multihashes) Cursor() string {
	if m.handle == 0 {
		return ""
	}
	return optional(C.dsgo_multihashes_cursor(m.handle))
}

// Close closes the cursor. Later calls do nothing.
func (m *Multihashes) Close() {
	if m.handle == 0 {
		return
	}
	m.anchor.free()
	C.dsgo_multihashes_close(m.handle)
	m.handle, m.anchor = 0, nil
}
