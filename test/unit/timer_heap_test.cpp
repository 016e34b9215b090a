#include <asio_retry/detail/timer_heap.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::steady_time;
using asio_retry::detail::timer_entry;
using asio_retry::detail::timer_event;
using asio_retry::detail::timer_heap;

void ignore(timer_entry&, timer_event) noexcept {}

std::vector<timer_entry*> listed(timer_entry* first) {
    std::vector<timer_entry*> result;
    for (; first != nullptr; first = first->next()) result.push_back(first);
    return result;
}

TEST(TimerHeap, IsEmptyAtFirst) {
    timer_heap heap;
    EXPECT_TRUE(heap.empty());
    EXPECT_EQ(heap.size(), 0U);
    EXPECT_EQ(heap.take_due(steady_time::max()), nullptr);
    EXPECT_EQ(heap.take_any(), nullptr);
}

TEST(TimerHeap, KnowsWhatItHolds) {
    timer_heap heap;
    timer_entry a(&ignore);
    timer_entry b(&ignore);
    EXPECT_FALSE(heap.contains(a));
    heap.push(a, steady_time(2s));
    heap.push(b, steady_time(1s));
    EXPECT_TRUE(heap.contains(a));
    EXPECT_TRUE(heap.contains(b));
    EXPECT_EQ(heap.next_expiry(), steady_time(1s));
    heap.erase(b);
    EXPECT_FALSE(heap.contains(b));
    EXPECT_EQ(heap.next_expiry(), steady_time(2s));
    EXPECT_EQ(listed(heap.take_due(steady_time(2s))), std::vector{&a});
    EXPECT_FALSE(heap.contains(a));
    EXPECT_TRUE(heap.empty());
}

TEST(TimerHeap, TakesWhatIsDueInOrderAndNothingElse) {
    timer_heap heap;
    std::deque<timer_entry> entries;
    for (int i = 0; i < 10; ++i) entries.emplace_back(&ignore);
    for (const int i : {7, 2, 9, 0, 4, 1, 8, 3, 6, 5}) {
        heap.push(entries[static_cast<std::size_t>(i)], steady_time(i * 1s));
    }
    EXPECT_EQ(heap.take_due(steady_time(-1ns)), nullptr);
    EXPECT_EQ(listed(heap.take_due(steady_time(3s))),
              (std::vector{&entries[0], &entries[1], &entries[2], &entries[3]}));
    EXPECT_EQ(heap.take_due(steady_time(4s - 1ns)), nullptr);
    EXPECT_EQ(heap.size(), 6U);
    EXPECT_EQ(listed(heap.take_due(steady_time::max())).size(), 6U);
}

TEST(TimerHeap, TakesTimesAtTheEndsOfTheClock) {
    timer_heap heap;
    timer_entry first(&ignore);
    timer_entry last(&ignore);
    heap.push(last, steady_time::max());
    heap.push(first, steady_time::min());
    EXPECT_EQ(listed(heap.take_due(steady_time::min())), std::vector{&first});
    EXPECT_EQ(heap.take_due(steady_time::max() - 1ns), nullptr);
    EXPECT_EQ(listed(heap.take_due(steady_time::max())), std::vector{&last});
}

TEST(TimerHeap, GivesUpOneByOne) {
    timer_heap heap;
    std::deque<timer_entry> entries;
    std::set<timer_entry*> expected;
    for (int i = 0; i < 100; ++i) {
        heap.push(entries.emplace_back(&ignore), steady_time((i * 37 % 100) * 1s));
        expected.insert(&entries.back());
    }
    std::vector<timer_entry*> all;
    while (timer_entry* const e = heap.take_any()) all.push_back(e);
    EXPECT_EQ(all.size(), 100U);
    EXPECT_EQ(std::set(all.begin(), all.end()), expected);
    EXPECT_TRUE(heap.empty());
    for (const auto& e : entries) EXPECT_FALSE(heap.contains(e));
    heap.push(entries.front(), steady_time(1s));
    EXPECT_TRUE(heap.contains(entries.front()));
}

TEST(TimerHeap, TellsAnEntryWhatBecameOfIt) {
    class counted : public timer_entry {
    public:
        counted()
            : timer_entry([](timer_entry& e, timer_event event) noexcept {
                  static_cast<counted&>(e).seen.push_back(event);
              }) {}
        std::vector<timer_event> seen;
    };
    counted e;
    e.fire(timer_event::expired);
    e.fire(timer_event::abandoned);
    EXPECT_EQ(e.seen, (std::vector{timer_event::expired, timer_event::abandoned}));
}

TEST(TimerHeap, DoesWhatAMultimapDoes) {
    for (const unsigned spread : {1U, 3U, 50U, 1'000'000U}) {
        std::mt19937 random(spread);
        timer_heap heap;
        std::deque<timer_entry> entries;
        for (int i = 0; i < 200; ++i) entries.emplace_back(&ignore);
        std::map<timer_entry*, steady_time> model;
        const auto next_of_model = [&] {
            return std::min_element(
                       model.begin(),
                       model.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; })
                ->second;
        };
        for (int step = 0; step < 20'000; ++step) {
            auto& e = entries[random() % entries.size()];
            if (random() % 50 == 0) {
                const steady_time now(1s * (random() % spread));
                steady_time before = steady_time::min();
                for (timer_entry* due : listed(heap.take_due(now))) {
                    const auto found = model.find(due);
                    ASSERT_NE(found, model.end());
                    ASSERT_LE(found->second, now);
                    ASSERT_LE(before, found->second);
                    before = found->second;
                    model.erase(found);
                }
                for (const auto& [entry, expiry] : model) ASSERT_GT(expiry, now);
            } else if (heap.contains(e)) {
                heap.erase(e);
                ASSERT_EQ(model.erase(&e), 1U);
            } else {
                const steady_time expiry(1s * (random() % spread));
                heap.push(e, expiry);
                ASSERT_TRUE(model.emplace(&e, expiry).second);
            }
            ASSERT_EQ(heap.size(), model.size());
            ASSERT_EQ(heap.empty(), model.empty());
            if (!model.empty()) {
                ASSERT_EQ(heap.next_expiry(), next_of_model());
            }
        }
    }
}

}  // namespace
