// Times dagstore_shard_get through cgo on one goroutine, as Benchmarks/Foreign/get.c does from C.
package main

/*
#cgo pkg-config: dagstore
#include <dagstore.h>
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"time"
	"unsafe"
)

func check(status C.dagstore_status_t) {
	if status != C.DAGSTORE_OK {
		log.Fatal(C.GoString(C.dagstore_status_name(status)))
	}
}

// pass reads every block once into a buffer of Go's, with one call a block.
func pass(shard *C.dagstore_shard_t, cids []byte, cidSize int, buffer []byte) (total uint64) {
	var size C.size_t
	for ; len(cids) > 0; cids = cids[cidSize:] {
		check(C.dagstore_shard_read(shard, (*C.uint8_t)(unsafe.SliceData(cids)), C.size_t(cidSize),
			(*C.uint8_t)(unsafe.SliceData(buffer)), C.size_t(len(buffer)), &size, nil))
		total += uint64(size)
	}
	return total
}

// views gets every block once as a view, with three calls a block.
func views(shard *C.dagstore_shard_t, cids []byte, cidSize int) (total uint64) {
	var block *C.dagstore_block_t
	for ; len(cids) > 0; cids = cids[cidSize:] {
		check(C.dagstore_shard_get(shard, (*C.uint8_t)(unsafe.SliceData(cids)), C.size_t(cidSize), &block, nil))
		total += uint64(C.dagstore_block_bytes(block).size)
		C.dagstore_block_release(block)
	}
	return total
}

func main() {
	cidSize, err := strconv.Atoi(os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	cids, err := os.ReadFile(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	count := float64(len(cids) / cidSize)
	directory, key := C.CString(os.Args[1]), C.CString(os.Args[2])
	C.dagstore_mapping_guard_install()
	var store *C.dagstore_t
	var shard *C.dagstore_shard_t
	check(C.dagstore_open(directory, nil, &store, nil))
	check(C.dagstore_acquire(store, key, C.DAGSTORE_WAIT_FOREVER, &shard, nil))
	buffer := make([]byte, 1<<20)
	total := pass(shard, cids, cidSize, buffer)
	start := time.Now()
	total -= views(shard, cids, cidSize)
	viewed := float64(time.Since(start).Nanoseconds()) / count
	start = time.Now()
	total += pass(shard, cids, cidSize, buffer)
	copied := float64(time.Since(start).Nanoseconds()) / count
	if total == 0 {
		log.Fatal("nothing was read")
	}
	fmt.Printf("%.2f %.2f\n", viewed, copied)
	C.dagstore_shard_release(shard)
	C.dagstore_close(store)
}
