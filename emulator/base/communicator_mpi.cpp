// The MPI build of Communicator. Every call is checked: the world has an errors-return handler.
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

#include <cstdlib>

#include "emulator/base/communicator.hpp"
#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/log.hpp"
#include "emulator/base/run_phase.hpp"

namespace fabricast {
namespace {

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw RuntimeError(std::string(what) + " failed: " + text);
}

int count_of(std::size_t bytes) {
  if (bytes > 0x7FFFFFFFu) throw RuntimeError("an MPI message is limited to 2 GiB");
  return static_cast<int>(bytes);
}

}  // namespace

struct Communicator::State {
  int rank = 0;
  int size = 1;
  bool mpi = false;
  std::vector<MPI_Request> pending;
  std::vector<MPI_Request> polled;      // by handle
  std::vector<int> free_handles;        // indices of unused entries of polled

  int add(MPI_Request request) {
    if (free_handles.empty()) {
      polled.push_back(request);
      return static_cast<int>(polled.size()) - 1;
    }
    const int handle = free_handles.back();
    free_handles.pop_back();
    polled[static_cast<std::size_t>(handle)] = request;
    return handle;
  }
};

Communicator::Communicator(std::shared_ptr<State> state) : state_(std::move(state)) {}

Communicator Communicator::null() { return Communicator(std::make_shared<State>()); }

Communicator Communicator::world() {
  static std::shared_ptr<State> shared;
  if (shared) return Communicator(shared);
  if (!launched_by_mpi()) return null();
  auto state = std::make_shared<State>();
  int provided = 0;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  state->mpi = true;
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  if (provided < MPI_THREAD_FUNNELED) throw RuntimeError("this MPI offers no MPI_THREAD_FUNNELED");
  check(MPI_Comm_rank(MPI_COMM_WORLD, &state->rank), "MPI_Comm_rank");
  check(MPI_Comm_size(MPI_COMM_WORLD, &state->size), "MPI_Comm_size");
  set_log_rank(state->rank, state->size);
  shared = state;
  enter_phase(RunPhase::init);
  return Communicator(state);
}

void Communicator::finish() {
  int initialized = 0, finalized = 0;
  if (MPI_Initialized(&initialized) != MPI_SUCCESS || initialized == 0) return;
  if (MPI_Finalized(&finalized) != MPI_SUCCESS || finalized != 0) return;
  const WaitingForOthers waiting;
  MPI_Finalize();
}

bool Communicator::launched_by_mpi() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK", "PMI_RANK"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

int Communicator::rank() const { return state_->rank; }
int Communicator::size() const { return state_->size; }

