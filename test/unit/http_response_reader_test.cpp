#include "support/read_response.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio_retry::test {
namespace {

using http::error;
using end = reading_end;

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";

/// Reads it whole, and holds that no other way of arriving makes a difference.
reading read(std::string_view text) {
    const reading whole = read_pieces({text});
    EXPECT_EQ(read_bytes(text), whole) << "byte by byte: " << text;
    // What a sink takes has no limit.
    if (whole.error != error::body_too_large) {
        EXPECT_EQ(read_moved(text), whole) << "to a sink: " << text;
    }
    for (std::size_t at = 1; at < text.size(); ++at) {
        EXPECT_EQ(read_pieces({text.substr(0, at), text.substr(at)}), whole)
            << "in two, at " << at << ": " << text;
    }
    return whole;
}

std::ostream& operator<<(std::ostream& out, end e) {
    constexpr const char* names[] = {"whole", "to_end", "cut", "refused"};
    return out << names[static_cast<int>(e)];
}

std::string name_of(end e) {
    std::ostringstream out;
    out << e;
    return out.str();
}

/// The vectors hold bytes as code points.
std::string bytes_of(std::string_view utf8) {
    std::string bytes;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const auto c = static_cast<unsigned char>(utf8[i]);
        bytes += c < 0x80 ? utf8[i] : static_cast<char>((c & 3) << 6 | (utf8[++i] & 0x3f));
    }
    return bytes;
}

TEST(HttpResponseReader, AgreesWithLlhttpOrSaysWhyNot) {
    std::ifstream file(ASIO_RETRY_TEST_DATA "/responses.json");
    std::stringstream text;
    text << file.rdbuf();
    const auto data = boost::json::parse(text.str());
    std::size_t agreed = 0;
    for (const auto& row : data.at("cases").as_array()) {
        SCOPED_TRACE(row);
        const auto& columns = row.as_array();
        const reading r = read(bytes_of(columns[2].as_string()));
        ASSERT_TRUE(columns.size() == 5 || columns.size() == 7);
        const bool differs = columns.size() == 7;
        if (differs) {
            EXPECT_NE(columns[5], columns[3]);
        }
        EXPECT_EQ(name_of(r.how), columns[differs ? 5 : 3].as_string()) << r.error.message();
        if (r.is_response() && columns[4].is_string()) {
            EXPECT_EQ(r.body, bytes_of(columns[4].as_string()));
        }
        agreed += differs ? 0 : 1;
    }
    EXPECT_EQ(data.at("cases").as_array().size(), 85U);
    EXPECT_EQ(agreed, 66U);
}

/// What becomes of a text; of a response its status and body too.
class row {
public:
    row(std::string t, end e, std::string b = "")
        : text(std::move(t)), how(e), body(std::move(b)) {}

    std::string text;
    end how;
    std::string body;
};

void expect(const std::vector<row>& rows) {
    for (const auto& each : rows) {
        SCOPED_TRACE(each.text.substr(0, 300));
        const reading r = read(each.text);
        EXPECT_EQ(r.how, each.how) << r.error.message();
        EXPECT_EQ(r.body, each.body);
    }
}

// RFC 9112 6.3 lets a client take Transfer-Encoding for the one that counts and then close. Nobody
// sends both in good faith, and whoever stands between may have taken the other one: refused.
TEST(HttpResponseReader, RefusesTwoWordsOnWhereTheBodyEnds) {
    const std::string length = "Content-Length: 5\r\n";
    const std::string coding = "Transfer-Encoding: chunked\r\n";
    const std::string body = "\r\n5\r\n01234\r\n0\r\n\r\n";
    expect({{ok + length + coding + body, end::refused},
            {ok + coding + length + body, end::refused},
            {ok + coding + coding + body, end::refused},
            {ok + "Transfer-Encoding: gzip\r\n" + coding + body, end::refused},
            {ok + "Transfer-Encoding: gzip, chunked\r\n" + body, end::refused},
            {ok + "Transfer-Encoding: chunked, chunked\r\n" + body, end::refused},
            {ok + "Transfer-Encoding: chunked, gzip\r\n" + body, end::refused},
            {ok + "Transfer-Encoding: chunked;q=1\r\n" + body, end::refused},
            {ok + "Transfer-Encoding: \"chunked\"\r\n" + body, end::refused},
            {ok + "Transfer-Encoding: identity\r\n\r\n01234", end::refused},
            {ok + "Transfer-Encoding:\r\n\r\n01234", end::refused},
            {ok + length + "Transfer-Encoding: gzip\r\n\r\n01234", end::refused},
            {ok + "Transfer-Encoding: gzip\r\n" + length + "\r\n01234", end::refused},
            {ok + length + "Content-Length: 6\r\n\r\n012345", end::refused},
            {ok + "Content-Length: 5, 6\r\n\r\n012345", end::refused},
            {ok + length + length + "\r\n01234", end::whole, "01234"},
            {ok + "Content-Length: 5, 5\r\n\r\n01234", end::whole, "01234"},
            {ok + "TRANSFER-encoding: \tCHUNKED\t \r\n" + body, end::whole, "01234"}});
}

