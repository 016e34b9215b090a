#include "http/digest.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using asio_retry::http::detail::digest;
using asio_retry::http::detail::digest_algorithm;
using asio_retry::http::detail::digest_check;
using asio_retry::http::detail::parse_digest;
using asio_retry::http::detail::representation_digest;

// Of {"hello": "world"} and a line break: the examples of RFC 9530, appendix B.
constexpr std::string_view text = "{\"hello\": \"world\"}\n";
const std::string sha_256 = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
const std::string sha_512 =
    "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/"
    "WkppmM44T3qg==:";
// Of nothing.
const std::string sha_256_of_nothing = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";

bool has(std::string_view bytes, const std::optional<digest>& expected) {
    digest_check check(expected.value());
    check.update(bytes);
    return check.matches();
}

std::optional<digest_algorithm> algorithm_of(std::string_view value) {
    const auto found = parse_digest(value);
    return found ? std::optional(found->algorithm) : std::nullopt;
}

TEST(Digest, IsThatOfTheBytes) {
    for (const auto& field : {sha_256, sha_512}) {
        const auto expected = parse_digest(field);
        ASSERT_TRUE(expected) << field;
        EXPECT_TRUE(has(text, expected));
        EXPECT_FALSE(has("", expected));
        EXPECT_FALSE(has(text.substr(1), expected));
        EXPECT_FALSE(has(text.substr(0, text.size() - 1), expected));
        EXPECT_FALSE(has(std::string(text) + ' ', expected));
    }
    EXPECT_TRUE(has("", parse_digest(sha_256_of_nothing)));
}

TEST(Digest, IsTheSameHoweverTheBytesCome) {
    for (const auto& field : {sha_256, sha_512}) {
        for (std::size_t i = 0; i <= text.size(); ++i) {
            digest_check check(parse_digest(field).value());
            check.update(text.substr(0, i));
            check.update({});
            check.update(text.substr(i));
            EXPECT_TRUE(check.matches());
        }
    }
    digest_check untouched(parse_digest(sha_256_of_nothing).value());
    EXPECT_TRUE(untouched.matches());
}

TEST(Digest, IsTheStrongestThatIsKnown) {
    EXPECT_EQ(algorithm_of(sha_256 + ", " + sha_512), digest_algorithm::sha_512);
    EXPECT_EQ(algorithm_of(sha_512 + "," + sha_256), digest_algorithm::sha_512);
    EXPECT_EQ(algorithm_of("md5=:1B2M2Y8AsgTpgAmY7PhCfg==:, " + sha_256),
              digest_algorithm::sha_256);
    EXPECT_EQ(algorithm_of("crc32c=:AAAA:, new=5, x, y;a=b, z=:: , " + sha_256 + ";q=1"),
              digest_algorithm::sha_256);
    EXPECT_EQ(algorithm_of("md5=:1B2M2Y8AsgTpgAmY7PhCfg==:"), std::nullopt);
    EXPECT_EQ(algorithm_of(""), std::nullopt);
}

TEST(Digest, IgnoresValuesThatAreNone) {
    const std::string encoded = sha_256.substr(9, 44);
    for (const std::string& member : std::vector<std::string>{
             "sha-256",
             "sha-256=?1",
             "sha-256=5",
             "sha-256=::",
             "sha-256=:AAAA:",
             "sha-256=token",
             "sha-256=\"" + encoded + '"',
             "sha-256=:" + encoded + "AAAA:",
             "sha-256=:" + encoded.substr(0, 40) + ':',
             "sha-256=:" + encoded.substr(0, 42) + "*=:",
             "sha-256=: " + encoded + ':',
             "sha-256=:=" + encoded + ':',
             "sha-256=:" + encoded + "=:",
             "sha-256=:===:",
             "SHA-256=:" + encoded + ':',
             "sha-2560=:" + encoded + ':',
             "sha-512=:" + encoded + ':',
         }) {
        EXPECT_EQ(algorithm_of(member), std::nullopt) << member;
    }
    EXPECT_EQ(algorithm_of("sha-512=:AAAA:, " + sha_256), digest_algorithm::sha_256);
    // Some encoders leave the padding out, or set its bits.
    EXPECT_TRUE(has(text, parse_digest("sha-256=:" + encoded.substr(0, 43) + ':')));
    EXPECT_TRUE(has(text, parse_digest("sha-256=:" + encoded.substr(0, 42) + "h=:")));
}

TEST(Digest, IsNotReadFromWhatIsNoDictionary) {
    for (const std::string& value : std::vector<std::string>{
             sha_256 + ',',
             ", " + sha_256,
             sha_256 + ' ' + sha_512,
             sha_256.substr(0, sha_256.size() - 1),
             "sha-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=",
             "sha-256 = " + sha_256.substr(8),
             sha_256 + ", \"open",
         }) {
        EXPECT_EQ(algorithm_of(value), std::nullopt) << value;
    }
}

TEST(Digest, OfOneAlgorithmIsTheLastOfSeveral) {
    EXPECT_FALSE(has(text, parse_digest(sha_256 + ", " + sha_256_of_nothing)));
    EXPECT_TRUE(has(text, parse_digest(sha_256_of_nothing + ", " + sha_256)));
    EXPECT_EQ(algorithm_of(sha_256 + ", sha-256=5"), std::nullopt);
}

TEST(Digest, OfTheRepresentationIsInOneFieldOrTheOther) {
    boost::beast::http::fields fields;
    EXPECT_FALSE(representation_digest(fields, 200));
    fields.insert("Content-Digest", sha_256);
    EXPECT_EQ(representation_digest(fields, 200), parse_digest(sha_256));
    // There it is that of a part.
    EXPECT_FALSE(representation_digest(fields, 206));
    fields.insert("repr-digest", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:");
    EXPECT_EQ(representation_digest(fields, 200), parse_digest(sha_256));
    fields.insert("Repr-Digest", sha_256_of_nothing);
    EXPECT_EQ(representation_digest(fields, 200), parse_digest(sha_256_of_nothing));
    EXPECT_EQ(representation_digest(fields, 206), parse_digest(sha_256_of_nothing));
}

}  // namespace
