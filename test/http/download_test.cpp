// Downloads: the file is the right bytes, or it is as it was.
#include "http/support/fetcher.hpp"
#include <asio_retry/http/download.hpp>
#include <asio_retry/observer.hpp>

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace asio_retry::test {
namespace {

namespace fs = std::filesystem;
using http::download_options;
using http::into_file;
using http::resumption;

constexpr const char* tag = "ETag: \"one\"\r\n";

class Download : public testing::Test {
protected:
    Download() {
        std::string name = (fs::temp_directory_path() / "asio_retry_download_XXXXXX").string();
        directory = ::mkdtemp(name.data());
        target = directory / "file";
    }
    ~Download() override { fs::remove_all(directory); }

    static std::string text_of(const fs::path& path) {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& each : fs::directory_iterator(directory))
            all.push_back(each.path().filename().string());
        return all;
    }
    request get(const scripted_server& server, download_options options = {}) const {
        return request("GET", server.url()).deliver_to(into_file(target.string(), options));
    }

    fs::path directory;
    fs::path target;
};

/// The rest of a text from this byte on.
std::string rest(const std::string& text, std::size_t from, const std::string& fields = tag) {
    const std::string body = text.substr(from);
    return "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(from) + "-" +
           std::to_string(text.size() - 1) + "/" + std::to_string(text.size()) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body;
}

/// A whole response, cut behind so many bytes of its body.
std::string cut(const std::string& text, std::size_t at, const std::string& fields = tag) {
    const std::string all = response(200, text, fields);
    return all.substr(0, all.size() - text.size() + at);
}

TEST_F(Download, MakesTheFile) {
    const std::string text(300'000, 'x');
    scripted_server server({{expect_request(), send(response(200, text, tag)), stall()}});
    fetcher f;
    const auto r = f.fetch(get(server));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->body(), "");
    EXPECT_EQ(text_of(target), text);
    EXPECT_THAT(names(), testing::ElementsAre("file"));
    EXPECT_EQ(server.requests().at(0).count("Range"), 0U);
    EXPECT_EQ(server.requests().at(0).field("Accept-Encoding"), "identity");
}

TEST_F(Download, IsResumedAfterACutAtEveryByte) {
    const std::string text = "0123456789";
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::string end = at == 0 ? response(200, text, tag) : rest(text, at);
        scripted_server server({{expect_request(), send(cut(text, at)), close()},
                                {expect_request(), send(end), stall()}});
        fetcher f;
        const auto r = f.fetch(get(server));
        ASSERT_TRUE(r.ok()) << at << ": " << r.report().summary();
        EXPECT_EQ(text_of(target), text) << at;
        const auto second = server.requests().at(1);
        EXPECT_EQ(second.field("Range"), at == 0 ? "" : "bytes=" + std::to_string(at) + "-");
        EXPECT_EQ(second.field("If-Range"), at == 0 ? "" : "\"one\"");
        EXPECT_THAT(names(), testing::ElementsAre("file"));
    }
}

TEST_F(Download, BeginsAnewWhereItCannotBeResumed) {
    const std::string text = "0123456789";
    for (const std::string fields : {"", "ETag: W/\"weak\"\r\n"}) {
        scripted_server server({{expect_request(), send(cut(text, 4, fields)), close()},
                                {expect_request(), send(response(200, text)), stall()}});
        fetcher f;
        ASSERT_TRUE(f.fetch(get(server)).ok());
        EXPECT_EQ(server.requests().at(1).count("Range"), 0U);
        EXPECT_EQ(text_of(target), text);
    }
}

TEST_F(Download, TakesTheWholeFromAServerThatIgnoresTheRange) {
    const std::string text = "0123456789";
    scripted_server server(
        {{expect_request(), send(cut(text, 4)), close()},
         {expect_request(), send(response(200, "other", "ETag: \"two\"\r\n")), stall()}});
    fetcher f;
    ASSERT_TRUE(f.fetch(get(server)).ok());
    EXPECT_EQ(server.requests().at(1).field("Range"), "bytes=4-");
    EXPECT_EQ(text_of(target), "other");
}

/// A 206 that is not the rest of what is there: in what way, and what is sent.
class ForgedRest : public Download,
                   public testing::WithParamInterface<std::pair<std::string, std::string>> {};

