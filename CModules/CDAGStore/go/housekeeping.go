package dagstore

// #include "bridge.h"
import "C"

// CopyResult is what a garbage collection did with a copy.
type CopyResult uint32

const (
	// CopyRemoved means that the copy was removed.
	CopyRemoved CopyResult = C.DAGSTORE_COPY_REMOVED
	// CopyInUse means that a caller reads the copy.
	CopyInUse CopyResult = C.DAGSTORE_COPY_IN_USE
	// CopyAwaited means that a job or a caller waits for the copy.
	CopyAwaited CopyResult = C.DAGSTORE_COPY_AWAITED
	// CopyKept means that the copy is within the quota.
	CopyKept CopyResult = C.DAGSTORE_COPY_KEPT
	// CopyFailed means that the copy could not be removed.
	CopyFailed CopyResult = C.DAGSTORE_COPY_FAILED
)

var copyResultNames = [...]string{"", "removed", "inUse", "awaited", "kept", "failed"}

// String returns the name of the result, such as "removed".
func (r CopyResult) String() string { return nameIn(copyResultNames[:], uint32(r)) }

// A CollectedCopy is a copy that a garbage collection looked at.
type CollectedCopy struct {
	// Key is the key of the shard; "" if the shard was destroyed.
	Key string
	// Result is what the collection did with the copy.
	Result CopyResult
	// Bytes is the size of the copy in bytes.
	Bytes uint64
	// Err is the error of CopyFailed; nil otherwise.
	Err *Error
}

// Garbage is what a garbage collection did with the store's own copies of CARs.
type Garbage struct {
	// Removed is the number of copies that were removed, and RemovedBytes their size in bytes.
	Removed, RemovedBytes uint64
	// Kept is the number of copies within the quota.
	Kept uint64
	// InUse is the number of copies that callers read or wait for.
	InUse uint64
	// Failed is the number of copies that could not be removed.
	Failed uint64
	// Copies has the result for each copy, those used longest ago first.
	Copies []CollectedCopy
}

// CollectGarbage removes the store's own copies of CARs that no caller uses. The store fetches them
// again when needed. `quota` is the number of bytes that may stay; 0 removes all unused copies. The
// store first removes the copies that were used longest ago.
//
// Errors: ErrReadOnly, ErrClosed.
func (s *Store) CollectGarbage(quota uint64) (Garbage, error) {
	store, err := s.open()
	if err != nil {
		return Garbage{}, err
	}
	var garbage Garbage
	number := handles.add(&garbage.Copies)
	defer handles.drop(number)
	var from C.dagstore_garbage_t
	if err := s.result(C.dsgo_collect_garbage(store, C.uint64_t(quota), number, &from), ""); err != nil {
		return Garbage{}, err
	}
	garbage.Removed, garbage.RemovedBytes = uint64(from.removed), uint64(from.removed_bytes)
	garbage.Kept, garbage.InUse, garbage.Failed = uint64(from.kept), uint64(from.in_use), uint64(from.failed)
	return garbage, nil
}

//export dsgoCollected
func dsgoCollected(context C.uintptr_t, key *C.char, result C.uint32_t, bytes C.uint64_t, handle C.uintptr_t) {
	copies, ok := lookUp[*[]CollectedCopy](&handles, context)
	if !ok {
		return
	}
	collected := CollectedCopy{Key: optional(key), Result: CopyResult(result), Bytes: uint64(bytes)}
	if handle != 0 {
		collected.Err = contents(C.dsgo_error_contents(handle).status, handle)
	}
	*copies = append(*copies, collected)
}

// CheckOptions are the options of a check.
type CheckOptions struct {
	// Deep reads and hashes every block.
	Deep bool
	// Repair repairs what it can repair without a loss.
	Repair bool
}

// A Problem is a problem that a check found.
type Problem struct {
	// Kind is "catalogRow", "counters", "orphanIndex", "index", "failed", "sourceUnreachable",
	// "sourceChanged", "transient", "block" or "inverse"; later releases may add kinds.
	Kind string
	// Key is the key of the shard; "" if the problem is about no shard.
	Key string
	// Detail is for people.
	Detail string
	// Repair is "mended", "reindexed" or "markedFailed"; "" if the problem was not repaired.
	Repair string
}

// Check is what a check did.
type Check struct {
	// Sound means that there is no problem, or that all are repaired.
	Sound bool
	// Problems are the problems.
	Problems []Problem
	// Shards and Entries are the numbers of what was checked.
	Shards, Entries uint64
	// Blocks is the number of blocks that were hashed and whose digest proves something, and Bytes
	// their size in bytes.
	Blocks, Bytes uint64
	// Skipped is the number of shards whose source is not on this machine.
	Skipped uint64
	// StaleEntries is the number of inverse entries that lead to no section until a merge removes
	// them. They are not a problem.
	StaleEntries uint64
	// Failed is the number of failed shards; they are a problem only if all shards have failed.
	Failed uint64
	// Unread is the number of shards with a given index whose CAR was not read yet.
	Unread uint64
	// Unverified is the number of blocks whose hash is unknown or proves nothing.
	Unverified uint64
}

// Check checks the catalog, indexes, sources and copies and, with CheckOptions.Deep, every block.
//
// Failed shards report their own errors, so the check lists them only if all shards have failed.
// With CheckOptions.Repair it recovers a failed shard whose source is back. Other calls go on
// meanwhile. Costs about 200 ns a section; a deep check also reads and hashes every block. It takes
// a thread meanwhile.
//
// Errors: ErrCatalogCorrupt if the check cannot read the catalog; ErrReadOnly if it cannot repair;
// ErrClosed.
func (s *Store) Check(options CheckOptions) (Check, error) {
	store, err := s.open()
	if err != nil {
		return Check{}, err
	}
	var flags C.uint32_t
	if options.Deep {
		flags |= C.DAGSTORE_CHECK_DEEP
	}
	if options.Repair {
		flags |= C.DAGSTORE_CHECK_REPAIR
	}
	var from C.dagstore_check_t
	opened := C.dsgo_check(store, flags, &from)
	if opened.status != 0 {
		return Check{}, s.fail(opened.status, opened.error, "")
	}
	defer C.dsgo_problems_close(opened.handle)
	check := Check{
		Sound:        from.is_sound != 0,
		Shards:       uint64(from.shards),
		Entries:      uint64(from.entries),
		Blocks:       uint64(from.blocks),
		Bytes:        uint64(from.bytes),
		Skipped:      uint64(from.skipped),
		StaleEntries: uint64(from.stale_entries),
		Failed:       uint64(from.failed),
		Unread:       uint64(from.unread),
		Unverified:   uint64(from.unverified),
	}
	var problem C.dagstore_problem_t
	for {
		step := C.dsgo_problems_next(opened.handle, &problem)
		if step.status == C.DAGSTORE_DONE {
			return check, nil
		}
		if step.status != 0 {
			return check, s.fail(step.status, step.error, "")
		}
		check.Problems = append(check.Problems, Problem{
			C.GoString(problem.kind), optional(problem.key), C.GoString(problem.detail), optional(problem.repair)})
	}
}
