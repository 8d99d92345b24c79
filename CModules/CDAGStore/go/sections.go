package dagstore

// #include "bridge.h"
import "C"

import (
	"iter"
	"runtime"
)

// A Section is a section in the index of a shard.
type Section struct {
	// CID is the CID of the block.
	CID CID
	Location
}

// The room for the sections that one call of C fetches.
const (
	sectionsPerCall = 64
	sectionBytes    = 4096
)

// Sections iterates over all sections in CAR order, repeated ones included. It reads index pages,
// not the CAR, and holds the lease until the loop ends. Costs about 0.2 us a section.
//
// An error ends the loop: ErrCatalogCorrupt; ErrInvalidArgument after Release.
func (s *Shard) Sections() iter.Seq2[Section, error] {
	return func(yield func(Section, error) bool) {
		var entries *C.dsgo_entries
		opened := C.dsgo_entries_open(s.open(), &entries)
		runtime.KeepAlive(s)
		if opened.status != 0 {
			yield(Section{}, s.fail(opened.status, opened.error))
			return
		}
		defer C.dsgo_entries_close(entries)
		sections := make([]C.dsgo_section, sectionsPerCall)
		cids := make([]byte, sectionBytes)
		for {
			data, capacity := roomOf(cids)
			filled := C.dsgo_entries_fill(entries, &sections[0], sectionsPerCall, data, capacity)
			texts := string(cids)
			for _, section := range sections[:filled.count] {
				cid := CID(texts[:section.cid_size])
				texts = texts[section.cid_size:]
				location := Location{
					uint64(section.offset), uint64(section.block_offset), uint64(section.block_size)}
				if !yield(Section{cid, location}, nil) {
					C.dsgo_error_release(filled.error)
					return
				}
			}
			switch {
			case filled.status == C.DAGSTORE_DONE:
				return
			case filled.status != 0:
				yield(Section{}, failure(filled.status, filled.error, s.key))
				return
			case filled.count == 0:
				cids = make([]byte, filled.needed)
			}
		}
	}
}
