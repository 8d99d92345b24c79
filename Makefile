# swift-dagstore: the targets. Each target installs what it needs.

SHELL := /bin/bash
SWIFT ?= swift
# All traits are on here; plain `swift build` leaves them out.
export TRAITS = --traits LevelDB,Node,Cluster
# More flags for debug builds; CI has some here that save time.
export FASTER ?=
# A section for each function, so that the linker of libdagstore drops unused functions.
# With BUILT=1 the release build counts as up to date: SwiftPM would compile the package's own modules again.
export RELEASE = $(if $(BUILT),true,$(SWIFT) build $(TRAITS) -c release -Xswiftc -Xfrontend -Xswiftc -function-sections)

.PHONY: help setup build release demo serve-demo cluster-demo program libdagstore install uninstall bindings wheel deb install-for-bench test test-long test-admin lint docs multicodec-names check-multicodec-names soak soak-c soak-cluster tsan mutants bench bench-peers bench-micro bench-instructions bench-smoke build-bench profile fuzz clean

help: ## Show these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24

setup: ## Install the system libraries that the build needs, if they are missing (Debian, Ubuntu, Homebrew)
	@.ci/setup

build: setup ## Build everything with debug checks, tests included
	$(SWIFT) build $(TRAITS) $(FASTER) --build-tests

release: setup ## Build .build/release/dagstore
	$(RELEASE)

# Other traits are other flags for every module, so this build has a folder of its own.
demo: setup ## Make a CAR of this folder's sources in demo-data, register it, and read a block back
	$(SWIFT) build -c release --scratch-path .build-demo --product dagstore
	@BIN=.build-demo/release .ci/demo

serve-demo: setup ## Build the node, serve the demo's CAR, and fetch it back over HTTP
	@[ -f demo-data/sources.car ] || $(MAKE) --no-print-directory demo
	$(RELEASE) --product dagstore
	@.ci/serve-demo

cluster-demo: setup ## Run three nodes on one PostgreSQL server, kill one, and fetch every CAR again; needs postgresql
	@[ -f demo-data/sources.car ] || $(MAKE) --no-print-directory demo
	$(RELEASE) --product dagstore
	@.ci/cluster-demo

program: release ## Build .build/program: dagstore without Swift's libraries, its manual, its completions
	@.ci/program

libdagstore: setup ## Build .build/libdagstore/libdagstore.so, the library for C, C++, Go, Rust and Python
	@.ci/libdagstore

PREFIX ?= /usr/local
DESTDIR ?=
prefix = $(DESTDIR)$(PREFIX)

man = $(prefix)/share/man/man1
bash = $(prefix)/share/bash-completion/completions
zsh = $(prefix)/share/zsh/site-functions
fish = $(prefix)/share/fish/vendor_completions.d

