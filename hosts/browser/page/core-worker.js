// The core's worker: core.wasm, and all that its actions ask for. Messages in: from the page what
// is typed, from app workers that there is something in their channel. Never blocks.
import { Channel } from './channel.js';
import { AppWorker, on_broken } from './app-workers.js';
import { read_app } from './apps.js';
import { BridgeRemote } from './bridge.js';
import { take_first } from './first.js';
import { least_memory, limit_memory } from './limit.js';
import { Places } from './places.js';
import { PageRemote } from './ports.js';
import { Sockets, SOCKETS_MOST } from './sockets.js';
import { Storage, be_alone } from './storage.js';

const PIECE = 65536;             // of a module that is hashed, of an app's output
const CONSOLE_MOST = 256 * 1024; // shown and not yet acknowledged by the page
const E_IO = -11;
const text = new TextEncoder(), from_text = new TextDecoder();

let core, wasi_module, places, modules = new Map(), names = new Map(), apps = new Map();
let timer = 0, console_waits = 0;
const storage = new Storage();

const bytes_at = (at, len) => new Uint8Array(core.memory.buffer, at, len);

function give(bytes) {
  bytes_at(core.packet(), bytes.length).set(bytes);
  return bytes.length;
}

// --- what the core asks for. None of these calls the core: what has an answer answers later.

const later = work => setTimeout(work, 0);

// Manifest, then module, each handed to the core; the module that is compiled is what was hashed.
async function read(app, name, finish) {
  try {
    const found = await read_app(name, manifest => {
      const len = core.manifest(app, give(manifest));
      return len > 0 ? from_text.decode(bytes_at(core.packet(), len).slice()) : null;
    });
    for (let at = 0; at < found.length; at += PIECE)
      core.hash(app, give(found.subarray(at, at + PIECE)));
    finish(0, found);
  } catch (error) {
    finish(error.code ?? E_IO, null, error.message);
  }
}

function load(app, at, len) {
  const name = from_text.decode(bytes_at(at, len).slice());
  names.set(app, name);
  read(app, name, (error, module, why) => {
    if (error === 0)
      modules.set(app, module);
    core.loaded(app, error, error ? give(text.encode(why)) : 0);
  });
}

function verify(app, at, len) {
  read(app, from_text.decode(bytes_at(at, len).slice()), error => core.verified(app, error));
}

function unload(app) {
  modules.delete(app);
  names.delete(app);
}

// A worker takes tens of milliseconds to begin; the next app's is ready before it is wanted. Each
// holds a lock of its own name while it can run.
let spare = null, workers = 0;
const run_of_page = crypto.randomUUID();

const new_worker = () => new AppWorker(`vyoma-${run_of_page}-${workers++}`);

function take_worker() {
  if (spare?.broken) {
    spare.terminate();
    spare = null;
  }
  const taken = spare ?? new_worker();
  spare = null;
  setTimeout(() => { spare ??= new_worker(); }, 100);
  return taken;
}

function take_spare(name, port) {
  const one = new AppWorker(name, port);
  if (spare)
    one.terminate();
  spare ??= one;
}

// Our own engine, for those who ask for it, for modules that the browser's does not take, and for
// whom there is no memory in the browser's.
let engine_module = null;
const own_engine = () =>
  engine_module ??= WebAssembly.compileStreaming(fetch('engine.wasm')).catch(error => {
    engine_module = null; // the next app tries again
    throw error;
  });

// What of the app the worker gets, for the place that it has: { code, module, shift }, or
// { code, bytes, pages, cpu_percent } for our engine.
async function prepare(life) {
  const { bytes, pages, cpu_percent } = life;
  if (!life.place.own) {
    try {
      const limited = limit_memory(bytes, pages);
      const module = await WebAssembly.compile(limited);
      return { code: wasi_module, module, shift: limited.length - bytes.length };
    } catch { // ours runs it, or says in our words what is wrong with it
      places.give_back(life.place, 0);
      life.place = null;
      life.place = places.for_own(pages);
    }
  }
  return { code: await own_engine(), bytes, pages, cpu_percent };
}

const BEGIN_MS = 120000; // for a worker to begin, beside many others

