# shellcheck shell=bash
# Sourced by the scripts that run tests.
# count_tests COMMAND...: runs the command, shows its output, and prints "N passed, M failed" over all test programs.
# Succeeds only when some tests passed and none failed. A test program that crashed or was killed prints no result line,
# so the exit code of the command counts as well.
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
