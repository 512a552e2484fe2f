// Runs before all else: the core's worker starts the system while the page is still fetching its
// terminal. None on a page that is not isolated; offline.js sees to that.

// The relay that the person has put behind the page's address.
function bridge() {
  const address = new URLSearchParams(location.hash.slice(1)).get('bridge');
  return address && /^wss?:\/\//.test(address) ? { bridge: address } : {};
}

const address = new URL('core-worker.js', import.meta.url);
address.hash = new URLSearchParams({ boot: 1, ...bridge() });

export const core = self.crossOriginIsolated
  ? new Worker(address, { type: 'module', name: 'core' })
  : null;

// What the core says before there is a terminal waits here. It shows no more than 256 KiB without
// being told that it was seen.
const said = [];
let take = data => said.push(data), started = false;

export function listen(taker) {
  take = data => {
    started = true;
    taker(data);
  };
  said.splice(0).forEach(take);
}

// Workers of apps, by name; each has a port to the core's worker, which asks for them. It could make
// them itself, but Firefox 153 now and then does not come back from making a worker within another.
const workers = new Map();
const asked_for = new Set(); // those that have not begun

function make_worker(name, port) {
  const worker = new Worker(new URL('app-worker.js', import.meta.url), { type: 'module', name });
  asked_for.add(name);
  worker.onmessage = () => asked_for.delete(name);
  worker.onerror = event => {
    event.preventDefault();
    core.postMessage({ broken: name });
  };
  worker.postMessage(port, [port]);
  workers.set(name, worker);
}

function end_worker(name) {
  workers.get(name)?.terminate();
  workers.delete(name);
  asked_for.delete(name);
}

// The first, before the core asks: the page's thread may be busy with the terminal then.
function make_first() {
  const { port1, port2 } = new MessageChannel(), name = `vyoma-first-${crypto.randomUUID()}`;
  make_worker(name, port2);
  core.postMessage({ spare: name, port: port1 }, [port1]);
}

// Another service worker has taken over. It waits for pages that load (root/sw.js), but one may have
// begun to since; and in Chromium 156 what was asked for just then may never come.
function taken_over() {
  if (!started)
    location.reload();
  asked_for.forEach(name => core.postMessage({ broken: name }));
}

if (core) {
  if (navigator.serviceWorker?.controller)
    navigator.serviceWorker.addEventListener('controllerchange', taken_over);
  make_first();
  core.onmessage = ({ data }) => data.make ? make_worker(data.make, data.port)
    : data.end ? end_worker(data.end) : take(data);
  core.onerror = ({ message }) => take({ failed: message ?? 'see the log' });
}
