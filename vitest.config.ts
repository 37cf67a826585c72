import { defineConfig } from 'vitest/config';

// Units run under a time zone that is neither UTC nor a whole number of hours away from it:
// local-time arithmetic that sneaks in fails here first.
process.env['TZ'] = 'Asia/Kathmandu';

const ignored = ['node_modules/**', 'out/**', '.stack/**'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...ignored, '**/*.it.test.ts', '**/*.e2e.test.ts'],
          maxWorkers: '100%',
        },
      },
      {
        test: {
          name: 'it',
          include: ['**/*.it.test.ts'],
          exclude: ignored,
          globalSetup: ['stack/testing/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['**/*.e2e.test.ts'],
          exclude: ignored,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // They wait for killed servers most of the time.
          maxWorkers: 2,
        },
      },
    ],
  },
});
