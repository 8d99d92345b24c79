package dagstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

// TestErrors compares errors in the ways that callers do.
func TestErrors(t *testing.T) {
	store := openStore(t, nil)
	_, err := store.Acquire(t.Context(), "nobody")
	expectError(t, err, dagstore.ErrShardUnknown)
	expectError(t, fmt.Errorf("mine: %w", err), dagstore.ErrShardUnknown)
	if errors.Is(err, dagstore.ErrBlockNotFound) || errors.Is(err, context.Canceled) {
		t.Fatal("an error is another one")
	}
	var details *dagstore.Error
	if !errors.As(err, &details) {
		t.Fatalf("the error %v has no details", err)
	}
	expectEqual(t, details.Code, dagstore.ErrShardUnknown)
	expectEqual(t, details.Shard, "nobody")
	expectEqual(t, details.Offset, -1)
	expectMessage(t, err, "nobody")
	expectMessage(t, err, "(shardUnknown)")
	expectEqual(t, dagstore.CodeOf(err), dagstore.ErrShardUnknown)
	expectEqual(t, dagstore.CodeOf(nil), 0)
	expectEqual(t, dagstore.CodeOf(errors.New("mine")), 0)

	expectError(t, &dagstore.Error{Code: dagstore.ErrCancelled}, context.Canceled)
	expectError(t, &dagstore.Error{Code: dagstore.ErrDeadlineExceeded}, context.DeadlineExceeded)
	expectMessage(t, &dagstore.Error{Code: dagstore.ErrCancelled}, "the operation was cancelled")
	expectMessage(t, dagstore.ErrHashMismatch, "(hashMismatch)")
	expectMessage(t, dagstore.Code(-999), "(unknown)")
}
