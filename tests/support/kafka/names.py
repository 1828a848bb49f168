# SPDX-License-Identifier: Apache-2.0
"""Names of APIs and errors by number, for what reads the workloads' clients.
Written apart from the dataplane's tables on purpose: each checks the other.
Source: https://kafka.apache.org/protocol, of Kafka 4.4."""

APIS = dict(enumerate(
    "Produce Fetch ListOffsets Metadata LeaderAndIsr StopReplica "
    "UpdateMetadata ControlledShutdown OffsetCommit OffsetFetch "
    "FindCoordinator JoinGroup Heartbeat LeaveGroup SyncGroup DescribeGroups "
    "ListGroups SaslHandshake ApiVersions CreateTopics DeleteTopics "
    "DeleteRecords InitProducerId OffsetForLeaderEpoch AddPartitionsToTxn "
    "AddOffsetsToTxn EndTxn WriteTxnMarkers TxnOffsetCommit DescribeAcls "
    "CreateAcls DeleteAcls DescribeConfigs AlterConfigs AlterReplicaLogDirs "
    "DescribeLogDirs SaslAuthenticate CreatePartitions CreateDelegationToken "
    "RenewDelegationToken ExpireDelegationToken DescribeDelegationToken "
    "DeleteGroups ElectLeaders IncrementalAlterConfigs "
    "AlterPartitionReassignments ListPartitionReassignments OffsetDelete "
    "DescribeClientQuotas AlterClientQuotas DescribeUserScramCredentials "
    "AlterUserScramCredentials Vote BeginQuorumEpoch EndQuorumEpoch "
    "DescribeQuorum AlterPartition UpdateFeatures Envelope FetchSnapshot "
    "DescribeCluster DescribeProducers BrokerRegistration BrokerHeartbeat "
    "UnregisterBroker DescribeTransactions ListTransactions "
    "AllocateProducerIds ConsumerGroupHeartbeat ConsumerGroupDescribe "
    "ControllerRegistration GetTelemetrySubscriptions PushTelemetry "
    "AssignReplicasToDirs ListConfigResources DescribeTopicPartitions "
    "ShareGroupHeartbeat ShareGroupDescribe ShareFetch ShareAcknowledge"
    .split()))

# Those that the workloads meet.
ERRORS = {
    1: "OFFSET_OUT_OF_RANGE",
    3: "UNKNOWN_TOPIC_OR_PARTITION",
    5: "LEADER_NOT_AVAILABLE",
    6: "NOT_LEADER_OR_FOLLOWER",
    9: "REPLICA_NOT_AVAILABLE",
    14: "COORDINATOR_LOAD_IN_PROGRESS",
    15: "COORDINATOR_NOT_AVAILABLE",
    16: "NOT_COORDINATOR",
    17: "INVALID_TOPIC_EXCEPTION",
    22: "ILLEGAL_GENERATION",
    25: "UNKNOWN_MEMBER_ID",
    26: "INVALID_SESSION_TIMEOUT",
    27: "REBALANCE_IN_PROGRESS",
    35: "UNSUPPORTED_VERSION",
    36: "TOPIC_ALREADY_EXISTS",
    37: "INVALID_PARTITIONS",
    38: "INVALID_REPLICATION_FACTOR",
    45: "OUT_OF_ORDER_SEQUENCE_NUMBER",
    51: "CONCURRENT_TRANSACTIONS",
    54: "SECURITY_DISABLED",
    58: "SASL_AUTHENTICATION_FAILED",
    68: "NON_EMPTY_GROUP",
    69: "GROUP_ID_NOT_FOUND",
    70: "FETCH_SESSION_ID_NOT_FOUND",
    74: "FENCED_LEADER_EPOCH",
    75: "UNKNOWN_LEADER_EPOCH",
    79: "MEMBER_ID_REQUIRED",
    84: "ELECTION_NOT_NEEDED",
    100: "UNKNOWN_TOPIC_ID",
}


def api(key):
    return APIS.get(key, "key %d" % key)


def error(code):
    return ERRORS.get(code, "error %d" % code)
