// What one app's worker and the core's worker share: a SharedArrayBuffer with three bounded
// streams and room for one request. The app's side blocks (Atomics.wait); the core's side never
// does: it is told that there is something to do by one message, and not by another until it
// has looked (BELL).

const WAKE = 0;      // counts what may end a wait of the app's
const BELL = 1;      // 1: a message is on its way to the core
const STOP = 2;      // 1: the app is asked to end
const DONE = 3;      // 1: the app has ended, with CODE
const CODE = 4;
const REQUEST = 5;   // NONE, ASKED, ANSWERED
const READY = 6;     // 1: the core waits for room in the app's stdin
const STREAMS = 8;   // for each of the three: bytes ever written, ever read, 1: closed
const WORDS = 32;

const NONE = 0, ASKED = 1, ANSWERED = 2;
export const WOULD_BLOCK = -1, STOPPED = -2;

const STREAM_BYTES = 65536; // a power of two
const HEAD_BYTES = 28;      // struct wire of wire.h
const PACKET_BYTES = HEAD_BYTES + 65 * 1024;
const PACKET_AT = WORDS * 4 + 3 * STREAM_BYTES;
const TOTAL = PACKET_AT + PACKET_BYTES;

export class Channel {
  constructor(shared = new SharedArrayBuffer(TOTAL)) {
    this.shared = shared;
    this.words = new Int32Array(shared, 0, WORDS);
    this.bytes = new Uint8Array(shared);
  }

  load(word) { return Atomics.load(this.words, word); }

  // --- streams: 0 is the app's stdin, 1 and 2 its stdout and stderr

  used(stream) {
    const at = STREAMS + 3 * stream;
    return (this.load(at) - this.load(at + 1)) >>> 0;
  }

  room(stream) { return STREAM_BYTES - Math.min(this.used(stream), STREAM_BYTES); }
  closed(stream) { return this.load(STREAMS + 3 * stream + 2) === 1; }
  close(stream) { Atomics.store(this.words, STREAMS + 3 * stream + 2, 1); }

  // As many of the bytes as there is room for.
  put(stream, from) {
    const n = Math.min(from.length, this.room(stream));
    const written = this.load(STREAMS + 3 * stream);
    this.#copy(stream, written, n, (at, from_, len) =>
      this.bytes.set(from.subarray(from_, from_ + len), at));
    Atomics.store(this.words, STREAMS + 3 * stream, written + n);
    return n;
  }

  // As many as there are, into `to`. The counts are the other side's word: they are bounded here.
  take(stream, to) {
    const n = Math.min(to.length, this.used(stream), STREAM_BYTES);
    const read = this.load(STREAMS + 3 * stream + 1);
    this.#copy(stream, read, n, (at, to_, len) => to.set(this.bytes.subarray(at, at + len), to_));
    Atomics.store(this.words, STREAMS + 3 * stream + 1, read + n);
    return n;
  }

  #copy(stream, count, n, move) {
    for (let done = 0; done < n;) {
      const in_ring = ((count + done) >>> 0) % STREAM_BYTES;
      const len = Math.min(n - done, STREAM_BYTES - in_ring);
      move(WORDS * 4 + stream * STREAM_BYTES + in_ring, done, len);
      done += len;
    }
  }

  // --- packets

  put_packet(bytes) { this.bytes.set(bytes, PACKET_AT); }

  // A copy of the packet, whose lengths fit; or null.
  take_packet() {
    const head = new DataView(this.bytes.slice(PACKET_AT, PACKET_AT + HEAD_BYTES).buffer);
    const len = HEAD_BYTES + head.getUint32(4, true) + head.getUint32(8, true);
    if (len > PACKET_BYTES)
      return null;
    const packet = this.bytes.slice(PACKET_AT, PACKET_AT + len);
    packet.set(new Uint8Array(head.buffer)); // the lengths that were checked
    return packet;
  }

  // --- the core's side

  wake() {
    Atomics.add(this.words, WAKE, 1);
    Atomics.notify(this.words, WAKE);
  }

  silence_bell() { Atomics.store(this.words, BELL, 0); }
  ask_stop() { Atomics.store(this.words, STOP, 1); this.wake(); }
  done() { return this.load(DONE) === 1; }
  code() { return this.load(CODE); }
  asked() { return this.load(REQUEST) === ASKED; }
  // What was asked, once; an answer follows.
  take_request() {
    Atomics.store(this.words, REQUEST, NONE);
    return this.take_packet();
  }
  want_room() { Atomics.store(this.words, READY, 1); }
  has_wanted_room() { return this.room(0) > 0 && Atomics.exchange(this.words, READY, 0) === 1; }

  answer(packet) {
    this.put_packet(packet);
    Atomics.store(this.words, REQUEST, ANSWERED);
    this.wake();
  }

  // --- the app's side

  stopping() { return this.load(STOP) === 1; }

  ring() {
    if (Atomics.exchange(this.words, BELL, 1) === 0)
      this.port.postMessage(0);
  }

  // Until test() is not undefined, which it then returns; STOPPED; undefined after timeout_ms (< 0:
  // without end). Reading what is left in stdin goes on after the app was asked to stop.
  wait(test, timeout_ms, until_stopped = true) {
    const end = timeout_ms < 0 ? Infinity : performance.now() + timeout_ms;
    for (;;) {
      const wake = this.load(WAKE);
      const got = test();
      if (got !== undefined)
        return got;
      if (until_stopped && this.stopping())
        return STOPPED;
      const left = end - performance.now();
      if (left <= 0)
        return undefined;
      Atomics.wait(this.words, WAKE, wake, left);
    }
  }

  ask(packet) {
    this.put_packet(packet);
    Atomics.store(this.words, REQUEST, ASKED);
    this.ring();
    const got = this.wait(() => this.load(REQUEST) === ANSWERED ? true : undefined, -1);
    if (got === STOPPED)
      return null;
    Atomics.store(this.words, REQUEST, NONE);
    return this.take_packet();
  }

  end(code) {
    Atomics.store(this.words, CODE, code);
    Atomics.store(this.words, DONE, 1);
    this.ring();
  }
}
