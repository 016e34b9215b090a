#include "tool/tool_process.hpp"

#include <boost/json/parse.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

namespace asio_retry::test {

namespace {

void redirect(int descriptor, const std::string& path, int flags) {
    const int opened = ::open(path.c_str(), flags, 0600);
    if (opened < 0) ::_exit(126);
    ::dup2(opened, descriptor);
    ::close(opened);
}

}  // namespace

tool_run::tool_run(std::vector<std::string> arguments,
                   const std::string& standard_input,
                   const std::string& standard_output,
                   const std::string& standard_error) {
    arguments.insert(arguments.begin(), ASIO_RETRY_TOOL);
    std::vector<char*> pointers;
    for (auto& each : arguments) pointers.push_back(each.data());
    pointers.push_back(nullptr);
    const auto in = directory_.write("in", standard_input);
    const auto out = standard_output.empty() ? path("out") : standard_output;
    const auto err = standard_error.empty() ? path("err") : standard_error;
    pid_ = ::fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ > 0) return;
    redirect(STDIN_FILENO, in, O_RDONLY);
    if (out == closed) {
        ::close(STDOUT_FILENO);
    } else {
        redirect(STDOUT_FILENO, out, O_WRONLY | O_CREAT);
    }
    redirect(STDERR_FILENO, err, O_WRONLY | O_CREAT);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
}

tool_run::~tool_run() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void tool_run::signal(int number) const { ::kill(pid_, number); }

tool_result tool_run::wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    tool_result result;
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.out = contents_of(path("out"));
    result.err = contents_of(path("err"));
    return result;
}

tool_result tool_run::wait_at_most(std::chrono::seconds most) {
    const auto end = std::chrono::steady_clock::now() + most;
    ::siginfo_t ended{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0) {
        if (std::chrono::steady_clock::now() > end) signal(SIGKILL);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return wait();
}

tool_result fetch(std::vector<std::string> arguments, const std::string& standard_input) {
    arguments.insert(arguments.begin(), "fetch");
    return tool_run(std::move(arguments), standard_input).wait();
}

std::vector<boost::json::value> lines_of_json(const std::string& text) {
    std::vector<boost::json::value> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(boost::json::parse(line));
    return lines;
}

std::string contents_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace asio_retry::test
