# SPDX-License-Identifier: Apache-2.0
# What `make install PREFIX=…` puts where. Programs and plugins say it themselves (cmake/leat.cmake); here is the rest.
# Nothing in it knows PREFIX: the program looks for its plugins beside itself, leat.pc for its headers.

install(DIRECTORY include/leat DESTINATION include FILES_MATCHING PATTERN "*.h")

file(STRINGS include/leat/plugin.h versions REGEX "^#define LEAT_ABI_M(AJ|IN)OR +[0-9]+$")
string(REGEX REPLACE "[^0-9;]" "" versions "${versions}")
list(JOIN versions "." LEAT_ABI)
configure_file(cmake/leat.pc.in leat.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/leat.pc DESTINATION lib/pkgconfig)

install(FILES README.md CHANGELOG.md LICENSE DESTINATION share/doc/leat)
install(DIRECTORY docs/guide docs/reference examples DESTINATION share/doc/leat)
# examples of what stands in etc/, under names that no pipeline of a user has
install(FILES etc/pipeline.toml DESTINATION etc/leat RENAME pipeline.toml.example)
install(FILES etc/orders.toml DESTINATION etc/leat RENAME orders.toml.example)
