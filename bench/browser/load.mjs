#!/usr/bin/env node
// The page under load: as many as 200 apps at once, and a key's echo, idle and beside an app that floods.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browse, serve, Session } from '../../tests/browser/drive.mjs';

const PARTS = 'out/tests/browser/parts', APPS = 200, KEYS = 100;

const percentile = (values, p) => values.sort((a, b) => a - b)[Math.ceil(values.length * p / 100) - 1];
const figure = (name, value, unit) =>
  console.log(`BENCH browserload.${name} ${value.toFixed(Number.isInteger(value) || value >= 10 ? 0 : 2)} ${unit}`);

// The page's folder with as many calculators: they wait for messages.
function prepare(work) {
  const parts = join(work, 'parts');
  cpSync(PARTS, parts, { recursive: true });
  const manifest = readFileSync(join(parts, 'apps/calculator/vyoma.toml'), 'utf8');
  for (let i = 1; i <= APPS; i++) {
    const folder = join(parts, `apps/many-${i}`);
    mkdirSync(folder);
    cpSync(join(parts, 'apps/calculator/calculator.wasm'), join(folder, 'calculator.wasm'));
    writeFileSync(join(folder, 'vyoma.toml'),
                  manifest.replace('name = "calculator"', `name = "many-${i}"`));
  }
  const sealed = spawnSync('node', ['hosts/browser/seal.mjs', parts, join(work, 'web')]);
  if (sealed.status !== 0)
    throw new Error(String(sealed.stderr));
  return join(work, 'web');
}

// MiB of the browser's processes, shared pages by their part.
function memory(profile) {
  const parent = new Map();
  let root = null, sum = 0;
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name)))
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      parent.set(pid, readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) \S /s, '').split(' ')[0]);
      if (words.includes(`--user-data-dir=${profile}`) && !words.includes('--type='))
        root = pid;
    } catch { /* it has just ended */ }
  for (const pid of parent.keys()) {
    let up = pid;
    while (up && up !== root)
      up = parent.get(up);
    if (up)
      sum += Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss: +(\d+)/m)[1]);
  }
  return sum / 1024;
}

// From a key until the page has drawn it: each time another one, so that no older echo counts.
function echoes(page) {
  return page.evaluate(async count => {
    const { terminal } = self.vyoma, write = terminal.write.bind(terminal);
    const decoder = new TextDecoder(), keys = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', times = [];
    let key, seen = () => {};
    terminal.write = (data, done) => write(data, () => {
      if (decoder.decode(data).includes(key))
        seen();
      done?.();
    });
    for (let i = 0; i < count; i++) {
      key = keys[i % keys.length];
      const begin = performance.now(), echoed = new Promise(resolve => { seen = resolve; });
      terminal.input(key);
      await echoed;
      times.push(performance.now() - begin);
      terminal.input('\x7f');
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    terminal.write = write;
    return times;
  }, KEYS);
}

// Until one does not answer: a browser may hold fewer than the core would.
async function many(s, profile) {
  const before = memory(profile), begin = performance.now();
  let alive = 0, time = 0;
  for (; alive < APPS; alive++, time = performance.now() - begin) {
    const name = `many-${alive + 1}`;
    await s.command(`start ${name}`);
    await s.command(`${name}: ${alive}+1000`);
    await s.shows(new RegExp(`^${name}: = ${alive + 1000}$|${name}: (ended|is not)`, 'm'), 30000);
    if (!new RegExp(`^${name}: = ${alive + 1000}$`, 'm').test(await s.screen()))
      break;
  }
  figure('apps_at_once', alive, 'apps');
  figure('apps_start', time / 1000, 's');
  figure('apps_memory', memory(profile) - before, 'MiB');
}

function report(name, times) {
  figure(`${name}_p50`, percentile(times, 50), 'ms');
  figure(`${name}_p99`, percentile(times, 99), 'ms');
}

const work = mkdtempSync(join(tmpdir(), 'vyoma-load-'));
const server = await serve(prepare(work)), browser = await browse();
try {
  const s = new Session(browser.context.pages()[0]);
  await s.open(server.address);
  await s.shows(/^vyoma>/m);
  await s.page.waitForTimeout(2000); // for the service worker to have all files
  report('key_echo', await echoes(s.page));
  await s.command('start flood');
  await s.shows(/\[flood\]/);
  report('key_echo_flood', await echoes(s.page));
  await s.command('kill flood');
  await s.shows(/killing flood/, 20000);
  await many(s, browser.profile);
} finally {
  await browser.close();
  server.stop();
  rmSync(work, { recursive: true });
}
