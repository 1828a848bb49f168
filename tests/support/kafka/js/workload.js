/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload.js VIP: what kafkajs does: produces with every acks, in clear and
 * gzip, in a transaction; consumes in a group; asks as an administrator.
 * Prints a line of JSON for each answer that it got, as its own
 * instrumentation tells: {"client": "js-admin", "api": "Metadata", ...}; and
 * last one {"workload": "js", "ok": true}.
 */
'use strict'

const { Kafka, CompressionTypes, logLevel } = require('kafkajs')

const TOPIC = 'js'
const RECORDS = 30

const print = line => process.stdout.write(JSON.stringify(line) + '\n')

const kafka = id => new Kafka({
	clientId: id,
	brokers: [process.argv[2]],
	logLevel: logLevel.ERROR,
})

/* `duration` is from the last byte handed to the socket, in milliseconds. */
const watched = (client, id) => {
	client.on(client.events.REQUEST, ({ payload }) => print({
		client: id,
		api: payload.apiName,
		key: payload.apiKey,
		version: payload.apiVersion,
		correlation: payload.correlationId,
		size: payload.size,
		duration: payload.duration,
	}))
	return client
}

const value = (name, number) => `${name} ${number} ` +
    String.fromCharCode(97 + number % 26).repeat(200)

const messages = name => Array.from({ length: RECORDS }, (_, i) =>
	({ partition: i % 4, value: value(name, i) }))

async function produce(sent) {
	for (const acks of [0, 1, -1])
		for (const codec of ['None', 'GZIP']) {
			const id = `js-p-${acks}-${codec.toLowerCase()}`
			const producer = watched(kafka(id).producer(), id)

			await producer.connect()
			await producer.send({
				topic: TOPIC,
				acks,
				compression: CompressionTypes[codec],
				messages: messages(id),
			})
			await producer.disconnect()
			sent.push(...messages(id).map(m => m.value))
		}
}

async function transaction(sent) {
	const id = 'js-tx'
	const producer = watched(kafka(id).producer({
		transactionalId: 'js-tx',
		idempotent: true,
		maxInFlightRequests: 1,
	}), id)

	await producer.connect()
	for (const commit of [true, false]) {
		const tx = await producer.transaction()
		const name = `${id}-${commit}`

		await tx.send({ topic: TOPIC, messages: messages(name) })
		await (commit ? tx.commit() : tx.abort())
		if (commit)
			sent.push(...messages(name).map(m => m.value))
	}
	await producer.disconnect()
}

/* kafkajs leaves out what was aborted. */
async function consume(sent) {
	const id = 'js-group'
	const consumer = watched(kafka(id).consumer({
		groupId: 'js',
		maxWaitTimeInMs: 100,
	}), id)
	const got = []

	await consumer.connect()
	await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
	await new Promise((resolve, reject) => {
		consumer.on(consumer.events.CRASH, event =>
			reject(event.payload.error))
		consumer.run({
			eachMessage: async ({ message }) => {
				got.push(message.value.toString())
				if (got.length === sent.length)
					resolve()
			},
		}).catch(reject)
	})
	await consumer.disconnect()
	if (got.sort().join('\n') !== sent.sort().join('\n'))
		throw new Error('other records came than were sent')
}

async function administrate() {
	const id = 'js-admin'
	const admin = watched(kafka(id).admin(), id)

	await admin.connect()
	/* Other brokers hear of it later than the one that made it: kafkajs
	 * takes that for an error when it waits for leaders itself. */
	await admin.createTopics({
		topics: [{ topic: 'js-made', numPartitions: 2 }],
		waitForLeaders: false,
	})
	while (!(await admin.listTopics()).includes('js-made'))
		;
	await admin.fetchTopicOffsets(TOPIC)
	await admin.describeCluster()
	await admin.listGroups()
	await admin.describeGroups(['js'])
	await admin.fetchOffsets({ groupId: 'js', topics: [TOPIC] })
	await admin.deleteGroups(['js'])
	await admin.deleteTopics({ topics: ['js-made'] })
	await admin.disconnect()
}

async function main() {
	const sent = []

	await produce(sent)
	await transaction(sent)
	await consume(sent)
	await administrate()
	print({ workload: 'js', ok: true })
}

main().then(() => process.exit(0), error => {
	console.error(error)
	print({ workload: 'js', ok: false })
	process.exit(1)
})
