package dagstore

// #include "bridge.h"
import "C"

import (
	"errors"
	"io"
	"math"
	"unsafe"
)

// An Indexer supplies the sections of a CAR, instead of the walk over its section headers.
//
// The library calls it when it has fetched a CAR, on a thread of the library; several shards may be
// indexed at once. It calls Add for each section, in order of offset and without gaps. The library
// believes the sections: a wrong one makes a block unreadable until the shard is recovered.
//
// It returns ErrWalk, without an addition, to let the library walk the CAR. An error fails the shard:
// with its code if that is one of a source or of wrong bytes, and with ErrMalformedIndex if it has
// none. So does a panic. Other codes end the registration or recovery without a result.
type Indexer func(car *Indexing) error

// ErrWalk is the result of an Indexer that lets the library walk the CAR.
var ErrWalk = errors.New("dagstore: the library indexes the CAR")

// Indexing is a CAR that is being indexed. It is valid until the Indexer returns.
type Indexing struct {
	handle C.uintptr_t
	// Key is the key of the shard.
	Key string
	// URL is the mount URL of the shard.
	URL string
	// Size is the size of the whole file in bytes.
	Size int64
	// PayloadOffset is the offset of the payload in the file, and PayloadSize its size, in bytes.
	PayloadOffset int64
	PayloadSize   int64
}

// Add adds a section. `offset` is that of the section's length varint in the payload, and
// `sectionSize` is the size of the whole section, varint and CID included, in bytes.
//
// Errors: ErrInvalidCID; ErrMalformedIndex if the section does not begin where the one before ended,
// or lies outside the payload, which also fails the shard; ErrInvalidArgument after the Indexer has
// returned.
func (x *Indexing) Add(cid CID, offset, sectionSize int64) error {
	data, size := bytesOf(cid)
	added := C.dsgo_indexing_add(x.handle, data, size, C.uint64_t(offset), C.uint64_t(sectionSize))
	if added.status != 0 {
		return failure(added.status, added.error, x.Key)
	}
	return nil
}

// ReadAt reads bytes of the CAR file, as io.ReaderAt says.
//
// Errors: ErrMountUnreachable, ErrSourceChanged; ErrInvalidArgument after the Indexer has returned;
// io.EOF at the end.
func (x *Indexing) ReadAt(buffer []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, newError(ErrInvalidArgument, "the offset is negative")
	}
	done := 0
	for done < len(buffer) {
		part := buffer[done:min(done+readMax, len(buffer))]
		data, capacity := roomOf(part)
		read := C.dsgo_indexing_read(x.handle, C.uint64_t(offset)+C.uint64_t(done), data, capacity)
		if read.status != 0 {
			return done, failure(read.status, read.error, x.Key)
		}
		done += int(read.number)
		if int(read.number) < len(part) {
			return done, io.EOF
		}
	}
	return done, nil
}

// readMax is the number of bytes that the library reads with one call.
const readMax = 64 << 20

//export dsgoIndex
func dsgoIndex(context, indexing C.uintptr_t, key, url *C.char,
	bytes, payloadOffset, payloadSize C.uint64_t, outError *C.uintptr_t) (status C.int32_t) {
	defer func() {
		if value := recover(); value != nil {
			status = giveError(outError, ErrMalformedIndex, panicError(value))
		}
	}()
	index, ok := lookUp[Indexer](&handles, context)
	if !ok {
		return C.DAGSTORE_DONE
	}
	car := &Indexing{indexing, C.GoString(key), C.GoString(url),
		int64(bytes), int64(payloadOffset), int64(payloadSize)}
	// The handle is stale later, and no number of another one.
	defer func() { car.handle = 0 }()
	err := index(car)
	switch {
	case err == nil:
		return C.DAGSTORE_OK
	case errors.Is(err, ErrWalk):
		return C.DAGSTORE_DONE
	}
	code := CodeOf(err)
	if code == 0 {
		code = ErrMalformedIndex
	}
	return giveError(outError, code, err)
}

// A Selector chooses among the shards that may have a block. `keys` are in the order in which the
// store would read the shards: open ones, available ones, failed ones.
//
// It returns indices into `keys` of the shards to read, best first; none to refuse the block. It
// runs on the goroutine of Store.Get. It may be called again for the same block if a shard must be
// fetched first. A panic ends the call with ErrInvalidArgument.
type Selector func(cid CID, keys []string) []int

// selection is a call of a Selector.
type selection struct {
	selector Selector
	panicked error
}

//export dsgoSelect
func dsgoSelect(context C.uintptr_t, cid *C.uint8_t, cidSize C.size_t, keys **C.char, count C.size_t,
	order *C.size_t) (chosen C.size_t) {
	call, ok := lookUp[*selection](&handles, context)
	if !ok {
		return 0
	}
	defer func() {
		if value := recover(); value != nil {
			call.panicked = panicError(value)
			chosen = 0
		}
	}()
	names := make([]string, count)
	for index, key := range unsafe.Slice(keys, int(count)) {
		names[index] = C.GoString(key)
	}
	bytes := C.GoBytes(unsafe.Pointer(cid), C.int(min(cidSize, math.MaxInt32)))
	places := unsafe.Slice(order, int(count))
	for _, index := range call.selector(CID(bytes), names) {
		if index >= 0 && index < len(names) && int(chosen) < len(places) {
			places[chosen] = C.size_t(index)
			chosen++
		}
	}
	return chosen
}