void Communicator::barrier() const {
  const WaitingForOthers waiting;
  if (state_->mpi) check(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier");
}

void Communicator::broadcast(std::int64_t& value) const {
  const WaitingForOthers waiting;
  if (state_->mpi) check(MPI_Bcast(&value, 1, MPI_INT64_T, 0, MPI_COMM_WORLD), "MPI_Bcast");
}

void Communicator::broadcast(std::string& text) const {
  const WaitingForOthers waiting;
  auto length = static_cast<std::int64_t>(text.size());
  broadcast(length);
  text.resize(static_cast<std::size_t>(length));
  if (state_->mpi && length > 0) {
    check(MPI_Bcast(text.data(), count_of(text.size()), MPI_CHAR, 0, MPI_COMM_WORLD), "MPI_Bcast");
  }
}

std::vector<std::string> Communicator::all_gather(const std::string& mine) const {
  if (!state_->mpi) return {mine};
  const WaitingForOthers waiting;
  const auto n = static_cast<std::size_t>(size());
  std::vector<int> lengths(n), offsets(n);
  const int my_length = count_of(mine.size());
  check(MPI_Allgather(&my_length, 1, MPI_INT, lengths.data(), 1, MPI_INT, MPI_COMM_WORLD),
        "MPI_Allgather");
  std::int64_t total = 0;
  for (std::size_t i = 0; i < n; ++i) {
    offsets[i] = static_cast<int>(total);
    total += lengths[i];
  }
  std::string all(static_cast<std::size_t>(count_of(static_cast<std::size_t>(total))), '\0');
  check(MPI_Allgatherv(mine.data(), my_length, MPI_CHAR, all.data(), lengths.data(), offsets.data(),
                       MPI_CHAR, MPI_COMM_WORLD),
        "MPI_Allgatherv");
  std::vector<std::string> parts(n);
  for (std::size_t i = 0; i < n; ++i) {
    parts[i] = all.substr(static_cast<std::size_t>(offsets[i]), static_cast<std::size_t>(lengths[i]));
  }
  return parts;
}

std::vector<std::string> Communicator::gather(const std::string& mine) const {
  auto parts = all_gather(mine);
  if (!is_root()) parts.clear();
  return parts;
}

std::int64_t Communicator::max(std::int64_t value) const {
  const WaitingForOthers waiting;
  std::int64_t result = value;
  if (state_->mpi)
    check(MPI_Allreduce(&value, &result, 1, MPI_INT64_T, MPI_MAX, MPI_COMM_WORLD), "MPI_Allreduce");
  return result;
}

double Communicator::max(double value) const {
  const WaitingForOthers waiting;
  double result = value;
  if (state_->mpi)
    check(MPI_Allreduce(&value, &result, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD), "MPI_Allreduce");
  return result;
}

std::int64_t Communicator::sum(std::int64_t value) const {
  const WaitingForOthers waiting;
  std::int64_t result = value;
  if (state_->mpi)
    check(MPI_Allreduce(&value, &result, 1, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD), "MPI_Allreduce");
  return result;
}

void Communicator::send(std::span<const std::byte> data, int destination, int tag) const {
  FABRICAST_EXPECT(state_->mpi, "send needs MPI");
  const WaitingForOthers waiting;
  check(MPI_Send(data.data(), count_of(data.size()), MPI_BYTE, destination, tag, MPI_COMM_WORLD),
        "MPI_Send");
}

void Communicator::receive(std::span<std::byte> data, int source, int tag) const {
  FABRICAST_EXPECT(state_->mpi, "receive needs MPI");
  const WaitingForOthers waiting;
  MPI_Status status;
  check(MPI_Recv(data.data(), count_of(data.size()), MPI_BYTE, source, tag, MPI_COMM_WORLD, &status),
        "MPI_Recv");
}

void Communicator::isend(std::span<const std::byte> data, int destination, int tag) {
  FABRICAST_EXPECT(state_->mpi, "isend needs MPI");
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Isend(data.data(), count_of(data.size()), MPI_BYTE, destination, tag, MPI_COMM_WORLD,
                  &request),
        "MPI_Isend");
  state_->pending.push_back(request);
}

void Communicator::wait_all() {
  const WaitingForOthers waiting;
  auto& pending = state_->pending;
  if (pending.empty()) return;
  check(MPI_Waitall(static_cast<int>(pending.size()), pending.data(), MPI_STATUSES_IGNORE),
        "MPI_Waitall");
  pending.clear();
}

Communicator::Request Communicator::start_send(std::span<const std::byte> data, int destination,
                                               int tag) {
  FABRICAST_EXPECT(state_->mpi, "start_send needs MPI");
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Isend(data.data(), count_of(data.size()), MPI_BYTE, destination, tag, MPI_COMM_WORLD,
                  &request),
        "MPI_Isend");
  return state_->add(request);
}

Communicator::Request Communicator::start_receive(std::span<std::byte> data, int source, int tag) {
  FABRICAST_EXPECT(state_->mpi, "start_receive needs MPI");
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Irecv(data.data(), count_of(data.size()), MPI_BYTE, source, tag, MPI_COMM_WORLD,
                  &request),
        "MPI_Irecv");
  return state_->add(request);
}

bool Communicator::test(Request request) {
  int done = 0;
  check(MPI_Test(&state_->polled[static_cast<std::size_t>(request)], &done, MPI_STATUS_IGNORE),
        "MPI_Test");
  if (done != 0) state_->free_handles.push_back(request);
  return done != 0;
}

void Communicator::cancel(Request request, bool is_receive) {
  MPI_Request& entry = state_->polled[static_cast<std::size_t>(request)];
  if (is_receive) {
    // A receive either is cancelled or has just completed; waiting ends in both cases.
    check(MPI_Cancel(&entry), "MPI_Cancel");
    check(MPI_Wait(&entry, MPI_STATUS_IGNORE), "MPI_Wait");
  } else {
    check(MPI_Request_free(&entry), "MPI_Request_free");
  }
  state_->free_handles.push_back(request);
}

void Communicator::abort(int exit_code) const {
  if (state_->mpi) MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

std::string Communicator::library_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) return "unknown";
  const std::string version(text, static_cast<std::size_t>(length));
  return version.substr(0, version.find(','));
}

}  // namespace fabricast
