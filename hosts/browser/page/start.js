// Runs before all else: what takes longest, the core's worker, begins while the page is still
// fetching its terminal. None on a page that is not isolated; offline.js sees to that.
export const core = self.crossOriginIsolated
  ? new Worker(new URL('core-worker.js', import.meta.url), { type: 'module', name: 'core' })
  : null;
