// As much of JSON Schema as the project's own schema uses; another word in it is an error.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace asio_retry::test {

/// Why `value` does not fit the schema; empty if it does.
std::string misfit(const boost::json::value& schema, const boost::json::value& value);

}  // namespace asio_retry::test
