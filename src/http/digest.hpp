// The digest that a server sends along (RFC 9530), and whether a body has it.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_DIGEST_HPP
#define ASIO_RETRY_SRC_HTTP_DIGEST_HPP

#include <boost/beast/http/fields.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

extern "C" {
struct evp_md_ctx_st;  // EVP_MD_CTX of OpenSSL
}

namespace asio_retry::http::detail {

/// From the weakest on.
enum class digest_algorithm { sha_256, sha_512 };

class digest {
public:
    digest(digest_algorithm a, std::string b) : algorithm(a), bytes(std::move(b)) {}

    friend bool operator==(const digest&, const digest&) = default;

    digest_algorithm algorithm;
    /// As many as the algorithm gives; not text.
    std::string bytes;
};

/// The strongest digest in the value of Repr-Digest or Content-Digest; nothing if none is known.
/** A member of another algorithm, or whose value is not a digest's byte sequence, is ignored. A
    value that is no dictionary has no digest. */
std::optional<digest> parse_digest(std::string_view value);

/// The digest of the whole representation that a response with this status is of.
/** Repr-Digest says so in any response; else Content-Digest does, in a 200, whose content is the
    whole. Both are of the bytes as coded by Content-Encoding. */
std::optional<digest> representation_digest(const boost::beast::http::fields& fields,
                                            unsigned status);

/// Computes the digest of bytes that come piece by piece.
class digest_check {
public:
    explicit digest_check(digest expected);

    void update(std::string_view bytes) noexcept;

    /// Whether all bytes together have the expected digest; called once, at the end.
    bool matches() noexcept;

private:
    class destroy {
    public:
        void operator()(evp_md_ctx_st* context) const noexcept;
    };

    digest expected_;
    std::unique_ptr<evp_md_ctx_st, destroy> context_;
    bool good_ = false;
};

}  // namespace asio_retry::http::detail

#endif
