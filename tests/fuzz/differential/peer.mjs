// Node.js's side of the differential fuzzer: the same record as subject.c writes, which
// describes it. Requests on stdin are a JSON text and a module, each after its length in 4
// bytes, little endian. The text is
//   { seed, imports: [[kind, params, results]...], exports: the same, calls }
// with the types as subject.c found them (V8 does not tell) and how many of the
// calls to carry out, since those that do not end there would not end here.
import { readSync, writeSync } from "node:fs";

const HASHED_BYTES = 1 << 20, TABLE_SEEN = 64, VALUES_MAX = 64;
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

const zero = (type) => (type === "I" ? 0n : type === "r" || type === "e" ? null : 0);

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

const typeName = (letter) => NAMES[letter];

function makeImports(module, types) {
  const found = Object.create(null);
  let functions = 0;
  WebAssembly.Module.imports(module).forEach(({ module: from, name, kind }, i) => {
    found[from] ??= Object.create(null);
    if (kind === "function") found[from][name] = logger(functions++, types[i][1], types[i][2]);
    else found[from][name] = new WebAssembly.Tag({ parameters: Array.from(types[i][1], typeName) });
  });
  return found;
}

// Two imports of one name are one function here, but two in subject.c.
function hasTwins(module) {
  const names = WebAssembly.Module.imports(module).map((i) => JSON.stringify([i.module, i.name]));
  return new Set(names).size < names.length;
}

function callExports(out, request, instance, names) {
  const reset = instance.exports.hangLimitInitializer;
  const resets = names.some(
    (name, i) => name === "hangLimitInitializer" && request.exports[i][0] === "func" &&
      request.exports[i][1] === "" && request.exports[i][2] === "");
  let calls = 0;
  names.forEach((name, i) => {
    const [kind, params, results] = request.exports[i];
    if (kind !== "func" || calls >= request.calls) return;
    if (resets) try { reset(); } catch {}
    if (params.length > VALUES_MAX || results.length > VALUES_MAX) return;
    if (/[vx]/.test(params + results)) return;
    calls++;
    const state = { x: (Math.imul(request.seed, 2654435761) + i + 1) | 0 };
    const args = Array.from(params, (type) => drawValue(state, type));
    let line = `call ${i}`;
    try {
      const value = instance.exports[name](...args);
      const values = results.length === 1 ? [value] : results.length ? value : [];
      Array.from(results, (type, n) => (line += " " + show(values[n], type)));
    } catch (e) {
      line += " trap " + trapClass(e);
    }
    out.push(`${line} log ${hex(log)}`);
  });
}

function showState(out, request, instance, names) {
  names.forEach((name, i) => {
    const thing = instance.exports[name];
    if (thing instanceof WebAssembly.Memory) {
      const size = thing.buffer.byteLength;
      const words = new Uint32Array(thing.buffer, 0, Math.min(size, HASHED_BYTES) / 4);
      let h = 2166136261;
      for (let at = 0; at < words.length; at++) h = hash(h, words[at]);
      out.push(`memory ${i} ${size} ${hex(h)}`);
    } else if (thing instanceof WebAssembly.Global) {
      const type = request.exports[i][1];
      out.push(`global ${i} ${INTERNAL[type] ?? show(thing.value, type)}`);
    } else if (thing instanceof WebAssembly.Table) {
      let nulls = "";
      for (let at = 0; at < thing.length && at < TABLE_SEEN && request.exports[i][1] !== "x"; at++)
        nulls += thing.get(at) === null ? "n" : "r";
      out.push(`table ${i} ${thing.length} ${nulls}`);
    }
  });
}

function record(request, bytes) {
  const out = [];
  let module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch (e) {
    return [`load ${String(e.message).replace(/\s+/g, " ")}`];
  }
  out.push("load ok");
  if (!request.exports) return out;
  if (hasTwins(module)) return [...out, "twins"];
  if (request.imports.some(([kind]) => kind !== "func" && kind !== "tag")) return [...out, "start fail"];
  log = 2166136261 | 0;
  let instance;
  try {
    instance = new WebAssembly.Instance(module, makeImports(module, request.imports));
  } catch (e) {
    if (e instanceof WebAssembly.LinkError || e instanceof TypeError) out.push("start fail");
    else if (trapClass(e) === "limit") out.push("start limit");
    else out.push(`start trap ${trapClass(e)} log ${hex(log)}`);
    return out;
  }
  out.push(`start ok log ${hex(log)}`);
  const names = WebAssembly.Module.exports(module).map((x) => x.name);
  callExports(out, request, instance, names);
  if (request.state) showState(out, request, instance, names);
  return out;
}

for (;;) {
  const request = JSON.parse(readBlock().toString());
  const lines = record(request, readBlock());
  writeSync(1, lines.join("\n") + "\nend\n");
  if (request.collect) globalThis.gc();
}
