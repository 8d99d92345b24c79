package dagstore

// #include "bridge.h"
import "C"

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// A Store holds shards. Any goroutine may call any method at any time.
//
// Close closes it. A store that the garbage collector finds first is closed then.
type Store struct {
	handle atomic.Uintptr
	// acquiring counts the calls that look for an open shard in C.
	acquiring atomic.Int32
	// selector is Config.SelectShards.
	selector      Selector
	eventCapacity int
	// cancel ends the contexts of the calls of mounts.
	cancel context.CancelFunc

	// closing serializes Close and CloseCancelling.
	closing  sync.Mutex
	cleanup  runtime.Cleanup
	contexts *contexts
}

// contexts are the numbers of callbacks that live as long as the store.
type contexts struct {
	lock     sync.Mutex
	numbers  map[C.uintptr_t]struct{}
	isClosed bool
}

// add gives a value a number, until drop or the end of the store.
func (c *contexts) add(value any) C.uintptr_t {
	number := handles.add(value)
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.isClosed {
		handles.drop(number)
		return number
	}
	c.numbers[number] = struct{}{}
	return number
}

func (c *contexts) drop(number C.uintptr_t) {
	handles.drop(number)
	c.lock.Lock()
	defer c.lock.Unlock()
	delete(c.numbers, number)
}

func (c *contexts) dropAll() {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.isClosed = true
	for number := range c.numbers {
		handles.drop(number)
	}
	c.numbers = nil
}

// Open opens the store in a directory, and makes the store if there is none, except with
// Config.ReadOnly. A nil configuration stands for the defaults.
//
// After the call the store continues jobs that the end of a process interrupted. Costs 0.25 ms,
// whatever the number of shards.
//
// Errors: ErrCatalogLocked if the store is already open; ErrCatalogTooNew, ErrCatalogCorrupt,
// ErrCatalogFull, ErrReadOnly; ErrInvalidArgument if there is no store to open for reading, or if a
// scheme of Config.Mounts is malformed; ErrInvalidConfiguration; ErrIncompatible.
func Open(directory string, config *Config) (*Store, error) {
	if err := checkLibrary(); err != nil {
		return nil, err
	}
	if err := checkText(directory, "the directory"); err != nil {
		return nil, err
	}
	if config == nil {
		config = &Config{}
	}
	var forC C.dagstore_config_t
	if made := C.dsgo_config_init(&forC); made.status != 0 {
		return nil, failure(made.status, made.error, "")
	}
	config.apply(&forC)

	ctx, cancel := context.WithCancel(context.Background())
	store := &Store{
		selector:      config.SelectShards,
		eventCapacity: config.EventCapacity,
		cancel:        cancel,
		contexts:      &contexts{numbers: make(map[C.uintptr_t]struct{})},
	}
	if store.eventCapacity == 0 {
		store.eventCapacity = eventCapacityDefault
	}
	mounts, err := config.mounts(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	var observe, index C.uintptr_t
	if config.Observe != nil {
		observe = store.contexts.add(config.Observe)
	}
	if config.Index != nil {
		index = store.contexts.add(config.Index)
	}
	path := newText(directory)
	opened := C.dsgo_open(path.start, forC, mounts, observe, index)
	path.free()
	if mounts != 0 {
		C.dsgo_mounts_release(mounts)
	}
	if opened.status != 0 {
		cancel()
		store.contexts.dropAll()
		return nil, failure(opened.status, opened.error, "")
	}
	store.handle.Store(uintptr(opened.handle))
	forgotten := forgottenStore{opened.handle, cancel, store.contexts}
	store.cleanup = runtime.AddCleanup(store, forgottenStore.close, forgotten)
	return store, nil
}

// A forgottenStore is what remains of a store that was not closed.
type forgottenStore struct {
	handle   C.uintptr_t
	cancel   context.CancelFunc
	contexts *contexts
}

// close closes the store on another goroutine, because it waits for jobs.
func (f forgottenStore) close() {
	go func() {
		C.dsgo_close(f.handle)
		f.cancel()
		f.contexts.dropAll()
	}()
}

// Close closes the store. It waits for running jobs, and releases the store's lock. Other goroutines
// that use the store get ErrClosed. Leases and blocks stay valid.
//
// Later calls do nothing. In a callback of the library it returns at once, and the store closes when
// the callback has returned and the running jobs have ended.
func (s *Store) Close() error { return s.close(0) }

// CloseCancelling closes the store as Close does, and cancels fetching and indexing instead of
// waiting. The next opening continues them. The contexts of the calls of mounts end.
func (s *Store) CloseCancelling() error { return s.close(C.DAGSTORE_SHUTDOWN_CANCELLING) }

func (s *Store) close(flags C.uint32_t) error {
	handle := C.uintptr_t(s.handle.Load())
	if handle == 0 {
		return nil
	}
	// Without the lock: a second call may cancel the jobs that the first one waits for.
	result := C.dsgo_shutdown(handle, flags)
	if isDeferred := result.number != 0 && result.status == 0; isDeferred {
		// Until the store has closed, jobs use the callbacks and the contexts of mounts.
		go func() { _ = s.end(handle, C.dsgo_shutdown(handle, flags)) }()
		return nil
	}
	return s.end(handle, result)
}

// end gives the handle back after the store has closed, and ends what the jobs used.
func (s *Store) end(handle C.uintptr_t, result C.dsgo_number) error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.handle.Swap(0) == 0 {
		// Another call was first, and has given the handle back.
		C.dsgo_error_release(result.error)
		return nil
	}
	s.cleanup.Stop()
	C.dsgo_close(handle)
	s.cancel()
	s.contexts.dropAll()
	if result.status != 0 {
		return failure(result.status, result.error, "")
	}
	return nil
}

