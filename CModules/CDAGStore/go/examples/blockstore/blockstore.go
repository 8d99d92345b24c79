//go:build ipfs

// Package blockstore makes a store the read-only block store of boxo, go-ipfs's library. With the
// imports of go-ipfs-blockstore in place of boxo's, it serves older programs.
//
// The build tag ipfs keeps it out of builds that lack these modules.
package blockstore

import (
	"context"
	"errors"

	"github.com/ipfs/boxo/blockstore"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"github.com/multiformats/go-multihash"
	dagstore "github.com/swift-dagstore/dagstore-go"
)

// A Blockstore reads the blocks of all shards of a store.
type Blockstore struct{ Store *dagstore.Store }

var (
	_ blockstore.Blockstore = Blockstore{}
	_ blockstore.Viewer     = Blockstore{}
)

var errReadOnly = errors.New("the store has the blocks of its CARs only")

// notFound converts the error of a missing block.
func notFound(err error, c cid.Cid) error {
	if errors.Is(err, dagstore.ErrBlockNotFound) {
		return format.ErrNotFound{Cid: c}
	}
	return err
}

// Get copies a block.
func (b Blockstore) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	data, err := b.Store.Get(ctx, dagstore.CID(c.KeyString()))
	if err != nil {
		return nil, notFound(err, c)
	}
	return blocks.NewBlockWithCid(data, c)
}

// View calls a function with the bytes of a block, without a copy.
func (b Blockstore) View(ctx context.Context, c cid.Cid, use func([]byte) error) error {
	return notFound(b.Store.WithView(ctx, dagstore.CID(c.KeyString()), use), c)
}

// Has tells whether any shard has a block.
func (b Blockstore) Has(_ context.Context, c cid.Cid) (bool, error) {
	return b.Store.Has(dagstore.CID(c.KeyString()))
}

// GetSize returns the size of a block in bytes.
func (b Blockstore) GetSize(_ context.Context, c cid.Cid) (int, error) {
	size, err := b.Store.Size(dagstore.CID(c.KeyString()))
	if err != nil {
		return -1, notFound(err, c)
	}
	return int(size), nil
}

// AllKeysChan sends a raw CID for each section of each indexed shard.
func (b Blockstore) AllKeysChan(ctx context.Context) (<-chan cid.Cid, error) {
	cids := make(chan cid.Cid)
	go func() {
		defer close(cids)
		for info, err := range b.Store.Shards() {
			if err != nil || ctx.Err() != nil {
				return
			}
			b.sendKeys(ctx, info.Key, cids)
		}
	}()
	return cids, nil
}

// sendKeys sends the keys of a shard; none if it has no index yet.
func (b Blockstore) sendKeys(ctx context.Context, key string, cids chan<- cid.Cid) {
	multihashes, err := b.Store.Multihashes(key, "")
	if err != nil {
		return
	}
	defer multihashes.Close()
	for section, err := range multihashes.All() {
		if err != nil {
			return
		}
		select {
		case cids <- cid.NewCidV1(cid.Raw, multihash.Multihash(section.Multihash)):
		case <-ctx.Done():
			return
		}
	}
}

// Put returns an error: the CARs have the blocks.
func (b Blockstore) Put(context.Context, blocks.Block) error { return errReadOnly }

// PutMany returns an error, as Put does.
func (b Blockstore) PutMany(context.Context, []blocks.Block) error { return errReadOnly }

// DeleteBlock returns an error, as Put does.
func (b Blockstore) DeleteBlock(context.Context, cid.Cid) error { return errReadOnly }

// HashOnRead does nothing. Shard.GetVerified hashes.
func (b Blockstore) HashOnRead(bool) {}
