// One app: its module, compiled by the browser's engine, with the imports that it was granted.
// All of WASI is wasi.wasm (hosts/browser/app), which reaches the app's memory through copies.
// Or engine.wasm, our own engine and WASI in one, which runs the module.
import { Channel, STOPPED, WOULD_BLOCK } from './channel.js';
import { free_from, put } from './place.js';
import { Share } from './share.js';
import { next_pending } from './sockets.js';
import { describe_trap, Ended } from './traps.js';

const WIRE_CONNECT = 5, WIRE_MSG_RECV = 7; // wire.h
const CLOSED = -3, RESET = -4; // as app/sockets.c has them
const EXIT_TRAP = 134, EXIT_STOPPED = 143, EXIT_REFUSED = 126;
const PAGE = 65536;
const text = new TextEncoder();
Error.stackTraceLimit = 64; // V8 would keep ten frames

let channel, wasi, guest_memory;
let memory, place; // that wasi is in, and which part of it
let share; // of a processor, when the app has but a part
const exported = new Map(); // names of functions by number, for backtraces
let shift; // by how much the module's code was moved when its memory was bounded

const wasi_bytes = (at, len) => new Uint8Array(memory.buffer, at, len);
const guest_bytes = (at, len) => new Uint8Array(guest_memory.buffer, at >>> 0, len);

function clock(id) {
  const now = performance.now();
  return (id === 0 ? performance.timeOrigin + now : now) * 1e6;
}

function random(at, len) {
  for (let done = 0; done < len; done += 65536) {
    const piece = new Uint8Array(Math.min(65536, len - done)); // shared memory is refused
    wasi_bytes(at + done, piece.length).set(crypto.getRandomValues(piece));
  }
}

const readable = () => channel.used(0) > 0 || channel.closed(0);

function stream_read(at, len, nonblock) {
  if (!readable() && nonblock)
    return WOULD_BLOCK;
  channel.wait(() => readable() || undefined, -1, false);
  const n = channel.take(0, wasi_bytes(at, len));
  if (n)
    channel.ring(); // the core may be waiting for room
  return n;
}

function stream_write(fd, at, len, nonblock) {
  if (!channel.room(fd)) {
    if (nonblock)
      return WOULD_BLOCK;
    if (channel.wait(() => channel.room(fd) > 0 || undefined, -1) === STOPPED)
      return STOPPED;
  }
  const n = channel.put(fd, wasi_bytes(at, len));
  channel.ring();
  return n;
}

// --- sockets: places in the channel

const LISTENER = 16, SOCKET_FIRST = 64; // handles, as in app/internal.h

// What test() finds out, waited for unless it is not to block.
function found(test, nonblock) {
  const got = test();
  return got !== undefined ? got : nonblock ? WOULD_BLOCK : channel.wait(test, -1);
}

function socket_accept(listener, nonblock) {
  for (;;) {
    const place = found(() => next_pending(channel.sockets, listener), nonblock);
    if (place < 0 || channel.sockets[place].accept())
      return place;
  }
}

function socket_read(place, at, len, nonblock, peek) {
  const socket = channel.sockets[place];
  const state = found(() => socket.readable() ? 0 : undefined, nonblock);
  if (state < 0)
    return state;
  const n = socket.in.take(wasi_bytes(at, len), peek !== 0);
  if (n && !peek)
    channel.ring(); // the core may have more
  return n || !socket.was_reset() ? n : RESET;
}

function socket_write(place, at, len, nonblock) {
  const socket = channel.sockets[place];
  const state = found(() => socket.writable() ? 0 : undefined, nonblock);
  if (state < 0)
    return state;
  if (socket.out.closed())
    return CLOSED;
  const n = socket.out.put(wasi_bytes(at, len));
  channel.ring();
  return n;
}

function socket_shutdown(place, read, write) {
  if (read)
    channel.sockets[place].in.close();
  if (write)
    channel.sockets[place].out.close();
  channel.ring();
}

function socket_close(place) {
  channel.sockets[place].drop();
  channel.ring();
}

// --- waiting

