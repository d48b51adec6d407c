# Sourced by the scripts beside this folder: what this machine can build, and building it.
#
# Sets root (the source tree, or a bundle's folder). Everything it prints goes to stderr, because stdout is for results.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# The test programs that a GPU is for, and those that want several, in as many processes.
gpu_tests=(cuda_executor_test suites_gpu_test nccl_executor_test)
peer_tests=(peer_executor_test multimem_executor_test)

# The comment at the head of the script that runs.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# As many compilers at once as there are cores, but no more than memory carries at 1 GiB each.
build_jobs() {
  local cores memory_gib
  cores=$(nproc)
  memory_gib=$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo)
  [ "${memory_gib:-0}" -ge 1 ] || memory_gib=1
  echo $((cores < memory_gib ? cores : memory_gib))
}

# What nvidia-smi says of a property, one GPU per line; nothing where it is missing or fails (without
# NVML it complains on stdout).
query_gpus() {  # property
  local answer
  answer=$(nvidia-smi --query-gpu="$1" --format=csv,noheader,nounits 2>/dev/null) || return 0
  [ -z "$answer" ] || printf '%s\n' "$answer"
}

# The toolkit's own question to the driver (nvcc -arch=native), or nothing where it has none.
device_query() {
  local nvcc folder
  nvcc=$(find_nvcc anywhere)
  [ -n "$nvcc" ] || return 0
  for folder in "$(dirname "$nvcc")" "$(dirname "$(readlink -f "$nvcc")")"; do
    [ ! -x "$folder/__nvcc_device_query" ] || { echo "$folder/__nvcc_device_query"; return 0; }
  done
}

# Folders of NVIDIA's Python wheels, one a line, with an NCCL or a cuBLAS that the loader knows nothing of.
wheel_libraries() {
  local known library
  known=$(ldconfig -p 2>/dev/null || true)
  for library in libnccl.so.2 libcublasLt.so.13 libcublasLt.so.12; do
    ! grep -q "^[[:space:]]*$library " <<<"$known" || continue
    python3 - "$library" 2>/dev/null <<'PYTHON' || true
import glob, os, sys
for folder in sys.path:
    for found in sorted(glob.glob(os.path.join(glob.escape(folder), "nvidia", "*", "lib", sys.argv[1]))):
        print(os.path.dirname(os.path.abspath(found)))
PYTHON
  done | awk '!seen[$0]++'
}

# The compute capabilities of the GPUs present, as 90 or 120, each once; none without a driver. Where
# nvidia-smi does not tell, the toolkit does; it too names each once, so nobody counts GPUs by this.
gpu_architectures() {
  local found query
  found=$(query_gpus compute_cap | sed -n 's/^ *\([0-9]\{1,\}\)\.\([0-9]\) *$/\1\2/p')
  query=$(device_query)
  if [ -z "$found" ] && [ -n "$query" ]; then
    found=$({ "$query" 2>/dev/null || true; } | tr ',' '\n' | sed -n 's/^ *\([0-9]\{2,3\}\) *$/\1/p')
  fi
  [ -z "$found" ] || sort -un <<<"$found"
}

# Path of nvcc, or nothing. FABRICAST_ENABLE_CUDA=OFF hides it. A toolkit that is installed but not
# on PATH counts only if the caller asks for it with "anywhere".
find_nvcc() {
  [ "${FABRICAST_ENABLE_CUDA:-AUTO}" != OFF ] || return 0
  if [ -n "${CUDACXX:-}" ]; then
    command -v "$CUDACXX" || true
  elif command -v nvcc >/dev/null; then
    command -v nvcc
  elif [ "${1:-}" = anywhere ] && [ -x /usr/local/cuda/bin/nvcc ]; then
    echo /usr/local/cuda/bin/nvcc
  fi
}

# CMake's spelling of the architectures to compile for: those given, as far as nvcc knows them.
# A GPU newer than the toolkit gets the newest PTX, which its driver compiles at first use.
cuda_architectures() {  # nvcc arch...
  local nvcc=$1 known newest arch list=
  shift
  known=$("$nvcc" --list-gpu-arch | sed -n 's/^compute_\([0-9]\{1,\}\)$/\1/p' | sort -n)
  newest=$(tail -n 1 <<<"$known")
  for arch in "$@"; do
    if grep -qx "$arch" <<<"$known"; then
      list+=";$arch-real"
    elif [ "$arch" -gt "$newest" ]; then
      list+=";$newest-virtual"
    else
      say "this nvcc no longer compiles for compute capability $arch: such GPUs are left out"
    fi
  done
  echo "${list#;}"
}

# configure BUILD_DIR PRESET [-D...]: runs cmake only when its arguments differ from the last time
# (ninja itself re-runs it when a CMake file changes). A different nvcc needs a fresh cache. What
# cmake found is in BUILD_DIR/configure.log, shown only when it fails.
configure() {
  local build=$1 preset=$2 stamp=$1/.configured-with arguments
  shift 2
  arguments=$(printf '%s\n' "$root" "$preset" "$@")
  if [ -f "$build/build.ninja" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$arguments" ]; then
    return 0
  fi
  mkdir -p "$build"
  rm -f "$stamp"
  if ! cmake --fresh -S "$root" --preset "$preset" -B "$build" "$@" >"$build/configure.log" 2>&1; then
    cat "$build/configure.log" >&2
    say "cmake could not configure $build (its output is above)"
    return 1
  fi
  printf '%s\n' "$arguments" >"$stamp"
}

# build BUILD_DIR [target...]: ninja, with its moving line on a terminal and only errors elsewhere.
build() {
  local build=$1 quiet=()
  shift
  [ -t 2 ] || quiet=(--quiet)
  say "building in $build with $(build_jobs) jobs"
  ninja -C "$build" -j "$(build_jobs)" "${quiet[@]}" "$@" >&2
}
