// The service worker: answers for the page's files from what it has kept, with the headers that
// isolate the page, so that it works offline and on servers that send none. seal.mjs puts BUILD,
// SERVED and FILES (names and SHA-256) before this.
//
// Files of a build have the build in their address, so a build's page, once loaded, never gets
// another's: a new service worker may take over at once, and only index.html changes.
const SCOPE = new URL(self.registration.scope);
const PREFIX = `vyoma ${SCOPE.pathname} `; // an origin may have several
const CACHE = PREFIX + BUILD;

async function sha256(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, byte => byte.toString(16).padStart(2, '0')).join('');
}

async function right_bytes(name, address, cache) {
  const answer = await fetch(address, { cache }), bytes = await answer.arrayBuffer();
  return answer.ok && await sha256(bytes) === FILES[name] ? bytes : null;
}

async function keep(cache, name) {
  const address = new URL(name, SCOPE);
  if (await cache.match(address))
    return;
  // What the page has just fetched is in the browser's own cache, unless that has something else.
  const bytes = await right_bytes(name, address, 'default') ??
                await right_bytes(name, address, 'reload');
  if (!bytes)
    throw new Error(`${name} is not that of build ${BUILD}`);
  const type = SERVED.types[name.split('.').pop()] ?? 'application/octet-stream';
  await cache.put(address, new Response(bytes, {
    headers: { ...SERVED.headers, 'Content-Type': type } }));
}

// Until this worker ends: what it keeps is not for a sweep, least of all that of the worker before it.
const hold_build = () => new Promise(held =>
  navigator.locks.request(CACHE, { mode: 'shared' }, () => {
    held();
    return new Promise(() => {});
  }));

// Who takes over from another while a page loads may leave it without its workers: Chromium 156 now
// and then never answers what was asked for just then. A page that cannot answer has had the time.
const LOADED_MS = 15000;

async function pages_loaded() {
  const loaded = page => new Promise(resolve => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resolve;
    page.postMessage({ loading: true }, [port2]);
  });
  await Promise.race([Promise.all((await open_pages()).map(loaded)),
                      new Promise(resolve => setTimeout(resolve, LOADED_MS))]);
}

// All or nothing: with one file missing or of another build, the old one stays.
async function install() {
  await hold_build();
  const cache = await caches.open(CACHE);
  await Promise.all(Object.keys(FILES).map(name => keep(cache, name)));
  if (self.registration.active)
    await pages_loaded();
  await self.skipWaiting();
}

// Builds that no tab runs, and that no worker is about to. Each holds a lock of its build's name.
async function sweep() {
  for (const name of await caches.keys())
    if (name.startsWith(PREFIX) && name !== CACHE)
      await navigator.locks.request(name, { ifAvailable: true }, lock => lock && caches.delete(name));
}

// Pages that were there before are ours at once, but for Firefox's: 153 now and then leaves all that their
// workers fetch from then on without an answer. Those are with the next load.
const CLAIMS = !navigator.userAgent.includes('Firefox/');

async function activate() {
  if (CLAIMS)
    await self.clients.claim();
  for (const client of await self.clients.matchAll({ type: 'window', includeUncontrolled: true }))
    client.postMessage({ build: BUILD });
}

async function kept(name) {
  if (name.startsWith(BUILD + '/') && !Object.hasOwn(FILES, name))
    return new Response('', { status: 404 });
  const address = new URL(name, SCOPE);
  return await caches.match(address, { cacheName: CACHE }) ?? await caches.match(address) ??
         fetch(address);
}

// --- port/N/...: what an app in an open page says on port N

const ANSWER_MS = 40000;
const REQUEST_MOST = 1024 * 1024; // bytes of a body
const WAITING_MOST = 32;          // requests at once
const PASSED_ON = ['content-type', 'content-range', 'content-language', 'content-disposition', 'etag',
                   'last-modified', 'accept-ranges', 'cache-control', 'allow'];
