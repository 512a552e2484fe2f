// The page's side of the service worker (root/sw.js).

const build = document.querySelector('meta[name=build]').content;
const HOUR = 3600 * 1000;
const QUIET_MS = 500; // from the core's first word to the prompt, and some

// Until it ends, the page's files are kept: see sweep() there.
function hold_build() {
  const scope = new URL('./', location).pathname;
  navigator.locks.request(`vyoma ${scope} ${build}`, { mode: 'shared' }, () => new Promise(() => {}));
}

const register = () => navigator.serviceWorker.register('sw.js', { updateViaCache: 'none' });

// From the next visit on the page needs no network; say() hears of builds that are newer. What is
// asked of an app's port goes to the core as it is, and the answer back without us. started: a promise
// that there is time for fetching all that.
export async function work_offline(say, core, started) {
  if (!navigator.serviceWorker)
    return;
  hold_build();
  navigator.serviceWorker.onmessage = ({ data, ports }) => {
    if (data.request)
      core.postMessage({ request: data.request, answer: ports[0] }, [ports[0]]);
    else if (data.loading)
      started.then(() => ports[0].postMessage(null));
    else if (data.build && data.build !== build)
      say('A new build of Vyoma is ready: reload the page to run it.');
  };
  await started;
  await new Promise(resolve => setTimeout(resolve, QUIET_MS));
  const registration = await register();
  const look = () => registration.update().catch(() => {}); // offline: later
  setInterval(look, HOUR);
  document.addEventListener('visibilitychange', () => document.hidden || look());
}

// On a server that does not send the two headers: the service worker will, from the next load on,
// which follows at once, and once.
export async function isolate_or(give_up) {
  if (!navigator.serviceWorker || sessionStorage.getItem('isolating')) {
    sessionStorage.removeItem('isolating');
    give_up();
    return;
  }
  const { installing, waiting, active } = await register();
  const worker = installing ?? waiting ?? active;
  const look = () => {
    if (worker.state === 'redundant')
      give_up();
    if (worker.state !== 'activated')
      return;
    sessionStorage.setItem('isolating', '1');
    location.reload();
  };
  worker.onstatechange = look;
  look();
}

export function is_isolated() {
  if (self.crossOriginIsolated)
    sessionStorage.removeItem('isolating');
  return self.crossOriginIsolated;
}
