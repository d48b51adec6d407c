// Built without MPI: the same symbols, always one rank.
#include <cstdlib>

#include "emulator/base/communicator.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {

struct Communicator::State {};

Communicator::Communicator(std::shared_ptr<State> state) : state_(std::move(state)) {}
Communicator Communicator::null() { return Communicator(std::make_shared<State>()); }
Communicator Communicator::world() {
  if (launched_by_mpi()) {
    throw RuntimeError(
        "this fabricast was built without MPI but is started by an MPI launcher (every process "
        "would do all the work) rebuild with libopenmpi-dev installed, or run it without mpirun");
  }
  return null();
}
void Communicator::finish() {}
bool Communicator::launched_by_mpi() {
  const char* size = std::getenv("OMPI_COMM_WORLD_SIZE");
  if (size == nullptr) size = std::getenv("PMI_SIZE");
  return size != nullptr && std::atoi(size) > 1;
}
int Communicator::rank() const { return 0; }
int Communicator::size() const { return 1; }
void Communicator::barrier() const {}
void Communicator::broadcast(std::string&) const {}
void Communicator::broadcast(std::int64_t&) const {}
std::vector<std::string> Communicator::gather(const std::string& mine) const { return {mine}; }
std::vector<std::string> Communicator::all_gather(const std::string& mine) const { return {mine}; }
std::int64_t Communicator::max(std::int64_t value) const { return value; }
double Communicator::max(double value) const { return value; }
std::int64_t Communicator::sum(std::int64_t value) const { return value; }
void Communicator::send(std::span<const std::byte>, int, int) const {
  throw RuntimeError("point-to-point messages need MPI (this build has none)");
}
void Communicator::receive(std::span<std::byte>, int, int) const {
  throw RuntimeError("point-to-point messages need MPI (this build has none)");
}
void Communicator::isend(std::span<const std::byte>, int, int) {
  throw RuntimeError("point-to-point messages need MPI (this build has none)");
}
void Communicator::wait_all() {}
Communicator::Request Communicator::start_send(std::span<const std::byte>, int, int) {
  throw RuntimeError("point-to-point messages need MPI (this build has none)");
}
Communicator::Request Communicator::start_receive(std::span<std::byte>, int, int) {
  throw RuntimeError("point-to-point messages need MPI (this build has none)");
}
bool Communicator::test(Request) { return true; }
void Communicator::cancel(Request, bool) {}
void Communicator::abort(int exit_code) const { std::_Exit(exit_code); }
std::string Communicator::library_version() { return "none"; }

}  // namespace fabricast
