#include "kernels/data_type.hpp"

#include <gtest/gtest.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

TEST(DataTypeNames, PrintedNamesAreReadBack) {
  for (const auto type :
       {DataType::float32, DataType::float16, DataType::bfloat16, DataType::int32}) {
    EXPECT_EQ(data_type_from_name(to_string(type)), type);
  }
  for (const auto op : {ReduceOp::sum, ReduceOp::min, ReduceOp::max}) {
    EXPECT_EQ(reduce_op_from_name(to_string(op)), op);
  }
}

TEST(DataTypeNames, NamesOfNcclTests) {
  EXPECT_EQ(to_string(DataType::float16), "half");
  EXPECT_EQ(data_type_from_name("bf16"), DataType::bfloat16);
}

TEST(DataTypeNames, TyposAreErrorsWithASuggestion) {
  try {
    data_type_from_name("flaot");
    FAIL() << "no error";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("float"), std::string::npos);
  }
  EXPECT_THROW(reduce_op_from_name("avg"), UsageError);
}

TEST(DataTypeSizes, Bytes) {
  EXPECT_EQ(size_of(DataType::float32), 4);
  EXPECT_EQ(size_of(DataType::float16), 2);
  EXPECT_EQ(size_of(DataType::bfloat16), 2);
  EXPECT_EQ(size_of(DataType::int32), 4);
}

}  // namespace
}  // namespace fabricast
