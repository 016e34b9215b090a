#include "http/content_decoder.hpp"
#include <asio_retry/http/error.hpp>

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using asio_retry::error_code;
using asio_retry::http::error;
using asio_retry::http::detail::content_decoder;

constexpr int gzip_format = 16 + MAX_WBITS;
constexpr int zlib_format = MAX_WBITS;
constexpr int raw_format = -MAX_WBITS;
constexpr auto no_limit = std::numeric_limits<std::uint64_t>::max();

std::string deflated(std::string_view plain, int format) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, format, 9, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, static_cast<uLong>(plain.size())), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string brotli(std::string_view plain) {
    std::size_t size = BrotliEncoderMaxCompressedSize(plain.size()) + 16;
    std::string out(size, '\0');
    EXPECT_TRUE(BrotliEncoderCompress(5,
                                      BROTLI_DEFAULT_WINDOW,
                                      BROTLI_MODE_GENERIC,
                                      plain.size(),
                                      reinterpret_cast<const std::uint8_t*>(plain.data()),
                                      &size,
                                      reinterpret_cast<std::uint8_t*>(out.data())));
    out.resize(size);
    return out;
}

struct sample {
    const char* name;
    const char* field;
    std::string body;
};

std::vector<sample> samples_of(std::string_view plain) {
    return {
        {"gzip", "gzip", deflated(plain, gzip_format)},
        {"zlib", "deflate", deflated(plain, zlib_format)},
        {"raw deflate", "deflate", deflated(plain, raw_format)},
        {"brotli", "br", brotli(plain)},
        {"gzip, then brotli", "gzip, br", brotli(deflated(plain, gzip_format))},
        {"raw deflate, then gzip",
         "deflate, gzip",
         deflated(deflated(plain, raw_format), gzip_format)},
    };
}

class decoded {
public:
    std::string text;
    error_code ec;
};

/// Takes at once all that comes of a piece.
error_code write(content_decoder& decoder, std::string_view piece, std::string& out) {
    return decoder.write_some(piece, out, std::numeric_limits<std::size_t>::max());
}

/// Feeds the pieces, until one fails.
decoded decode(content_decoder& decoder,
               std::string_view field,
               const std::vector<std::string_view>& pieces) {
    decoded result;
    result.ec = decoder.begin(field);
    for (const auto piece : pieces) {
        if (!result.ec) result.ec = write(decoder, piece, result.text);
    }
    if (!result.ec) result.ec = decoder.finish();
    return result;
}

decoded decode(std::string_view field, const std::vector<std::string_view>& pieces) {
    content_decoder decoder(no_limit, no_limit);
    return decode(decoder, field, pieces);
}

/// Neither all alike nor all different: literals, short and far matches.
std::string some_text(std::size_t size) {
    std::mt19937 random(7);
    std::string text;
    while (text.size() < size) {
        text += random() % 3 != 0 ? "a word " : std::to_string(random());
    }
    text.resize(size);
    return text;
}

TEST(ContentDecoder, DecodesABodyInOnePiece) {
    for (const std::size_t size : {1U, 2U, 100U, 16U * 1024, 16U * 1024 + 1, 1'000'000U}) {
        const auto plain = some_text(size);
        for (const auto& s : samples_of(plain)) {
            SCOPED_TRACE(s.name);
            const auto got = decode(s.field, {s.body});
            EXPECT_EQ(got.ec, error_code());
            EXPECT_TRUE(got.text == plain) << size;
        }
    }
}

