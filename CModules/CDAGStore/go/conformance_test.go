package dagstore_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

// conformanceTable has the steps that every binding runs.
const conformanceTable = "../conformance/cases.jsonl"

// TestConformance runs the steps of the table, and compares each result with the expected one.
func TestConformance(t *testing.T) {
	table, err := os.Open(conformanceTable)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the conformance table is not in this tree")
	}
	check(t, err)
	defer table.Close()
	r := &runner{t: t, folder: must(filepath.EvalSymlinks(t.TempDir())), leases: map[string]*dagstore.Shard{}}
	defer r.end()
	lines := bufio.NewScanner(table)
	lines.Buffer(nil, 64<<20)
	name, cases, passed := "", 0, 0
	for line := 1; lines.Scan(); line++ {
		if text := lines.Bytes(); len(text) == 0 || text[0] == '#' {
			continue
		}
		var step map[string]string
		if err := json.Unmarshal(lines.Bytes(), &step); err != nil {
			t.Fatalf("line %d: %v", line, err)
		}
		if step["case"] != "" {
			name = step["case"]
			cases++
		}
		if found := r.run(step); found != step["is"] {
			t.Errorf("line %d, %s: %s\nexpected %s\nfound    %s", line, name, step["op"], step["is"], found)
			continue
		}
		passed++
	}
	check(t, lines.Err())
	t.Logf("conformance: %d cases, %d steps passed", cases, passed)
}

// A runner has the store and the leases of the table.
type runner struct {
	t      *testing.T
	folder string
	store  *dagstore.Store
	leases map[string]*dagstore.Shard
	// failure is the error of the last step that failed.
	failure error
}

func (r *runner) end() {
	for _, lease := range r.leases {
		lease.Release()
	}
	if r.store != nil {
		r.store.Close()
	}
}

// run runs a step, and returns its result.
func (r *runner) run(step map[string]string) string {
	for name, value := range step {
		if name != "is" && name != "hex" {
			step[name] = strings.ReplaceAll(value, "$DIR", r.folder)
		}
	}
	result, err := r.result(step)
	if err != nil {
		r.failure = err
		return codeName(err)
	}
	return result
}

// codeName returns the name of the code of an error.
func codeName(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.DeadlineExceeded):
		return dagstore.ErrDeadlineExceeded.Name()
	case dagstore.CodeOf(err) == 0:
		return err.Error()
	}
	return dagstore.CodeOf(err).Name()
}

func (r *runner) result(step map[string]string) (string, error) {
	op := step["op"]
	switch {
	case strings.HasPrefix(op, "lease."):
		return r.leaseResult(step, r.leases[step["lease"]])
	case strings.HasPrefix(op, "cid."):
		return cidResult(step)
	case strings.HasPrefix(op, "car."):
		return carResult(step)
	}
	switch op {
	case "file":
		return "ok", writeFile(step["path"], step["hex"])
	case "remove":
		return "ok", os.Remove(step["path"])
	case "truncate":
		return "ok", os.Truncate(step["path"], must(strconv.ParseInt(step["size"], 10, 64)))
	case "error":
		var details *dagstore.Error
		errors.As(r.failure, &details)
		switch {
		case details == nil:
		case step["field"] == "offset" && details.Offset >= 0:
			return fmt.Sprint(details.Offset), nil
		case step["field"] == "shard" && details.Shard != "":
			return details.Shard, nil
		}
		return "-", nil
	case "open":
		return r.open(step)
	}
	return r.storeResult(step)
}

func (r *runner) open(step map[string]string) (string, error) {
	config := &dagstore.Config{Mounts: map[string]dagstore.MountTemplate{
		"sequential": conformanceMounts(dagstore.AccessSequential),
		"random":     conformanceMounts(dagstore.AccessRandom),
	}}
	for _, flag := range strings.Fields(step["flags"]) {
		switch flag {
		case "readonly":
			config.ReadOnly = true
		case "leavesInterrupted":
			config.LeavesInterrupted = true
		case "unmapped":
			config.Unmapped = true
		case "refusesNullPadding":
			config.RefusesNullPadding = true
		default:
			return "", errors.New("unknown flag " + flag)
		}
	}
	store, err := dagstore.Open(step["path"], config)
	if err == nil {
		r.store = store
	}
	return "ok", err
}

