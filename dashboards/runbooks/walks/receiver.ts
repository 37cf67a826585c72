// The receiver of all alerts in a walk: hears the dead man's heartbeats, and can be told to refuse what comes.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Receiver = {
  readonly url: string;
  /** From now on everything is answered with 404, as by an address that is no longer right. */
  refuse(yes: boolean): void;
  /** How long the last heartbeat is ago. */
  silentMs(): number;
  close(): void;
};

type Notification = { readonly receiver: string };

export async function startReceiver(): Promise<Receiver> {
  let refuses = false;
  let heardAtMs = performance.now();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      if (!refuses && (JSON.parse(body) as Notification).receiver === 'dead-man') heardAtMs = performance.now();
      response.writeHead(refuses ? 404 : 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    refuse: (yes) => {
      refuses = yes;
    },
    silentMs: () => performance.now() - heardAtMs,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
