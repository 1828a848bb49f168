# SPDX-License-Identifier: Apache-2.0
"""Which field of Kafka's messages is which fact of fact.h.

A field is named by its path: FetchRequest.Topics.Partitions.Partition.  `*`
stands for anything, dots included.  A field that sounds like a fact has to be
in FACTS or in IGNORED, with the reason: a new release brings no surprise.
Of an array of plain values, each is the fact.
"""
import fnmatch
import re

# Kafka marks some names itself (entityType).
ENTITIES = {
    "topicName": "TOPIC_NAME",
    "groupId": "GROUP_ID",
    "transactionalId": "TRANSACTIONAL_ID",
}

# Kafka offers them on the listener of brokers, to other brokers.
BROKERS_ONLY = {
    "WriteTxnMarkers", "InitializeShareGroupState", "ReadShareGroupState",
    "WriteShareGroupState", "DeleteShareGroupState",
    "ReadShareGroupStateSummary",
}

FACTS = {
    "TOPIC_ID": ["*.TopicId"],
    "TOPIC_NAME": ["ShareGroupHeartbeatRequest.SubscribedTopicNames"],
    "PARTITION": [
        "*.Partition", "*.PartitionIndex", "*.PartitionId", "*.Partitions",
        "*.PartitionIndexes",
        "FetchSnapshotResponse.Topics.Partitions.Index",
        "ProduceRequest.TopicData.PartitionData.Index",
        "ProduceResponse.Responses.PartitionResponses.Index",
    ],
    "RECORDS": ["*.Records", "*.UnalignedRecords"],
    # The share group's state: brokers to each other.
    "GROUP_ID": ["*ShareGroupState*Request.GroupId"],
    "COORDINATOR_KEY": [
        "FindCoordinatorRequest.Key", "FindCoordinatorRequest.CoordinatorKeys",
        "FindCoordinatorResponse.Coordinators.Key",
    ],
    "COORDINATOR_TYPE": ["FindCoordinatorRequest.KeyType"],
    "ACKS": ["ProduceRequest.Acks"],
    "REPLICA_ID": [
        "FetchRequest.ReplicaId", "FetchRequest.ReplicaState.ReplicaId",
        "FetchSnapshotRequest.ReplicaId", "ListOffsetsRequest.ReplicaId",
        "OffsetForLeaderEpochRequest.ReplicaId",
    ],
    "MAX_WAIT": ["FetchRequest.MaxWaitMs", "ShareFetchRequest.MaxWaitMs"],
    "MIN_BYTES": ["FetchRequest.MinBytes", "ShareFetchRequest.MinBytes"],
    "SESSION_ID": ["FetchRequest.SessionId", "FetchResponse.SessionId"],
    "SESSION_EPOCH": ["FetchRequest.SessionEpoch",
                      "Share*Request.ShareSessionEpoch"],
    "MEMBER_EPOCH": [
        "*GroupHeartbeatRe*.MemberEpoch", "OffsetFetchRequest.*.MemberEpoch",
        "*.GenerationIdOrMemberEpoch", "*.GenerationId",
    ],
    # Answers to what can be denied by its name, or as a whole.
    "ERROR_MESSAGE": [
        "CreateTopicsResponse.Topics.ErrorMessage",
        "DescribeConfigsResponse.Results.ErrorMessage",
        "DeleteTopicsResponse.Responses.ErrorMessage",
        "CreatePartitionsResponse.Results.ErrorMessage",
        "AlterConfigsResponse.Responses.ErrorMessage",
        "IncrementalAlterConfigsResponse.Responses.ErrorMessage",
        "ConsumerGroupHeartbeatResponse.ErrorMessage",
        "ShareGroupHeartbeatResponse.ErrorMessage",
        "StreamsGroupHeartbeatResponse.ErrorMessage",
    ],
    "TIMEOUT": ["JoinGroupRequest.SessionTimeoutMs",
                "InitProducerIdRequest.TransactionTimeoutMs"],
    "ERROR_CODE": ["*.ErrorCode", "*.PartitionErrorCode",
                   "*.AcknowledgeErrorCode"],
    "THROTTLE_TIME": ["*.ThrottleTimeMs"],
    # Brokers and controllers, where an address of theirs follows.
    "NODE_ID": [
        "*.NodeEndpoints.NodeId", "MetadataResponse.Brokers.NodeId",
        "FindCoordinatorResponse.*NodeId", "DescribeQuorumResponse.Nodes.NodeId",
        "DescribeClusterResponse.Brokers.BrokerId",
        "BrokerRegistrationRequest.BrokerId",
        "ControllerRegistrationRequest.ControllerId",
        "AddRaftVoterRequest.VoterId", "UpdateRaftVoterRequest.VoterId",
        "UpdateRaftVoterResponse.CurrentLeader.LeaderId",
        "LeaderAndIsrRequest.LiveLeaders.BrokerId",
        "UpdateMetadataRequest.LiveBrokers.Id",
    ],
    "HOST": [
        "*.NodeEndpoints.Host", "MetadataResponse.Brokers.Host",
        "FindCoordinatorResponse.Host",
        "FindCoordinatorResponse.Coordinators.Host",
        "DescribeClusterResponse.Brokers.Host", "*.Listeners.Host",
        "*.LeaderEndpoints.Host", "UpdateRaftVoterResponse.CurrentLeader.Host",
        "LeaderAndIsrRequest.LiveLeaders.HostName",
        "UpdateMetadataRequest.LiveBrokers.V0Host",
        "UpdateMetadataRequest.LiveBrokers.Endpoints.Host",
    ],
    "PORT": [
        "*.NodeEndpoints.Port", "MetadataResponse.Brokers.Port",
        "FindCoordinatorResponse.Port",
        "FindCoordinatorResponse.Coordinators.Port",
        "DescribeClusterResponse.Brokers.Port", "*.Listeners.Port",
        "*.LeaderEndpoints.Port", "UpdateRaftVoterResponse.CurrentLeader.Port",
        "LeaderAndIsrRequest.LiveLeaders.Port",
        "UpdateMetadataRequest.LiveBrokers.V0Port",
        "UpdateMetadataRequest.LiveBrokers.Endpoints.Port",
    ],
    "RACK": ["*.Rack", "FetchRequest.RackId", "*GroupHeartbeatRequest.RackId"],
    "CLUSTER_ID": ["*.ClusterId"],
    "ENDPOINT_TYPE": ["DescribeClusterRe*.EndpointType"],
    "API_KEY": ["ApiVersionsResponse.ApiKeys.ApiKey"],
    "API_MIN": ["ApiVersionsResponse.ApiKeys.MinVersion"],
    "API_MAX": ["ApiVersionsResponse.ApiKeys.MaxVersion"],
    "SASL_MECHANISM": ["SaslHandshakeRequest.Mechanism"],
    "SASL_TOKEN": ["SaslAuthenticate*.AuthBytes"],
    "RESOURCE_TYPE": ["*.ResourceType", "*Acls*.ResourceTypeFilter"],
    "RESOURCE_NAME": [
        "*.ResourceName", "*Acls*.ResourceNameFilter",
        "ListClientMetricsResourcesResponse.ClientMetricsResources.Name",
    ],
    "SOFTWARE_NAME": ["ApiVersionsRequest.ClientSoftwareName"],
    "SOFTWARE_VERSION": ["ApiVersionsRequest.ClientSoftwareVersion"],
    "AUTO_CREATION": ["MetadataRequest.AllowAutoTopicCreation"],
    "CONFIG_NAME": ["DescribeConfigsResponse.Results.Configs.Name",
                    "DescribeConfigsResponse.*.Synonyms.Name"],
    "CONFIG_VALUE": ["DescribeConfigsResponse.Results.Configs.Value",
                     "DescribeConfigsResponse.*.Synonyms.Value"],
    "FEATURE_NAME": ["ApiVersionsResponse.SupportedFeatures.Name",
                     "ApiVersionsResponse.FinalizedFeatures.Name"],
    "FEATURE_MIN": ["ApiVersionsResponse.SupportedFeatures.MinVersion"],
    "FEATURE_MAX": ["ApiVersionsResponse.SupportedFeatures.MaxVersion"],
    "FINALIZED_MAX": ["ApiVersionsResponse.FinalizedFeatures.MaxVersionLevel"],
    "FINALIZED_MIN": ["ApiVersionsResponse.FinalizedFeatures.MinVersionLevel"],
    "REGEX": ["ConsumerGroupHeartbeatRequest.SubscribedTopicRegex",
              "StreamsGroupHeartbeatRequest.*.Subtopologies.SourceTopicRegex"],
}

