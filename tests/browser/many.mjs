#!/usr/bin/env node
// More apps than a browser has memories for, at once: they run, answer, and end; what they had is used again.
// timeout 300
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browse, download, serve, Session } from './drive.mjs';
import { check, finish } from './check.mjs';
import { with_copies } from './copies.mjs';

const APPS = 200, CORE_MOST = 256, COPIES = CORE_MOST + 4, NEXT = APPS + 2;
const BATCH = 10; // lines typed before their answers are waited for

// Every third keeps notes, in files; the others calculate.
const kind = i => i % 3 ? 'calculator' : 'notes';
const question = i => i % 3 ? `${i}+1000` : `add note ${i}`;
const listed = (i, sum) => new RegExp(`^many-${i}: ${i % 3 ? `= ${i + sum}` : `1  note ${i}`}$`, 'm');
const answer = i => new RegExp(i % 3 ? `^many-${i}: = ${i + 1000}$` : `^many-${i}: added$`, 'm');

// Faster than a person types, and as a paste arrives.
const type = (s, lines) =>
  s.page.evaluate(keys => self.vyoma.terminal.input(keys), lines.map(line => `${line}\r`).join(''));

// For each number its lines are typed, then its answer is waited for. Why not, or null.
async function in_batches(s, lines, answered, first = 1, end = APPS) {
  for (let from = first; from <= end; from += BATCH) {
    const some = Array.from({ length: Math.min(BATCH, end - from + 1) }, (_, i) => from + i);
    await type(s, some.flatMap(lines));
    for (const i of some)
      if (!await s.shows(answered(i), 30000))
        return `many-${i} does not answer`;
  }
  return null;
}