TEST(HttpResponseReader, TakesOnlyNumbersForLengths) {
    for (const char* length : {"+5",
                               "-5",
                               "5.0",
                               "0x5",
                               "5 5",
                               "5;",
                               "5,",
                               ",5",
                               "",
                               "five",
                               "5\v",
                               "18446744073709551616",
                               "99999999999999999999999999",
                               "36893488147419103237"}) {
        SCOPED_TRACE(length);
        const reading r = read(ok + "Content-Length: " + length + "\r\n\r\n01234");
        EXPECT_EQ(r.how, end::refused);
        EXPECT_NE(r.error, error::body_too_large);
    }
    expect({{ok + "Content-Length: 00005\r\n\r\n01234", end::whole, "01234"},
            {ok + "Content-Length:\t5 \r\n\r\n01234", end::whole, "01234"},
            {ok + "Content-Length: 0\r\n\r\n01234", end::whole},
            {ok + "Content-Length: 9223372036854775808\r\n\r\n", end::refused}});
}

TEST(HttpResponseReader, TakesOnlyChunksThatAreWellFormed) {
    const std::string tail = "\r\n0\r\n\r\n";
    const std::string five = "\r\n01234" + tail;
    expect({{chunked + "5" + five, end::whole, "01234"},
            {chunked + "0000000000000000000000005" + five, end::whole, "01234"},
            {chunked + "a\r\n0123456789\r\nA\r\n0123456789" + tail,
             end::whole,
             "01234567890123456789"},
            {chunked + "5;a;b=c;d=\"e;\\\"\" ; f = g" + five, end::whole, "01234"},
            {chunked + "5;" + five, end::refused},
            {chunked + "5;=a" + five, end::refused},
            {chunked + "5;a=" + five, end::refused},
            {chunked + "5;a=\"" + five, end::cut},
            {chunked + "5;a=\"\r\n\"" + five, end::refused},
            {chunked + "5;a\n" + five, end::refused},
            {chunked + "5 " + five, end::refused},
            {chunked + " 5" + five, end::refused},
            {chunked + "5 a" + five, end::refused},
            {chunked + "+5" + five, end::refused},
            {chunked + "-5" + five, end::refused},
            {chunked + "0x5" + five, end::refused},
            {chunked + five, end::refused},
            {chunked + "5\n01234" + tail, end::refused},
            {chunked + "5\r01234" + tail, end::refused},
            {chunked + "5\r\n012345" + tail, end::refused},
            {chunked + "5\r\n0123" + tail, end::refused},
            {chunked + "5\r\n01234\n0\r\n\r\n", end::refused},
            {chunked + "5\r\n012340\r\n\r\n", end::refused},
            {chunked + "10000000000000005" + five, end::refused},
            {chunked + "ffffffffffffffff" + five, end::refused},
            {chunked + "ffffffffffffffffffff" + five, end::refused},
            {chunked + "0;a=b\r\n\r\n", end::whole}});
}

