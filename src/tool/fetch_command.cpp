// SPDX-License-Identifier: BSL-1.0
#include <tool/fetch_command.hpp>
#include <tool/fetch_flags.hpp>
#include <tool/fetch_run.hpp>

#include <memory>

namespace asio_retry::tool {

namespace {

constexpr const char* footer =
    R"(Durations D are 250ms, 1.5s, 2m; a bare number is seconds. In brackets: the default.

A failed request is repeated if its failure may pass and the repeat does no harm: GET, HEAD, PUT and
DELETE always; POST and PATCH if it is certain that the server did not act on it, or with
--idempotent or --idempotency-key. A server's Retry-After is respected.

With -o the body of a 2xx is written to FILE.part as it comes, and becomes FILE once it is whole:
until then FILE is as it was. What breaks off goes on from there where the server can tell that the
file is still the same. Nothing is left of a fetch that fails, or with -C - what the next run needs.

With --policy FILE each URL is fetched as its endpoint says. Of three values the first counts: an
option's, the file's, the default in brackets. Retry budgets, circuit breakers and limits are those
of the file, and the file's default endpoint has a retry budget unless it says null; without a file
there are none, and every attempt that was asked for is made.

Exit status:
  0  every response was 2xx           2    wrong usage or policy file; nothing was sent
  1  some final status was not 2xx    3    some call got no response, or output was not written
                                      130  interrupted

Examples:
  asio-retry fetch https://example.com/
  asio-retry fetch -o page.html --max-attempts 6 --max-time 2m https://example.com/
  asio-retry fetch -C - -o image.iso --attempt-timeout 10m --max-time 1h \
      https://example.com/image.iso
  asio-retry fetch -d @order.json -H 'Content-Type: application/json' --idempotency-key \
      https://api.example.com/orders
  asio-retry fetch -Z --timeline --report report.jsonl \
      --backoff exponential:200ms..5s https://example.com/a https://example.com/b
  asio-retry fetch --policy policies.json --max-attempts 2 https://api.example.com/)";

}  // namespace

CLI::App* add_fetch_command(CLI::App& app, int& exit_status) {
    auto* command = app.add_subcommand("fetch", "Fetch URLs, and repeat what fails");
    const auto flags = std::make_shared<fetch_flags>(*command);
    command->footer(footer);
    command->callback([flags, &exit_status] { exit_status = run_fetch(flags->read()); });
    return command;
}

}  // namespace asio_retry::tool
