#!/usr/bin/env node
// cpu_percent in a page: an app with a fifth of a processor does a fifth of the work.
// timeout 120
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browse, download, serve, Session } from './drive.mjs';
import { check, finish } from './check.mjs';

const ROUNDS = 3;

// What the app has counted, each of the rounds by itself: the two take turns, so that what else the
// machine does is in both.
async function counts(s, app, round) {
  await s.command(`start ${app}`);
  const pattern = new RegExp(`^\\[${app}\\] counted (\\d+)$`, 'gm');
  for (let tries = 0; tries < 600; tries++) {
    const hits = [...(await s.screen()).matchAll(pattern)];
    if (hits.length > round)
      return Number(hits[round][1]);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`${app} does not end`);
}

// The page's own code, without a page: what an app has waited is no work.
async function waiting_is_free() {
  const work = mkdtempSync(join(tmpdir(), 'vyoma-share-'));
  cpSync('hosts/browser/page/share.js', join(work, 'share.js'));
  writeFileSync(join(work, 'package.json'), '{ "type": "module" }');
  const { Share } = await import(join(work, 'share.js'));
  rmSync(work, { recursive: true });
  const share = new Share(50), words = new Int32Array(new SharedArrayBuffer(4));
  let waited = 0, longest = 0;
  for (let i = 0; i < 20; i++) {
    const begin = performance.now();
    Atomics.wait(words, 0, 0, 40);
    waited += performance.now() - begin;
    const before = performance.now();
    share.rest(waited);
    longest = Math.max(longest, performance.now() - before);
  }
  const begin = performance.now(); // and one that does not wait is held up
  while (performance.now() < begin + 60)
    ;
  share.rest(waited);
  console.log(`# at most ${longest.toFixed(1)} ms; after work ${(performance.now() - begin - 60).toFixed(1)} ms`);
  return longest < 20 && performance.now() - begin > 62;
}

await check('what an app waits is not counted', waiting_is_free);
const server = await serve('out/tests/browser/web'), browser = await browse();
const s = new Session(browser.context.pages()[0]);
try {
  await s.open(server.address);
  await s.shows(/^vyoma>/m);
  const all = [], part = [];
  for (let round = 0; round < ROUNDS; round++) {
    all.push(await counts(s, 'counter', round));
    part.push(await counts(s, 'limited', round));
  }
  console.log(`# without a limit ${all.join(', ')}; with a fifth ${part.join(', ')}`);
  const most = Math.max(...all), sorted = part.sort((a, b) => a - b);
  await check('cpu_percent = 20: a fifth of the work, and hardly more', () => sorted[ROUNDS >> 1] < 0.26 * most, s);
  await check('and not much less', () => sorted[ROUNDS - 1] > 0.05 * most, s);
  await check('it runs in our engine without asking for it', async () =>
    (await download(s.page, '#audit')).split('\n').some(line =>
      /"event":"spawn","app":"limited".*"engine":"vyoma"/.test(line)), s);
} finally {
  await browser.close();
  server.stop();
}
finish();
