#!/usr/bin/env node
// Vyoma in Firefox: what a person does first, and then the same transcript as on Linux.
// timeout 600
import { browse_firefox, serve, Session } from './drive.mjs';
import { check, finish } from './check.mjs';
import { compare } from './transcript/compare.mjs';

const NOTE = 'remember this';

// The page once more, as long as Firefox does not get it to its prompt (drive.mjs).
async function open(s, address, patience_ms) {
  for (let tries = 0; tries < 3; tries++) {
    await s.open(address);
    if (await s.shows(/^vyoma>/m, patience_ms))
      return true;
    console.log(`# no prompt within ${patience_ms} ms; loaded once more`);
  }
  return false;
}

// An app, started; and ended and started once more, as a person would, when it does not begin.
async function start(s, app, pattern, line) {
  for (let tries = 0; tries < 3; tries++) {
    await s.command(`start ${app}`);
    if (line)
      await s.command(`${app}: ${line}`);
    if (await s.shows(pattern))
      return true;
    console.log(`# ${app} did not begin; ended, and started again`);
    await s.command(`kill ${app}`);
    await s.shows(new RegExp(`killing ${app}`));
  }
  return false;
}

async function session(browser) {
  const server = await serve('out/tests/browser/web');
  const s = new Session(await browser.new_page());
  const starts = (name, app, pattern, line) => check(name, () => start(s, app, pattern, line), s);
  try {
    await check('the shell prompts', () => open(s, server.address, browser.patience_ms), s);
    await check('the page is isolated from others', () => s.page.evaluate(() => self.crossOriginIsolated), s);
    await starts('an app runs and its output is shown', 'hello', /\[hello\] Hello from Vyoma/);
    await starts('an app answers', 'calculator', /^calculator: = 42/m, '6*7');
    await starts('a trap has our words, and its place', 'trapper',
                 /trapper: trap: integer divide by zero[^]*\(function \d+, offset 0x[0-9a-f]+\)/);
    await starts('a denied import is named with its manifest key', 'rogue-import',
                 /rogue-import: may not import vyoma\.net_connect: needs network\.connect in vyoma\.toml/);
    await starts('a spinning app begins', 'spinner', /\[spinner\] spinning/);
    await check('and the watchdog ends it', () => s.shows(/spinner: .*watchdog/), s);
    await starts('a note is taken', 'notes', /^notes: .*added/m, `add ${NOTE}`);
    await check('after a reload there is a prompt', () => open(s, server.address, browser.patience_ms), s);
    await starts('and the note is there', 'notes', new RegExp(`^notes: .*${NOTE}`, 'm'), 'list');
    await check('nothing breaks the content security policy', () =>
      !s.complaints.some(text => /Content.Security.Policy/.test(text)), s);
    await check('nothing is asked of anybody else', () =>
      s.requests.every(url => url.startsWith(server.address)), s);
    for (const text of s.complaints)
      console.log(`# console: ${text}`);
  } finally {
    await s.page.close();
    server.stop();
  }
}

const browser = await browse_firefox();
await session(browser);
await compare(browser, 'SpiderMonkey', ['host']);
finish();
