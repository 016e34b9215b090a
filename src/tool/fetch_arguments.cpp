// SPDX-License-Identifier: BSL-1.0
#include <tool/fetch_arguments.hpp>
#include <tool/spelling.hpp>
#include <tool/usage_error.hpp>

#include <string_view>

namespace asio_retry::tool {

namespace {

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

bool is_key_of_its_own(std::string_view next) {
    return !next.empty() && next.front() != '-' && next.find("://") == std::string_view::npos;
}

class reader {
public:
    explicit reader(const CLI::App& fetch) : fetch_(fetch) {}

    std::vector<std::string> read(const std::vector<std::string>& arguments) {
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const auto& each = arguments[i];
            if (each == "--") {
                keep_urls(arguments, i + 1);
                break;
            }
            const bool wants_value = each.starts_with("--")                   ? read_long(each)
                                     : each.size() > 1 && each.front() == '-' ? read_short(each)
                                                                              : keep(each);
            if (!wants_value) continue;
            const bool is_last = i + 1 == arguments.size();
            if (each == "--idempotency-key" && (is_last || !is_key_of_its_own(arguments[i + 1]))) {
                result_.emplace_back(made_up_key);
            } else if (is_last) {
                throw usage_error(each + " needs a value");
            } else {
                result_.push_back(arguments[++i]);
            }
        }
        return std::move(result_);
    }

private:
    bool keep(const std::string& argument) {
        result_.push_back(argument);
        return false;
    }

    // CLI11 would stop at the mark and leave the command.
    void keep_urls(const std::vector<std::string>& arguments, std::size_t first) {
        for (std::size_t i = first; i < arguments.size(); ++i) {
            if (arguments[i].starts_with('-')) {
                throw usage_error("'" + arguments[i] + "' is no URL");
            }
            keep(arguments[i]);
        }
    }

    // Each answers whether the next argument is the option's value.

    bool read_long(const std::string& argument) {
        const auto equals = argument.find('=');
        const auto name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
        const auto& option = find("--" + name, name);
        if (equals == std::string::npos) {
            result_.push_back(argument);
            return takes_value(option);
        }
        if (!takes_value(option)) throw usage_error("--" + name + " takes no value");
        result_.push_back("--" + name);
        result_.push_back(argument.substr(equals + 1));
        return false;
    }

    bool read_short(const std::string& argument) {
        result_.push_back(argument);
        for (std::size_t at = 1; at < argument.size(); ++at) {
            const std::string name(1, argument[at]);
            if (takes_value(find("-" + name, name))) return at + 1 == argument.size();
        }
        return false;
    }

    const CLI::Option& find(const std::string& dashed, const std::string& name) const {
        if (const auto* option = fetch_.get_option_no_throw(dashed)) return *option;
        std::vector<std::string> names;
        for (const auto* option : fetch_.get_options()) {
            for (const auto& each : option->get_lnames()) names.push_back(each);
        }
        const auto alike = name.size() > 1 ? closest_word(name, names) : std::string();
        throw usage_error("there is no option " + dashed +
                          (alike.empty() ? "" : "; did you mean --" + alike + "?"));
    }

    const CLI::App& fetch_;
    std::vector<std::string> result_;
};

}  // namespace

std::vector<std::string> fetch_arguments(const CLI::App& fetch,
                                         const std::vector<std::string>& arguments) {
    return reader(fetch).read(arguments);
}

}  // namespace asio_retry::tool
