// What every rank holds after a collective, computed from the inputs one element at a time, and the
// inputs themselves.
//
// Inputs are small integers, chosen so that every partial reduction in any order is exact in every
// type: |value| * ranks <= 256, the largest run of integers bfloat16 holds (8 significant bits).
// Beyond 256 ranks at most 256 of them contribute a nonzero to any one element. Results can then be
// compared bit for bit (the idea of nccl-tests' verifiable.h). O(ranks x elements); thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/data_type.hpp"

namespace fabricast::reference {

// Which inputs: `ranks` bounds the magnitude where values are reduced; `reduced` is false for
// collectives that only move data, whose values then range over -127..127.
struct InputData {
  DataType type = DataType::float32;
  std::int32_t ranks = 1;
  bool reduced = true;
};

// The integer that rank `rank` holds at `element` of its input. Pure function.
std::int32_t input_value(const InputData& data, std::int32_t rank, std::int64_t element);

// Elements first, first+1, ... of rank's input.
void fill_input(const InputData& data, std::int32_t rank, std::int64_t first,
                std::span<std::byte> elements);

// Elements first ... of the reduction over all ranks: the output of all_reduce, of reduce on the
// root, and, with first = rank * n/p, of reduce_scatter.
void expect_reduction(const InputData& data, ReduceOp op, std::int64_t first,
                      std::span<std::byte> elements);

// The output of all_gather, and of gather on the root: the ranks' inputs one after the other, equal
// lengths.
void expect_gather(const InputData& data, std::span<std::byte> elements);

// The output of all_to_all on `rank`: block s is block `rank` of rank s's input, equal lengths.
void expect_all_to_all(const InputData& data, std::int32_t rank, std::span<std::byte> elements);

// The output of broadcast: the root's input.
void expect_broadcast(const InputData& data, std::int32_t root, std::span<std::byte> elements);

// The output of scatter on `rank`: block `rank` of the root's input, equal lengths.
void expect_scatter(const InputData& data, std::int32_t root, std::int32_t rank,
                    std::span<std::byte> elements);

// The output of send_recv on `rank`: the input of the rank before it, cyclically.
void expect_send_recv(const InputData& data, std::int32_t rank, std::span<std::byte> elements);

}  // namespace fabricast::reference
