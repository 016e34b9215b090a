// A hash table of numbers, whose keys are kept elsewhere.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_FLAT_SLOTS_HPP
#define ASIO_RETRY_SRC_HTTP_FLAT_SLOTS_HPP

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace asio_retry::http::detail {

/// Multiplies to 128 bits and folds the halves (the step of Wang Yi's wyhash).
inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using uint128 = unsigned __int128;
    const auto product = static_cast<uint128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// For tables whose keys come from the program or its files, not from an adversary.
inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed) noexcept {
    constexpr std::uint64_t odd1 = 0x9E3779B97F4A7C15;
    constexpr std::uint64_t odd2 = 0xC2B2AE3D27D4EB4F;
    std::uint64_t hash = seed ^ (text.size() * odd1);
    const char* at = text.data();
    std::uint64_t word = 0;
    if (text.size() < sizeof word) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            word |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
        }
    } else {
        // The last eight characters may overlap with what was read before.
        for (std::size_t left = text.size(); left > sizeof word; left -= sizeof word) {
            std::memcpy(&word, at, sizeof word);
            hash = fold(hash ^ word, odd1);
            at += sizeof word;
        }
        std::memcpy(&word, text.data() + text.size() - sizeof word, sizeof word);
    }
    return fold(hash ^ word, odd2);
}

/// Open addressing with linear probing, at most five eighths full. Filled once, then only read.
class flat_slots {
public:
    static constexpr std::uint32_t none = 0xFFFFFFFF;

    flat_slots() = default;
    explicit flat_slots(std::size_t count)
        : slots_(count == 0 ? 0 : std::bit_ceil(count + count / 2 + count / 10 + 1)) {}

    /// The number that was inserted under this hash and of which `is_wanted` is true; or `none`.
    template <typename Predicate>
    std::uint32_t find(std::uint64_t hash, const Predicate& is_wanted) const noexcept {
        if (slots_.empty()) return none;
        const auto tag = static_cast<std::uint32_t>(hash >> 32);
        for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
            const slot& s = slots_[i];
            if (s.number == none) return none;
            if (s.tag == tag && is_wanted(s.number)) return s.number;
        }
    }

    void insert(std::uint64_t hash, std::uint32_t number) noexcept {
        std::size_t i = hash & (slots_.size() - 1);
        while (slots_[i].number != none) i = (i + 1) & (slots_.size() - 1);
        slots_[i].tag = static_cast<std::uint32_t>(hash >> 32);
        slots_[i].number = number;
    }

    std::size_t memory() const noexcept { return slots_.capacity() * sizeof(slot); }

private:
    class slot {
    public:
        std::uint32_t tag = 0;
        std::uint32_t number = none;
    };

    std::vector<slot> slots_;
};

}  // namespace asio_retry::http::detail

#endif
