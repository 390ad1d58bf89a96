import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  afterDiscover,
  afterDiscoverFailed,
  afterInitialize,
  eraOf,
  firstStep,
  type Negotiation,
  SPOKEN_VERSIONS,
} from '../../../mcp/client/negotiation.ts';

const unsupported = (supported: unknown) => ({ code: -32022, message: 'unsupported', data: { supported } });

test('a client begins as it is told: by asking, with a session, or with the revision it is pinned to', () => {
  assert.deepEqual(firstStep('auto', false), { do: 'discover', version: '2026-07-28' });
  assert.deepEqual(firstStep('auto', true), { do: 'initialize', version: '2025-11-25' });
  assert.deepEqual(firstStep('legacy', false), { do: 'initialize', version: '2025-11-25' });
  assert.deepEqual(firstStep({ pin: '2026-07-28' }, true), { do: 'discover', version: '2026-07-28' });
  for (const pin of ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']) {
    assert.deepEqual(firstStep({ pin }, false), { do: 'initialize', version: pin });
  }
});

test('an answer to server/discover is an agreement if there is a common revision', () => {
  const result = {
    supportedVersions: ['2025-11-25', '2026-07-28'],
    capabilities: { tools: {} },
    instructions: 'be kind',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 's', version: '1' } },
  };
  assert.deepEqual(afterDiscover('auto', '2026-07-28', result), {
    do: 'agree',
    agreed: {
      version: '2026-07-28',
      era: 'stateless',
      server: { name: 's', version: '1' },
      capabilities: { tools: {} },
      instructions: 'be kind',
    },
  });
});

test('a server that serves sessions only gets the newest revision that it names', () => {
  const step = afterDiscover('auto', '2026-07-28', { supportedVersions: ['2025-03-26', '2025-06-18'] });
  assert.deepEqual(step, { do: 'initialize', version: '2025-06-18' });
});

test('an error or silence after server/discover means a session; for a pinned client it is the end', () => {
  const notFound = { code: -32601, message: 'no such method' };
  assert.deepEqual(afterDiscoverFailed('auto', notFound, 1, ''), { do: 'initialize', version: '2025-11-25' });
  assert.deepEqual(afterDiscoverFailed('auto', undefined, 1, 'silence'), { do: 'initialize', version: '2025-11-25' });
  const step = afterDiscoverFailed({ pin: '2026-07-28' }, notFound, 1, '');
  assert.equal(step.do, 'give_up');
});

test('a server that names what it serves is asked once more, not for ever', () => {
  const error = unsupported(['2026-07-28']);
  assert.deepEqual(afterDiscoverFailed('auto', error, 1, ''), { do: 'discover', version: '2026-07-28' });
  assert.deepEqual(afterDiscoverFailed('auto', error, 2, ''), { do: 'initialize', version: '2025-11-25' });
  assert.equal(afterDiscoverFailed({ pin: '2026-07-28' }, error, 2, '').do, 'give_up');
});

test('an answer to initialize must name a revision of sessions that the client speaks', () => {
  const agreed = (version: string, wanted: Negotiation = 'legacy') =>
    afterInitialize(wanted, { protocolVersion: version, capabilities: {}, serverInfo: { name: 's', version: '1' } }).do;
  for (const version of SPOKEN_VERSIONS) {
    assert.equal(agreed(version), eraOf(version) === 'sessions' ? 'agree' : 'give_up', version);
  }
  assert.equal(agreed('2023-01-01'), 'give_up');
  assert.equal(agreed('2025-06-18', { pin: '2025-11-25' }), 'give_up');
  assert.equal(agreed('2025-06-18', { pin: '2025-06-18' }), 'agree');
  assert.equal(afterInitialize('legacy', { capabilities: {} }).do, 'give_up');
});

test('property: whatever a server answers, the next step is one of four and never throws', () => {
  const wanted = fc.constantFrom<Negotiation>('auto', 'legacy', { pin: '2026-07-28' }, { pin: '2025-06-18' });
  fc.assert(
    fc.property(wanted, fc.jsonValue(), fc.integer({ min: 1, max: 3 }), (negotiation, value, asked) => {
      const steps = [
        afterDiscover(negotiation, '2026-07-28', value),
        afterInitialize(negotiation, value),
        afterDiscoverFailed(negotiation, { code: -32022, message: '', data: value }, asked, ''),
      ];
      for (const step of steps) assert.ok(['discover', 'initialize', 'agree', 'give_up'].includes(step.do));
    }),
  );
});
