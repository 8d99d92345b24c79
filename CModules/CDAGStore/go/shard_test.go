package dagstore_test

import (
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

// waitForHandles waits until the process has so many handles.
func waitForHandles(t testing.TB, count int) {
	t.Helper()
	for range 1000 {
		if dagstore.LiveHandles() == count {
			return
		}
		runtime.GC()
		runtime.Gosched()
	}
	t.Fatalf("there are %d handles, and should be %d", dagstore.LiveHandles(), count)
}

// TestBlocks reads blocks of many sizes in every way.
func TestBlocks(t *testing.T) {
	store := openStore(t, nil)
	var blocks []block
	for _, size := range []int{0, 1, 100, 16 << 10, 16<<10 + 1, 64<<10 + 1, 1 << 20} {
		blocks = append(blocks, randomBlocks(uint64(size), 1, size)...)
	}
	blocks = append(blocks, identityBlock("inline"))
	addShard(t, store, "a", blocks)
	shard := acquire(t, store, "a")
	expectEqual(t, shard.Key(), "a")
	expectEqual(t, shard.BlockCount(), uint64(len(blocks)))
	roots := must(shard.Roots())
	expectEqual(t, len(roots), 1)
	expectEqual(t, roots[0], blocks[0].cid)

	var cids []dagstore.CID
	for _, block := range blocks {
		cids = append(cids, block.cid)
		expectBytes(t, must(shard.Get(block.cid)), block.data)
		expectBytes(t, must(store.Get(t.Context(), block.cid)), block.data)
		expectBytes(t, must(shard.GetVerified(block.cid)), block.data)
		expectEqual(t, must(shard.Has(block.cid)), true)
		expectEqual(t, must(store.Has(block.cid)), true)
		expectEqual(t, must(shard.Size(block.cid)), uint64(len(block.data)))
		expectEqual(t, must(store.Size(block.cid)), uint64(len(block.data)))

		view := must(shard.View(block.cid))
		expectBytes(t, view.Bytes(), block.data)
		expectEqual(t, view.Len(), len(block.data))
		var text strings.Builder
		expectEqual(t, must(view.WriteTo(&text)), int64(len(block.data)))
		expectEqual(t, text.String(), string(block.data))
		view.Release()

		check(t, shard.WithView(block.cid, func(bytes []byte) error {
			expectBytes(t, bytes, block.data)
			return nil
		}))
		check(t, store.WithView(t.Context(), block.cid, func(bytes []byte) error {
			expectBytes(t, bytes, block.data)
			return nil
		}))
		buffer := make([]byte, len(block.data))
		expectEqual(t, must(shard.Read(block.cid, buffer)), len(block.data))
		expectBytes(t, buffer, block.data)
		if len(buffer) > 0 {
			size, err := shard.Read(block.cid, buffer[1:])
			expectError(t, err, dagstore.ErrBufferTooSmall)
			expectEqual(t, size, len(buffer))
		}
	}

	for _, read := range []func([]dagstore.CID, *dagstore.Batch) error{shard.ViewMany, shard.ReadMany} {
		var batch dagstore.Batch
		for range 2 {
			check(t, read(cids, &batch))
			expectEqual(t, batch.Len(), len(blocks))
			for index := range blocks {
				expectBytes(t, must(batch.Block(index)), blocks[index].data)
			}
			index := 0
			for bytes, err := range batch.All() {
				check(t, err)
				expectBytes(t, bytes, blocks[index].data)
				index++
			}
			expectEqual(t, index, len(blocks))
		}
		batch.Release()
		batch.Release()
		expectEqual(t, batch.Len(), 0)
		_, err := batch.Block(0)
		expectError(t, err, dagstore.ErrInvalidArgument)
	}
	for index, result := range must(shard.GetMany(cids)) {
		check(t, result.Err)
		expectBytes(t, result.Block, blocks[index].data)
	}
	expectEqual(t, len(must(shard.GetMany(nil))), 0)
	var batch dagstore.Batch
	check(t, shard.ViewMany(nil, &batch))
	expectEqual(t, batch.Len(), 0)
	check(t, shard.ReadMany(nil, &batch))
	expectEqual(t, batch.Len(), 0)
	batch.Release()
}

func TestMisses(t *testing.T) {
	store := openStore(t, nil)
	blocks := randomBlocks(1, 3, 100)
	addShard(t, store, "a", blocks)
	shard := acquire(t, store, "a")
	absent := randomBlocks(2, 1, 100)[0].cid

	_, err := shard.Get(absent)
	expectError(t, err, dagstore.ErrBlockNotFound)
	expectMessage(t, err, "shard a")
	_, err = shard.View(absent)
	expectError(t, err, dagstore.ErrBlockNotFound)
	err = shard.WithView(absent, func([]byte) error { panic("called") })
	expectError(t, err, dagstore.ErrBlockNotFound)
	_, err = shard.Locate(absent)
	expectError(t, err, dagstore.ErrBlockNotFound)
	_, err = shard.Offsets(absent)
	expectError(t, err, dagstore.ErrBlockNotFound)
	_, err = store.Get(t.Context(), absent)
	expectError(t, err, dagstore.ErrBlockNotFound)
	err = store.WithView(t.Context(), absent, func([]byte) error { panic("called") })
	expectError(t, err, dagstore.ErrBlockNotFound)
	_, err = store.Size(absent)
	expectError(t, err, dagstore.ErrBlockNotFound)
	expectEqual(t, must(shard.Has(absent)), false)
	expectEqual(t, must(store.Has(absent)), false)
	expectEqual(t, len(must(store.Find(absent))), 0)
	expectEqual(t, len(must(store.ShardsContaining(absent.Multihash()))), 0)

	cids := []dagstore.CID{blocks[0].cid, absent, "no CID", blocks[1].cid}
	var batch dagstore.Batch
	check(t, shard.ViewMany(cids, &batch))
	expectBytes(t, must(batch.Block(0)), blocks[0].data)
	_, err = batch.Block(1)
	expectError(t, err, dagstore.ErrBlockNotFound)
	_, err = batch.Block(2)
	expectError(t, err, dagstore.ErrInvalidCID)
	_, err = batch.Block(4)
	expectError(t, err, dagstore.ErrInvalidArgument)
	batch.Release()
	results := must(shard.GetMany(cids))
	expectError(t, results[1].Err, dagstore.ErrBlockNotFound)
	expectError(t, results[2].Err, dagstore.ErrInvalidCID)
	expectBytes(t, results[3].Block, blocks[1].data)
}

// TestHostileBytes passes bytes that are no CIDs, keys, multihashes and URLs to everything.
func TestHostileBytes(t *testing.T) {
	store := openStore(t, nil)
	addShard(t, store, "a", randomBlocks(1, 3, 100))
	shard := acquire(t, store, "a")
	long := strings.Repeat("x", 1<<20)
	for _, text := range []string{"", "\x00", "\x01", "x", "\xff\xff\xff", "\x01\x55\x12\xff\xff\xff\xff\x0f", long,
		string(randomBlocks(1, 1, 1)[0].cid[:35]), string(randomBlocks(1, 1, 1)[0].cid) + "x"} {
		cid := dagstore.CID(text)
		_, err := shard.Get(cid)
		expectError(t, err, dagstore.ErrInvalidCID)
		_, err = shard.View(cid)
		expectError(t, err, dagstore.ErrInvalidCID)
		_, err = shard.Has(cid)
		expectError(t, err, dagstore.ErrInvalidCID)
		_, err = shard.Locate(cid)
		expectError(t, err, dagstore.ErrInvalidCID)
		_, err = shard.Offsets(cid)
		expectError(t, err, dagstore.ErrInvalidCID)
		_, err = shard.GetVerified(cid)
		expectError(t, err, dagstore.ErrInvalidCID)
		_, err = store.Get(t.Context(), cid)
		expectError(t, err, dagstore.ErrInvalidCID)
		_, err = store.Has(cid)
		expectError(t, err, dagstore.ErrInvalidCID)
		_, err = store.Find(cid)
		expectError(t, err, dagstore.ErrInvalidCID)
		_, err = store.ShardsContaining(dagstore.Multihash(text))
		expectError(t, err, dagstore.ErrInvalidCID)
		_, err = cid.Text()
		expectError(t, err, dagstore.ErrInvalidCID)
		_, err = cid.Split()
		expectError(t, err, dagstore.ErrInvalidCID)
		expectEqual(t, cid.String(), "(invalid CID)")
		expectEqual(t, cid.Multihash(), "")
		_, err = dagstore.MakeCID(0x55, dagstore.Multihash(text))
		expectError(t, err, dagstore.ErrInvalidCID)
		_, err = dagstore.ParseCID(text)
		if utf8.ValidString(text) {
			expectError(t, err, dagstore.ErrInvalidCID)
		} else {
			expectError(t, err, dagstore.ErrInvalidArgument)
		}
	}
	for _, key := range []string{"", "a\x00", "\x00", long, strings.Repeat("k", 481), "\xff"} {
		expected := dagstore.ErrInvalidKey
		if key == "\xff" {
			// The key is no UTF-8.
			expected = dagstore.ErrInvalidArgument
		}
		_, err := store.Acquire(t.Context(), key)
		expectError(t, err, expected)
		expectError(t, store.Register(t.Context(), key, "file:///x", nil), expected)
		expectError(t, store.Initialize(t.Context(), key), expected)
		expectError(t, store.Recover(t.Context(), key), expected)
		expectError(t, store.Destroy(t.Context(), key), expected)
		expectError(t, store.Relocate(t.Context(), key, "file:///x"), expected)
		expectError(t, store.SetPolicy(key, dagstore.PolicyCopy), expected)
		_, err = store.State(key)
		expectError(t, err, expected)
		_, err = store.Info(key)
		expectError(t, err, expected)
		_, err = store.Multihashes(key, "")
		expectError(t, err, expected)
	}
	for _, url := range []string{"", "x", "file:///\x00", "\xff://", "file:///" + "\xff"} {
		if err := store.Register(t.Context(), "b", url, nil); err == nil {
			t.Fatalf("the URL %q was registered", url)
		}
		if err := store.Relocate(t.Context(), "a", url); err == nil {
			t.Fatalf("the shard moved to %q", url)
		}
	}
	options := &dagstore.RegisterOptions{ExistingTransient: "/\x00"}
	expectError(t, store.Register(t.Context(), "b", "file:///x", options), dagstore.ErrInvalidArgument)
	expectError(t, store.SetPolicy("a", 77), dagstore.ErrInvalidArgument)
	_, err := store.Multihashes("a", "no cursor")
	expectError(t, err, dagstore.ErrInvalidArgument)
	_, err = store.Multihashes("a", "\x00")
	expectError(t, err, dagstore.ErrInvalidArgument)
	_, err = dagstore.Open("\x00", nil)
	expectError(t, err, dagstore.ErrInvalidArgument)
	_, err = dagstore.OpenCAR("\x00")
	expectError(t, err, dagstore.ErrInvalidArgument)
	_, _, err = dagstore.Compact("\x00", 0)
	expectError(t, err, dagstore.ErrInvalidArgument)
	_, _, err = store.SchemeTraffic("\x00")
	expectError(t, err, dagstore.ErrInvalidArgument)
	var batch dagstore.Batch
	expectError(t, shard.ViewMany(make([]dagstore.CID, dagstore.BatchMax+1), &batch), dagstore.ErrInvalidArgument)
	expectError(t, shard.ReadMany(make([]dagstore.CID, dagstore.BatchMax+1), &batch), dagstore.ErrInvalidArgument)
	results := must(shard.GetMany(make([]dagstore.CID, dagstore.BatchMax+1)))
	expectEqual(t, len(results), dagstore.BatchMax+1)
	expectError(t, results[dagstore.BatchMax].Err, dagstore.ErrInvalidCID)
}

// TestReleased uses everything after it was given back.
func TestReleased(t *testing.T) {
	before := dagstore.LiveHandles()
	store := openStore(t, nil)
	blocks := randomBlocks(1, 3, 100)
	path := addShard(t, store, "a", blocks)
	cid := blocks[0].cid
	shard := must(store.Acquire(t.Context(), "a"))
	view := must(shard.View(cid))
	other := view
	multihashes := must(store.Multihashes("a", ""))
	file := must(dagstore.OpenCAR(path))

	view.Release()
	view.Release()
	other.Release()
	if view.Bytes() != nil || other.Bytes() != nil {
		t.Fatal("a released view has bytes")
	}
	_, err := other.WriteTo(io.Discard)
	expectError(t, err, dagstore.ErrInvalidArgument)
	dagstore.View{}.Release()
	if (dagstore.View{}).Bytes() != nil {
		t.Fatal("the zero view has bytes")
	}

	var batch dagstore.Batch
	check(t, shard.ViewMany([]dagstore.CID{cid}, &batch))
	late := must(shard.View(cid))
	shard.Release()
	shard.Release()
	expectBytes(t, late.Bytes(), blocks[0].data)
	late.Release()
	expectBytes(t, must(batch.Block(0)), blocks[0].data)
	expectEqual(t, shard.Key(), "a")
	expectEqual(t, shard.BlockCount(), 0)
	_, err = shard.Get(cid)
	expectError(t, err, dagstore.ErrInvalidArgument)
	expectMessage(t, err, "the lease is released")
	_, err = shard.View(cid)
	expectError(t, err, dagstore.ErrInvalidArgument)
	expectError(t, shard.WithView(cid, func([]byte) error { return nil }), dagstore.ErrInvalidArgument)
	_, err = shard.Has(cid)
	expectError(t, err, dagstore.ErrInvalidArgument)
	_, err = shard.Roots()
	expectError(t, err, dagstore.ErrInvalidArgument)
	_, err = shard.GetMany([]dagstore.CID{cid})
	expectError(t, err, dagstore.ErrInvalidArgument)
	expectError(t, shard.ViewMany([]dagstore.CID{cid}, &batch), dagstore.ErrInvalidArgument)
	for _, err = range shard.Sections() {
		expectError(t, err, dagstore.ErrInvalidArgument)
	}
	expectError(t, err, dagstore.ErrInvalidArgument)

	multihashes.Close()
	multihashes.Close()
	expectEqual(t, multihashes.Cursor(), "")
	for _, err = range multihashes.All() {
		expectError(t, err, dagstore.ErrInvalidArgument)
	}
	file.Close()
	file.Close()
	_, err = file.Inspect()
	expectError(t, err, dagstore.ErrInvalidArgument)
	_, err = file.Roots()
	expectError(t, err, dagstore.ErrInvalidArgument)

	check(t, store.Close())
	check(t, store.Close())
	check(t, store.CloseCancelling())
	_, err = store.Acquire(t.Context(), "a")
	expectError(t, err, dagstore.ErrClosed)
	_, err = store.Get(t.Context(), cid)
	expectError(t, err, dagstore.ErrClosed)
	_, err = store.Has(cid)
	expectError(t, err, dagstore.ErrClosed)
	expectError(t, store.Register(t.Context(), "b", "file:///x", nil), dagstore.ErrClosed)
	_, err = store.Statistics()
	expectError(t, err, dagstore.ErrClosed)
	for _, err = range store.Shards() {
		expectError(t, err, dagstore.ErrClosed)
	}
	expectError(t, err, dagstore.ErrClosed)
	for _, err = range store.Events(t.Context()) {
		expectError(t, err, dagstore.ErrClosed)
	}
	expectEqual(t, dagstore.LiveHandles(), before)
}

// TestForgotten leaves everything to the garbage collector.
func TestForgotten(t *testing.T) {
	before := dagstore.LiveHandles()
	func() {
		store := must(dagstore.Open(t.TempDir(), nil))
		blocks := randomBlocks(1, 3, 100)
		path := addShard(t, store, "a", blocks)
		shard := must(store.Acquire(t.Context(), "a"))
		must(shard.View(blocks[0].cid))
		must(store.View(t.Context(), blocks[0].cid))
		must(store.Multihashes("a", ""))
		must(dagstore.OpenCAR(path))
		batch := new(dagstore.Batch)
		check(t, shard.ViewMany([]dagstore.CID{blocks[1].cid}, batch))
		must(shard.View(blocks[0].cid)).Release()
	}()
	waitForHandles(t, before)
}

// TestReleaseElsewhere releases leases and views on goroutines other than those that read.
func TestReleaseElsewhere(t *testing.T) {
	store := openStore(t, nil)
	blocks := randomBlocks(1, 100, 100)
	addShard(t, store, "a", blocks)
	before := dagstore.LiveHandles()
	for round := range 50 {
		shard := must(store.Acquire(t.Context(), "a"))
		views := make(chan dagstore.View, 100)
		var group sync.WaitGroup
		for reader := range 4 {
			start(&group, func() {
				for number := range 50 {
					block := blocks[(number*reader+round)%len(blocks)]
					view, err := shard.View(block.cid)
					if err != nil {
						expectError(t, err, dagstore.ErrInvalidArgument)
						return
					}
					views <- view
					if copied, err := shard.Get(block.cid); err == nil {
						expectBytes(t, copied, block.data)
					}
				}
			})
		}
		var releasers sync.WaitGroup
		for range 2 {
			start(&releasers, func() {
				for view := range views {
					view.Release()
				}
			})
		}
		start(&releasers, shard.Release)
		group.Wait()
		close(views)
		releasers.Wait()
	}
	expectEqual(t, dagstore.LiveHandles(), before)
	check(t, store.Destroy(t.Context(), "a"))
}

func TestPlaces(t *testing.T) {
	store := openStore(t, nil)
	blocks := randomBlocks(1, 10, 100)
	blocks = append(blocks, blocks[3])
	path := addShard(t, store, "a", blocks)
	addShard(t, store, "b", blocks[:5])
	file := must(os.ReadFile(path))
	shard := acquire(t, store, "a")

	var sections []dagstore.Section
	for section, err := range shard.Sections() {
		check(t, err)
		sections = append(sections, section)
	}
	expectEqual(t, len(sections), len(blocks))
	for index, section := range sections {
		expectEqual(t, section.CID, blocks[index].cid)
		data := file[section.BlockOffset : section.BlockOffset+section.BlockSize]
		expectBytes(t, data, blocks[index].data)
	}
	for range shard.Sections() {
		break
	}
	expectEqual(t, must(shard.Locate(blocks[3].cid)), sections[3].Location)
	offsets := must(shard.Offsets(blocks[3].cid))
	expectEqual(t, len(offsets), 2)
	expectEqual(t, offsets[1], sections[10].Offset)

	places := must(store.Find(blocks[3].cid))
	expectEqual(t, len(places), 2)
	expectEqual(t, places[0], dagstore.Place{Key: "a", Location: sections[3].Location})
	expectEqual(t, places[1].Key, "b")
	multihash := blocks[3].cid.Multihash()
	expectEqual(t, strings.Join(must(store.ShardsContaining(multihash)), " "), "a b")
	expectEqual(t, strings.Join(must(store.ShardsContaining(blocks[9].cid.Multihash())), " "), "a")

	cursor := ""
	for index := 0; index < len(blocks); {
		multihashes := must(store.Multihashes("a", cursor))
		for section, err := range multihashes.All() {
			check(t, err)
			expectEqual(t, section.Multihash, blocks[index].cid.Multihash())
			expectEqual(t, section.Offset, sections[index].Offset)
			if index++; index%3 == 0 {
				break
			}
		}
		cursor = multihashes.Cursor()
		multihashes.Close()
	}
	expectEqual(t, cursor, "")
}

// TestManyHolders needs more room than the buffers of ShardsContaining have at first.
func TestManyHolders(t *testing.T) {
	store := openStore(t, nil)
	blocks := randomBlocks(1, 1, 100)
	path := writeCAR(t, "shared", blocks)
	var keys []string
	for index := range 30 {
		key := strings.Repeat(string(rune('a'+index)), 100)
		check(t, store.Register(t.Context(), key, fileURL(path), nil))
		keys = append(keys, key)
	}
	found := must(store.ShardsContaining(blocks[0].cid.Multihash()))
	expectEqual(t, strings.Join(found, " "), strings.Join(keys, " "))
}

// TestLargeCIDs has CIDs that need more room than the buffers of Sections have.
func TestLargeCIDs(t *testing.T) {
	store := openStore(t, nil)
	data := strings.Repeat("x", 10_000)
	large := dagstore.CID("\x01\x55\x00\x90\x4e" + data)
	blocks := []block{{large, []byte(data)}}
	blocks = append(blocks, randomBlocks(1, 3, 100)...)
	blocks[0], blocks[1] = blocks[1], blocks[0]
	addShard(t, store, "a", blocks)
	shard := acquire(t, store, "a")
	index := 0
	for section, err := range shard.Sections() {
		check(t, err)
		expectEqual(t, section.CID, blocks[index].cid)
		index++
	}
	expectEqual(t, index, len(blocks))
	text := must(large.Text())
	expectEqual(t, must(dagstore.ParseCID(text)), large)
	expectEqual(t, must(dagstore.MakeCID(0x55, large.Multihash())), large)
}

// TestWithView passes errors and panics of the function on.
func TestWithView(t *testing.T) {
	store := openStore(t, nil)
	blocks := randomBlocks(1, 3, 100)
	addShard(t, store, "a", blocks)
	shard := acquire(t, store, "a")
	mine := errors.New("mine")
	expectError(t, shard.WithView(blocks[0].cid, func([]byte) error { return mine }), mine)
	func() {
		defer func() { expectEqual(t, recover(), any("mine")) }()
		shard.WithView(blocks[0].cid, func([]byte) error { panic("mine") })
	}()
	func() {
		defer func() {
			if recover() == nil {
				t.Fatal("a fault elsewhere got lost")
			}
		}()
		shard.WithView(blocks[0].cid, func([]byte) error {
			var nowhere *int
			*nowhere = 1
			return nil
		})
	}()
}
