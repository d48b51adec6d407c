# fabricast_module(NAME SOURCES ... [DEPENDS module ...] [LINK targets ...])
#   One static library per module, alias fabricast::NAME. DEPENDS are our own modules and mirror
#   the layer table of docs/architecture.md.
function(fabricast_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LINK;PRIVATE_LINK" ${ARGN})
  add_library(fabricast_${name} STATIC ${ARG_SOURCES})
  add_library(fabricast::${name} ALIAS fabricast_${name})
  set_target_properties(fabricast_${name} PROPERTIES EXPORT_NAME ${name})
  list(TRANSFORM ARG_DEPENDS PREPEND fabricast::)
  target_link_libraries(fabricast_${name} PUBLIC fabricast_flags ${ARG_DEPENDS} ${ARG_LINK}
                                          PRIVATE ${ARG_PRIVATE_LINK})
  set_property(GLOBAL APPEND PROPERTY FABRICAST_MODULES fabricast_${name})
endfunction()

# fabricast_test(NAME SOURCES ... LINK modules ... [MPI_RANKS 1 2 4] [LABELS ...] [TIMEOUT s])
#   A GoogleTest program. Without MPI_RANKS every TEST becomes a ctest; with it, the whole program
#   runs once per rank count under mpirun. Exit code 77 means skipped.
function(fabricast_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;MPI_RANKS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  list(TRANSFORM ARG_LINK PREPEND fabricast::)
  if(ARG_MPI_RANKS)
    target_link_libraries(${name} PRIVATE fabricast_flags ${ARG_LINK} GTest::gtest GTest::gmock)
    foreach(n ${ARG_MPI_RANKS})
      if(FABRICAST_HAVE_MPI)
        add_test(NAME ${name}.np${n} COMMAND ${MPIEXEC_EXECUTABLE} -n ${n} $<TARGET_FILE:${name}>)
      elseif(n EQUAL 1)
        add_test(NAME ${name}.np${n} COMMAND ${name})
      else()
        continue()
      endif()
      set_tests_properties(${name}.np${n} PROPERTIES TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77
        PROCESSORS 2 LABELS "mpi;${ARG_LABELS}" ENVIRONMENT "${FABRICAST_TEST_ENVIRONMENT}")
    endforeach()
  else()
    target_link_libraries(${name} PRIVATE fabricast_flags ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
    if(NOT ARG_LABELS)
      set(ARG_LABELS unit)
    endif()
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
  endif()
endfunction()

# Variables that let Open MPI run as root, oversubscribed and unbound on a small test machine.
set(FABRICAST_TEST_ENVIRONMENT
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
  OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none
  OMPI_MCA_mpi_yield_when_idle=1)
