#!/usr/bin/env node
// The page as an app of the browser's: without its server, across builds, on a plain server.
// timeout 120
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, finish } from './check.mjs';
import { browse, serve, Session } from './drive.mjs';

const PARTS = 'out/tests/browser/parts';
const work = mkdtempSync(join(tmpdir(), 'vyoma-offline-'));
const web = join(work, 'web');

function seal(parts) {
  const ran = spawnSync('node', ['hosts/browser/seal.mjs', parts, web]);
  if (ran.status !== 0)
    throw new Error(`seal.mjs: ${ran.stderr}`);
}

const build_of = html => String(html).match(/name="build" content="([0-9a-f]{16})"/)[1];
const served_build = () => build_of(readFileSync(join(web, 'index.html')));

// The parts of another build, whose hello says something else.
function next_parts() {
  const parts = join(work, 'next'), hello = join(parts, 'apps/hello');
  cpSync(PARTS, parts, { recursive: true });
  const before = readFileSync(join(hello, 'hello.wasm'));
  const after = Buffer.from(before.toString('latin1').replace('Hello from', 'Hullo from'), 'latin1');
  const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');
  const manifest = String(readFileSync(join(hello, 'vyoma.toml')));
  writeFileSync(join(hello, 'hello.wasm'), after);
  writeFileSync(join(hello, 'vyoma.toml'), manifest.replace(sha256(before), sha256(after)));
  return parts;
}

const controlled = page =>
  page.waitForFunction(() => navigator.serviceWorker.controller !== null).then(() => true);
const runs_build = page => page.evaluate(() => document.querySelector('meta[name=build]').content);
const notice = (page, pattern, ms) => page.waitForFunction(source =>
  new RegExp(source).test(document.getElementById('notice').textContent), pattern,
  { timeout: ms }).then(() => true, () => false);

async function with_page(plain, test) {
  const server = await serve(web, plain), browser = await browse();
  try {
    const session = new Session(browser.context.pages()[0]);
    await test(session, session.page, server);
    await check('every request goes to the page\'s own server, none breaks the policy', () =>
      session.requests.every(url => url.startsWith(server.address)) &&
      !session.complaints.some(text => /Content Security Policy/.test(text)), session);
    for (const text of session.complaints)
      console.log(`# console: ${text}`);
  } finally {
    await browser.close();
    server.stop();
  }
}

async function says_hello(s, word) {
  await s.command('start hello');
  return s.shows(new RegExp(`^\\[hello\\] ${word} from Vyoma`, 'm'));
}

async function installable(s, page, server) {
  const devtools = await page.context().newCDPSession(page);
  await check('the browser would install it', async () => {
    const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
    const real = installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito');
    console.log(`# ${JSON.stringify(real)}`);
    return real.length === 0;
  });
  await check('its manifest has no errors, and its icons are there', async () => {
    const { errors, data } = await devtools.send('Page.getAppManifest');
    const icons = await Promise.all(JSON.parse(data).icons.map(({ src }) =>
      page.request.get(server.address + src)));
    return errors.length === 0 && icons.length >= 3 && icons.every(icon => icon.ok());
  });
}

// What comes of a fetch below port/, with and without a page that runs the system.
async function ports(s, page, server) {
  const other = await page.context().newPage();
  const open = async path => {
    const answer = await other.goto(server.address + path);
    return { status: answer.status(), text: await answer.text(), headers: answer.headers(),
             url: answer.url() };
  };
  const there = await open('port/8080');
  await check('a port that no app listens on answers with a sentence', () => there.status === 503 &&
    /no app in this page listens on port 8080/.test(there.text), s);
  await check('at an address that its links can be relative to', () =>
    there.url === `${server.address}port/8080/`, s);
  await check('what an app sends has no part in the page\'s origin', async () =>
    /^sandbox allow-scripts; default-src 'none'/.test(there.headers['content-security-policy']) &&
    await other.evaluate(() => self.origin) === 'null', s);
  await check('there is no port 70000', async () => (await open('port/70000/')).status === 404, s);
  await check('too long a request is refused', () => page.evaluate(async () =>
    (await fetch('port/8080/', { method: 'POST', body: new Uint8Array(2e6) })).status === 413), s);
  await page.goto('about:blank');
  const gone = await open('port/8080/');
  await check('a page that is not open is asked for', () => gone.status === 503 &&
    gone.text.startsWith(`Vyoma is not open in this browser: open ${server.address},`), s);
  await other.close();
  await s.open(server.address);
  await s.shows(/^vyoma>/m);
}

async function offline(s, page, server) {
  await s.open(server.address);
  await check('the first visit prompts', () => s.shows(/^vyoma>/m));
  await check('and the service worker takes over', () => controlled(page));
  await installable(s, page, server);
  await ports(s, page, server);
  server.stop();
  await page.reload();
  await check('without the server the page loads again and prompts', () => s.shows(/^vyoma>/m));
  await check('isolated as before', () => page.evaluate(() => self.crossOriginIsolated));
  await check('an app runs that was never asked for before', () => says_hello(s, 'Hello'));
  await s.command('start nothing');
  await check('and one that is not there is not found', () =>
    s.shows(/there is no app called nothing/));
}

