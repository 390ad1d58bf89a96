/** Values round trip through a checked, encoded and decoded batch; what can not cross is refused by its path. */

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { addExtension, pack, unpack } from 'msgpackr';
import { Decoder, Encoder, IllFormedKeyError } from '../../../runtime/thread/codec.ts';
import { Crossing, type CrossingRules } from '../../../runtime/thread/crossing.ts';
import { NotTransferableError } from '../../../runtime/thread/not-transferable.ts';
import { transfer } from '../../../runtime/thread/transfer.ts';

/** Both sides of a channel, without the channel. */
class Line {
  readonly lost: unknown[] = [];
  readonly crossing: Crossing;
  readonly encoder: Encoder;
  readonly decoder: Decoder;

  constructor(rules: CrossingRules = {}) {
    this.crossing = new Crossing(rules);
    this.encoder = new Encoder(rules);
    this.decoder = new Decoder(rules);
  }

  cross(...frames: readonly (readonly unknown[])[]): unknown[][] {
    const parts = new Map<number, ArrayBufferLike>();
    const checked = frames.map((frame) => {
      const result = this.crossing.check(frame);
      for (const { number, buffer } of this.crossing.parts) parts.set(number, buffer);
      return result;
    });
    let bytes: Uint8Array;
    try {
      bytes = this.encoder.encode(checked, false);
    } catch (error) {
      if (!(error instanceof IllFormedKeyError)) throw error;
      bytes = this.encoder.encode(this.encoder.escapeKeys(checked), true);
    }
    if (this.encoder.takeFresh()) this.decoder.reset();
    const copy = Buffer.from(bytes);
    return this.decoder.decode(copy, copy.length, parts, (error) => this.lost.push(error));
  }

  value(value: unknown): unknown {
    return this.cross([0, value])[0]![1];
  }
}

const special = fc.constantFrom<unknown>(undefined, null, true, false, -0, 0, Number.NaN, Infinity, -Infinity, 2 ** 60);
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), loneSurrogates());
const key = fc.oneof(
  fc.string(),
  text,
  fc.constantFrom('__proto__', '__keys__', 'constructor', 'toJSON', 'length', ''),
);

function loneSurrogates(): fc.Arbitrary<string> {
  return fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 }).map((units) => String.fromCharCode(...units));
}

const bytes = fc.uint8Array({ maxLength: 40 });
const leaf = fc.oneof(
  special,
  fc.integer(),
  fc.double(),
  text,
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 700n), max: 2n ** 700n }),
  fc.date({ noInvalidDate: false }),
  fc.constantFrom(/a+/gi, /x/),
  bytes,
  bytes.map((each) => Buffer.from(each)),
  bytes.map((each) => Uint8Array.from(each).buffer),
  bytes.map((each) => new DataView(Uint8Array.from(each).buffer)),
  fc.float32Array({ maxLength: 5 }),
  fc.float64Array({ maxLength: 5 }),
  fc.int16Array({ maxLength: 5 }),
  fc.bigInt64Array({ maxLength: 5 }),
  fc.uint8ClampedArray({ maxLength: 5 }),
);
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(key, tie('value'), { maxKeys: 6, noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
  ),
}));

test('any value arrives equal, whatever crossed before it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(anyValue, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
      (batches) => {
        const line = new Line();
        for (const batch of batches) {
          const frames = batch.map((value, index) => [index, value]);
          assert.deepStrictEqual(line.cross(...frames), frames);
        }
        assert.deepEqual(line.lost, []);
      },
    ),
    { numRuns: 400 },
  );
});

test('more shapes of objects than the codec keeps arrive equal, in one batch and in many', () => {
  const line = new Line();
  const shape = (i: number): unknown[] => [i, { [`a${i % 300}`]: i, [`b${i % 7}`]: { [`c${i % 100}`]: 'x' } }];
  const all = Array.from({ length: 2_000 }, (_, i) => shape(i));
  assert.deepEqual(line.cross(...all), all);
  for (const frame of all) assert.deepEqual(line.cross(frame), [frame]);
});

