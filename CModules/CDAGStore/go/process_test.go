package dagstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

// childVariable names the function that a child process runs in place of the tests.
const childVariable = "DAGSTORE_TEST_CHILD"

var children = map[string]func() error{
	"library":   childWithLibrary,
	"guarded":   func() error { return childLosesBytes(true) },
	"unguarded": func() error { return childLosesBytes(false) },
}

func TestMain(m *testing.M) {
	child, ok := children[os.Getenv(childVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := child(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// runChild runs a child process, and returns what it prints.
func runChild(t *testing.T, name string, environment ...string) string {
	t.Helper()
	command := exec.Command(must(os.Executable()))
	command.Env = append(append(os.Environ(), childVariable+"="+name), environment...)
	command.Dir = t.TempDir()
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return string(output)
}

// childWithLibrary calls what can be the first call of a program.
func childWithLibrary() error {
	fmt.Println("version", dagstore.Version())
	_, err := dagstore.Open("store", nil)
	fmt.Println(err)
	_, parse := dagstore.ParseCID("x")
	_, split := dagstore.CID("x").Split()
	_, text := dagstore.CID("x").Text()
	_, makeCID := dagstore.MakeCID(0x55, "x")
	_, car := dagstore.OpenCAR("x")
	_, _, compact := dagstore.Compact("x", 0)
	for _, other := range []error{err, parse, split, text, makeCID, car, compact, dagstore.SetLogger(nil)} {
		if !errors.Is(other, dagstore.ErrIncompatible) {
			return fmt.Errorf("found the error %v", other)
		}
	}
	if dagstore.InstallMappingGuard() || dagstore.LiveHandles() != 0 {
		return errors.New("a call did something")
	}
	return nil
}

// TestOtherLibraries runs this program with libraries that are older and newer than the package.
func TestOtherLibraries(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the test makes libraries for Linux")
	}
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "cc"
	}
	for name, library := range map[string]struct{ source, expected string }{
		"newer": {`int dagstore_abi_version(void) { return 9; }
			const char *dagstore_version(void) { return "9.1.2"; }`,
			"libdagstore 9.1.2 has ABI version 9, and the package needs version 1"},
		"older": {`int dagstore_abi_version(void) { return 1; }
			const char *dagstore_version(void) { return "0.1.0"; }
			const char *dagstore_status_name(int status) { return "unknown"; }`,
			"libdagstore 0.1.0 with ABI version 1 lacks dagstore_live_handles; the package needs a later release with ABI version 1"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			source, symbols := filepath.Join(folder, "library.c"), filepath.Join(folder, "symbols")
			check(t, os.WriteFile(source, []byte(library.source), 0o644))
			check(t, os.WriteFile(symbols, []byte("DAGSTORE_1 { global: *; };"), 0o644))
			build := exec.Command(compiler, "-shared", "-fPIC", "-Wl,--version-script="+symbols,
				"-o", filepath.Join(folder, "libdagstore.so.1"), source)
			if output, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			output := runChild(t, "library", "LD_LIBRARY_PATH="+folder)
			if !strings.Contains(output, library.expected) {
				t.Fatalf("the program prints %s", output)
			}
		})
	}
}

// TestLostBytes truncates a mapped CAR, with and without the mapping guard.
func TestLostBytes(t *testing.T) {
	runChild(t, "guarded")
	runChild(t, "unguarded")
}

// childLosesBytes reads blocks whose bytes another process took away. Signal handlers of Go work
// beside the mapping guard.
func childLosesBytes(isGuarded bool) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGBUS)
	if isGuarded && !dagstore.InstallMappingGuard() {
		return errors.New("the mapping guard is not installed")
	}
	blocks := randomBlocks(1, 100, 100_000)
	path := must(filepath.Abs("lost.car"))
	if err := os.WriteFile(path, car(blocks), 0o644); err != nil {
		return err
	}
	store := must(dagstore.Open("store", nil))
	if err := store.Register(background, "a", fileURL(path), nil); err != nil {
		return err
	}
	shard := must(store.Acquire(background, "a"))
	last := blocks[99].cid
	must(shard.Get(last))
	view := must(shard.View(last))
	stored := must(store.View(background, last))
	if err := os.Truncate(path, 4096); err != nil {
		return err
	}

	changed := func(what string, err error) {
		if !errors.Is(err, dagstore.ErrSourceChanged) {
			panic(fmt.Sprintf("%s gave %v", what, err))
		}
	}
	_, err := shard.Get(last)
	changed("Get", err)
	_, err = shard.Read(last, make([]byte, 100_000))
	changed("Read", err)
	_, err = shard.GetVerified(last)
	changed("GetVerified", err)
	changed("WithView", shard.WithView(last, func(block []byte) error {
		sum := 0
		for _, value := range block {
			sum += int(value)
		}
		return fmt.Errorf("the sum is %d", sum)
	}))
	_, err = store.Get(background, last)
	changed("Store.Get", err)
	changed("GetMany", must(shard.GetMany([]dagstore.CID{last}))[0].Err)

	// Faults elsewhere, and in views, are those of Go.
	for name, read := range map[string]func(){
		"a view":   func() { fmt.Println(view.Bytes()[0], stored.Bytes()[0]) },
		"a nil":    func() { fmt.Println(*(*int)(nil)) },
		"an index": func() { fmt.Println(view.Bytes()[len(blocks[99].data)]) },
	} {
		if err := panics(read); err == nil {
			return errors.New("a read of " + name + " gave no panic")
		}
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		return err
	}
	if found := <-signals; found != syscall.SIGUSR1 {
		return fmt.Errorf("the signal %v came", found)
	}
	view.Release()
	stored.Release()
	shard.Release()

	// A block that is lost leaves a hole between the others of its batch.
	mixed := append(randomBlocks(2, 1, 100), randomBlocks(3, 1, 100_000)...)
	path = must(filepath.Abs("mixed.car"))
	if err := os.WriteFile(path, car(mixed), 0o644); err != nil {
		return err
	}
	if err := store.Register(background, "mixed", fileURL(path), nil); err != nil {
		return err
	}
	shard = must(store.Acquire(background, "mixed"))
	if err := os.Truncate(path, 4096); err != nil {
		return err
	}
	results := must(shard.GetMany([]dagstore.CID{mixed[1].cid, mixed[0].cid}))
	changed("GetMany", results[0].Err)
	if results[1].Err != nil || !bytes.Equal(results[1].Block, mixed[0].data) {
		return fmt.Errorf("the block beside a lost one is %v", results[1])
	}
	shard.Release()
	return store.Close()
}

// panics returns the value of a panic, or of a fault.
func panics(run func()) (value any) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { value = recover() }()
	run()
	return nil
}
