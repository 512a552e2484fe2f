// Node.js's side of the differential fuzzer: the same record as subject.c writes, which
// describes it. Requests on stdin are a JSON text and a module, each after its length in 4
// bytes, little endian. The text is
//   { seed, imports: [[kind, types, more...]...], exports: the same, lines }
// with the types as subject.c wrote them (V8 does not tell) and how many lines of the
// record to make, since a call that does not end there would not end here.
import { readSync, writeSync } from "node:fs";

const HASHED_BYTES = 1 << 20, TABLE_SEEN = 64, VALUES_MAX = 64, CALLS_MAX = 40, ROUNDS = 3;
const NESTED_MAX = 3;
const NAMES = { i: "i32", I: "i64", f: "f32", F: "f64", v: "v128", r: "anyfunc", e: "externref",
                x: "exnref" };
const INTERNAL = { v: "v128", x: "exnref" }; // JavaScript cannot see them
const scratch = new DataView(new ArrayBuffer(8));
let log;

const hash = (h, word) => Math.imul(h ^ word, 16777619);
const hex = (x) => (x >>> 0).toString(16);

function readExactly(length) {
  const buffer = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const got = readSync(0, buffer, at, length - at);
    if (got === 0) process.exit(0);
    at += got;
  }
  return buffer;
}

const readBlock = () => readExactly(readExactly(4).readUInt32LE());

// [low word, high word], or "nan", of a number
function bits(value, type) {
  switch (type) {
    case "i":
      return [value >>> 0, 0];
    case "I":
      scratch.setBigUint64(0, BigInt.asUintN(64, value), true);
      break;
    case "f":
      if (Number.isNaN(value)) return "nan";
      scratch.setUint32(4, 0, true);
      scratch.setFloat32(0, value, true);
      break;
    case "F":
      if (Number.isNaN(value)) return "nan";
      scratch.setFloat64(0, value, true);
      break;
  }
  return [scratch.getUint32(0, true), scratch.getUint32(4, true)];
}

function show(value, type) {
  if (type === "r" || type === "e") return value === null ? "null" : "ref";
  const b = bits(value, type);
  if (b === "nan") return b;
  return b[1] ? hex(b[1]) + hex(b[0]).padStart(8, "0") : hex(b[0]);
}

function drawValue(state, type) {
  const draw = () => {
    state.x ^= state.x << 13;
    state.x ^= state.x >>> 17;
    state.x ^= state.x << 5;
    return state.x >>> 0;
  };
  let low = draw();
  const high = draw();
  if (high & 1) low &= 0xff;
  switch (type) {
    case "i": return low | 0;
    case "I": return high & 1 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
    case "f": return (low >> 8) / 16;
    case "F": return (low | 0) / 16;
    default: return null;
  }
}

const zero = (type) => (type === "I" ? 0n : "rex".includes(type) ? null : 0);

function logger(index, params, results) {
  const answer = results.length === 1 ? zero(results) : Array.from(results, zero);
  return (...args) => {
    log = hash(log, index);
    Array.from(params, (type, i) => {
      if (type === "r" || type === "e") {
        log = hash(log, args[i] === null ? 0 : 1);
      } else {
        const b = bits(args[i], type);
        log = b === "nan" ? hash(log, 0x7fc00000) : hash(hash(log, b[0]), b[1]);
      }
    });
    return results.length === 0 ? undefined : answer;
  };
}

function trapClass(e) {
  if (e instanceof WebAssembly.Exception) return "exception";
  const m = String(e.message);
  if (e instanceof TypeError) return "other"; // a v128 or exnref on its way to or from JavaScript
  if (e instanceof RangeError && /call stack/.test(m)) return "stack";
  if (e instanceof RangeError) return "limit";
  if (!(e instanceof WebAssembly.RuntimeError)) return "other " + m;
  if (/rethrowing null|dereferencing a null/.test(m)) return "null";
  if (/unreachable/.test(m)) return "unreachable";
  if (/by zero/.test(m)) return "zero";
  if (/unrepresentable/.test(m)) return "unrepresentable";
  if (/null function or function signature|signature mismatch/.test(m)) return "indirect";
  if (/table|element segment/.test(m)) return "table";
  if (/memory access|data segment/.test(m)) return "memory";
  return "other " + m;
}

// Thrown when there are enough lines.
const ENOUGH = Symbol("enough");

class Record {
  constructor(request) {
    this.request = request;
    this.lines = [];
    this.imports = this.nested = 0;
  }

  enough() {
    if (this.lines.length >= this.request.lines) throw ENOUGH;
  }

  push(line) {
    this.enough();
    this.lines.push(line);
  }
}

// Calls an export, all of whose arguments are 0.
function backCaller(record, round, name, log_) {
  return (...args) => {
    const answer = log_(...args);
    const at = round.names?.indexOf(name) ?? -1;
    const [kind, params, results] = record.request.exports[at] ?? [];
    if (kind !== "func" || record.nested === NESTED_MAX) return answer;
    if (/[vx]/.test(params + results)) return answer;
    if (params.length > VALUES_MAX || results.length > VALUES_MAX) return answer;
    record.nested++;
    try {
      round.exports[name](...Array.from(params, zero));
    } catch (e) {
      log = hash(log, 1);
      throw e;
    } finally {
      record.nested--;
    }
    return answer;
  };
}

