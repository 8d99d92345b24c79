// Registers a CAR, reads and verifies every block, and shows what errors look like.
//
//	PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig go build
//	LD_LIBRARY_PATH=$PREFIX/lib ./example STORE_DIRECTORY /absolute/path/of/some.car
package main

/*
#cgo pkg-config: dagstore
#include <dagstore.h>
#include <stdlib.h>
*/
import "C"

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"unsafe"
)

// Error is the error of a call.
type Error struct {
	Status  C.dagstore_status_t
	Message string
}

func (e *Error) Error() string { return e.Message }

// failure converts a status and its error to a Go error, and releases the latter.
func failure(status C.dagstore_status_t, e **C.dagstore_error_t) error {
	if status >= 0 {
		return nil
	}
	defer C.dagstore_error_release(*e)
	return &Error{status, C.GoString(C.dagstore_error_message(*e))}
}

// pointer returns the address of the first byte of a CID, for one call.
func pointer(cid []byte) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(cid))), C.size_t(len(cid))
}

// Store is an open store.
type Store struct{ handle *C.dagstore_t }

// Open opens the store in a directory.
func Open(directory string) (*Store, error) {
	path := C.CString(directory)
	defer C.free(unsafe.Pointer(path))
	var config C.dagstore_config_t
	var e *C.dagstore_error_t
	if err := failure(C.dagstore_config_init(&config, C.sizeof_dagstore_config_t, &e), &e); err != nil {
		return nil, err
	}
	config.idle_shards_max = 16
	store := &Store{}
	return store, failure(C.dagstore_open(path, &config, &store.handle, &e), &e)
}

// Register registers a CAR, and indexes it.
func (s *Store) Register(key, url string) error {
	k, u := C.CString(key), C.CString(url)
	defer C.free(unsafe.Pointer(k))
	defer C.free(unsafe.Pointer(u))
	var e *C.dagstore_error_t
	return failure(C.dagstore_register(s.handle, k, u, 0, &e), &e)
}

// Destroy removes a shard.
func (s *Store) Destroy(key string) error {
	k := C.CString(key)
	defer C.free(unsafe.Pointer(k))
	var e *C.dagstore_error_t
	return failure(C.dagstore_destroy(s.handle, k, &e), &e)
}

// Acquire acquires a lease, which Release ends.
func (s *Store) Acquire(key string, milliseconds uint32) (*Shard, error) {
	k := C.CString(key)
	defer C.free(unsafe.Pointer(k))
	shard := &Shard{}
	var e *C.dagstore_error_t
	return shard, failure(C.dagstore_acquire(s.handle, k, C.uint32_t(milliseconds), &shard.handle, &e), &e)
}

// Get copies a block from any shard that has it.
func (s *Store) Get(cid []byte) ([]byte, error) {
	data, size := pointer(cid)
	var block *C.dagstore_block_t
	var e *C.dagstore_error_t
	if err := failure(C.dagstore_get(s.handle, data, size, 0, &block, &e), &e); err != nil {
		return nil, err
	}
	return take(block), nil
}

// Find returns the first shard that has a block.
func (s *Store) Find(cid []byte) (string, error) {
	data, size := pointer(cid)
	var places *C.dagstore_places_t
	var e *C.dagstore_error_t
	if err := failure(C.dagstore_find(s.handle, data, size, &places, &e), &e); err != nil {
		return "", err
	}
	defer C.dagstore_places_close(places)
	place := C.dagstore_place_t{size: C.sizeof_dagstore_place_t}
	if err := failure(C.dagstore_places_next(places, &place, &e), &e); err != nil {
		return "", err
	}
	return C.GoString(place.key), nil
}

// take copies the bytes of a block, and releases the block.
func take(block *C.dagstore_block_t) []byte {
	defer C.dagstore_block_release(block)
	view := C.dagstore_block_bytes(block)
	return C.GoBytes(unsafe.Pointer(view.data), C.int(view.size))
}

// Shard is a lease.
type Shard struct{ handle *C.dagstore_shard_t }

// Release ends the lease.
func (s *Shard) Release() { C.dagstore_shard_release(s.handle) }

// Verified hashes a block, and copies it.
func (s *Shard) Verified(cid []byte) ([]byte, error) {
	data, size := pointer(cid)
	var block, verified *C.dagstore_block_t
	var e *C.dagstore_error_t
	if err := failure(C.dagstore_shard_get(s.handle, data, size, &block, &e), &e); err != nil {
		return nil, err
	}
	defer C.dagstore_block_release(block)
	if err := failure(C.dagstore_block_verified(block, data, size, &verified, &e), &e); err != nil {
		return nil, err
	}
	return take(verified), nil
}

