# swift-dagstore: what one can make. Every target installs what it needs itself.

SHELL := /bin/bash
SWIFT ?= swift

.PHONY: help setup build release demo test lint soak mutants bench bench-instructions fuzz clean

help: ## shows this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup:
	@.ci/setup

build: setup ## builds everything, with debug checks
	$(SWIFT) build --build-tests

release: setup ## builds .build/release/dagstore
	$(SWIFT) build -c release

demo: release ## makes a CAR of this folder's sources, stores it, and reads it back
	@.ci/demo

lint: ## checks the format
	@$(SWIFT) format lint --strict --parallel --recursive Sources Tests Benchmarks Package.swift

test: setup lint ## builds and runs all tests, the README's example and the release smoke
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build
	@.ci/smoke
	@.ci/outside demo-data/sources.car 'bytes, verified'

soak: setup ## kills a busy store over and over for a minute, and looks for anything lost
	$(SWIFT) build --build-tests
	DAGSTORE_SOAK_SECONDS=60 $(SWIFT) test --skip-build --filter SoakTests

mutants: setup ## changes the lifecycle's table line by line; its tests must notice each time
	Tests/ShardLifecycleTests/mutants.sh

bench: release ## measures, and prints a JSON line for each figure; makes 5 GB of data
	@rm -f .build-bench/release.yaml  # or a file that is new in this package goes unseen
	cd Benchmarks && $(SWIFT) build -c release --scratch-path ../.build-bench
	DAGSTORE=$(CURDIR)/.build/release/dagstore .build-bench/release/dagstore-bench run --data .build-bench/data

bench-instructions: bench ## counts the instructions of a lease, with valgrind
	@command -v valgrind >/dev/null || { apt-get update -q && apt-get install -y -q valgrind; } >/dev/null
	Benchmarks/instructions.sh .build-bench/release/dagstore-steps .build-bench/data

fuzz: setup ## runs every fuzzer for a minute
	Tests/Fuzz/run.sh 60

clean: ## removes what was built
	rm -rf .build .build-* demo-data
