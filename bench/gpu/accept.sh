#!/usr/bin/env bash
# Acceptance on a GPU host, from an unpacked bundle (./gridstride bundle DIR): one PASS, FAIL or SKIP line a step,
# then a summary; status 1 when a step failed. Needs an NVIDIA driver; compute-sanitizer of a CUDA toolkit for the
# sanitizer steps. Everything else is in the bundle: no Java, no network.
#
#   bench/gpu/accept.sh [--out DIR] [--only wrappers,abi,java,vendor,train,verify,sanitizer] [--jobs N]
#
#   --out DIR    logs of every step (default out/accept)
#   --jobs N     so many steps at a time (default 4); they share the GPU
#
# vendor: op tests by cuBLASLt, cuDNN and JCuda where they are found; LD_LIBRARY_PATH may name more folders.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
out=$root/out/accept
only=wrappers,abi,java,vendor,train,verify,sanitizer
jobs=4
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
  esac
done
mkdir -p "$out"
out=$(cd "$out" && pwd -P)
programs=$root/native/tests
if [ ! -d "$programs" ]; then
  echo "accept.sh: $programs is missing: run this from a bundle, made by './gridstride bundle DIR'" >&2
  exit 2
fi
export LD_LIBRARY_PATH=$programs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
summary=$out/summary
: > "$summary"

report() { # PASS|FAIL|SKIP name detail
  printf '%-4s %-34s %s\n' "$1" "$2" "$3" | tee -a "$summary"
}
counted() { grep -c "^$1" "$summary"; }

# step NAME SECONDS COMMAND...: runs it with its log under $out. 77 means that the device can't run it.
step() {
  local name=$1 limit=$2 log=$out/$1.log start=$SECONDS rc
  shift 2
  timeout -k 10 "$limit" "$@" > "$log" 2>&1 < /dev/null
  rc=$?
  case $rc in
    0) report PASS "$name" "$((SECONDS - start)) s" ;;
    77) report SKIP "$name" "$(tail -n 1 "$log" | cut -c1-120)" ;;
    124 | 137) report FAIL "$name" "still running after $limit s; $log" ;;
    *) report FAIL "$name" "status $rc: $(grep -m 1 -E 'FAIL|ERROR|rror:|=========.*(Invalid|Race|Uninit|Barrier)' "$log" | cut -c1-160)" ;;
  esac
}
# Beside others, once there are fewer than --jobs of them.
beside() {
  while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
  step "$@" &
}
wanted() { case ",$only," in *",$1,"*) return 0 ;; esac; return 1; }

cat "$root/BUNDLE"
if ! nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader; then
  report FAIL driver "nvidia-smi finds no NVIDIA driver"
  exit 1
fi

if wanted wrappers; then # what no emulator can check; first, since all kernels rest on it
  for name in fragments hopper mma_gemm wgmma_gemm; do
    step "wrappers.$name" 120 "$programs/gpu_$name"
  done
fi

if wanted abi; then
  for program in "$programs"/*_cuda; do
    beside "abi.$(basename "$program" _cuda)" 300 "$program"
  done
fi

# junit MODULE JVM-OPTION... -- LAUNCHER-OPTION...: tests of a module over the GPU.
junit() {
  local module=$1 options=()
  shift
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  "$root/runtime/bin/java" @"$root/jvm.args" -Dgridstride.test.device=cuda "${options[@]}" \
    -cp "$(classpath "$module")" org.junit.platform.console.ConsoleLauncher execute --disable-banner --details=summary "$@"
}
classpath() { echo "$root/java-tests/$1/test-classes:$root/java-tests/lib/*:$root/lib/*:$root/natives"; }
export -f junit classpath # timeout starts a shell of its own
export root

if wanted java; then
  cd "$root/java-tests" || exit 1 # ../native/include is the header that the binding is compared with
  for module in kernels java-api; do
    # without cuDNN: tests of our kernels' limits expect that nobody else takes what is beyond them
    beside "java.$module" 540 bash -c 'junit "$@"' junit "$module" -Dgridstride.library.cudnn=none -- --scan-classpath "$root/java-tests/$module/test-classes" \
      --exclude-package dev.gridstride.cpu --exclude-classname '.*\.(AbiTest|LifetimeTest|NumericsTest)' \
      --exclude-tag slow --exclude-tag vector-only
  done
fi

# The ops' tests by one vendor's library; 77 with its refusal where it can't be used.
vendor() {
  local line tests=()
  line=$("$root/runtime/bin/java" @"$root/jvm.args" "-Dgridstride.vendor=$1" -cp "$(classpath kernels)" \
    dev.gridstride.examples.Main info | grep "^$1 ")
  echo "${line:-ERROR: info has no line for $1}"
  case $line in *"usable: "*) ;; "") return 1 ;; *) return 77 ;; esac
  case $1 in *blas*) tests=(GemmTest GemmEpilogueTest GemmAccuracyTest) ;; *) tests=(ConvTest SoftmaxTest) ;; esac
  tests=("${tests[@]/#/--select-class=dev.gridstride.kernels.}")
  junit kernels "-Dgridstride.vendor=$1" -- --select-class=dev.gridstride.kernels.VendorTest "${tests[@]}" \
    --exclude-tag slow --exclude-tag vector-only
}

export -f vendor

if wanted vendor; then
  cd "$root/java-tests" || exit 1
  # Where pip put the libraries (PyTorch brings them), behind those of the system.
  pip=$(python3 -c 'import glob, site, sysconfig
roots = {sysconfig.get_paths()["purelib"], site.getusersitepackages(), *site.getsitepackages()}
print(":".join(d for r in sorted(roots) for d in glob.glob(r + "/nvidia/*/lib")))' 2> /dev/null)
  for name in cublaslt cudnn jcublas jcudnn; do
    LD_LIBRARY_PATH=$LD_LIBRARY_PATH${pip:+:$pip} beside "java.$name" 540 bash -c 'vendor "$1"' vendor "$name"
  done
fi

if wanted train; then
  beside train.mnist 300 "$root/gridstride" train mnist --device cuda --epochs 3 --seed 1 --out "$out/mnist" \
    --json "$out/mnist.json"
fi

if wanted verify && [ -d "$root/conformance" ]; then
  beside verify.onnx 300 "$root/gridstride" verify "$root/conformance" --device cuda
fi

if wanted sanitizer; then
  sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2> /dev/null)
  if [ -z "$sanitizer" ]; then # a check that did not run is not a pass
    report FAIL sanitizer "compute-sanitizer is not on the PATH: install the CUDA toolkit"
  else
    for tool in memcheck racecheck initcheck synccheck; do
      for program in "$programs"/*_cuda; do
        name=$(basename "$program" _cuda)
        # The test of the runtime provokes errors on purpose.
        [ "$name" != runtime ] || continue
        beside "$tool.$name" 240 "$sanitizer" --tool "$tool" --report-api-errors no --error-exitcode 1 \
          "$program" # the tests provoke refusals of the API
      done
    done
  fi
fi

wait
echo "$(counted PASS) passed, $(counted FAIL) failed, $(counted SKIP) skipped; logs in $out"
[ "$(counted FAIL)" -eq 0 ]