// open returns the handle of the store.
func (s *Store) open() (C.uintptr_t, error) {
	handle := s.handle.Load()
	if handle == 0 {
		return 0, newError(ErrClosed, ErrClosed.sentence())
	}
	return C.uintptr_t(handle), nil
}

// fail converts the error of a call. A call that meets Close finds a stale handle: ErrClosed.
func (s *Store) fail(status C.int32_t, handle C.uintptr_t, key string) error {
	if Code(status) == ErrInvalidArgument && s.handle.Load() == 0 {
		C.dsgo_error_release(handle)
		return newError(ErrClosed, ErrClosed.sentence())
	}
	return failure(status, handle, key)
}

// result returns the error of a call that has no result.
func (s *Store) result(done C.dsgo_number, key string) error {
	runtime.KeepAlive(s)
	if done.status == 0 {
		return nil
	}
	return s.fail(done.status, done.error, key)
}

// withKey calls a function with the store's handle and a copy of a key for C.
func (s *Store) withKey(key string, call func(store C.uintptr_t, key *C.char) C.dsgo_number) (C.dsgo_number, error) {
	if err := checkKey(key); err != nil {
		return C.dsgo_number{}, err
	}
	store, err := s.open()
	if err != nil {
		return C.dsgo_number{}, err
	}
	name := newText(key)
	defer name.free()
	done := call(store, name.start)
	return done, s.result(done, key)
}

// Compact rewrites the catalog of a store that is not open, without the room that removed shards
// left. `mapSize` is the address space to open the catalog with, in bytes, 1 MiB to 128 TiB; 0 for
// the default. It returns the sizes of the catalog's file in bytes.
//
// Errors: ErrCatalogLocked, ErrCatalogFull, ErrCatalogCorrupt, ErrReadOnly; ErrInvalidArgument if
// there is no store.
func Compact(directory string, mapSize int64) (before, after int64, err error) {
	if err := checkLibrary(); err != nil {
		return 0, 0, err
	}
	if err := checkText(directory, "the directory"); err != nil {
		return 0, 0, err
	}
	path := newText(directory)
	defer path.free()
	sizes := C.dsgo_compact(path.start, C.uint64_t(max(mapSize, 0)))
	if sizes.status != 0 {
		return 0, 0, failure(sizes.status, sizes.error, "")
	}
	return int64(sizes.before), int64(sizes.after), nil
}
