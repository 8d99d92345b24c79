package dagstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

// exampleFolder makes a folder with a CAR of three blocks, and returns it with their CIDs.
func exampleFolder() (folder string, cids []dagstore.CID) {
	folder = must(os.MkdirTemp("", "dagstore"))
	blocks := []block{rawBlock([]byte("one")), rawBlock([]byte("two")), rawBlock([]byte("three"))}
	if err := os.WriteFile(filepath.Join(folder, "example.car"), car(blocks), 0o644); err != nil {
		panic(err)
	}
	for _, block := range blocks {
		cids = append(cids, block.cid)
	}
	return folder, cids
}

// exampleStore opens a store with a shard "example" of three blocks.
func exampleStore(config *dagstore.Config) (store *dagstore.Store, cids []dagstore.CID, end func()) {
	folder, cids := exampleFolder()
	store = must(dagstore.Open(filepath.Join(folder, "store"), config))
	url := fileURL(filepath.Join(folder, "example.car"))
	if err := store.Register(context.Background(), "example", url, nil); err != nil {
		panic(err)
	}
	return store, cids, func() {
		store.Close()
		os.RemoveAll(folder)
	}
}

func Example() {
	folder, cids := exampleFolder()
	defer os.RemoveAll(folder)
	ctx := context.Background()

	store, err := dagstore.Open(filepath.Join(folder, "store"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	url, err := dagstore.FileURL(filepath.Join(folder, "example.car"))
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Register(ctx, "example", url, nil); err != nil {
		log.Fatal(err)
	}
	shard, err := store.Acquire(ctx, "example")
	if err != nil {
		log.Fatal(err)
	}
	defer shard.Release()
	for _, cid := range cids {
		data, err := shard.GetVerified(cid)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(cid, string(data))
	}
	// Output:
	// bafkreidwslb22nkaxoadyaqlhlxgntmiq4jdenhkbrxhcq6avxlt75br5u one
	// bafkreib7ytgp45cyodrmbwm7ohzq74dfnsg63va4yhl5hu3wwdn6nbpc6m two
	// bafkreielloo3bqj5wjbfnsbjvi3evkimnuxlummlsizkjk4tco4vju2vl4 three
}

func ExampleStore_Acquire() {
	store, cids, end := exampleStore(nil)
	defer end()

	shard, err := store.Acquire(context.Background(), "example")
	if err != nil {
		log.Fatal(err)
	}
	defer shard.Release()
	data, err := shard.Get(cids[0])
	fmt.Println(string(data), err)

	_, err = store.Acquire(context.Background(), "nothing")
	fmt.Println(errors.Is(err, dagstore.ErrShardUnknown))
	// Output:
	// one <nil>
	// true
}

func ExampleShard_View() {
	store, cids, end := exampleStore(nil)
	defer end()
	shard := must(store.Acquire(context.Background(), "example"))
	defer shard.Release()

	view, err := shard.View(cids[2])
	if err != nil {
		log.Fatal(err)
	}
	defer view.Release()
	view.WriteTo(os.Stdout)
	// Output: three
}

func ExampleShard_ViewMany() {
	store, cids, end := exampleStore(nil)
	defer end()
	shard := must(store.Acquire(context.Background(), "example"))
	defer shard.Release()

	// A batch that is used again allocates nothing.
	var batch dagstore.Batch
	defer batch.Release()
	if err := shard.ViewMany(append(cids, rawBlock([]byte("four")).cid), &batch); err != nil {
		log.Fatal(err)
	}
	for data, err := range batch.All() {
		fmt.Println(string(data), errors.Is(err, dagstore.ErrBlockNotFound))
	}
	// Output:
	// one false
	// two false
	// three false
	//  true
}

func ExampleShard_Sections() {
	store, _, end := exampleStore(nil)
	defer end()
	shard := must(store.Acquire(context.Background(), "example"))
	defer shard.Release()

	for section, err := range shard.Sections() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(section.CID, section.Offset, section.BlockSize)
	}
	// Output:
	// bafkreidwslb22nkaxoadyaqlhlxgntmiq4jdenhkbrxhcq6avxlt75br5u 59 3
	// bafkreib7ytgp45cyodrmbwm7ohzq74dfnsg63va4yhl5hu3wwdn6nbpc6m 99 3
	// bafkreielloo3bqj5wjbfnsbjvi3evkimnuxlummlsizkjk4tco4vju2vl4 139 5
}

func ExampleStore_ShardsContaining() {
	store, cids, end := exampleStore(nil)
	defer end()

	keys, err := store.ShardsContaining(cids[0].Multihash())
	fmt.Println(keys, err)
	// Output: [example] <nil>
}

// An announcer stores the cursor, and goes on with it after a restart.
func ExampleStore_Multihashes() {
	store, _, end := exampleStore(nil)
	defer end()

	cursor := ""
	for range 2 {
		multihashes, err := store.Multihashes("example", cursor)
		if err != nil {
			log.Fatal(err)
		}
		for section, err := range multihashes.All() {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(len(section.Multihash), section.Offset)
			break
		}
		cursor = multihashes.Cursor()
		multihashes.Close()
	}
	// Output:
	// 34 59
	// 34 99
}

// A memoryMount serves CARs from memory, at memory:NAME.
type memoryMount struct{ content string }

func (m memoryMount) Access() dagstore.Access { return dagstore.AccessRandom }

func (m memoryMount) Stat(context.Context, string) (dagstore.MountStat, error) {
	return dagstore.MountStat{Size: int64(len(m.content))}, nil
}

func (m memoryMount) Open(_ context.Context, key string) (*dagstore.Source, error) {
	return dagstore.NewReaderAtSource(strings.NewReader(m.content), int64(len(m.content))), nil
}

func ExampleMount() {
	folder := must(os.MkdirTemp("", "dagstore"))
	defer os.RemoveAll(folder)
	made := rawBlock([]byte("from memory"))
	content := string(car([]block{made}))

	store, err := dagstore.Open(folder, &dagstore.Config{Mounts: map[string]dagstore.MountTemplate{
		"memory": dagstore.MountTemplateFunc(func(url string) (dagstore.Mount, error) {
			return memoryMount{content}, nil
		}),
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	if err := store.Register(context.Background(), "a", "memory://a", nil); err != nil {
		log.Fatal(err)
	}
	data, err := store.Get(context.Background(), made.cid)
	fmt.Println(string(data), err)
	// Output: from memory <nil>
}

func ExampleParseCID() {
	cid, err := dagstore.ParseCID("QmdXtE4ERRBnDFU6Az7spNo7Z2vtcsX4HNKhRwcxpD2mcZ")
	if err != nil {
		log.Fatal(err)
	}
	parts, err := cid.Split()
	if err != nil {
		log.Fatal(err)
	}
	newer, err := dagstore.MakeCID(parts.Codec, parts.Multihash)
	fmt.Println(parts.Version, newer, err)
	// Output: 0 bafybeihbx7445thcanookhzxldoeiq7t3yghrksnmxnxzfq4rrkevpngyy <nil>
}
