# fabricast_together(TARGET): with FABRICAST_UNITY, compile its sources several at a time, so that what
# they all include is read and instantiated once. No two files of a target may then define the same
# name in an anonymous namespace.
function(fabricast_together target)
  if(FABRICAST_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
endfunction()

# fabricast_module(NAME SOURCES ... [DEPENDS module ...] [LINK targets ...] [APART])
#   One static library per module, alias fabricast::NAME. APART: never several sources in one object
#   (fabricast_together), of which a program then takes what it needs. DEPENDS are our own modules and mirror
#   the layer table of docs/architecture.md.
function(fabricast_module name)
  cmake_parse_arguments(ARG "APART" "" "SOURCES;DEPENDS;LINK;PRIVATE_LINK" ${ARGN})
  add_library(fabricast_${name} STATIC ${ARG_SOURCES})
  add_library(fabricast::${name} ALIAS fabricast_${name})
  set_target_properties(fabricast_${name} PROPERTIES EXPORT_NAME ${name})
  list(TRANSFORM ARG_DEPENDS PREPEND fabricast::)
  target_link_libraries(fabricast_${name} PUBLIC fabricast_flags ${ARG_DEPENDS} ${ARG_LINK}
                                          PRIVATE ${ARG_PRIVATE_LINK})
  set_property(GLOBAL APPEND PROPERTY FABRICAST_MODULES fabricast_${name})
  if(NOT ARG_APART)
    fabricast_together(fabricast_${name})
  endif()
  if(FABRICAST_PRECOMPILE)
    if(name STREQUAL "base")
      target_precompile_headers(fabricast_base PRIVATE <algorithm> <array> <cmath> <cstdint>
        <filesystem> <functional> <map> <memory> <optional> <span> <string> <string_view> <utility>
        <vector> <fmt/format.h>)
    else()
      target_precompile_headers(fabricast_${name} REUSE_FROM fabricast_base)
    endif()
  endif()
endfunction()

# fabricast_cuda(TARGET): its .cu files, for the architectures asked for. CMake 3.25 knows no flag for
# C++20 in CUDA, so the option is explicit. Relaxed constexpr lets device code use constexpr functions
# of the standard library. With tests, the objects also hold compute_90's PTX as text, for the PTX device.
function(fabricast_cuda target)
  set(architectures ${FABRICAST_CUDA_ARCHITECTURES})
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;--expt-relaxed-constexpr>)
  if(FABRICAST_BUILD_TESTS)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:--no-compress>)
    if(NOT "90" IN_LIST architectures AND NOT "90-virtual" IN_LIST architectures)
      list(APPEND architectures 90-virtual)
    endif()
  endif()
  set_target_properties(${target} PROPERTIES CUDA_ARCHITECTURES "${architectures}" CUDA_RUNTIME_LIBRARY Static)
endfunction()

# The precompiled headers of all tests: an executable of its own, because only executables are compiled as
# such (-fPIE), and what is precompiled must be compiled alike.
function(fabricast_test_headers)
  if(TARGET fabricast_test_headers)
    return()
  endif()
  set(source ${CMAKE_BINARY_DIR}/fabricast_test_headers.cpp)
  file(GENERATE OUTPUT ${source} CONTENT "int main() { return 0; }\n")
  add_executable(fabricast_test_headers ${source})
  target_link_libraries(fabricast_test_headers PRIVATE fabricast_flags fmt::fmt GTest::gtest GTest::gmock)
  target_precompile_headers(fabricast_test_headers PRIVATE <algorithm> <array> <cmath> <cstdint>
    <filesystem> <functional> <map> <memory> <optional> <span> <string> <string_view> <utility>
    <vector> <fmt/format.h> <gmock/gmock.h> <gtest/gtest.h>)
endfunction()