// Only our engine can be held to a part of a processor.
async function spawn(app, at, len, memory_pages, own, networks, cpu_percent) {
  const start = bytes_at(at, len).slice();
  const channel = new Channel(null, networks ? SOCKETS_MOST : 0);
  const life = { channel, sockets: new Sockets(channel), paused: false, dead: false, place: null,
                 bytes: modules.get(app), pages: memory_pages, cpu_percent, start };
  apps.set(app, life);
  life.late = setTimeout(() => refuse(app, `its worker did not begin within ${BEGIN_MS / 1000} s`), BEGIN_MS);
  begin(app, life, () => own || cpu_percent ? places.for_own(memory_pages)
                             : places.for_browser(least_memory(life.bytes)));
}

const AGAIN_MS = 250, AGAIN_MOST = 8;

// A browser that has no memory for a place may have some soon: what has ended, a page that was
// reloaded too, is freed when it likes.
async function place_for(life, take) {
  for (let tries = 1; ; tries++)
    try {
      return take();
    } catch (error) {
      if (life.dead || tries === AGAIN_MOST)
        throw error;
      await new Promise(resolve => setTimeout(resolve, AGAIN_MS));
    }
}

// take: a place for it.
async function begin(app, life, take) {
  await null; // not from within the core's call
  try {
    life.place = await place_for(life, take);
    const what = await prepare(life);
    if (life.dead) {
      give_back(life);
      return;
    }
    const worker = life.worker = take_worker();
    worker.onmessage = ({ data }) =>
      data?.no_memory
        ? begin_again(app, life, () => places.in_engine(), `no memory for one more app: ${data.no_memory}`)
        : data?.failed ? refuse(app, data.failed) : look(app);
    worker.onerror = () =>
      life.told ? end(app, 125) : begin_again(app, life, take, 'its worker could not be loaded');
    const { pool, ...place } = life.place;
    worker.postMessage({ shared: life.channel.shared, start: life.start, place, ...what });
  } catch (error) { // a browser has only so many memories
    const why = error instanceof RangeError ? `no memory for one more app: ${error.message}` : error.message;
    if (!life.dead)
      refuse(app, String(why));
  }
}

// Once more, elsewhere, or the words why not: nothing of it has run.
async function begin_again(app, life, take, why) {
  if (life.dead)
    return;
  await give_back(life); // what it could have may be what is needed
  if (life.dead)
    return;
  if (life.tried_twice) {
    refuse(app, why);
    return;
  }
  life.tried_twice = true;
  begin(app, life, take);
}

// Its place is free when its worker cannot run any more, which may be later than terminate(): then
// the promise that this returns is kept.
function give_back(life) {
  const { place, worker, channel } = life;
  life.place = life.worker = null;
  if (!place)
    return;
  if (!worker) {
    places.give_back(place, 0);
    return;
  }
  worker.terminate();
  return navigator.locks.request(worker.name, () => places.give_back(place, channel.used_bytes()));
}

// The core hears that it runs, and in which engine, before anything else of it.
function tell(app, life) {
  if (life.told)
    return;
  life.told = true;
  clearTimeout(life.late);
  core.spawned(app, life.place?.own ? 1 : 0);
  when_spawned?.();
  when_spawned = null;
}

function refuse(app, why) {
  const life = apps.get(app);
  if (!life)
    return;
  tell(app, life);
  const words = text.encode(why).subarray(0, 200);
  const packet = new Uint8Array(28 + words.length);
  const head = new DataView(packet.buffer);
  head.setUint16(0, 2, true); // WIRE_REFUSED
  head.setUint32(4, words.length, true);
  packet.set(words, 28);
  give(packet);
  core.request(app);
  end(app, 126);
}

// --- connections

let bridge = null; // its address, with the key
const NETUNREACH = 40, NFILE = 41;

// Out of the page, as far as the core has allowed it: what the bridge asks again.
function connect(app, at, len, port) {
  const host = from_text.decode(bytes_at(at, len).slice()), name = names.get(app);
  const life = apps.get(app);
  if (!bridge) {
    self.postMessage({ say: `${name} wants to connect to ${host}:${port}, and a page has no connections of ` +
                            'its own: start `vyoma bridge --apps FOLDER` and open the address ' +
                            'that it prints behind this one.' });
    return NETUNREACH;
  }
  const answer = errno => {
    if (apps.get(app) !== life) { // it has ended meanwhile
      remote.close();
      return;
    }
    const place = errno ? -1 : life.sockets.connected(remote);
    if (place < 0)
      remote.close();
    core.connected(app, errno || (place < 0 ? NFILE : 0), Math.max(place, 0));
  };
  let remote;
  try {
    remote = new BridgeRemote(bridge, name, host, port, answer, () => look_soon(app));
  } catch (error) { // the address is none, or the page may not go there
    self.postMessage({ say: `The relay ${bridge} cannot be used: ${error.message}` });
    return NETUNREACH;
  }
  return 0;
}

