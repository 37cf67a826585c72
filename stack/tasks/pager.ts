// The receiver of all alerts in development: prints what on-call would be told.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The part of Alertmanager's webhook body that is read here. */
type Notification = {
  receiver: string;
  alerts: readonly {
    status: 'firing' | 'resolved';
    labels: Readonly<Record<string, string>>;
    annotations: Readonly<Record<string, string>>;
  }[];
};

const mostLines = 5;
/** Told every minute that alerting works; only its silence would be news. */
const deadMan = 'dead-man';

export type Pager = { url: string; close: () => void };

/** Listens on a free port of loopback and calls `say` with one line for each alert. */
export async function startPager(say: (line: string) => void): Promise<Pager> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const lines = readNotification(body);
      for (const line of lines ?? []) say(line);
      response.writeHead(lines === undefined ? 400 : 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref(); // a start that fails is not held up by it
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}/`, close };
}

/** Undefined for what Alertmanager never sends. */
function readNotification(body: string): string[] | undefined {
  try {
    return formatNotification(JSON.parse(body) as Notification);
  } catch {
    return undefined;
  }
}

export function formatNotification({ receiver, alerts }: Notification): string[] {
  if (receiver === deadMan) return [];
  const lines = alerts.slice(0, mostLines).map(({ status, labels, annotations }) => {
    const { alertname = '', service = '' } = labels;
    return `alert to ${receiver}: ${status} ${alertname} (${service}) ${annotations['summary'] ?? ''}`.trimEnd();
  });
  const more = alerts.length - lines.length;
  return more > 0 ? [...lines, `alert to ${receiver}: and ${more} more`] : lines;
}
