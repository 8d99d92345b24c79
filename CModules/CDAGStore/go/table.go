package dagstore

// #include <stdint.h>
import "C"

import (
	"sync"
	"sync/atomic"
)

// handles maps the numbers that the library gets as contexts to the values of callbacks.
//
// A number is never used twice. So a callback that comes late finds nothing, and does nothing.
var handles handleTable

type handleTable struct {
	last   atomic.Uintptr
	values sync.Map
}

// add gives a value a number, until drop or take.
func (t *handleTable) add(value any) C.uintptr_t {
	number := t.last.Add(1)
	t.values.Store(number, value)
	return C.uintptr_t(number)
}

// drop removes a number; 0 stands for none.
func (t *handleTable) drop(number C.uintptr_t) { t.values.Delete(uintptr(number)) }

// lookUp returns the value of a number, if it has the type.
func lookUp[T any](t *handleTable, number C.uintptr_t) (value T, ok bool) {
	found, _ := t.values.Load(uintptr(number))
	value, ok = found.(T)
	return value, ok
}

// take returns the value of a number, if it has the type, and removes it.
func take[T any](t *handleTable, number C.uintptr_t) (value T, ok bool) {
	found, _ := t.values.LoadAndDelete(uintptr(number))
	value, ok = found.(T)
	return value, ok
}