// In the page, to an app that listens: the answer goes to the port that came with the request.
function ask_port(request, answer) {
  const found = core.listener(request.port), app = Math.floor(found / 16);
  const reply = what => answer.postMessage(what, [what.body.buffer]);
  const life = found ? apps.get(app) : null;
  const remote = new PageRemote(request, reply);
  if (!life) {
    remote.refuse(`no app in this page listens on port ${request.port}`);
    return;
  }
  if (life.sockets.arrived(found % 16, remote) < 0)
    remote.refuse('the app has as many connections as it may have');
  else
    look_soon(app);
}

function write_stdin(app, at, len) {
  const life = apps.get(app);
  if (!life || life.channel.closed(0))
    return -1;
  const n = life.channel.put(0, bytes_at(at, len));
  if (n === 0)
    life.channel.want_room();
  else
    life.channel.wake();
  return n;
}

function close_stdin(app) {
  apps.get(app)?.channel.close(0);
  apps.get(app)?.channel.wake();
}

function pause_output(app, paused) {
  const life = apps.get(app);
  if (!life)
    return;
  life.paused = paused !== 0;
  if (!life.paused)
    look_soon(app);
}

function kill(app) {
  const life = apps.get(app);
  if (!life || life.dead)
    return;
  life.dead = true;
  life.channel.forbid();
  life.worker?.terminate();
  later(() => end(app, 0));
}

function show(stream, at, len) {
  console_waits += len;
  self.postMessage({ show: bytes_at(at, len).slice(), stream });
}

function read_audit() {
  const pieces = [];
  for (let at = 0, n; (n = core.audit_read(at)) > 0; at += n)
    pieces.push(bytes_at(core.packet(), n).slice());
  return new Blob(pieces);
}

function set_timer(at_ms) {
  clearTimeout(timer);
  timer = setTimeout(() => core.timer(), Math.max(0, Math.min(at_ms - performance.now(), 1e9)));
}

const host = {
  now_ms: () => performance.now(),
  unix_ms: () => Date.now(),
  load, verify, unload, spawn, connect, write_stdin, close_stdin, pause_output, kill,
  answer: (app, at, len) => apps.get(app)?.channel.answer(bytes_at(at, len).slice()),
  ask_stop: app => apps.get(app)?.channel.ask_stop(),
  console: show,
  timer: set_timer,
  power: (stop, code) => storage.finish().then(() => self.postMessage({ power: stop, code })),
  ...storage.imports(bytes_at),
};

// --- app workers

// Once, however often it is asked for.
function look_soon(app) {
  const life = apps.get(app);
  if (!life || life.soon)
    return;
  life.soon = true;
  later(() => {
    life.soon = false;
    look(app);
  });
}

// One bounded piece of what an app has for us; what is left waits for the next turn.
function look(app) {
  const life = apps.get(app);
  if (!life)
    return;
  tell(app, life);
  const { channel } = life;
  channel.silence_bell();
  if (channel.has_wanted_room())
    core.delivered(app);
  if (channel.asked()) {
    const packet = channel.take_request();
    if (!packet) {
      kill(app);
      return;
    }
    give(packet);
    core.request(app);
  }
  const moved = life.sockets.turn();
  const more = take_output(app, life) || moved;
  if (more)
    look_soon(app);
  else if (channel.done() && !life.paused && console_waits <= CONSOLE_MOST && drained(channel))
    end(app, channel.code());
}

const drained = channel => channel.used(1) === 0 && channel.used(2) === 0;

// True: there may be more at once.
function take_output(app, life) {
  let more = false;
  for (const stream of [1, 2]) {
    if (life.paused || console_waits > CONSOLE_MOST || !life.channel.used(stream))
      continue;
    const n = life.channel.take(stream, bytes_at(core.packet(), PIECE));
    life.channel.wake();
    core.output(app, stream, n);
    more ||= life.channel.used(stream) > 0 && !life.paused;
  }
  return more;
}

