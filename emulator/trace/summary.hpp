// The small compound table /summary: /results in one HDF5 compound, for pandas.read_hdf.
//
// Derived: never read back, never part of the content digest; the validator rebuilds it and
// compares bytes. Rows are packed without padding, texts NUL-padded. Pure function, O(rows).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "emulator/trace/table.hpp"

namespace fabricast::hdf5 {

enum class MemberType { integer, real, text };

struct SummaryMember {
  std::string name;
  MemberType type = MemberType::integer;
  std::size_t offset = 0;
  std::size_t bytes = 8;
};

struct Summary {
  std::vector<SummaryMember> members;
  std::size_t row_bytes = 0;
  std::size_t rows = 0;
  std::vector<char> data;  // rows x row_bytes
};

// Members that /results lacks are left out; `row` is always there.
Summary build_summary(const Table& results);

}  // namespace fabricast::hdf5
