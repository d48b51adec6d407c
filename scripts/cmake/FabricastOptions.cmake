# Options a user may set, and the compile flags every target of ours shares.

include(GNUInstallDirs)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(FABRICAST_ENABLE_CUDA AUTO CACHE STRING "Build the CUDA interpreter: AUTO | ON | OFF")
set(FABRICAST_ENABLE_NCCL AUTO CACHE STRING "Build the NCCL executor (loaded at run time): AUTO | ON | OFF")
set(FABRICAST_ENABLE_MPI AUTO CACHE STRING "Build with MPI: AUTO | ON | OFF")
foreach(feature CUDA NCCL MPI)
  set_property(CACHE FABRICAST_ENABLE_${feature} PROPERTY STRINGS AUTO ON OFF)
  if(NOT FABRICAST_ENABLE_${feature} MATCHES "^(AUTO|ON|OFF)$")
    message(FATAL_ERROR "FABRICAST_ENABLE_${feature}=${FABRICAST_ENABLE_${feature}} is not AUTO, ON or OFF")
  endif()
endforeach()
option(FABRICAST_BUILD_TESTS "Build the tests (needs GoogleTest)" ON)
option(FABRICAST_BUILD_BENCH "Build the Google Benchmark programs" ON)
option(FABRICAST_WERROR "Treat warnings as errors" OFF)
option(FABRICAST_PRECOMPILE "Precompile common headers: a build from scratch takes less processor time" OFF)
option(FABRICAST_UNITY "Compile several sources at a time: a build from scratch takes less processor time still" OFF)
option(FABRICAST_CONTRACTS "Check contracts (EXPECT/ASSERT/ENSURE) in this build" OFF)
set(FABRICAST_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")
set(FABRICAST_CUDA_ARCHITECTURES "80-real;90-real;100-real;120-real;120-virtual"
    CACHE STRING "CUDA architectures to compile for")

# -O3 costs a third more compile time of the first build and is felt in the engine's kernels only,
# which ask for it themselves (emulator/sim/CMakeLists.txt).
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# CMake 3.25 knows no C++20 for nvcc: left unset it inherits "required" from C++ and stops, asked for
# it drops the request silently. So ask, and spell the option out below.
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# What every target of ours shares. Warnings and instrumentation stay in this build: whoever links
# the installed libraries gets the language level and the include directory only.
# nvcc passes -Wpedantic and -Wconversion on to code that it generates itself, so .cu goes without.
add_library(fabricast_flags INTERFACE)
set_target_properties(fabricast_flags PROPERTIES EXPORT_NAME flags)
target_compile_features(fabricast_flags INTERFACE $<INSTALL_INTERFACE:cxx_std_20>)
target_include_directories(fabricast_flags INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/fabricast>)

add_library(fabricast_build_flags INTERFACE)
target_compile_options(fabricast_build_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow>
  $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;-Xcompiler=-Wall,-Wextra,-Wshadow>)
# g++ 12 at -O3 sees copies inside std::string that are not there (GCC bug 105651 and its kin); with
# precompiled headers it also says so of system headers at lower levels.
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR FABRICAST_PRECOMPILE)
  target_compile_options(fabricast_build_flags INTERFACE
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict;-Wno-stringop-overflow;-Wno-array-bounds>)
endif()
if(FABRICAST_WERROR)
  target_compile_options(fabricast_build_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Werror>
    $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xcompiler=-Werror>)
endif()
if(FABRICAST_CONTRACTS OR CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_definitions(fabricast_build_flags INTERFACE FABRICAST_CONTRACTS_ON=1)
endif()
if(FABRICAST_SANITIZE)
  target_compile_options(fabricast_build_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${FABRICAST_SANITIZE};-fno-omit-frame-pointer>)
  target_link_options(fabricast_build_flags INTERFACE -fsanitize=${FABRICAST_SANITIZE})
endif()
target_link_libraries(fabricast_flags INTERFACE $<BUILD_INTERFACE:fabricast_build_flags>)
