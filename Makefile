# SPDX-License-Identifier: Apache-2.0
# A thin front door: every target hands over to a CMake preset or to a program in ci/, so that a developer, the
# demo and the continuous integration run the same commands. `make help` lists them.

PREFIX ?= /usr/local
ONLY ?=
KEEP ?=
JOBS ?= $(shell nproc)

.DEFAULT_GOAL := all
.PHONY: all tests test demo bench bench-flink lint format docs install uninstall clean help

all: ## build build/leat and build/lib/*.so (the default)
	@ci/setup build
	@ci/build release product

tests: ## build the tests into build/tests/
	@ci/setup build
	@ci/build release

test: ## set everything up and run every test; the last line is "N passed, N failed"
	@ci/test

demo: all ## run the order pipeline on servers of its own; KEEP=1 leaves them running
	@ci/setup servers
	@KEEP='$(KEEP)' ci/demo

bench: ## run the benches against their rivals; ONLY=name picks one, ROUNDS=n, JSON=file
	@ci/setup build servers
	@bench/run $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(JSON),--json '$(JSON)') $(ONLY)

bench-flink: ## measure Flink 1.18.1 on the order pipeline; its figures go to bench/flink/figures.json
	@ci/setup servers flink
	@bench/flink/run

lint: ## layout, banned calls, clang and clang-tidy, kept at zero findings; half an hour (ci/lint FILE... is quick)
	@ci/setup build lint
	@ci/lint

format: ## lay the sources out by .clang-format
	@ci/setup lint
	@ci/format fix

docs: all ## rewrite docs/reference/ from the option tables of the plugins
	@ci/docs fix

install: all ## install below PREFIX (default /usr/local); DESTDIR=... for packages
	cmake --install build --prefix '$(PREFIX)'
	@cp build/install_manifest.txt build/installed.txt

uninstall: ## remove what the last `make install` of this folder has installed; with the same DESTDIR
	@ci/uninstall build/installed.txt

clean: ## remove every build folder
	rm -rf build build-debug build-asan build-tsan build-clang build-fuzz

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 26
