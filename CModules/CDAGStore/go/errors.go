package dagstore

// #include "bridge.h"
import "C"

import (
	"errors"
	"strings"
)

// An Error is the reason why a call failed.
//
// errors.Is compares it with a [Code] by its code, and errors.As gives the details.
type Error struct {
	// Code is the kind of the error.
	Code Code
	// Message is a sentence for people.
	Message string
	// Shard is the key of the shard that the error is about; "" if it is about no shard.
	Shard string
	// Offset says where in a CAR the bytes are wrong, in bytes; -1 if the error has no offset. For a
	// malformed section it counts from the start of the payload.
	Offset int64
}

// Error returns the message, with the shard and the name of the code.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString("dagstore: ")
	if e.Shard != "" && !strings.Contains(e.Message, e.Shard) {
		text.WriteString("shard " + e.Shard + ": ")
	}
	if e.Message == "" {
		text.WriteString(e.Code.sentence())
	} else {
		text.WriteString(e.Message)
	}
	text.WriteString(" (" + e.Code.Name() + ")")
	return text.String()
}

// Unwrap returns the code.
func (e *Error) Unwrap() error { return e.Code }

// CodeOf returns the code of an error of this package; 0 for other errors and for nil.
func CodeOf(err error) Code {
	var code Code
	if errors.As(err, &code) {
		return code
	}
	return 0
}

// newError makes an error of the package itself.
func newError(code Code, message string) *Error {
	return &Error{Code: code, Message: message, Offset: -1}
}

// released is the error of a call with something that the caller gave back.
func released(what string) error {
	return newError(ErrInvalidArgument, what+" is released")
}

// failure converts the error of a call, and releases it. The handle is 0 if the library made no
// error, or if the package words it.
func failure(status C.int32_t, handle C.uintptr_t, shard string) error {
	if handle == 0 {
		code := Code(status)
		return &Error{Code: code, Message: code.sentence(), Shard: shard, Offset: -1}
	}
	err := contents(status, handle)
	C.dsgo_error_release(handle)
	return err
}

// contents copies an error that a callback borrows.
func contents(status C.int32_t, handle C.uintptr_t) *Error {
	err := newError(Code(status), "")
	if handle == 0 {
		err.Message = err.Code.sentence()
		return err
	}
	from := C.dsgo_error_contents(handle)
	err.Message = C.GoString(from.message)
	if from.shard != nil {
		err.Shard = C.GoString(from.shard)
	}
	if from.has_offset {
		err.Offset = int64(from.offset)
	}
	return err
}
