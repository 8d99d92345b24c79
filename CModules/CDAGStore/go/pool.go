package dagstore

import "sync"

// A pool is a sync.Pool of one type.
type pool[T any] struct{ pool sync.Pool }

func newPool[T any](make func() T) *pool[T] {
	return &pool[T]{sync.Pool{New: func() any { return make() }}}
}

func (p *pool[T]) get() T      { return p.pool.Get().(T) }
func (p *pool[T]) put(value T) { p.pool.Put(value) }
