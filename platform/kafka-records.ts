// Another repair of kafkajs 2.2.4, put in place before kafkajs is loaded: how fetched records are taken apart. Its own
// way computes offsets and timestamps with 64-bit objects, to text and back, and cuts out key and value of every record
// at once; that costs more than all this project does with a record. Here a record is a place in the fetched bytes.
// Framing, compression, aborted transactions and legacy message sets stay kafkajs' business; record headers are read when
// somebody asks. Where kafkajs was loaded earlier, it stays as it is: slower, with the same records.
// It goes when kafkajs no longer needs it.

import { createRequire } from 'node:module';
import { holdResponse } from './kafka-frames.ts';
import { LoggedRecords, RecordBatch, type BatchContext, type LoggedRecord } from './kafka-record.ts';

/** Between the batch's length and its records, in bytes. */
const HEADER_BYTES = 49;
const FLAGS = { codec: 0x7, logAppendTime: 0x8, transactional: 0x10, control: 0x20 };

type Decoder = { buffer: Buffer; offset: number };
type Codec = { decompress(bytes: Buffer): Promise<Buffer> };
/** kafkajs collects what is in here; of each batch of the log that is one thing. */
type Decoded = { records: [RecordBatch] };

/** A record of a legacy message set is kafkajs' own. */
type Fetched = RecordBatch | LoggedRecord;
type PartitionData = {
  readonly messages: readonly Fetched[];
  readonly abortedTransactions?: readonly unknown[];
};
/** Of the first two kafkajs asks for the first and the last one only. */
type Batch = {
  rawMessages: readonly { readonly offset: string }[];
  messagesWithinOffset: readonly { readonly offset: string }[];
  messages: LoggedRecords | readonly LoggedRecord[];
};
type BatchClass = new (topic: string, fetchedOffset: string, data: PartitionData) => Batch;

const load = createRequire(import.meta.url);

const DECODER = load.resolve('kafkajs/src/protocol/recordBatch/v0/decoder.js');
const BATCH = load.resolve('kafkajs/src/consumer/batch.js');

// Loaded means captured by its users already. Both or none, since the one makes what the other takes.
if (load.cache[DECODER] === undefined && load.cache[BATCH] === undefined) {
  replace(DECODER, () => decodeRecordBatch);
  replace(BATCH, (original) => withoutCopies(original as BatchClass));
}

function replace(file: string, by: (original: unknown) => unknown): void {
  const original: unknown = load(file);
  const entry = load.cache[file];
  if (entry !== undefined) entry.exports = by(original);
}

/** Reads one record batch at the decoder's place and moves behind it; a batch cut off by the fetch's size throws. */
export async function decodeRecordBatch(decoder: Decoder): Promise<Decoded> {
  const { buffer, offset: start } = decoder;
  const end = start + 12 + buffer.readInt32BE(start + 8);
  decoder.offset = end;
  if (end > buffer.length) throw partialMessageError();
  const attributes = buffer.readInt16BE(start + 21);
  const context: BatchContext = {
    firstOffset: Number(buffer.readBigInt64BE(start)),
    lastOffset: Number(buffer.readBigInt64BE(start)) + buffer.readInt32BE(start + 23),
    firstTimestampMs: Number(buffer.readBigInt64BE(start + 27)),
    logAppendMs: (attributes & FLAGS.logAppendTime) === 0 ? undefined : Number(buffer.readBigInt64BE(start + 35)),
    producerId: String(buffer.readBigInt64BE(start + 43)),
    inTransaction: (attributes & FLAGS.transactional) !== 0,
    isControlBatch: (attributes & FLAGS.control) !== 0,
  };
  const count = buffer.readInt32BE(start + 57);
  const body = buffer.subarray(start + 12 + HEADER_BYTES, end);
  const codec = (attributes & FLAGS.codec) === 0 ? undefined : findCodec(attributes);
  return { records: [new RecordBatch(codec === undefined ? body : await codec.decompress(body), count, context)] };
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

/**
 * A batch of kafkajs whose records are made when somebody goes through them. Where some of them may have to be left out
 * (they lie before the asked offset, were aborted, or control a transaction), all are made and kafkajs decides.
 */
function withoutCopies(Original: BatchClass): BatchClass {
  return class extends Original {
    constructor(topic: string, fetchedOffset: string, data: PartitionData) {
      const batches = findWhole(data, Number(fetchedOffset));
      super(topic, fetchedOffset, { ...data, messages: batches === undefined ? data.messages.flatMap(toRecords) : [] });
      if (batches === undefined) return;
      const [first, last] = [batches[0]?.context, batches.at(-1)?.context];
      const ends = first === undefined || last === undefined ? [] : [first.firstOffset, last.lastOffset];
      this.rawMessages = ends.map((offset) => ({ offset: String(offset) }));
      this.messagesWithinOffset = this.rawMessages;
      this.messages = new LoggedRecords(batches);
    }
  };
}

/** The batches, when all of their records are for the consumer. */
function findWhole({ messages, abortedTransactions = [] }: PartitionData, from: number): RecordBatch[] | undefined {
  const batches = messages.filter((one) => one instanceof RecordBatch);
  const isWhole = ({ context, count }: RecordBatch) =>
    count > 0 && context.firstOffset >= from && !context.isControlBatch;
  const whole = batches.length === messages.length && abortedTransactions.length === 0 && batches.every(isWhole);
  return whole ? batches : undefined;
}

/** Nobody says when these have been read, so what they lie in is held for good. */
function toRecords(one: Fetched): LoggedRecord[] {
  if (one instanceof RecordBatch) return [...new LoggedRecords([one])];
  for (const bytes of [one.key, one.value]) if (bytes !== null) holdResponse(bytes);
  return [one];
}
