# SPDX-License-Identifier: Apache-2.0
# Streams: alone, and as Kafka's stage will use them.
add_library(lp_test_stream STATIC
	${CMAKE_SOURCE_DIR}/tests/support/stream_check.c)
target_link_libraries(lp_test_stream PUBLIC lp_test_plane)

foreach(module held stream stream_model)
	add_executable(test_${module}
		${CMAKE_CURRENT_LIST_DIR}/test_${module}.c)
	target_link_libraries(test_${module} PRIVATE lp_test_stream)
	add_test(NAME dataplane/kafka/${module} COMMAND test_${module})
endforeach()

# The stage: segments through a plane.
add_library(lp_test_kafka STATIC
	${CMAKE_SOURCE_DIR}/tests/support/edited.c
	${CMAKE_SOURCE_DIR}/tests/support/kafka_check.c
	${CMAKE_SOURCE_DIR}/tests/support/kafka_talk.c
	${CMAKE_SOURCE_DIR}/tests/support/kafka_wire.c
	${CMAKE_SOURCE_DIR}/tests/support/killed.c
	${CMAKE_SOURCE_DIR}/tests/support/limited.c
	${CMAKE_SOURCE_DIR}/tests/support/spliced.c)
target_link_libraries(lp_test_kafka PUBLIC lp_test_plane)

foreach(module kafka kafka_tricks kafka_hostile kafka_flood kafka_killed
	kafka_odd kafka_fetch judge deny deny_name deny_owner deny_read
	deny_whole deny_lost deny_follow limit limit_topic limit_window recall
	refuse tell note splice splice_follow splice_killed
	splice_room splice_stall)
	add_executable(test_${module}
		${CMAKE_CURRENT_LIST_DIR}/test_${module}.c)
	target_link_libraries(test_${module} PRIVATE lp_test_kafka)
	add_test(NAME dataplane/kafka/${module} COMMAND test_${module})
endforeach()
foreach(module inline_rules inline_killed)
	add_executable(test_${module}
		${CMAKE_CURRENT_LIST_DIR}/../test_${module}.c
		${CMAKE_CURRENT_LIST_DIR}/../bump.c)
	target_link_libraries(test_${module} PRIVATE lp_test_kafka)
	add_test(NAME dataplane/${module} COMMAND test_${module})
endforeach()
set_tests_properties(dataplane/kafka/kafka_flood dataplane/kafka/kafka_killed
	dataplane/kafka/splice_killed dataplane/kafka/splice_stall
	PROPERTIES TIMEOUT 900)
# They go instruction by instruction, also through a memset() of megabytes: in
# bytes, where glibc takes `rep stosb` for it, and `rep movsb` for a memcpy().
set(lp_no_rep glibc.cpu.x86_rep_stosb_threshold=1000000000)
string(APPEND lp_no_rep ":glibc.cpu.x86_rep_movsb_threshold=1000000000")
set_tests_properties(dataplane/kafka/kafka_killed
	dataplane/kafka/splice_killed dataplane/kafka/splice_stall
	dataplane/inline_killed
	PROPERTIES ENVIRONMENT GLIBC_TUNABLES=${lp_no_rep})
# Simulated peers on both sides of a plane.
add_library(lp_test_sim STATIC
	${CMAKE_SOURCE_DIR}/tests/support/sim.c
	${CMAKE_SOURCE_DIR}/tests/support/sim_draw.c
	${CMAKE_SOURCE_DIR}/tests/support/sim_frame.c
	${CMAKE_SOURCE_DIR}/tests/support/sim_options.c
	${CMAKE_SOURCE_DIR}/tests/support/sim_tcp.c
	${CMAKE_SOURCE_DIR}/tests/support/talk.c
	${CMAKE_SOURCE_DIR}/tests/support/talk_group.c
	${CMAKE_SOURCE_DIR}/tests/support/talk_pen.c
	${CMAKE_SOURCE_DIR}/tests/support/talk_run.c
	${CMAKE_SOURCE_DIR}/tests/support/talk_write.c)
target_link_libraries(lp_test_sim PUBLIC lp_test_plane)