TEST(HttpResponseReader, TakesOnlyLinesThatAreWellFormed) {
    const std::string nul(1, '\0');
    const std::string rest = "Content-Length: 0\r\n\r\n";
    expect({{ok + "A: b\nC: d\r\n" + rest, end::refused},
            {ok + "A: b\rC: d\r\n" + rest, end::refused},
            {ok + "A: b\r\r\n" + rest, end::refused},
            {ok + "A: b" + nul + "c\r\n" + rest, end::refused},
            {ok + "A" + nul + ": b\r\n" + rest, end::refused},
            {ok + "A: b\x7f\r\n" + rest, end::refused},
            {ok + "A: b\x1b[2J\r\n" + rest, end::refused},
            {ok + "A : b\r\n" + rest, end::refused},
            {ok + "A\t: b\r\n" + rest, end::refused},
            {ok + "A b: c\r\n" + rest, end::refused},
            {ok + "\xC3\xA4: c\r\n" + rest, end::refused},
            {ok + ": b\r\n" + rest, end::refused},
            {ok + "A\r\n" + rest, end::refused},
            {ok + " A: b\r\n" + rest, end::refused},
            {ok + "\tA: b\r\n" + rest, end::refused},
            {ok + "Content-Length: 1\r\n 2\r\n\r\n0123456789ab", end::refused},
            {"HTTP/1.1 200 O\nK\r\n" + rest, end::refused},
            {"HTTP/1.1 200 O" + nul + "K\r\n" + rest, end::refused},
            {"HTTP/1.1 200 OK\n" + rest, end::refused},
            {"\r\n" + ok + rest, end::refused},
            {" " + ok + rest, end::refused},
            {"\xEF\xBB\xBF" + ok + rest, end::refused},
            {ok + "A:\r\nB:\t\r\n" + rest, end::whole},
            {ok + "A: \xE4\xFF\r\n" + rest, end::whole}});
    const reading folded = read(ok + "A: b \r\n\t c\r\n \r\n  d\r\n" + rest);
    ASSERT_EQ(folded.how, end::whole) << "RFC 9112 5.2";
    EXPECT_EQ(folded.headers["A"], "b c d");
}

TEST(HttpResponseReader, TakesNoOtherVersionAndNoOtherProtocol) {
    for (const char* line : {"HTTP/2.0 200 OK",
                             "HTTP/2 200 OK",
                             "HTTP/1.2 200 OK",
                             "HTTP/0.9 200 OK",
                             "HTTP/1.10 200 OK",
                             "HTTP/1,1 200 OK",
                             "HTTP/1. 200 OK",
                             "HTTP/ 1.1 200 OK",
                             "http/1.1 200 OK",
                             "HTTP/1.1\t200 OK",
                             "HTTP/1.1  200 OK",
                             "SSH-2.0-OpenSSH_9.2",
                             "220 mail.example ESMTP",
                             "<html><body>200 OK</body></html>",
                             "\x15\x03\x03",
                             "GET / HTTP/1.1",
                             "x"}) {
        SCOPED_TRACE(line);
        EXPECT_EQ(read(std::string(line) + "\r\nContent-Length: 0\r\n\r\n").how, end::refused);
    }
    EXPECT_EQ(read("SSH-").how, end::refused);
    EXPECT_EQ(read("HTT").how, end::cut);
    EXPECT_TRUE(read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").is_response());
}

TEST(HttpResponseReader, RefusesBareLineFeedsWithoutWaitingForMore) {
    response_reading r;
    EXPECT_TRUE(r.feed("HTTP/1.1 200 OK\r\nA: b"));
    EXPECT_FALSE(r.feed("\nB: c\n\n"));
    EXPECT_EQ(r.end().how, end::refused);
}

TEST(HttpResponseReader, TakesEveryStatusOfThreeDigitsThatIsOne) {
    for (const char* status :
         {"000", "001", "099", "20", "2000", "2xx", "-20", "+200", "0200", " "}) {
        SCOPED_TRACE(status);
        const auto line = "HTTP/1.1 " + std::string(status) + " Odd\r\n";
        EXPECT_EQ(read(line + "Content-Length: 0\r\n\r\n").how, end::refused);
    }
    // RFC 9110 15: to be taken, as 5xx.
    for (const unsigned status : {200U, 299U, 418U, 599U, 600U, 999U}) {
        const auto line = "HTTP/1.1 " + std::to_string(status) + " Odd\r\n";
        EXPECT_EQ(read(line + "Content-Length: 0\r\n\r\n").status, status);
    }
}

TEST(HttpResponseReader, HandsOverTheReasonPhraseAsItCame) {
    for (const char* line :
         {"200 OK", "200 Fine", "404 Gone fishing", "299 ", "200 ", "520 \xc3\xa9"}) {
        const auto text = "HTTP/1.1 " + std::string(line) + "\r\nContent-Length: 0\r\n\r\n";
        EXPECT_EQ(read(text).reason, line + 4) << line;
        EXPECT_EQ(read("HTTP/1.1 103 Early\r\n\r\n" + text).reason, line + 4) << line;
    }
}

}  // namespace
}  // namespace asio_retry::test