// Of one entry of struct js_pollfd: whether it is ready, how many bytes, whether that is the end.
function look_at(handle, write) {
  if (handle <= 2)
    return write ? [channel.room(handle) > 0, channel.room(handle), false]
                 : [readable(), channel.used(0), readable() && !channel.used(0)];
  if (handle < SOCKET_FIRST)
    return [next_pending(channel.sockets, handle - LISTENER) !== undefined, 1, false];
  const socket = channel.sockets[handle - SOCKET_FIRST];
  return write ? [socket.writable(), socket.out.room(), socket.out.closed()]
               : [socket.readable(), socket.in.used(), socket.in.closed() && !socket.in.used()];
}

const POLLFD = 20; // bytes

function poll(at, count, timeout_ms) {
  let reads_stdin = false;
  const look = () => {
    const list = new DataView(memory.buffer, at, count * POLLFD);
    let any = 0;
    for (let i = 0; i < count * POLLFD; i += POLLFD) {
      const handle = list.getInt32(i, true), write = list.getUint32(i + 4, true) !== 0;
      const [ready, bytes, hangup] = look_at(handle, write);
      list.setUint32(i + 8, ready ? 1 : 0, true);
      list.setUint32(i + 12, ready ? bytes : 0, true);
      list.setUint32(i + 16, ready && hangup ? 1 : 0, true);
      any += ready ? 1 : 0;
      reads_stdin ||= handle === 0 && !write;
    }
    return any || undefined;
  };
  look();
  // After a request to stop only stdin, whose end is near, is waited for.
  return channel.wait(look, timeout_ms, !reads_stdin) === STOPPED ? STOPPED : 0;
}

function ask() {
  const at = wasi.packet();
  const packet = wasi_bytes(at, wasi.packet_size());
  const head = new DataView(memory.buffer, at);
  // An app that is asked to stop may finish what the core does at once; what could take for ever ends.
  const can_wait = [WIRE_CONNECT, WIRE_MSG_RECV].includes(head.getUint16(0, true));
  const answer = channel.ask(packet.subarray(0, 28 + head.getUint32(4, true) +
                                                head.getUint32(8, true)), can_wait);
  if (!answer)
    return STOPPED;
  packet.set(answer);
  return 0;
}

// Our engine is going to use its place up to there. Memory that it has to itself grows with it.
function reach(to) {
  const end = to >>> 0;
  if (end > place.begin + place.size)
    return -1;
  const more = Math.ceil((end - memory.buffer.byteLength) / PAGE);
  try {
    if (more > 0)
      memory.grow(more);
  } catch {
    return -1;
  }
  channel.use_bytes(end - place.begin);
  return 0;
}

const host = {
  guest_size: () => guest_memory ? guest_memory.buffer.byteLength : 0,
  guest_get: (to, from, len) => wasi_bytes(to, len).set(guest_bytes(from, len)),
  guest_put: (to, from, len) => guest_bytes(to, len).set(wasi_bytes(from, len)),
  rest: () => share.rest(channel.waited_ms), clock, random, reach, stream_read, stream_write, ask, poll,
  socket_accept, socket_read, socket_write, socket_shutdown, socket_close,
};

// One import as a function for the app: its arguments to wasi.wasm, its errno back.
function bind(index) {
  let params = '';
  for (let at = wasi.import_params(index); ; at++) {
    const letter = wasi_bytes(at, 1)[0];
    if (!letter)
      break;
    params += String.fromCharCode(letter);
  }
  const returns = wasi.import_returns(index);
  const args = wasi.args();
  return (...values) => {
    const slots = new DataView(memory.buffer, args);
    for (let i = 0; i < params.length; i++)
      slots.setBigUint64(8 * i, params[i] === 'I' ? BigInt.asUintN(64, values[i])
                                                  : BigInt(values[i] >>> 0), true);
    const errno = wasi.call(index);
    if (errno < 0)
      throw new Ended(errno === -1 ? wasi.exit_code() : EXIT_STOPPED);
    return returns ? errno : undefined;
  };
}