// ---- Results ----

// list joins results: "-" for none.
func list[T any](values []T, text func(T) string) string {
	if len(values) == 0 {
		return "-"
	}
	var texts []string
	for _, value := range values {
		texts = append(texts, text(value))
	}
	return strings.Join(texts, " ")
}

func itself(text string) string { return text }

func decimal[T any](value T) string { return fmt.Sprint(value) }

// listed returns a block as it stands in a list.
func listed(block []byte, err error) string {
	switch {
	case err != nil:
		return codeName(err)
	case len(block) == 0:
		return "-"
	}
	return hex.EncodeToString(block)
}

// parsed returns the CID of an argument: its text, or "0x" and bytes in hex.
func parsed(text string) (dagstore.CID, error) {
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		return dagstore.CID(must(hex.DecodeString(digits))), nil
	}
	return dagstore.ParseCID(text)
}

func writeFile(path, digits string) error {
	check := os.MkdirAll(filepath.Dir(path), 0o755)
	if check != nil {
		return check
	}
	content, err := hex.DecodeString(digits)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", content, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (r *runner) storeResult(step map[string]string) (string, error) {
	s, key, ctx := r.store, step["key"], background
	switch step["op"] {
	case "shutdown", "close":
		return "ok", s.Close()
	case "shards":
		var keys []string
		for info, err := range s.Shards() {
			if err != nil {
				return "", err
			}
			keys = append(keys, info.Key)
		}
		return list(keys, itself), nil
	case "statistics":
		found, err := s.Statistics()
		fields := map[string]uint64{"shards": found.Shards, "available": found.Available, "failed": found.Failed,
			"blocks": found.Blocks, "leases": found.Leases, "payloadBytes": found.PayloadBytes,
			"transients": found.Transients}
		return list(strings.Fields(step["fields"]), func(name string) string { return decimal(fields[name]) }), err
	case "collect":
		garbage, err := s.CollectGarbage(must(strconv.ParseUint(step["quota"], 10, 64)))
		return fmt.Sprint(garbage.Removed, garbage.Kept, garbage.InUse, garbage.Failed), err
	case "check":
		flags := strings.Fields(step["flags"])
		found, err := s.Check(dagstore.CheckOptions{
			Deep: slices.Contains(flags, "deep"), Repair: slices.Contains(flags, "repair")})
		sound := "unsound"
		if found.Sound {
			sound = "sound"
		}
		return fmt.Sprint(sound, " ", len(found.Problems)), err
	case "register":
		modes := map[string]dagstore.RegisterMode{"": dagstore.RegisterEager,
			"lazy": dagstore.RegisterLazy, "background": dagstore.RegisterBackground}
		return "ok", s.Register(ctx, key, step["url"], &dagstore.RegisterOptions{Mode: modes[step["how"]]})
	case "initialize":
		return "ok", s.Initialize(ctx, key)
	case "recover":
		return "ok", s.Recover(ctx, key)
	case "destroy":
		return "ok", s.Destroy(ctx, key)
	case "relocate":
		return "ok", s.Relocate(ctx, key, step["url"])
	case "policy":
		policies := map[string]dagstore.Policy{"automatic": dagstore.PolicyAutomatic,
			"remote": dagstore.PolicyRemote, "cache": dagstore.PolicyCache, "copy": dagstore.PolicyCopy}
		return "ok", s.SetPolicy(key, policies[step["policy"]])
	case "wait":
		return r.wait(key, step["state"])
	case "state":
		state, err := s.State(key)
		return state.String(), err
	case "info":
		info, err := s.Info(key)
		if err != nil {
			return "", err
		}
		code := "ok"
		if info.Err != nil {
			code = info.Err.Code.Name()
		}
		return fmt.Sprint(info.State, " ", info.BlockCount, info.PayloadSize, info.Leases, " ", code), nil
	case "multihashes":
		return r.multihashes(key, step["after"], func(section dagstore.MultihashSection) string {
			return listed([]byte(section.Multihash), nil)
		})
	case "multihash.offsets":
		return r.multihashes(key, "", func(section dagstore.MultihashSection) string {
			return decimal(section.Offset)
		})
	case "acquire":
		return r.acquire(step["lease"], key, step["timeout"])
	case "release":
		r.leases[step["lease"]].Release()
		delete(r.leases, step["lease"])
		return "ok", nil
	case "holders":
		keys, err := s.ShardsContaining(dagstore.Multihash(must(hex.DecodeString(step["multihash"]))))
		return list(keys, itself), err
	}
	return r.cidOfStore(step)
}

