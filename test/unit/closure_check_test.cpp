// What is refused beside a co_await, where the compiler would destroy it twice.
// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/detail/closure_check.hpp>

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace asio_retry::detail {
namespace {

class aggregate {
public:
    std::string text;
};
class plain_aggregate {
public:
    int number;
    const char* text;
};
class with_constructor {
public:
    explicit with_constructor(std::string t) : text(std::move(t)) {}
    std::string text;
};
template <typename T>
class over {
public:
    explicit over(T t) : value(std::move(t)) {}
    T value;
};

template <typename T>
constexpr bool safe(T&&) {
    return safe_temporary<T>;
}

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
constexpr bool unsafe_is_safe = false;
#else
constexpr bool unsafe_is_safe = true;
#endif

TEST(ClosureCheck, RefusesClosuresWhoseDestructorDoesSomething) {
    const auto text = std::make_shared<int>(1);
    EXPECT_EQ(safe([text] { return text; }), unsafe_is_safe);
    EXPECT_EQ(safe([text](auto token) { return token + *text; }), unsafe_is_safe);
    EXPECT_EQ(safe([text](int, std::string) mutable noexcept { (void)text; }), unsafe_is_safe);
    EXPECT_EQ(safe([s = std::string()](const std::vector<int>&) { (void)s; }), unsafe_is_safe);
}

TEST(ClosureCheck, RefusesAggregatesWhoseDestructorDoesSomething) {
    static_assert(safe_temporary<aggregate> == unsafe_is_safe);
    static_assert(safe_temporary<const aggregate> == unsafe_is_safe);
    static_assert(safe_temporary<aggregate&&> == unsafe_is_safe);
    static_assert(safe_temporary<std::array<std::string, 2>> == unsafe_is_safe);
}

TEST(ClosureCheck, LetsPassWhatIsNoTemporary) {
    const auto text = std::make_shared<int>(1);
    auto named = [text] { return text; };
    EXPECT_TRUE(safe(named));
    EXPECT_TRUE(safe(std::as_const(named)));
    static_assert(safe_temporary<aggregate&>);
    static_assert(safe_temporary<const aggregate&>);
}

TEST(ClosureCheck, LetsPassWhatIsDestroyedInNoTime) {
    int number = 1;
    EXPECT_TRUE(safe([&number] { return number; }));
    EXPECT_TRUE(safe([number](auto token) { return token + number; }));
    EXPECT_TRUE(safe([] {}));
    static_assert(safe_temporary<plain_aggregate>);
    static_assert(safe_temporary<int>);
    static_assert(safe_temporary<void (*)()>);
}

TEST(ClosureCheck, LetsPassClassesWithConstructors) {
    static_assert(safe_temporary<with_constructor>);
    static_assert(safe_temporary<std::string>);
    static_assert(safe_temporary<std::shared_ptr<int>>);
    static_assert(safe_temporary<std::optional<std::string>>);
    static_assert(safe_temporary<std::tuple<std::string, int>>);
    static_assert(safe_temporary<std::pair<std::string, int>>);
    static_assert(safe_temporary<std::function<void()>>);
}

TEST(ClosureCheck, LetsPassAClassOverAClosure) {
    const auto text = std::make_shared<int>(1);
    EXPECT_TRUE(safe(over([text] { return text; })));
    EXPECT_TRUE(safe(over([text](int n) { return *text + n; })));
}

}  // namespace
}  // namespace asio_retry::detail
