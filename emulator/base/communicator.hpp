// The processes of this run: MPI's world, or the null communicator of size 1.
//
// Callers never see an #ifdef. Without mpirun, or built without MPI, every operation behaves as
// MPI would with one rank. Errors become RuntimeError. MPI_THREAD_FUNNELED; not thread safe.
//
// Lifetime: make one with Communicator::world() in the subcommands that need it (MPI_Init costs
// 0.1 to 0.3 s). The world lives until the process exits, so that main can still speak for all
// processes after a command has thrown. A process that ends in an orderly way calls finish(); one
// that does not must not wait for the others in MPI_Finalize: mpirun then ends them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fabricast {

class Communicator {
 public:
  // Initializes MPI if this build has it; size 1 otherwise.
  static Communicator world();
  // Finalizes MPI if it was initialized. Collective; nothing may be communicated afterwards.
  static void finish();
  // Size 1, no MPI call ever.
  static Communicator null();
  // True if this process was started by mpirun or srun (environment only, no MPI call).
  static bool launched_by_mpi();

  int rank() const;
  int size() const;
  bool is_root() const { return rank() == 0; }

  void barrier() const;
  // Everyone gets root's bytes; the length travels too.
  void broadcast(std::string& text) const;
  void broadcast(std::int64_t& value) const;
  // Root receives every rank's bytes in rank order; others an empty vector.
  std::vector<std::string> gather(const std::string& mine) const;
  std::vector<std::string> all_gather(const std::string& mine) const;
  std::int64_t max(std::int64_t value) const;
  double max(double value) const;
  std::int64_t sum(std::int64_t value) const;

  // Paired byte exchange used by the mpi executor: blocking send and receive with a tag.
  void send(std::span<const std::byte> data, int destination, int tag) const;
  void receive(std::span<std::byte> data, int source, int tag) const;
  // Nonblocking send; complete with wait_all(). The buffer must stay until then.
  void isend(std::span<const std::byte> data, int destination, int tag);
  void wait_all();

  // Nonblocking exchange with a handle per message, for callers that poll many. The buffer must stay
  // until test() has said true (the handle is then gone) or cancel() was called.
  using Request = std::int32_t;
  Request start_send(std::span<const std::byte> data, int destination, int tag);
  Request start_receive(std::span<std::byte> data, int source, int tag);
  bool test(Request request);
  // After an error: takes a receive back; a send is let go, its buffer must outlive MPI.
  void cancel(Request request, bool is_receive);

  // One-sided failure: end every process with this exit code. Does not return.
  [[noreturn]] void abort(int exit_code) const;
  // "Open MPI 4.1.4" or "none".
  static std::string library_version();

 private:
  struct State;
  explicit Communicator(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace fabricast
