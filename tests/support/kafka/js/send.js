/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send.js VIP TOPIC [TRANSACTIONAL_ID]: kafkajs sends two records, one to each
 * partition, in a transaction or without.  Prints what it was told: "sent", or
 * the type of the error.
 */
'use strict'

const { Kafka, logLevel } = require('kafkajs')

const [, , broker, topic, transactionalId] = process.argv

async function main() {
	const kafka = new Kafka({
		clientId: 'js-send',
		brokers: [broker],
		logLevel: logLevel.NOTHING,
	})
	const producer = kafka.producer(transactionalId === undefined ? {} :
	    { transactionalId, idempotent: true, maxInFlightRequests: 1 })
	const batch = { topic, messages: [
		{ partition: 0, value: 'one' },
		{ partition: 1, value: 'two' },
	] }

	await producer.connect()
	try {
		if (transactionalId === undefined) {
			await producer.send(batch)
		} else {
			const tx = await producer.transaction()

			try {
				await tx.send(batch)
				await tx.commit()
			} catch (error) {
				await tx.abort()
				throw error
			}
		}
		console.log('sent')
	} catch (error) {
		console.log(error.type || String(error))
	} finally {
		await producer.disconnect()
	}
}

main().then(() => process.exit(0), error => {
	console.error(error)
	process.exit(1)
})
