package dagstore

// #include "bridge.h"
import "C"

import "context"

// RegisterMode says what Store.Register waits for.
type RegisterMode uint32

const (
	// RegisterEager indexes the shard, and waits until it is available.
	RegisterEager RegisterMode = 0
	// RegisterLazy indexes the shard at its first acquire. The call returns when the record is on disk.
	RegisterLazy RegisterMode = C.DAGSTORE_REGISTER_LAZY
	// RegisterBackground indexes the shard now. The call returns when the record is on disk.
	RegisterBackground RegisterMode = C.DAGSTORE_REGISTER_BACKGROUND
)

// RegisterOptions are the options of a registration.
type RegisterOptions struct {
	// Mode says what the call waits for.
	Mode RegisterMode
	// ExistingTransient is the absolute path of a local copy to read instead, which the library never
	// removes; "" for none.
	ExistingTransient string
	// Policy says what stays on this machine of the shard.
	Policy Policy
	// Progress receives the progress of the first indexing, now and then on a thread of the library;
	// nil for none. A store keeps the function until the indexing has ended, or until it is closed if
	// Register does not see the end.
	Progress func(Progress)
}

// Progress tells how far the indexing of a shard is.
type Progress struct {
	// BytesDone and BytesTotal are sizes in bytes.
	BytesDone, BytesTotal uint64
	// Sections is the number of sections so far.
	Sections uint64
}

// Register registers a CAR under a key of 1 to 480 bytes and, by default, waits until it is indexed.
// A nil `options` stands for the defaults.
//
// The URL is "file:///path/to.car", as FileURL makes it; "https://...", "http://..." or
// "s3://bucket/key", if the library was built with the trait Node; or a URL of a scheme of
// Config.Mounts.
//
// If the CAR cannot be indexed, the shard stays registered as failed with the error; recover or
// destroy it. If the context ends, the registration goes on. Costs a commit, a second commit when
// the shard is available, and about 100 ns a section.
//
// Errors: ErrShardExists, ErrInvalidKey, ErrUnknownScheme, ErrInvalidArgument; ErrMountGone,
// ErrMountUnreachable, ErrFetchFailed, ErrFetchTimedOut, ErrSourceChanged; ErrMalformedCAR,
// ErrTruncated, ErrUnsupportedVersion, ErrLimitExceeded, ErrMalformedIndex; ErrQuotaExceeded,
// ErrCatalogFull, ErrReadOnly, ErrClosed; that of the context.
func (s *Store) Register(ctx context.Context, key, url string, options *RegisterOptions) error {
	if options == nil {
		options = &RegisterOptions{}
	}
	if err := checkText(url, "the URL"); err != nil {
		return err
	}
	if err := checkText(options.ExistingTransient, "the path of the copy"); err != nil {
		return err
	}
	address := newText(url)
	defer address.free()
	var transient text
	if options.ExistingTransient != "" {
		transient = newText(options.ExistingTransient)
		defer transient.free()
	}
	var progress C.uintptr_t
	if options.Progress != nil {
		progress = s.contexts.add(options.Progress)
	}
	isEnd := options.Mode == RegisterEager
	err := s.await(ctx, key, func(store C.uintptr_t, key *C.char, number C.uintptr_t) C.dsgo_number {
		done := C.dsgo_register(store, key, address.start, C.uint32_t(options.Mode), transient.start,
			C.uint32_t(options.Policy), progress, number)
		isEnd = isEnd || done.status != 0
		return done
	})
	if progress != 0 && isEnd && (err == nil || ctx.Err() == nil) {
		s.contexts.drop(progress)
	}
	return err
}

// Initialize fetches and indexes a shard that was registered with RegisterLazy. It does nothing if
// the shard is available. If the context ends, the job goes on.
//
// Errors: ErrShardUnknown; the code of the stored error if the shard has failed; and as Register.
func (s *Store) Initialize(ctx context.Context, key string) error {
	return s.await(ctx, key, func(store C.uintptr_t, key *C.char, number C.uintptr_t) C.dsgo_number {
		return C.dsgo_initialize(store, key, number)
	})
}

// Recover fetches and indexes a failed shard again, and discards earlier copies. If the context
// ends, the job goes on.
//
// Errors: ErrShardUnknown; ErrNotFailed; and as Register.
func (s *Store) Recover(ctx context.Context, key string) error {
	return s.await(ctx, key, func(store C.uintptr_t, key *C.char, number C.uintptr_t) C.dsgo_number {
		return C.dsgo_recover(store, key, number)
	})
}

