// An app's sockets. A place in its channel holds two rings and what has become of the connection;
// what the core's worker has at the other end of it is a "remote": the bridge's WebSocket
// (bridge.js) or a request of the page itself (ports.js).
import { Ring, RING_WORDS } from './ring.js';

const STATE = 0, LISTENER = 1, ORDER = 2, WAS_RESET = 3, IN = 4, OUT = IN + RING_WORDS;
const WORDS = 16, RING_BYTES = 16384;
export const SOCKET_BYTES = WORDS * 4 + 2 * RING_BYTES;
export const SOCKETS_MOST = 64;

// PENDING: until the app accepts it. DROPPED: by the app; the core's side frees it.
const FREE = 0, PENDING = 1, OPEN = 2, DROPPED = 3;
const WAIT_MS = 30000; // for the app to accept

export class Socket {
  constructor(shared, at) {
    this.words = new Int32Array(shared, at, WORDS);
    this.in = new Ring(this.words, IN, new Uint8Array(shared, at + WORDS * 4, RING_BYTES));
    this.out = new Ring(this.words, OUT,
                        new Uint8Array(shared, at + WORDS * 4 + RING_BYTES, RING_BYTES));
  }

  get state() { return Atomics.load(this.words, STATE); }
  set state(value) { Atomics.store(this.words, STATE, value); }
  get listener() { return Atomics.load(this.words, LISTENER); }
  get order() { return Atomics.load(this.words, ORDER); }
  #from_pending(to) { return Atomics.compareExchange(this.words, STATE, PENDING, to) === PENDING; }

  // --- the app's side

  pending(listener) { return this.state === PENDING && this.listener === listener; }
  accept() { return this.#from_pending(OPEN); }
  drop() { this.state = DROPPED; }
  was_reset() { return Atomics.load(this.words, WAS_RESET) === 1; }
  readable() { return this.in.used() > 0 || this.in.closed(); }
  writable() { return this.out.room() > 0 || this.out.closed(); }

  // --- the core's side

  // Nobody has accepted it, and nobody will.
  give_up() { return this.#from_pending(DROPPED); }

  open(state, listener, order) {
    this.in.reset();
    this.out.reset();
    Atomics.store(this.words, WAS_RESET, 0);
    Atomics.store(this.words, LISTENER, listener);
    Atomics.store(this.words, ORDER, order);
    this.state = state;
  }

  reset() {
    Atomics.store(this.words, WAS_RESET, 1);
    this.in.close();
    this.out.close();
  }
}

// The place that is to be accepted next, or undefined.
export function next_pending(sockets, listener) {
  let first;
  for (const [place, socket] of sockets.entries())
    if (socket.pending(listener) &&
        (first === undefined || socket.order - sockets[first].order < 0))
      first = place;
  return first;
}

// The core's end of all sockets of one app. A remote has
//   send(bytes, last)  takes them, or some of them: how many; all, if they are the last
//   end()        the app sends no more
//   pull(most)   bytes for the app, at most so many; null: none now
//   ended, failed  after the last of them
//   close()      the app wants no more of it
export class Sockets {
  #channel; #remotes = new Map(); #order = 0;

  constructor(channel) { this.#channel = channel; }

  #place(state, listener, remote) {
    const place = this.#channel.sockets.findIndex((socket, i) =>
      socket.state === FREE && !this.#remotes.has(i));
    if (place < 0)
      return -1;
    this.#channel.sockets[place].open(state, listener, this.#order++ | 0);
    this.#remotes.set(place, { remote, told: false, until: performance.now() + WAIT_MS });
    this.#channel.wake();
    return place;
  }

  // Where the bytes of a connection are that the app has asked for; below 0: there is no place.
  connected(remote) { return this.#place(OPEN, -1, remote); }
  // One that the app will find at its listener.
  arrived(listener, remote) { return this.#place(PENDING, listener, remote); }

  // Moves what there is. True: there may be more at once.
  turn() {
    let more = false, moved = false;
    for (const [place, entry] of this.#remotes) {
      const socket = this.#channel.sockets[place];
      const late = performance.now() > entry.until && socket.give_up();
      if (socket.state === DROPPED || late) {
        this.#flush(socket, entry);
        entry.remote.close();
        socket.state = FREE;
        this.#remotes.delete(place);
        continue;
      }
      const n = this.#take_out(socket, entry) + this.#put_in(socket, entry.remote);
      moved ||= n > 0;
      more ||= n > 0;
    }
    if (moved)
      this.#channel.wake();
    return more;
  }

  #take_out(socket, entry, last = false) {
    const piece = new Uint8Array(Math.min(socket.out.used(), RING_BYTES));
    const n = piece.length ? entry.remote.send(piece.subarray(0, socket.out.take(piece, true)), last) : 0;
    if (n)
      socket.out.take(piece.subarray(0, n));
    if (socket.out.closed() && !socket.out.used() && !entry.told) {
      entry.told = true;
      entry.remote.end();
    }
    return n;
  }

  #put_in(socket, remote) {
    const room = socket.in.room();
    if (!room)
      return 0; // its end is not the end yet
    const bytes = remote.pull(room);
    if (bytes) {
      socket.in.put(bytes);
      return bytes.length;
    }
    if (remote.failed && !socket.was_reset()) {
      socket.reset();
      this.#channel.wake();
    } else if (remote.ended && !socket.in.closed()) {
      socket.in.close();
      this.#channel.wake();
    }
    return 0;
  }

  // What the app has written before it closed is still sent.
  #flush(socket, entry) {
    socket.out.close();
    this.#take_out(socket, entry, true);
  }

  // The app is gone.
  close() {
    for (const [place, entry] of this.#remotes) {
      this.#flush(this.#channel.sockets[place], entry);
      entry.remote.close();
    }
    this.#remotes.clear();
  }
}
