# SPDX-License-Identifier: Apache-2.0
# Tests of the walker, which needs nothing else of the packet path.
add_library(lp_test_walk STATIC
	${CMAKE_SOURCE_DIR}/tests/support/facts.c
	${CMAKE_SOURCE_DIR}/dataplane/kafka/names.c
	${CMAKE_SOURCE_DIR}/dataplane/kafka/reader.c
	${CMAKE_SOURCE_DIR}/dataplane/kafka/tables.c
	${CMAKE_SOURCE_DIR}/dataplane/kafka/walk.c)
target_link_libraries(lp_test_walk PUBLIC lp_flags)

add_executable(test_walk ${CMAKE_CURRENT_LIST_DIR}/test_walk.c)
target_link_libraries(test_walk PRIVATE lp_test_walk PkgConfig::CHECK)
add_test(NAME kafka/walk COMMAND test_walk)
