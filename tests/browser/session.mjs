#!/usr/bin/env node
// What a person sees of Vyoma in a page.
// timeout 120
import { spawnSync } from 'node:child_process';
import { browse, download, serve, Session } from './drive.mjs';
import { check, finish } from './check.mjs';
import { chained } from './chain.mjs';

// What the same folder's app says under the supervisor of the build machine.
function on_linux(app) {
  const ran = spawnSync('out/bin/vyoma', ['run', `out/tests/browser/parts/apps/${app}`]);
  return String(ran.stdout) + String(ran.stderr);
}

const trap_lines = text =>
  [...text.matchAll(/at \S+ \(function \d+, offset 0x[0-9a-f]+\)/g)].map(hit => hit[0]);

async function apps(s) {
  const has = (name, keys, pattern) =>
    check(name, async () => { await s.command(keys); return s.shows(pattern); }, s);
  await has('ps lists the shell', 'ps', /^shell\s+0\s+running/m);
  await has('an app runs and its output is shown', 'start hello', /\[hello\] Hello from Vyoma/);
  await has('start calculator', 'start calculator', /starting calculator/);
  await has('an app answers a message', 'calculator: 6*7', /^calculator: = 42/m);
  await has('a denied import is named with its manifest key', 'start rogue-import',
            /rogue-import: may not import vyoma\.net_connect: needs network\.connect in vyoma\.toml/);
  await has('a changed byte is refused', 'start changed',
            /changed: the module's hash is not the wasm_sha256 of vyoma\.toml/);
  await has('an app that is not there is not found', 'start nothing',
            /there is no app called nothing/);
  await has('a trap is reported in our words, with function and offset', 'start trapper',
            /trapper: trap: integer divide by zero[^]*\(function \d+, offset 0x[0-9a-f]+\)/);
  await check('function, offset and backtrace are those of our engine on Linux', async () => {
    const linux = trap_lines(on_linux('trapper'));
    return linux.length > 0 && linux.join() === trap_lines(await s.screen()).join();
  }, s);
  await has('memory ends where the manifest says', 'start grower', /\[grower\] at most 16 pages/);
  await has('typed messages go from app to app', 'start pong', /starting pong/);
  await has('and back', 'start ping', /\[ping\].*round trips/);
}

// What a person does with a terminal, without a mouse.
async function terminal(s) {
  const { page } = s, count = pattern => s.screen().then(text => (text.match(pattern) ?? []).length);
  await s.command('clear');
  await s.command('calculator: 20+1');
  await s.shows(/calculator: = 21/);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await check('history: the line before comes back', async () => {
    for (let tries = 0; tries < 100 && await count(/calculator: = 21/g) < 2; tries++)
      await new Promise(resolve => setTimeout(resolve, 20));
    return await count(/calculator: = 21/g) === 2;
  }, s);
  await s.type('calculator: 5x5');
  for (const key of ['ArrowLeft', 'Backspace'])
    await page.keyboard.press(key);
  await s.type('*');
  await page.keyboard.press('Enter');
  await check('a line is edited in its middle', () => s.shows(/^calculator: = 25/m), s);
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.setData('text/plain', 'calculator: 30+3');
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
  });
  await page.keyboard.press('Enter');
  await check('text is pasted', () => s.shows(/^calculator: = 33/m), s);
  await check('what is selected is copied', () => page.evaluate(() => {
    self.vyoma.terminal.selectAll();
    const data = new DataTransfer();
    document.activeElement.dispatchEvent(new ClipboardEvent('copy', { clipboardData: data, bubbles: true }));
    self.vyoma.terminal.clearSelection();
    return /calculator: = 33/.test(data.getData('text/plain'));
  }), s);
  await check('a screen reader finds the lines as text', async () => {
    await page.waitForFunction(() => /calculator: = 33/.test(
      document.querySelector('.xterm-accessibility-tree')?.textContent.replaceAll('\u00a0', ' ') ?? ''),
      null, { timeout: 5000 });
    return true;
  }, s);
  const before = await page.evaluate(() => self.vyoma.terminal.cols);
  await page.setViewportSize({ width: 500, height: 400 });
  await page.waitForFunction(cols => self.vyoma.terminal.cols < cols, before);
  await s.command('calculator: 40+4');
  await check('a smaller window has fewer columns, and goes on', () => s.shows(/^calculator: = 44/m), s);
  await page.setViewportSize({ width: 1280, height: 720 });
  await s.command('audit tail 3');
  await check('audit shows the last records', () => s.shows(/(^\{"ts":.*"prev":"[0-9a-f]{64}"\}\n){3}/m), s);
}

