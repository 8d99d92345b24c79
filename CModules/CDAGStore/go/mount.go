package dagstore

// #include "bridge.h"
import "C"

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// Access is how a store reads the source of a mount.
type Access uint32

const (
	// AccessSequential means that the source gives its bytes once, from the start. The store copies
	// them to its folder.
	AccessSequential Access = C.DAGSTORE_ACCESS_SEQUENTIAL
	// AccessRandom means that the source can read any range. The store reads in place, unless the
	// policy of the shard is PolicyCopy.
	AccessRandom Access = C.DAGSTORE_ACCESS_RANDOM
	// AccessFile means that the source is a file of this machine. The store maps it.
	AccessFile Access = C.DAGSTORE_ACCESS_FILE
)

// A MountTemplate makes the mounts of one URL scheme; Config.Mounts names the scheme.
//
// Several goroutines call Resolve at once, for each look at a source. It must not block, and must
// make equal mounts of equal URLs.
type MountTemplate interface {
	// Resolve returns the mount for a URL of the scheme. Its error becomes ErrMountUnreachable.
	Resolve(url string) (Mount, error)
}

// MountTemplateFunc is a function that acts as a MountTemplate.
type MountTemplateFunc func(url string) (Mount, error)

// Resolve calls the function.
func (f MountTemplateFunc) Resolve(url string) (Mount, error) { return f(url) }

// A Mount is the source of the bytes of a shard.
//
// The library calls the methods on threads of its own: up to 16 threads call Stat, and 64 call
// Open. `key` is the shard's key; "" if the store does not ask for a shard.
//
// An error that is or wraps one of these codes keeps it: ErrMountGone, ErrMountUnreachable,
// ErrFetchFailed, ErrFetchTimedOut, ErrSourceChanged, ErrOutOfResources. fs.ErrNotExist becomes
// ErrMountGone, a timeout ErrFetchTimedOut, and every other error ErrMountUnreachable. So does a
// panic, which ends at the border to C.
type Mount interface {
	// Access returns how the store reads the source. It must not block.
	Access() Access
	// Stat returns what is known of the source without reading it. The context ends when
	// Config.FetchTimeout has passed, and when the store has closed.
	Stat(ctx context.Context, key string) (MountStat, error)
	// Open opens the source. During the call the context ends as that of Stat does. Later it ends when
	// the store closes the source or stops to need it, so a source may make its requests with it.
	Open(ctx context.Context, key string) (*Source, error)
}

// MountStat has the properties of a source that need no read.
type MountStat struct {
	// Size is the size in bytes; -1 if it is unknown.
	Size int64
	// NotReady means that the source must first prepare its bytes, such as unseal them. Open may
	// then take hours, and does not count among Config.ConcurrentReadyFetches.
	NotReady bool
	// Validator changes when the bytes change, such as an entity tag; "" if there is none.
	Validator string
}

// A Source is an opened source. NewReaderSource, NewReaderAtSource and NewFileSource make one.
type Source struct {
	// Size is the size in bytes. It is -1 if a sequential source does not know it.
	Size int64
	// Reader gives the bytes of a sequential source.
	Reader io.Reader
	// ReaderAt gives the bytes of a random source, to several goroutines at once.
	ReaderAt io.ReaderAt
	// Path is the absolute path of a file source, of at most 4,095 bytes.
	Path string
	// Closer is closed once, after the last read has returned; nil if there is nothing to close.
	Closer io.Closer
}

// NewReaderSource returns a sequential source. If the reader is an io.Closer, the store closes it.
// `size` is -1 if it is unknown.
func NewReaderSource(reader io.Reader, size int64) *Source {
	closer, _ := reader.(io.Closer)
	return &Source{Size: size, Reader: reader, Closer: closer}
}

// NewReaderAtSource returns a random source. If the reader is an io.Closer, the store closes it.
func NewReaderAtSource(reader io.ReaderAt, size int64) *Source {
	closer, _ := reader.(io.Closer)
	return &Source{Size: size, ReaderAt: reader, Closer: closer}
}

// NewFileSource returns a source that is a file of this machine. The path is absolute.
func NewFileSource(path string) *Source { return &Source{Size: -1, Path: path} }

// FileURL returns the URL of a file for Store.Register. A relative path counts from the working
// directory.
func FileURL(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return "file://" + strings.ReplaceAll(filepath.ToSlash(absolute), "%", "%25"), nil
}

// A mountScheme is what the library keeps of a scheme.
type mountScheme struct {
	template MountTemplate
	// ctx ends when the store cancels its jobs or has closed.
	ctx context.Context
	// timeout limits Stat and Open; 0 for no limit.
	timeout time.Duration
}