async function update(s, page, server) {
  await s.open(server.address);
  await s.shows(/^vyoma>/m);
  await controlled(page);
  const old = served_build();
  seal(next_parts());
  const next = served_build();
  await check('another app makes another build', () => old !== next);

  const damaged = join(web, next, 'apps/pong/pong.wasm'), good = readFileSync(damaged);
  writeFileSync(damaged, 'half of it');
  await page.reload();
  await s.shows(/^vyoma>/m);
  await check('a build of which one file is wrong is not announced', async () =>
    !await notice(page, 'new build', 2000) && await runs_build(page) === old);
  await page.waitForFunction(async () => !(await navigator.serviceWorker.getRegistration()).installing);
  writeFileSync(damaged, good);
  await page.reload();
  await check('a whole one is, on the next visit', () => notice(page, 'new build.*reload', 10000));
  await check('until then the old one runs, with its own files', async () =>
    await runs_build(page) === old && await says_hello(s, 'Hello'));

  await page.reload();
  await s.shows(/^vyoma>/m);
  await check('after a reload the new one runs', async () =>
    await runs_build(page) === next && await says_hello(s, 'Hullo'));
  const asked = s.requests.slice(s.requests.lastIndexOf(server.address));
  await check('of nothing but its files', () => asked.length > 10 && asked.every(url => !url.includes(old)));
  await check('and says nothing more', async () => !await notice(page, 'new build', 500));
  await page.reload();
  await s.shows(/^vyoma>/m);
  await check('the old one\'s are gone', () => page.evaluate(async builds =>
    (await caches.keys()).join() === `vyoma / ${builds}`, next));
}

// What a browser may do while another service worker takes over: the script of a worker never comes.
// Of the first one of that name in this tab; without a name of the next one.
const lose_worker = name => {
  const Real = self.Worker;
  self.Worker = function (address, options) {
    if (name && (options.name !== name || sessionStorage.getItem('lost')))
      return new Real(address, options);
    sessionStorage.setItem('lost', options.name);
    if (!name)
      self.Worker = Real;
    return Object.assign(new EventTarget(), { postMessage() {}, terminate() {} });
  };
};
const take_over = page =>
  page.evaluate(() => navigator.serviceWorker.dispatchEvent(new Event('controllerchange')));
const lost = (page, name) =>
  page.waitForFunction(name_ => sessionStorage.getItem('lost') !== name_, name).then(() => true);

// Notes in the tab when another service worker takes over, in milliseconds of the page's life.
const note_take_over = () => navigator.serviceWorker.addEventListener('controllerchange', () =>
  sessionStorage.setItem('taken over', performance.now()));

// A new build while the page is still loading, which it would be for ever.
async function meets_new_build(s, page) {
  const START_MS = 5000; // page.js: after which a page counts as loaded
  await page.addInitScript(lose_worker, 'core');
  await page.addInitScript(note_take_over);
  await page.reload();
  await check('a page without its core does not prompt', async () => !await s.shows(/^vyoma>/m, 1000), s);
  seal(PARTS);
  await page.evaluate(async () => { (await navigator.serviceWorker.getRegistration()).update(); });
  await check('a new build is run when it has had its time', async () => await s.shows(/^vyoma>/m, 20000) &&
    await runs_build(page) === served_build(), s);
  await check('and not before', () => page.evaluate(ms =>
    Number(sessionStorage.getItem('taken over')) > ms, START_MS - 100), s);
}

async function losses(s, page, server) {
  await s.open(server.address);
  await s.shows(/^vyoma>/m);
  await controlled(page);
  await meets_new_build(s, page);
  await page.waitForTimeout(500); // until there is a worker for the next app
  await page.evaluate(lose_worker);
  await says_hello(s, 'Hello');
  await lost(page, 'core'); // the worker for the one after that
  await s.command('start hello');
  await check('an app whose worker does not come does not begin', async () =>
    !await s.shows(/Hello[^]*Hello/, 2000), s);
  await take_over(page);
  await check('when another service worker took over then, it gets another', () =>
    s.shows(/Hello[^]*Hello/), s);
  await check('and the page goes on as it was', async () =>
    (await s.screen()).match(/^vyoma>/gm).length === 3, s);
  await page.waitForTimeout(500);
  await page.evaluate(() => { self.Worker = class extends EventTarget { postMessage() {} terminate() {} }; });
  await s.command('start hello'); // the last worker there is
  await s.shows(/Hello[^]*Hello[^]*Hello/);
  await page.waitForTimeout(500);
  await s.command('start hello');
  await s.shows(/(starting hello[^]*){4}/);
  await take_over(page);
  await page.waitForTimeout(500);
  await take_over(page);
  await check('one that gets none is refused in words', () => s.shows(/its worker could not be loaded/), s);
}

async function plain(s, page, server) {
  let loads = 0;
  page.on('framenavigated', () => loads++);
  await s.open(server.address);
  await check('on a server without the headers the page prompts all the same', () =>
    s.shows(/^vyoma>/m, 20000));
  await check('for it is isolated', () => page.evaluate(() => self.crossOriginIsolated));
  await check('after one reload of its own', () => loads === 2);
  await check('and an app runs', () => says_hello(s, 'H.llo'));
}

try {
  seal(PARTS);
  await with_page(false, offline);
  await with_page(false, update);
  await with_page(false, losses);
  await with_page(true, plain);
} finally {
  rmSync(work, { recursive: true, force: true });
}
finish();
