// Which memories an app gets. The browser's engine reserves some 8 GiB of addresses for each, so that
// it need not check accesses, and has about 120 of them for all of a page
// (docs/decisions/0072-many-apps-in-few-memories.md). So
//
// 1. the first apps have two: their own, and one for WASI beside it, or the one that our engine runs in;
// 2. the next have their own; WASI is in a memory with that of others, each in a place of its own;
// 3. the others have a place in a memory that our engine runs in, the app's memory within it.
//
// Whoever has ended makes room again. A place has one user at a time; giving it back is for when that
// one cannot run any more.
import { place_bytes } from './place.js';

const PAGE = 65536, PAGES_MOST = 65535; // an end is an address
export const LIMITS = {
  plenty: 48,            // memories in apps' own hands up to which an app has all to itself
  scarce: 96,            // and up to which it has one; beyond only a large app gets one, if there is any
  wasi_places: 16,       // of one memory
  engine_places: 32,
  engine_bytes: 16 << 20, // a place's, and with it what an app can have
};

// Bytes of the engine beside a guest's memory: its code, tables and stack; and what the heap keeps for
// them (HEAP_ROOM_PART of heap.h).
const ENGINE_BYTES = 16 << 20, OF_ROOM = 8 / 7;

// Memories of a number of places each, made when they are wanted.
class Pool {
  #size; #each; #memories = []; #free = [];

  constructor(size, each) {
    this.#size = size;
    this.#each = each;
  }

  // A place; throws when the browser has no memory for it.
  take() {
    if (!this.#free.length)
      this.#add();
    const place = this.#free.pop();
    const end = (place.begin + this.#size) / PAGE, have = place.memory.buffer.byteLength / PAGE;
    try {
      if (end > have)
        place.memory.grow(end - have); // so that what is not used yet need not be there
    } catch (error) {
      this.#free.push(place);
      throw error;
    }
    return place;
  }

  #add() {
    const maximum = this.#size * this.#each / PAGE;
    const memory = new WebAssembly.Memory({ initial: this.#size / PAGE, maximum, shared: true });
    this.#memories.push(memory);
    for (let i = this.#each - 1; i >= 0; i--)
      this.#free.push({ pool: this, memory, begin: i * this.#size, size: this.#size, dirty: 0 });
  }

  // used: the bytes, from its beginning, that may not be zero any more.
  give_back(place, used) {
    place.dirty = Math.max(place.dirty, Math.min(used, this.#size));
    this.#free.push(place);
  }

  get memories() { return this.#memories.length; }
}

// What is taken is { memory, begin, size, dirty }, where memory may be null: then the worker makes one
// of so many bytes; and own: it is for our engine.
export class Places {
  #wasi; #engine = new Pool(LIMITS.engine_bytes, LIMITS.engine_places); #wasi_bytes;
  #in_hands = 0; // memories that an app has to itself

  constructor(wasi_module) {
    this.#wasi_bytes = place_bytes(wasi_module);
    this.#wasi = new Pool(this.#wasi_bytes, LIMITS.wasi_places);
  }

  #alone(own, memories, size) {
    this.#in_hands += memories;
    return { own, memories, pool: null, memory: null, begin: 0, size, dirty: 0 };
  }

  // For an app that the browser's engine is to run, whose memory begins with so many pages.
  for_browser(pages_min) {
    if (this.#in_hands + 2 <= LIMITS.plenty)
      return this.#alone(false, 2, this.#wasi_bytes);
    const large = pages_min * PAGE * OF_ROOM > LIMITS.engine_bytes / 2;
    if (this.#in_hands + 1 > LIMITS.scarce && !large)
      return this.in_engine();
    const place = this.#wasi.take();
    this.#in_hands++;
    return Object.assign(place, { own: false, memories: 1 });
  }

  // For one that our engine is to run, with at most so many pages.
  for_own(pages_max) {
    if (this.#in_hands + 1 > LIMITS.plenty)
      return this.in_engine();
    const bytes = Math.min(pages_max * PAGE * OF_ROOM + ENGINE_BYTES, PAGES_MOST * PAGE);
    return this.#alone(true, 1, Math.ceil(bytes / PAGE) * PAGE);
  }

  // For one that is to run in any case.
  in_engine() { return Object.assign(this.#engine.take(), { own: true, memories: 0 }); }

  give_back(place, used) {
    this.#in_hands -= place.memories;
    place.pool?.give_back(place, used);
  }

  get memories() { return this.#in_hands + this.#wasi.memories + this.#engine.memories; }
}
