#!/usr/bin/env node
// Connections of apps in a page: out, through `vyoma bridge`; and in, from the page itself.
// timeout 180
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browse, serve, Session } from './drive.mjs';
import { check, finish } from './check.mjs';

const PARTS = 'out/tests/browser/parts';

const LONG = 100000;

// Says much at once, and ends.
const long_server = () => new Promise(resolve => {
  const server = createServer(socket => {
    socket.on('error', () => {});
    socket.end('z'.repeat(LONG));
  });
  server.listen(0, '127.0.0.1', () => resolve({ port: server.address().port, server }));
});

// Echoes, and says that it has heard the end.
const echo_server = () => new Promise(resolve => {
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('data', data => socket.write(data));
    socket.on('end', () => socket.end('<end>'));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1', () => resolve({ port: server.address().port, server }));
});

const bridge = apps => new Promise((resolve, reject) => {
  const child = spawn('out/bin/vyoma', ['bridge', '--json', '--port', '0', '--apps', apps]);
  child.stdout.once('data', line => resolve({ url: JSON.parse(line).url, stop: () => child.kill() }));
  child.on('exit', code => reject(new Error(`vyoma bridge ended with ${code}`)));
});

// The manifest's destination and the app's arguments; a build of its own.
function let_call({ parts, web }, listed, host, port, engine = 'host') {
  const file = join(parts, 'apps/caller/vyoma.toml');
  writeFileSync(file, readFileSync('tests/browser/apps/caller.toml', 'utf8')
    .replace('manifest_version = 1', `manifest_version = 1\nengine = "${engine}"\n` +
                                     `args = ["${host}", "${port}"]`)
    .replace('localhost:80', listed));
  spawnSync('node', ['hosts/browser/seal.mjs', parts, web]);
}

async function visit(context, address) {
  const s = new Session(await context.newPage());
  await s.open(address);
  await s.shows(/^vyoma>/m, 20000);
  return s;
}

const has = (s, name, keys, pattern, ms) =>
  check(name, async () => { await s.command(keys); return s.shows(pattern, ms); }, s);

const start_again = async s => {
  await s.page.reload();
  await s.shows(/^vyoma>/m, 20000);
};

async function outwards(context, address, folder) {
  const { port, server } = await echo_server();
  const relay = await bridge(join(folder.parts, 'apps'));
  let_call(folder, `localhost:${port}`, 'localhost', port);
  let s = await visit(context, address);
  await has(s, 'without a relay the app hears that there is no network', 'start caller',
            /\[caller\] connect: netunreach/);
  await check('and the person what to do', async () => {
    const said = await s.page.textContent('#notice');
    if (!/caller wants to connect to localhost:\d+.*vyoma bridge/.test(said))
      throw new Error(said);
    return true;
  }, s);
  await s.page.close();
  s = await visit(context, `${address}#bridge=${relay.url}`);
  await has(s, 'through the relay an app connects, and bytes come back', 'start caller',
            /\[caller\] 1 MiB there and back\n/, 20000);
  await check('each side hears when the other has ended', () => s.shows(/\[caller\] then: <end>/), s);
  let_call(folder, `localhost:${port}`, 'localhost', port, 'vyoma');
  await start_again(s);
  await has(s, 'the same in our own engine', 'start caller',
            /1 MiB there and back\n[^]*then: <end>/, 20000);
  const long = await long_server();
  let_call(folder, `localhost:${long.port}`, 'localhost', long.port);
  await start_again(s);
  await has(s, 'all that is sent before the end comes before it', 'start caller',
            new RegExp(`nobody echoes, ${LONG} bytes and the end`), 20000);
  long.server.close();
  for (const address_ of ['ws://127.0.0.1:99999/x', 'ws://']) {
    const wrong = await visit(context, `${address}#bridge=${address_}`);
    await check(`${address_} as a relay: said`, async () => {
      await s.page.close();
      await wrong.page.reload();
      await wrong.shows(/^vyoma>/m, 20000);
      await wrong.command('start caller');
      return wrong.shows(/connect: netunreach/);
    }, wrong);
    await wrong.page.close();
    s = await visit(context, `${address}#bridge=${relay.url}`);
  }
  let_call(folder, 'localhost:1', 'localhost', port);
  await start_again(s);
  await has(s, 'what the manifest does not list is refused by the core', 'start caller',
            /caller: may not connect to 'localhost:\d+'[^]*connect: notcapable/);
  let_call(folder, `localhost:1`, 'localhost', 1);
  await start_again(s);
  await has(s, 'where nobody listens the app is told', 'start caller', /connect: connrefused/);
  relay.stop();
  await has(s, 'a relay that is gone is no network', 'start caller',
            /connect: connrefused[^]*connect: netunreach/);
  await s.page.close();
  server.close();
}