// Its last words come before the news of its end.
function end(app, code) {
  const life = apps.get(app);
  if (!life)
    return;
  tell(app, life);
  life.dead = true;
  life.channel.forbid(); // should its worker not even hold its lock yet
  give_back(life);
  life.sockets.close();
  for (const stream of [1, 2]) {
    const n = life.channel.take(stream, bytes_at(core.packet(), PIECE));
    if (n)
      core.output(app, stream, n);
  }
  apps.delete(app);
  core.exited(app, code);
}

// --- the page

function on_keys(bytes) {
  for (let at = 0; at < bytes.length; at += 4096)
    core.console(give(bytes.subarray(at, at + 4096)));
}

function on_shown(len) {
  const was_full = console_waits > CONSOLE_MOST;
  console_waits -= len;
  if (was_full && console_waits <= CONSOLE_MOST)
    for (const app of apps.keys())
      look_soon(app);
}

let when_spawned = null; // what waits for the first app

// As `vyoma run` does: the first app has the console to itself, and its end is ours.
function run({ apps, input }) {
  core.boot(0, 0);
  core.console_size(0, 0);
  apps.forEach((name, i) => core.start(i === 0 ? 1 : 0, give(text.encode(name))));
  when_spawned = () => {
    on_keys(text.encode(input));
    core.console(0);
  };
}

async function get(name) {
  const answer = await fetch(name);
  if (!answer.ok)
    throw new Error(`${name}: ${answer.status}`);
  return answer;
}

const boot_text = async () => await take_first(new URL('boot.toml', self.location)) ??
                              new Uint8Array(await (await get('boot.toml')).arrayBuffer());

// All at once, and before anybody has asked for it.
const ANOTHER = 'Vyoma is running in another tab or window of this browser, and only one can run at a ' +
                'time. Use that one, or close it: then this one starts.';
let another = false; // which the person has been told

const alone = be_alone(() => {
  another = true;
  early.length = 0;
  self.postMessage({ say: ANOTHER });
});
storage.find(alone);
const prepared = Promise.all([
  WebAssembly.instantiateStreaming(get('core.wasm'), { host }),
  WebAssembly.compileStreaming(get('wasi.wasm')),
  boot_text(),
]);
prepared.catch(() => {}); // boot() says it

async function boot({ run: ends, bridge: relay }) {
  bridge = relay ?? null;
  await alone;
  if (another)
    self.postMessage({ unsay: ANOTHER });
  const [core_wasm, wasi_wasm, boot_toml] = await prepared;
  core = core_wasm.instance.exports;
  wasi_module = wasi_wasm;
  places = new Places(wasi_module);
  if (core.open() < 0)
    throw new Error('there is no memory for the core');
  const why = await storage.open(core, give);
  if (why)
    self.postMessage({ say: why });
  if (ends)
    run(ends);
  else
    core.boot(1, give(boot_toml));
  booted = true;
  early.splice(0).forEach(on_message);
}

let booted = false;
const early = []; // what came before that; nobody means to type to a page that says there is another
const EARLY_MOST = 64;

function on_message(data) {
  if (data.request)
    ask_port(data.request, data.answer);
  else if (data.keys)
    on_keys(data.keys);
  else if (data.shown)
    on_shown(data.shown);
  else if (data.size)
    core.console_size(data.size.columns, data.size.rows);
  else if (data.audit)
    self.postMessage({ audit: read_audit() });
}

const boot_or_say = how => boot(how).catch(error => self.postMessage({ failed: String(error.message) }));

self.onmessage = ({ data }) => {
  if (data.spare) // the first, which the page made by itself
    take_spare(data.spare, data.port);
  else if (data.broken)
    on_broken(data.broken);
  else if (data.boot)
    boot_or_say(data.boot);
  else if (booted)
    on_message(data);
  else if (early.length < EARLY_MOST && (!another || data.size))
    early.push(data);
};

// A page says so in the address (start.js): a message would wait for its terminal.
const asked = new URLSearchParams(self.location.hash.slice(1));
if (asked.has('boot'))
  boot_or_say({ bridge: asked.get('bridge') });

// A core that has broken an invariant of its own does not go on; the page says so.
self.onunhandledrejection = ({ reason }) =>
  self.postMessage({ failed: String(reason?.message ?? reason) });
