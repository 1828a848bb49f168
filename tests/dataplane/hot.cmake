# SPDX-License-Identifier: Apache-2.0
# Tests of the packet path: a plane is a pipeline over ports, with the few cold
# modules that make a snapshot.
add_library(lp_test_plane STATIC
	${CMAKE_SOURCE_DIR}/tests/support/narrow.c
	${CMAKE_SOURCE_DIR}/tests/support/packet.c
	${CMAKE_SOURCE_DIR}/tests/support/packet_describe.c
	${CMAKE_SOURCE_DIR}/tests/support/plane.c
	${CMAKE_SOURCE_DIR}/tests/support/plane_backend.c
	${CMAKE_SOURCE_DIR}/tests/support/plane_config.c
	${CMAKE_SOURCE_DIR}/tests/support/plane_conntrack.c
	${CMAKE_SOURCE_DIR}/tests/support/plane_main.c
	${CMAKE_SOURCE_DIR}/tests/support/plane_pipeline.c
	${CMAKE_SOURCE_DIR}/tests/support/plane_region.c
	${CMAKE_SOURCE_DIR}/tests/support/rule_stats.c
	${CMAKE_SOURCE_DIR}/tests/support/tap.c
	${CMAKE_SOURCE_DIR}/tests/support/telemetry.c
	${CMAKE_SOURCE_DIR}/tests/support/veth.c
	${CMAKE_SOURCE_DIR}/tests/support/wire.c
	${CMAKE_SOURCE_DIR}/tests/support/wire_memory.c
	${CMAKE_SOURCE_DIR}/tests/support/wire_veth.c
	${CMAKE_SOURCE_DIR}/dataplane/counters.c
	${CMAKE_SOURCE_DIR}/dataplane/grace.c
	${CMAKE_SOURCE_DIR}/dataplane/maglev.c
	${CMAKE_SOURCE_DIR}/dataplane/rules.c
	${CMAKE_SOURCE_DIR}/dataplane/rules_draft.c
	${CMAKE_SOURCE_DIR}/dataplane/rules_list.c
	${CMAKE_SOURCE_DIR}/dataplane/rules_places.c
	${CMAKE_SOURCE_DIR}/dataplane/rules_table.c
	${CMAKE_SOURCE_DIR}/dataplane/snapshot.c
	${CMAKE_SOURCE_DIR}/dataplane/snapshot_rules.c
	${CMAKE_SOURCE_DIR}/dataplane/steering.c
	$<TARGET_OBJECTS:lp_hot>)
target_link_libraries(lp_test_plane PUBLIC lp_test_objects lp_port
	PkgConfig::CHECK PkgConfig::URCU PkgConfig::XXHASH)

foreach(module checksum parse tcp_state wheel nat conntrack conntrack_sums
	conntrack_killed neighbor mld icmp reset admit pace pace_killed pipeline
	pipeline_life denials gate closed inline inline_late inline_room mirror queue
	sightings talkers telemetry
	topic_ids)
	add_executable(test_${module}
		${CMAKE_CURRENT_LIST_DIR}/test_${module}.c)
	target_link_libraries(test_${module} PRIVATE lp_test_plane)
	add_test(NAME dataplane/${module} COMMAND test_${module})
endforeach()

target_sources(test_pace_killed PRIVATE
	${CMAKE_SOURCE_DIR}/tests/support/killed.c)
target_sources(test_sightings PRIVATE
	${CMAKE_SOURCE_DIR}/dataplane/kafka_read.c
	${CMAKE_SOURCE_DIR}/tests/support/message.c)
foreach(module gate closed inline inline_late inline_room mirror queue)
	target_sources(test_${module} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/bump.c)
endforeach()

# Pure, and so alone.
add_executable(test_seqmap ${CMAKE_CURRENT_LIST_DIR}/test_seqmap.c
	${CMAKE_SOURCE_DIR}/tests/support/ensure.c
	${CMAKE_SOURCE_DIR}/dataplane/pipeline/seqmap.c)
target_link_libraries(test_seqmap PRIVATE lp_flags)
add_test(NAME dataplane/seqmap COMMAND test_seqmap)

add_executable(test_buckets ${CMAKE_CURRENT_LIST_DIR}/test_buckets.c
	${CMAKE_SOURCE_DIR}/tests/support/ensure.c
	${CMAKE_SOURCE_DIR}/dataplane/pipeline/buckets.c)
target_link_libraries(test_buckets PRIVATE lp_flags PkgConfig::CHECK)
add_test(NAME dataplane/buckets COMMAND test_buckets)

# Of the kernel, the one that has to understand us.
add_executable(test_mld_bridge ${CMAKE_CURRENT_LIST_DIR}/test_mld_bridge.c)
target_link_libraries(test_mld_bridge PRIVATE lp_test_plane)
add_test(NAME dataplane/mld_bridge COMMAND test_mld_bridge)
set_tests_properties(dataplane/mld_bridge PROPERTIES SKIP_RETURN_CODE 77)

# The same tables on the other back ends of this build; what sends no packet is
# not run again.
set(lp_test_backends)
if(LP_AF_XDP)
	list(APPEND lp_test_backends af_xdp)
endif()
if(LP_DPDK)
	list(APPEND lp_test_backends dpdk)
endif()
set(lp_af_xdp_environment LP_TEST_BACKEND=af_xdp)
# DPDK is slow to start, and starts once in a process: all tests in one.
set(lp_dpdk_environment LP_TEST_BACKEND=dpdk CK_FORK=no)
foreach(backend ${lp_test_backends})
	foreach(module neighbor icmp reset admit pipeline pipeline_life inline
		inline_room queue)
		add_test(NAME dataplane/${backend}/${module}
			COMMAND test_${module})
		set_tests_properties(dataplane/${backend}/${module} PROPERTIES
			ENVIRONMENT "${lp_${backend}_environment}"
			SKIP_RETURN_CODE 77 TIMEOUT 600)
	endforeach()
endforeach()
