// Installs what package-lock.json asks for, with progress, once at a time per checkout.
// Promises: the stamp names the lock file that node_modules was installed from; it is written last.
// When it dies: no stamp, and the lock folder names a dead process, so the next entry starts over.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const neededMb = 3 * 1024;
const packagesMb = 1100;

/** Ends the process with what went wrong, where, and what to do next. */
export function fail(what, where, next) {
  console.error(`\n${what}\n  where: ${where}\n  next:  ${next}\n`);
  process.exit(1);
}

function lockHash(checkout) {
  return createHash('sha256')
    .update(readFileSync(join(checkout, 'package-lock.json')))
    .digest('hex');
}

function stampPath(checkout) {
  return join(checkout, 'node_modules', '.trueup-lock');
}

/** True when node_modules was installed from the package-lock.json that lies there now. */
export function packagesAreCurrent(checkout) {
  try {
    return readFileSync(stampPath(checkout), 'utf8').trim() === lockHash(checkout);
  } catch {
    return false;
  }
}

/** Runs `npm ci`; two entries at once in one checkout take turns. */
export async function installPackages(checkout) {
  const release = await takeTurn(checkout);
  try {
    if (packagesAreCurrent(checkout)) return;
    checkDisk(checkout);
    const startedAt = Date.now();
    const { code, stderr } = await npmCi(checkout);
    if (code !== 0) explain(code, stderr, checkout);
    writeFileSync(stampPath(checkout), lockHash(checkout));
    console.error(`installing packages … done ${Math.round((Date.now() - startedAt) / 1000)} s`);
  } finally {
    release();
  }
}

function checkDisk(checkout) {
  const free = freeMb(checkout);
  if (free === undefined || free >= neededMb) return;
  fail(
    'not enough disk',
    `${checkout}: ${Math.floor(free)} MB free`,
    'free 3 GB there (packages take 1.1 GB, servers and their data the rest)',
  );
}

/** Free space tells the progress without walking a hundred thousand files. */
function freeMb(folder) {
  if (typeof statfsSync !== 'function') return undefined;
  const { bavail, bsize } = statfsSync(folder);
  return (bavail * bsize) / 1024 ** 2;
}

function npmCi(checkout) {
  const freeBefore = freeMb(checkout);
  const startedAt = Date.now();
  const line = () => {
    const written = freeBefore === undefined ? 0 : Math.round(freeBefore - (freeMb(checkout) ?? 0));
    const share = Math.min(Math.max(written, 0), packagesMb);
    return `installing packages … ${Math.round((Date.now() - startedAt) / 1000)} s, about ${share} of ${packagesMb} MB`;
  };
  const tick = setInterval(
    () => (process.stderr.isTTY ? process.stderr.write(`\r${line()}`) : console.error(line())),
    process.stderr.isTTY ? 500 : 5000,
  );
  console.error('installing packages …');
  return new Promise((resolve) => {
    const child = spawn('npm', ['ci', '--no-progress', '--loglevel=error'], {
      cwd: checkout,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    const end = (code) => {
      clearInterval(tick);
      if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
      resolve({ code, stderr });
    };
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('error', (error) => {
      stderr += error.code;
      end(-1);
    });
    child.on('close', end);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => (child.kill(), process.exit(130)));
  });
}

function explain(code, stderr, checkout) {
  const where = `npm ci in ${checkout}`;
  if (code === -1 && stderr.includes('ENOENT'))
    fail('npm is missing', 'PATH', 'install npm 10 or later; it comes with Node');
  console.error(stderr.trim());
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/.test(stderr)) {
    fail(
      'the package registry does not answer',
      where,
      'check the network or npm’s proxy settings, then run the same command again',
    );
  }
  if (stderr.includes('ENOSPC')) fail('the disk is full', where, 'free 3 GB and run the same command again');
  if (stderr.includes('EACCES'))
    fail('npm may not write here', where, 'make the checkout yours (chown), then run the same command again');
  if (stderr.includes('EUSAGE')) {
    fail(
      'package-lock.json does not match package.json',
      where,
      'take the committed package-lock.json (git checkout package-lock.json)',
    );
  }
  fail(
    `npm ci ended with code ${code}`,
    where,
    'read npm’s words above; remove node_modules and run the same command again',
  );
}

/** A file as a lock: creating it is atomic, and its owner's pid tells whether it is still held. */
async function takeTurn(checkout) {
  const folder = join(checkout, '.stack');
  const lock = join(folder, 'npm-ci.lock');
  mkdirSync(folder, { recursive: true });
  for (let waited = 0; ; waited += 1) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST')
        fail('the checkout is not writable', `${lock}: ${error.code}`, 'make the checkout yours (chown)');
    }
    if (!ownerLives(lock)) rmSync(lock, { force: true });
    else if (waited === 0) console.error('another command is installing packages here; waiting for it …');
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

function ownerLives(lock) {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}
