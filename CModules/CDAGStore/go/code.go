package dagstore

// #include "bridge.h"
import "C"

import "context"

// A Code is the kind of an error, as dagstore.h numbers them. Each code is itself an error, for
// errors.Is:
//
//	if errors.Is(err, dagstore.ErrBlockNotFound) { ... }
//
// Later releases add codes, and never reuse a number.
type Code int32

// Something is not there.
const (
	// ErrShardUnknown means that no shard has the key.
	ErrShardUnknown Code = -1
	// ErrBlockNotFound means that the shard, or the store, lacks the block.
	ErrBlockNotFound Code = -2
	// ErrPathNotFound means that a segment of a path names nothing.
	ErrPathNotFound Code = -3
)

// The caller passed something wrong.
const (
	// ErrInvalidArgument means that an argument is out of range, is no UTF-8, has a NUL, or was
	// released.
	ErrInvalidArgument Code = -10
	// ErrInvalidKey means that the key is empty, has more than 480 bytes, or has a NUL.
	ErrInvalidKey Code = -11
	// ErrInvalidCID means that the text or the bytes are not a CID.
	ErrInvalidCID Code = -12
	// ErrInvalidConfiguration means that a field of the configuration is out of range.
	ErrInvalidConfiguration Code = -13
	// ErrUnknownScheme means that the store has no mount for the scheme of the URL.
	ErrUnknownScheme Code = -14
	// ErrUnsupportedHash means that the hash function is unknown, or the digest too short.
	ErrUnsupportedHash Code = -15
	// ErrShardExists means that another shard has the key.
	ErrShardExists Code = -16
	// ErrShardInUse means that the shard has leases, or that a job works on it.
	ErrShardInUse Code = -17
	// ErrNotFailed means that the shard has not failed.
	ErrNotFailed Code = -18
	// ErrBufferTooSmall means that the buffer is too small for the result.
	ErrBufferTooSmall Code = -19
	// ErrUnsupportedCodec means that the links of blocks of the codec are unknown.
	ErrUnsupportedCodec Code = -60
	// ErrPathNotALink means that a path ends at a value inside a block.
	ErrPathNotALink Code = -61
)

// The source cannot be used.
const (
	// ErrMountUnreachable means that the source exists and cannot be read.
	ErrMountUnreachable Code = -20
	// ErrMountGone means that the source does not exist.
	ErrMountGone Code = -21
	// ErrFetchFailed means that the source could not be copied.
	ErrFetchFailed Code = -22
	// ErrFetchTimedOut means that the source took too long.
	ErrFetchTimedOut Code = -23
	// ErrSourceChanged means that the source has other bytes than the indexed ones.
	ErrSourceChanged Code = -24
)

// The bytes are wrong.
const (
	// ErrMalformedCAR means that a header or section is malformed.
	ErrMalformedCAR Code = -30
	// ErrTruncated means that the CAR ends early.
	ErrTruncated Code = -31
	// ErrUnsupportedVersion means that the CAR version is neither 1 nor 2.
	ErrUnsupportedVersion Code = -32
	// ErrLimitExceeded means that a size or count exceeds a limit.
	ErrLimitExceeded Code = -33
	// ErrHashMismatch means that the bytes do not have the hash of their CID.
	ErrHashMismatch Code = -34
	// ErrMalformedIndex means that an index is malformed, or contradicts its CAR.
	ErrMalformedIndex Code = -35
	// ErrMalformedBlock means that a block breaks the rules of its codec or of UnixFS.
	ErrMalformedBlock Code = -36
)

// The store's own state.
const (
	// ErrCatalogCorrupt means that the catalog is damaged.
	ErrCatalogCorrupt Code = -40
	// ErrCatalogFull means that the disk or the map is full. The call changed nothing.
	ErrCatalogFull Code = -41
	// ErrCatalogLocked means that another process, or this one, has the store open.
	ErrCatalogLocked Code = -42
	// ErrCatalogTooNew means that a newer release wrote the store.
	ErrCatalogTooNew Code = -43
	// ErrReadOnly means that the store cannot be written.
	ErrReadOnly Code = -44
	// ErrQuotaExceeded means that the quota for local copies is used up.
	ErrQuotaExceeded Code = -45
	// ErrShardFailed means that the shard has failed and must be recovered.
	ErrShardFailed Code = -46
	// ErrOutOfResources means that the process lacks descriptors, memory or threads. No shard fails.
	ErrOutOfResources Code = -47
	// ErrTooManyReaders means that other readers hold all reader slots of the catalog.
	ErrTooManyReaders Code = -48
	// ErrReopenNeeded means that a write of the catalog failed: close and reopen the store.
	ErrReopenNeeded Code = -49
	// ErrCatalogUnreachable means that the catalog of the cluster does not answer.
	ErrCatalogUnreachable Code = -62
)

// The end.
const (
	// ErrClosed means that the store is closed.
	ErrClosed Code = -50
	// ErrCancelled means that the operation was cancelled. errors.Is also matches it with
	// context.Canceled.
	ErrCancelled Code = -51
	// ErrDeadlineExceeded means that the time is up. errors.Is also matches it with
	// context.DeadlineExceeded.
	ErrDeadlineExceeded Code = -52
)

