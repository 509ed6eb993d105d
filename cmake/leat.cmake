# SPDX-License-Identifier: Apache-2.0
# How a folder of leat becomes a target. Four kinds: common library, room, plugin, test.
include(GNUInstallDirs)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

set(LEAT_WARNINGS -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual
    -Wvla -Wwrite-strings -Wundef -Wformat=2 -Wno-unused-parameter)
set(LEAT_CXX_WARNINGS -Wall -Wextra -Wshadow)

# What `make` builds, and the tests that also run under the thread sanitizer.
add_custom_target(product)
add_custom_target(tests-threads)
set(LEAT_THREADED_ROOMS loop runtime checkpoint http)

function(leat_compile target)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/include)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE $<$<BOOL:${LEAT_FAULTS}>:LEAT_FAULTS=1>)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:${LEAT_WARNINGS}>
                         $<$<COMPILE_LANGUAGE:CXX>:${LEAT_CXX_WARNINGS}> -fvisibility=hidden)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()

# Adds every sub-folder of `root` that has a CMakeLists.txt of its own.
function(leat_add_folders root)
  file(GLOB found CONFIGURE_DEPENDS LIST_DIRECTORIES false ${CMAKE_SOURCE_DIR}/${root}/*/CMakeLists.txt)
  foreach(file IN LISTS found)
    get_filename_component(folder ${file} DIRECTORY)
    file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR} ${folder})
    if(NOT path STREQUAL "plugins/common")
      add_subdirectory(${path})
    endif()
  endforeach()
endfunction()

# leat_library(NAME SOURCES a.c ... LINKS x ...): static code over include/leat only; users include <its folder's headers>.
function(leat_library name)
  cmake_parse_arguments(A "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  leat_compile(${name})
  target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${A_LINKS})
endfunction()

# leat_room(NAME SOURCES ... LINKS ...): a room of server/. Its headers are included as "room/file.h" by those that link it.
function(leat_room name)
  cmake_parse_arguments(A "" "" "SOURCES;LINKS" ${ARGN})
  add_library(leat-${name} STATIC ${A_SOURCES})
  leat_compile(leat-${name})
  # a symbolic tree per room keeps wrong-way includes from compiling: only linked rooms are on the path
  set(view ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${view}/${name} SYMBOLIC)
  target_include_directories(leat-${name} PUBLIC ${view})
  target_link_libraries(leat-${name} PUBLIC ${A_LINKS})
endfunction()

# leat_plugin(NAME SOURCES ... LINKS ...): lib/NAME.so, exporting leat_plugin_entry only.
function(leat_plugin name)
  cmake_parse_arguments(A "" "" "SOURCES;LINKS" ${ARGN})
  add_library(plugin-${name} MODULE ${A_SOURCES})
  leat_compile(plugin-${name})
  target_include_directories(plugin-${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(plugin-${name} PRIVATE ${A_LINKS})
  target_link_options(plugin-${name} PRIVATE -Wl,--exclude-libs,ALL -Wl,-z,relro,-z,now)
  set_target_properties(plugin-${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  add_dependencies(product plugin-${name})
  install(TARGETS plugin-${name} LIBRARY DESTINATION lib/leat)
endfunction()

# leat_unit_test(NAME SOURCES ... LINKS ... INCLUDES ...): a cmocka program, run by ctest with the label "unit"; in the
# folder of a threaded room it also has the label "threads".
function(leat_unit_test name)
  cmake_parse_arguments(A "" "" "SOURCES;LINKS;INCLUDES" ${ARGN})
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
  add_executable(test_${name} ${A_SOURCES})
  leat_compile(test_${name})
  target_include_directories(test_${name} PRIVATE ${A_INCLUDES})
  target_link_libraries(test_${name} PRIVATE ${A_LINKS} PkgConfig::CMOCKA)
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME unit.${name} COMMAND test_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set(labels unit)
  get_filename_component(room ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  if(room IN_LIST LEAT_THREADED_ROOMS)
    list(APPEND labels threads)
    add_dependencies(tests-threads test_${name})
  endif()
  set_tests_properties(unit.${name} PROPERTIES LABELS "${labels}" TIMEOUT 120)
endfunction()

# leat_fuzzer(NAME SOURCES ... LINKS ... INCLUDES ...): LLVMFuzzerTestOneInput over the inputs in ./corpus. With the
# preset fuzz it is a libFuzzer program, build-fuzz/tests/fuzz_NAME; else a test that feeds it each kept input once.
function(leat_fuzzer name)
  cmake_parse_arguments(A "" "" "SOURCES;LINKS;INCLUDES" ${ARGN})
  add_executable(fuzz_${name} ${A_SOURCES})
  leat_compile(fuzz_${name})
  target_include_directories(fuzz_${name} PRIVATE ${A_INCLUDES})
  target_link_libraries(fuzz_${name} PRIVATE ${A_LINKS})
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(LEAT_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    return()
  endif()
  target_sources(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
  add_test(NAME unit.fuzz_${name} COMMAND fuzz_${name} ${CMAKE_CURRENT_SOURCE_DIR}/corpus)
  set_tests_properties(unit.fuzz_${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()
