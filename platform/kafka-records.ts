// Another repair of kafkajs 2.2.4, put in place before kafkajs is loaded: how fetched records are taken apart. Its own
// way computes offsets and timestamps with 64-bit objects, to text and back, and cuts out key and value of every record
// at once; that costs more than all this project does with a record. Here a record is a place in the fetched bytes.
// Framing, compression, aborted transactions and legacy message sets stay kafkajs' business; record headers are read when
// somebody asks. Where kafkajs was loaded earlier, it stays as it is: slower, with the same records.
// It goes when kafkajs no longer needs it.

import { createRequire } from 'node:module';
import { LoggedRecord, readRecords, type BatchContext } from './kafka-record.ts';

/** Between the batch's length and its records, in bytes. */
const HEADER_BYTES = 49;
const FLAGS = { codec: 0x7, logAppendTime: 0x8, transactional: 0x10, control: 0x20 };

type Decoder = { buffer: Buffer; offset: number };
type Codec = { decompress(bytes: Buffer): Promise<Buffer> };
type Decoded = { records: LoggedRecord[] };

type PartitionData = {
  readonly messages: readonly LoggedRecord[];
  readonly abortedTransactions?: readonly unknown[];
};
type Batch = {
  rawMessages: readonly LoggedRecord[];
  messagesWithinOffset: readonly LoggedRecord[];
  messages: readonly LoggedRecord[];
};
type BatchClass = new (topic: string, fetchedOffset: string, data: PartitionData) => Batch;

const load = createRequire(import.meta.url);

function replace(path: string, by: (original: unknown) => unknown): void {
  const file = load.resolve(path);
  const find = () => load.cache[file];
  // Loaded means captured by its users already: replacing it now would change nothing.
  if (find() !== undefined) return;
  const original: unknown = load(path);
  const entry = find();
  if (entry !== undefined) entry.exports = by(original);
}

replace('kafkajs/src/protocol/recordBatch/v0/decoder.js', () => decodeRecordBatch);
replace('kafkajs/src/consumer/batch.js', (original) => withoutCopies(original as BatchClass));

/** Reads one record batch at the decoder's place and moves behind it; a batch cut off by the fetch's size throws. */
export async function decodeRecordBatch(decoder: Decoder): Promise<Decoded> {
  const { buffer, offset: start } = decoder;
  const end = start + 12 + buffer.readInt32BE(start + 8);
  decoder.offset = end;
  if (end > buffer.length) throw partialMessageError();
  const attributes = buffer.readInt16BE(start + 21);
  const context: BatchContext = {
    firstOffset: Number(buffer.readBigInt64BE(start)),
    firstTimestampMs: Number(buffer.readBigInt64BE(start + 27)),
    logAppendMs: (attributes & FLAGS.logAppendTime) === 0 ? undefined : Number(buffer.readBigInt64BE(start + 35)),
    producerId: String(buffer.readBigInt64BE(start + 43)),
    inTransaction: (attributes & FLAGS.transactional) !== 0,
    isControlBatch: (attributes & FLAGS.control) !== 0,
  };
  const count = buffer.readInt32BE(start + 57);
  const body = buffer.subarray(start + 12 + HEADER_BYTES, end);
  const codec = (attributes & FLAGS.codec) === 0 ? undefined : findCodec(attributes);
  return { records: readRecords(codec === undefined ? body : await codec.decompress(body), count, context) };
}

function findCodec(attributes: number): Codec | undefined {
  const compression = load('kafkajs/src/protocol/message/compression/index.js') as {
    lookupCodecByAttributes(attributes: number): Codec | undefined;
  };
  return compression.lookupCodecByAttributes(attributes);
}

/** kafkajs knows by this class that the rest comes with the next fetch. */
function partialMessageError(): Error {
  const errors = load('kafkajs/src/errors.js') as { KafkaJSPartialMessageError: new (message: string) => Error };
  return new errors.KafkaJSPartialMessageError('the record batch goes on behind the fetched bytes');
}

/** A batch of kafkajs that compares offsets as numbers, and not at all when all records lie behind the asked one. */
function withoutCopies(Original: BatchClass): BatchClass {
  return class extends Original {
    constructor(topic: string, fetchedOffset: string, data: PartitionData) {
      const { messages } = data;
      const plain = messages.every(isPlain) && (data.abortedTransactions ?? []).length === 0;
      super(topic, fetchedOffset, plain ? { ...data, messages: [] } : data);
      if (!plain) return;
      const from = Number(fetchedOffset);
      const within = (messages[0]?.at ?? from) >= from ? messages : messages.filter(({ at }) => at >= from);
      this.rawMessages = messages;
      this.messagesWithinOffset = within;
      this.messages = within;
    }
  };
}

function isPlain(record: LoggedRecord): boolean {
  return record instanceof LoggedRecord && !record.batchContext.isControlBatch;
}