// codes has the name of each code, as dagstore_status_name returns it, and a sentence.
var codes = map[Code]struct{ name, sentence string }{
	ErrShardUnknown:         {"shardUnknown", "no shard has this key"},
	ErrBlockNotFound:        {"blockNotFound", "the block is not there"},
	ErrPathNotFound:         {"pathNotFound", "a segment of the path names nothing"},
	ErrInvalidArgument:      {"invalidArgument", "an argument is invalid"},
	ErrInvalidKey:           {"invalidKey", "the key is empty, has more than 480 bytes, or has a NUL"},
	ErrInvalidCID:           {"invalidCID", "the text or bytes are not a CID"},
	ErrInvalidConfiguration: {"invalidConfiguration", "a field of the configuration is out of range"},
	ErrUnknownScheme:        {"unknownScheme", "the store has no mount for the scheme of the URL"},
	ErrUnsupportedHash:      {"unsupportedHash", "the hash function is unknown, or the digest too short"},
	ErrShardExists:          {"shardExists", "another shard has the key"},
	ErrShardInUse:           {"shardInUse", "the shard has leases, or a job works on it"},
	ErrNotFailed:            {"notFailed", "the shard has not failed"},
	ErrBufferTooSmall:       {"bufferTooSmall", "the buffer is too small"},
	ErrUnsupportedCodec:     {"unsupportedCodec", "the links of blocks of the codec are unknown"},
	ErrPathNotALink:         {"pathNotALink", "the path ends at a value inside a block"},
	ErrMountUnreachable:     {"mountUnreachable", "the source exists and cannot be read"},
	ErrMountGone:            {"mountGone", "the source does not exist"},
	ErrFetchFailed:          {"fetchFailed", "the source could not be copied"},
	ErrFetchTimedOut:        {"fetchTimedOut", "the source took too long"},
	ErrSourceChanged:        {"sourceChanged", "the source has other bytes than the indexed ones"},
	ErrMalformedCAR:         {"malformedCAR", "a header or section is malformed"},
	ErrTruncated:            {"truncated", "the CAR ends early"},
	ErrUnsupportedVersion:   {"unsupportedVersion", "the CAR version is neither 1 nor 2"},
	ErrLimitExceeded:        {"limitExceeded", "a size or count exceeds a limit"},
	ErrHashMismatch:         {"hashMismatch", "the bytes do not have the hash of their CID"},
	ErrMalformedIndex:       {"malformedIndex", "an index is malformed, or contradicts its CAR"},
	ErrMalformedBlock:       {"malformedBlock", "a block breaks the rules of its codec or of UnixFS"},
	ErrCatalogCorrupt:       {"catalogCorrupt", "the catalog is damaged"},
	ErrCatalogFull:          {"catalogFull", "the disk or the map is full"},
	ErrCatalogLocked:        {"catalogLocked", "another process, or this one, has the store open"},
	ErrCatalogTooNew:        {"catalogTooNew", "a newer release wrote the store"},
	ErrReadOnly:             {"readOnly", "the store cannot be written"},
	ErrQuotaExceeded:        {"quotaExceeded", "the quota for local copies is used up"},
	ErrShardFailed:          {"shardFailed", "the shard has failed and must be recovered"},
	ErrOutOfResources:       {"outOfResources", "the process lacks descriptors, memory or threads"},
	ErrTooManyReaders:       {"tooManyReaders", "other readers hold all reader slots of the catalog"},
	ErrReopenNeeded:         {"reopenNeeded", "a write of the catalog failed: close and reopen the store"},
	ErrCatalogUnreachable:   {"catalogUnreachable", "the catalog of the cluster does not answer"},
	ErrClosed:               {"closed", "the store is closed"},
	ErrCancelled:            {"cancelled", "the operation was cancelled"},
	ErrDeadlineExceeded:     {"deadlineExceeded", "the time is up"},
}

// Name returns the name of the code, such as "blockNotFound"; "unknown" for other numbers.
func (c Code) Name() string {
	if text, ok := codes[c]; ok {
		return text.name
	}
	return c.libraryName()
}

// libraryName returns the name that the library has for the code. A later release knows more codes.
func (c Code) libraryName() string {
	if checkLibrary() != nil {
		return "unknown"
	}
	return C.GoString(C.dagstore_status_name(C.int32_t(c)))
}

// sentence returns what the code means.
func (c Code) sentence() string {
	if text, ok := codes[c]; ok {
		return text.sentence
	}
	return "the library returned a code that this package does not know"
}

// Error returns what the code means, with its name.
func (c Code) Error() string { return "dagstore: " + c.sentence() + " (" + c.Name() + ")" }

// Is reports whether the code means the same as an error of the package context.
func (c Code) Is(target error) bool {
	switch target {
	case context.Canceled:
		return c == ErrCancelled
	case context.DeadlineExceeded:
		return c == ErrDeadlineExceeded
	}
	return false
}
