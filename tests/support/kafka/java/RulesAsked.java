/* SPDX-License-Identifier: Apache-2.0 */
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicAuthorizationException;

/* What clients only ask for, of two topics at once, of which one is denied. */
final class RulesAsked {
	private static final TopicPartition SECRET =
	    new TopicPartition(RulesWork.SECRET, 0),
	    OPEN = new TopicPartition(RulesWork.OPEN, 0);
	private static final String GROUP = "rules-asked";
	/* Neither the first record nor the last one. */
	private static final long AT = 3;

	private final RulesWork work;
	private final Admin admin;
	/* They are refused, and go on when the rule has gone. */
	private final Map<String, Consumer<byte[], byte[]>> waiting =
	    new LinkedHashMap<>();

	RulesAsked(RulesWork work, Admin admin) {
		this.work = work;
		this.admin = admin;
	}

	/* With the epoch, so that a consumer asks where that ended. */
	void begin() throws Exception {
		var at = new OffsetAndMetadata(AT, Optional.of(0), "here");

		work.put(RulesWork.SECRET);
		work.put(RulesWork.OPEN);
		admin.alterConsumerGroupOffsets(GROUP, Map.of(SECRET, at,
		    OPEN, at)).all().get();
	}

	private Consumer<byte[], byte[]> consumer(String protocol) {
		var consumer = Clients.consumer(work.options(
		    "rules-asked-" + protocol, "group.id", GROUP,
		    "enable.auto.commit", "false", "group.protocol",
		    protocol));

		consumer.assign(List.of(SECRET, OPEN));
		return consumer;
	}

	void offsets() throws Exception {
		offsets("classic");
	}

	/* Also of who speaks the protocol of KIP-848. */
	void offsets848() throws Exception {
		offsets("classic", "consumer");
	}

	/* Of all partitions of the group, and of some. */
	private void offsets(String... protocols) throws Exception {
		RulesWork.same(Set.of(OPEN), admin
		    .listConsumerGroupOffsets(GROUP)
		    .partitionsToOffsetAndMetadata().get().keySet(),
		    "offsets");
		for (String protocol : protocols) {
			var consumer = consumer(protocol);

			isRefused("committed", () -> consumer.committed(
			    Set.of(SECRET, OPEN)));
			RulesWork.same(AT, consumer.committed(Set.of(OPEN))
			    .get(OPEN).offset(), "committed");
			isRefusedToPoll(consumer);
			waiting.put(protocol, consumer);
		}
	}

	/* It has asked for offsets; where the epoch ended it may not know. */
	void epochs() {
		var consumer = consumer("classic");

		isRefusedToPoll(consumer);
		waiting.put("epochs", consumer);
	}

	private static void isRefusedToPoll(Consumer<byte[], byte[]> consumer) {
		isRefused("poll", () -> Clients.until("a refusal", () -> {
			for (var record : consumer.poll(Clients.POLL))
				RulesWork.same(RulesWork.OPEN, record.topic(),
				    "topic");
			return false;
		}));
	}

	private static void isRefused(String what, Runnable asks) {
		try {
			asks.run();
		} catch (TopicAuthorizationException e) {
			RulesWork.refusesBy(e, RulesWork.SECRET);
			return;
		}
		throw new IllegalStateException(what + " was let in");
	}

	/* The rule has gone: they are where they were, and not reset. */
	void goOn() {
		for (var consumer : waiting.values()) {
			Clients.until("records", () -> {
				var records = consumer.poll(Clients.POLL)
				    .records(SECRET);

				if (records.isEmpty())
					return false;
				RulesWork.same(AT, records.get(0).offset(),
				    "the first record's offset");
				return true;
			});
			consumer.close();
		}
		waiting.clear();
	}
}
