// Usage and manifests that a walk sends straight into the log, under ids of its own.

import { identityKey } from '../../../domain/event.ts';
import { HOUR_MS, toIso } from '../../../domain/period.ts';
import type { Kafka } from '../../../platform/kafka.ts';

export type Batch = {
  readonly source: string;
  readonly events: number;
  readonly atMs: number;
  /** A decimal string; one that is none is rejected. */
  readonly quantity?: string;
};

export type Usage = {
  /** Resolves when the broker has them. They arrive, as their records say, half a second after they happened. */
  send(batch: Batch): Promise<void>;
  /** What the source says of the hour in which `atMs` lies; what it says last holds. */
  announce(manifest: Pick<Batch, 'source' | 'events' | 'atMs'>): Promise<void>;
  close(): Promise<void>;
};

type Topics = { readonly topic: string; readonly manifestTopic: string };

export async function openUsage(kafka: Kafka, { topic, manifestTopic }: Topics, subject: string): Promise<Usage> {
  const producer = await kafka.createProducer();
  let sent = 0;
  let revision = 0;
  return {
    send: async ({ source, events, atMs, quantity = '1' }) => {
      const records = Array.from({ length: events }, () => {
        sent += 1;
        const event = {
          specversion: '1.0',
          id: `walk-${sent}`,
          source,
          type: 'query',
          subject,
          time: toIso(atMs),
          quantity,
        };
        return { key: identityKey(event), value: JSON.stringify(event), timestampMs: atMs + 500 };
      });
      await producer.send(topic, records);
    },
    announce: async ({ source, events, atMs }) => {
      const hour = toIso(atMs - (atMs % HOUR_MS));
      revision += 1;
      const value = JSON.stringify({ source, hour, events, quantity: `${events}`, revision });
      await producer.send(manifestTopic, [{ key: source, value, timestampMs: atMs }]);
    },
    close: async () => producer.close(),
  };
}
