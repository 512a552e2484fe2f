#!/usr/bin/env node
// The page under load: as many as 200 apps at once, and a key's echo, idle and beside an app that floods.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { with_copies } from '../../tests/browser/copies.mjs';
import { browse, serve, Session } from '../../tests/browser/drive.mjs';

const APPS = 200, KEYS = 100;

const percentile = (values, p) => values.sort((a, b) => a - b)[Math.ceil(values.length * p / 100) - 1];
const figure = (name, value, unit) =>
  console.log(`BENCH browserload.${name} ${value.toFixed(Number.isInteger(value) || value >= 10 ? 0 : 2)} ${unit}`);

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

// Milliseconds from the keys that start an app and ask it until its answer is drawn; null: it has none.
const start_and_ask = (page, name, number) => page.evaluate(([keys, wanted]) => new Promise(resolve => {
  const { terminal } = self.vyoma, write = terminal.write.bind(terminal);
  const decoder = new TextDecoder(), begin = performance.now();
  let text = '';
  const finish = result => {
    terminal.write = write;
    resolve(result);
  };
  terminal.write = (data, done) => write(data, () => {
    text += decoder.decode(data);
    if (text.includes(wanted))
      finish(performance.now() - begin);
    done?.();
  });
  setTimeout(finish, 30000, null);
  terminal.input(keys);
}), [`start ${name}\r${name}: ${number}+1000\r`, `${name}: = ${number + 1000}`]);

// Until one does not answer: a browser may hold fewer than the core would.
async function many(s, profile) {
  const before = memory(profile), begin = performance.now(), times = [];
  for (let i = 1; i <= APPS; i++) {
    const time = await start_and_ask(s.page, `many-${i}`, i);
    if (time === null)
      break;
    times.push(time);
  }
  figure('apps_at_once', times.length, 'apps');
  figure('apps_start', (performance.now() - begin) / 1000, 's');
  figure('apps_memory', memory(profile) - before, 'MiB');
  report('apps_start_each', times);
  report('key_echo_apps', await echoes(s.page));
}

function report(name, times) {
  figure(`${name}_p50`, percentile(times, 50), 'ms');
  figure(`${name}_p99`, percentile(times, 99), 'ms');
}

const work = mkdtempSync(join(tmpdir(), 'vyoma-load-'));
const server = await serve(with_copies(work, APPS, () => 'calculator')), browser = await browse();
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