// Destroy removes a shard: its record, its index, and the store's copy of the CAR. The CAR itself
// stays. If the context ends, a removal that has begun takes effect.
//
// Errors: ErrShardUnknown; ErrShardInUse if it has leases or is being opened; ErrCatalogFull, ErrReadOnly, ErrClosed;
// that of the context.
func (s *Store) Destroy(ctx context.Context, key string) error {
	return s.await(ctx, key, func(store C.uintptr_t, key *C.char, number C.uintptr_t) C.dsgo_number {
		return C.dsgo_destroy(store, key, number)
	})
}

// Relocate changes the mount of a shard, and keeps its index.
//
// It compares a sample of the new source with the index; for that it copies a sequential source. It
// does not compare a shard whose CAR was never read. It recovers a shard that failed after it was
// indexed. Leases stay on the old source. On failure the shard keeps its old mount. If the context
// ends, the call goes on, on a thread of its own.
//
// Errors: ErrShardUnknown; ErrShardInUse while the shard is being fetched and indexed;
// ErrSourceChanged if the bytes differ from the indexed ones; the errors of a source; that of the
// context.
func (s *Store) Relocate(ctx context.Context, key, url string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkText(url, "the URL"); err != nil {
		return err
	}
	relocate := func() error {
		address := newText(url)
		defer address.free()
		_, err := s.withKey(key, func(store C.uintptr_t, key *C.char) C.dsgo_number {
			return C.dsgo_relocate(store, key, address.start)
		})
		return err
	}
	if ctx.Done() == nil {
		return relocate()
	}
	done := make(chan error, 1)
	go func() { done <- relocate() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// SetPolicy changes what stays on this machine of a shard.
//
// Later openings of the shard read under the new policy; an open shard closes when it has no leases.
// Under PolicyCopy the next opening copies the CAR. Under every other policy the library no longer
// reads the copy, and CollectGarbage removes it. The call does not reach for the source.
//
// Errors: ErrShardUnknown; ErrInvalidArgument for an unknown policy; ErrCatalogFull, ErrReadOnly,
// ErrClosed.
func (s *Store) SetPolicy(key string, policy Policy) error {
	_, err := s.withKey(key, func(store C.uintptr_t, key *C.char) C.dsgo_number {
		return C.dsgo_set_policy(store, key, C.uint32_t(policy))
	})
	return err
}

// ---- Waiting without a thread ----

// A waiter receives the result of a call that the library completes later.
type waiter chan completion

type completion struct {
	shard C.uintptr_t
	err   error
}

// begin starts a call, and waits until it ends or the context does. No thread waits in C.
//
// `call` starts the call with the number of its completion. A call that ends after the context gives
// its lease back.
func (s *Store) begin(ctx context.Context, key string,
	call func(store C.uintptr_t, key *C.char, number C.uintptr_t) C.dsgo_number) (C.uintptr_t, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	done := make(waiter, 1)
	number := handles.add(done)
	_, err := s.withKey(key, func(store C.uintptr_t, key *C.char) C.dsgo_number {
		return call(store, key, number)
	})
	if err != nil {
		handles.drop(number)
		return 0, err
	}
	select {
	case result := <-done:
		return result.shard, result.err
	case <-ctx.Done():
	}
	if store, err := s.open(); err == nil {
		C.dsgo_cancel(store, number)
	}
	// The library completes every call: a cancelled one at once.
	result := <-done
	switch {
	case result.shard != 0:
		C.dsgo_shard_release(result.shard, C.dsgo_stash{})
		return 0, ctx.Err()
	case CodeOf(result.err) == ErrCancelled:
		return 0, ctx.Err()
	}
	return 0, result.err
}

// await is begin for calls without a lease.
func (s *Store) await(ctx context.Context, key string,
	call func(store C.uintptr_t, key *C.char, number C.uintptr_t) C.dsgo_number) error {
	_, err := s.begin(ctx, key, call)
	return err
}

//export dsgoDone
func dsgoDone(context C.uintptr_t, status C.int32_t, handle C.uintptr_t) {
	done, ok := take[waiter](&handles, context)
	if !ok {
		return
	}
	var err error
	if status != 0 {
		err = contents(status, handle)
	}
	done <- completion{err: err}
}

//export dsgoAcquired
func dsgoAcquired(context C.uintptr_t, status C.int32_t, shard, handle C.uintptr_t) {
	done, ok := take[waiter](&handles, context)
	switch {
	case !ok:
		C.dsgo_shard_release(shard, C.dsgo_stash{})
	case status != 0:
		done <- completion{err: contents(status, handle)}
	default:
		done <- completion{shard: shard}
	}
}

//export dsgoProgress
func dsgoProgress(context C.uintptr_t, done, total, sections C.uint64_t) {
	defer func() { _ = recover() }()
	if receive, ok := lookUp[func(Progress)](&handles, context); ok {
		receive(Progress{uint64(done), uint64(total), uint64(sections)})
	}
}
