#!/usr/bin/env node
// What apps store in a page lasts, and what a page may not do to it.
// timeout 400
import { browse, download, serve, Session } from './drive.mjs';
import { check, finish } from './check.mjs';
import { chained } from './chain.mjs';

const PROGRAMS = ['files', 'directories', 'rename', 'stat', 'symlinks', 'descriptors'];
let context, address;

async function visit() {
  const s = new Session(await context.newPage());
  await s.open(address);
  await s.shows(/^vyoma>/m, 20000);
  return s;
}

async function leave(s) {
  for (const text of s.complaints)
    console.log(`# console: ${text}`);
  await s.page.close();
}

const has = (s, name, keys, pattern, ms) =>
  check(name, async () => { await s.command(keys); return s.shows(pattern, ms); }, s);

// --- an app's files

async function lasting(where) {
  let s = await visit();
  await has(s, `${where}: an app stores something`, 'start storage-demo',
            /start number 1: ok[^]*a line in the diary: ok[^]*it is gone: ok/);
  await s.page.reload();
  await s.shows(/^vyoma>/m);
  await has(s, `${where}: a reload keeps it`, 'start storage-demo',
            /start number 2: ok[^]*it is gone: ok/);
  await leave(s);
  s = await visit();
  await has(s, `${where}: a closed tab keeps it`, 'start storage-demo', /start number 3: ok/);
  await leave(s);
}

// What the person is told, asks for and gets: the browser's own answer, and then with its permission.
async function kept_for_good() {
  const s = await visit(), { page } = s;
  const button = text => page.waitForFunction(text_ => {
    const { textContent, disabled, hidden } = document.getElementById('keep');
    return !hidden && textContent === text_ && disabled === (text_ === 'Data are kept');
  }, text, { timeout: 10000 }).then(() => true);
  const said = text => page.waitForFunction(text_ =>
    document.getElementById('notice').textContent.startsWith(text_), text, { timeout: 10000 }).then(() => true);
  await check('a person can ask for data to be kept', () => button('Keep data'), s);
  await page.click('#keep');
  await check('a browser that does not want to is believed, in words', async () =>
    await said('This browser keeps what is stored here only while it has room.') &&
    await button('Keep data'), s);
  await has(s, 'and keys go on to the terminal', 'ps', /^shell\s+0\s+running/m);
  const devtools = await context.newCDPSession(page);
  const permit = setting => devtools.send('Browser.setPermission', {
    permission: { name: 'persistent-storage' }, setting, origin: address });
  await permit('granted');
  await page.click('#keep');
  await check('one that does says so', async () =>
    await said('What is stored here is kept') && await button('Data are kept'), s);
  await page.reload();
  await check('and so does the next load', () => button('Data are kept'), s);
  await permit('prompt');
  await leave(s);
}

// How the app's last life ended, by the audit log; waits for that.
async function exit_code(s, app) {
  for (let tries = 0; tries < 100; tries++) {
    const log = await download(s.page, '#audit');
    const hit = log.match(new RegExp(`"event":"exit","app":"${app}","(\\w+)":(-?\\d+)`));
    if (hit)
      return hit[1] === 'code' ? Number(hit[2]) : hit[0];
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return 'it did not end';
}

async function programs(where) {
  const s = await visit();
  for (const name of PROGRAMS)
    await check(`${where}: the WASI program ${name} finds what it finds on Linux`, async () => {
      await s.command(`start wasi-${name}`);
      return await exit_code(s, `wasi-${name}`) === 0;
    }, s);
  await s.command('start wasi-rename');
  await check(`${where}: a program whose files are there already complains`, () =>
    s.shows(/rename\.c:33: failed: mkdir/), s);
  await leave(s);
}

async function stopped() {
  const s = await visit();
  await has(s, 'an app that is asked to stop', 'start keeper', /\[keeper\] keeping/);
  await has(s, 'may finish what it stores', 'stop keeper', /\[keeper\] kept/);
  await leave(s);
}

async function bounded() {
  const s = await visit();
  await has(s, 'the bound of a manifest holds', 'start bounded',
            /262144 bytes, then fbig[^]*deleted[^]*and written again/);
  await leave(s);
}

// --- pages and workers that end in the middle

const last_of = (screen, word) =>
  Math.max(0, ...[...screen.matchAll(new RegExp(`\\[replacer\\] ${word} (\\d+)`, 'g'))].map(m => +m[1]));

async function found_whole(s, stored) {
  await s.command('start replacer');
  await s.shows(/found \d+|not whole/, 20000);
  const found = last_of(await s.screen(), 'found');
  // What was written was synced; the last rename need not be, until something is synced after it.
  return found >= stored - 1 && found <= stored + 2000;
}

// Its process ends at once, with all of its workers. What is left of the tab answers nothing.
async function crash(page) {
  const crashed = new Promise(resolve => page.once('crash', resolve));
  const cdp = await context.newCDPSession(page);
  cdp.send('Page.crash').catch(() => {});
  await crashed;
}

async function killed(where) {
  let s = await visit();
  await has(s, `${where}: a file is replaced again and again`, 'start replacer', /stored 40\n/, 20000);
  await s.command('kill replacer');
  await s.shows(/killing replacer/, 20000);
  let stored = last_of(await s.screen(), 'stored');
  await s.page.reload();
  await s.shows(/^vyoma>/m);
  await check(`${where}: killed in the middle, it finds a whole file, not older than what was synced`,
              () => found_whole(s, stored), s);
  for (const how of ['reloaded', 'closed', 'crashed']) {
    await s.shows(new RegExp(`stored ${stored + 20}\\n`), 20000);
    stored = last_of(await s.screen(), 'stored');
    if (how === 'reloaded') {
      await s.page.reload();
      await s.shows(/^vyoma>/m);
    } else {
      if (how === 'crashed')
        await crash(s.page);
      else
        await s.page.close();
      s = await visit();
    }
    await check(`${where}: the page ${how} in the middle, the same`, () => found_whole(s, stored), s);
  }
  await leave(s);
}

// --- two tabs, room, the audit log

async function two_tabs() {
  const first = await visit();
  const second = new Session(await context.newPage());
  await second.open(address);
  await check('a second tab says that it is one', async () => {
    await second.page.waitForFunction(() =>
      /running in another tab/.test(document.getElementById('notice').textContent));
    return await second.screen() === '';
  }, second);
  await has(first, 'the first goes on', 'start storage-demo', /start number 4: ok/);
  await second.command('start storage-demo');
  await leave(first);
  await check('when that is closed, the second starts by itself', () =>
    second.shows(/^vyoma>/m), second);
  await check('without what was typed before, and without the notice', async () =>
    await second.page.textContent('#notice') === '' && !/storage-demo/.test(await second.screen()), second);
  await leave(second);
}

async function no_room() {
  let s = await visit();
  const cdp = await context.newCDPSession(s.page);
  await cdp.send('Storage.overrideQuotaForOrigin', { origin: address.slice(0, -1), quotaSize: 6 << 20 });
  await has(s, 'when the browser gives no more room the app sees ENOSPC, and can delete',
            'start filler', /\] (1|2|3|4|5)?\d{6} bytes, then nospc[^]*deleted[^]*and written again/, 30000);
  await cdp.send('Storage.overrideQuotaForOrigin', { origin: address.slice(0, -1) });
  await s.page.reload();
  await s.shows(/^vyoma>/m);
  await has(s, 'after that there is room again, and nothing is lost', 'start storage-demo',
            /start number 5: ok/);
  await leave(s);
}

