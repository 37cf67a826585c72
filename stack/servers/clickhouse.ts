// ClickHouse: a `clickhouse` on PATH, else the embedded engine behind our own HTTP interface.
// Promises: acknowledged inserts survive kill -9; one process per data folder.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../commands.ts';
import type { Program } from '../leash.ts';
import { nodeArguments } from '../node-arguments.ts';
import { must, type Server, type StartContext } from './server.ts';
import { answersGet } from './http.ts';

const embedded = join(import.meta.dirname, '..', 'clickhouse', 'main.ts');

export const clickhouse: Server = {
  name: 'clickhouse',
  variables: ['TRUEUP_CLICKHOUSE_URL', 'TRUEUP_CLICKHOUSE_DATABASE'],
  ports: ['http', 'native'],
  composeService: 'clickhouse',
  readyWithinMs: 60_000,

  async install() {
    const program = findProgram('clickhouse');
    return program === undefined ? { embedded } : { program };
  },

  async start(context) {
    return context.installed['program'] === undefined ? startEmbedded(context) : startServer(context);
  },

  addresses: (ports) => ({
    TRUEUP_CLICKHOUSE_URL: `http://127.0.0.1:${must(ports, 'http')}`,
    // Not `default`: its engine refuses some kinds of views. The migrator creates this one.
    TRUEUP_CLICKHOUSE_DATABASE: 'trueup',
  }),

  ready: async (addresses) => answersGet(new URL('/ping', must(addresses, 'TRUEUP_CLICKHOUSE_URL')), 'Ok.'),
};

function startEmbedded({ dataDir, ports, installed }: StartContext): Program {
  return {
    command: process.execPath,
    args: [...nodeArguments, must(installed, 'embedded'), '--port', String(must(ports, 'http')), '--path', dataDir],
  };
}

async function startServer({ dataDir, ports, installed }: StartContext): Promise<Program> {
  const config = join(dataDir, 'config.xml');
  await mkdir(dataDir, { recursive: true });
  await writeFile(config, formatConfig(dataDir, must(ports, 'http'), must(ports, 'native')));
  return { command: must(installed, 'program'), args: ['server', `--config-file=${config}`], cwd: dataDir };
}

function formatConfig(path: string, httpPort: number, nativePort: number): string {
  return `<clickhouse>
  <listen_host>127.0.0.1</listen_host>
  <http_port>${httpPort}</http_port>
  <tcp_port>${nativePort}</tcp_port>
  <path>${path}/</path>
  <tmp_path>${path}/tmp/</tmp_path>
  <user_files_path>${path}/user_files/</user_files_path>
  <logger><console>true</console><level>warning</level></logger>
  <mark_cache_size>268435456</mark_cache_size>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <access_management>1</access_management>
    </default>
  </users>
</clickhouse>
`;
}
