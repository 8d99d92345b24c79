// Times reads through the Go package, as Benchmarks/Foreign/get.c does through the C interface.
//
//	get STORE_DIRECTORY KEY CIDS_FILE CID_SIZE [THREADS]
//
// Prints one line a measurement: its name, and nanoseconds for one block or call. With THREADS, it
// also prints lines whose names end with ".THREADS": there so many goroutines share the blocks and
// one lease, and the time is that of all of them divided by the number of blocks.
//
//	copy         Shard.Read into a buffer
//	copy.own     Shard.Get: a copy in memory of its own
//	view         Shard.View and View.Release
//	view.call    Shard.WithView
//	batch.copy   Shard.ReadMany of 32 blocks
//	batch.own    Shard.GetMany of 32 blocks: copies in memory of their own
//	batch.view   Shard.ViewMany of 32 blocks
//	acquire      Store.Acquire and Shard.Release of an open shard
//	holders      Store.ShardsContaining of a multihash
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync"
	"time"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

const batchSize = 32

// What all goroutines read.
var (
	store       *dagstore.Store
	shard       *dagstore.Shard
	key         string
	text        string // the CIDs, one directly after the other
	cidSize     int
	multihashes int // the offset of the multihash in each CID
	cids        []dagstore.CID
)

// cid returns a CID without a look at the list.
func cid(index int) dagstore.CID { return dagstore.CID(text[index*cidSize : (index+1)*cidSize]) }

// A part is what a goroutine reads with; `total` is of what it read, so that a wrong read is seen.
type part struct {
	buffer []byte
	batch  dagstore.Batch
	total  int
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

// ---- One step of each measurement ----

func (p *part) copy(index int) { p.total += must(shard.Read(cid(index), p.buffer)) }

func (p *part) copyOwn(index int) { p.total += len(must(shard.Get(cid(index)))) }

func (p *part) view(index int) {
	view := must(shard.View(cid(index)))
	p.total += len(view.Bytes())
	view.Release()
}

func (p *part) viewCall(index int) {
	check(shard.WithView(cid(index), func(block []byte) error {
		p.total += len(block)
		return nil
	}))
}

func (p *part) batchCopy(index int) {
	check(shard.ReadMany(cids[index:index+batchSize], &p.batch))
	p.addBatch()
}

func (p *part) batchView(index int) {
	check(shard.ViewMany(cids[index:index+batchSize], &p.batch))
	p.addBatch()
}

func (p *part) addBatch() {
	for index := range p.batch.Len() {
		p.total += len(must(p.batch.Block(index)))
	}
}

func (p *part) batchOwn(index int) {
	for _, result := range must(shard.GetMany(cids[index : index+batchSize])) {
		check(result.Err)
		p.total += len(result.Block)
	}
}

func (p *part) acquire(int) {
	must(store.Acquire(context.Background(), key)).Release()
	p.total++
}

func (p *part) holders(index int) {
	p.total += len(must(store.ShardsContaining(dagstore.Multihash(cid(index)[multihashes:]))))
}

var measurements = []struct {
	name string
	read func(*part, int)
	step int // blocks of one call
}{
	{"copy", (*part).copy, 1},
	{"copy.own", (*part).copyOwn, 1},
	{"view", (*part).view, 1},
	{"view.call", (*part).viewCall, 1},
	{"batch.copy", (*part).batchCopy, batchSize},
	{"batch.own", (*part).batchOwn, batchSize},
	{"batch.view", (*part).batchView, batchSize},
	{"acquire", (*part).acquire, 1},
	{"holders", (*part).holders, 1},
}

// ---- Measuring ----

// pass reads every block once, on some goroutines; it returns nanoseconds a block.
func pass(read func(*part, int), step, goroutines int) float64 {
	var group sync.WaitGroup
	share := len(cids) / goroutines / step * step
	start := time.Now()
	for number := range goroutines {
		group.Add(1)
		go func() {
			defer group.Done()
			p := &part{buffer: make([]byte, 1<<20)}
			for index := number * share; index < (number+1)*share; index += step {
				read(p, index)
			}
			p.batch.Release()
			if p.total == 0 {
				log.Fatal("nothing was read")
			}
		}()
	}
	group.Wait()
	return float64(time.Since(start).Nanoseconds()) / float64(share*goroutines)
}

func measure(goroutines int, suffix string) {
	for _, m := range measurements {
		fmt.Printf("%s%s %.1f\n", m.name, suffix, pass(m.read, m.step, goroutines))
	}
}

// readCIDs reads CIDs of one size.
func readCIDs(path string) {
	text = string(must(os.ReadFile(path)))
	if cidSize < 1 || len(text) < cidSize {
		log.Fatal("there are no CIDs")
	}
	multihashes = cidSize - len(must(cid(0).Split()).Multihash)
	for index := range len(text) / cidSize {
		cids = append(cids, cid(index))
	}
}

func main() {
	if len(os.Args) != 5 && len(os.Args) != 6 {
		log.Fatal("usage: get STORE_DIRECTORY KEY CIDS_FILE CID_SIZE [THREADS]")
	}
	goroutines := 1
	if len(os.Args) == 6 {
		goroutines = must(strconv.Atoi(os.Args[5]))
	}
	key = os.Args[2]
	cidSize = must(strconv.Atoi(os.Args[4]))
	readCIDs(os.Args[3])
	if goroutines < 1 || len(cids)/goroutines < batchSize {
		log.Fatal("too few blocks for so many threads")
	}

	dagstore.InstallMappingGuard()
	store = must(dagstore.Open(os.Args[1], nil))
	shard = must(store.Acquire(context.Background(), key))
	pass((*part).view, 1, 1)
	measure(1, "")
	if goroutines > 1 {
		measure(goroutines, fmt.Sprintf(".%d", goroutines))
	}
	shard.Release()
	check(store.Close())
}
