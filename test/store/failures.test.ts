import { describe, expect, it } from 'vitest';
import { classifyFailure } from '../../src/store/dialects/failures.js';
import { StoreUnavailable } from '../../src/store/errors.js';

function databaseError(code: string): Error {
  return Object.assign(new Error('said by the database'), { severity: 'ERROR', code });
}

describe('a failed statement', () => {
  it.each([
    ['08006', true],
    ['57P01', true],
    ['57P03', true],
    ['25P03', true],
    ['53300', false],
    ['53100', false],
    ['57014', false],
    ['25006', false],
    ['55P03', false],
  ])('is "not now" for SQLSTATE %s; connection lost: %s', (code, isConnectionLost) => {
    const failure = classifyFailure(databaseError(code));
    expect(failure.error).toBeInstanceOf(StoreUnavailable);
    expect(failure.isConnectionLost).toBe(isConnectionLost);
  });

  it.each(['23505', '22P02', '42P01', '42601', '40001'])('stays a fault for %s', (code) => {
    const cause = databaseError(code);
    expect(classifyFailure(cause)).toEqual({ error: cause, isConnectionLost: false });
  });

  it('is "not now" for what a driver says of its connection, keeping the cause', () => {
    const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const { error, isConnectionLost } = classifyFailure(cause);
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error).toMatchObject({ cause });
    expect(isConnectionLost).toBe(true);
  });

  it('stays a fault for wrong arguments', () => {
    const cause = new TypeError('circular');
    expect(classifyFailure(cause)).toEqual({ error: cause, isConnectionLost: false });
  });
});