// cidOfStore runs the steps that look for a block in all shards.
func (r *runner) cidOfStore(step map[string]string) (string, error) {
	cid, err := parsed(step["cid"])
	if err != nil {
		return "", err
	}
	switch step["op"] {
	case "get":
		ctx, cancel := contextOf(step["timeout"])
		defer cancel()
		block, err := r.store.Get(ctx, cid)
		return hex.EncodeToString(block), err
	case "has":
		found, err := r.store.Has(cid)
		return decimal(found), err
	case "size":
		size, err := r.store.Size(cid)
		return decimal(size), err
	case "find":
		places, err := r.store.Find(cid)
		return list(places, func(p dagstore.Place) string {
			return fmt.Sprintf("%s:%d:%d:%d", p.Key, p.Offset, p.BlockOffset, p.BlockSize)
		}), err
	}
	return "", errors.New("unknown step " + step["op"])
}

// contextOf returns a context with a timeout in milliseconds; "" for none.
func contextOf(timeout string) (context.Context, context.CancelFunc) {
	if timeout == "" {
		return context.WithCancel(background)
	}
	return context.WithTimeout(background, time.Duration(must(strconv.Atoi(timeout)))*time.Millisecond)
}

func (r *runner) acquire(lease, key, timeout string) (string, error) {
	var shard *dagstore.Shard
	var err error
	if timeout == "0" {
		shard, err = r.store.TryAcquire(key)
	} else {
		ctx, cancel := contextOf(timeout)
		defer cancel()
		shard, err = r.store.Acquire(ctx, key)
	}
	if err != nil {
		return "", err
	}
	r.leases[lease] = shard
	return "ok", nil
}

// wait waits for a state: a poll comes after the queue of events has opened.
func (r *runner) wait(key, expected string) (string, error) {
	ctx, cancel := context.WithTimeout(background, 30*time.Second)
	defer cancel()
	events := r.store.Events(ctx)
	state, err := r.store.State(key)
	if err != nil || state.String() == expected {
		return "ok", err
	}
	for event, err := range events {
		if err != nil {
			return "", err
		}
		if event.Key != key {
			continue
		}
		if state = event.State; state.String() == expected {
			return "ok", nil
		}
	}
	return state.String(), nil
}

func (r *runner) multihashes(key, after string, text func(dagstore.MultihashSection) string) (string, error) {
	cursor, err := r.store.Multihashes(key, "")
	if err != nil {
		return "", err
	}
	defer func() { cursor.Close() }()
	if after != "" {
		// The count comes first: the iterator has taken a step when the body of its loop runs.
		for count := must(strconv.Atoi(after)); count > 0; count-- {
			for _, err := range cursor.All() {
				if err != nil {
					return "", err
				}
				break
			}
		}
		place := cursor.Cursor()
		if place == "" {
			return "-", nil
		}
		cursor.Close()
		if cursor, err = r.store.Multihashes(key, place); err != nil {
			return "", err
		}
	}
	var found []dagstore.MultihashSection
	for section, err := range cursor.All() {
		if err != nil {
			return "", err
		}
		found = append(found, section)
	}
	return list(found, text), nil
}

