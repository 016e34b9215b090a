#include "http/support/bodies.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace asio_retry::test {

namespace asio = boost::asio;
using http::body_source;

namespace {

/// Gives a text, a thousand bytes at a time.
class text_reader {
public:
    explicit text_reader(std::string t) : text_(std::move(t)) {}

    asio::awaitable<std::size_t> operator()(asio::mutable_buffer room) {
        const std::size_t n = std::min({room.size(), std::size_t{1000}, text_.size() - at_});
        std::memcpy(room.data(), text_.data() + at_, n);
        at_ += n;
        co_return n;
    }

private:
    std::string text_;
    std::size_t at_ = 0;
};

}  // namespace

body_source replayable(const std::string& text, std::optional<std::uint64_t> length) {
    return body_source::made_by([text] { return text_reader(text); }, length);
}

body_source one_shot(const std::string& text, std::optional<std::uint64_t> length) {
    return body_source::once(text_reader(text), length);
}

std::string large_text() {
    std::string text;
    for (int i = 0; text.size() < 300'000; ++i) text += std::to_string(i) + " ";
    return text;
}

}  // namespace asio_retry::test
