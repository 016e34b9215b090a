# shellcheck shell=bash
# What the project's commands share; they source it. Sets `root`, the top of the checkout.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
command_name=${0#"$root"/}
case $command_name in
/* | ./* | ../*) command_name=$(basename "$(cd "$(dirname "$0")" && pwd)")/$(basename "$0") ;;
esac

say() { printf '%s: %s\n' "$command_name" "$*"; }

fail() {
    printf '%s: FAILED: %s\n' "$command_name" "$*" >&2
    exit 1
}

# A file full of coroutines takes up to 1 GB to compile.
jobs() {
    local cores memory
    cores=$(nproc)
    memory=$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo)
    [ "${memory:-1}" -ge 1 ] || memory=1
    echo $((cores < memory ? cores : memory))
}

need_packages() {
    "$root/cmake/install-dependencies" "$@" || fail "installing what is missing"
}

# configure PRESET: quiet unless it goes wrong.
configure() {
    local log=$root/build/$1/configure.log
    say "configuring build/$1"
    mkdir -p "$root/build/$1"
    if ! (cd "$root" && cmake --preset "$1") >"$log" 2>&1; then
        cat "$log" >&2
        fail "configuring the preset $1"
    fi
}

# build PRESET [TARGET...]
build() {
    local preset=$1
    shift
    say "building build/$preset, $(jobs) at a time${1:+: $*}"
    (cd "$root" && cmake --build --preset "$preset" --parallel "$(jobs)" ${1:+--target "$@"}) ||
        fail "building the preset $preset"
}
