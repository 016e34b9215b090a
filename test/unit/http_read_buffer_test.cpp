// The buffer between a connection and its reader: what it keeps, and when it has no memory.
// SPDX-License-Identifier: BSL-1.0
#include "http/read_buffer.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>

namespace asio_retry::test {
namespace {

using http::detail::block_store;
using http::detail::read_buffer;

void put(read_buffer& b, std::string_view text) {
    const auto room = b.prepare(text.size());
    ASSERT_GE(room.size(), text.size());
    std::memcpy(room.data(), text.data(), text.size());
    b.commit(text.size());
}

std::string content(const read_buffer& b) {
    return {static_cast<const char*>(b.data().data()), b.size()};
}

TEST(ReadBuffer, KeepsWhatIsNotConsumed) {
    block_store blocks(read_buffer::usual_size);
    for (block_store* const store : {static_cast<block_store*>(nullptr), &blocks}) {
        read_buffer b(store);
        std::string expected;
        for (std::size_t n = 1; n < 4 * read_buffer::usual_size; n *= 2) {
            const std::string piece(n, static_cast<char>('a' + n % 23));
            put(b, piece);
            expected += piece;
            ASSERT_EQ(content(b), expected);
            b.consume(n / 2);
            expected.erase(0, n / 2);
            b.rest();
            ASSERT_EQ(content(b), expected);
        }
    }
}

TEST(ReadBuffer, OneBlockServesThoseThatRest) {
    block_store blocks(read_buffer::usual_size);
    read_buffer first(&blocks);
    read_buffer second(&blocks);
    put(first, "response");
    const void* const memory = first.data().data();
    first.rest();
    put(second, "another");
    EXPECT_NE(second.data().data(), memory);
    first.consume(first.size());
    first.rest();
    second.consume(second.size());
    put(second, std::string(read_buffer::usual_size, 'x'));
#ifndef __SANITIZE_ADDRESS__
    read_buffer third(&blocks);
    put(third, "a third");
    EXPECT_EQ(third.data().data(), memory);
#endif
    EXPECT_EQ(content(second), std::string(read_buffer::usual_size, 'x'));
}

TEST(ReadBuffer, HasRoomWhileFewBlocksAreInUse) {
    block_store blocks(read_buffer::usual_size);
    read_buffer first(&blocks);
    read_buffer second(&blocks);
    EXPECT_FALSE(first.has_room(0));
    put(first, "response");
    EXPECT_TRUE(first.has_room(1));
    EXPECT_FALSE(second.has_room(1));
    first.consume(first.size());
    first.rest();
    EXPECT_TRUE(second.has_room(1));
    EXPECT_EQ(blocks.lent(), 0U);
    EXPECT_TRUE(read_buffer().has_room(0)) << "the heap has always room";
}

TEST(ReadBuffer, ALargeOneIsGivenBackToTheHeap) {
    block_store blocks(read_buffer::usual_size);
    read_buffer b(&blocks);
    const std::string large(3 * read_buffer::usual_size, 'y');
    put(b, large);
    EXPECT_EQ(content(b), large);
    b.consume(large.size());
    b.rest();
    put(b, "small");
    EXPECT_EQ(content(b), "small");
    EXPECT_EQ(b.prepare(1).size(), read_buffer::usual_size - 5);
}

}  // namespace
}  // namespace asio_retry::test
