#include <asio_retry/classifier.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

namespace {

namespace errc = boost::system::errc;
namespace net_error = boost::asio::error;
using asio_retry::default_verdict;
using asio_retry::error;
using asio_retry::error_code;
using asio_retry::failure_kind;

struct row {
    error_code ec;
    failure_kind kind;
};

void expect(const std::vector<row>& rows) {
    for (const auto& r : rows) {
        const auto v = default_verdict(r.ec);
        SCOPED_TRACE(r.ec.what());
        EXPECT_TRUE(v.is_failure());
        EXPECT_EQ(to_string(v.kind()), to_string(r.kind));
        EXPECT_FALSE(v.retry_after());
        EXPECT_FALSE(v.is_stale_connection());
        EXPECT_EQ(v.veto(), asio_retry::reason::success);
    }
}

error_code of_system(int value) { return {value, boost::system::system_category()}; }

TEST(Classifier, TakesNoErrorForSuccess) {
    EXPECT_FALSE(default_verdict({}).is_failure());
    EXPECT_FALSE(default_verdict(of_system(0)).is_failure());
}

TEST(Classifier, KnowsThatNoConnectionCameAbout) {
    constexpr auto connect = failure_kind::connect;
    expect({
        {net_error::connection_refused, connect},
        {net_error::host_unreachable, connect},
        {net_error::network_unreachable, connect},
        {net_error::network_down, connect},
        {net_error::host_not_found_try_again, connect},
        {of_system(EADDRNOTAVAIL), connect},
        {net_error::address_in_use, connect},
        {net_error::no_descriptors, connect},
        {of_system(ENFILE), connect},
        {net_error::no_buffer_space, connect},
    });
}

TEST(Classifier, KnowsTimeouts) {
    constexpr auto timeout = failure_kind::timeout;
    expect({
        {net_error::timed_out, timeout},
        {error::attempt_timeout, timeout},
        {error::deadline_exceeded, timeout},
        {boost::beast::error::timeout, timeout},
    });
}

TEST(Classifier, KnowsLostConnections) {
    constexpr auto lost = failure_kind::connection_lost;
    expect({
        {net_error::connection_reset, lost},
        {net_error::connection_aborted, lost},
        {net_error::broken_pipe, lost},
        {net_error::network_reset, lost},
        {net_error::not_connected, lost},
        {net_error::eof, lost},
        {boost::beast::http::error::end_of_stream, lost},
        {boost::beast::http::error::partial_message, lost},
        {boost::asio::ssl::error::stream_truncated, lost},
    });
}

TEST(Classifier, KnowsCancellation) {
    expect({
        {net_error::operation_aborted, failure_kind::cancelled},
        {errc::make_error_code(errc::operation_canceled), failure_kind::cancelled},
    });
}

TEST(Classifier, TakesAllElseForPermanent) {
    constexpr auto permanent = failure_kind::permanent;
    expect({
        {net_error::host_not_found, permanent},
        {net_error::no_data, permanent},
        {net_error::no_recovery, permanent},
        {net_error::service_not_found, permanent},
        {net_error::invalid_argument, permanent},
        {net_error::access_denied, permanent},
        {net_error::message_size, permanent},
        {net_error::no_memory, permanent},
        {net_error::bad_descriptor, permanent},
        {net_error::not_found, permanent},
        {net_error::already_open, permanent},
        {of_system(ENOENT), permanent},
        {of_system(EPROTO), permanent},
        {of_system(99'999), permanent},
        {error::operation_threw, permanent},
        {error_code(167'772'294, net_error::get_ssl_category()), permanent},
        {boost::asio::ssl::error::unexpected_result, permanent},
        {boost::beast::http::error::bad_version, permanent},
        {boost::beast::http::error::bad_status, permanent},
        {boost::beast::http::error::header_limit, permanent},
        {boost::beast::http::error::body_limit, permanent},
        {boost::beast::http::error::bad_chunk, permanent},
        {boost::beast::http::error::need_more, permanent},
    });
}

TEST(Classifier, KnowsItsRowsInEveryCategoryThatMapsToThem) {
    const auto of = [](std::errc e) { return error_code(std::make_error_code(e)); };
    expect({
        {of(std::errc::connection_refused), failure_kind::connect},
        {of(std::errc::timed_out), failure_kind::timeout},
        {of(std::errc::connection_reset), failure_kind::connection_lost},
        {of(std::errc::operation_canceled), failure_kind::cancelled},
        {of(std::errc::invalid_argument), failure_kind::permanent},
        {error_code(std::error_code(ETIMEDOUT, std::system_category())), failure_kind::timeout},
        {errc::make_error_code(errc::connection_refused), failure_kind::connect},
        {errc::make_error_code(errc::broken_pipe), failure_kind::connection_lost},
    });
}

/// A category with the values of another, to show that a value alone says nothing.
class foreign_category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "foreign"; }
    std::string message(int) const override { return "foreign"; }
};

TEST(Classifier, DoesNotMistakeOtherCategoriesForThoseItKnows) {
    const foreign_category foreign;
    for (const int value : {1, 2, ECONNREFUSED, ETIMEDOUT, ECONNRESET, ECANCELED}) {
        expect({{error_code(value, foreign), failure_kind::permanent}});
    }
}

/// A category without default conditions, which answers comparisons.
class comparing_category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "comparing"; }
    std::string message(int) const override { return "comparing"; }
    bool equivalent(int value, const boost::system::error_condition& c) const noexcept override {
        return value == 77 && c == errc::make_error_condition(errc::connection_refused);
    }
};

TEST(Classifier, AsksCategoriesThatOnlyCompare) {
    const comparing_category comparing;
    expect({{error_code(77, comparing), failure_kind::connect},
            {error_code(78, comparing), failure_kind::permanent}});
}

}  // namespace
