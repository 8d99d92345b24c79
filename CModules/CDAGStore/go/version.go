package dagstore

// #cgo pkg-config: dagstore
// #cgo CFLAGS: -std=c99
// #include "bridge.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"
)

// ErrIncompatible means that the loaded libdagstore does not fit this package. The message names
// the versions of both.
var ErrIncompatible = errors.New("dagstore: the loaded library does not fit this package")

// Version returns the release of the loaded library, such as "0.1.0".
func Version() string { return C.GoString(C.dagstore_version()) }

// LiveHandles returns the number of handles of the library that this process has open: stores,
// leases, blocks and cursors. Tests use it to find leaks; it is 0 when all of them are given back.
func LiveHandles() int {
	if checkLibrary() != nil {
		return 0
	}
	return int(C.dagstore_live_handles())
}

// checkLibrary returns an error if the loaded library does not fit this package. Every function
// that can be the first call of a program begins with it.
func checkLibrary() error { return libraryError() }

var libraryError = sync.OnceValue(func() error {
	const expected = C.DAGSTORE_ABI_VERSION
	if found := uint32(C.dagstore_abi_version()); found != expected {
		return fmt.Errorf("%w: libdagstore %s has ABI version %d, and the package needs version %d",
			ErrIncompatible, Version(), found, expected)
	}
	if missing := C.dsgo_missing(); missing != nil {
		return fmt.Errorf("%w: libdagstore %s with ABI version %d lacks %s; the package needs a later release with ABI version %d",
			ErrIncompatible, Version(), expected, C.GoString(missing), expected)
	}
	return nil
})
