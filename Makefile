# swift-dagstore: what one can make. Every target installs what it needs itself.

SHELL := /bin/bash
SWIFT ?= swift
# Everything that can be built in is; `swift build` by itself leaves LevelDB out.
export TRAITS = --traits LevelDB
# A section for each function, so that the linker of libdagstore drops those that nobody calls.
export RELEASE = $(SWIFT) build $(TRAITS) -c release -Xswiftc -Xfrontend -Xswiftc -function-sections

.PHONY: help setup build release demo program libdagstore install uninstall install-for-bench test lint multicodec-names check-multicodec-names soak soak-c tsan mutants bench bench-peers bench-micro bench-instructions bench-smoke build-bench profile fuzz clean

help: ## shows this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup:
	@.ci/setup

build: setup ## builds everything, with debug checks
	$(SWIFT) build $(TRAITS) --build-tests

release: setup ## builds .build/release/dagstore
	$(RELEASE)

demo: release ## makes a CAR of this folder's sources, stores it, and reads it back
	@.ci/demo

program: release ## builds .build/program: dagstore without Swift's libraries, its manual, its completions
	@.ci/program

libdagstore: setup ## builds .build/libdagstore/libdagstore.so, the library for C, Go, Rust and Python
	@.ci/libdagstore

PREFIX ?= /usr/local
DESTDIR ?=
prefix = $(DESTDIR)$(PREFIX)

man = $(prefix)/share/man/man1
bash = $(prefix)/share/bash-completion/completions
zsh = $(prefix)/share/zsh/site-functions
fish = $(prefix)/share/fish/vendor_completions.d

install: program libdagstore ## puts the program and the library for C below PREFIX
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

uninstall: ## removes what install put below PREFIX
	rm -f $(prefix)/bin/dagstore $(man)/dagstore.1 $(man)/dagstore-*.1
	rm -f $(bash)/dagstore $(zsh)/_dagstore $(fish)/dagstore.fish
	rm -f $(prefix)/include/dagstore.h $(prefix)/lib/libdagstore.so $(prefix)/lib/libdagstore.so.1
	rm -f $(prefix)/lib/pkgconfig/dagstore.pc

lint: ## checks the format
	@$(SWIFT) format lint --strict --parallel --recursive Sources Tests Benchmarks Package.swift

test: setup lint ## builds and runs all tests, the README's example and the release smoke
	$(SWIFT) build $(TRAITS) --build-tests
	$(SWIFT) test $(TRAITS) --skip-build
	@.ci/smoke
	@.ci/foreign
	@.ci/outside demo-data/sources.car 'bytes, verified'

multicodec-names: ## writes the names of multicodec numbers anew: make multicodec-names TABLE=table.csv
	.ci/multicodec-names $(TABLE)

check-multicodec-names: ## says whether the names are those of a table: make check-multicodec-names TABLE=table.csv
	.ci/multicodec-names --check $(TABLE)

soak: setup ## kills a busy store over and over for a minute, and looks for anything lost
	$(SWIFT) build $(TRAITS) --build-tests
	DAGSTORE_SOAK_SECONDS=60 $(SWIFT) test $(TRAITS) --skip-build --filter SoakTests

soak-c: demo ## eight threads use libdagstore from C for 30 s, and again under AddressSanitizer
	@$(MAKE) --no-print-directory install PREFIX=$(CURDIR)/.build/prefix
	Tests/CSoak/run.sh $(CURDIR)/.build/prefix 30 demo-data/sources.car $(SOAK_CARS)

TSAN_SUITES = SharedReadsTests|ConcurrencyTests|LookupTests|LifetimeTests|StoreTests|ManyShardsTests|InverseTests|HandleTests|CStoreTests|CMountTests

tsan: setup ## runs the suites of concurrency under ThreadSanitizer
	$(SWIFT) build $(TRAITS) --build-tests --sanitize=thread --scratch-path .build-tsan
	TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/tsan.supp" $(SWIFT) test $(TRAITS) --skip-build --sanitize=thread \
		--scratch-path .build-tsan --filter '$(TSAN_SUITES)'

mutants: setup ## changes the lifecycle's table line by line; its tests must notice each time
	Tests/ShardLifecycleTests/mutants.sh

BENCH = DAGSTORE=$(CURDIR)/.build/release/dagstore DAGSTORE_PREFIX=$(CURDIR)/.build-bench/prefix \
	.build-bench/release/dagstore-bench
RESULTS = .build-bench/results

bench: build-bench install-for-bench ## measures all that needs no peers, in ten minutes; makes 7 GB of data
	$(BENCH) run --quick --data .build-bench/data --out $(RESULTS)/quick.jsonl
	$(BENCH) report $(RESULTS)/quick.jsonl --to .build-bench --html .build-bench/report.html

bench-peers: build-bench install-for-bench ## measures everything, beside LevelDB, RocksDB, LMDB and a flat file; writes RESULTS.md
	@.ci/peers
	$(BENCH) run --all --data .build-bench/data --out $(RESULTS)/all.jsonl
	$(BENCH) report $(RESULTS)/all.jsonl --to Benchmarks --html .build-bench/report.html

build-bench: release
	@mkdir -p $(RESULTS)
	@rm -f .build-bench/release.yaml  # or a file that is new in this package goes unseen
	cd Benchmarks && $(SWIFT) build -c release --scratch-path ../.build-bench

install-for-bench:
	@$(MAKE) --no-print-directory install PREFIX=$(CURDIR)/.build-bench/prefix

bench-micro: build-bench ## times single steps: a varint, a CID, a section, a page, a look-up
	.build-bench/release/dagstore-micro --time-unit us

bench-instructions: build-bench ## counts the instructions of single steps with valgrind; fails if one takes 3 % more than it may
	@command -v valgrind >/dev/null || { apt-get update -q && apt-get install -y -q valgrind; } >/dev/null
	Benchmarks/instructions.sh .build-bench/release/dagstore-steps .build-bench/data

profile: build-bench ## shows where a workload spends its time: make profile NAME=lookup
	Benchmarks/profile.sh $(NAME) $(BENCH)

bench-smoke: build-bench ## runs a few workloads once, compares and reports them: does the harness work?
	@.ci/bench-smoke

fuzz: setup ## runs every fuzzer for a minute
	Tests/Fuzz/run.sh 60

clean: ## removes what was built
	rm -rf .build .build-* demo-data
