// What one app's worker and the core's worker share: a SharedArrayBuffer with three bounded
// streams, room for one request, and places for sockets when the app may have some. The app's side blocks (Atomics.wait); the core's side never
// does: it is told that there is something to do by one message, and not by another until it
// has looked (BELL).

import { Ring, RING_WORDS } from './ring.js';
import { Socket, SOCKET_BYTES } from './sockets.js';

const WAKE = 0;      // counts what may end a wait of the app's
const BELL = 1;      // 1: a message is on its way to the core
const STOP = 2;      // 1: the app is asked to end
const DONE = 3;      // 1: the app has ended, with CODE
const CODE = 4;
const REQUEST = 5;   // NONE, ASKED, ANSWERED
const READY = 6;     // 1: the core waits for room in the app's stdin
const USED = 7;      // bytes of the app's place (place.js) that may not be zero any more
const STREAMS = 8;   // three rings
const KILLED = 17;   // 1: its worker is not to begin any more
const WORDS = 32;

const NONE = 0, ASKED = 1, ANSWERED = 2;
export const WOULD_BLOCK = -1;
export const STOPPED = -2;

const STREAM_BYTES = 65536; // a power of two
const HEAD_BYTES = 28;      // struct wire of wire.h
const PACKET_BYTES = HEAD_BYTES + 65 * 1024;
const PACKET_AT = WORDS * 4 + 3 * STREAM_BYTES;
const TOTAL = PACKET_AT + PACKET_BYTES;

export class Channel {
  // The core's side makes it, for so many sockets; the app's gets it.
  constructor(shared, sockets = 0) {
    this.shared = shared ?? new SharedArrayBuffer(TOTAL + sockets * SOCKET_BYTES);
    this.words = new Int32Array(this.shared, 0, WORDS);
    this.bytes = new Uint8Array(this.shared);
    this.streams = [0, 1, 2].map(i => new Ring(this.words, STREAMS + i * RING_WORDS,
      new Uint8Array(this.shared, WORDS * 4 + i * STREAM_BYTES, STREAM_BYTES)));
    this.sockets = [];
    this.waited_ms = 0; // by the app's side, ever
    for (let at = TOTAL; at + SOCKET_BYTES <= this.shared.byteLength; at += SOCKET_BYTES)
      this.sockets.push(new Socket(this.shared, at));
  }

  load(word) { return Atomics.load(this.words, word); }

  // --- streams: 0 is the app's stdin, 1 and 2 its stdout and stderr

  used(stream) { return this.streams[stream].used(); }
  room(stream) { return this.streams[stream].room(); }
  closed(stream) { return this.streams[stream].closed(); }
  close(stream) { this.streams[stream].close(); }
  put(stream, from) { return this.streams[stream].put(from); }
  take(stream, to) { return this.streams[stream].take(to); }

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
  used_bytes() { return this.load(USED) >>> 0; }
  forbid() { Atomics.store(this.words, KILLED, 1); }
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

  forbidden() { return this.load(KILLED) === 1; }
  // Before they are: the app may be gone at any time after.
  use_bytes(count) { Atomics.store(this.words, USED, Math.max(count, this.used_bytes())); }
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
      const now = performance.now();
      if (end <= now)
        return undefined;
      Atomics.wait(this.words, WAKE, wake, end - now);
      this.waited_ms += performance.now() - now;
    }
  }

  // until_stopped: a request to end the app ends the wait.
  ask(packet, until_stopped) {
    this.put_packet(packet);
    Atomics.store(this.words, REQUEST, ASKED);
    this.ring();
    const got = this.wait(() => this.load(REQUEST) === ANSWERED ? true : undefined, -1,
                          until_stopped);
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
