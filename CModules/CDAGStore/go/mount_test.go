package dagstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

// A testMount supplies bytes; its fields replace what it does.
type testMount struct {
	access    dagstore.Access
	content   []byte
	stat      func(key string) (dagstore.MountStat, error)
	looking   func(ctx context.Context) error
	open      func(ctx context.Context, key string) (*dagstore.Source, error)
	opened    atomic.Int32
	closed    atomic.Int32
	reads     atomic.Int32
	lastKey   atomic.Value
	lastURL   atomic.Value
	resolving func(url string) error
}

func (m *testMount) Resolve(url string) (dagstore.Mount, error) {
	m.lastURL.Store(url)
	if m.resolving != nil {
		if err := m.resolving(url); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *testMount) Access() dagstore.Access { return m.access }

func (m *testMount) Stat(ctx context.Context, key string) (dagstore.MountStat, error) {
	if m.looking != nil {
		if err := m.looking(ctx); err != nil {
			return dagstore.MountStat{}, err
		}
	}
	if m.stat != nil {
		return m.stat(key)
	}
	if m.content == nil {
		return dagstore.MountStat{Size: -1}, nil
	}
	return dagstore.MountStat{Size: int64(len(m.content)), Validator: "1"}, nil
}

func (m *testMount) Open(ctx context.Context, key string) (*dagstore.Source, error) {
	m.lastKey.Store(key)
	if m.open != nil {
		return m.open(ctx, key)
	}
	m.opened.Add(1)
	reader := &countingReader{Reader: bytes.NewReader(m.content), mount: m}
	if m.access == dagstore.AccessRandom {
		return dagstore.NewReaderAtSource(reader, int64(len(m.content))), nil
	}
	return dagstore.NewReaderSource(reader, -1), nil
}

type countingReader struct {
	*bytes.Reader
	mount *testMount
}

func (r *countingReader) ReadAt(buffer []byte, offset int64) (int, error) {
	r.mount.reads.Add(1)
	return r.Reader.ReadAt(buffer, offset)
}

func (r *countingReader) Close() error {
	r.mount.closed.Add(1)
	return nil
}

func withMount(mount dagstore.MountTemplate) *dagstore.Config {
	return &dagstore.Config{Mounts: map[string]dagstore.MountTemplate{"test": mount}}
}

// waitUntil looks for a condition each millisecond, for 30 seconds.
func waitUntil(t testing.TB, condition func() bool) {
	t.Helper()
	clock := time.NewTicker(time.Millisecond)
	defer clock.Stop()
	for deadline := time.Now().Add(30 * time.Second); !condition(); {
		if now := <-clock.C; now.After(deadline) {
			t.Fatal("the condition did not come")
		}
	}
}

func TestMounts(t *testing.T) {
	blocks := randomBlocks(1, 100, 1000)
	folder := t.TempDir()
	path := filepath.Join(folder, "file.car")
	check(t, os.WriteFile(path, car(blocks), 0o644))
	for name, mount := range map[string]*testMount{
		"sequential": {access: dagstore.AccessSequential, content: car(blocks)},
		"random":     {access: dagstore.AccessRandom, content: car(blocks)},
		"file": {access: dagstore.AccessFile, open: func(context.Context, string) (*dagstore.Source, error) {
			return dagstore.NewFileSource(path), nil
		}, stat: func(string) (dagstore.MountStat, error) {
			info, err := os.Stat(path)
			return dagstore.MountStat{Size: info.Size()}, err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			before := dagstore.LiveHandles()
			store := must(dagstore.Open(t.TempDir(), withMount(mount)))
			check(t, store.Register(t.Context(), "the key", "test://place", nil))
			shard := must(store.Acquire(t.Context(), "the key"))
			for _, block := range blocks {
				expectBytes(t, must(shard.Get(block.cid)), block.data)
				expectBytes(t, must(shard.GetVerified(block.cid)), block.data)
			}
			view := must(shard.View(blocks[0].cid))
			expectBytes(t, view.Bytes(), blocks[0].data)
			view.Release()
			expectEqual(t, mount.lastKey.Load(), any("the key"))
			expectEqual(t, mount.lastURL.Load(), any("test://place"))
			info := must(store.Info("the key"))
			expectEqual(t, info.URL, "test://place")
			expectEqual(t, info.Transient != "", name == "sequential")
			shard.Release()
			check(t, store.Close())
			waitUntil(t, func() bool { return mount.opened.Load() == mount.closed.Load() })
			expectEqual(t, dagstore.LiveHandles(), before)
		})
	}
}

// TestMountErrors checks the codes that the errors of mounts get, and their messages.
func TestMountErrors(t *testing.T) {
	timeout := &fs.PathError{Op: "read", Path: "x", Err: os.ErrDeadlineExceeded}
	for _, entry := range []struct {
		err  error
		code dagstore.Code
	}{
		{errors.New("mine"), dagstore.ErrMountUnreachable},
		{fmt.Errorf("mine: %w", fs.ErrNotExist), dagstore.ErrMountGone},
		{fmt.Errorf("mine: %w", dagstore.ErrFetchFailed), dagstore.ErrFetchFailed},
		{&dagstore.Error{Code: dagstore.ErrFetchTimedOut, Message: "mine"}, dagstore.ErrFetchTimedOut},
		{fmt.Errorf("mine: %w", dagstore.ErrSourceChanged), dagstore.ErrSourceChanged},
		{fmt.Errorf("mine: %w", timeout), dagstore.ErrFetchTimedOut},
		{errors.New("mine \x00 \xff"), dagstore.ErrMountUnreachable},
	} {
		for _, access := range []dagstore.Access{dagstore.AccessSequential, dagstore.AccessRandom} {
			for _, place := range []string{"stat", "open", "read"} {
				mount := &testMount{access: access, content: car(randomBlocks(1, 10, 100))}
				switch place {
				case "stat":
					mount.stat = func(string) (dagstore.MountStat, error) { return dagstore.MountStat{}, entry.err }
				case "open":
					mount.open = func(context.Context, string) (*dagstore.Source, error) { return nil, entry.err }
				case "read":
					mount.open = func(context.Context, string) (*dagstore.Source, error) {
						return &dagstore.Source{Size: int64(len(mount.content)), Reader: failingReader{entry.err}, ReaderAt: failingReader{entry.err}}, nil
					}
				}
				store := openStore(t, withMount(mount))
				err := store.Register(t.Context(), "a", "test://", nil)
				if dagstore.CodeOf(err) != entry.code {
					t.Fatalf("%v in %s gave %v", entry.err, place, err)
				}
				expectMessage(t, err, "mine")
				check(t, store.Close())
			}
		}
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error)          { return 0, r.err }
func (r failingReader) ReadAt([]byte, int64) (int, error) { return 0, r.err }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(buffer []byte) (int, error)            { return f(buffer) }
func (f readerFunc) ReadAt(buffer []byte, _ int64) (int, error) { return f(buffer) }

// TestMountMisuse has mounts that break the rules, or panic.
func TestMountMisuse(t *testing.T) {
	content := car(randomBlocks(1, 10, 100))
	source := func(source *dagstore.Source) func(context.Context, string) (*dagstore.Source, error) {
		return func(context.Context, string) (*dagstore.Source, error) { return source, nil }
	}
	random, sequential := dagstore.AccessRandom, dagstore.AccessSequential
	for name, mount := range map[string]*testMount{
		"panic in Stat": {stat: func(string) (dagstore.MountStat, error) { panic("mine") }},
		"panic in Open": {access: random, open: func(context.Context, string) (*dagstore.Source, error) { panic("mine") }},
		"panic in Read": {access: sequential, open: source(&dagstore.Source{Size: 10,
			Reader: readerFunc(func([]byte) (int, error) { panic("mine") })})},
		"panic in ReadAt": {access: random, open: source(&dagstore.Source{Size: 10,
			ReaderAt: readerFunc(func([]byte) (int, error) { panic("mine") })})},
		"panic in Resolve":      {resolving: func(string) error { panic("mine") }},
		"error in Resolve":      {resolving: func(string) error { return errors.New("mine") }},
		"no source":             {access: random, open: source(nil)},
		"no reader":             {access: sequential, open: source(&dagstore.Source{Size: 10})},
		"no size":               {access: random, open: source(&dagstore.Source{Size: -1, ReaderAt: bytes.NewReader(content)})},
		"relative path":         {access: dagstore.AccessFile, open: source(dagstore.NewFileSource("x"))},
		"path with NUL":         {access: dagstore.AccessFile, open: source(dagstore.NewFileSource("/\x00"))},
		"long path":             {access: dagstore.AccessFile, open: source(dagstore.NewFileSource("/" + strings.Repeat("x", 5000)))},
		"path of nothing":       {access: dagstore.AccessFile, open: source(dagstore.NewFileSource("/nowhere/at/all"))},
		"too many bytes":        {access: sequential, open: source(&dagstore.Source{Size: 10, Reader: readerFunc(func(b []byte) (int, error) { return len(b) + 1, nil })})},
		"negative bytes":        {access: random, open: source(&dagstore.Source{Size: 10, ReaderAt: readerFunc(func([]byte) (int, error) { return -1, nil })})},
		"no bytes":              {access: sequential, open: source(&dagstore.Source{Size: 10, Reader: readerFunc(func([]byte) (int, error) { return 0, nil })})},
		"the end too early":     {access: random, open: source(&dagstore.Source{Size: 10, ReaderAt: readerFunc(func([]byte) (int, error) { return 0, io.EOF })})},
		"an access that is not": {access: 77, open: source(&dagstore.Source{})},
	} {
		t.Run(name, func(t *testing.T) {
			store := openStore(t, withMount(mount))
			err := store.Register(t.Context(), "a", "test://", nil)
			if err == nil || dagstore.CodeOf(err) == 0 {
				t.Fatalf("the error is %v", err)
			}
			if strings.Contains(name, "panic") || strings.Contains(name, "error") {
				expectMessage(t, err, "mine")
			}
			expectEqual(t, must(store.State("a")), dagstore.StateFailed)
		})
	}
	t.Run("panic in Close", func(t *testing.T) {
		mount := &testMount{access: sequential, content: content}
		mount.open = func(context.Context, string) (*dagstore.Source, error) {
			return &dagstore.Source{Size: -1, Reader: bytes.NewReader(content), Closer: panickingCloser{}}, nil
		}
		store := openStore(t, withMount(mount))
		check(t, store.Register(t.Context(), "a", "test://", nil))
	})
	t.Run("schemes", func(t *testing.T) {
		for _, scheme := range []string{"", "file", "Upper", "1", "a b", "\x00", "\xff"} {
			config := &dagstore.Config{Mounts: map[string]dagstore.MountTemplate{scheme: &testMount{}}}
			_, err := dagstore.Open(t.TempDir(), config)
			expectError(t, err, dagstore.ErrInvalidArgument)
		}
		_, err := dagstore.Open(t.TempDir(), withMount(nil))
		expectError(t, err, dagstore.ErrInvalidArgument)
	})
}

type panickingCloser struct{}

func (panickingCloser) Close() error { panic("mine") }

// TestBytesWithError has a reader that gives bytes and an error in one call.
func TestBytesWithError(t *testing.T) {
	content := car(randomBlocks(1, 10, 100))
	isFirst := true
	mount := &testMount{access: dagstore.AccessSequential}
	mount.open = func(context.Context, string) (*dagstore.Source, error) {
		return &dagstore.Source{Size: -1, Reader: readerFunc(func(buffer []byte) (int, error) {
			if !isFirst {
				panic("read after an error")
			}
			isFirst = false
			return copy(buffer, content[:100]), dagstore.ErrFetchTimedOut
		})}, nil
	}
	store := openStore(t, withMount(mount))
	expectError(t, store.Register(t.Context(), "a", "test://", nil), dagstore.ErrFetchTimedOut)

	mount.open = func(context.Context, string) (*dagstore.Source, error) {
		rest := content
		return &dagstore.Source{Size: -1, Reader: readerFunc(func(buffer []byte) (int, error) {
			count := copy(buffer, rest)
			if rest = rest[count:]; len(rest) == 0 {
				return count, io.EOF
			}
			return count, nil
		})}, nil
	}
	check(t, store.Recover(t.Context(), "a"))
	expectEqual(t, must(store.Info("a")).BlockCount, 10)
}

// TestInterruption ends the context of a source that the store no longer needs.
func TestInterruption(t *testing.T) {
	interrupted := make(chan struct{})
	begun := make(chan struct{}, 1)
	mount := &testMount{access: dagstore.AccessSequential}
	mount.open = func(ctx context.Context, _ string) (*dagstore.Source, error) {
		return &dagstore.Source{Size: -1, Reader: readerFunc(func([]byte) (int, error) {
			begun <- struct{}{}
			<-ctx.Done()
			close(interrupted)
			return 0, ctx.Err()
		})}, nil
	}
	folder := t.TempDir()
	store := must(dagstore.Open(folder, withMount(mount)))
	check(t, store.Register(t.Context(), "a", "test://", &dagstore.RegisterOptions{Mode: dagstore.RegisterBackground}))
	<-begun
	check(t, store.CloseCancelling())
	<-interrupted

	// The next opening goes on with the job.
	mount.open, mount.content = nil, car(randomBlocks(1, 10, 100))
	store = must(dagstore.Open(folder, withMount(mount)))
	must(store.Acquire(t.Context(), "a")).Release()
	check(t, store.Close())
}

// TestCloseInCallback closes the store in an indexer while the store fetches another shard, which
// also needs the indexer: both jobs end well.
func TestCloseInCallback(t *testing.T) {
	blocks := randomBlocks(1, 10, 100)
	folder := t.TempDir()
	fetching, closing, closed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	mount := &testMount{access: dagstore.AccessSequential, content: car(blocks)}
	mount.open = func(ctx context.Context, key string) (*dagstore.Source, error) {
		reader := bytes.NewReader(mount.content)
		if key != "slow" {
			return dagstore.NewReaderSource(reader, -1), nil
		}
		close(fetching)
		return dagstore.NewReaderSource(readerFunc(func(buffer []byte) (int, error) {
			<-closed
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			return reader.Read(buffer)
		}), -1), nil
	}
	before := dagstore.LiveHandles()
	config := withMount(mount)
	var store *dagstore.Store
	var indexed atomic.Int32
	config.Index = func(car *dagstore.Indexing) error {
		indexed.Add(1)
		if car.Key == "quick" {
			<-closing
			if err := store.Close(); err != nil {
				panic(err)
			}
			close(closed)
		}
		return dagstore.ErrWalk
	}
	store = must(dagstore.Open(folder, config))
	inBackground := &dagstore.RegisterOptions{Mode: dagstore.RegisterBackground}
	check(t, store.Register(t.Context(), "slow", "test://", inBackground))
	<-fetching
	check(t, store.Register(t.Context(), "quick", "test://", inBackground))
	close(closing)
	<-closed
	// Waits for the close that has begun.
	check(t, store.Close())
	expectEqual(t, indexed.Load(), 2)
	waitUntil(t, func() bool { return dagstore.LiveHandles() == before })

	store = must(dagstore.Open(folder, &dagstore.Config{ReadOnly: true, Mounts: config.Mounts}))
	for _, key := range []string{"slow", "quick"} {
		expectEqual(t, must(store.State(key)), dagstore.StateAvailable)
	}
	check(t, store.Close())
}

// TestFetchTimeout has a source that takes too long: the context of the call that hangs ends.
func TestFetchTimeout(t *testing.T) {
	for _, place := range []string{"stat", "open", "read"} {
		t.Run(place, func(t *testing.T) {
			mount := &testMount{access: dagstore.AccessSequential}
			var hasEnded atomic.Bool
			hang := func(ctx context.Context) error {
				<-ctx.Done()
				hasEnded.Store(true)
				return ctx.Err()
			}
			if place == "stat" {
				mount.looking = hang
			}
			mount.open = func(ctx context.Context, _ string) (*dagstore.Source, error) {
				if place == "open" {
					return nil, hang(ctx)
				}
				return &dagstore.Source{Size: -1, Reader: readerFunc(func([]byte) (int, error) {
					return 0, hang(ctx)
				})}, nil
			}
			config := withMount(mount)
			config.FetchTimeout = 20 * time.Millisecond
			store := openStore(t, config)
			expectError(t, store.Register(t.Context(), "a", "test://", nil), dagstore.ErrFetchTimedOut)
			waitUntil(t, hasEnded.Load)
		})
	}
}

// TestSourceContext reads a source whose reads need the context of Open: after FetchTimeout, and
// after the store has closed.
func TestSourceContext(t *testing.T) {
	blocks := randomBlocks(1, 10, 100)
	content := car(blocks)
	mount := &testMount{access: dagstore.AccessRandom, content: content}
	var source context.Context
	mount.open = func(ctx context.Context, key string) (*dagstore.Source, error) {
		if key == "late" {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		source = ctx
		return dagstore.NewReaderAtSource(contextReader{ctx, bytes.NewReader(content)}, int64(len(content))), nil
	}
	config := withMount(mount)
	config.FetchTimeout = 500 * time.Millisecond
	store := must(dagstore.Open(t.TempDir(), config))
	check(t, store.Register(t.Context(), "a", "test://", nil))
	shard := must(store.Acquire(t.Context(), "a"))
	expectError(t, store.Register(t.Context(), "late", "test://", nil), dagstore.ErrFetchTimedOut)
	expectBytes(t, must(shard.Get(blocks[3].cid)), blocks[3].data)
	check(t, store.Close())
	expectBytes(t, must(shard.Get(blocks[4].cid)), blocks[4].data)
	shard.Release()
	waitUntil(t, func() bool { return source.Err() != nil })
}

type contextReader struct {
	ctx context.Context
	*bytes.Reader
}

func (r contextReader) ReadAt(buffer []byte, offset int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.ReadAt(buffer, offset)
}

// TestGetOfFailedSources gets a block whose only sources are away: the error is that of the first.
func TestGetOfFailedSources(t *testing.T) {
	blocks := randomBlocks(1, 10, 100)
	for _, access := range []dagstore.Access{dagstore.AccessSequential, dagstore.AccessRandom} {
		for _, keys := range [][]string{{"a"}, {"a", "b", "c"}} {
			mount := &testMount{access: access, content: car(blocks)}
			folder := t.TempDir()
			store := must(dagstore.Open(folder, withMount(mount)))
			for _, key := range keys {
				check(t, store.Register(t.Context(), key, "test://", nil))
			}
			must(store.CollectGarbage(0))
			check(t, store.Close())
			store = must(dagstore.Open(folder, withMount(mount)))
			mount.open = func(context.Context, string) (*dagstore.Source, error) {
				return nil, dagstore.ErrMountGone
			}
			_, err := store.Get(t.Context(), blocks[0].cid)
			expectError(t, err, dagstore.ErrMountGone)
			_, err = store.View(t.Context(), blocks[0].cid)
			expectError(t, err, dagstore.ErrMountGone)
			check(t, store.Close())
		}
	}
}

// TestMountCallsStore has a mount that reads another shard of the same store.
func TestMountCallsStore(t *testing.T) {
	blocks := randomBlocks(1, 10, 100)
	var store *dagstore.Store
	mount := &testMount{access: dagstore.AccessSequential, content: car(blocks)}
	mount.open = func(ctx context.Context, key string) (*dagstore.Source, error) {
		if key == "outer" {
			shard, err := store.Acquire(ctx, "inner")
			if err != nil {
				return nil, err
			}
			defer shard.Release()
			if _, err := shard.Get(blocks[0].cid); err != nil {
				return nil, err
			}
		}
		return dagstore.NewReaderSource(bytes.NewReader(mount.content), -1), nil
	}
	store = openStore(t, withMount(mount))
	lazy := &dagstore.RegisterOptions{Mode: dagstore.RegisterLazy}
	check(t, store.Register(t.Context(), "inner", "test://inner", lazy))
	check(t, store.Register(t.Context(), "outer", "test://outer", nil))
	expectEqual(t, must(store.State("inner")), dagstore.StateAvailable)
}

// TestValidators checks that a change of a long validator is seen.
func TestValidators(t *testing.T) {
	blocks := randomBlocks(1, 10, 100)
	mount := &testMount{access: dagstore.AccessRandom, content: car(blocks)}
	validator := strings.Repeat("v", 300)
	var lock sync.Mutex
	mount.stat = func(string) (dagstore.MountStat, error) {
		lock.Lock()
		defer lock.Unlock()
		return dagstore.MountStat{Size: int64(len(mount.content)), Validator: validator}, nil
	}
	folder := t.TempDir()
	store := must(dagstore.Open(folder, withMount(mount)))
	check(t, store.Register(t.Context(), "a", "test://", nil))
	check(t, store.Close())
	for _, change := range []string{"", "w"} {
		lock.Lock()
		validator += change
		lock.Unlock()
		store = must(dagstore.Open(folder, withMount(mount)))
		shard, err := store.Acquire(t.Context(), "a")
		if change == "" {
			check(t, err)
			shard.Release()
		} else {
			expectError(t, err, dagstore.ErrSourceChanged)
		}
		check(t, store.Close())
	}
}
