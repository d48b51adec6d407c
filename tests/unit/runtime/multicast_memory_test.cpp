// Multicast objects and memory between hosts, step by step on the made-up driver
// (fakes/fake_driver.cpp), all members in one process: what they reach, and that every call may
// fail without anything being left behind.
#include "kernels/cuda/multicast_memory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include "emulator/base/error.hpp"
#include "kernels/cuda/peer_memory.hpp"
#include "tests/unit/runtime/fakes/fake_driver.hpp"

namespace fabricast::cuda {
namespace {

using fakes::driver_objects_alive;

// The driver's calls are looked up once per process.
const bool has_driver =
    setenv("FAKE_MULTICAST", "yes", 1) == 0 && setenv("FABRICAST_FAKE_GPUS", "1", 1) == 0;

struct Pair {
  std::unique_ptr<MulticastMemory> members[2];
  explicit Pair(ShareBy by) {
    for (auto& member : members) member = std::make_unique<MulticastMemory>(0, 2, by);
  }
  void bind(std::size_t bytes) {
    members[0]->create(members[0]->size_for(bytes));
    const SharedHandle shared = members[0]->share();
    try {
      members[1]->adopt(shared, members[0]->bytes());
    } catch (const RuntimeError&) {
      if (shared.descriptor >= 0) close(shared.descriptor);
      throw;
    }
    if (shared.descriptor >= 0) close(shared.descriptor);
    for (auto& member : members) member->add_device();
    for (auto& member : members) member->bind();
  }
};

TEST(MulticastMemory, MembersReachTheirOwnMemoryAndGiveEverythingBack) {
  ASSERT_TRUE(has_driver);
  for (const ShareBy by : {ShareBy::descriptor, ShareBy::fabric}) {
    {
      Pair pair(by);
      pair.bind(100);
      std::byte* first = pair.members[0]->own();
      std::byte* second = pair.members[1]->own();
      ASSERT_NE(first, second);
      first[99] = std::byte{1};
      second[99] = std::byte{2};
      EXPECT_EQ(first[99], std::byte{1});
      EXPECT_NE(pair.members[0]->multicast(), nullptr);
      EXPECT_NE(pair.members[0]->multicast(), first);
      EXPECT_GT(driver_objects_alive(), 0);
    }
    EXPECT_EQ(driver_objects_alive(), 0);
  }
}

TEST(MulticastMemory, SizesAreCutAsTheDriverWantsThem) {
  const MulticastMemory memory(0, 2, ShareBy::descriptor);
  constexpr std::size_t least = 4 * 4096, best = 64 * 4096;  // the made-up driver's
  EXPECT_EQ(memory.size_for(1), least);
  EXPECT_EQ(memory.size_for(least + 1), 2 * least);
  EXPECT_EQ(memory.size_for(best), best);
  EXPECT_EQ(memory.size_for(best + 1), 2 * best);
}

TEST(MulticastMemory, AnyCallMayFailAndNothingIsLeft) {
  for (const ShareBy by : {ShareBy::descriptor, ShareBy::fabric}) {
    fakes::driver_calls().clear();
    { Pair(by).bind(1 << 20); }
    auto calls = fakes::driver_calls();
    std::sort(calls.begin(), calls.end());
    calls.erase(std::unique(calls.begin(), calls.end()), calls.end());
    EXPECT_GE(calls.size(), 9u);
    for (const auto& call : calls) {
      SCOPED_TRACE(call);
      fakes::fail_driver_call(call);
      try {
        Pair(by).bind(1 << 20);
        ADD_FAILURE() << "no error";
      } catch (const RuntimeError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find(" failed: an error of the fake driver (FAKE_ERROR)"), std::string::npos)
            << text;
      }
      fakes::fail_driver_call("");
      EXPECT_EQ(driver_objects_alive(), 0);
    }
  }
}

// What a missing agreement between processes would run into.
TEST(MulticastMemory, BindingBeforeAllHaveAddedIsAnError) {
  {
    MulticastMemory early(0, 2, ShareBy::descriptor);
    early.create(early.size_for(1));
    early.add_device();
    EXPECT_THROW(early.bind(), RuntimeError);
  }
  EXPECT_EQ(driver_objects_alive(), 0);
}

TEST(MulticastMemory, WhoCannotTakePartSaysWhy) {
  EXPECT_EQ(why_no_multicast(0), "");
  EXPECT_EQ(why_no_fabric_handles(0), "");
  setenv("FAKE_COMPUTE_MAJOR", "8", 1);
  EXPECT_NE(why_no_multicast(0).find("compute capability 8.0, multimem instructions need 9.0"),
            std::string::npos);
  unsetenv("FAKE_COMPUTE_MAJOR");
  setenv("FAKE_NO_FABRIC", "1", 1);
  EXPECT_NE(why_no_fabric_handles(0).find("no fabric handles"), std::string::npos);
  unsetenv("FAKE_NO_FABRIC");
}

TEST(MulticastMemory, AHandleOfAnotherBuildIsAnError) {
  MulticastMemory memory(0, 2, ShareBy::fabric);
  EXPECT_THROW(memory.adopt({-1, "short"}, 4096), RuntimeError);
}

TEST(PeerMemoryBetweenHosts, BothReachTheExportersMemoryWhichStartsAsZeros) {
  {
    auto own = std::make_unique<OwnPeerMemory>(0, 10'000, ShareBy::fabric);
    const PeerMemory peer(0, own->exported());
    ASSERT_NE(peer.data(), own->data());
    EXPECT_EQ(std::count(peer.data(), peer.data() + 10'000, std::byte{}), 10'000);
    own->data()[9'999] = std::byte{7};
    EXPECT_EQ(peer.data()[9'999], std::byte{7});
    own.reset();  // the importer still has it
    EXPECT_EQ(peer.data()[9'999], std::byte{7});
  }
  EXPECT_EQ(driver_objects_alive(), 0);
}

TEST(PeerMemoryBetweenHosts, AnyCallMayFailAndNothingIsLeft) {
  for (const char* call : {"cuMemCreate", "cuMemAddressReserve", "cuMemMap", "cuMemSetAccess",
                           "cuMemExportToShareableHandle", "cuMemImportFromShareableHandle"}) {
    SCOPED_TRACE(call);
    fakes::fail_driver_call(call);
    EXPECT_THROW(
        {
          const OwnPeerMemory own(0, 100, ShareBy::fabric);
          const PeerMemory peer(0, own.exported());
        },
        RuntimeError);
    fakes::fail_driver_call("");
    EXPECT_EQ(driver_objects_alive(), 0);
  }
}

TEST(PeerMemoryBetweenHosts, TextThatIsNoHandleIsAnError) {
  for (const char* text : {"", "x", "i", "ishort", "f", "f4096", "f4096 short"}) {
    EXPECT_THROW(PeerMemory(0, text), RuntimeError) << text;
  }
  EXPECT_EQ(driver_objects_alive(), 0);
}

}  // namespace
}  // namespace fabricast::cuda
