#include "tests/unit/schedule/msccl_files.hpp"

#include "tests/unit/schedule/msccl_writer.hpp"

namespace fabricast {
namespace {

int mod(int a, int p) { return (a % p + p) % p; }

}  // namespace

std::string msccl_ring_all_reduce(int p, int parts) {
  MscclWriter file("ring", "allreduce", p, p * parts, 1, false);
  for (int r = 0; r < p; ++r) {
    file.gpu(r, p * parts, p * parts, 0);
    file.block(mod(r + 1, p), mod(r - 1, p));
    for (int t = 0; t < 2 * p - 1; ++t) {
      const int c = mod(r - t, p) * parts;
      const char* type = t == 0          ? "s"
                         : t < p - 1     ? "rrs"
                         : t == p - 1    ? "rrcs"
                         : t < 2 * p - 2 ? "rcs"
                                         : "r";
      file.step(type, t < p ? 'i' : 'o', c, 'o', c, parts);
    }
  }
  return file.finish();
}

// Rank r reduces chunk r: block r - 1 or r talks to one peer, the last block reduces and publishes.
std::string msccl_all_pairs_all_reduce(int p, bool in_place) {
  MscclWriter file("all_pairs", "allreduce", p, p, 1, in_place, "LL",
                   " minBytes=\"16\" maxBytes=\"65536\" nthreadblocks=\"3\"");
  const char from = 'i', to = in_place ? 'i' : 'o';
  for (int r = 0; r < p; ++r) {
    file.gpu(r, p, in_place ? 0 : p, p - 1);
    // Where the reduction's steps are: block p-1, after the waits.
    const int reduced = p - 1 + (in_place ? 0 : 1) + (p - 1) - 1;
    for (int i = 1; i < p; ++i) {
      const int q = mod(r + i, p);
      file.block(q, q);
      file.step("s", from, q, 's', 0);
      file.step("r", from, r, 's', i - 1);
      file.step("s", to, r, to, r, 1, p - 1, reduced);
      file.step("r", to, q, to, q);
    }
    file.block(-1, -1);
    if (!in_place) file.step("cpy", 'i', r, 'o', r);
    for (int i = 1; i < p; ++i) file.wait(i - 1, 1);
    for (int i = 1; i < p; ++i) file.step("re", 's', i - 1, to, r);
  }
  return file.finish();
}

std::string msccl_all_gather(int p, int parts, bool in_place) {
  MscclWriter file("direct_gather", "allgather", p, p * parts, 1, in_place);
  for (int r = 0; r < p; ++r) {
    file.gpu(r, in_place ? 0 : parts, p * parts, 0);
    if (!in_place) {
      file.block(-1, -1);
      file.step("cpy", 'i', 0, 'o', r * parts, parts);
    }
    for (int i = 1; i < p; ++i) {
      const int to = mod(r + i, p), from = mod(r - i, p);
      file.block(to, from);
      file.step("s", in_place ? 'o' : 'i', in_place ? r * parts : 0, 'o', r * parts, parts);
      file.step("r", 'o', from * parts, 'o', from * parts, parts);
    }
  }
  return file.finish();
}

std::string msccl_reduce_scatter(int p, int parts, bool in_place) {
  MscclWriter file("ring_scatter", "reducescatter", p, p * parts, 1, in_place);
  for (int r = 0; r < p; ++r) {
    file.gpu(r, p * parts, in_place ? 0 : parts, 0);
    file.block(mod(r + 1, p), mod(r - 1, p));
    for (int t = 0; t < p; ++t) {
      const int c = mod(r - 1 - t, p) * parts;
      const bool last = t == p - 1;
      file.step(t == 0 ? "s"
                : last ? "rrc"
                       : "rrs",
                'i', c, in_place ? 'i' : 'o', last && !in_place ? 0 : c, parts);
    }
  }
  return file.finish();
}

std::string msccl_all_pairs_reduce_scatter(int p) {
  MscclWriter file("pairs_scatter", "reducescatter", p, p, 1, true);
  for (int r = 0; r < p; ++r) {
    file.gpu(r, p, 0, p - 1);
    for (int i = 1; i < p; ++i) {
      const int q = mod(r + i, p);
      file.block(q, q);
      file.step("s", 'i', q, 's', 0);
      file.step("r", 'i', r, 's', i - 1);
      // Block i reduces after block i - 1, so that all touch the own block.
      if (i == 1)
        file.step("re", 's', 0, 'i', r);
      else
        file.step("re", 's', i - 1, 'i', r, 1, i - 2, 2);
    }
  }
  return file.finish();
}

std::string msccl_all_to_all(int p, int parts) {
  MscclWriter file("pairs", "alltoall", p, p * parts, 2, false);
  for (int r = 0; r < p; ++r) {
    file.gpu(r, p * parts, p * parts, 0);
    file.block(-1, -1);
    file.step("cpy", 'i', r * parts, 'o', r * parts, parts);
    for (int i = 1; i < p; ++i) {
      const int to = mod(r + i, p), from = mod(r - i, p);
      file.block(to, from, i % 2);
      file.step("s", 'i', to * parts, 'o', r * parts, parts);
      file.step("r", 'i', to * parts, 'o', from * parts, parts);
    }
  }
  return file.finish();
}

std::string msccl_chain(int p, const std::string& collective, int chunks) {
  MscclWriter file("chain", collective, p, chunks, 2, false);
  const bool down = collective == "broadcast";
  for (int r = 0; r < p; ++r) {
    file.gpu(r, chunks, chunks, 0);
    const int depth = down ? r : p - 1 - r;  // from the beginning of the chain
    const int next = depth == p - 1 ? -1 : r + (down ? 1 : -1);
    const int previous = depth == 0 ? -1 : r + (down ? -1 : 1);
    for (int c = 0; c < chunks; ++c) {
      file.block(next, previous, c % 2);
      if (down && r == 0) file.step("cpy", 'i', c, 'o', c);
      const char* type = depth == 0      ? "s"
                         : depth < p - 1 ? (down ? "rcs" : "rrs")
                                         : (down ? "r" : "rrc");
      file.step(type, 'i', c, 'o', c);
    }
  }
  return file.finish();
}

std::string msccl_star(int p, const std::string& collective, int parts) {
  MscclWriter file("star", collective, p, p * parts, 1, false);
  const bool gather = collective == "gather";
  for (int r = 0; r < p; ++r) {
    file.gpu(r, gather ? parts : p * parts, gather ? p * parts : parts, 0);
    if (r > 0) {
      file.block(gather ? 0 : -1, gather ? -1 : 0);
      file.step(gather ? "s" : "r", 'i', 0, 'o', 0, parts);
      continue;
    }
    file.block(-1, -1);
    file.step("cpy", 'i', 0, 'o', 0, parts);
    for (int q = 1; q < p; ++q) {
      file.block(gather ? -1 : q, gather ? q : -1);
      file.step(gather ? "r" : "s", 'i', gather ? 0 : q * parts, 'o', gather ? q * parts : 0,
                parts);
    }
  }
  return file.finish();
}

}  // namespace fabricast
