#include "emulator/base/descriptor_passing.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

struct Pipe {
  FileDescriptor reading, writing;
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe(ends), 0);
    reading = FileDescriptor(ends[0]);
    writing = FileDescriptor(ends[1]);
  }
};

TEST(DescriptorPassing, EveryReceiverGetsTheSameOpenFile) {
  const Pipe pipe;
  const DescriptorServer server;
  std::vector<std::thread> receivers;
  for (int r = 0; r < 3; ++r) {
    receivers.emplace_back([&] {
      const auto got = receive_descriptor(server.name(), 10);
      EXPECT_NE(got.get(), pipe.writing.get());
      EXPECT_EQ(write(got.get(), "x", 1), 1);
    });
  }
  server.give(pipe.writing.get(), 3, 10);
  for (auto& receiver : receivers) receiver.join();
  char text[4] = {};
  EXPECT_EQ(read(pipe.reading.get(), text, 3), 3);
  EXPECT_STREQ(text, "xxx");
}

TEST(DescriptorPassing, ReceivedOnesAreClosedByTheirOwner) {
  const Pipe pipe;
  const DescriptorServer server;
  std::thread giver([&] { server.give(pipe.writing.get(), 1, 10); });
  int number = -1;
  {
    const auto got = receive_descriptor(server.name(), 10);
    number = got.get();
    EXPECT_EQ(write(number, "x", 1), 1);
  }
  giver.join();
  EXPECT_EQ(write(number, "x", 1), -1);
}

TEST(DescriptorPassing, WaitingIsBoundedOnBothSides) {
  const Pipe pipe;
  const DescriptorServer server;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(receive_descriptor(server.name(), 0.05), RuntimeError);  // nobody gives
  try {
    server.give(pipe.writing.get(), 2, 0.05);  // the first has gone, the second never came
    FAIL();
  } catch (const RuntimeError& error) {
    EXPECT_NE(std::string(error.what()).find("of 2 processes came"), std::string::npos)
        << error.what();
  }
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
  EXPECT_LT(waited.count(), 5.0);
}

TEST(DescriptorPassing, ANameThatNobodyHasIsAnError) {
  EXPECT_THROW(receive_descriptor("fabricast-nobody", 1), RuntimeError);
}

}  // namespace
}  // namespace fabricast
