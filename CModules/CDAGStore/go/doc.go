// Package dagstore indexes CAR files and serves their blocks by CID, through the C library
// libdagstore.
//
// A store holds shards. A shard is a CAR file that stays where it is. For each shard the store keeps
// a record that survives crashes, and an index from multihash to offset. A lease on a shard reads its
// blocks. An inverse index finds the shards that have a block.
//
//	store, err := dagstore.Open("store", nil)
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	if err := store.Register(ctx, "deal-1", "file:///data/deal-1.car", nil); err != nil {
//		return err
//	}
//	shard, err := store.Acquire(ctx, "deal-1")
//	if err != nil {
//		return err
//	}
//	defer shard.Release()
//	block, err := shard.Get(cid)
//
// # Ownership
//
// The caller gives back what it gets: Close for a Store, a CAR and Multihashes, Release for a Shard,
// a View and a Batch. A second call does nothing. Calls after it return an error. The garbage
// collector gives back what the caller forgets, some time later.
//
// Get and GetMany return memory of Go. A View and a Batch of ViewMany have memory of the library,
// which is valid until Release, even if the caller has released the shard and closed the store.
//
// # Waiting
//
// Register, Initialize, Recover, Destroy and Acquire wait without a thread, so ten thousand
// goroutines may wait. Their context ends the wait, not the job. Relocate, Check, CollectGarbage,
// Compact, Open, Close and a loop over Events each take a thread while they wait. So does a read of
// a shard whose source is not a file of this machine: a program bounds the number of such reads.
//
// # Callbacks
//
// Mounts, indexers, selectors, observers, progress functions and loggers run on threads of the
// library. They may call any function, but must not wait for themselves: a mount for the shard whose
// bytes it supplies. Panics in them end at the border to C, and become errors where there is a
// caller to tell. They must not call runtime.Goexit, as testing.T.FailNow does: it ends the process.
//
// # Errors
//
// Every error of the library is an [*Error] with a [Code]. Compare with errors.Is:
//
//	if errors.Is(err, dagstore.ErrBlockNotFound) { ... }
//
// An ended context gives its own error.
package dagstore
