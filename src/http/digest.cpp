// SPDX-License-Identifier: BSL-1.0
#include "http/digest.hpp"

#include "http/field_value.hpp"
#include "http/structured_field.hpp"

#include <openssl/evp.h>

#include <cstdint>
#include <new>
#include <utility>

namespace asio_retry::http::detail {

namespace {

std::optional<digest_algorithm> algorithm_named(std::string_view key) noexcept {
    if (key == "sha-256") return digest_algorithm::sha_256;
    if (key == "sha-512") return digest_algorithm::sha_512;
    return std::nullopt;
}

std::size_t size_of(digest_algorithm algorithm) noexcept {
    return algorithm == digest_algorithm::sha_256 ? 32 : 64;
}

constexpr int base64_digit(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

/// As RFC 9651 4.2.7 has it: padding may be missing, and what bits it hides does not matter.
std::optional<std::string> decode_base64(std::string_view text) {
    if (text.ends_with('=') && text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const int value = base64_digit(c);
        if (value < 0) return std::nullopt;
        bits = (bits << 6) | static_cast<std::uint32_t>(value);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes += static_cast<char>((bits >> count) & 0xff);
    }
    return bytes;
}

std::optional<digest> parse_member(const field_member& member) {
    const auto algorithm = algorithm_named(member.name);
    if (!algorithm || !member.value_is_bytes) return std::nullopt;
    auto bytes = decode_base64(member.value);
    if (!bytes || bytes->size() != size_of(*algorithm)) return std::nullopt;
    return digest(*algorithm, std::move(*bytes));
}

}  // namespace

std::optional<digest> parse_digest(std::string_view value) {
    const auto members = parse_structured_field(value);
    if (!members) return std::nullopt;
    // Of several members with one key the last counts, though it be unusable (RFC 9651 4.2.2).
    std::optional<digest> found[2];
    for (const auto& member : *members) {
        const auto algorithm = algorithm_named(member.name);
        if (algorithm) found[static_cast<std::size_t>(*algorithm)] = parse_member(member);
    }
    return found[1] ? found[1] : found[0];
}

std::optional<digest> representation_digest(const boost::beast::http::fields& fields,
                                            unsigned status) {
    auto found = parse_digest(joined_lines(fields, "Repr-Digest"));
    if (!found && status == 200) found = parse_digest(joined_lines(fields, "Content-Digest"));
    return found;
}

void digest_check::destroy::operator()(evp_md_ctx_st* context) const noexcept {
    EVP_MD_CTX_free(context);
}

digest_check::digest_check(digest expected)
    : expected_(std::move(expected)), context_(EVP_MD_CTX_new()) {
    if (!context_) throw std::bad_alloc();
    const auto* type =
        expected_.algorithm == digest_algorithm::sha_256 ? EVP_sha256() : EVP_sha512();
    good_ = EVP_DigestInit_ex(context_.get(), type, nullptr) == 1;
}

void digest_check::update(std::string_view bytes) noexcept {
    good_ = good_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
}

bool digest_check::matches() noexcept {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    good_ = good_ && EVP_DigestFinal_ex(context_.get(), bytes, &size) == 1;
    return good_ && expected_.bytes == std::string_view(reinterpret_cast<char*>(bytes), size);
}

}  // namespace asio_retry::http::detail
