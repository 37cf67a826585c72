// What a stack's owner and its supervisor tell each other over the IPC channel. The channel itself is a message too: when it ends, the owner is gone.
import type { Addresses, Installed, ServerName, Settings } from './servers/server.ts';
import type { Choice } from './state.ts';

export type ServerSpec = { name: ServerName; choice: Choice; installed: Installed; addresses: Addresses };

export type StackSpec = {
  name: string;
  folder: string;
  dataDir: string;
  owned: boolean;
  ownerPid: number;
  keepData: boolean;
  settings: Settings;
  servers: ServerSpec[];
};

export type ToSupervisor = { type: 'start'; spec: StackSpec };

export type FromSupervisor =
  | { type: 'log'; line: string }
  | { type: 'ready'; env: Addresses }
  | { type: 'failed'; problem: { what: string; where: string; next: string } };
