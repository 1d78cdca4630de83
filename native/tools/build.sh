#!/bin/sh
# Builds the native libraries, each with its SHA-256 beside it, into the class path folders that Java looks in.
#
#   build.sh OUTPUT [--parts cuda,emulator] [--require cuda,emulator] [--tests]
#
#   OUTPUT/cuda-classes/META-INF/native/PLATFORM/      libgridstride_cuda.so
#   OUTPUT/emulator-classes/META-INF/native/PLATFORM/  libgridstride_emulator.so
#   OUTPUT/cmake                                       CMake's build, with the tests under --tests
#
# What a machine can't build is skipped with one line: CUDA without nvcc, everything without CMake, g++ and
# Python 3. A part named by --require fails instead.
set -eu
native=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
[ $# -ge 1 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2; }
mkdir -p "$1"
output=$(CDPATH= cd -- "$1" && pwd -P)
shift
parts=cuda,emulator
require=
tests=OFF
while [ $# -gt 0 ]; do
  case $1 in
    --parts) parts=$2; shift 2 ;;
    --require) require=$2; shift 2 ;;
    --tests) tests=ON; shift ;;
    *) echo "native: build.sh knows no option $1" >&2; exit 2 ;;
  esac
done

# listed PART LIST
listed() {
  case ",$2," in *",$1,"*) return 0 ;; esac
  return 1
}

# skip PART REASON
skip() {
  if listed "$1" "$require"; then
    echo "native: $1 is required, but $2" >&2
    exit 1
  fi
  echo "native: $1 skipped: $2"
  [ -z "${output:-}" ] || rm -rf "$output/$1-classes"
}

missing=
for tool in cmake g++ python3; do
  command -v "$tool" > /dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
  for part in cuda emulator; do
    if listed "$part" "$parts"; then skip "$part" "not on the PATH:$missing"; fi
  done
  exit 0
fi

cuda=OFF
emulator=OFF
if listed cuda "$parts"; then
  if command -v "${CUDACXX:-nvcc}" > /dev/null 2>&1 || [ -x /usr/local/cuda/bin/nvcc ]; then
    cuda=ON
    command -v "${CUDACXX:-nvcc}" > /dev/null 2>&1 || PATH=/usr/local/cuda/bin:$PATH
  else
    skip cuda "nvcc of CUDA 13 is not on the PATH"
  fi
fi
if listed emulator "$parts"; then
  case $(uname -m) in
    x86_64 | amd64) emulator=ON ;;
    *) skip emulator "it needs an x86-64 processor" ;;
  esac
fi
[ $cuda$emulator != OFFOFF ] || exit 0

generator=
if [ ! -f "$output/cmake/CMakeCache.txt" ] && command -v ninja > /dev/null 2>&1; then
  generator="-G Ninja"
fi
# shellcheck disable=SC2086 # empty or two words
cmake $generator -S "$native" -B "$output/cmake" -DGRIDSTRIDE_CUDA=$cuda -DGRIDSTRIDE_REQUIRE_CUDA=$cuda \
  -DGRIDSTRIDE_EMULATOR=$emulator -DGRIDSTRIDE_TESTS=$tests > "$output/configure.log" 2>&1 || {
  cat "$output/configure.log" >&2
  exit 1
}
jobs=$(getconf _NPROCESSORS_ONLN 2> /dev/null || echo 2)
targets=
if [ $tests = OFF ]; then
  [ $cuda = OFF ] || targets="$targets gridstride_cuda"
  [ $emulator = OFF ] || targets="$targets gridstride_emulator"
  targets="--target$targets"
fi
# shellcheck disable=SC2086 # a list of targets
cmake --build "$output/cmake" --parallel "$jobs" $targets > "$output/build.log" 2>&1 || {
  grep -E -A12 'FAILED|rror|warning' "$output/build.log" | tail -n 80 >&2
  echo "native: the build failed; its log is $output/build.log" >&2
  exit 1
}

platform=$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m | sed 's/^amd64$/x86_64/')
# place PART FOLDER: the stripped library of the part and its SHA-256
place() {
  folder=$output/$1-classes/META-INF/native/$platform
  library=libgridstride_$1.so
  mkdir -p "$folder"
  strip --strip-unneeded -o "$folder/$library.new" "$output/cmake/$2/$library"
  mv -f "$folder/$library.new" "$folder/$library"
  (cd "$folder" && sha256sum "$library" > "$library.sha256")
  echo "native: $1 built: $(wc -c < "$folder/$library" | awk '{ printf "%.1f MB", $1 / 1e6 }')"
}
[ $cuda = OFF ] || place cuda cuda
[ $emulator = OFF ] || place emulator emulator
