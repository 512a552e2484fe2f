#!/usr/bin/env node
// The page in headless Chromium: from the first byte to the prompt, an app's start, a key's echo.
// Medians. Cold: a profile that has never seen the page. Warm: the page loaded again at once; later: by
// its service worker. Beside them, in the same rounds, a page that does nothing but begin a worker.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { browse, serve, Session } from '../../tests/browser/drive.mjs';

const ROUNDS = 5, FOLDER = 'out/web';

const median = values => values.sort((a, b) => a - b)[values.length >> 1];
const figure = (name, value, unit) =>
  console.log(`BENCH browser.${name} ${value.toFixed(value < 10 ? 2 : 0)} ${unit}`);

async function until(session, load, there) {
  const begin = performance.now();
  await load();
  await session.page.waitForFunction(there);
  return performance.now() - begin;
}

const until_prompt = (session, load) => until(session, load, () => {
  const buffer = self.vyoma?.terminal.buffer.active;
  return /^vyoma>/.test(buffer?.getLine(buffer.baseY + buffer.cursorY)?.translateToString() ?? '');
});

// Cold and warm of the page that does nothing.
async function empty_page(address, times) {
  const browser = await browse(), session = new Session(browser.context.pages()[0]);
  const there = () => document.querySelector('main').textContent !== '';
  times.cold.push(await until(session, () => session.open(address), there));
  times.warm.push(await until(session, () => session.page.reload(), there));
  await browser.close();
}

// The page by what its service worker has kept, once that has finished fetching.
async function until_prompt_later(session) {
  await session.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await session.page.waitForTimeout(500);
  await until_prompt(session, () => session.page.reload());
  return until_prompt(session, () => session.page.reload());
}

function boot_figures(page, empty) {
  for (const [name, times] of Object.entries(page)) {
    const beside = empty[name] ?? empty.warm;
    figure(`boot_${name}`, median(times), 'ms');
    figure(`boot_${name}_ratio`, median(times) / median(beside), 'x_empty_page');
  }
  for (const [name, times] of Object.entries(empty))
    console.log(`BENCH peer.browser.empty_page_${name} ${median(times).toFixed(0)} ms`);
}

// Milliseconds from the keys until the screen has one more of `text`, seen by the page itself.
function time_in_page(page, keys, text) {
  return page.evaluate(([keys, text]) => new Promise(resolve => {
    const { terminal } = self.vyoma;
    const seen = () => {
      let n = 0;
      for (let i = 0; i < terminal.buffer.active.length; i++)
        n += terminal.buffer.active.getLine(i).translateToString().split(text).length - 1;
      return n;
    };
    const before = seen(), begin = performance.now();
    const watch = terminal.onWriteParsed(() => {
      if (seen() === before)
        return;
      watch.dispose();
      resolve(performance.now() - begin);
    });
    terminal.input(keys);
  }), [keys, text]);
}

async function repeat(page, keys, text, after) {
  const times = [];
  for (let i = 0; i < 4 * ROUNDS; i++) {
    times.push(await time_in_page(page, keys, text));
    if (after)
      await page.evaluate(keys_ => self.vyoma.terminal.input(keys_), after);
    await page.waitForTimeout(50);
  }
  return median(times);
}

function sizes() {
  const bytes = names => names.reduce((sum, name) =>
    sum + gzipSync(readFileSync(join(FOLDER, name)), { level: 9 }).length, 0);
  const all = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name).slice(FOLDER.length + 1));
  figure('page_bytes_compressed', bytes(all), 'B');
  figure('core_bytes_compressed', bytes(all.filter(name => /\/(core|wasi)\.wasm$/.test(name))), 'B');
}

// Files of 8 KB written, synced and renamed over the one before, in the Origin Private File System,
// and a key's echo meanwhile. The app is one of the tests'.
async function files() {
  const server = await serve('out/tests/browser/web'), browser = await browse();
  const session = new Session(browser.context.pages()[0]), { page } = session;
  try {
    await until_prompt(session, () => session.open(server.address));
    await session.command('start replacer');
    await session.shows(/stored 20\n/);
    const stored = async () =>
      Math.max(...[...(await session.screen()).matchAll(/stored (\d+)\n/g)].map(hit => +hit[1]));
    const from = performance.now(), first = await stored();
    await page.waitForTimeout(3000);
    figure('file_replace', (performance.now() - from) / (await stored() - first), 'ms');
    figure('key_echo_beside_files', await repeat(page, 'z', 'z', '\x7f'), 'ms');
  } finally {
    await browser.close();
    server.stop();
  }
}

await files();
const server = await serve(FOLDER), empty_server = await serve('bench/browser/empty');
try {
  const boot = { cold: [], warm: [], later: [] }, empty = { cold: [], warm: [] };
  for (let i = 0; i < ROUNDS; i++) {
    await empty_page(empty_server.address, empty);
    const browser = await browse();
    const session = new Session(browser.context.pages()[0]);
    boot.cold.push(await until_prompt(session, () => session.open(server.address)));
    boot.warm.push(await until_prompt(session, () => session.page.reload()));
    boot.later.push(await until_prompt_later(session));
    if (i === ROUNDS - 1) {
      await session.page.waitForTimeout(500);
      figure('app_start', await repeat(session.page, 'start hello\r', 'Hello from Vyoma'), 'ms');
      figure('key_echo', await repeat(session.page, 'z', 'z', '\x7f'), 'ms');
      await session.command('start pong');
      await session.command('start ping');
      await session.shows(/us each/);
      const hit = (await session.screen()).match(/([\d.]+) us each/);
      figure('round_trip', Number(hit[1]), 'us');
    }
    await browser.close();
  }
  boot_figures(boot, empty);
  sizes();
} finally {
  server.stop();
  empty_server.stop();
}
