#!/bin/sh
# Runs the native tests that tools/build.sh --tests has built into the folder OUTPUT; without any, says so.
#
#   test.sh OUTPUT [PLANTED]
#
# Of the bugs that are planted in each kernel file, the first PLANTED; all of them without it.
set -eu
case $# in
  1) ;;
  2) export GRIDSTRIDE_PLANTED="$2" ;;
  *) echo "usage: test.sh OUTPUT [PLANTED]" >&2; exit 2 ;;
esac
if [ ! -f "$1/cmake/CTestTestfile.cmake" ]; then
  echo "native: no tests were built"
  exit 0
fi
jobs=$(getconf _NPROCESSORS_ONLN 2> /dev/null || echo 2)
ctest --test-dir "$1/cmake" --parallel "$jobs" --output-on-failure > "$1/test.log" 2>&1 && status=0 || status=$?
if [ "$status" -eq 0 ]; then
  grep -E '^[0-9]+% tests passed|^Total Test time' "$1/test.log"
else
  grep -E -B1 -A40 '\*\*\*(Failed|Timeout|Exception)' "$1/test.log" | head -n 200
  grep -E '^[0-9]+% tests passed|Failed\)|Timeout\)' "$1/test.log"
  echo "native: tests failed; the log is $1/test.log"
fi
exit "$status"
