// Completes package-lock.json after `npm install`: `node stack/complete-lock.js`.
// A lock written on one platform may lack entries for the platform packages of others, and then `npm ci` refuses it
// everywhere. A stub of version, os and cpu is all npm needs, because it never installs a package of another platform.
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
const systems = ['darwin', 'linux', 'win32', 'freebsd', 'android', 'openharmony'];
const processors = ['arm64', 'x64', 'ia32', 'ppc64', 's390x', 'riscv64', 'arm'];

/** `@swc/core-linux-arm-gnueabihf` → linux on arm. A name that tells neither is left to npm's own complaint. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : undefined;
  return os === undefined || cpu === undefined ? undefined : { cpu: [cpu], ...(libc && { libc }), os: [os] };
}

let added = 0;
for (const [owner, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const known = [`${owner}/node_modules/${name}`, `node_modules/${name}`].some((key) => key in lock.packages);
    const platform = platformOf(name);
    if (known || platform === undefined) continue;
    lock.packages[`node_modules/${name}`] = { version, ...platform, optional: true };
    added += 1;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })),
);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added} platform packages completed`);