function put_scratch(...parts) {
  let at = wasi.scratch();
  return parts.map(part => {
    const bytes = text.encode(part).subarray(0, 2000);
    wasi_bytes(at, bytes.length).set(bytes);
    at += bytes.length;
    return bytes.length;
  });
}

function refuse(why) {
  wasi.refused(...put_scratch(why));
  throw new Ended(EXIT_REFUSED);
}

// Only what was granted exists: an import that does not ends the start.
function link(module) {
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const index = wasi.import(...put_scratch(from, name), kind === 'function' ? 1 : 0);
    if (index < 0)
      throw new Ended(EXIT_REFUSED);
    (imports[from] ??= Object.create(null))[name] = bind(index);
  }
  return imports;
}

// Nothing of the app has run: it can begin somewhere else.
class NoMemory extends Error {}

function with_memory(make) {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError && /memory/i.test(error.message))
      throw new NoMemory(error.message);
    throw error;
  }
}

function run(module) {
  const imports = link(module);
  const instance = with_memory(() => new WebAssembly.Instance(module, imports));
  channel.ring(); // it runs
  const start = instance.exports._start;
  guest_memory = instance.exports.memory;
  for (const [name, value] of Object.entries(instance.exports))
    if (typeof value === 'function')
      exported.set(value.name, name); // the number is an exported function's own name
  if (typeof start !== 'function')
    refuse('the module exports no function _start');
  if (start.length)
    refuse('_start takes or returns values');
  start();
  return 0;
}

// The same in our own engine, which has WASI in it and says its last words itself.
function run_own({ bytes, pages, cpu_percent }) {
  const at = wasi.own_room(bytes.length);
  if (!at)
    refuse('no memory to load the module');
  wasi_bytes(at, bytes.length).set(bytes);
  channel.ring(); // it runs
  if (cpu_percent)
    share = new Share(cpu_percent);
  return wasi.own_run(pages, cpu_percent ? 1 : 0);
}

function life(data) {
  try {
    if (wasi.start() < 0)
      refuse('arguments or environment are malformed');
    return place.own ? run_own(data) : run(data.module);
  } catch (error) {
    if (error instanceof Ended)
      return error.code;
    if (error instanceof NoMemory)
      throw error;
    const trap = place.own ? null : describe_trap(error, shift, exported);
    if (!trap) {
      wasi.refused(...put_scratch(String(error.message)));
      return EXIT_REFUSED;
    }
    const lengths = put_scratch(trap.reason, trap.trace);
    wasi.trapped(trap.code, ...lengths);
    return EXIT_TRAP;
  }
}

// WASI, or our engine with it, in its place.
function begin({ code }) {
  const pages = place.size / PAGE, free = free_from(code);
  memory = place.memory ?? with_memory(() => new WebAssembly.Memory({
    initial: place.own ? Math.ceil(free / PAGE) : pages, maximum: pages, shared: true }));
  channel.use_bytes(free);
  wasi = with_memory(() => put(code, memory, place.begin, place.dirty, host));
  if (place.own)
    wasi.own_heap(place.begin + free, place.begin + place.size);
}

// Held for as long as anything of this worker can run: terminate() does not say when a worker
// that computes has stopped; whoever ended it learns by this lock when its place is free.
const alive = new Promise((resolve, reject) => {
  navigator.locks.request(self.name, () => {
    resolve();
    return new Promise(() => {});
  }).catch(reject);
});

self.postMessage('begun'); // the page (start.js) does without the others when it must

// The first message is a port to the core's worker.
self.onmessage = ({ data: port }) => { port.onmessage = ({ data }) => take(port, data); };

async function take(port, data) {
  await alive;
  channel = new Channel(data.shared);
  channel.port = port;
  if (channel.forbidden())
    return;
  place = data.place;
  shift = data.shift;
  try {
    begin(data);
    wasi_bytes(wasi.packet(), data.start.length).set(data.start);
    channel.end(life(data));
  } catch (error) {
    port.postMessage(error instanceof NoMemory ? { no_memory: error.message }
                                               : { failed: String(error.message) });
  }
}
