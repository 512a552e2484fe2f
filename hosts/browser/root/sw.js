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

async function keep(cache, name) {
  const address = new URL(name, SCOPE);
  if (await cache.match(address))
    return;
  const answer = await fetch(address, { cache: 'no-cache' });
  const bytes = await answer.arrayBuffer();
  if (!answer.ok || await sha256(bytes) !== FILES[name])
    throw new Error(`${name} is not that of build ${BUILD}`);
  const type = SERVED.types[name.split('.').pop()] ?? 'application/octet-stream';
  await cache.put(address, new Response(bytes, {
    headers: { ...SERVED.headers, 'Content-Type': type } }));
}

// All or nothing: with one file missing or of another build, the old one stays.
async function install() {
  const cache = await caches.open(CACHE);
  await Promise.all(Object.keys(FILES).map(name => keep(cache, name)));
  await self.skipWaiting();
}

// Builds that no tab runs. Each page holds a lock of its build's name.
async function sweep() {
  const { held } = await navigator.locks.query();
  const in_use = new Set(held.map(lock => lock.name));
  for (const name of await caches.keys())
    if (name.startsWith(PREFIX) && name !== CACHE && !in_use.has(name))
      await caches.delete(name);
}

async function activate() {
  await self.clients.claim();
  for (const client of await self.clients.matchAll({ type: 'window' }))
    client.postMessage({ build: BUILD });
}

async function kept(name) {
  if (name.startsWith(BUILD + '/') && !Object.hasOwn(FILES, name))
    return new Response('', { status: 404 });
  const address = new URL(name, SCOPE);
  return await caches.match(address, { cacheName: CACHE }) ?? await caches.match(address) ??
         fetch(address);
}

self.addEventListener('install', event => event.waitUntil(install()));
self.addEventListener('activate', event => event.waitUntil(activate()));
self.addEventListener('fetch', event => {
  const { method, url } = event.request;
  const address = new URL(url);
  if (method !== 'GET' || !address.href.startsWith(SCOPE.href))
    return;
  const name = address.pathname.slice(SCOPE.pathname.length) || 'index.html';
  if (Object.hasOwn(FILES, name) || /^[0-9a-f]{16}\//.test(name))
    event.respondWith(kept(name));
  if (name === 'index.html')
    event.waitUntil(sweep()); // not in activate(): a page of the old build may be loading then
});
