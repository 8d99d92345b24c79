package dagstore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

// A block with its CID.
type block struct {
	cid  dagstore.CID
	data []byte
}

// rawBlock makes a block with a version 1 CID: raw, sha2-256.
func rawBlock(data []byte) block {
	digest := sha256.Sum256(data)
	return block{dagstore.CID("\x01\x55\x12\x20" + string(digest[:])), data}
}

// identityBlock makes a block whose CID has the bytes.
func identityBlock(data string) block {
	return block{dagstore.CID("\x01\x55\x00" + string(rune(len(data))) + data), []byte(data)}
}

// randomBlocks makes blocks of random bytes; equal seeds give equal blocks.
func randomBlocks(seed uint64, count, size int) []block {
	source := rand.NewChaCha8([32]byte(binary.LittleEndian.AppendUint64(make([]byte, 24), seed)))
	blocks := make([]block, count)
	for index := range blocks {
		data := make([]byte, size)
		source.Read(data)
		blocks[index] = rawBlock(data)
	}
	return blocks
}

// car makes a CAR of version 1, with the CID of the first block as root.
func car(blocks []block) []byte {
	var file bytes.Buffer
	// {"roots": [root], "version": 1}
	header := []byte("\xa2\x65roots\x81\xd8\x2a\x58" + string(rune(len(blocks[0].cid)+1)) + "\x00" +
		string(blocks[0].cid) + "\x67version\x01")
	file.Write(binary.AppendUvarint(nil, uint64(len(header))))
	file.Write(header)
	for _, block := range blocks {
		file.Write(binary.AppendUvarint(nil, uint64(len(block.cid)+len(block.data))))
		file.WriteString(string(block.cid))
		file.Write(block.data)
	}
	return file.Bytes()
}

// writeCAR writes a CAR into a temporary folder, and returns its path.
func writeCAR(t testing.TB, name string, blocks []block) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".car")
	check(t, os.WriteFile(path, car(blocks), 0o644))
	return path
}

// openStore opens a store that ends with the test.
func openStore(t testing.TB, config *dagstore.Config) *dagstore.Store {
	t.Helper()
	store := must(dagstore.Open(filepath.Join(t.TempDir(), "store"), config))
	t.Cleanup(func() { check(t, store.Close()) })
	return store
}

// addShard registers a CAR of blocks.
func addShard(t testing.TB, store *dagstore.Store, key string, blocks []block) (path string) {
	t.Helper()
	path = writeCAR(t, "shard", blocks)
	check(t, store.Register(t.Context(), key, fileURL(path), nil))
	return path
}

// acquire acquires a lease that ends with the test.
func acquire(t testing.TB, store *dagstore.Store, key string) *dagstore.Shard {
	t.Helper()
	shard := must(store.Acquire(t.Context(), key))
	t.Cleanup(shard.Release)
	return shard
}

func fileURL(path string) string { return must(dagstore.FileURL(path)) }

// must returns a value, and panics with the error if there is one.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expectEqual[T comparable](t testing.TB, found, expected T) {
	t.Helper()
	if found != expected {
		t.Fatalf("found %v, and expected %v", found, expected)
	}
}

func expectBytes(t testing.TB, found, expected []byte) {
	t.Helper()
	if !bytes.Equal(found, expected) {
		t.Fatalf("found %d bytes, and expected %d other ones", len(found), len(expected))
	}
}

// expectError checks that an error has a code, or is another error.
func expectError(t testing.TB, err, expected error) {
	t.Helper()
	if !errors.Is(err, expected) {
		t.Fatalf("found the error %v, and expected %v", err, expected)
	}
}

// expectMessage checks that an error has a text.
func expectMessage(t testing.TB, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Fatalf("found the error %v, and expected one with %q", err, text)
	}
}

var background = context.Background()

// start runs a function on a goroutine of a group.
func start(group *sync.WaitGroup, run func()) {
	group.Add(1)
	go func() {
		defer group.Done()
		run()
	}()
}
