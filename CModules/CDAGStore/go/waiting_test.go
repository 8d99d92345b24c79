package dagstore_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

// A gate is a mount that opens when the test lets it.
type gate struct {
	testMount
	gate  chan struct{}
	opens atomic.Int32
}

func newGate(blocks []block) *gate {
	g := &gate{gate: make(chan struct{})}
	g.access, g.content = dagstore.AccessSequential, car(blocks)
	g.open = func(ctx context.Context, _ string) (*dagstore.Source, error) {
		g.opens.Add(1)
		select {
		case <-g.gate:
			return dagstore.NewReaderSource(bytes.NewReader(g.content), int64(len(g.content))), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return g
}

var lazily = &dagstore.RegisterOptions{Mode: dagstore.RegisterLazy}

// threads returns the number of threads of this process.
func threads(t testing.TB) int {
	t.Helper()
	for _, line := range strings.Split(string(must(os.ReadFile("/proc/self/status"))), "\n") {
		if count, ok := strings.CutPrefix(line, "Threads:"); ok {
			return must(strconv.Atoi(strings.TrimSpace(count)))
		}
	}
	t.Skip("the system does not tell the number of threads")
	return 0
}

// TestTenThousandWaiters has 10,000 acquires that wait, and no thread for each.
func TestTenThousandWaiters(t *testing.T) {
	blocks := randomBlocks(1, 10, 100)
	mount := newGate(blocks)
	store := openStore(t, withMount(mount))
	const keys, waiters = 16, 10_000
	for key := range keys {
		check(t, store.Register(t.Context(), strconv.Itoa(key), "test://", lazily))
	}
	acquireKey := func(key int) *dagstore.Shard {
		shard, err := store.Acquire(t.Context(), strconv.Itoa(key))
		if err != nil {
			t.Error(err)
		}
		return shard
	}
	var group sync.WaitGroup
	var waiting, served atomic.Int32
	wait := func(count int) {
		for waiter := range count {
			start(&group, func() {
				waiting.Add(1)
				if shard := acquireKey(waiter % keys); shard != nil {
					served.Add(1)
					shard.Release()
				}
			})
		}
	}
	wait(keys)
	waitUntil(t, func() bool { return mount.opens.Load() >= 8 })
	before := threads(t)
	wait(waiters)
	waitUntil(t, func() bool { return waiting.Load() == keys+waiters })
	expectEqual(t, served.Load(), 0)
	close(mount.gate)
	group.Wait()
	expectEqual(t, served.Load(), keys+waiters)
	expectEqual(t, mount.opens.Load(), keys)
	// The threads of Go never end, so this is the most that there were.
	after := threads(t)
	t.Logf("%d threads before, %d after %d waited", before, after, waiters)
	if after > before+24+2*runtime.GOMAXPROCS(0) {
		t.Errorf("there were %d threads, and %d while %d goroutines waited", before, after, waiters)
	}
}

// TestCancelledAcquires ends the contexts of waiters, which leave no lease.
func TestCancelledAcquires(t *testing.T) {
	mount := newGate(randomBlocks(1, 10, 100))
	store := openStore(t, withMount(mount))
	check(t, store.Register(t.Context(), "a", "test://", lazily))
	before := dagstore.LiveHandles()

	_, err := store.TryAcquire("a")
	expectError(t, err, dagstore.ErrDeadlineExceeded)
	_, err = store.TryAcquire("")
	expectError(t, err, dagstore.ErrInvalidKey)
	ended, end := context.WithCancel(t.Context())
	end()
	_, err = store.Acquire(ended, "a")
	expectEqual(t, err, context.Canceled)

	short, end := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer end()
	_, err = store.Acquire(short, "a")
	expectEqual(t, err, context.DeadlineExceeded)
	_, err = store.Get(short, randomBlocks(1, 10, 100)[0].cid)
	expectEqual(t, err, context.DeadlineExceeded)

	cancelled, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	var begun atomic.Int32
	failures := make([]error, 1000)
	for index := range failures {
		start(&group, func() {
			begun.Add(1)
			shard, err := store.Acquire(cancelled, "a")
			if shard != nil {
				shard.Release()
			}
			failures[index] = err
		})
	}
	waitUntil(t, func() bool { return begun.Load() == 1000 })
	cancel()
	group.Wait()
	for _, err := range failures {
		expectEqual(t, err, context.Canceled)
	}
	expectEqual(t, dagstore.LiveHandles(), before)

	// The job went on.
	close(mount.gate)
	shard := must(store.Acquire(t.Context(), "a"))
	expectEqual(t, mount.opens.Load(), 1)
	must(store.TryAcquire("a")).Release()
	shard.Release()
	destroyIdle(t, store, "a")
}

// destroyIdle destroys a shard without leases. The library may still be taking a lease back that came
// too late for a cancelled caller.
func destroyIdle(t *testing.T, store *dagstore.Store, key string) {
	t.Helper()
	waitUntil(t, func() bool {
		err := store.Destroy(t.Context(), key)
		if !errors.Is(err, dagstore.ErrShardInUse) {
			check(t, err)
		}
		return err == nil
	})
}

// TestCancelRaces cancels while leases are granted: each is returned or given back.
func TestCancelRaces(t *testing.T) {
	for range 30 {
		mount := newGate(randomBlocks(1, 10, 100))
		store := must(dagstore.Open(t.TempDir(), withMount(mount)))
		check(t, store.Register(t.Context(), "a", "test://", lazily))
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		var begun atomic.Int32
		for range 20 {
			start(&group, func() {
				begun.Add(1)
				shard, err := store.Acquire(ctx, "a")
				if err == nil {
					shard.Release()
				} else if err != context.Canceled {
					t.Error(err)
				}
			})
		}
		waitUntil(t, func() bool { return begun.Load() == 20 && mount.opens.Load() == 1 })
		start(&group, cancel)
		start(&group, func() { close(mount.gate) })
		group.Wait()
		cancel()
		check(t, store.Initialize(t.Context(), "a"))
		destroyIdle(t, store, "a")
		check(t, store.Close())
	}
}

// TestCancelledJobs ends the contexts of other calls; the jobs go on.
func TestCancelledJobs(t *testing.T) {
	mount := newGate(randomBlocks(1, 10, 100))
	store := openStore(t, withMount(mount))
	short := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	expectEqual(t, store.Register(short(), "a", "test://", nil), context.DeadlineExceeded)
	expectEqual(t, store.Initialize(short(), "a"), context.DeadlineExceeded)
	ended, end := context.WithCancel(t.Context())
	end()
	expectEqual(t, store.Destroy(ended, "a"), context.Canceled)
	expectEqual(t, store.Recover(ended, "a"), context.Canceled)
	expectEqual(t, store.Relocate(ended, "a", "test://x"), context.Canceled)
	close(mount.gate)
	check(t, store.Initialize(t.Context(), "a"))
	expectEqual(t, must(store.State("a")), dagstore.StateAvailable)
}

// TestCloseWhileWaiting closes the store under waiters.
func TestCloseWhileWaiting(t *testing.T) {
	mount := newGate(randomBlocks(1, 10, 100))
	store := must(dagstore.Open(t.TempDir(), withMount(mount)))
	check(t, store.Register(t.Context(), "a", "test://", lazily))
	var group sync.WaitGroup
	for range 100 {
		start(&group, func() {
			_, err := store.Acquire(t.Context(), "a")
			if code := dagstore.CodeOf(err); code != dagstore.ErrClosed && code != dagstore.ErrCancelled {
				t.Error(err)
			}
		})
	}
	waitUntil(t, func() bool { return mount.opens.Load() == 1 })
	for range 4 {
		start(&group, func() { check(t, store.CloseCancelling()) })
	}
	group.Wait()
}

// TestGetWaits gets a block of a shard that is fetched first.
func TestGetWaits(t *testing.T) {
	blocks := randomBlocks(1, 10, 100)
	mount := newGate(blocks)
	folder := t.TempDir()
	store := must(dagstore.Open(folder, withMount(mount)))
	close(mount.gate)
	check(t, store.Register(t.Context(), "a", "test://", nil))
	_, err := store.CollectGarbage(0)
	check(t, err)
	check(t, store.Close())

	// The store knows where the block is, and has no copy of the CAR.
	again := newGate(blocks)
	store = must(dagstore.Open(folder, withMount(again)))
	result := make(chan []byte)
	go func() { result <- must(store.Get(t.Context(), blocks[3].cid)) }()
	waitUntil(t, func() bool { return again.opens.Load() > 0 })
	close(again.gate)
	expectBytes(t, <-result, blocks[3].data)
	check(t, store.Close())
}

// TestGetSkipsFailed gets a block of the second shard, when the first one cannot be fetched.
func TestGetSkipsFailed(t *testing.T) {
	blocks := randomBlocks(1, 10, 100)
	mount := &testMount{access: dagstore.AccessSequential, content: car(blocks)}
	store := openStore(t, withMount(mount))
	check(t, store.Register(t.Context(), "a", "test://a", nil))
	_, err := store.CollectGarbage(0)
	check(t, err)
	path := writeCAR(t, "b", blocks)
	check(t, store.Register(t.Context(), "b", fileURL(path), nil))
	mount.open = func(context.Context, string) (*dagstore.Source, error) {
		return nil, dagstore.ErrMountGone
	}
	first := func(dagstore.CID, []string) []int { return []int{0, 1} }
	expectBytes(t, must(store.GetSelecting(t.Context(), blocks[0].cid, first)), blocks[0].data)
	expectBytes(t, must(store.Get(t.Context(), blocks[0].cid)), blocks[0].data)
}
