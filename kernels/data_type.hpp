// Element types and reduction operators of the data that collectives move.
//
// Names are those of nccl-tests (-d and -o). Pure functions, thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fabricast {

enum class DataType : std::uint8_t { float32, float16, bfloat16, int32 };
enum class ReduceOp : std::uint8_t { sum, min, max };

std::string_view to_string(DataType type);  // "float", "half", "bfloat16", "int32"
std::string_view to_string(ReduceOp op);    // "sum", "min", "max"
// nccl-tests names, and float32, float16, f32, f16, bf16, i32; throw UsageError with a
// did-you-mean.
DataType data_type_from_name(std::string_view name);
ReduceOp reduce_op_from_name(std::string_view name);
std::int32_t size_of(DataType type);  // bytes

}  // namespace fabricast
