// How bodies travel: compressed, into files as they come and on from where they broke off, out of files.
#include "support/certificates.hpp"
#include "support/scripted_server.hpp"
#include "tool/tool_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#ifdef ASIO_RETRY_TOOL

namespace asio_retry::test {
namespace {

using ::testing::HasSubstr;
using words = std::vector<std::string>;

class FetchBody : public ::testing::Test {
protected:
    std::string file(const char* name) const { return (directory_.path() / name).string(); }

    temporary_directory directory_;
};

// --compressed.

/// "hello, hello, hello, hello\n" as gzip.
const std::string gzipped(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9"
    "\xd7\x51\xc8\xc0\xa4\xb8\x00\x4b\x21\xa1\x29\x1b\x00\x00\x00",
    30);

TEST_F(FetchBody, CompressedIsAskedForAndDecoded) {
    const auto sent = response(200, gzipped, "Content-Encoding: gzip\r\n");
    const auto once = connection_script{expect_request(), send(sent), close()};
    const scripted_server server({once, once, once});
    auto result = fetch({"--compressed", server.url("/a")});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "hello, hello, hello, hello\n");
    EXPECT_THAT(server.requests().at(0).field("Accept-Encoding"), HasSubstr("gzip"));

    result = fetch({"--compressed", "-o", file("a"), server.url("/a")});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(contents_of(file("a")), "hello, hello, hello, hello\n");
    EXPECT_THAT(server.requests().at(1).field("Accept-Encoding"), HasSubstr("gzip"));

    result = fetch({server.url("/a")});
    EXPECT_EQ(result.out, gzipped);
    EXPECT_EQ(server.requests().at(2).field("Accept-Encoding"), "");
}

}  // namespace
}  // namespace asio_retry::test

#endif
