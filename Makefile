# What people and CI run. `make help` lists it. Needs Rust, make and a C compiler.
# FLUENT_BIT may name Fluent Bit binaries, separated by ':'; tests and demo then run on them too.

CARGO ?= cargo
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= chunk event record secret template config watch tenants answer
# Longest input: what a field, a length or a depth can do, it does in few bytes.
FUZZ_BYTES ?= 2000
# Where `make doctor` finds Fluent Bit's HTTP server, and what else it is told: ARGS="--kube-url http://127.0.0.1:8001"
# lets it follow the events beside `kubectl proxy`.
HOST_URL ?= http://127.0.0.1:2020
ARGS ?=
PLUGIN := $(CURDIR)/dist/out_event_gateway.so
# The filter by the name that hosts want. A link: two copies would be two images, which share nothing.
FILTER := $(CURDIR)/dist/flb-filter_service_impact.so
# Asked of cargo, as the environment or a configuration may move it.
TARGET_DIR = $(shell $(CARGO) metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

.DEFAULT_GOAL := all
.PHONY: all demo doctor test test-first-half test-second-half check prove soak schedules replicas valgrind bench bench-host instructions header licences fuzz asan clean help

all: ## build dist/out_event_gateway.so, both plugins, and its second name (default)
	$(CARGO) build --locked --release
	mkdir -p dist
# By rename: a host that has the old file mapped keeps it whole.
	cp "$(TARGET_DIR)/release/libevent_gateway.so" "$(PLUGIN).new"
	mv -f "$(PLUGIN).new" "$(PLUGIN)"
	ln -sf "$(notdir $(PLUGIN))" "$(FILTER)"

demo: all ## send a real cluster's events through the plugin, twice
	EVENT_GATEWAY_SO="$(PLUGIN)" $(CARGO) test --quiet --test demo

doctor: ## ask a running Fluent Bit (HOST_URL, ARGS) whether events flow; 0 well, 1 not, 2 cannot be read
	@$(CARGO) run --locked --quiet --example doctor -- "$(HOST_URL)" $(ARGS)

# Tests mostly wait, for hosts and gateways: three at a time for each processor, in two programs at a time. The programs of
# the first half take as long as all others together. What a half prints appears when it is done.
FIRST_HALF := delivery demo operating papers
SECOND_HALF = $(filter-out $(FIRST_HALF),$(patsubst tests/%/main.rs,%,$(wildcard tests/*/main.rs)))
test: export RUST_TEST_THREADS ?= $(shell echo $$((3 * $$(getconf _NPROCESSORS_ONLN) / 2)))
test: ## run the whole suite, documentation tests included, then the guard of instructions
	$(CARGO) test --locked --no-run
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target test-first-half test-second-half
	@$(MAKE) --no-print-directory instructions

test-first-half:
	$(CARGO) test --locked --no-fail-fast $(addprefix --test ,$(FIRST_HALF))

test-second-half:
	$(CARGO) test --locked --no-fail-fast --lib $(addprefix --test ,$(SECOND_HALF))
	$(CARGO) test --locked --doc

# A release build is what it costs: a minute after a change, two to four from nothing; counting takes ten
# seconds. It is not even built where it could not count.
instructions: ## count each stage's instructions against benches/instructions.txt; needs valgrind
	@if valgrind --version >/dev/null 2>&1; then $(CARGO) run --locked --quiet --release --features instructions --bin instructions; \
		else echo "instructions: not counted, as valgrind is not installed"; fi

check: ## look for what needs no test run: format, lints, rustdoc and, with cargo-deny, dependencies and their advisories
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --features instructions -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --quiet --no-deps --workspace
	@set -e; if ! $(CARGO) deny --version >/dev/null 2>&1; then echo "dependencies: not looked at, as cargo-deny is not installed"; exit; fi; \
		$(CARGO) deny check bans licenses sources; \
		if $(CARGO) deny fetch db >/dev/null 2>&1; then $(CARGO) deny check advisories; \
		else echo "advisories: not looked at, as their database cannot be fetched"; fi

# The replay behind a real host needs FLUENT_BIT, and says so where there is none.
prove: ## the long runs, an hour: kills, power losses, faulty gateways, mutations, histories; docs/guarantees.md has longer ones
	KILL9_ROUNDS=1000 KILL9_REAL_ROUNDS=100 MUTATIONS=1000000 PROPTEST_CASES=10000 ORACLE_CASES=1000000 \
		GATEWAY_FAULT_SEEDS=50 POWER_LOSS_STATES=100000 TENANT_WORLDS=100000 OUTAGES=20 PERTURBATION_SECONDS=600 REPLAY_SECONDS=284 \
		$(CARGO) test --locked --test border --test cluster --test delivery --test files --test formats --test memory -- --nocapture \
		filter:: correlation_model:: following:: lateness:: gateway_faults:: kill9:: ledger:: ledger_power_loss:: decoding:: mutations::
	REPLAY_SECONDS=284 $(CARGO) test --locked --test real late_cluster -- --nocapture

soak: all ## deliver SOAK_EVENTS (5000000) with faults, restarts and kills, and look at memory; SOAK_SEED repeats one
	SOAK_EVENTS=$${SOAK_EVENTS:-5000000} EVENT_GATEWAY_SO="$(PLUGIN)" \
		$(CARGO) test --locked --test soak -- --nocapture

schedules: ## try the threads' steps in SCHEDULES (100000) orders for each question; SCHEDULES_SEED repeats a run
	SCHEDULES=$${SCHEDULES:-100000} $(CARGO) test --locked --test schedules -- --nocapture

replicas: ## try the protocol of the replicas: STATES (4000000) of each world, SEEDS (1000000) walks, all mutants
	STATES=$${STATES:-4000000} SEEDS=$${SEEDS:-1000000} MUTANTS=100 \
		$(CARGO) test --locked --test replicas -- --nocapture

# On the mini host alone, which tells valgrind of the stacks that its coroutines run on: a real one tells nobody.
valgrind: ## look for invalid accesses and leaks at the border over VALGRIND_FLUSHES (100) and ten times as many
	@valgrind --version >/dev/null 2>&1 || { echo "valgrind: nothing was looked at, as it is not installed"; exit 1; }
	VALGRIND_FLUSHES=$${VALGRIND_FLUSHES:-100} $(CARGO) test --locked --test border output::valgrind -- --nocapture

bench: ## measure what each stage, the whole, a correlation, following a cluster and waiting cost, and how it grows
	$(CARGO) bench --locked --bench journey --bench topology --bench cluster --bench latency \
		--bench neighbour

bench-host: all ## measure what an event costs a real Fluent Bit (EVENTS, ROUNDS, PASSES), beside what the host has itself
	EVENT_GATEWAY_SO="$(PLUGIN)" $(CARGO) bench --locked --profile dev --bench host

licences: ## refresh THIRD_PARTY.md
	UPDATE_THIRD_PARTY=1 $(CARGO) test --test papers third_party::the_list

header: ## refresh include/event_gateway.h
	UPDATE_HEADER=1 $(CARGO) test --test papers header::the_checked_in

# New finds go into fuzz/found; fuzz/corpus is what is kept, and is only read.
fuzz: ## run every fuzz target for FUZZ_SECONDS (60); needs nightly Rust and cargo-fuzz
	$(CARGO) +nightly run --manifest-path fuzz/Cargo.toml --bin seeds
	set -e; for target in $(FUZZ_TARGETS); do mkdir -p fuzz/found/$$target fuzz/corpus/$$target; \
		$(CARGO) +nightly fuzz run $$target fuzz/found/$$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
		-dict=fuzz/dictionaries/$$target -max_len=$(FUZZ_BYTES) -timeout=20 -max_total_time=$(FUZZ_SECONDS); done

# Blind, but ten times as fast as the fuzzer. A target of its own, so that build scripts are not instrumented.
asan: ## try MUTATIONS (1000000) mutants of each target in process under AddressSanitizer; needs nightly Rust
	MUTATIONS=$${MUTATIONS:-1000000} RUSTFLAGS="-Zsanitizer=address --cfg fuzzing" \
		CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		$(CARGO) +nightly test --locked --release --target $$(rustc -vV | sed -n 's/^host: //p') --test memory -- \
		--nocapture --exact $(patsubst %,mutations::mutants_of_%_do_no_harm,a_chunk an_event settings a_list_and_a_watch two_tenants an_answer)

clean: ## remove everything that was built
	$(CARGO) clean
	rm -rf dist

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1#/p' $(MAKEFILE_LIST) | while IFS='#' read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done
