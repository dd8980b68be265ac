#!/usr/bin/env bash
# `make bench`: the optimised daemon's snapshot and streaming rates on this machine, beside pg_recvlogical's on the same
# log. AFTERIMAGE_BENCH_ROWS rows (1,000,000 unless said otherwise).
exec "$(dirname "$0")/test.sh" --release --test bench -- --ignored --nocapture
