// A program that owns a stack and does nothing else, for tests that kill it. Prints the stack's folder once it is up.
import { startStack } from '../stack.ts';

const [name = 'owner', ...servers] = process.argv.slice(2);
const stack = await startStack({
  name,
  servers: servers as Parameters<typeof startStack>[0]['servers'],
  ignoreGiven: true,
});
console.log(stack.folder);
setInterval(() => undefined, 60_000);
