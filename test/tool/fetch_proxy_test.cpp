// asio-retry fetch through proxies and Unix domain sockets, of the command line and the
// environment.
#include "support/scripted_server.hpp"
#include "tool/tool_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#ifdef ASIO_RETRY_TOOL

namespace asio_retry::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const connection_script answering = {expect_request(), send(response(200, "proxied")), close()};

/// The environment that the tool is run in, for the time of a test.
class FetchProxy : public ::testing::Test {
protected:
    ~FetchProxy() override {
        for (const auto& name : names_) ::unsetenv(name.c_str());
    }

    void set(const std::string& name, const std::string& value) {
        names_.push_back(name);
        ::setenv(name.c_str(), value.c_str(), 1);
    }

    static std::string at(const scripted_server& s) {
        return "127.0.0.1:" + std::to_string(s.port());
    }

    scripted_server proxy_{{answering}, scripted_server_options().repeat_last()};
    scripted_server direct_{{{expect_request(), send(response(200, "direct")), close()}},
                            scripted_server_options().repeat_last()};

private:
    std::vector<std::string> names_;
};

TEST_F(FetchProxy, IsTheOneOfTheCommandLine) {
    set("http_proxy", "127.0.0.1:1");
    const auto result = fetch({"-x", "http://user:secret@" + at(proxy_), "http://a.test/b"});
    EXPECT_EQ(result.out, "proxied") << result.err;
    EXPECT_EQ(proxy_.requests().at(0).target, "http://a.test/b");
    EXPECT_EQ(proxy_.requests().at(0).field("Proxy-Authorization"), "Basic dXNlcjpzZWNyZXQ=");
}

TEST_F(FetchProxy, IsTheOneOfTheEnvironment) {
    set("http_proxy", at(proxy_));
    EXPECT_EQ(fetch({direct_.url()}).out, "proxied");
    EXPECT_EQ(fetch({"-x", "", direct_.url()}).out, "direct");
    EXPECT_EQ(fetch({"--noproxy", "127.0.0.1", direct_.url()}).out, "direct");
    set("no_proxy", "127.0.0.0/8");
    EXPECT_EQ(fetch({direct_.url()}).out, "direct");
    EXPECT_EQ(fetch({"-x", at(proxy_), direct_.url()}).out, "direct");
    EXPECT_EQ(fetch({"--noproxy", "", direct_.url()}).out, "proxied");
}

TEST_F(FetchProxy, IsNotTakenFromWhatARequestMayHaveSet) {
    set("HTTP_PROXY", at(proxy_));
    EXPECT_EQ(fetch({direct_.url()}).out, "direct");
}

TEST_F(FetchProxy, OfTheEnvironmentThatIsNoneIsAUsageError) {
    set("ALL_PROXY", "socks5://user:secret@proxy");
    const auto result = fetch({direct_.url()});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("ALL_PROXY"), HasSubstr("-x ''"), Not(HasSubstr("secret"))));
    EXPECT_EQ(fetch({"-x", "", direct_.url()}).out, "direct");
}

TEST_F(FetchProxy, ThatWantsCredentialsIsNamed) {
    const scripted_server wary({{expect_request(), send(response(407)), close()}},
                               scripted_server_options().repeat_last());
    for (const char* url : {"http://a.test/", "https://a.test/"}) {
        const auto result = fetch({"-v", "-x", "user:secret@" + at(wary), url});
        EXPECT_THAT(result.err,
                    AllOf(HasSubstr("407"),
                          HasSubstr("hint: -x http://"),
                          Not(HasSubstr("secret")),
                          Not(HasSubstr("dXNlcjpzZWNyZXQ="))));
    }
}

TEST_F(FetchProxy, IsNotUsedWithAUnixSocket) {
    const temporary_directory directory;
    const auto path = (directory.path() / "socket").string();
    const scripted_server local({{expect_request(), send(response(200, "local")), close()}},
                                scripted_server_options().address(path));
    set("http_proxy", at(proxy_));
    const auto result = fetch({"--unix-socket", path, "http://a.test/b"});
    EXPECT_EQ(result.out, "local") << result.err;
    EXPECT_EQ(local.requests().at(0).target, "/b");
}

}  // namespace
}  // namespace asio_retry::test

#endif
