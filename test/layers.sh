#!/usr/bin/env bash
# Holds the layer rule: a lower layer never includes a higher one, nor a library that it must not
# know. Usage: test/layers.sh [CHECKOUT]; test/layers.sh --self-test shows that it can fail.
set -euo pipefail

# The layer of every header and source directory; what is in none of these lines is an error.
table() {
    cat <<'EOF'
0 asio_retry/attempt.hpp
0 asio_retry/detail/light_mutex.hpp
0 asio_retry/detail/saturate.hpp
0 asio_retry/error.hpp
0 asio_retry/failure.hpp
0 asio_retry/version.hpp
1 asio_retry/backoff.hpp
1 asio_retry/breaker_options.hpp
1 asio_retry/breaker_permit.hpp
1 asio_retry/breaker_state.hpp
1 asio_retry/budget_options.hpp
1 asio_retry/circuit_breaker.hpp
1 asio_retry/classifier.hpp
1 asio_retry/concurrency_options.hpp
1 asio_retry/detail/adaptive_limit.hpp
1 asio_retry/detail/attempt_history.hpp
1 asio_retry/detail/breaker_rules.hpp
1 asio_retry/detail/breaker_word.hpp
1 asio_retry/detail/call_window.hpp
1 asio_retry/detail/check_number.hpp
1 asio_retry/detail/duration_text.hpp
1 asio_retry/detail/spelling.hpp
1 asio_retry/detail/latency_window.hpp
1 asio_retry/hedge_options.hpp
1 asio_retry/jitter.hpp
1 asio_retry/observer.hpp
1 asio_retry/pacer.hpp
1 asio_retry/report.hpp
1 asio_retry/retry_budget.hpp
1 asio_retry/retry_error.hpp
1 asio_retry/retry_policy.hpp
2 asio_retry/detail/call_guards.hpp
2 asio_retry/detail/retry_fsm.hpp
2 asio_retry/detail/retry_call.hpp
3 asio_retry/asio_retry.hpp
3 asio_retry/async_retry.hpp
3 asio_retry/concurrency_limit.hpp
3 asio_retry/detail/
3 asio_retry/hedge.hpp
3 asio_retry/operation.hpp
3 asio_retry/retry.hpp
3 asio_retry/retry_executor.hpp
3 asio_retry/retry_result.hpp
3 asio_retry/testing/
3 asio_retry/timeout.hpp
4 asio_retry/http/
4 http/
4 testing/
5 asio_retry/spdlog_observer.hpp
5 spdlog_observer.cpp
5 tool/
EOF
}