// Whatever the app sends is of no origin: not that of the page, whose storage and workers it must
// not reach. It may look as it likes, run nothing and load nothing. (allow-scripts, for without it
// a page may not reload itself either; the policy has none to run.)
const CONFINED = {
  'Content-Security-Policy': "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; " +
                             "img-src data:; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};
let waiting = 0;

const refuse = (status, why) => new Response(why + '\n', {
  status, headers: { ...CONFINED, 'Content-Type': 'text/plain; charset=utf-8' } });

const is_page = ({ url }) =>
  [SCOPE.pathname, `${SCOPE.pathname}index.html`].includes(new URL(url).pathname);
const open_pages = async () =>
  (await self.clients.matchAll({ type: 'window', includeUncontrolled: true })).filter(is_page);

// { status, headers, body }; null: nobody answers in time, or all pages have been closed. Of
// several pages only one runs the system, and answers.
async function ask(pages, request) {
  let got, settle = () => {};
  for (const page of pages) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => { got ??= data; settle(); };
    page.postMessage({ request }, [port2]);
  }
  const end = Date.now() + ANSWER_MS;
  while (!got && Date.now() < end && (await open_pages()).length)
    await new Promise(resolve => { settle = resolve; setTimeout(resolve, 500); });
  return got ?? null;
}

function passed_on({ status, headers, body }, port) {
  const passed = new Headers();
  for (const [name, value] of headers)
    if (PASSED_ON.includes(name))
      passed.append(name, value);
    else if (name === 'location' && value.startsWith('/'))
      passed.append(name, `${SCOPE.pathname}port/${port}${value}`);
  for (const [name, value] of Object.entries(CONFINED))
    passed.set(name, value);
  const has_none = [204, 205, 304].includes(status);
  return new Response(has_none ? null : body, { status, headers: passed });
}

async function answer_of_port(request, port, path) {
  const pages = await open_pages();
  const none = () => refuse(503, `Vyoma is not open in this browser: open ${SCOPE.href}, start the ` +
                                 'app, and try again.');
  if (pages.length === 0)
    return none();
  const body = new Uint8Array(await request.arrayBuffer());
  if (body.length > REQUEST_MOST)
    return refuse(413, `A request to an app has at most ${REQUEST_MOST} bytes.`);
  const answer = await ask(pages, { port, method: request.method, path,
                                    headers: [...request.headers], body });
  if (answer)
    return passed_on(answer, port);
  return (await open_pages()).length === 0 ? none()
    : refuse(504, 'The page that runs Vyoma does not answer.');
}

async function to_port(request, name, search) {
  const [, number, path] = name.match(/^port\/(\d{1,5})(\/.*)?$/) ?? [];
  if (!number || Number(number) > 65535)
    return refuse(404, 'An app\'s address is port/NUMBER/PATH.');
  if (!path)
    return Response.redirect(new URL(`port/${number}/`, SCOPE));
  if (waiting >= WAITING_MOST)
    return refuse(503, 'As many requests as there may be wait for an answer.');
  waiting++;
  try {
    return await answer_of_port(request, Number(number), path + search);
  } finally {
    waiting--;
  }
}

self.addEventListener('install', event => event.waitUntil(install()));
self.addEventListener('activate', event => event.waitUntil(activate()));
self.addEventListener('fetch', event => {
  const { method, url } = event.request;
  const address = new URL(url);
  if (!address.href.startsWith(SCOPE.href))
    return;
  const name = address.pathname.slice(SCOPE.pathname.length) || 'index.html';
  if (name.startsWith('port/'))
    event.respondWith(to_port(event.request, name, address.search));
  if (method !== 'GET')
    return;
  if (Object.hasOwn(FILES, name) || /^[0-9a-f]{16}\//.test(name))
    event.respondWith(kept(name));
  if (name === 'index.html')
    event.waitUntil(sweep()); // not in activate(): a page of the old build may be loading then
});
