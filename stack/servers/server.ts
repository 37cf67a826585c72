// What the stack knows about one server. A new server is one file of this shape and one line in table.ts.
import type { Log } from '../cache.ts';
import type { Program } from '../leash.ts';

export type ServerName =
  | 'kafka'
  | 'clickhouse'
  | 'temporal'
  | 'temporal-test'
  | 'postgres'
  | 'redis'
  | 'stripe'
  | 'prometheus'
  | 'alertmanager';

/** The TRUEUP_* variables by which product code reaches a server. */
export type Addresses = Record<string, string>;
/** What `install` found or fetched: paths by name, passed on to the supervisor as JSON. */
export type Installed = Record<string, string>;
export type Ports = Record<string, number>;

/** Where the servers of one stack are, whoever runs them. */
export type Peers = Partial<Record<ServerName, { addresses: Addresses; ports: Ports }>>;

/** What a stack's user may choose for its servers; every part has a default. Paths are absolute. */
export type Settings = {
  prometheus?: {
    /** Files of rules; by default the generated ones of dashboards/. */
    ruleFiles?: readonly string[];
    /** Between two scrapes of a target, and between two evaluations of a rule. 15 s by default. */
    everyMs?: number;
    /** The external label `env` of all its alerts. `dev` by default. */
    env?: string;
  };
  alertmanager?: {
    /** By default the generated one of dashboards/. */
    configFile?: string;
    /** Values for its ${TRUEUP_…}s, before those of the environment. */
    variables?: Record<string, string>;
    /** For receivers whose variable is set nowhere. By default nobody listens there: their notifications fail. */
    otherwise?: string;
  };
};

export type StartContext = {
  /** The server's own data folder; it exists and outlives restarts of the server. */
  dataDir: string;
  ports: Ports;
  installed: Installed;
  settings: Settings;
  peers: Peers;
};

export type Server = {
  name: ServerName;
  /** The variables it provides. The first, when set by the user, means: use that server and start none. */
  variables: readonly [string, ...string[]];
  /** Names of the ports it listens on; the first one is its clients'. */
  ports: readonly string[];
  /** Its service in compose.yaml; undefined where only the native process exists. */
  composeService?: string;
  /** How long it may take from start to the first answer. */
  readyWithinMs: number;
  /** Finds or fetches the program. Quick when there is nothing to do. */
  install: (log: Log) => Promise<Installed>;
  /** Writes a configuration that names other servers to the data folder and returns its path; containers find it under the same path. */
  configure?: (context: StartContext) => Promise<string>;
  /** Prepares the data folder if it is new, and says what to run. */
  start: (context: StartContext) => Promise<Program>;
  addresses: (ports: Ports, installed: Installed) => Addresses;
  /** Resolves when a real request was answered, rejects otherwise; called until it resolves. */
  ready: (addresses: Addresses) => Promise<void>;
};

/** A port or address that must be there; its absence is a bug of the stack itself. */
export function must<T>(record: Record<string, T>, key: string): T {
  const value = record[key];
  if (value === undefined) throw new Error(`the stack did not provide "${key}"`);
  return value;
}