TEST_P(ForgedRest, IsNotTakenAndTheWholeIsFetched) {
    const std::string text = "0123456789";
    scripted_server server({{expect_request(), send(cut(text, 4)), close()},
                            {expect_request(), send(GetParam().second), close()},
                            {expect_request(), send(response(200, text, tag)), stall()}});
    fetcher f;
    const auto r = f.fetch(get(server));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(text_of(target), text);
    EXPECT_EQ(r.report().history()[1].error, http::error::wrong_range);
    EXPECT_EQ(r.report().history()[1].kind, failure_kind::connection_lost);
    EXPECT_EQ(server.requests().at(2).count("Range"), 0U);
}

std::string partial(const std::string& range,
                    const std::string& body,
                    const std::string& fields = tag) {
    return "HTTP/1.1 206 Partial Content\r\n" + range +
           "Content-Length: " + std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds,
    ForgedRest,
    testing::Values(
        std::pair{"NoRange", partial("", "456789")},
        std::pair{"FromElsewhere", partial("Content-Range: bytes 3-9/10\r\n", "3456789")},
        std::pair{"NotToTheEnd", partial("Content-Range: bytes 4-8/10\r\n", "45678")},
        std::pair{"OtherSize", partial("Content-Range: bytes 4-9/11\r\n", "456789")},
        std::pair{"UnknownSize", partial("Content-Range: bytes 4-9/*\r\n", "456789")},
        std::pair{"OtherLength", partial("Content-Range: bytes 4-9/10\r\n", "45678")},
        std::pair{"OtherTag",
                  partial("Content-Range: bytes 4-9/10\r\n", "456789", "ETag: \"two\"\r\n")},
        std::pair{"NoTag", partial("Content-Range: bytes 4-9/10\r\n", "456789", "")},
        std::pair{"Malformed", partial("Content-Range: bytes 4-/10\r\n", "456789")},
        std::pair{
            "Twice",
            partial("Content-Range: bytes 4-9/10\r\nContent-Range: bytes 4-9/10\r\n", "456789")},
        std::pair{
            "Multipart",
            partial("Content-Type: multipart/byteranges; boundary=x\r\n", "--x\r\n\r\n--x--")},
        std::pair{
            "OtherEnd",
            "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */3\r\nContent-Length: "
            "0\r\n\r\n"}),
    [](const auto& row) { return row.param.first; });

/// A 206 of bytes 4 to 9 of 10, which does not say how long its body is.
std::string rest_without_length(const std::string& body, bool chunked) {
    const std::string head =
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4-9/10\r\n" + std::string(tag);
    if (!chunked) return head + "\r\n" + body;
    return head + "Transfer-Encoding: chunked\r\n\r\n" + std::to_string(body.size()) + "\r\n" +
           body + "\r\n0\r\n\r\n";
}

TEST_F(Download, ChunkedRestThatIsTooLongFails) {
    scripted_server server(
        {{expect_request(), send(cut("0123456789", 4)), close()},
         {expect_request(), send(rest_without_length("456789x", true)), stall()}});
    fetcher f;
    EXPECT_FALSE(f.fetch(get(server)).ok());
    EXPECT_FALSE(fs::exists(target));
}

TEST_F(Download, GoesOnBehindARestThatWasTooShort) {
    const std::string text = "0123456789";
    const std::string unsized_beginning = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" +
                                          std::string(tag) + "\r\n4\r\n0123\r\n";
    for (const bool chunked : {true, false}) {
        for (const auto& beginning : {cut(text, 4), unsized_beginning}) {
            scripted_server server(
                {{expect_request(), send(beginning), close()},
                 {expect_request(), send(rest_without_length("456", chunked)), close()},
                 {expect_request(), send(rest(text, 7)), stall()}});
            fetcher f;
            const auto r = f.fetch(get(server));
            ASSERT_TRUE(r.ok()) << r.report().summary();
            EXPECT_EQ(r.report().history()[1].error, http::error::incomplete_response);
            EXPECT_EQ(r.report().history()[1].kind, failure_kind::connection_lost);
            EXPECT_EQ(server.requests().at(2).field("Range"), "bytes=7-");
            EXPECT_EQ(text_of(target), text);
            fs::remove(target);
        }
    }
}