check() {
    cd "$1"
    find include src -type f \( -name '*.hpp' -o -name '*.cpp' -o -name '*.ipp' \) | sort |
        TABLE=$(table) xargs awk '
    BEGIN {
        lines = split(ENVIRON["TABLE"], line, "\n")
        for (i = 1; i <= lines; i++) {
            split(line[i], word, " ")
            layer_of[word[2]] = word[1]
        }
    }

    # A file by its full name, else the longest directory above it that the table has.
    function layer(name) {
        if (name in layer_of) return layer_of[name]
        while (sub(/[^\/]+\/?$/, "", name) && name != "")
            if (name in layer_of) return layer_of[name]
        return ""
    }

    function wrong(why) {
        printf "%s:%d: %s: %s\n", FILENAME, FNR, $0, why
        bad = 1
    }

    function starts(text, prefix) { return index(text, prefix) == 1 }

    # Why a file of layer `mine` must not include this header of somebody else, or "".
    function refused(mine, header, public) {
        if (header == "boost/asio.hpp" || header ~ /^boost\/(asio\/ssl|beast|beast\/[a-z]+)\.hpp$/)
            return "include the narrow headers"
        if (header == "boost/asio/experimental/awaitable_operators.hpp")
            return "|| and && are wrong for timeouts"
        if (header ~ /^(iostream|print)$/ && mine < 5)
            return "the library never writes to a standard stream"
        if (header ~ /^spdlog\//) {
            if (mine < 5) return "spdlog is known to layer 5 only"
            return public && header != "spdlog/fwd.h" ? "a public header includes spdlog/fwd.h only" : ""
        }
        if (header ~ /^CLI\//) return mine < 5 ? "only the tool parses options" : ""
        if (mine == 0 && header ~ /\// && header !~ /^boost\/(system|smart_ptr)\//)
            return "layer 0 knows the standard library, Boost.System and SmartPtr only"
        # The names of error values; nothing in it does any work.
        if (mine >= 1 && header == "boost/asio/error.hpp") return ""
        if (mine <= 2 && header ~ /\/|\.h$/ && header !~ /^boost\/(system|smart_ptr|core)\//)
            return "layers 1 and 2 know no Asio and no I/O"
        if (mine == 3 && header ~ /^(openssl|boost\/(beast|url|json|asio\/ssl))\//)
            return "the core knows neither HTTP nor TLS"
        if (mine == 4 && public && header ~ /^(openssl|boost\/json|boost\/asio\/(ssl|ip))\//)
            return "streams, TLS and the resolver live in src/http"
        if (mine == 4 && public && header ~ /^boost\/beast\// &&
            header !~ /^boost\/beast\/http\/(fields|field|message|message_fwd|status|string_body|verb|type_traits|empty_body)(_fwd)?\.hpp$/)
            return "public headers name the message types of Beast only"
        return ""
    }

    FNR == 1 {
        files++
        name = FILENAME
        public = sub(/^include\//, "", name)
        sub(/^src\//, "", name)
        mine = layer(name)
        if (mine == "") wrong("no layer: give it one in the table of test/layers.sh")
        directory = name
        sub(/[^\/]*$/, "", directory)
    }

    /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
        if (mine == "") next
        header = $0
        sub(/^[^<"]*[<"]/, "", header)
        sub(/[>"].*$/, "", header)
        theirs = starts(header, "asio_retry/") || /"/ ? layer(header) : ""
        if (theirs == "" && /"/) theirs = layer(directory header)
        if (theirs == "" && !/"/ && layer(header) != "") theirs = layer(header)
        if (theirs != "") {
            if (theirs + 0 > mine + 0) wrong("layer " mine " includes layer " theirs)
            if (header ~ /^asio_retry\/testing\// && name !~ /^(asio_retry\/testing|testing|tool)\//)
                wrong("testing/ is for tests and the tool")
            next
        }
        if (starts(header, "asio_retry/") || /"/) {
            wrong("no such header in the table of test/layers.sh")
            next
        }
        why = refused(mine + 0, header, public)
        if (why != "") wrong(why)
    }

    END {
        if (!files) { print "layers: no files to look at"; bad = 1 }
        if (!bad) printf "layers: %d files keep the rule\n", files
        exit bad
    }'
}

# expect FILE INCLUDE WHY: a tree with this one line is refused, for this reason, at this place.
expect() {
    local tree said
    tree=$(mktemp -d)
    mkdir -p "$tree/include" "$tree/src" "$tree/$(dirname "$1")"
    printf '// one line above\n#include %s\n' "$2" >"$tree/$1"
    if said=$(check "$tree" 2>&1); then
        said="accepted"
    fi
    rm -r "$tree"
    case $said in
    "$1:2: #include $2: "*"$3"*) ;;
    *)
        printf 'layers: %s including %s: expected "%s", got: %s\n' "$1" "$2" "$3" "$said"
        return 1
        ;;
    esac
}

self_test() {
    local h=include/asio_retry
    expect $h/error.hpp '<asio_retry/backoff.hpp>' 'layer 0 includes layer 1'
    expect $h/error.hpp '<boost/asio/error.hpp>' 'SmartPtr only'
    expect $h/backoff.hpp '<asio_retry/retry.hpp>' 'layer 1 includes layer 3'
    expect $h/backoff.hpp '"retry.hpp"' 'layer 1 includes layer 3'
    expect $h/backoff.hpp '<boost/asio/steady_timer.hpp>' 'no Asio'
    expect $h/detail/retry_fsm.hpp '<boost/asio/post.hpp>' 'no Asio'
    expect $h/retry.hpp '<asio_retry/http/client.hpp>' 'layer 3 includes layer 4'
    expect $h/retry.hpp '<boost/asio.hpp>' 'narrow'
    expect $h/retry.hpp '<boost/beast/http/fields.hpp>' 'neither HTTP nor TLS'
    expect $h/retry.hpp '<iostream>' 'standard stream'
    expect $h/retry.hpp '<asio_retry/unknown.hpp>' 'no such header'
    expect $h/http/client.hpp '<boost/asio/ssl/stream.hpp>' 'live in src/http'
    expect $h/http/client.hpp '<boost/beast/http/parser.hpp>' 'message types'
    expect $h/spdlog_observer.hpp '<spdlog/spdlog.h>' 'fwd.h only'
    expect src/http/client.cpp '<asio_retry/spdlog_observer.hpp>' 'layer 4 includes layer 5'
    expect src/http/client.cpp '"tool/main.hpp"' 'layer 4 includes layer 5'
    expect src/http/client.cpp '<asio_retry/testing/manual_clock.hpp>' 'for tests'
    expect src/http/client.cpp '<spdlog/spdlog.h>' 'layer 5 only'
    echo "layers: every planted mistake was found"
}

case ${1-} in
--self-test) self_test ;;
*) check "${1:-$(dirname "${BASH_SOURCE[0]}")/..}" ;;
esac
