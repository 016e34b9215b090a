// How bodies travel: compressed, into files as they come and on from where they broke off, out of
// files.
#include "support/certificates.hpp"
#include "support/scripted_server.hpp"
#include "tool/tool_process.hpp"

#include <boost/json/value.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#ifdef ASIO_RETRY_TOOL

namespace asio_retry::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using words = std::vector<std::string>;

const std::string text = "0123456789";
constexpr const char* tag = "ETag: \"one\"\r\n";

/// The response with the text, cut behind so many bytes of it.
std::string cut(std::size_t at, const std::string& fields = tag) {
    const auto whole = response(200, text, fields);
    return whole.substr(0, whole.size() - text.size() + at);
}

/// Without the chunk that would say that all is there.
std::string all_but_the_end() {
    return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n") + tag + "\r\na\r\n" +
           text + "\r\n";
}

std::string rest(std::size_t from) {
    return "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(from) +
           "-9/10\r\nContent-Length: " + std::to_string(text.size() - from) + "\r\n" + tag +
           "\r\n" + text.substr(from);
}

std::string nothing_is_missing() {
    return response(416, "no such range", std::string("Content-Range: bytes */10\r\n") + tag);
}

connection_script answer(const std::string& bytes) {
    return {expect_request(), send(bytes), close()};
}

class FetchBody : public ::testing::Test {
protected:
    std::string file(const char* name) const { return (out_ / name).string(); }

