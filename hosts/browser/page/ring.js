// A bounded stream of bytes in shared memory: one side writes, the other reads. Its three words
// are the bytes ever written, ever read, and 1 when no more will be written.
const WRITTEN = 0, READ = 1, CLOSED = 2;
export const RING_WORDS = 3;

export class Ring {
  #words; #at; #bytes;

  // words from `at` on are the ring's; bytes are a view of a length that is a power of two.
  constructor(words, at, bytes) {
    this.#words = words;
    this.#at = at;
    this.#bytes = bytes;
  }

  #load(word) { return Atomics.load(this.#words, this.#at + word); }
  #store(word, value) { Atomics.store(this.#words, this.#at + word, value); }

  used() { return (this.#load(WRITTEN) - this.#load(READ)) >>> 0; }
  room() { return this.#bytes.length - Math.min(this.used(), this.#bytes.length); }
  closed() { return this.#load(CLOSED) === 1; }
  close() { this.#store(CLOSED, 1); }

  // Empty, open. Only while nobody else looks at it.
  reset() {
    for (const word of [WRITTEN, READ, CLOSED])
      this.#store(word, 0);
  }

  // As many of the bytes as there is room for.
  put(from) {
    const n = Math.min(from.length, this.room()), written = this.#load(WRITTEN);
    this.#copy(written, n, (at, done, len) => this.#bytes.set(from.subarray(done, done + len), at));
    this.#store(WRITTEN, written + n);
    return n;
  }

  // As many as there are, into `to`. The counts are the other side's word: they are bounded here.
  take(to, peek = false) {
    const n = Math.min(to.length, this.used(), this.#bytes.length), read = this.#load(READ);
    this.#copy(read, n, (at, done, len) => to.set(this.#bytes.subarray(at, at + len), done));
    if (!peek)
      this.#store(READ, read + n);
    return n;
  }

  #copy(count, n, move) {
    for (let done = 0; done < n;) {
      const at = ((count + done) >>> 0) % this.#bytes.length;
      const len = Math.min(n - done, this.#bytes.length - at);
      move(at, done, len);
      done += len;
    }
  }
}
