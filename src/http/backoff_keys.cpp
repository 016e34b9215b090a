// The keys of `backoff` and of `by_kind`.
// SPDX-License-Identifier: BSL-1.0
#include "http/policy_keys.hpp"
#include <asio_retry/detail/duration_text.hpp>

#include <limits>
#include <utility>

namespace asio_retry::http::detail {

namespace {

using kind = backoff::kind;
using maybe_value = std::optional<json::value>;

constexpr double largest_factor = 1e9;
constexpr std::array<std::string_view, 4> kinds{
    "constant", "linear", "exponential", "decorrelated"};
constexpr std::array<std::string_view, 3> jitters{"none", "full", "equal"};

std::string text_of(std::chrono::nanoseconds d) { return asio_retry::detail::format_duration(d); }

std::string indefinite(kind k) {
    const std::string name(to_string(k));
    return (k == kind::exponential ? "an " : "a ") + name;
}

void read_kind(const json_place& at, backoff_draft& b) {
    b.type = static_cast<kind>(at.one_of(kinds));
}

void read_cap(const json_place& at, backoff_draft& b) {
    if (b.type == kind::constant) at.refuse("a constant backoff has no cap; leave it out");
    b.cap = at.duration();
}

void read_factor(const json_place& at, backoff_draft& b) {
    if (b.type != kind::exponential) {
        at.refuse(indefinite(b.type) + " backoff has no factor; leave it out");
    }
    b.factor = at.number();
    if (b.factor < 1) at.refuse("is below 1: delays would shrink; must be from 1 to 1e9");
    if (b.factor > largest_factor) at.refuse("is too large; must be from 1 to 1e9");
}

void read_jitter(const json_place& at, backoff_draft& b) {
    if (b.type == kind::decorrelated) {
        at.refuse("a decorrelated backoff is random in itself; leave it out");
    }
    b.spread = static_cast<jitter>(at.one_of(jitters));
}

constexpr std::array<json_key<backoff_draft>, 5> all_backoff_keys{{
    {"kind",
     "How the delay before retry n grows: not; by base * n; by base * factor^(n-1); at random from "
     "base to three times the delay before.",
     [] { return choice_schema(kinds); },
     read_kind,
     [](const backoff_draft& b) { return maybe_value(text_value(to_string(b.type))); }},
    {"base",
     "The first delay.",
     duration_schema,
     [](const json_place& at, backoff_draft& b) { b.base = at.duration(); },
     [](const backoff_draft& b) { return maybe_value(duration_value(*b.base)); }},
    {"factor",
     "By what an exponential delay grows from retry to retry.",
     [] { return number_schema(1, largest_factor); },
     read_factor,
     [](const backoff_draft& b) {
         return b.type == kind::exponential ? maybe_value(number_value(b.factor)) : std::nullopt;
     }},
    {"cap",
     "The longest delay; the base, where that is longer and no cap is written.",
     duration_schema,
     read_cap,
     [](const backoff_draft& b) {
         return b.type == kind::constant ? std::nullopt : maybe_value(duration_value(b.cap));
     }},
    {"jitter",
     "How delays are spread: not; uniformly from 0 to the delay; from half of it to the delay.",
     [] { return choice_schema(jitters); },
     read_jitter,
     [](const backoff_draft& b) {
         return b.type == kind::decorrelated ? std::nullopt
                                             : maybe_value(text_value(to_string(b.spread)));
     }},
}};

backoff made_of(const backoff_draft& b) {
    switch (b.type) {
        case kind::constant: return backoff::constant(*b.base);
        case kind::linear: return backoff::linear(*b.base, b.cap);
        case kind::decorrelated: return backoff::decorrelated(*b.base, b.cap);
        case kind::exponential:
        case kind::custom: break;
    }
    return backoff::exponential(*b.base, b.cap, b.factor);
}

constexpr std::array<json_key<kind_draft>, 2> all_kind_keys{{
    {"max_attempts",
     "How many attempts may end in this kind before the call gives up; null: as many as there are.",
     [] { return or_null(count_schema(1, std::numeric_limits<unsigned>::max())); },
     [](const json_place& at, kind_draft& k) {
         if (at.is_null()) {
             k.max_attempts.reset();
         } else {
             k.max_attempts =
                 static_cast<unsigned>(at.whole_number(1, std::numeric_limits<unsigned>::max()));
         }
     },
     [](const kind_draft& k) {
         return k.max_attempts ? maybe_value(*k.max_attempts) : std::nullopt;
     }},
    {"backoff",
     "A schedule of its own, which counts the failures of this kind only; null: none.",
     [] { return or_null({{"$ref", "#/$defs/backoff"}}); },
     [](const json_place& at, kind_draft& k) {
         if (at.is_null()) {
             k.schedule.reset();
         } else {
             k.schedule = read_backoff(at, k.schedule.value_or(backoff()));
         }
     },
     [](const kind_draft& k) {
         return k.schedule ? maybe_value(write_backoff(*k.schedule)) : std::nullopt;
     }},
}};

/// Whether the cap that an endpoint inherits is written in the file's default.
bool inherits_written_cap(const json_place& at) {
    constexpr std::string_view own_policy = ".policy.";
    const std::string path = at.path();
    const auto own = path.find(own_policy);
    if (own == std::string::npos) return false;
    const std::string key = "default." + path.substr(own + own_policy.size()) + ".cap";
    return at.root().find_path(key) != nullptr;
}

}  // namespace

backoff_draft::backoff_draft(const backoff& b)
    : type(b.type()), base(b.base()), cap(b.cap()), factor(b.factor()), spread(b.jitter()) {}

json_keys<backoff_draft> backoff_keys() { return all_backoff_keys; }

backoff read_backoff(const json_place& at, const backoff& inherited) {
    at.require_object();
    backoff_draft draft(inherited);
    bool inherits = true;
    if (const json_member* named = at.node().find("kind")) {
        backoff_draft other;
        read_kind(json_place(at, *named), other);
        inherits = other.type == draft.type;
        if (!inherits) draft = backoff_draft(other.type);
    } else if (draft.type == kind::custom) {
        at.refuse("needs a \"kind\": what it inherits is a function");
    }
    if (!read_keys(at, backoff_keys(), draft)) return inherited;
    if (!draft.base) {
        at.refuse(indefinite(draft.type) + " backoff needs a \"base\", such as \"100ms\"");
    }
    if (draft.type != kind::constant && draft.cap < *draft.base) {
        const json_member* cap = at.node().find("cap");
        const bool is_from_default = cap == nullptr && inherits && inherits_written_cap(at);
        // A cap that nobody wrote gives way.
        if (cap == nullptr && !is_from_default) {
            draft.cap = *draft.base;
        } else {
            const json_place wrong(at, cap != nullptr ? *cap : *at.node().find("base"));
            wrong.refuse("the cap of " + text_of(draft.cap) +
                         (is_from_default ? ", which \"default\" sets," : "") +
                         " is below the base of " + text_of(*draft.base) +
                         "; raise the cap or lower the base");
        }
    }
    backoff made = made_of(draft);
    if (draft.type != kind::decorrelated) made.jitter(draft.spread);
    return made;
}

json::object write_backoff(const backoff& b) {
    if (b.type() == kind::custom) {
        throw std::invalid_argument("backoff: a custom function cannot be written to a file");
    }
    return write_keys(backoff_keys(), backoff_draft(b));
}

kind_limits kind_draft::finish() const {
    kind_limits limits;
    if (max_attempts) limits.max_attempts(*max_attempts);
    if (schedule) limits.backoff(*schedule);
    return limits;
}

json_keys<kind_draft> kind_keys() { return all_kind_keys; }

}  // namespace asio_retry::http::detail
