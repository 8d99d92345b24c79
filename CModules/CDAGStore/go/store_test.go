package dagstore_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

func TestStoreOpenedTwice(t *testing.T) {
	folder := t.TempDir()
	store := must(dagstore.Open(folder, nil))
	_, err := dagstore.Open(folder, nil)
	expectError(t, err, dagstore.ErrCatalogLocked)
	_, _, err = dagstore.Compact(folder, 0)
	expectError(t, err, dagstore.ErrCatalogLocked)
	check(t, store.Close())
	before, after, err := dagstore.Compact(folder, 0)
	check(t, err)
	if before <= 0 || after <= 0 {
		t.Fatalf("the sizes are %d and %d", before, after)
	}
	check(t, must(dagstore.Open(folder, nil)).Close())
}

func TestReadOnly(t *testing.T) {
	folder := t.TempDir()
	_, err := dagstore.Open(folder, &dagstore.Config{ReadOnly: true})
	expectError(t, err, dagstore.ErrInvalidArgument)
	store := must(dagstore.Open(folder, nil))
	blocks := randomBlocks(1, 10, 100)
	addShard(t, store, "a", blocks)
	check(t, store.Close())
	store = must(dagstore.Open(folder, &dagstore.Config{ReadOnly: true, Unmapped: true}))
	expectBytes(t, must(store.Get(t.Context(), blocks[0].cid)), blocks[0].data)
	expectError(t, store.Destroy(t.Context(), "a"), dagstore.ErrReadOnly)
	_, err = store.CollectGarbage(0)
	expectError(t, err, dagstore.ErrReadOnly)
	check(t, store.Close())
}

func TestConfig(t *testing.T) {
	store := openStore(t, &dagstore.Config{
		Relaxed: true, RefusesNullPadding: true, ChecksPages: true, LeavesInterrupted: true,
		AllowsPrivate: true, PagePolicy: dagstore.PagesZstd, Recovery: dagstore.RecoveryAtOpen,
		AutomaticRecoveries: 2, MapSize: 1 << 30, SortBudget: 1 << 24, PageCacheSize: 1 << 20,
		HeaderSizeMax: 1 << 20, SectionSizeMax: 1000, ConcurrentIndexing: 2, ConcurrentReadyFetches: 2,
		IdleShardsMax: -1, IdleBytesMax: -1, IdleTimeMax: time.Second, TransientQuota: 1 << 30,
		TransientHighWatermark: 0.8, TransientLowWatermark: 0.5, FetchTimeout: time.Minute,
		RemotePolicy: dagstore.PolicyCache, RemoteCacheSize: 1 << 24, EventCapacity: 10,
	})
	expectEqual(t, must(store.Statistics()).MapSize, 1<<30)
	path := writeCAR(t, "large", randomBlocks(1, 1, 2000))
	expectError(t, store.Register(t.Context(), "a", fileURL(path), nil), dagstore.ErrLimitExceeded)
	addShard(t, store, "b", randomBlocks(1, 1, 100))
	must(store.Acquire(t.Context(), "b")).Release()
	waitUntil(t, func() bool { return must(store.Statistics()).OpenShards == 0 })

	for _, config := range []*dagstore.Config{
		{PagePolicy: 9}, {Recovery: 9}, {RemotePolicy: 9}, {ConcurrentIndexing: -1}, {MapSize: 1 << 62},
		{TransientHighWatermark: 7},
	} {
		_, err := dagstore.Open(t.TempDir(), config)
		expectError(t, err, dagstore.ErrInvalidConfiguration)
	}
}

