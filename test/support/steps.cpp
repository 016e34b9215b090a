// The steps of a script, each a few calls on the wire.
#include "scripted_server.hpp"
#include "wire.hpp"

#include <algorithm>

namespace asio_retry::test {

step expect_request() {
    return step("expect_request", [](wire& connection) {
        connection.read_head();
        connection.read_body();
    });
}

step expect_head() {
    return step("expect_head", [](wire& connection) { connection.read_head(); });
}

step expect_body() {
    return step("expect_body", [](wire& connection) { connection.read_body(); });
}

step expect_bytes(std::size_t count) {
    return step("expect_bytes", [count](wire& connection) {
        connection.need(count, "those expected");
        connection.buffer().erase(0, count);
    });
}

step send(std::string bytes) {
    return step("send", [bytes](wire& connection) { connection.write(bytes); });
}

step send_slowly(std::string bytes, std::chrono::milliseconds pause, std::size_t chunk) {
    chunk = std::max<std::size_t>(chunk, 1);
    return step("send_slowly", [=](wire& connection) {
        for (std::size_t at = 0; at < bytes.size(); at += chunk) {
            if (at > 0) connection.pause(pause);
            connection.write(std::string_view(bytes).substr(at, chunk));
        }
    });
}

step send_in_clear(std::string bytes) {
    return step("send_in_clear", [bytes](wire& connection) { connection.write_raw(bytes); });
}

step close() {
    return step("close", [](wire& connection) { connection.close(wire::notify::yes); });
}

step close_without_notify() {
    return step("close_without_notify",
                [](wire& connection) { connection.close(wire::notify::no); });
}

step reset() {
    return step("reset", [](wire& connection) { connection.reset(); });
}

step half_close() {
    return step("half_close",
                [](wire& connection) { connection.shut_down_writing(wire::notify::yes); });
}

step stall() {
    return step("stall", [](wire& connection) { connection.wait_for_client_to_close(); });
}

step stop_reading() {
    return step("stop_reading", [](wire& connection) { connection.wait_for_client_to_vanish(); });
}

step pause(std::chrono::milliseconds duration) {
    return step("pause", [duration](wire& connection) { connection.pause(duration); });
}

step wait_for(gate latch) {
    return step("wait_for", [latch](wire& connection) { connection.wait_for(latch); });
}

step open_gate(gate latch) {
    return step("open_gate", [latch](wire&) mutable { latch.open(); });
}

step refuse_further() {
    return step("refuse_further", [](wire& connection) { connection.listener().refuse(); });
}

step start_tls(tls_server server) {
    return step("start_tls", [server](wire& connection) { connection.start_tls(server); });
}

step request_client_certificate(identity server, std::string client_authority_pem) {
    auto demanding = tls_server(server).client_authority(client_authority_pem);
    return step("request_client_certificate",
                [demanding](wire& connection) { connection.start_tls(demanding); });
}

step expect_client_hello() {
    return step("expect_client_hello", [](wire& connection) { connection.read_client_hello(); });
}

step break_handshake(tls_server server) {
    return step("break_handshake",
                [server](wire& connection) { connection.break_handshake(server); });
}

std::string response(int status, std::string_view body, std::string_view extra_fields) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\n";
    text += extra_fields;
    if (!extra_fields.empty() && !extra_fields.ends_with("\r\n")) text += "\r\n";
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    text += body;
    return text;
}

std::string last_response(int status, std::string_view body, std::string_view extra_fields) {
    return response(status, body, "Connection: close\r\n" + std::string(extra_fields));
}

}  // namespace asio_retry::test