async function audit() {
  let s = await visit();
  await s.command('start hello');
  await s.shows(/Hello from Vyoma/);
  const before = await download(s.page, '#audit');
  await s.page.reload();
  await s.shows(/^vyoma>/m);
  await s.command('start hello');
  await s.shows(/Hello from Vyoma/);
  const after = await download(s.page, '#audit');
  await check('the audit log goes on after a reload, as one chain', () =>
    after.startsWith(before) && after.length > before.length + 500 && chained(after), s);
  await check('its numbers go on too', () => {
    const seqs = after.trimEnd().split('\n').map(line => JSON.parse(line).seq);
    return seqs.length > 100 && seqs.every((seq, i) => seq === seqs[0] + i);
  }, s);
  await leave(s);
}

// What is there and is no log is somebody's: it is left as it is, and nothing is stored.
async function damaged() {
  const page = await context.newPage();
  await page.goto(address + 'icon.svg');
  const on_disk = text => page.evaluate(async text_ => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('vyoma');
    const found = [];
    for (const name of ['log0', 'log1']) {
      const file = await folder.getFileHandle(name);
      if (text_) {
        const writer = await file.createWritable();
        await writer.write(text_);
        await writer.close();
      }
      found.push(await (await file.getFile()).text());
    }
    return found.join();
  }, text);
  const text = 'something else '.repeat(10);
  await on_disk(text);
  const s = await visit();
  await check('what is no log is said to be damaged', async () =>
    /Nothing can be stored: .* damaged/.test(await s.page.textContent('#notice')), s);
  await has(s, 'then an app with filesystem is refused, and told why', 'start storage-demo',
            /storage-demo: there is no place for data, so 'filesystem' cannot be given/);
  await has(s, 'and the others run', 'start hello', /Hello from Vyoma/);
  await leave(s);
  await check('what was there is left as it is', async () => await on_disk() === `${text},${text}`, s);
  await page.close();
}

// --- browsers

async function in_browser(test, prepare = async () => {}, options = {}) {
  const server = await serve('out/tests/browser/web');
  const browser = await browse(options);
  ({ context } = browser);
  ({ address } = server);
  try {
    await prepare();
    await test();
  } finally {
    await browser.close();
    server.stop();
  }
}

await in_browser(async () => {
  await lasting('OPFS');
  await kept_for_good();
  await two_tabs();
  await programs('OPFS');
  await bounded();
  await stopped();
  await no_room();
  await killed('OPFS');
  await audit();
  await damaged();
});

// A browser without synchronous access to files: the same page falls back.
await in_browser(async () => {
  await lasting('IndexedDB');
  await programs('IndexedDB');
  await killed('IndexedDB');
  const s = await visit();
  await check('IndexedDB: nothing is in the private file system', () => s.page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    for await (const name of root.keys())
      return !name;
    return true;
  }), s);
  await leave(s);
}, () => context.route('**/core-worker.js', async route => {
  const answer = await route.fetch();
  await route.fulfill({ response: answer, body:
    'delete FileSystemFileHandle.prototype.createSyncAccessHandle;\n' + await answer.text() });
}), { serviceWorkers: 'block' }); // whose own fetches cannot be changed
finish();
