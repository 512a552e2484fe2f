// The store of core.wasm and its disk: opened before the core begins, flushed while it runs.
import { open_disk } from './disk.js';

const LOCK = 'vyoma', PIECE = 65536, HEAD = 24;
const E_MALFORMED = -2; // base/err.h
const ALONE_MS = 5000; // after which who has the lock is another page, and not this one's last run
const IDLE_MS = 1000; // until what nobody waits for is flushed
const SHARE = 4;      // a flush that held us up is followed by this many times its length without

// A promise that we are the only one of this origin, which we are then until our end. The worker of
// a page that is being reloaded takes a moment to go, and seconds while it flushes to a slow disk.
// wait: called once if it looks as though we shall wait until a person closes the other page.
export function be_alone(wait) {
  const timer = setTimeout(wait, ALONE_MS);
  return new Promise((resolve, reject) => {
    navigator.locks.request(LOCK, () => {
      resolve();
      return new Promise(() => {});
    }).catch(reject);
  }).finally(() => clearTimeout(timer));
}

export class Storage {
  #found; // a promise of the disk
  #disk = null;
  #core;
  #bytes_at;
  #wanted = 0; // the highest number that a flush was asked for with
  #done = 0;
  #timer = 0;
  #timer_at = Infinity;
  #flushing = null;
  #again = false; // something was written meanwhile, or the flush has failed
  #rest_until = 0;

  // What core.wasm imports; none of it calls the core.
  imports(bytes_at) {
    this.#bytes_at = bytes_at;
    return {
      disk_write: (file, at, from, len, frees) => {
        this.#plan(IDLE_MS);
        return this.#disk.write(file, at, bytes_at(from, len), frees !== 0);
      },
      disk_clear: file => this.#disk.clear(file),
      disk_barrier: () => this.#disk.barrier(),
      disk_flush: number => {
        this.#wanted = number;
        this.#plan(0);
      },
    };
  }

  // Begins to open the disk, which needs no core. alone: the promise of be_alone().
  find(alone) {
    this.#found = open_disk(alone);
    this.#found.catch(() => {}); // open() says it
  }

  // Null, or for people why nothing that is stored will last.
  async open(core, give) {
    this.#core = core;
    try {
      this.#disk = await this.#found;
      return await this.#read(give);
    } catch (error) {
      clearTimeout(this.#timer);
      this.#timer_at = Infinity;
      this.#disk = null;
      core.store_open(0, 0, 0);
      core.store_ready(0);
      return `Nothing can be stored: ${error.message}.`;
    }
  }

  async #read(give) {
    const core = this.#core, sizes = [this.#disk.size(0), this.#disk.size(1)];
    const heads = new Uint8Array(2 * HEAD);
    let len = 0;
    for (const file of [0, 1]) {
      const head = (await this.#disk.read(file, 0, HEAD)).subarray(0, HEAD);
      heads.set(head, len);
      len += Math.min(HEAD, sizes[file]);
    }
    give(heads);
    const file = core.store_open(1, ...sizes);
    if (file < 0)
      throw new Error('what this browser keeps for the page is damaged, and was left as it is');
    if (file < 2)
      for (let at = HEAD; at < sizes[file];) {
        const bytes = await this.#disk.read(file, at, PIECE);
        if (!bytes.length)
          break;
        for (let done = 0; done < bytes.length; done += PIECE)
          core.store_feed(give(bytes.subarray(done, done + PIECE)));
        at += bytes.length;
      }
    const ready = core.store_ready(file < 2 ? sizes[file] : 0);
    if (ready < 0)
      throw new Error(ready === E_MALFORMED ? 'what is stored could not be read into memory, and was left as it is'
                                            : 'the browser gives the page no room');
    const dropped = core.store_dropped();
    return dropped ? `What was stored last could not be read: at most ${dropped} bytes.` : null;
  }

  // --- flushing

  #plan(in_ms) {
    const at = Math.max(performance.now() + in_ms, this.#rest_until);
    this.#again ||= this.#flushing !== null;
    if (this.#flushing || at >= this.#timer_at)
      return;
    clearTimeout(this.#timer);
    this.#timer_at = at;
    this.#timer = setTimeout(() => this.#flush(), at - performance.now());
  }

  #flush() {
    this.#timer_at = Infinity;
    this.#again = false;
    this.#flushing = this.#run(this.#wanted).finally(() => {
      this.#flushing = null;
      if (this.#wanted !== this.#done)
        this.#plan(0);
      else if (this.#again)
        this.#plan(IDLE_MS);
    });
  }

  async #run(number) {
    const from = performance.now();
    const error = await this.#disk.flush();
    if (this.#disk.blocks)
      this.#rest_until = performance.now() + SHARE * (performance.now() - from);
    else if (error)
      this.#rest_until = performance.now() + IDLE_MS;
    this.#again ||= error !== 0;
    this.#done = number;
    this.#core.flushed(number, error);
  }

  // Before the end of everything.
  async finish() {
    clearTimeout(this.#timer);
    await this.#flushing;
    await this.#disk?.flush();
  }
}
