package dagstore

// #include "bridge.h"
import "C"

import (
	"strings"
	"unsafe"
)

// checkKey refuses keys that cannot be passed to C. The library checks the rest.
func checkKey(key string) error {
	if len(key) == 0 || len(key) >= C.DSGO_KEY_CAPACITY || strings.IndexByte(key, 0) >= 0 {
		return newError(ErrInvalidKey, ErrInvalidKey.sentence())
	}
	return nil
}

// checkText refuses texts that cannot be passed to C.
func checkText(text, what string) error {
	if strings.IndexByte(text, 0) >= 0 {
		return newError(ErrInvalidArgument, what+" has a NUL")
	}
	return nil
}

// A text is a copy for C, which free frees.
type text struct{ start *C.char }

func newText(s string) text { return text{C.CString(s)} }

func (t text) free() { C.free(unsafe.Pointer(t.start)) }

// noBytes stands for the bytes of an empty string: the library refuses NULL as an argument.
const noBytes = "\x00"

// bytesOf returns the address of a string's bytes, and their number.
func bytesOf[T ~string](s T) (*C.uint8_t, C.size_t) {
	if len(s) == 0 {
		return (*C.uint8_t)(unsafe.Pointer(unsafe.StringData(noBytes))), 0
	}
	return (*C.uint8_t)(unsafe.Pointer(unsafe.StringData(string(s)))), C.size_t(len(s))
}

// roomOf returns the address of a buffer, and its size.
func roomOf(buffer []byte) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(buffer))), C.size_t(len(buffer))
}

// pointerTo converts an address outside Go's memory.
func pointerTo(address C.uintptr_t) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}

// foreign returns bytes that the library owns. It returns an empty slice, and not nil, for none.
func foreign(address C.uintptr_t, size C.uint64_t) []byte {
	if size == 0 {
		return []byte{}
	}
	return unsafe.Slice((*byte)(pointerTo(address)), int(size))
}

// unknown is the number of the library for a size or time without a limit, or an unknown one.
const unknown = ^C.uint64_t(0)

// charsOf returns the address of a string's bytes as characters, and their number.
func charsOf(s string) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s))
}

// charsOfBuffer returns the address of a buffer for characters, and its size.
func charsOfBuffer(buffer []byte) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(buffer))), C.size_t(len(buffer))
}

// borrowed returns bytes of the library that are valid for now.
func borrowed(data *C.uint8_t, size C.size_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(data)), int(size))
}
