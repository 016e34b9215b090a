#!/usr/bin/env bash
# Every header, source and test must be named in a list of its CMakeLists.txt: a test that is in no
# list never runs, and a header that is in none is neither checked nor installed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
missing=0

# named_in FILE BASE DIRECTORY...: every source under the directories, named from BASE.
named_in() {
    local list=$1 base=$2 file
    shift 2
    while IFS= read -r file; do
        if ! grep -qE "(^|[ (/])${file#"$base"/}( |\)|$)" "$list"; then
            echo "$file: not in a list of $list"
            missing=1
        fi
    done < <(find "$@" -type f | sort)
}

named_in src/CMakeLists.txt include/asio_retry include -name '*.hpp'
named_in src/CMakeLists.txt src src -name '*.cpp'
named_in test/CMakeLists.txt test test -name '*.cpp' -not -path 'test/consumer/*' -not -path 'test/bench/*' -not -path 'test/fuzz/*'
exit $missing
