# shellcheck shell=bash
# Sourced by the scripts that run tests.
# count_tests COMMAND...: runs it, shows its output, and ends with "N passed, M failed" over all test programs in it.
# Succeeds only when some passed and none failed. A test program that died (a crash, a kill) has no result line: the
# command's exit code still tells.
count_tests() {
  local output code passed failed
  output=$(mktemp)
  "$@" 2>&1 | tee "$output"
  code=${PIPESTATUS[0]}
  read -r passed failed < <(awk '/^test result: / { p += $4; f += $6 } END { print p + 0, f + 0 }' "$output")
  rm -f "$output"
  if [ "$failed" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$passed" -eq 0 ]; }; then failed=1; fi
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
