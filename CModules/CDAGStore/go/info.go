package dagstore

// #include "bridge.h"
import "C"

import (
	"iter"
	"runtime"
	"time"
)

// State is the state of a shard.
type State uint32

const (
	// StateNone means that no shard has the key.
	StateNone State = C.DAGSTORE_STATE_NONE
	// StateRegistered means that the shard is known and not indexed.
	StateRegistered State = C.DAGSTORE_STATE_REGISTERED
	// StateInitializing means that the shard is being fetched and indexed.
	StateInitializing State = C.DAGSTORE_STATE_INITIALIZING
	// StateAvailable means that the shard is indexed and readable.
	StateAvailable State = C.DAGSTORE_STATE_AVAILABLE
	// StateServing means that the shard is available and has leases.
	StateServing State = C.DAGSTORE_STATE_SERVING
	// StateRecovering means that the shard is being fetched and indexed after a failure.
	StateRecovering State = C.DAGSTORE_STATE_RECOVERING
	// StateFailed means that the shard is unreadable until it is recovered.
	StateFailed State = C.DAGSTORE_STATE_FAILED
)

var stateNames = [...]string{
	"none", "registered", "initializing", "available", "serving", "recovering", "failed"}

// String returns the name of the state, such as "available".
func (s State) String() string { return nameIn(stateNames[:], uint32(s)) }

// nameIn returns a name of a list; "unknown" for the numbers of later releases.
func nameIn(names []string, number uint32) string {
	if int(number) < len(names) && names[number] != "" {
		return names[number]
	}
	return "unknown"
}

// Info is the record of a shard.
type Info struct {
	// Key is the key of the shard.
	Key string
	// URL is the mount URL of the shard.
	URL string
	// State is the state of the shard, and Since the time since when.
	State State
	Since time.Time
	// Lazy means that the shard is indexed at its first use.
	Lazy bool
	// Err is the error of a failed shard; nil if it has not failed.
	Err *Error
	// Transient is the path of the local copy; "" if there is none.
	Transient string
	// Policy says what stays on this machine of the shard.
	Policy Policy
	// Leases is the number of leases of this process.
	Leases uint64
	// BlockCount is the number of sections, repeated ones included.
	BlockCount uint64
	// PayloadSize is the size of the CAR's payload in bytes.
	PayloadSize uint64
	// IndexSize is the size of index pages and locator in bytes.
	IndexSize uint64
	// RemoteRequests is the number of requests by which this process read the shard from elsewhere,
	// since it opened the store, and RemoteBytes the number of bytes that came with them.
	RemoteRequests, RemoteBytes uint64
}

// State returns the state of a shard: StateNone if no shard has the key, which is not an error.
//
// Errors: ErrInvalidKey, ErrCatalogCorrupt, ErrClosed.
func (s *Store) State(key string) (State, error) {
	state, err := s.withKey(key, func(store C.uintptr_t, key *C.char) C.dsgo_number {
		return C.dsgo_state(store, key)
	})
	return State(state.number), err
}

// Info returns the record of a shard.
//
// Errors: ErrShardUnknown, ErrInvalidKey, ErrCatalogCorrupt, ErrClosed.
func (s *Store) Info(key string) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	for info, err := range s.shards(key) {
		return info, err
	}
	return Info{}, &Error{Code: ErrShardUnknown, Shard: key, Offset: -1}
}

// Shards iterates over the shards of the store in order of registration. It may miss or return
// shards that are registered or destroyed meanwhile.
//
// An error ends the loop: ErrCatalogCorrupt, ErrClosed.
func (s *Store) Shards() iter.Seq2[Info, error] { return s.shards("") }

// shards iterates over all shards, or over the one with a key.
func (s *Store) shards(key string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		store, err := s.open()
		if err != nil {
			yield(Info{}, err)
			return
		}
		var name text
		if key != "" {
			name = newText(key)
			defer name.free()
		}
		opened := C.dsgo_shards_open(store, name.start)
		runtime.KeepAlive(s)
		if opened.status != 0 {
			yield(Info{}, s.fail(opened.status, opened.error, key))
			return
		}
		defer C.dsgo_shards_close(opened.handle)
		var info C.dagstore_info_t
		for {
			step := C.dsgo_shards_next(opened.handle, &info)
			if step.status == C.DAGSTORE_DONE {
				return
			}
			if step.status != 0 {
				yield(Info{}, s.fail(step.status, step.error, key))
				return
			}
			if !yield(newInfo(&info), nil) {
				return
			}
		}
	}
}

// newInfo copies a record of the library.
func newInfo(from *C.dagstore_info_t) Info {
	info := Info{
		Key:            C.GoString(from.key),
		URL:            C.GoString(from.mount_url),
		State:          State(from.state),
		Since:          time.UnixMilli(int64(from.state_since)),
		Lazy:           from.flags&C.DAGSTORE_INFO_LAZY != 0,
		Transient:      optional(from.transient),
		Policy:         Policy(from.policy),
		Leases:         uint64(from.references),
		BlockCount:     uint64(from.block_count),
		PayloadSize:    uint64(from.payload_size),
		IndexSize:      uint64(from.index_size),
		RemoteRequests: uint64(from.remote_requests),
		RemoteBytes:    uint64(from.remote_bytes),
	}
	if from.error_status != 0 {
		info.Err = &Error{Code(from.error_status), optional(from.error_message), info.Key, -1}
	}
	return info
}
