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
let take = data => said.push(data);

export function listen(taker) {
  take = taker;
  said.splice(0).forEach(taker);
}

if (core) {
  core.onmessage = ({ data }) => take(data);
  core.onerror = ({ message }) => take({ failed: message ?? 'see the log' });
}