async function stopping(s) {
  await s.command('start spinner');
  await check('a spinning app begins', () => s.shows(/\[spinner\] spinning/), s);
  await check('and the watchdog ends it', () => s.shows(/spinner: .*watchdog/), s);
  await s.command('start flood');
  await check('beside a flood', () => s.shows(/\[flood\] flood/), s);
  await s.command('kill flood');
  await check('the shell still works, and ends it', () => s.shows(/killing flood/, 20000), s);
  await s.command('calculator: 100-1');
  await check('then everything goes on', () => s.shows(/^calculator: = 99/m, 20000), s);
}

// The terminal is there before the shell is: whoever types then is no less heard.
async function hurried(s, address) {
  const TIMES = 5;
  let heard = 0;
  for (let i = 0; i < TIMES; i++) {
    await s.page.goto(address, { waitUntil: 'commit' });
    await s.page.locator('.xterm-helper-textarea').focus();
    await s.command('ps');
    heard += await s.shows(/^shell\s+0\s+running/m);
  }
  await check('what is typed at once reaches the shell, each time', () => heard === TIMES, s);
}

async function main() {
  const server = await serve('out/tests/browser/web');
  const browser = await browse();
  const page = browser.context.pages()[0];
  const s = new Session(page);
  try {
    await s.open(server.address);
    await check('the shell prompts', () => s.shows(/^vyoma>/m), s);
    // The document, five scripts, two sheets, two workers, two modules, first.bin; manifest and icon.
    await check('for which it has asked its server at most 16 times', () => s.requests.length <= 16, s);
    await check('and for no app by itself', () => !s.requests.some(url => url.includes('/apps/')), s);
    await check('the page is isolated from others', () =>
      page.evaluate(() => self.crossOriginIsolated), s);
    await apps(s);
    await terminal(s);
    const log = await download(page, '#audit');
    await check('the audit log is chained', () => chained(log), s);
    await check('a changed record would show', () => !chained(log.replace('hello', 'hallo')), s);
    await check('the refusals are in it', () => /"event":"cap_deny","app":"rogue-import"/.test(log) &&
      /"event":"verify","app":"changed","result":"mismatch"/.test(log), s);
    await stopping(s);
    await hurried(s, server.address);
    await s.command('poweroff');
    await check('poweroff ends the system', async () => {
      await page.waitForFunction(() =>
        /has ended/.test(document.getElementById('notice').textContent), null, { timeout: 10000 });
      return true;
    }, s);
    await check('nothing is asked of anybody else', () =>
      s.requests.every(url => url.startsWith(server.address)), s);
    await check('a colour that is no class reaches the screen under the policy', async () => {
      await page.evaluate(() => self.vyoma.terminal.write('\x1b[38;2;1;2;3mcoloured'));
      await page.waitForFunction(() => [...document.querySelectorAll('.xterm-rows span')].some(span =>
        span.textContent === 'coloured' && getComputedStyle(span).color === 'rgb(1, 2, 3)'));
      return true;
    }, s);
    await check('nothing breaks the content security policy', () =>
      !s.complaints.some(text => /Content Security Policy/.test(text)), s);
    for (const text of s.complaints)
      console.log(`# console: ${text}`);
  } finally {
    await browser.close();
    server.stop();
  }
  finish();
}

await main();