// TestLife takes a shard through its states.
func TestLife(t *testing.T) {
	store := openStore(t, nil)
	blocks := randomBlocks(1, 100, 1000)
	path := filepath.Join(t.TempDir(), "with % and ü.car")
	url := fileURL(path)
	expectEqual(t, must(store.State("a")), dagstore.StateNone)
	_, err := store.Info("a")
	expectError(t, err, dagstore.ErrShardUnknown)

	expectError(t, store.Register(t.Context(), "a", url, nil), dagstore.ErrMountGone)
	info := must(store.Info("a"))
	expectEqual(t, info.State, dagstore.StateFailed)
	expectEqual(t, info.Err.Code, dagstore.ErrMountGone)
	expectEqual(t, info.Err.Shard, "a")
	_, err = store.Acquire(t.Context(), "a")
	if err == nil {
		t.Fatal("a failed shard was acquired")
	}
	expectError(t, store.Register(t.Context(), "a", url, nil), dagstore.ErrShardExists)

	check(t, os.WriteFile(path, car(blocks), 0o644))
	check(t, store.Recover(t.Context(), "a"))
	expectError(t, store.Recover(t.Context(), "a"), dagstore.ErrNotFailed)
	expectEqual(t, must(store.State("a")), dagstore.StateAvailable)
	shard := must(store.Acquire(t.Context(), "a"))
	expectError(t, store.Destroy(t.Context(), "a"), dagstore.ErrShardInUse)
	info = must(store.Info("a"))
	expectEqual(t, info.State, dagstore.StateServing)
	expectEqual(t, info.Leases, 1)
	expectEqual(t, info.BlockCount, 100)
	expectEqual(t, info.URL, url)
	expectEqual(t, info.Err, nil)
	expectEqual(t, info.Lazy, false)
	if since := time.Since(info.Since); since < 0 || since > time.Hour {
		t.Fatalf("the state is %v old", since)
	}
	shard.Release()

	moved := filepath.Join(t.TempDir(), "moved.car")
	check(t, os.Rename(path, moved))
	check(t, store.Relocate(context.Background(), "a", fileURL(moved)))
	check(t, os.WriteFile(path, car(randomBlocks(2, 100, 1000)), 0o644))
	expectError(t, store.Relocate(t.Context(), "a", url), dagstore.ErrSourceChanged)
	check(t, store.SetPolicy("a", dagstore.PolicyCopy))
	expectEqual(t, must(store.Info("a")).Policy, dagstore.PolicyCopy)
	expectError(t, store.SetPolicy("b", dagstore.PolicyCopy), dagstore.ErrShardUnknown)

	check(t, store.Register(t.Context(), "lazy", url, lazily))
	info = must(store.Info("lazy"))
	expectEqual(t, info.State, dagstore.StateRegistered)
	expectEqual(t, info.Lazy, true)
	check(t, store.Initialize(t.Context(), "lazy"))
	check(t, store.Initialize(t.Context(), "lazy"))
	expectError(t, store.Initialize(t.Context(), "unknown"), dagstore.ErrShardUnknown)

	var keys []string
	for info, err := range store.Shards() {
		check(t, err)
		keys = append(keys, info.Key)
	}
	expectEqual(t, strings.Join(keys, " "), "a lazy")
	for range store.Shards() {
		break
	}
	statistics := must(store.Statistics())
	expectEqual(t, statistics.Shards, 2)
	expectEqual(t, statistics.Available, 2)
	expectEqual(t, statistics.Blocks, 200)
	check(t, store.Destroy(t.Context(), "a"))
	expectError(t, store.Destroy(t.Context(), "a"), dagstore.ErrShardUnknown)
}

