// SPDX-License-Identifier: BSL-1.0
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <openssl/evp.h>
#include <testing/fault_echo.hpp>

#include <algorithm>
#include <array>

namespace asio_retry::testing::detail {
namespace {

namespace json = boost::json;

constexpr std::size_t most_text = 64 * 1024;

/// A JSON string, or null where the bytes are not UTF-8: the parser checks what the writer does
/// not.
json::value to_text(std::string_view bytes) {
    json::value value = json::string(bytes.data(), bytes.size());
    json::error_code invalid;
    json::parse(json::serialize(value), invalid);
    return invalid ? json::value() : value;
}

}  // namespace

struct fault_echo::digest {
    EVP_MD_CTX* context = EVP_MD_CTX_new();

    digest() { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }
    ~digest() { EVP_MD_CTX_free(context); }
    digest(const digest&) = delete;
    digest& operator=(const digest&) = delete;

    std::string hexadecimal() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
        unsigned size = 0;
        EVP_DigestFinal_ex(context, bytes.data(), &size);
        constexpr std::string_view digits = "0123456789abcdef";
        std::string text;
        for (unsigned i = 0; i < size; ++i) {
            text += digits[bytes[i] >> 4];
            text += digits[bytes[i] & 15];
        }
        return text;
    }
};

fault_echo::fault_echo() : digest_(std::make_unique<digest>()) {}
fault_echo::~fault_echo() = default;

void fault_echo::append(std::string_view bytes) {
    EVP_DigestUpdate(digest_->context, bytes.data(), bytes.size());
    size_ += bytes.size();
    text_.append(bytes.substr(0, most_text - std::min(most_text, text_.size())));
}

std::string fault_echo::to_json(const boost::beast::http::header<true>& request) {
    json::array headers;
    for (const auto& field : request) {
        const auto name = field.name_string();
        const auto value = field.value();
        headers.push_back(json::array{to_text({name.data(), name.size()}),
                                      to_text({value.data(), value.size()})});
    }
    const auto method = request.method_string();
    const auto target = request.target();
    json::object document;
    document["method"] = to_text({method.data(), method.size()});
    document["target"] = to_text({target.data(), target.size()});
    document["headers"] = std::move(headers);
    document["body_size"] = size_;
    document["body_sha256"] = digest_->hexadecimal();
    document["body"] = size_ <= most_text ? to_text(text_) : json::value();
    return json::serialize(document) + "\n";
}

}  // namespace asio_retry::testing::detail
