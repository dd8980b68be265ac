#!/usr/bin/env bash
# `make bench`: measures the snapshot and streaming rates of the optimised daemon on this machine, and those of
# pg_recvlogical on the same log. AFTERIMAGE_BENCH_ROWS is the number of rows (default 1,000,000).
exec "$(dirname "$0")/test.sh" --release --test bench -- --ignored --nocapture
