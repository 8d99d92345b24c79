package dagstore

// #include "bridge.h"
import "C"

import (
	"context"
	"math"
	"time"
)

// Policy says what stays on this machine of a shard whose source can read any range. The store maps
// files under every policy, and copies sequential sources under every policy.
type Policy uint32

const (
	// PolicyAutomatic is Config.RemotePolicy; PolicyRemote for mounts of the caller's own.
	PolicyAutomatic Policy = C.DAGSTORE_POLICY_AUTOMATIC
	// PolicyRemote means that the store reads ranges, and nothing stays on the disk.
	PolicyRemote Policy = C.DAGSTORE_POLICY_REMOTE
	// PolicyCache means that ranges of "http", "https" and "s3" stay in a bounded cache, in the
	// store's folder.
	PolicyCache Policy = C.DAGSTORE_POLICY_CACHE
	// PolicyCopy means that the store copies the CAR to its folder, under the quota.
	PolicyCopy Policy = C.DAGSTORE_POLICY_COPY
)

// PagePolicy says how a store encodes index pages.
type PagePolicy uint32

const (
	// PagesSmallest takes the smaller encoding of each page.
	PagesSmallest PagePolicy = C.DAGSTORE_PAGES_SMALLEST
	// PagesZstd compresses all pages.
	PagesZstd PagePolicy = C.DAGSTORE_PAGES_ZSTD
	// PagesDirect compresses no page.
	PagesDirect PagePolicy = C.DAGSTORE_PAGES_DIRECT
)

// Recovery says when an opened store recovers shards that had failed before.
type Recovery uint32

const (
	// RecoveryManual recovers only when a caller asks.
	RecoveryManual Recovery = C.DAGSTORE_RECOVERY_MANUAL
	// RecoveryOnAcquire recovers a shard at its first acquire, once.
	RecoveryOnAcquire Recovery = C.DAGSTORE_RECOVERY_ON_ACQUIRE
	// RecoveryAtOpen recovers all of them at the opening.
	RecoveryAtOpen Recovery = C.DAGSTORE_RECOVERY_AT_OPEN
)

// Config configures a store. Zero fields stand for the defaults, which suit a server.
type Config struct {
	// ReadOnly opens the store for reading: it takes no lock, and writes neither records nor indexes.
	ReadOnly bool
	// Relaxed means that results survive a crash of the process, but not of the machine.
	Relaxed bool
	// Unmapped reads CARs with system calls and copies blocks: other processes may truncate the files.
	Unmapped bool
	// RefusesNullPadding treats a section of length zero as an error, not as the end of the data.
	RefusesNullPadding bool
	// ChecksPages checks every page of the catalog at the opening; for files that may be damaged.
	ChecksPages bool
	// LeavesInterrupted leaves jobs that the end of a process interrupted until a caller asks for them.
	LeavesInterrupted bool
	// AllowsPrivate lets "http", "https" and "s3" URLs reach this machine and private networks.
	AllowsPrivate bool

	// PagePolicy says how the store encodes index pages.
	PagePolicy PagePolicy
	// Recovery says when the store recovers shards that had failed before.
	Recovery Recovery
	// AutomaticRecoveries is the number of recoveries of a failing shard without a caller; default 0.
	AutomaticRecoveries int

	// MapSize is the address space for the catalog, in bytes; default 1 TiB.
	MapSize int64
	// SortBudget is the memory for sorting while a shard is indexed, in bytes.
	SortBudget int64
	// PageCacheSize is the memory for decoded index pages, in bytes; default 32 MiB.
	PageCacheSize int64
	// HeaderSizeMax is the size of the largest CAR header to read, in bytes; default 32 MiB.
	HeaderSizeMax int64
	// SectionSizeMax is the size of the largest section to read, in bytes; default 8 MiB.
	SectionSizeMax int64
	// ConcurrentIndexing is the number of shards to index at once; default the number of processors.
	ConcurrentIndexing int
	// ConcurrentReadyFetches is the number of mounts to open and copy at once, except for those
	// with MountStat.NotReady; default 8.
	ConcurrentReadyFetches int

	// IdleShardsMax is the number of open shards to keep without leases; default 256, negative for
	// none.
	IdleShardsMax int
	// IdleBytesMax limits the payload bytes of these shards; default no limit, negative for none.
	IdleBytesMax int64
	// IdleTimeMax is how long the store keeps them; default no limit, negative for none.
	IdleTimeMax time.Duration

	// TransientQuota limits the bytes of the store's own copies of CARs; default no limit.
	TransientQuota int64
	// TransientHighWatermark is the share of the quota that starts removal; default 0.9.
	TransientHighWatermark float64
	// TransientLowWatermark is the share of the quota that ends removal; default 0.7.
	TransientLowWatermark float64

	// FetchTimeout limits the time that a mount may take to supply the bytes of a shard, rounded up
	// to milliseconds; default no limit. The contexts of Mount.Stat and Mount.Open end with it.
	FetchTimeout time.Duration
	// RemotePolicy is the policy of "http", "https" and "s3" shards with PolicyAutomatic; default
	// PolicyRemote.
	RemotePolicy Policy
	// RemoteCacheSize is the size of the cache of PolicyCache, in bytes; default 1 GiB.
	RemoteCacheSize int64

	// Mounts has the schemes of mount URLs besides "file": lower-case letters, digits, '+', '-' and
	// '.', beginning with a letter. One of "http", "https" and "s3" replaces the library's own.
	Mounts map[string]MountTemplate
	// SelectShards chooses among the shards that may have a block, for Store.Get and Store.View.
	SelectShards Selector
	// Observe receives the time of each step of the store.
	Observe Observer
	// Index supplies the sections of CARs, instead of the walk over their section headers.
	Index Indexer

	// EventCapacity is the number of events that each loop over Store.Events may be behind, 1 to
	// 1,048,576; default 65,536.
	EventCapacity int
}

