package dagstore

// #include "bridge.h"
import "C"

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// logger receives the lines of the library.
var logger atomic.Pointer[slog.Logger]

// levels are the levels of the library's log, the most severe one first.
var levels = []struct {
	library C.int32_t
	slog    slog.Level
}{
	{C.DAGSTORE_LOG_ERROR, slog.LevelError},
	{C.DAGSTORE_LOG_WARNING, slog.LevelWarn},
	{C.DAGSTORE_LOG_INFO, slog.LevelInfo},
	{C.DAGSTORE_LOG_DEBUG, slog.LevelDebug},
}

// SetLogger sends the log of the library, of all stores of the process, to a logger; nil ends it.
// The library makes lines of the levels for which the logger is enabled at this call.
//
// A thread of the library calls the logger with one line at a time, in order. While 1,024 lines wait,
// the library drops new ones. The previous logger gets all lines from before the call, and no line
// after the call has returned.
//
// Errors: ErrIncompatible.
func SetLogger(to *slog.Logger) error {
	if err := checkLibrary(); err != nil {
		return err
	}
	level := C.int32_t(C.DAGSTORE_LOG_NONE)
	for _, candidate := range levels {
		if to != nil && to.Enabled(context.Background(), candidate.slog) {
			level = candidate.library
		}
	}
	// The previous logger gets its last lines here.
	stopped := C.dsgo_log_set(C.DAGSTORE_LOG_NONE, false)
	if stopped.status != 0 {
		return failure(stopped.status, stopped.error, "")
	}
	logger.Store(to)
	if level == C.DAGSTORE_LOG_NONE {
		return nil
	}
	set := C.dsgo_log_set(level, true)
	if set.status != 0 {
		return failure(set.status, set.error, "")
	}
	return nil
}

//export dsgoLog
func dsgoLog(level C.int32_t, message *C.char) {
	defer func() { _ = recover() }()
	to := logger.Load()
	if to == nil {
		return
	}
	for _, candidate := range levels {
		if candidate.library == level {
			to.Log(context.Background(), candidate.slog, C.GoString(message))
		}
	}
}

// InstallMappingGuard installs a handler for SIGBUS, which turns the loss of mapped bytes into
// ErrSourceChanged.
//
// A process that truncates a mapped CAR takes bytes away from its readers. With the handler, the
// library's own reads, such as Shard.Get, return an error, and cost no system call. The caller's
// reads of a View are not guarded; those in Shard.WithView are, with and without the handler. The
// handler passes other SIGBUS signals to the previous handler, such as that of the Go runtime.
//
// Only the first call does anything. Make it at the start of the program, before other packages
// install handlers for SIGBUS, and before you open a store.
//
// It returns whether the handler is installed.
func InstallMappingGuard() bool {
	return checkLibrary() == nil && bool(C.dagstore_mapping_guard_install())
}
