# SPDX-License-Identifier: Apache-2.0
# Tests of the packet path: a plane is a pipeline over memory ports, with the
# few cold modules that make a snapshot.
add_library(lp_test_plane STATIC
	${CMAKE_SOURCE_DIR}/tests/support/packet.c
	${CMAKE_SOURCE_DIR}/tests/support/packet_describe.c
	${CMAKE_SOURCE_DIR}/tests/support/plane.c
	${CMAKE_SOURCE_DIR}/tests/support/plane_config.c
	${CMAKE_SOURCE_DIR}/dataplane/counters.c
	${CMAKE_SOURCE_DIR}/dataplane/grace.c
	${CMAKE_SOURCE_DIR}/dataplane/maglev.c
	${CMAKE_SOURCE_DIR}/dataplane/pipeline_new.c
	${CMAKE_SOURCE_DIR}/dataplane/snapshot.c
	$<TARGET_OBJECTS:lp_hot>)
target_link_libraries(lp_test_plane PUBLIC lp_test_objects lp_port
	PkgConfig::CHECK PkgConfig::URCU PkgConfig::XXHASH)

foreach(module checksum parse tcp_state wheel nat conntrack neighbor icmp
	reset admit pipeline pipeline_life)
	add_executable(test_${module}
		${CMAKE_CURRENT_LIST_DIR}/test_${module}.c)
	target_link_libraries(test_${module} PRIVATE lp_test_plane)
	add_test(NAME dataplane/${module} COMMAND test_${module})
endforeach()