// limited makes the context of a call of Stat or Open.
func (s *mountScheme) limited() (context.Context, context.CancelFunc) {
	if s.timeout <= 0 {
		return context.WithCancel(s.ctx)
	}
	return context.WithTimeout(s.ctx, s.timeout)
}

func (s *mountScheme) resolve(url string) (mount Mount, err error) {
	mount, err = s.template.Resolve(url)
	if err == nil && mount == nil {
		err = errors.New("Resolve returned no mount")
	}
	return mount, err
}

// An openSource is a source that the library reads.
type openSource struct {
	*Source
	cancel context.CancelFunc
	// sequence serializes the reads of a sequential source.
	sequence sync.Mutex
	// failure is an error that came with bytes: the next read returns it.
	failure error
}

// open opens a source and checks it against the mount's kind of access.
func (s *mountScheme) open(url, key string) (*openSource, error) {
	mount, err := s.resolve(url)
	if err != nil {
		return nil, err
	}
	call, endCall := s.limited()
	defer endCall()
	// A lease keeps the source after the store has closed, so only the call ends with the store.
	ctx, cancel := context.WithCancel(context.Background())
	stop := context.AfterFunc(call, cancel)
	source, err := mount.Open(ctx, key)
	stop()
	if err != nil {
		cancel()
		if call.Err() == context.DeadlineExceeded {
			err = fmt.Errorf("%w: %w", call.Err(), err)
		}
		return nil, err
	}
	if err := source.check(mount.Access()); err != nil {
		cancel()
		if source != nil && source.Closer != nil {
			source.Closer.Close()
		}
		return nil, err
	}
	return &openSource{Source: source, cancel: cancel}, nil
}

func (s *Source) check(access Access) error {
	switch {
	case s == nil:
		return errors.New("Open returned no source")
	case access == AccessFile:
		if !filepath.IsAbs(s.Path) || strings.IndexByte(s.Path, 0) >= 0 {
			return fmt.Errorf("the path %q of the source is not absolute", s.Path)
		}
	case access == AccessRandom:
		if s.ReaderAt == nil || s.Size < 0 {
			return errors.New("a source of random access needs a ReaderAt and a size")
		}
	case s.Reader == nil:
		return errors.New("a sequential source needs a Reader")
	}
	return nil
}

// read reads into a buffer of the library. It returns 0 at the end.
func (s *openSource) read(offset int64, buffer []byte) (int, error) {
	if s.ReaderAt != nil {
		count, err := s.ReaderAt.ReadAt(buffer, offset)
		return checkedCount(count, len(buffer), err)
	}
	s.sequence.Lock()
	defer s.sequence.Unlock()
	// A reader may return nothing now and then; for the library that is the end.
	for range 100 {
		if s.failure != nil {
			return 0, s.failure
		}
		var count int
		count, s.failure = s.Reader.Read(buffer)
		if errors.Is(s.failure, io.EOF) {
			s.failure = errEndOfSource
		}
		if count != 0 || len(buffer) == 0 {
			return checkedCount(count, len(buffer), nil)
		}
	}
	return 0, io.ErrNoProgress
}

// errEndOfSource means that a read found the end.
var errEndOfSource = errors.New("the end of the source")

// checkedCount checks the result of a read. Bytes come before the error that came with them.
func checkedCount(count, room int, err error) (int, error) {
	switch {
	case count < 0 || count > room:
		return 0, fmt.Errorf("a read of the source returned %d bytes for a buffer of %d", count, room)
	case count > 0:
		return count, nil
	case errors.Is(err, io.EOF):
		return 0, errEndOfSource
	}
	return 0, err
}

// ---- The border to C ----

// atBorder runs a callback, and returns its status. Panics become errors.
func atBorder(outError *C.uintptr_t, run func() error) (status C.int32_t) {
	defer func() {
		if value := recover(); value != nil {
			status = giveError(outError, ErrMountUnreachable, panicError(value))
		}
	}()
	if err := run(); err != nil {
		return giveError(outError, sourceCode(err), err)
	}
	return C.DAGSTORE_OK
}

// panicError makes an error of the value of a panic.
func panicError(value any) error { return fmt.Errorf("panic in a callback: %v", value) }

// giveError gives an error of a callback to the library.
func giveError(outError *C.uintptr_t, code Code, err error) C.int32_t {
	message := newText(strings.ReplaceAll(strings.ToValidUTF8(err.Error(), "?"), "\x00", "?"))
	defer message.free()
	*outError = C.dsgo_error_new(C.int32_t(code), message.start)
	return C.int32_t(code)
}