function makeImport(record, round, name, [kind, types, ...more]) {
  const [initial, maximum] = more.map(Number);
  switch (kind) {
    case "func": {
      const f = logger(record.imports++, types, more[0]);
      return /^back.{1,6}$/.test(name) && round.from === "host"
        ? backCaller(record, round, "f" + name.slice(4), f) : f;
    }
    case "tag": return new WebAssembly.Tag({ parameters: Array.from(types, (t) => NAMES[t]) });
    case "memory": return new WebAssembly.Memory({ initial, maximum });
    case "table":
      return new WebAssembly.Table({ element: NAMES[types], initial, maximum }, null);
    default:
      return new WebAssembly.Global({ value: NAMES[types], mutable: initial === 1 }, zero(types));
  }
}

function makeImports(record, round, before) {
  const found = Object.create(null);
  WebAssembly.Module.imports(record.module).forEach(({ module: from, name }, i) => {
    found[from] ??= Object.create(null);
    round.from = from;
    found[from][name] = before && from === "twin" ? before.exports[name]
      : makeImport(record, round, name, record.request.imports[i]);
  });
  return found;
}

// Two imports of one name are one function here, but two in subject.c.
function hasTwins(module) {
  const names = WebAssembly.Module.imports(module).map((i) => JSON.stringify([i.module, i.name]));
  return new Set(names).size < names.length;
}

function callExports(out, round, seed) {
  const { exports: types } = out.request;
  const reset = round.exports.hangLimitInitializer;
  const resets = round.names.some(
    (name, i) => name === "hangLimitInitializer" && types[i][0] === "func" &&
      types[i][1] === "" && types[i][2] === "");
  let calls = 0;
  round.names.forEach((name, i) => {
    const [kind, params, results] = types[i];
    if (kind !== "func" || calls >= CALLS_MAX) return;
    out.enough();
    if (resets) try { reset(); } catch {}
    if (params.length > VALUES_MAX || results.length > VALUES_MAX) return;
    if (/[vx]/.test(params + results)) return;
    calls++;
    const state = { x: (Math.imul(seed, 2654435761) + i + 1) | 0 };
    const args = Array.from(params, (type) => drawValue(state, type));
    let line = `call ${i}`;
    try {
      const value = round.exports[name](...args);
      const values = results.length === 1 ? [value] : results.length ? value : [];
      Array.from(results, (type, n) => (line += " " + show(values[n], type)));
    } catch (e) {
      line += " trap " + trapClass(e);
    }
    out.push(`${line} log ${hex(log)}`);
  });
}

function showState(out, round) {
  round.names.forEach((name, i) => {
    const thing = round.exports[name], type = out.request.exports[i][1];
    if (thing instanceof WebAssembly.Memory) {
      const size = thing.buffer.byteLength;
      const words = new Uint32Array(thing.buffer, 0, Math.min(size, HASHED_BYTES) / 4);
      let h = 2166136261;
      for (let at = 0; at < words.length; at++) h = hash(h, words[at]);
      out.push(`memory ${i} ${size} ${hex(h)}`);
    } else if (thing instanceof WebAssembly.Global) {
      out.push(`global ${i} ${INTERNAL[type] ?? show(thing.value, type)}`);
    } else if (thing instanceof WebAssembly.Table) {
      let nulls = "";
      for (let at = 0; at < thing.length && at < TABLE_SEEN && type !== "x"; at++)
        nulls += thing.get(at) === null ? "n" : "r";
      out.push(`table ${i} ${thing.length} ${nulls}`);
    }
  });
}

// The round's exports and their names, or null when there is no instance to go on with.
function runRound(out, seed, before) {
  const round = {};
  out.enough();
  let instance;
  try {
    instance = new WebAssembly.Instance(out.module, makeImports(out, round, before));
  } catch (e) {
    if (e instanceof WebAssembly.LinkError || e instanceof TypeError) out.push("start fail");
    else if (trapClass(e) === "limit") out.push("start limit");
    else out.push(`start trap ${trapClass(e)} log ${hex(log)}`);
    return null;
  }
  out.push(`start ok log ${hex(log)}`);
  round.names = WebAssembly.Module.exports(out.module).map((x) => x.name);
  round.exports = instance.exports;
  callExports(out, round, seed);
  showState(out, round);
  return round;
}

function runRounds(out) {
  const { seed } = out.request;
  log = 2166136261 | 0;
  let before = runRound(out, seed, null);
  const twin = WebAssembly.Module.imports(out.module).some((x) => x.module === "twin");
  for (let n = 1; twin && before && n < ROUNDS; n++) {
    out.push(`round ${n}`);
    before = runRound(out, (seed + n) | 0, before);
  }
}

function record(request, bytes) {
  const out = new Record(request);
  try {
    out.module = new WebAssembly.Module(bytes);
  } catch (e) {
    return [`load ${String(e.message).replace(/\s+/g, " ")}`];
  }
  if (!request.exports) return ["load ok"];
  if (hasTwins(out.module)) return ["load ok", "twins"];
  try {
    runRounds(out);
  } catch (e) {
    if (e !== ENOUGH) throw e;
  }
  return ["load ok", ...out.lines];
}

for (;;) {
  const request = JSON.parse(readBlock().toString());
  const lines = record(request, readBlock());
  writeSync(1, lines.join("\n") + "\nend\n");
  if (request.collect) globalThis.gc();
}