# Arrays of structs: how many there are.
ARRAYS = {
    # Brokers, as clients are told of them.
    "ENDPOINTS": [
        "MetadataResponse.Brokers", "FindCoordinatorResponse.Coordinators",
        "DescribeClusterResponse.Brokers", "ProduceResponse.NodeEndpoints",
        "FetchResponse.NodeEndpoints", "ShareFetchResponse.NodeEndpoints",
        "ShareAcknowledgeResponse.NodeEndpoints",
    ],
}

# Hints which broker leads now: without them a client asks for metadata.
HIDDEN = ["*.NodeEndpoints"]

# The last version that may be offered to clients that are to see no address:
# the next one of DescribeQuorum tells listeners of controllers.
OFFERED = {"DescribeQuorum": 1}

# These first: they hold although Kafka marks the field, or a name is a fact's;
# but for facts that are named without a `*`.
IGNORED = {
    "a text for people": ["*.ErrorMessage", "*.AcknowledgeErrorMessage",
                          "*.BatchIndexErrorMessage"],
    "describes an application's graph; nothing is read or written by it": [
        "*.TopologyDescription.*", "StreamsGroup*.TopologyDescription*",
        "StreamsGroupDescribeResponse.Groups.Topology.*",
        "StreamsGroup*.CopartitionGroups.*"],
    "of tasks of a Streams application, not of topics": [
        "*.ActiveTasks.Partitions", "*.StandbyTasks.Partitions",
        "*.WarmupTasks.Partitions", "*.TaskOffsets.Partition",
        "*.TaskEndOffsets.Partition"],
    "an endpoint of a Streams application, not a broker's": [
        "*.UserEndpoint.*", "StreamsGroupHeartbeatRe*.EndpointInformationEpoch"],
    "how many, not which": [
        "*.NumPartitions", "StreamsGroupHeartbeatRequest.*Topics.Partitions",
        "*.ReplicationFactor", "*.ResponsePartitionLimit",
        "*.AllowReplicationFactorChange", "*.PartitionMaxBytes",
        "*.PartitionSize", "*.MaxRecords"],
    "Kafka fences leaders and writers itself": [
        "*.LeaderEpoch", "*.CurrentLeaderEpoch", "*.CommittedLeaderEpoch",
        "*.ControllerEpoch", "*.CoordinatorEpoch", "*.ProducerEpoch",
        "*.PartitionEpoch", "*.BrokerEpoch", "*.PreviousBrokerEpoch",
        "*.V3AndBelowProducerEpoch", "*.OngoingTxnProducerEpoch",
        "*.StateEpoch", "*.ReplicaEpoch", "*.CandidateEpoch",
        "*.LastOffsetEpoch", "*.LastFetchedEpoch", "*.DivergingEpoch.*",
        "*.SnapshotId.Epoch", "*.FinalizedFeaturesEpoch",
        "StreamsGroup*.Topology.Epoch", "*.TopologyEpoch"],
    "of others in the group, as an administrator asks": [
        "*GroupDescribeResponse.*.MemberEpoch", "*.AssignmentEpoch",
        "*GroupDescribeResponse.*.GroupEpoch", "*GroupDescribe*.RackId",
        "*.Members.ClientId", "*.ClientHost", "*.ClientTags.*",
        "*GroupDescribeResponse.*.SubscribedTopicRegex"],
    "no name, but how it is shown": [
        "*.GroupState", "*.GroupType", "*.TopicAuthorizedOperations",
        "*.IncludeTopicAuthorizedOperations",
        "*.ClusterAuthorizedOperations",
        "*.IncludeClusterAuthorizedOperations", "*.LeaderRecoveryState", "*.IncludeFencedBrokers"],
    "of a member, and KIP-345 lets it keep the same": ["*.GroupInstanceId"],
    "of an ACL: who and from where, as text with its own rules": [
        "*Acls*.Host", "*.HostFilter", "*.Principal", "*.PrincipalFilter",
        "*.ResourcePatternType"],
    "of a delegation token, not of the connection": [
        "*DelegationToken*.PrincipalType", "*DelegationToken*.PrincipalName",
        "*.OwnerPrincipalType", "*.OwnerPrincipalName",
        "*.TokenRequesterPrincipalType", "*.TokenRequesterPrincipalName"],
    "a filter that names none": [
        "*.TransactionalIdPattern", "ListConfigResourcesRequest.ResourceTypes"],
    "node ids without an address": [
        "*.ReplicaNodes", "*.OfflineReplicas", "*.Replicas",
        "*.AddingReplicas", "*.RemovingReplicas", "*.EligibleLeaderReplicas",
        "*.PreferredReadReplica", "*.BrokerIds", "*.Partition*.LeaderId",
        "*.Leader"],
    "Raft and replication: controllers and brokers to each other": [
        "*.ReplicaDirectoryId", "DescribeQuorumResponse.*.ReplicaId",
        "VoteRequest.*.ReplicaId", "*.NewIsrWithEpochs.BrokerId",
        "AllocateProducerIdsRequest.BrokerId", "AlterPartitionRequest.BrokerId",
        "AssignReplicasToDirsRequest.BrokerId",
        "BrokerHeartbeatRequest.BrokerId",
        "ControlledShutdownRequest.BrokerId",
        "UnregisterBrokerRequest.BrokerId", "*.IsMigratingZkBroker",
        "*.DeletePartition*", "UpdateMetadataRequest.*.Listener",
        "EnvelopeRequest.*"],
    "the error of a part that is not asked for": ["*.TopicConfigErrorCode"],
    "time that a member may be silent; nothing of ours depends on it": [
        "*.SessionTimeoutMs", "*.SessionLifetimeMs"],
    "how a client counts itself, KIP-714": ["*.ClientInstanceId"],
    "of a broker that offers; what the client takes is told": [
        "SaslHandshakeResponse.Mechanisms"],
    "which SCRAM, of a user's credentials": ["*ScramCredentials*.Mechanism"],
    "whom the client means to reach, KIP-1242": ["ApiVersionsRequest.NodeId"],
}