// A browser gives a page only so many memories: in this build there is none for hello.
async function no_memory(context, address, { parts, web }) {
  const file = join(parts, 'app-worker.js'), text = readFileSync(file, 'utf8');
  writeFileSync(file, `const Plenty = WebAssembly.Instance;
let is_poor = false;
self.addEventListener('message', ({ data: port }) => port.addEventListener('message', ({ data }) => {
  is_poor = new TextDecoder().decode(data.start.slice()).includes('hello');
}));
WebAssembly.Instance = function (...all) {
  if (is_poor)
    throw new RangeError('out of memory');
  return new Plenty(...all);
};
${text}`);
  spawnSync('node', ['hosts/browser/seal.mjs', parts, web]);
  const s = await visit(context, address);
  await has(s, 'an app that the browser has no memory for is refused in words', 'start hello',
            /hello: no memory for one more app: out of memory/);
  await has(s, 'and the others go on', 'status', /up \d+ s/);
  await s.page.close();
  writeFileSync(file, text);
  spawnSync('node', ['hosts/browser/seal.mjs', parts, web]);
}

// --- inwards

const on_linux = path => new Promise((resolve, reject) => {
  const child = spawn('out/bin/vyoma', ['run', '-q', 'out/apps/http-server']);
  const ask = tries => {
    const got = spawnSync('curl', ['-s', '-i', `http://127.0.0.1:8080${path}`]);
    if (got.status !== 0 && tries)
      setTimeout(() => ask(tries - 1), 100);
    else {
      child.kill();
      got.status === 0 ? resolve(String(got.stdout)) : reject(new Error('curl has failed'));
    }
  };
  ask(50);
});

const ask = (s, port, path) => s.page.evaluate(async ([number, where]) => {
  const { status, headers, body } = await self.vyoma.fetch_port(number, where);
  return { status, headers, body: new TextDecoder().decode(body) };
}, [port, path]);

async function inwards(context, address) {
  const s = await visit(context, address);
  await check('a port that nobody listens on', async () => {
    const { status, body } = await ask(s, 8080, '/');
    return status === 503 && /no app in this page listens on port 8080/.test(body);
  }, s);
  await s.command('start http-server');
  await s.shows(/http-server: ready/);
  await check('http-server answers the page that it runs in', async () => {
    const { status, body } = await ask(s, 8080, '/');
    if (status !== 200 || !/<title>Vyoma/.test(body))
      throw new Error(`${status} ${body}`);
    return true;
  }, s);
  await check('what it has not got is 404, as on Linux, word for word', async () => {
    const { status, body } = await ask(s, 8080, '/no/such/file');
    const linux = await on_linux('/no/such/file');
    if (status !== 404 || linux.split('\r\n\r\n')[1] !== body)
      throw new Error(`${status} ${body}\n${linux}`);
    return true;
  }, s);
  await check('two hundred requests, twenty at a time', async () => {
    for (let i = 0; i < 10; i++) {
      const all = await Promise.all(Array.from({ length: 20 }, () => ask(s, 8080, '/')));
      if (all.some(({ status }) => status !== 200))
        throw new Error(all.map(({ status }) => status).join(' '));
    }
    return true;
  }, s);
  await check('its page opens in a tab beside', async () => {
    await s.page.evaluate(() => navigator.serviceWorker.ready);
    const tab = await context.newPage();
    await tab.goto(`${address}port/8080/`);
    const title = await tab.title();
    await tab.close();
    if (!title.startsWith('Vyoma'))
      throw new Error(title);
    return true;
  }, s);
  await s.command('kill http-server');
  await s.shows(/killing http-server/);
  await check('when it has ended nobody listens', async () => (await ask(s, 8080, '/')).status === 503, s);
  await has(s, 'and the port is free again', 'start http-server', /(http-server: ready[^]*){2}/);
  await check('for the next one', async () => (await ask(s, 8080, '/')).status === 200, s);
  await s.page.close();
}

async function main() {
  const root = mkdtempSync(join(tmpdir(), 'vyoma-network-'));
  const folder = { parts: join(root, 'parts'), web: join(root, 'web') };
  cpSync(PARTS, folder.parts, { recursive: true });
  let_call(folder, 'localhost:80', 'localhost', 80);
  const server = await serve(folder.web);
  // The first without the service worker, which would go on with the build that it has.
  const fresh = await browse({ serviceWorkers: 'block' });
  try {
    await outwards(fresh.context, server.address, folder);
    await no_memory(fresh.context, server.address, folder);
  } finally {
    await fresh.close();
  }
  const browser = await browse();
  try {
    await inwards(browser.context, server.address);
  } finally {
    await browser.close();
    server.stop();
    rmSync(root, { recursive: true });
  }
  finish();
}

await main();
