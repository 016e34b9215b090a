// SPDX-License-Identifier: BSL-1.0
#include "http/content_coding.hpp"

#include <asio_retry/http/error.hpp>

#include <boost/beast/core/string.hpp>

#include <brotli/decode.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>
#include <string>

namespace asio_retry::http::detail {

namespace {

/// zlib's decoder, for the format that `window_bits` selects.
class inflater {
public:
    explicit inflater(int window_bits) {
        if (inflateInit2(&stream_, window_bits) != Z_OK) throw std::bad_alloc();
    }
    inflater(const inflater&) = delete;
    inflater& operator=(const inflater&) = delete;
    ~inflater() { inflateEnd(&stream_); }

    bool at_end() const noexcept { return at_end_; }

    void restart() noexcept {
        inflateReset(&stream_);
        at_end_ = false;
    }

    error_code decode(std::string_view& in, std::span<char> out, std::size_t& written) noexcept {
        const auto given = static_cast<uInt>(std::min<std::size_t>(in.size(), most));
        const auto room = static_cast<uInt>(std::min<std::size_t>(out.size(), most));
        // zlib does not write to its input, whatever its interface says.
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
        stream_.avail_in = given;
        stream_.next_out = reinterpret_cast<Bytef*>(out.data());
        stream_.avail_out = room;
        const int result = inflate(&stream_, Z_NO_FLUSH);
        in.remove_prefix(given - stream_.avail_in);
        written = room - stream_.avail_out;
        at_end_ = result == Z_STREAM_END;
        // Z_BUF_ERROR: it needs more input, or more room.
        if (at_end_ || result == Z_OK || result == Z_BUF_ERROR) return {};
        if (result == Z_MEM_ERROR) return make_error_code(boost::system::errc::not_enough_memory);
        return error::malformed_encoding;
    }

private:
    static constexpr std::size_t most = std::numeric_limits<uInt>::max();

    z_stream stream_{};
    bool at_end_ = false;
};

/// RFC 1952: members, one behind the other.
class gzip_coding final : public content_coding {
public:
    error_code decode(std::string_view& in, std::span<char> out, std::size_t& written) override {
        if (inflater_.at_end() && !in.empty()) inflater_.restart();
        written = 0;
        return in.empty() && inflater_.at_end() ? error_code() : inflater_.decode(in, out, written);
    }

    bool at_end() const noexcept override { return inflater_.at_end(); }

private:
    // 16: with the header and trailer of gzip.
    inflater inflater_{16 + MAX_WBITS};
};

/// RFC 1950, or RFC 1951 alone: the first two bytes tell which.
class deflate_coding final : public content_coding {
public:
    error_code decode(std::string_view& in, std::span<char> out, std::size_t& written) override {
        written = 0;
        if (!inflater_) {
            const auto n = std::min(in.size(), 2 - start_.size());
            start_.append(in.substr(0, n));
            in.remove_prefix(n);
            if (start_.size() < 2) return {};
            inflater_ = std::make_unique<inflater>(has_zlib_header() ? MAX_WBITS : -MAX_WBITS);
        }
        if (start_.empty()) return decode_rest(in, out, written);
        std::string_view start = start_;
        const auto ec = decode_rest(start, out, written);
        start_.erase(0, start_.size() - start.size());
        return ec;
    }

    bool at_end() const noexcept override {
        return inflater_ && start_.empty() && inflater_->at_end();
    }

private:
    /// The method is 8, the window at most 32 KiB, the sum divisible by 31. A stream without the
    /// header begins like that only if its bits of padding are set, which no compressor does.
    bool has_zlib_header() const noexcept {
        const auto first = static_cast<unsigned char>(start_[0]);
        const auto second = static_cast<unsigned char>(start_[1]);
        return (first & 0x0f) == 8 && (first >> 4) <= 7 && (first * 256 + second) % 31 == 0;
    }

    error_code decode_rest(std::string_view& in, std::span<char> out, std::size_t& written) {
        if (!inflater_->at_end()) return inflater_->decode(in, out, written);
        return in.empty() ? error_code() : error_code(error::malformed_encoding);
    }

    /// What has come before the format was known, as far as it has not been decoded.
    std::string start_;
    std::unique_ptr<inflater> inflater_;
};

/// RFC 7932.
class brotli_coding final : public content_coding {
public:
    brotli_coding() : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
        if (!state_) throw std::bad_alloc();
    }

    error_code decode(std::string_view& in, std::span<char> out, std::size_t& written) override {
        written = 0;
        if (at_end()) return in.empty() ? error_code() : error_code(error::malformed_encoding);
        std::size_t left = in.size();
        auto next_in = reinterpret_cast<const std::uint8_t*>(in.data());
        std::size_t room = out.size();
        auto next_out = reinterpret_cast<std::uint8_t*>(out.data());
        const auto result =
            BrotliDecoderDecompressStream(state_.get(), &left, &next_in, &room, &next_out, nullptr);
        in.remove_prefix(in.size() - left);
        written = out.size() - room;
        return result == BROTLI_DECODER_RESULT_ERROR ? fault() : error_code();
    }

    bool at_end() const noexcept override {
        return BrotliDecoderIsFinished(state_.get()) == BROTLI_TRUE;
    }

private:
    class destroy {
    public:
        void operator()(BrotliDecoderState* state) const noexcept {
            BrotliDecoderDestroyInstance(state);
        }
    };

    error_code fault() const noexcept {
        const auto code = BrotliDecoderGetErrorCode(state_.get());
        const bool no_memory = code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                               code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
        if (no_memory) return make_error_code(boost::system::errc::not_enough_memory);
        return error::malformed_encoding;
    }

    std::unique_ptr<BrotliDecoderState, destroy> state_;
};

}  // namespace

std::unique_ptr<content_coding> make_content_coding(std::string_view name) {
    using boost::beast::iequals;
    if (iequals(name, "gzip") || iequals(name, "x-gzip")) return std::make_unique<gzip_coding>();
    if (iequals(name, "deflate")) return std::make_unique<deflate_coding>();
    if (iequals(name, "br")) return std::make_unique<brotli_coding>();
    return nullptr;
}

}  // namespace asio_retry::http::detail
