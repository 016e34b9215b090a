// What a response may not grow to, where it may be cut, and what its trailer may not change.
#include "support/read_response.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::test {
namespace {

using http::error;
using http::fetch_policy;
using end = reading_end;

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
const std::string empty = "Content-Length: 0\r\n\r\n";

std::string many(std::size_t n, const std::string& text) {
    std::string all;
    for (std::size_t i = 0; i < n; ++i) all += text;
    return all;
}

fetch_policy limited(std::size_t header, std::uint64_t body) {
    return std::move(fetch_policy().max_header_size(header).max_body_size(body));
}

const std::vector<std::string>& whole_responses() {
    static const std::vector<std::string> all = {
        ok + "Content-Length: 10\r\nX: y\r\n\r\n0123456789",
        ok + empty,
        chunked + "5;e=1\r\n01234\r\n5\r\n56789\r\n0\r\nT: v\r\n\r\n",
        chunked + "0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.0 200 OK\r\n" +
            empty};
    return all;
}

TEST(HttpResponseReader, TakesNothingThatIsCutForAResponse) {
    for (const auto& text : whole_responses()) {
        SCOPED_TRACE(text);
        EXPECT_EQ(read_pieces({text}).how, end::whole);
        for (std::size_t n = 0; n < text.size(); ++n) {
            const std::string_view part = std::string_view(text).substr(0, n);
            EXPECT_EQ(read_pieces({part}).error,
                      n == 0 ? error::no_response : error::incomplete_response)
                << n;
            EXPECT_EQ(read_bytes(part), read_pieces({part})) << n;
        }
    }
}

TEST(HttpResponseReader, EndsABodyOfUnknownLengthWithTheConnection) {
    for (const char* version : {"HTTP/1.1", "HTTP/1.0"}) {
        const std::string head = std::string(version) + " 200 OK\r\nConnection: keep-alive\r\n\r\n";
        for (const char* body : {"", "x", "HTTP/1.1 200 OK\r\n\r\n"}) {
            const reading r = read_bytes(head + body);
            EXPECT_EQ(r.how, end::to_end);
            EXPECT_EQ(r.body, body);
            EXPECT_FALSE(r.keep_alive);
        }
    }
}

TEST(HttpResponseReader, KnowsTheResponsesWithoutBody) {
    const std::string fields = "Content-Length: 5\r\n\r\n";
    const std::string coded = "Transfer-Encoding: chunked\r\n\r\n";
    for (const std::string& head : {ok + fields, ok + coded, ok + "\r\n"}) {
        const reading r = read_pieces({head}, {}, request_method::head);
        EXPECT_EQ(r.how, end::whole) << head;
        EXPECT_TRUE(r.keep_alive) << head;
    }
    for (const char* line : {"HTTP/1.1 204 No Content\r\n", "HTTP/1.1 304 Not Modified\r\n"}) {
        for (const std::string& rest : {fields, coded, std::string("\r\n")}) {
            const reading r = read_pieces({line + rest + "01234"});
            EXPECT_EQ(r.how, end::whole) << line << rest;
            EXPECT_EQ(r.body, "");
        }
    }
}

// A server that sends a body with a 204 has yet to send it when the 204 is read.
TEST(HttpResponseReader, KeepsNoConnectionWhoseNextByteMayBelongToTheLast) {
    const auto keeps = [](const std::string& text) { return read_bytes(text).keep_alive; };
    EXPECT_TRUE(keeps("HTTP/1.1 204 X\r\n\r\n"));
    EXPECT_TRUE(keeps("HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_FALSE(keeps("HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n"));
    EXPECT_FALSE(keeps("HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n"));
    EXPECT_TRUE(keeps("HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n"));
    EXPECT_TRUE(keeps(chunked + "0\r\n\r\n"));
    EXPECT_FALSE(
        keeps("HTTP/1.0 200 X\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n"
              "\r\n0\r\n\r\n"));
    EXPECT_TRUE(keeps("HTTP/1.0 200 X\r\nConnection: keep-alive\r\n" + empty));
    EXPECT_FALSE(keeps("HTTP/1.0 200 X\r\n" + empty));
    EXPECT_FALSE(keeps(ok + "Connection: x, CLOSE\r\n" + empty));
    EXPECT_FALSE(keeps(ok + "Connection: keep-alive\r\nConnection: close\r\n" + empty));
}

TEST(HttpResponseReader, LetsATrailerChangeNothing) {
    const auto with = [](const std::string& head, const std::string& trailer) {
        return read_bytes(head + "1\r\nx\r\n0\r\n" + trailer + "\r\n");
    };
    for (const char* trailer : {"Retry-After: 3600\r\n",
                                "Location: http://other/\r\n",
                                "Set-Cookie: a=b\r\n",
                                "Content-Encoding: gzip\r\n",
                                "Connection: close\r\n",
                                "Upgrade: h2c\r\n",
                                "Date: x\r\nDate: y\r\n"}) {
        const reading r = with(chunked, trailer);
        EXPECT_EQ(r.how, end::whole) << trailer << r.error.message();
        EXPECT_EQ(r.body, "x");
        EXPECT_TRUE(r.keep_alive) << trailer;
        EXPECT_EQ(std::distance(r.headers.begin(), r.headers.end()), 1) << trailer;
    }
    const std::string closing = ok + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_FALSE(with(closing, "Connection: keep-alive\r\n").keep_alive);
    for (const char* trailer : {"Content-Length: 1\r\n",
                                "Content-Length: 5\r\n",
                                "Transfer-Encoding: chunked\r\n",
                                "Bad Name: x\r\n",
                                "A : b\r\n",
                                "A: b\nB: c\r\n",
                                " folded: x\r\n"}) {
        EXPECT_EQ(with(chunked, trailer).how, end::refused) << trailer;
    }
}

TEST(HttpResponseReader, KeepsTheHeaderLimitToTheByte) {
    for (const std::size_t limit : {100U, 1000U, 5000U}) {
        const std::string frame = ok + "X: \r\n" + empty;
        const std::string most =
            ok + "X: " + std::string(limit - frame.size(), 'x') + "\r\n" + empty;
        const auto policy = limited(limit, 100);
        ASSERT_EQ(most.size(), limit);
        EXPECT_EQ(read_pieces({most}, policy).how, end::whole);
        EXPECT_EQ(read_bytes(most, policy).how, end::whole);
        std::string more = most;
        more.insert(ok.size(), "A:\r\n");
        for (std::size_t at = 0; at < more.size(); at += 7) {
            const std::string_view text = more;
            EXPECT_EQ(read_pieces({text.substr(0, at), text.substr(at)}, policy).error,
                      error::header_too_large)
                << limit << " in two, at " << at;
        }
        EXPECT_EQ(read_bytes(more, policy).error, error::header_too_large);
    }
}

/// Too much of something, and of what.
class excess {
public:
    excess(std::string t, error e) : text(std::move(t)), what(e) {}

    std::string text;
    error what;
};

TEST(HttpResponseReader, BoundsWhateverAServerMaySendWithoutEnd) {
    const std::vector<excess> all = {
        {ok + many(10'000, "A: b\r\n"), error::header_too_large},
        {ok + many(10'000, "A: b\r\n") + empty, error::header_too_large},
        {ok + "X: " + std::string(2000, 'x'), error::header_too_large},
        {ok + "X: a" + many(2000, "\r\n b"), error::header_too_large},
        {"HTTP/1.1 200 " + std::string(2000, 'x'), error::header_too_large},
        {many(17, "HTTP/1.1 100 Continue\r\n\r\n"), error::too_many_informational},
        {many(100, "HTTP/1.1 199 X\r\nLink: y\r\n\r\n"), error::too_many_informational},
        {chunked + "1;" + std::string(2000, 'x'), error::header_too_large},
        {chunked + std::string(2000, '0'), error::header_too_large},
        {chunked + "0\r\n" + many(500, "A: b\r\n"), error::header_too_large},
        {chunked + "0\r\n" + many(500, "A: b\r\n") + "\r\n", error::header_too_large},
        {chunked + many(1001, "1;" + std::string(900, 'x') + "\r\ny\r\n"), error::header_too_large},
        {chunked + "3e9\r\n", error::body_too_large},
        {chunked + many(1001, "1\r\nx\r\n"), error::body_too_large},
        {ok + "Content-Length: 1001\r\n\r\n", error::body_too_large},
        {ok + "\r\n" + std::string(1001, 'x'), error::body_too_large}};
    const auto policy = limited(1000, 1000);
    for (const auto& each : all) {
        SCOPED_TRACE(each.text.substr(0, 100));
        EXPECT_EQ(read_pieces({each.text}, policy).error, each.what);
        EXPECT_EQ(read_bytes(each.text, policy).error, each.what);
    }
    const std::string padded = chunked + many(1000, "00000001\r\nx\r\n") + "0\r\n\r\n";
    EXPECT_EQ(read_bytes(padded, policy).body.size(), 1000U);
    EXPECT_TRUE(read_bytes(many(16, "HTTP/1.1 100 X\r\n\r\n") + ok + empty).is_response());
}

TEST(HttpResponseReader, BeginsEachResponseAnew) {
    http::detail::response_reader reader;
    http::detail::read_buffer input;
    for (const auto& text : whole_responses()) {
        reader.begin(request_method::other, {});
        EXPECT_FALSE(reader.started());
        std::memcpy(input.prepare(text.size()).data(), text.data(), text.size());
        input.commit(text.size());
        EXPECT_FALSE(reader.take(input)) << text;
        ASSERT_TRUE(reader.done()) << text;
        EXPECT_EQ(input.size(), 0U);
        std::optional<http::response> made;
        reader.release(nullptr, made);
        EXPECT_LT(made->body().size(), 11U);
    }
}

}  // namespace
}  // namespace asio_retry::test