func (r *runner) leaseResult(step map[string]string, shard *dagstore.Shard) (string, error) {
	switch step["op"] {
	case "lease.key":
		return shard.Key(), nil
	case "lease.count":
		return decimal(shard.BlockCount()), nil
	case "lease.roots":
		roots, err := shard.Roots()
		return list(roots, dagstore.CID.String), err
	case "lease.sections":
		var sections []dagstore.Section
		for section, err := range shard.Sections() {
			if err != nil {
				return "", err
			}
			sections = append(sections, section)
		}
		return list(sections, func(s dagstore.Section) string {
			return fmt.Sprintf("%v:%d:%d", s.CID, s.Offset, s.BlockSize)
		}), nil
	case "lease.get_many", "lease.read_many":
		return batchResult(step, shard)
	}
	cid, err := parsed(step["cid"])
	if err != nil {
		return "", err
	}
	switch step["op"] {
	case "lease.contains":
		found, err := shard.Has(cid)
		return decimal(found), err
	case "lease.locate":
		place, err := shard.Locate(cid)
		return fmt.Sprint(place.Offset, place.BlockOffset, place.BlockSize), err
	case "lease.get":
		view, err := shard.View(cid)
		defer view.Release()
		return hex.EncodeToString(view.Bytes()), err
	case "lease.read":
		block, err := shard.Get(cid)
		return hex.EncodeToString(block), err
	case "lease.verified":
		block, err := shard.GetVerified(cid)
		return hex.EncodeToString(block), err
	case "lease.offsets":
		offsets, err := shard.Offsets(cid)
		return list(offsets, decimal), err
	}
	return "", errors.New("unknown step " + step["op"])
}

func batchResult(step map[string]string, shard *dagstore.Shard) (string, error) {
	var cids []dagstore.CID
	for _, text := range strings.Fields(step["cids"]) {
		cid, err := parsed(text)
		if err != nil {
			return "", err
		}
		cids = append(cids, cid)
	}
	var texts []string
	if step["op"] == "lease.read_many" {
		results, err := shard.GetMany(cids)
		for _, result := range results {
			texts = append(texts, listed(result.Block, result.Err))
		}
		return list(texts, itself), err
	}
	var batch dagstore.Batch
	defer batch.Release()
	err := shard.ViewMany(cids, &batch)
	for block, err := range batch.All() {
		texts = append(texts, listed(block, err))
	}
	return list(texts, itself), err
}

func cidResult(step map[string]string) (string, error) {
	bytes := func(name string) string { return string(must(hex.DecodeString(step[name]))) }
	switch step["op"] {
	case "cid.parse":
		cid, err := dagstore.ParseCID(step["text"])
		return hex.EncodeToString(cid.Bytes()), err
	case "cid.format":
		return dagstore.CID(bytes("cid")).Text()
	case "cid.split":
		parts, err := dagstore.CID(bytes("cid")).Split()
		return fmt.Sprintf("%d %d %d %x", parts.Version, parts.Codec, parts.HashCode, parts.Digest), err
	case "cid.make":
		codec := must(strconv.ParseUint(step["codec"], 10, 64))
		cid, err := dagstore.MakeCID(codec, dagstore.Multihash(bytes("multihash")))
		return hex.EncodeToString(cid.Bytes()), err
	}
	return "", errors.New("unknown step " + step["op"])
}

func carResult(step map[string]string) (string, error) {
	file, err := dagstore.OpenCAR(step["path"])
	if err != nil {
		return "", err
	}
	defer file.Close()
	if step["op"] == "car.verify" {
		found, err := file.Verify(0)
		return fmt.Sprint(found.Sections, found.Unverified, found.Mismatches), err
	}
	info, err := file.Inspect()
	return fmt.Sprint(info.Version, info.Roots, info.Sections, info.DataOffset, info.DataSize), err
}

// ---- The mounts of the runner's store ----

// conformanceMounts makes mounts of the files at scheme://PATH.
type conformanceMounts dagstore.Access

func (access conformanceMounts) Resolve(url string) (dagstore.Mount, error) {
	_, path, _ := strings.Cut(url, "://")
	return &fileMount{dagstore.Access(access), path}, nil
}

type fileMount struct {
	access dagstore.Access
	path   string
}

func (m *fileMount) Access() dagstore.Access { return m.access }

func (m *fileMount) Stat(context.Context, string) (dagstore.MountStat, error) {
	info, err := os.Stat(m.path)
	if err != nil {
		return dagstore.MountStat{}, err
	}
	return dagstore.MountStat{Size: info.Size()}, nil
}

func (m *fileMount) Open(context.Context, string) (*dagstore.Source, error) {
	content, err := os.ReadFile(m.path)
	if err != nil {
		return nil, err
	}
	reader := bytes.NewReader(content)
	if m.access == dagstore.AccessRandom {
		return dagstore.NewReaderAtSource(reader, reader.Size()), nil
	}
	return dagstore.NewReaderSource(reader, reader.Size()), nil
}
