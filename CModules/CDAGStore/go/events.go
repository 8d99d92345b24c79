package dagstore

// #include "bridge.h"
import "C"

import (
	"context"
	"iter"
	"runtime"
	"sync"
)

// Operation is what happened to a shard.
type Operation uint32

const (
	// OperationRegister means that the shard was registered.
	OperationRegister Operation = C.DAGSTORE_EVENT_REGISTER
	// OperationInitialize means that fetching and indexing began.
	OperationInitialize Operation = C.DAGSTORE_EVENT_INITIALIZE
	// OperationMakeAvailable means that the shard became available.
	OperationMakeAvailable Operation = C.DAGSTORE_EVENT_MAKE_AVAILABLE
	// OperationDestroy means that the shard was destroyed.
	OperationDestroy Operation = C.DAGSTORE_EVENT_DESTROY
	// OperationAcquire means that a lease began, or was refused: then the event has an error.
	OperationAcquire Operation = C.DAGSTORE_EVENT_ACQUIRE
	// OperationFail means that the shard failed.
	OperationFail Operation = C.DAGSTORE_EVENT_FAIL
	// OperationRelease means that a lease ended.
	OperationRelease Operation = C.DAGSTORE_EVENT_RELEASE
	// OperationRecover means that fetching and indexing began after a failure.
	OperationRecover Operation = C.DAGSTORE_EVENT_RECOVER
)

var operationNames = [...]string{"", "register", "initialize", "makeAvailable", "destroy", "acquire",
	"fail", "release", "recover"}

// String returns the name of the operation, such as "makeAvailable".
func (o Operation) String() string { return nameIn(operationNames[:], uint32(o)) }

// An Event is an event of a shard.
type Event struct {
	// Number counts from 1 at the opening of the store. A gap shows that the loop was too far behind.
	Number uint64
	// Key is the key of the shard.
	Key string
	// Operation is what happened, and State the state of the shard after it.
	Operation Operation
	State     State
	// Leases is the number of leases after it.
	Leases uint64
	// Err is the error of a failure, of a refusal, or of the failure that a recovery follows; nil
	// otherwise.
	Err *Error
}

// Events iterates over the events of shards from now on: the store keeps them from this call until
// the loop takes them. The first caller also gets the events of the store's own work since the
// opening.
//
// The loop ends when the context ends or the store closes, without an error. A loop that is more
// than Config.EventCapacity behind misses the oldest events, and delays no other caller. While the
// loop waits, it takes a thread. The iterator serves one loop.
//
// Errors: ErrInvalidArgument if Config.EventCapacity is out of range; ErrClosed.
func (s *Store) Events(ctx context.Context) iter.Seq2[Event, error] {
	store, err := s.open()
	if err != nil {
		return failed(err)
	}
	opened := C.dsgo_events_open(store, C.size_t(max(s.eventCapacity, 0)))
	runtime.KeepAlive(s)
	if opened.status != 0 {
		return failed(s.fail(opened.status, opened.error, ""))
	}
	// The context closes the queue, also if no loop begins.
	closeQueue := sync.OnceFunc(func() { C.dsgo_events_close(opened.handle) })
	stop := context.AfterFunc(ctx, closeQueue)
	return func(yield func(Event, error) bool) {
		defer closeQueue()
		defer stop()
		var event C.dagstore_event_t
		for {
			step := C.dsgo_events_next(opened.handle, &event)
			if step.status == C.DAGSTORE_DONE || ctx.Err() != nil {
				C.dsgo_error_release(step.error)
				return
			}
			if step.status != 0 {
				yield(Event{}, failure(step.status, step.error, ""))
				return
			}
			if !yield(newEvent(&event), nil) {
				return
			}
		}
	}
}

// failed is an iterator that has nothing but an error.
func failed(err error) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) { yield(Event{}, err) }
}

// newEvent copies an event of the library.
func newEvent(from *C.dagstore_event_t) Event {
	event := Event{
		Number:    uint64(from.number),
		Key:       C.GoString(from.key),
		Operation: Operation(from.operation),
		State:     State(from.state),
		Leases:    uint64(from.references),
	}
	if from.error_status != 0 {
		event.Err = &Error{Code(from.error_status), optional(from.error_message), event.Key, -1}
	}
	return event
}
