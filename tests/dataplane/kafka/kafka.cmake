# SPDX-License-Identifier: Apache-2.0
# Tests of the walker, which needs nothing else of the packet path.
add_library(lp_test_walk STATIC
	${CMAKE_SOURCE_DIR}/tests/support/facts.c
	${CMAKE_SOURCE_DIR}/tests/support/message.c
	${CMAKE_SOURCE_DIR}/dataplane/kafka/names.c
	${CMAKE_SOURCE_DIR}/dataplane/kafka/reader.c
	${CMAKE_SOURCE_DIR}/dataplane/kafka/tables.c
	${CMAKE_SOURCE_DIR}/dataplane/kafka/walk.c)
target_link_libraries(lp_test_walk PUBLIC lp_flags)

add_executable(test_walk ${CMAKE_CURRENT_LIST_DIR}/test_walk.c)
target_link_libraries(test_walk PRIVATE lp_test_walk PkgConfig::CHECK)
add_test(NAME kafka/walk COMMAND test_walk)

# What is changed of messages: addresses, and what else must not be seen.
add_library(lp_test_edits STATIC
	${CMAKE_SOURCE_DIR}/dataplane/kafka/chain.c
	${CMAKE_SOURCE_DIR}/dataplane/kafka/disguise.c
	${CMAKE_SOURCE_DIR}/dataplane/kafka/readdress.c
	${CMAKE_SOURCE_DIR}/tests/support/disguise.c
	${CMAKE_SOURCE_DIR}/tests/support/readdress.c)
target_link_libraries(lp_test_edits PUBLIC lp_test_walk lp_proto)

foreach(test chain disguise hints readdress)
	add_executable(test_${test} ${CMAKE_CURRENT_LIST_DIR}/test_${test}.c)
	target_link_libraries(test_${test} PRIVATE lp_test_edits
		PkgConfig::CHECK)
	add_test(NAME kafka/${test} COMMAND test_${test})
endforeach()

# Against Kafka's own library, for every message of both releases.
add_executable(conform_walk ${CMAKE_CURRENT_LIST_DIR}/conform.c
	${CMAKE_SOURCE_DIR}/tests/fuzz/mutate.c
	${CMAKE_SOURCE_DIR}/tests/support/lines.c)
target_link_libraries(conform_walk PRIVATE lp_test_walk)
add_test(NAME kafka/conform
	COMMAND ${CMAKE_CURRENT_LIST_DIR}/conform.sh
		$<TARGET_FILE:conform_walk>)
set_tests_properties(kafka/conform PROPERTIES
	SKIP_RETURN_CODE 77 TIMEOUT 600)

# What we make of messages, as that library reads it.
add_executable(conform_edits ${CMAKE_CURRENT_LIST_DIR}/conform_edits.c
	${CMAKE_SOURCE_DIR}/tests/fuzz/mutate.c
	${CMAKE_SOURCE_DIR}/tests/support/lines.c)
target_link_libraries(conform_edits PRIVATE lp_test_edits)
add_test(NAME kafka/conform_edits
	COMMAND ${CMAKE_CURRENT_LIST_DIR}/conform_edits.sh
		$<TARGET_FILE:conform_edits>)
set_tests_properties(kafka/conform_edits PROPERTIES
	SKIP_RETURN_CODE 77 TIMEOUT 600)

# The committed tables are what the definitions say, and every field of them
# that sounds like a fact has been judged.
add_test(NAME kafka/tables
	COMMAND ${CMAKE_SOURCE_DIR}/dataplane/kafka/clients.sh tables --check)
set_tests_properties(kafka/tables PROPERTIES
	SKIP_RETURN_CODE 77 TIMEOUT 600)

find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
	add_test(NAME kafka/generate COMMAND ${Python3_EXECUTABLE}
		${CMAKE_CURRENT_LIST_DIR}/test_generate.py
		${CMAKE_SOURCE_DIR}/dataplane/kafka)
endif()
