# SPDX-License-Identifier: Apache-2.0
# What `make install PREFIX=…` puts where. Programs and plugins say it themselves (cmake/leat.cmake); here is the rest.
# Nothing in it knows PREFIX: the program looks for its plugins beside itself, leat.pc for its headers.

install(DIRECTORY include/leat DESTINATION include FILES_MATCHING PATTERN "*.h")

file(STRINGS include/leat/plugin.h versions REGEX "^#define LEAT_ABI_M(AJ|IN)OR +[0-9]+$")
string(REGEX REPLACE "[^0-9;]" "" versions "${versions}")
list(JOIN versions "." LEAT_ABI)
configure_file(cmake/leat.pc.in leat.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/leat.pc DESTINATION lib/pkgconfig)

# The documentation and the pipelines that it speaks of lie as they do in the sources, so that links and paths in them hold.
# Nothing goes to etc/: a pipeline there is its user's.
install(FILES README.md CHANGELOG.md CONTRIBUTING.md LICENSE DESTINATION share/doc/leat)
install(DIRECTORY docs examples etc DESTINATION share/doc/leat)
install(FILES plugins/postgres-cdc/TYPES.md DESTINATION share/doc/leat/plugins/postgres-cdc)
install(FILES bench/README.md DESTINATION share/doc/leat/bench)
