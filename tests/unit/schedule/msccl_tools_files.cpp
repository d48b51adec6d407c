#include "tests/unit/schedule/msccl_tools_files.hpp"

#include "tests/unit/schedule/msccl_writer.hpp"

namespace fabricast {
namespace {

int wrapped(int a, int p) { return (a % p + p) % p; }

// As its license comments stand in front of public files.
const char* const prolog = "<?xml version=\"1.0\"?>\n<!-- Copyright. -->\n<!-- License. -->\n";

// A ring of `size` members; i is my place, chunk(c) the first of the `count` chunks of part c.
template <class Chunk>
int ring_reduce_scatter(MscclWriter& file, int i, int size, int count, const Chunk& chunk) {
  int last = -1;
  for (int t = 0; t < size; ++t) {
    const int c = chunk(wrapped(i - 1 - t, size));
    last = file.step(t == 0 ? "s" : t == size - 1 ? "rrc" : "rrs", 'i', c, 'i', c, count);
  }
  return last;  // part i is complete
}

}  // namespace

std::string tools_hierarchical_all_reduce(int nodes, int local, int instances) {
  const int p = nodes * local;
  MscclWriter file("hierarchical_allreduce", "allreduce", p, p * instances, 3 * instances, true,
                   "LL128", " minBytes=\"0\" maxBytes=\"9223372036854775807\"");
  for (int r = 0; r < p; ++r) {
    const int n = r / local, l = r % local;
    file.gpu(r, p * instances, 0, 0);
    for (int k = 0; k < instances; ++k) {
      const auto part = [&](int c) { return (k * local + c) * nodes; };
      const auto inside = [&](int i) { return n * local + wrapped(i, local); };
      const auto across = [&](int i) { return wrapped(i, nodes) * local + l; };
      const int first = file.block(inside(l + 1), inside(l - 1), k);
      const int reduced = ring_reduce_scatter(file, l, local, nodes, part);
      // The own part is `nodes` chunks, a ring across sums them.
      const int second = file.block(across(n + 1), across(n - 1), instances + k);
      for (int t = 0; t < 2 * nodes - 1; ++t) {
        const int c = part(l) + wrapped(n - t, nodes);
        const char* type = t == 0              ? "s"
                           : t < nodes - 1     ? "rrs"
                           : t == nodes - 1    ? "rrcs"
                           : t < 2 * nodes - 2 ? "rcs"
                                               : "r";
        file.step(type, 'i', c, 'i', c, 1, t == 0 ? first : -1, t == 0 ? reduced : -1);
      }
      file.block(inside(l + 1), inside(l - 1), 2 * instances + k);
      for (int t = 0; t < local; ++t) {
        const int c = part(wrapped(l - t, local));
        file.step(t == 0           ? "s"
                  : t == local - 1 ? "r"
                                   : "rcs",
                  'i', c, 'i', c, nodes, t == 0 ? second : -1, t == 0 ? 2 * nodes - 2 : -1);
      }
    }
  }
  return prolog + file.finish();
}

std::string tools_one_pass_all_reduce(int p, int instances) {
  MscclWriter file("allreduce_pairs", "allreduce", p, p * instances, instances, true, "LL",
                   " minBytes=\"2048\" maxBytes=\"13312\"");
  const auto scratch = [p](int k, int peer) { return (k * (p - 1) + peer) * p; };
  for (int r = 0; r < p; ++r) {
    file.gpu(r, p * instances, 0, (p - 1) * p * instances);
    for (int k = 0; k < instances; ++k) {
      const int base = k * p;  // first thread block, and first chunk, of the instance
      const auto block_of = [&](int peer) { return base + 1 + peer; };
      for (int b = 0; b < p; ++b) {  // the first talks to nobody
        const int q = b == 0 ? -1 : wrapped(r + b, p);
        file.block(q, q, k);
        if (b > 0) {
          file.step("s", 'i', base, 's', 0, p);
          file.step("r", 'i', base, 's', scratch(k, b - 1), p);
        }
        // Not before all have sent what is summed here, and all has come.
        for (int peer = 0; peer < p - 1; ++peer) {
          if (peer + 1 == b) continue;
          file.wait(block_of(peer), 0);
          file.wait(block_of(peer), 1);
        }
        for (int peer = 0; peer < p - 1; ++peer) {
          file.step("re", 's', scratch(k, peer) + b, 'i', base + b);
        }
      }
    }
  }
  return prolog + file.finish();
}

std::string tools_tree_all_reduce(int p, int chunks) {
  MscclWriter file("tree", "allreduce", p, chunks, 2, true, "LL");
  for (int r = 0; r < p; ++r) {
    file.gpu(r, chunks, 0, 0);
    int summed = -1;  // the thread block that last added to the own sum
    for (const int child : {2 * r + 1, 2 * r + 2}) {
      if (child >= p) continue;
      const int after = summed;
      summed = file.block(-1, child, 0);
      for (int c = 0; c < chunks; ++c)
        file.step("rrc", 'i', c, 'i', c, 1, after, after < 0 ? -1 : c);
    }
    int complete = summed;
    if (r > 0) {
      const int up = file.block((r - 1) / 2, -1, 0);
      for (int c = 0; c < chunks; ++c) {
        file.step("s", 'i', c, 'i', c, 1, summed, summed < 0 ? -1 : c);
      }
      complete = file.block(-1, (r - 1) / 2, 1);
      for (int c = 0; c < chunks; ++c) file.step("r", 'i', c, 'i', c, 1, up, c);
    }
    for (const int child : {2 * r + 1, 2 * r + 2}) {
      if (child >= p) continue;
      file.block(child, -1, 1);
      for (int c = 0; c < chunks; ++c) file.step("s", 'i', c, 'i', c, 1, complete, c);
    }
  }
  return file.finish();
}

std::string tools_two_step_all_to_all(int nodes, int local) {
  const int p = nodes * local;
  MscclWriter file("alltoall_two_step", "alltoall", p, p, 2, false);
  for (int r = 0; r < p; ++r) {
    const int n = r / local, l = r % local;
    // What goes to node m is collected in a row of scratch.
    const auto row = [&](int m) { return (m < n ? m : m - 1) * local; };
    file.gpu(r, p, p, (nodes - 1) * local);
    file.block(-1, -1);
    for (int m = 0; m < nodes; ++m) {
      const int c = m * local + l;
      file.step("cpy", 'i', c, m == n ? 'o' : 's', m == n ? r : row(m) + l);
    }
    for (int i = 1; i < local; ++i) {
      const int q = wrapped(l + i, local);
      file.block(n * local + q, n * local + q, 0);
      for (int m = 0; m < nodes; ++m) {
        const bool here = m == n;
        file.step("s", 'i', m * local + q, here ? 'o' : 's', here ? r : row(m) + l);
        file.step("r", 'i', m * local + l, here ? 'o' : 's', here ? n * local + q : row(m) + q);
      }
    }
    for (int m = 0; m < nodes; ++m) {
      if (m == n) continue;
      file.block(m * local + l, m * local + l, 1);
      file.wait(0, m);
      for (int i = 1; i < local; ++i) file.wait(i, 2 * m + 1);
      file.step("s", 's', row(m), 'o', n * local, local);
      file.step("r", 's', row(m), 'o', m * local, local);
    }
  }
  return prolog + file.finish();
}

std::string tools_doubling_all_gather(int p) {
  MscclWriter file("allgather_recursive_doubling", "allgather", p, p, 1, true, "LL");
  for (int r = 0; r < p; ++r) {
    file.gpu(r, 1, p, 0);
    int block = -1;
    for (int distance = 1; distance < p; distance *= 2) {
      const int q = r ^ distance, mine = r / distance * distance, theirs = q / distance * distance;
      const int after = block;
      block = file.block(q, q, 0);
      file.step("s", 'o', mine, 'o', mine, distance, after, after < 0 ? -1 : 1);
      file.step("r", 'o', theirs, 'o', theirs, distance);
    }
  }
  return file.finish();
}

}  // namespace fabricast
