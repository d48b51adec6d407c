// One end of an InfraGraph edge: "port[0:8:2]", "port[3]" or "port" of as many as there are.
// Errors name the place of the text; a slice of none is one. Internal to topologies/import.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "emulator/base/strict_yaml.hpp"

namespace fabricast {

struct InfraSlice {
  std::int32_t of = -1;  // what is sliced: an index of the caller's
  std::int64_t first = 0, end = 1, step = 1;
};

// What a name stands for, and how many of it there are; fails at the cursor where there is none.
struct InfraNamed {
  std::int32_t index = 0, count = 0;
};
using FindInfraName = std::function<InfraNamed(const YamlCursor& at, const std::string& name)>;

// `text` is the cursor's, or one name of it where it holds several ("nic[0].port[1]").
InfraSlice read_infra_slice(const YamlCursor& at, const std::string& text,
                            const FindInfraName& find);

}  // namespace fabricast