    std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& each : fs::directory_iterator(out_)) {
            names.push_back(each.path().filename().string());
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    /// A fetch with a report, whose line it answers.
    boost::json::value report_of(const words& arguments) {
        const auto report = (directory_.path() / "report").string();
        words all{"--report", report, "--backoff", "constant:1ms", "--max-attempts", "2"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        result_ = fetch(all);
        const auto lines = lines_of_json(contents_of(report));
        return lines.size() == 1 ? lines[0] : boost::json::value();
    }

    temporary_directory directory_;
    fs::path out_ = directory_.path() / "out";
    tool_result result_;

    FetchBody() { fs::create_directory(out_); }
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

// -o.

TEST_F(FetchBody, AFileIsGoneOnWithWhereItBrokeOff) {
    const scripted_server server({answer(cut(4)), answer(rest(4))});
    const auto report = report_of({"-o", file("a"), server.url("/a")});
    EXPECT_EQ(result_.status, 0) << result_.err;
    EXPECT_EQ(result_.err, "");
    EXPECT_EQ(contents_of(file("a")), text);
    EXPECT_THAT(files(), ElementsAre("a"));
    EXPECT_EQ(server.requests().at(1).field("Range"), "bytes=4-");
    EXPECT_EQ(report.at("outcome").as_string(), "success");
    EXPECT_EQ(report.at("status").as_int64(), 206);
    EXPECT_EQ(report.at("bytes").as_int64(), 10);
}

TEST_F(FetchBody, AFileIsWholeIfTheServerSaysThatNothingIsMissing) {
    const scripted_server server({answer(all_but_the_end()), answer(nothing_is_missing())});
    const auto report = report_of({"-o", file("a"), server.url("/a")});
    EXPECT_EQ(result_.status, 0) << result_.err;
    EXPECT_EQ(result_.err, "");
    EXPECT_EQ(contents_of(file("a")), text);
    EXPECT_EQ(report.at("outcome").as_string(), "success");
    EXPECT_EQ(report.at("status").as_int64(), 416);
    EXPECT_EQ(report.at("bytes").as_int64(), 10);
}

TEST_F(FetchBody, A416ThatNobodyAskedForIsAFailure) {
    const scripted_server server({answer(nothing_is_missing())});
    const auto report = report_of({"-o", file("a"), server.url("/a")});
    EXPECT_EQ(result_.status, 1);
    EXPECT_EQ(report.at("outcome").as_string(), "failed");
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(FetchBody, NothingIsLeftOfAFailure) {
    const scripted_server server({answer(cut(4)), answer(cut(4)), answer(cut(4)), answer(cut(4))});
    const auto report = report_of({"-o", file("a"), server.url("/a")});
    EXPECT_EQ(result_.status, 3);
    EXPECT_EQ(report.at("bytes").as_int64(), 0);
    EXPECT_THAT(files(), IsEmpty());

    directory_.write("out/a", "as it was");
    report_of({"-o", file("a"), server.url("/a")});
    EXPECT_EQ(result_.status, 3);
    EXPECT_EQ(contents_of(file("a")), "as it was");
    EXPECT_THAT(files(), ElementsAre("a"));
}

TEST_F(FetchBody, NothingIsLeftOfAnInterruptedFetchUnlessToldOtherwise) {
    const auto interrupt = [this](words arguments) {
        const scripted_server server({{expect_request(), send(cut(4)), stall()}});
        arguments.insert(arguments.begin(), "fetch");
        arguments.push_back(server.url("/a"));
        tool_run run(arguments);
        while (contents_of(file("a.part")) != "0123") ::usleep(1000);
        run.signal(SIGINT);
        EXPECT_EQ(run.wait().status, 130);
    };
    interrupt({"-o", file("a")});
    EXPECT_THAT(files(), IsEmpty());
    interrupt({"-C", "-", "-o", file("a")});
    EXPECT_THAT(files(), ElementsAre("a.part", "a.part.state"));
}

TEST_F(FetchBody, TheFileHasTheHeadTooIfThatIsAsked) {
    const scripted_server server({answer(response(200, text))});
    report_of({"-i", "-o", file("a"), server.url("/a")});
    EXPECT_EQ(contents_of(file("a")), response(200, text));
}

TEST_F(FetchBody, AHeadRequestMakesAnEmptyFile) {
    const scripted_server server({answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")});
    const auto report = report_of({"-X", "HEAD", "-o", file("a"), server.url("/a")});
    EXPECT_EQ(result_.status, 0) << result_.err;
    EXPECT_EQ(report.at("bytes").as_int64(), 0);
    EXPECT_THAT(files(), ElementsAre("a"));
}

TEST_F(FetchBody, ARangeOfOnesOwnIsTheFile) {
    const scripted_server server({answer(rest(4))});
    report_of({"-H", "Range: bytes=4-", "-o", file("a"), server.url("/a")});
    EXPECT_EQ(result_.status, 0) << result_.err;
    EXPECT_EQ(contents_of(file("a")), "456789");
}

TEST_F(FetchBody, AFileThatCannotBeWrittenIsNamed) {
    const auto vanishing = out_ / "vanishing";
    fs::create_directory(vanishing);
    const step remove("remove", [vanishing](wire&) { fs::remove(vanishing); });
    const scripted_server server(
        {{expect_request(), remove, send(response(200, text)), expect_request(), close()}});
    const auto lost = (vanishing / "b").string();
    const auto result =
        fetch({"-s", "-o", file("a"), "-o", lost, server.url("/a"), server.url("/b")});
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err,
              "asio-retry: '" + lost + "' could not be written: No such file or directory\n");
    EXPECT_EQ(contents_of(file("a")), text);
}

TEST_F(FetchBody, AFileThatAnotherDownloadWritesToIsNamed) {
    const scripted_server server({answer(response(200, text))});
    const int part = ::open(file("a.part").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_EQ(::flock(part, LOCK_EX), 0);
    const auto report = report_of({"-o", file("a"), server.url("/a")});
    EXPECT_EQ(result_.status, 3);
    EXPECT_EQ(result_.err,
              "asio-retry: '" + file("a") +
                  "' could not be written: another download writes to the same file\n");
    EXPECT_EQ(report.at("error").as_string(), "another download writes to the same file");
    EXPECT_EQ(report.at("reason").as_string(), "permanent_failure");
    ::close(part);
}

// -C.

TEST_F(FetchBody, AnotherRunGoesOnIfTold) {
    const scripted_server server({answer(cut(4)), answer(rest(4))});
    const words arguments{"--max-attempts", "1", "-C", "-", "-o", file("a"), server.url("/a")};
    report_of(arguments);
    EXPECT_EQ(result_.status, 3);
    EXPECT_THAT(files(), ElementsAre("a.part", "a.part.state"));
    const auto report = report_of(arguments);
    EXPECT_EQ(result_.status, 0) << result_.err;
    EXPECT_EQ(server.requests().at(1).field("Range"), "bytes=4-");
    EXPECT_EQ(contents_of(file("a")), text);
    EXPECT_EQ(report.at("bytes").as_int64(), 10);
    EXPECT_THAT(files(), ElementsAre("a"));
}

TEST_F(FetchBody, AnotherRunMayFindThatNothingIsMissing) {
    const scripted_server server({answer(all_but_the_end()), answer(nothing_is_missing())});
    const words arguments{"--max-attempts", "1", "-C-", "-o", file("a"), server.url("/a")};
    report_of(arguments);
    EXPECT_EQ(result_.status, 3);
    const auto report = report_of(arguments);
    EXPECT_EQ(result_.status, 0) << result_.err;
    EXPECT_EQ(contents_of(file("a")), text);
    EXPECT_EQ(report.at("outcome").as_string(), "success");
    EXPECT_EQ(report.at("bytes").as_int64(), 10);
}

TEST_F(FetchBody, ARunThatIsNotToldBeginsAnew) {
    const scripted_server server({answer(cut(4)), answer(response(200, text))});
    report_of({"--max-attempts", "1", "-C", "-", "-o", file("a"), server.url("/a")});
    report_of({"-o", file("a"), server.url("/a")});
    EXPECT_EQ(result_.status, 0) << result_.err;
    EXPECT_EQ(server.requests().at(1).field("Range"), "");
    EXPECT_THAT(files(), ElementsAre("a"));
}

// -d @FILE.

TEST_F(FetchBody, ALargeFileIsSentAgainForEachAttempt) {
    std::string large;
    while (large.size() < 1'500'000) large += std::to_string(large.size()) + "\n";
    const auto path = directory_.write("large", large);
    const scripted_server server({answer(response(503)), answer(response(200, "taken"))});
    report_of({"--idempotent", "-v", "-d", "@" + path, server.url("/a")});
    EXPECT_EQ(result_.status, 0) << result_.err;
    EXPECT_EQ(result_.out, "taken");
    EXPECT_THAT(result_.err, HasSubstr("> (" + std::to_string(large.size()) + " bytes)\n"));
    ASSERT_EQ(server.requests().size(), 2U);
    for (const auto& each : server.requests()) {
        EXPECT_EQ(each.method, "POST");
        EXPECT_EQ(each.field("Content-Length"), std::to_string(large.size()));
        EXPECT_EQ(each.field("Content-Type"), "application/x-www-form-urlencoded");
        EXPECT_TRUE(each.body == large);
    }
}

}  // namespace
}  // namespace asio_retry::test

#endif
