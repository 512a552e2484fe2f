// Runs one app to its end in a core of its own, as `vyoma run` does, and gives back all that can be
// seen of it.
async function wipe() {
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys())
    await remove(root, name);
}

// The worker of the case before may hold files for a moment after its end.
async function remove(folder, name) {
  for (let tries = 0; ; tries++) {
    try {
      return await folder.removeEntry(name, { recursive: true });
    } catch (error) {
      if (error.name !== 'NoModificationAllowedError' || tries === 100)
        throw error;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
}

self.run_case = async (apps, input) => {
  await wipe();
  const seen = { out: '', err: '', code: null, audit: '' };
  const decoders = [new TextDecoder(), new TextDecoder()];
  const worker = new Worker('core-worker.js', { type: 'module' }), of_apps = new Map();
  await new Promise((resolve, reject) => {
    worker.onmessage = async ({ data }) => {
      if (data.make) { // as start.js does
        of_apps.set(data.make, new Worker('app-worker.js', { type: 'module', name: data.make }));
        of_apps.get(data.make).postMessage(data.port, [data.port]);
      } else if (data.end) {
        of_apps.get(data.end)?.terminate();
        of_apps.delete(data.end);
      } else if (data.show) {
        seen[data.stream === 1 ? 'out' : 'err'] +=
          decoders[data.stream - 1].decode(data.show, { stream: true });
        worker.postMessage({ shown: data.show.length });
      } else if (data.power !== undefined) {
        seen.code = data.code;
        worker.postMessage({ audit: true });
      } else if (data.audit) {
        seen.audit = await data.audit.text();
        resolve();
      } else if (data.say || data.failed) {
        reject(new Error(data.say ?? data.failed));
      }
    };
    worker.postMessage({ boot: { columns: 0, rows: 0, run: { apps, input } } });
  });
  worker.terminate();
  of_apps.forEach(app => app.terminate());
  return seen;
};
