/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.js VIP WHAT TOPIC: kafkajs asks for something of a topic.  Prints what it
 * was told of that, or the type of the error.
 *
 *	offsets		the committed one of partition 0 in group rules-asked
 *	partitions	how many it has
 *	configs		its retention.ms
 */
'use strict'

const { ConfigResourceTypes, Kafka, logLevel } = require('kafkajs')

const [, , broker, what, topic] = process.argv

const asks = {
	offsets: async admin => {
		const topics = await admin.fetchOffsets({
			groupId: 'rules-asked',
			topics: [topic],
		})

		return topics[0].partitions.find(p => p.partition === 0).offset
	},
	partitions: async admin => {
		const { topics } = await admin.fetchTopicMetadata({
			topics: [topic],
		})

		return topics[0].partitions.length
	},
	configs: async admin => {
		const { resources } = await admin.describeConfigs({
			includeSynonyms: false,
			resources: [{
				type: ConfigResourceTypes.TOPIC,
				name: topic,
				configNames: ['retention.ms'],
			}],
		})

		return resources[0].configEntries[0].configValue
	},
}

async function main() {
	const kafka = new Kafka({
		clientId: 'js-ask',
		brokers: [broker],
		logLevel: logLevel.NOTHING,
	})
	const admin = kafka.admin()

	await admin.connect()
	try {
		console.log(await asks[what](admin))
	} catch (error) {
		console.log(error.type || String(error))
	} finally {
		await admin.disconnect()
	}
}

main().then(() => process.exit(0), error => {
	console.error(error)
	process.exit(1)
})