SOUNDS = re.compile(
    "Topic|Resource|Group|Transactional|Principal|Partition|Epoch|Host|Port|"
    "Endpoint|Listener|Address|Throttle|Error|Replica|Acks|Session|Client|"
    "Regex|Rack|Cluster|Mechanism|Broker|NodeId|Leader|Records")
QUIET = re.compile("[a-z]Port|Supported")  # "Topic" in a word is a word


def find(table, path):
    """The key of a table whose patterns the path meets; the pattern."""
    for key, patterns in table.items():
        for pattern in patterns:
            if fnmatch.fnmatchcase(path, pattern):
                return key, pattern
    return None, None


def sounds(field):
    """Whether a field has to be judged: by its own name, not by its way."""
    name = field.name[0].upper() + field.name[1:]
    return bool(field.entity in ENTITIES or SOUNDS.search(name))


def classify(field):
    """The fact that a field is, or None."""
    kind, pattern = find(FACTS, field.path)
    if pattern != field.path and find(IGNORED, field.path)[0]:
        return None
    return kind or ENTITIES.get(field.entity)


def classify_array(field):
    """The fact that an array of structs is, or None."""
    return find(ARRAYS, field.path)[0]


def is_hidden(field):
    """Whether an array of endpoints can be kept from clients."""
    return bool(classify_array(field) and
                find({True: HIDDEN}, field.path)[0])


def unmatched(arrays):
    """Patterns of arrays that match none, over all releases."""
    used = {find(ARRAYS, field.path)[1] for field in arrays}
    for patterns in ARRAYS.values():
        for pattern in patterns:
            if pattern not in used:
                yield f"{pattern} matches no array"


def unjudged(fields):
    """What is wrong with the tables above, over all leaves of all releases."""
    used = set()
    for field in fields:
        reason, ignored = find(IGNORED, field.path)
        kind, fact = find(FACTS, field.path)
        used |= {ignored, fact}
        if not reason and not kind and sounds(field) and \
                field.entity not in ENTITIES:
            yield f"{field.path} ({field.type}) is neither a fact nor ignored"
    for table in FACTS, IGNORED:
        for patterns in table.values():
            for pattern in patterns:
                if pattern not in used:
                    yield f"{pattern} matches no field"
