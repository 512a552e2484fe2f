#!/usr/bin/env node
// Places of one memory, without a browser: who gets what, and that a module in a place touches nothing else.
// timeout 60
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, finish } from './check.mjs';

const PAGE = 65536, PARTS = 'out/web-parts';
const work = mkdtempSync(join(tmpdir(), 'vyoma-places-'));
process.on('exit', () => rmSync(work, { recursive: true }));
// Node takes the page's files for modules only where a package says that they are.
for (const name of ['limit.js', 'place.js', 'places.js'])
  cpSync(join('hosts/browser/page', name), join(work, name));
writeFileSync(join(work, 'package.json'), '{ "type": "module" }');
const { free_from, place_bytes, put } = await import(join(work, 'place.js'));
const { LIMITS, Places } = await import(join(work, 'places.js'));
const wasi = new WebAssembly.Module(readFileSync(join(PARTS, 'wasi.wasm')));
const engine = new WebAssembly.Module(readFileSync(join(PARTS, 'engine.wasm')));

// The host's functions that a module imports: all is well, and written.
const imports = module => Object.fromEntries(WebAssembly.Module.imports(module)
  .filter(({ module: from }) => from === 'host').map(({ name }) => [name, name === 'stream_write' ? (fd, at, len) => len : () => 0]));

// Three places of one memory, all 0xa5; what does a module in the middle one touch? Bounds, or null.
function touched(module, size, use) {
  const memory = new WebAssembly.Memory({ initial: 3 * size / PAGE, maximum: 3 * size / PAGE, shared: true });
  const bytes = new Uint8Array(memory.buffer);
  bytes.fill(0xa5);
  use(put(module, memory, size, size, imports(module)), memory, size);
  const first = bytes.findIndex((byte, i) => byte !== 0xa5 || (i >= size && i < 2 * size));
  return [first, bytes.findLastIndex((byte, i) => byte !== 0xa5 || (i >= size && i < 2 * size)) + 1];
}

const start = { number: [1, 64, 1, 0], a: 'app\0', b: 'app\0' };
function begin(exports, memory) {
  const at = exports.packet(), head = new DataView(memory.buffer, at);
  head.setUint16(0, 1, true);
  head.setUint32(4, start.a.length, true);
  head.setUint32(8, start.b.length, true);
  start.number.forEach((n, i) => head.setInt32(12 + 4 * i, n, true));
  new Uint8Array(memory.buffer, at + 28, 8).set(new TextEncoder().encode(start.a + start.b));
  if (exports.start() < 0)
    throw new Error('start() refuses');
}

const within = ([first, end], size) => first >= size && end <= 2 * size;
const hello = readFileSync(join(PARTS, 'apps/hello/hello.wasm'));

await check('WASI in a place touches nothing of the next ones', () => {
  const size = place_bytes(wasi);
  return within(touched(wasi, size, begin), size);
});
await check('nor does our engine, with an app in it', () => {
  const size = place_bytes(engine, 4 << 20);
  return within(touched(engine, size, (exports, memory, at) => {
    exports.own_heap(at + free_from(engine), at + size);
    begin(exports, memory);
    const room = exports.own_room(hello.length);
    new Uint8Array(memory.buffer, room, hello.length).set(hello);
    exports.own_run(16);
  }), size);
});
await check('two in one memory have each their own', () => {
  const size = place_bytes(wasi), pages = 2 * size / PAGE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const [a, b] = [0, size].map(at => put(wasi, memory, at, 0, imports(wasi)));
  begin(a, memory);
  new Uint8Array(memory.buffer, a.scratch(), 4).fill(7);
  return b.packet() - a.packet() === size && new Uint8Array(memory.buffer, b.scratch(), 4).every(n => n === 0) &&
    new Uint8Array(memory.buffer, b.packet(), 40).every(n => n === 0);
});
await check('what was used before is cleared, and not more', () => {
  const size = place_bytes(wasi, 10 * PAGE), free = free_from(wasi);
  const memory = new WebAssembly.Memory({ initial: size / PAGE, maximum: size / PAGE, shared: true });
  const bytes = new Uint8Array(memory.buffer).fill(9);
  put(wasi, memory, 0, free + PAGE, imports(wasi));
  return bytes.subarray(free, free + PAGE).every(n => n === 0) && bytes[free + PAGE] === 9;
});

// --- who gets what

const kind = place => `${place.own ? 'engine' : 'browser'} ${place.memory ? 'shared' : 'alone'}`;

await check('first memories of their own, then WASI is shared, then our engine', () => {
  const places = new Places(wasi), seen = {};
  for (let i = 0; i < 256; i++) {
    const of = kind(places.for_browser(2));
    seen[of] = (seen[of] ?? 0) + 1;
  }
  console.log(`# ${JSON.stringify(seen)}, ${places.memories} memories`);
  return seen['browser alone'] === LIMITS.plenty / 2 && seen['engine shared'] > 100 &&
    seen['browser shared'] === LIMITS.scarce - LIMITS.plenty && places.memories <= 110;
});
await check('no two have the same place, and what is given back is given again', () => {
  const places = new Places(wasi), taken = Array.from({ length: 200 }, () => places.for_browser(2));
  const shared = taken.filter(place => place.memory);
  const overlaps = shared.some((a, i) => shared.some((b, j) => i < j && a.memory === b.memory &&
    a.begin < b.begin + b.size && b.begin < a.begin + a.size));
  const before = places.memories;
  taken.forEach(place => places.give_back(place, 1000));
  const again = Array.from({ length: 200 }, () => places.for_browser(2));
  return !overlaps && places.memories === before && again.filter(place => place.dirty === 1000).length > 150;
});
await check('a large app gets a memory of its own also when they are scarce', () => {
  const places = new Places(wasi);
  for (let i = 0; i < 256; i++)
    places.for_browser(2);
  return kind(places.for_browser(512)) === 'browser shared' && kind(places.for_browser(2)) === 'engine shared';
});
await check('an app that asks for our engine has a memory to itself while there are enough', () => {
  const places = new Places(wasi), first = places.for_own(1024);
  for (let i = 0; i < LIMITS.plenty; i++)
    places.for_own(1024);
  return kind(first) === 'engine alone' && first.size > 1024 * PAGE &&
    kind(places.for_own(1024)) === 'engine shared';
});

// --- the build's check

await check('a module with data of a fixed address is not made', () => {
  writeFileSync(join(work, 'fixed.c'), 'static int x; __attribute__((export_name("f"))) int *f(void) { return &x; }');
  const object = join(work, 'fixed.o'), out = join(work, 'fixed.wasm');
  spawnSync('clang', ['--target=wasm32-wasi', '-O2', '-c', join(work, 'fixed.c'), '-o', object]);
  const { status, stderr } = spawnSync('wasm-ld', ['-shared', '--experimental-pic', '--no-entry',
    '--import-memory', '--max-memory=65536', object, '-o', out]);
  return status !== 0 && /recompile with -fPIC/.test(stderr);
});

finish();
