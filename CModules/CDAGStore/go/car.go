package dagstore

// #include "bridge.h"
import "C"

import (
	"runtime"
	"sync/atomic"
)

// A CAR is a CAR file outside a store. Any goroutine may call any method at any time. Close closes
// it.
type CAR struct {
	handle atomic.Uintptr
	anchor *anchor
}

// OpenCAR opens a CAR file and reads its headers.
//
// Errors: ErrMountGone, ErrMountUnreachable; ErrMalformedCAR, ErrTruncated, ErrUnsupportedVersion,
// ErrLimitExceeded; ErrIncompatible.
func OpenCAR(path string) (*CAR, error) {
	if err := checkLibrary(); err != nil {
		return nil, err
	}
	if err := checkText(path, "the path"); err != nil {
		return nil, err
	}
	name := newText(path)
	defer name.free()
	opened := C.dsgo_car_open(name.start)
	if opened.status != 0 {
		return nil, failure(opened.status, opened.error, "")
	}
	car := &CAR{anchor: newAnchor(opened.handle, closeCAR)}
	car.handle.Store(uintptr(opened.handle))
	return car, nil
}

func closeCAR(handle C.uintptr_t) { C.dsgo_car_close(handle) }

// Close closes the file. Later calls do nothing.
func (c *CAR) Close() {
	if handle := c.handle.Swap(0); handle != 0 {
		c.anchor.free()
		C.dsgo_car_close(C.uintptr_t(handle))
	}
}

// fail converts the error of a call.
func (c *CAR) fail(result C.dsgo_number) error {
	runtime.KeepAlive(c)
	switch {
	case result.status == 0:
		return nil
	case Code(result.status) == ErrInvalidArgument && c.handle.Load() == 0:
		C.dsgo_error_release(result.error)
		return released("the CAR")
	}
	return failure(result.status, result.error, "")
}

// CARInfo has the parts of a CAR. Offsets and sizes are in bytes.
type CARInfo struct {
	// Version is 1 or 2.
	Version int
	// FullyIndexed means that the header says: the embedded index lists every section.
	FullyIndexed bool
	// IndexCodec is the multicodec of the embedded index; 0 if there is none or it is unreadable.
	IndexCodec uint32
	// Roots is the number of roots.
	Roots uint64
	// DataOffset is the offset of the payload in the file, and DataSize its size.
	DataOffset, DataSize uint64
	// IndexOffset is the offset of the embedded index in the file; 0 if there is none.
	IndexOffset uint64
	// Sections is the number of sections.
	Sections uint64
	// IdentitySections is the number of sections with an identity CID.
	IdentitySections uint64
	// DuplicateSections is the number of sections that repeat an earlier CID.
	DuplicateSections uint64
	// BlockSizeMin and BlockSizeMax are the sizes of the smallest and of the largest block.
	BlockSizeMin, BlockSizeMax uint64
	// NullPadding is the number of bytes after the first section of length zero.
	NullPadding uint64
}

// Inspect reads all section headers and counts sections; it hashes nothing. Takes 16 bytes of memory
// a section.
//
// Errors: ErrMalformedCAR, ErrTruncated, ErrLimitExceeded, with their offset; ErrInvalidArgument
// after Close.
func (c *CAR) Inspect() (CARInfo, error) {
	var from C.dagstore_car_info_t
	if err := c.fail(C.dsgo_car_inspect(C.uintptr_t(c.handle.Load()), &from)); err != nil {
		return CARInfo{}, err
	}
	return CARInfo{
		Version:           int(from.version),
		FullyIndexed:      from.flags&C.DAGSTORE_CAR_FULLY_INDEXED != 0,
		IndexCodec:        uint32(from.index_codec),
		Roots:             uint64(from.roots),
		DataOffset:        uint64(from.data_offset),
		DataSize:          uint64(from.data_size),
		IndexOffset:       uint64(from.index_offset),
		Sections:          uint64(from.sections),
		IdentitySections:  uint64(from.identity_sections),
		DuplicateSections: uint64(from.duplicate_sections),
		BlockSizeMin:      uint64(from.block_size_min),
		BlockSizeMax:      uint64(from.block_size_max),
		NullPadding:       uint64(from.null_padding),
	}, nil
}

// Roots returns the roots in the header. It counts them with Inspect.
//
// Errors: as Inspect.
func (c *CAR) Roots() ([]CID, error) {
	defer runtime.KeepAlive(c)
	info, err := c.Inspect()
	if err != nil {
		return nil, err
	}
	handle := C.uintptr_t(c.handle.Load())
	return roots(int(info.Roots), "", func(index C.size_t, buffer *C.uint8_t, capacity C.size_t) C.dsgo_number {
		return C.dsgo_car_root(handle, index, buffer, capacity)
	})
}

// CARVerification has the counts of a verification.
type CARVerification struct {
	// Sections is the number of sections.
	Sections uint64
	// Unverified is the number of blocks with an unknown hash function or a digest of under 20 bytes.
	Unverified uint64
	// Mismatches is the number of blocks that do not have the hash of their CID.
	Mismatches uint64
}

// Verify hashes every block on several threads, and compares an embedded index with the sections.
// `threads` is the number of threads; 0 for one a processor. The counts are valid also if there is an
// error.
//
// Errors: ErrHashMismatch, with the section's offset in the payload; ErrMalformedCAR, ErrTruncated,
// ErrLimitExceeded, ErrMalformedIndex; ErrInvalidArgument after Close.
func (c *CAR) Verify(threads int) (CARVerification, error) {
	var from C.dagstore_car_verification_t
	err := c.fail(C.dsgo_car_verify(C.uintptr_t(c.handle.Load()), C.uint32_t(max(threads, 0)), &from))
	return CARVerification{uint64(from.sections), uint64(from.unverified), uint64(from.mismatches)}, err
}
