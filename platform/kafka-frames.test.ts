import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fillFrames, holdResponse, letGoOfResponse } from './kafka-frames.ts';

type Answer = { correlationId: number; payload: Buffer };
type Connection = { socket: unknown; processData(piece: Buffer): void };

function connect(answers: Answer[]): Connection {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/connection.js') as { prototype: object };
  return Object.assign(Object.create(prototype) as Connection, {
    socket: 1,
    authHandlers: null,
    chunks: [],
    bytesBuffered: 0,
    bytesNeeded: 4,
    requestQueue: { fulfillRequest: (answer: Answer) => answers.push(answer) },
  });
}

function frame(correlationId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(payload.length + 4, 0);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, payload]);
}

test('responses are whole and in order, however the socket cuts them into pieces', () => {
  fillFrames();
  const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(payloads, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sent, cuts) => {
      const answers: Answer[] = [];
      const connection = connect(answers);
      const bytes = Buffer.concat(sent.map((payload, number) => frame(number, Buffer.from(payload))));
      const place = Buffer.alloc(30);
      for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
        const length = bytes.copy(place, 0, at, at + (cuts[cut % cuts.length] ?? 1));
        connection.processData(place.subarray(0, length));
        // As a socket does, which reads into the same place again.
        place.fill(0xff);
        at += length;
      }
      expect(answers.map(({ correlationId }) => correlationId)).toEqual([...sent.keys()]);
      expect(answers.map(({ payload }) => payload.toString('hex'))).toEqual(
        sent.map((payload) => Buffer.from(payload).toString('hex')),
      );
    }),
  );
});

test('what a broken connection left unfinished is not filled by the next one', () => {
  fillFrames();
  const answers: Answer[] = [];
  const connection = connect(answers);
  connection.processData(frame(1, Buffer.alloc(30, 'a')).subarray(0, 20));
  connection.socket = 2;
  connection.processData(frame(2, Buffer.from('b')));
  expect(answers.map(({ correlationId }) => correlationId)).toEqual([2]);
});

test('a large response keeps its place until all who read it let go, and then another one takes it', () => {
  fillFrames();
  const answers: Answer[] = [];
  const connection = connect(answers);
  const receive = (letter: string): Buffer => {
    connection.processData(frame(answers.length, Buffer.alloc(1_100_000, letter)));
    return answers.at(-1)?.payload ?? Buffer.alloc(0);
  };
  const first = receive('a');
  const [head, tail] = [first.subarray(0, 9), first.subarray(-9)];
  for (const bytes of [head, tail]) holdResponse(bytes);
  letGoOfResponse(head);
  expect(receive('b').buffer).not.toBe(first.buffer);
  expect(tail.toString()).toBe('aaaaaaaaa');
  letGoOfResponse(tail);
  const third = receive('c');
  expect(third.buffer).toBe(first.buffer);
  expect(receive('d').buffer).not.toBe(third.buffer);
  expect(third.toString('utf8', 0, 3)).toBe('ccc');
});