test('a key of the prototype is a member like any other', () => {
  const value = new Line().value(JSON.parse('{"__proto__": {"admin": true}, "a": 1}')) as Record<string, unknown>;
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.deepEqual(Object.keys(value), ['__proto__', 'a']);
  assert.equal(value['admin'], undefined);
});

test('objects of very many keys, holes and objects without a prototype', () => {
  const line = new Line();
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key${i}`, i]));
  assert.deepEqual(line.value(many), many);
  // biome-ignore lint/suspicious/noSparseArray: that is what is tested
  assert.deepEqual(line.value([1, , 3]), [1, undefined, 3]);
  const bare = Object.assign(Object.create(null), { a: 1 });
  assert.deepEqual(line.value(bare), { a: 1 });
});

test('errors arrive as errors with their members', () => {
  class CustomError extends TypeError {
    override name = 'CustomError';
    code = 'ERR_CUSTOM';
    detail = { at: [1, 2] };
    callback = (): void => {};
  }
  const cause = new RangeError('inner');
  const sent = new CustomError('outer', { cause });
  const got = new Line().value(sent) as CustomError;
  assert.ok(got instanceof TypeError);
  assert.equal(got.name, 'CustomError');
  assert.equal(got.message, 'outer');
  assert.equal(got.stack, sent.stack);
  assert.equal(got.code, 'ERR_CUSTOM');
  assert.deepEqual(got.detail, { at: [1, 2] });
  assert.equal('callback' in got, false, 'what can not cross is left out of an error');
  assert.ok(got.cause instanceof RangeError);
  assert.equal(got.cause.message, 'inner');
  const many = new Line().value(new AggregateError([new Error('a'), 'b'], 'all')) as AggregateError;
  assert.ok(many instanceof AggregateError);
  assert.equal(many.errors.length, 2);
  assert.equal((many.errors[0] as Error).message, 'a');
  const aborted = new Line().value(new DOMException('gone', 'AbortError')) as Error;
  assert.ok(aborted instanceof Error);
  assert.equal(aborted.name, 'AbortError');
  const circular = new Error('me');
  circular.cause = circular;
  assert.equal((new Line().value(circular) as Error).message, 'me');
});

test('instances of other classes arrive as their data', () => {
  class Point {
    x = 1;
    get y(): number {
      return 2;
    }
  }
  class Names extends Map<string, number> {}
  class Bytes extends Uint8Array {}
  assert.deepStrictEqual(new Line().value(new Point()), { x: 1 });
  assert.deepStrictEqual(new Line().value(new Names([['a', 1]])), new Map([['a', 1]]));
  assert.deepStrictEqual(new Line().value(new Bytes(3)), new Uint8Array(3));
  assert.deepStrictEqual(new Line().value(new (class extends Set<number> {})([1])), new Set([1]));
  assert.deepStrictEqual(new Line().value(new (class extends Date {})(5)), new Date(5));
});

test('a copy of a view holds its own bytes only', () => {
  const view = new Uint16Array(new ArrayBuffer(64), 8, 3).fill(7);
  const got = new Line().value(view) as Uint16Array;
  assert.deepEqual(got, view);
  assert.equal(got.buffer.byteLength, 6);
  assert.notEqual(got.buffer, view.buffer);
  const buffer = new Line().value(Buffer.from('abc'));
  assert.ok(Buffer.isBuffer(buffer));
});

test('shared memory is shared, with its views', () => {
  const memory = new SharedArrayBuffer(16);
  const [first, second] = new Line().value([memory, new Int32Array(memory, 4, 2)]) as [SharedArrayBuffer, Int32Array];
  assert.equal(first, memory);
  assert.equal(second.buffer, memory);
  assert.equal(second.byteOffset, 4);
  assert.equal(second.length, 2);
});

test('a marked buffer is transferred with its views, and detached when it is sent', () => {
  const line = new Line();
  const buffer = transfer(new ArrayBuffer(8));
  const view = new Uint8Array(buffer, 2, 3).fill(9);
  const got = line.value({ buffer, view, dates: [new Date(1)] }) as { buffer: ArrayBuffer; view: Uint8Array };
  assert.equal(buffer.byteLength, 0);
  assert.deepEqual([...new Uint8Array(got.buffer)], [0, 0, 9, 9, 9, 0, 0, 0]);
  assert.equal(got.view.buffer, got.buffer);
  assert.throws(() => line.value([view]), /frame\[1\]\[0\] is a view of a detached buffer/);
  const kept = transfer(new ArrayBuffer(8));
  assert.throws(() => line.value([kept, () => {}]), NotTransferableError);
  assert.equal(kept.byteLength, 8, 'what is refused is not taken');
  assert.throws(() => transfer('text' as never), /takes an ArrayBuffer/);
  assert.throws(() => transfer(Buffer.from('part of the pool')), /part of a larger one/);
});

test('what can not cross is refused by its path, and what to do instead', () => {
  const line = new Line({ fieldName: (_frame, index) => ['op', 'payload'][index]! });
  const refused = (value: unknown): string => {
    try {
      line.value(value);
    } catch (error) {
      assert.ok(error instanceof NotTransferableError);
      assert.equal(error.code, 'ERR_NOT_TRANSFERABLE');
      return error.message;
    }
    return assert.fail('it was not refused');
  };
  const users = [1, 2, 3, { callback: () => {} }];
  assert.match(refused({ users }), /^payload\.users\[3\]\.callback is a function; .*export of a module$/);
  assert.match(refused(Symbol('x')), /^payload is a symbol/);
  assert.match(refused({ 'a b': Promise.resolve() }), /^payload\["a b"\] is a promise: await it/);
  class Later {}
  Object.defineProperty(Later.prototype, 'then', { value: () => {} });
  assert.match(refused([new Later()]), /^payload\[0\] is a promise/);
  assert.match(refused(new Map([['k', new WeakMap()]])), /^payload\.get\(k\) holds weak references/);
  assert.match(refused(new Map([[() => {}, 1]])), /^payload\["a key of the Map"\] is a function/);
  assert.match(refused(new Set([1, new WeakRef({})])), /^payload\[1\] holds weak references/);
  assert.match(refused({ s: Readable.from([]) }), /^payload\.s is a stream/);
  assert.match(refused({ s: new EventEmitter() }), /^payload\.s is a stream or another source of events/);
  assert.match(refused({ s: new AbortController().signal }), /^payload\.s is a stream/);
  assert.match(refused(new Number(1)), /^payload is a boxed primitive/);
  assert.match(refused((function* () {})()), /^payload is a generator/);
  const circle: { inner: { list: unknown[] } } = { inner: { list: [] } };
  circle.inner.list.push(0, circle.inner);
  assert.match(refused(circle), /^payload\.inner\.list\[1\] is payload\.inner again: a circular structure/);
  let deep: unknown = 1;
  for (let i = 0; i < 300; i++) deep = [deep];
  assert.match(refused(deep), /^payload is nested more than 256 deep/);
  assert.match(refused(new Array(2 ** 30)), /^payload is part of a message of more than \d+ bytes/);
  const hostile = {
    get boom(): never {
      throw new Error('boom');
    },
  };
  assert.match(refused(hostile), /^the message can not be read/);
  assert.deepEqual(line.value({ fine: 1 }), { fine: 1 }, 'the line goes on');
});

test('a refusal names a function wherever it hides', () => {
  const line = new Line();
  const container = fc.constantFrom<(inner: unknown) => unknown>(
    (inner) => [1, inner],
    (inner) => ({ a: 1, b: inner }),
    (inner) => new Map([['k', inner]]),
    (inner) => new Set([inner]),
    (inner) => Object.assign(Object.create(null), { c: inner }),
  );
  fc.assert(
    fc.property(fc.array(container, { maxLength: 20 }), fc.array(anyValue, { maxLength: 3 }), (containers, others) => {
      const hidden = containers.reduce<unknown>(
        (inner, wrap) => wrap(inner),
        () => {},
      );
      assert.throws(
        () => line.crossing.check([0, ...others, hidden]),
        (error: Error) =>
          error instanceof NotTransferableError && error.message.startsWith(`frame[${others.length + 1}]`),
      );
    }),
  );
});

test('a getter that throws only when it is encoded leaves the line in order', () => {
  const line = new Line();
  line.cross([0, { known: 1 }]);
  let reads = 0;
  const trap = {
    brandNew: 1,
    get value(): number {
      if (++reads > 1) throw new Error('second time');
      return 1;
    },
  };
  assert.throws(() => line.cross([1, { known: 2 }], [2, { another: 1, trap }]), /second time/);
  assert.deepEqual(line.cross([3, { known: 3 }], [4, { another: 4 }]), [
    [3, { known: 3 }],
    [4, { another: 4 }],
  ]);
  reads = 0;
  const turnsIntoFunction = {
    get value(): unknown {
      return ++reads > 1 ? () => {} : 1;
    },
  };
  assert.throws(() => line.cross([1, turnsIntoFunction]), /a function turned up/);
  assert.deepEqual(line.value({ known: 5 }), { known: 5 });
});

class Point {
  readonly x: number;
  readonly y: number;
  constructor(x: number, y: number) {
    this.x = x;
    this.y = y;
  }
}
class Box {
  readonly content: unknown;
  constructor(content: unknown) {
    this.content = content;
  }
}

test('classes of the host, and objects that stand for something', () => {
  const line = new Line({
    classes: [
      { class: Point, tag: 0, flat: true, encode: ({ x, y }) => [x, y], decode: ([x, y]) => new Point(x, y) },
      { class: Box, tag: 1, encode: ({ content }) => content, decode: (content) => new Box(content) },
    ],
    encodeSpecial: (value) => ('run' in value && 'id' in value ? { id: value.id } : undefined),
    decodeSpecial: (data) => `behaviour ${data.id}`,
  });
  const point = new Point(1, 2);
  const behaviour = { id: 7, nested: { deep: () => {} }, run: () => {} };
  assert.deepStrictEqual(line.value({ from: point, box: new Box([point, -0]), behaviour }), {
    from: point,
    box: new Box([point, -0]),
    behaviour: 'behaviour 7',
  });
  assert.throws(() => line.value(new Box({ f: () => {} })), /^NotTransferableError: frame\[1\]\.f is a function/);
});

test('what can not be rebuilt costs its frame, not the batch nor what follows', () => {
  const sender = {
    class: Box,
    tag: 1,
    encode: ({ content }: Box) => content,
    decode: (): never => {
      throw new Error('bad');
    },
  };
  const line = new Line({ classes: [sender] });
  assert.deepEqual(line.cross([1, { a: 1 }], [2, { b: new Box(1) }], [3, { c: 1 }]), [
    [1, { a: 1 }],
    [3, { c: 1 }],
  ]);
  assert.match(String(line.lost), /bad/);
  assert.deepEqual(line.value({ c: 2, b: 1 }), { c: 2, b: 1 });
});

test('large buffers arrive equal, as copies taken when they were sent', () => {
  const line = new Line();
  const large = new Uint8Array(100_000).fill(4);
  const sent = [
    large,
    Buffer.from(large),
    new Float64Array(large.buffer, 8, 8_000),
    new DataView(large.buffer),
    large.buffer,
  ];
  const expected = structuredClone(sent);
  expected[1] = Buffer.from(large);
  const got = line.value(sent) as unknown[];
  assert.deepStrictEqual(got, expected);
  assert.ok(Buffer.isBuffer(got[1]));
  const checked = line.crossing.check([0, large]);
  large.fill(5);
  assert.equal(new Uint8Array(line.crossing.parts[0]!.buffer)[0], 4);
  assert.notEqual(checked[1], large);
});

test('an extension that the program gave to msgpackr does not reach messages', () => {
  class Own {
    a = 1;
  }
  addExtension({ Class: Own, type: 17, pack: () => Buffer.from('own'), unpack: () => new Own() });
  assert.deepStrictEqual(new Line().value([new Own(), new Date(1)]), [{ a: 1 }, new Date(1)]);
  assert.ok(unpack(pack(new Own())) instanceof Own, 'the program has its own as before');
});
