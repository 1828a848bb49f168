/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compared.js SERVER what|all: kafkajs does what may be denied; prints what it
 * was told, "what: it was told" a line, so that one who is denied by a rule can
 * be compared with one who is denied by the broker's ACLs.  With "all" metadata
 * are denied, too.
 */
'use strict'

const { ConfigResourceTypes, Kafka, Partitioners, logLevel } =
    require('kafkajs')

const [, , server, phase] = process.argv
const SECRET = 'secret.a', OPEN = 'open', PATIENCE_MS = 60000
const kafka = new Kafka({
	clientId: 'js-compared',
	brokers: [server],
	logLevel: logLevel.NOTHING,
})

/* Of several errors each. */
function why(error) {
	const all = (error.errors || []).map(why)
	const own = `${error.name} ${error.type || ''}: ${error.message}` +
	    (error.topic === undefined ? '' : ` (${error.topic})`)

	return [own, ...all].join(', ').replace(/[0-9.]+:[0-9]+/g, 'BROKER')
}

async function tell(what, ask) {
	let told

	try {
		told = JSON.stringify(await ask()) || 'done'
	} catch (error) {
		told = why(error)
	}
	console.log(`${phase} kafkajs, ${what}: ${told}`)
}

const both = (...topics) => topics.map(topic => ({
	topic,
	messages: [{ partition: 0, value: 'one' }],
}))
const codes = told => told.map(each =>
    `${each.topicName} ${each.errorCode} ${each.baseOffset >= 0}`).sort()

async function withProducer(options, use) {
	const producer = kafka.producer({
		createPartitioner: Partitioners.DefaultPartitioner,
		...options,
	})

	await producer.connect()
	try {
		return await use(producer)
	} finally {
		await producer.disconnect()
	}
}

async function producers() {
	for (const acks of [1, -1])
		await withProducer({}, async producer => {
			for (const topics of [[SECRET, OPEN], [SECRET], [OPEN]])
				await tell(`acks=${acks}, ${topics}`, async () =>
				    codes(await producer.sendBatch({ acks,
				        topicMessages: both(...topics) })))
		})
	await withProducer({ idempotent: true }, async producer => {
		for (const topic of [OPEN, SECRET, OPEN, SECRET, OPEN])
			await tell(`idempotent, ${topic}`, async () =>
			    codes(await producer.sendBatch({
			        topicMessages: both(topic) })))
	})
	await withProducer({ idempotent: true, maxInFlightRequests: 1,
	    transactionalId: `open.js.${phase}` }, async producer => {
		for (const topics of [[OPEN], [SECRET, OPEN], [OPEN]])
			await tell(`transaction, ${topics}`, () =>
			    transaction(producer, topics))
	})
	await tell('transactional id', () => withProducer({ idempotent: true,
	    maxInFlightRequests: 1, transactionalId: 'secret.js',
	    retry: { retries: 1 } }, producer => transaction(producer, [OPEN])))
}

async function transaction(producer, topics) {
	const begun = await producer.transaction()

	try {
		await begun.sendBatch({ topicMessages: both(...topics) })
	} catch (error) {
		await begun.abort()
		throw error
	}
	await begun.commit()
}

/* Until the records of the open topic are there, or it gives up. */
async function reads(groupId, topics) {
	const consumer = kafka.consumer({ groupId, retry: { retries: 0 } })

	try {
		await consumer.connect()
		await consumer.subscribe({ topics, fromBeginning: true })
		return await new Promise((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(
			    'neither records nor an error')), PATIENCE_MS)
			const done = (how, value) => {
				clearTimeout(timer)
				how(value)
			}

			consumer.on(consumer.events.CRASH, ({ payload }) =>
			    done(reject, payload.error))
			consumer.run({ eachMessage: async ({ topic }) =>
			    done(resolve, topic) }).catch(error =>
			    done(reject, error))
		})
	} finally {
		await consumer.disconnect()
	}
}

async function consumers() {
	await tell('denied topic', () =>
	    reads(`open.js.denied.${phase}`, ['secret.read']))
	await tell('other topic', () =>
	    reads(`open.js.other.${phase}`, ['open.read']))
	await tell('denied group', () => reads('secret.js', ['open.read']))
}

const config = name => ({ type: ConfigResourceTypes.TOPIC, name })
const asks = {
	createTopics: (admin, topic) => admin.createTopics({
		topics: [{ topic: `${topic}.js.${phase}` }],
	}),
	fetchTopicOffsets: async (admin, topic) =>
	    (await admin.fetchTopicOffsets(topic)).length > 0,
	describeConfigs: async (admin, topic) => {
		const { resources } = await admin.describeConfigs({
			includeSynonyms: false,
			resources: [{ ...config(topic),
				configNames: ['retention.ms'] }],
		})

		return resources[0].configEntries.length
	},
	alterConfigs: async (admin, topic) => {
		const { resources } = await admin.alterConfigs({
			resources: [{ ...config(topic), configEntries: [
				{ name: 'retention.ms', value: '7654321' },
			] }],
		})

		return resources[0].errorCode
	},
	deleteTopicRecords: (admin, topic) => admin.deleteTopicRecords({
		topic, partitions: [{ partition: 0, offset: '0' }],
	}),
	fetchOffsets: async (admin, topic) => (await admin.fetchOffsets({
		groupId: 'open.assigned', topics: [topic],
	})).length,
	fetchTopicMetadata: async (admin, topic) =>
	    (await admin.fetchTopicMetadata({ topics: [topic] })).topics.length,
	createPartitions: (admin, topic) => admin.createPartitions({
		topicPartitions: [{ topic, count: 9 }],
	}),
	deleteTopics: (admin, topic) => admin.deleteTopics({
		topics: [topic === OPEN ? `${topic}.js.${phase}` : topic],
	}),
}

async function administrator() {
	const admin = kafka.admin({ retry: { retries: 0 } })

	await admin.connect()
	for (const [what, ask] of Object.entries(asks))
		for (const topic of [SECRET, OPEN])
			await tell(`${what}, ${topic}`, () => ask(admin, topic))
	await admin.disconnect()
}

async function main() {
	await producers()
	await consumers()
	await administrator()
}

main().then(() => process.exit(0), error => {
	console.error(error)
	process.exit(1)
})