install: program libdagstore ## Install program and library below PREFIX, by default /usr/local; DESTDIR goes before it
	install -d $(prefix)/bin $(man) $(bash) $(zsh) $(fish) $(prefix)/include $(prefix)/lib/pkgconfig
	install -m 755 .build/program/dagstore $(prefix)/bin/dagstore
	install -m 644 .build/program/man/*.1 $(man)
	install -m 644 .build/program/dagstore.bash $(bash)/dagstore
	install -m 644 .build/program/dagstore.zsh $(zsh)/_dagstore
	install -m 644 .build/program/dagstore.fish $(fish)/dagstore.fish
	install -m 644 CModules/CDAGStore/include/dagstore.h $(prefix)/include/dagstore.h
	install -m 755 .build/libdagstore/libdagstore.so.1 $(prefix)/lib/libdagstore.so.1
	ln -sfn libdagstore.so.1 $(prefix)/lib/libdagstore.so
	sed 's|@PREFIX@|$(PREFIX)|' CModules/CDAGStore/dagstore.pc.in >$(prefix)/lib/pkgconfig/dagstore.pc

uninstall: ## Remove what install put below PREFIX
	rm -f $(prefix)/bin/dagstore $(man)/dagstore.1 $(man)/dagstore-*.1
	rm -f $(bash)/dagstore $(zsh)/_dagstore $(fish)/dagstore.fish
	rm -f $(prefix)/include/dagstore.h $(prefix)/lib/libdagstore.so $(prefix)/lib/libdagstore.so.1
	rm -f $(prefix)/lib/pkgconfig/dagstore.pc

bindings: program libdagstore ## Build and test the packages for Go, Rust and Python, and run the conformance table
	rm -rf .build/bindings
	@$(MAKE) --no-print-directory install PREFIX=$(CURDIR)/.build/bindings
	@.ci/bindings .build/bindings

wheel: libdagstore ## Build the Python package with the library inside, in .build/wheel
	@CModules/CDAGStore/python/build_wheel.sh .build/wheel .build/libdagstore/libdagstore.so.1

deb: ## Build a Debian package in .build/deb: program, library, unit, manual; needs dpkg-dev
	rm -rf .build/deb
	@$(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/.build/deb/root PREFIX=/usr
	@.ci/packaging/deb

docs: setup ## Build the documentation in .build/docs; warnings are errors
	@.ci/docs

lint: ## Check the format of all sources
	@$(SWIFT) format lint --strict --parallel --recursive Sources Tests Benchmarks Package.swift

# Tests start together otherwise, and a test's time limit then counts the turns of all others.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 10

# These kill processes at every failpoint, lose power at every write, try random sequences, or run clusters.
LONG_SUITES = FailpointTests|CrashTests|PowerLossTests|StoreSequenceTests|ClusterProcesses

test: setup lint ## Build and run the tests, build the documentation, run the release smoke test and the README's example
	$(SWIFT) build $(TRAITS) $(FASTER) --build-tests
	$(SWIFT) test $(TRAITS) $(FASTER) --skip-build --skip '$(LONG_SUITES)'
	@.ci/docs
	@.ci/smoke
	@BUILT=1 .ci/foreign
	@.ci/serve-demo
	@.ci/outside demo-data/sources.car 'bytes, verified'

test-long: setup ## Run the suites that kill processes, lose power, try random sequences or run clusters; CI runs them too
	$(SWIFT) build $(TRAITS) $(FASTER) --build-tests
	$(SWIFT) test $(TRAITS) $(FASTER) --skip-build --filter '$(LONG_SUITES)'

test-admin: setup ## Test a node's admin interface with promtool, schemathesis and headless Chromium, where they are installed
	$(RELEASE) --product dagstore
	@.ci/admin

multicodec-names: ## Write the names of multicodec numbers anew: make multicodec-names TABLE=table.csv
	.ci/multicodec-names $(TABLE)

check-multicodec-names: ## Check that these names are those of a table: make check-multicodec-names TABLE=table.csv
	.ci/multicodec-names --check $(TABLE)

soak: setup ## Kill a busy store again and again for a minute, and look for anything lost
	$(SWIFT) build $(TRAITS) $(FASTER) --build-tests
	DAGSTORE_SOAK_SECONDS=60 $(SWIFT) test $(TRAITS) $(FASTER) --skip-build --filter 'DAGStorageTests\.SoakTests'

soak-c: demo ## Use libdagstore from eight C threads for 30 s, then again under AddressSanitizer; SOAK_CARS adds CARs
	@$(MAKE) --no-print-directory install PREFIX=$(CURDIR)/.build/prefix
	Tests/CSoak/run.sh $(CURDIR)/.build/prefix 30 demo-data/sources.car $(SOAK_CARS)

soak-cluster: setup ## Trouble a cluster of three nodes for a minute, and compare its answers with its state; needs postgresql
	$(SWIFT) build $(TRAITS) $(FASTER) --build-tests
	DAGSTORE_SOAK_SECONDS=60 $(SWIFT) test $(TRAITS) $(FASTER) --skip-build --filter ClusterProcesses/SoakTests

TSAN_SUITES = SharedReadsTests|ConcurrencyTests|LookupTests|LifetimeTests|StoreTests|ManyShardsTests|InverseTests|HandleTests|CStoreTests|CMountTests

tsan: setup ## Run the suites of concurrency under ThreadSanitizer
	$(SWIFT) build $(TRAITS) --build-tests --sanitize=thread --scratch-path .build-tsan
	TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/tsan.supp" $(SWIFT) test $(TRAITS) --skip-build --sanitize=thread \
		--scratch-path .build-tsan --filter '$(TSAN_SUITES)'

mutants: setup ## Change the lifecycle's table line by line; fail if its tests miss a change
	Tests/ShardLifecycleTests/mutants.sh

BENCH = DAGSTORE=$(CURDIR)/.build/release/dagstore DAGSTORE_PREFIX=$(CURDIR)/.build-bench/prefix \
	.build-bench/release/dagstore-bench
RESULTS = .build-bench/results

bench: build-bench install-for-bench ## Measure everything that needs no peers, in ten minutes; makes 7 GB of data
	$(BENCH) run --quick --data .build-bench/data --out $(RESULTS)/quick.jsonl
	$(BENCH) report $(RESULTS)/quick.jsonl --to .build-bench --html .build-bench/report.html

bench-peers: build-bench install-for-bench ## Measure everything, beside LevelDB, RocksDB, LMDB and a flat file; writes RESULTS.md
	@.ci/peers
	$(BENCH) run --all --data .build-bench/data --out $(RESULTS)/all.jsonl
	$(BENCH) report $(RESULTS)/all.jsonl --to Benchmarks --html .build-bench/report.html

build-bench: release ## Build the benchmarks in .build-bench
	@mkdir -p $(RESULTS)
	@rm -f .build-bench/release.yaml  # else the build misses a new file of this package
	cd Benchmarks && $(SWIFT) build -c release --scratch-path ../.build-bench

install-for-bench: ## Install program and library below .build-bench/prefix, for the benchmarks
	@$(MAKE) --no-print-directory install PREFIX=$(CURDIR)/.build-bench/prefix

bench-micro: build-bench ## Time single steps: a varint, a CID, a section, a page, a lookup
	.build-bench/release/dagstore-micro --time-unit us

bench-instructions: build-bench ## Count the instructions of single steps with valgrind; fail if one takes 3 % more than it may
	@command -v valgrind >/dev/null || { apt-get update -q && apt-get install -y -q valgrind; } >/dev/null
	Benchmarks/instructions.sh .build-bench/release/dagstore-steps .build-bench/data

profile: build-bench ## Show where a workload spends its time: make profile NAME=lookup
	Benchmarks/profile.sh $(NAME) $(BENCH)

bench-smoke: build-bench ## Run a few workloads once, compare and report them, to test the harness
	@.ci/bench-smoke

fuzz: setup ## Run every fuzzer for a minute
	Tests/Fuzz/run.sh 60

clean: ## Remove everything that was built, and demo-data
	rm -rf .build .build-* demo-data
