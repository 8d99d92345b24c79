package dagstore_test

import (
	"math/rand/v2"
	"testing"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

// benchShard has many blocks of 256 bytes, and their CIDs in a random order.
func benchShard(b *testing.B, count int) (*dagstore.Store, *dagstore.Shard, []dagstore.CID) {
	dagstore.InstallMappingGuard()
	store := openStore(b, nil)
	blocks := randomBlocks(1, count, 256)
	addShard(b, store, "bench", blocks)
	cids := make([]dagstore.CID, len(blocks))
	for index, place := range rand.Perm(len(blocks)) {
		cids[index] = blocks[place].cid
	}
	shard := acquire(b, store, "bench")
	for _, cid := range cids {
		must(shard.Locate(cid))
	}
	b.ReportAllocs()
	b.ResetTimer()
	return store, shard, cids
}

const benchBlocks = 100_000

func BenchmarkGet(b *testing.B) {
	_, shard, cids := benchShard(b, benchBlocks)
	for index := range b.N {
		must(shard.Get(cids[index%len(cids)]))
	}
}

func BenchmarkRead(b *testing.B) {
	_, shard, cids := benchShard(b, benchBlocks)
	buffer := make([]byte, 1<<20)
	for index := range b.N {
		must(shard.Read(cids[index%len(cids)], buffer))
	}
}

func BenchmarkView(b *testing.B) {
	_, shard, cids := benchShard(b, benchBlocks)
	for index := range b.N {
		must(shard.View(cids[index%len(cids)])).Release()
	}
}

func BenchmarkWithView(b *testing.B) {
	_, shard, cids := benchShard(b, benchBlocks)
	for index := range b.N {
		check(b, shard.WithView(cids[index%len(cids)], func([]byte) error { return nil }))
	}
}

func BenchmarkMiss(b *testing.B) {
	_, shard, _ := benchShard(b, benchBlocks)
	absent := randomBlocks(2, 1000, 8)
	for index := range b.N {
		_, err := shard.View(absent[index%len(absent)].cid)
		expectError(b, err, dagstore.ErrBlockNotFound)
	}
}

func BenchmarkLocate(b *testing.B) {
	_, shard, cids := benchShard(b, benchBlocks)
	for index := range b.N {
		must(shard.Locate(cids[index%len(cids)]))
	}
}

// The batches are of 32 blocks; the time is that of one block.
func BenchmarkViewMany(b *testing.B) {
	_, shard, cids := benchShard(b, benchBlocks)
	var batch dagstore.Batch
	for index := 0; index < b.N; index += 32 {
		start := index % (len(cids) - 32)
		check(b, shard.ViewMany(cids[start:start+32], &batch))
	}
	batch.Release()
}

func BenchmarkReadMany(b *testing.B) {
	_, shard, cids := benchShard(b, benchBlocks)
	var batch dagstore.Batch
	for index := 0; index < b.N; index += 32 {
		start := index % (len(cids) - 32)
		check(b, shard.ReadMany(cids[start:start+32], &batch))
	}
}

func BenchmarkGetMany(b *testing.B) {
	_, shard, cids := benchShard(b, benchBlocks)
	for index := 0; index < b.N; index += 32 {
		start := index % (len(cids) - 32)
		must(shard.GetMany(cids[start : start+32]))
	}
}

func BenchmarkAcquire(b *testing.B) {
	store, _, _ := benchShard(b, 1000)
	for range b.N {
		must(store.Acquire(background, "bench")).Release()
	}
}

func BenchmarkStoreGet(b *testing.B) {
	store, _, cids := benchShard(b, benchBlocks)
	for index := range b.N {
		must(store.Get(background, cids[index%len(cids)]))
	}
}

func BenchmarkShardsContaining(b *testing.B) {
	store, _, cids := benchShard(b, benchBlocks)
	multihashes := make([]dagstore.Multihash, len(cids))
	for index, cid := range cids {
		multihashes[index] = cid.Multihash()
	}
	b.ResetTimer()
	for index := range b.N {
		must(store.ShardsContaining(multihashes[index%len(cids)]))
	}
}

func BenchmarkSections(b *testing.B) {
	_, shard, _ := benchShard(b, benchBlocks)
	for count := 0; count < b.N; {
		for _, err := range shard.Sections() {
			check(b, err)
			if count++; count >= b.N {
				break
			}
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	cid := randomBlocks(1, 1, 1)[0].cid
	b.ReportAllocs()
	for range b.N {
		must(cid.Split())
	}
}