TEST_F(Download, ThatEndsWithARestThatWasTooShortLeavesNothingIfNothingIsToStay) {
    scripted_server server({{expect_request(), send(cut("0123456789", 4)), close()},
                            {expect_request(), send(rest_without_length("456", true)), stall()}});
    fetcher f;
    const auto options = download_options().resume(resumption::within_call);
    const auto r = f.fetch(get(server, options), at_once(no_wait().max_attempts(2)));
    EXPECT_EQ(r.error(), http::error::incomplete_response);
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    EXPECT_TRUE(names().empty());
}

/// What a validator is worth, another URL does not know (RFC 9110 8.8.3).
TEST_F(Download, IsResumedOnlyFromTheUrlThatTheBeginningCameFrom) {
    const std::string text = "0123456789";
    const auto to = [](const std::string& path) {
        return send(response(302, "", "Location: " + path + "\r\n"));
    };
    for (const bool moved : {false, true}) {
        const std::string second = moved ? "abcdefghij" : text;
        scripted_server server(
            {{expect_request(), to("/v1"), expect_request(), send(cut(text, 4)), close()},
             {expect_request(),
              to(moved ? "/v2" : "/v1"),
              expect_request(),
              send(moved ? response(200, second, tag) : rest(text, 4)),
              stall()}});
        fetcher f;
        EXPECT_FALSE(f.fetch(get(server), only_once().max_redirects(1)).ok());
        const auto r = f.fetch(get(server), only_once().max_redirects(1));
        ASSERT_TRUE(r.ok()) << r.report().summary();
        EXPECT_EQ(text_of(target), second);
        EXPECT_EQ(server.requests().at(2).count("Range"), 0U);
        EXPECT_EQ(server.requests().at(3).field("Range"), moved ? "" : "bytes=4-");
    }
}

TEST_F(Download, GoesOnWhereAnEarlierCallEnded) {
    const std::string text = "0123456789";
    scripted_server server({{expect_request(), send(cut(text, 4)), close()},
                            {expect_request(), send(rest(text, 4)), stall()}});
    fetcher f;
    EXPECT_FALSE(f.fetch(get(server), only_once()).ok());
    EXPECT_FALSE(fs::exists(target));
    EXPECT_EQ(text_of(directory / "file.part"), "0123");
    ASSERT_TRUE(f.fetch(get(server), only_once()).ok());
    EXPECT_EQ(server.requests().at(1).field("Range"), "bytes=4-");
    EXPECT_EQ(text_of(target), text);
    EXPECT_THAT(names(), testing::ElementsAre("file"));
}

TEST_F(Download, ThatIsNotToOutliveItsCallLeavesNothing) {
    const std::string text = "0123456789";
    scripted_server server({{expect_request(), send(cut(text, 4)), close()},
                            {expect_request(), send(cut(text, 2)), close()}});
    fetcher f;
    const auto options = download_options().resume(resumption::within_call);
    EXPECT_FALSE(f.fetch(get(server, options), only_once()).ok());
    EXPECT_TRUE(names().empty());
    EXPECT_FALSE(f.fetch(get(server, options), only_once()).ok());
    EXPECT_EQ(server.requests().at(1).count("Range"), 0U);
}

TEST_F(Download, TakesA416ThatSaysThatAllIsThere) {
    const std::string text = "0123456789";
    scripted_server server({{expect_request(), send(cut(text, 4)), close()},
                            {expect_request(),
                             send("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes "
                                  "*/10\r\nContent-Length: 3\r\n\r\nbad"),
                             stall()}});
    fetcher f;
    EXPECT_FALSE(f.fetch(get(server), only_once()).ok());
    std::ofstream(directory / "file.part", std::ios::app) << "456789";
    const auto r = f.fetch(get(server), only_once());
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(server.requests().at(1).field("Range"), "bytes=10-");
    EXPECT_EQ(text_of(target), text);
    EXPECT_THAT(names(), testing::ElementsAre("file"));
}

