// What the browser's engine throws, in the words of ours (enum eng_trap_code).

// An app that has ended by itself, or was refused.
export class Ended extends Error {
  constructor(code) {
    super('ended');
    this.code = code;
  }
}

// Code, our words, and what engines say: V8, SpiderMonkey, JavaScriptCore.
const TRAPS = [
  [1, 'unreachable', /unreachable/i],
  [2, 'integer divide by zero', /divi(de|sion) by zero|remainder by zero/i],
  [3, 'integer overflow', /divide result unrepresentable|integer overflow/i],
  [4, 'invalid conversion to integer', /float unrepresentable|invalid conversion|out of bounds.*trunc/i],
  [7, 'undefined element', /table index (is )?out of bounds|table access out of bounds|out of bounds call_indirect/i],
  [5, 'out of bounds memory access', /memory access out of bounds|index out of bounds|out of bounds memory/i],
  [8, 'uninitialized element', /null function|indirect call to null/i],
  [9, 'indirect call type mismatch', /signature mismatch|null function or function signature/i],
];
const STACK = [10, 'call stack exhausted', /call stack|recursion|stack size/i];

// "at name (function 12, offset 0x1a2b)", as our engine writes it.
function trace_of(stack, shift, exported) {
  const lines = [];
  for (const line of stack.split('\n')) {
    // V8: "at NAME (ADDRESS:wasm-function[1]:0x2)", SpiderMonkey: "NAME@ADDRESS:wasm-function[1]:0x2"
    const hit = line.match(/:wasm-function\[(\d+)\]:0x([0-9a-f]+)/);
    const own = line.match(/^\s*at (\S+) \(/)?.[1] ?? line.match(/^([^@]+)@/)?.[1];
    const name = own && !own.includes('wasm') ? own : exported.get(hit?.[1]) ?? '?';
    if (hit && lines.length < 32)
      lines.push(`at ${name} (function ${hit[1]}, ` +
                 `offset 0x${(parseInt(hit[2], 16) - shift).toString(16)})\n`);
  }
  return lines.join('');
}

// Code, reason and backtrace; null: it is no trap. shift: what offsets are too
// high by; exported: names by number.
export function describe_trap(error, shift, exported) {
  const table = error instanceof RangeError || error.name === 'InternalError' ? [STACK]
              : error instanceof WebAssembly.RuntimeError ? TRAPS : [];
  const message = String(error.message);
  // V8 has one message for a null function and one of another type.
  const hit = table.find(([, , pattern]) => pattern.test(message));
  if (!hit)
    return error instanceof WebAssembly.RuntimeError
      ? { code: 15, reason: 'host error', trace: trace_of(String(error.stack), shift, exported) } : null;
  return { code: hit[0], reason: hit[1], trace: trace_of(String(error.stack), shift, exported) };
}