# fabricast_patient(VARIABLE SECONDS): a test's limit in this build. Builds that are slow on purpose
# (coverage, sanitizers) say by how much: FABRICAST_TIMEOUT_FACTOR.
function(fabricast_patient variable seconds)
  if(FABRICAST_TIMEOUT_FACTOR)
    math(EXPR seconds "${seconds} * ${FABRICAST_TIMEOUT_FACTOR}")
  endif()
  set(${variable} ${seconds} PARENT_SCOPE)
endfunction()

# fabricast_test(NAME SOURCES ... LINK modules ... [MPI_RANKS 1 2 4] [LABELS ...] [TIMEOUT s] [PREFIX p] [DAILY regex] [APART])
#   A GoogleTest program. Without MPI_RANKS every TEST becomes a ctest; with it, the whole program
#   runs once per rank count under mpirun. GTEST_SKIP, or exit code 77 with MPI_RANKS, means skipped.
#   APART: its sources use the same names for different things (fabricast_together).
#   PREFIX: before the names of its ctests, where another program has the same TESTs.
#   DAILY: TESTs that do not match it have the label "nightly", too.
#   LABELS default to "unit", or to "mpi" with MPI_RANKS. Every test sees FABRICAST_TEST_ENVIRONMENT.
function(fabricast_test name)
  cmake_parse_arguments(ARG "APART" "TIMEOUT;PREFIX;DAILY" "SOURCES;LINK;MPI_RANKS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT ARG_DAILY)
    set(ARG_DAILY ".")
  endif()
  fabricast_patient(ARG_TIMEOUT ${ARG_TIMEOUT})
  add_executable(${name} ${ARG_SOURCES})
  if(NOT ARG_APART)
    fabricast_together(${name})
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  list(TRANSFORM ARG_LINK PREPEND fabricast::)
  target_link_libraries(${name} PRIVATE fabricast_flags ${ARG_LINK} GTest::gtest GTest::gmock)
  if(FABRICAST_PRECOMPILE)
    fabricast_test_headers()
    target_precompile_headers(${name} REUSE_FROM fabricast_test_headers)
  endif()
  if(ARG_MPI_RANKS)
    foreach(n ${ARG_MPI_RANKS})
      if(FABRICAST_HAVE_MPI)
        add_test(NAME ${name}.np${n}
          COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${n} $<TARGET_FILE:${name}>)
      elseif(n EQUAL 1)
        add_test(NAME ${name}.np${n} COMMAND ${name})
      else()
        continue()
      endif()
      set_tests_properties(${name}.np${n} PROPERTIES TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77
        PROCESSORS 2 LABELS "mpi;${ARG_LABELS}" ENVIRONMENT "${FABRICAST_TEST_ENVIRONMENT}")
    endforeach()
  else()
    if(NOT ARG_LABELS)
      set(ARG_LABELS unit)
    endif()
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
    gtest_discover_tests(${name} TEST_PREFIX "${ARG_PREFIX}" DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${ARG_TIMEOUT})
    # gtest_discover_tests flattens lists, so properties that are lists follow in a file of their own.
    set(properties ${CMAKE_CURRENT_BINARY_DIR}/${name}_properties.cmake)
    file(WRITE ${properties}
      "foreach(test IN LISTS ${name}_TESTS)\n"
      "  set_tests_properties(\"\${test}\" PROPERTIES\n"
      "    LABELS \"${ARG_LABELS}\" ENVIRONMENT \"${FABRICAST_TEST_ENVIRONMENT}\")\n"
      "  if(NOT test MATCHES \"${ARG_DAILY}\")\n"
      "    set_tests_properties(\"\${test}\" PROPERTIES LABELS \"${ARG_LABELS};nightly\")\n"
      "  endif()\n"
      "endforeach()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${properties})
  endif()
endfunction()

# Variables that let Open MPI run as root, oversubscribed and unbound on a small test machine.
set(FABRICAST_TEST_ENVIRONMENT
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
  OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none
  OMPI_MCA_mpi_yield_when_idle=1)