// Read copies a block, and returns the offset of its section.
func (s *Shard) Read(cid []byte) ([]byte, uint64, error) {
	data, size := pointer(cid)
	location := C.dagstore_location_t{size: C.sizeof_dagstore_location_t}
	var e *C.dagstore_error_t
	if err := failure(C.dagstore_shard_locate(s.handle, data, size, &location, &e), &e); err != nil {
		return nil, 0, err
	}
	buffer := make([]byte, location.block_size)
	to, capacity := pointer(buffer)
	var count C.size_t
	err := failure(C.dagstore_shard_read(s.handle, data, size, to, capacity, &count, &e), &e)
	return buffer, uint64(location.offset), err
}

// Walk calls visit with every CID in CAR order.
func (s *Shard) Walk(visit func(cid []byte) error) error {
	var entries *C.dagstore_entries_t
	var e *C.dagstore_error_t
	if err := failure(C.dagstore_entries_open(s.handle, &entries, &e), &e); err != nil {
		return err
	}
	defer C.dagstore_entries_close(entries)
	entry := C.dagstore_entry_t{size: C.sizeof_dagstore_entry_t}
	for {
		status := C.dagstore_entries_next(entries, &entry, &e)
		if err := failure(status, &e); err != nil || status == C.DAGSTORE_DONE {
			return err
		}
		if err := visit(C.GoBytes(unsafe.Pointer(entry.cid.data), C.int(entry.cid.size))); err != nil {
			return err
		}
	}
}

// Roots returns the roots in the header of the CAR.
func (s *Shard) Roots() ([][]byte, error) {
	var roots [][]byte
	for index := C.size_t(0); index < C.dagstore_shard_root_count(s.handle); index++ {
		root := make([]byte, C.DAGSTORE_CID_SIZE)
		data, capacity := pointer(root)
		var size C.size_t
		var e *C.dagstore_error_t
		if err := failure(C.dagstore_shard_root(s.handle, index, data, capacity, &size, &e), &e); err != nil {
			return nil, err
		}
		roots = append(roots, root[:size])
	}
	return roots, nil
}

// Text formats a CID as text.
func Text(cid []byte) string {
	data, size := pointer(cid)
	var text [256]C.char
	var count C.size_t
	C.dagstore_cid_format(data, size, &text[0], C.size_t(len(text)), &count, nil)
	return C.GoString(&text[0])
}

// Parse parses the text of a CID.
func Parse(text string) ([]byte, error) {
	t := C.CString(text)
	defer C.free(unsafe.Pointer(t))
	cid := make([]byte, C.DAGSTORE_CID_SIZE)
	data, capacity := pointer(cid)
	var size C.size_t
	var e *C.dagstore_error_t
	err := failure(C.dagstore_cid_parse(t, data, capacity, &size, &e), &e)
	return cid[:size], err
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func expect(status C.dagstore_status_t, err error) {
	failed, ok := err.(*Error)
	if !ok || failed.Status != status || failed.Message == "" {
		log.Fatalf("expected %s, and not %v", C.GoString(C.dagstore_status_name(status)), err)
	}
	fmt.Println("error", C.GoString(C.dagstore_status_name(status)))
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: example STORE_DIRECTORY CAR_FILE")
	}
	if C.dagstore_abi_version() != C.DAGSTORE_ABI_VERSION {
		log.Fatal("another ABI")
	}
	store, err := Open(os.Args[1])
	check(err)
	url := "file://" + os.Args[2]
	check(store.Register("example", url))
	shard, err := store.Acquire("example", 10000)
	check(err)
	fmt.Println("blocks", uint64(C.dagstore_shard_block_count(shard.handle)))

	count, total := 0, 0
	check(shard.Walk(func(cid []byte) error {
		block, err := shard.Verified(cid)
		count, total = count+1, total+len(block)
		return err
	}))
	fmt.Printf("walked %d entries, %d bytes, verified\n", count, total)

	roots, err := shard.Roots()
	check(err)
	for _, root := range roots {
		block, offset, err := shard.Read(root)
		check(err)
		same, err := store.Get(root)
		check(err)
		if !bytes.Equal(block, same) {
			log.Fatal("another block")
		}
		key, err := store.Find(root)
		check(err)
		fmt.Printf("root %s at %d, %d bytes, in %s\n", Text(root), offset, len(block), key)
	}

	_, err = store.Acquire("nobody", 0)
	expect(C.DAGSTORE_SHARD_UNKNOWN, err)
	_, err = Parse("not a CID")
	expect(C.DAGSTORE_INVALID_CID, err)
	expect(C.DAGSTORE_SHARD_EXISTS, store.Register("example", url))

	shard.Release()
	check(store.Destroy("example"))
	C.dagstore_close(store.handle)
	fmt.Println(uint64(C.dagstore_live_handles()), "handles left")
}