// An Observer receives the time of a step of a store, on a thread of the library. It must return at
// once, and must not call the store.
//
// kind is "commit", a write transaction with its wait for the disk; "indexing" and "opening", jobs of
// shards; "merge", of the inverse index. Later versions may add kinds.
type Observer func(kind string, duration time.Duration, success bool)

const eventCapacityDefault = 65_536

// apply sets the fields that the caller set.
func (c *Config) apply(to *C.dagstore_config_t) {
	for _, flag := range []struct {
		isSet bool
		bit   C.uint32_t
	}{
		{c.ReadOnly, C.DAGSTORE_OPEN_READ_ONLY},
		{c.Relaxed, C.DAGSTORE_OPEN_RELAXED},
		{c.Unmapped, C.DAGSTORE_OPEN_UNMAPPED},
		{c.RefusesNullPadding, C.DAGSTORE_OPEN_REFUSES_NULL_PADDING},
		{c.ChecksPages, C.DAGSTORE_OPEN_CHECKS_PAGES},
		{c.LeavesInterrupted, C.DAGSTORE_OPEN_LEAVES_INTERRUPTED},
		{c.AllowsPrivate, C.DAGSTORE_OPEN_ALLOWS_PRIVATE},
	} {
		if flag.isSet {
			to.flags |= flag.bit
		}
	}
	to.page_policy = C.uint32_t(c.PagePolicy)
	to.recovery = C.uint32_t(c.Recovery)
	to.remote_policy = C.uint32_t(c.RemotePolicy)
	set32(&to.automatic_recoveries, c.AutomaticRecoveries)
	set64(&to.map_size, c.MapSize)
	set64(&to.sort_budget, c.SortBudget)
	set64(&to.page_cache_size, c.PageCacheSize)
	set64(&to.header_size_max, c.HeaderSizeMax)
	set64(&to.section_size_max, c.SectionSizeMax)
	set32(&to.concurrent_indexing, c.ConcurrentIndexing)
	set32(&to.concurrent_ready_fetches, c.ConcurrentReadyFetches)
	set32(&to.idle_shards_max, c.IdleShardsMax)
	set64(&to.idle_bytes_max, c.IdleBytesMax)
	set64(&to.idle_time_max_ms, milliseconds(c.IdleTimeMax))
	set64(&to.transient_quota, c.TransientQuota)
	set64(&to.fetch_timeout_ms, milliseconds(c.FetchTimeout))
	set64(&to.remote_cache_size, c.RemoteCacheSize)
	if c.TransientHighWatermark != 0 {
		to.transient_high_watermark = C.double(c.TransientHighWatermark)
	}
	if c.TransientLowWatermark != 0 {
		to.transient_low_watermark = C.double(c.TransientLowWatermark)
	}
}

// set32 sets a field to a number that is not 0; a negative one stands for none.
func set32(to *C.uint32_t, number int) {
	if number != 0 {
		*to = C.uint32_t(min(max(number, 0), math.MaxUint32))
	}
}

// set64 sets a field to a number that is not 0; a negative one stands for none.
func set64(to *C.uint64_t, number int64) {
	if number != 0 {
		*to = C.uint64_t(max(number, 0))
	}
}

// milliseconds rounds a duration up.
func milliseconds(duration time.Duration) int64 {
	if duration <= 0 {
		return int64(duration)
	}
	return int64((duration + time.Millisecond - 1) / time.Millisecond)
}

// mounts makes the set of the schemes; 0 if there are none.
func (c *Config) mounts(ctx context.Context) (C.uintptr_t, error) {
	if len(c.Mounts) == 0 {
		return 0, nil
	}
	made := C.dsgo_mounts_new()
	if made.status != 0 {
		return 0, failure(made.status, made.error, "")
	}
	timeout := time.Duration(milliseconds(c.FetchTimeout)) * time.Millisecond
	for scheme, template := range c.Mounts {
		if err := addMount(made.handle, scheme, &mountScheme{template, ctx, timeout}); err != nil {
			C.dsgo_mounts_release(made.handle)
			return 0, err
		}
	}
	return made.handle, nil
}

func addMount(mounts C.uintptr_t, scheme string, mount *mountScheme) error {
	if mount.template == nil {
		return newError(ErrInvalidArgument, "the mount of the scheme "+scheme+" is nil")
	}
	if err := checkText(scheme, "the scheme"); err != nil {
		return err
	}
	name := newText(scheme)
	defer name.free()
	number := handles.add(mount)
	added := C.dsgo_mounts_add(mounts, name.start, number)
	if added.status != 0 {
		handles.drop(number)
		return failure(added.status, added.error, "")
	}
	return nil
}

//export dsgoObserve
func dsgoObserve(context C.uintptr_t, kind *C.char, nanoseconds C.uint64_t, success C.bool) {
	defer func() { _ = recover() }()
	if observe, ok := lookUp[Observer](&handles, context); ok {
		observe(C.GoString(kind), time.Duration(nanoseconds), bool(success))
	}
}
