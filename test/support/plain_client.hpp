// A blocking HTTP client without a wish of its own, to look at servers with.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/verb.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace asio_retry::test {

struct answer {
    boost::system::error_code error;
    boost::beast::http::response<boost::beast::http::string_body> message;
};

/// What a client does over the stream that `Client::transport()` is.
template <class Client>
class blocking_client {
public:
    using verb = boost::beast::http::verb;

    void write(std::string_view bytes) {
        boost::asio::write(stream(), boost::asio::buffer(bytes.data(), bytes.size()), error);
    }
    void request(verb method, std::string_view target) {
        write(std::string(to_string(method)) + " " + std::string(target) +
              " HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    answer read(verb method = verb::get) {
        boost::beast::http::response_parser<boost::beast::http::string_body> parser;
        parser.body_limit(boost::none);
        parser.skip(method == verb::head);
        answer got;
        boost::beast::http::read(stream(), buffer, parser, got.error);
        got.message = parser.release();
        return got;
    }
    answer get(std::string_view target) {
        request(verb::get, target);
        return read();
    }
    /// Everything up to the first `end`, which is taken too.
    std::string read_until(std::string_view end) {
        std::string text;
        while (!error && !text.ends_with(end)) {
            char byte = 0;
            boost::asio::read(stream(), boost::asio::buffer(&byte, 1), error);
            if (!error) text += byte;
        }
        return text;
    }

    boost::system::error_code error;
    boost::beast::flat_buffer buffer;

protected:
    ~blocking_client() = default;

private:
    auto& stream() { return static_cast<Client&>(*this).transport(); }
};

class plain_client : public blocking_client<plain_client> {
public:
    explicit plain_client(std::uint16_t port) {
        socket.connect({boost::asio::ip::address_v4::loopback(), port}, error);
    }

    boost::asio::ip::tcp::socket& transport() { return socket; }

    boost::asio::io_context context;
    boost::asio::ip::tcp::socket socket{context};
};

class tls_client : public blocking_client<tls_client> {
public:
    /// Trusts one authority, and expects the name 127.0.0.1.
    tls_client(std::uint16_t port, const std::string& authority_pem) {
        stream.set_verify_mode(boost::asio::ssl::verify_peer);
        stream.set_verify_callback(boost::asio::ssl::host_name_verification("127.0.0.1"));
        tls.add_certificate_authority(boost::asio::buffer(authority_pem));
        stream.next_layer().connect({boost::asio::ip::address_v4::loopback(), port}, error);
    }
    auto& transport() { return stream; }
    boost::system::error_code handshake() {
        stream.handshake(boost::asio::ssl::stream_base::client, error);
        return error;
    }

    boost::asio::io_context context;
    boost::asio::ssl::context tls{boost::asio::ssl::context::tls_client};
    boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream{context, tls};
};

}  // namespace asio_retry::test