// sourceCode returns the code for an error of a source.
func sourceCode(err error) Code {
	var timeout interface{ Timeout() bool }
	code := CodeOf(err)
	switch {
	case code != 0:
		return code
	case errors.Is(err, fs.ErrNotExist):
		return ErrMountGone
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return ErrFetchTimedOut
	}
	return ErrMountUnreachable
}

//export dsgoMountAccess
func dsgoMountAccess(context C.uintptr_t, url *C.char) (access C.uint32_t) {
	access = C.DAGSTORE_ACCESS_SEQUENTIAL
	// A panic or an error comes again in Stat and Open, which can report it.
	defer func() { _ = recover() }()
	if scheme, ok := lookUp[*mountScheme](&handles, context); ok {
		if mount, err := scheme.resolve(C.GoString(url)); err == nil {
			access = C.uint32_t(mount.Access())
		}
	}
	return access
}

//export dsgoMountStat
func dsgoMountStat(context C.uintptr_t, key, url *C.char, outFlags *C.uint32_t, outBytes *C.uint64_t,
	outValidator *C.char, capacity C.size_t, outError *C.uintptr_t) C.int32_t {
	return atBorder(outError, func() error {
		scheme, ok := lookUp[*mountScheme](&handles, context)
		if !ok {
			return errors.New("the store is closed")
		}
		mount, err := scheme.resolve(C.GoString(url))
		if err != nil {
			return err
		}
		ctx, endCall := scheme.limited()
		defer endCall()
		stat, err := mount.Stat(ctx, optional(key))
		if err != nil {
			return err
		}
		if stat.NotReady {
			*outFlags = C.DAGSTORE_MOUNT_NOT_READY
		}
		*outBytes = numberOf(stat.Size)
		validator := stat.Validator
		if len(validator) >= int(capacity) || strings.IndexByte(validator, 0) >= 0 {
			digest := sha256.Sum256([]byte(validator))
			validator = hex.EncodeToString(digest[:])
		}
		copyText(outValidator, capacity, validator)
		return nil
	})
}

//export dsgoMountOpen
func dsgoMountOpen(context C.uintptr_t, key, url *C.char, outSource *C.uintptr_t, outBytes *C.uint64_t,
	outPath *C.char, capacity C.size_t, outError *C.uintptr_t) C.int32_t {
	return atBorder(outError, func() error {
		scheme, ok := lookUp[*mountScheme](&handles, context)
		if !ok {
			return errors.New("the store is closed")
		}
		source, err := scheme.open(C.GoString(url), optional(key))
		if err != nil {
			return err
		}
		if len(source.Path) >= int(capacity) {
			source.end()
			return fmt.Errorf("the path of the source has more than %d bytes", capacity-1)
		}
		*outBytes = numberOf(source.Size)
		copyText(outPath, capacity, source.Path)
		*outSource = handles.add(source)
		return nil
	})
}

//export dsgoSourceRead
func dsgoSourceRead(source C.uintptr_t, offset C.uint64_t, buffer *C.uint8_t, capacity C.size_t,
	outSize *C.size_t, outError *C.uintptr_t) C.int32_t {
	return atBorder(outError, func() error {
		open, ok := lookUp[*openSource](&handles, source)
		if !ok {
			return errors.New("the source is closed")
		}
		count, err := open.read(int64(offset), unsafe.Slice((*byte)(unsafe.Pointer(buffer)), int(capacity)))
		*outSize = C.size_t(count)
		if err == errEndOfSource {
			return nil
		}
		return err
	})
}

//export dsgoSourceClose
func dsgoSourceClose(source C.uintptr_t) {
	defer func() { _ = recover() }()
	if open, ok := take[*openSource](&handles, source); ok {
		open.end()
	}
}

// end closes the source.
func (s *openSource) end() {
	defer s.cancel()
	if s.Closer != nil {
		s.Closer.Close()
	}
}

//export dsgoSourceInterrupt
func dsgoSourceInterrupt(source C.uintptr_t) {
	if open, ok := lookUp[*openSource](&handles, source); ok {
		open.cancel()
	}
}

//export dsgoForget
func dsgoForget(context C.uintptr_t) { handles.drop(context) }

// optional copies a text that may be NULL.
func optional(text *C.char) string {
	if text == nil {
		return ""
	}
	return C.GoString(text)
}

// numberOf converts a size, of which a negative one is unknown.
func numberOf(size int64) C.uint64_t {
	if size < 0 {
		return unknown
	}
	return C.uint64_t(size)
}

// copyText copies a text, with its NUL, into a buffer of the library.
func copyText(to *C.char, capacity C.size_t, text string) {
	buffer := unsafe.Slice((*byte)(unsafe.Pointer(to)), int(capacity))
	buffer[copy(buffer[:len(buffer)-1], text)] = 0
}
