// The version, in its one place: CMakeLists.txt reads these three numbers.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_VERSION_HPP
#define ASIO_RETRY_VERSION_HPP

#define ASIO_RETRY_VERSION_MAJOR 0
#define ASIO_RETRY_VERSION_MINOR 1
#define ASIO_RETRY_VERSION_PATCH 0

#define ASIO_RETRY_DETAIL_TEXT_OF(x) #x
#define ASIO_RETRY_DETAIL_TEXT(x) ASIO_RETRY_DETAIL_TEXT_OF(x)

/// "0.1.0"
#define ASIO_RETRY_VERSION_STRING                                                    \
    ASIO_RETRY_DETAIL_TEXT(ASIO_RETRY_VERSION_MAJOR)                                 \
    "." ASIO_RETRY_DETAIL_TEXT(ASIO_RETRY_VERSION_MINOR) "." ASIO_RETRY_DETAIL_TEXT( \
        ASIO_RETRY_VERSION_PATCH)

#endif
