// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/http/client_config.hpp>

#include <tool/duration.hpp>
#include <tool/fetch_arguments.hpp>
#include <tool/fetch_check.hpp>
#include <tool/fetch_flags.hpp>
#include <tool/fetch_values.hpp>
#include <tool/usage_error.hpp>

#include <limits>
#include <stdexcept>
#include <utility>

namespace asio_retry::tool {

namespace {

constexpr unsigned any_count = std::numeric_limits<unsigned>::max();

/// A setter of a member that is text.
auto text_of(std::string fetch_options::* member) {
    return [member](fetch_options& o, const std::string& text) {
        if (text.empty()) throw std::invalid_argument("must not be empty");
        o.*member = text;
    };
}

/// A setter of a member that is a duration.
auto limit_of(std::optional<fetch_options::duration> fetch_options::* member) {
    return [member](fetch_options& o, const std::string& text) { o.*member = parse_limit(text); };
}

}  // namespace

fetch_flags::fetch_flags(CLI::App& command) : command_(command) {
    group_ = "";
    value("URL",
          "",
          "What to fetch; several are fetched in order over one client",
          [](fetch_options& o, const std::string& text) { o.urls.push_back(text); });
    group_ = "Request";
    add_request_flags();
    group_ = "Connection";
    add_connection_flags();
    group_ = "Retries";
    add_retry_flags();
    group_ = "Output";
    add_output_flags();
}

void fetch_flags::value(const std::string& names, const char* type, const char* help, reader read) {
    auto* option = command_.add_option(
        names, CLI::callback_t([](const CLI::results_t&) { return true; }), help);
    option->type_name(type)
        ->expected(1)
        ->allow_extra_args(names.front() != '-')
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    if (names.front() == '-') {
        option->group(group_);
    } else {
        option->expected(0, CLI::detail::expected_max_vector_size);
    }
    entries_.emplace_back(option, std::move(read));
}

void fetch_flags::flag(const std::string& names, const char* help, bool fetch_options::* member) {
    auto* option = command_.add_flag(names)->description(help)->group(group_);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    entries_.emplace_back(option,
                          [member](fetch_options& o, const std::string&) { o.*member = true; });
}

void fetch_flags::add_request_flags() {
    value("-X,--request",
          "METHOD",
          "The method; GET by default, POST with --data",
          [](fetch_options& o, const std::string& text) {
              if (!is_token(text) || text == "CONNECT") {
                  throw std::invalid_argument("'" + text + "' is not a method that can be sent");
              }
              o.method = text;
          });
    value("-H,--header",
          "'NAME: VALUE'",
          "Send this header; 'NAME;' sends it empty. May be repeated",
          [](fetch_options& o, const std::string& text) { add_header(o, text); });
    value("-d,--data",
          "TEXT|@FILE|@-",
          "Send this body, byte by byte as it is, of a FILE or of standard input;\n"
          "several are joined with '&'. A form by default",
          [](fetch_options& o, const std::string& text) { add_data(o, text); });
    flag("--compressed",
         "Ask for the body in gzip, deflate or br, and decode it",
         &fetch_options::compressed);
    flag("-I,--head", "Ask for the head only, and print it", &fetch_options::head_only);
    flag("--idempotent",
         "The request may be repeated, whatever its method",
         &fetch_options::idempotent);
    value("--idempotency-key",
          "[KEY]",
          "Send an Idempotency-Key, so that the request may be repeated;\n"
          "one made up for each URL if no KEY is given",
          [](fetch_options& o, const std::string& text) {
              o.key = text == made_up_key ? key_choice::made_up : key_choice::given;
              if (o.key == key_choice::given) o.idempotency_key = text;
          });
}

void fetch_flags::add_connection_flags() {
    flag("-k,--insecure", "Trust any certificate", &fetch_options::insecure);
    value("--cacert",
          "FILE",
          "Trust the authorities in this PEM file, and no others",
          text_of(&fetch_options::ca_file));
    value("--cert",
          "FILE",
          "Show this certificate (PEM) to the server",
          text_of(&fetch_options::certificate_file));
    value(
        "--key", "FILE", "The certificate's private key (PEM)", text_of(&fetch_options::key_file));
    value("--resolve",
          "HOST:PORT:ADDR",
          "Connect to ADDR for HOST:PORT. May be repeated",
          [](fetch_options& o, const std::string& text) {
              o.resolve.push_back(parse_resolve(text));
          });
    value("-x,--proxy",
          "[http://]HOST:PORT",
          "Go through this proxy, '' for none; by default that of http_proxy,\n"
          "https_proxy or all_proxy in the environment",
          [](fetch_options& o, const std::string& text) {
              if (!text.empty()) const http::proxy checked(text);
              o.proxy = text;
          });
    value("--noproxy",
          "LIST",
          "Reach these hosts and addresses without a proxy, '*' for all;\n"
          "by default those of no_proxy in the environment",
          [](fetch_options& o, const std::string& text) { o.no_proxy = text; });
    value("--unix-socket",
          "PATH",
          "Connect to this Unix domain socket, whatever the URL says",
          [](fetch_options& o, const std::string& text) {
              http::client_config().unix_socket(text);
              o.unix_socket = text;
          });
    value("--connect-timeout",
          "D",
          "Bound on making a connection, name lookup and TLS included (5s)",
          limit_of(&fetch_options::connect_timeout));
    flag("-L,--location", "Follow redirects", &fetch_options::follow);
    value("--max-redirs",
          "N",
          "With -L: follow at most N redirects (50)",
          [](fetch_options& o, const std::string& text) {
              o.max_redirects = parse_count(text, 0, 1000);
          });
    flag("-Z,--parallel", "Fetch several URLs at the same time", &fetch_options::parallel);
    value("--parallel-max",
          "N",
          "With -Z: at most N at the same time (50)",
          [](fetch_options& o, const std::string& text) {
              o.parallel_max = parse_count(text, 1, 65535);
          });
}

void fetch_flags::add_retry_flags() {
    value("--max-attempts",
          "N",
          "How many attempts, the first included (4)",
          [](fetch_options& o, const std::string& text) {
              o.max_attempts = parse_count(text, 1, any_count);
          });
    value("--attempt-timeout",
          "D",
          "Bound on one attempt, its body included (10s)",
          limit_of(&fetch_options::attempt_timeout));
    value("--max-time",
          "D",
          "Bound on all attempts and the delays between them (30s)",
          limit_of(&fetch_options::total_timeout));
    value("--backoff",
          "SPEC",
          "The delays: constant:D, linear:D[..CAP], exponential:BASE[..CAP],\n"
          "decorrelated:BASE..CAP (exponential:100ms..5s)",
          [](fetch_options& o, const std::string& text) { o.schedule = parse_backoff(text); });
    value("--jitter",
          "none|full|equal",
          "How the delays are spread (full)",
          [](fetch_options& o, const std::string& text) {
              o.spread = parse_jitter(text);
              if (!o.schedule) return;
              if (o.schedule->type() == backoff::kind::decorrelated && o.spread != jitter::full) {
                  throw std::invalid_argument("decorrelated delays are random in themselves");
              }
              o.schedule->jitter(*o.spread);
          });
    value("--max-retry-after",
          "D",
          "Give up if the server asks for a longer wait (30s)",
          [](fetch_options& o, const std::string& text) {
              o.max_retry_after = parse_duration(text);
          });
    value("--retry-status",
          "LIST",
          "Repeat for these statuses, and for 421 (408,425,429,500,502-504)",
          [](fetch_options& o, const std::string& text) {
              o.retry_status = parse_status_list(text);
          });
    value("--hedge",
          "D",
          "Send a request that may be repeated once more if there is no answer after D,\n"
          "and take the answer that comes first",
          limit_of(&fetch_options::hedge));
    value("--policy",
          "FILE",
          "Policies for each endpoint, with retry budgets and circuit breakers;\n"
          "what the options above say comes first",
          text_of(&fetch_options::policy_file));
}

void fetch_flags::add_output_flags() {
    flag("-i,--include",
         "Print the head of the response before its body",
         &fetch_options::include_head);
    value("-o,--output",
          "FILE",
          "Write the body of a 2xx to FILE, once it is whole; one -o for each URL",
          [](fetch_options& o, const std::string& text) {
              if (text.empty()) throw std::invalid_argument("must not be empty");
              o.output_files.push_back(text);
          });
    value("-C,--continue-at",
          "-",
          "With -o: keep what has come in FILE.part if the fetch fails, and go on from\n"
          "there when it is run again",
          [](fetch_options& o, const std::string& text) {
              if (text != "-") {
                  throw std::invalid_argument("'" + text + "' is not '-'; where to go on is known");
              }
              o.resume = true;
          });
    value("--report",
          "FILE",
          "Write a line of JSON for each URL; '-' is standard output",
          text_of(&fetch_options::report_file));
    flag("--timeline",
         "Print a line for each attempt on standard error, as it ends",
         &fetch_options::timeline);
    flag("-s,--silent", "Do not say what went wrong; the exit status does", &fetch_options::silent);
    flag("-v,--verbose",
         "Print the heads of requests and responses, and the timeline",
         &fetch_options::verbose);
}

fetch_options fetch_flags::read() const {
    fetch_options options;
    for (const auto& each : entries_) {
        for (const auto& word : each.option->results()) {
            try {
                each.read(options, word);
            } catch (const std::invalid_argument& e) {
                throw usage_error(each.option->get_name() + ": " + e.what());
            }
        }
    }
    check_together(options);
    return options;
}

}  // namespace asio_retry::tool
