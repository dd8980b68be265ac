# Each target is one line of shell, or a script under scripts/ whose head explains it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help setup build demo check test-unit test test-long test-matrix test-consumers test-swap fuzz fuzz-guided bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install what building and testing need (Debian 12; root or sudo)
	@scripts/setup.sh --registry --mysql --mariadb --rest-clients

build: ## the daemon, optimised
	@. scripts/env.sh && cargo build --release --bin afterimage && echo "built: $$CARGO_TARGET_DIR/release/afterimage"

demo: ## a database, Kafka and the daemon on free ports; shows change events as rows change. DB=postgres|mysql|mariadb
	@scripts/demo.sh $(DB)

check: ## format, clippy, rustdoc, unused dependencies, shellcheck, licences; needs no server
	@scripts/check.sh

test-unit: ## the tests that need no server: libraries, house rules, documents (a minute or two)
	@scripts/test-unit.sh

test: ## all tests, from unit tests to whole-daemon tests on their own PostgreSQL, MySQL, MariaDB, Kafka and schema registry
	@scripts/test.sh

test-long: ## the same with the long forms of the crash, owner and load tests (about half an hour)
	@AFTERIMAGE_TEST_LONG=1 scripts/test.sh

test-matrix: ## the tests that need a database server, on other versions of PostgreSQL, MySQL and MariaDB (see scripts/test-matrix.sh)
	@scripts/test-matrix.sh

test-consumers: ## Flink and Confluent's and Java's Avro read topics of PostgreSQL and MySQL (fetches 400 MB once)
	@scripts/test-consumers.sh

test-swap: ## Debezium in a Java worker and the daemon take connectors over from each other (fetches 110 MB once)
	@scripts/test-swap.sh

fuzz: ## property tests with many more cases (PROPTEST_CASES, by default 20000)
	@. scripts/env.sh && PROPTEST_CASES=$${PROPTEST_CASES:-20000} cargo test --workspace --lib

fuzz-guided: ## cargo-fuzz on the code that parses the server's bytes and users' texts, a minute each (needs a nightly compiler)
	@scripts/fuzz.sh

bench: ## measures rates, a 3,000,000-row transaction, latency and memory, beside pg_recvlogical
	@scripts/bench.sh

clean: ## delete what was built (the downloaded jars stay)
	@. scripts/env.sh && cargo clean
