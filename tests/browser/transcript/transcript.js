// Runs one app to its end in a core of its own, as `vyoma run` does, and gives back all that can be
// seen of it.
async function wipe() {
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys())
    await root.removeEntry(name, { recursive: true });
}

self.run_case = async (apps, input) => {
  await wipe();
  const seen = { out: '', err: '', code: null, audit: '' };
  const decoders = [new TextDecoder(), new TextDecoder()];
  const worker = new Worker('core-worker.js', { type: 'module' });
  await new Promise((resolve, reject) => {
    worker.onmessage = async ({ data }) => {
      if (data.show) {
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
  return seen;
};