add_executable(test_sim ${CMAKE_CURRENT_LIST_DIR}/../test_sim.c)
target_link_libraries(test_sim PRIVATE lp_test_sim)
add_test(NAME dataplane/sim COMMAND test_sim)
set_tests_properties(dataplane/sim PROPERTIES TIMEOUT 600)

add_executable(test_stream_sim ${CMAKE_CURRENT_LIST_DIR}/test_stream_sim.c)
target_link_libraries(test_stream_sim PRIVATE lp_test_sim lp_test_stream)
add_test(NAME dataplane/kafka/stream_sim COMMAND test_stream_sim)
set_tests_properties(dataplane/kafka/stream_sim PROPERTIES TIMEOUT 600)

add_executable(test_kafka_sim ${CMAKE_CURRENT_LIST_DIR}/test_kafka_sim.c)
target_link_libraries(test_kafka_sim PRIVATE lp_test_sim lp_test_kafka)
add_test(NAME dataplane/kafka/kafka_sim COMMAND test_kafka_sim)
set_tests_properties(dataplane/kafka/kafka_sim PROPERTIES TIMEOUT 600)

add_executable(test_deny_sim ${CMAKE_CURRENT_LIST_DIR}/test_deny_sim.c
	${CMAKE_CURRENT_LIST_DIR}/../bump.c)
target_link_libraries(test_deny_sim PRIVATE lp_test_sim lp_test_kafka)
add_test(NAME dataplane/kafka/deny_sim COMMAND test_deny_sim)
set_tests_properties(dataplane/kafka/deny_sim PROPERTIES TIMEOUT 600)
add_executable(test_follow_sim ${CMAKE_CURRENT_LIST_DIR}/test_follow_sim.c)
target_link_libraries(test_follow_sim PRIVATE lp_test_sim lp_test_kafka)
add_test(NAME dataplane/kafka/follow_sim COMMAND test_follow_sim)

foreach(module said splice_gap)
	add_executable(test_${module}
		${CMAKE_CURRENT_LIST_DIR}/test_${module}.c)
	target_link_libraries(test_${module} PRIVATE lp_test_sim lp_test_kafka)
	add_test(NAME dataplane/kafka/${module} COMMAND test_${module})
	set_tests_properties(dataplane/kafka/${module} PROPERTIES TIMEOUT 300)
endforeach()

# The same with addresses that are rewritten on the way.
add_library(lp_test_splice STATIC
	${CMAKE_SOURCE_DIR}/tests/support/address_answer.c
	${CMAKE_SOURCE_DIR}/tests/support/address_talk.c
	${CMAKE_SOURCE_DIR}/tests/support/splice_sim.c)
target_link_libraries(lp_test_splice PUBLIC lp_test_sim lp_test_kafka)

add_executable(test_splice_cases
	${CMAKE_CURRENT_LIST_DIR}/test_splice_cases.c)
target_link_libraries(test_splice_cases PRIVATE lp_test_splice)
add_test(NAME dataplane/kafka/splice_cases COMMAND test_splice_cases)
set_tests_properties(dataplane/kafka/splice_cases PROPERTIES TIMEOUT 300)

add_executable(test_splice_pattern
	${CMAKE_CURRENT_LIST_DIR}/test_splice_pattern.c)
target_link_libraries(test_splice_pattern PRIVATE lp_test_splice)
add_test(NAME dataplane/kafka/splice_pattern COMMAND test_splice_pattern)
set_tests_properties(dataplane/kafka/splice_pattern PROPERTIES TIMEOUT 300)

add_executable(test_splice_sim ${CMAKE_CURRENT_LIST_DIR}/test_splice_sim.c)
target_link_libraries(test_splice_sim PRIVATE lp_test_splice)
add_test(NAME dataplane/kafka/splice_sim COMMAND test_splice_sim)
set_tests_properties(dataplane/kafka/splice_sim PROPERTIES TIMEOUT 900)

add_executable(test_pace_sim ${CMAKE_CURRENT_LIST_DIR}/test_pace_sim.c)
target_link_libraries(test_pace_sim PRIVATE lp_test_splice)
add_test(NAME dataplane/kafka/pace_sim COMMAND test_pace_sim)
set_tests_properties(dataplane/kafka/pace_sim PROPERTIES TIMEOUT 900)
