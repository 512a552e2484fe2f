// Workers of apps, as the core's worker sees them: the page makes and ends them (start.js), and messages go
// through a port, so not by way of the page.
const all = new Map();

export class AppWorker {
  onerror = () => {};
  broken = false; // its script has failed
  #port;

  // port: to one that is there already.
  constructor(name, port) {
    this.name = name;
    this.#port = port ?? this.#ask();
    all.set(name, this);
  }

  #ask() {
    const { port1, port2 } = new MessageChannel();
    self.postMessage({ make: this.name, port: port2 }, [port2]);
    return port1;
  }

  set onmessage(taker) { this.#port.onmessage = taker; }
  postMessage(data) { this.#port.postMessage(data); }

  // Once, however often it is asked for.
  terminate() {
    if (!all.delete(this.name))
      return;
    this.#port.close();
    self.postMessage({ end: this.name });
  }
}

// The page says so.
export function on_broken(name) {
  const worker = all.get(name);
  if (!worker)
    return;
  worker.broken = true;
  worker.onerror();
}
