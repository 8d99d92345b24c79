package dagstore

// #include "bridge.h"
import "C"

// Statistics are the counts of a store. Sizes are in bytes.
type Statistics struct {
	// Shards is the number of shards, of which some are available or failed.
	Shards, Available, Failed uint64
	// Blocks is the number of sections of all indexed shards, and PayloadBytes their size.
	Blocks, PayloadBytes uint64
	// IndexBytes is the size of all pages and locators.
	IndexBytes uint64
	// CatalogFileBytes is the size of the catalog's file, of which some bytes are used or free.
	CatalogFileBytes, CatalogUsedBytes, CatalogFreeBytes uint64
	// MapSize is the address space for the catalog.
	MapSize uint64
	// Leases is the number of leases of this process, and OpenShards that of the shards it has open.
	Leases, OpenShards uint64
	// EventsDropped is the number of events that loops over Store.Events have missed.
	EventsDropped uint64
	// Transients is the number of the store's own copies of CARs, and TransientBytes their size.
	Transients, TransientBytes uint64
	// PageCacheHits and PageCacheMisses count the uses of the page cache, of PageCacheBytes.
	PageCacheHits, PageCacheMisses, PageCacheBytes uint64
	// InverseRuns is the number of runs that a search over all shards reads.
	InverseRuns uint64
	// InverseEntries is the number of pairs of a multihash and a shard, and InverseBytes their size.
	InverseEntries, InverseBytes uint64
	// InverseEntriesAdded is the number of entries that were added, and InverseEntriesWritten that of
	// the entries written, with those that merges wrote again.
	InverseEntriesAdded, InverseEntriesWritten uint64
	// RemoteRequests is the number of requests by which this process read shards from elsewhere, since
	// it opened the store, and RemoteBytes the number of bytes that came with them.
	RemoteRequests, RemoteBytes uint64
}

// Statistics returns the counts of the store. Costs one step for each open shard.
//
// Errors: ErrCatalogCorrupt, ErrClosed.
func (s *Store) Statistics() (Statistics, error) {
	store, err := s.open()
	if err != nil {
		return Statistics{}, err
	}
	var from C.dagstore_statistics_t
	if err := s.result(C.dsgo_statistics(store, &from), ""); err != nil {
		return Statistics{}, err
	}
	return Statistics{
		Shards:                uint64(from.shards),
		Available:             uint64(from.available),
		Failed:                uint64(from.failed),
		Blocks:                uint64(from.blocks),
		PayloadBytes:          uint64(from.payload_bytes),
		IndexBytes:            uint64(from.index_bytes),
		CatalogFileBytes:      uint64(from.catalog_file_bytes),
		CatalogUsedBytes:      uint64(from.catalog_used_bytes),
		CatalogFreeBytes:      uint64(from.catalog_free_bytes),
		MapSize:               uint64(from.map_size),
		Leases:                uint64(from.leases),
		OpenShards:            uint64(from.open_shards),
		EventsDropped:         uint64(from.events_dropped),
		Transients:            uint64(from.transients),
		TransientBytes:        uint64(from.transient_bytes),
		PageCacheHits:         uint64(from.page_cache_hits),
		PageCacheMisses:       uint64(from.page_cache_misses),
		PageCacheBytes:        uint64(from.page_cache_bytes),
		InverseRuns:           uint64(from.inverse_runs),
		InverseEntries:        uint64(from.inverse_entries),
		InverseBytes:          uint64(from.inverse_bytes),
		InverseEntriesAdded:   uint64(from.inverse_entries_added),
		InverseEntriesWritten: uint64(from.inverse_entries_written),
		RemoteRequests:        uint64(from.remote_requests),
		RemoteBytes:           uint64(from.remote_bytes),
	}, nil
}

// SchemeTraffic returns how much this process has read from elsewhere of the shards of one scheme,
// since it opened the store: the number of requests, and that of bytes. The library counts for
// "http", "https" and "s3".
//
// Errors: ErrInvalidArgument, ErrClosed.
func (s *Store) SchemeTraffic(scheme string) (requests, bytes uint64, err error) {
	if err := checkText(scheme, "the scheme"); err != nil {
		return 0, 0, err
	}
	store, err := s.open()
	if err != nil {
		return 0, 0, err
	}
	name := newText(scheme)
	defer name.free()
	traffic := C.dsgo_scheme_traffic(store, name.start)
	err = s.result(C.dsgo_number{error: traffic.error, status: traffic.status}, "")
	return uint64(traffic.requests), uint64(traffic.bytes), err
}