func TestEvents(t *testing.T) {
	store := openStore(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	events := store.Events(ctx)
	unused, end := context.WithCancel(t.Context())
	store.Events(unused)
	end()
	blocks := randomBlocks(1, 10, 100)
	path := addShard(t, store, "a", blocks)
	must(store.Acquire(t.Context(), "a")).Release()
	var found []string
	var last uint64
	for event, err := range events {
		check(t, err)
		if event.Number <= last {
			t.Fatalf("event %d came after %d", event.Number, last)
		}
		last = event.Number
		expectEqual(t, event.Key, "a")
		found = append(found, fmt.Sprintf("%v %v %d", event.Operation, event.State, event.Leases))
		if event.Operation == dagstore.OperationRelease {
			break
		}
	}
	expected := []string{"register registered 0", "initialize initializing 0", "makeAvailable available 0",
		"acquire serving 1", "release available 0"}
	if !slices.Equal(found, expected) {
		t.Fatalf("found the events %q", found)
	}

	// The end of a context ends a loop that waits.
	second := store.Events(ctx)
	done := make(chan error, 1)
	failed := make(chan dagstore.Event, 1)
	go func() {
		for event, err := range second {
			if err != nil {
				done <- err
				return
			}
			if event.Operation == dagstore.OperationFail {
				failed <- event
			}
		}
		done <- nil
	}()
	check(t, os.Remove(path))
	err := store.Register(t.Context(), "b", fileURL(path), nil)
	expectError(t, err, dagstore.ErrMountGone)
	event := <-failed
	expectEqual(t, event.Err.Code, dagstore.ErrMountGone)
	expectEqual(t, event.Err.Shard, "b")
	cancel()
	check(t, <-done)

	// The end of the store ends a loop without an error.
	third := store.Events(t.Context())
	check(t, store.Close())
	for _, err := range third {
		check(t, err)
	}

	odd := openStore(t, &dagstore.Config{EventCapacity: -1})
	for _, err := range odd.Events(t.Context()) {
		expectError(t, err, dagstore.ErrInvalidArgument)
	}
}

func TestGarbage(t *testing.T) {
	mount := &testMount{access: dagstore.AccessSequential, content: car(randomBlocks(1, 10, 100))}
	store := openStore(t, withMount(mount))
	for _, key := range []string{"a", "b", "c"} {
		check(t, store.Register(t.Context(), key, "test://"+key, nil))
	}
	shard := acquire(t, store, "b")
	expectEqual(t, must(store.Statistics()).Transients, 3)
	garbage := must(store.CollectGarbage(0))
	expectEqual(t, garbage.Removed, 2)
	expectEqual(t, garbage.RemovedBytes, 2*uint64(len(mount.content)))
	expectEqual(t, garbage.InUse, 1)
	expectEqual(t, len(garbage.Copies), 3)
	for _, copied := range garbage.Copies {
		expected := dagstore.CopyRemoved
		if copied.Key == "b" {
			expected = dagstore.CopyInUse
		}
		expectEqual(t, copied.Result, expected)
		expectEqual(t, copied.Bytes, uint64(len(mount.content)))
		expectEqual(t, copied.Err, nil)
	}
	expectEqual(t, fmt.Sprint(garbage.Copies[0].Result, dagstore.CopyResult(99)), "removed unknown")
	shard.Release()
	garbage = must(store.CollectGarbage(1 << 30))
	expectEqual(t, garbage.Kept, 1)
}

func TestCheck(t *testing.T) {
	store := openStore(t, nil)
	blocks := randomBlocks(1, 10, 100)
	blocks[7].data = bytes.Clone(blocks[7].data)
	path := addShard(t, store, "a", blocks)
	result := must(store.Check(dagstore.CheckOptions{Deep: true}))
	expectEqual(t, result.Sound, true)
	expectEqual(t, result.Blocks, 10)
	expectEqual(t, len(result.Problems), 0)

	blocks[7].data[3]++
	check(t, os.WriteFile(path, car(blocks), 0o644))
	result = must(store.Check(dagstore.CheckOptions{Deep: true, Repair: true}))
	if len(result.Problems) == 0 || result.Problems[0].Key != "a" || result.Problems[0].Detail == "" {
		t.Fatalf("the check found %+v", result)
	}
}

func TestVerified(t *testing.T) {
	store := openStore(t, nil)
	blocks := randomBlocks(1, 2, 100)
	blocks[1].data[0]++
	addShard(t, store, "a", blocks)
	shard := acquire(t, store, "a")
	expectBytes(t, must(shard.GetVerified(blocks[0].cid)), blocks[0].data)
	_, err := shard.GetVerified(blocks[1].cid)
	expectError(t, err, dagstore.ErrHashMismatch)
}

func TestProgress(t *testing.T) {
	store := openStore(t, nil)
	// The library tells the progress about each 16 MiB.
	blocks := randomBlocks(1, 40, 1<<20)
	path := writeCAR(t, "a", blocks)
	var lock sync.Mutex
	var last dagstore.Progress
	receive := func(progress dagstore.Progress) {
		lock.Lock()
		defer lock.Unlock()
		last = progress
	}
	check(t, store.Register(t.Context(), "a", fileURL(path), &dagstore.RegisterOptions{Progress: receive}))
	lock.Lock()
	defer lock.Unlock()
	if last.BytesTotal == 0 || last.BytesDone == 0 || last.Sections == 0 || last.BytesDone > last.BytesTotal {
		t.Fatalf("the last progress is %+v", last)
	}
	panicking := func(dagstore.Progress) { panic("mine") }
	check(t, store.Register(t.Context(), "b", fileURL(path), &dagstore.RegisterOptions{Progress: panicking}))
	background := &dagstore.RegisterOptions{Mode: dagstore.RegisterBackground, Progress: panicking}
	check(t, store.Register(t.Context(), "c", fileURL(path), background))
}

func TestExistingTransient(t *testing.T) {
	store := openStore(t, nil)
	blocks := randomBlocks(1, 10, 100)
	path := writeCAR(t, "a", blocks)
	options := &dagstore.RegisterOptions{ExistingTransient: path}
	check(t, store.Register(t.Context(), "a", "file:///nowhere/at/all.car", options))
	expectBytes(t, must(store.Get(t.Context(), blocks[0].cid)), blocks[0].data)
	expectEqual(t, must(store.Info("a")).Transient, path)
}

func TestIndexer(t *testing.T) {
	blocks := randomBlocks(1, 100, 100)
	path := writeCAR(t, "a", blocks)
	file := must(os.ReadFile(path))
	var kept *dagstore.Indexing
	index := map[string]func(*dagstore.Indexing) error{
		// Adds the first section only.
		"some": func(car *dagstore.Indexing) error {
			kept = car
			expectEqual(t, car.Size, int64(len(file)))
			expectEqual(t, car.PayloadOffset, 0)
			expectEqual(t, car.PayloadSize, int64(len(file)))
			expectEqual(t, car.URL, fileURL(path))
			expectBytes(t, must(io.ReadAll(io.NewSectionReader(car, 0, car.Size))), file)
			_, err := car.ReadAt(make([]byte, 1), car.Size)
			expectEqual(t, err, io.EOF)
			_, err = car.ReadAt(nil, -1)
			expectError(t, err, dagstore.ErrInvalidArgument)
			section := int64(2 + 36 + 100)
			start := car.Size - section*int64(len(blocks))
			expectError(t, car.Add("no CID", start, section), dagstore.ErrInvalidCID)
			return car.Add(blocks[0].cid, start, section)
		},
		"outside": func(car *dagstore.Indexing) error {
			expectError(t, car.Add(blocks[0].cid, car.Size, 138), dagstore.ErrMalformedIndex)
			return nil
		},
		"negative": func(car *dagstore.Indexing) error {
			expectError(t, car.Add(blocks[0].cid, -1, 138), dagstore.ErrMalformedIndex)
			return nil
		},
		"walk":  func(*dagstore.Indexing) error { return dagstore.ErrWalk },
		"mine":  func(*dagstore.Indexing) error { return errors.New("mine") },
		"code":  func(*dagstore.Indexing) error { return fmt.Errorf("mine: %w", dagstore.ErrTruncated) },
		"panic": func(*dagstore.Indexing) error { panic("mine") },
	}
	store := openStore(t, &dagstore.Config{Index: func(car *dagstore.Indexing) error {
		return index[car.Key](car)
	}})
	check(t, store.Register(t.Context(), "some", fileURL(path), nil))
	expectEqual(t, must(store.Info("some")).BlockCount, 1)
	shard := acquire(t, store, "some")
	expectBytes(t, must(shard.Get(blocks[0].cid)), blocks[0].data)
	expectEqual(t, must(shard.Has(blocks[1].cid)), false)
	expectError(t, kept.Add(blocks[0].cid, 0, 1), dagstore.ErrInvalidArgument)
	_, err := kept.ReadAt(make([]byte, 1), 0)
	expectError(t, err, dagstore.ErrInvalidArgument)

	check(t, store.Register(t.Context(), "walk", fileURL(path), nil))
	expectEqual(t, must(store.Info("walk")).BlockCount, 100)
	// A section that the library refuses fails the shard, whatever the indexer returns.
	for _, key := range []string{"outside", "negative"} {
		expectError(t, store.Register(t.Context(), key, fileURL(path), nil), dagstore.ErrMalformedIndex)
	}
	for key, code := range map[string]dagstore.Code{
		"mine": dagstore.ErrMalformedIndex, "code": dagstore.ErrTruncated, "panic": dagstore.ErrMalformedIndex} {
		err := store.Register(t.Context(), key, fileURL(path), nil)
		expectError(t, err, code)
		expectMessage(t, err, "mine")
	}
}

// TestLargeRead reads more of a CAR than the library reads with one call.
func TestLargeRead(t *testing.T) {
	path := writeCAR(t, "a", randomBlocks(1, 66, 1<<20))
	file := must(os.ReadFile(path))
	store := openStore(t, &dagstore.Config{Index: func(car *dagstore.Indexing) error {
		whole := make([]byte, car.Size+10)
		count, err := car.ReadAt(whole, 0)
		expectEqual(t, err, io.EOF)
		expectBytes(t, whole[:count], file)
		expectEqual(t, must(car.ReadAt(whole[:car.Size-1], 1)), len(file)-1)
		expectEqual(t, must(car.ReadAt(nil, 0)), 0)
		return dagstore.ErrWalk
	}})
	check(t, store.Register(t.Context(), "a", fileURL(path), nil))
}

func TestSelector(t *testing.T) {
	blocks := randomBlocks(1, 10, 100)
	var asked []string
	config := &dagstore.Config{SelectShards: func(cid dagstore.CID, keys []string) []int {
		expectEqual(t, cid, blocks[0].cid)
		asked = slices.Clone(keys)
		return []int{1}
	}}
	store := openStore(t, config)
	addShard(t, store, "a", blocks)
	addShard(t, store, "b", blocks)
	expectBytes(t, must(store.Get(t.Context(), blocks[0].cid)), blocks[0].data)
	slices.Sort(asked)
	expectEqual(t, strings.Join(asked, " "), "a b")
	view := must(store.View(t.Context(), blocks[0].cid))
	expectBytes(t, view.Bytes(), blocks[0].data)
	view.Release()

	get := func(order ...int) error {
		_, err := store.GetSelecting(t.Context(), blocks[0].cid, func(dagstore.CID, []string) []int { return order })
		return err
	}
	check(t, get(0))
	check(t, get(1, 0))
	check(t, get(-1, 7, 0, 0, 0, 0))
	expectError(t, get(), dagstore.ErrBlockNotFound)
	expectError(t, get(7), dagstore.ErrBlockNotFound)
	_, err := store.GetSelecting(t.Context(), blocks[0].cid, func(dagstore.CID, []string) []int { panic("mine") })
	expectMessage(t, err, "mine")
	expectBytes(t, must(store.GetSelecting(t.Context(), blocks[0].cid, nil)), blocks[0].data)
}

func TestObserver(t *testing.T) {
	kinds := make(chan string, 1000)
	store := openStore(t, &dagstore.Config{Observe: func(kind string, duration time.Duration, success bool) {
		if duration >= 0 && success {
			kinds <- kind
		}
		panic("mine")
	}})
	addShard(t, store, "a", randomBlocks(1, 10, 100))
	for kind := range kinds {
		if kind == "commit" {
			break
		}
	}
}

func TestLogger(t *testing.T) {
	var lock sync.Mutex
	var text bytes.Buffer
	handler := slog.NewTextHandler(lockedWriter{&lock, &text}, &slog.HandlerOptions{Level: slog.LevelInfo})
	check(t, dagstore.SetLogger(slog.New(handler)))
	store := openStore(t, nil)
	addShard(t, store, "logged", randomBlocks(1, 10, 100))
	must(store.Acquire(t.Context(), "logged")).Release()
	check(t, dagstore.SetLogger(slog.New(panickingHandler{})))
	addShard(t, store, "panics", randomBlocks(1, 10, 100))
	check(t, dagstore.SetLogger(nil))
	check(t, dagstore.SetLogger(slog.New(slog.DiscardHandler)))
	check(t, dagstore.SetLogger(nil))
	addShard(t, store, "silent", randomBlocks(1, 10, 100))
	lines := text.String()
	for _, expected := range []string{"level=INFO", "logged", "makeAvailable"} {
		if !strings.Contains(lines, expected) {
			t.Fatalf("the log lacks %q: %s", expected, lines)
		}
	}
	for _, unexpected := range []string{"DEBUG", "panics", "silent"} {
		if strings.Contains(lines, unexpected) {
			t.Fatalf("the log has %q: %s", unexpected, lines)
		}
	}
}

type lockedWriter struct {
	lock *sync.Mutex
	to   io.Writer
}

func (w lockedWriter) Write(text []byte) (int, error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.to.Write(text)
}

type panickingHandler struct{ slog.Handler }

func (panickingHandler) Enabled(context.Context, slog.Level) bool  { return true }
func (panickingHandler) Handle(context.Context, slog.Record) error { panic("mine") }
func (h panickingHandler) WithAttrs([]slog.Attr) slog.Handler      { return h }
func (h panickingHandler) WithGroup(string) slog.Handler           { return h }

func TestCAR(t *testing.T) {
	blocks := randomBlocks(1, 10, 100)
	blocks = append(blocks, blocks[0], identityBlock("inline"))
	path := writeCAR(t, "a", blocks)
	file := must(dagstore.OpenCAR(path))
	defer file.Close()
	info := must(file.Inspect())
	expectEqual(t, info.Version, 1)
	expectEqual(t, info.Roots, 1)
	expectEqual(t, info.Sections, 12)
	expectEqual(t, info.DuplicateSections, 1)
	expectEqual(t, info.IdentitySections, 1)
	expectEqual(t, info.BlockSizeMin, 6)
	expectEqual(t, info.BlockSizeMax, 100)
	expectEqual(t, info.IndexCodec, 0)
	expectEqual(t, must(file.Roots())[0], blocks[0].cid)
	expectEqual(t, must(file.Verify(2)).Sections, 12)

	blocks[3].data[0]++
	broken := must(dagstore.OpenCAR(writeCAR(t, "broken", blocks)))
	defer broken.Close()
	verification, err := broken.Verify(0)
	expectError(t, err, dagstore.ErrHashMismatch)
	expectEqual(t, verification.Mismatches, 1)
	var details *dagstore.Error
	if !errors.As(err, &details) || details.Offset <= 0 {
		t.Fatalf("the error %v has no offset", err)
	}
	_, err = dagstore.OpenCAR("/nowhere/at/all")
	expectError(t, err, dagstore.ErrMountGone)
}

func TestCIDs(t *testing.T) {
	block := randomBlocks(1, 1, 100)[0]
	text := block.cid.String()
	expectEqual(t, must(dagstore.ParseCID(text)), block.cid)
	parts := must(block.cid.Split())
	expectEqual(t, parts.Version, 1)
	expectEqual(t, parts.Codec, 0x55)
	expectEqual(t, parts.HashCode, 0x12)
	expectEqual(t, len(parts.Digest), 32)
	expectEqual(t, parts.Multihash, dagstore.Multihash(block.cid[2:]))
	expectEqual(t, block.cid.Multihash(), parts.Multihash)
	expectEqual(t, must(dagstore.MakeCID(0x55, parts.Multihash)), block.cid)
	expectBytes(t, block.cid.Bytes(), []byte(block.cid))

	old := dagstore.CID(parts.Multihash)
	expectEqual(t, must(old.Split()).Version, 0)
	expectEqual(t, old.Multihash(), parts.Multihash)
	expectEqual(t, must(dagstore.ParseCID(old.String())), old)
	empty := identityBlock("").cid
	expectEqual(t, must(empty.Split()).Digest, "")

	encoded := string(must(json.Marshal(map[string]dagstore.CID{"cid": block.cid})))
	expectEqual(t, encoded, `{"cid":"`+text+`"}`)
	var decoded struct{ CID dagstore.CID }
	check(t, json.Unmarshal([]byte(encoded), &decoded))
	expectEqual(t, decoded.CID, block.cid)
	if json.Unmarshal([]byte(`{"cid":"x"}`), &decoded) == nil {
		t.Fatal("no CID was decoded")
	}
	_, err := json.Marshal(dagstore.CID("x"))
	if err == nil {
		t.Fatal("no CID was encoded")
	}
}

func TestTraffic(t *testing.T) {
	store := openStore(t, nil)
	requests, bytes, err := store.SchemeTraffic("https")
	check(t, err)
	expectEqual(t, requests+bytes, 0)
}

func TestFileURL(t *testing.T) {
	expectEqual(t, fileURL("/a b/100%.car"), "file:///a b/100%25.car")
	if url := fileURL("x"); !strings.HasPrefix(url, "file:///") || !strings.HasSuffix(url, "/x") {
		t.Fatalf("the URL is %s", url)
	}
}