TEST_F(Download, IsCheckedAgainstTheDigestThatTheServerSends) {
    using http::digest_checking;
    // Of "0123456789" and of nothing (printf ... | openssl dgst -sha256 -binary | base64).
    const std::string right =
        "Repr-Digest: sha-256=:hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=:\r\n";
    const std::string wrong =
        "Repr-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\r\n";
    const std::string text = "0123456789";
    const error_code good;
    const std::tuple<digest_checking, std::string, error_code> rows[] = {
        {digest_checking::off, wrong, good},
        {digest_checking::when_sent, right, good},
        {digest_checking::when_sent, "", good},
        {digest_checking::when_sent, wrong, http::error::digest_mismatch},
        {digest_checking::required, right, good},
        {digest_checking::required, "", http::error::no_digest},
        {digest_checking::required, wrong, http::error::digest_mismatch}};
    for (const auto& [checking, field, expected] : rows) {
        scripted_server server({{expect_request(), send(cut(text, 4)), close()},
                                {expect_request(), send(rest(text, 4, tag + field)), stall()}});
        fetcher f;
        const auto r = f.fetch(get(server, download_options().digest(checking)));
        EXPECT_EQ(r.error(), expected) << field;
        EXPECT_EQ(fs::exists(target), !expected);
        EXPECT_EQ(names().size(), expected ? 0U : 1U);
        EXPECT_EQ(server.requests().at(0).count("Want-Repr-Digest"),
                  checking == digest_checking::off ? 0U : 1U);
        fs::remove(target);
    }
}

TEST_F(Download, LeavesTheFileAloneAfterAFailure) {
    std::ofstream(target) << "old";
    for (const int status : {404, 412, 500}) {
        scripted_server server({{expect_request(), send(response(status, "why")), stall()}});
        fetcher f;
        const auto r = f.fetch(get(server), only_once());
        EXPECT_FALSE(r.ok());
        EXPECT_EQ(r->status(), static_cast<unsigned>(status));
        EXPECT_EQ(r->body(), "why");
        EXPECT_EQ(text_of(target), "old");
        EXPECT_THAT(names(), testing::ElementsAre("file"));
    }
}

TEST_F(Download, RefusesAPartThatNobodyAskedFor) {
    scripted_server server({{expect_request(), send(rest("0123456789", 0)), stall()}});
    fetcher f;
    auto r = f.fetch(get(server));
    EXPECT_EQ(r.error(), http::error::unasked_range);
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    r = f.fetch(get(server).header("Range", "bytes=0-4"));
    EXPECT_EQ(r.error(), http::error::unasked_range);
    r = f.fetch(request("HEAD", server.url()).deliver_to(into_file(target.string())));
    EXPECT_EQ(r.error(), http::error::invalid_method);
    EXPECT_EQ(server.requests().size(), 1U);
    EXPECT_FALSE(fs::exists(target));
}

TEST_F(Download, SaysWhatIsWrongWithTheFileBeforeItConnects) {
    scripted_server server({});
    fetcher f;
    target = directory / "missing" / "file";
    auto r = f.fetch(get(server));
    EXPECT_EQ(r.error(), boost::system::errc::no_such_file_or_directory);
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    target = directory;
    r = f.fetch(get(server));
    EXPECT_EQ(r.error(), boost::system::errc::is_a_directory);
    EXPECT_EQ(server.connections_accepted(), 0U);
}

TEST_F(Download, KeepsTwoFromWritingOneFile) {
    scripted_server server({{expect_request(), send(cut("0123456789", 4)), stall()},
                            {expect_request(), send(response(200, "x")), stall()}});
    fetcher f;
    const auto first = f.start(get(server), only_once());
    const auto part = directory / "file.part";
    f.run_until([&] { return fs::exists(part) && text_of(part) == "0123"; });
    const auto second = f.start(get(server), only_once());
    f.run_until(second);
    EXPECT_EQ((*second)->error(), http::error::target_busy);
    first->signal.emit(asio::cancellation_type::terminal);
    f.run_until(first);
    f.run_out();
    EXPECT_EQ((*first)->reason(), reason::cancelled);
    EXPECT_EQ(text_of(part), "0123");
}

TEST_F(Download, TellsTheObserverHowFarItIs) {
    class listener final : public observer {
    public:
        void body_received(std::string_view,
                           std::uint64_t received,
                           std::optional<std::uint64_t> total) noexcept override {
            seen.emplace_back(received, total.value_or(0));
        }
        std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
    };
    const std::string text = "0123456789";
    scripted_server server({{expect_request(), send(cut(text, 4)), close()},
                            {expect_request(), send(rest(text, 4)), stall()}});
    fetcher f;
    const auto watch = std::make_shared<listener>();
    ASSERT_TRUE(f.fetch(get(server), at_once(no_wait().observer(watch))).ok());
    EXPECT_THAT(watch->seen, testing::ElementsAre(testing::Pair(4, 10), testing::Pair(10, 10)));
}

}  // namespace
}  // namespace asio_retry::test