TEST(ContentDecoder, StopsWhereItIsToldToAndGoesOn) {
    const auto plain = some_text(200'000);
    auto bodies = samples_of(plain);
    bodies.push_back({"identity", "", plain});
    for (const auto& s : bodies) {
        SCOPED_TRACE(s.name);
        content_decoder decoder(no_limit, no_limit);
        ASSERT_FALSE(decoder.begin(s.field));
        std::string_view in = s.body;
        std::string text;
        std::size_t steps = 0;
        do {
            const auto before = text.size();
            ASSERT_FALSE(decoder.write_some(in, text, 1000));
            EXPECT_LE(text.size() - before, 1000U + 16 * 1024);
            ++steps;
        } while (decoder.stopped());
        EXPECT_GE(steps, 10U);
        EXPECT_TRUE(in.empty());
        EXPECT_EQ(decoder.finish(), error_code());
        EXPECT_TRUE(text == plain);
    }
}

TEST(ContentDecoder, CountsTheRatioAgainstTheWholeWhereItIsKnown) {
    // Expands a lot at its beginning, and little in all.
    std::string noise(100'000, '\0');
    std::mt19937 random(7);
    for (char& c : noise) c = static_cast<char>(random());
    const auto body = deflated(std::string(3'000'000, 'x') + noise, gzip_format);
    for (const bool known : {true, false}) {
        content_decoder decoder(no_limit, 100);
        ASSERT_FALSE(decoder.begin("gzip", known ? body.size() : 0));
        std::string text;
        const auto ec = write(decoder, std::string_view(body).substr(0, 5000), text);
        EXPECT_EQ(ec, known ? error_code() : error_code(error::excessive_expansion));
    }
}

TEST(ContentDecoder, DecodesByteByByte) {
    const auto plain = some_text(40'000);
    for (const auto& s : samples_of(plain)) {
        SCOPED_TRACE(s.name);
        std::vector<std::string_view> bytes;
        for (std::size_t i = 0; i < s.body.size(); ++i) bytes.emplace_back(s.body.data() + i, 1);
        const auto got = decode(s.field, bytes);
        EXPECT_EQ(got.ec, error_code());
        EXPECT_TRUE(got.text == plain);
    }
}

TEST(ContentDecoder, DecodesWhereverThePiecesAreCut) {
    const auto plain = some_text(300);
    for (const auto& s : samples_of(plain)) {
        for (std::size_t i = 0; i <= s.body.size(); ++i) {
            const std::string_view body = s.body;
            const auto got = decode(s.field, {body.substr(0, i), {}, body.substr(i)});
            EXPECT_EQ(got.ec, error_code()) << s.name << " cut at " << i;
            EXPECT_EQ(got.text, plain) << s.name << " cut at " << i;
        }
    }
}

TEST(ContentDecoder, KeepsWhatIsThereAlready) {
    content_decoder decoder(no_limit, no_limit);
    std::string out = "before ";
    ASSERT_FALSE(decoder.begin("gzip"));
    ASSERT_FALSE(write(decoder, deflated("after", gzip_format), out));
    EXPECT_EQ(out, "before after");
}

TEST(ContentDecoder, FindsEveryTruncation) {
    const auto plain = some_text(300);
    for (const auto& s : samples_of(plain)) {
        for (std::size_t i = 1; i < s.body.size(); ++i) {
            const auto got = decode(s.field, {std::string_view(s.body).substr(0, i)});
            EXPECT_EQ(got.ec, error::incomplete_encoding) << s.name << " ends at " << i;
            EXPECT_TRUE(plain.starts_with(got.text));
        }
    }
}

TEST(ContentDecoder, RefusesWhatComesBehindTheEnd) {
    for (const auto& s : samples_of("hello")) {
        for (const char* tail : {"x", "\n", "garbage that is longer"}) {
            SCOPED_TRACE(s.name);
            EXPECT_EQ(decode(s.field, {s.body + tail}).ec.failed(), true);
            const auto got = decode(s.field, {s.body, tail});
            EXPECT_TRUE(got.ec == error::malformed_encoding || got.ec == error::incomplete_encoding)
                << got.ec.message();
            EXPECT_EQ(got.text, "hello");
        }
        EXPECT_EQ(decode(s.field, {s.body, std::string_view("\0", 1)}).ec.failed(), true) << s.name;
    }
    EXPECT_EQ(decode("gzip", {deflated("a", gzip_format) + "behind it"}).ec,
              error::malformed_encoding);
    EXPECT_EQ(decode("br", {brotli("a") + "b"}).ec, error::malformed_encoding);
    EXPECT_EQ(decode("deflate", {deflated("a", zlib_format) + "b"}).ec, error::malformed_encoding);
    EXPECT_EQ(decode("deflate", {deflated("a", raw_format) + "b"}).ec, error::malformed_encoding);
}

TEST(ContentDecoder, RefusesWhatIsInNoSuchCoding) {
    const char* const texts[] = {
        "plain text, not coded at all", "{\"a\": 1}", "<!DOCTYPE html>", "\xff\xff\xff\xff"};
    for (const char* field : {"gzip", "deflate", "br", "gzip, br"}) {
        for (const char* text : texts) {
            EXPECT_TRUE(decode(field, {text}).ec.failed()) << field << ": " << text;
        }
    }
    EXPECT_EQ(decode("gzip", {texts[0]}).ec, error::malformed_encoding);
    EXPECT_EQ(decode("br", {"\xff\xff\xff\xff"}).ec, error::malformed_encoding);
    EXPECT_EQ(decode("deflate", {"\xff\xff\xff\xff"}).ec, error::malformed_encoding);
}

TEST(ContentDecoder, FindsEveryFlippedBitThatAChecksumCovers) {
    const auto plain = some_text(200);
    const auto whole = deflated(plain, gzip_format);
    constexpr std::size_t header = 10;
    for (std::size_t i = header; i < whole.size(); ++i) {
        auto damaged = whole;
        damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
        EXPECT_TRUE(decode("gzip", {damaged}).ec.failed()) << i;
    }
}

TEST(ContentDecoder, SurvivesAnyBytes) {
    std::mt19937 random(11);
    const auto plain = some_text(500);
    for (const auto& s : samples_of(plain)) {
        for (int i = 0; i < 3'000; ++i) {
            auto damaged = s.body;
            for (auto n = 1 + random() % 4; n > 0; --n) {
                damaged[random() % damaged.size()] = static_cast<char>(random());
            }
            content_decoder decoder(10'000, no_limit);
            const auto got = decode(decoder, s.field, {damaged});
            EXPECT_LE(got.text.size(), 10'000U);
        }
    }
}

TEST(ContentDecoder, JoinsTheMembersOfGzip) {
    const auto first = deflated("one ", gzip_format);
    const auto second = deflated("", gzip_format);
    const auto third = deflated("two", gzip_format);
    const auto all = first + second + third;
    for (std::size_t i = 0; i <= all.size(); ++i) {
        const std::string_view body = all;
        const auto got = decode("gzip", {body.substr(0, i), body.substr(i)});
        EXPECT_EQ(got.ec, error_code()) << i;
        EXPECT_EQ(got.text, "one two") << i;
        const bool between = i == 0 || i == first.size() || i == first.size() + second.size();
        EXPECT_EQ(decode("gzip", {body.substr(0, i)}).ec.failed(), !between && i != all.size());
    }
}

TEST(ContentDecoder, TakesNoBytesForAnEmptyBody) {
    for (const char* field : {"gzip", "deflate", "br", "gzip, br", "", "identity"}) {
        for (const auto& pieces : {std::vector<std::string_view>{}, {"", ""}}) {
            const auto got = decode(field, pieces);
            EXPECT_EQ(got.ec, error_code()) << field;
            EXPECT_EQ(got.text, "");
        }
    }
    for (const auto& s : samples_of("")) {
        const auto got = decode(s.field, {s.body});
        EXPECT_EQ(got.ec, error_code()) << s.name;
        EXPECT_EQ(got.text, "") << s.name;
    }
}

TEST(ContentDecoder, KnowsTheNamesOfCodings) {
    struct row {
        const char* field;
        bool known;
        bool active;
    };
    const row rows[] = {
        {"", true, false},
        {" ", true, false},
        {",", true, false},
        {"identity", true, false},
        {"identity, Identity", true, false},
        {"gzip", true, true},
        {"GZip", true, true},
        {"x-gzip", true, true},
        {"deflate", true, true},
        {"BR", true, true},
        {" \tgzip \t", true, true},
        {"gzip,", true, true},
        {",, gzip ,", true, true},
        {"identity, gzip", true, true},
        {"gzip,br", true, true},
        {"gzip, br, gzip", false, false},
        {"compress", false, false},
        {"zstd", false, false},
        {"gzip, zstd", false, false},
        {"zstd, gzip", false, false},
        {"gzip;q=1", false, false},
        {"gzip br", false, false},
        {"g", false, false},
        {"gzipped", false, false},
        {"\"gzip\"", false, false},
        {"*", false, false},
    };
    for (const auto& r : rows) {
        content_decoder decoder(no_limit, no_limit);
        const auto ec = decoder.begin(r.field);
        EXPECT_EQ(ec, r.known ? error_code() : error_code(error::unsupported_encoding)) << r.field;
        EXPECT_EQ(decoder.active(), r.active) << r.field;
    }
}

TEST(ContentDecoder, UndoesTheLastCodingFirst) {
    const auto body = deflated(brotli("hello"), gzip_format);
    EXPECT_EQ(decode("br, gzip", {body}).text, "hello");
    EXPECT_EQ(decode("gzip, br", {body}).ec, error::malformed_encoding);
}

TEST(ContentDecoder, AllowsNoByteAboveTheSize) {
    const auto plain = some_text(50'000);
    auto bodies = samples_of(plain);
    bodies.push_back({"identity", "", plain});
    for (const auto& s : bodies) {
        SCOPED_TRACE(s.name);
        content_decoder enough(plain.size(), no_limit);
        EXPECT_EQ(decode(enough, s.field, {s.body}).ec, error_code());
        content_decoder too_little(plain.size() - 1, no_limit);
        const auto got = decode(too_little, s.field, {s.body});
        EXPECT_EQ(got.ec, error::body_too_large);
        EXPECT_LE(got.text.size(), plain.size() - 1);
    }
}

TEST(ContentDecoder, StopsABomb) {
    const std::string zeros(16 * 1024 * 1024, '\0');
    constexpr std::uint64_t floor = content_decoder::ratio_floor;
    for (const auto& s : samples_of(zeros)) {
        SCOPED_TRACE(s.name);
        content_decoder by_size(2 * floor, no_limit);
        auto got = decode(by_size, s.field, {s.body});
        EXPECT_EQ(got.ec, error::body_too_large);
        EXPECT_LE(got.text.size(), 2 * floor);

        content_decoder by_ratio(no_limit, 10);
        got = decode(by_ratio, s.field, {s.body});
        EXPECT_EQ(got.ec, error::excessive_expansion);
        EXPECT_LE(got.text.size(), std::max<std::uint64_t>(floor, 10 * s.body.size()) + 16 * 1024);
    }
}

TEST(ContentDecoder, CountsWhatAnInnerCodingUnpacksTo) {
    // Members that hold nothing: much in the middle of it, and nothing at the end.
    std::string empty_members;
    const auto member = deflated("", gzip_format);
    while (empty_members.size() < 2 * content_decoder::ratio_floor) empty_members += member;
    const auto body = deflated(empty_members, gzip_format);
    content_decoder strict(no_limit, 100);
    EXPECT_EQ(decode(strict, "gzip, gzip", {body}).ec, error::excessive_expansion);
    EXPECT_EQ(decode("gzip, gzip", {body}).ec, error_code());
}

TEST(ContentDecoder, LetsASmallBodyUnpackToAnyRatio) {
    const std::string blanks(content_decoder::ratio_floor, ' ');
    for (const auto& s : samples_of(blanks)) {
        content_decoder strict(no_limit, 1);
        EXPECT_EQ(decode(strict, s.field, {s.body}).ec, error_code()) << s.name;
        const auto larger = decode(strict, "br", {brotli(blanks + ' ')});
        EXPECT_EQ(larger.ec, error::excessive_expansion);
    }
}

TEST(ContentDecoder, BeginsAnotherBodyAfterAnyEnd) {
    content_decoder decoder(100, no_limit);
    const auto body = deflated("hello", gzip_format);
    EXPECT_EQ(decode(decoder, "gzip", {body}).text, "hello");
    EXPECT_EQ(decode(decoder, "gzip", {body.substr(0, 12)}).ec, error::incomplete_encoding);
    EXPECT_EQ(decode(decoder, "gzip", {"nothing of the sort"}).ec, error::malformed_encoding);
    EXPECT_EQ(decode(decoder, "lzma", {}).ec, error::unsupported_encoding);
    for (int i = 0; i < 30; ++i) EXPECT_EQ(decode(decoder, "br", {brotli("hello")}).text, "hello");
    EXPECT_EQ(decode(decoder, "", {"hello"}).text, "hello");
}

}  // namespace
