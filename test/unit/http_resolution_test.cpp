#include "http/target.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>
#include <string_view>

namespace {

using asio_retry::error_code;
using asio_retry::http::detail::parse_target;
using asio_retry::http::detail::resolve_target;
using asio_retry::http::detail::target;

target parsed(std::string_view url) {
    target t;
    EXPECT_FALSE(parse_target(url, t)) << url;
    return t;
}

TEST(HttpTargetResolution, ResolvesReferencesAsRfc3986) {
    const auto base = parsed("http://a/b/c/d;p?q");
    std::ifstream file(ASIO_RETRY_TEST_DATA "/references.tsv");
    ASSERT_TRUE(file);
    int rows = 0;
    std::string line;
    std::getline(file, line);
    for (; std::getline(file, line); ++rows) {
        SCOPED_TRACE(line);
        const auto tab = line.find('\t');
        target expected;
        target got;
        const auto refused = parse_target(line.substr(tab + 1), expected);
        EXPECT_EQ(resolve_target(base, line.substr(0, tab), got), refused);
        EXPECT_EQ(got.display, expected.display);
    }
    EXPECT_EQ(rows, 42);
}

TEST(HttpTargetResolution, ResolvesWhatServersSend) {
    const auto base = parsed("https://u:p@h:8443/a/b?c");
    struct row {
        const char* reference;
        const char* url;
    };
    const row rows[] = {
        {"/x y", "https://h:8443/x%20y"},
        {"/caf\xC3\xA9?q=\xC3\xA9", "https://h:8443/caf%C3%A9?q=%C3%A9"},
        {"/{a}|^`<b>\"[c]", "https://h:8443/%7Ba%7D%7C%5E%60%3Cb%3E%22%5Bc%5D"},
        {"http://x/a b", "http://x/a%20b"},
        {"http://x?a b", "http://x/?a%20b"},
        {"//x:1/a b", "https://x:1/a%20b"},
        {"?x[]=1", "https://h:8443/a/b?x%5B%5D=1"},
        {"x//y z", "https://h:8443/a/x//y%20z"},
        {"/a#b c#\xC3\xA9\\", "https://h:8443/a"},
        {"", "https://h:8443/a/b?c"},
        {"#x", "https://h:8443/a/b?c"},
    };
    for (const auto& r : rows) {
        target t;
        EXPECT_FALSE(resolve_target(base, r.reference, t)) << r.reference;
        EXPECT_EQ(t.display, r.url);
        EXPECT_EQ(t.authorization, "") << r.reference;
    }
    for (const char* reference : {"\\\\evil\\",
                                  "/\\evil",
                                  "http://x y/",
                                  "http://\xC3\xA9/",
                                  "//x|y/",
                                  "//a@b@c/",
                                  "/%",
                                  "http:x",
                                  "http:/x",
                                  "///x",
                                  "//",
                                  "//x:0",
                                  "\tx",
                                  "/a\r\nb",
                                  "a:b",
                                  "ftp://x/"}) {
        target t;
        EXPECT_TRUE(resolve_target(base, reference, t)) << reference;
        EXPECT_EQ(t.display, "");
    }
}

TEST(HttpTargetResolution, AgreesWithWhatwgWhereRfc3986Does) {
    std::ifstream file(ASIO_RETRY_TEST_DATA "/urls.json");
    ASSERT_TRUE(file);
    std::stringstream text;
    text << file.rdbuf();
    const auto data = boost::json::parse(text.str());
    int agreed = 0;
    for (const auto& row : data.at("cases").as_array()) {
        SCOPED_TRACE(row);
        const auto& columns = row.as_array();
        const std::string input(columns[0].as_string());
        target t;
        error_code refused;
        if (columns[1].is_string()) {
            refused = resolve_target(parsed(std::string_view(columns[1].as_string())), input, t);
        } else {
            refused = parse_target(input, t);
        }
        const std::string got = refused ? "refused" : t.display;
        const bool whatwg_refuses = columns[2].is_null();
        const std::string expected =
            whatwg_refuses ? "refused" : std::string(columns[2].as_string());
        const bool differs = columns.size() == 4;
        agreed += differs ? 0 : 1;
        EXPECT_EQ(got != expected, differs) << got;
    }
    EXPECT_GE(agreed, 340);
}

/// A URL or reference put together of what parsers trip over.
std::string scrambled(std::mt19937& random) {
    static constexpr std::string_view parts[] = {
        "http:", "https:", "//",        "/",       "\\",        "?",    "#",       "@",
        ":",     "[",      "]",         "::1",     "%",         "%2e",  "%00",     "..",
        ".",     "h",      "a.example", "1.2.3.4", "0x7f",      "80",   "0",       "65536",
        "u:p@",  " ",      "\t",        "\r\n",    "\xC3\xA9",  "\xff", "\"",      "<",
        "|",     "~",      "-",         "ftp:",    "localhost", "1e1",  "%25eth0", "&=;"};
    std::string text = random() % 2 == 0 ? "http://" : "";
    for (auto n = random() % 9; n > 0; --n) text += parts[random() % std::size(parts)];
    return text;
}

TEST(HttpTargetResolution, GivesOnlyWhatIsSafeToSendAndReadsTheSameAgain) {
    std::mt19937 random(1);
    const auto base = parsed("http://base:8080/a/b?c");
    int accepted = 0;
    for (int i = 0; i < 50'000; ++i) {
        const auto text = scrambled(random);
        target t;
        if (i % 2 == 0 ? parse_target(text, t) : resolve_target(base, text, t)) continue;
        ++accepted;
        SCOPED_TRACE(text);
        for (const auto* part : {&t.host, &t.authority, &t.path, &t.display, &t.authorization}) {
            ASSERT_TRUE(std::all_of(part->begin(), part->end(), [&](char c) {
                return (c > ' ' && c < '\x7f') || (c == ' ' && part == &t.authorization);
            }));
        }
        ASSERT_FALSE(t.host.empty());
        ASSERT_EQ(t.host.find_first_of("@/?#[]\\%"), std::string::npos);
        ASSERT_TRUE(t.path.starts_with('/'));
        ASSERT_EQ(t.path.find('#'), std::string::npos);
        ASSERT_EQ(t.display, (t.tls ? "https://" : "http://") + t.authority + t.path);
        ASSERT_EQ(parsed(t.display).display, t.display);
    }
    EXPECT_GT(accepted, 2'000);
}

}  // namespace
