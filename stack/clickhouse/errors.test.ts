import { expect, test } from 'vitest';
import { EngineError, fromEngineMessage, httpStatus, toEngineError } from './errors.ts';

test("an engine's message keeps its code, type and text once", () => {
  const nested =
    'Query failed: Code: 73. DB::Exception: Code: 73. DB::Exception: Unknown format Nope. (UNKNOWN_FORMAT) (version 26.7.2.1). (UNKNOWN_FORMAT)';
  const error = fromEngineMessage(nested);
  expect([error.code, error.type, error.message]).toEqual([73, 'UNKNOWN_FORMAT', 'Unknown format Nope.']);
});

test('the text has the shape clients read', () => {
  const text = new EngineError(60, 'UNKNOWN_TABLE', 'Table t does not exist').toText();
  expect(text).toBe('Code: 60. DB::Exception: Table t does not exist. (UNKNOWN_TABLE) (version 26.7.2.1)\n');
});

test('statuses tell the mistakes of the caller from the troubles of the server', () => {
  expect([62, 60, 202, 48, 159, 241].map(httpStatus)).toEqual([400, 404, 503, 501, 408, 500]);
});

test('a message without a code is still an exception of the engine', () => {
  expect(fromEngineMessage('something broke').toText()).toBe(
    'Code: 1001. DB::Exception: something broke. (STD_EXCEPTION) (version 26.7.2.1)\n',
  );
});

test('a full disk is said as the engine says it, also when we ran into it before the engine', () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  expect(toEngineError(error)).toMatchObject({ code: 243, type: 'NOT_ENOUGH_SPACE' });
});