// Milliseconds from a key to its echo: the longest of some.
const slowest_echo = page => page.evaluate(async () => {
  const { terminal } = self.vyoma, write = terminal.write.bind(terminal);
  const decoder = new TextDecoder();
  let worst = 0, key, seen = () => {};
  terminal.write = (data, done) => write(data, () => {
    if (decoder.decode(data).includes(key))
      seen();
    done?.();
  });
  for (key of 'ABCDEFGHIJKLMNOPQRST') {
    const begin = performance.now(), echoed = new Promise(resolve => { seen = resolve; });
    terminal.input(key);
    await echoed;
    worst = Math.max(worst, performance.now() - begin);
    terminal.input('\x7f');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  terminal.write = write;
  return worst;
});

const must = async promise => {
  const why = await promise;
  if (why)
    throw new Error(why);
  return true;
};

const records = async (page, event) => (await download(page, '#audit')).split('\n')
  .filter(line => line.includes(`"event":"${event}"`)).map(line => JSON.parse(line));
const count = (list, engine) => list.filter(record => record.engine === engine).length;

async function all_run(s) {
  await check(`${APPS} apps of two kinds are started, and each answers`, () => must(in_batches(s,
    i => [`start many-${i}`, `many-${i}: ${question(i)}`], answer)), s);
  await check('all of them run', async () => {
    await s.command('status');
    return s.shows(new RegExp(`^up \\d+ s, ${APPS + 1} of ${APPS + 1} apps running`, 'm'));
  }, s);
  await check('and answer again', () => must(in_batches(s,
    i => [`many-${i}: ${i % 3 ? `${i}+5000` : 'list'}`], i => listed(i, 5000))), s);
  await check('the records say which engine runs them: more than sixty the browser\'s', async () => {
    const begun = await records(s.page, 'spawn');
    console.log(`# in the browser's engine ${count(begun, 'browser')}, in ours ${count(begun, 'vyoma')}`);
    return count(begun, 'browser') > 60 && count(begun, 'vyoma') > 100;
  }, s);
  await check('a key is echoed within 0.3 s', async () => {
    const worst = await slowest_echo(s.page);
    console.log(`# the slowest of 20: ${worst.toFixed(1)} ms`);
    return worst < 300;
  }, s);
}

// What ends by itself or is ended, beside all those.
async function others(s) {
  const has = (name, keys, pattern) =>
    check(name, async () => { await s.command(keys); return s.shows(pattern); }, s);
  await has('in a shared memory too memory ends where the manifest says', 'start grower',
            /\[grower\] at most 16 pages/);
  await has('and a trap is told with function and offset', 'start trapper',
            /trapper: trap: integer divide by zero[^]*\(function \d+, offset 0x[0-9a-f]+\)/);
  await has('and an import that is not granted is refused', 'start rogue-import',
            /rogue-import: may not import vyoma\.net_connect: needs network\.connect in vyoma\.toml/);
  await s.command('start spinner');
  await s.shows(/\[spinner\] spinning/);
  await s.command('kill spinner');
  await has('the place of one that is killed while it computes is not given away too early',
            `start many-${NEXT}`, new RegExp(`starting many-${NEXT}$`, 'm'));
  await check('whoever comes next answers', async () => {
    await s.command(`many-${NEXT}: 1+1`);
    return s.shows(new RegExp(`^many-${NEXT}: = 2$`, 'm'), 20000);
  }, s);
}

async function more_than_the_core_has(s) {
  await in_batches(s, i => [`start many-${i}`], i => new RegExp(`(starting|another app:) many-${i}$`, 'm'),
                   NEXT + 1, COPIES);
  await check('beyond the core\'s bound an app is refused, and the reason is said', () =>
    s.shows(new RegExp(`no room for another app: many-${COPIES}$`, 'm'), 60000), s);
  await check('and those that run go on', async () => {
    await s.command('many-1: 2*3');
    return s.shows(/^many-1: = 6$/m, 20000);
  }, s);
}

async function again(s) {
  await check('all are killed', async () => {
    await in_batches(s, i => [`kill many-${i}`], i => new RegExp(`(killing|: ) ?many-${i}$`, 'm'), 1, COPIES);
    await s.command('clear');
    for (let tries = 0; tries < 40; tries++) {
      await s.command('status');
      if (await s.shows(/^up \d+ s, 1 of \d+ apps running/m, 500))
        return true;
    }
    return false;
  }, s);
  const before = (await records(s.page, 'spawn')).length;
  await check('and started again, in what the others had', () => must(in_batches(s,
    i => [`start many-${i}`, `many-${i}: ${i % 3 ? `${i}+7000` : 'list'}`], i => listed(i, 7000))), s);
  await check('the first of them in the browser\'s engine again', async () => {
    const begun = (await records(s.page, 'spawn')).slice(before);
    return begun.length >= APPS && count(begun, 'browser') > 60;
  }, s);
}

// The page hogs all memories that the browser has, then all but one.
async function without_memories(address) {
  const browser = await browse(), s = new Session(browser.context.pages()[0]);
  try {
    await s.open(address);
    await s.shows(/^vyoma>/m);
    await s.page.evaluate(() => {
      self.hog = [];
      try {
        for (;;)
          self.hog.push(new WebAssembly.Memory({ initial: 1, maximum: 1 }));
      } catch { /* that is all */ }
    });
    await s.command('start calculator');
    await check('an app that there is no memory for is refused, and the reason is said', () =>
      s.shows(/calculator: no memory for one more app: /, 30000), s);
    await s.page.evaluate(() => { self.hog.pop(); });
    await (await browser.context.newCDPSession(s.page)).send('HeapProfiler.collectGarbage');
    await s.command('start calculator');
    await s.command('calculator: 3*5');
    await check('one for which the browser has no memory of its own runs in our engine', async () =>
      await s.shows(/^calculator: = 15$/m, 30000) && await records(s.page, 'spawn').then(begun =>
        begun.findLast(record => record.app === 'calculator').engine === 'vyoma'), s);
  } finally {
    await browser.close();
  }
}

async function reloaded(s) {
  await s.page.reload();
  await check('after all that a reloaded page has memories for its apps', async () =>
    await s.shows(/^vyoma>/m, 30000) && (await s.command('start calculator'),
    await s.command('calculator: 4*5'), await s.shows(/^calculator: = 20$/m, 20000)), s);
}

const work = mkdtempSync(join(tmpdir(), 'vyoma-many-'));
const server = await serve(with_copies(work, COPIES, kind)), browser = await browse();
try {
  const s = new Session(browser.context.pages()[0]);
  await s.open(server.address);
  await s.shows(/^vyoma>/m);
  await s.page.evaluate(() => { self.vyoma.terminal.options.scrollback = 5000; });
  await all_run(s);
  await others(s);
  await more_than_the_core_has(s);
  await again(s);
  await reloaded(s);
  await without_memories(server.address);
  for (const text of s.complaints)
    console.log(`# console: ${text}`);
} finally {
  await browser.close();
  server.stop();
  rmSync(work, { recursive: true });
}
finish();
