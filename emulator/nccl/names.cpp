#include "emulator/nccl/names.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/nccl/graph.hpp"

namespace fabricast::nccl {
namespace {

constexpr std::array<std::string_view, algorithm_count> algorithm_names{
    "Tree", "Ring", "CollNetDirect", "CollNetChain", "NVLS", "NVLSTree", "PAT"};
constexpr std::array<std::string_view, protocol_count> protocol_names{"LL", "LL128", "Simple"};
constexpr std::array<std::string_view, function_count> function_names{
    "Broadcast", "Reduce", "AllGather", "ReduceScatter", "AllReduce"};
constexpr std::array<std::string_view, 12> path_names{"LOC", "NVL", "NVB", "C2C", "PIX", "PXB",
                                                      "P2C", "PXN", "PHB", "SYS", "NET", "DIS"};

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

template <class Enum, std::size_t count>
std::optional<Enum> find_name(const std::array<std::string_view, count>& names,
                              std::string_view name) {
  for (std::size_t i = 0; i < count; ++i) {
    if (same_word(names[i], name)) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

struct TypeName {
  std::string_view name;
  DataType type;
};
constexpr std::array type_names{
    TypeName{"float", DataType::float32},      TypeName{"float32", DataType::float32},
    TypeName{"half", DataType::float16},       TypeName{"float16", DataType::float16},
    TypeName{"bfloat16", DataType::bfloat16},  TypeName{"double", DataType::float64},
    TypeName{"float64", DataType::float64},    TypeName{"fp8_e4m3", DataType::f8e4m3},
    TypeName{"f8e4m3", DataType::f8e4m3},      TypeName{"float8_e4m3", DataType::f8e4m3},
    TypeName{"fp8_e5m2", DataType::f8e5m2},    TypeName{"f8e5m2", DataType::f8e5m2},
    TypeName{"float8_e5m2", DataType::f8e5m2}, TypeName{"int8", DataType::int8},
    TypeName{"char", DataType::int8},          TypeName{"uint8", DataType::uint8},
    TypeName{"int32", DataType::int32},        TypeName{"int", DataType::int32},
    TypeName{"uint32", DataType::uint32},      TypeName{"uint", DataType::uint32},
    TypeName{"int64", DataType::int64},        TypeName{"uint64", DataType::uint64},
};

// The newest patch of each minor version whose table is known (docs/nccl-choice.md).
constexpr std::array newest_patches{Version{2, 18, 6}, Version{2, 21, 5}, Version{2, 23, 4},
                                    Version{2, 27, 7}, Version{2, 28, 9}, Version{2, 30, 7}};

}  // namespace

std::string_view to_string(Algorithm algorithm) { return algorithm_names[index_of(algorithm)]; }
std::string_view to_string(Protocol protocol) { return protocol_names[index_of(protocol)]; }
std::string_view to_string(Function function) { return function_names[index_of(function)]; }
std::string_view to_string(PathType type) { return path_names[static_cast<std::size_t>(type)]; }

std::optional<Algorithm> algorithm_from_name(std::string_view name) {
  return find_name<Algorithm>(algorithm_names, name);
}
std::optional<Protocol> protocol_from_name(std::string_view name) {
  return find_name<Protocol>(protocol_names, name);
}
std::optional<Function> function_from_name(std::string_view name) {
  return find_name<Function>(function_names, name);
}

std::optional<Function> function_of(Collective collective) {
  switch (collective) {
    case Collective::all_reduce:
      return Function::all_reduce;
    case Collective::all_gather:
      return Function::all_gather;
    case Collective::reduce_scatter:
      return Function::reduce_scatter;
    case Collective::broadcast:
      return Function::broadcast;
    case Collective::reduce:
      return Function::reduce;
    case Collective::all_to_all:
    case Collective::gather:
    case Collective::scatter:
    case Collective::send_recv:
      break;
  }
  return std::nullopt;
}

Version parse_version(std::string_view text) {
  std::array<int, 3> parts{-1, -1, -1};
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto [rest, error] = std::from_chars(at, end, parts[i]);
    if (error != std::errc{} || parts[i] < 0 || parts[i] > 9999) parts[i] = -1;
    if (parts[i] < 0) break;
    at = rest;
    if (at == end || *at != '.') break;
    ++at;
  }
  const bool whole = at == end || *at == '-' || *at == '+';
  if (parts[0] != 2 || parts[1] < 0 || !whole) {
    throw UsageError(
        fmt::format("\"{}\" is no version of NCCL 2; give it as \"2.28.9\" or \"2.28\"", text));
  }
  if (parts[2] < 0) {
    parts[2] = 0;
    for (const auto& known : newest_patches) {
      if (known.minor == parts[1]) parts[2] = known.patch;
    }
  }
  return {parts[0], parts[1], parts[2]};
}

std::string to_string(const Version& version) {
  return fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

int size_of(DataType type) {
  switch (type) {
    case DataType::int64:
    case DataType::uint64:
    case DataType::float64:
      return 8;
    case DataType::int32:
    case DataType::uint32:
    case DataType::float32:
      return 4;
    case DataType::float16:
    case DataType::bfloat16:
      return 2;
    case DataType::int8:
    case DataType::uint8:
    case DataType::f8e4m3:
    case DataType::f8e5m2:
      break;
  }
  return 1;
}

bool is_fp8(DataType type) { return type == DataType::f8e4m3 || type == DataType::f8e5m2; }

DataType data_type_from_name(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& entry : type_names) {
    if (same_word(entry.name, name)) return entry.type;
    known.emplace_back(entry.name);
  }
  throw UsageError(unknown_name_message("element type", name, known));
}

}  // namespace fabricast::nccl
