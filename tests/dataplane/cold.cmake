# SPDX-License-Identifier: Apache-2.0
# Tests of the dataplane's cold half.
add_library(lp_test_cold STATIC
	${CMAKE_CURRENT_LIST_DIR}/cold.c
	${CMAKE_CURRENT_LIST_DIR}/controller.c
	${CMAKE_SOURCE_DIR}/tests/support/telemetry.c)
target_compile_definitions(lp_test_cold PRIVATE
	LP_DATAPLANE_PATH="$<TARGET_FILE:lp-dataplane>")
target_link_libraries(lp_test_cold PUBLIC
	lp_test_objects lp_dataplane_cold PkgConfig::CHECK)
add_dependencies(lp_test_cold lp-dataplane)

foreach(test advertised alone apply apply_inline candidate control control_rules
	control_topics denial_log keeper link liveness loss persist
	process region report report_kafka report_rules report_denials remote restart sight snapshot snapshot_rules
	steering
	tools topic_share worker)
	add_executable(test_${test}
		${CMAKE_CURRENT_LIST_DIR}/test_${test}.c
		$<TARGET_OBJECTS:lp_hot>)
	target_link_libraries(test_${test} PRIVATE
		lp_test_cold PkgConfig::XXHASH)
	add_test(NAME dataplane/${test} COMMAND test_${test})
	set_tests_properties(dataplane/${test} PROPERTIES TIMEOUT 600)
endforeach()

target_link_libraries(test_remote PRIVATE lp_test_pki)
add_test(NAME dataplane/options
	COMMAND ${CMAKE_CURRENT_LIST_DIR}/test_options.sh
		$<TARGET_FILE:lp-dataplane> $<TARGET_FILE:lpctl>)

# For tests of lpctl: what there would be to see.
add_executable(kafka_talk ${CMAKE_CURRENT_LIST_DIR}/kafka_talk.c
	$<TARGET_OBJECTS:lp_hot>)
target_link_libraries(kafka_talk PRIVATE lp_test_cold PkgConfig::XXHASH)

add_executable(fuzz_persist
	${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_persist.c
	${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_main.c
	${CMAKE_SOURCE_DIR}/tests/fuzz/mutate.c)
target_link_libraries(fuzz_persist PRIVATE lp_dataplane_cold)
add_test(NAME fuzz/persist COMMAND fuzz_persist)

# A worker's thread in it: not what libFuzzer counts branches by.
add_executable(fuzz_session
	${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_session.c
	${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_main.c
	${CMAKE_SOURCE_DIR}/tests/fuzz/mutate.c
	$<TARGET_OBJECTS:lp_hot>)
target_link_libraries(fuzz_session PRIVATE lp_test_cold PkgConfig::XXHASH)
add_test(NAME fuzz/session COMMAND fuzz_session)
set_tests_properties(fuzz/session PROPERTIES ENVIRONMENT FUZZ_RUNS=1500)

# Rules are compiled and looked up with nothing else around.
add_library(lp_test_rules STATIC
	${CMAKE_SOURCE_DIR}/tests/support/ensure.c
	${CMAKE_SOURCE_DIR}/tests/support/rule_match.c
	${CMAKE_SOURCE_DIR}/tests/support/rules_built.c
	${CMAKE_SOURCE_DIR}/tests/support/rules_model.c
	${CMAKE_SOURCE_DIR}/dataplane/rules.c
	${CMAKE_SOURCE_DIR}/dataplane/rules_draft.c
	${CMAKE_SOURCE_DIR}/dataplane/rules_list.c
	${CMAKE_SOURCE_DIR}/dataplane/rules_places.c
	${CMAKE_SOURCE_DIR}/dataplane/rules_table.c
	${CMAKE_SOURCE_DIR}/dataplane/pipeline/rules.c
	${CMAKE_SOURCE_DIR}/dataplane/pipeline/rules_cache.c)
target_link_libraries(lp_test_rules PUBLIC
	lp_proto PkgConfig::CHECK PkgConfig::XXHASH)
foreach(module rules rules_cache rules_limits rules_random)
	add_executable(test_${module}
		${CMAKE_CURRENT_LIST_DIR}/test_${module}.c)
	target_link_libraries(test_${module} PRIVATE lp_test_rules)
	add_test(NAME dataplane/${module} COMMAND test_${module})
	set_tests_properties(dataplane/${module} PROPERTIES TIMEOUT 600)
endforeach()
# This one makes allocations, and seeds, fail.
target_link_options(test_rules_limits PRIVATE
	-Wl,--wrap=aligned_alloc -Wl,--wrap=calloc -Wl,--wrap=realloc
	-Wl,--wrap=lp_rules_places_find)
